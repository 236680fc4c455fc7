"""Real chains for the ledger's tests: the embedded one always, anvil and ganache from node_modules."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
import traceback
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from billproof.ledger.client import BatchAnchor, LedgerClient
from billproof.ledger.deploy import deploy
from billproof.ledger.deployments import Deployment
from billproof.ledger.devaccounts import MNEMONIC
from billproof.ledger.reads import chain_id
from billproof.ledger.rpc import Endpoint, HttpEndpoint, connect
from billproof.ledger.signers import AccountSigner, development_signer
from billproof.ledger.states import BatchKey

BIN = Path(__file__).parents[3] / "node_modules" / ".bin"
REQUIRED = bool(os.environ.get("CI") or os.environ.get("BILLPROOF_REQUIRE_CHAINS"))


@dataclass
class Chain:
    """A chain with our ledger on it. ``url`` is empty for the embedded one."""

    endpoint: Endpoint
    deployment: Deployment
    url: str = ""

    def signer(self, index: int = 0) -> AccountSigner:
        return development_signer(index, self.deployment.chain_id)

    def client(self, index: int = 0) -> LedgerClient:
        return LedgerClient(self.endpoint, self.deployment, self.signer(index), timeout=20)

    def operator(self, index: int = 0) -> int:
        """A new operator whose admin may anchor."""
        client = self.client(index)
        number, _ = client.register_operator("Example Mobile", "mobile.example", "")
        client.grant(number, client.signer.address)
        return number

    def anchored(self, root: bytes = b"\x11" * 32) -> BatchKey:
        """A fresh batch of a fresh operator."""
        number = self.operator()
        self.client().anchor(number, BatchAnchor(202601, 1, 1, root, b"\x22" * 32))
        return BatchKey(number, 202601, 1, 1)

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.endpoint.request("evm_mine", [])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tool(name: str) -> str:
    path = BIN / name
    if not path.exists() or (name == "ganache" and shutil.which("node") is None):
        if REQUIRED:
            pytest.fail(f"{name} is not installed: run npm install")
        pytest.skip(f"{name} is not installed")
    return str(path)


def _node(command: list[str], port: int) -> Iterator[str]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                chain_id(connect(url))
                break
            except Exception:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _chain(endpoint: Endpoint, url: str = "") -> Chain:
    signer = development_signer(0, chain_id(endpoint))
    return Chain(endpoint, deploy(endpoint, signer).deployment, url)


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    endpoint = connect(f"embedded:{tmp_path_factory.mktemp('chain') / 'chain.jsonl'}", writable=True)
    yield _chain(endpoint)
    endpoint.close()  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def anvil() -> Iterator[Chain]:
    port = _free_port()
    for url in _node([_tool("anvil"), "--port", str(port), "--silent"], port):
        yield _chain(connect(url), url)


@pytest.fixture(scope="session")
def ganache() -> Iterator[Chain]:
    port = _free_port()
    command = [_tool("ganache"), "--server.port", str(port), "-m", MNEMONIC, "--chain.hardfork", "shanghai"]
    for url in _node(command, port):
        yield _chain(connect(url), url)


@pytest.fixture
def quiet_anvil() -> Iterator[Chain]:
    """An anvil that makes blocks only when told to, once the ledger is there."""
    port = _free_port()
    for url in _node([_tool("anvil"), "--port", str(port), "--silent"], port):
        chain = _chain(connect(url), url)
        yield chain


@pytest.fixture(params=["embedded", "anvil", "ganache"])
def chain(request: pytest.FixtureRequest) -> Chain:
    found: Chain = request.getfixturevalue(request.param)
    return found


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
