"""Building, signing, sending and awaiting transactions, on chains with EIP-1559 fees and without."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

from billproof.errors import CannotCheckError, LedgerError
from billproof.ledger.artifact import keccak
from billproof.ledger.reads import block_ref, chain_id, hash32, odd_answer, quantity
from billproof.ledger.reverts import in_words, revert_data
from billproof.ledger.rpc import Endpoint, RpcError, printable
from billproof.ledger.signers import Signer

WAIT = 180.0
"""Seconds to wait for a transaction by default: fifteen blocks of mainnet."""

_FEE_BITS = 128

_KNOWN = re.compile(r"already known|known transaction|already imported|already exists", re.I)
_NONCE_USED = re.compile(
    r"nonce too low|nonce is too low|correct nonce|invalid nonce|nonce has already", re.I
)
_UNDERPRICED = re.compile(r"underpriced|fee too low|max fee per gas less than|gas price below", re.I)
_POOR = re.compile(
    r"insufficient funds|(doesn't|not) have enough (funds|balance)|not enough (funds|balance)|cannot afford",
    re.I,
)


class NonceUsedError(LedgerError):
    """The account has used this nonce with another transaction."""


class UnderpricedError(LedgerError):
    """The node asks for a higher fee, or for more to replace a waiting transaction."""


class PendingError(CannotCheckError):
    """The transaction was sent but is not in a block yet, or lacks confirmations."""


@dataclass(frozen=True)
class Fees:
    """What to pay, in wei per gas. ``priority`` None: a chain without EIP-1559; then ``maximum`` is paid."""

    maximum: int
    priority: int | None

    def raised(self, percent: int = 25) -> Fees:
        """Fees that nodes accept for a replacement (at least a tenth more of both)."""
        more = self.maximum + self.maximum * percent // 100 + 1
        tip = None if self.priority is None else self.priority + self.priority * percent // 100 + 1
        return Fees(more, tip)


@dataclass(frozen=True)
class Signed:
    """A signed transaction: raw bytes, hash with 0x, nonce and fees."""

    raw: bytes
    hash: str
    nonce: int
    fees: Fees


@dataclass(frozen=True)
class Receipt:
    """A transaction in a block. ``block_time`` in UTC seconds, ``fee`` in wei, ``gas_used`` in gas."""

    hash: str
    block_number: int
    block_hash: str
    block_time: int
    gas_used: int
    fee: int
    success: bool
    contract: str
    logs: tuple[dict[str, Any], ...] = field(repr=False)


def suggest_fees(endpoint: Endpoint) -> Fees:
    """Fees for soon: twice the base fee and the node's tip; without base fee, the node's gas price."""
    block = endpoint.request("eth_getBlockByNumber", ["latest", False])
    base = block.get("baseFeePerGas") if isinstance(block, dict) else None
    if base is None:
        return Fees(quantity(endpoint, endpoint.request("eth_gasPrice", []), _FEE_BITS), None)
    try:
        tip = quantity(endpoint, endpoint.request("eth_maxPriorityFeePerGas", []), _FEE_BITS)
    except RpcError:
        tip = 10**9
    return Fees(2 * quantity(endpoint, base, _FEE_BITS) + tip, tip)


def next_nonce(endpoint: Endpoint, address: str, block: str = "pending") -> int:
    """How many transactions the account has sent, those that wait included by default."""
    return quantity(endpoint, endpoint.request("eth_getTransactionCount", [address, block]), 64)


def balance(endpoint: Endpoint, address: str) -> int:
    """Wei."""
    return quantity(endpoint, endpoint.request("eth_getBalance", [address, "latest"]))


def estimate(endpoint: Endpoint, sender: str, to: str, data: bytes, value: int = 0) -> int:
    """The gas limit to use: the node's estimate and a fifth. On the newest block, not what waits: a
    transaction that is to replace a waiting one would find its own effect there.

    Raises:
        LedgerError: the contract refuses, in words.
    """
    call = {"from": sender, "to": to, "data": "0x" + data.hex(), "value": hex(value)}
    try:
        needed = quantity(endpoint, endpoint.request("eth_estimateGas", [call, "latest"]), 48)
    except RpcError as error:
        raise refusal(error, sender) from error
    return needed + needed // 5


def sign(
    endpoint: Endpoint,
    signer: Signer,
    to: str,
    data: bytes,
    *,
    value: int = 0,
    nonce: int | None = None,
    fees: Fees | None = None,
    gas: int | None = None,
) -> Signed:
    """A signed transaction that is not sent yet. ``nonce``: default the next one; ``gas``: default
    estimated, which tells at once when the contract would refuse."""
    fees = fees or suggest_fees(endpoint)
    nonce = next_nonce(endpoint, signer.address) if nonce is None else nonce
    transaction: dict[str, Any] = {
        "chainId": chain_id(endpoint),
        "nonce": nonce,
        "to": _checksummed(to),
        "value": value,
        "data": "0x" + data.hex(),
        "gas": estimate(endpoint, signer.address, to, data, value) if gas is None else gas,
    }
    if fees.priority is None:
        transaction["gasPrice"] = fees.maximum
    else:
        transaction |= {"maxFeePerGas": fees.maximum, "maxPriorityFeePerGas": fees.priority, "type": 2}
    raw = signer.sign_transaction(transaction)
    return Signed(raw, "0x" + keccak(raw).hex(), nonce, fees)


def broadcast(endpoint: Endpoint, raw: bytes) -> None:
    """Sends a signed transaction; sending it again is no error.

    Raises:
        NonceUsedError: its nonce is used up (perhaps by itself: look for its receipt).
        UnderpricedError: the node wants more.
        LedgerError: the account cannot pay.
    """
    try:
        endpoint.request("eth_sendRawTransaction", ["0x" + raw.hex()])
    except RpcError as error:
        message = error.rpc_message
        if _KNOWN.search(message):
            return
        if _NONCE_USED.search(message):
            raise NonceUsedError(f"the nonce is used: {printable(message, 120)}") from error
        if _UNDERPRICED.search(message):
            raise UnderpricedError(f"the fee is too low: {printable(message, 120)}") from error
        raise refusal(error) from error


def receipt(endpoint: Endpoint, tx_hash: str) -> Receipt | None:
    """The receipt of a transaction in a block; None when it is in none."""
    answer = endpoint.request("eth_getTransactionReceipt", [tx_hash])
    if not isinstance(answer, dict) or answer.get("blockNumber") is None:
        return None
    number = quantity(endpoint, answer["blockNumber"], 64)
    block = block_ref(endpoint, hex(number))
    gas = quantity(endpoint, answer.get("gasUsed"), 64)
    logs = answer.get("logs") or ()
    if not isinstance(logs, list | tuple) or not all(isinstance(log, dict) for log in logs):
        raise odd_answer(endpoint, "eth_getTransactionReceipt", "no list of logs")
    contract = answer.get("contractAddress") or ""
    if contract and not re.fullmatch(r"0x[0-9a-fA-F]{40}", str(contract)):
        raise odd_answer(endpoint, "eth_getTransactionReceipt", "no contract address")
    price = answer.get("effectiveGasPrice") or "0x0"
    return Receipt(
        hash=tx_hash,
        block_number=number,
        block_hash=hash32(endpoint, answer.get("blockHash")),
        block_time=block.time if block else 0,
        gas_used=gas,
        fee=gas * quantity(endpoint, price, _FEE_BITS),
        success=quantity(endpoint, answer.get("status", "0x1")) == 1,
        contract=str(contract).lower(),
        logs=tuple(logs),
    )


def wait(
    endpoint: Endpoint, tx_hash: str, *, confirmations: int = 0, timeout: float = WAIT, poll: float = 0.02
) -> Receipt:
    """Waits until the transaction is in a block with that many blocks on top.

    Raises:
        PendingError: that took longer than ``timeout`` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        found = receipt(endpoint, tx_hash)
        if found is not None:
            newest = quantity(endpoint, endpoint.request("eth_blockNumber", []), 64) if confirmations else 0
            if not confirmations or newest - found.block_number >= confirmations:
                return found
        if time.monotonic() > deadline:
            where = "in no block" if found is None else f"in block {found.block_number}, not confirmed"
            raise PendingError(
                f"transaction {tx_hash} is {where} after {timeout:g} s",
                advice="run the same command again: it goes on waiting for this transaction",
            )
        time.sleep(poll)
        poll = min(2.0, poll * 1.5)


def refusal(error: RpcError, sender: str = "") -> LedgerError | RpcError:
    """What an error of a node means: a revert in words, an empty purse, or the error itself."""
    if _POOR.search(error.rpc_message):
        return LedgerError(
            f"the account {sender or 'that signs'} cannot pay for the transaction",
            advice="send it some funds",
        )
    data = revert_data(error)
    return error if data is None else in_words(data)


def _checksummed(address: str) -> str:
    """EIP-55, which eth_account demands of 7.x and 8.x alike."""
    plain = address.lower().removeprefix("0x")
    digest = keccak(plain.encode()).hex()
    return "0x" + "".join(c.upper() if int(d, 16) > 7 else c for c, d in zip(plain, digest, strict=False))
