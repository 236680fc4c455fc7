"""The compiled contracts that ship inside the package, and the addresses that follow from them."""

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
    """A shipped contract. ``immutables`` are (start, length) byte ranges that the constructor fills in."""

    abi: list[dict[str, Any]]
    bytecode: bytes
    deployed_bytecode: bytes
    immutables: tuple[tuple[int, int], ...]
    storage_layout: list[dict[str, Any]]
    salt: bytes

    @property
    def address(self) -> str:
        """Where the deployer puts it, the same on every chain (EIP-1014); lower-case."""
        return self.address_with(b"")

    def address_with(self, arguments: bytes) -> str:
        """The same for a constructor that takes ``arguments``, encoded: they are part of the init code."""
        deployer = bytes.fromhex(CREATE2_DEPLOYER[2:])
        return "0x" + keccak(b"\xff" + deployer + self.salt + keccak(self.bytecode + arguments))[12:].hex()

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


LEDGER, TARIFF_BOOK, CLEARING_HOUSE = "BillingLedger", "TariffBook", "ClearingHouse"
"""The shipped contracts."""


def book_arguments(ledger: str) -> bytes:
    """What the constructors of tariff book and clearing house take: their ledger, for ever."""
    return bytes(12) + bytes.fromhex(ledger[2:])


def book_address(ledger: str) -> str:
    """Where the tariff book of a ledger is, the same on every chain; lower-case. Its init code holds the
    ledger's address, so that whatever code is there is that of this ledger's book."""
    return load_artifact(TARIFF_BOOK).address_with(book_arguments(ledger))


def house_address(ledger: str) -> str:
    """Where the clearing house of a ledger is, by the same rule."""
    return load_artifact(CLEARING_HOUSE).address_with(book_arguments(ledger))


@cache
def load_artifact(contract: str = LEDGER) -> Artifact:
    """A shipped contract.

    Raises:
        BillproofError: the installation lacks it.
    """
    file = resources.files("billproof.ledger") / "artifacts" / f"{contract}.json"
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise BillproofError(
            f"the compiled contract {contract} is missing from this installation",
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
