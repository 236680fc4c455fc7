"""One HTTP request with a deadline that holds, whatever a server or a resolver does meanwhile.

A socket's own timeout begins anew with every byte, and does not cover the resolver. So the work is done in a
thread of its own: whoever waits stops at the deadline and shuts the thread's connections down, which ends it.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, TypeVar

T = TypeVar("T")

REDIRECTS = (301, 302, 303, 307, 308)


class TooLargeError(Exception):
    """The body is larger than allowed."""


@dataclass(frozen=True)
class Answer:
    """What came. ``location``: where a redirect leads, as it was sent; the body of a redirect is not read."""

    status: int
    location: str
    body: bytes


class Connections:
    """The connections of one piece of work, and until when it may go on."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._handles: list[socket.socket] = []
        self._over = False

    @property
    def left(self) -> float:
        """Seconds, never none: zero would mean forever or at once."""
        return max(0.01, self._deadline - time.monotonic())

    def watch(self, connection: socket.socket) -> None:
        """Has a connection shut down at the end, by a handle of its own: TLS takes the first one over."""
        with self._lock:
            if self._over:
                raise TimeoutError
            self._handles.append(connection.dup())

    def shut(self) -> None:
        """Ends every connection, also those in the middle of a read."""
        with self._lock:
            self._over = True
            for handle in self._handles:
                with suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)
                handle.close()
            self._handles.clear()


def within(seconds: float, work: Callable[[Connections], T]) -> T:
    """What ``work`` returns or raises.

    Raises:
        TimeoutError: it takes longer.
    """
    connections = Connections(seconds)
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work(connections))
        except BaseException as error:  # noqa: BLE001  (handed to whoever waits)
            outcome.set_exception(error)

    threading.Thread(target=run, name="billproof-http", daemon=True).start()
    try:
        return outcome.result(seconds)
    finally:
        connections.shut()


def ask(
    url: str,
    connections: Connections,
    *,
    headers: dict[str, str],
    max_size: int,
    data: bytes | None = None,
    direct: bool = False,
) -> Answer:
    """One request, a POST if there is ``data``; redirects are not followed.

    Args:
        url: http or https.
        connections: of the work that this is a part of.
        headers: of the request.
        max_size: bytes of the body.
        data: the body to send.
        direct: use no proxy.

    Raises:
        TooLargeError, OSError (``URLError`` among them), http.client.HTTPException.
    """
    handlers: list[urllib.request.BaseHandler] = [_NoRedirects(), _Http(connections), _Https(connections)]
    if direct:
        handlers.append(urllib.request.ProxyHandler({}))
    try:
        opener = urllib.request.build_opener(*handlers)
        request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310
        try:
            with opener.open(request, timeout=connections.left) as response:
                return Answer(response.status, "", _read(response, max_size))
        except urllib.error.HTTPError as error:
            with error:
                if error.code in REDIRECTS:
                    return Answer(error.code, str(error.headers.get("Location", "")), b"")
                body = b""
                with suppress(TooLargeError):  # the status says enough
                    body = _read(error, max_size)
                return Answer(error.code, "", body)
    except ValueError as error:  # an address that only the innermost layer refuses
        raise http.client.InvalidURL(type(error).__name__) from error


def redirected(url: str, location: str) -> urllib.parse.SplitResult | None:
    """Where a redirect leads; None when that is no address."""
    try:
        target = urllib.parse.urlsplit(urllib.parse.urljoin(url, location))
        usable = target.port is None or target.port > 0
    except ValueError:
        return None
    whole = target.geturl()
    return target if usable and whole.isascii() and whole.isprintable() and " " not in whole else None


def _read(response: Any, max_size: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := response.read1(65536):
        size += len(chunk)
        if size > max_size:
            raise TooLargeError
        chunks.append(chunk)
    return b"".join(chunks)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """urllib would turn a POST into a GET, and go to any host."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        return None

    def _plain(self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any) -> None:
        """Leaves the answer to the default handler: even looking at an odd address would raise."""

    http_error_301 = http_error_302 = http_error_303 = http_error_307 = http_error_308 = _plain


class _Watched(http.client.HTTPConnection):
    connections: Connections

    def connect(self) -> None:
        super().connect()
        self.connections.watch(self.sock)


class _WatchedTls(http.client.HTTPSConnection, _Watched):
    """Its ``connect`` calls the one above for the connection below TLS."""


class _Http(urllib.request.HTTPHandler):
    def __init__(self, connections: Connections) -> None:
        super().__init__()
        self._connections = connections

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(self._connection, req)

    def _connection(self, host: str, **options: Any) -> http.client.HTTPConnection:
        made = _Watched(host, **options)
        made.connections = self._connections
        return made


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, connections: Connections) -> None:
        super().__init__()
        self._connections = connections

    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(self._connection, req)

    def _connection(self, host: str, **options: Any) -> http.client.HTTPConnection:
        made = _WatchedTls(host, **options)
        made.connections = self._connections
        return made
