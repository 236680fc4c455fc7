"""The ledger's events: which batches an operator anchored, in their order."""

from __future__ import annotations

import re
from typing import Any

from billproof.ledger import abi
from billproof.ledger.deployments import Deployment
from billproof.ledger.reads import hash32, odd_answer, quantity
from billproof.ledger.rpc import Endpoint, RpcError
from billproof.ledger.states import AnchoredEvent, BatchKey

_TOO_MANY = re.compile(r"range|limit|too many|more than|exceed|timed? ?out|response size", re.I)


def batch_events(
    endpoint: Endpoint,
    deployment: Deployment,
    operator_id: int,
    period: int | None = None,
    *,
    from_block: int | None = None,
    to_block: int | None = None,
) -> list[AnchoredEvent]:
    """The anchored batches of an operator in their order, from the chain's events."""
    topics: list[str | None] = [abi.BATCH_ANCHORED, "0x" + abi.argument_word(operator_id, "operator", 64)]
    if period is not None:
        topics.append("0x" + abi.argument_word(period, "period", 32))
    start = (deployment.deployer_block or 0) if from_block is None else from_block
    return [_event(endpoint, log) for log in logs(endpoint, deployment.ledger, topics, start, to_block)]


def logs(
    endpoint: Endpoint, address: str, topics: list[str | None], start: int, end: int | None = None
) -> list[Any]:
    """A contract's logs from block ``start`` to ``end`` (None: the newest) in their order. Nodes that limit
    the range of blocks or the number of events are asked in halves."""
    if end is None:
        end = quantity(endpoint, endpoint.request("eth_blockNumber", []), 64)
    query = {"address": address, "topics": topics, "fromBlock": hex(start), "toBlock": hex(end)}
    try:
        found = endpoint.request("eth_getLogs", [query])
    except RpcError as error:
        if start >= end or not _TOO_MANY.search(error.rpc_message):
            raise
        middle = (start + end) // 2
        return [
            *logs(endpoint, address, topics, start, middle),
            *logs(endpoint, address, topics, middle + 1, end),
        ]
    if not isinstance(found, list):
        raise odd_answer(endpoint, "eth_getLogs", "no list")
    return found


def _event(endpoint: Endpoint, log: Any) -> AnchoredEvent:
    try:
        topics = [int(topic, 16) for topic in log["topics"]]
        w = abi.words(log["data"], 6)
        return AnchoredEvent(
            BatchKey(
                abi.uint(topics[1], 64), abi.uint(topics[2], 32), abi.uint(w[0], 32), abi.uint(w[1], 32)
            ),
            topics[3].to_bytes(32, "big"),
            w[2].to_bytes(32, "big"),
            w[3].to_bytes(32, "big"),
            abi.uint(w[4], 32),
            f"0x{abi.uint(w[5], 160):040x}",
            quantity(endpoint, log["blockNumber"], 64),
            hash32(endpoint, log["transactionHash"]),
        )
    except (abi.OddEncoding, KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise odd_answer(endpoint, "eth_getLogs", "no BatchAnchored event") from error
