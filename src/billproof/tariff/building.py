"""The shape of a file → a tariff: values become integers, names are looked up, contradictions refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from billproof.records import Service
from billproof.tariff import form, model, values
from billproof.tariff.building_rates import RateBuilder
from billproof.tariff.calendars import build_calendar, build_holidays

if TYPE_CHECKING:
    from billproof.documents.positions import Path
    from billproof.documents.source import DocumentError, Source

    #: Makes the error of a path, a message and a remedy.
    Fail = Callable[[Path, str, str], DocumentError]

_TAKEN = (model.HOME, model.ELSEWHERE)
#: More would take long to lay out, and no plan has as many.
_MOST_CALENDARS = 64
_MOST_HOLIDAYS = 2_000

_UNTAXED = (Service.TAX, Service.ROUNDING)


def build(source: Source[form.File], file: form.File) -> model.Tariff:
    """The tariff, checked in full; raises :class:`~billproof.tariff.document.TariffError`."""
    from billproof.tariff.coherence import check_coverage

    tariff = _Builder(source, file).tariff()
    check_coverage(tariff, source)
    return tariff


def check_name(path: Path, name: str, fail: Fail) -> None:
    """Raises for a name that does not print, or begins or ends with a space."""
    if not name.isprintable() or name != name.strip():
        raise fail(path, f"{name!r} is no name", "use 1 to 64 printable characters")


def zones_of(
    given: Mapping[str, list[str]], tadig: Mapping[str, str], home: frozenset[str], fail: Fail
) -> dict[str, frozenset[str]]:
    """Each zone's networks; the same network in two zones, or in one and at home, is refused."""
    owners = dict.fromkeys(home, model.HOME)
    zones = {}
    for name, networks in given.items():
        codes = []
        for at, network in enumerate(networks):
            path = ("zones", name, at)
            code = values.network_code(network)
            if not code.isdecimal():
                if code not in tadig:
                    raise fail(
                        path,
                        f"the TADIG code {network!r} is unknown",
                        f'write {network} = "MCC-MNC" below [tadig]',
                    )
                code = values.network_code(tadig[code])
            owner = owners.setdefault(code, name)
            if owner != name:
                raise fail(path, f"the network {network!r} is in {owner} too", "keep it in one of the two")
            codes.append(code)
        zones[name] = frozenset(codes)
    return zones


def check_prefixes(table: str, given: Mapping[str, list[str]], fail: Fail) -> None:
    """Raises for a prefix that is in two entries of a table, however it is written."""
    owners: dict[str, str] = {}
    for name, prefixes in given.items():
        for at, prefix in enumerate(prefixes):
            owner = owners.setdefault(values.international(prefix), name)
            if owner != name:
                raise fail(
                    (table, name, at),
                    f"the prefix {prefix!r} is in {owner!r} too",
                    "keep it in one of the two",
                )


class _Builder:
    """The file that is being built from; every method makes one part."""

    def __init__(self, source: Source[form.File], file: form.File) -> None:
        self.source = source
        self.file = file
        self.fail = source.error
        self.calendars: dict[str, model.Calendar] = {}
        self.zones: dict[str, frozenset[str]] = {}

    def tariff(self) -> model.Tariff:
        file = self.file
        self._check_names()
        if len(file.calendars) > _MOST_CALENDARS:
            raise self.fail(("calendars",), f"more than {_MOST_CALENDARS} calendars", "let rates share them")
        if sum(map(len, file.holidays.values())) > _MOST_HOLIDAYS:
            raise self.fail(
                ("holidays",), f"more than {_MOST_HOLIDAYS:,} holidays", "keep those of the plan's years"
            )
        holidays = build_holidays(file, self.fail)
        self.calendars = {
            name: build_calendar(name, bands, holidays, self.fail) for name, bands in file.calendars.items()
        }
        if not file.rates and not file.fees:
            raise self.fail((), "has neither rates nor fees", "write [[rates]] or [[fees]]")
        home = frozenset(map(values.network_code, file.home))
        self.zones = zones_of(file.zones, file.tadig, home, self.fail)
        check_prefixes("destinations", file.destinations, self.fail)
        valid_from, valid_until = self._valid()
        build = RateBuilder(self.source, file, self.calendars)
        currency, exchange = self._exchange()
        default = build.rounding(file.rounding, ("rounding",))
        self._check_unique()
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
            rates=tuple(build.rate(rate, ("rates", at), default) for at, rate in enumerate(file.rates)),
            allowances=tuple(
                build.allowance(given, ("allowances", at)) for at, given in enumerate(file.allowances)
            ),
            fees=tuple(
                model.Fee(
                    fee.name,
                    values.service_of(fee.service),
                    values.money(fee.amount),
                    once=fee.times == "once",
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
            check_name(path, name, self.fail)
        for table in ("destinations", "zones"):
            for name in getattr(file, table):
                if name in _TAKEN:
                    raise self.fail((table, name), f"the name {name!r} is taken", "choose another name")

    def _check_unique(self) -> None:
        """No name twice among rates, allowances or taxes, nor among lines known by their name alone."""
        file = self.file
        groups: list[list[tuple[Path, str]]] = [
            [((table, at, "name"), entry.name) for at, entry in enumerate(getattr(file, table))]
            for table in ("rates", "allowances", "taxes", "fees", "discounts")
        ]
        groups[3] += groups.pop()
        if file.commitment:
            groups[3].append((("commitment", "name"), file.commitment.name))
        for group in groups:
            seen: dict[str, str] = {}
            for path, name in group:
                if name in seen:
                    where = "twice" if seen[name] == path[0] else f"among the {seen[name]} too"
                    raise self.fail(path, f"the name {name!r} is there {where}", "choose another name")
                seen[name] = str(path[0])

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
        rate = values.money(given.rate)
        if rate == 0:
            raise self.fail(
                ("exchange", "rate"),
                "is 0",
                f"write how many {self.file.currency} one {given.currency} is worth",
            )
        return given.currency, rate

    def _commitment(self) -> model.Commitment | None:
        given = self.file.commitment
        if given is None:
            return None
        return model.Commitment(given.name, _services(given.services), values.money(given.amount))

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
                    percent=values.money(given.percent),
                    above=values.money(given.above or "0"),
                    once=given.times == "once",
                )
            )
        return tuple(found)

    def _taxes(self) -> tuple[model.Tax, ...]:
        found = []
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
                    percent=values.money(given.percent),
                    rounding=model.Rounding(rounding.mode, rounding.decimals)
                    if rounding
                    else model.Rounding("half-up", values.MONEY_DECIMALS),
                )
            )
        return tuple(found)


def _services(words: list[form.AnyService]) -> frozenset[Service]:
    return frozenset(map(values.service_of, words))
