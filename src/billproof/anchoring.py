"""A period's batches in the store → the chain: anchoring, sealing, and how they compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from billproof.anchoring_tariffs import TariffWarning, tariff_warnings
from billproof.errors import DifferenceError, InputError, NotAnchoredError
from billproof.ledger import outbox
from billproof.ledger.client import LedgerClient
from billproof.ledger.deployments import Deployment
from billproof.ledger.events import batch_events
from billproof.ledger.outbox import Anchored, AnchorRequest, AnchorResult, Patience, load_state
from billproof.ledger.reads import batch_state, final_block, period_state
from billproof.ledger.reads import operator as operator_state
from billproof.ledger.rpc import Endpoint
from billproof.ledger.states import BatchKey, BatchState, PeriodState
from billproof.ledger.transactions import Receipt
from billproof.recovery import period_lock
from billproof.secret_store import SecretStore
from billproof.store import StoredBatch, find_batches
from billproof.sums import check_sums


@dataclass(frozen=True)
class BatchStatus:
    """One batch of a period. ``stored`` is None when only the chain has it, ``chain`` when only the store.

    ``gas`` is known for batches anchored from this store; ``confirmations`` counts blocks on top.
    """

    key: BatchKey
    stored: StoredBatch | None
    chain: BatchState | None
    anchored: Anchored | None
    confirmations: int
    final: bool

    @property
    def words(self) -> str:
        """missing here, batched, differs, anchored or final."""
        if self.stored is None:
            return "missing here"
        if self.chain is None:
            return "batched"
        if self.chain.root != self.stored.root:
            return "differs"
        return "final" if self.final else "anchored"


@dataclass(frozen=True)
class PeriodStatus:
    """All batches of a period, in the store or on the chain."""

    period: PeriodState
    batches: list[BatchStatus]


def anchor_period(
    store: Path,
    client: LedgerClient,
    operator_id: int,
    period: int,
    *,
    secrets: Path | None = None,
    patience: Patience | None = None,
    progress: Callable[[outbox.Progress], None] | None = None,
    warn: Callable[[TariffWarning], None] | None = None,
) -> list[AnchorResult]:
    """Anchors every batch of the period that is not anchored yet; may be interrupted and run again.

    With ``secrets``, the batch secrets of anchored batches are destroyed and their opening keys kept.
    ``warn`` is told of tariffs that are not published, or not in time, before anything is sent.
    """
    _batches(store, operator_id, period)
    with period_lock(store / str(operator_id) / str(period), wait=False):
        return _anchor_alone(store, client, operator_id, period, secrets, patience, progress, warn)


def _anchor_alone(
    store: Path,
    client: LedgerClient,
    operator_id: int,
    period: int,
    secrets: Path | None,
    patience: Patience | None,
    progress: Callable[[outbox.Progress], None] | None,
    warn: Callable[[TariffWarning], None] | None,
) -> list[AnchorResult]:
    stored = _batches(store, operator_id, period)
    deployment = client.deployment
    for batch in stored:
        if (batch.id.chain_id, batch.id.ledger) != (deployment.chain_id, deployment.ledger):
            raise InputError(
                f"built for chain {batch.id.chain_id} and ledger {batch.id.ledger}",
                file=batch.path,
                advice=f"Rebuild it for {deployment.name} with `billproof batch --force`.",
            )
        check_sums(batch.path)
    if warn is not None:
        for found in tariff_warnings(stored, client.endpoint, deployment):
            warn(found)
    results = outbox.anchor(
        [anchor_request(batch) for batch in stored], client, patience=patience, progress=progress
    )
    if secrets is not None:
        vault = SecretStore(secrets, operator_id)
        for batch in stored:
            vault.keep_opening_keys(batch.id, batch.entries["account"].combine_chunks())
    return results


def seal_period(store: Path, client: LedgerClient, operator_id: int, period: int) -> Receipt:
    """Closes the period, after comparing the store with the chain; the admin signs."""
    status = period_status(store, client.endpoint, client.deployment, operator_id, period)
    for batch in status.batches:
        if batch.words in ("differs", "missing here"):
            raise DifferenceError(
                f"{batch.key}: {batch.words}",
                advice="`billproof status` shows both sides; seal what you know.",
            )
        if batch.words == "batched":
            raise NotAnchoredError(f"{batch.key} is not anchored", advice="Run `billproof anchor` first.")
    head = operator_state(client.endpoint, client.deployment, operator_id).head
    return client.seal(operator_id, period, head, status.period.batches)


def period_status(
    store: Path, endpoint: Endpoint, deployment: Deployment, operator_id: int, period: int
) -> PeriodStatus:
    """What the store and the chain hold of a period."""
    final = final_block(endpoint, deployment).number
    events = batch_events(endpoint, deployment, operator_id, period)
    newest = int(endpoint.request("eth_blockNumber", []), 16)
    stored = {_key(batch): batch for batch in find_batches(store, operator_id, period)}
    found = []
    for key in sorted(
        stored.keys() | {event.key for event in events}, key=lambda key: (key.region, key.sequence)
    ):
        state = batch_state(endpoint, deployment, key)
        batch = stored.get(key)
        kept = load_state(anchor_request(batch), deployment) if batch and batch.anchor_path.exists() else None
        found.append(
            BatchStatus(
                key,
                batch,
                state if state.exists else None,
                kept.anchored if kept else None,
                newest - state.block_number if state.exists else 0,
                state.exists and state.block_number <= final,
            )
        )
    return PeriodStatus(period_state(endpoint, deployment, operator_id, period), found)


def _batches(store: Path, operator_id: int, period: int) -> list[StoredBatch]:
    stored = find_batches(store, operator_id, period)
    if not stored:
        raise InputError(
            f"no batch of operator {operator_id} in {period}",
            file=store,
            advice="Build one with `billproof batch`.",
        )
    return stored


def _key(batch: StoredBatch) -> BatchKey:
    return BatchKey(batch.id.operator_id, batch.id.period, batch.id.region, batch.id.sequence)


def anchor_request(batch: StoredBatch) -> AnchorRequest:
    """What is to be anchored for a batch, and where its ``anchor.json`` is."""
    return AnchorRequest(_key(batch), batch.root, batch.manifest_hash, batch.amends, batch.anchor_path)
