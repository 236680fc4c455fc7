"""One operator's book: an account's records of a period in columns, from a store, a proof file or Parquet.

``docs/clearing.md``, section 1. Several batches make one book, and each record knows which it came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from billproof.bundle.documents import Bundle
from billproof.bundle.reading import open_document
from billproof.clearing import kernel
from billproof.clearing.agreement import Agreement
from billproof.clearing.kernel import Ints
from billproof.clearing.loops import SERVICE_BIT
from billproof.errors import InputError
from billproof.records import NANO
from billproof.store import StoredBatch

#: Services from here on are no usage.
NO_USAGE = 32

_COLUMNS = (
    "service",
    "started_at",
    "usage",
    "billed_usage",
    "number",
    "network",
    "amount",
    "currency",
    "rate",
)
_INTEGERS = {
    "service": np.uint8,
    "started_at": np.int64,
    "usage": np.int64,
    "billed_usage": np.int64,
    "amount": np.int64,
}
_TEXT_BIT = np.int64(1 << 57)  # of a number that is none
_ROWS = 1 << 19  # read at a time


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

    def codes(self, column: pa.Array) -> NDArray[np.int32]:
        """The codes of a column of texts: (n,)."""
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        known = np.array([self.code(text or "") for text in column.dictionary.to_pylist()], np.int32)
        at = column.indices.fill_null(0).to_numpy(zero_copy_only=False)
        return known[at] if len(known) else np.zeros(len(at), np.int32)


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
        if code & int(_TEXT_BIT):
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
                codes.append(digest & (int(_TEXT_BIT) - 1) | int(_TEXT_BIT))
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

    def __len__(self) -> int:
        return len(self.service)

    @property
    def key(self) -> Ints:
        """Service and number: (n,)."""
        return self.number | (self.service.astype(np.int64) << SERVICE_BIT)

    def rows(self, at: Ints) -> Book:
        """Some of the records as a book of their own."""
        columns = {each.name: getattr(self, each.name)[at] for each in fields(self) if each.name != "name"}
        return Book(name=self.name, **columns)


def load_book(path: Path, agreement: Agreement, codes: Codes, *, account: str | None = None) -> Book:
    """The book in a store, a batch or a folder of Parquet files (a directory), a Parquet file, a proof file.

    Raises :class:`InputError` where an account has to be named, a column is missing, or a currency has no
    exchange rate in the agreement.
    """
    name = str(path)
    parts: list[dict[str, Any]] = []
    for batch, rows, table in _tables(path, account):
        parts.append(_part(table, batch, rows, agreement, codes, name))
    if not any(len(part["service"]) for part in parts):
        raise InputError("no records to compare", file=path, advice=_account_advice(account))
    columns = {}
    for field_name in list(parts[0]):
        columns[field_name] = np.concatenate([part.pop(field_name) for part in parts])
    return Book(name=name, **columns)


def _account_advice(account: str | None) -> str:
    return f"Is {account!r} the partner's account number there?" if account else "Is this the right file?"


def _part(
    table: pa.Table, batch: str, rows: Ints, agreement: Agreement, codes: Codes, file: str
) -> dict[str, Any]:
    missing = [name for name in _COLUMNS if name not in table.column_names]
    if missing:
        raise InputError(
            f"has no column {missing[0]!r}", file=file, advice=f"A book has {', '.join(_COLUMNS)}."
        )
    part: dict[str, Any] = {}
    for name, kind in _INTEGERS.items():
        column = table[name]
        if column.null_count or not pa.types.is_integer(column.type):
            raise InputError("is not whole numbers throughout", file=file, field=name)
        part[name] = column.to_numpy().astype(kind)
    texts = {
        name: table[name].combine_chunks() if table.num_rows else pa.array([], pa.string())
        for name in ("number", "network", "currency", "rate")
    }
    texts = {name: _one(column) for name, column in texts.items()}
    number = texts["number"].cast(pa.string()).fill_null("")
    part["number"] = codes.coded(number)
    part["network"] = codes.networks.codes(texts["network"])
    part["currency"] = codes.currencies.codes(texts["currency"])
    part["rate"] = codes.rates.codes(texts["rate"])
    part["route"] = agreement.routes_of(number, texts["network"].cast(pa.string()).fill_null("")).astype(
        np.int32
    )
    part["batch"] = np.full(table.num_rows, codes.batches.code(batch), np.int32)
    part["row"] = rows
    part["settled"] = _settled(part["amount"], part["currency"], agreement, codes, file)
    return part


def _one(column: Any) -> pa.Array:
    """A column of one chunk, also where Arrow keeps chunks of dictionaries apart."""
    if isinstance(column, pa.ChunkedArray):
        return (
            pa.concat_arrays(column.unify_dictionaries().chunks)
            if column.num_chunks
            else pa.array([], pa.string())
        )
    return column


def _settled(
    amounts: Ints, currencies: NDArray[np.int32], agreement: Agreement, codes: Codes, file: str
) -> Ints:
    """Amounts in billionths of the settlement currency, rounded half up to one of them: (n,)."""
    found = amounts.copy()
    for code in np.unique(currencies).tolist():
        currency = codes.currencies.texts[code]
        try:
            rate = agreement.exchange[currency]
        except KeyError:
            raise InputError(
                f"the agreement has no exchange rate for {currency}",
                file=file,
                field="currency",
                advice=f"Add it to [exchange]: units of {agreement.settlement} for one {currency}.",
            ) from None
        if rate != 1:
            rows = currencies == code
            found[rows] = times(amounts[rows], round(rate * NANO))
    return found


def times(amounts: Ints, rate: int) -> Ints:
    """Amounts times a rate in billionths, rounded half up, without leaving 64 bits on the way: (n,)."""
    whole, rest = np.divmod(amounts, NANO)
    units, part = divmod(rate, NANO)
    found: Ints = amounts * units + whole * part + (rest * part + NANO // 2) // NANO
    return found


def _tables(path: Path, account: str | None) -> Iterator[tuple[str, Ints, pa.Table]]:
    """The name of a batch, records, and the place of each there."""
    if path.is_dir():
        batches = (
            sorted(path.glob("**/batch.json"))
            if not (path / "batch.json").exists()
            else [path / "batch.json"]
        )
        batches = [file for file in batches if not file.parent.name.startswith(".")]
        if batches:
            for file in batches:
                yield from _stored(StoredBatch.open(file.parent), account)
            return
        files = sorted(path.glob("*.parquet"))
        if not files:
            raise InputError("neither batches nor Parquet files here", file=path)
        for file in files:
            yield from _parquet(file, account)
    elif path.suffix == ".parquet":
        yield from _parquet(path, account)
    else:
        document = open_document(path).document
        if not isinstance(document, Bundle):
            raise InputError("a receipt is one record, not a book", file=path, advice="Give the bundle.")
        from billproof.tariff.columns import table_of

        table = table_of(document)
        currency = pa.array([document.statement.currency]).dictionary_encode()
        repeated = pa.DictionaryArray.from_arrays(np.zeros(table.num_rows, np.int32), currency.dictionary)
        batch = document.batch
        rows = np.arange(table.num_rows)
        yield f"{batch.region}-{batch.sequence}", rows, table.append_column("currency", repeated)


def _stored(stored: StoredBatch, account: str | None) -> Iterator[tuple[str, Ints, pa.Table]]:
    entries = stored.entries
    accounts = entries["account"].to_pylist()
    if account is None:
        if len(accounts) > 1:
            raise InputError(
                f"holds {len(accounts):,} accounts",
                file=stored.path,
                advice="Name the partner's with --our-account or --their-account.",
            )
        rows = list(range(len(accounts)))
    else:
        rows = [at for at, name in enumerate(accounts) if name == account]
    name = f"{stored.id.region}-{stored.id.sequence}"
    for at in rows:
        first, count = entries["first"][at].as_py(), entries["count"][at].as_py()
        for begin in range(first, first + count, _ROWS):
            end = min(begin + _ROWS, first + count)
            yield name, np.arange(begin, end), stored.records_of(begin, end - begin, list(_COLUMNS))


def _parquet(path: Path, account: str | None) -> Iterator[tuple[str, Ints, pa.Table]]:
    try:
        names = pq.read_schema(path).names
        coded = [name for name in ("network", "currency", "rate") if name in names]
        file = pq.ParquetFile(path, memory_map=True, read_dictionary=coded)
        wanted = [name for name in (*_COLUMNS, "account") if name in names]
        row = 0
        for batch in file.iter_batches(_ROWS, columns=wanted):
            table, rows = pa.Table.from_batches([batch]), np.arange(row, row + batch.num_rows)
            if "account" in names:
                if account is not None:
                    of = pc.equal(table["account"].cast(pa.string()), account).to_numpy()
                    table, rows = table.filter(pa.array(of)), rows[of]
                table = table.drop_columns(["account"])
            yield path.stem, rows, table
            row += batch.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"cannot be read as Parquet: {error}", file=path) from error
