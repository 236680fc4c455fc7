"""Which days a bill is for (docs/matching.md, section 3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from billproof.matching.columns import Stack

Ints = NDArray[np.int64]


def cycles_of(stack: Stack) -> Ints:
    """First second and first second after of each bill's cycle, in local seconds: (bills, 2)."""
    lines = stack.lines
    rows = np.flatnonzero(lines.comparable)
    local, bill = lines.local[rows], lines.bill[rows]
    cycles = np.array([_window(period, 0, 1) for period in stack.periods], np.int64).reshape(-1, 2)
    inside = (local >= cycles[bill, 0]) & (local < cycles[bill, 1])
    total = np.bincount(bill, minlength=stack.bills)
    within = np.bincount(bill[inside], minlength=stack.bills)
    for at in np.flatnonzero(within * 5 < total * 4).tolist():
        cycles[at] = _other(stack.periods[at], local[bill == at], int(within[at]), cycles[at])
    return cycles


def _other(period: int, local: Ints, most: int, calendar: Ints) -> Ints | tuple[int, int]:
    """The window from a day of a month to the same day of the next that holds most lines."""
    best: Ints | tuple[int, int] = calendar
    for before in (1, 0):
        for day in range(2, 29):
            first, end = _window(period, -before, day)
            held = int(((local >= first) & (local < end)).sum())
            if held > most:
                best, most = (first, end), held
    return best


def _window(period: int, months: int, day: int) -> tuple[int, int]:
    """From a day of the month so many after ``period`` to the same day of the next."""
    month = period // 100 * 12 + period % 100 - 1 + months
    return _second(month, day), _second(month + 1, day)


def _second(month: int, day: int) -> int:
    return int(np.datetime64(month - 1970 * 12, "M").astype("datetime64[s]").astype(np.int64)) + 86_400 * (
        day - 1
    )
