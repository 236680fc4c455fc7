"""CGRateS tariff plans as tariffs: prices by hand, and what is refused."""

from __future__ import annotations

import json
import shutil
import tomllib
from fractions import Fraction
from pathlib import Path

import naive
import pytest
from click.testing import CliRunner

from billproof.cli import cli
from billproof.errors import InputError
from billproof.tariff import load_tariff
from billproof.tariff.cgrates import read_plan
from billproof.tariff.cgrates_week import tariff_text

FLEX = Path(__file__).parent / "cgrates" / "flex"
HEAD = {"version": "1", "currency": "EUR", "from": "2026-10-01"}
ARGUMENTS = ["--currency", "EUR", "--valid-from", "2026-10-01"]

MONDAY_10 = 1791194400  # 2026-10-05 10:00 UTC
HOUR = 3600


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FLEX, tmp_path / "plan"))


def text_of(folder: Path, plan: str | None = None, prefixes: str | None = None, service: str = "") -> str:
    found = read_plan(folder, plan, voice=not service, prefixes=prefixes)
    word = {"": "s", "data": "B"}.get(service, "messages")
    text = tariff_text(found, service=service or "voice-originated", word=word, head=HEAD, home=())
    load_tariff(text.encode())
    return text


def replace(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("number", "start", "usage", "amount", "rate"),
    [
        # Office hours: 0.05 + 0.24 for the first minute, then 25 s at 0.12 a minute: 0.05.
        ("+35312345678", MONDAY_10, 85, "0.34", "DST_IE/RT_DAY/OFFICE"),
        # One second is the first minute: 0.05 + 0.24.
        ("+353861234567", MONDAY_10, 1, "0.29", "DST_IE_MOBILE/RT_DAY/OFFICE"),
        # 61 s: 0.29 + 0.002.
        ("+353861234567", MONDAY_10, 61, "0.292", "DST_IE_MOBILE/RT_DAY/OFFICE"),
        # Before 07:30 and from 20:00: 85 s are 90 s at 0.06 a minute.
        ("+35312345678", MONDAY_10 - 3 * HOUR, 85, "0.09", "DST_IE/RT_NIGHT/MORNING+EVENING+WEEKEND"),
        ("+35312345678", MONDAY_10 + 10 * HOUR, 85, "0.09", "DST_IE/RT_NIGHT/MORNING+EVENING+WEEKEND"),
        # Saturday, 7 s: 12 s, 0.012.
        ("+35312345678", MONDAY_10 + 120 * HOUR, 7, "0.012", "DST_IE/RT_NIGHT/MORNING+EVENING+WEEKEND"),
        # Lunch has the greater weight, for mobiles only: 85 · 0.03 / 60 = 0.0425, a half of 0.001: up.
        ("+353851234567", MONDAY_10 + 2 * HOUR, 85, "0.043", "DST_IE_MOBILE/RT_LUNCH/LUNCH"),
        ("+35312345678", MONDAY_10 + 2 * HOUR, 85, "0.34", "DST_IE/RT_DAY/OFFICE"),
        # Lunch ends at 13:00.
        ("+353851234567", MONDAY_10 + 3 * HOUR, 85, "0.34", "DST_IE_MOBILE/RT_DAY/OFFICE"),
        # Down to 2 decimals: 90 s cost 0.09, 99 s are 102 s, 0.102 → 0.10; at most 0.50.
        ("+447700900000", MONDAY_10, 85, "0.09", "DST_UK/RT_NIGHT"),
        ("+447700900000", MONDAY_10, 99, "0.10", "DST_UK/RT_NIGHT"),
        ("+447700900000", MONDAY_10, HOUR, "0.50", "DST_UK/RT_NIGHT"),
        # All other numbers: 0.10 + 3 · 0.75; a cut call costs what its length costs.
        ("+12025550100", MONDAY_10, 85, "2.35", "*any/RT_FAR"),
        ("1747", MONDAY_10, 10, "0.85", "*any/RT_FAR"),
        ("", MONDAY_10, 600, "15.10", "*any/RT_FAR"),
    ],
)
def test_calls_cost_what_the_plan_says(number: str, start: int, usage: int, amount: str, rate: str) -> None:
    tariff = tomllib.loads(text_of(FLEX))
    record = {"index": 0, "service": 1, "startedAt": start, "utcOffset": 0, "usage": usage, "number": number}
    record |= {"network": "", "corrects": "0x0"}
    ((rated,), _) = naive.rate_statement(tariff, [record])
    assert rated.rate is not None
    assert rated.rate["name"] == rate
    assert rated.due == Fraction(amount) * 10**9


def test_command_writes_a_tariff_that_passes_its_check(tmp_path: Path) -> None:
    out = tmp_path / "flex.toml"
    run = CliRunner().invoke(cli, ["tariff", "import", str(FLEX), "--out", str(out), *ARGUMENTS, "--json"])
    assert run.exit_code == 0, run.output
    document = json.loads(run.stdout)
    assert document["plan"] == "RP_FLEX"
    assert document["rates"] == 7
    assert document["notRead"] == ["RatingProfiles.csv"]
    assert "*disconnect" in document["notes"][0]
    assert "*disconnect" in out.read_text()
    assert CliRunner().invoke(cli, ["tariff", "check", str(out)]).exit_code == 0

    again = CliRunner().invoke(cli, ["tariff", "import", str(FLEX), "--out", str(out), *ARGUMENTS])
    assert isinstance(again.exception, InputError)
    arguments = ["tariff", "import", str(FLEX), "--out", str(out), *ARGUMENTS, "--force", "--home", "272-01"]
    run = CliRunner().invoke(cli, arguments)
    assert run.exit_code == 0, run.output
    assert "Not read" in run.stderr
    assert tomllib.loads(out.read_text())["home"] == ["272-01"]


@pytest.mark.parametrize(
    ("option", "value"), [("--currency", "euro"), ("--valid-from", "October"), ("--home", "272")]
)
def test_command_names_the_option_that_will_not_do(tmp_path: Path, option: str, value: str) -> None:
    arguments = ["tariff", "import", str(FLEX), "--out", str(tmp_path / "a.toml"), *ARGUMENTS, option, value]
    error = CliRunner().invoke(cli, arguments).exception
    assert isinstance(error, InputError)
    assert error.field == option
    assert not (tmp_path / "a.toml").exists()


def test_one_of_several_plans_is_chosen(folder: Path) -> None:
    with (folder / "RatingPlans.csv").open("a") as plans:
        plans.write("RP_OTHER,DR_UK,*any,10\n")
    with pytest.raises(InputError, match=r"2 rating plans[^$]*RP_FLEX, RP_OTHER"):
        text_of(folder)
    tariff = tomllib.loads(text_of(folder, "RP_OTHER"))
    assert list(tariff["destinations"]) == ["DST_UK"]
    assert len(tariff["rates"]) == 1
    assert tariff["rates"][0]["destinations"] == ["DST_UK"]
    with pytest.raises(InputError, match="no rating plan RP_NONE"):
        text_of(folder, "RP_NONE")


def test_prefixes_without_plus_need_a_word(folder: Path) -> None:
    replace(folder, "Destinations.csv", "DST_UK,+44", "DST_UK,44")
    with pytest.raises(InputError, match=r"Destinations.csv:5: prefix 44 has no \+[^$]*--prefixes e164"):
        text_of(folder)
    assert tomllib.loads(text_of(folder, prefixes="e164"))["destinations"]["DST_UK"] == ["+44"]
    dialled = tomllib.loads(text_of(folder, prefixes="dialled"))
    assert dialled["destinations"] == {
        "DST_IE": ["+353"],
        "DST_IE_MOBILE": ["+35385", "+35386"],
        "DST_UK": ["44"],
    }


def test_a_prefix_of_two_destinations_has_the_offers_of_both(folder: Path) -> None:
    with (folder / "Destinations.csv").open("a") as destinations:
        destinations.write("DST_VIP,+35385\n")
    with (folder / "DestinationRates.csv").open("a") as rates:
        rates.write("DR_VIP,DST_VIP,RT_LUNCH,*up,4,0,\n")
    with (folder / "RatingPlans.csv").open("a") as plans:
        plans.write("RP_FLEX,DR_VIP,WEEKEND,30\n")
    tariff = tomllib.loads(text_of(folder))
    assert tariff["destinations"]["DST_IE_MOBILE+DST_VIP"] == ["+35385"]
    assert tariff["destinations"]["DST_IE_MOBILE"] == ["+35386"]
    names = [rate["name"] for rate in tariff["rates"]]
    assert "DST_IE_MOBILE+DST_VIP/RT_LUNCH/WEEKEND" in names


def test_messages_and_data_count_in_bare_numbers(folder: Path) -> None:
    (folder / "Rates.csv").write_text("RT_SMS,0,0.09,1,1,0\n")
    (folder / "DestinationRates.csv").write_text("DR_SMS,*any,RT_SMS,*up,4,0,\n")
    (folder / "RatingPlans.csv").write_text("RP_SMS,DR_SMS,*any,0\n")
    (folder / "Timings.csv").unlink()
    rate = tomllib.loads(text_of(folder, service="message-sent"))["rates"][0]
    assert (rate["services"], rate["price"], rate["unit"]) == (["message-sent"], "0.09", "1 messages")
    (folder / "Rates.csv").write_text("RT_SMS,0,1.5,1000000000,10000,0\n")
    rate = tomllib.loads(text_of(folder, service="data"))["rates"][0]
    assert (rate["unit"], rate["increment"]) == ("1000000000 B", "10000 B")


def test_long_and_equal_names_stay_apart(folder: Path) -> None:
    long = "DST_" + "X" * 80
    for file in ("Destinations.csv", "DestinationRates.csv"):
        replace(folder, file, "DST_IE_MOBILE,", f"{long}1,")
        replace(folder, file, "DST_UK,", f"{long}2,")
    names = list(tomllib.loads(text_of(folder))["destinations"])
    assert all(len(name) <= 64 for name in names)
    assert len(set(names)) == 3


@pytest.mark.parametrize(
    ("file", "old", "new", "error"),
    [
        ("Timings.csv", "WEEKEND,*any", "WEEKEND,2026", r"Timings.csv:5:Years: Years is 2026"),
        ("Timings.csv", "WEEKEND,*any,*any", "WEEKEND,*any,12", r"Timings.csv:5:Months"),
        (
            "Timings.csv",
            "WEEKEND,*any,*any,*any",
            "WEEKEND,*any,*any,25",
            r"Timings.csv:5:MonthDays[^$]*holidays",
        ),
        ("Timings.csv", "6;7", "6;8", r"Timings.csv:5:WeekDays"),
        ("Timings.csv", "20:00:00", "*asap", r"Timings.csv:3:Time: time \*asap[^$]*loaded"),
        ("Timings.csv", "20:00:00", "20:00:30", r"Timings.csv:3:Time[^$]*whole minutes"),
        ("Timings.csv", "EVENING", "OFFICE", r"Timings.csv:3:Tag: OFFICE is there twice"),
        ("Timings.csv", "WEEKEND,*any,*any,*any,6;7", "WEEKEND,*any,*any,*any,6", r"no rate on sun at 00:00"),
        ("Timings.csv", "#Tag,Years", "#Years,Tag", r"Timings.csv:1: columns Years, Tag"),
        ("Destinations.csv", "+44", "+44x", r"Destinations.csv:5:Prefix: \+44x is no prefix"),
        ("Rates.csv", "0.24,60s,60s", "0.24,60,60s", r"Rates.csv:2:RateUnit[^$]*nanoseconds"),
        ("Rates.csv", "1m\n", "1m30s\n", r"Rates.csv:3:GroupIntervalStart: begins 90 [^$]*60"),
        ("Rates.csv", "0.06,60s,6s,0s", "0.06,60s,6s,1s", r"Rates.csv:4:GroupIntervalStart[^$]*after 0"),
        (
            "Rates.csv",
            "0.06,60s,6s",
            "0.06,60s,500ms",
            r"Rates.csv:4:RateIncrement: 500ms is no whole number",
        ),
        ("Rates.csv", "0.06,60s,6s", "0.06,60s,0s", r"Rates.csv:4: a unit or increment of 0"),
        ("Rates.csv", "RT_NIGHT,0,0.06", "RT_NIGHT,0,-0.06", r"Rates.csv:4:Rate: -0.06 is no amount"),
        ("Rates.csv", "0.06", "0.0000000000001", r"Rates.csv:4:Rate: [^$]*12 decimals"),
        ("Rates.csv", "RT_DAY,0,0.12", "RT_DAY,0.01,0.12", r"Rates.csv:3:ConnectFee: another"),
        (
            "Rates.csv",
            "RT_FAR,0.10",
            "RT_FAR,0.00001",
            r"DestinationRates.csv:8:RoundingDecimals[^$]*one by one",
        ),
        ("Rates.csv", "0.24,60s", "0.24,7s", r"DestinationRates.csv:2:RoundingDecimals"),
        (
            "DestinationRates.csv",
            "*middle",
            "*nearest",
            r"DestinationRates.csv:6:RoundingMethod: rounding \*nearest",
        ),
        ("DestinationRates.csv", "*middle,3", "*middle,12", r"DestinationRates.csv:6:RoundingDecimals"),
        ("DestinationRates.csv", "0.50,*free", "0.50,", r"DestinationRates.csv:7:MaxCostStrategy"),
        (
            "DestinationRates.csv",
            "DST_UK,RT_NIGHT",
            "DST_UK,RT_NONE",
            r"DestinationRates.csv:7:RatesTag: RT_NONE",
        ),
        ("DestinationRates.csv", "DR_UK,DST_UK", "DR_UK,DST_NONE", r"DestinationRates.csv:7:DestinationId"),
        ("DestinationRates.csv", "0.50,*free", "0.50", r"DestinationRates.csv:7: 6 columns, expected are 7"),
        ("RatingPlans.csv", "DR_UK,*any", "DR_UK,ALWAYS", r"RatingPlans.csv:7: ALWAYS is not defined"),
        ("RatingPlans.csv", "DR_UK,*any", "DR_NONE,*any", r"RatingPlans.csv:7: DR_NONE is not defined"),
        ("RatingPlans.csv", "DR_UK,*any,10", "DR_UK,*any,x", r"RatingPlans.csv:7:Weight"),
        (
            "RatingPlans.csv",
            "DR_LUNCH,LUNCH,20",
            "DR_LUNCH,OFFICE,10",
            r"DST_IE_MOBILE has two rates on mon at 07:30",
        ),
    ],
)
def test_what_a_tariff_cannot_say_is_refused_with_its_line(
    folder: Path, file: str, old: str, new: str, error: str
) -> None:
    replace(folder, file, old, new)
    with pytest.raises(InputError, match=error) as found:
        text_of(folder)
    assert found.value.advice


def test_missing_files_are_named(folder: Path) -> None:
    (folder / "Rates.csv").unlink()
    with pytest.raises(InputError, match=r"Rates.csv: no such file"):
        text_of(folder)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b'"' + b"x" * 200_000 + b'"', b"RT_DAY,\xd9\xa3,1,60s,60s,0s\n"]
)
def test_damaged_files_are_named(folder: Path, content: bytes) -> None:
    (folder / "Rates.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"Rates.csv"):
        text_of(folder)


def test_lines_may_end_as_windows_ends_them(folder: Path) -> None:
    text = text_of(folder)
    for path in folder.glob("*.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert text_of(folder) == text
