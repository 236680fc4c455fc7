"""``/rpc``: the questions that a verifier asks about the ledger, passed on to the operator's node.

An allow-list by method and parameters, not a filter: what is not known here is refused, so nothing is sent,
traced or asked of other contracts. Answers are the operator's word, which its header says.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from billproof.errors import BillproofError
from billproof.ledger.artifact import book_address
from billproof.ledger.rpc import Endpoint, RpcError
from billproof.ledger.safe_json import loads
from billproof.portal.http import BodyError, body_of, client_of, too_many
from billproof.portal.limits import Buckets
from billproof.portal.metrics import Metrics
from billproof.portal.settings import Limits
from billproof.printable import printable

HEADERS = {
    "X-Billproof-Relay": "operator",
    "Cache-Control": "no-store",
    # Any page may ask, one opened from disk above all: these are public reads, and nobody's cookies count.
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "X-Billproof-Relay",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
PREFLIGHT = {
    **HEADERS,
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}

_PARSE, _REQUEST, _METHOD, _PARAMS, _SERVER, _LIMITED = -32700, -32600, -32601, -32602, -32000, -32005
#: What a request may be numbered with: it is sent back.
_NUMBER = re.compile(r"[ -~]{0,100}")
_HEX = re.compile(r"0x([0-9a-fA-F]{2})*")
_SLOT = re.compile(r"0x[0-9a-fA-F]{1,64}")
_BLOCK = re.compile(r"latest|finalized|safe|earliest|0x(0|[1-9a-f][0-9a-f]{0,15})")


class _Refused(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Relay:
    """Answers JSON-RPC requests about one ledger and its tariff book from one node."""

    def __init__(
        self, endpoint: Endpoint, ledger: str, limits: Limits, buckets: Buckets, metrics: Metrics
    ) -> None:
        self._endpoint, self._contracts = endpoint, {ledger, book_address(ledger)}
        self._limits, self._buckets, self._metrics = limits, buckets, metrics
        self._methods: dict[str, Callable[[list[Any]], list[Any]]] = {
            "eth_chainId": _nothing,
            "eth_blockNumber": _nothing,
            "eth_call": self._call,
            "eth_getBlockByNumber": _header,
            "eth_getCode": self._code,
            "eth_getStorageAt": self._storage,
            "eth_getProof": self._proof,
        }

    async def answer(self, request: Request) -> Response:
        """The response to a POST of one request or a batch."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":  # no form of another site asks by accident
            return _failure(415, _REQUEST, "send application/json")
        try:
            message = loads(await body_of(request, self._limits.body, self._limits.seconds))
        except BodyError as error:
            return _failure(error.status, _REQUEST, str(error))
        except ValueError:
            return _failure(400, _PARSE, "not JSON")
        calls = message if isinstance(message, list) else [message]
        if not calls or len(calls) > self._limits.batch:
            return _failure(400, _REQUEST, f"a batch has 1 to {self._limits.batch} requests")
        wait = self._buckets.take(client_of(request), len(calls))
        if wait:
            self._metrics.relayed.labels("any", "limited").inc(len(calls))
            return too_many(wait, _error(None, _LIMITED, "too many requests"), HEADERS)
        answers = [await run_in_threadpool(self._one, call) for call in calls]
        content = answers if isinstance(message, list) else answers[0]
        return JSONResponse(content, headers=HEADERS)

    def _one(self, call: Any) -> dict[str, Any]:
        number = call.get("id") if isinstance(call, dict) else None
        number = number if isinstance(number, str | int) and _NUMBER.fullmatch(str(number)) else None
        name = "refused"
        try:
            method, params = self._checked(call)
            name = method
            result = self._endpoint.request(method, params)
        except _Refused as error:
            outcome, answer = "refused", _error(number, error.code, error.message)
        except RpcError as error:
            outcome, answer = "error", _error(number, error.code, printable(error.rpc_message))
            if isinstance(error.data, str) and _HEX.fullmatch(error.data):
                answer["error"]["data"] = error.data[: self._limits.body]
        except BillproofError:
            outcome, answer = "dead", _error(number, _SERVER, "the operator's node does not answer")
        else:
            outcome, answer = "answered", {"jsonrpc": "2.0", "id": number, "result": result}
        self._metrics.relayed.labels(name, outcome).inc()
        return answer

    def _checked(self, call: Any) -> tuple[str, list[Any]]:
        if (
            not isinstance(call, dict)
            or call.get("jsonrpc") != "2.0"
            or not isinstance(call.get("method"), str)
        ):
            raise _Refused(_REQUEST, "not a JSON-RPC 2.0 request")
        method, params = call["method"], call.get("params", [])
        if method not in self._methods:
            raise _Refused(_METHOD, "this relay only reads the Billproof ledger")
        if not isinstance(params, list):
            raise _Refused(_PARAMS, "parameters are a list")
        return method, self._methods[method](params)

    # --- parameters, each method's own --------------------------------------------------------------

    def _call(self, params: list[Any]) -> list[Any]:
        call, block = _two(params)
        if not isinstance(call, dict) or not set(call) <= {"to", "data", "input"}:
            raise _Refused(_PARAMS, "a call has `to` and `data`, nothing else")
        data = call.get("data", call.get("input"))
        if call.get("input", data) != data or not isinstance(data, str) or not _HEX.fullmatch(data):
            raise _Refused(_PARAMS, "`data` is hexadecimal")
        return [{"to": self._own(call.get("to")), "data": data}, block]

    def _code(self, params: list[Any]) -> list[Any]:
        address, block = _two(params)
        return [self._own(address), block]

    def _storage(self, params: list[Any]) -> list[Any]:
        address, slot, block = _three(params)
        if not isinstance(slot, str) or not _SLOT.fullmatch(slot):
            raise _Refused(_PARAMS, "a slot is hexadecimal")
        return [self._own(address), slot, block]

    def _proof(self, params: list[Any]) -> list[Any]:
        address, slots, block = _three(params)
        if not isinstance(slots, list) or len(slots) > 16:
            raise _Refused(_PARAMS, "at most 16 slots")
        if not all(isinstance(slot, str) and _SLOT.fullmatch(slot) for slot in slots):
            raise _Refused(_PARAMS, "a slot is hexadecimal")
        return [self._own(address), slots, block]

    def _own(self, address: Any) -> str:
        if not isinstance(address, str) or address.lower() not in self._contracts:
            raise _Refused(_PARAMS, "this relay only reads the Billproof ledger")
        return address.lower()


def _nothing(params: list[Any]) -> list[Any]:
    if params:
        raise _Refused(_PARAMS, "takes no parameters")
    return []


def _header(params: list[Any]) -> list[Any]:
    if len(params) not in (1, 2) or params[1:] not in ([], [False]):
        raise _Refused(_PARAMS, "a block, without its transactions")
    return [_block(params[0]), False]


def _two(params: list[Any]) -> tuple[Any, str]:
    if len(params) not in (1, 2):
        raise _Refused(_PARAMS, "one or two parameters")
    return params[0], _block(params[1] if len(params) == 2 else "latest")


def _three(params: list[Any]) -> tuple[Any, Any, str]:
    if len(params) not in (2, 3):
        raise _Refused(_PARAMS, "two or three parameters")
    return params[0], params[1], _block(params[2] if len(params) == 3 else "latest")


def _block(block: Any) -> str:
    if not isinstance(block, str) or not _BLOCK.fullmatch(block):
        raise _Refused(_PARAMS, "a block is a tag or a hexadecimal number")
    return block


def _error(number: Any, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}


def _failure(status: int, code: int, message: str) -> Response:
    return JSONResponse(_error(None, code, message), status, HEADERS)
