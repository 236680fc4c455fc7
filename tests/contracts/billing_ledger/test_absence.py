"""Absence by an entry of the ring, and rings that lie."""

import pytest
import trees
from bills import make_ring
from brownie import reverts
from typed import struct_hash


def step(key, by):
    return (int.from_bytes(key, "big") + by).to_bytes(32, "big")


def test_the_gap_and_nothing_else(ledger, bill, reason):
    account, following, _ = bill.entries[1]
    for key, expected in (
        (step(account, 1), reason.Ok),
        (step(following, -1), reason.Ok),
        (account, reason.NotAbsent),
        (following, reason.NotAbsent),
        (step(account, -1), reason.NotAbsent),
        (step(following, 1), reason.NotAbsent),
    ):
        assert ledger.verifyAbsence(bill.key, key, bill.entries[1], bill.entry_proof(1)) == expected


def test_the_last_gap_wraps(ledger, bill, reason):
    last = bill.entries[-1]
    path = bill.entry_proof(len(bill.entries) - 1)
    for key, expected in (
        (b"\xff" * 32, reason.Ok),
        (bytes(32), reason.Ok),
        (step(last[0], 1), reason.Ok),
        (step(last[1], -1), reason.Ok),
        (last[0], reason.NotAbsent),
        (last[1], reason.NotAbsent),
        (bill.entries[1][0], reason.NotAbsent),
    ):
        assert ledger.verifyAbsence(bill.key, key, last, path) == expected


def test_ring_of_one(ledger, bill_of, reason):
    bill = bill_of(accounts=1, records=1)
    entry = bill.entries[0]
    assert ledger.verifyAbsence(bill.key, entry[0], entry, []) == reason.NotAbsent
    for key in (bytes(32), b"\xff" * 32, step(entry[0], 1), step(entry[0], -1)):
        assert ledger.verifyAbsence(bill.key, key, entry, []) == reason.Ok


def test_invented_entries(ledger, bill, reason):
    account, following, statement = bill.entries[1]
    wider = (account, step(following, 1), statement)
    assert ledger.verifyAbsence(bill.key, following, wider, bill.entry_proof(1)) == reason.RootMismatch
    inner = (bill.entry_leaves[0], bill.entry_leaves[1], bytes(32))
    assert ledger.verifyAbsence(bill.key, bytes(32), inner, [bytes(32)] * 2) == reason.RootMismatch
    long = [bytes(32)] * 41
    assert ledger.verifyAbsence(bill.key, bytes(32), inner, long) == reason.EntryProofLength


@pytest.fixture
def anchor_ring(anchor, operator_id, period):
    """Anchors any list of entries; gives its key and a function for proofs."""

    def send(entries):
        leaves = [struct_hash("AccountEntry", *entry) for entry in entries]
        anchor(trees.root(leaves), region=9)
        return (operator_id, period, 9, 1), lambda entry: trees.proof(leaves, entry)

    return send


@pytest.fixture
def ring():
    import random

    return make_ring(random.Random(3), 6)


def test_a_hidden_account_is_a_fault(ledger, anchor_ring, ring, stranger, reason):
    ring[1] = (ring[1][0], ring[3][0], ring[1][2])  # skips entry 2
    key, proof = anchor_ring(ring)
    assert ledger.verifyAbsence(key, ring[2][0], ring[1], proof(1)) == reason.Ok  # the lie
    tx = ledger.proveRingFault(key, ring[2], proof(2), ring[1], proof(1), {"from": stranger})
    assert tx.events["RingFaultProved"]["reporter"] == stranger
    assert ledger.getBatch(key)[5] is True
    assert ledger.verifyAbsence(key, ring[2][0], ring[1], proof(1)) == reason.RingFault
    with reverts(revert_pattern="BillingLedgerAlreadyFlagged.*"):
        ledger.proveRingFault(key, ring[2], proof(2), ring[1], proof(1), {"from": stranger})


def test_a_hidden_account_in_the_wrapping_gap(ledger, anchor_ring, ring, stranger):
    ring[5] = (ring[5][0], ring[1][0], ring[5][2])  # skips entry 0
    key, proof = anchor_ring(ring)
    ledger.proveRingFault(key, ring[5], proof(5), ring[0], proof(0), {"from": stranger})
    assert ledger.getBatch(key)[5] is True


def test_two_statements_under_one_key(ledger, anchor_ring, ring, stranger):
    ring[2] = (ring[1][0], ring[1][1], ring[2][2])
    key, proof = anchor_ring(ring)
    ledger.proveRingFault(key, ring[1], proof(1), ring[2], proof(2), {"from": stranger})
    assert ledger.getBatch(key)[5] is True


def test_an_honest_ring_cannot_be_flagged(ledger, anchor_ring, ring, stranger):
    key, proof = anchor_ring(ring)
    for a in range(6):
        for b in (a, (a + 1) % 6, (a + 3) % 6):
            with reverts(revert_pattern="BillingLedgerNoRingFault.*"):
                ledger.proveRingFault.call(key, ring[a], proof(a), ring[b], proof(b), {"from": stranger})


def test_a_fault_needs_both_proofs(ledger, anchor_ring, ring, stranger):
    ring[1] = (ring[1][0], ring[3][0], ring[1][2])
    key, proof = anchor_ring(ring)
    for path_a, path_b in ((proof(2), proof(2)), (proof(1), proof(1)), (proof(1), [bytes(32)] * 41)):
        with reverts(revert_pattern="BillingLedgerNoRingFault.*"):
            ledger.proveRingFault.call(key, ring[1], path_a, ring[2], path_b, {"from": stranger})
    with reverts(revert_pattern="BillingLedgerUnknownBatch.*"):
        ledger.proveRingFault.call((*key[:3], 2), ring[1], proof(1), ring[2], proof(2), {"from": stranger})
