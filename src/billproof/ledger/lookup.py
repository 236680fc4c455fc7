"""The root of a batch, as far as it can be relied upon: step 3 of the protocol's verification.

A root counts when two independently run endpoints agree on it at a block that both hold final, or when the
user chose the endpoint. Everything else is an error that says who answered what.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from billproof.errors import CannotCheckError, NotAnchoredError
from billproof.ledger.abi import END_OF_TIME
from billproof.ledger.deployments import Deployment
from billproof.ledger.events import batch_events
from billproof.ledger.reads import (
    batch_state,
    block_ref,
    chain_id,
    final_block,
    is_anchorer,
    ledger_code_present,
    operator,
    operator_count,
    period_state,
    require_chain,
    require_ledger,
)
from billproof.ledger.rpc import Endpoint, printable
from billproof.ledger.states import (
    AnchoredEvent,
    BatchKey,
    BatchState,
    BlockRef,
    DisagreementError,
    FinalityUnsupportedError,
    ForeignCodeError,
    NoLedgerError,
    NotFinalError,
    OddAnswerError,
    OperatorState,
    PeriodState,
    PrunedStateError,
    TooFewEndpointsError,
    WrongChainError,
)

__all__ = [
    "AnchoredEvent",
    "BatchKey",
    "BatchState",
    "BlockRef",
    "DisagreementError",
    "FinalityUnsupportedError",
    "ForeignCodeError",
    "NoLedgerError",
    "NotFinalError",
    "OddAnswerError",
    "OperatorState",
    "PeriodState",
    "PrunedStateError",
    "RootAnswer",
    "RootLookup",
    "TooFewEndpointsError",
    "WrongChainError",
    "batch_events",
    "batch_state",
    "block_ref",
    "chain_id",
    "final_block",
    "is_anchorer",
    "ledger_code_present",
    "look_up_root",
    "operator",
    "operator_count",
    "period_state",
    "require_chain",
    "require_ledger",
]

T = TypeVar("T")

STALE_AFTER = 6 * 3600
"""Seconds: a public chain's final block older than this cannot show that a batch is missing."""


@dataclass(frozen=True)
class RootAnswer:
    """A final, existing batch. ``block`` is the final block at which everybody named in ``answered_by`` says
    so; ``failed`` says who did not answer and why; ``own_choice``: the user named the endpoints."""

    root: bytes
    state: BatchState
    block: BlockRef
    answered_by: tuple[str, ...]
    failed: tuple[str, ...]
    own_choice: bool


class RootLookup:
    """Looks up several roots, asking each endpoint only once for its chain, code and final block.

    Args:
        endpoints: whom to ask, all of them.
        deployment: the expected chain and ledger, from the verifier's own list.
        own_choice: the user named these endpoints (``--rpc``), so one is enough. Several must still agree.
    """

    def __init__(self, endpoints: Sequence[Endpoint], deployment: Deployment, *, own_choice: bool) -> None:
        self.deployment = deployment
        self.own_choice = own_choice
        self._endpoints = list(endpoints)
        self._failures: dict[str, CannotCheckError] = {}
        self._answering: list[Endpoint] = []
        self._final: dict[int, BlockRef] = {}
        self._block: BlockRef | None = None

    def root(self, key: BatchKey) -> RootAnswer:
        """The root of a batch.

        Raises:
            NotAnchoredError: there is no such batch; NotFinalError: it is anchored, but not finally.
            CannotCheckError: nobody, too few, or endpoints that disagree (see the classes of ``lookup``).
        """
        state = self.agreed(lambda endpoint, block: batch_state(endpoint, self.deployment, key, block))
        block = self._common_block()
        names = tuple(endpoint.name for endpoint in self._answering)
        if not state.exists:
            self._not_there(key, block, names)
        failed = tuple(f"{name}: {error.message}" for name, error in self._failures.items())
        return RootAnswer(state.root, state, block, names, failed, self.own_choice)

    def agreed(self, read: Callable[[Endpoint, str], T]) -> T:
        """What ``read(endpoint, block)`` gives at the common final block, when all who answer agree.

        Raises:
            CannotCheckError: nobody, too few, or endpoints that disagree; whatever ``read`` raises that is
            not one of these.
        """
        block = self._common_block()
        answers: list[tuple[Endpoint, T]] = []
        for endpoint in list(self._answering):
            try:
                answers.append((endpoint, read(endpoint, hex(block.number))))
            except CannotCheckError as error:
                self._drop(endpoint, error)
        self._require_enough()
        first, answer = answers[0]
        for other, different in answers[1:]:
            if different != answer:
                raise DisagreementError(
                    f"{first.name} and {other.name} disagree at block {block.number}:"
                    f" {_words(answer)} against {_words(different)}",
                    advice="one of them is wrong or lies; ask a node that you trust with --rpc",
                )
        return answer

    @property
    def answering(self) -> tuple[Endpoint, ...]:
        """The endpoints that have answered so far."""
        return tuple(self._answering)

    # --- whom to ask, and at which block -----------------------------------------------------------

    def _common_block(self) -> BlockRef:
        """The oldest of the final blocks; everybody must hold the same one."""
        if self._block is not None:
            return self._block
        if not self._endpoints:
            raise TooFewEndpointsError(
                f"no endpoint is known for {self.deployment.name}",
                advice="name one that you trust with --rpc",
            )
        for endpoint in self._endpoints:
            try:
                require_chain(endpoint, self.deployment)
                final = final_block(endpoint, self.deployment)
                self._require_ledger(endpoint, final)
            except CannotCheckError as error:
                self._failures[endpoint.name] = error
            else:
                self._answering.append(endpoint)
                self._final[id(endpoint)] = final
        self._require_enough()
        block = min((self._final[id(e)] for e in self._answering), key=lambda found: found.number)
        for endpoint in self._answering:
            same = self._final[id(endpoint)]
            if same.number != block.number:
                same = block_ref(endpoint, hex(block.number)) or same
            if same.hash != block.hash:
                raise DisagreementError(
                    f"{self._answering[0].name} and {endpoint.name} disagree about block {block.number}:"
                    f" {block.hash} against {same.hash}",
                    advice="one of them is on a fork or lies; ask a node that you trust with --rpc",
                )
        self._block = block
        return block

    def _require_ledger(self, endpoint: Endpoint, final: BlockRef) -> None:
        try:
            require_ledger(endpoint, self.deployment, hex(final.number))
        except NoLedgerError:
            if ledger_code_present(endpoint, self.deployment):
                raise NotFinalError(
                    f"the ledger itself is deployed, but not final yet on {self.deployment.name}",
                    advice="try again in some minutes",
                ) from None
            raise

    def _drop(self, endpoint: Endpoint, error: CannotCheckError) -> None:
        self._failures[endpoint.name] = error
        self._answering.remove(endpoint)

    def _require_enough(self) -> None:
        answering = self._answering
        if not answering and len(self._endpoints) == 1 and self._failures:
            raise next(iter(self._failures.values()))
        hosts = {endpoint.host for endpoint in answering}
        runners = {endpoint.operated_by or endpoint.host for endpoint in answering}
        if min(len(hosts), len(runners)) >= (1 if self.own_choice else 2):
            return
        said = "; ".join(f"{name}: {error.message}" for name, error in self._failures.items())
        who = ", ".join(endpoint.name for endpoint in answering)
        raise TooFewEndpointsError(
            f"only {who} answered, and a root needs two that are run independently"
            + (f" ({said})" if said else "")
            if not self.own_choice
            else f"no endpoint answered ({said})",
            advice="name a node that you trust with --rpc, or try again later",
        )

    # --- absence -----------------------------------------------------------------------------------

    def _not_there(self, key: BatchKey, block: BlockRef, names: tuple[str, ...]) -> None:
        """Tells apart: behind, not final, not there. Always raises."""
        for endpoint in self._answering:
            own = self._final[id(endpoint)]
            if (
                own.number > block.number
                and batch_state(endpoint, self.deployment, key, hex(own.number)).exists
            ):
                raise DisagreementError(
                    f"{endpoint.name} has {key} at its final block {own.number}, others end at block"
                    f" {block.number}",
                    advice="the others are behind: try again later, or ask a node that you trust with --rpc",
                )
        for endpoint in self._answering:
            newest = batch_state(endpoint, self.deployment, key)
            if newest.exists:
                raise NotFinalError(
                    f"{key} is anchored in block {newest.block_number} on {self.deployment.name}, but that"
                    f" block is not final yet (final: {block.number}; says {endpoint.name})",
                    advice="counts as not anchored; try again in some minutes",
                )
        if self.deployment.kind in ("public", "testnet") and time.time() - block.time > STALE_AFTER:
            raise CannotCheckError(
                f"the newest final block of {', '.join(names)} is from {_when(block.time)}",
                advice="they are far behind and cannot show that a batch is missing; use another with --rpc",
            )
        raise NotAnchoredError(
            f"no batch of {key} on {self.deployment.name} (block {block.number} of {_when(block.time)};"
            f" says {', '.join(names)})",
            advice="ask the operator whether it was anchored; if the period just ended, wait",
        )


def look_up_root(
    endpoints: Sequence[Endpoint], deployment: Deployment, key: BatchKey, *, own_choice: bool
) -> RootAnswer:
    """One root; see ``RootLookup``."""
    return RootLookup(endpoints, deployment, own_choice=own_choice).root(key)


def _words(answer: object) -> str:
    if not isinstance(answer, BatchState):
        return printable(str(answer))
    if not answer.exists:
        return "no batch"
    flags = [
        word for word, set_ in (("repudiated", answer.repudiated), ("ring fault", answer.ring_fault)) if set_
    ]
    place = f"block {answer.block_number}, amends {answer.amends}"
    return f"root 0x{answer.root.hex()} ({', '.join([place, *flags])})"


def _when(seconds: int) -> str:
    if not 0 <= seconds < END_OF_TIME:
        return "a time after the year 9999"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
