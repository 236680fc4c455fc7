"""The shipped artifact: one house beside the shipped ledger, at one address everywhere, bound to it alone."""

import json
from pathlib import Path

import pytest
from brownie import ClearingHouse, Contract, OneKeyWallet, SilentToken, TrickToken, accounts, reverts, web3
from clearings import DAY
from eth_abi import encode
from eth_utils import keccak, to_checksum_address

from billproof.ledger.deploy import DEPLOYER_SENDER, DEPLOYER_TRANSACTION

ROOT = Path(__file__).resolve().parents[3]
ARTIFACTS = ROOT / "src/billproof/ledger/artifacts"


@pytest.fixture(scope="session")
def house_artifact():
    return json.loads((ARTIFACTS / "ClearingHouse.json").read_text())


@pytest.fixture(scope="session")
def initcode(artifact, house_artifact):
    """The constructor's argument, the shipped ledger, is part of what the address follows from."""
    return bytes.fromhex(house_artifact["bytecode"][2:]) + encode(
        ["address"], [artifact["create2"]["address"]]
    )


@pytest.fixture
def deterministic(house_artifact):
    """Deploys by the well-known CREATE2 deployer, which it puts on the chain where it is not there."""

    def deploy(salt, code):
        deployer = house_artifact["create2"]["deployer"]
        if not web3.eth.get_code(deployer):
            accounts[0].transfer(DEPLOYER_SENDER, 10**16)
            web3.eth.wait_for_transaction_receipt(web3.eth.send_raw_transaction(bytes(DEPLOYER_TRANSACTION)))
        accounts[0].transfer(deployer, data=salt + code.hex())

    return deploy


def test_address_follows_from_deployer_salt_code_and_ledger(house_artifact, initcode):
    place = house_artifact["create2"]
    assert "0x" + keccak(text=place["saltText"]).hex() == place["salt"]
    assert "0x" + keccak(initcode).hex() == place["initcodeHash"]
    parts = b"\xff" + bytes.fromhex(place["deployer"][2:] + place["salt"][2:]) + keccak(initcode)
    assert to_checksum_address(keccak(parts)[12:]) == place["address"]


def test_artifact_deploys_before_its_ledger_and_works_after(
    artifact, house_artifact, initcode, deterministic, period
):
    """Whoever deploys the house first, or without the ledger, gains nothing and breaks nothing."""
    place = house_artifact["create2"]
    deterministic(place["salt"], initcode)
    house = Contract.from_abi("ClearingHouse", place["address"], house_artifact["abi"])
    assert house.ledger() == artifact["create2"]["address"]
    assert house.eip712Domain()[1:5] == ("Billproof ClearingHouse", "1", web3.eth.chain_id, place["address"])
    now = web3.eth.get_block("latest").timestamp
    deadlines = tuple(now + day * DAY for day in (2, 4, 6, 8))
    with reverts():
        house.open(1, 2, period, deadlines, {"from": accounts[1]})
    deterministic(artifact["create2"]["salt"], bytes.fromhex(artifact["bytecode"][2:]))
    ledger = Contract.from_abi("BillingLedger", artifact["create2"]["address"], artifact["abi"])
    for admin in (accounts[1], accounts[2]):
        ledger.registerOperator("Carrier", "", "", {"from": admin})
    house.open(1, 2, period, deadlines, {"from": accounts[1]})
    assert house.roundsOf(1, 2, period) == 1
    with reverts():  # nobody deploys there again
        deterministic(place["salt"], initcode)


def test_brownie_compiles_the_same_code(house_artifact):
    """Brownie adds an `invalid` and the metadata, whose length is in its last two bytes."""
    built = bytes.fromhex(ClearingHouse._build["deployedBytecode"])
    metadata = int.from_bytes(built[-2:], "big") + 2
    assert built[-metadata - 1] == 0xFE
    assert "0x" + built[: -metadata - 1].hex() == house_artifact["deployedBytecode"]


def test_nothing_rewrites_or_takes_money(house_artifact):
    code = bytes.fromhex(house_artifact["deployedBytecode"][2:])
    opcodes, at = set(), 0
    while at < len(code):
        opcodes.add(code[at])
        at += 1 + (code[at] - 0x5F if 0x60 <= code[at] <= 0x7F else 0)
    assert not opcodes & {0xF4, 0xF2, 0xFF}, "delegatecall, callcode or selfdestruct"
    abi = house_artifact["abi"]
    assert not any(entry.get("stateMutability") == "payable" for entry in abi)
    changing = {e["name"] for e in abi if e.get("stateMutability") == "nonpayable" and "name" in e}
    assert changing == {
        "open",
        "commit",
        "reveal",
        "refuse",
        "closeOverdue",
        "closeRepudiated",
        "agree",
        "confirm",
        "pay",
        "net",
        "withdrawSignatures",
    }


def test_the_packages_tests_have_the_same_doubles():
    """They deploy them without a compiler; what is compared ends before the metadata."""
    codes = json.loads((ROOT / "tests/support/clearing_doubles.json").read_text())
    for double in (TrickToken, SilentToken, OneKeyWallet):
        built = bytes.fromhex(double.bytecode)
        metadata = int.from_bytes(built[-2:], "big") + 2
        assert codes[double._name].removeprefix("0x").startswith(built[:-metadata].hex())
