"""Records on their way from the tasks that read files to those that make statements: pieces, by part.

A piece is a scratch file with some records of one input file, those of each part together: one Arrow stream
a part, then where each begins and ends, as ``parts + 1`` little-endian 64-bit integers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billproof.grouping import part_of
from billproof.records import SCHEMA
from billproof.spark.files import File

#: Records as they wait: texts plain, and without their file's name, which is the same for all of a piece.
WAITING = pa.schema(
    [
        field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field
        for field in SCHEMA
        if field.name != "source"
    ]
)
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")
_OFFSET = np.dtype("<i8")


@dataclass(frozen=True)
class Piece:
    """A piece of the input file ``source``; ``first_line`` is what its records' line numbers lack."""

    file: File
    source: str
    size: int
    first_line: int = 0


def write_piece(file: File, source: str, records: Sequence[pa.RecordBatch], parts: int) -> Piece:
    """Writes records of one input file, in its order."""
    table = pa.Table.from_batches([_plain(batch) for batch in records], WAITING).combine_chunks()
    part = np.concatenate([part_of(batch.column("account"), parts) for batch in records])
    return Piece(file, source, write_dealt(file, table, part, parts))


def write_dealt(file: File, table: pa.Table, part: NDArray[np.int64], parts: int) -> int:
    """Writes the rows of each part together, in their order; ``part`` is each row's. The size in bytes."""
    table = table.take(pa.array(np.argsort(part, kind="stable")))
    ends = np.cumsum(np.bincount(part, minlength=parts)).tolist()
    offsets = np.zeros(parts + 1, _OFFSET)
    with file.write() as stream:
        for at, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            if end > start:
                with pa.ipc.new_stream(stream, table.schema, options=_OPTIONS) as writer:
                    writer.write_table(table.slice(start, end - start))
            offsets[at + 1] = stream.tell()
        stream.write(offsets.tobytes())
        return int(stream.tell())


def read_part(pieces: Sequence[Piece], part: int, parts: int) -> pa.Table:
    """All records of a part, in the order of the pieces; texts may be plain or codes."""
    tables = [table for piece in pieces if (table := _read(piece, part, parts)) is not None]
    if not tables:
        return SCHEMA.empty_table()
    return pa.concat_tables(tables)


def read_dealt(file: File, size: int, part: int, parts: int) -> pa.Table | None:
    """The rows of a part, as :func:`write_dealt` wrote them; None if there are none."""
    with file.open() as stream:
        index = stream.read_at(2 * _OFFSET.itemsize, size - (parts + 1 - part) * _OFFSET.itemsize)
        start, end = np.frombuffer(index, _OFFSET).tolist()
        if start == end:
            return None
        content = stream.read_at(end - start, start)
    return pa.ipc.open_stream(content).read_all()


def _read(piece: Piece, part: int, parts: int) -> pa.Table | None:
    table = read_dealt(piece.file, piece.size, part, parts)
    if table is None:
        return None
    lines = pa.array(table["line"].to_numpy() + piece.first_line)
    table = table.set_column(table.schema.get_field_index("line"), WAITING.field("line"), lines)
    codes = pa.array(np.zeros(table.num_rows, np.int32))
    source = pa.DictionaryArray.from_arrays(codes, pa.array([piece.source], pa.string()))
    return table.append_column(SCHEMA.field("source"), source).select(SCHEMA.names)


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [batch.column(field.name).cast(field.type) for field in WAITING]
    return pa.record_batch(columns, schema=WAITING)


def write_table(file: File, table: pa.Table) -> File:
    """Writes a table as an Arrow stream."""
    with file.write() as stream, pa.ipc.new_stream(stream, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table)
    return file


def read_batches(file: File) -> Iterator[pa.RecordBatch]:
    """The batches of a table written by :func:`write_table`."""
    with file.open() as stream, pa.ipc.open_stream(stream) as reader:
        yield from reader
