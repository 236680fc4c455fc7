"""The loops that pair two sorted books, for :mod:`billproof.clearing.kernel`, which compiles and calls them.

What they read and write is not checked here: their caller gives arrays that are large enough.
"""

from __future__ import annotations

from typing import Any

from numba.extending import register_jitable

PLUS, ZERO, NINE = 43, 48, 57

#: Where a service stands in a key, and the service that is counted in bytes.
SERVICE_BIT, DATA = 58, 6

#: Records of one chain that are assigned together; a longer chain is cut at its widest gap.
CHAIN = 64

#: Starts and usage weigh in whole units, equal billed usage and amount only among equals.
UNIT, BILLED, AMOUNT = 1024, 512, 256
MOST_USAGE, UNPAIRED = 600, 10_000 * UNIT

#: A quarter of an hour, and how many of them a shift may have: 26 hours.
QUARTER, QUARTERS = 900, 104

_SCANNED = 4096  # candidates of one record that a vote looks at


def numbers(data: Any, offsets: Any, found: Any) -> None:
    """Each text's number as an integer, -1 where it is none: twice the digits, and one with a plus."""
    for i in range(len(offsets) - 1):
        at, end = offsets[i], offsets[i + 1]
        plus = 0
        if at < end and data[at] == PLUS:
            plus, at = 1, at + 1
        elif at + 1 < end and data[at] == ZERO and data[at + 1] == ZERO:
            plus, at = 1, at + 2
        value = 0
        if end - at > 15 or (at == end and plus) or (at < end and data[at] == ZERO):
            value = -1
        for place in range(at, end):
            if value < 0 or data[place] < ZERO or data[place] > NINE:
                value = -1
                break
            value = value * 10 + data[place] - ZERO
        found[i] = 2 * value + plus if value >= 0 else -1


@register_jitable
def _cost(ours: Any, i: int, theirs: Any, j: int, window: int, limits: Any) -> int:
    """What pairing two records costs; the price of none where they may not be a pair."""
    apart = abs(ours[1, i] - theirs[1, j])
    usage = abs(ours[2, i] - theirs[2, j])
    data = (ours[0, i] >> SERVICE_BIT) == DATA
    if apart > window or usage > limits[1 if data else 0]:
        return UNPAIRED
    if data:
        usage //= 1000
    cost = (apart + min(MOST_USAGE, usage)) * UNIT
    if ours[3, i] != theirs[3, j]:
        cost += BILLED
    if ours[4, i] != theirs[4, j]:
        cost += AMOUNT
    return cost  # type: ignore[no-any-return]


@register_jitable
def _assign(
    few: Any, f0: int, n: int, many: Any, m0: int, m: int, window: int, limits: Any, work: Any
) -> None:
    """The cheapest assignment of n records to m ≥ n others, by shortest augmenting paths.

    ``work[0, 1 + j]`` is then one more than the place of who has j, or 0. Rows of ``work``: who has it,
    way, potentials of few, of many, least slack, whether seen.
    """
    for j in range(m + 1):
        work[0, j] = work[1, j] = work[2, j] = work[3, j] = 0
    for i in range(1, n + 1):
        work[0, 0] = i
        at = 0
        for j in range(m + 1):
            work[4, j] = UNPAIRED * CHAIN
            work[5, j] = 0
        while True:
            work[5, at] = 1
            row, least, to = work[0, at], UNPAIRED * CHAIN, 0
            for j in range(1, m + 1):
                if work[5, j] == 0:
                    cost = _cost(few, f0 + row - 1, many, m0 + j - 1, window, limits)
                    slack = cost - work[2, row] - work[3, j]
                    if slack < work[4, j]:
                        work[4, j], work[1, j] = slack, at
                    if work[4, j] < least:
                        least, to = work[4, j], j
            for j in range(m + 1):
                if work[5, j]:
                    work[2, work[0, j]] += least
                    work[3, j] -= least
                else:
                    work[4, j] -= least
            at = to
            if work[0, at] == 0:
                break
        while at:
            back = work[1, at]
            work[0, at] = work[0, back]
            at = back


def windows(ours: Any, theirs: Any, window: int, limits: Any, partner: Any, work: Any) -> int:
    """Pairs of two books sorted by key and start, chain by chain; returns how many chains were cut.

    ``ours`` and ``theirs`` are (5, n): key, start, usage, billed usage, amount. ``partner[i]`` becomes the
    place in theirs, or stays -1. ``limits``: how far usages may differ, in seconds or messages, and of data.
    """
    i, j, cuts = 0, 0, 0
    n, m = ours.shape[1], theirs.shape[1]
    while i < n and j < m:
        key = ours[0, i]
        if key != theirs[0, j]:
            if key < theirs[0, j]:
                i += 1
            else:
                j += 1
            continue
        i0, j0 = i, j
        last = min(ours[1, i], theirs[1, j])
        widest, wide_i, wide_j = -1, i, j
        while True:
            left = i < n and ours[0, i] == key
            right = j < m and theirs[0, j] == key
            if not left and not right:
                break
            first = left
            if left and right:  # of equal starts as many of either side, so that no cut has one side alone
                apart = ours[1, i] - theirs[1, j]
                first = apart < 0 or (apart == 0 and i - i0 <= j - j0)
            start = ours[1, i] if first else theirs[1, j]
            gap = start - last
            if gap > window:
                break
            size = i - i0 + j - j0
            if size >= CHAIN // 2 and gap > widest:
                widest, wide_i, wide_j = gap, i, j
            if size >= CHAIN:
                i, j = wide_i, wide_j
                cuts += 1
                break
            last = start
            if first:
                i += 1
            else:
                j += 1
        a, b = i - i0, j - j0
        if a == 1 and b == 1:
            if _cost(ours, i0, theirs, j0, window, limits) < UNPAIRED:
                partner[i0] = j0
        elif a and b and a <= b:
            _assign(ours, i0, a, theirs, j0, b, window, limits, work)
            for place in range(b):
                who = work[0, 1 + place] - 1
                if who >= 0 and _cost(ours, i0 + who, theirs, j0 + place, window, limits) < UNPAIRED:
                    partner[i0 + who] = j0 + place
        elif a and b:
            _assign(theirs, j0, b, ours, i0, a, window, limits, work)
            for place in range(a):
                who = work[0, 1 + place] - 1
                if who >= 0 and _cost(ours, i0 + place, theirs, j0 + who, window, limits) < UNPAIRED:
                    partner[i0 + place] = j0 + who
    return cuts


def identical(ours: Any, theirs: Any, partner: Any) -> None:
    """Pairs of equal columns in order; both are sorted by their last row, a hash of the others."""
    i, j = 0, 0
    n, m = ours.shape[1], theirs.shape[1]
    while i < n and j < m:
        if ours[5, i] != theirs[5, j]:
            if ours[5, i] < theirs[5, j]:
                i += 1
            else:
                j += 1
            continue
        same = True
        for row in range(5):
            same = same and ours[row, i] == theirs[row, j]
        if same:
            partner[i] = j
        i += 1
        j += 1


def votes(some: Any, other: Any, tolerance: int, limits: Any, hits: Any, stamps: Any) -> None:
    """How many of some records have one in the other book at each multiple of a quarter of an hour.

    ``hits`` is (2 QUARTERS + 1,), its middle no shift: by how much some begin later.
    """
    m = other.shape[1]
    for i in range(some.shape[1]):
        key, start = some[0, i], some[1, i]
        limit = limits[1 if (key >> SERVICE_BIT) == DATA else 0]
        low, high = 0, m
        earliest = start - QUARTER * QUARTERS - tolerance
        while low < high:
            middle = (low + high) // 2
            if other[0, middle] < key or (other[0, middle] == key and other[1, middle] < earliest):
                low = middle + 1
            else:
                high = middle
        for j in range(low, min(m, low + _SCANNED)):
            if other[0, j] != key or other[1, j] > start + QUARTER * QUARTERS + tolerance:
                break
            if abs(other[2, j] - some[2, i]) > limit:
                continue
            apart = start - other[1, j]
            quarters = (apart + QUARTER // 2) // QUARTER
            if abs(apart - QUARTER * quarters) > tolerance or abs(quarters) > QUARTERS:
                continue
            if stamps[quarters + QUARTERS] != i + 1:
                stamps[quarters + QUARTERS] = i + 1
                hits[quarters + QUARTERS] += 1
