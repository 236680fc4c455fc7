"""A ledger with one operator, and bills anchored in it."""

from enum import IntEnum

import pytest
from bills import make_bill
from brownie import BillingLedger, accounts

OPERATOR = 1


class Reason(IntEnum):
    Ok = 0
    NotAnchored = 1
    EmptySet = 2
    IndexOutOfRange = 3
    RecordProofLength = 4
    EntryProofLength = 5
    RootMismatch = 6
    NotAbsent = 7
    RingFault = 8


@pytest.fixture(scope="session")
def reason():
    return Reason


@pytest.fixture(scope="session")
def operator_id():
    return OPERATOR


@pytest.fixture(scope="module")
def ledger(module_isolation, admin, anchorer):
    ledger = accounts[0].deploy(BillingLedger)
    ledger.registerOperator("Carrier", "carrier.example", "ipfs://metadata", {"from": admin})
    ledger.grantAnchorer(OPERATOR, anchorer, {"from": admin})
    return ledger


@pytest.fixture
def anchor(ledger, anchorer, period):
    """Anchors a batch of the operator's current period; gives the transaction."""

    def send(root=b"\x01" * 32, sequence=1, region=1, amends=0, month=period, sender=anchorer):
        return ledger.anchor(OPERATOR, month, region, sequence, root, b"\x02" * 32, amends, {"from": sender})

    return send


@pytest.fixture
def bill_of(ledger, anchor, period):
    """Makes a bill and anchors it; each `region` takes one."""

    def make(region=1, **shape):
        key = (OPERATOR, period, region, 1)
        bill = make_bill(key, ledger.batchIdOf(key), **shape)
        anchor(bill.root, region=region)
        return bill

    return make


@pytest.fixture
def bill(bill_of):
    return bill_of()
