"""Calls of the shipped contracts by their ABI: encoding of structs given as mappings, decoding of answers.

eth_abi is the codec that web3 uses; using it directly spares loading web3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, is_dataclass
from enum import IntEnum
from functools import cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError

from billproof.errors import CannotCheckError, InputError
from billproof.ledger.artifact import LEDGER, keccak, load_artifact


class Reason(IntEnum):
    """Why the ledger's verification failed; the order is that of the contract."""

    OK = 0
    NOT_ANCHORED = 1
    EMPTY_SET = 2
    INDEX_OUT_OF_RANGE = 3
    RECORD_PROOF_LENGTH = 4
    ENTRY_PROOF_LENGTH = 5
    ROOT_MISMATCH = 6
    NOT_ABSENT = 7
    RING_FAULT = 8

    @property
    def words(self) -> str:
        """For people."""
        return _REASONS[self]


_REASONS = {
    Reason.OK: "proved",
    Reason.NOT_ANCHORED: "the ledger has no such batch",
    Reason.EMPTY_SET: "there is nothing to prove",
    Reason.INDEX_OUT_OF_RANGE: "the record's index is outside the statement",
    Reason.RECORD_PROOF_LENGTH: "the record's proof has the wrong length",
    Reason.ENTRY_PROOF_LENGTH: "the statement's proof is too long",
    Reason.ROOT_MISMATCH: "the root that follows from it is not the anchored one",
    Reason.NOT_ABSENT: "the entry does not show that the account is absent",
    Reason.RING_FAULT: "the batch is flagged for duplicate accounts: its absences prove nothing",
}


def encode_call(name: str, arguments: Sequence[Any], contract: str = LEDGER) -> bytes:
    """The data of a call of a contract's function. A struct is a mapping with the ABI's names, a dataclass in
    the ABI's order, or a sequence.

    Raises:
        InputError: a value does not fit its type.
    """
    abi = _function(name, contract)
    types = [_type(parameter) for parameter in abi["inputs"]]
    selector = keccak(f"{name}({','.join(types)})".encode())[:4]
    try:
        values = [_value(p, a) for p, a in zip(abi["inputs"], arguments, strict=True)]
        return selector + encode(types, values)
    except (EncodingError, KeyError, ValueError, TypeError, OverflowError) as error:
        raise InputError(f"{name} cannot be called with these values: {type(error).__name__}") from error


def decode_result(name: str, answer: Any, contract: str = LEDGER) -> Any:
    """The answer of a view: one value, or a tuple.

    Raises:
        CannotCheckError: it is not an answer of this function.
    """
    types = [_type(parameter) for parameter in _function(name, contract)["outputs"]]
    try:
        raw = bytes.fromhex(answer[2:]) if isinstance(answer, str) else bytes(memoryview(answer))
        values = decode(types, raw)
    except (DecodingError, ValueError, TypeError, OverflowError) as error:
        raise CannotCheckError(
            f"the answer to {name} is not one of the contract's", advice="use another endpoint with --rpc"
        ) from error
    return values[0] if len(values) == 1 else values


def decode_reason(name: str, answer: Any) -> Reason:
    """The answer of a ``verify…`` view."""
    try:
        return Reason(decode_result(name, answer))
    except ValueError as error:
        raise CannotCheckError(
            f"the answer to {name} is no reason code that this version knows", advice="update billproof"
        ) from error


@cache
def _function(name: str, contract: str) -> dict[str, Any]:
    for entry in load_artifact(contract).abi:
        if entry["type"] == "function" and entry["name"] == name:
            return entry
    raise KeyError(name)


def _type(parameter: Mapping[str, Any]) -> str:
    kind = str(parameter["type"])
    if kind.startswith("tuple"):
        return "(" + ",".join(_type(part) for part in parameter["components"]) + ")" + kind[5:]
    return kind


def _value(parameter: Mapping[str, Any], argument: Any) -> Any:
    kind = str(parameter["type"])
    if kind.endswith("[]"):
        element = {**parameter, "type": kind[:-2]}
        return [_value(element, entry) for entry in argument]
    if kind != "tuple":
        return argument
    parts = parameter["components"]
    if isinstance(argument, Mapping):
        if set(argument) != {part["name"] for part in parts}:
            raise ValueError("fields")
        argument = [argument[part["name"]] for part in parts]
    elif is_dataclass(argument) and not isinstance(argument, type):
        argument = astuple(argument)
    return tuple(_value(part, entry) for part, entry in zip(parts, argument, strict=True))
