"""A batch on disk: ``STORE/<operator>/<period>/<region>-<sequence>/``.

    batch.json       what was committed: batch id, root, manifest hash, counts, totals
    records.parquet  every record, statement after statement           (personal data)
    entries.arrow    one row per account entry, in the tree's order    (personal data)
    tree.bin         the batch tree: 2m-1 nodes of 32 bytes, root first
    manifest.json    public: counts, and the digest of manifest.bin
    manifest.bin     public: (account key, statement hash), 64 bytes an entry, in the tree's order
    tariffs/         the tariff files that statements refer to, exact: HASH.toml or HASH.json
    balances.csv     what accounts carried over, where lines were compared with that (personal data)
    differences.csv  lines that are not charged as their tariff says, where such were let pass (personal data)
    intake.json      what was read from which file
    rejects.csv      rows that were not committed, each with file, line, field and reason (personal data)
    anchor.json      the anchoring transaction and its outcome, once there is one
    SHA256SUMS       digests of all the others but anchor.json, which is compared with the chain

A directory is written beside its place and renamed: a batch is there wholly or not at all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from billproof.batch_id import BatchId
from billproof.commitment.keccak import ByteRows
from billproof.errors import InputError
from billproof.recovery import require_whole
from billproof.statement_tariffs import StatementTariffs

SCHEMA = "billproof/batch/2"

#: Written before every statement had a tariff of its own: ``tariff`` in its ``batch.json`` is that of all.
SCHEMA_1 = "billproof/batch/1"
MANIFEST_SCHEMA = "billproof/manifest/1"

#: Directory of the tariff files in a batch, and beside bundles.
TARIFFS = "tariffs"

#: What accounts carried over, in a batch that was compared with it.
BALANCES = "balances.csv"

#: Texts of few different values, read as codes.
_CODED = ["network", "currency", "rate", "source"]


@dataclass(frozen=True)
class StoredBatch:
    """A batch in a store, read from its ``batch.json``; the large files are memory-mapped when asked for."""

    path: Path
    summary: dict[str, Any]
    _group: tuple[Any, pa.Table] | None = field(default=None, init=False, repr=False, compare=False)

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
        if not isinstance(summary, dict) or summary.get("schema") not in (SCHEMA, SCHEMA_1):
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

    @cached_property
    def tariffs(self) -> StatementTariffs:
        """The tariffs of the entries' statements."""
        if self.summary["schema"] == SCHEMA_1:
            return StatementTariffs.one(bytes.fromhex(self.summary["tariff"][2:]), self.entries.num_rows)
        hashes = tuple(bytes.fromhex(tariff[2:]) for tariff in self.summary["tariffs"])
        return StatementTariffs(hashes, self.entries["tariff"].to_numpy())

    def tariff_file(self, tariff: bytes) -> Path | None:
        """The file of a tariff, by its hash; None in a batch that was written before files were kept."""
        return next((self.path / TARIFFS).glob(f"0x{tariff.hex()}*"), None)

    @property
    def balances_file(self) -> Path | None:
        """What the batch's accounts carried over; None where they carried nothing."""
        path = self.path / BALANCES
        return path if path.exists() else None

    @property
    def anchor_path(self) -> Path:
        return self.path / "anchor.json"

    @cached_property
    def records(self) -> pa.Table:
        """All of them; see :meth:`records_of` for one statement's."""
        return self._read(0, len(self._group_ends) - 1)

    @property
    def record_count(self) -> int:
        """How many records the file holds."""
        return int(self._group_ends[-1]) if len(self._group_ends) else 0

    def records_of(self, first: int, count: int, columns: list[str] | None = None) -> pa.Table:
        """Records ``first`` to ``first + count``, ``count`` ≥ 1, all columns or some; reads few others."""
        begin, end = np.searchsorted(self._group_ends, [first, first + count - 1], side="right").tolist()
        if self._group is None or self._group[0] != (begin, end, columns):
            object.__setattr__(self, "_group", ((begin, end, columns), self._read(begin, end, columns)))
        assert self._group is not None  # noqa: S101 - it was just read
        return self._group[1].slice(first - (int(self._group_ends[begin - 1]) if begin else 0), count)

    def _read(self, begin: int, end: int, columns: list[str] | None = None) -> pa.Table:
        many = end - begin > 3
        return self._records_file.read_row_groups(range(begin, end + 1), columns=columns, use_threads=many)

    @cached_property
    def _records_file(self) -> pq.ParquetFile:
        path = self.path / "records.parquet"
        return pq.ParquetFile(path, memory_map=True, pre_buffer=False, read_dictionary=_CODED)

    @cached_property
    def _group_ends(self) -> NDArray[np.int64]:
        """How many records there are up to the end of each row group."""
        metadata = self._records_file.metadata
        return np.cumsum([metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)])

    @cached_property
    def entries(self) -> pa.Table:
        with pa.memory_map(str(self.path / "entries.arrow")) as source:
            return pa.ipc.open_file(source).read_all()

    @cached_property
    def nodes(self) -> ByteRows:
        return np.memmap(self.path / "tree.bin", dtype=np.uint8, mode="r").reshape(-1, 32)


def find_batches(store: Path, operator_id: int, period: int) -> list[StoredBatch]:
    """All batches of an operator's period in the store, by region and sequence."""
    home = store / str(operator_id) / str(period)
    require_whole(home)
    found = [
        StoredBatch.open(file.parent) for file in home.glob("*/batch.json") if file.parent.name[0] != "."
    ]
    return sorted(found, key=lambda batch: (batch.id.region, batch.id.sequence))
