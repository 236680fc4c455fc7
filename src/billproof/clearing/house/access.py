"""Who acts in a clearing: which side a signer is, by the ledger, now; and whether a signature binds one."""

from __future__ import annotations

import time

from billproof.errors import InputError, LedgerError
from billproof.ledger.clearing_house import ClearingHouse
from billproof.ledger.client import LedgerClient
from billproof.ledger.house_states import ClearingState
from billproof.ledger.reads import block_ref, is_anchorer, odd_answer, operator
from billproof.ledger.rpc import Endpoint
from billproof.ledger.signatures import is_signed_by
from billproof.ledger.transactions import estimate

_TEXTS = 256  # bytes of an operator's texts that are read: they are not needed


def admin_of(client: LedgerClient, operator_id: int) -> str:
    """The operator's admin now, lower-case."""
    return operator(client.endpoint, client.deployment, operator_id, text_limit=_TEXTS).admin


def acting_side(client: LedgerClient, state: ClearingState, given: int | None) -> int:
    """The side for which the signer acts: that of ``given``, or the one of which it is admin or anchorer.

    Raises:
        InputError: ``given`` is no side.
        LedgerError: the signer may act for neither side; or for both, and ``given`` does not say for which.
    """
    if given is not None:
        if given not in state.operators:
            raise InputError(
                f"operator {given} is no side of this clearing",
                field="--operator",
                advice=f"It is between {state.operators[0]} and {state.operators[1]}.",
            )
        return given
    address = client.signer.address
    found = [
        side
        for side in state.operators
        if is_anchorer(client.endpoint, client.deployment, side, address) or admin_of(client, side) == address
    ]
    if len(found) == 1:
        return found[0]
    one, other = state.operators
    who = "both" if found else "neither"
    raise LedgerError(
        f"{address} may act for {who} of the operators {one} and {other}",
        advice="say for which: --operator N" if found else "use a keystore of one of them",
    )


def now(endpoint: Endpoint) -> int:
    """The newest block's time, UTC seconds: deadlines are compared with such."""
    newest = block_ref(endpoint, "latest")
    if newest is None:
        raise odd_answer(endpoint, "eth_getBlockByNumber", "no newest block")
    return newest.time


def later_than(endpoint: Endpoint, moment: int) -> None:
    """Waits some seconds, if need be, so that the next block's time is after ``moment``.

    Each block is later than the one before on Ethereum; some chains make several in a second.
    """
    if now(endpoint) <= moment:
        time.sleep(min(2.0, max(0.0, moment + 1 - time.time())))


def rehearse(house: ClearingHouse, data: bytes) -> None:
    """Raises what the house would say to a call of the signer's, without sending it."""
    house.check()
    estimate(house.client.endpoint, house.client.signer.address, house.address, data)


def require_signature(client: LedgerClient, operator_id: int, digest: bytes, signature: bytes) -> None:
    """Raises LedgerError unless the signature is that of the operator's admin now."""
    admin = admin_of(client, operator_id)
    if not is_signed_by(client.endpoint, admin, digest, signature):
        raise LedgerError(
            f"the signature of operator {operator_id} is not that of its admin, {admin}, over this",
            advice="have it signed again as it stands: billproof house sign",
        )
