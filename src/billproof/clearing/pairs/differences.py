"""What differs between the two records of a pair, what a record without a pair is, and the money at stake.

``docs/clearing.md``, section 4. Money is in billionths of the settlement currency: ours less theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from billproof.clearing.agreement.agreement import Agreement
from billproof.clearing.books.book import NO_USAGE, Book, Codes
from billproof.clearing.kernel import Ints
from billproof.clearing.loops import QUARTER, QUARTERS
from billproof.clearing.pairs.passes import UNITS, Pairs

Bools = NDArray[np.bool_]

_DATA = 6
_CERTAIN = 16  # of the larger unit: below, rounding to it leaves too little of a usage
_LEAST_RATIO = 0.001  # exchange rates as near to one as this tell nothing
_ONE_RATIO = 0.01  # ratios of exchange rates as near to each other as this need not be told apart
_SURE = 10  # times: what rounding leaves open of a ratio, to the distance from the next


class Kind(IntEnum):
    """What is different, in the order in which it is told."""

    TIME_ZONE = 0
    NUMBER = 1
    UNIT = 2
    DURATION = 3
    ROUNDING = 4
    CURRENCY = 5
    RATE = 6
    MISSING = 7
    DUPLICATE = 8
    CYCLE_SHIFT = 9

    @property
    def word(self) -> str:
        return self.name.lower().replace("_", "-")


#: Kinds that say nothing of money.
FREE = (Kind.TIME_ZONE, Kind.NUMBER)


def undisputed(ours: Ints, theirs: Ints) -> Ints:
    """How much of two amounts is in both: of one sign the one nearer to zero, else nothing: (n,)."""
    found: Ints = np.clip(theirs, np.minimum(ours, 0), np.maximum(ours, 0))
    return found


def claims_of(ours: Ints, theirs: Ints) -> tuple[Ints, Ints]:
    """What either side claims of two amounts: its own beyond what is in both, with its sign: (n,), (n,)."""
    both = undisputed(ours, theirs)
    return ours - both, theirs - both


@dataclass(frozen=True)
class Differences:
    """Of k pairs and of what is left of either book."""

    kinds: NDArray[np.uint16]  # (k,) bits 1 << Kind; 0: agreed
    money: Ints  # (k,)
    shift: Ints  # (k,) seconds that theirs begins later, as a multiple of a quarter of an hour
    unit: NDArray[
        np.int8
    ]  # (k,) 1 + place in UNITS where ours is the smaller number, negative: theirs; 0: none
    usage_agrees: Bools  # (k,)
    billed_agrees: Bools  # (k,)
    left: tuple[NDArray[np.uint8], NDArray[np.uint8]]  # the Kind of each record without a pair
    grain: tuple[Ints, Ints]  # (k,) what each side rounds its amounts to

    def has(self, kind: Kind) -> Bools:
        """Which pairs differ in this way: (k,)."""
        found: Bools = self.kinds & np.uint16(1 << kind) != 0
        return found

    @property
    def paying(self) -> NDArray[np.int8]:
        """The kind that a pair's money belongs to, the first that is about money; -1: agreed: (k,)."""
        found = np.full(len(self.kinds), -1, np.int8)
        order = [*FREE, *(kind for kind in reversed(Kind) if kind not in FREE)]
        for kind in order:
            found[self.has(kind)] = kind
        return found


@dataclass(frozen=True)
class Measures:
    """What the differences of all parts are measured by. ``agreement`` has the month's exchange rates."""

    agreement: Agreement
    grains: tuple[Ints, Ints]  # by code of a currency: what each side rounds its amounts to
    ends: tuple[tuple[int, int], tuple[int, int]]  # first and last start of each book, its clocks set right


def judge(
    books: tuple[Book, Book], pairs: Pairs, measures: Measures, starts: tuple[Ints, Ints]
) -> Differences:
    """What differs. ``starts`` are those of what is left of either book, clocks of batches set right."""
    a, b = pairs.ours, pairs.theirs
    grain = measures.grains[0][books[0].currency[a]], measures.grains[1][books[1].currency[b]]
    left = tuple(_left(books, pairs, side, starts[side], measures.ends) for side in (0, 1))
    return compare(books, a, b, measures.agreement, grain, (left[0], left[1]))


def compare(
    books: tuple[Book, Book],
    a: Ints,
    b: Ints,
    agreement: Agreement,
    grain: tuple[Ints, Ints],
    left: tuple[NDArray[np.uint8], NDArray[np.uint8]],
) -> Differences:
    """What differs between record ``a[i]`` of ours and ``b[i]`` of theirs; ``grain`` is (k,) of each side."""
    mine, other = books
    tolerance = agreement.tolerance
    service = mine.service[a]
    allowed = np.where(service == _DATA, tolerance.data, tolerance.usage)
    money = mine.settled[a] - other.settled[b]
    kinds = np.zeros(len(a), np.uint16)

    apart = other.started_at[b] - mine.started_at[a]
    shift = (apart + QUARTER // 2) // QUARTER * QUARTER
    is_usage = service < NO_USAGE
    shift[(np.abs(shift) > QUARTERS * QUARTER) | ~is_usage] = 0
    _mark(kinds, Kind.TIME_ZONE, (shift != 0) & (np.abs(apart - shift) <= tolerance.start))
    _mark(kinds, Kind.NUMBER, (mine.number[a] != other.number[b]) & is_usage)

    usages = mine.usage[a], other.usage[b]
    usage_agrees = (np.abs(usages[0] - usages[1]) <= allowed) | ~is_usage
    billed_agrees = (np.abs(mine.billed_usage[a] - other.billed_usage[b]) <= allowed) | ~is_usage
    unit = _units(usages, usage_agrees)
    _mark(kinds, Kind.UNIT, unit != 0)
    _mark(kinds, Kind.DURATION, ~usage_agrees & (unit == 0))
    _mark(kinds, Kind.ROUNDING, usage_agrees & ~billed_agrees)

    billed = other.billed_usage[b]
    unequal = np.abs(mine.billed_usage[a] - billed) / np.maximum(
        billed, 1
    )  # within the tolerance, and charged
    priced = billed_agrees & (np.abs(money) > tolerance.amount + np.abs(other.settled[b]) * unequal)
    currency = np.zeros(len(a), bool)
    amounts = mine.settled[a[priced]], other.settled[b[priced]]
    grains = grain[0][priced], grain[1][priced]
    ratios = factors(agreement)
    for factor in ratios:
        sure = _SURE * _uncertain(factor, grains) <= np.abs(amounts[0]) * _distance(factor, ratios)
        currency[priced] |= sure & scaled(*amounts, factor, grains)
    _mark(kinds, Kind.CURRENCY, currency)
    _mark(kinds, Kind.RATE, priced & ~currency)
    return Differences(kinds, money, shift, unit, usage_agrees, billed_agrees, left, grain)


def factors(agreement: Agreement) -> list[float]:
    """Ratios of the exchange rates of two currencies of the agreement."""
    rates = [float(rate) for rate in agreement.exchange.values()]
    found = {round(a / b, 12) for a in rates for b in rates}
    return sorted(factor for factor in found if abs(factor - 1) > _LEAST_RATIO)


def scaled(ours: Ints, theirs: Ints, factor: float, grain: tuple[Ints, Ints]) -> Bools:
    """Which of their amounts are ours times a factor, but for the rounding of both: (n,)."""
    found: Bools = np.abs(theirs - ours * factor) <= _uncertain(factor, grain)
    found &= ours != 0
    return found


def _uncertain(factor: float, grain: tuple[Ints, Ints]) -> NDArray[np.float64]:
    """How far theirs may be from ours times a factor by the rounding of both: (n,)."""
    found: NDArray[np.float64] = np.asarray(grain[0] * factor + grain[1], np.float64)
    return found


def _distance(factor: float, ratios: Sequence[float]) -> float:
    """How far a ratio of exchange rates is from one, and from the others."""
    apart = [abs(factor - ratio) for ratio in ratios]
    return min([abs(factor - 1), *(gap for gap in apart if gap > _ONE_RATIO * factor)])


def in_unit(usages: tuple[Ints, Ints], unit: int) -> Bools:
    """Which usages have a ratio, as :attr:`Differences.unit` tells it, to within one unit: (n,)."""
    small, large = usages if unit > 0 else usages[::-1]
    ratio = UNITS[abs(unit) - 1]
    whole, rest = np.divmod(large, ratio)  # of which no product leaves 64 bits
    apart = small - whole
    found: Bools = (apart == 0) | (apart == 1) | ((apart == -1) & (rest == 0))
    return found


def _mark(kinds: NDArray[np.uint16], kind: Kind, rows: Bools) -> None:
    kinds[rows] |= np.uint16(1 << kind)


def _units(usages: tuple[Ints, Ints], agrees: Bools) -> NDArray[np.int8]:
    """The ratio of each two usages that is one of two units; the nearest where several fit: (k,)."""
    found = np.zeros(len(agrees), np.int8)
    rows = np.flatnonzero(~agrees & (np.minimum(*usages) >= _CERTAIN))
    some = usages[0][rows], usages[1][rows]
    best = np.full(len(rows), np.inf)
    for place in range(1, len(UNITS) + 1):
        for unit in (place, -place):
            small, large = some if unit > 0 else some[::-1]
            off = np.abs(large / (small * float(UNITS[place - 1])) - 1)
            better = in_unit(some, unit) & (off < best)
            best[better] = off[better]
            found[rows[better]] = unit
    return found


def common_of(book: Book) -> dict[int, int]:
    """By code of a currency, what divides all amounts in it."""
    codes = np.flatnonzero(np.bincount(book.currency)).tolist()
    return {code: int(np.gcd.reduce(book.amount[book.currency == code])) for code in codes}


def grains_of(common: Mapping[int, int], agreement: Agreement, codes: Codes) -> Ints:
    """The power of ten that amounts of a currency are multiples of, in the settlement's: by code."""
    found = np.ones(len(codes.currencies.texts), np.int64)
    for code, divisor in common.items():
        power = 1
        while divisor and divisor % (10 * power) == 0 and power < 10**9:
            power *= 10
        found[code] = max(1, round(power * agreement.exchange[codes.currencies.texts[code]]))
    return found


def _left(
    books: tuple[Book, Book],
    pairs: Pairs,
    side: int,
    start: Ints,
    ends: tuple[tuple[int, int], tuple[int, int]],
) -> NDArray[np.uint8]:
    """What each record without a pair is: (n,)."""
    rows = (pairs.ours_left, pairs.theirs_left)[side]
    found = np.full(len(rows), Kind.MISSING, np.uint8)
    (own_first, own_last), (first, last) = ends[side], ends[1 - side]
    span = QUARTERS * QUARTER
    usage = books[side].service[rows] < NO_USAGE
    late = (start > last) & (own_last - start <= span)
    early = (start < first) & (start - own_first <= span)
    found[usage & (late | early)] = Kind.CYCLE_SHIFT
    found[pairs.copies[side] != -1] = Kind.DUPLICATE
    return found
