"""A batch on disk: ``STORE/<operator>/<period>/<region>-<sequence>/``.

    batch.json       what was committed: batch id, root, manifest hash, counts, totals
    records.parquet  every record, statement after statement           (personal data)
    entries.arrow    one row per account entry, in the tree's order    (personal data)
    tree.bin         the batch tree: 2m-1 nodes of 32 bytes, root first
    manifest.json    public: counts, and the digest of manifest.bin
    manifest.bin     public: (account key, statement hash), 64 bytes an entry, in the tree's order
    intake.json      what was read from which file
    rejects.csv      rows that were not committed, each with file, line, field and reason (personal data)
    anchor.json      the anchoring transaction and its outcome, once there is one
    SHA256SUMS       digests of all the others but anchor.json, which is compared with the chain

A directory is written beside its place and renamed: a batch is there wholly or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from billproof.batch_id import BatchId
from billproof.commit import Commitment
from billproof.commitment.keccak import ByteRows, keccak
from billproof.errors import DifferenceError, InputError
from billproof.files import json_bytes, sync
from billproof.leaves import byte_rows
from billproof.statements import totals_by_currency

SCHEMA = "billproof/batch/1"
MANIFEST_SCHEMA = "billproof/manifest/1"
_ROW_GROUP = 1 << 16


@dataclass(frozen=True)
class StoredBatch:
    """A batch in a store, read from its ``batch.json``; the large files are memory-mapped when asked for."""

    path: Path
    summary: dict[str, Any]

    @classmethod
    def open(cls, path: Path) -> StoredBatch:
        """The batch in a directory; :class:`InputError` when there is none."""
        file = path / "batch.json"
        try:
            summary = json.loads(file.read_bytes())
        except FileNotFoundError:
            raise InputError("no batch here", file=path, advice="Build it with `billproof batch`.") from None
        except ValueError as error:
            raise InputError(f"not JSON: {error}", file=file) from error
        if not isinstance(summary, dict) or summary.get("schema") != SCHEMA:
            raise InputError(f"not a {SCHEMA} file", file=file)
        return cls(path, summary)

    @cached_property
    def id(self) -> BatchId:
        fields = self.summary["batch"]
        return BatchId(
            int(fields["chainId"]),
            fields["ledger"],
            *(int(fields[name]) for name in ("operatorId", "period", "region", "sequence")),
        )

    @property
    def root(self) -> bytes:
        return bytes.fromhex(self.summary["root"][2:])

    @property
    def manifest_hash(self) -> bytes:
        return bytes.fromhex(self.summary["manifestHash"][2:])

    @property
    def amends(self) -> int:
        return int(self.summary["amends"])

    @property
    def tariff(self) -> bytes:
        return bytes.fromhex(self.summary["tariff"][2:])

    @property
    def anchor_path(self) -> Path:
        return self.path / "anchor.json"

    @cached_property
    def records(self) -> pa.Table:
        return pq.read_table(self.path / "records.parquet", memory_map=True)

    @cached_property
    def entries(self) -> pa.Table:
        with pa.memory_map(str(self.path / "entries.arrow")) as source:
            return pa.ipc.open_file(source).read_all()

    @cached_property
    def nodes(self) -> ByteRows:
        return np.memmap(self.path / "tree.bin", dtype=np.uint8, mode="r").reshape(-1, 32)

    def check_sums(self) -> None:
        """Compares every file with ``SHA256SUMS``; :class:`DifferenceError` names the first that differs."""
        file = self.path / "SHA256SUMS"
        listed = file.read_bytes() if file.exists() else b""
        there = dict(_digests(self.path))
        if listed == _listing(there):
            return
        lines = (line.partition("  ") for line in listed.decode(errors="replace").split("\n"))
        said = {name: digest for digest, _, name in lines if name}
        differing = [name for name in sorted(said.keys() | there.keys()) if said.get(name) != there.get(name)]
        wrong = self.path / differing[0] if said and differing else file
        raise DifferenceError(
            f"{wrong}: not what was written (by SHA256SUMS)",
            advice="Restore the batch from a copy, or rebuild it with `billproof batch --force`.",
        )


def find_batches(store: Path, operator_id: int, period: int) -> list[StoredBatch]:
    """All batches of an operator's period in the store, by region and sequence."""
    home = store / str(operator_id) / str(period)
    found = [
        StoredBatch.open(file.parent) for file in home.glob("*/batch.json") if file.parent.name[0] != "."
    ]
    return sorted(found, key=lambda batch: (batch.id.region, batch.id.sequence))


def write_batch(
    store: Path,
    batch: BatchId,
    commitment: Commitment,
    records: pa.Table,
    rejects: pa.Table,
    intake: dict[str, Any],
    *,
    amends: int,
    tariff: bytes,
    replace: bool,
) -> StoredBatch:
    """Writes a whole batch directory in one step and returns it. ``replace`` lets it take another's place."""
    final = store / batch.path
    partial = final.with_name(f".{final.name}.{os.getpid()}.partial")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        _write_contents(partial, batch, commitment, records, rejects, intake, amends=amends, tariff=tariff)
        for path in (*partial.iterdir(), partial):
            sync(path)
        if replace and final.exists():
            old = final.with_name(f".{final.name}.{os.getpid()}.old")
            final.rename(old)
            try:
                partial.rename(final)
            except BaseException:
                old.rename(final)
                raise
            shutil.rmtree(old)
        else:
            partial.rename(final)
        sync(final.parent)
    except OSError as error:
        raise InputError(
            f"cannot write the batch: {error.strerror}",
            file=final,
            advice="Check free space and permissions.",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return StoredBatch.open(final)


def _write_contents(
    home: Path,
    batch: BatchId,
    commitment: Commitment,
    records: pa.Table,
    rejects: pa.Table,
    intake: dict[str, Any],
    *,
    amends: int,
    tariff: bytes,
) -> None:
    entries = commitment.entries
    pq.write_table(records, home / "records.parquet", row_group_size=_ROW_GROUP, compression="zstd")
    with pa.ipc.new_file(str(home / "entries.arrow"), entries.schema) as writer:
        writer.write_table(entries)
    (home / "tree.bin").write_bytes(commitment.nodes.tobytes())
    listing = np.hstack(
        [byte_rows(entries["account_key"], 32), byte_rows(entries["statement"], 32)]
    ).tobytes()
    (home / "manifest.bin").write_bytes(listing)
    identity = batch_fields(batch)
    counts = {"records": str(records.num_rows), "statements": str(entries.num_rows)}
    manifest = json_bytes(
        {
            "schema": MANIFEST_SCHEMA,
            "batch": identity,
            "root": "0x" + commitment.root.hex(),
            "amends": str(amends),
            **counts,
            "list": {"file": "manifest.bin", "keccak256": "0x" + keccak(listing).hex()},
        }
    )
    (home / "manifest.json").write_bytes(manifest)
    (home / "batch.json").write_bytes(
        json_bytes(
            {
                "schema": SCHEMA,
                "batch": identity,
                "root": "0x" + commitment.root.hex(),
                "manifestHash": "0x" + keccak(manifest).hex(),
                "amends": str(amends),
                "tariff": "0x" + tariff.hex(),
                **counts,
                "totals": {
                    currency: str(total) for currency, total in totals_by_currency(entries, "total").items()
                },
            }
        )
    )
    (home / "intake.json").write_bytes(json_bytes(intake))
    pyarrow.csv.write_csv(rejects, str(home / "rejects.csv"))
    (home / "SHA256SUMS").write_bytes(_sums(home))


def batch_fields(batch: BatchId) -> dict[str, str]:
    """The batch id as every file of ours writes it."""
    return {
        "chainId": str(batch.chain_id),
        "ledger": batch.ledger,
        "operatorId": str(batch.operator_id),
        "period": str(batch.period),
        "region": str(batch.region),
        "sequence": str(batch.sequence),
    }


def _sums(home: Path) -> bytes:
    return _listing(dict(_digests(home)))


def _listing(digests: dict[str, str]) -> bytes:
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()


def _digests(home: Path) -> Iterator[tuple[str, str]]:
    """Name and digest of every file of a batch that never changes, by name."""
    for path in sorted(home.iterdir()):
        if path.name not in ("SHA256SUMS", "anchor.json") and not path.name.startswith("."):
            yield path.name, _sha256(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
