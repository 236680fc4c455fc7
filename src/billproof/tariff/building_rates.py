"""Rates and allowances of a file → those of a tariff: what they apply to, intervals, tiers, rounding."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from billproof.intake.keys import nearest
from billproof.tariff import form, model, values

if TYPE_CHECKING:
    from billproof.documents.positions import Path
    from billproof.documents.source import Source

_LARGEST = 1 << 62


class RateBuilder:
    """Makes rates and allowances, with the file's names at hand."""

    def __init__(
        self, source: Source[form.File], file: form.File, calendars: Mapping[str, model.Calendar]
    ) -> None:
        self.file = file
        self.fail = source.error
        self.calendars = calendars
        self.zones = dict.fromkeys((*file.zones, model.HOME, model.ELSEWHERE))
        self.destinations = dict.fromkeys((*file.destinations, model.ELSEWHERE))

    def rate(self, given: form.Rate, path: Path, default: model.Rounding) -> model.Rate:
        """A rate; ``default`` is the rounding of those that have none of their own."""
        kind, applies = self._applies(given, path)
        intervals = self._intervals(given, kind, path)
        minimum = None if given.minimum is None else values.money(given.minimum)
        maximum = None if given.maximum is None else values.money(given.maximum)
        if minimum is not None and maximum is not None and minimum > maximum:
            raise self.fail((*path, "minimum"), "is above maximum", "write a minimum of at most maximum")
        tiers: list[model.Tier] = []
        for at, tier in enumerate(given.tiers or ()):
            place = (*path, "tiers", at)
            above = self._amount(tier.above, kind, (*place, "above"))
            if tiers and above <= tiers[-1].above:
                raise self.fail(
                    (*place, "above"), "does not rise", "write tiers from the least to the greatest"
                )
            tiers.append(model.Tier(above, values.price(tier.price)))
        if tiers and given.intervals is not None and len(intervals) > 1:
            raise self.fail(
                (*path, "tiers"), "tiers need a rate with one interval", "write price and unit, or no tiers"
            )
        return model.Rate(
            name=given.name,
            kind=kind,
            applies=applies,
            connection=values.price(given.connection or "0"),
            intervals=intervals,
            tiers=tuple(tiers),
            minimum=minimum,
            maximum=maximum,
            rounding=self.rounding(given.rounding, (*path, "rounding")) if given.rounding else default,
        )

    def allowance(self, given: form.Allowance, path: Path) -> model.Allowance:
        """An allowance."""
        kind, applies = self._applies(given, path)
        if not given.shared:
            raise self.fail((*path, "shared"), "only true has a meaning", "leave it out")
        rollover = given.rollover
        return model.Allowance(
            name=given.name,
            kind=kind,
            applies=applies,
            amount=self._amount(given.amount, kind, (*path, "amount")),
            connection=given.connection,
            cycles=rollover.cycles if rollover else 0,
            at_most=self._amount(rollover.at_most, kind, (*path, "rollover", "at-most")) if rollover else 0,
        )

    def rounding(self, given: form.Rounding, path: Path) -> model.Rounding:
        """A rounding that says all that it needs."""
        if given.at == "invoice":
            if given.decimals is not None:
                raise self.fail(
                    (*path, "decimals"),
                    'has no meaning with at = "invoice"',
                    "leave it out: [total] rounds the bill",
                )
            if self.file.total is None:
                raise self.fail(
                    (*path, "at"),
                    "rounds the bill as a whole, and nothing says how",
                    'write [total] with mode and decimals, or at = "call"',
                )
            return model.Rounding("half-even", values.MONEY_DECIMALS, "invoice")
        if given.mode is None or given.decimals is None:
            missing = "mode" if given.mode is None else "decimals"
            raise self.fail(
                path, f"{missing} is missing", 'write all three, for example mode = "half-up", decimals = 4'
            )
        return model.Rounding(given.mode, given.decimals, given.at)

    def _applies(self, given: form.Rate | form.Allowance, path: Path) -> tuple[str, model.Applies]:
        """Kind of usage and what it applies to, with every name known."""
        services = [values.service_of(word) for word in given.services]
        kinds = [values.KINDS[service] for service in services]
        for at, kind in enumerate(kinds):
            if kind != kinds[0]:
                raise self.fail(
                    (*path, "services", at),
                    f"{given.services[at]} counts in {kind}, {given.services[0]} in {kinds[0]}",
                    "write an entry for each kind of usage",
                )
        self._known(given.zones, self.zones, (*path, "zones"), "zone")
        self._known(given.destinations, self.destinations, (*path, "destinations"), "destination")
        calendar = given.calendar
        if calendar is not None and calendar not in self.calendars:
            raise self.fail(
                (*path, "calendar"),
                f"the calendar {calendar!r} is unknown",
                nearest(calendar, tuple(self.calendars)),
            )
        if given.bands is not None:
            if calendar is None:
                raise self.fail((*path, "bands"), "needs a calendar", "write calendar = … beside it")
            self._known(given.bands, self.calendars[calendar].bands, (*path, "bands"), "band")
        return kinds[0], model.Applies(
            services=frozenset(services),
            zones=frozenset(given.zones or (model.HOME,)),
            destinations=None if given.destinations is None else frozenset(given.destinations),
            calendar=calendar,
            bands=None if given.bands is None else frozenset(given.bands),
        )

    def _known(self, names: list[str] | None, known: Collection[str], path: Path, what: str) -> None:
        for at, name in enumerate(names or ()):
            if name not in known:
                raise self.fail((*path, at), f"the {what} {name!r} is unknown", nearest(name, tuple(known)))

    def _amount(self, text: str, kind: str, path: Path, least: int = 1) -> int:
        """An amount of usage of this kind."""
        found, amount = values.quantity(text)
        if found != kind:
            raise self.fail(
                path, f"{text!r} is not in {kind}", f"write an amount of {kind}, as the services are counted"
            )
        if not least <= amount < _LARGEST:
            words = "is 0" if amount == 0 else "is too large"
            raise self.fail(path, words, "write an amount of at least 1, below 2^62")
        return amount

    def _intervals(self, given: form.Rate, kind: str, path: Path) -> tuple[model.Interval, ...]:
        short = {"price": given.price, "unit": given.unit, "increment": given.increment, "first": given.first}
        if given.intervals is None:
            for key in ("price", "unit"):
                if short[key] is None:
                    raise self.fail(path, f"{key} is missing", "write price and unit, or intervals")
            price = values.price(given.price or "")
            unit = self._amount(given.unit or "", kind, (*path, "unit"))
            increment = self._amount(given.increment or given.unit or "", kind, (*path, "increment"))
            if given.first is None:
                return (model.Interval(0, price, unit, increment),)
            first = self._amount(given.first, kind, (*path, "first"))
            if first == increment:
                return (model.Interval(0, price, unit, increment),)
            return model.Interval(0, price, unit, first), model.Interval(first, price, unit, increment)
        for key, value in short.items():
            if value is not None:
                raise self.fail(
                    (*path, key), "stands beside intervals", "write it in an interval, or leave intervals out"
                )
        found = []
        for at, interval in enumerate(given.intervals):
            place = (*path, "intervals", at)
            found.append(
                model.Interval(
                    self._amount(interval.from_, kind, (*place, "from"), least=0),
                    values.price(interval.price),
                    self._amount(interval.unit, kind, (*place, "unit")),
                    self._amount(interval.increment or interval.unit, kind, (*place, "increment")),
                )
            )
        if found[0].start != 0:
            raise self.fail((*path, "intervals", 0, "from"), "does not begin at 0", 'write "0" and the unit')
        for at, (before, after) in enumerate(pairwise(found)):
            place = (*path, "intervals", at + 1, "from")
            if after.start <= before.start:
                raise self.fail(place, "does not rise", "write intervals from the first to the last")
            if (after.start - before.start) % before.increment:
                raise self.fail(
                    place,
                    "the interval before has a length that is no multiple of its increment",
                    "begin where whole increments end",
                )
        return tuple(found)
