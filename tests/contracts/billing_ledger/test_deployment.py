"""The shipped artifact: one address on every chain, and the code that Brownie compiles from the sources."""

from brownie import BillingLedger, Contract, accounts, reverts, web3
from eth_utils import keccak, to_checksum_address

# Nick's method: a transaction that nobody holds the key of, the same on every chain.
DEPLOYER_SENDER = "0x3fAB184622Dc19b6109349B94811493BF2a45362"
DEPLOYER_TRANSACTION = (
    "0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506"
    "014600cf31ba02222222222222222222222222222222222222222222222222222222222222222a0222222222222222222"
    "2222222222222222222222222222222222222222222222"
)


def blank_immutables(code, artifact):
    code = bytearray(code)
    for span in artifact["immutableReferences"]:
        code[span["start"] : span["start"] + span["length"]] = bytes(span["length"])
    return bytes(code)


def deploy_by_create2(artifact):
    place = artifact["create2"]
    if not web3.eth.get_code(place["deployer"]):
        accounts[0].transfer(DEPLOYER_SENDER, 10**16)
        web3.eth.wait_for_transaction_receipt(web3.eth.send_raw_transaction(DEPLOYER_TRANSACTION))
    accounts[0].transfer(place["deployer"], data=place["salt"] + artifact["bytecode"][2:])
    return place["address"]


def test_address_follows_from_deployer_salt_and_code(artifact):
    place = artifact["create2"]
    assert "0x" + keccak(text=place["saltText"]).hex() == place["salt"]
    initcode_hash = keccak(hexstr=artifact["bytecode"])
    assert "0x" + initcode_hash.hex() == place["initcodeHash"]
    parts = b"\xff" + bytes.fromhex(place["deployer"][2:] + place["salt"][2:]) + initcode_hash
    assert to_checksum_address(keccak(parts)[12:]) == place["address"]


def test_artifact_deploys_to_its_address_and_works(artifact, admin, period):
    address = deploy_by_create2(artifact)
    deployed = bytes(web3.eth.get_code(address))
    assert blank_immutables(deployed, artifact) == bytes.fromhex(artifact["deployedBytecode"][2:])
    ledger = Contract.from_abi("BillingLedger", address, artifact["abi"])
    assert ledger.eip712Domain()[1:5] == ("Billproof", "1", web3.eth.chain_id, address)
    ledger.registerOperator("Carrier", "", "", {"from": admin})
    ledger.grantAnchorer(1, admin, {"from": admin})
    ledger.anchor(1, period, 1, 1, b"\x01" * 32, bytes(32), 0, {"from": admin})
    with reverts():  # nobody deploys there again
        accounts[0].transfer(
            artifact["create2"]["deployer"], data=artifact["create2"]["salt"] + artifact["bytecode"][2:]
        )


def test_brownie_compiles_the_same_code(artifact):
    """Brownie adds an `invalid` and the metadata, whose length is in its last two bytes."""
    built = bytes.fromhex(BillingLedger._build["deployedBytecode"])
    metadata = int.from_bytes(built[-2:], "big") + 2
    assert built[-metadata - 1] == 0xFE
    assert "0x" + built[: -metadata - 1].hex() == artifact["deployedBytecode"]
    # Brownie gives the constructor a name.
    assert [entry for entry in BillingLedger.abi if entry["type"] != "constructor"] == artifact["abi"][1:]
    assert artifact["abi"][0]["type"] == "constructor"


def test_ledger_fits_and_has_no_way_to_rewrite(artifact):
    code = bytes.fromhex(artifact["deployedBytecode"][2:])
    assert len(code) <= 24_576
    opcodes, at = set(), 0
    while at < len(code):
        opcodes.add(code[at])
        at += 1 + (code[at] - 0x5F if 0x60 <= code[at] <= 0x7F else 0)
    assert not opcodes & {0xF4, 0xF2}, "delegatecall or callcode"
