"""Shared by all package tests: the vectors, the oracles that run in Node, and batches made of plain rows."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from billproof.batch_id import BatchId
from billproof.batch_writer import write_batch
from billproof.bundle import cut
from billproof.bundle import documents as doc
from billproof.commit import Commitment, commit
from billproof.records import SCHEMA, ZERO32
from billproof.secret_store import SecretStore
from billproof.statements import Statements, arrange
from billproof.store import StoredBatch

ROOT = Path(__file__).resolve().parents[2]
_RECORD: dict[str, Any] = {
    "account": "1001",
    "service": 1,
    "started_at": 1_790_933_700,
    "utc_offset": 120,
    "usage": 125,
    "billed_usage": 180,
    "number": "+4930123456",
    "network": "262-01",
    "amount": 270_000_000,
    "currency": "EUR",
    "rate": "0.09 EUR/min",
    "corrects": ZERO32,
    "source": "cdr.csv",
    "line": 1,
}


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], Any]:
    """Reads ``tests/vectors/<name>.json``."""
    return lambda name: json.loads((ROOT / f"tests/vectors/{name}.json").read_bytes())


@pytest.fixture(scope="session")
def oracle() -> Callable[[str, Any], Any]:
    """Asks ``tests/oracles/<name>.mjs``: JSON in, JSON out."""
    if not (ROOT / "node_modules").is_dir():
        reason = "the oracles need node_modules: npm install --ignore-scripts"
        if os.environ.get("CI") or os.environ.get("BILLPROOF_REQUIRE_CHAINS"):
            pytest.fail(reason)
        pytest.skip(reason)

    def ask(name: str, question: Any) -> Any:
        script = ROOT / f"tests/oracles/{name}.mjs"
        command = ["node", str(script)]
        done = subprocess.run(command, input=json.dumps(question).encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    return ask


@pytest.fixture(scope="session")
def make_records() -> Callable[[Iterable[Mapping[str, Any]]], pa.Table]:
    """Records out of rows that name only what matters to them; ``line`` counts from 1."""

    def make(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
        full = [{**_RECORD, "line": at, **row} for at, row in enumerate(rows, start=1)]
        columns = []
        for field in SCHEMA:
            values = [row[field.name] for row in full]
            dictionary = pa.types.is_dictionary(field.type)
            column = pa.array(values, pa.string() if dictionary else field.type)
            columns.append(column.dictionary_encode() if dictionary else column)
        return pa.table(columns, schema=SCHEMA)

    return make


@dataclass(frozen=True)
class Built:
    """A batch with everything that it was made of."""

    id: BatchId
    statements: Statements
    vault: SecretStore
    commitment: Commitment
    stored: StoredBatch

    def bundles(self) -> dict[str, doc.Bundle]:
        """Every account's bundle, as a subscriber reads it."""
        cuts = cut.bundles(self.stored, self.vault)
        return {account: doc.parse(doc.encode(bundle)) for account, bundle in cuts}  # type: ignore[misc]


@pytest.fixture(scope="session")
def batch_id() -> BatchId:
    return BatchId(31337, "0x" + "5a" * 20, 1, 202610, 0, 1)


@pytest.fixture(scope="session")
def build(
    make_records: Callable[[Iterable[Mapping[str, Any]]], pa.Table], batch_id: BatchId
) -> Callable[..., Built]:
    """Rows → a batch in the store ``home/store``, its secrets in ``home/secrets``."""

    def make(
        home: Path, rows: Iterable[Mapping[str, Any]], batch: BatchId = batch_id, **options: Any
    ) -> Built:
        statements, _ = arrange(make_records(rows))
        vault = SecretStore(home / "secrets", batch.operator_id)
        enrolment = vault.enrol(statements.accounts, options.pop("holders", None))
        keys = vault.opening_keys(batch, statements.accounts)
        commitment = commit(statements, batch, enrolment, keys, ZERO32)
        options = {"amends": 0, "replace": False, **options}
        rejects = pa.table({"line": pa.array([], pa.int64())})
        stored = write_batch(
            home / "store", batch, commitment, statements.records, rejects, {"sources": []}, **options
        )
        return Built(batch, statements, vault, commitment, stored)

    return make
