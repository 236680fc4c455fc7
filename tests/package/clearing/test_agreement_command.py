"""`billproof agreement check` and `billproof agreement evaluate`, and the volumes that they read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from commands import Run, run

__all__ = ["run"]

AGREEMENT = """
schema = "billproof/agreement/1"
name = "Two"
valid = { from = "2026-01-01", until = "2026-04-01" }
settlement = "EUR"
[[parties]]
operator = 1
name = "Meridian"
currency = "EUR"
[[parties]]
operator = 2
name = "Skylark"
currency = "EUR"
[routes]
uk = ["+44"]
[[models]]
name = "voice"
model = "flat"
from = 1
services = ["voice-originated"]
routes = ["uk"]
price = "0.05"
commitment = { money = "100" }
[[models]]
name = "data"
model = "balanced"
services = ["data"]
balanced = "0.01"
unbalanced = "0.03"
"""
HEADER = "month,from,service,route,volume\n"
VOLUMES = f"""{HEADER}2026-01,1,voice-originated,uk,600 min
2026-01,1,data,,1000
2026-01,2,data,elsewhere,1.2 GB

2026-02,1,voice-originated,uk,600
2026-02,2,voice-originated,uk,90 s
"""


@pytest.fixture
def agreement(tmp_path: Path) -> Path:
    path = tmp_path / "agreement.toml"
    path.write_text(AGREEMENT)
    return path


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    path = tmp_path / "volumes.csv"
    path.write_text(VOLUMES)
    return path


def test_check_says_what_is_there(run: Run, agreement: Path) -> None:
    result = run("agreement", "check", agreement)
    assert result.code == 0
    assert "✓ Two can be used" in result.out
    assert "1 Meridian, 2 Skylark" in result.out
    told = run("agreement", "check", agreement, "--json").json
    assert told["schema"] == "billproof/agreement-check/1"
    assert (told["operators"], told["models"], told["from"], told["to"]) == (
        [1, 2],
        ["voice", "data"],
        "2026-01",
        "2026-03",
    )
    assert told["hash"].startswith("0x")


def test_check_says_which_months_have_rates(run: Run, agreement: Path) -> None:
    rates = '{ "2026-02" = "1/0.8391", "2026-01" = "1.1834" }'
    agreement.write_text(AGREEMENT.replace("[routes]", f'[exchange]\nUSD = "0.9"\nGBP = {rates}\n[routes]'))
    result = run("agreement", "check", agreement)
    assert re.search(r"GBP rates +2026-01, 2026-02: 2 of 3 months\n", result.out)
    assert run("agreement", "check", agreement, "--json").json["exchange"] == {
        "EUR": "1",
        "USD": "9/10",
        "GBP": {"2026-01": "5917/5000", "2026-02": "10000/8391"},
    }


def test_check_refuses_with_line_and_remedy(run: Run, agreement: Path) -> None:
    agreement.write_text(AGREEMENT.replace('routes = ["uk"]', 'routes = ["ku"]'))
    result = run("agreement", "check", agreement)
    assert result.code == 2
    assert f"{agreement}:21:models[1].routes[1]: 'ku' is no route" in result.err
    assert "uk" in result.err.split("→")[1]


def test_evaluate_prints_money_first(run: Run, agreement: Path, volumes: Path) -> None:
    # Voice: 1,200 × 0.05 = 60. Data: 1,000 × 0.01 = 10 each, and Skylark's other 200 × 0.03 = 6.
    result = run("agreement", "evaluate", agreement, "--volumes", volumes)
    assert result.code == 0
    first, *rest = result.out.splitlines()
    assert first == "Meridian pays Skylark 54.00 EUR net, 2026-01 to 2026-02"
    assert "of it 2026-02  30.00 EUR" in rest[0]
    rows = [line.replace("│", " ").split() for line in rest if "voice" in line or " data " in line]
    assert rows[0] == ["Meridian", "voice", "60.00", "30.00", "0.00", "40.00", "1,200", "min"]
    assert rows[1] == ["Skylark", "data", "16.00", "0.00", "–", "–", "1,200", "MB"]
    assert rows[2] == ["Meridian", "data", "10.00", "0.00", "–", "–", "1,000", "MB"]
    assert "in no model: 2026-02, from Skylark, voice-originated, uk: 90 s" in rest[-1]


def test_evaluate_tells_all_months_as_json(run: Run, agreement: Path, volumes: Path) -> None:
    told = run("agreement", "evaluate", agreement, "--volumes", volumes, "--month", "2026-03", "--json").json
    assert told["schema"] == "billproof/agreement-evaluation/1"
    assert [month["net"]["toDate"] for month in told["months"]] == ["24.00", "54.00", "94.00"]
    assert [month["net"]["month"] for month in told["months"]] == ["24.00", "30.00", "40.00"]
    last = told["months"][-1]["models"][0]
    assert (last["model"], last["used"], last["shortfall"], last["open"]) == (
        "voice",
        "60.00",
        "40.00",
        "0.00",
    )
    assert (last["volumeToDate"], last["unit"]) == ("72000", "seconds")
    assert told["uncovered"] == [
        {"month": "2026-02", "from": 2, "service": "voice-originated", "route": "uk", "volume": "90 s"}
    ]


def test_evaluate_up_to_a_month(run: Run, agreement: Path, volumes: Path) -> None:
    result = run("agreement", "evaluate", agreement, "--volumes", volumes, "--month", "2026-01")
    assert "Meridian pays Skylark 24.00 EUR net, 2026-01 to 2026-01" in result.out
    assert run("agreement", "evaluate", agreement, "--volumes", volumes, "--month", "2026-04").code == 2


def test_evaluate_without_traffic(run: Run, agreement: Path, volumes: Path) -> None:
    volumes.write_text(HEADER)
    result = run("agreement", "evaluate", agreement, "--volumes", volumes)
    assert result.code == 0
    assert "Meridian pays Skylark 0.00 EUR net" in result.out


COMMON = """
[[models]]
name = "mms"
model = "flat"
from = 2
services = ["mms"]
price = "0.20"
[[models]]
name = "back"
model = "flat"
from = 2
services = ["voice-originated"]
price = "0.05"
[[commitments]]
name = "all from Skylark"
from = 2
models = ["mms", "back"]
money = "50"
accrues = "month"
"""


def test_evaluate_tells_a_common_commitment_on_a_line_of_its_own(
    run: Run, agreement: Path, volumes: Path
) -> None:
    # By February 33.33 of 50 are due. Skylark sent 90 s, 1.5 × 0.05 = 0.08 of it: 33.25 short, 16.67 open.
    agreement.write_text(AGREEMENT + COMMON)
    checked = run("agreement", "check", agreement)
    assert "1 over several models" in checked.out
    assert run("agreement", "check", agreement, "--json").json["commitments"] == ["all from Skylark"]
    result = run("agreement", "evaluate", agreement, "--volumes", volumes)
    assert result.out.startswith("Meridian pays Skylark 20.67 EUR net")
    rows = [line.replace("│", " ").split() for line in result.out.splitlines() if "all from" in line]
    assert rows == [["Skylark", "all", "from", "Skylark", "33.25", "16.58", "33.25", "16.67", "–"]]
    told = run("agreement", "evaluate", agreement, "--volumes", volumes, "--json").json
    assert [line["model"] for line in told["months"][-1]["models"]] == [
        "voice",
        "data",
        "data",
        "back",
        "mms",
    ]
    assert told["months"][-1]["commitments"] == [
        {
            "commitment": "all from Skylark",
            "from": 2,
            "to": 1,
            "toDate": "33.25",
            "month": "16.58",
            "used": "0.08",
            "shortfall": "33.25",
            "open": "16.67",
        }
    ]


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("", 1, "the column month is missing"),
        (HEADER.replace("route", "rout"), 1, "the column route is missing"),
        ("month,month,from,service,route,volume\n", 1, "month is there twice"),
        ("month,from,service,route,volume,note\n", 1, "'note' is no column"),
        (HEADER + "2026-01,1,data,uk\n", 2, "has 4 cells"),
        (HEADER + "2026-01,1,data,uk,1\n\n2026-04,1,data,uk,1\n", 4, "month: '2026-04' is no month"),
        (HEADER + "2026-1,1,data,uk,1\n", 2, "month: '2026-1' is no month"),
        (HEADER + "2026-01,3,data,uk,1\n", 2, "from: '3' is no party"),
        (HEADER + "2026-01,1,date,uk,1\n", 2, "service: 'date' is no service"),
        (HEADER + "2026-01,1,data,ku,1\n", 2, "route: 'ku' is no route"),
        (HEADER + "2026-01,1,data,uk,-1\n", 2, "volume: '-1' is no volume"),
        (HEADER + "2026-01,1,data,uk,1e9\n", 2, "volume: '1e9' is no volume"),
        (HEADER + "2026-01,1,data,uk,1 min\n", 2, "volume: is in seconds"),
        (HEADER + "2026-01,1,data,uk,1 PB\n", 2, "volume: 'PB' is no unit"),
        (HEADER + '2026-01,1,data,uk,"1" MB\n', 2, "is not CSV"),
        (HEADER + "2026-01,1,data,uk,\x1b[2J\n", 2, "is no volume"),
    ],
)
def test_evaluate_refuses_volumes(
    run: Run, agreement: Path, volumes: Path, content: str, line: int, message: str
) -> None:
    volumes.write_text(content)
    result = run("agreement", "evaluate", agreement, "--volumes", volumes)
    assert result.code == 2
    assert f"{volumes}:{line}:" in result.err
    assert message in result.err
    assert "→" in result.err
    assert "\x1b[2J" not in result.err


@pytest.mark.parametrize("content", [b"\xff\xfe", HEADER.encode() + b"2026-01,1,data,u\xffk,1\n"])
def test_evaluate_refuses_what_is_no_text(run: Run, agreement: Path, volumes: Path, content: bytes) -> None:
    volumes.write_bytes(content)
    assert "is not UTF-8" in run("agreement", "evaluate", agreement, "--volumes", volumes).err


def test_evaluate_refuses_a_file_that_is_not_there(run: Run, agreement: Path, tmp_path: Path) -> None:
    assert run("agreement", "evaluate", agreement, "--volumes", tmp_path / "none.csv").code == 2
