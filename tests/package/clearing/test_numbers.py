"""How books write numbers, against plain Python, and what whoever clears is told of it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from billproof.clearing.books.book import Codes
from billproof.clearing.books.numbers import Written, advice, written
from billproof.cli.clear import clear
from billproof.simulate.partners import partner_books

NAMES = "Meridian", "Skylark"
TEXTS = {
    "national": ["03012345678", "(030) 123-45", "030 123 45 67", "1512345678", "999999999999999", "1000000"],
    "international": ["+353861234567", "00353861234567", "+1234567"],
    "neither": ["", "112", "116117", "999999", "Bank", "030x1234567", "0301234567890123", "+49 30 1234567"],
}


@given(st.lists(st.sampled_from([(kind, text) for kind, texts in TEXTS.items() for text in texts])))
def test_numbers_are_counted_by_how_they_are_written(numbers: list[tuple[str, str]]) -> None:
    codes = Codes()
    found = written(codes.coded(pa.array([text for _, text in numbers], pa.string())), codes.numbers)
    kinds = [kind for kind, _ in numbers]
    assert found == Written(kinds.count("national"), kinds.count("international"))


@pytest.mark.parametrize(
    ("one", "other", "whose"),
    [
        (Written(70, 5), Written(0, 75), "70 numbers of Meridian's"),
        (Written(0, 75), Written(1_070, 5), "1,070 numbers of Skylark's"),
        (Written(1, 99), Written(0, 100), None),
        (Written(70, 5), Written(70, 5), None),
        (Written(70, 5), Written(0, 0), None),
        (Written(), Written(), None),
    ],
)
def test_advice_is_given_where_only_one_book_lacks_the_country(
    one: Written, other: Written, whose: str | None
) -> None:
    found = advice((one, other), NAMES)
    assert (found is None) if whose is None else (found is not None and found.startswith(f"{whose} book"))


@pytest.mark.parametrize("whose", [0, 1])
def test_clear_names_the_mapping_that_lacks_its_region(tmp_path: Path, whose: int) -> None:
    partners = partner_books(2_000, 4)
    for region, table in enumerate(partners.tables[whose]):
        numbers = ["0" + text[3:] if text else text for text in table["number"].to_pylist()]
        at = table.column_names.index("number")
        partners.tables[whose][region] = table.set_column(at, "number", pa.array(numbers, pa.string()))
    ours, theirs, agreement = map(str, partners.write(tmp_path))
    known = [ours, theirs, "--agreement", agreement, "--as", "1"]
    for turned in ([], ["--payer", "ours"], ["--json"]):
        done = CliRunner().invoke(clear, [*known, *turned], standalone_mode=False, catch_exceptions=False)
        assert f"numbers of {NAMES[whose]}'s book are in national form" in done.stderr
        assert "in national form" not in done.stdout


def test_clear_says_nothing_of_books_that_have_them(tmp_path: Path) -> None:
    ours, theirs, agreement = map(str, partner_books(2_000, 4).write(tmp_path))
    known = [ours, theirs, "--agreement", agreement, "--as", "1"]
    done = CliRunner().invoke(clear, known, standalone_mode=False, catch_exceptions=False)
    assert "national form" not in done.output
