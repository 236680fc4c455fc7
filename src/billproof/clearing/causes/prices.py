"""Ratios of prices that many pairs have in common, and what a unit costs each side.

For :mod:`billproof.clearing.causes.hypotheses`. Ratios are told by the larger amounts, of which rounding
took least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from billproof.clearing.pairs.differences import Bools, Kind
from billproof.clearing.pairs.parts import Part, Parts
from billproof.records import NANO

_BINS = 1000  # of ratios, to e times as much; two of them are one value
_FARTHEST = 14 * _BINS  # times as much, or as little, as e^14
_STEPS = 8  # of certainty, to twice as much

#: How certain a ratio is, a bin of ratios → pairs, and what they cost ours and theirs.
_Cells = dict[tuple[int, int], tuple[int, int, int]]

#: Services whose billed usage is in one unit: what it is called, and how many of billed usage it has.
_UNITS = (((1, 2, 3), "minute", 60), ((4, 5, 7), "message", 1), ((6,), "MB", 10**6))
_DIGITS = 4


@dataclass(frozen=True)
class Priced:
    """Their price is ours times a ratio, to within what both round amounts to."""

    ratio: float

    @property
    def what(self) -> dict[str, Any]:
        """In the words of a document."""
        return {"ratio": round(self.ratio, 4)}

    def see(self, part: Part) -> tuple[Bools, Bools]:
        """See :class:`billproof.clearing.causes.hypotheses.Hypothesis`."""
        ours, theirs = part.both("settled")
        grain = part.judged.grain[0] + part.judged.grain[1]
        domain = part.judged.billed_agrees & (ours != 0)
        near = grain * max(1.0, self.ratio) + np.abs(theirs) / 1000
        return domain, domain & (np.abs(theirs - ours * self.ratio) <= near)


@dataclass(frozen=True)
class _Ratios:
    """The ratios of prices of what waits and is not as any of those tried before."""

    tried: tuple[Priced, ...]

    def __call__(self, part: Part) -> _Cells:
        bits = part.waiting
        if bits is None:
            raise ValueError("not judged yet")
        rows = bits & np.uint16(1 << Kind.RATE) != 0
        ours, theirs = part.both("settled")
        rows &= part.judged.billed_agrees & (ours != 0) & (theirs != 0) & ((ours > 0) == (theirs > 0))
        for price in self.tried:
            rows &= ~price.see(part)[1]
        at = np.flatnonzero(rows)
        if not len(at):
            return {}
        ours, theirs = np.abs(ours[at]), np.abs(theirs[at])
        grain = part.judged.grain[0][at] + part.judged.grain[1][at]
        fraction, exponent = np.frexp(grain / np.minimum(ours, theirs))
        sure = exponent.astype(np.int64) * _STEPS + ((2 * fraction - 1) * _STEPS).astype(np.int64)
        ratio = np.searchsorted(_edges(), theirs / ours, "right") - _FARTHEST - 1
        keys, place = np.unique(np.vstack([sure, ratio]), axis=1, return_inverse=True)
        sums = [_sums(place.reshape(-1), column, keys.shape[1]) for column in (ours, theirs)]
        counts = np.bincount(place.reshape(-1), minlength=keys.shape[1]).tolist()
        cells = zip(keys[0].tolist(), keys[1].tolist(), counts, *sums, strict=True)
        return {(sure, ratio): (count, a, b) for sure, ratio, count, a, b in cells}


@cache
def _edges() -> NDArray[np.float64]:
    return np.exp(np.arange(-_FARTHEST, _FARTHEST + 1) / _BINS)


def _sums(place: NDArray[Any], column: NDArray[np.int64], size: int) -> list[int]:
    """Exact sums of a column by place."""
    order = np.argsort(place, kind="stable")
    begins = np.searchsorted(place[order], np.arange(size))
    high = np.add.reduceat(column[order] >> 32, begins).tolist()
    low = np.add.reduceat(column[order] & 0xFFFFFFFF, begins).tolist()
    return [(one << 32) + other for one, other in zip(high, low, strict=True)]


def suggested_prices(parts: Parts, tried: tuple[Priced, ...], least: int) -> Priced | None:
    """The ratio that most of the surer half has; None where fewer than ``least`` pairs have one."""
    cells: _Cells = {}
    for some in parts.each(_Ratios(tried)):
        for key, values in some.items():
            known = cells.get(key, (0, 0, 0))
            cells[key] = known[0] + values[0], known[1] + values[1], known[2] + values[2]
    pairs = sum(count for count, _, _ in cells.values())
    if pairs < least:
        return None
    bound = _surer(cells, max(least, pairs // 2))
    ratios: dict[int, tuple[int, int, int]] = {}
    for (sure, ratio), values in cells.items():
        if sure <= bound:
            known = ratios.get(ratio, (0, 0, 0))
            ratios[ratio] = known[0] + values[0], known[1] + values[1], known[2] + values[2]
    whole: dict[int, int] = {}
    for ratio, (count, _, _) in ratios.items():
        whole[ratio // 2] = whole.get(ratio // 2, 0) + count
    best = min(whole, key=lambda value: (-whole[value], value))
    near = [ratios[at] for at in range(2 * best - 1, 2 * best + 3) if at in ratios]
    if sum(count for count, _, _ in near) < least:
        return None
    ours, theirs = (sum(values[side] for values in near) for side in (1, 2))
    return Priced(float(Fraction(theirs, ours)))


def _surer(cells: _Cells, wanted: int) -> int:
    """Up to which uncertainty there are as many pairs as are wanted."""
    counts: dict[int, int] = {}
    for (sure, _), (count, _, _) in cells.items():
        counts[sure] = counts.get(sure, 0) + count
    for sure in sorted(counts):
        wanted -= counts[sure]
        if wanted <= 0:
            return sure
    return max(counts)


def unit_of(services: Sequence[int]) -> tuple[str, int] | None:
    """What a price of these services is for, and how much billed usage that is; None where they differ."""
    for members, name, size in _UNITS:
        if set(services) <= set(members):
            return name, size
    return None


def price(amount: int, billed: int, size: int) -> str | None:
    """What a unit costs, of sums, to four digits: more tell of rounding; None where it is nothing."""
    if billed <= 0 or amount <= 0:
        return None
    with localcontext(prec=_DIGITS):
        found = Decimal(amount * size) / Decimal(billed * NANO)
    return f"{found.normalize():f}"
