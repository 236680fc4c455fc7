"""A clearing house beside a ledger with three operators."""

import pytest
from brownie import BillingLedger, ClearingHouse, OneKeyWallet, SilentToken, TrickToken, accounts, chain, web3
from clearings import Desk, Operator

KEYS = ["0x" + f"{number:02x}" * 32 for number in (0xA1, 0xB2, 0xC3)]


@pytest.fixture(scope="module")
def ledger(module_isolation):
    return accounts[0].deploy(BillingLedger)


@pytest.fixture(scope="module")
def house(ledger):
    return accounts[0].deploy(ClearingHouse, ledger)


@pytest.fixture(scope="module")
def operators(ledger):
    """Three operators; the admins' keys are at hand, so that eth-account can sign with them."""
    made = []
    for number, key in enumerate(KEYS, 1):
        admin, anchorer = accounts.add(key), accounts[number]
        accounts[9].transfer(admin, 10**18)
        ledger.registerOperator(f"Operator {number}", "", "", {"from": admin})
        ledger.grantAnchorer(number, anchorer, {"from": admin})
        made.append(Operator(number, admin, key, anchorer))
    return made


@pytest.fixture
def desk(house, ledger, operators, period):
    return Desk(house, ledger, chain, web3.eth.chain_id, period, *operators)


@pytest.fixture
def mallory():
    """Somebody who is nothing to any operator."""
    return accounts[6]


@pytest.fixture
def token(operators):
    """A token of which B's admin, the debtor of these tests, has plenty."""
    return operators[1].admin.deploy(TrickToken)


@pytest.fixture
def silent(operators):
    return operators[1].admin.deploy(SilentToken)


@pytest.fixture
def wallet(ledger, operators):
    """C's admin becomes a contract of C's key."""
    c = operators[2]
    made = c.admin.deploy(OneKeyWallet, c.admin)
    ledger.transferAdmin(c.id, made, {"from": c.admin})
    made.execute(ledger, ledger.acceptAdmin.encode_input(c.id), {"from": c.admin})
    return made
