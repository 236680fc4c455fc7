"""Discount models: what a year's traffic in both directions costs, exact (``docs/clearing.md``, section 6).

Volumes are in seconds, messages or bytes, prices in the settlement currency for one ``unit`` of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from billproof.records import Service


@dataclass(frozen=True)
class Tier:
    """The price of what is above a volume."""

    above: int
    price: Fraction


@dataclass(frozen=True)
class Commitment:
    """What is paid at least, a year: money, or a volume at ``price`` (None: at the model's own prices).

    ``accrues`` is "year" (due when the year is over) or "month" (a twelfth part each month of twelve).
    """

    money: Fraction | None
    volume: int | None
    price: Fraction | None
    accrues: str


@dataclass(frozen=True)
class Model:
    """One discount model. ``operator`` is who hands the traffic over and pays; None: both (balanced).

    ``shape`` is "flat" (``price``), "balanced" (``price`` and ``unbalanced``), or "tiers" (``tiers``, and
    ``mode`` "incremental" or "all").
    """

    name: str
    shape: str
    operator: int | None
    services: frozenset[Service]
    routes: frozenset[str] | None
    kind: str  # seconds, messages or bytes
    unit: int  # how many of them a price is for
    price: Fraction | None = None
    unbalanced: Fraction | None = None
    tiers: tuple[Tier, ...] = ()
    mode: str = "incremental"
    commitment: Commitment | None = None
