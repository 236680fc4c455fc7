"""What the tariff book says, by plain JSON-RPC: a version, how many there are, the list of an operator's.

The book stands at the address that follows from its ledger's (``artifact.book_address``), whose code can be
no other's: an empty answer says that no book is there.
"""

from __future__ import annotations

from collections.abc import Iterator

from billproof.errors import CannotCheckError
from billproof.ledger import abi
from billproof.ledger.artifact import book_address
from billproof.ledger.deployments import Deployment
from billproof.ledger.reads import odd_answer, state_call
from billproof.ledger.rpc import Endpoint
from billproof.ledger.states import TariffState


class NoTariffBookError(CannotCheckError):
    """The chain has no tariff book beside this ledger."""


def tariff_state(
    endpoint: Endpoint, deployment: Deployment, operator_id: int, tariff: bytes, block: str = "latest"
) -> TariffState | None:
    """An operator's version by the tariff's hash, all zero when it was never published. None: the ledger has
    no book on this chain. ``block``: a tag or 0x-hex number."""
    data = abi.call_data(abi.TARIFF_OF, operator_id, int.from_bytes(tariff, "big"))
    found = _words(endpoint, deployment, data, block, "tariffOf", 4)
    return None if found is None else _state(endpoint, found, "tariffOf")


def published(
    endpoint: Endpoint, deployment: Deployment, operator_id: int, block: str = "latest"
) -> Iterator[tuple[bytes, TariffState]]:
    """An operator's versions in the order of their publication, each with the tariff's hash.

    Raises:
        NoTariffBookError: the ledger has no book on this chain.
    """
    count = _words(
        endpoint, deployment, abi.call_data(abi.TARIFF_COUNT, operator_id), block, "tariffCount", 1
    )
    if count is None:
        raise no_book(deployment)
    for index in range(count[0]):
        data = abi.call_data(abi.TARIFF_AT, operator_id, index)
        found = _words(endpoint, deployment, data, block, "tariffAt", 5)
        if found is None:
            raise odd_answer(endpoint, "tariffAt", "an empty answer from a book that counted")
        yield found[0].to_bytes(32, "big"), _state(endpoint, found[1:], "tariffAt")


def no_book(deployment: Deployment) -> NoTariffBookError:
    """The error of a chain without a book."""
    return NoTariffBookError(
        f"there is no tariff book at {book_address(deployment.ledger)} on {deployment.name}",
        advice="`billproof deploy` puts it beside the ledger; anybody may",
    )


def _words(
    endpoint: Endpoint, deployment: Deployment, data: str, block: str, asked: str, count: int
) -> list[int] | None:
    call = {"to": book_address(deployment.ledger), "data": data}
    answer = state_call(endpoint, "eth_call", [call, block], block)
    if answer == "0x":
        return None
    try:
        return abi.words(answer, count)
    except abi.OddEncoding as error:
        raise odd_answer(endpoint, asked, str(error)) from error


def _state(endpoint: Endpoint, words: list[int], asked: str) -> TariffState:
    try:
        state = TariffState(abi.moment(words[0]), *(abi.uint(word, 64) for word in words[1:]))
    except abi.OddEncoding as error:
        raise odd_answer(endpoint, asked, str(error)) from error
    if not state.exists and any(words):
        raise odd_answer(endpoint, asked, "a version without a time of publication")
    return state
