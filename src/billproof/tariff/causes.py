"""Why a usage record is charged as it is: the first cause of ``docs/tariff.md``, section 8, in words.

Only records that differ come here, one by one, with exact Python integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from billproof.tariff import words
from billproof.tariff.formula import MODES, Formula, formula_of
from billproof.tariff.rating import Rater


@dataclass(frozen=True)
class Case:
    """A record that differs, what was charged, and what the tariff says."""

    usage: int
    charged: int
    billed: int
    due: int
    due_billed: int
    rate: int
    form: int
    free: int
    waived: bool
    cell: int


class Explainer:
    """Finds causes for the records of one tariff."""

    def __init__(self, rater: Rater) -> None:
        self.rater = rater
        self.tariff = rater.tariff
        self.grid = rater.grid
        self._rounded = lru_cache(1024)(self._formula)

    def explain(self, case: Case) -> tuple[str, str]:
        """Cause and words of a record that has a rate."""
        return next(self._causes(case))

    def _causes(self, case: Case) -> Iterator[tuple[str, str]]:
        kind = self.tariff.rates[case.rate].kind
        formula = self.rater.formulas.exact[case.form]
        if case.billed != case.due_billed:
            billed = formula.split(case.billed)
            if case.charged in (case.due, _charge(formula, billed, case.free, case.waived)):
                yield "billed-usage", words.billed(kind, case.billed, case.due_billed)
        parts = formula.parts(case.usage)
        if case.free and case.charged == _charge(formula, parts, 0, waived=False):
            yield "allowance", words.allowance(kind, case.free)
        yield from self._elsewhere(case)
        yield from self._tier(case, parts)
        yield from self._rounding(case, parts)
        due = formula.connections(sum(parts), case.waived)
        for connections in (due + 1, due - 1):
            if connections >= 0 and case.charged == formula.charge(parts, case.free, connections):
                yield "connection", words.connection(connections, due)
        yield "price", words.price(case.charged, case.due, self.tariff.currency)

    def _elsewhere(self, case: Case) -> Iterator[tuple[str, str]]:
        """Rates that would apply in another zone, at another time, or to another destination."""
        rates = self.grid.rates
        row, zone, destination, slot = (int(place) for place in np.unravel_index(case.cell, rates.shape))
        for rate in self._others(case, rates[row, :, destination, slot]):
            place = int((rates[row, :, destination, slot] == rate).argmax())
            yield "zone", words.zone(self.grid.zones[place], self.grid.zones[zone])
        for rate in self._others(case, rates[row, zone, destination, :]):
            yield "band", words.band(self.tariff, rate, case.rate)
        for rate in self._others(case, rates[row, zone, :, slot]):
            place = int((rates[row, zone, :, slot] == rate).argmax())
            yield (
                "destination",
                words.destination(self.grid.destinations[place], self.grid.destinations[destination]),
            )

    def _others(self, case: Case, candidates: np.ndarray) -> Iterator[int]:
        """Those of these rates, in the order of the file, that explain what was charged."""
        for rate in np.unique(candidates).tolist():
            if rate < 0 or rate == case.rate:
                continue
            formula = self.rater.formulas.exact[self.rater.forms[rate]]
            parts = formula.parts(case.usage)
            if case.charged in (
                _charge(formula, parts, case.free, case.waived),
                _charge(formula, parts, 0, waived=False),
            ):
                yield rate

    def _tier(self, case: Case, parts: list[int]) -> Iterator[tuple[str, str]]:
        rate, first = self.tariff.rates[case.rate], int(self.rater.forms[case.rate])
        for number in range(len(rate.tiers) + 1):
            formula = self.rater.formulas.exact[first + number]
            if rate.tiers and case.charged == _charge(formula, parts, case.free, case.waived):
                yield "tier", words.tier(self.tariff, rate, number, case.form - first)

    def _rounding(self, case: Case, parts: list[int]) -> Iterator[tuple[str, str]]:
        rate = self.tariff.rates[case.rate]
        if rate.rounding.at == "invoice":
            return
        for mode in MODES:
            formula = self._rounded(case.rate, case.form - int(self.rater.forms[case.rate]), mode)
            if case.charged == _charge(formula, parts, case.free, case.waived):
                yield "rounding", words.rounding(mode, rate.rounding)

    def _formula(self, rate: int, tier: int, mode: str) -> Formula:
        tiers = self.tariff.rates[rate].tiers
        price = tiers[tier - 1].price if tier else None
        return formula_of(self.tariff, self.tariff.rates[rate], price=price, mode=mode)


def _charge(formula: Formula, parts: list[int], free: int, waived: bool) -> int:
    return formula.charge(parts, free, formula.connections(sum(parts), waived))
