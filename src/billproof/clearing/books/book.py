"""One operator's book: an account's records of a period in columns, from a store, a proof file or Parquet.

``docs/clearing.md``, section 1. Several batches make one book, and each record knows which it came from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from billproof.clearing import kernel
from billproof.clearing.agreement.agreement import Agreement, month_of
from billproof.clearing.books.sources import COLUMNS, BatchSource, Piece, pieces_of
from billproof.clearing.kernel import Ints
from billproof.clearing.loops import SERVICE_BIT
from billproof.errors import InputError
from billproof.leaves import byte_rows
from billproof.records import NANO, Service

#: Services from here on are no usage.
NO_USAGE = 32

_INTEGERS = {
    "service": np.uint8,
    "started_at": np.int64,
    "usage": np.int64,
    "billed_usage": np.int64,
    "amount": np.int64,
}
#: First and last value of a record's numbers: no difference of two leaves 64 bits, nor what is made of usage.
LIMITS = {
    "service": (0, 255),
    "started_at": (0, 253_402_300_799),  # to the end of 9999
    "usage": (0, (1 << 53) - 1),
    "billed_usage": (0, (1 << 53) - 1),
    "amount": (1 - (1 << 62), (1 << 62) - 1),  # as it is booked, and in the settlement currency
}
_ADVICE = {
    "service": "See docs/protocol.md.",
    "started_at": "Write UTC seconds; a record begins between 1970 and 9999.",
    "usage": "Usage is not negative.",
    "billed_usage": "Usage is not negative.",
    "amount": "Is it in billionths?",
}

#: Set in the code of a number that is neither E.164 nor plain digits.
TEXT_BIT = np.int64(1 << 57)


class Names:
    """Texts that repeat as codes; both books of a clearing share one of these a column."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self.texts: list[str] = []

    def code(self, text: str) -> int:
        """The code of a text, a new one if need be."""
        if text not in self._codes:
            self._codes[text] = len(self.texts)
            self.texts.append(text)
        return self._codes[text]

    def fresh(self, text: str) -> int:
        """A code of its own for a text that another code may have, too."""
        self.texts.append(text)
        return len(self.texts) - 1

    def codes(self, column: pa.Array) -> NDArray[np.int32]:
        """The codes of a column of texts: (n,)."""
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        texts, indices = column.dictionary.to_pylist(), column.indices.cast(pa.int32())
        if indices.null_count:
            texts, indices = [*texts, ""], indices.fill_null(len(texts))
        known: NDArray[np.int32] = np.array([self.code(text or "") for text in texts], np.int32)
        found: NDArray[np.int32] = known[indices.to_numpy()]
        return found


@dataclass
class Codes:
    """The names that two books share, and what numbers that are no numbers look like."""

    networks: Names = field(default_factory=Names)
    currencies: Names = field(default_factory=Names)
    rates: Names = field(default_factory=Names)
    batches: Names = field(default_factory=Names)
    numbers: dict[int, str] = field(default_factory=dict)

    def number(self, code: int) -> str:
        """The text of a number's code."""
        if code & int(TEXT_BIT):
            return self.numbers[code]
        return ("+" if code & 1 else "") + str(code >> 1) if code else ""

    def coded(self, texts: pa.StringArray) -> Ints:
        """Numbers as codes below 2^58: equal ones have equal codes, however they are written; 0 is none."""
        found = kernel.numbers(texts)
        others = np.flatnonzero(found < 0)
        if len(others):
            odd = texts.take(pa.array(others)).dictionary_encode()
            codes = []
            for text in odd.dictionary.to_pylist():
                digest = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
                codes.append(digest & (int(TEXT_BIT) - 1) | int(TEXT_BIT))
                self.numbers[codes[-1]] = text
            found[others] = np.array(codes, np.int64)[odd.indices.to_numpy()]
        return found


@dataclass(frozen=True)
class Book:
    """n records in columns; what is coded is so by the :class:`Codes` that both books share."""

    name: str
    service: NDArray[np.uint8]
    started_at: Ints
    usage: Ints
    billed_usage: Ints
    amount: Ints  # billionths of the record's currency
    settled: Ints  # of the settlement currency
    number: Ints
    network: NDArray[np.int32]
    currency: NDArray[np.int32]
    rate: NDArray[np.int32]
    route: NDArray[np.int32]  # a place in the agreement's route_names
    batch: NDArray[np.int32]
    row: Ints  # place in its batch, or in its file
    sources: Mapping[int, BatchSource]  # by code of batch: what can be proved; none of Parquet

    def __len__(self) -> int:
        return len(self.service)

    @property
    def key(self) -> Ints:
        """Service and number: (n,)."""
        return self.number | (self.service.astype(np.int64) << SERVICE_BIT)

    def rows(self, at: Ints) -> Book:
        """Some of the records as a book of their own."""
        columns = {name: getattr(self, name)[at] for name in _names_of_columns()}
        return Book(name=self.name, sources=self.sources, **columns)


def _names_of_columns() -> list[str]:
    return [each.name for each in fields(Book) if each.name not in ("name", "sources")]


def load_book(
    path: Path,
    agreement: Agreement,
    codes: Codes,
    *,
    account: str | Sequence[str] | None = None,
    period: int | None = None,
) -> Book:
    """The book in a store, a batch, a proof file, a Parquet file, or a folder of such files.

    ``account`` is the partner's number there, or its numbers; ``period`` (YYYYMM) leaves out batches of
    other months. Each statement of a batch has a code of its own.

    Raises :class:`InputError` where an account has to be named, batches do not belong together or are there
    twice, a column is missing, a number is not within :data:`LIMITS`, or a currency has no exchange rate in
    the agreement.
    """
    name = str(path)
    accounts = [account] if isinstance(account, str) else list(account or ())
    parts: list[dict[str, Any]] = []
    sources: dict[int, BatchSource] = {}
    last: tuple[BatchSource | str | None, int] = None, 0
    for piece in pieces_of(path, accounts, period):
        if piece.origin is not last[0]:
            if isinstance(piece.origin, BatchSource):
                last = piece.origin, codes.batches.fresh("")
                sources[last[1]] = piece.origin
            else:
                last = piece.origin, codes.batches.code(piece.origin)
        parts.append(columns_of(piece, last[1], agreement, period, codes, name))
    if not any(len(part["service"]) for part in parts):
        raise nothing_in(path, accounts, period)
    if sources:
        sources, parts = _in_order(sources, parts)
    for code, text in batch_names(sources).items():
        codes.batches.texts[code] = text
    columns = {name: np.concatenate([part.pop(name) for part in parts]) for name in list(parts[0])}
    return Book(name=str(path), sources=sources, **columns)


def _in_order(
    sources: Mapping[int, BatchSource], parts: list[dict[str, Any]]
) -> tuple[dict[int, BatchSource], list[dict[str, Any]]]:
    """Statements and their records by period, region, sequence and account, whatever files are called."""
    renamed = dict(zip(sorted(sources, key=lambda code: sources[code].place), sorted(sources), strict=True))
    parts = [part for part in parts if len(part["service"])]
    for part in parts:
        part["batch"] = np.full(len(part["batch"]), renamed[int(part["batch"][0])], np.int32)
    parts.sort(key=lambda part: int(part["batch"][0]))
    return {renamed[code]: sources[code] for code in renamed}, parts


def book_of(table: pa.Table, agreement: Agreement, month: str | None, codes: Codes, name: str) -> Book:
    """The records of a table, ``COLUMNS`` and perhaps ``corrects``, as a book of their own."""
    part = _part(table, codes.batches.code(name), np.arange(table.num_rows), agreement, month, codes, name)
    return Book(name=name, sources={}, **part)


def columns_of(
    piece: Piece, batch: int, agreement: Agreement, period: int | None, codes: Codes, name: str
) -> dict[str, Any]:
    """The columns of a :class:`Book` of some of its records; ``name`` is the book's, for errors."""
    origin = piece.origin
    told = origin.period if isinstance(origin, BatchSource) else period
    month = None if told is None else month_of(told)
    if isinstance(origin, BatchSource):
        file = str(origin.path)
    else:
        file = name if Path(name).stem == origin else f"{name}/{origin}"
    return _part(piece.table, batch, piece.rows, agreement, month, codes, file)


def nothing_in(path: Path, accounts: Sequence[str], period: int | None) -> InputError:
    """What is said of a book without records."""
    return InputError("no records to compare", file=path, advice=_advice(accounts, period))


def batch_names(sources: Mapping[int, BatchSource]) -> dict[int, str]:
    """What people call the batches of a book: region and sequence, and what else tells them apart."""
    periods = len({source.period for source in sources.values()}) > 1
    accounts = len({source.account for source in sources.values()}) > 1
    return {
        code: (f"{source.period}/" if periods else "")
        + f"{source.region}-{source.sequence}"
        + (f" of {source.account}" if accounts else "")
        for code, source in sources.items()
    }


def _advice(accounts: Sequence[str], period: int | None) -> str:
    month = f" Are there batches of {period}?" if period is not None else ""
    if accounts:
        return f"Is {' or '.join(map(repr, accounts))} the partner's account number there?{month}"
    return month.strip() or "Is this the right file?"


def _part(
    table: pa.Table,
    batch: int,
    rows: Ints,
    agreement: Agreement,
    month: str | None,
    codes: Codes,
    file: str,
) -> dict[str, Any]:
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise InputError(
            f"has no column {missing[0]!r}", file=file, advice=f"A book has {', '.join(COLUMNS)}."
        )
    part: dict[str, Any] = {name: _numbers(table[name], name, rows, file) for name in _INTEGERS}
    part["service"][_corrections(table, file)] = Service.CREDIT
    texts = {name: _texts(table[name], name, file) for name in ("number", "network", "currency", "rate")}
    number = texts["number"].cast(pa.string()).fill_null("")
    part["number"] = codes.coded(number)
    part["network"] = codes.networks.codes(texts["network"])
    part["currency"] = codes.currencies.codes(texts["currency"])
    part["rate"] = codes.rates.codes(texts["rate"])
    part["route"] = agreement.routes_of(number, texts["network"].cast(pa.string()).fill_null("")).astype(
        np.int32
    )
    part["batch"] = np.full(table.num_rows, batch, np.int32)
    part["row"] = rows
    part["settled"] = _settled(part, agreement, month, codes, file)
    return part


def _numbers(column: pa.ChunkedArray, name: str, rows: Ints, file: str) -> NDArray[Any]:
    """Whole numbers within their limits: (n,)."""
    if column.null_count or not pa.types.is_integer(column.type):
        raise InputError("is not whole numbers throughout", file=file, field=name)
    found = pc.min_max(column).as_py()
    for number in (found["min"], found["max"]):
        if number is not None and not within(name, number):
            at = next(at for at, each in enumerate(column.to_pylist()) if not within(name, each))
            raise _beyond(rows[at], column[at].as_py(), name, file, _ADVICE[name])
    numbers: NDArray[Any] = column.to_numpy().astype(_INTEGERS[name])
    return numbers


def within(name: str, number: int) -> bool:
    """Whether a record's column may have a number."""
    lowest, highest = LIMITS[name]
    return lowest <= number <= highest


def _beyond(row: int, number: int, name: str, file: str, advice: str) -> InputError:
    """What is said of a number that is not within its limits."""
    lowest, highest = LIMITS[name]
    message = f"row {row} has {number}, which is not from {lowest} to {highest}"
    return InputError(message, file=file, field=name, advice=advice)


def _corrections(table: pa.Table, file: str) -> NDArray[np.bool_]:
    """Which records correct another: they are credits, whatever it is that they correct: (n,)."""
    if "corrects" not in table.column_names:
        return np.zeros(table.num_rows, bool)
    column = table["corrects"]
    if column.type != pa.binary(32) or column.null_count:
        raise InputError("is not the hash of a record, or zeros, throughout", file=file, field="corrects")
    return np.asarray(byte_rows(column, 32).any(axis=1))


def _texts(column: pa.ChunkedArray, name: str, file: str) -> pa.Array:
    """Texts, or codes of texts, in one chunk, also where Arrow keeps chunks of dictionaries apart."""
    coded = pa.types.is_dictionary(column.type)
    kind = column.type.value_type if coded else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
        raise InputError("is not text throughout", file=file, field=name)
    if not coded:
        column = column.cast(pa.string())
    if not column.num_chunks:
        return pa.array([], pa.string())
    return pa.concat_arrays(column.unify_dictionaries().chunks)


def _settled(
    part: Mapping[str, Any], agreement: Agreement, month: str | None, codes: Codes, file: str
) -> Ints:
    """Amounts in billionths of the settlement currency, rounded half up to one of them: (n,)."""
    amounts, currencies = part["amount"], part["currency"]
    found: Ints = amounts.copy()
    for code in np.unique(currencies).tolist():
        currency = codes.currencies.texts[code]
        if not currency:
            row = part["row"][np.argmax(currencies == code)]
            advice = "Every amount is in a currency of the agreement."
            raise InputError(f"row {row} has none", file=file, field="currency", advice=advice)
        rate = round(agreement.rate_of(currency, month, file=file) * NANO)
        if rate != NANO:
            rows = np.flatnonzero(currencies == code)
            some = amounts[rows]
            for at in (int(some.argmin()), int(some.argmax())):
                if not within("amount", settled := times(int(some[at]), rate)):
                    advice = f"It was {some[at]} in {currency}: is its exchange rate right?"
                    raise _beyond(part["row"][rows[at]], settled, "amount", file, advice)
            found[rows] = times(some, rate)
    return found


Number = TypeVar("Number", int, Ints)


def times(amounts: Number, rate: int) -> Number:
    """Amounts times a rate in billionths, rounded half up, without leaving 64 bits on the way: (n,)."""
    whole, rest = divmod(amounts, NANO)
    units, part = divmod(rate, NANO)
    return amounts * units + whole * part + (rest * part + NANO // 2) // NANO
