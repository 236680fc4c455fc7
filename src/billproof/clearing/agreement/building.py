"""The shape of an agreement's file → an agreement, exact and without contradictions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path as FilePath

from billproof.clearing.agreement import agreement as model
from billproof.clearing.agreement import form
from billproof.clearing.agreement.commitments import build_commitments
from billproof.clearing.agreement.models import build_models
from billproof.clearing.discounts import models
from billproof.commitment.keccak import keccak
from billproof.documents import source as documents
from billproof.documents.positions import Path
from billproof.documents.shape import shaped
from billproof.records import NANO
from billproof.tariff import values
from billproof.tariff.building import check_name, check_prefixes, zones_of

#: More prefixes would take long to lay out.
_MOST_PREFIXES = 100_000
_MOST_MODELS = 500
_MOST_MONTHS = 12
_MOST_START = 2 * 3600  # seconds: farther apart no records are a pair at one shift
_MOST_TOLERATED = 1 << 53  # seconds, bytes or billionths
_MOST_RATE = 10**9
_EPOCH = date(1970, 1, 1)


class AgreementError(documents.DocumentError):
    """An agreement that cannot be used: names file, line and key, and says what to write instead."""


KIND = documents.Kind(
    "an agreement", "see docs/clearing.md, section 2", form.SCHEMA, form.File, AgreementError
)
AgreementSource = documents.Source[form.File]


def read(source: FilePath | str | bytes, name: str) -> tuple[AgreementSource, form.File]:
    """The file and its shape."""
    found = documents.read(source, KIND, name)
    return found, shaped(found)


def build(source: AgreementSource, file: form.File) -> model.Agreement:
    """The agreement, checked in full; raises :class:`AgreementError`."""
    return _Builder(source, file).agreement()


class _Builder:
    """The file that is being built from; every method makes one part."""

    def __init__(self, source: AgreementSource, file: form.File) -> None:
        self.source = source
        self.file = file
        self.fail = source.error

    def agreement(self) -> model.Agreement:
        file = self.file
        self._check_names()
        valid_from, valid_until = self._valid()
        parties, found = self._parties(), self._models()
        exchange, monthly = self._exchange(parties, model.months_between(valid_from, valid_until))
        return model.Agreement(
            hash=keccak(self.source.content),
            file=self.source.name,
            name=file.name,
            valid_from=valid_from,
            valid_until=valid_until,
            settlement=file.settlement,
            parties=parties,
            exchange=exchange,
            monthly=monthly,
            tolerance=self._tolerance(),
            rounding=model.Rounding(file.rounding.mode, file.rounding.decimals),
            routes={name: tuple(prefixes) for name, prefixes in file.routes.items()},
            zones=zones_of(file.zones, file.tadig, frozenset(), self.fail),
            models=found,
            commitments=build_commitments(file.commitments, found, self._operators, self.fail),
            source=self.source.content,
        )

    def _check_names(self) -> None:
        file = self.file
        check_name(("name",), file.name, self.fail)
        for table in ("parties", "models", "commitments"):
            seen: set[str] = set()
            for at, entry in enumerate(getattr(file, table)):
                path: Path = (table, at, "name")
                check_name(path, entry.name, self.fail)
                if entry.name in seen:
                    raise self.fail(path, f"the name {entry.name!r} is there twice", "choose another name")
                seen.add(entry.name)
        for table in ("routes", "zones"):
            for name in getattr(file, table):
                check_name((table, name), name, self.fail)
                if name == model.ELSEWHERE:
                    raise self.fail((table, name), f"the name {name!r} is taken", "choose another name")
                if table == "zones" and name in file.routes:
                    raise self.fail((table, name), f"{name!r} is a route too", "choose another name")
        if sum(map(len, file.routes.values())) > _MOST_PREFIXES:
            raise self.fail(
                ("routes",),
                f"more than {_MOST_PREFIXES:,} prefixes",
                "write shorter ones",
            )
        check_prefixes("routes", file.routes, self.fail)

    def _valid(self) -> tuple[int, int]:
        given = self.file.valid
        begin, end = self._day(given.from_, ("valid", "from")), self._day(given.until, ("valid", "until"))
        if end <= begin:
            raise self.fail(
                ("valid", "until"), "ends before it begins", "until is the first day that is not included"
            )
        if self.file.models:
            self._check_months(begin, end)
        return begin, end

    def _check_months(self, begin: int, end: int) -> None:
        """Discounts are by months of one year."""
        first, last = (_EPOCH + timedelta(day) for day in (begin, end))
        for key, day in (("from", first), ("until", last)):
            if day.day != 1:
                raise self.fail(
                    ("valid", key), f"{day} is not the first of a month", "models are by whole months"
                )
        months = 12 * (last.year - first.year) + last.month - first.month
        if months > _MOST_MONTHS:
            raise self.fail(
                ("valid", "until"),
                "is more than twelve months away",
                "write a file for each year",
            )

    def _day(self, text: str, path: Path) -> int:
        try:
            return values.day_number(text)
        except ValueError:
            raise self.fail(path, f"there is no day {text}", 'write "YYYY-MM-DD"') from None

    def _parties(self) -> tuple[model.Party, model.Party]:
        given = self.file.parties
        if len(given) != 2:
            path: Path = ("parties", 2) if len(given) > 2 else ("parties",)
            raise self.fail(path, "an agreement has two parties", "write [[parties]] twice")
        if given[0].operator == given[1].operator:
            raise self.fail(
                ("parties", 1, "operator"),
                "is the first party's too",
                "write the other's number",
            )
        first, second = (
            model.Party(party.operator, party.name, party.currency)
            for party in sorted(given, key=lambda party: party.operator)
        )
        return first, second

    def _exchange(
        self, parties: tuple[model.Party, model.Party], months: Sequence[str]
    ) -> tuple[dict[str, Fraction], dict[str, dict[str, Fraction]]]:
        """Rates that hold all along, and those of each month, by currency."""
        settlement = self.file.settlement
        rates = {settlement: Fraction(1)}
        monthly: dict[str, dict[str, Fraction]] = {}
        for currency, given in self.file.exchange.items():
            path: Path = ("exchange", currency)
            if currency == settlement:
                raise self.fail(path, "is the settlement currency", "leave it out: it is worth 1")
            if isinstance(given, str):
                if not form.is_rate(given):
                    raise self.fail(path, f"{given!r} will not do", form.RATE_REMEDY)
                rates[currency] = self._rate(given, currency, path)
                continue
            if not given:
                raise self.fail(path, "has no month", f'write {{ "{months[0]}" = "…" }}, or one rate for all')
            for month in given:
                if month not in months:
                    valid = f"{months[0]} to {months[-1]}"
                    raise self.fail((*path, month), "is no month of the agreement", f"write {valid}")
            monthly[currency] = {
                month: self._rate(text, currency, (*path, month)) for month, text in given.items()
            }
        for party in parties:
            if party.currency not in rates and party.currency not in monthly:
                at = next(n for n, each in enumerate(self.file.parties) if each.operator == party.operator)
                raise self.fail(
                    ("parties", at, "currency"),
                    f"{party.currency} has no exchange rate",
                    f'write {party.currency} = "…" below [exchange]: the {settlement} for one',
                )
        return rates, monthly

    def _rate(self, text: str, currency: str, path: Path) -> Fraction:
        over, _, under = text.partition("/")
        parts = [Fraction(part.strip()) for part in (over, under or "1")]
        if 0 in parts:
            raise self.fail(path, "is 0", f"write how many {self.file.settlement} one {currency} is worth")
        rate = parts[0] / parts[1]
        if not round(rate * NANO):
            raise self.fail(path, "is nothing in nine decimals", "settle in the other currency")
        if rate > _MOST_RATE:
            raise self.fail(path, f"is more than {_MOST_RATE:,}", "settle in the other currency")
        return rate

    def _tolerance(self) -> model.Tolerance:
        given = self.file.tolerance
        found = {}
        for key, kind in (("start", values.SECONDS), ("usage", values.SECONDS), ("data", values.BYTES)):
            got, amount = values.quantity(getattr(given, key))
            if got != kind:
                advice = 'write data: "1 kB"' if kind == values.BYTES else 'write a time: "60 s"'
                raise self.fail(("tolerance", key), f"is in {got}", advice)
            found[key] = amount
        if found["start"] > _MOST_START:
            raise self.fail(("tolerance", "start"), "is more than two hours", 'write "2 h" or less')
        found["amount"] = values.money(given.amount)
        for key, amount in found.items():
            if amount > _MOST_TOLERATED:
                raise self.fail(
                    ("tolerance", key), "is more than records can differ", "write what is tolerated"
                )
        return model.Tolerance(**found)

    def _models(self) -> tuple[models.Model, ...]:
        file = self.file
        if len(file.models) > _MOST_MODELS:
            raise self.fail(("models", _MOST_MODELS), f"more than {_MOST_MODELS} models", "let routes share")
        routes = (*file.routes, *file.zones, model.ELSEWHERE)
        return build_models(file.models, self._operators, routes, self.fail)

    @property
    def _operators(self) -> list[int]:
        return [party.operator for party in self.file.parties]
