"""One batch on its way into the chain; the order of things and why is in ``outbox``."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from billproof.errors import LedgerError
from billproof.ledger.client import BatchAnchor, LedgerClient, anchor_arguments
from billproof.ledger.events import batch_events
from billproof.ledger.outbox_state import (
    Anchored,
    AnchorRequest,
    AnchorResult,
    AnchorState,
    Patience,
    Progress,
    load_state,
    of_receipt,
    save_state,
)
from billproof.ledger.reads import batch_state, final_block, quantity
from billproof.ledger.rpc import EndpointError
from billproof.ledger.states import BatchState, PrunedStateError
from billproof.ledger.transactions import (
    Fees,
    NonceUsedError,
    PendingError,
    Receipt,
    Signed,
    UnderpricedError,
    broadcast,
    next_nonce,
    receipt,
    suggest_fees,
)

DEFAULT_CONFIRMATIONS = 3
"""Blocks on top to wait for where the deployment trusts the ``finalized`` tag, which takes long to come."""

_RESEND_AFTER = 5.0

#: What a node says while it is away or reorganises: once a transaction was sent, no reason to stop waiting.
_PASSING = (EndpointError, PrunedStateError)


class AnchorJob:
    """A batch, from the first look at the chain to the last confirmation."""

    def __init__(
        self,
        request: AnchorRequest,
        client: LedgerClient,
        patience: Patience,
        told: Callable[[Progress], None],
    ) -> None:
        self.request = request
        self._client = client
        self._endpoint = client.endpoint
        self._deployment = client.deployment
        self._patience = patience
        self._told = told
        self._deadline = 0.0

    def run(self) -> AnchorResult:
        """Until the batch is in a block."""
        self._deadline = time.monotonic() + self._patience.timeout
        state = load_state(self.request, self._deployment)
        there = self._there()
        if there is not None:
            found = self._recognise(state, there)
            self._tell("already", f"block {found.block_number}")
            return AnchorResult(self.request, found, already=True)
        if state is None or not state.transactions:
            state = self._sign()
        elif state.anchored:  # a reorganisation took it out, or the development chain is a new one
            state = replace(state, status="signed", anchored=None)
            self._save(state)
        return AnchorResult(self.request, self._deliver(state), already=False)

    def confirm(self, anchored: Anchored) -> Anchored:
        """Until enough blocks are on top; a reorganisation that takes the batch out sends it again."""
        wanted = self._patience.confirmations
        if wanted is None:
            wanted = self._deployment.confirmations
        wanted = DEFAULT_CONFIRMATIONS if wanted is None else wanted
        self._deadline = time.monotonic() + self._patience.timeout
        poll = self._patience.poll
        while wanted:
            where = f"in block {anchored.block_number}, but not confirmed {wanted} times"
            try:
                there = self._there()
                if there is None:
                    anchored = self.run().anchored
                elif self._newest() - there.block_number >= wanted:
                    break
            except _PASSING as error:
                where = error.message
            self._pause(poll, where)
            poll = min(2.0, poll * 1.5)
        self._tell("confirmed", f"{wanted} blocks on top")
        return anchored

    # --- what the chain says -----------------------------------------------------------------------

    def _there(self) -> BatchState | None:
        """The batch in the chain, if it is this one.

        Raises:
            LedgerError: another root has its place.
        """
        there = batch_state(self._endpoint, self._deployment, self.request.key)
        if not there.exists:
            return None
        if there.root != self.request.root:
            raise LedgerError(
                f"another root is anchored for {self.request.key}: 0x{there.root.hex()}",
                advice="rebuild this batch with the next sequence (billproof batch does so)",
            )
        return there

    def _recognise(self, state: AnchorState | None, there: BatchState) -> Anchored:
        """Notes down a batch that the chain has: by our own transaction, or else by its event."""
        known = state.anchored if state is not None else None
        if known is not None and known.block_number == there.block_number:
            return known
        found = None if state is None else self._receipt(state)
        if found is None or not found.success:
            events = batch_events(
                self._endpoint,
                self._deployment,
                self.request.key.operator_id,
                self.request.key.period,
                from_block=there.block_number,
                to_block=there.block_number,
            )
            hashes = [event.transaction for event in events if event.key == self.request.key]
            found = receipt(self._endpoint, hashes[0]) if hashes else None
        if found is None:
            anchored = Anchored(None, there.block_number, None, there.anchored_at, None, None)
        else:
            anchored = of_receipt(found)
        self._save(replace(state or AnchorState("", "", 0, ()), status="anchored", anchored=anchored))
        return anchored

    def _receipt(self, state: AnchorState) -> Receipt | None:
        for signed in reversed(state.transactions):
            found = receipt(self._endpoint, signed.hash)
            if found is not None:
                return found
        return None

    def _newest(self) -> int:
        return quantity(self._endpoint, self._endpoint.request("eth_blockNumber", []), 64)

    # --- signing and sending -----------------------------------------------------------------------

    def _prepare(self, nonce: int | None = None, fees: Fees | None = None) -> Signed:
        key, request = self.request.key, self.request
        batch = BatchAnchor(
            key.period, key.region, key.sequence, request.root, request.manifest_hash, request.amends
        )
        arguments = anchor_arguments(key.operator_id, batch)
        return self._client.prepare("anchor", arguments, nonce=nonce, fees=fees)

    def _sign(self) -> AnchorState:
        """A first transaction, on disk before anybody else sees it."""
        self._tell("signing", "")
        signed = self._prepare()
        state = AnchorState("signed", self._client.signer.address, signed.nonce, (signed,))
        self._save(state)
        self._tell("signed", signed.hash)
        return state

    def _deliver(self, state: AnchorState) -> Anchored:
        """Sends until one of the batch's transactions is in a block."""
        state = self._send(state)
        replace_at = time.monotonic() + self._patience.replace_after
        resend_at = time.monotonic() + _RESEND_AFTER
        poll = self._patience.poll
        while True:
            where = f"transaction {state.transactions[-1].hash} is in no block yet"
            try:
                found = self._receipt(state)
                if found is not None:
                    return self._landed(state, found)
                if next_nonce(self._endpoint, state.anchorer, "latest") > state.nonce:
                    done, state = self._nonce_gone(state)
                    if done is not None:
                        return done
                elif time.monotonic() >= replace_at:
                    state = self._replace(state)
                    replace_at = time.monotonic() + self._patience.replace_after
                elif time.monotonic() >= resend_at:
                    state = self._send(state)
                    resend_at = time.monotonic() + _RESEND_AFTER
            except _PASSING as error:
                where = error.message
            self._pause(poll, where)
            poll = min(2.0, poll * 1.5)

    def _send(self, state: AnchorState) -> AnchorState:
        """Sends the latest of the transactions; sent again it does no harm.

        Raises:
            LedgerError: transactions of the account before this one are missing.
        """
        sent = next_nonce(self._endpoint, state.anchorer)
        if sent < state.nonce:
            raise LedgerError(
                f"{state.anchorer} has sent {sent} transactions, but {self.request.key} waits as its number"
                f" {state.nonce + 1}: one before it was dropped, or the chain is a new one",
                advice="anchor the batches before it again; on a chain that was reset, remove anchor.json",
            )
        try:
            broadcast(self._endpoint, state.transactions[-1].raw)
        except NonceUsedError:
            return state  # the caller looks who used it
        except UnderpricedError as error:
            if "replacement" in error.message.lower():
                return state  # the nonce waits in another transaction: see which of them lands
            return self._replace(state)
        self._tell("sent", state.transactions[-1].hash)
        return state

    def _replace(self, state: AnchorState) -> AnchorState:
        """The same nonce again for a higher fee, if that is still within what may be paid."""
        last = state.transactions[-1]
        fees = last.fees.raised()
        now = suggest_fees(self._endpoint)
        if now.maximum > fees.maximum and (now.priority is None) == (fees.priority is None):
            fees = Fees(now.maximum, None if now.priority is None else max(now.priority, fees.priority or 0))
        if fees.maximum > self._patience.highest_fee or state.anchorer != self._client.signer.address:
            with suppress(NonceUsedError, UnderpricedError):
                broadcast(self._endpoint, last.raw)
            return state
        try:
            signed = self._prepare(state.nonce, fees)
        except LedgerError:  # the contract would refuse it now: perhaps it has just landed
            return state
        state = state.with_transaction(signed)
        self._save(state)
        with suppress(NonceUsedError, UnderpricedError):
            broadcast(self._endpoint, signed.raw)
            self._tell("replaced", f"{signed.hash}, at most {fees.maximum} wei per gas")
        return state

    def _landed(self, state: AnchorState, found: Receipt) -> Anchored:
        if not found.success:
            there = self._there()
            if there is not None:
                return self._recognise(state, there)
            self._save(replace(state, status="signed", transactions=(), anchored=None))
            self._client.require_success(found)
        anchored = of_receipt(found)
        self._tell("in-block", f"block {found.block_number}, {found.gas_used} gas")
        self._save(replace(state, status="anchored", anchored=anchored))
        return anchored

    def _nonce_gone(self, state: AnchorState) -> tuple[Anchored | None, AnchorState]:
        """Another transaction of the account has used the nonce, or ours landed just now."""
        there = self._there()
        if there is not None:
            done = self._recognise(state, there)
            self._tell("in-block", f"block {done.block_number}")
            return done, state
        found = self._receipt(state)
        if found is not None:
            return self._landed(state, found), state
        final = hex(final_block(self._endpoint, self._deployment).number)
        if next_nonce(self._endpoint, state.anchorer, final) <= state.nonce:
            return None, state  # not finally: a reorganisation could still bring ours back
        state = self._sign()
        return None, self._send(state)

    # --- helpers -----------------------------------------------------------------------------------

    def _save(self, state: AnchorState) -> None:
        save_state(self.request, self._deployment, state)

    def _tell(self, stage: str, detail: str) -> None:
        self._told(Progress(self.request, stage, detail))

    def _pause(self, seconds: float, where: str) -> None:
        if time.monotonic() + seconds > self._deadline:
            raise PendingError(
                f"{self.request.key} is not anchored yet after {self._patience.timeout:g} s: {where}",
                advice="run the same command again: it goes on with the same transaction",
            )
        time.sleep(seconds)
