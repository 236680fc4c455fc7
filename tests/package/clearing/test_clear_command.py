"""``billproof clear``: what it prints, writes and returns."""

from __future__ import annotations

import csv
import json
import stat
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from billproof.clearing.document.reading import load_clear
from billproof.cli.clear import clear
from billproof.errors import InputError
from billproof.simulate.partners import SINGLE, partner_books


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Two books with errors, and their agreement."""
    home = tmp_path_factory.mktemp("partners")
    return partner_books(8_000, 5, (*SINGLE, "rate", "time-zone")).write(home)


def _run(books: tuple[Path, Path, Path], *more: str) -> Any:
    ours, theirs, agreement = map(str, books)
    known = [ours, theirs, "--agreement", agreement, "--as", "1"]
    return CliRunner().invoke(clear, [*known, *more], standalone_mode=False, catch_exceptions=False)


def test_money_comes_first_and_causes_are_told_in_words(books: tuple[Path, Path, Path]) -> None:
    done = _run(books)
    assert done.return_value == 1
    assert done.output.splitlines()[0].endswith("EUR between the books")
    assert "our book, Meridian's" in done.output
    assert "Skylark's clock is 60 minutes ahead" in done.output
    assert "Skylark's price is 1.25 times Meridian's" in done.output
    assert "are missing in Skylark's book" in done.output


def test_json_adds_up_and_csv_has_every_difference(books: tuple[Path, Path, Path], tmp_path: Path) -> None:
    listed = tmp_path / "differences.csv"
    document = json.loads(_run(books, "--json", "--csv", str(listed)).stdout)
    assert document["schema"] == "billproof/clear/1"
    assert sum(map(int, document["atStake"].values())) == int(document["difference"])
    money = sum(int(one["money"]) for one in document["causes"] + document["findings"])
    assert money + int(document["atStake"]["agreed"]) == int(document["difference"])
    rows = list(csv.DictReader(listed.read_text().splitlines()))
    unpaired = document["ours"]["unpaired"] + document["theirs"]["unpaired"]
    assert len(rows) == document["pairs"] - document["agreed"] + unpaired
    assert {row["direction"] for row in rows} == {"Skylark pays Meridian"}
    sums = Counter[str]()
    for row in rows:
        sums[row["cause"]] += int(Fraction(row["difference"]) * 10**9)
    told = {str(one["number"]): one for one in document["causes"] + document["findings"]}
    assert sums == {number: int(one["money"]) for number, one in told.items() if number in sums}
    assert not any(int(one["money"]) for number, one in told.items() if number not in sums)
    assert all(row["words"] == told[row["cause"]]["words"] for row in rows)
    assert stat.S_IMODE(listed.stat().st_mode) == 0o600
    with pytest.raises(InputError, match="there already"):
        _run(books, "--csv", str(listed))


def test_a_book_agrees_with_itself(books: tuple[Path, Path, Path]) -> None:
    ours, _, agreement = books
    assert _run((ours, ours, agreement)).return_value == 0


def test_a_neighbouring_book_shows_what_shifted_into_its_cycle(
    books: tuple[Path, Path, Path],
) -> None:
    ours, _, _ = books
    with_neighbour = _run(books, "--json", "--their-neighbours", str(ours))
    counts = json.loads(with_neighbour.stdout)["counts"]
    before = json.loads(_run(books, "--json").stdout)["counts"]
    assert counts["cycle-shift"] > before["cycle-shift"]
    assert counts["missing"] + counts["cycle-shift"] == before["missing"] + before["cycle-shift"]


def test_the_report_escapes_what_comes_from_elsewhere(books: tuple[Path, Path, Path], tmp_path: Path) -> None:
    ours, theirs, agreement = books
    named = tmp_path / "agreement.toml"
    named.write_text(agreement.read_text().replace("Meridian and Skylark", "<script>alert(1)</script>"))
    report = tmp_path / "report.html"
    done = _run((ours, theirs, named), "--report", str(report))
    page = report.read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "EUR between the books" in done.output.splitlines()[0]
    assert "EUR between the books</h1>" in page
    assert "Skylark's price is 1.25 times Meridian's" in page.replace("&#x27;", "'")


def test_the_document_is_written_as_it_is_printed(books: tuple[Path, Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "clear.json"
    done = _run(books, "--json", "--out", str(out), "--month", "2026-10", "--payer", "ours")
    assert out.read_text() == done.stdout
    assert out.stat().st_mode & 0o777 == 0o600
    file = load_clear(out)
    assert (file.period, file.payer, file.ours.name) == ("202610", 1, "Meridian")
    with pytest.raises(InputError, match="there already"):
        _run(books, "--out", str(out))


def test_our_book_may_be_the_second_party_s(books: tuple[Path, Path, Path]) -> None:
    ours, theirs, agreement = map(str, books)
    done = CliRunner().invoke(
        clear, [theirs, ours, "--agreement", agreement, "--as", "2", "--json"], standalone_mode=False
    )
    document = json.loads(done.stdout)
    assert (document["ours"]["name"], document["payer"]) == ("Skylark", 1)
    assert "period" not in document


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--as", "3"], "operator 3 is no party"),
        (["--month", "2027-01"], "no month 2027-01"),
    ],
)
def test_what_does_not_belong_to_the_agreement_is_refused(
    given: list[str], message: str, books: tuple[Path, Path, Path]
) -> None:
    with pytest.raises(InputError, match=message):
        _run(books, *given)


def test_whose_book_it_is_has_to_be_said(books: tuple[Path, Path, Path]) -> None:
    ours, theirs, agreement = map(str, books)
    with pytest.raises(InputError, match="whose books") as refused:
        CliRunner().invoke(
            clear, [ours, theirs, "--agreement", agreement], standalone_mode=False, catch_exceptions=False
        )
    assert "1 (Meridian) and 2 (Skylark)" in refused.value.advice


@pytest.mark.parametrize("month", ["2026-13", "202610", "2026-1", "October"])
def test_a_month_is_a_month(month: str, books: tuple[Path, Path, Path]) -> None:
    with pytest.raises((click.BadParameter, InputError)):
        _run(books, "--month", month)
