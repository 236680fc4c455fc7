"""``billproof clear``: what it prints, writes and returns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.csv
import pytest
from click.testing import CliRunner

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
    return CliRunner().invoke(
        clear, [ours, theirs, "--agreement", agreement, *more], standalone_mode=False, catch_exceptions=False
    )


def test_money_comes_first_and_causes_are_told_in_words(books: tuple[Path, Path, Path]) -> None:
    done = _run(books)
    assert done.return_value == 1
    assert done.output.splitlines()[0].endswith("EUR between the books")
    assert "their clock is 60 minutes ahead" in done.output
    assert "their price is 1.25 times ours" in done.output
    assert "are missing in their book" in done.output


def test_json_adds_up_and_csv_has_every_difference(books: tuple[Path, Path, Path], tmp_path: Path) -> None:
    listed = tmp_path / "differences.csv"
    document = json.loads(_run(books, "--json", "--csv", str(listed)).stdout)
    assert document["schema"] == "billproof/clear/1"
    assert sum(map(int, document["atStake"].values())) == int(document["difference"])
    money = sum(int(one["money"]) for one in document["causes"] + document["findings"])
    assert money + int(document["atStake"]["agreed"]) == int(document["difference"])
    rows = pyarrow.csv.read_csv(listed)
    unpaired = document["ours"]["unpaired"] + document["theirs"]["unpaired"]
    assert rows.num_rows == document["pairs"] - document["agreed"] + unpaired
    assert sum(rows["money"].to_pylist()) == int(document["difference"]) - int(document["atStake"]["agreed"])
    causes = {one["number"]: one["count"] for one in document["causes"]}
    assert set(rows["cause"].to_pylist()) == {0, *causes}
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
