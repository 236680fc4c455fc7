"""The contracts' custom errors, in words, with what to do."""

from __future__ import annotations

from functools import cache
from typing import Any

from billproof.errors import LedgerError
from billproof.ledger.artifact import LEDGER, TARIFF_BOOK, keccak, load_artifact
from billproof.ledger.rpc import RpcError, printable

_BATCH = "batch {3} of operator {0}, period {1}, region {2}"
_SAYINGS = {
    "UnknownOperator": ("no operator {0} is registered", "check the number; billproof operator register"),
    "EmptyName": ("an operator needs a name", "give --name"),
    "NotAdmin": ("{1} is not the admin of operator {0}", "use the admin's keystore"),
    "NotPendingAdmin": (
        "the admin role of operator {0} was not offered to {1}",
        "the current admin transfers it first",
    ),
    "NotAnchorer": (
        "{1} may not anchor for operator {0}",
        "let the admin grant the right: billproof operator grant",
    ),
    "ZeroAddress": ("the zero address cannot hold this right", "give a real address"),
    "InvalidPeriod": ("{0} is not a period", "write it YYYYMM"),
    "FuturePeriod": ("period {0} has not begun", "anchor it once it has"),
    "PeriodSealed": (
        "period {1} of operator {0} is sealed",
        "only amendments of its batches can be anchored now",
    ),
    "SequenceTaken": (
        _BATCH + " is anchored already",
        "rebuild the batch with the next sequence",
    ),
    "SequenceGap": (_BATCH + " comes too early", "anchor the sequence before it first"),
    "ZeroRoot": ("the root is zero", "build the batch again"),
    "UnknownBatch": ("there is no " + _BATCH, "check operator, period, region and sequence"),
    "EmptySet": ("there is nothing to anchor", "name at least one batch"),
    "SignatureExpired": (
        "the signature was valid until {0} (UTC seconds)",
        "sign again with a later deadline",
    ),
    "InvalidSignature": (
        "the signature is not that of {0} for this batch and nonce",
        "sign again; a signature counts once, and not after a revocation",
    ),
    "HeadMismatch": (
        "the operator's head is {0} by now: something was anchored in between",
        "look at the new batches (billproof status), then seal again",
    ),
    "BatchCountMismatch": (
        "the period holds {0} batches, not as many as expected",
        "look at its batches (billproof status), then seal again",
    ),
    "AlreadyFlagged": ("the batch {0} is flagged already", "nothing to do"),
    "NoRingFault": ("the two entries show no ring fault", "check the entries and their proofs"),
}
_BOOK_SAYINGS = {
    "NotPublisher": (
        "{1} may not publish for operator {0}",
        "an anchorer or the admin publishes: billproof operator grant",
    ),
    "NotAdmin": ("{1} is not the admin of operator {0}", "use the admin's keystore"),
    "ZeroHash": ("a hash of zero stands for no tariff", "name the tariff's file"),
    "EmptyValidity": ("the validity ends before it begins", "correct `valid` in the tariff's file"),
    "AlreadyPublished": (
        "operator {0} has published {1} before, and that stays",
        "look at it: billproof tariff published; other terms need a file with another version",
    ),
    "NotPublished": ("operator {0} never published {1}", "check the operator and the file"),
    "AlreadyWithdrawn": ("it is withdrawn already, from {2} (UTC seconds) on", "nothing to do"),
    "WithdrawalInThePast": (
        "{0} (UTC seconds) is in the past for the block that takes it",
        "withdraw from some minutes ahead",
    ),
    "NoSuchIndex": ("operator {0} has published fewer versions than {1}", "count from 0"),
    "SignatureExpired": _SAYINGS["SignatureExpired"],
    "InvalidSignature": (
        "the signature is not that of {0} for this tariff and the ledger's nonce",
        "sign again; a signature counts until the key anchors by one, or is revoked",
    ),
}
_STANDARD = {
    "InvalidAccountNonce": ("the nonce of {0} is {1} by now", "sign again with the current nonce"),
    "Error": ("{0}", ""),
    "Panic": ("the contract stopped with panic code {0}", "please report this"),
}


class RevertError(LedgerError):
    """The contract refused. ``name`` is its custom error, ``arguments`` what it said (bytes as 0x-hex)."""

    def __init__(self, message: str, *, advice: str, name: str, arguments: tuple[Any, ...]) -> None:
        super().__init__(message, advice=advice)
        self.name = name
        self.arguments = arguments


def revert_data(error: RpcError) -> bytes | None:
    """What the contract returned with a revert; nodes carry it in different places. None: no revert."""
    data = error.data
    for _ in range(3):
        if isinstance(data, dict):
            inner = data.get("data", data.get("result"))
            if inner is None:  # ganache 2 and Hardhat: one entry per transaction hash
                inner = next((v for v in data.values() if isinstance(v, dict)), None)
            data = inner
    if isinstance(data, str):
        text = data.removeprefix("Reverted ").removeprefix("0x")
        try:
            return bytes.fromhex(text)
        except ValueError:
            return None
    return b"" if error.code == 3 or "revert" in error.rpc_message.lower() else None


def in_words(data: bytes) -> RevertError:
    """The error for a contract's revert data."""
    name, arguments = decode(data)
    who, sayings = ("tariff book", _BOOK_SAYINGS) if name.startswith(TARIFF_BOOK) else ("ledger", _SAYINGS)
    short = name.removeprefix(LEDGER).removeprefix(TARIFF_BOOK)
    saying, advice = sayings.get(short, _STANDARD.get(name, ("", "")))
    if saying:
        message = saying.format(*arguments)
    elif name:
        message = f"the contract refused: {name}{arguments}"
    else:
        message = "the contract refused without saying why" + (f" (0x{data[:36].hex()})" if data else "")
        advice = "check that billproof and the deployment fit together"
    return RevertError(
        f"the {who} refused: {printable(message)}", advice=advice, name=name, arguments=arguments
    )


def decode(data: bytes) -> tuple[str, tuple[Any, ...]]:
    """Name and arguments of a custom error; the name is empty when it is not one of the contracts'."""
    from eth_abi.abi import decode as decode_abi
    from eth_abi.exceptions import DecodingError

    name, types = _errors().get(data[:4], ("", []))
    if not name:
        return "", ()
    try:
        values = decode_abi(types, data[4:])
    except (DecodingError, ValueError, OverflowError):
        return name, ("?",) * len(types)
    return name, tuple("0x" + v.hex() if isinstance(v, bytes) else v for v in values)


@cache
def _errors() -> dict[bytes, tuple[str, list[str]]]:
    table = {}
    builtin = [("Error", ["string"]), ("Panic", ["uint256"])]
    own = [
        (entry["name"], [argument["type"] for argument in entry["inputs"]])
        for contract in (LEDGER, TARIFF_BOOK)
        for entry in load_artifact(contract).abi
        if entry["type"] == "error"
    ]
    for name, types in builtin + own:
        table[keccak(f"{name}({','.join(types)})".encode())[:4]] = (name, types)
    return table
