"""The ledger's own code as a second opinion, in a local EVM: no field of a bill leaves the machine.

The shipped constructor runs at the ledger's address under the deployment's chain id, so that its immutables
(the EIP-712 domain) are the real ones; the batch that was looked up is put into its storage slot; then the
ledger's ``verify…`` view runs on the fields. ``call_node`` has a node do the same, which discloses them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from eth.vm.message import Message

from billproof.errors import CannotCheckError
from billproof.ledger.artifact import keccak, load_artifact
from billproof.ledger.calls import Reason, decode_reason, decode_result, encode_call
from billproof.ledger.deployments import Deployment
from billproof.ledger.evm import GAS_LIMIT, LocalChain
from billproof.ledger.lookup import RootAnswer
from billproof.ledger.rpc import Endpoint, RpcError
from billproof.ledger.states import BatchKey, BatchState
from billproof.ledger.transactions import refusal

_message: Any = Message  # py-evm types addresses as NewTypes
_SENDER = b"\0" * 19 + b"\1"
_MEMBERS = {
    "root": "root",
    "anchoredAt": "anchored_at",
    "blockNumber": "block_number",
    "amends": "amends",
    "repudiated": "repudiated",
    "ringFault": "ring_fault",
}


class LocalLedger:
    """The shipped ledger in an EVM of its own, as if at the deployment's address."""

    def __init__(self, deployment: Deployment) -> None:
        artifact = load_artifact()
        self._address = bytes.fromhex(deployment.ledger[2:])
        self._state = LocalChain(deployment.chain_id, 1, {}).scratch_state()
        made = self._run(b"", artifact.bytecode)
        if made.is_error or not artifact.is_code_of(self._state.get_code(self._address)):
            raise CannotCheckError("the shipped ledger does not run here", advice="install billproof again")

    def put(self, key: BatchKey, batch: BatchState) -> None:
        """Stores a batch as the chain has it."""
        slot, members = _batches_layout()
        batch_id = self.view("batchIdOf", [key])
        home = int.from_bytes(keccak(batch_id + slot.to_bytes(32, "big")), "big")
        contents: dict[int, int] = {}
        for member in members:
            value = getattr(batch, _MEMBERS[member["label"]])
            number = int.from_bytes(value, "big") if isinstance(value, bytes) else int(value)
            at = home + int(member["slot"])
            contents[at] = contents.get(at, 0) | number << 8 * int(member["offset"])
        for at, word in contents.items():
            self._state.set_storage(self._address, at, word)
        stored = self.view("getBatch", [key])
        if stored != (
            batch.root,
            batch.anchored_at,
            batch.block_number,
            batch.amends,
            batch.repudiated,
            batch.ring_fault,
        ):
            raise CannotCheckError(
                "the shipped ledger's storage is not laid out as described", advice="install billproof again"
            )

    def view(self, name: str, arguments: Sequence[Any]) -> Any:
        """The decoded answer of a view."""
        return decode_result(name, self._call(name, arguments))

    def verify(self, name: str, arguments: Sequence[Any]) -> Reason:
        """What ``verifyRecord``, ``verifyRecords``, ``verifyStatement`` or ``verifyAbsence`` says."""
        return decode_reason(name, self._call(name, arguments))

    def _call(self, name: str, arguments: Sequence[Any]) -> bytes:
        result = self._run(encode_call(name, arguments), None)
        if result.is_error:
            raise CannotCheckError(f"the ledger's code stopped in {name}: {type(result.error).__name__}")
        return bytes(result.output)

    def _run(self, data: bytes, init_code: bytes | None) -> Any:
        state = self._state
        context = state.get_transaction_context_class()(gas_price=0, origin=_SENDER)
        if init_code is None:
            code = state.get_code(self._address)
            message = _message(GAS_LIMIT, self._address, _SENDER, 0, data, code, is_static=True)
            return state.computation_class.apply_message(state, message, context)
        message = _message(GAS_LIMIT, b"", _SENDER, 0, data, init_code, create_address=self._address)
        return state.computation_class.apply_create_message(state, message, context)


def run_locally(
    deployment: Deployment, key: BatchKey, answer: RootAnswer, name: str, arguments: Sequence[Any]
) -> Reason:
    """Has the shipped code judge fields against a root that was looked up.

    Args:
        deployment: which ledger; its chain id and address enter every hash.
        key: the batch, as in the arguments.
        answer: the root, from ``look_up_root``.
        name: verifyRecord, verifyRecords, verifyStatement or verifyAbsence.
        arguments: in the ABI's order, structs as mappings with the ABI's names.
    """
    ledger = _ledger(deployment)
    ledger.put(key, answer.state)
    return ledger.verify(name, arguments)


def call_node(
    endpoint: Endpoint, deployment: Deployment, name: str, arguments: Sequence[Any], block: str = "latest"
) -> Reason:
    """The same by a node. It learns every field: only when the user explicitly says so."""
    call = {"to": deployment.ledger, "data": "0x" + encode_call(name, arguments).hex()}
    try:
        return decode_reason(name, endpoint.request("eth_call", [call, block]))
    except RpcError as error:
        raise refusal(error) from error


@cache
def _ledger(deployment: Deployment) -> LocalLedger:
    return LocalLedger(deployment)


def _batches_layout() -> tuple[int, list[dict[str, Any]]]:
    for entry in load_artifact().storage_layout:
        if entry["label"] == "_batches":
            return int(entry["slot"]), list(entry["members"])
    raise CannotCheckError("the shipped ledger lacks its storage layout", advice="install billproof again")
