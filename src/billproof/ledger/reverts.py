"""The contracts' custom errors, in words, with what to do."""

from __future__ import annotations

from functools import cache
from typing import Any

from billproof.errors import LedgerError
from billproof.ledger.artifact import CLEARING_HOUSE, LEDGER, TARIFF_BOOK, keccak, load_artifact
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
_STATES = ("not there", "in commitment", "in opening", "in agreement", "in settlement", "settled", "closed")
_STATUS = "look at it: billproof house status"
_HOUSE_SAYINGS = {
    "NotOperator": (
        "{1} is neither an anchorer nor the admin of operator {0}",
        "use a keystore of that operator: the admin grants the right (billproof operator grant)",
    ),
    "NotAdmin": ("{1} is not the admin of operator {0}", "use the admin's keystore"),
    "NotParty": ("operator {1} is no side of the clearing {0}", _STATUS),
    "NoPartner": (
        "operator {0} cannot clear with operator {1}",
        "name another operator that the ledger knows",
    ),
    "InvalidPeriod": ("{0} is not a period", "write it YYYYMM"),
    "Deadlines": (
        "each state needs a day at least, all of them together 730 at most",
        "give later, or earlier, deadlines",
    ),
    "RoundOpen": ("the round before, {0}, has not ended", "go on with that one, or end it: billproof house"),
    "WrongState": ("the clearing {0} is {1}", _STATUS),
    "TooLate": ("the deadline, {0} (UTC seconds), has passed", "close it: billproof house close"),
    "TooEarly": ("the deadline, {0} (UTC seconds), has not passed", "wait, or refuse: billproof house"),
    "ZeroHash": ("a hash is zero", "make the file again"),
    "AlreadyDone": ("operator {1} has done this already", _STATUS),
    "WrongOpening": ("what is shown is not what was committed to", "use the file as it was written"),
    "BatchOrder": ("a book has 1 to 32 batches, each once, in order", "commit to fewer batches"),
    "BatchDoesNotStand": (
        "batch {2} of region {1} of operator {0} is not there, was repudiated, or was not anchored before the"
        " side committed",
        "a book that cannot be opened stays closed: refuse, and open the next round",
    ),
    "NothingRepudiated": ("every batch of the opened books stands", _STATUS),
    "PartNumber": ("the next part is number {0}", "propose it again: billproof house propose"),
    "NoAmendment": ("the amendment named is not one of either side that stands", "name its batch, or none"),
    "InvalidSignature": (
        "it is not signed by the admin of operator {0} as it stands",
        "sign again; a signature ends when it is withdrawn or the admin changes",
    ),
    "NotOwed": ("part {1} of {0} was never agreed, or has ended", _STATUS),
    "NotPayable": ("the part names no token to pay in", "pay it elsewhere; the creditor confirms"),
    "InexactPayment": (
        "the payee would not get exactly the amount",
        "this token cannot pay a part: pay it elsewhere; the creditor confirms",
    ),
    "NettingShape": ("the netting's operators and signatures do not fit", "propose it again"),
    "NotInRing": ("operator {0} is not among those who sign the netting", "propose it again"),
}
_OF = {
    LEDGER: ("ledger", _SAYINGS),
    TARIFF_BOOK: ("tariff book", _BOOK_SAYINGS),
    CLEARING_HOUSE: ("clearing house", _HOUSE_SAYINGS),
}
_STANDARD = {
    "ReentrancyGuardReentrantCall": ("the token calls the house back", "this token cannot pay a part"),
    "SafeERC20FailedOperation": (
        "the token {0} did not move the amount",
        "check the balance and what the token says",
    ),
    "ERC20InsufficientBalance": ("the token holds {1} of {0}, {2} are needed", "send it some of the token"),
    "ERC20InsufficientAllowance": ("the token lets {0} move {1}, {2} are needed", "run the command again"),
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
    contract = next((each for each in _OF if name.startswith(each)), LEDGER)
    who, sayings = _OF[contract]
    saying, advice = sayings.get(name.removeprefix(contract), _STANDARD.get(name, ("", "")))
    if saying:
        message = saying.format(*_spoken(name, arguments))
    elif name:
        message = f"the contract refused: {name}{arguments}"
    else:
        message = "the contract refused without saying why" + (f" (0x{data[:36].hex()})" if data else "")
        advice = "check that billproof and the deployment fit together"
    return RevertError(
        f"the {who} refused: {printable(message)}", advice=advice, name=name, arguments=arguments
    )


def _spoken(name: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments with a clearing's state as a word."""
    if name == "ClearingHouseWrongState" and arguments[1] in range(len(_STATES)):
        return arguments[0], _STATES[arguments[1]]
    return arguments


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
    builtin = [
        ("Error", ["string"]),
        ("Panic", ["uint256"]),
        ("ERC20InsufficientBalance", ["address", "uint256", "uint256"]),
        ("ERC20InsufficientAllowance", ["address", "uint256", "uint256"]),
    ]
    own = [
        (entry["name"], [argument["type"] for argument in entry["inputs"]])
        for contract in _OF
        for entry in load_artifact(contract).abi
        if entry["type"] == "error"
    ]
    for name, types in builtin + own:
        table[keccak(f"{name}({','.join(types)})".encode())[:4]] = (name, types)
    return table
