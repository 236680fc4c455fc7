"""Price plans: from a plan, a kind of traffic and the time of day to a rate, and from a rate to an amount.

Prices are billionths for a minute, a message or a byte. A rate has a first interval and a step: 60/60 rounds
calls up to minutes, 30/6 to six seconds after half a minute, 1/1 not at all; data is rounded up to 1 kB,
10 kB, 100 kB. ``usage`` is what the network measured, ``billed usage`` what the rounding made of it. Between
them the plans have most of what tariffs have: a dearer first minute, a fee for the connection, amounts
rounded to four decimals, free usage in a month, data that becomes cheaper.

This is the simulator's own rating. ``documents`` says in the format of ``docs/tariff.md`` what it charges;
whatever checks a bill by those documents shares no code with it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from billproof.records import NANO

Int64s = npt.NDArray[np.int64]


class Kind(IntEnum):
    """Kinds of traffic that have a price of their own."""

    ON_NET = 0
    OFF_NET = 1
    LANDLINE = 2
    NEAR = 3
    FAR = 4
    SHORT = 5
    ROAMING_OUT = 6
    ROAMING_IN = 7
    FORWARDED = 8
    TEXT = 9
    TEXT_ABROAD = 10
    TEXT_PREMIUM = 11
    PICTURE = 12
    DATA = 13
    ROAMING_DATA = 14
    CONTENT = 15


class Pool(IntEnum):
    """What a plan's free usage is of."""

    NONE = 0
    MINUTES = 1
    MESSAGES = 2
    DATA = 3


@dataclass(frozen=True)
class Plan:
    """A price plan. ``fee`` is billionths a month, ``voice`` a minute, ``text`` a message, ``data`` a byte.

    ``opening`` is the price of a minute within ``first`` where it is another; ``connection`` the fee for
    each call at home; amounts are rounded half-up to multiples of ``grain``. ``free_seconds``,
    ``free_messages`` and ``free_bytes`` are included in each month at home; beyond ``tier_above`` bytes of
    data in a month one costs ``tier_data``.
    """

    name: str
    fee: int
    first: int
    step: int
    voice: int
    text: int
    data: int
    data_step: int
    opening: int | None = None
    connection: int = 0
    grain: int = 1
    free_seconds: int = 0
    free_messages: int = 0
    free_bytes: int = 0
    tier_above: int = 0
    tier_data: int = 0

    @property
    def monthly(self) -> bool:
        """Whether what a line costs depends on the lines of the month before it."""
        return any((self.free_seconds, self.free_messages, self.free_bytes, self.tier_above))

    @property
    def free(self) -> tuple[int, ...]:
        """Free usage in a month by :class:`Pool`."""
        return 0, self.free_seconds, self.free_messages, self.free_bytes


#: Plans and how many subscribers in a hundred have them: three roundings, a flat rate, free usage with a fee
#: for each connection, a dearer first minute with cheaper data, and four decimals.
PLANS = (
    Plan("minute", 5 * NANO, 60, 60, 150_000_000, 90_000_000, 8, 100_000),
    Plan("flex", 9_990_000_000, 30, 6, 99_000_000, 60_000_000, 5, 10_000),
    Plan("second", 14_500_000_000, 1, 1, 72_000_000, 40_000_000, 3, 1_000),
    Plan("flat", 29_900_000_000, 1, 1, 0, 0, 0, 1_000),
    Plan(
        "starter", 12 * NANO, 1, 1, 120_000_000, 80_000_000, 6, 10_000, connection=20_000_000,
        free_seconds=40 * 60, free_messages=10, free_bytes=100_000_000,
    ),
    Plan(
        "steps", 8_490_000_000, 60, 1, 60_000_000, 70_000_000, 6, 100_000, opening=150_000_000,
        tier_above=50_000_000, tier_data=4,
    ),
    Plan(
        "connect", 6_900_000_000, 1, 1, 79_900_000, 75_000_000, 4, 1_000, connection=35_000_000,
        grain=100_000,
    ),
)  # fmt: skip
PLAN_WEIGHTS = (15, 25, 15, 15, 12, 8, 10)

#: Voice price outside the plan: billionths a minute, and the connection fee.
ABROAD_NEAR = (189_960_000, 50_000_000)
ABROAD_FAR = (684_000_000, 120_000_000)
SHORT_CODE = (294_000_000, 0)
ROAMING_OUT = (349_800_000, 0)
ROAMING_IN = (114_000_000, 0)

VAT_PERCENT = 23
LOYALTY_PERCENT = 10
SIM_REPLACEMENT = 15 * NANO

#: Calls that are priced by the plan and the time of day.
PLAN_CALLS = (Kind.ON_NET, Kind.OFF_NET, Kind.LANDLINE, Kind.FORWARDED)

#: What is included in a plan with free usage.
_POOLS = {
    **dict.fromkeys((Kind.ON_NET, Kind.OFF_NET, Kind.LANDLINE), Pool.MINUTES),
    Kind.TEXT: Pool.MESSAGES,
    Kind.DATA: Pool.DATA,
}

_NEVER = 1 << 62


@dataclass(frozen=True)
class Rate:
    """One rate. ``opening`` and ``price`` are for ``unit`` seconds, messages or bytes, in billionths."""

    name: str
    connection: int
    opening: int
    price: int
    unit: int
    first: int
    step: int
    grain: int
    pool: Pool
    tier_above: int
    tier_price: int


@dataclass(frozen=True)
class RateTable:
    """All rates, position ``(plan * len(Kind) + kind) * 2 + peak``; columns of shape (rates,)."""

    names: pa.StringArray
    connection: Int64s
    opening: Int64s
    price: Int64s
    unit: Int64s
    first: Int64s
    step: Int64s
    grain: Int64s
    pool: Int64s
    tier_above: Int64s
    tier_price: Int64s

    def rate(self, plan: Int64s, kind: Int64s, peak: npt.NDArray[np.bool_]) -> Int64s:
        """Position of the rate for each record."""
        return (plan * len(Kind) + kind) * 2 + peak

    def billed(self, rate: Int64s, usage: Int64s) -> Int64s:
        """Billed usage for usage, at least 1, in seconds, messages or bytes."""
        first, step = self.first[rate], self.step[rate]
        beyond = np.maximum(usage - first, 0)
        return np.asarray(first + -(-beyond // step) * step, dtype=np.int64)

    def charge(self, rate: Int64s, usage: Int64s) -> tuple[Int64s, Int64s]:
        """Billed usage, and amount in billionths, where nothing is free and no tier is reached."""
        billed, first = self.billed(rate, usage), self.first[rate]
        parts = self.connection[rate] * self.unit[rate] + first * self.opening[rate]
        return billed, self._rounded(rate, parts + (billed - first) * self.price[rate])

    def settle(self, rate: Int64s, usage: Int64s, left: Int64s, before: Int64s) -> tuple[Int64s, Int64s]:
        """The same with ``left`` of the free usage, and ``before`` billed by the rate in the month so far."""
        billed, first = self.billed(rate, usage), self.first[rate]
        free = np.minimum(left, billed)
        at_first = np.minimum(free, first)
        cheap = before >= self.tier_above[rate]
        opening = np.where(cheap, self.tier_price[rate], self.opening[rate])
        price = np.where(cheap, self.tier_price[rate], self.price[rate])
        connection = np.where(free > 0, 0, self.connection[rate])
        parts = connection * self.unit[rate] + (first - at_first) * opening
        return billed, self._rounded(rate, parts + (billed - first - (free - at_first)) * price)

    def _rounded(self, rate: Int64s, parts: Int64s) -> Int64s:
        """Amounts of a ``unit`` each, half-up to multiples of ``grain``."""
        grain = self.grain[rate]
        whole = grain * self.unit[rate]
        return np.asarray((2 * parts + whole) // (2 * whole) * grain, dtype=np.int64)


@cache
def rates() -> tuple[Rate, ...]:
    """The rates of all plans, in the order of the table."""
    return tuple(_rate(plan, kind, peak) for plan in PLANS for kind in Kind for peak in (False, True))


@cache
def rate_table() -> RateTable:
    """The rates of all plans, as columns."""
    columns = {
        field.name: np.array([getattr(rate, field.name) for rate in rates()], dtype=np.int64)
        for field in fields(Rate)
        if field.name != "name"
    }
    return RateTable(pa.array([rate.name for rate in rates()], pa.string()), **columns)


def plan_of(rate: Int64s) -> Int64s:
    """Position in ``PLANS`` of the plan that each rate belongs to."""
    return rate // (2 * len(Kind))


def _rate(plan: Plan, kind: Kind, peak: bool) -> Rate:
    label = kind.name.lower().replace("_", "-")
    connection, first, step, unit = 0, plan.first, plan.step, 60
    opening: int | None = None
    tier_above, tier_price = _NEVER, 0
    match kind:
        case Kind.ON_NET | Kind.OFF_NET | Kind.LANDLINE | Kind.FORWARDED:
            # Off-peak is 60 % of peak; calls inside the network another fifth less.
            percent = (100 if peak else 60) * (80 if kind is Kind.ON_NET else 100)
            price, connection = plan.voice * percent // 10_000, plan.connection
            opening = None if plan.opening is None else plan.opening * percent // 10_000
            label = f"{label}/{'peak' if peak else 'off-peak'}"
        case Kind.NEAR:
            price, connection = ABROAD_NEAR
        case Kind.FAR:
            price, connection = ABROAD_FAR
        case Kind.SHORT:
            price, connection = SHORT_CODE
        case Kind.ROAMING_OUT | Kind.ROAMING_IN:
            price, connection = ROAMING_OUT if kind is Kind.ROAMING_OUT else ROAMING_IN
            # Roaming is charged by the second after the first half minute, whatever the plan.
            first, step = (30, 1) if kind is Kind.ROAMING_OUT else (1, 1)
        case Kind.TEXT | Kind.TEXT_ABROAD | Kind.TEXT_PREMIUM | Kind.PICTURE | Kind.CONTENT:
            price = {
                Kind.TEXT: plan.text,
                Kind.TEXT_ABROAD: 140_000_000,
                Kind.TEXT_PREMIUM: 1_500_000_000,
                Kind.PICTURE: 250_000_000,
                Kind.CONTENT: 2_990_000_000,
            }[kind]
            first, step, unit = 1, 1, 1
        case Kind.DATA:
            price, first, step, unit = plan.data, plan.data_step, plan.data_step, 1
            if plan.tier_above:
                tier_above, tier_price = plan.tier_above, plan.tier_data
        case Kind.ROAMING_DATA:
            price, first, step, unit = 180, 10_000, 10_000, 1
    pool = _POOLS.get(kind, Pool.NONE)
    return Rate(
        f"{plan.name}/{label}", connection, price if opening is None else opening, price, unit, first, step,
        plan.grain, pool if plan.free[pool] else Pool.NONE, tier_above, tier_price,
    )  # fmt: skip
