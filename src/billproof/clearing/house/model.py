"""What two operators take to the clearing house: a book to commit to, a part to sign, a netting of a ring.

Everything that the contract hashes follows from the values here (``docs/clearing.md``, section 8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from billproof.ledger import house_hashes as hashes
from billproof.ledger.artifact import house_address
from billproof.ledger.house_states import (
    NO_ADDRESS,
    BatchReference,
    NetAmount,
    NetPart,
    Netting,
    Opening,
    PartReference,
)
from billproof.ledger.states import BatchKey
from billproof.records import money
from billproof.tariff import values


@dataclass(frozen=True)
class Place:
    """A round of a clearing, and the ledger beside which it is; ``ledger`` is lower-case."""

    chain_id: int
    ledger: str
    operators: tuple[int, int]
    period: int
    round: int

    @property
    def house(self) -> str:
        """The house's address."""
        return house_address(self.ledger)

    @cached_property
    def clearing(self) -> bytes:
        """The clearing's id."""
        return hashes.clearing_id(self.chain_id, self.house, *self.operators, self.period, self.round)


@dataclass(frozen=True)
class Book:
    """One side's book: its batches, the hash over the partner's statements in them, and the salt."""

    place: Place
    operator: int
    batches: tuple[BatchReference, ...]
    statements_hash: bytes
    salt: bytes

    @cached_property
    def commitment(self) -> bytes:
        """What the side commits to."""
        return hashes.book_commitment(
            self.place.clearing, self.operator, self.batches, self.statements_hash, self.salt
        )


@dataclass(frozen=True)
class Amount:
    """An amount with what opens its commitment; ``decimals`` are the token's, None without one."""

    opening: Opening
    decimals: int | None = None

    @property
    def currency(self) -> str:
        """Three letters."""
        return self.opening.currency.decode()

    @property
    def unit(self) -> tuple[str, str, int | None]:
        """What amounts must share to be added up: currency, token, decimals."""
        return self.currency, self.opening.token, self.decimals

    @property
    def words(self) -> str:
        """For people."""
        if self.decimals is None:
            return f"{money(self.opening.amount)} {self.currency}"
        units = values.decimal_of(self.opening.amount, self.decimals, min(2, self.decimals))
        return f"{units} {self.currency} of the token {self.opening.token}, to {self.opening.payee}"

    def commitment(self, source: bytes, number: int) -> bytes:
        """What hides it as part ``number`` of a source."""
        return hashes.amount_commitment(source, number, self.opening)


@dataclass(frozen=True)
class Owed:
    """A part that is, or is to be, owed."""

    source: bytes
    number: int
    creditor: int
    debtor: int
    amount: Amount

    @property
    def commitment(self) -> bytes:
        """What hides its amount."""
        return self.amount.commitment(self.source, self.number)


@dataclass(frozen=True)
class Part:
    """A part of a clearing for both admins to sign; ``nonces`` and signatures are theirs."""

    place: Place
    number: int
    last: bool
    creditor: int
    amount: Amount
    document_hash: bytes
    amendment: BatchKey
    nonces: tuple[int, int]
    deadline: int
    signatures: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def operators(self) -> tuple[int, ...]:
        """Who signs."""
        return self.place.operators

    @property
    def debtor(self) -> int:
        """Who owes it."""
        one, other = self.place.operators
        return other if self.creditor == one else one

    @property
    def owed(self) -> Owed:
        """What is owed when both have signed."""
        return Owed(self.place.clearing, self.number, self.creditor, self.debtor, self.amount)

    @property
    def net(self) -> NetAmount:
        """As the contract takes it."""
        return NetAmount(
            self.place.clearing,
            self.number,
            self.last,
            self.creditor,
            self.owed.commitment,
            self.document_hash,
            self.amendment,
            self.deadline,
        )

    @property
    def digest(self) -> bytes:
        """What both admins sign."""
        signed = hashes.net_amount_values(self.net, self.nonces)
        return hashes.digest("NetAmount", signed, self.place.chain_id, self.place.house)


@dataclass(frozen=True)
class RingNetting:
    """Parts that are replaced, and those that come of it, for all admins of a ring to sign."""

    chain_id: int
    ledger: str
    operators: tuple[int, ...]
    replaced: tuple[Owed, ...]
    parts: tuple[Owed, ...]
    document_hash: bytes
    nonces: tuple[int, ...]
    deadline: int
    signatures: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def id(self) -> bytes:
        """The source of the new parts."""
        return source_of(self.chain_id, self.ledger, self.replaced)

    @property
    def netting(self) -> Netting:
        """As the contract takes it."""
        return Netting(
            self.operators,
            tuple(PartReference(each.source, each.number) for each in self.replaced),
            tuple(NetPart(each.creditor, each.debtor, each.commitment) for each in self.parts),
            self.document_hash,
            self.deadline,
        )

    @property
    def digest(self) -> bytes:
        """What all admins sign."""
        signed = hashes.netting_values(self.netting, self.nonces)
        return hashes.digest("Netting", signed, self.chain_id, house_address(self.ledger))


def source_of(chain_id: int, ledger: str, replaced: tuple[Owed, ...]) -> bytes:
    """The id of the netting that replaces these parts."""
    references = [PartReference(each.source, each.number) for each in replaced]
    return hashes.netting_id(chain_id, house_address(ledger), references)


def balances(parts: tuple[Owed, ...]) -> dict[int, int]:
    """What each operator gets, or (negative) owes, by the parts together; all in one unit."""
    found: dict[int, int] = {}
    for part in parts:
        found[part.creditor] = found.get(part.creditor, 0) + part.amount.opening.amount
        found[part.debtor] = found.get(part.debtor, 0) - part.amount.opening.amount
    return found


def in_currency(currency: str, amount: int, salt: bytes) -> Amount:
    """An amount in billionths of a currency, to be paid elsewhere."""
    return Amount(Opening(currency.encode(), amount, NO_ADDRESS, NO_ADDRESS, salt))
