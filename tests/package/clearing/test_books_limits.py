"""Numbers at the edges of 64 bits, of types and of what a record may say: exact, or refused by row."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_sums import book_totals, stakes_by_kind

from billproof.clearing.agreement.agreement import Agreement, load_agreement
from billproof.clearing.books.book import LIMITS, Book, Codes, load_book
from billproof.clearing.books.sides import sides_of
from billproof.clearing.clearing import clear
from billproof.clearing.document.document import document
from billproof.clearing.document.form import tree_of
from billproof.clearing.document.reading import load_clear
from billproof.errors import InputError
from billproof.records import NANO
from billproof.simulate.partners import AGREEMENT

_CALL = {
    "service": 1, "started_at": 1_790_812_800, "usage": 60, "billed_usage": 60, "number": "+447700900123",
    "network": "", "amount": 5 * NANO, "currency": "EUR", "rate": "",
}  # fmt: skip
_TYPES = {kind: (-(1 << bits - 1), (1 << bits - 1) - 1) for kind, bits in
          ((pa.int8(), 8), (pa.int16(), 16), (pa.int32(), 32), (pa.int64(), 64))}  # fmt: skip
_TYPES |= {kind: (0, (1 << bits) - 1) for kind, bits in
           ((pa.uint8(), 8), (pa.uint16(), 16), (pa.uint32(), 32), (pa.uint64(), 64))}  # fmt: skip
_MOST = (1 << 62) - 1
_quick = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _near(*edges: int) -> st.SearchStrategy[int]:
    """Whole numbers at most two from an edge."""
    return st.sampled_from([edge + step for edge in edges for step in (-2, -1, 0, 1, 2)])


def _load(rows: list[dict[str, Any]], path: Path, agreement: Agreement, codes: Codes) -> Book:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return load_book(path, agreement, codes)


@_quick
@given(data=st.data(), name=st.sampled_from(sorted(LIMITS)), kind=st.sampled_from(list(_TYPES)))
def test_a_number_of_any_type_is_what_it_was_or_refused(
    data: st.DataObject, name: str, kind: pa.DataType, tmp_path: Path, agreement: Agreement
) -> None:
    (lowest, highest), (first, last) = _TYPES[kind], LIMITS[name]
    drawn = (_near(lowest, highest, first, last, 0, 255) | st.integers(lowest, highest)).filter(
        lambda value: lowest <= value <= highest
    )
    values = data.draw(st.lists(drawn, min_size=1, max_size=5))
    table = pa.Table.from_pylist([_CALL] * len(values))
    table = table.set_column(table.column_names.index(name), name, pa.array(values, kind))
    pq.write_table(table, tmp_path / "book.parquet")
    wrong = [(at, value) for at, value in enumerate(values) if not first <= value <= last]
    if not wrong:
        book = load_book(tmp_path / "book.parquet", agreement, Codes())
        assert getattr(book, name).tolist() == values
        return
    with pytest.raises(InputError) as caught:
        load_book(tmp_path / "book.parquet", agreement, Codes())
    words = f"row {wrong[0][0]} has {wrong[0][1]}, which is not from {first} to {last}"
    assert words in str(caught.value)
    assert (caught.value.file, caught.value.field) == (str(tmp_path / "book.parquet"), name)


_RATES = ["0.000000001", "0.0000000006", "1", "1.1834", "1/0.8455", "999999999.999999999", "1/0.000000001"]


@_quick
@given(
    rate=st.sampled_from(_RATES)
    | st.fractions(Fraction(1, 10**8), 10**8).map(lambda rate: f"{float(rate):.9f}"),
    amounts=st.lists(_near(-_MOST, _MOST, 0) | st.integers(-_MOST, _MOST) | st.integers(-(10**13), 10**13),
                     min_size=1, max_size=4),
)  # fmt: skip
def test_an_amount_is_converted_exactly_or_refused(rate: str, amounts: list[int], tmp_path: Path) -> None:
    agreement = load_agreement(AGREEMENT.replace('"1.1834"', f'"{rate}"').encode())
    exact = round(agreement.exchange["GBP"] * NANO)
    settled = [(amount * exact + NANO // 2) // NANO for amount in amounts]
    fine = all(abs(value) <= _MOST for value in (*amounts, *settled))
    rows = [{**_CALL, "amount": amount, "currency": "GBP"} for amount in amounts]
    rows.append({**_CALL, "amount": _MOST})
    if fine:
        book = _load(rows, tmp_path / "book.parquet", agreement, Codes())
        assert book.settled.tolist() == [*settled, _MOST]
        return
    with pytest.raises(InputError, match=r"amount: row \d has -?\d+, which is not from"):
        _load(rows, tmp_path / "book.parquet", agreement, Codes())


_EDGES = st.fixed_dictionaries(
    {
        "service": st.sampled_from([1, 4, 6, 36]),
        "started_at": st.sampled_from([0, 1, 1_790_812_800, 1_790_812_801, 253_402_300_798, 253_402_300_799]),
        "usage": st.sampled_from([0, 1, 60, (1 << 33) * 60, (1 << 53) - 2, (1 << 53) - 1]),
        "billed_usage": st.sampled_from([0, 1, 60, (1 << 53) - 1]),
        "number": st.sampled_from(["+447700900123", "", "x"]),
        "network": st.sampled_from(["", "999-71"]),
        "amount": st.sampled_from([-_MOST, 1 - _MOST, -1, 0, 1, _MOST // 2, _MOST - 1, _MOST]),
        "currency": st.just("EUR"),
        "rate": st.just(""),
    }
)
_BOOK = st.lists(_EDGES, min_size=1, max_size=12)


@_quick
@given(ours=_BOOK, theirs=_BOOK)
def test_books_at_the_edges_add_up_as_whole_numbers_do(
    ours: list[dict], theirs: list[dict], tmp_path: Path, agreement: Agreement
) -> None:
    codes = Codes()
    books = tuple(
        _load(rows, tmp_path / f"{name}.parquet", agreement, codes)
        for name, rows in (("a", ours), ("b", theirs))
    )
    both = books[0], books[1]
    found = clear(*both, agreement, codes)
    file = document(found, sides_of(both, agreement, operator=1, period=202610))
    assert load_clear(json.dumps(tree_of(file)).encode()) == file  # which adds up all there is
    for side, rows in zip(file.sides, (ours, theirs), strict=True):
        assert int(side.total) == sum(row["amount"] for row in rows)
    assert book_totals(found) == tuple(sum(row["amount"] for row in rows) for rows in (ours, theirs))
    assert {kind: str(money) for kind, money in stakes_by_kind(found).items()} == file.at_stake
    undisputed = 0
    for a, b, money in zip(
        *(at.tolist() for at in (found.pairs.ours, found.pairs.theirs, found.differences.money)), strict=True
    ):
        one, other = ours[a]["amount"], theirs[b]["amount"]
        assert money == one - other
        undisputed += min(one, other, key=abs) if one * other > 0 else 0
    assert sum(int(each.amount) for each in file.traffic) == undisputed


def test_nothing_is_no_other_records_text(tmp_path: Path, agreement: Agreement) -> None:
    """What is null in a file is empty, whatever the records before it have; no amount is without currency."""
    table = pa.Table.from_pylist([{**_CALL, "network": "999-71", "rate": "peak"}, _CALL, _CALL])

    def load(name: str, texts: list[str | None], coded: bool) -> Book:
        column = pa.array(texts, pa.string())
        changed = table.set_column(
            table.column_names.index(name), name, column.dictionary_encode() if coded else column
        )
        pq.write_table(changed, tmp_path / "book.parquet")
        return load_book(tmp_path / "book.parquet", agreement, codes)

    for coded in (False, True):
        codes = Codes()
        book = load("network", ["999-71", None, None], coded)
        assert [codes.networks.texts[code] for code in book.network] == ["999-71", "", ""]
        book = load("rate", ["peak", "dear", None], coded)
        assert [codes.rates.texts[code] for code in book.rate] == ["peak", "dear", ""]
        for empty in (None, ""):
            with pytest.raises(InputError, match="currency: row 1 has none"):
                load("currency", ["EUR", empty, "GBP"], coded)


@pytest.mark.parametrize("name", ["number", "network", "currency", "rate"])
def test_what_is_no_text_is_refused(name: str, tmp_path: Path, agreement: Agreement) -> None:
    table = pa.Table.from_pylist([_CALL])
    for column in (pa.array([b"EUR"]), pa.array([978]), pa.array([["EUR"]])):
        pq.write_table(
            table.set_column(table.column_names.index(name), name, column), tmp_path / "book.parquet"
        )
        with pytest.raises(InputError, match=f"{name}: is not text throughout"):
            load_book(tmp_path / "book.parquet", agreement, Codes())


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path, agreement: Agreement) -> None:
    table = pa.Table.from_pylist([_CALL])
    pq.write_table(table.append_column("amount", table["amount"]), tmp_path / "book.parquet")
    with pytest.raises(InputError, match="has the column 'amount' twice"):
        load_book(tmp_path / "book.parquet", agreement, Codes())


def test_the_file_of_a_folder_is_named(tmp_path: Path, agreement: Agreement) -> None:
    for name, usage in (("one", 60), ("two", -5)):
        pq.write_table(pa.Table.from_pylist([{**_CALL, "usage": usage}]), tmp_path / f"{name}.parquet")
    with pytest.raises(InputError, match=r"two:usage: row 0 has -5, which is not from 0 to") as caught:
        load_book(tmp_path, agreement, Codes())
    assert "Usage is not negative." in str(caught.value)
