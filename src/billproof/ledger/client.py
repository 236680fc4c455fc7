"""The ledger contract in Python: a method per transaction, refusals in words, gas with every receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from billproof.errors import InputError
from billproof.ledger.artifact import keccak
from billproof.ledger.calls import Reason, decode_reason, decode_result, encode_call
from billproof.ledger.deployments import Deployment
from billproof.ledger.reads import hash32, odd_answer, require_chain, require_ledger
from billproof.ledger.reverts import in_words, revert_data
from billproof.ledger.rpc import Endpoint, RpcError
from billproof.ledger.signers import Signer
from billproof.ledger.states import BatchKey
from billproof.ledger.transactions import (
    WAIT,
    Fees,
    NonceUsedError,
    Receipt,
    Signed,
    broadcast,
    receipt,
    refusal,
    sign,
    wait,
)

_REGISTERED = "0x" + keccak(b"OperatorRegistered(uint64,address,string,string,string)").hex()
_ANCHOR_TYPE = {
    "Anchor": [
        {"name": "operatorId", "type": "uint64"},
        {"name": "period", "type": "uint32"},
        {"name": "region", "type": "uint32"},
        {"name": "expectedSequence", "type": "uint32"},
        {"name": "root", "type": "bytes32"},
        {"name": "manifestHash", "type": "bytes32"},
        {"name": "amends", "type": "uint32"},
        {"name": "anchorer", "type": "address"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
    ]
}


@dataclass(frozen=True)
class BatchAnchor:
    """What is anchored for one batch. ``period`` YYYYMM; ``amends``: sequence that it amends, 0 for none."""

    period: int
    region: int
    expected_sequence: int
    root: bytes
    manifest_hash: bytes
    amends: int = 0


class LedgerClient:
    """Sends to one ledger on one chain.

    Args:
        endpoint: a node of that chain.
        deployment: which ledger; chain and code are checked before the first transaction.
        signer: who signs; None allows views only.
        timeout: seconds to wait for a transaction.

    Every transaction waits for its block and returns the ``Receipt``. They raise ``LedgerError`` (usually
    ``RevertError``) when the contract refuses, ``CannotCheckError`` when the node fails.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        deployment: Deployment,
        signer: Signer | None = None,
        *,
        timeout: float = WAIT,
    ) -> None:
        self.endpoint = endpoint
        self.deployment = deployment
        self.timeout = timeout
        self._signer = signer
        self._checked = False

    @property
    def signer(self) -> Signer:
        """Who signs.

        Raises:
            InputError: nobody.
        """
        if self._signer is None:
            raise InputError("nobody signs", field="--keystore", advice="name a keystore file")
        return self._signer

    # --- operators ---------------------------------------------------------------------------------

    def register_operator(self, name: str, domain: str = "", metadata_uri: str = "") -> tuple[int, Receipt]:
        """Registers the signer as admin of a new operator; returns its number and the receipt."""
        found = self._transact("registerOperator", name, domain, metadata_uri)
        for log in found.logs:
            topics = log.get("topics")
            if not isinstance(topics, list) or len(topics) < 2 or topics[0] != _REGISTERED:
                continue
            if str(log.get("address")).lower() == self.deployment.ledger:
                return int(hash32(self.endpoint, topics[1]), 16), found
        raise InputError(f"transaction {found.hash} registered nothing", advice="check --deployment")

    def update(self, operator_id: int, name: str, domain: str, metadata_uri: str) -> Receipt:
        """Changes what the operator says of itself; the admin signs."""
        return self._transact("updateOperator", operator_id, name, domain, metadata_uri)

    def grant(self, operator_id: int, anchorer: str) -> Receipt:
        """Lets an address anchor; the admin signs."""
        return self._transact("grantAnchorer", operator_id, anchorer.lower())

    def revoke(self, operator_id: int, anchorer: str) -> Receipt:
        """Takes that right back; the admin signs."""
        return self._transact("revokeAnchorer", operator_id, anchorer.lower())

    def transfer(self, operator_id: int, new_admin: str) -> Receipt:
        """Offers the admin role, the zero address cancels; the admin signs."""
        return self._transact("transferAdmin", operator_id, new_admin.lower())

    def accept(self, operator_id: int) -> Receipt:
        """Takes the offered admin role; the new admin signs."""
        return self._transact("acceptAdmin", operator_id)

    # --- anchoring ---------------------------------------------------------------------------------

    def anchor(self, operator_id: int, batch: BatchAnchor) -> Receipt:
        """Anchors one batch; an anchorer signs. ``outbox`` does this so that it survives a crash."""
        return self._transact("anchor", *anchor_arguments(operator_id, batch))

    def anchor_many(self, operator_id: int, batches: Sequence[BatchAnchor]) -> Receipt:
        """Anchors several in one transaction, all or none."""
        return self._transact("anchorMany", operator_id, list(batches))

    def sign_anchor(self, operator_id: int, batch: BatchAnchor, deadline: int) -> bytes:
        """An anchorer's EIP-712 signature over a batch, for somebody else to send until ``deadline`` (UTC
        seconds)."""
        anchorer = self.signer.address
        encode_call("anchor", anchor_arguments(operator_id, batch))  # refuses values that cannot be
        if not 0 <= deadline < 1 << 256:
            raise InputError("not a time", field="deadline", advice="give UTC seconds")
        domain = {
            "name": "Billproof",
            "version": "1",
            "chainId": self.deployment.chain_id,
            "verifyingContract": self.deployment.ledger,
        }
        message = {
            "operatorId": operator_id,
            "period": batch.period,
            "region": batch.region,
            "expectedSequence": batch.expected_sequence,
            "root": batch.root,
            "manifestHash": batch.manifest_hash,
            "amends": batch.amends,
            "anchorer": anchorer,
            "nonce": self.view("nonceOf", operator_id, anchorer),
            "deadline": deadline,
        }
        return self.signer.sign_typed(domain, _ANCHOR_TYPE, message)

    def anchor_by_sig(
        self, operator_id: int, batch: BatchAnchor, anchorer: str, deadline: int, signature: bytes
    ) -> Receipt:
        """Sends an anchorer's signed batch; anyone may sign the transaction and pay."""
        return self._transact("anchorBySig", operator_id, batch, anchorer.lower(), deadline, signature)

    def seal(self, operator_id: int, period: int, expected_head: bytes, expected_batches: int) -> Receipt:
        """Closes a period, naming what the admin has seen; the admin signs."""
        return self._transact("seal", operator_id, period, expected_head, expected_batches)

    def repudiate(self, key: BatchKey) -> Receipt:
        """Marks a batch as not the operator's own; the admin signs."""
        return self._transact("repudiate", key)

    def prove_ring_fault(self, key: BatchKey, fault: Mapping[str, Any]) -> Receipt:
        """Flags a batch whose entries contradict each other; anyone signs. ``fault`` holds entryA, proofA,
        entryB and proofB, byte strings as hex with 0x."""
        entries = [
            {name: bytes.fromhex(text[2:]) for name, text in fault[which].items()}
            for which in ("entryA", "entryB")
        ]
        proofs = [[bytes.fromhex(node[2:]) for node in fault[which]] for which in ("proofA", "proofB")]
        return self._transact("proveRingFault", key, entries[0], proofs[0], entries[1], proofs[1])

    # --- views -------------------------------------------------------------------------------------

    def verify_record(
        self,
        key: BatchKey,
        terms: Mapping[str, Any],
        next_account: bytes,
        record: Mapping[str, Any],
        record_proof: Sequence[bytes],
        entry_proof: Sequence[bytes],
    ) -> Reason:
        """Has the node run ``verifyRecord``: the node learns the record. Structs carry the ABI's names."""
        arguments = [key, terms, next_account, record, list(record_proof), list(entry_proof)]
        return decode_reason("verifyRecord", self.call("verifyRecord", *arguments))

    def verify_statement(
        self,
        key: BatchKey,
        statement: Mapping[str, Any],
        next_account: bytes,
        entry_proof: Sequence[bytes],
    ) -> Reason:
        """Has the node run ``verifyStatement``: the node learns the statement's total."""
        arguments = [key, statement, next_account, list(entry_proof)]
        return decode_reason("verifyStatement", self.call("verifyStatement", *arguments))

    def view(self, name: str, *arguments: Any) -> Any:
        """The decoded answer of any view of the contract."""
        return decode_result(name, self.call(name, *arguments))

    def call(self, name: str, *arguments: Any) -> Any:
        """The raw answer of any view of the contract."""
        self.check()
        data = "0x" + encode_call(name, arguments).hex()
        try:
            return self.endpoint.request("eth_call", [{"to": self.deployment.ledger, "data": data}, "latest"])
        except RpcError as error:
            raise refusal(error) from error

    # --- transactions ------------------------------------------------------------------------------

    def prepare(
        self,
        name: str,
        arguments: Sequence[Any],
        *,
        nonce: int | None = None,
        fees: Fees | None = None,
        gas: int | None = None,
    ) -> Signed:
        """A signed transaction of the contract that is not sent yet."""
        self.check()
        data = encode_call(name, arguments)
        return sign(self.endpoint, self.signer, self.deployment.ledger, data, nonce=nonce, fees=fees, gas=gas)

    def send(self, to: str, data: bytes) -> Receipt:
        """Signs a call of a contract, sends it, and waits for its block."""
        return self._done(sign(self.endpoint, self.signer, to, data))

    def require_success(self, found: Receipt) -> Receipt:
        """The receipt itself, or the contract's reason for a transaction that failed in its block."""
        if found.success:
            return found
        sent = self.endpoint.request("eth_getTransactionByHash", [found.hash])
        if not isinstance(sent, dict) or not {"from", "to", "input"} <= set(sent):
            raise odd_answer(self.endpoint, "eth_getTransactionByHash", "no transaction")
        call = {"from": sent["from"], "to": sent["to"], "data": sent["input"]}
        data: bytes | None = b""
        try:
            self.endpoint.request("eth_call", [call, hex(found.block_number)])
        except RpcError as error:
            data = revert_data(error)
        raise in_words(data or b"")

    def _transact(self, name: str, *arguments: Any) -> Receipt:
        return self._done(self.prepare(name, arguments))

    def _done(self, signed: Signed) -> Receipt:
        try:
            broadcast(self.endpoint, signed.raw)
        except NonceUsedError:
            if receipt(self.endpoint, signed.hash) is None:
                raise
        return self.require_success(wait(self.endpoint, signed.hash, timeout=self.timeout))

    def check(self) -> None:
        """Raises unless the endpoint serves the deployment's chain, with our ledger on it; asks once."""
        if not self._checked:
            require_chain(self.endpoint, self.deployment)
            require_ledger(self.endpoint, self.deployment)
            self._checked = True


def anchor_arguments(operator_id: int, batch: BatchAnchor) -> tuple[Any, ...]:
    """The arguments of the contract's ``anchor``, in its order."""
    return (
        operator_id,
        batch.period,
        batch.region,
        batch.expected_sequence,
        batch.root,
        batch.manifest_hash,
        batch.amends,
    )
