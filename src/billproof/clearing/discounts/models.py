"""Discount models: what a year's traffic in both directions costs, exact (``docs/clearing.md``, section 6).

Volumes are in seconds, messages or bytes, prices in the settlement currency for one ``unit`` of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from billproof.records import NANO, Service


@dataclass(frozen=True)
class Tier:
    """The price of what is above a volume."""

    above: int
    price: Fraction


@dataclass(frozen=True)
class Commitment:
    """What is paid at least for all of the agreement's months (send or pay).

    It is money, or a volume at ``price`` (None: at the model's own prices). ``accrues`` is "year" (due with
    the last month) or "month" (the same part of it with each month).
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

    @property
    def commits(self) -> Fraction:
        """What the commitment is worth; 0 without one."""
        if self.commitment is None:
            return Fraction(0)
        if self.commitment.money is not None:
            return self.commitment.money
        volume = Fraction(self.commitment.volume or 0)
        if self.commitment.price is not None:
            return volume * self.commitment.price / self.unit
        return self._one_way(volume)

    def charges(self, volumes: Mapping[int, Fraction]) -> dict[int, Fraction]:
        """What each operator pays for what it handed over, without the commitment: exact.

        ``volumes`` has each operator that may pay: the model's own, or both of a balanced one.
        """
        if self.shape != "balanced":
            return {payer: self._one_way(volume) for payer, volume in volumes.items()}
        balanced = min(volumes.values(), default=Fraction(0))
        price, beyond = _known(self.price), _known(self.unbalanced)
        return {
            payer: (balanced * price + (volume - balanced) * beyond) / self.unit
            for payer, volume in volumes.items()
        }

    def _one_way(self, volume: Fraction) -> Fraction:
        if self.shape == "flat":
            return volume * _known(self.price) / self.unit
        if self.mode == "all":
            reached = [tier for tier in self.tiers if tier.above < volume] or [self.tiers[0]]
            return volume * reached[-1].price / self.unit
        charged = Fraction(0)
        for tier, following in zip(self.tiers, (*self.tiers[1:], None), strict=True):
            until = volume if following is None else min(volume, Fraction(following.above))
            charged += max(until - tier.above, Fraction(0)) * tier.price
        return charged / self.unit

    def due(self, months: int, of: int) -> Fraction:
        """What of the commitment is due when ``months`` of the agreement's months are over."""
        if self.commitment is None:
            return Fraction(0)
        return _accrued(self.commits, self.commitment.accrues, months, of)


@dataclass(frozen=True)
class CommonCommitment:
    """What ``operator`` pays at least for all of the agreement's months by several of its models together.

    ``models`` are their names, ``commits`` what it is worth; ``accrues`` as of a :class:`Commitment`.
    """

    name: str
    operator: int
    models: frozenset[str]
    commits: Fraction
    accrues: str

    def due(self, months: int, of: int) -> Fraction:
        """What of it is due when ``months`` of the agreement's months are over."""
        return _accrued(self.commits, self.accrues, months, of)


def _accrued(commits: Fraction, accrues: str, months: int, of: int) -> Fraction:
    if accrues == "month":
        return commits * months / of
    return commits if months == of else Fraction(0)


def _known(price: Fraction | None) -> Fraction:
    if price is None:
        raise ValueError("a model without its price")  # the reader has refused it
    return price


def rounded(amount: Fraction, mode: str, decimals: int) -> int:
    """An amount that is not negative in billionths, rounded to ``decimals`` of the currency unit.

    ``mode`` is "up", "down", "half-up" or "half-even" (``docs/tariff.md``).
    """
    scaled: Fraction = amount * 10**decimals
    whole = scaled.numerator // scaled.denominator
    rest = scaled - whole
    if (
        (mode == "up" and rest)
        or (mode == "half-up" and rest >= Fraction(1, 2))
        or (mode == "half-even" and (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2)))
    ):
        whole += 1
    return whole * (NANO // int(10**decimals))
