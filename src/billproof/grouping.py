"""Records by account, out of memory: rows are dealt into parts by a hash of their account number.

All records of an account lie in one part, in order of intake, so that statements are made part by part and
memory depends on the size of a part, not of the batch. One part alone stays in memory; several wait in
files of a directory of the batch's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billproof.leaves import byte_rows, fixed_binary
from billproof.records import SCHEMA
from billproof.statements import Statements, arrange

#: Bytes of CDR files to a part: some 700,000 records. More parts than these would only make small writes.
PART_BYTES = 64 << 20
MOST_PARTS = 256

#: How many times gzip may have shrunk a file, for the estimate.
_GZIP = 12

_CORRECTS = SCHEMA.get_field_index("corrects")
_SOURCE = SCHEMA.get_field_index("source")
_WAITING = SCHEMA.set(_CORRECTS, pa.field("corrects", pa.binary(), nullable=False)).set(
    _SOURCE, pa.field("source", pa.int32(), nullable=False)
)


def parts_for(files: Sequence[Path]) -> int:
    """How many parts the records of these files make."""
    size = 0
    for path in files:
        if path.exists():
            size += path.stat().st_size * (_GZIP if path.suffix == ".gz" else 1)
    return min(max(1, -(-size // PART_BYTES)), MOST_PARTS)


class Grouping:
    """Takes record batches in order of intake, gives statements part by part.

    ``home`` is a directory for the waiting parts, made when it is needed; whoever owns it removes it.
    """

    def __init__(self, home: Path, parts: int) -> None:
        self.parts = parts
        self._home = home
        self._kept: list[pa.RecordBatch] = []
        self._arranged: tuple[Statements, pa.Table] | None = None
        self._files: list[pa.NativeFile] = []
        self._writers: list[pa.RecordBatchStreamWriter] = []
        self._sources: dict[str, int] = {}
        self._lock = Lock()

    def split(self, records: pa.RecordBatch) -> list[pa.RecordBatch]:
        """The records' rows by part, for :meth:`add`; may run in any thread."""
        if self.parts == 1:
            return [records]
        part = part_of(records.column("account"), self.parts)
        order = np.argsort(part, kind="stable")
        dealt = self._waiting(records).take(pa.array(order))
        ends = np.cumsum(np.bincount(part, minlength=self.parts)).tolist()
        return [dealt.slice(start, end - start) for start, end in zip([0, *ends], ends, strict=False)]

    def add(self, pieces: list[pa.RecordBatch]) -> None:
        """Adds what :meth:`split` made of one batch; batches come in order of intake."""
        if self.parts == 1:
            self._kept += pieces
            return
        if not self._writers:
            self._home.mkdir(mode=0o700)
            for part in range(self.parts):
                self._files.append(pa.OSFile(str(self._path(part)), "wb"))
                self._writers.append(pa.ipc.new_stream(self._files[part], _WAITING))
        for writer, piece in zip(self._writers, pieces, strict=True):
            if piece.num_rows:
                writer.write_batch(piece)

    def close(self) -> None:
        """No more records come."""
        for writer, file in zip(self._writers, self._files, strict=True):
            writer.close()
            file.close()

    def __enter__(self) -> Grouping:
        return self

    def __exit__(self, *error: object) -> None:
        for file in self._files:
            with suppress(OSError):
                file.close()

    def arranged(self, part: int, *, last: bool) -> tuple[Statements, pa.Table]:
        """:func:`statements.arrange` of a part's records. ``last``: it is not asked for again."""
        if self.parts > 1:
            return arrange(self._read(part, last=last))
        if self._arranged is None:
            self._arranged = arrange(pa.Table.from_batches(self._kept, SCHEMA))
            self._kept = []
        arranged = self._arranged
        if last:
            self._arranged = None
        return arranged

    def _path(self, part: int) -> Path:
        return self._home / f"{part}.arrow"

    def _waiting(self, records: pa.RecordBatch) -> pa.RecordBatch:
        """The batch as it waits: file names by number, and the usual ``corrects``, none, empty."""
        source = records.column("source")
        with self._lock:
            numbers = [
                self._sources.setdefault(name, len(self._sources)) for name in source.dictionary.to_pylist()
            ]
        columns = records.columns
        columns[_SOURCE] = pa.array(np.array(numbers, np.int32)[source.indices.to_numpy()])
        columns[_CORRECTS] = _without_zeros(records.column("corrects"))
        return pa.record_batch(columns, schema=_WAITING)

    def _read(self, part: int, *, last: bool) -> pa.Table:
        path = self._path(part)
        if not self._writers:
            return SCHEMA.empty_table()
        with pa.memory_map(str(path)) as stream:
            table = pa.ipc.open_stream(stream).read_all()
        if last:
            path.unlink()
        names = pa.array(list(self._sources), pa.string())
        sources = pa.chunked_array(
            [pa.DictionaryArray.from_arrays(chunk, names) for chunk in table["source"].chunks],
            SCHEMA.field("source").type,
        )
        corrects = [_with_zeros(chunk) for chunk in table["corrects"].chunks]
        table = table.set_column(_SOURCE, SCHEMA.field("source"), sources)
        field = SCHEMA.field("corrects")
        return table.set_column(_CORRECTS, field, pa.chunked_array(corrects, field.type)).cast(SCHEMA)


def part_of(accounts: pa.Array, parts: int) -> NDArray[np.unsignedinteger[Any]]:
    """Which part each account's records belong to, (n,): the same everywhere, roughly evenly spread."""
    coded = accounts.dictionary_encode()
    known = (crc32(account.encode()) % parts for account in coded.dictionary.to_pylist())
    places = np.fromiter(known, np.min_scalar_type(parts - 1), len(coded.dictionary))  # small ones sort fast
    result: NDArray[np.unsignedinteger[Any]] = places[coded.indices.to_numpy()]
    return result


def _without_zeros(corrects: pa.FixedSizeBinaryArray) -> pa.BinaryArray:
    rows = byte_rows(corrects, 32)
    some = rows.any(axis=1)
    offsets = np.concatenate(([0], np.cumsum(some * 32))).astype(np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(rows[some].tobytes())]
    return pa.Array.from_buffers(pa.binary(), len(rows), buffers)


def _with_zeros(waiting: pa.BinaryArray) -> pa.FixedSizeBinaryArray:
    size = len(waiting)
    offsets = np.frombuffer(waiting.buffers()[1], np.int32)[waiting.offset : waiting.offset + size + 1]
    rows = np.zeros((size, 32), np.uint8)
    some = np.diff(offsets) > 0
    if some.any():
        data = np.frombuffer(waiting.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
        rows[some] = data.reshape(-1, 32)
    return fixed_binary(rows)
