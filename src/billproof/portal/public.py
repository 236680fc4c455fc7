"""Public data of the operators: what the ledger says of them, and the manifests that go with it.

Nothing here is personal: roots, hashes, counts. Answers of the node are kept for some seconds, so that many
readers cost it no more than one.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from billproof.commitment.keccak import keccak
from billproof.errors import BillproofError
from billproof.ledger.reads import batch_state, operator, period_state
from billproof.ledger.states import BatchKey
from billproof.portal.settings import Settings
from billproof.printable import printable
from billproof.store import TARIFFS, find_batches

T = TypeVar("T")
_SECONDS = 5.0
_KEPT = 512


class Operator(BaseModel):
    """An operator as the ledger has it. Its name proves nothing: see docs/identity.md."""

    operatorId: str
    name: str
    domain: str
    admin: str
    chainId: str
    ledger: str


class Period(BaseModel):
    """A billing period: how many batches the ledger has, and whether it is closed."""

    operatorId: str
    period: str
    batches: int
    sealedAt: str | None
    sealedBatches: int


class Batch(BaseModel):
    """A batch: what was committed, and where the ledger has it (nulls when it has not)."""

    operatorId: str
    period: str
    region: str
    sequence: str
    root: str
    manifestHash: str
    amends: str
    records: str
    statements: str
    block: int | None
    anchoredAt: str | None
    repudiated: bool
    manifest: str


class Head(BaseModel):
    """The hash chain over everything that an operator has anchored."""

    operatorId: str
    head: str


class Public:
    """Reads what may be shown to everybody."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
        self._turn = threading.Lock()

    def numbers(self) -> list[int]:
        return self._settings.published()

    def operators(self) -> list[Operator]:
        return [self._operator(number) for number in self._settings.published()]

    def periods(self, operator_id: int) -> list[Period]:
        return [self._period(operator_id, period) for period in self._settings.periods(operator_id)]

    def batches(self, operator_id: int, period: int) -> list[Batch]:
        return self._cached(("batches", operator_id, period), lambda: self._batches(operator_id, period))

    def heads(self) -> list[Head]:
        return [self._head(number) for number in self._settings.published()]

    def seals(self) -> list[Period]:
        return [p for number in self._settings.published() for p in self.periods(number) if p.sealedAt]

    def manifest(self, operator_id: int, period: int, region: int, sequence: int, name: str) -> Path | None:
        """The file ``name`` of a manifest; None when there is none. Numbers make the path, never text."""
        if operator_id not in self._settings.published() or name not in ("manifest.json", "manifest.bin"):
            return None
        place = Path(str(operator_id), str(period), f"{region}-{sequence}", name)
        path = self._settings.store / place
        return path if path.is_file() else None

    def tariff(self, tariff: str) -> Path | None:
        """The file of a tariff that some statement of the store names, by its hash (``0x`` and 64 digits);
        None when there is none, or when it is not the file of that hash any more."""
        return self._cached(("tariff", tariff), lambda: self._tariff(tariff))

    def _tariff(self, tariff: str) -> Path | None:
        for number in self._settings.published():
            for path in (self._settings.store / str(number)).glob(f"*/*/{TARIFFS}/{tariff}*"):
                if "0x" + keccak(path.read_bytes()).hex() == tariff:
                    return path
        return None

    def _operator(self, number: int) -> Operator:
        deployment = self._settings.deployment
        found = self._cached(
            ("operator", number), lambda: operator(self._settings.endpoint, deployment, number)
        )
        return Operator(
            operatorId=str(number),
            name=printable(found.name),
            domain=printable(found.domain, 253),
            admin=found.admin,
            chainId=str(deployment.chain_id),
            ledger=deployment.ledger,
        )

    def _head(self, number: int) -> Head:
        deployment = self._settings.deployment
        found = self._cached(
            ("operator", number), lambda: operator(self._settings.endpoint, deployment, number)
        )
        return Head(operatorId=str(number), head="0x" + found.head.hex())

    def _period(self, number: int, period: int) -> Period:
        settings = self._settings
        found = self._cached(
            ("period", number, period),
            lambda: period_state(settings.endpoint, settings.deployment, number, period),
        )
        return Period(
            operatorId=str(number),
            period=str(period),
            batches=found.batches,
            sealedAt=_when(found.sealed_at),
            sealedBatches=found.sealed_batches,
        )

    def _batches(self, number: int, period: int) -> list[Batch]:
        settings, batches = self._settings, []
        for stored in find_batches(settings.store, number, period):
            batch = stored.id
            key = BatchKey(number, period, batch.region, batch.sequence)
            state = batch_state(settings.endpoint, settings.deployment, key)
            there = state.exists and state.root == stored.root
            batches.append(
                Batch(
                    operatorId=str(number),
                    period=str(period),
                    region=str(batch.region),
                    sequence=str(batch.sequence),
                    root="0x" + stored.root.hex(),
                    manifestHash="0x" + stored.manifest_hash.hex(),
                    amends=str(stored.amends),
                    records=str(stored.summary["records"]),
                    statements=str(stored.summary["statements"]),
                    block=state.block_number if there else None,
                    anchoredAt=_when(state.anchored_at) if there else None,
                    repudiated=there and state.repudiated,
                    manifest=f"/api/v1/manifests/{number}/{period}/{batch.region}/{batch.sequence}/manifest.json",
                )
            )
        return batches

    def _cached(self, key: Hashable, read: Callable[[], T]) -> T:
        with self._turn:
            kept = self._kept.get(key)
        if kept and time.monotonic() - kept[0] < _SECONDS:
            found: T = kept[1]
            return found
        found = read()
        with self._turn:
            self._kept[key] = (time.monotonic(), found)
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found


def healthy(settings: Settings) -> dict[str, str]:
    """``ok`` or what is wrong with the store and the node, in words that name no address."""
    from billproof.ledger.reads import require_chain, require_ledger

    said = {"store": "ok" if settings.store.is_dir() else "not there", "node": "ok"}
    try:
        require_chain(settings.endpoint, settings.deployment)
        require_ledger(settings.endpoint, settings.deployment)
    except BillproofError as error:
        said["node"] = type(error).__name__.removesuffix("Error")
    return said


def _when(seconds: int) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else None
