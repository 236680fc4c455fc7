"""What the clearing house says: clearings, books, parts, rounds, nonces, and the events of both.

The house stands at the address that follows from its ledger's (``artifact.house_address``), whose code can
be no other's: an empty answer says that no house is there.
"""

from __future__ import annotations

from typing import Any

from billproof.errors import CannotCheckError, NotAnchoredError
from billproof.ledger import abi
from billproof.ledger.artifact import CLEARING_HOUSE, house_address, keccak, load_artifact
from billproof.ledger.calls import decode_result, encode_call
from billproof.ledger.deployments import Deployment
from billproof.ledger.events import logs
from billproof.ledger.house_hashes import clearing_id
from billproof.ledger.house_states import (
    BatchReference,
    ClearingState,
    Deadlines,
    Ending,
    OpenedClearing,
    PartState,
    PartStatus,
    SideState,
    State,
)
from billproof.ledger.reads import code_at, odd_answer, state_call
from billproof.ledger.rpc import Endpoint
from billproof.ledger.states import ForeignCodeError

OPENED = (
    "0x"
    + keccak(
        b"ClearingOpened(bytes32,uint64,uint64,uint32,uint32,uint64,(uint64,uint64,uint64,uint64))"
    ).hex()
)
_REVEALED = "0x" + keccak(b"BookRevealed(bytes32,uint64,(uint32,uint32)[],bytes32)").hex()


class NoClearingHouseError(CannotCheckError):
    """The chain has no clearing house beside this ledger."""


def require_house(endpoint: Endpoint, deployment: Deployment) -> None:
    """Raises NoClearingHouseError or ForeignCodeError unless the house stands beside the ledger."""
    address = house_address(deployment.ledger)
    code = code_at(endpoint, address)
    if not code:
        raise NoClearingHouseError(
            f"there is no clearing house at {address} on {deployment.name}",
            advice="`billproof deploy` puts it beside the ledger; anybody may",
        )
    if not load_artifact(CLEARING_HOUSE).is_code_of(code):
        raise ForeignCodeError(
            f"the contract at {address} is not the clearing house (says {endpoint.name})",
            advice="do not rely on this endpoint; use another with --rpc",
        )


def clearing_state(endpoint: Endpoint, deployment: Deployment, clearing: bytes) -> ClearingState:
    """A clearing.

    Raises:
        NotAnchoredError: the house has none of this id.
    """
    found = _view(endpoint, deployment, "getClearing", clearing)
    (a, b, period, number, left, state, ending, sides, deadlines, one, other) = found
    try:
        read = ClearingState(
            clearing,
            period,
            number,
            left,
            State(state),
            Ending(ending),
            tuple(operator for bit, operator in ((1, a), (2, b)) if sides & bit),
            Deadlines(*deadlines),
            (SideState(a, *one), SideState(b, *other)),
        )
    except ValueError as error:
        raise odd_answer(endpoint, "getClearing", str(error)) from error
    if read.state is State.NONE:
        raise NotAnchoredError(
            f"there is no clearing 0x{clearing.hex()} on {deployment.name}",
            advice="check the id: billproof house list --operator N",
        )
    house = house_address(deployment.ledger)
    if clearing_id(deployment.chain_id, house, a, b, period, number) != clearing:
        raise odd_answer(endpoint, "getClearing", "another clearing")
    return read


def book_of(
    endpoint: Endpoint, deployment: Deployment, clearing: bytes, operator_id: int
) -> tuple[BatchReference, ...]:
    """The batches of a side's book, empty until it is opened."""
    found = _view(endpoint, deployment, "bookOf", clearing, operator_id)
    return tuple(BatchReference(*each) for each in found)


def part_count(endpoint: Endpoint, deployment: Deployment, source: bytes) -> int:
    """How many parts a clearing or a netting has."""
    return int(_view(endpoint, deployment, "partCount", source))


def part_state(endpoint: Endpoint, deployment: Deployment, source: bytes, number: int) -> PartState:
    """Part ``number`` (from 1) of a clearing or a netting; its status is NONE when there is none."""
    found = _view(endpoint, deployment, "getPart", source, number)
    commitment, document, creditor, debtor, agreed_at, ended_at, status = found
    try:
        return PartState(commitment, document, creditor, debtor, agreed_at, ended_at, PartStatus(status))
    except ValueError as error:
        raise odd_answer(endpoint, "getPart", str(error)) from error


def parts_of(endpoint: Endpoint, deployment: Deployment, source: bytes) -> list[PartState]:
    """All parts of a clearing or a netting, the first is number 1."""
    count = part_count(endpoint, deployment, source)
    return [part_state(endpoint, deployment, source, number) for number in range(1, count + 1)]


def rounds_of(endpoint: Endpoint, deployment: Deployment, one: int, other: int, period: int) -> int:
    """How many rounds two operators have opened for a period."""
    return int(_view(endpoint, deployment, "roundsOf", one, other, period))


def nonce_of(endpoint: Endpoint, deployment: Deployment, operator_id: int) -> int:
    """How often an operator has withdrawn its signatures."""
    return int(_view(endpoint, deployment, "nonceOf", operator_id))


def opened_clearings(endpoint: Endpoint, deployment: Deployment, operator_id: int) -> list[OpenedClearing]:
    """The clearings of an operator in the order in which they were opened, from the house's events."""
    word = "0x" + abi.argument_word(operator_id, "operator", 64)
    filters: list[list[str | None]] = [[OPENED, None, word], [OPENED, None, None, word]]
    found = [log for topics in filters for log in _logs(endpoint, deployment, topics)]
    try:
        found.sort(key=lambda log: (int(log["blockNumber"], 16), int(log["logIndex"], 16)))
        return [_opened(log) for log in found]
    except (abi.OddEncoding, KeyError, IndexError, TypeError, ValueError) as error:
        raise odd_answer(endpoint, "eth_getLogs", "no ClearingOpened event") from error


def statements_hash_of(
    endpoint: Endpoint, deployment: Deployment, clearing: bytes, operator_id: int
) -> bytes:
    """The ``statementsHash`` with which a side opened its book.

    Raises:
        NotAnchoredError: it has not.
    """
    word = "0x" + abi.argument_word(operator_id, "operator", 64)
    found = _logs(endpoint, deployment, [_REVEALED, "0x" + clearing.hex(), word])
    if not found:
        raise NotAnchoredError(
            f"operator {operator_id} has not opened its book", advice="look at it: billproof house status"
        )
    try:
        return abi.words(found[0]["data"])[1].to_bytes(32, "big")
    except (abi.OddEncoding, KeyError, IndexError, TypeError) as error:
        raise odd_answer(endpoint, "eth_getLogs", "no BookRevealed event") from error


def _opened(log: Any) -> OpenedClearing:
    topics = [int(topic, 16) for topic in log["topics"]]
    words = abi.words(log["data"], 7)
    return OpenedClearing(
        topics[1].to_bytes(32, "big"),
        (abi.uint(topics[2], 64), abi.uint(topics[3], 64)),
        abi.uint(words[0], 32),
        abi.uint(words[1], 32),
        abi.uint(words[2], 64),
    )


def _logs(endpoint: Endpoint, deployment: Deployment, topics: list[str | None]) -> list[Any]:
    """The house's logs with these topics (None: any)."""
    start = deployment.deployer_block or 0
    found = logs(endpoint, house_address(deployment.ledger), topics, start)
    for log in found:
        given = log.get("topics") if isinstance(log, dict) else None
        if not isinstance(given, list) or len(given) < len(topics):
            raise odd_answer(endpoint, "eth_getLogs", "no event")
        if any(wanted not in (None, had) for wanted, had in zip(topics, given, strict=False)):
            raise odd_answer(endpoint, "eth_getLogs", "events that were not asked for")
    return found


def _view(endpoint: Endpoint, deployment: Deployment, name: str, *arguments: Any) -> Any:
    data = "0x" + encode_call(name, arguments, CLEARING_HOUSE).hex()
    call = {"to": house_address(deployment.ledger), "data": data}
    answer = state_call(endpoint, "eth_call", [call, "latest"], "latest")
    if answer == "0x":
        require_house(endpoint, deployment)
        raise odd_answer(endpoint, name, "an empty answer from the house's own code")
    return decode_result(name, answer, CLEARING_HOUSE)
