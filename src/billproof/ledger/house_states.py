"""What the clearing house stores and takes, as values (``docs/clearing.md``, section 8).

Times are UTC seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from billproof.ledger.states import BatchKey

NO_ADDRESS = "0x" + "00" * 20
NO_AMENDMENT = BatchKey(0, 0, 0, 0)


class State(IntEnum):
    """Where a clearing is; the order is that of the contract."""

    NONE = 0
    COMMITTING = 1
    REVEALING = 2
    AGREEING = 3
    SETTLING = 4
    SETTLED = 5
    CLOSED = 6

    @property
    def word(self) -> str:
        """As the documentation has it."""
        return self.name.capitalize()


class Ending(IntEnum):
    """Why a clearing was closed."""

    NONE = 0
    REFUSED = 1
    NOT_COMMITTED = 2
    NOT_REVEALED = 3
    NOT_AGREED = 4
    NOT_SETTLED = 5
    REPUDIATED = 6

    @property
    def word(self) -> str:
        """As the documentation has it."""
        return self.name.title().replace("_", "")


class PartStatus(IntEnum):
    """What became of a part."""

    NONE = 0
    AGREED = 1
    CONFIRMED = 2
    PAID = 3
    NETTED = 4

    @property
    def word(self) -> str:
        """As the documentation has it."""
        return self.name.capitalize()


@dataclass(frozen=True)
class Deadlines:
    """The last second of each state."""

    commit_by: int
    reveal_by: int
    agree_by: int
    settle_by: int


@dataclass(frozen=True)
class SideState:
    """One operator's book: its commitment, when it was made, when opened; 0: not yet."""

    operator_id: int
    commitment: bytes
    committed_at: int
    revealed_at: int


@dataclass(frozen=True)
class ClearingState:
    """A clearing. ``at_fault``: the operators that ``ending`` names."""

    id: bytes
    period: int
    round: int
    open_parts: int
    state: State
    ending: Ending
    at_fault: tuple[int, ...]
    deadlines: Deadlines
    sides: tuple[SideState, SideState]

    @property
    def operators(self) -> tuple[int, int]:
        """A and B."""
        return self.sides[0].operator_id, self.sides[1].operator_id

    def side(self, operator_id: int) -> SideState:
        """A side's book; KeyError for a stranger."""
        return {side.operator_id: side for side in self.sides}[operator_id]

    def partner(self, operator_id: int) -> int:
        """The other side; KeyError for a stranger."""
        one, other = self.operators
        return {one: other, other: one}[operator_id]

    @property
    def deadline(self) -> int | None:
        """When its state should be over; None when it has ended."""
        limits = self.deadlines
        return {
            State.COMMITTING: limits.commit_by,
            State.REVEALING: limits.reveal_by,
            State.AGREEING: limits.agree_by,
            State.SETTLING: limits.settle_by,
        }.get(self.state)


@dataclass(frozen=True)
class PartState:
    """A part that is or was owed; ``ended_at`` 0 while it is."""

    amount_commitment: bytes
    document_hash: bytes
    creditor: int
    debtor: int
    agreed_at: int
    ended_at: int
    status: PartStatus


@dataclass(frozen=True)
class OpenedClearing:
    """One ``ClearingOpened`` event."""

    id: bytes
    operators: tuple[int, int]
    period: int
    round: int
    opener: int


@dataclass(frozen=True)
class BatchReference:
    """A batch of a side's operator in the clearing's period."""

    region: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.region}-{self.sequence}"


@dataclass(frozen=True)
class NetAmount:
    """What both admins sign for one part, without the nonces; members in the ABI's order."""

    clearing: bytes
    part: int
    last: bool
    creditor: int
    amount_commitment: bytes
    document_hash: bytes
    amendment: BatchKey
    deadline: int


@dataclass(frozen=True)
class Opening:
    """What opens an amount; members in the ABI's order. Without a token, billionths of the currency."""

    currency: bytes
    amount: int
    token: str
    payee: str
    salt: bytes


@dataclass(frozen=True)
class PartReference:
    """Part ``number`` of a clearing or of a netting, its ``source``."""

    source: bytes
    number: int


@dataclass(frozen=True)
class NetPart:
    """A part that comes of a netting."""

    creditor: int
    debtor: int
    amount_commitment: bytes


@dataclass(frozen=True)
class Netting:
    """What every operator of a ring signs, without the nonces; members in the ABI's order."""

    operators: tuple[int, ...]
    replaced: tuple[PartReference, ...]
    parts: tuple[NetPart, ...]
    document_hash: bytes
    deadline: int
