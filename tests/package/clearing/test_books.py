"""Books from stores, proof files and Parquet are the same book; what cannot be one is refused in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from plain_sums import agreed_pairs

from billproof.bundle import documents as doc
from billproof.clearing.agreement.agreement import Agreement
from billproof.clearing.books.book import Book, Codes, load_book, times
from billproof.clearing.clearing import clear
from billproof.errors import InputError

_ROWS = [
    {"account": "skylark", "number": "+447700900123", "usage": 60},
    {"account": "skylark", "number": "171", "usage": 61, "started_at": 1_790_933_800},
    {"account": "other", "number": "+33639980001"},
]


def _facts(book: Book) -> list[tuple[int, ...]]:
    columns = (book.service, book.started_at, book.usage, book.billed_usage, book.amount, book.number)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def test_a_store_a_bundle_and_parquet_give_the_same_book(
    tmp_path: Path, build: Callable, make_records: Callable, agreement: Agreement
) -> None:
    built = build(tmp_path, _ROWS)
    codes = Codes()
    stored = load_book(tmp_path / "store", agreement, codes, account="skylark")
    batch = load_book(built.stored.path, agreement, codes, account="skylark")
    bundle = tmp_path / "bundle.json"
    bundle.write_bytes(doc.encode(built.bundles()["skylark"]))
    table = tmp_path / "book.parquet"
    pq.write_table(make_records(_ROWS), table)
    books = [stored, batch, load_book(bundle, agreement, codes)]
    books.append(load_book(table, agreement, codes, account="skylark"))
    assert [_facts(book) for book in books] == [_facts(stored)] * 4
    assert len(stored) == 2
    for book in books:
        assert agreed_pairs(clear(stored, book, agreement, codes)) == 2


def test_regions_consolidate_into_one_book(tmp_path: Path, build: Callable, agreement: Agreement) -> None:
    first = build(tmp_path, _ROWS)
    build(tmp_path, _ROWS, replace(first.id, region=1))
    codes = Codes()
    book = load_book(tmp_path / "store", agreement, codes, account="skylark")
    assert len(book) == 4
    assert codes.batches.texts == ["0-1", "1-1"]


def test_an_account_has_to_be_named_where_there_are_several(
    tmp_path: Path, build: Callable, agreement: Agreement
) -> None:
    build(tmp_path, _ROWS)
    with pytest.raises(InputError, match="holds 2 accounts: '"):
        load_book(tmp_path / "store", agreement, Codes())
    with pytest.raises(InputError, match="no records"):
        load_book(tmp_path / "store", agreement, Codes(), account="nobody")


def test_what_is_no_book_is_refused(tmp_path: Path, make_records: Callable, agreement: Agreement) -> None:
    table = make_records(_ROWS)
    path = tmp_path / "book.parquet"
    pq.write_table(table.drop_columns(["usage"]), path)
    with pytest.raises(InputError, match="no column 'usage'"):
        load_book(path, agreement, Codes())
    pq.write_table(make_records([{"currency": "JPY"}]), path)
    with pytest.raises(InputError, match="no exchange rate for JPY"):
        load_book(path, agreement, Codes())
    path.write_bytes(b"PAR1 but not really")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        load_book(path, agreement, Codes())
    with pytest.raises(InputError, match="neither batches nor Parquet"):
        load_book(_empty(tmp_path), agreement, Codes())


def _empty(home: Path) -> Path:
    (home / "empty").mkdir()
    return home / "empty"


def test_numbers_are_the_same_however_they_are_written() -> None:
    codes = Codes()
    texts = [
        "+447700900123",
        "00447700900123",
        "447700900123",
        "",
        "171",
        "0171",
        "+4477xxx",
        "+4477xxx",
        "ü",
    ]
    found = codes.coded(pa.array(texts)).tolist()
    assert found[0] == found[1] != found[2]
    assert found[3] == 0
    assert found[6] == found[7]
    assert len(set(found)) == 7
    assert [codes.number(code) for code in found] == [texts[0], *texts[:1], *texts[2:]]


def test_amounts_are_converted_exactly_and_rounded_half_up() -> None:
    amounts = np.array([0, 1, -1, 3, 10**9, -(10**15) - 1, 10**17], np.int64)
    for rate in (1_183_400_000, 500_000_000, 6_123_456, 160_000_000_001):
        exact = [(amount * rate * 2 + 10**9) // (2 * 10**9) for amount in amounts.tolist()]
        small = [at for at, value in enumerate(exact) if abs(value) < 1 << 63]
        assert times(amounts, rate)[small].tolist() == [exact[at] for at in small]
