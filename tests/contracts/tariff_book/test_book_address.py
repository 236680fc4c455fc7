"""The shipped artifact: one book beside the shipped ledger, at one address everywhere, bound to it alone."""

import json
from pathlib import Path

import pytest
from brownie import Contract, TariffBook, accounts, reverts, web3
from eth_abi import encode
from eth_utils import keccak, to_checksum_address

ARTIFACTS = Path(__file__).resolve().parents[3] / "src/billproof/ledger/artifacts"


@pytest.fixture(scope="session")
def book_artifact():
    return json.loads((ARTIFACTS / "TariffBook.json").read_text())


@pytest.fixture(scope="session")
def initcode(artifact, book_artifact):
    """The constructor's argument, the shipped ledger, is part of what the address follows from."""
    return bytes.fromhex(book_artifact["bytecode"][2:]) + encode(
        ["address"], [artifact["create2"]["address"]]
    )


def test_address_follows_from_deployer_salt_code_and_ledger(book_artifact, initcode):
    place = book_artifact["create2"]
    assert "0x" + keccak(text=place["saltText"]).hex() == place["salt"]
    assert "0x" + keccak(initcode).hex() == place["initcodeHash"]
    parts = b"\xff" + bytes.fromhex(place["deployer"][2:] + place["salt"][2:]) + keccak(initcode)
    assert to_checksum_address(keccak(parts)[12:]) == place["address"]


def test_artifact_deploys_before_its_ledger_and_works_after(artifact, book_artifact, initcode, deterministic):
    """Whoever deploys the book first, or without the ledger, gains nothing and breaks nothing."""
    place = book_artifact["create2"]
    deterministic(place["salt"], initcode)
    book = Contract.from_abi("TariffBook", place["address"], book_artifact["abi"])
    assert book.ledger() == artifact["create2"]["address"]
    assert book.eip712Domain()[1:5] == ("Billproof TariffBook", "1", web3.eth.chain_id, place["address"])
    with reverts():
        book.publish(1, b"\x01" * 32, 1, 0, {"from": accounts[1]})
    deterministic(artifact["create2"]["salt"], bytes.fromhex(artifact["bytecode"][2:]))
    ledger = Contract.from_abi("BillingLedger", artifact["create2"]["address"], artifact["abi"])
    ledger.registerOperator("Carrier", "", "", {"from": accounts[1]})
    book.publish(1, b"\x01" * 32, 1, 0, {"from": accounts[1]})
    assert book.tariffOf(1, b"\x01" * 32)[1] == 1
    with reverts():  # nobody deploys there again
        deterministic(place["salt"], initcode)


def test_brownie_compiles_the_same_code(book_artifact):
    """Brownie adds an `invalid` and the metadata, whose length is in its last two bytes."""
    built = bytes.fromhex(TariffBook._build["deployedBytecode"])
    metadata = int.from_bytes(built[-2:], "big") + 2
    assert built[-metadata - 1] == 0xFE
    assert "0x" + built[: -metadata - 1].hex() == book_artifact["deployedBytecode"]


def test_nothing_rewrites_or_takes_money(book, book_artifact):
    code = bytes.fromhex(book_artifact["deployedBytecode"][2:])
    opcodes, at = set(), 0
    while at < len(code):
        opcodes.add(code[at])
        at += 1 + (code[at] - 0x5F if 0x60 <= code[at] <= 0x7F else 0)
    assert not opcodes & {0xF4, 0xF2, 0xFF}, "delegatecall, callcode or selfdestruct"
    assert not any(entry.get("stateMutability") == "payable" for entry in book_artifact["abi"])
    changing = {
        e["name"] for e in book_artifact["abi"] if e.get("stateMutability") == "nonpayable" and "name" in e
    }
    assert changing == {"publish", "publishBySig", "withdraw"}
