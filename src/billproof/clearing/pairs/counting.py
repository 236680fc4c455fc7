"""How often values are there, in parts and in all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DENSE = 1 << 22  # a range of values that is counted by place


def counted(values: NDArray[Any]) -> dict[int, int]:
    """How often each value is there."""
    if not len(values):
        return {}
    first, last = int(values.min()), int(values.max())
    if last - first < _DENSE:
        counts = np.bincount((values - first).astype(np.int64, copy=False))
        there = np.flatnonzero(counts)
        return dict(zip((there + first).tolist(), counts[there].tolist(), strict=True))
    distinct, counts = np.unique(values, return_counts=True)
    return dict(zip(distinct.tolist(), counts.tolist(), strict=True))


def added(some: Sequence[Mapping[Any, int]]) -> dict[Any, int]:
    """The sums of counts, by ascending key."""
    found: dict[Any, int] = {}
    for counts in some:
        for key, count in counts.items():
            found[key] = found.get(key, 0) + count
    return dict(sorted(found.items()))


def at_place(counts: Mapping[int, int], place: int) -> tuple[int, int]:
    """The value at a place of all in ascending order, and the place among those of that value."""
    for value, count in counts.items():
        if place < count:
            return value, place
        place -= count
    raise IndexError(place)


def own(array: NDArray[Any]) -> NDArray[Any]:
    """The array itself, or a copy of one that cannot be written to."""
    return array if array.flags.writeable else array.copy()
