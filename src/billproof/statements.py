"""Records → statements: every account's records in order, with their total in one currency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from billproof.errors import InputError

_INT64_SAFE = float(1 << 62)


@dataclass(frozen=True)
class Statements:
    """The statements of a batch, in ascending order of account number.

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


def group(records: pa.Table) -> tuple[Statements, pa.Table]:
    """Statements of all records, and the records left out because their currency differs.

    A statement has one currency: that of the account's first record; records in another are returned
    apart, to be rejected by line. An account whose total does not fit 64 bits raises :class:`InputError`.
    """
    ordered = _ordered(records)
    first, count = _runs(ordered["account"])
    currency = ordered["currency"].combine_chunks()
    leading = currency.take(pa.array(np.repeat(first, count)))
    same = pc.equal(currency, leading)
    strays = ordered.filter(pc.invert(same))
    if strays.num_rows:
        ordered = ordered.filter(same)
        first, count = _runs(ordered["account"])
    take = pa.array(first)
    statements = Statements(
        records=ordered,
        accounts=ordered["account"].combine_chunks().take(take),
        currencies=ordered["currency"].combine_chunks().take(take),
        first=first,
        count=count,
        total=_totals(ordered, first),
    )
    return statements, strays


def _ordered(records: pa.Table) -> pa.Table:
    account = records["account"].combine_chunks()
    encoded = pc.dictionary_encode(account)
    rank = np.empty(len(encoded.dictionary), np.int64)
    rank[pc.sort_indices(encoded.dictionary).to_numpy()] = np.arange(len(rank))
    by_account = rank[encoded.indices.to_numpy()]
    order = np.lexsort((records["started_at"].to_numpy(), by_account))
    return records.take(pa.array(order)).combine_chunks()


def _runs(accounts: pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run of equal account numbers starts, and how long it is."""
    array = accounts.combine_chunks()
    if len(array) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    changes = pc.not_equal(array[1:], array[:-1]).to_numpy(zero_copy_only=False)
    first = np.concatenate(([0], np.flatnonzero(changes) + 1))
    return first, np.diff(np.append(first, len(array)))


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
