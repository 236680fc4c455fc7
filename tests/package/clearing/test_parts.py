"""In however many parts two books are laid over each other, the document is the same to the byte."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from any_books import BOOKS, book_of
from hypothesis import HealthCheck, given, settings
from plain_sums import counts_by_kind

from billproof.clearing.agreement.agreement import Agreement
from billproof.clearing.books.book import Book, Codes
from billproof.clearing.books.sides import sides_of
from billproof.clearing.clearing import Clearing, clear, clear_in_parts
from billproof.clearing.document.document import document_of, told_causes
from billproof.clearing.document.form import tree_of
from billproof.clearing.document.totals import Totals, totals_of
from billproof.clearing.pairs.parts import divided
from billproof.files import json_bytes
from billproof.simulate.partners import partner_books


def _document(parts: list[Clearing], books: tuple[Book, Book], agreement: Agreement) -> bytes:
    sides = sides_of(books, agreement, operator=1)
    totals = sum(map(totals_of, parts), Totals())
    causes = told_causes(parts[0].explained.causes, parts[0].codes, agreement, sides)
    return json_bytes(tree_of(document_of(totals, causes, agreement, sides)))


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(books=BOOKS)
def test_any_books_in_any_number_of_parts(
    books: tuple[list[dict], list[dict]], tmp_path: Path, agreement: Agreement
) -> None:
    codes = Codes()
    both = tuple(
        book_of(rows, tmp_path, name, agreement, codes) for rows, name in zip(books, "ab", strict=True)
    )
    whole = _document([clear(*both, agreement, codes)], both, agreement)
    for parts in (1, 2, 7):
        assert _document(clear_in_parts(*both, agreement, codes, parts), both, agreement) == whole


@pytest.mark.parametrize("seed", [1, 2])
def test_simulated_books_with_all_errors(seed: int, cleared: Callable, agreement: Agreement) -> None:
    partners = partner_books(60_000, seed)
    for region, table in enumerate(partners.tables[1]):  # a number that was ported lies in another part
        at = table.column_names.index("number")
        numbers = table["number"].to_pylist()
        for row in random.Random(seed).sample(range(table.num_rows), 40):
            numbers[row] = numbers[row] and numbers[row][:-3] + "999"
        partners.tables[1][region] = table.set_column(at, "number", pa.array(numbers))
    found = cleared(partners).clearing
    whole = _document([found], found.books, agreement)
    assert counts_by_kind(found)["number"] > 20
    for parts in (3, 7):
        divided_up = clear_in_parts(*found.books, agreement, found.codes, parts)
        assert _document(divided_up, found.books, agreement) == whole
        assert sum(counts_by_kind(each)["number"] for each in divided_up) == counts_by_kind(found)["number"]


def test_parts_keep_every_record_and_the_order_of_a_key(cleared: Callable) -> None:
    found = cleared(partner_books(5_000, 3)).clearing
    parts = divided(found.books[0], found.codes, 5)
    assert sum(map(len, parts)) == len(found.books[0])
    assert min(map(len, parts)) > 0
    for name in ("key", "amount"):
        columns = [getattr(part, name) for part in parts]
        assert sorted(np.concatenate(columns)) == sorted(getattr(found.books[0], name))
    for part in parts:
        places = part.batch.astype(np.int64) * 10**6 + part.row
        assert (np.diff(places) > 0).all()


def test_neighbouring_books_are_divided_alike(
    tmp_path: Path, cleared: Callable, agreement: Agreement
) -> None:
    found = cleared(partner_books(20_000, 4)).clearing
    ours, theirs = found.books
    absent = ours.rows(found.pairs.ours_left)
    whole = clear(ours, theirs, agreement, found.codes, their_neighbours=[absent])
    assert counts_by_kind(whole)["missing"] < counts_by_kind(found)["missing"]
    parts = clear_in_parts(ours, theirs, agreement, found.codes, 4, their_neighbours=[absent])
    assert _document(parts, found.books, agreement) == _document([whole], found.books, agreement)
