"""What a batch says of its prices, found again: every statement beside the tariff that the store keeps, and
with what the store says that accounts carried over.

Statements are read many at a time, each as a whole: allowances and tiers run through all of its lines.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billproof.account_tariffs import AccountTariffs, TariffFile
from billproof.errors import DifferenceError
from billproof.records import ZERO32
from billproof.rerating import REFUSE, UNCHECKED, Rerated, Rerating
from billproof.statements import Statements
from billproof.store import StoredBatch
from billproof.tariff.balances import Balances

#: Records read at a time, or one statement's that has more.
_SLICE = 1 << 17


def audit_prices(stored: StoredBatch) -> Rerated | None:
    """Prices every line again and compares that with what ``batch.json`` says; None where it says nothing.

    The tariff files and the entries must be those of the batch. Raises :class:`DifferenceError` where the
    counts or the money differ.
    """
    said = stored.summary.get("tariffCheck")
    if said is None or said["differences"] == UNCHECKED:
        return None
    order = np.argsort(stored.entries["first"].to_numpy(), kind="stable")
    accounts = stored.entries["account"].take(pa.array(order)).combine_chunks()
    codes = stored.tariffs.take(order).codes
    tariffs = AccountTariffs(_files(stored), None, accounts, codes, stored.path / "entries.arrow")
    rerating = Rerating(tariffs, Balances.read(stored.balances_file) if stored.balances_file else None)
    found = Rerated()
    for statements in _statements(stored, order):
        found += rerating(statements)[0]
    refused = said["differences"] == REFUSE and found.differing  # such a batch is never written
    if refused or found.document(said["differences"]) != said:
        raise DifferenceError(
            f"{stored.path / 'batch.json'}: its tariffCheck is not what its lines and tariffs give"
        )
    return found


def _files(stored: StoredBatch) -> tuple[TariffFile, ...]:
    """The batch's tariffs, in the order of their codes."""
    paths = [stored.tariff_file(tariff) for tariff in stored.tariffs.hashes if tariff != ZERO32]
    return tuple(TariffFile.read(path) for path in paths if path is not None)


def _statements(stored: StoredBatch, order: NDArray[np.int64]) -> Iterator[Statements]:
    """All statements, some at a time, in the order of the records."""
    ranked = stored.entries.take(pa.array(order))
    first, count, total = (ranked[name].to_numpy() for name in ("first", "count", "total"))
    start = 0
    while start < len(first):
        stop = max(start + 1, int(np.searchsorted(first + count, first[start] + _SLICE, side="right")))
        some = slice(start, stop)
        yield Statements(
            records=stored.records_of(int(first[start]), int(count[some].sum())),
            accounts=ranked["account"].slice(start, stop - start).combine_chunks(),
            currencies=ranked["currency"].slice(start, stop - start).combine_chunks(),
            first=first[some] - first[start],
            count=count[some],
            total=total[some],
        )
        start = stop
