"""Lines that are no usage (``docs/tariff.md``, section 7): fees, discounts, the commitment, taxes, the total.

Sums are of the amounts as charged, statement by statement; they are exact whatever the amounts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from billproof.records import NANO, Service
from billproof.tariff.formula import divide
from billproof.tariff.model import Rounding, Tariff
from billproof.tariff.values import MONEY_DECIMALS

_LIMIT = float(1 << 62)
_WHOLE = 100 * NANO  # percentages are in billionths of one


@dataclass(frozen=True)
class Item:
    """A line that the tariff prices: the records of ``service`` whose printed rate is ``name`` (None: any).

    It costs ``price`` of the sum of the other lines of ``services`` and ``rates`` (None: all). A statement
    without it lacks it where it is ``required`` and not 0. A ``repeatable`` one may be there more than once.
    """

    cause: str
    service: Service
    name: str | None
    price: Callable[[int], int]
    services: frozenset[Service] | None = frozenset()
    rates: frozenset[str] | None = None
    required: bool = False
    repeatable: bool = False

    @property
    def counts_itself(self) -> bool:
        """Whether the sum has the line itself in it, which has to be taken out."""
        return self.cause in ("commitment", "total") and (
            self.services is None or self.service in self.services
        )


def items_of(tariff: Tariff) -> list[Item]:
    """The lines that a tariff prices, in the order of section 7."""
    items = [
        Item("fee", fee.service, fee.name, _fixed(fee.amount), required=fee.once, repeatable=not fee.once)
        for fee in tariff.fees
    ]
    items += [
        Item(
            "discount",
            Service.DISCOUNT,
            discount.name,
            _discount(discount.percent, discount.above),
            discount.services,
            discount.rates,
            required=discount.once,
            repeatable=not discount.once,
        )
        for discount in tariff.discounts
    ]
    if tariff.commitment is not None:
        least = tariff.commitment
        items.append(
            Item(
                "commitment", Service.ONE_OFF, least.name, _rest(least.amount), least.services, required=True
            )
        )
    items += [
        Item("tax", Service.TAX, tax.name, _percentage(tax.percent, tax.rounding), tax.services)
        for tax in tariff.taxes
    ]
    if tariff.total is not None:
        items.append(Item("total", Service.ROUNDING, None, _rounding(tariff.total), None))
    return items


def _fixed(amount: int) -> Callable[[int], int]:
    return lambda base: amount


def _discount(percent: int, above: int) -> Callable[[int], int]:
    return lambda base: -divide(base * percent, _WHOLE, "half-up") if base > above else 0


def _rest(amount: int) -> Callable[[int], int]:
    return lambda base: max(amount - base, 0)


def _percentage(percent: int, rounding: Rounding) -> Callable[[int], int]:
    scale = 10 ** (MONEY_DECIMALS - rounding.decimals)
    return lambda base: divide(base * percent, _WHOLE * scale, rounding.mode) * scale


def _rounding(total: Rounding) -> Callable[[int], int]:
    scale = 10 ** (MONEY_DECIMALS - total.decimals)
    return lambda base: divide(base, scale, total.mode) * scale - base


class Lines:
    """The records of statements, for finding lines by printed rate and for sums."""

    def __init__(
        self, service: NDArray[np.uint8], amount: NDArray[np.int64], rate: pa.Array, first: NDArray[np.int64]
    ) -> None:
        self.service, self.first = service, first
        exact = len(amount) > 0 and float(np.abs(amount.astype(np.float64)).sum()) >= _LIMIT
        self.amount = amount.astype(object) if exact else amount
        self._rates = rate if pa.types.is_dictionary(rate.type) else pc.dictionary_encode(rate)
        self._kept: dict[object, list[int]] = {}

    def rows(self, item: Item) -> NDArray[np.bool_]:
        """Which records have the item's service and printed rate: (n,)."""
        found: NDArray[np.bool_] = self.service == int(item.service)
        return found if item.name is None else found & self._printed((item.name,))

    def sums(self, item: Item) -> list[int]:
        """Of each statement, the sum that the item's price is of."""
        if item.services == frozenset() or not len(self.amount):
            return [0] * len(self.first)
        key = (item.services, item.rates)
        if key not in self._kept:
            chosen = np.ones(len(self.amount), bool)
            if item.services is not None:
                wanted = np.zeros(256, bool)
                wanted[[int(service) for service in item.services]] = True
                chosen = wanted[self.service]
            if item.rates is not None:
                chosen = chosen & self._printed(item.rates)
            self._kept[key] = np.add.reduceat(np.where(chosen, self.amount, 0), self.first).tolist()
        return self._kept[key]

    def _printed(self, names: Collection[str]) -> NDArray[np.bool_]:
        texts = self._rates.dictionary.to_pylist()
        wanted = np.array([text in names for text in texts], bool)
        if not wanted.any():
            return np.zeros(len(self._rates), bool)
        found: NDArray[np.bool_] = wanted[self._rates.indices.to_numpy()]
        return found
