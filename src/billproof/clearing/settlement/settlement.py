"""What two operators settle of a period: who pays whom how much, for what, and what stays open.

``docs/clearing.md``, section 7. Money is in whole billionths of the settlement currency. Directions and
the net amount are computed, never given, so that they add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from billproof.clearing.agreement.agreement import Agreement, Party, Rounding, month_of
from billproof.clearing.discounts.models import CommonCommitment, rounded
from billproof.clearing.discounts.year import Line
from billproof.records import NANO, Service


@dataclass(frozen=True)
class Amount:
    """What agreed records of one direction and service add up to. ``volume`` is of billed usage."""

    payer: int
    service: Service
    records: int
    volume: int  # seconds, messages or bytes
    amount: int


@dataclass(frozen=True)
class Charge:
    """What a discount model makes of traffic whose records are among the amounts with ``booked``.

    Or the shortfall of a commitment over several models (``over``), of which nothing is booked.
    """

    payer: int
    model: str  # the name of either
    to_date: int
    share: int  # the month's
    shortfall: int
    open: int
    booked: int
    over: tuple[str, ...] = ()  # the names of a common commitment's models

    @property
    def adjustment(self) -> int:
        """What is charged beside the records: negative for a discount."""
        return self.share - self.booked

    @classmethod
    def of(cls, line: Line, booked: int) -> Charge:
        """The charge of an evaluation's line; ``booked``: what its month's records add up to."""
        return cls(
            line.payer.operator,
            line.model.name,
            line.to_date,
            line.share,
            line.shortfall,
            line.open,
            booked,
            tuple(sorted(line.model.models)) if isinstance(line.model, CommonCommitment) else (),
        )


@dataclass(frozen=True)
class Dispute:
    """What ``claimant``'s book has of a cause beyond what is settled: a debt, or below 0 a credit."""

    number: int  # of the cause in the clearing
    kind: str
    words: str
    claimant: int
    payer: int  # who handed the traffic over, and pays for it
    count: int  # pairs, or records without one
    amount: int
    deadline: str  # YYYY-MM-DD


@dataclass(frozen=True)
class Resolved:
    """A claim that is open no more: what of it was ``accepted`` is paid now, and the rest is given up."""

    claim: Dispute  # as it was open
    outcome: str  # of OUTCOMES
    accepted: int  # of its amount, and of its sign; 0 where it was not accepted


ACCEPTED, REJECTED, WITHDRAWN = OUTCOMES = ("accepted", "rejected", "withdrawn")


@dataclass(frozen=True)
class Year:
    """The agreement's months up to the settled one, YYYYMM: of which volumes are in what is due to date."""

    covered: tuple[int, ...]
    missing: tuple[int, ...]  # taken as months without traffic


@dataclass(frozen=True)
class BatchReference:
    """A batch that a book was taken from, as it stands in the ledger."""

    operator: int
    period: int  # YYYYMM
    region: int
    sequence: int
    root: bytes


@dataclass(frozen=True)
class Direction:
    """What one operator pays: its records, what discount models add to them, accepted claims, and all."""

    payer: Party
    payee: Party
    records: int
    adjustments: int
    claims: int

    @property
    def total(self) -> int:
        """In billionths, not rounded."""
        return self.records + self.adjustments + self.claims


@dataclass(frozen=True)
class Net:
    """The one payment that is left, rounded as the agreement says."""

    payer: Party
    payee: Party
    amount: int


@dataclass(frozen=True)
class Settlement:
    """A settlement of one period; ``kind`` is "undisputed" (the first part) or "disputed" (what was open).

    A disputed one ``continues`` another, by its document's hash, and says of claims that were open there what
    was ``resolved``; ``disputes`` are those that stay open. ``year`` is there where discount models are.
    """

    agreement: str
    agreement_hash: bytes
    parties: tuple[Party, Party]
    currency: str
    exchange: Mapping[str, Fraction]
    rounding: Rounding
    period: int  # YYYYMM
    issued: str  # YYYY-MM-DD
    due: str  # YYYY-MM-DD
    round: int = 1
    kind: str = "undisputed"
    amounts: tuple[Amount, ...] = ()
    charges: tuple[Charge, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    batches: tuple[BatchReference, ...] = ()
    chain_id: int | None = None
    ledger: str | None = field(default=None)  # lower-case 0x address
    year: Year | None = None
    continues: bytes | None = None
    resolved: tuple[Resolved, ...] = ()

    @property
    def directions(self) -> tuple[Direction, Direction]:
        """What each party pays, the first party's first."""
        one, other = self.parties
        return self._direction(one, other), self._direction(other, one)

    def _direction(self, payer: Party, payee: Party) -> Direction:
        return Direction(
            payer,
            payee,
            sum(each.amount for each in self.amounts if each.payer == payer.operator),
            sum(each.adjustment for each in self.charges if each.payer == payer.operator),
            sum(each.accepted for each in self.resolved if each.claim.payer == payer.operator),
        )

    @property
    def net(self) -> Net:
        """Who pays whom what is left; nothing is the first party's to pay."""
        one, other = self.directions
        left = one.total - other.total
        payer = one if left >= 0 else other
        amount = rounded(Fraction(abs(left), NANO), self.rounding.mode, self.rounding.decimals)
        return Net(payer.payer, payer.payee, amount)

    @property
    def disputed(self) -> int:
        """The money of all disputes, without signs: neither a claim nor a credit makes less of another."""
        return sum(abs(each.amount) for each in self.disputes)

    def party(self, operator: int) -> Party:
        """The party of a number; KeyError for a stranger."""
        return {party.operator: party for party in self.parties}[operator]


def settle(
    agreement: Agreement,
    period: int,
    issued: str,
    due: str,
    *,
    amounts: Iterable[Amount],
    charges: Iterable[Charge] = (),
    disputes: Iterable[Dispute] = (),
    batches: Iterable[BatchReference] = (),
    ledger: tuple[int, str] | None = None,
    number: int = 1,
    year: Year | None = None,
) -> Settlement:
    """The undisputed settlement under an agreement, in the order in which documents show it: money first.

    ``ledger`` is its chain's id and address; ``number`` the round of the clearing.
    """
    return Settlement(
        agreement=agreement.name,
        agreement_hash=agreement.hash,
        parties=agreement.parties,
        currency=agreement.settlement,
        exchange=dict(sorted(agreement.in_month(month_of(period)).exchange.items())),
        rounding=agreement.rounding,
        period=period,
        issued=issued,
        due=due,
        round=number,
        amounts=tuple(sorted(amounts, key=lambda each: (-abs(each.amount), each.payer, each.service))),
        charges=tuple(sorted(charges, key=lambda each: (-abs(each.share), each.payer, each.model))),
        disputes=in_order(disputes),
        batches=tuple(
            sorted(batches, key=lambda each: (each.operator, each.period, each.region, each.sequence))
        ),
        chain_id=ledger[0] if ledger else None,
        ledger=ledger[1] if ledger else None,
        year=year,
    )


def in_order(disputes: Iterable[Dispute]) -> tuple[Dispute, ...]:
    """Disputes as documents show them: money first."""
    return tuple(
        sorted(disputes, key=lambda each: (-abs(each.amount), each.number, each.claimant, each.amount))
    )
