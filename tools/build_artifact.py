#!/usr/bin/env python3
"""Compile `BillingLedger`, `TariffBook` and `ClearingHouse` into the files that the package ships.

The bytecode carries no metadata hash, so comments do not change it, and it is deployed through the
well-known CREATE2 deployer: one address on every chain. The constructors of book and house take their ledger,
which is part of the init code: the addresses in their files are those beside the shipped ledger. `--check`
compiles again and fails when a committed file differs.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from keccak import checksum_address, keccak256

ROOT = Path(__file__).resolve().parent.parent
ARTIFACTS = ROOT / "src/billproof/ledger/artifacts"
LEDGER, BESIDE = "BillingLedger", ("TariffBook", "ClearingHouse")
EVM_VERSION = "shanghai"
OPTIMIZER = {"enabled": True, "runs": 10_000}
DEPLOYER = bytes.fromhex("4e59b44847b379578588920cA78FbF26c0B4956C")


def standard_json(contract: str, source: str) -> dict:
    return {
        "language": "Solidity",
        "sources": {source: {"content": (ROOT / source).read_text()}},
        "settings": {
            "remappings": ["@openzeppelin/=node_modules/@openzeppelin/"],
            "optimizer": OPTIMIZER,
            "evmVersion": EVM_VERSION,
            "metadata": {"bytecodeHash": "none", "appendCBOR": False},
            "outputSelection": {
                "*": {
                    contract: [
                        "abi",
                        "evm.bytecode.object",
                        "evm.deployedBytecode",
                        "storageLayout",
                        "metadata",
                    ]
                },
            },
        },
    }


def compile_contract(contract: str, file: str = "") -> dict:
    """The compiler's answer for one contract, of `file` in contracts/ where that is not its name; ends the
    program on any error or warning."""
    source = f"contracts/{file or contract}.sol"
    run = subprocess.run(  # noqa: S603 - our own compiler wrapper
        [str(ROOT / "tools/solc"), "--standard-json", "--base-path", str(ROOT)],
        input=json.dumps(standard_json(contract, source)),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        sys.exit(f"tools/solc failed (is node_modules there? npm install): {run.stderr}")
    answer = json.loads(run.stdout)
    if answer.get("errors"):
        sys.exit("\n".join(error["formattedMessage"] for error in answer["errors"]))
    return answer["contracts"][source][contract]


def storage_layout(layout: dict) -> list[dict]:
    """Every variable with its slot and type, structs spelt out; without the compiler's AST numbers."""
    types = layout["types"]

    def describe(variable: dict) -> dict:
        kind = types[variable["type"]]
        line = {
            "label": variable["label"],
            "slot": int(variable["slot"]),
            "offset": variable["offset"],
            "type": kind["label"],
        }
        value = kind
        while "value" in value:
            value = types[value["value"]]
        if "members" in value:
            line["members"] = [describe(member) for member in value["members"]]
        return line

    return [describe(variable) for variable in layout["storage"]]


def build(contract: str, arguments: bytes = b"") -> dict:
    """One artifact; `arguments` are the constructor's, encoded, and enter the address only."""
    compiled = compile_contract(contract)
    creation = "0x" + compiled["evm"]["bytecode"]["object"]
    deployed = compiled["evm"]["deployedBytecode"]
    salt_text = f"billproof/{contract}/1"
    salt = keccak256(salt_text.encode())
    initcode_hash = keccak256(bytes.fromhex(creation[2:]) + arguments)
    address = keccak256(b"\xff" + DEPLOYER + salt + initcode_hash)[12:]
    spans = [span for reference in deployed["immutableReferences"].values() for span in reference]
    return {
        "contractName": contract,
        "license": "Apache-2.0",
        "compiler": json.loads(compiled["metadata"])["compiler"]["version"],
        "evmVersion": EVM_VERSION,
        "optimizer": OPTIMIZER,
        "create2": {
            "deployer": checksum_address(DEPLOYER),
            "saltText": salt_text,
            "salt": "0x" + salt.hex(),
            "initcodeHash": "0x" + initcode_hash.hex(),
            "address": checksum_address(address),
        },
        "storageLayout": storage_layout(compiled["storageLayout"]),
        "abi": compiled["abi"],
        "immutableReferences": sorted(spans, key=lambda span: span["start"]),
        "bytecode": creation,
        "deployedBytecode": "0x" + deployed["object"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare with the committed file, write nothing")
    check = parser.parse_args().check
    ledger = build(LEDGER)
    argument = bytes(12) + bytes.fromhex(ledger["create2"]["address"][2:])
    beside = [build(contract, argument) for contract in BESIDE]
    return max([settle(artifact, check=check) for artifact in (ledger, *beside)])


def settle(artifact: dict, *, check: bool) -> int:
    """Writes one file, or compares it with the committed one; the exit code."""
    text = json.dumps(artifact, indent=1) + "\n"
    file = ARTIFACTS / f"{artifact['contractName']}.json"
    name = file.relative_to(ROOT)
    size = (len(artifact["deployedBytecode"]) - 2) // 2
    if check:
        if not file.exists() or file.read_text() != text:
            print(f"{name} is not what contracts/ compiles to: run tools/build_artifact.py", file=sys.stderr)
            return 1
        print(f"{name}: up to date, {size:,} bytes of code")
        return 0
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    print(f"{name}: written, {size:,} bytes of code, address {artifact['create2']['address']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
