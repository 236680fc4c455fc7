"""The table of all differences, against the books' own records in plain Python."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billproof.clearing.agreement.agreement import Agreement
from billproof.clearing.books.book import Book, Codes, load_book
from billproof.clearing.books.sides import sides_of, turned
from billproof.clearing.clearing import Clearing, clear
from billproof.clearing.document.document import document
from billproof.clearing.document.form import File
from billproof.clearing.document.listing import Told, decimals, listing, write_listing
from billproof.records import Service, money
from billproof.simulate.partners import SINGLE, PartnerBooks, partner_books

UNITS = {"voice": "seconds", "message": "messages", "data": "bytes"}


def _cleared(
    partners: PartnerBooks, agreement: Agreement, home: Path, ours: int = 0
) -> tuple[Clearing, File, tuple[list[list[str]], ...]]:
    """The payee's books are Meridian's; also both books' numbers as they are in the files, by region."""
    codes = Codes()
    books = [load_book(path, agreement, codes) for path in partners.write(home)[:2]]
    both = books[0], books[1]
    sides = sides_of(turned(both, ours), agreement, operator=1 + ours, payer=1 - ours)
    found = clear(*both, agreement, codes)
    numbers = tuple([table["number"].to_pylist() for table in tables] for tables in partners.tables)
    return found, document(found, sides), numbers


def _with_numbers(partners: PartnerBooks, whose: int, texts: dict[int, str]) -> PartnerBooks:
    """Some records of a book's first file with other numbers."""
    table = partners.tables[whose][0]
    numbers = table["number"].to_pylist()
    for row, text in texts.items():
        numbers[row] = text
    at = table.column_names.index("number")
    partners.tables[whose][0] = table.set_column(at, "number", pa.array(numbers, pa.string()))
    return partners


def _rows(found: Clearing, told: File, home: Path) -> list[dict[str, str]]:
    file = home / "differences.csv"
    write_listing(found, Told.of(told), str(file))
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("ours", [0, 1])
def test_rows_are_the_records_of_both_books(ours: int, agreement: Agreement, tmp_path: Path) -> None:
    partners = partner_books(3_000, 9, (*SINGLE, "rate", "time-zone"))
    found, told, numbers = _cleared(partners, agreement, tmp_path, ours)
    rows = _rows(found, told, tmp_path)
    batches = found.codes.batches.texts
    records = [
        {(batches[book.batch[at]], str(book.row[at])): at for at in range(len(book))} for book in found.books
    ]
    names = turned(("our", "their"), ours)
    seen = [0, 0]
    for row in rows:
        amounts, service, route = [Decimal(0)] * 2, "", ""
        for side in (1, 0):  # the payee's record decides
            name, book = names[side], found.books[side]
            if not row[f"{name}_row"]:
                assert not any(cell for column, cell in row.items() if column.startswith(f"{name}_"))
                continue
            at = records[side][row[f"{name}_batch"], row[f"{name}_row"]]
            seen[side] += 1
            amounts[side] = _checked(row, name, book, at, found.codes)
            region = int(row[f"{name}_batch"].removeprefix("region-"))
            assert row[f"{name}_number"] == numbers[side][region][int(row[f"{name}_row"])]
            service = Service(book.service[at]).name.lower().replace("_", "-")
            route = agreement.route_names[book.route[at]]
        assert (row["service"], row["route"]) == (service, route)
        assert row["unit"] == UNITS[service.split("-", maxsplit=1)[0]]
        apart = amounts[0] - amounts[1]
        assert Decimal(row["difference"]) == (-apart if ours else apart)
        assert (row["direction"], row["currency"]) == ("Skylark pays Meridian", "EUR")
        assert row["words"] == (told.causes + told.findings)[int(row["cause"]) - 1].words
    assert len(rows) == told.pairs - told.agreed + told.ours.unpaired + told.theirs.unpaired
    assert all(seen)


def _checked(row: dict[str, str], name: str, book: Book, at: int, codes: Codes) -> Decimal:
    """What the record comes to in the settlement currency, once its cells are what the book says."""
    assert row[f"{name}_amount"] == money(int(book.amount[at])).replace(",", "")
    assert row[f"{name}_currency"] == codes.currencies.texts[book.currency[at]]
    assert row[f"{name}_network"] == codes.networks.texts[book.network[at]]
    assert [int(row[f"{name}_{of}"]) for of in ("usage", "billed_usage")] == [
        *(book.usage[at], book.billed_usage[at])
    ]
    began = datetime.fromisoformat(row[f"{name}_start_utc"]).replace(tzinfo=UTC)
    assert began.timestamp() == book.started_at[at]
    return Decimal(int(book.settled[at])).scaleb(-9)


def test_no_cell_is_a_formula(agreement: Agreement, tmp_path: Path) -> None:
    texts = {0: "=1+1", 1: "@sum", 2: "-cmd", 3: "\t=1", 4: "a\n=b", 5: "Bank", 6: "112"}
    partners = _with_numbers(partner_books(300, 9, ()), 0, texts)
    found, told, _ = _cleared(partners, agreement, tmp_path)
    shown = {int(row["our_row"]): row["our_number"] for row in _rows(found, told, tmp_path) if row["our_row"]}
    cells = ["'=1+1", "'@sum", "'-cmd", "' =1", "a =b", "Bank", "112"]
    assert [shown[row] for row in range(len(texts))] == cells


@given(st.lists(st.tuples(st.integers(1 - (1 << 63), (1 << 63) - 1), st.booleans())))
def test_amounts_are_exact_decimals(amounts: list[tuple[int, bool]]) -> None:
    values, none = (
        np.array([each[at] for each in amounts], kind) for at, kind in enumerate((np.int64, bool))
    )
    assert decimals(values, none).to_pylist() == [
        None if left_out else money(amount).replace(",", "") for amount, left_out in amounts
    ]


def test_tables_of_any_size_are_the_whole_one(agreement: Agreement, tmp_path: Path) -> None:
    found, told, _ = _cleared(partner_books(1_000, 9, SINGLE), agreement, tmp_path)
    whole = pa.concat_tables(listing(found, Told.of(told)))
    parts = list(listing(found, Told.of(told), 7))
    assert len(parts) == -(-whole.num_rows // 7)
    assert pa.concat_tables(parts).combine_chunks() == whole.combine_chunks()


def test_books_that_agree_have_a_header_alone(agreement: Agreement, tmp_path: Path) -> None:
    found, told, _ = _cleared(partner_books(500, 9, ()), agreement, tmp_path)
    assert told.agreed == told.pairs == told.ours.records
    assert _rows(found, told, tmp_path) == []
    assert (tmp_path / "differences.csv").read_text().startswith('"cause","words",')
    assert len((tmp_path / "differences.csv").read_text().splitlines()) == 1


def test_a_part_may_have_records_of_one_side_alone(agreement: Agreement, tmp_path: Path) -> None:
    for side in (0, 1):
        partners = partner_books(500, 9, ())
        found, _, _ = _cleared(partners, agreement, tmp_path / str(side))
        books = list(found.books)
        books[side] = books[side].rows(np.zeros(0, np.int64))
        alone = clear(books[0], books[1], agreement, found.codes)
        sides = sides_of((books[0], books[1]), agreement, operator=1)
        rows = _rows(alone, document(alone, sides), tmp_path)
        assert len(rows) == len(found.books[1 - side])
        assert not any(row[("our_row", "their_row")[side]] for row in rows)
