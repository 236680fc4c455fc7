"""What nodes answer to a verifier: the root, later amendments, the tariff's publication, the operator.

Each is asked once, for however many files. Nodes are the user's own, or those of the deployment's list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from billproof.batch_id import BatchId
from billproof.errors import BillproofError, CannotCheckError
from billproof.identity import Identity
from billproof.ledger import deployments
from billproof.ledger.deployments import Deployment
from billproof.ledger.lookup import RootAnswer, RootLookup
from billproof.ledger.reads import batch_state
from billproof.ledger.rpc import Endpoint
from billproof.ledger.states import BatchKey, BatchState, TariffState
from billproof.ledger.tariff_reads import tariff_state
from billproof.trust import Pins

_NAME_A_NODE = {
    "embedded": "Give the chain's file with --rpc embedded:FILE.",
    "development": "Give the node's address with --rpc, for example http://127.0.0.1:8545.",
    "testnet": "Name a node that you trust with --rpc.",
    "public": "Name a node that you trust with --rpc.",
}
_MAX_AMENDMENTS = 100


@dataclass
class Answers:
    """Asks about batches of any chain; ``chosen`` are nodes of the user's own choice, if any."""

    chosen: Sequence[Endpoint]
    deployment: Path | None
    testnets: bool
    identify: Callable[..., Identity]
    pins: Pins
    _lookups: dict[int, RootLookup] = field(default_factory=dict)
    _roots: dict[BatchId, RootAnswer | BillproofError] = field(default_factory=dict)
    _amendments: dict[BatchId, list[str]] = field(default_factory=dict)
    _identities: dict[tuple[int, str, int], Identity | BillproofError] = field(default_factory=dict)
    _tariffs: dict[tuple[int, str, int, bytes], TariffState | BillproofError | None] = field(
        default_factory=dict
    )

    def root(self, batch: BatchId) -> RootAnswer:
        """The batch's root and state, agreed; raises what kept it from being known."""
        if batch not in self._roots:
            try:
                self._roots[batch] = self.lookup(batch).root(key_of(batch))
            except BillproofError as error:
                self._roots[batch] = error
        answer = self._roots[batch]
        if isinstance(answer, BillproofError):
            raise answer
        return answer

    def lookup(self, batch: BatchId) -> RootLookup:
        """The look-up for the batch's chain, on the verifier's own list of deployments."""
        if batch.chain_id not in self._lookups:
            deployment = deployments.load(self.deployment or batch.chain_id)
            own_choice = bool(self.chosen)
            endpoints = self.chosen or deployment.connect_known()
            if not endpoints:
                raise CannotCheckError(
                    f"no node is known for {deployment.name}", advice=_NAME_A_NODE[deployment.kind]
                )
            if deployment.kind == "testnet" and not self.testnets:
                raise CannotCheckError(
                    f"{deployment.name} is a test network: what is anchored there binds nobody",
                    advice="Add --testnet if that is what you want to check.",
                )
            self._lookups[batch.chain_id] = RootLookup(endpoints, deployment, own_choice=own_choice)
        lookup = self._lookups[batch.chain_id]
        expected = lookup.deployment
        if expected.chain_id != batch.chain_id:
            raise CannotCheckError(
                f"the file belongs to chain {batch.chain_id}, your deployment to chain {expected.chain_id}",
                advice="Give the deployment file of that chain, if you trust it.",
            )
        if expected.ledger != batch.ledger:
            raise CannotCheckError(
                f"the file names the ledger {batch.ledger}, but {expected.name} has it at {expected.ledger}",
                advice="A ledger of the operator's own proves nothing: ask for a file for the known one.",
            )
        return lookup

    def amendments(self, batch: BatchId) -> list[str]:
        """Notes on later batches of the region that amend this one; their bundles are files of their own."""
        if batch in self._amendments:
            return self._amendments[batch]
        lookup = self.lookup(batch)
        notes = self._amendments[batch] = []
        for sequence in range(batch.sequence + 1, batch.sequence + 1 + _MAX_AMENDMENTS):
            key = BatchKey(batch.operator_id, batch.period, batch.region, sequence)
            state = lookup.agreed(partial(_state_at, lookup.deployment, key))
            if not state.exists:
                return notes
            if state.amends == batch.sequence:
                notes.append(
                    f"batch {batch.region}-{sequence} amends this one and was not checked:"
                    " ask the operator for its bundle if it concerns you"
                )
        notes.append(f"more than {_MAX_AMENDMENTS} later batches: the rest was not looked at")
        return notes

    def identity(self, batch: BatchId) -> Identity | BillproofError:
        """Who the batch's operator is, or why nobody can say."""
        triple = (batch.chain_id, batch.ledger, batch.operator_id)
        if triple not in self._identities:
            try:
                self._identities[triple] = self.identify(self.lookup(batch), batch.operator_id, self.pins)
            except BillproofError as error:
                self._identities[triple] = error
        return self._identities[triple]

    def tariff(self, batch: BatchId, tariff: bytes) -> TariffState | BillproofError | None:
        """The version in the book at the block of the root; None without a book."""
        name = (batch.chain_id, batch.ledger, batch.operator_id, tariff)
        if name not in self._tariffs:
            lookup = self.lookup(batch)
            try:
                self._tariffs[name] = lookup.agreed(
                    partial(_tariff_at, lookup.deployment, batch.operator_id, tariff)
                )
            except BillproofError as error:
                self._tariffs[name] = error
        return self._tariffs[name]


def key_of(batch: BatchId) -> BatchKey:
    """What the ledger knows a batch by."""
    return BatchKey(batch.operator_id, batch.period, batch.region, batch.sequence)


def _state_at(deployment: Deployment, key: BatchKey, endpoint: Endpoint, block: str) -> BatchState:
    return batch_state(endpoint, deployment, key, block)


def _tariff_at(
    deployment: Deployment, operator_id: int, tariff: bytes, endpoint: Endpoint, block: str
) -> TariffState | None:
    return tariff_state(endpoint, deployment, operator_id, tariff, block)
