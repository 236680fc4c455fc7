"""Servers and proxies that misbehave, in front of real chains."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import traceback
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from chains import Chain, anvil, chain, embedded, ganache, quiet_anvil

from billproof.ledger.rpc import HttpEndpoint

__all__ = ["Chain", "anvil", "chain", "embedded", "ganache", "quiet_anvil"]


@pytest.fixture
def fork() -> Callable[[Callable[[], Any]], int]:
    """Does something in a process of its own, a fork of this one (nothing has to be imported again)."""

    def start(work: Callable[[], Any]) -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads: the child uses none
            child = os.fork()
        if child:
            return child
        failed = 1
        try:
            work()
            failed = 0
        except BaseException:  # noqa: BLE001  (printed; the exit code tells)
            traceback.print_exc()
        finally:
            os._exit(failed)

    return start


# --- servers that misbehave ----------------------------------------------------------------------------


@dataclass
class Server:
    """An HTTP server on loopback. ``answer(method, headers, body)`` gives (status, headers, body)."""

    url: str
    answer: Callable[[str, dict[str, str], bytes], tuple[int, dict[str, str], bytes]]
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def serve() -> Iterator[Callable[[Any], Server]]:
    """Starts servers that answer as told."""
    running: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(answer: Any) -> Server:
        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server.asked.append((self.command, self.path, dict(self.headers)))
                status, headers, content = server.answer(self.path, dict(self.headers), body)
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    self.close_connection = True  # the client gave up

            do_GET = do_POST = _do

            def log_message(self, *_: object) -> None:
                pass

        http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        http.daemon_threads = True
        server = Server(f"http://127.0.0.1:{http.server_port}", answer)
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        running.append((http, thread))
        return server

    yield start
    for http, thread in running:
        http.shutdown()
        http.server_close()
        thread.join()


@dataclass
class Dripping:
    """A server that sends one byte each tenth of a second. ``hung_up`` is set when its client has gone."""

    url: str
    hung_up: threading.Event


@pytest.fixture
def dripping() -> Iterator[Callable[[bytes, bytes], Dripping]]:
    """Starts servers that take one request, send ``at_once``, and then drip."""
    running: list[tuple[socket.socket, threading.Thread]] = []
    over = threading.Event()

    def start(at_once: bytes, drip: bytes) -> Dripping:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(5)
        server = Dripping(f"http://127.0.0.1:{listener.getsockname()[1]}", threading.Event())

        def talk() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(at_once)
                    for byte in drip:
                        if over.wait(0.1):
                            return
                        connection.sendall(bytes([byte]))
                server.hung_up.set()

        thread = threading.Thread(target=talk)
        thread.start()
        running.append((listener, thread))
        return server

    yield start
    over.set()
    for listener, thread in running:
        thread.join()
        listener.close()


@dataclass
class Proxy:
    """Forwards to a node. ``change(request, answer)`` may return another answer, or raise TimeoutError to
    keep silent."""

    endpoint: HttpEndpoint
    change: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]


@pytest.fixture
def proxied(serve: Callable[[Any], Server]) -> Callable[..., Proxy]:
    """Proxies in front of a chain, each posing as a host and a runner of its own."""

    def start(chain: Chain, name: str = "honest", **options: Any) -> Proxy:
        def forward(path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
            request = urllib.request.Request(  # noqa: S310
                chain.url, data=body, headers={"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
                answer = json.loads(response.read())
            try:
                changed = proxy.change(json.loads(body), answer)
            except TimeoutError:
                time.sleep(2)
                changed = answer
            return 200, {}, json.dumps(changed).encode()

        server = serve(forward)
        endpoint = HttpEndpoint(server.url, operated_by=name, **options)
        endpoint.host, endpoint.name = f"{name}.example", f"https://{name}.example"
        proxy = Proxy(endpoint, lambda request, answer: answer)
        return proxy

    return start
