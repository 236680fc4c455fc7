"""What two operators have agreed: parties, tolerances, exchange rates, routes and discount models.

``docs/clearing.md``, sections 2 and 6. Money is in billionths of a currency unit; exchange rates, prices and
volumes are exact fractions; days are counted from 1970-01-01.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billproof.clearing.discounts.models import CommonCommitment, Model
from billproof.errors import InputError
from billproof.printable import printable
from billproof.tariff.places import Prefixes, Zones

#: The route of what no prefix and no zone of the agreement has.
ELSEWHERE = "elsewhere"
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Party:
    """One of the two operators; ``currency`` is that of its books."""

    operator: int
    name: str
    currency: str


@dataclass(frozen=True)
class Tolerance:
    """What no one argues about. What the file leaves out is 0: nothing is tolerated."""

    start: int = 0  # seconds
    usage: int = 0  # seconds of voice
    data: int = 0  # bytes
    amount: int = 0  # billionths of the settlement currency, a record


@dataclass(frozen=True)
class Rounding:
    """How a charge of the year to date becomes money: a mode of ``docs/tariff.md`` and decimals."""

    mode: str = "half-up"
    decimals: int = 2


@dataclass(frozen=True)
class Agreement:
    """An agreement's file, read and found sound. ``hash`` is the keccak256 of the file's bytes."""

    hash: bytes
    file: str
    name: str
    valid_from: int
    valid_until: int  # the first day that is not included
    settlement: str
    parties: tuple[Party, Party]  # the smaller number first
    exchange: Mapping[str, Fraction]  # settlement currency for one, all along; the settlement currency is 1
    tolerance: Tolerance
    rounding: Rounding
    routes: Mapping[str, tuple[str, ...]]  # how numbers begin
    zones: Mapping[str, frozenset[str]]  # MCC-MNC without the hyphen, or MCC
    models: tuple[Model, ...] = ()
    commitments: tuple[CommonCommitment, ...] = ()
    monthly: Mapping[str, Mapping[str, Fraction]] = field(default_factory=dict)  # currency → month → rate
    source: bytes = field(repr=False, compare=False, default=b"")

    @property
    def home(self) -> frozenset[str]:
        """None: to two operators no network is home, unless it is a zone."""
        return frozenset()

    @cached_property
    def route_names(self) -> tuple[str, ...]:
        """Routes, then zones, then :data:`ELSEWHERE`: what :meth:`routes_of` points into."""
        return (*self.routes, *self.zones, ELSEWHERE)

    @cached_property
    def _prefixes(self) -> Prefixes:
        return Prefixes(dict(self.routes))

    @cached_property
    def _zones(self) -> Zones:
        return Zones(self)

    def party(self, operator: int) -> Party:
        """The party of a number on the ledger; KeyError for a stranger."""
        for party in self.parties:
            if party.operator == operator:
                return party
        raise KeyError(operator)

    def other(self, operator: int) -> Party:
        """The other party; KeyError for a stranger."""
        first, second = self.parties
        return second if self.party(operator) is first else first

    def exchange_of(self, month: str | None) -> dict[str, Fraction]:
        """The rates of a month ("2026-03"): settlement currency for one of each currency that has one then.

        Where the month is not known, those that hold all along.
        """
        found = dict(self.exchange)
        for currency, rates in self.monthly.items():
            if month is not None and month in rates:
                found[currency] = rates[month]
        return found

    def rate_of(self, currency: str, month: str | None, *, file: Path | str | None = None) -> Fraction:
        """One rate of a month; InputError where there is none. ``file`` has amounts in that currency."""
        try:
            return self.exchange_of(month)[currency]
        except KeyError:
            pass
        shown = printable(currency, 10)
        if month is None and currency in self.monthly:
            raise InputError(
                f"the exchange rate of {shown} is another each month, and nothing tells the month",
                file=file or self.file,
                advice="Name the month with --month YYYY-MM.",
            )
        raise InputError(
            f"the agreement has no exchange rate for {shown}{f' in {month}' if month else ''}",
            file=file or self.file,
            advice=f"Add it to [exchange]: units of {self.settlement} for one {shown}.",
        )

    def in_month(self, month: str | None) -> Agreement:
        """The agreement with the exchange rates of one month alone; None: nothing tells which.

        Raises :class:`InputError` where the books' currencies have no rate then.
        """
        for party in self.parties:
            self.rate_of(party.currency, month)
        return replace(self, exchange=self.exchange_of(month), monthly={})

    def routes_of(self, numbers: pa.Array, networks: pa.Array) -> NDArray[np.int32]:
        """Each record's route, as a place in :attr:`route_names`: (n,). Nothing is null, but may be empty.

        The longest prefix of the number decides; where none fits, the zone of the network.
        """
        found = self._prefixes.of(numbers)
        if not self.zones:
            return found
        zones = self._zones.of(networks)  # 0 is home: a record without a network
        by_network = np.where(zones == 0, self._zones.elsewhere, zones) - 1 + len(self.routes)
        routes: NDArray[np.int32] = np.where(found < len(self.routes), found, by_network).astype(np.int32)
        return routes

    def route_of(self, number: str, network: str = "") -> str:
        """The name of one record's route."""
        return self.route_names[int(self.routes_of(pa.array([number]), pa.array([network]))[0])]


def month_of(period: int) -> str:
    """A batch's period, YYYYMM, as agreements write months: ``2026-03`` of 202603."""
    return f"{period // 100:04d}-{period % 100:02d}"


def months_between(begin: int, end: int) -> tuple[str, ...]:
    """The months that days from ``begin`` to before ``end`` are in, "2026-01" and so on."""
    first, last = (_EPOCH + timedelta(day) for day in (begin, end - 1))
    count = 12 * (last.year - first.year) + last.month - first.month + 1
    places = (12 * first.year + first.month - 1 + number for number in range(count))
    return tuple(f"{place // 12:04d}-{place % 12 + 1:02d}" for place in places)


def load_agreement(source: Path | str | bytes, *, name: str = "") -> Agreement:
    """The agreement in a file (a path) or in its bytes; ``name`` is what errors call bytes.

    Raises :class:`~billproof.clearing.agreement.building.AgreementError`, an
    :class:`~billproof.errors.InputError` with file, line, key and remedy.
    """
    from billproof.clearing.agreement.building import build, read

    return build(*read(source, name))
