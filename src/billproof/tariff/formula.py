"""What one rate charges, at one of its prices, as whole numbers: one division, rounded once.

The charge of section 4 of ``docs/tariff.md`` is (connection + Σ weight · paid) / divisor in units of
10^-decimals, where *paid* is billed usage that is not free, interval by interval. The exact Python integers
here serve single records; :mod:`vectors` is the same for columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd, lcm

from billproof.tariff.model import Rate, Rounding, Tariff
from billproof.tariff.values import MONEY_DECIMALS, PRICE_DECIMALS

MODES = ("up", "down", "half-up", "half-even")

_FULL = 10 ** (MONEY_DECIMALS + PRICE_DECIMALS)


def divide(numerator: int, divisor: int, mode: str) -> int:
    """The quotient rounded to a whole number, of its absolute value: ``up`` is away from zero."""
    quotient, rest = divmod(abs(numerator), divisor)
    if mode == "up":
        quotient += rest > 0
    elif mode == "half-up":
        quotient += 2 * rest >= divisor
    elif mode == "half-even":
        quotient += 2 * rest > divisor - (quotient & 1)
    return -quotient if numerator < 0 else quotient


@dataclass(frozen=True)
class Formula:
    """A rate at one price. ``scale`` · 10^-9 is the unit of rounding; minimum and maximum are billionths."""

    starts: tuple[int, ...]
    increments: tuple[int, ...]
    weights: tuple[int, ...]
    connection: int
    divisor: int
    mode: str
    scale: int
    minimum: int | None
    maximum: int | None

    def parts(self, usage: int) -> list[int]:
        """Billed usage in each interval."""
        return [
            -(-part // increment) * increment
            for part, increment in zip(self.split(usage), self.increments, strict=True)
        ]

    def split(self, usage: int) -> list[int]:
        """Usage in each interval, not rounded to increments."""
        ends = (*self.starts[1:], max(usage, self.starts[-1]))
        return [max(min(usage, end) - start, 0) for start, end in zip(self.starts, ends, strict=True)]

    def connections(self, billed: int, waived: bool) -> int:
        """How often the connection fee is due."""
        return 0 if billed == 0 or waived else 1

    def charge(self, parts: Sequence[int], free: int, connections: int) -> int:
        """Billionths for billed usage ``parts``, of which the first ``free`` are free."""
        paid = [
            part - min(max(free - start, 0), part) for part, start in zip(parts, self.starts, strict=True)
        ]
        numerator = connections * self.connection
        numerator += sum(weight * part for weight, part in zip(self.weights, paid, strict=True))
        charge = divide(numerator, self.divisor, self.mode) * self.scale
        if self.minimum is not None and sum(parts) > free:
            charge = max(charge, self.minimum)
        return charge if self.maximum is None else min(charge, self.maximum)


def formula_of(tariff: Tariff, rate: Rate, *, price: int | None = None, mode: str | None = None) -> Formula:
    """The formula of a rate; with ``price`` at a tier's, with ``mode`` rounded in another way."""
    rounding = rate.rounding if mode is None else replace(rate.rounding, mode=mode)
    prices = [interval.price if price is None else price for interval in rate.intervals]
    make = _by_increment if rounding.at == "increment" else _by_call
    connection, weights, divisor = make(rate, rounding, prices, tariff.exchange)
    common = gcd(connection, divisor, *weights)
    at_increment = rounding.at == "increment"
    return Formula(
        starts=tuple(interval.start for interval in rate.intervals),
        increments=tuple(interval.increment for interval in rate.intervals),
        weights=tuple(weight // common for weight in weights),
        connection=connection // common,
        divisor=divisor // common,
        mode="half-even" if at_increment else rounding.mode,
        scale=1 if at_increment else 10 ** (MONEY_DECIMALS - rounding.decimals),
        minimum=rate.minimum,
        maximum=rate.maximum,
    )


def _by_call(rate: Rate, rounding: Rounding, prices: list[int], exchange: int) -> tuple[int, list[int], int]:
    common = lcm(*(interval.unit for interval in rate.intervals))
    factor = exchange * 10**rounding.decimals
    weights = [
        price * (common // interval.unit) * factor
        for price, interval in zip(prices, rate.intervals, strict=True)
    ]
    return rate.connection * common * factor, weights, common * _FULL


def _by_increment(
    rate: Rate, rounding: Rounding, prices: list[int], exchange: int
) -> tuple[int, list[int], int]:
    """The price of one increment and the fee are rounded first; the sum is left in billionths."""
    common = lcm(*(interval.increment for interval in rate.intervals))
    factor, scale = exchange * 10**rounding.decimals, 10 ** (MONEY_DECIMALS - rounding.decimals)
    weights = []
    for price, interval in zip(prices, rate.intervals, strict=True):
        one = divide(price * interval.increment * factor, interval.unit * _FULL, rounding.mode)
        weights.append(one * scale * (common // interval.increment))
    fee = divide(rate.connection * factor, _FULL, rounding.mode)
    return fee * scale * common, weights, common
