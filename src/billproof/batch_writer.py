"""Writing a batch into a store: beside its place, then in it, wholly or not at all.

:mod:`billproof.store` says which files there are, and reads them.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from billproof.account_tariffs import TariffFile
from billproof.batch_id import BatchId
from billproof.commit import Commitment
from billproof.commitment.keccak import keccak
from billproof.errors import InputError
from billproof.files import json_bytes, sync
from billproof.leaves import byte_rows
from billproof.records import SCHEMA as RECORDS
from billproof.recovery import lock_path, period_lock, recover
from billproof.statements import totals_by_currency, with_codes
from billproof.store import MANIFEST_SCHEMA, SCHEMA, TARIFFS, StoredBatch
from billproof.sums import write_sums

#: Rows that one account's records are read with, at least: few, since an account has dozens.
ROW_GROUP = 1 << 12

#: Columns of few different values.
_FEW = [
    *("service", "utc_offset", "billed_usage", "network", "amount", "currency", "rate", "corrects", "source")
]


def write_batch(
    store: Path,
    batch: BatchId,
    commitment: Commitment,
    records: pa.Table,
    rejects: pa.Table,
    intake: dict[str, Any],
    *,
    amends: int,
    tariffs: Sequence[TariffFile] = (),
    replace: bool,
) -> StoredBatch:
    """Writes a whole batch directory in one step and returns it. ``replace`` lets it take another's place."""
    with BatchWriter(store, batch, replace=replace) as writer:
        pyarrow.csv.write_csv(rejects, str(writer.rejects))
        writer.add_records(with_codes(records))
        return writer.finish(commitment, intake, amends=amends, tariffs=tariffs)


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
            self._lock = lock_path(self.home)
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
        self,
        commitment: Commitment,
        intake: dict[str, Any],
        *,
        amends: int,
        tariffs: Sequence[TariffFile] = (),
        about: Mapping[str, Any] = MappingProxyType({}),
    ) -> StoredBatch:
        """Writes what follows from the records, waits for the disk, and gives the batch its place.

        ``tariffs`` are the files of the commitment's tariffs, ``about`` goes into ``batch.json`` as it is.
        """
        try:
            if self._records is None:
                self.add_records(RECORDS.empty_table())
            self._close_records()
            for path in self.home.glob(".*"):
                shutil.rmtree(path)
            self._write_tariffs(tariffs)
            self._write_rest(commitment, intake, amends, about)
            for path in (*self.home.rglob("*"), self.home):
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

    def _write_tariffs(self, tariffs: Sequence[TariffFile]) -> None:
        if tariffs:
            (self.home / TARIFFS).mkdir()
        for tariff in tariffs:
            (self.home / TARIFFS / tariff.stored_name).write_bytes(tariff.content)

    def _write_rest(
        self, commitment: Commitment, intake: dict[str, Any], amends: int, about: Mapping[str, Any]
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
            "batch": self.id.fields,
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
            "tariffs": ["0x" + tariff.hex() for tariff in commitment.tariffs],
            "totals": {currency: str(total) for currency, total in totals.items()},
            **about,
        }
        (home / "manifest.json").write_bytes(manifest)
        (home / "batch.json").write_bytes(json_bytes(summary))
        (home / "intake.json").write_bytes(json_bytes(intake))
        write_sums(home)

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
