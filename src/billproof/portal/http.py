"""What every answer carries, and how a body is read: bounded in size and time."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billproof.portal.metrics import Metrics

_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(), microphone=(), payment=(), usb=(), camera=(self)"),
]
_STRICT = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_DEFAULTS = [
    (b"content-security-policy", _STRICT),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class BodyError(Exception):
    """A body that is too large or too slow; ``status`` says which."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def body_of(request: Request, most: int, seconds: float) -> bytes:
    """The request's body, of at most ``most`` bytes within ``seconds``."""
    said = request.headers.get("content-length", "0")
    if not said.isdecimal() or int(said) > most:
        raise BodyError(413, f"more than {most} bytes")
    content = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                content += chunk
                if len(content) > most:
                    raise BodyError(413, f"more than {most} bytes")
    except TimeoutError:
        raise BodyError(408, "the request took too long to arrive") from None
    return bytes(content)


def client_of(request: Request) -> str:
    """The client's address; a proxy's word for it counts only where uvicorn was told to trust the proxy."""
    return request.client.host if request.client else ""


def too_many(wait: float, content: Any, headers: dict[str, str] | None = None) -> Response:
    """429, and when to come back."""
    after = str(max(1, math.ceil(wait)))
    return JSONResponse(content, 429, {**(headers or {}), "Retry-After": after})


class Envelope:
    """ASGI middleware: security headers on every answer, and figures by route.

    The route is the pattern that matched, so that no token of a path becomes a label.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def sealed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", []))
                names = {name.lower() for name, _ in headers}
                headers += _HEADERS + [pair for pair in _DEFAULTS if pair[0] not in names]
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self._app(scope, receive, sealed)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(route, str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - started)
