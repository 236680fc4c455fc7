"""Every difference of a clearing as a row of a table that people read: ``billproof clear --csv``.

Columns are those of ``docs/clearing.md``, section 1. Amounts are exact decimals of their currency, made of
whole billionths; texts from the books are ones that no spreadsheet takes for a formula.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from billproof.clearing.books.book import TEXT_BIT, Book, Codes
from billproof.clearing.books.sides import turned
from billproof.clearing.clearing import Clearing
from billproof.clearing.document import wording
from billproof.clearing.document.form import SIDES, File
from billproof.clearing.kernel import Ints
from billproof.clearing.pairs.differences import Bools, Kind
from billproof.printable import plain_cell, printable
from billproof.records import NANO, Service
from billproof.tariff.values import KINDS

#: Rows of a table: some 150 MB.
ROWS = 1 << 18

_COLUMNS = [each.name for each in fields(Book) if each.name not in ("name", "sources")]
_SERVICES = pa.array([wording.service(code) for code in range(256)])
_UNITS = pa.array(
    [KINDS.get(Service(code)) if code in set(Service) else None for code in range(256)], pa.string()
)
_DIGITS, _LEAST = 9, 2  # decimals of an amount in billionths; how many of them are always told


@dataclass(frozen=True)
class Told:
    """What a clearing's document says of its rows.

    ``ours`` is which of the books is ours, 0 (the payee's) or 1; ``causes`` are the words of causes and
    findings, by number less one; ``findings`` the numbers of findings.
    """

    ours: int
    pays: str
    settlement: str
    causes: Sequence[str]
    findings: Mapping[tuple[Kind, int | None], int]

    @classmethod
    def of(cls, file: File) -> Told:
        """What the document says; ``ours`` in it is ours here."""
        ours = int(file.ours.operator == file.payer)
        payee, payer = turned(file.sides, ours)
        kinds = {kind.word: kind for kind in Kind}
        sides = dict(zip(turned(SIDES, ours), (0, 1), strict=True))
        return cls(
            ours,
            f"{payer.name} pays {payee.name}",
            file.settlement,
            [*(each.words for each in file.causes), *(each.words for each in file.findings)],
            {(kinds[each.kind], sides.get(each.side)): each.number for each in file.findings},
        )


def write_listing(clearing: Clearing, told: Told, sink: Any) -> None:
    """Writes every difference as CSV with a header; ``sink`` is a path or a file."""
    tables = listing(clearing, told)
    first = next(tables)
    with pyarrow.csv.CSVWriter(sink, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


def listing(clearing: Clearing, told: Told, rows: int = ROWS) -> Iterator[pa.Table]:
    """Every difference as a row, in tables of one schema of at most ``rows`` each; one table at least.

    ``cause`` is the number of the cause or finding that the row's money belongs to, ``difference`` that
    money, ours less theirs. Service and route are those of the payee's record where there is one. Columns of
    a record that there is not are null.
    """
    pairs, found = clearing.pairs, clearing.differences
    differing = np.flatnonzero(found.kinds)
    nothing_ours, nothing_theirs = (np.full(len(left), -1) for left in (pairs.ours_left, pairs.theirs_left))
    at = (
        np.concatenate([pairs.ours[differing], pairs.ours_left, nothing_theirs]),
        np.concatenate([pairs.theirs[differing], nothing_ours, pairs.theirs_left]),
    )
    money = np.concatenate(
        [
            found.money[differing],
            clearing.books[0].settled[pairs.ours_left],
            -clearing.books[1].settled[pairs.theirs_left],
        ]
    )
    bits = [np.uint16(1) << left.astype(np.uint16) for left in found.left]
    kinds = np.concatenate([found.kinds[differing], *bits])
    numbers = _numbers_of_causes(clearing, told, differing)
    texts = _Texts.of(clearing.codes)
    for begin in range(0, max(1, len(kinds)), rows):
        part = slice(begin, begin + rows)
        yield _table(
            clearing, told, texts, kinds[part], numbers[part], money[part], (at[0][part], at[1][part])
        )


@dataclass(frozen=True)
class _Texts:
    """What codes stand for, as cells; ``odd`` are codes of numbers that are texts, in order."""

    batches: pa.Array
    networks: pa.Array
    currencies: pa.Array
    odd: Ints
    numbers: pa.Array

    @classmethod
    def of(cls, codes: Codes) -> _Texts:
        odd = sorted(codes.numbers)
        return cls(
            _cells(codes.batches.texts),
            _cells(codes.networks.texts),
            _cells(codes.currencies.texts),
            np.array(odd, np.int64),
            _cells([codes.numbers[code] for code in odd]),
        )

    def number(self, codes: Ints, none: Bools) -> pa.Array:
        """Numbers as they are read: (n,)."""
        is_odd = codes & TEXT_BIT != 0
        plus = pa.array(["", "+"]).take(pa.array(codes & 1))
        plain = pc.binary_join_element_wise(plus, pa.array(codes >> 1).cast(pa.string()), "")
        found = pc.if_else(pa.array(codes == 0), "", plain)
        if is_odd.any():
            places = pa.array(np.searchsorted(self.odd, codes), mask=~is_odd)
            found = pc.if_else(pa.array(is_odd), self.numbers.take(places), found)
        return pc.if_else(pa.array(none), None, found)


def _cells(texts: Sequence[str]) -> pa.Array:
    """Texts of others, as cells that no spreadsheet takes for a formula."""
    return pa.array([printable(plain_cell(text)) for text in texts], pa.string())


def _table(
    clearing: Clearing,
    told: Told,
    texts: _Texts,
    kinds: Any,
    numbers: Ints,
    money: Ints,
    at: tuple[Ints, Ints],
) -> pa.Table:
    distinct, codes = np.unique(kinds, return_inverse=True)
    words = ["+".join(kind.word for kind in Kind if bit & (1 << kind)) for bit in distinct.tolist()]
    payee, payer = (_rows(book, rows) for book, rows in zip(clearing.books, at, strict=True))
    service, route = (
        np.where(at[0] < 0, getattr(payer, name), getattr(payee, name)) for name in ("service", "route")
    )
    count = len(kinds)
    columns: dict[str, pa.Array] = {
        "cause": pa.array(numbers),
        "words": _taken(_cells(told.causes), numbers - 1),
        "kinds": _taken(pa.array(words, pa.string()), codes),
        "direction": _taken(_cells([told.pays]), np.zeros(count, np.int64)),
        "route": _taken(_cells(clearing.agreement.route_names), route),
        "service": _taken(_SERVICES, service),
        "unit": _taken(_UNITS, service),
        "difference": decimals(-money if told.ours else money),
        "currency": _taken(_cells([told.settlement]), np.zeros(count, np.int64)),
    }
    both = [(payee, at[0]), (payer, at[1])]
    for name, (book, rows) in zip(("our", "their"), both[::-1] if told.ours else both, strict=True):
        columns |= {f"{name}_{of}": column for of, column in _columns(book, rows < 0, texts).items()}
    return pa.table(columns)


def _numbers_of_causes(clearing: Clearing, told: Told, differing: Ints) -> Ints:
    """The number of the cause or finding that each row's money belongs to: (n,)."""
    pairs, found, explained = clearing.pairs, clearing.differences, clearing.explained
    of_pairs = np.zeros(len(pairs.ours), np.int64)
    of_left = [np.zeros(len(book), np.int64) for book in clearing.books]
    places = [
        (number, cause.kind, cause.side, cause.rows) for number, cause in enumerate(explained.causes, 1)
    ]
    places += [
        (told.findings[kind, side], kind, side, rows) for (kind, side), rows in explained.findings.items()
    ]
    paying = found.paying
    for number, kind, side, rows in places:
        if side is None:
            of_pairs[rows[paying[rows] == kind]] = number
        else:
            of_left[side][rows] = number
    return np.concatenate([of_pairs[differing], of_left[0][pairs.ours_left], of_left[1][pairs.theirs_left]])


def _columns(book: Book, none: Bools, texts: _Texts) -> dict[str, pa.Array]:
    """The columns of one side's records; null where ``none``."""
    return {
        "batch": _taken(texts.batches, book.batch, none),
        "row": pa.array(book.row, mask=none),
        "start_utc": pa.array(book.started_at, pa.timestamp("s"), mask=none),
        "number": texts.number(book.number, none),
        "network": _taken(texts.networks, book.network, none),
        "usage": pa.array(book.usage, mask=none),
        "billed_usage": pa.array(book.billed_usage, mask=none),
        "amount": decimals(book.amount, none),
        "currency": _taken(texts.currencies, book.currency, none),
    }


def _rows(book: Book, rows: Ints) -> Book:
    """Records by place; any one where there is none, of a book without any one of zeros."""
    if not len(book):
        zeros: dict[str, Any] = {name: np.zeros(1, getattr(book, name).dtype) for name in _COLUMNS}
        book = replace(book, **zeros)
    return book.rows(np.maximum(rows, 0))


def _taken(texts: pa.Array, codes: Any, none: Bools | None = None) -> pa.Array:
    return texts.take(pa.array(codes, mask=none))


def decimals(amounts: Ints, none: Bools | None = None) -> pa.Array:
    """Billionths as exact decimals, of two decimals at least: (n,), null where ``none``."""
    size = np.abs(amounts)
    rest = pc.utf8_lpad(pa.array(size % NANO).cast(pa.string()), _DIGITS, "0")
    always, more = pc.utf8_slice_codeunits(rest, 0, _LEAST), pc.utf8_slice_codeunits(rest, _LEAST)
    sign = pa.array(["", "-"]).take(pa.array((amounts < 0).astype(np.int8)))
    whole = pa.array(size // NANO, mask=none).cast(pa.string())
    end = pc.binary_join_element_wise(always, pc.utf8_rtrim(more, "0"), "")
    return pc.binary_join_element_wise(sign, whole, ".", end, "")
