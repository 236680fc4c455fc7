"""Records → statements: every account's records in order, with their total in one currency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from billproof.errors import InputError
from billproof.records import SCHEMA, Service

_INT64_SAFE = float(1 << 62)
_BITS = 63

#: Records that no statement takes, and the currency of the statement that their account has.
STRAYS = SCHEMA.append(pa.field("statement_currency", SCHEMA.field("currency").type, nullable=False))


@dataclass(frozen=True)
class Statements:
    """The statements of a batch or of a part of it, in ascending order of account number.

    ``records`` holds all records, statement after statement, each ordered by start time, ties in order of
    intake. The k-th statement is ``records[first[k] : first[k] + count[k]]``.
    """

    records: pa.Table
    accounts: pa.Array  # (m,) string
    currencies: pa.Array  # (m,) string
    first: NDArray[np.int64]  # (m,)
    count: NDArray[np.int64]  # (m,)
    total: NDArray[np.int64]  # (m,) billionths

    def __len__(self) -> int:
        return len(self.accounts)

    @property
    def index(self) -> NDArray[np.int64]:
        """Each record's place in its statement: (n,)."""
        return np.arange(self.records.num_rows) - np.repeat(self.first, self.count)


def arrange(records: pa.Table) -> tuple[Statements, pa.Table]:
    """Statements of all records, and the records left out because their currency differs.

    A statement has one currency: that of most of the account's records, among as many that of the earliest.
    Records in another are returned apart (:data:`STRAYS`), to be rejected by line. An account whose total
    does not fit 64 bits raises :class:`InputError`.
    """
    coded = with_codes(records)
    first, count = np.empty(0, np.int64), np.empty(0, np.int64)
    strays = STRAYS.empty_table()
    if coded.num_rows:
        coded = _ordered(coded)
        first, count = _runs(codes(coded, "account"))
        currency = codes(coded, "currency")
        prevailing = np.repeat(_prevailing(currency, first, count), count)
        same = currency == prevailing
        if not same.all():
            names = coded["currency"].chunk(0).dictionary
            theirs = pa.DictionaryArray.from_arrays(pa.array(prevailing[~same]), names)
            strays = coded.filter(pa.array(~same)).append_column(STRAYS.field("statement_currency"), theirs)
            coded = coded.filter(pa.array(same)).combine_chunks()
            first, count = _runs(codes(coded, "account"))
    take = pa.array(first)
    statements = Statements(
        records=coded,
        accounts=_decoded(coded["account"].take(take)),
        currencies=_decoded(coded["currency"].take(take)),
        first=first,
        count=count,
        total=_totals(coded, first),
    )
    return statements, strays


def with_codes(records: pa.Table) -> pa.Table:
    """The records in one piece, texts that repeat as codes into one dictionary for each column."""
    columns = []
    for field in SCHEMA:
        column = records[field.name]
        if pa.types.is_dictionary(field.type) and not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        columns.append(column)
    return pa.table(columns, schema=SCHEMA).unify_dictionaries().combine_chunks()


def codes(records: pa.Table, name: str) -> NDArray[np.int32]:
    """The codes of a column of :func:`with_codes`: (n,)."""
    if records.num_rows == 0:
        return np.empty(0, np.int32)
    return records[name].chunk(0).indices.to_numpy()  # type: ignore[no-any-return]


def repeated(statements: Statements) -> int:
    """How many usage records repeat another: same account, service, time, number and usage."""
    records = statements.records
    started = records["started_at"].to_numpy()
    like_last = started[1:] == started[:-1]
    like_last[statements.first[1:] - 1] = False
    # In a statement, records are in order of time, so that equal ones stand in runs.
    alike = np.zeros(len(started), bool)
    alike[1:] |= like_last
    alike[:-1] |= like_last
    alike &= records["service"].to_numpy() < int(Service.RECURRING)
    usage = records.select(["account", "service", "started_at", "number", "usage"]).filter(pa.array(alike))
    usage = usage.set_column(0, "account", pa.chunked_array([codes(usage, "account")]))
    return int(usage.num_rows - usage.group_by(usage.column_names).aggregate([]).num_rows)


def _decoded(column: pa.ChunkedArray) -> pa.Array:
    return column.cast(pa.string()).combine_chunks()


def _ordered(records: pa.Table) -> pa.Table:
    """Coded records by account and time; ties stay in order of intake."""
    accounts = records["account"].chunk(0).dictionary
    rank = np.empty(len(accounts), np.int64)
    rank[pc.sort_indices(accounts).to_numpy()] = np.arange(len(rank))
    by_account = rank[codes(records, "account")]
    started = records["started_at"].to_numpy()
    span = int(started.max()) - int(started.min()) + 1
    if span.bit_length() + len(rank).bit_length() < _BITS:
        place = by_account * span + (started - started.min())
        if (place[1:] >= place[:-1]).all():
            return records
        order = np.argsort(place, kind="stable")
    else:
        order = np.lexsort((started, by_account))
    return records.take(pa.array(order)).combine_chunks()


def _runs(accounts: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run of equal account numbers starts, and how long it is."""
    if len(accounts) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    first = np.concatenate(([0], np.flatnonzero(accounts[1:] != accounts[:-1]) + 1))
    return first, np.diff(np.append(first, len(accounts)))


def _prevailing(
    currency: NDArray[np.int32], first: NDArray[np.int64], count: NDArray[np.int64]
) -> NDArray[np.int32]:
    """The currency of most of a statement's records, among as many that of the earliest: (m,)."""
    found = currency[first]
    apart = currency != np.repeat(found, count)
    if not apart.any():
        return found
    owner = np.repeat(np.arange(len(first)), count)
    mixed = np.zeros(len(first), np.bool_)
    mixed[owner[apart]] = True
    rows = np.flatnonzero(mixed[owner])
    size = int(currency.max()) + 1
    pairs, earliest, counts = np.unique(
        owner[rows] * size + currency[rows], return_index=True, return_counts=True
    )
    order = np.lexsort((-earliest, counts, pairs // size))
    best = pairs[order[np.append(np.diff(pairs[order] // size) != 0, True)]]
    found[best // size] = best % size
    return found


def _totals(records: pa.Table, first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sums per statement, refused where 64 bits could overflow on the way."""
    amount = records["amount"].to_numpy()
    if len(first) == 0:
        return np.empty(0, np.int64)
    size = np.add.reduceat(np.abs(amount.astype(np.float64)), first)
    if (size >= _INT64_SAFE).any():
        at = int(first[int(size.argmax())])
        raise InputError(
            "the amounts of this record's account add up beyond 64 bits of billionths",
            file=records["source"][at].as_py(),
            line=records["line"][at].as_py(),
            field="amount",
            advice="Check the unit of the amount column in the mapping.",
        )
    return np.add.reduceat(amount, first)


def totals_by_currency(table: pa.Table, column: str) -> dict[str, int]:
    """The exact sum of an int64 column of billionths for each value of ``currency``, by currency."""
    sums = {}
    for currency in sorted(pc.unique(table["currency"]).to_pylist()):
        values = table.filter(pc.equal(table["currency"], currency))[column].to_numpy()
        # In two halves, so that 64 bits cannot overflow however many rows there are.
        sums[currency] = (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())
    return sums
