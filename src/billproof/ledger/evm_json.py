"""Blocks, transactions, receipts and logs of the local chain in the shapes of Ethereum JSON-RPC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from billproof.ledger.evm import Block


def hexed(value: bytes) -> str:
    """Bytes as JSON-RPC DATA: ``0x`` and two digits a byte."""
    return "0x" + value.hex()


def address(text: str) -> bytes:
    """The 20 bytes of an address.

    Raises:
        ValueError: it has another length or other characters.
    """
    raw = bytes.fromhex(text.removeprefix("0x"))
    if len(raw) != 20:
        raise ValueError("an address has 20 bytes")
    return raw


def call_arguments(call: dict[str, Any]) -> dict[str, Any]:
    """The arguments of ``LocalChain.call`` from a transaction object; its fees are ignored."""
    data = call.get("input") or call.get("data") or "0x"
    arguments: dict[str, Any] = {
        "to": address(call["to"]) if call.get("to") else b"",
        "data": bytes.fromhex(data[2:]),
    }
    if call.get("from"):
        arguments["sender"] = address(call["from"])
    if call.get("value"):
        arguments["value"] = int(call["value"], 16)
    if call.get("gas"):
        arguments["gas"] = int(call["gas"], 16)
    return arguments


def block(found: Block, full: bool) -> dict[str, Any]:
    """A block object."""
    header = found.header
    bodies: list[Any] = [
        transaction(found, i) if full else hexed(item.hash) for i, item in enumerate(found.transactions)
    ]
    return {
        "number": hex(header.block_number),
        "hash": hexed(header.hash),
        "parentHash": hexed(header.parent_hash),
        "sha3Uncles": hexed(header.uncles_hash),
        "logsBloom": f"0x{header.bloom:0512x}",
        "transactionsRoot": hexed(header.transaction_root),
        "stateRoot": hexed(header.state_root),
        "receiptsRoot": hexed(header.receipt_root),
        "withdrawalsRoot": hexed(header.withdrawals_root),
        "withdrawals": [],
        "miner": hexed(header.coinbase),
        "difficulty": hex(header.difficulty),
        "extraData": hexed(header.extra_data),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "baseFeePerGas": hex(header.base_fee_per_gas),
        "mixHash": hexed(header.mix_hash),
        "nonce": hexed(header.nonce),
        "uncles": [],
        "transactions": bodies,
    }


def _place(found: Block, position: int) -> dict[str, Any]:
    return {
        "blockNumber": hex(found.header.block_number),
        "blockHash": hexed(found.header.hash),
        "transactionHash": hexed(found.transactions[position].hash),
        "transactionIndex": hex(position),
    }


_DYNAMIC_FEE = 2  # EIP-1559


def transaction(found: Block, position: int) -> dict[str, Any]:
    """A transaction object."""
    item = found.transactions[position]
    place = _place(found, position)
    place["hash"] = place.pop("transactionHash")
    if getattr(item, "type_id", None) == _DYNAMIC_FEE:
        place["maxFeePerGas"] = hex(item.max_fee_per_gas)
        place["maxPriorityFeePerGas"] = hex(item.max_priority_fee_per_gas)
    return place | {
        "type": hex(getattr(item, "type_id", None) or 0),
        "from": hexed(item.sender),
        "to": hexed(item.to) if item.to else None,
        "nonce": hex(item.nonce),
        "gas": hex(item.gas),
        "gasPrice": hex(_effective_price(found, position)),
        "value": hex(item.value),
        "input": hexed(item.data),
        "chainId": hex(item.chain_id) if item.chain_id is not None else None,
        "r": hex(item.r),
        "s": hex(item.s),
        "v": hex(item.y_parity),
    }


def _effective_price(found: Block, position: int) -> int:
    item, base = found.transactions[position], found.header.base_fee_per_gas
    return int(min(item.max_fee_per_gas, base + item.max_priority_fee_per_gas))


def receipt(found: Block, position: int) -> dict[str, Any]:
    """A receipt object; ``status`` by EIP-658."""
    item, own = found.transactions[position], found.receipts[position]
    before = found.receipts[position - 1].gas_used if position else 0
    created = found.created[position]
    return _place(found, position) | {
        "type": hex(getattr(item, "type_id", None) or 0),
        "from": hexed(item.sender),
        "to": hexed(item.to) if item.to else None,
        "contractAddress": hexed(created) if created else None,
        "status": hex(int(own.state_root == b"\x01")),
        "gasUsed": hex(own.gas_used - before),
        "cumulativeGasUsed": hex(own.gas_used),
        "effectiveGasPrice": hex(_effective_price(found, position)),
        "logsBloom": f"0x{own.bloom:0512x}",
        "logs": [log for log in logs(found) if log["transactionIndex"] == hex(position)],
    }


def logs(found: Block) -> Iterator[dict[str, Any]]:
    """The log objects of a block in their order."""
    number = 0
    for position, own in enumerate(found.receipts):
        for log in own.logs:
            yield _place(found, position) | {
                "address": hexed(log.address),
                "topics": [f"0x{topic:064x}" for topic in log.topics],
                "data": hexed(log.data),
                "logIndex": hex(number),
                "removed": False,
            }
            number += 1


def matches(log: dict[str, Any], wanted_address: Any, topics: list[Any]) -> bool:
    """Whether a log passes an ``eth_getLogs`` filter: per position a topic, several, or null."""
    if wanted_address:
        allowed = [wanted_address] if isinstance(wanted_address, str) else wanted_address
        if log["address"] not in {entry.lower() for entry in allowed}:
            return False
    if len(topics) > len(log["topics"]):
        return False
    for own, wanted in zip(log["topics"], topics, strict=False):
        choice = [wanted] if isinstance(wanted, str) else wanted
        if choice and own not in {entry.lower() for entry in choice}:
            return False
    return True


def journal_entry(found: Block, raw: list[str]) -> dict[str, Any]:
    """The line of the embedded chain's journal for a block of these raw transactions."""
    return {
        "block": found.header.block_number,
        "time": found.header.timestamp,
        "transactions": raw,
        "stateRoot": hexed(found.header.state_root),
        "hash": hexed(found.header.hash),
    }
