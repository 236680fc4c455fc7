"""The shape of a file → a tariff: values become integers, names are looked up, contradictions refused."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

from billproof.intake.keys import nearest
from billproof.records import Service
from billproof.tariff import form, model, values
from billproof.tariff.calendars import build_calendar, build_holidays

if TYPE_CHECKING:
    from billproof.tariff.document import Source
    from billproof.tariff.positions import Path

_TAKEN = (model.HOME, model.ELSEWHERE)
_LARGEST = 1 << 62
_UNTAXED = (Service.TAX, Service.ROUNDING)


def build(source: Source, file: form.File) -> model.Tariff:
    """The tariff, checked in full; raises :class:`~billproof.tariff.document.TariffError`."""
    from billproof.tariff.coherence import check_coverage

    tariff = _Builder(source, file).tariff()
    check_coverage(tariff, source)
    return tariff


class _Builder:
    """The file that is being built from; every method makes one part."""

    def __init__(self, source: Source, file: form.File) -> None:
        self.source = source
        self.file = file
        self.fail = source.error
        self.calendars: dict[str, model.Calendar] = {}
        self.zones: dict[str, frozenset[str]] = {}

    def tariff(self) -> model.Tariff:
        file = self.file
        self._check_names()
        holidays = build_holidays(file, self.fail)
        self.calendars = {
            name: build_calendar(name, bands, holidays, self.fail) for name, bands in file.calendars.items()
        }
        if not file.rates and not file.fees:
            raise self.fail((), "has neither rates nor fees", "write [[rates]] or [[fees]]")
        home = frozenset(map(values.network_code, file.home))
        self.zones = self._zones(home)
        self._check_destinations()
        valid_from, valid_until = self._valid()
        currency, exchange = self._exchange()
        default = self._rounding(file.rounding, ("rounding",))
        self._unique("rates", "fees", "discounts")
        self._unique("rates")
        self._unique("allowances")
        return model.Tariff(
            hash=self._hash(),
            file=self.source.name,
            name=file.name,
            version=file.version,
            currency=file.currency,
            valid_from=valid_from,
            valid_until=valid_until,
            exchange_currency=currency,
            exchange=exchange,
            total=model.Rounding(file.total.mode, file.total.decimals) if file.total else None,
            home=home,
            zones=self.zones,
            destinations={name: tuple(prefixes) for name, prefixes in file.destinations.items()},
            calendars=self.calendars,
            rates=tuple(self._rate(rate, ("rates", at), default) for at, rate in enumerate(file.rates)),
            allowances=tuple(
                self._allowance(given, ("allowances", at)) for at, given in enumerate(file.allowances)
            ),
            fees=tuple(
                model.Fee(
                    fee.name, values.service_of(fee.service), _money(fee.amount), once=fee.times == "once"
                )
                for fee in file.fees
            ),
            commitment=self._commitment(),
            discounts=self._discounts(),
            taxes=self._taxes(),
            source=self.source.content,
        )

    def _hash(self) -> bytes:
        from billproof.tariff.document import hash_of

        return hash_of(self.source.content)

    def _check_names(self) -> None:
        """Names are printable; those of zones and destinations are not taken."""
        file = self.file
        tops: list[tuple[Path, str]] = [(("name",), file.name), (("version",), file.version)]
        for table in ("rates", "allowances", "fees", "discounts", "taxes"):
            tops += [((table, at, "name"), entry.name) for at, entry in enumerate(getattr(file, table))]
        if file.commitment:
            tops.append((("commitment", "name"), file.commitment.name))
        for table in ("holidays", "calendars", "destinations", "zones"):
            tops += [((table, name), name) for name in getattr(file, table)]
        tops += [
            (("calendars", name, band), band) for name, bands in file.calendars.items() for band in bands
        ]
        for path, name in tops:
            if not name.isprintable() or name != name.strip():
                raise self.fail(path, f"{name!r} is no name", "use 1 to 64 printable characters")
        for table in ("destinations", "zones"):
            for name in getattr(file, table):
                if name in _TAKEN:
                    raise self.fail((table, name), f"the name {name!r} is taken", "choose another name")

    def _unique(self, *tables: str) -> None:
        """No name twice: within one table, or across several."""
        seen: dict[str, str] = {}
        for table in tables:
            for at, entry in enumerate(getattr(self.file, table)):
                where = seen.get(entry.name)
                if where is not None and (len(tables) == 1 or table != "rates"):
                    words = "twice" if where == table else f"among the {where} too"
                    raise self.fail(
                        (table, at, "name"),
                        f"the name {entry.name!r} is there {words}",
                        "choose another name",
                    )
                seen[entry.name] = table

    def _valid(self) -> tuple[int, int | None]:
        begin = self._day(self.file.valid.from_, ("valid", "from"))
        if self.file.valid.until is None:
            return begin, None
        end = self._day(self.file.valid.until, ("valid", "until"))
        if end <= begin:
            raise self.fail(
                ("valid", "until"), "ends before it begins", "until is the first day that is not included"
            )
        return begin, end

    def _day(self, text: str, path: Path) -> int:
        try:
            return values.day_number(text)
        except ValueError:
            raise self.fail(path, f"there is no day {text}", 'write "YYYY-MM-DD"') from None

    def _exchange(self) -> tuple[str | None, int]:
        given = self.file.exchange
        if given is None:
            return None, 10**values.MONEY_DECIMALS
        if given.currency == self.file.currency:
            raise self.fail(
                ("exchange", "currency"), "is the statements' currency too", "leave [exchange] out"
            )
        rate = _money(given.rate)
        if rate == 0:
            raise self.fail(
                ("exchange", "rate"),
                "is 0",
                f"write how many {self.file.currency} one {given.currency} is worth",
            )
        return given.currency, rate

    def _rounding(self, given: form.Rounding, path: Path) -> model.Rounding:
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

    def _zones(self, home: frozenset[str]) -> dict[str, frozenset[str]]:
        """Each zone's networks; the same network in two zones, or in one and at home, is refused."""
        owners = dict.fromkeys(home, model.HOME)
        zones = {}
        for name, networks in self.file.zones.items():
            codes = []
            for at, given in enumerate(networks):
                path = ("zones", name, at)
                code = values.network_code(given)
                if not code.isdecimal():
                    if code not in self.file.tadig:
                        raise self.fail(
                            path,
                            f"the TADIG code {given!r} is unknown",
                            f'write {given} = "MCC-MNC" below [tadig]',
                        )
                    code = values.network_code(self.file.tadig[code])
                owner = owners.setdefault(code, name)
                if owner != name:
                    raise self.fail(
                        path, f"the network {given!r} is in {owner} too", "keep it in one of the two"
                    )
                codes.append(code)
            zones[name] = frozenset(codes)
        return zones

    def _check_destinations(self) -> None:
        owners: dict[str, str] = {}
        for name, prefixes in self.file.destinations.items():
            for at, prefix in enumerate(prefixes):
                owner = owners.setdefault(prefix, name)
                if owner != name:
                    raise self.fail(
                        ("destinations", name, at),
                        f"the prefix {prefix!r} is in {owner!r} too",
                        "keep it in one of the two",
                    )

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
        self._known(given.zones, (*self.file.zones, *_TAKEN), (*path, "zones"), "zone")
        self._known(
            given.destinations,
            (*self.file.destinations, model.ELSEWHERE),
            (*path, "destinations"),
            "destination",
        )
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

    def _known(self, names: list[str] | None, known: Iterable[str], path: Path, what: str) -> None:
        known = tuple(known)
        for at, name in enumerate(names or ()):
            if name not in known:
                raise self.fail((*path, at), f"the {what} {name!r} is unknown", nearest(name, known))

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

    def _rate(self, given: form.Rate, path: Path, default: model.Rounding) -> model.Rate:
        kind, applies = self._applies(given, path)
        intervals = self._intervals(given, kind, path)
        minimum = None if given.minimum is None else _money(given.minimum)
        maximum = None if given.maximum is None else _money(given.maximum)
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
            tiers.append(model.Tier(above, _price(tier.price)))
        if tiers and given.intervals is not None and len(intervals) > 1:
            raise self.fail(
                (*path, "tiers"), "tiers need a rate with one interval", "write price and unit, or no tiers"
            )
        return model.Rate(
            name=given.name,
            kind=kind,
            applies=applies,
            connection=_price(given.connection or "0"),
            intervals=intervals,
            tiers=tuple(tiers),
            minimum=minimum,
            maximum=maximum,
            rounding=self._rounding(given.rounding, (*path, "rounding")) if given.rounding else default,
        )

    def _intervals(self, given: form.Rate, kind: str, path: Path) -> tuple[model.Interval, ...]:
        short = {"price": given.price, "unit": given.unit, "increment": given.increment, "first": given.first}
        if given.intervals is None:
            for key in ("price", "unit"):
                if short[key] is None:
                    raise self.fail(path, f"{key} is missing", "write price and unit, or intervals")
            price = _price(given.price or "")
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
                    _price(interval.price),
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

    def _allowance(self, given: form.Allowance, path: Path) -> model.Allowance:
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

    def _commitment(self) -> model.Commitment | None:
        given = self.file.commitment
        if given is None:
            return None
        return model.Commitment(given.name, _services(given.services), _money(given.amount))

    def _discounts(self) -> tuple[model.Discount, ...]:
        """Each may name those before it, whose lines are charged already."""
        found: list[model.Discount] = []
        names = [discount.name for discount in self.file.discounts]
        for at, given in enumerate(self.file.discounts):
            path = ("discounts", at)
            services = _services(given.of)
            rates = None if given.rates is None else frozenset(given.rates)
            if Service.DISCOUNT in services:
                if rates is None:
                    raise self.fail(
                        (*path, "of"),
                        "a cycle: a discount of all discounts is one of itself",
                        "name those that stand before it, with rates = […]",
                    )
                for name in names[at:]:
                    if name in rates:
                        raise self.fail(
                            (*path, "rates", (given.rates or []).index(name)),
                            f"a cycle: the discount {name!r} does not stand before it",
                            "a discount may name discounts that stand before it in the file",
                        )
            found.append(
                model.Discount(
                    name=given.name,
                    services=services,
                    rates=rates,
                    percent=_money(given.percent),
                    above=_money(given.above or "0"),
                    once=given.times == "once",
                )
            )
        return tuple(found)

    def _taxes(self) -> tuple[model.Tax, ...]:
        found = []
        self._unique("taxes")
        for at, given in enumerate(self.file.taxes):
            if given.of is not None and "tax" in given.of:
                raise self.fail(("taxes", at, "of", given.of.index("tax")), "a tax of taxes", "leave tax out")
            rounding = given.rounding
            found.append(
                model.Tax(
                    name=given.name,
                    services=frozenset(Service).difference(_UNTAXED)
                    if given.of is None
                    else _services(given.of),
                    percent=_money(given.percent),
                    rounding=model.Rounding(rounding.mode, rounding.decimals)
                    if rounding
                    else model.Rounding("half-up", values.MONEY_DECIMALS),
                )
            )
        return tuple(found)


def _services(words: list[form.AnyService]) -> frozenset[Service]:
    return frozenset(map(values.service_of, words))


def _price(text: str) -> int:
    return values.scaled(text, values.PRICE_DECIMALS)


def _money(text: str) -> int:
    return values.scaled(text, values.MONEY_DECIMALS)
