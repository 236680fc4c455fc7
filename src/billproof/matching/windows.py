"""Joins of sorted columns, the tools of all steps: who lies in whose window of time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_BITS = 35
_ZERO = 1 << 34


def key(group: Ints, time: Ints) -> Ints:
    """One sortable number of a group (below 2^28) and a time (within ±2^34, or cut to it)."""
    keys: Ints = (group << _BITS) + np.clip(time + _ZERO, 0, (1 << _BITS) - 1)
    return keys


def spread(first: Ints, end: Ints) -> tuple[Ints, Ints]:
    """For ranges ``first`` to ``end``: which range, and which place, of every place in any."""
    counts = np.maximum(end - first, 0)
    which = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    return which, np.arange(len(which)) - before[which] + first[which]


class Groups:
    """Rows by group and time; ``group`` may be any numbers, few or sparse."""

    def __init__(self, group: Ints, time: Ints) -> None:
        self._distinct, codes = np.unique(group, return_inverse=True)
        keys = key(codes.reshape(-1), time)
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def within(self, group: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints]:
        """All pairs of an asker and a row of its group with a time from ``first`` to ``last``."""
        left, right = self._ranges(group, first, last)
        asker, place = spread(left, right)
        return asker, self._order[place]

    def count(self, group: Ints, first: Ints, last: Ints) -> Ints:
        """How many rows each asker has there."""
        left, right = self._ranges(group, first, last)
        counts: Ints = np.maximum(right - left, 0)
        return counts

    def _ranges(self, group: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints]:
        if not len(self._distinct):
            return np.zeros_like(group), np.zeros_like(group)
        code = np.minimum(np.searchsorted(self._distinct, group), len(self._distinct) - 1)
        known = self._distinct[code] == group
        left = np.searchsorted(self._keys, key(code, first), side="left")
        right = np.searchsorted(self._keys, key(code, last), side="right")
        return left, np.where(known, right, left)


def starts_of(sorted_groups: Ints) -> Ints:
    """Where each run of equal values begins."""
    if not len(sorted_groups):
        return np.zeros(0, np.int64)
    return np.flatnonzero(np.concatenate([[True], sorted_groups[1:] != sorted_groups[:-1]]))


def lower_medians(group: Ints, values: Ints) -> tuple[Ints, Ints, Ints]:
    """Of each group that occurs: itself, the lower median of its values, and how many it has."""
    order = np.lexsort((values, group))
    groups = group[order]
    starts = starts_of(groups)
    counts = np.diff(np.concatenate([starts, [len(groups)]]))
    return groups[starts], values[order][starts + (counts - 1) // 2], counts
