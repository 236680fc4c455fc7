"""``billproof resolve``: from what stayed open to parts that both sign, one after another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from commands import Run, run
from report_reader import Report

from billproof.clearing.settlement.form import document_hash
from billproof.clearing.settlement.reading import load_document
from billproof.clearing.settlement.resolving import named
from billproof.clearing.settlement.settlement import Dispute, Settlement
from billproof.cli.clear import clear
from billproof.cli.settle import settle
from billproof.simulate.partners import SINGLE, partner_books

__all__ = ["run"]

_DAYS = ("--issued", "2026-12-01", "--due", "2026-12-31")


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was cleared of either direction, and the settlement of both."""
    home = tmp_path_factory.mktemp("settled")
    for payer, seed in ((2, 5), (1, 6)):
        one, other, agreement = partner_books(4_000, seed, (*SINGLE, "rate")).write(home / str(payer))
        known = ["--agreement", str(agreement), "--as", "1", "--month", "2026-10"]
        known += ["--payer", "theirs" if payer == 2 else "ours", "--out", str(home / f"clear-{payer}.json")]
        CliRunner().invoke(clear, [str(one), str(other), *known], standalone_mode=False)
    documents = [str(home / f"clear-{payer}.json") for payer in (1, 2)]
    days = ["--issued", "2026-11-30", "--due", "2026-12-15", "--out", str(home / "settlement.json")]
    given = [*documents, "--agreement", str(agreement), *days]
    CliRunner().invoke(settle, given, standalone_mode=False, catch_exceptions=False)
    return home


@pytest.fixture
def home(settled: Path, tmp_path: Path) -> Path:
    for file in settled.glob("*.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


@pytest.fixture
def first(home: Path) -> Settlement:
    return load_document(home / "settlement.json")[0]


def _part(run: Run, home: Path, *words: object, out: str = "part-2.json", code: int = 0) -> str:
    done = run("resolve", home / "settlement.json", *words, *_DAYS, "--out", home / out)
    assert done.code == code, done.err
    return done.err if code else done.out


def _name(claim: Dispute) -> str:
    return named(claim)


def test_parts_go_on_until_nothing_is_open(run: Run, home: Path, first: Settlement) -> None:
    claims = first.disputes
    half = abs(claims[0].amount) // 2
    said = f"{half // 10**9}.{half % 10**9:09}"
    told = _part(run, home, "--accept", f"{_name(claims[0])}={said}", "--reject", _name(claims[1]))
    second, its_hash = load_document(home / "part-2.json")
    assert told.startswith(f"{second.net.payer.name} pays {second.net.payee.name} ")
    assert "of accepted claims" in told
    assert document_hash((home / "settlement.json").read_bytes()).hex() in told
    assert [abs(each.accepted) for each in second.resolved] == [half, 0]
    assert second.disputed == first.disputed - abs(claims[0].amount) - abs(claims[1].amount)
    rest = [word for each in second.disputes for word in ("--withdraw", _name(each))]
    done = run("resolve", home / "part-2.json", *rest, *_DAYS, "--out", home / "part-3.json", "--json")
    assert done.json == json.loads((home / "part-3.json").read_bytes())
    third, _ = load_document(home / "part-3.json")
    assert (third.continues, third.disputes, third.net.amount) == (its_hash, (), 0)
    checked = run("agreement", "settlement", home / "part-3.json")
    assert (checked.code, its_hash.hex() in checked.out) == (0, True)
    none = run("resolve", home / "part-3.json", "--accept", "1", *_DAYS)
    assert (none.code, "Open are: none" in none.err) == (2, True)


def test_either_side_makes_the_same(run: Run, home: Path, first: Settlement) -> None:
    one, other, *_ = map(_name, first.disputes)
    choices = ("--accept", one, "--reject", other)
    _part(run, home, *choices)
    _part(run, home, *choices[2:], *choices[:2], out="again.json")
    assert (home / "part-2.json").read_bytes() == (home / "again.json").read_bytes()
    check = ("resolve", home / "settlement.json", "--check", home / "part-2.json")
    for given in ((), choices):
        same = run(*check, *given, "--json")
        assert (same.code, same.json["same"], same.json["differences"]) == (0, True, [])
        assert run(*check, *given).code == 0
    another = run(*check, "--accept", one, "--accept", other, "--json")
    assert (another.code, another.json["same"]) == (1, False)
    assert any(f"claim {other}" in each["what"] for each in another.json["differences"])
    assert "Do not sign it" in run(*check, "--reject", one).err
    refused = run(*check, "--due", "2026-12-31")
    assert (refused.code, "--check only compares" in refused.err) == (2, True)


def test_a_part_of_another_settlement_is_told(run: Run, home: Path, first: Settlement) -> None:
    _part(run, home, "--reject", _name(first.disputes[0]))
    _part(run, home, "--reject", _name(first.disputes[1]), out="other.json")
    other = run("resolve", home / "other.json", "--check", home / "part-2.json")
    assert (other.code, "continues the document" in other.err) == (1, True)
    none = run("resolve", home / "settlement.json", "--check", home / "settlement.json")
    assert (none.code, "continues none" in none.err) == (1, True)


def test_what_people_read_is_written(run: Run, home: Path, first: Settlement) -> None:
    claim = first.disputes[0]
    files = [home / name for name in ("part.xlsx", "part.pdf", "part.html")]
    options = [word for pair in zip(("--xlsx", "--pdf", "--report"), files, strict=True) for word in pair]
    documents = [word for payer in (1, 2) for word in ("--document", home / f"clear-{payer}.json")]
    _part(run, home, "--accept", _name(claim), *options, *documents)
    found, signed = load_document(home / "part-2.json")
    page = files[2].read_text()
    assert signed.hex() in page
    assert "Claims have no volumes" in page
    report = Report(page)
    payer, payee = (found.party(each).name for each in (claim.payer, 3 - claim.payer))
    rows, (total,) = report.money(f"{payer} owes {payee}")
    assert (rows, total) == ([[claim.amount]], claim.amount)
    _, (left,) = report.money("Open, by cause")
    assert left == found.disputed
    assert all(each.stat().st_mode & 0o777 == 0o600 for each in files)
    again = run("resolve", home / "settlement.json", "--accept", _name(claim), *_DAYS, *options, *documents)
    assert (again.code, "there already" in again.err) == (2, True)


def test_a_report_is_of_its_own_documents(run: Run, home: Path, first: Settlement) -> None:
    words = ("--accept", _name(first.disputes[0]), "--report", home / "part.html")
    assert "given together" in _part(run, home, *words, code=2)
    tree = json.loads((home / "clear-1.json").read_bytes())
    (home / "other.json").write_text(
        json.dumps({**tree, "agreement": {"name": "Another", "hash": "0x" + "11" * 32}})
    )
    assert "not of the settlement's month" in _part(
        run, home, *words, "--document", home / "other.json", code=2
    )
    assert not any((home / name).exists() for name in ("part.html", "part-2.json"))


def test_what_is_missing_is_said(run: Run, home: Path, first: Settlement) -> None:
    assert "no claim is named" in _part(run, home, code=2)
    due = run("resolve", home / "settlement.json", "--accept", _name(first.disputes[0]))
    assert (due.code, "--due is missing" in due.err) == (2, True)
    text = _part(run, home, "--reject", "one", code=2)
    assert "--reject: 'one' names no claim" in text
    late = run("resolve", home / "settlement.json", "--reject", _name(first.disputes[0]),
               "--issued", "2027-01-01", "--due", "2027-02-01")  # fmt: skip
    assert (late.code, "--deadline" in late.err) == (2, True)


def test_proofs_are_of_the_undisputed_part(run: Run, home: Path, first: Settlement) -> None:
    _part(run, home, "--reject", _name(first.disputes[0]))
    refused = run("disputes", "check", home / "none.jsonl", "--settlement", home / "part-2.json")
    assert (refused.code, "part-2.json:kind: is a later part" in refused.err) == (2, True)
