"""JSON-RPC endpoints: one method, ``request``, and errors that say what is wrong and what to do.

Standard library only: checking a bill needs a few reads, not a client library. Ethereum JSON-RPC as in
https://github.com/ethereum/execution-apis; errors as in the JSON-RPC 2.0 specification, section 5.1.
"""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import socket
import urllib.error
import urllib.parse
from typing import Any, Protocol

from billproof.errors import BillproofError, CannotCheckError, InputError
from billproof.ledger.safe_json import loads
from billproof.ledger.transport import REDIRECTS, Connections, TooLargeError, ask, redirected, within
from billproof.printable import printable as printable

DEFAULT_TIMEOUT = 15.0
"""Seconds for one request, connection and answer together."""

MAX_RESPONSE = 16 * 1024 * 1024
"""Bytes of one answer; the largest we ask for are event lists."""

MAX_REDIRECTS = 3
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Endpoint(Protocol):
    """Something that answers Ethereum JSON-RPC: a node over HTTP, or the chain inside this process."""

    @property
    def name(self) -> str:
        """What to call it in messages; never holds credentials."""

    @property
    def host(self) -> str:
        """Lower-case host name, empty for the embedded chain. Two hosts count as two endpoints."""

    @property
    def operated_by(self) -> str:
        """Who runs it, empty when unknown."""

    def request(self, method: str, params: list[Any]) -> Any:
        """The ``result`` of the call.

        Raises:
            EndpointError: no usable answer came (dead, slow, not JSON-RPC, an HTTP status).
            RpcError: the node answered with an error.
        """


class EndpointError(CannotCheckError):
    """No usable answer. ``cause``: dead, timeout, http, redirect, too-large, not-json-rpc, read-only."""

    def __init__(self, message: str, *, endpoint: str, cause: str, advice: str, status: int = 0) -> None:
        super().__init__(message, advice=advice)
        self.endpoint = endpoint
        self.cause = cause
        self.status = status


class RpcError(CannotCheckError):
    """The node answered with an error object; its code, message and data are kept as they came."""

    def __init__(self, endpoint: str, method: str, code: int, rpc_message: str, data: Any = None) -> None:
        super().__init__(
            f"{endpoint} refused {method}: {printable(rpc_message)} (code {code})",
            advice="try another endpoint with --rpc, or ask whoever runs this one",
        )
        self.endpoint = endpoint
        self.method = method
        self.code = code
        self.rpc_message = rpc_message
        self.data = data


class HttpEndpoint:
    """JSON-RPC over HTTP(S). Only the host shows in its name: user names, passwords and API keys in the
    address stay out of messages, logs and ``repr``."""

    def __init__(
        self,
        url: str,
        *,
        operated_by: str = "",
        timeout: float = DEFAULT_TIMEOUT,
        max_response: int = MAX_RESPONSE,
    ) -> None:
        parts, port = _parse(url)
        host = parts.hostname or ""
        self.host = host.lower()
        shown = f"[{self.host}]" if ":" in self.host else self.host
        self.name = f"{parts.scheme}://{shown}" + (f":{port}" if port else "")
        self.operated_by = operated_by
        self.timeout = timeout
        self.max_response = max_response
        self._url = urllib.parse.urlunsplit(
            (parts.scheme, parts.netloc.rpartition("@")[2], parts.path or "/", parts.query, "")
        )
        self._headers = {"Content-Type": "application/json", "User-Agent": "billproof"}
        if parts.username is not None:
            pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
            self._headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        self._ids = itertools.count(1)

    def __repr__(self) -> str:
        return f"HttpEndpoint({self.name})"

    def request(self, method: str, params: list[Any]) -> Any:
        """The ``result`` of the call; see ``Endpoint.request``."""
        number = next(self._ids)
        body = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()
        try:
            status, answer = within(self.timeout, lambda connections: self._post(body, connections))
        except TimeoutError as error:
            raise self._late() from error
        except TooLargeError as error:
            raise self._error(
                "too-large",
                f"sent more than {self.max_response} bytes",
                "this is no ledger answer; use another endpoint with --rpc",
            ) from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError | socket.timeout):
                raise self._late() from error
            raise self._dead(error.reason) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._dead(error) from error
        return self._result(method, number, status, answer)

    # --- transport ---------------------------------------------------------------------------------

    def _post(self, body: bytes, connections: Connections) -> tuple[int, bytes]:
        url = self._url
        for _ in range(MAX_REDIRECTS + 1):
            answer = ask(
                url,
                connections,
                headers=self._headers,
                max_size=self.max_response,
                data=body,
                direct=self.host in _LOOPBACK,
            )
            if answer.status not in REDIRECTS:
                return answer.status, answer.body
            url = self._follow(url, answer.location)
        raise self._error("redirect", "redirects without end", "check the address given with --rpc")

    def _follow(self, url: str, location: str) -> str:
        old, new = urllib.parse.urlsplit(url), redirected(url, location)
        problem = ""
        if new is None:
            problem = "redirects to what is no address"
        elif (new.hostname or "").lower() != self.host:
            problem = "redirects to another host"
        elif new.scheme not in ("http", "https") or (old.scheme == "https" and new.scheme != "https"):
            problem = "redirects to an unprotected address"
        if new is None or problem:
            raise self._error("redirect", problem, "give the final address with --rpc if you trust it")
        return new.geturl()

    # --- answers -----------------------------------------------------------------------------------

    def _result(self, method: str, number: int, status: int, answer: bytes) -> Any:
        try:
            message = loads(answer)
        except ValueError:
            message = None
        has_error = isinstance(message, dict) and isinstance(message.get("error"), dict)
        if status != 200 and not has_error:
            raise self._http_status(status)
        if not isinstance(message, dict) or not (has_error or "result" in message):
            raise self._error(
                "not-json-rpc",
                "did not answer with JSON-RPC",
                "is this the address of an Ethereum node? (many answer web pages at their root)",
            )
        if has_error:
            error = message["error"]
            code = error.get("code")
            raise RpcError(
                self.name,
                method,
                code if isinstance(code, int) else 0,
                str(error.get("message", "")),
                error.get("data"),
            )
        if message.get("id") != number:
            raise self._error("not-json-rpc", "answered another request", "use another endpoint with --rpc")
        return message["result"]

    def _http_status(self, status: int) -> EndpointError:
        advice = {
            401: "its credentials are missing or wrong",
            403: "it refuses you; check its API key or use another endpoint",
            404: "the path in its address is wrong",
            429: "it limits how often you may ask; wait, or use another endpoint",
        }.get(status, "try again later, or use another endpoint with --rpc")
        return self._error("http", f"answered HTTP status {status}", advice, status)

    def _late(self) -> EndpointError:
        what = f"did not answer within {self.timeout:g} s"
        return self._error("timeout", what, "try again, or another endpoint with --rpc")

    def _dead(self, reason: object) -> EndpointError:
        text = getattr(reason, "strerror", None) or type(reason).__name__
        why = f"cannot be reached: {printable(str(text), 120)}"
        return self._error("dead", why, "check the address and your connection, or use --rpc")

    def _error(self, cause: str, what: str, advice: str, status: int = 0) -> EndpointError:
        return EndpointError(
            f"endpoint {self.name} {what}", endpoint=self.name, cause=cause, advice=advice, status=status
        )


def _parse(url: str) -> tuple[urllib.parse.SplitResult, int | None]:
    """Splits an endpoint's address; errors never repeat it, it may hold a password."""
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")  # what the resolver will do
        rest = url.rpartition("@")[2]
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable()
        usable = usable and rest.isascii()
    except ValueError:
        usable = False
    if not usable or " " in url:
        raise InputError(
            "the endpoint is not an http(s) address",
            field="--rpc",
            advice="give http://HOST:PORT, https://HOST/PATH or embedded:FILE",
        )
    return parts, port


def connect(spec: str, *, timeout: float = DEFAULT_TIMEOUT, writable: bool = False) -> Endpoint:
    """The endpoint that ``--rpc`` names: ``http(s)://…`` or ``embedded:FILE``.

    Args:
        spec: the address.
        timeout: seconds per request over HTTP.
        writable: for the embedded chain: make the file when it is not there and accept transactions.
            The default never writes.

    Raises:
        InputError: it is neither, or the embedded chain's file is missing or damaged.
    """
    if spec.startswith("embedded:"):
        try:
            from billproof.ledger.embedded import EmbeddedChain
        except ImportError as error:
            raise BillproofError(
                "the embedded chain is not installed", advice="pip install 'eth-tester[py-evm]'"
            ) from error
        return EmbeddedChain.open(spec.removeprefix("embedded:"), writable=writable)
    return HttpEndpoint(spec, timeout=timeout)
