"""Real chains with our ledger on them: the embedded one always, anvil and ganache from node_modules."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from billproof.errors import CannotCheckError
from billproof.ledger.client import BatchAnchor, LedgerClient
from billproof.ledger.deploy import deploy
from billproof.ledger.deployments import Deployment
from billproof.ledger.devaccounts import MNEMONIC
from billproof.ledger.reads import chain_id
from billproof.ledger.rpc import Endpoint, connect
from billproof.ledger.signers import AccountSigner, development_signer
from billproof.ledger.states import BatchKey

BIN = Path(__file__).parents[2] / "node_modules" / ".bin"
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
            pytest.fail(f"{name} is not installed: run npm ci")
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
            except CannotCheckError:
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
