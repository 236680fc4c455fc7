"""Anchoring by signature, signed by eth-account from the typed message."""

import pytest
from brownie import accounts, chain, reverts, web3
from eth_account import Account
from typed import named, signable

KEY = "0x" + "42" * 32
ROOT, MANIFEST = b"\x01" * 32, b"\x02" * 32


@pytest.fixture
def signer(ledger, admin, operator_id):
    account = Account.from_key(KEY)
    ledger.grantAnchorer(operator_id, account.address, {"from": admin})
    return account


@pytest.fixture
def batch(period):
    return (period, 1, 1, ROOT, MANIFEST, 0)


@pytest.fixture
def sign(ledger, signer, operator_id):
    """Signs a batch as the ledger's next; gives (anchorer, deadline, signature)."""

    def make(batch, deadline=None):
        deadline = chain[-1].timestamp + 3_600 if deadline is None else deadline
        nonce = ledger.nonceOf(operator_id, signer.address)
        values = (operator_id, *batch, signer.address, nonce, deadline)
        message = signable("Anchor", named("Anchor", values), web3.eth.chain_id, ledger.address)
        return signer.address, deadline, signer.sign_message(message).signature

    return make


def test_anyone_sends_it_once(ledger, batch, sign, stranger, operator_id, period):
    signed = sign(batch)
    tx = ledger.anchorBySig(operator_id, batch, *signed, {"from": stranger})
    assert tx.events["BatchAnchored"]["anchorer"] == signed[0]
    assert ledger.getBatch((operator_id, period, 1, 1))[0] == "0x" + ROOT.hex()
    with reverts(revert_pattern="BillingLedgerInvalidSignature.*"):
        ledger.anchorBySig(operator_id, batch, *signed, {"from": stranger})


@pytest.mark.parametrize("field", range(6))
def test_other_batches_are_refused(ledger, batch, sign, stranger, operator_id, field):
    signed = sign(batch)
    other = [200001, 2, 2, MANIFEST, ROOT, 1]
    changed = tuple(other[i] if i == field else value for i, value in enumerate(batch))
    with reverts(revert_pattern="BillingLedgerInvalidSignature.*"):
        ledger.anchorBySig(operator_id, changed, *signed, {"from": stranger})


def test_deadline(ledger, batch, sign, stranger, operator_id):
    signed = sign(batch, deadline=chain[-1].timestamp - 1)
    with reverts(revert_pattern="BillingLedgerSignatureExpired.*"):
        ledger.anchorBySig(operator_id, batch, *signed, {"from": stranger})


def test_revoked_key(ledger, batch, sign, admin, stranger, operator_id):
    signed = sign(batch)
    ledger.revokeAnchorer(operator_id, signed[0], {"from": admin})
    with reverts(revert_pattern="BillingLedgerNotAnchorer.*"):
        ledger.anchorBySig(operator_id, batch, *signed, {"from": stranger})
    ledger.grantAnchorer(operator_id, signed[0], {"from": admin})
    with reverts(revert_pattern="BillingLedgerInvalidSignature.*"):
        ledger.anchorBySig(operator_id, batch, *signed, {"from": stranger})
    ledger.anchorBySig(operator_id, batch, *sign(batch), {"from": stranger})


def test_strangers_cannot_void_a_signature(ledger, batch, sign, stranger, operator_id):
    """Another operator's admin grants the key and revokes it."""
    signed = sign(batch)
    mine = ledger.registerOperator("Mallory", "", "", {"from": stranger}).return_value
    ledger.grantAnchorer(mine, signed[0], {"from": stranger})
    ledger.revokeAnchorer(mine, signed[0], {"from": stranger})
    ledger.anchorBySig(operator_id, batch, *signed, {"from": accounts[5]})
