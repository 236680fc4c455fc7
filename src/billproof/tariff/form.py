"""The shape of a tariff's file (``docs/tariff.md``, section 1): which keys, of which types, TOML or JSON.

What the types cannot say (that names exist, that rates do not overlap) is :mod:`document`'s and
:mod:`coherence`'s to check.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from billproof.documents import fields
from billproof.documents.fields import pattern

SCHEMA = "billproof/tariff/1"

_TEXT = "a name of 1 to 64 printable characters"
Name = Annotated[str, Meta(min_length=1, max_length=64, description=_TEXT)]
Price = Annotated[
    str,
    pattern(
        r"[0-9]{1,18}(\.[0-9]{1,12})?",
        "a price, as a decimal text of at most 12 decimals",
        'write a decimal of at most 12 decimals in quotes, without a sign: "0.10"',
    ),
]
Money = Annotated[
    str,
    pattern(
        r"[0-9]{1,18}(\.[0-9]{1,9})?",
        "an amount of money or percentage, as a decimal text of at most 9 decimals",
        'write a decimal of at most 9 decimals in quotes, without a sign: "9.99"',
    ),
]
SignedMoney = Annotated[
    str,
    pattern(
        r"-?[0-9]{1,18}(\.[0-9]{1,9})?",
        "an amount of money, as a decimal text of at most 9 decimals",
        'write a decimal of at most 9 decimals in quotes: "9.99"',
    ),
]
Quantity = Annotated[
    str,
    pattern(
        r"(0|[1-9][0-9]{0,17}) (s|min|h|messages?|B|kB|MB|GB|KiB|MiB|GiB)",
        "an amount of usage: a whole number and its unit",
        'write a whole number, a space and a unit in quotes: "60 s", "100 min", "1 message", "10 kB"',
    ),
]
Day = Annotated[
    str,
    pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "a local day, YYYY-MM-DD", 'write "YYYY-MM-DD" in quotes'),
]
Clock = Annotated[
    str,
    pattern(
        r"(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)",
        "a time of day, 00:00 to 24:00",
        'write "HH:MM" in quotes, "00:00" to "24:00"',
    ),
]
_DAY = "(mon|tue|wed|thu|fri|sat|sun)"
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Weekdays = Annotated[
    str,
    pattern(
        rf"{_DAY}(-{_DAY})?(, ?{_DAY}(-{_DAY})?)*",
        "days of the week: mon, mon-fri, or a list with commas",
        'write days as "mon-fri" or "sat,sun"',
    ),
]
Currency = Annotated[str, pattern("[A-Z]{3}", "an ISO 4217 code", 'write three capital letters: "EUR"')]
Prefix = Annotated[
    str,
    pattern(
        "[!-~]{1,128}",
        "how numbers begin, + and country code first, or as dialled",
        'write how numbers begin: "+4477", or "1747" as it is dialled',
    ),
]
HomeNetwork = Annotated[
    str, pattern("[0-9]{3}-?[0-9]{2,3}", "a network, MCC-MNC", 'write MCC-MNC: "272-01" or "27201"')
]
Network = Annotated[
    str,
    pattern(
        "([0-9]{3}(-?[0-9]{2,3})?|[A-Z]{3}[A-Z0-9]{2})",
        "a network, MCC-MNC or TADIG code, or a country, MCC",
        'write MCC-MNC "272-01", a country\'s MCC "272", or a TADIG code "DEUD2"',
    ),
]
Decimals = Annotated[int, Meta(ge=0, le=9)]
Mode = Literal["up", "down", "half-up", "half-even"]
UsageService = Literal[
    "voice-originated",
    "voice-terminated",
    "voice-forwarded",
    "message-sent",
    "message-received",
    "data",
    "mms",
    "content",
]
AnyService = UsageService | Literal["recurring", "one-off", "discount", "tax", "credit", "rounding"]
Services = Annotated[list[UsageService], Meta(min_length=1)]
AnyServices = Annotated[list[AnyService], Meta(min_length=1)]
Names = Annotated[list[Name], Meta(min_length=1)]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, rename="kebab"):
    """A table with exactly the declared keys."""


class Valid(_Strict, frozen=True):
    """Local days from ``from`` on, up to but not including ``until``."""

    from_: Day = msgspec.field(name="from")
    until: Day | None = None


class Rounding(_Strict, frozen=True):
    """How charges are rounded; ``decimals`` is left out exactly with ``at = "invoice"``."""

    at: Literal["increment", "call", "invoice"]
    mode: Mode | None = None
    decimals: Decimals | None = None


class Plain(_Strict, frozen=True):
    """A mode of rounding and its decimals."""

    mode: Mode
    decimals: Decimals


class Exchange(_Strict, frozen=True):
    """Units of the statements' currency for one of the prices'."""

    currency: Currency
    rate: Money


class Span(_Strict, frozen=True):
    """Days of the week, and a time of day on each of them."""

    days: Weekdays = "mon-sun"
    from_: Clock = msgspec.field(name="from", default="00:00")
    until: Clock = "24:00"


class HolidayUse(_Strict, frozen=True):
    """The days of a list count as this day of the week."""

    list: Name
    as_: Weekday = msgspec.field(name="as")


class Interval(_Strict, frozen=True):
    """A price from an amount of usage on."""

    from_: Quantity = msgspec.field(name="from")
    price: Price
    unit: Quantity
    increment: Quantity | None = None


class Tier(_Strict, frozen=True):
    """Another price above an amount of the cycle's billed usage."""

    above: Quantity
    price: Price


class Rate(_Strict, frozen=True):
    """What one kind of usage costs."""

    name: Name
    services: Services
    zones: Names | None = None
    destinations: Names | None = None
    calendar: Name | None = None
    bands: Names | None = None
    connection: Price | None = None
    price: Price | None = None
    unit: Quantity | None = None
    increment: Quantity | None = None
    first: Quantity | None = None
    intervals: Annotated[list[Interval], Meta(min_length=1)] | None = None
    minimum: Money | None = None
    maximum: Money | None = None
    tiers: list[Tier] | None = None
    rounding: Rounding | None = None


class Rollover(_Strict, frozen=True):
    """What is left at the end of a cycle, at most ``at-most``, for ``cycles`` more."""

    cycles: Annotated[int, Meta(ge=1, le=120)]
    at_most: Quantity


class Allowance(_Strict, frozen=True):
    """Usage that is free, a cycle."""

    name: Name
    services: Services
    amount: Quantity
    zones: Names | None = None
    destinations: Names | None = None
    calendar: Name | None = None
    bands: Names | None = None
    connection: bool = True
    shared: bool = True
    rollover: Rollover | None = None


class Fee(_Strict, frozen=True):
    """A line of a fixed amount."""

    name: Name
    amount: SignedMoney
    service: Literal["recurring", "one-off"]
    times: Literal["once", "any"]


class Commitment(_Strict, frozen=True):
    """The least sum of the charges of some services, a cycle."""

    amount: Money
    services: AnyServices
    name: Name


class Discount(_Strict, frozen=True):
    """A percentage of the sum of other lines."""

    name: Name
    percent: Money
    of: AnyServices
    times: Literal["once", "any"]
    rates: Names | None = None
    above: SignedMoney | None = None


class Tax(_Strict, frozen=True):
    """A percentage of the sum of the lines of some services."""

    name: Name
    percent: Money
    of: AnyServices | None = None
    rounding: Plain | None = None


class File(_Strict, frozen=True):
    """A tariff: what the contract says a line costs. See ``docs/tariff.md``."""

    schema: Literal["billproof/tariff/1"]
    name: Name
    version: Name
    currency: Currency
    valid: Valid
    rounding: Rounding
    home: list[HomeNetwork] = []
    total: Plain | None = None
    exchange: Exchange | None = None
    holidays: dict[Name, list[Day]] = {}
    calendars: dict[Name, dict[Name, list[Span] | Literal["rest"] | HolidayUse]] = {}
    destinations: dict[Name, Annotated[list[Prefix], Meta(min_length=1)]] = {}
    zones: dict[Name, Annotated[list[Network], Meta(min_length=1)]] = {}
    tadig: dict[
        Annotated[str, pattern("[A-Z]{3}[A-Z0-9]{2}", "a TADIG code", 'write a TADIG code: "DEUD2"')],
        HomeNetwork,
    ] = {}
    rates: list[Rate] = []
    allowances: list[Allowance] = []
    fees: list[Fee] = []
    commitment: Commitment | None = None
    discounts: list[Discount] = []
    taxes: list[Tax] = []


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the file."""
    return fields.json_schema(File, SCHEMA)
