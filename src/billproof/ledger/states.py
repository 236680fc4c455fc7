"""What a look-up can find: the ledger's states as they are stored, and the ways of not finding them."""

from __future__ import annotations

from dataclasses import dataclass

from billproof.errors import CannotCheckError, NotAnchoredError


class WrongChainError(CannotCheckError):
    """The node serves another chain than the deployment's."""


class NoLedgerError(CannotCheckError):
    """There is no contract at the ledger's address."""


class ForeignCodeError(CannotCheckError):
    """The contract at the ledger's address is not our ledger."""


class PrunedStateError(CannotCheckError):
    """The node no longer, or not yet, has the state of the block."""


class FinalityUnsupportedError(CannotCheckError):
    """The node cannot say which block is final."""


class OddAnswerError(CannotCheckError):
    """The node answered with something that the ledger cannot have said."""


class NotFinalError(NotAnchoredError):
    """The batch is anchored in a block that is not final yet: counts as not anchored."""


@dataclass(frozen=True)
class BatchKey:
    """Names a batch of a ledger: operator number, period ``YYYYMM``, region, sequence from 1."""

    operator_id: int
    period: int
    region: int
    sequence: int

    def __str__(self) -> str:
        place = f"operator {self.operator_id}, period {self.period}, region {self.region}"
        return f"{place}, sequence {self.sequence}"


@dataclass(frozen=True)
class BlockRef:
    """A block: number, hash with 0x, time in UTC seconds."""

    number: int
    hash: str
    time: int


@dataclass(frozen=True)
class BatchState:
    """A stored batch. ``anchored_at``: UTC seconds; ``amends``: sequence that it amends, 0 for none."""

    root: bytes
    anchored_at: int
    block_number: int
    amends: int
    repudiated: bool
    ring_fault: bool

    @property
    def exists(self) -> bool:
        return any(self.root)


@dataclass(frozen=True)
class OperatorState:
    """A registered operator; ``head`` is the running hash over its batches, addresses are lower-case."""

    operator_id: int
    admin: str
    pending_admin: str
    head: bytes
    name: str
    domain: str
    metadata_uri: str


@dataclass(frozen=True)
class PeriodState:
    """A period: batches anchored (amendments included), those when sealed, time of sealing or 0."""

    batches: int
    sealed_batches: int
    sealed_at: int


@dataclass(frozen=True)
class TariffState:
    """A version of a tariff in the book, UTC seconds; all zero when it was never published.

    ``valid_from`` and ``valid_until`` (the first second after it, 0 for no end) are wall clock times written
    as if they were UTC; ``published_at`` and ``withdrawn_from`` (0 while it is not withdrawn) are UTC. They
    are the operator's own numbers up to 2⁶⁴ - 1, not all of them in a calendar.
    """

    published_at: int
    valid_from: int
    valid_until: int
    withdrawn_from: int

    @property
    def exists(self) -> bool:
        return self.published_at != 0


@dataclass(frozen=True)
class AnchoredEvent:
    """One ``BatchAnchored`` event."""

    key: BatchKey
    batch_id: bytes
    root: bytes
    manifest_hash: bytes
    amends: int
    anchorer: str
    block_number: int
    transaction: str


class DisagreementError(CannotCheckError):
    """Endpoints contradict each other."""


class TooFewEndpointsError(CannotCheckError):
    """Fewer than two independently run endpoints answered, and the user chose none."""
