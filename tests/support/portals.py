"""A portal over a small month, in this process and in one of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from billproof.anchoring import anchor_period, seal_period
from billproof.billing_run import Input, batch
from billproof.ledger import deployments
from billproof.ledger.client import LedgerClient
from billproof.ledger.deploy import deploy
from billproof.ledger.embedded import EmbeddedChain
from billproof.ledger.reads import chain_id
from billproof.ledger.rpc import Endpoint, connect
from billproof.ledger.signers import development_signer
from billproof.portal import Settings, create_app
from billproof.portal.links import Links
from billproof.store import StoredBatch, find_batches

PERIOD = 202610
NAME = "Meridian <script>alert(1)</script>"
MAPPING = """
account = { column = "account" }
service = { value = "voice_originated" }
time = { column = "start", zone = "Europe/Dublin" }
usage = { column = "seconds" }
number = { column = "number" }
amount = { column = "amount" }
currency = { value = "EUR" }
"""
ROWS = """account,start,seconds,number,amount
A-17,2026-10-03T10:00:00+01:00,61,+353209100001,0.50
A-17,2026-10-04T10:00:00+01:00,9,+353209100002,0.25
B-18,2026-10-05T10:00:00+01:00,30,+353209100003,0.25
"""


class Client:
    """Asks an ASGI application in this process."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def get(self, path: str, **content: Any) -> httpx.Response:
        return self._ask("GET", path, **content)

    def post(self, path: str, **content: Any) -> httpx.Response:
        return self._ask("POST", path, **content)

    def _ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
                return await client.request(method, path, **content)

        return asyncio.run(ask())


@dataclass
class World:
    """Where the month lies, and the settings of a portal over it."""

    home: Path
    settings: Settings

    @property
    def rpc(self) -> str:
        return f"embedded:{self.home / 'chain.jsonl'}"

    @property
    def batch(self) -> StoredBatch:
        return find_batches(self.settings.store, 1, PERIOD)[0]

    def token(self, account: str = "A-17", days: int = 1) -> str:
        """A new token of an account's invoice."""
        return Links(self.settings.secrets).make(self.batch.id, [account], days)[0][1]

    def client(self, **changes: Any) -> Client:
        """A client of a portal with other settings."""
        return Client(create_app(replace(self.settings, **changes)))


def make_world(home: Path) -> World:
    """A month of two subscribers, batched, anchored and sealed on an embedded chain in ``home``."""
    with EmbeddedChain.open(home / "chain.jsonl", writable=True) as chain:
        signer = development_signer(0, chain_id(chain))
        deploy(chain, signer)
        client = LedgerClient(chain, deployments.load(chain_id(chain)), signer)
        number, _ = client.register_operator(NAME, "meridian.example")
        client.grant(number, signer.address)
        (home / "map.toml").write_text(MAPPING)
        (home / "cdr.csv").write_text(ROWS)
        batch(
            [Input("csv", [home / "cdr.csv"], home / "map.toml")],
            operator=number,
            period=PERIOD,
            chain_id=client.deployment.chain_id,
            ledger=client.deployment.ledger,
            store=home / "store",
            secrets=home / "secrets",
        )
        anchor_period(home / "store", client, number, PERIOD, secrets=home / "secrets")
        seal_period(home / "store", client, number, PERIOD)
    endpoint = connect(f"embedded:{home / 'chain.jsonl'}")
    return World(home, Settings(home / "store", home / "secrets", endpoint, client.deployment, invoices=True))


class CountingEndpoint:
    """A node that counts what it is asked."""

    host, operated_by, name = "", "", "counting"

    def __init__(self, inner: Endpoint) -> None:
        self.inner, self.asked = inner, list[str]()

    def request(self, method: str, params: list[Any]) -> Any:
        self.asked.append(method)
        return self.inner.request(method, params)


@dataclass
class Served:
    """A portal in a process of its own; ``said`` is what it printed, once it has stopped."""

    url: str
    process: subprocess.Popen[str]
    said: str = ""


@contextmanager
def served(home: Path, rpc: str, *options: str) -> Iterator[Served]:
    """``billproof serve`` over the store and the secrets in ``home``, on a free port."""
    command = [sys.executable, "-m", "billproof", "serve", "--port", "0", "--rpc", rpc, *options]
    command += ["--store", str(home / "store"), "--secrets", str(home / "secrets")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stderr is not None
    portal = Served(process.stderr.readline().strip().rstrip("/"), process)
    try:
        yield portal
    finally:
        process.terminate()
        portal.said = "".join(process.communicate(timeout=20))
