"""The demo's two operators clear their month, and the demo notices when something is not as it should be."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from billproof.clearing.document.reading import load_clear
from billproof.clearing.settlement.reading import load_document
from billproof.cli import main
from billproof.demo import run
from billproof.demo.clearing_labels import compare
from billproof.simulate.partner_files import PartnerFiles

KINDS = ["cycle-shift", "duplicate", "missing", "rate", "rounding", "time-zone"]


@pytest.fixture(scope="module")
def said() -> io.StringIO:
    """What the demo says."""
    return io.StringIO()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, said: io.StringIO) -> Path:
    """A small demo that ended well."""
    out = tmp_path_factory.mktemp("demo") / "demo"
    assert run(out, 20, Console(file=said, width=160))
    return out


@pytest.fixture(scope="module")
def told(home: Path) -> dict[str, Any]:
    """What its summary says of the clearing."""
    found: dict[str, Any] = json.loads((home / "summary.json").read_text())["clearing"]
    return found


def test_the_net_amount_is_signed_and_confirmed(home: Path, told: dict[str, Any]) -> None:
    truth = json.loads((home / "partners/expected.json").read_text())
    net = told["net"]
    assert {key: net[key] for key in ("payer", "payee", "amount")} == truth["net"]
    assert (told["state"], told["part"], told["problems"]) == ("Agreeing", "Confirmed", [])
    signers = json.loads((home / "clearing/part.json").read_text())["signatures"]
    assert [signer["operator"] for signer in signers] == [1, 2]


def test_each_discrepancy_is_one_cause(home: Path, told: dict[str, Any]) -> None:
    assert sorted(cause["kind"] for cause in told["causes"]) == KINDS
    truth = json.loads((home / "partners/expected.json").read_text())
    labelled = [
        (direction["from"], cause["kind"], cause["count"], cause["money"])
        for direction in truth["directions"]
        for cause in direction["causes"]
    ]
    found = [(cause["from"], cause["kind"], cause["count"], cause["money"]) for cause in told["causes"]]
    assert sorted(found) == sorted(labelled)


def test_whoever_cheats_is_refused(told: dict[str, Any]) -> None:
    cases = told["cases"]
    assert len(cases) == 9
    assert all(case["refused"] and case["message"] for case in cases.values())
    assert "not what was committed to" in cases["changed-book"]["message"]
    assert "add up" in cases["forged-settlement"]["message"]


def test_its_end_says_what_became_of_the_month(home: Path, said: io.StringIO, told: dict[str, Any]) -> None:
    text = said.getvalue()
    settlement, _ = load_document(home / "clearing/operator-1/settlement.json")
    assert f"Meridian pays Skylark {settlement.net.amount / 10**9:.2f} EUR: signed by both" in text
    assert f"in {len(settlement.disputes)} claims" in text
    for cause in told["causes"]:
        assert cause["words"] in text
    for name in ("report.html", "settlement.pdf", "settlement.xlsx"):
        assert (home / "clearing/operator-1" / name).stat().st_size > 5_000
    assert told["report"] == str(home / "clearing/operator-1/report.html")


def test_commands_read_what_it_leaves(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["agreement", "settlement", str(home / "clearing/operator-1/settlement.json")])
    assert not ended.value.code
    assert "Meridian pays Skylark" in capsys.readouterr().out


def test_what_is_not_as_labelled_is_told(home: Path, tmp_path: Path) -> None:
    settlement, _ = load_document(home / "clearing/operator-1/settlement.json")
    found = [load_clear(home / f"clearing/operator-1/clear-{payer}.json") for payer in (1, 2)]
    truth = json.loads((home / "partners/expected.json").read_text())
    files = PartnerFiles(tmp_path, settlement.period, 0)

    def problems(changed: dict[str, Any]) -> list[str]:
        files.expected.write_text(json.dumps(changed))
        return compare(files, found, settlement)

    assert problems(truth) == []
    for path in (
        ("net", "amount"),
        ("net", "payer"),
        ("directions", 0, "causes", 1, "count"),
        ("directions", 1, "causes", 0, "money"),
        ("directions", 1, "causes", 2, "value"),
        ("directions", 0, "findings", 0, "count"),
        ("directions", 0, "undisputed", 3, "amount"),
        ("directions", 1, "undisputed", 2, "volume"),
    ):
        changed = json.loads(json.dumps(truth))
        *way, last = path
        place = changed
        for step in way:
            place = place[step]  # type: ignore[index]
        place[last] = "7" if isinstance(place[last], str) else place[last] + 1  # type: ignore[index]
        assert problems(changed), path
    del truth["directions"][0]["causes"][0]
    assert problems(truth), "a cause that is not labelled"
