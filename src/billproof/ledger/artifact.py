"""The compiled ledger contract that ships inside the package, and the one address that follows from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import sha3

from billproof.errors import BillproofError

CREATE2_DEPLOYER = "0x4e59b44847b379578588920ca78fbf26c0b4956c"
"""The deterministic deployment proxy (github.com/Arachnid/deterministic-deployment-proxy): CREATE2 with the
first 32 bytes of the data as salt and the rest as init code."""


def keccak(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it."""
    return bytes(sha3.keccak_256(data).digest())


@dataclass(frozen=True)
class Artifact:
    """The shipped contract. ``immutables`` are (start, length) byte ranges that the constructor fills in."""

    abi: list[dict[str, Any]]
    bytecode: bytes
    deployed_bytecode: bytes
    immutables: tuple[tuple[int, int], ...]
    storage_layout: list[dict[str, Any]]
    salt: bytes

    @property
    def address(self) -> str:
        """Where the deployer puts it, the same on every chain (EIP-1014); lower-case."""
        deployer = bytes.fromhex(CREATE2_DEPLOYER[2:])
        return "0x" + keccak(b"\xff" + deployer + self.salt + keccak(self.bytecode))[12:].hex()

    def is_code_of(self, code: bytes) -> bool:
        """Whether ``code`` is this contract's, whatever its immutables hold."""
        return len(code) == len(self.deployed_bytecode) and self._masked(code) == self._masked(
            self.deployed_bytecode
        )

    def _masked(self, code: bytes) -> bytes:
        masked = bytearray(code)
        for start, length in self.immutables:
            masked[start : start + length] = bytes(length)
        return bytes(masked)


@cache
def load_artifact() -> Artifact:
    """The shipped contract.

    Raises:
        BillproofError: the installation lacks it.
    """
    file = resources.files("billproof.ledger") / "artifacts" / "BillingLedger.json"
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise BillproofError(
            "the compiled ledger contract is missing from this installation",
            advice="install the package again; in a checkout, build the artifact",
        ) from None
    ranges = sorted((int(place["start"]), int(place["length"])) for place in content["immutableReferences"])
    return Artifact(
        abi=content["abi"],
        bytecode=_code(content["bytecode"]),
        deployed_bytecode=_code(content["deployedBytecode"]),
        immutables=tuple(ranges),
        storage_layout=content["storageLayout"],
        salt=_code(content["create2"]["salt"]),
    )


def _code(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
