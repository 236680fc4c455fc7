"""The shape of an agreement's file (``docs/clearing.md``, sections 2 and 6): which keys, of which types.

What the types cannot say (that names exist, that models do not overlap) :mod:`agreement_building` checks.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from billproof.documents import fields
from billproof.documents.fields import pattern
from billproof.tariff.form import (
    Currency,
    Day,
    HomeNetwork,
    Money,
    Name,
    Network,
    Plain,
    Price,
    Quantity,
    Services,
)

SCHEMA = "billproof/agreement/1"

_DECIMAL = r"[0-9]{1,9}(\.[0-9]{1,12})?"
_RATE = f"{_DECIMAL}( ?/ ?{_DECIMAL})?"
_RATE_TEXT = "units of the settlement currency for one: a decimal, or a fraction of two"
RATE_REMEDY = 'write a decimal of at most 12 decimals in quotes, "1.1834", or a fraction, "1/0.845"'
Rate = Annotated[str, pattern(_RATE, _RATE_TEXT, RATE_REMEDY)]
#: One rate for all months. :func:`is_rate` checks its pattern: a pattern in a union with a dict is freed
#: twice by msgspec (0.22), and the process dies as it ends.
OneRate = Annotated[str, Meta(description=_RATE_TEXT, extra_json_schema={"pattern": f"^{_RATE}$"})]
Rates = Annotated[
    dict[str, Rate],
    Meta(
        description="A rate for each month, YYYY-MM.",
        extra_json_schema={
            "minProperties": 1,
            "propertyNames": {"pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"},
        },
    ),
]
Prefix = Annotated[
    str,
    pattern(
        r"\+[0-9]{1,15}", "how numbers begin, + and country code first", 'write how numbers begin: "+447"'
    ),
]
Tadig = Annotated[str, pattern("[A-Z]{3}[A-Z0-9]{2}", "a TADIG code", 'write a TADIG code: "DEUD2"')]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, rename="kebab"):
    """A table with exactly the declared keys."""


class Valid(_Strict, frozen=True):
    """Days from ``from`` on, up to but not including ``until``."""

    from_: Day = msgspec.field(name="from")
    until: Day


class Party(_Strict, frozen=True):
    """One of the two operators: its number on the ledger, its name, the currency of its books."""

    operator: Annotated[int, Meta(ge=1, le=(1 << 53) - 1)]
    name: Name
    currency: Currency


class Tolerance(_Strict, frozen=True):
    """What no one argues about; what is left out is 0."""

    start: Quantity = "0 s"
    usage: Quantity = "0 s"
    data: Quantity = "0 B"
    amount: Money = "0"


class Tier(_Strict, frozen=True):
    """The price of what is above a volume of the year."""

    above: Quantity
    price: Price


class Commitment(_Strict, frozen=True):
    """What is paid at least, a year: ``money``, or a ``volume`` at ``price``, else the model's own prices."""

    money: Money | None = None
    volume: Quantity | None = None
    price: Price | None = None
    accrues: Literal["year", "month"] = "year"


class Model(_Strict, frozen=True):
    """A discount model: what the year's traffic of a direction, of services and routes, costs."""

    name: Name
    model: Literal["flat", "balanced", "tiers"]
    services: Services
    from_: Annotated[int, Meta(ge=1, le=(1 << 53) - 1)] | None = msgspec.field(name="from", default=None)
    routes: Annotated[list[Name], Meta(min_length=1)] | None = None
    unit: Quantity | None = None
    price: Price | None = None
    balanced: Price | None = None
    unbalanced: Price | None = None
    tiers: Annotated[list[Tier], Meta(min_length=1)] | None = None
    mode: Literal["incremental", "all"] | None = None
    commitment: Commitment | None = None


class CommonCommitment(_Strict, frozen=True):
    """What one operator pays at least, a year, by several models: ``money``, or a ``volume`` at ``price``."""

    name: Name
    from_: Annotated[int, Meta(ge=1, le=(1 << 53) - 1)] = msgspec.field(name="from")
    models: Annotated[list[Name], Meta(min_length=1)]
    money: Money | None = None
    volume: Quantity | None = None
    price: Price | None = None
    accrues: Literal["year", "month"] = "year"


class File(_Strict, frozen=True):
    """An agreement of two operators. See ``docs/clearing.md``."""

    schema: Literal["billproof/agreement/1"]
    name: Name
    valid: Valid
    settlement: Currency
    parties: list[Party]
    exchange: dict[Currency, OneRate | Rates] = {}
    tolerance: Tolerance = Tolerance()
    rounding: Plain = Plain("half-up", 2)
    routes: dict[Name, Annotated[list[Prefix], Meta(min_length=1)]] = {}
    zones: dict[Name, Annotated[list[Network], Meta(min_length=1)]] = {}
    tadig: dict[Tadig, HomeNetwork] = {}
    models: list[Model] = []
    commitments: list[CommonCommitment] = []


def is_rate(text: str) -> bool:
    """Whether a text is an exchange rate."""
    return re.fullmatch(_RATE, text) is not None


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the file."""
    return fields.json_schema(File, SCHEMA)
