"""One small world on an embedded chain: an operator, an anchored batch, an unanchored one, bundles."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from chains import anvil
from commands import run

from billproof.billing_run import Input, batch
from billproof.bundle import cut
from billproof.bundle import documents as doc
from billproof.ledger import deployments
from billproof.ledger.client import BatchAnchor, LedgerClient
from billproof.ledger.deploy import deploy
from billproof.ledger.embedded import EmbeddedChain
from billproof.ledger.reads import chain_id
from billproof.ledger.signers import development_signer
from billproof.secret_store import SecretStore
from billproof.store import StoredBatch
from billproof.trust import Pins

__all__ = ["anvil", "run"]

PERIOD = 202610
MAPPING = """
[account]
column = "account"
[service]
column = "kind"
[service.values]
call = "voice_originated"
fee = "recurring"
credit = "credit"
[time]
column = "start"
zone = "Europe/Dublin"
[usage]
column = "seconds"
[number]
column = "number"
[amount]
column = "amount"
[currency]
value = "EUR"
[rate]
column = "rate"
[corrects]
column = "corrects"
"""
HEADER = "account,kind,start,seconds,number,amount,rate,corrects\n"
ROWS = [
    f"A{account},{kind},2026-10-{day:02d}T10:0{account}:00+01:00,{seconds},{number},{amount},{rate},"
    for account in range(1, 6)
    for kind, day, seconds, number, amount, rate in (
        ("fee", 1, 0, "", "20.00", "monthly fee"),
        ("call", 3, 61, "+353209100001", "0.50", "national 0.25/min"),
        ("call", 9, 9, "+353209100002", "0.25", "national 0.25/min"),
    )[: 1 + account % 3]
]


@dataclass
class World:
    """Where everything lies, and a client that signs as the operator's admin and anchorer."""

    home: Path
    rpc: str
    client: LedgerClient
    anchored: StoredBatch
    unanchored: StoredBatch
    pins: Pins

    def batch(self, rows: list[str], **changes: Any) -> StoredBatch:
        """Batches rows, each call's in a file of its own, into the world's store."""
        file = self.home / f"cdr-{len(list(self.home.glob('cdr-*.csv')))}.csv"
        file.write_text(HEADER + "".join(row + "\n" for row in rows))
        (self.home / "map.toml").write_text(MAPPING)
        options: dict[str, Any] = {
            "operator": 1,
            "period": PERIOD,
            "chain_id": self.client.deployment.chain_id,
            "ledger": self.client.deployment.ledger,
            "store": self.home / "store",
            "secrets": self.home / "secrets",
        }
        stored = batch([Input("csv", [file], self.home / "map.toml")], **{**options, **changes}).stored
        assert stored is not None
        return stored

    def anchor(self, stored: StoredBatch) -> None:
        """Anchors a batch directly."""
        batch_id = stored.id
        self.client.anchor(
            batch_id.operator_id,
            BatchAnchor(
                batch_id.period,
                batch_id.region,
                batch_id.sequence,
                stored.root,
                stored.manifest_hash,
                stored.amends,
            ),
        )

    def bundle(self, account: str, stored: StoredBatch | None = None) -> doc.Bundle:
        """An account's bundle of a batch."""
        chosen = stored or self.anchored
        secrets = SecretStore(self.home / "secrets", chosen.id.operator_id)
        return next(bundle for _, bundle in cut.bundles(chosen, secrets, [account]))

    def write(self, name: str, document: Any) -> Path:
        """Writes a document or raw bytes to a file of the world."""
        path = self.home / name
        path.write_bytes(document if isinstance(document, bytes) else doc.encode(document))
        return path


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    built = _world(tmp_path_factory.mktemp("world"))
    built.anchored = built.batch(ROWS)
    built.anchor(built.anchored)
    built.unanchored = built.batch(ROWS[:4], region=9)
    return built


@pytest.fixture(scope="module")
def september(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Another world, whose chain began in the month before the period; its clock is the test's."""
    home = tmp_path_factory.mktemp("september")
    return _world(home, start_time=calendar.timegm((2026, 9, 1, 0, 0, 0)))


def _world(home: Path, start_time: int | None = None) -> World:
    chain = EmbeddedChain.open(home / "chain.jsonl", writable=True, start_time=start_time)
    if start_time is not None:
        chain.set_time(start_time)
    signer = development_signer(0, chain_id(chain))
    deploy(chain, signer)
    client = LedgerClient(chain, deployments.load(chain_id(chain)), signer)
    operator_id, _ = client.register_operator("Test Mobile", "", "")
    client.grant(operator_id, signer.address)
    pins = Pins(home / "trust.json")
    pins.add(client.deployment.chain_id, client.deployment.ledger, operator_id, "Test Mobile")
    return World(home, f"embedded:{home / 'chain.jsonl'}", client, None, None, pins)  # type: ignore[arg-type]
