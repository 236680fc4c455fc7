"""A tariff book beside a ledger with one operator."""

import json
from pathlib import Path

import pytest
from brownie import BillingLedger, TariffBook, accounts, chain, web3
from eth_utils import keccak

from billproof.ledger.deploy import DEPLOYER_SENDER, DEPLOYER_TRANSACTION

ARTIFACTS = Path(__file__).resolve().parents[3] / "src/billproof/ledger/artifacts"

OPERATOR = 1


@pytest.fixture(scope="session")
def operator_id():
    return OPERATOR


@pytest.fixture(scope="session")
def tariff():
    """What names a tariff: the hash of its file's bytes."""
    return keccak(text='schema = "billproof/tariff/1"\n')


@pytest.fixture(scope="module")
def ledger(module_isolation, admin, anchorer):
    ledger = accounts[0].deploy(BillingLedger)
    ledger.registerOperator("Carrier", "carrier.example", "", {"from": admin})
    ledger.grantAnchorer(OPERATOR, anchorer, {"from": admin})
    return ledger


@pytest.fixture(scope="module")
def book(ledger):
    return accounts[0].deploy(TariffBook, ledger)


@pytest.fixture
def publish(book, anchorer, tariff):
    """Publishes a version of the operator; gives the transaction."""

    def send(hashed=tariff, valid_from=1_790_812_800, valid_until=0, sender=anchorer, operator=OPERATOR):
        return book.publish(operator, hashed, valid_from, valid_until, {"from": sender})

    return send


@pytest.fixture
def soon():
    """A time that no block has reached yet."""
    return chain[-1].timestamp + 10_000


@pytest.fixture
def deterministic():
    """Deploys by the well-known CREATE2 deployer, which it puts on the chain where it is not there."""

    def deploy(salt, initcode):
        place = json.loads((ARTIFACTS / "TariffBook.json").read_text())["create2"]
        if not web3.eth.get_code(place["deployer"]):
            accounts[0].transfer(DEPLOYER_SENDER, 10**16)
            web3.eth.wait_for_transaction_receipt(web3.eth.send_raw_transaction(bytes(DEPLOYER_TRANSACTION)))
        accounts[0].transfer(place["deployer"], data=salt + initcode.hex())

    return deploy
