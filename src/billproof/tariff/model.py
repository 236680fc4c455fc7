"""A tariff as it was read: exact integers, resolved names, nothing left to check.

Money is in billionths of the currency unit, prices in units of 10⁻¹² (of the exchange's currency, if any),
amounts of usage in seconds, messages or bytes, days in days since 1970-01-01.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from billproof.records import Service

HOME = "home"
ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Rounding:
    """``at`` is increment, call or invoice; ``decimals`` 9 and ``mode`` half-even with invoice."""

    mode: str
    decimals: int
    at: str = "call"


@dataclass(frozen=True)
class Interval:
    """A price for ``unit`` of usage from ``start`` on, in whole ``increment``s."""

    start: int
    price: int
    unit: int
    increment: int


@dataclass(frozen=True)
class Tier:
    """Another price for records before which ``above`` and more was billed."""

    above: int
    price: int


@dataclass(frozen=True)
class Applies:
    """What a rate or an allowance applies to. None is what the file leaves out."""

    services: frozenset[Service]
    zones: frozenset[str]
    destinations: frozenset[str] | None
    calendar: str | None
    bands: frozenset[str] | None


@dataclass(frozen=True)
class Rate:
    """What one kind of usage costs; ``kind`` is seconds, messages or bytes."""

    name: str
    kind: str
    applies: Applies
    connection: int
    intervals: tuple[Interval, ...]
    tiers: tuple[Tier, ...]
    minimum: int | None
    maximum: int | None
    rounding: Rounding


@dataclass(frozen=True)
class Allowance:
    """Usage that is free, a cycle; ``at_most`` of what is left is carried on for ``cycles`` (0: none)."""

    name: str
    kind: str
    applies: Applies
    amount: int
    connection: bool
    cycles: int
    at_most: int


@dataclass(frozen=True)
class Fee:
    """A line of a fixed amount; ``once`` in every statement, or wherever it stands."""

    name: str
    service: Service
    amount: int
    once: bool


@dataclass(frozen=True)
class Commitment:
    """The least sum of the charges of ``services``, a cycle."""

    name: str
    services: frozenset[Service]
    amount: int


@dataclass(frozen=True)
class Discount:
    """``percent`` (in billionths of a percent) of lines of ``services``, or of these ``rates`` only."""

    name: str
    services: frozenset[Service]
    rates: frozenset[str] | None
    percent: int
    above: int
    once: bool


@dataclass(frozen=True)
class Tax:
    """``percent`` (in billionths of a percent) of lines of ``services``."""

    name: str
    services: frozenset[Service]
    percent: int
    rounding: Rounding


@dataclass(frozen=True)
class Calendar:
    """``week``: the band, as a place in ``bands``, of every minute of the seven days, Monday first.

    The days in ``holidays`` are as the day of the week ``holiday_as``.
    """

    name: str
    bands: tuple[str, ...]
    week: tuple[bytes, ...]
    holidays: frozenset[int]
    holiday_as: int


@dataclass(frozen=True)
class Tariff:
    """A tariff's file, read and found sound. ``hash`` is the keccak256 of the file's bytes."""

    hash: bytes
    file: str
    name: str
    version: str
    currency: str
    valid_from: int
    valid_until: int | None
    exchange_currency: str | None
    exchange: int  # billionths of the statements' currency for one unit of the prices'
    total: Rounding | None
    home: frozenset[str]  # MCC-MNC without the hyphen
    zones: dict[str, frozenset[str]]  # MCC-MNC without the hyphen, or MCC
    destinations: dict[str, tuple[str, ...]]
    calendars: dict[str, Calendar]
    rates: tuple[Rate, ...]
    allowances: tuple[Allowance, ...]
    fees: tuple[Fee, ...]
    commitment: Commitment | None
    discounts: tuple[Discount, ...]
    taxes: tuple[Tax, ...]
    source: bytes = field(repr=False, compare=False, default=b"")

    @property
    def words(self) -> str:
        """Name and version, as printed."""
        return f"{self.name} ({self.version})"
