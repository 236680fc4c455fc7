"""Sums over a statement's records in order of time: what was there before each of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LIMIT = float(1 << 62)
_MOST = (1 << 63) - 1


def in_order(started_at: NDArray[np.int64], first: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Rows by statement, start and index; None where they stand in that order already."""
    falls = started_at[1:] < started_at[:-1]
    falls[first[1:] - 1] = False
    if not falls.any():
        return None
    statement = np.zeros(len(started_at), np.int64)
    statement[first[1:]] = 1
    return np.lexsort((started_at, np.cumsum(statement)))


def before(
    amount: NDArray[np.int64], owner: NDArray[np.int64], owners: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For rows in order, grouped by owner: the sum of the owner's earlier ones, and (with ``owners``) of all.

    Sums that 64 bits do not hold are the largest number that they do: more than any tier or allowance.
    """
    totals = np.zeros(owners or 0, np.int64)
    if not len(amount):
        return np.zeros(0, np.int64), totals
    if float(amount.sum(dtype=np.float64)) >= _LIMIT:
        return _exactly(amount, owner, totals, owners)
    through = np.cumsum(amount)
    earlier = through - amount
    starts = np.flatnonzero(np.concatenate(([True], owner[1:] != owner[:-1])))
    lengths = np.diff(np.append(starts, len(owner)))
    earlier -= np.repeat(earlier[starts], lengths)
    if owners is not None:
        totals[owner[starts]] = np.add.reduceat(amount, starts)
    return earlier, totals


def _exactly(
    amount: NDArray[np.int64], owner: NDArray[np.int64], totals: NDArray[np.int64], owners: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    sums: dict[int, int] = {}
    earlier = np.empty(len(amount), np.int64)
    for row, (more, whose) in enumerate(zip(amount.tolist(), owner.tolist(), strict=True)):
        sofar = sums.get(whose, 0)
        earlier[row] = min(sofar, _MOST)
        sums[whose] = sofar + more
    if owners is not None:
        for whose, total in sums.items():
            totals[whose] = min(total, _MOST)
    return earlier, totals
