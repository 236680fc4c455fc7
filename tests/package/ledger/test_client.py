"""Every transaction of the ledger on every chain, and every refusal in words."""

from __future__ import annotations

import time

import pytest
from eth_abi import encode
from eth_utils import keccak

from billproof.errors import InputError, LedgerError, NotAnchoredError
from billproof.ledger import lookup
from billproof.ledger.client import BatchAnchor, LedgerClient
from billproof.ledger.provider import contract_of
from billproof.ledger.reverts import RevertError
from billproof.ledger.states import BatchKey

ROOT, MANIFEST = b"\x11" * 32, b"\x22" * 32


def batch(sequence=1, root=ROOT, period=202601, region=1, amends=0):
    return BatchAnchor(period, region, sequence, root, MANIFEST, amends)


def head_of(chain, number, events):
    """The operator's head as anybody computes it from the events alone."""
    head = keccak(encode(["bytes32", "uint64"], [chain.client().view("domainSeparator"), number]))
    for event in events:
        fields = [head, event.batch_id, event.root, event.manifest_hash, event.amends]
        head = keccak(encode(["bytes32", "bytes32", "bytes32", "bytes32", "uint32"], fields))
    return head


def refused(name, act):
    with pytest.raises(RevertError) as caught:
        act()
    assert caught.value.name == f"BillingLedger{name}"
    assert caught.value.advice
    return caught.value


def test_life_of_an_operator(chain):
    admin, other = chain.client(0), chain.client(1)
    number, registered = admin.register_operator(
        "Example Mobile", "mobile.example", "https://mobile.example/"
    )
    assert registered.gas_used > 21_000
    assert registered.fee > 0
    refused("NotAnchorer", lambda: admin.anchor(number, batch()))
    admin.grant(number, admin.signer.address)
    assert lookup.is_anchorer(chain.endpoint, chain.deployment, number, admin.signer.address)
    first = admin.anchor(number, batch())
    assert first.gas_used < 125_000
    admin.anchor_many(number, [batch(2), batch(1, region=2)])

    refused("SequenceTaken", lambda: admin.anchor(number, batch()))
    refused("SequenceGap", lambda: admin.anchor(number, batch(9)))
    refused("ZeroRoot", lambda: admin.anchor(number, batch(3, root=bytes(32))))
    refused("InvalidPeriod", lambda: admin.anchor(number, batch(period=202613)))
    refused("FuturePeriod", lambda: admin.anchor(number, batch(period=999912)))
    refused("EmptySet", lambda: admin.anchor_many(number, []))
    refused("NotAdmin", lambda: other.grant(number, other.signer.address))
    refused("NotPendingAdmin", lambda: other.accept(number))
    refused("UnknownOperator", lambda: admin.grant(10**6, admin.signer.address))
    refused("EmptyName", lambda: admin.register_operator(""))
    refused("ZeroAddress", lambda: admin.grant(number, "0x" + "00" * 20))
    refused("UnknownBatch", lambda: admin.repudiate(BatchKey(number, 202601, 9, 9)))

    admin.update(number, "Example Telecom", "telecom.example", "")
    state = lookup.operator(chain.endpoint, chain.deployment, number)
    assert (state.name, state.domain, state.metadata_uri) == ("Example Telecom", "telecom.example", "")
    assert state.admin == admin.signer.address
    period = lookup.period_state(chain.endpoint, chain.deployment, number, 202601)
    assert (period.batches, period.sealed_at) == (3, 0)
    refused("HeadMismatch", lambda: admin.seal(number, 202601, b"\1" * 32, 3))
    refused("BatchCountMismatch", lambda: admin.seal(number, 202601, state.head, 2))
    admin.seal(number, 202601, state.head, 3)
    refused("PeriodSealed", lambda: admin.anchor(number, batch(3)))
    admin.anchor(number, batch(3, amends=1))
    admin.repudiate(BatchKey(number, 202601, 2, 1))
    stored = lookup.batch_state(chain.endpoint, chain.deployment, BatchKey(number, 202601, 2, 1))
    assert (stored.root, stored.repudiated, stored.ring_fault) == (ROOT, True, False)

    admin.transfer(number, other.signer.address)
    other.accept(number)
    other.revoke(number, admin.signer.address)
    refused("NotAnchorer", lambda: admin.anchor(number, batch(period=202602)))
    events = lookup.batch_events(chain.endpoint, chain.deployment, number)
    assert [(e.key.region, e.key.sequence, e.amends) for e in events] == [
        (1, 1, 0),
        (1, 2, 0),
        (2, 1, 0),
        (1, 3, 1),
    ]
    assert events[0].transaction == first.hash
    assert head_of(chain, number, events) == lookup.operator(chain.endpoint, chain.deployment, number).head
    assert lookup.batch_events(chain.endpoint, chain.deployment, number, 202602) == []
    assert lookup.operator_count(chain.endpoint, chain.deployment) >= number
    with pytest.raises(NotAnchoredError, match="no operator"):
        lookup.operator(chain.endpoint, chain.deployment, 10**6)


def test_anchor_by_signature(chain):
    number = chain.operator()
    anchorer, sender = chain.client(0), chain.client(2)
    deadline = int(time.time()) + 10**6
    signature = anchorer.sign_anchor(number, batch(), deadline)
    who = anchorer.signer.address
    refused(
        "InvalidSignature",
        lambda: sender.anchor_by_sig(number, batch(root=MANIFEST), who, deadline, signature),
    )
    sender.anchor_by_sig(number, batch(), who, deadline, signature)
    refused("InvalidSignature", lambda: sender.anchor_by_sig(number, batch(2), who, deadline, signature))
    refused("SignatureExpired", lambda: sender.anchor_by_sig(number, batch(2), who, 1, signature))
    state = lookup.batch_state(chain.endpoint, chain.deployment, BatchKey(number, 202601, 1, 1))
    assert state.root == ROOT


def test_views_through_web3(chain):
    number = chain.operator()
    contract = contract_of(chain.endpoint, chain.deployment)
    assert contract.functions.getOperator(number).call()[3] == "Example Mobile"
    assert chain.client().view("operatorCount") >= number


def test_nobody_signs(embedded):
    client = LedgerClient(embedded.endpoint, embedded.deployment)
    assert client.view("operatorCount") >= 0
    with pytest.raises(InputError, match="nobody signs"):
        client.register_operator("x")


def test_an_empty_purse(embedded):
    from eth_account import Account

    from billproof.ledger.signers import AccountSigner

    client = LedgerClient(embedded.endpoint, embedded.deployment, AccountSigner(Account.create()))
    with pytest.raises(LedgerError):
        client.register_operator("x")


def test_a_revert_inside_a_block(anvil):
    """Two transactions for one sequence, sent together: the second fails in its block, and says why."""
    number = anvil.operator()
    client = anvil.client()
    nonce = int(anvil.endpoint.request("eth_getTransactionCount", [client.signer.address, "pending"]), 16)
    arguments = (number, 202601, 1, 1, ROOT, MANIFEST, 0)
    pair = [client.prepare("anchor", arguments, nonce=nonce + n, gas=200_000) for n in (0, 1)]
    from billproof.ledger.transactions import broadcast, wait

    for signed in pair:
        broadcast(anvil.endpoint, signed.raw)
    found = wait(anvil.endpoint, pair[1].hash)
    assert not found.success
    error = refused("SequenceTaken", lambda: client.require_success(found))
    assert "batch 1 of operator" in error.message


def test_legacy_fees(ganache):
    from billproof.ledger.transactions import Fees, broadcast, sign, wait

    signer = ganache.signer(3)
    signed = sign(ganache.endpoint, signer, signer.address, b"", fees=Fees(5 * 10**9, None))
    broadcast(ganache.endpoint, signed.raw)
    assert wait(ganache.endpoint, signed.hash).success
