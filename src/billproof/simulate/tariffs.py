"""Price plans: from a plan, a kind of traffic and the time of day to a rate, and from a rate to an amount.

Prices are whole billionths for a second, a message or a byte, so that every amount is exact. A rate has
a first interval and a step: 60/60 rounds calls up to minutes, 30/6 to six seconds after half a minute,
1/1 not at all; data is rounded up to 1 kB, 10 kB or 100 kB. ``usage`` is what the network measured,
``billed usage`` what the rounding made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Plan:
    """A price plan. ``fee`` and ``voice`` are billionths a month and a second, ``data`` a byte."""

    name: str
    fee: int
    first: int
    step: int
    voice: int
    text: int
    data: int
    data_step: int


#: Plans and how many subscribers in a hundred have them: three roundings, and one flat rate.
PLANS = (
    Plan("minute", 5 * NANO, 60, 60, 2_500_000, 90_000_000, 8, 100_000),
    Plan("flex", 9_990_000_000, 30, 6, 1_650_000, 60_000_000, 5, 10_000),
    Plan("second", 14_500_000_000, 1, 1, 1_200_000, 40_000_000, 3, 1_000),
    Plan("flat", 29_900_000_000, 1, 1, 0, 0, 0, 1_000),
)
PLAN_WEIGHTS = (20, 35, 25, 20)

#: Voice price outside the plan: billionths a second, and the connection fee.
ABROAD_NEAR = (3_166_000, 50_000_000)
ABROAD_FAR = (11_400_000, 120_000_000)
SHORT_CODE = (4_900_000, 0)
ROAMING_OUT = (5_830_000, 0)
ROAMING_IN = (1_900_000, 0)

VAT_PERCENT = 23


@dataclass(frozen=True)
class RateTable:
    """All rates, position ``(plan * len(Kind) + kind) * 2 + peak``; columns of shape (rates,)."""

    names: pa.StringArray
    connection: Int64s
    price: Int64s
    first: Int64s
    step: Int64s

    def rate(self, plan: Int64s, kind: Int64s, peak: npt.NDArray[np.bool_]) -> Int64s:
        """Position of the rate for each record."""
        return (plan * len(Kind) + kind) * 2 + peak

    def charge(self, rate: Int64s, usage: Int64s) -> tuple[Int64s, Int64s]:
        """Billed usage, and amount in billionths, for usage in seconds, messages or bytes."""
        first, step = self.first[rate], self.step[rate]
        beyond = np.maximum(usage - first, 0)
        billed = first + -(-beyond // step) * step
        return billed, self.connection[rate] + billed * self.price[rate]


@cache
def rate_table() -> RateTable:
    """The rates of all plans."""
    rows = [_row(plan, kind, peak) for plan in PLANS for kind in Kind for peak in (False, True)]
    names, connection, price, first, step = zip(*rows, strict=True)
    columns = (np.array(column, dtype=np.int64) for column in (connection, price, first, step))
    return RateTable(pa.array(names, pa.string()), *columns)


def _row(plan: Plan, kind: Kind, peak: bool) -> tuple[str, int, int, int, int]:
    label = kind.name.lower().replace("_", "-")
    connection, first, step = 0, plan.first, plan.step
    match kind:
        case Kind.ON_NET | Kind.OFF_NET | Kind.LANDLINE | Kind.FORWARDED:
            # Off-peak is 60 % of peak; calls inside the network another fifth less.
            price = plan.voice * (100 if peak else 60) * (80 if kind is Kind.ON_NET else 100) // 10_000
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
            first, step = 1, 1
        case Kind.DATA:
            price, first, step = plan.data, plan.data_step, plan.data_step
        case Kind.ROAMING_DATA:
            price, first, step = 180, 10_000, 10_000
    return f"{plan.name}/{label}", connection, price, first, step
