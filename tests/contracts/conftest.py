"""What every contract test shares: isolation, and a chain client that waits for its own transactions."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from brownie import HashesHarness, accounts, chain, web3
from web3.exceptions import TransactionNotFound

ROOT = Path(__file__).resolve().parents[2]


def _patient(method, attempts=50, pause=0.05):
    """The same method, asked again while the chain does not yet know the transaction.

    anvil answers `eth_sendTransaction` before it has mined, and Brownie takes the gap for a transaction
    that was dropped.
    """

    def ask(*args, **kwargs):
        for _ in range(attempts - 1):
            try:
                return method(*args, **kwargs)
            except TransactionNotFound:
                time.sleep(pause)
        return method(*args, **kwargs)

    return ask


@pytest.fixture(scope="session", autouse=True)
def patient_client():
    web3.eth.get_transaction = _patient(web3.eth.get_transaction)
    web3.eth.get_transaction_receipt = _patient(web3.eth.get_transaction_receipt)


@pytest.fixture(autouse=True)
def isolation(fn_isolation):
    pass


@pytest.fixture(scope="session")
def admin():
    return accounts[1]


@pytest.fixture(scope="session")
def anchorer():
    return accounts[2]


@pytest.fixture(scope="session")
def stranger():
    return accounts[3]


@pytest.fixture(scope="module")
def harness(module_isolation):
    """The hash functions of the library, callable."""
    return accounts[0].deploy(HashesHarness)


@pytest.fixture(scope="session")
def period():
    """The calendar month that the chain is in, as YYYYMM."""
    now = datetime.fromtimestamp(chain[-1].timestamp, UTC)
    return now.year * 100 + now.month


@pytest.fixture(scope="session")
def artifact():
    """The compiled ledger as the package ships it."""
    return json.loads((ROOT / "src/billproof/ledger/artifacts/BillingLedger.json").read_text())
