"""Publication by signature, signed by eth-account from the typed message."""

import pytest
from brownie import TariffBook, accounts, chain, reverts, web3
from eth_account import Account
from typed import named, signable

KEY = "0x" + "42" * 32
FROM, UNTIL = 1_790_812_800, 1_822_348_800


@pytest.fixture
def signer(ledger, admin, operator_id):
    account = Account.from_key(KEY)
    ledger.grantAnchorer(operator_id, account.address, {"from": admin})
    return account


@pytest.fixture
def sign(ledger, book, signer, operator_id, tariff):
    """Signs the publication; gives (publisher, deadline, signature)."""

    def make(deadline=None, verifier=None, chain_id=None, operator=operator_id):
        deadline = chain[-1].timestamp + 3_600 if deadline is None else deadline
        nonce = ledger.nonceOf(operator, signer.address)
        values = (operator, tariff, FROM, UNTIL, signer.address, nonce, deadline)
        message = signable(
            "Publish",
            named("Publish", values),
            chain_id or web3.eth.chain_id,
            (verifier or book).address,
            "Billproof TariffBook",
        )
        return signer.address, deadline, signer.sign_message(message).signature

    return make


def test_anyone_sends_it_once(book, sign, stranger, operator_id, tariff):
    signed = sign()
    tx = book.publishBySig(operator_id, tariff, FROM, UNTIL, *signed, {"from": stranger})
    assert tx.events["TariffPublished"]["publisher"] == signed[0]
    assert book.tariffOf(operator_id, tariff) == (tx.timestamp, FROM, UNTIL, 0)
    with reverts(revert_pattern="TariffBookAlreadyPublished.*"):
        book.publishBySig(operator_id, tariff, FROM, UNTIL, *signed, {"from": accounts[5]})


@pytest.mark.parametrize("field", range(3))
def test_other_terms_are_refused(book, sign, stranger, operator_id, tariff, field):
    other = [b"\x05" * 32, FROM + 1, 0]
    terms = [other[i] if i == field else value for i, value in enumerate((tariff, FROM, UNTIL))]
    with reverts(revert_pattern="TariffBookInvalidSignature.*"):
        book.publishBySig(operator_id, *terms, *sign(), {"from": stranger})


def test_other_books_chains_operators_and_ledgers(ledger, book, sign, signer, stranger, operator_id, tariff):
    second = accounts[0].deploy(TariffBook, ledger)
    mine = ledger.registerOperator("Second", "", "", {"from": stranger}).return_value
    ledger.grantAnchorer(mine, signer.address, {"from": stranger})
    foreign = [sign(verifier=second), sign(chain_id=10), sign(verifier=ledger), sign(operator=mine)]
    for signed in foreign:
        with reverts(revert_pattern="TariffBookInvalidSignature.*"):
            book.publishBySig(operator_id, tariff, FROM, UNTIL, *signed, {"from": stranger})
    second.publishBySig(operator_id, tariff, FROM, UNTIL, *foreign[0], {"from": stranger})


def test_deadline(book, sign, stranger, operator_id, tariff):
    with reverts(revert_pattern="TariffBookSignatureExpired.*"):
        signed = sign(deadline=chain[-1].timestamp - 1)
        book.publishBySig(operator_id, tariff, FROM, UNTIL, *signed, {"from": stranger})


def test_revoked_key(ledger, book, sign, admin, stranger, operator_id, tariff):
    """The nonce is the ledger's: what a revoked key signed stays void when the key is granted again."""
    signed = sign()
    ledger.revokeAnchorer(operator_id, signed[0], {"from": admin})
    with reverts(revert_pattern="TariffBookNotPublisher.*"):
        book.publishBySig(operator_id, tariff, FROM, UNTIL, *sign(), {"from": stranger})
    ledger.grantAnchorer(operator_id, signed[0], {"from": admin})
    with reverts(revert_pattern="TariffBookInvalidSignature.*"):
        book.publishBySig(operator_id, tariff, FROM, UNTIL, *signed, {"from": stranger})
    book.publishBySig(operator_id, tariff, FROM, UNTIL, *sign(), {"from": stranger})


def test_strangers_cannot_void_a_signature(ledger, book, sign, stranger, operator_id, tariff):
    """Another operator's admin grants the key and revokes it."""
    signed = sign()
    mine = ledger.registerOperator("Mallory", "", "", {"from": stranger}).return_value
    ledger.grantAnchorer(mine, signed[0], {"from": stranger})
    ledger.revokeAnchorer(mine, signed[0], {"from": stranger})
    book.publishBySig(operator_id, tariff, FROM, UNTIL, *signed, {"from": accounts[5]})
