"""The loops of :mod:`billproof.clearing.loops` as machine code, beside numpy's sorting."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
from numba import types
from numpy.typing import NDArray

from billproof.clearing import loops
from billproof.compiled import cache_directory, compiled

Ints = NDArray[np.int64]

_COLUMNS = types.Array(types.int64, 2, "C")
_PLACES = types.Array(types.int64, 1, "C")
_TEXT = types.Array(types.uint8, 1, "C", readonly=True)

_cache = cache_directory(loops.__file__, __file__)
_numbers = compiled(loops.numbers, types.void(_TEXT, _PLACES, _PLACES), _cache)
_windows = compiled(
    loops.windows, types.int64(_COLUMNS, _COLUMNS, types.int64, _PLACES, _PLACES, _COLUMNS), _cache
)
_identical = compiled(loops.identical, types.void(_COLUMNS, _COLUMNS, _PLACES), _cache)
_votes = compiled(loops.votes, types.void(_COLUMNS, _COLUMNS, types.int64, _PLACES, _PLACES, _PLACES), _cache)

#: No limit to how far usages may differ.
ANY = 1 << 62

_MIX = np.uint64(0x9E3779B97F4A7C15)


def numbers(texts: pa.StringArray) -> Ints:
    """Each text's number as an integer below 2^52, -1 where it is neither E.164 nor a short code: (n,)."""
    texts = texts.cast(pa.large_string())
    found = np.empty(len(texts), np.int64)
    if len(texts):
        _, offsets, data = texts.buffers()
        starts = np.frombuffer(offsets, np.int64, len(texts) + 1, texts.offset * 8)
        octets = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
        _numbers(octets, np.ascontiguousarray(starts).copy(), found)
    return found


def drawn(number: Ints, started_at: Ints, usage: Ints) -> NDArray[np.uint64]:
    """A hash of what records say, those below a bound being drawn: (n,).

    It is the same in a store and in proof files, where batches have other codes and records other places.
    """
    return mixed(np.vstack([number, started_at, usage])).view(np.uint64)


def mixed(columns: Ints) -> Ints:
    """A hash of each column of an (k, n) matrix; it decides an order, and nothing else: (n,)."""
    found = np.zeros(columns.shape[1], np.uint64)
    for row in columns:
        found ^= row.view(np.uint64)
        found *= _MIX
        found ^= found >> np.uint64(29)
    return found.view(np.int64)


def by_key(columns: Ints) -> Ints:
    """The order of an (k, n) matrix by its rows, key and start first, whatever order it comes in: (n,)."""
    order = np.argsort(columns[1], kind="stable")
    order = order[np.argsort(columns[0][order], kind="stable")]
    key, start = columns[0][order], columns[1][order]
    equal = (key[1:] == key[:-1]) & (start[1:] == start[:-1])
    if equal.any():
        tied = np.flatnonzero(np.append(equal, False) | np.append(False, equal))
        rows = order[tied]
        order[tied] = rows[np.lexsort(columns[::-1, rows])]
    return order


def pair_identical(ours: Ints, theirs: Ints) -> tuple[Ints, Ints]:
    """Places in (5, n) and (5, m) of equal records, in order."""
    with ThreadPoolExecutor(2) as both:
        (mine, a), (other, b) = both.map(_hashed, (ours, theirs))
    partner = np.full(a.shape[1], -1, np.int64)
    _identical(a, b, partner)
    return _places(mine, other, partner)


def _hashed(columns: Ints) -> tuple[Ints, Ints]:
    """The order by a hash of all rows, and the matrix in it with the hash below: (n,), (6, n)."""
    hashes = mixed(columns)
    order = np.argsort(hashes, kind="stable")
    return order, np.ascontiguousarray(np.vstack([columns, hashes])[:, order])


def pair_windows(ours: Ints, theirs: Ints, window: int, limits: Ints) -> tuple[Ints, Ints]:
    """Places in (5, n) and (5, m) of pairs within the window: see :func:`billproof.clearing.loops.windows`.

    What the cut of a long chain left over is tried again until nothing more is found.
    """
    with ThreadPoolExecutor(2) as both:
        mine, other = both.map(by_key, (ours, theirs))
    work = np.zeros((6, 2 * loops.CHAIN + 2), np.int64)
    found: list[tuple[Ints, Ints]] = []
    while len(mine) and len(other):
        partner = np.full(len(mine), -1, np.int64)
        cuts = _windows(
            np.ascontiguousarray(ours[:, mine]),
            np.ascontiguousarray(theirs[:, other]),
            window,
            limits,
            partner,
            work,
        )
        found.append(_places(mine, other, partner))
        if not cuts or not len(found[-1][0]):
            break
        taken = np.zeros(len(other), bool)
        taken[partner[partner >= 0]] = True
        mine, other = mine[partner < 0], other[~taken]
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found])


def count_votes(some: Ints, other: Ints, tolerance: int, limits: Ints) -> Ints:
    """How many of some records have one in the other book, sorted, at each shift: (2 QUARTERS + 1,)."""
    hits, stamps = (np.zeros(2 * loops.QUARTERS + 1, np.int64) for _ in range(2))
    _votes(np.ascontiguousarray(some), other, tolerance, limits, hits, stamps)
    return hits


def _places(mine: Ints, other: Ints, partner: Ints) -> tuple[Ints, Ints]:
    paired: Any = np.flatnonzero(partner >= 0)
    return mine[paired], other[partner[paired]]
