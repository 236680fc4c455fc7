"""``anchor.json`` beside a batch: what was signed for it, written before it is sent, and what became of it.

Every transaction in the file has the same nonce, so at most one of them can ever be in the chain; a
replacement with a higher fee is appended, never put in the place of one that may still land.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from billproof.errors import InputError
from billproof.files import json_bytes, write_file
from billproof.ledger.deployments import Deployment
from billproof.ledger.rpc import printable
from billproof.ledger.safe_json import loads
from billproof.ledger.states import BatchKey
from billproof.ledger.transactions import Fees, Receipt, Signed

SCHEMA = "billproof/anchor/1"
_KEYS = {
    "schema",
    "chainId",
    "ledger",
    "operatorId",
    "period",
    "region",
    "sequence",
    "root",
    "manifestHash",
    "amends",
    "status",
    "anchorer",
    "nonce",
    "transactions",
    "anchored",
}
_MAX_FILE = 1024 * 1024


@dataclass(frozen=True)
class AnchorRequest:
    """A batch to anchor. ``state_path``: its ``anchor.json``; the folder must exist."""

    key: BatchKey
    root: bytes
    manifest_hash: bytes
    amends: int
    state_path: Path


@dataclass(frozen=True)
class Anchored:
    """How a batch is in the chain. ``block_time`` in UTC seconds, ``gas_used`` in gas, ``fee`` in wei; those
    and ``transaction`` are None when another's transaction anchored it and cannot be found."""

    transaction: str | None
    block_number: int
    block_hash: str | None
    block_time: int
    gas_used: int | None
    fee: int | None


@dataclass(frozen=True)
class AnchorState:
    """The content of the file. ``status``: signed, or anchored. ``transactions`` in the order of signing."""

    status: str
    anchorer: str
    nonce: int
    transactions: tuple[Signed, ...]
    anchored: Anchored | None = None

    def with_transaction(self, signed: Signed) -> AnchorState:
        """The same with a replacement added."""
        return replace(self, transactions=(*self.transactions, signed))


@dataclass(frozen=True)
class Progress:
    """``stage``: signing, signed, sent, replaced, in-block, confirmed, already; ``detail`` for people."""

    request: AnchorRequest
    stage: str
    detail: str


@dataclass(frozen=True)
class AnchorResult:
    """``already``: an earlier run, or somebody else, had anchored it."""

    request: AnchorRequest
    anchored: Anchored
    already: bool


@dataclass(frozen=True)
class Patience:
    """How long to wait and what to pay at most.

    ``timeout``: seconds per batch; ``replace_after``: seconds in no block before the fee is raised;
    ``highest_fee``: wei per gas that is never exceeded; ``poll``: seconds between looks;
    ``confirmations``: blocks on top, None: by the deployment.
    """

    timeout: float = 180.0
    replace_after: float = 60.0
    highest_fee: int = 500 * 10**9
    poll: float = 0.05
    confirmations: int | None = None


def of_receipt(found: Receipt) -> Anchored:
    """How the transaction of a receipt is in the chain."""
    return Anchored(
        found.hash, found.block_number, found.block_hash, found.block_time, found.gas_used, found.fee
    )


def load_state(request: AnchorRequest, deployment: Deployment) -> AnchorState | None:
    """The state of a batch; None when nothing was signed for it yet.

    Raises:
        InputError: the file is damaged, or belongs to another batch, chain, or build.
    """
    file = request.state_path
    shown = printable(str(file), 4096)
    try:
        with file.open("rb") as handle:
            content = handle.read(_MAX_FILE)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=shown) from error
    try:
        tree = loads(content)
        state = _state(tree)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            "not an anchor file",
            file=shown,
            advice="keep a copy, remove it, and run again: what is in the chain is recognised there",
        ) from error
    expected = _about(request, deployment)
    for name, value in expected.items():
        if tree[name] != value:
            raise InputError(
                f"was made for {name} {printable(str(tree[name]), 70)}, this batch has {value}",
                file=shown,
                field=name,
                advice="a transaction for the other may still land: restore that batch, or build this one"
                " with the next sequence in a folder of its own",
            )
    return state


def save_state(request: AnchorRequest, deployment: Deployment, state: AnchorState) -> None:
    """Writes the file in one step and syncs it."""
    write_file(request.state_path, state_bytes(request, deployment, state))


def state_bytes(request: AnchorRequest, deployment: Deployment, state: AnchorState) -> bytes:
    """The content of the file, to the byte."""
    tree = _about(request, deployment) | {
        "status": state.status,
        "anchorer": state.anchorer,
        "nonce": str(state.nonce),
        "transactions": [
            {
                "hash": signed.hash,
                "maxFeePerGas": str(signed.fees.maximum),
                "maxPriorityFeePerGas": None if signed.fees.priority is None else str(signed.fees.priority),
                "raw": "0x" + signed.raw.hex(),
            }
            for signed in state.transactions
        ],
        "anchored": None if state.anchored is None else _anchored_tree(state.anchored),
    }
    return json_bytes(tree)


def _state(tree: dict[str, Any]) -> AnchorState:
    if set(tree) != _KEYS or tree["schema"] != SCHEMA:
        raise ValueError("form")
    transactions = tuple(_signed(entry, int(tree["nonce"])) for entry in tree["transactions"])
    anchored = None if tree["anchored"] is None else _anchored(tree["anchored"])
    status = tree["status"]
    if status not in ("signed", "anchored") or (status == "anchored") != (anchored is not None):
        raise ValueError("status")
    return AnchorState(status, str(tree["anchorer"]), int(tree["nonce"]), transactions, anchored)


def _about(request: AnchorRequest, deployment: Deployment) -> dict[str, Any]:
    key = request.key
    return {
        "schema": SCHEMA,
        "chainId": str(deployment.chain_id),
        "ledger": deployment.ledger,
        "operatorId": str(key.operator_id),
        "period": str(key.period),
        "region": str(key.region),
        "sequence": str(key.sequence),
        "root": "0x" + request.root.hex(),
        "manifestHash": "0x" + request.manifest_hash.hex(),
        "amends": str(request.amends),
    }


def _signed(entry: dict[str, Any], nonce: int) -> Signed:
    tip = entry["maxPriorityFeePerGas"]
    fees = Fees(int(entry["maxFeePerGas"]), None if tip is None else int(tip))
    if not re.fullmatch(r"0x[0-9a-f]{64}", entry["hash"]):
        raise ValueError
    return Signed(bytes.fromhex(entry["raw"][2:]), entry["hash"], nonce, fees)


def _anchored_tree(anchored: Anchored) -> dict[str, Any]:
    return {
        "transaction": anchored.transaction,
        "blockNumber": str(anchored.block_number),
        "blockHash": anchored.block_hash,
        "blockTime": str(anchored.block_time),
        "gasUsed": None if anchored.gas_used is None else str(anchored.gas_used),
        "fee": None if anchored.fee is None else str(anchored.fee),
    }


def _anchored(tree: dict[str, Any]) -> Anchored:
    return Anchored(
        tree["transaction"],
        int(tree["blockNumber"]),
        tree["blockHash"],
        int(tree["blockTime"]),
        None if tree["gasUsed"] is None else int(tree["gasUsed"]),
        None if tree["fee"] is None else int(tree["fee"]),
    )
