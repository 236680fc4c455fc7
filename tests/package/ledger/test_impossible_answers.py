"""Nodes that answer what no ledger can have said: always a typed error, never a crash."""

from __future__ import annotations

import pytest

from billproof.errors import CannotCheckError, InputError
from billproof.ledger import reads
from billproof.ledger.deployments import load
from billproof.ledger.events import batch_events
from billproof.ledger.lookup import _when, _words
from billproof.ledger.rpc import RpcError
from billproof.ledger.states import BatchKey, OddAnswerError, OperatorState
from billproof.ledger.transactions import next_nonce, receipt, suggest_fees

DEPLOYMENT = load(31337)
KEY = BatchKey(1, 202601, 0, 1)
HASH = "0x" + "ab" * 32
HUGE = hex(2**256 - 1)


class Node:
    """Answers each method with what it was given, whatever is asked."""

    name, host, operated_by = "node", "node.example", "somebody"

    def __init__(self, **answers):
        self.answers = answers

    def request(self, method, params):
        return self.answers[method]


def words(*numbers):
    return "0x" + "".join(f"{number:064x}" for number in numbers)


@pytest.mark.parametrize("time", [2**64 - 1, 253_402_300_800])
def test_times_beyond_the_calendar(time):
    with pytest.raises(OddAnswerError, match="9999"):
        reads.batch_state(Node(eth_call=words(1, time, 5, 0, 0, 0)), DEPLOYMENT, KEY)
    with pytest.raises(OddAnswerError, match="9999"):
        reads.period_state(Node(eth_call=words(1, 1, time)), DEPLOYMENT, 1, 202601)
    assert "9999" in _when(time)


@pytest.mark.parametrize("time", [2**250, 2**64 - 1, 253_402_300_800])
def test_block_times_beyond_the_calendar(time):
    block = {"hash": HASH, "number": "0x1", "timestamp": hex(time)}
    with pytest.raises(OddAnswerError, match="9999"):
        reads.block_ref(Node(eth_getBlockByNumber=block), "latest")
    block = {"hash": HASH, "number": HUGE, "timestamp": "0x1"}
    with pytest.raises(OddAnswerError, match="64 bits"):
        reads.block_ref(Node(eth_getBlockByNumber=block), "latest")
    assert reads.block_ref(Node(eth_getBlockByNumber={**block, "number": "0x1"}), "latest").time == 1


def test_numbers_that_no_transaction_can_hold():
    with pytest.raises(OddAnswerError):
        suggest_fees(Node(eth_getBlockByNumber={"baseFeePerGas": HUGE}, eth_maxPriorityFeePerGas="0x1"))
    with pytest.raises(OddAnswerError):
        next_nonce(Node(eth_getTransactionCount=HUGE), "0x" + "01" * 20)
    with pytest.raises(OddAnswerError):
        reads.chain_id(Node(eth_chainId=HUGE))


GOOD = {
    "blockNumber": "0x1",
    "blockHash": HASH,
    "gasUsed": "0x5",
    "status": "0x1",
    "logs": [],
}


@pytest.mark.parametrize(
    "change",
    [
        {"gasUsed": None},
        {"gasUsed": HUGE},
        {"blockHash": "\x1b[2J"},
        {"blockHash": None},
        {"blockNumber": "\x1b[2J"},
        {"logs": "x"},
        {"logs": ["x"]},
        {"contractAddress": "\x1b[2J"},
    ],
)
def test_receipts(change):
    block = {"hash": HASH, "number": "0x1", "timestamp": "0x1"}
    node = Node(eth_getTransactionReceipt=GOOD, eth_getBlockByNumber=block)
    assert receipt(node, HASH).gas_used == 5
    node.answers["eth_getTransactionReceipt"] = {**GOOD, **change}
    with pytest.raises(CannotCheckError) as caught:
        receipt(node, HASH)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"transactionHash": "\x1b[2J"},
        {"topics": ["0x1", "-0x1", "0x1", "0x1"]},
        {"topics": ["0x1", "0x1", "0x1", hex(2**256)]},
        {"topics": ["0x1", HUGE, "0x1", "0x1"]},
        {"data": "0x"},
    ],
)
def test_events(change):
    log = {
        "topics": ["0x1", "0x1", hex(202601), "0x1"],
        "data": words(0, 1, 1, 1, 0, 1),
        "blockNumber": "0x1",
        "transactionHash": HASH,
    }
    node = Node(eth_getLogs=[log], eth_blockNumber="0x1")
    assert batch_events(node, DEPLOYMENT, 1)[0].key == KEY
    node.answers["eth_getLogs"] = [{**log, **change}]
    with pytest.raises(OddAnswerError):
        batch_events(node, DEPLOYMENT, 1)


def test_numbers_beyond_the_ledgers_are_the_users_fault():
    node = Node()
    for ask in (
        lambda: reads.batch_state(node, DEPLOYMENT, BatchKey(1, 202601, 0, 99999999999)),
        lambda: reads.operator(node, DEPLOYMENT, 99999999999999999999999),
        lambda: reads.period_state(node, DEPLOYMENT, 2**64, 202601),
        lambda: batch_events(node, DEPLOYMENT, 2**64, to_block=1),
        lambda: batch_events(node, DEPLOYMENT, 1, 2**32, to_block=1),
        lambda: reads.is_anchorer(node, DEPLOYMENT, 1, "zz"),
    ):
        with pytest.raises(InputError):
            ask()


def test_what_strangers_write_is_safe_to_print():
    odd = OperatorState(1, "0x1", "0x0", b"", "\x1b[2J" + "x" * 4000, "\u202e", "\x9b2J")
    assert _words(odd).isprintable()
    assert len(_words(odd)) < 400
    assert "\x1b" not in str(RpcError("node", "eth_call", 1, "\x1b]0;x\x07"))


def test_long_texts_are_cut(embedded):
    client = embedded.client()
    number, _ = client.register_operator("Example Mobile", "mobile.example", "")
    client.update(number, "Example Mobile", "mobile.example", "https://" + "x" * 4089)
    found = reads.operator(embedded.endpoint, embedded.deployment, number)
    assert (found.domain, len(found.metadata_uri)) == ("mobile.example", 4096)
    whole = reads.operator(embedded.endpoint, embedded.deployment, number, text_limit=5000)
    assert len(whole.metadata_uri) == 4097
