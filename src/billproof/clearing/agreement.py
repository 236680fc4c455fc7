"""What two operators have agreed: parties, tolerances, exchange rates, routes and discount models.

``docs/clearing.md``, sections 2 and 6. Money is in billionths of a currency unit; exchange rates, prices and
volumes are exact fractions; days are counted from 1970-01-01.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billproof.clearing.models import Model
from billproof.tariff.places import Prefixes, Zones

#: The route of what no prefix and no zone of the agreement has.
ELSEWHERE = "elsewhere"


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
    exchange: Mapping[str, Fraction]  # settlement currency for one; the settlement currency itself is 1
    tolerance: Tolerance
    rounding: Rounding
    routes: Mapping[str, tuple[str, ...]]  # how numbers begin
    zones: Mapping[str, frozenset[str]]  # MCC-MNC without the hyphen, or MCC
    models: tuple[Model, ...] = ()
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

    def converted(self, amount: int | Fraction, currency: str) -> Fraction:
        """An amount in the settlement currency, exact; KeyError for a currency without a rate."""
        return amount * self.exchange[currency]

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


def load_agreement(source: Path | str | bytes, *, name: str = "") -> Agreement:
    """The agreement in a file (a path) or in its bytes; ``name`` is what errors call bytes.

    Raises :class:`~billproof.clearing.agreement_building.AgreementError`, an
    :class:`~billproof.errors.InputError` with file, line, key and remedy.
    """
    from billproof.clearing.agreement_building import build, read

    return build(*read(source, name))
