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

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from billproof.batch_id import BatchId
from billproof.commit import Commitment
from billproof.commitment.keccak import ByteRows, keccak
from billproof.errors import DifferenceError, InputError
from billproof.files import json_bytes, sync
from billproof.leaves import byte_rows
from billproof.records import SCHEMA as RECORDS
from billproof.recovery import lock_directory, period_lock, recover, require_whole
from billproof.statements import totals_by_currency, with_codes

SCHEMA = "billproof/batch/1"
MANIFEST_SCHEMA = "billproof/manifest/1"

#: Rows that one account's records are read with, at least: few, since an account has dozens.
ROW_GROUP = 1 << 12

#: Columns of few different values.
_FEW = [
    *("service", "utc_offset", "billed_usage", "network", "amount", "currency", "rate", "corrects", "source")
]

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
            advice="Restore the batch from a copy. Or move its directory away and run `billproof batch` with"
            " --sequence on the same files again: with the same secrets it gives the same root.",
        )


def find_batches(store: Path, operator_id: int, period: int) -> list[StoredBatch]:
    """All batches of an operator's period in the store, by region and sequence."""
    home = store / str(operator_id) / str(period)
    require_whole(home)
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
    with BatchWriter(store, batch, replace=replace) as writer:
        pyarrow.csv.write_csv(rejects, str(writer.rejects))
        writer.add_records(with_codes(records))
        return writer.finish(commitment, intake, amends=amends, tariff=tariff)


class BatchWriter:
    """A batch directory on its way: everything is written beside its place, and renamed when it is whole.

    Used as a context; whatever is not finished on leaving it is removed, and what a killed process left is
    removed by the next that writes to the period (:func:`recover`). ``home`` is the directory meanwhile,
    for scratch files too: names that begin with a dot are not part of the batch. Errors of the disk are
    raised as :class:`InputError`.
    """

    def __init__(self, store: Path, batch: BatchId, *, replace: bool) -> None:
        self.id = batch
        self.final = store / batch.path
        self.home = self.final.with_name(f".{self.final.name}.{os.getpid()}.partial")
        self.rejects = self.home / "rejects.csv"
        self._replace = replace
        self._lock: int | None = None
        self._made: list[Path] = []
        self._records: pq.ParquetWriter | None = None
        self._file: pa.NativeFile | None = None
        self._count = 0

    def __enter__(self) -> BatchWriter:
        parents = [self.final.parent, *self.final.parent.parents]
        self._made = [path for path in parents if not path.exists()]
        try:
            self.final.parent.mkdir(parents=True, exist_ok=True)
            recover(self.final.parent)
            shutil.rmtree(self.home, ignore_errors=True)
            self.home.mkdir(mode=0o700)
            self._lock = lock_directory(self.home)
        except OSError as error:
            self._leave()
            raise self._failure(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()
        if isinstance(error, OSError):
            raise self._failure(error) from error

    def add_records(self, records: pa.Table) -> None:
        """The next statements' records."""
        if self._records is None:
            self._file = pa.OSFile(str(self.home / "records.parquet"), "wb")
            self._records = pq.ParquetWriter(
                self._file,
                _stored(RECORDS.empty_table()).schema,
                compression="zstd",
                compression_level=1,
                use_dictionary=_FEW,
                write_statistics=False,
                store_schema=False,
            )
        self._records.write_table(_stored(records), row_group_size=ROW_GROUP)
        self._count += records.num_rows

    def finish(
        self, commitment: Commitment, intake: dict[str, Any], *, amends: int, tariff: bytes
    ) -> StoredBatch:
        """Writes what follows from the records, waits for the disk, and gives the batch its place."""
        try:
            if self._records is None:
                self.add_records(RECORDS.empty_table())
            self._close_records()
            for path in self.home.glob(".*"):
                shutil.rmtree(path)
            self._write_rest(commitment, intake, amends=amends, tariff=tariff)
            for path in (*self.home.iterdir(), self.home):
                sync(path)
            self._take_place()
            sync(self.final.parent)
        except OSError as error:
            raise self._failure(error) from error
        self._made = []
        return StoredBatch.open(self.final)

    def _take_place(self) -> None:
        with period_lock(self.final.parent, wait=True):
            self._take_place_alone()

    def _take_place_alone(self) -> None:
        if not (self._replace and self.final.exists()):
            self.home.rename(self.final)
            return
        if (self.final / "anchor.json").exists():
            raise InputError("was anchored while this ran", file=self.final, advice="Use the next sequence.")
        old = self.home.with_suffix(".old")
        self.final.rename(old)
        try:
            self.home.rename(self.final)
        except BaseException:
            old.rename(self.final)
            raise
        shutil.rmtree(old)

    def _write_rest(
        self, commitment: Commitment, intake: dict[str, Any], *, amends: int, tariff: bytes
    ) -> None:
        home, entries = self.home, commitment.entries
        with pa.ipc.new_file(str(home / "entries.arrow"), entries.schema) as writer:
            writer.write_table(entries)
        (home / "tree.bin").write_bytes(np.ascontiguousarray(commitment.nodes).data)
        listing = np.hstack(
            [byte_rows(entries["account_key"], 32), byte_rows(entries["statement"], 32)]
        ).tobytes()
        (home / "manifest.bin").write_bytes(listing)
        common = {
            "batch": batch_fields(self.id),
            "root": "0x" + commitment.root.hex(),
            "amends": str(amends),
            "records": str(self._count),
            "statements": str(entries.num_rows),
        }
        digest = "0x" + keccak(listing).hex()
        manifest = json_bytes(
            {
                "schema": MANIFEST_SCHEMA,
                **common,
                "list": {"file": "manifest.bin", "keccak256": digest},
            }
        )
        totals = totals_by_currency(entries, "total")
        summary = {
            "schema": SCHEMA,
            **common,
            "manifestHash": "0x" + keccak(manifest).hex(),
            "tariff": "0x" + tariff.hex(),
            "totals": {currency: str(total) for currency, total in totals.items()},
        }
        (home / "manifest.json").write_bytes(manifest)
        (home / "batch.json").write_bytes(json_bytes(summary))
        (home / "intake.json").write_bytes(json_bytes(intake))
        (home / "SHA256SUMS").write_bytes(_sums(home))

    def _close_records(self) -> None:
        if self._records is not None:
            records, self._records = self._records, None
            records.close()
        if self._file is not None:
            self._file.close()

    def _leave(self) -> None:
        for _ in range(2):  # the second time closes the file that the first could not write to
            with suppress(OSError):
                self._close_records()
        shutil.rmtree(self.home, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        with suppress(OSError):
            for path in self._made:
                path.rmdir()

    def _failure(self, error: OSError) -> InputError:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return InputError(
                "cannot write the batch: it is there already, perhaps by another run", file=self.final
            )
        return InputError(
            f"cannot write the batch: {os.strerror(error.errno) if error.errno else error}",
            file=self.final,
            advice="Check free space and permissions.",
        )


def _stored(records: pa.Table) -> pa.Table:
    """Coded records as they are written: long dictionaries, which every row group would repeat, undone."""
    for name in ("account", "number"):
        plain = RECORDS.field(name)
        records = records.set_column(RECORDS.get_field_index(name), plain, records[name].cast(plain.type))
    return records


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
