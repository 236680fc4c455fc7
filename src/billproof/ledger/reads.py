"""What the ledger says, by plain JSON-RPC: the root of a batch, an operator, a period, the events.

Each way in which a node can be the wrong one to ask has an error of its own, with what to do about it.
"""

from __future__ import annotations

import re
from typing import Any

from billproof.errors import InputError, NotAnchoredError
from billproof.ledger import abi
from billproof.ledger.artifact import load_artifact
from billproof.ledger.deployments import Deployment
from billproof.ledger.rpc import Endpoint, RpcError, printable
from billproof.ledger.states import (
    BatchKey,
    BatchState,
    BlockRef,
    FinalityUnsupportedError,
    ForeignCodeError,
    NoLedgerError,
    OddAnswerError,
    OperatorState,
    PeriodState,
    PrunedStateError,
    WrongChainError,
)

_PRUNED = re.compile(
    r"missing trie node|state.{0,40}(not available|unavailable|pruned)|historical state|pruned|archive", re.I
)
_UNKNOWN_BLOCK = re.compile(
    r"(header|block)( with.{0,20})? not found|unknown block|no block|BlockOutOfRange", re.I
)


def chain_id(endpoint: Endpoint) -> int:
    """The chain the node serves."""
    return quantity(endpoint, endpoint.request("eth_chainId", []), 64)


def require_chain(endpoint: Endpoint, deployment: Deployment) -> None:
    """Raises WrongChainError unless the node serves the deployment's chain."""
    found = chain_id(endpoint)
    if found != deployment.chain_id:
        raise WrongChainError(
            f"{endpoint.name} serves chain {found}, not {deployment.chain_id} ({deployment.name})",
            advice=f"give an endpoint of {deployment.name} with --rpc",
        )


def ledger_code_present(endpoint: Endpoint, deployment: Deployment, block: str = "latest") -> bool:
    """Whether our ledger's code is at its address; False when there is no contract.

    Raises:
        ForeignCodeError: another contract is there.
    """
    code = code_at(endpoint, deployment.ledger, block)
    if not code:
        return False
    if not load_artifact().is_code_of(code):
        raise ForeignCodeError(
            f"the contract at {deployment.ledger} on {deployment.name} is not the Billproof ledger"
            f" (says {endpoint.name})",
            advice="do not trust this deployment; check where its address came from, or update billproof",
        )
    return True


def code_at(endpoint: Endpoint, address: str, block: str = "latest") -> bytes:
    """The code at an address; empty where there is no contract."""
    answer = state_call(endpoint, "eth_getCode", [address, block], block)
    try:
        code = bytes.fromhex(answer[2:]) if isinstance(answer, str) and answer[:2] == "0x" else None
    except ValueError:
        code = None
    if code is None:
        raise odd_answer(endpoint, "eth_getCode", "no hexadecimal string")
    return code


def require_ledger(endpoint: Endpoint, deployment: Deployment, block: str = "latest") -> None:
    """Raises NoLedgerError or ForeignCodeError unless our ledger is there at that block."""
    if not ledger_code_present(endpoint, deployment, block):
        raise NoLedgerError(
            f"there is no contract at {deployment.ledger} on {deployment.name} (says {endpoint.name},"
            f" block {_shown(block)})",
            advice="check --deployment; on a development chain, deploy first: billproof deploy",
        )


def batch_state(
    endpoint: Endpoint, deployment: Deployment, key: BatchKey, block: str = "latest"
) -> BatchState:
    """The stored batch, all zero when there is none. ``block``: a tag or 0x-hex number."""
    data = abi.call_data(abi.GET_BATCH, key.operator_id, key.period, key.region, key.sequence)
    answer = _view(endpoint, deployment, data, block)
    try:
        w = abi.words(answer, 6)
        state = BatchState(
            w[0].to_bytes(32, "big"),
            abi.moment(w[1]),
            abi.uint(w[2], 64),
            abi.uint(w[3], 32),
            abi.flag(w[4]),
            abi.flag(w[5]),
        )
    except abi.OddEncoding as error:
        raise odd_answer(endpoint, "getBatch", str(error)) from error
    if not state.exists and any(w):
        raise odd_answer(endpoint, "getBatch", "a batch without a root")
    return state


def operator_count(endpoint: Endpoint, deployment: Deployment, block: str = "latest") -> int:
    """How many operators are registered; their numbers are 1 to this."""
    answer = _view(endpoint, deployment, abi.OPERATOR_COUNT, block)
    try:
        return abi.uint(abi.words(answer, 1)[0], 64)
    except abi.OddEncoding as error:
        raise odd_answer(endpoint, "operatorCount", str(error)) from error


def operator(
    endpoint: Endpoint,
    deployment: Deployment,
    operator_id: int,
    block: str = "latest",
    *,
    text_limit: int = 4096,
) -> OperatorState:
    """A registered operator; its texts are cut after ``text_limit`` bytes.

    Raises:
        NotAnchoredError: no operator has this number.
    """
    try:
        answer = _view(endpoint, deployment, abi.call_data(abi.GET_OPERATOR, operator_id), block)
    except RpcError as error:
        # Some nodes give no revert data; being out of the numbers says the same.
        if not 1 <= operator_id <= operator_count(endpoint, deployment, block):
            raise _unknown_operator(operator_id, deployment) from error
        raise
    try:
        w = abi.words(answer)
        if len(w) < 7 or w[0] != 32:
            raise odd_answer(endpoint, "getOperator", "too short")
        heap = w[1:]
        found = OperatorState(
            operator_id,
            f"0x{abi.uint(heap[0], 160):040x}",
            f"0x{abi.uint(heap[1], 160):040x}",
            heap[2].to_bytes(32, "big"),
            abi.text(heap, heap[3], text_limit),
            abi.text(heap, heap[4], text_limit),
            abi.text(heap, heap[5], text_limit),
        )
    except abi.OddEncoding as error:
        raise odd_answer(endpoint, "getOperator", str(error)) from error
    if int(found.admin, 16) == 0:
        raise _unknown_operator(operator_id, deployment)
    return found


def is_anchorer(
    endpoint: Endpoint, deployment: Deployment, operator_id: int, address: str, block: str = "latest"
) -> bool:
    """Whether the address may anchor for the operator."""
    if not re.fullmatch("0x[0-9a-fA-F]{40}", address):
        raise InputError(f"{address[:60]!r} is not an address", advice="an address is 0x and 40 hex digits")
    data = abi.call_data(abi.IS_ANCHORER, operator_id, int(address, 16))
    try:
        return abi.flag(abi.words(_view(endpoint, deployment, data, block), 1)[0])
    except abi.OddEncoding as error:
        raise odd_answer(endpoint, "isAnchorer", str(error)) from error


def period_state(
    endpoint: Endpoint, deployment: Deployment, operator_id: int, period: int, block: str = "latest"
) -> PeriodState:
    """A billing period of an operator."""
    answer = _view(endpoint, deployment, abi.call_data(abi.GET_PERIOD, operator_id, period), block)
    try:
        w = abi.words(answer, 3)
        return PeriodState(abi.uint(w[0], 32), abi.uint(w[1], 32), abi.moment(w[2]))
    except abi.OddEncoding as error:
        raise odd_answer(endpoint, "getPeriod", str(error)) from error


def block_ref(endpoint: Endpoint, block: str) -> BlockRef | None:
    """A block by tag or 0x-hex number; None when the node has none."""
    answer = endpoint.request("eth_getBlockByNumber", [block, False])
    if answer is None:
        return None
    if not isinstance(answer, dict) or not re.fullmatch(r"0x[0-9a-f]{64}", str(answer.get("hash"))):
        raise odd_answer(endpoint, "eth_getBlockByNumber", "no block")
    time = quantity(endpoint, answer.get("timestamp"))
    if time >= abi.END_OF_TIME:
        raise odd_answer(endpoint, "eth_getBlockByNumber", "a time after the year 9999")
    return BlockRef(quantity(endpoint, answer.get("number"), 64), answer["hash"], time)


def final_block(endpoint: Endpoint, deployment: Deployment) -> BlockRef:
    """The newest block that counts as final by the deployment's rule.

    Raises:
        FinalityUnsupportedError: the node does not know the ``finalized`` tag.
    """
    if deployment.confirmations is None:
        why = ""
        try:
            found = block_ref(endpoint, "finalized")
        except RpcError as error:
            found, why = None, f": {printable(error.rpc_message, 80)}"
        if found is None:
            raise FinalityUnsupportedError(
                f"{endpoint.name} cannot say which block is final{why}",
                advice="give another endpoint with --rpc, or confirmations in a deployment file",
            )
        return found
    newest = block_ref(endpoint, "latest")
    if newest is not None and deployment.confirmations:
        newest = block_ref(endpoint, hex(max(0, newest.number - deployment.confirmations)))
    if newest is None:
        raise odd_answer(endpoint, "eth_getBlockByNumber", "no newest block")
    return newest


def _view(endpoint: Endpoint, deployment: Deployment, data: str, block: str) -> Any:
    answer = state_call(endpoint, "eth_call", [{"to": deployment.ledger, "data": data}, block], block)
    if answer == "0x":
        require_chain(endpoint, deployment)
        require_ledger(endpoint, deployment, block)
        raise odd_answer(endpoint, "eth_call", "an empty answer from the ledger's own code")
    return answer


def state_call(endpoint: Endpoint, method: str, params: list[Any], block: str) -> Any:
    """The answer to a question about the state at a block, which is the last of ``params``.

    Raises:
        PrunedStateError: the node has not got that state.
    """
    try:
        return endpoint.request(method, params)
    except RpcError as error:
        if _PRUNED.search(error.rpc_message) or _UNKNOWN_BLOCK.search(error.rpc_message):
            raise PrunedStateError(
                f"{endpoint.name} lacks the state of block {_shown(block)}:"
                f" {printable(error.rpc_message, 120)}",
                advice="it is pruned or catching up: use another endpoint, or an archive node, with --rpc",
            ) from error
        raise


def quantity(endpoint: Endpoint, value: Any, bits: int = 256) -> int:
    """A number of JSON-RPC: hexadecimal with 0x, of at most ``bits`` bits."""
    if isinstance(value, str) and re.fullmatch(r"0x[0-9a-f]{1,64}", value):
        number = int(value, 16)
        if number >> bits:
            raise odd_answer(endpoint, "a number", f"larger than {bits} bits")
        return number
    raise odd_answer(endpoint, "a number", "no hexadecimal quantity")


def hash32(endpoint: Endpoint, value: Any) -> str:
    """A hash of JSON-RPC: 0x and 64 hexadecimal digits."""
    if isinstance(value, str) and re.fullmatch(r"0x[0-9a-f]{64}", value):
        return value
    raise odd_answer(endpoint, "a hash", "not 32 bytes in hexadecimal")


def _shown(block: str) -> str:
    return str(int(block, 16)) if block.startswith("0x") else block


def odd_answer(endpoint: Endpoint, asked: str, why: str) -> OddAnswerError:
    """The error of an endpoint whose answer the ledger cannot have given."""
    return OddAnswerError(
        f"{endpoint.name} gave an impossible answer to {asked}: {why}",
        advice="do not rely on this endpoint; use another with --rpc",
    )


def _unknown_operator(operator_id: int, deployment: Deployment) -> NotAnchoredError:
    return NotAnchoredError(
        f"no operator {operator_id} is registered on {deployment.name}", advice="check the operator's number"
    )
