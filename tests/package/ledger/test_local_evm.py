"""The ledger's code in a local EVM says what the chain's says, about fields that are right and wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_abi import encode

from billproof.errors import CannotCheckError, InputError
from billproof.ledger import local_evm
from billproof.ledger.artifact import keccak
from billproof.ledger.calls import Reason
from billproof.ledger.client import BatchAnchor
from billproof.ledger.local_evm import LocalLedger, call_node, run_locally
from billproof.ledger.lookup import BatchKey, look_up_root

ACCOUNT, NEXT, SALT = b"\x31" * 32, b"\x32" * 32, b"\x33" * 32
RECORD = {
    "index": 0,
    "service": 1,
    "startedAt": 1_767_225_600,
    "utcOffset": -120,
    "usage": 61,
    "billedUsage": 120,
    "peer": b"\x41" * 32,
    "network": b"26201\0\0\0",
    "amount": -250_000_000,
    "rate": b"\x42" * 32,
    "corrects": bytes(32),
}
TYPES = {
    "Totals": "Totals(int128 total,bytes32 salt)",
    "Statement": "Statement(bytes32 batchId,bytes32 account,bytes32 recordsRoot,uint32 recordCount,"
    "bytes3 currency,bytes32 tariff,Totals totals)Totals(int128 total,bytes32 salt)",
    "AccountEntry": "AccountEntry(bytes32 account,bytes32 nextAccount,bytes32 statement)",
    "CallRecord": "CallRecord(uint32 index,uint8 service,uint64 startedAt,int16 utcOffset,uint64 usage,"
    "uint64 billedUsage,bytes32 peer,bytes8 network,int128 amount,bytes32 rate,bytes32 corrects)",
}


def struct(name, types, values):
    return keccak(keccak(TYPES[name].encode()) + encode(types, values))


def the_batch(batch_id):
    """Root, statement and terms of a batch of one statement of one record."""
    kinds = ["uint32", "uint8", "uint64", "int16", "uint64", "uint64", "bytes32", "bytes8", "int128"]
    records_root = struct("CallRecord", [*kinds, "bytes32", "bytes32"], list(RECORD.values()))
    totals = struct("Totals", ["int128", "bytes32"], [RECORD["amount"], SALT])
    hashed = struct(
        "Statement",
        ["bytes32", "bytes32", "bytes32", "uint32", "bytes3", "bytes32", "bytes32"],
        [batch_id, ACCOUNT, records_root, 1, b"EUR", bytes(32), totals],
    )
    root = struct("AccountEntry", ["bytes32"] * 3, [ACCOUNT, NEXT, hashed])
    terms = {"account": ACCOUNT, "recordCount": 1, "currency": b"EUR", "tariff": bytes(32), "totals": totals}
    opening = {k: v for k, v in terms.items() if k != "totals"}
    opening |= {"recordsRoot": records_root, "total": RECORD["amount"], "totalSalt": SALT}
    return root, terms, opening


@pytest.fixture
def anchored(chain):
    number = chain.operator()
    key = BatchKey(number, 202601, 0, 1)
    root, terms, opening = the_batch(chain.client().view("batchIdOf", key))
    chain.client().anchor(number, BatchAnchor(202601, 0, 1, root, SALT))
    answer = look_up_root([chain.endpoint], chain.deployment, key, own_choice=True)
    return key, answer, terms, opening


def test_local_and_node_agree(chain, anchored):
    key, answer, terms, opening = anchored

    def both(name, arguments):
        local = run_locally(chain.deployment, key, answer, name, arguments)
        assert local is call_node(chain.endpoint, chain.deployment, name, arguments)
        return local

    assert both("verifyRecord", [key, terms, NEXT, RECORD, [], []]) is Reason.OK
    assert both("verifyStatement", [key, opening, NEXT, []]) is Reason.OK
    for name, value in RECORD.items():
        changed = value + 1 if isinstance(value, int) else bytes([value[0] ^ 1]) + value[1:]
        reason = both("verifyRecord", [key, terms, NEXT, {**RECORD, name: changed}, [], []])
        assert reason is (Reason.INDEX_OUT_OF_RANGE if name == "index" else Reason.ROOT_MISMATCH), name
    for name in ("total", "totalSalt", "account"):
        value = opening[name]
        changed = value + 1 if isinstance(value, int) else b"\0" + value[1:]
        assert both("verifyStatement", [key, {**opening, name: changed}, NEXT, []]) is Reason.ROOT_MISMATCH
    assert both("verifyRecord", [key, terms, NEXT, RECORD, [SALT], []]) is Reason.RECORD_PROOF_LENGTH
    assert both("verifyRecord", [key, terms, NEXT, RECORD, [], [SALT] * 41]) is Reason.ENTRY_PROOF_LENGTH
    assert both("verifyRecord", [key, {**terms, "recordCount": 0}, NEXT, RECORD, [], []]) is Reason.EMPTY_SET
    absent = replace(key, sequence=9)
    assert both("verifyStatement", [absent, opening, NEXT, []]) is Reason.NOT_ANCHORED
    client = chain.client()
    assert client.verify_record(key, terms, NEXT, RECORD, [], []) is Reason.OK
    assert client.verify_statement(key, opening, NEXT, []) is Reason.OK


def test_same_domain_as_the_chain(chain):
    """The immutables are those of the real contract, whatever the chain's id."""
    local = LocalLedger(chain.deployment)
    assert local.view("domainSeparator", []) == chain.client().view("domainSeparator")
    elsewhere = LocalLedger(replace(chain.deployment, chain_id=10))
    assert elsewhere.view("domainSeparator", []) != chain.client().view("domainSeparator")


def test_flags_are_stored_too(embedded):
    key = embedded.anchored()
    state = look_up_root([embedded.endpoint], embedded.deployment, key, own_choice=True).state
    local = LocalLedger(embedded.deployment)
    for changed in (replace(state, ring_fault=True), replace(state, repudiated=True, amends=7), state):
        local.put(key, changed)
        assert local.view("getBatch", [key])[3:] == (changed.amends, changed.repudiated, changed.ring_fault)


def test_no_request_leaves_the_machine(embedded, monkeypatch):
    key = embedded.anchored()
    answer = look_up_root([embedded.endpoint], embedded.deployment, key, own_choice=True)
    _, _, opening = the_batch(SALT)
    monkeypatch.setattr("socket.socket.connect", None)
    reason = run_locally(embedded.deployment, key, answer, "verifyStatement", [key, opening, NEXT, []])
    assert reason is Reason.ROOT_MISMATCH


def test_bad_values_and_layouts(embedded, monkeypatch):
    local = LocalLedger(embedded.deployment)
    key = BatchKey(1, 202601, 0, 1)
    with pytest.raises(InputError):
        local.verify("verifyStatement", [key, {}, NEXT, []])
    state = look_up_root([embedded.endpoint], embedded.deployment, embedded.anchored(), own_choice=True).state
    members = local_evm._batches_layout()[1]
    monkeypatch.setattr(local_evm, "_batches_layout", lambda: (99, members))
    with pytest.raises(CannotCheckError, match="not laid out"):
        local.put(key, state)
