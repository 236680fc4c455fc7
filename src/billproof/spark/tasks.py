"""What the tasks of a run do, each in a Python process of some machine: read a slice, make a part."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billproof.amendment import require_amending
from billproof.commit import root_statements
from billproof.engine import Figures
from billproof.intake import REJECTS, open_reader
from billproof.intake.again import texts_at
from billproof.intake.delimited import DelimitedReader, WithinRow
from billproof.intake.engine import Chunk, Engine
from billproof.intake.parquet import ParquetReader
from billproof.intake.rows import Rows
from billproof.intake.source import BLOCK, unreadable
from billproof.leaves import fixed_binary
from billproof.secret_store import BatchSecret
from billproof.spark.files import ByteRange, File
from billproof.spark.pieces import Piece, read_part, write_piece, write_table
from billproof.spark.slices import DigestOf, Slice, row_start
from billproof.statements import arrange

#: Records in memory before a piece of them is written: some 200 MB.
_PIECE = 1 << 20

#: What is left of a part's statements when their records are hashed.
ROOTED = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("currency", pa.string(), nullable=False),
        pa.field("first", pa.int64(), nullable=False),
        pa.field("count", pa.int64(), nullable=False),
        pa.field("total", pa.int64(), nullable=False),
        pa.field("root", pa.binary(32), nullable=False),
    ]
)


#: Rows that were looked for.
TEXTS = pa.schema(
    [pa.field("line", pa.int64(), nullable=False), pa.field("text", pa.string(), nullable=False)]
)


@dataclass
class Read:
    """What came of a slice. ``lines``: line ends in its bytes; ``account``: one that has a record."""

    pieces: list[Piece] = field(default_factory=list)
    rejects: File | None = None
    digest: str = ""
    rows: int = 0
    committed: int = 0
    rejected: int = 0
    other_periods: int = 0
    ambiguous: int = 0
    lines: int = 0
    account: str | None = None
    within_row: bool = False

    def count(self, chunk: Chunk) -> None:
        self.rows += chunk.rows
        self.committed += chunk.records.num_rows
        self.rejected += chunk.rejects.num_rows
        self.other_periods += chunk.other_periods
        self.ambiguous += chunk.ambiguous


@dataclass(frozen=True)
class Reading:
    """The first stage: reads slices, deals their records into parts, writes pieces and rejects."""

    scratch: File
    period: int
    parts: int

    def __call__(self, item: Slice | DigestOf, attempt: int) -> Read:
        if isinstance(item, DigestOf):
            return Read(digest=_digest(item.file))
        digest = hashlib.sha256()
        lines, source = _open(item, digest)
        read = Read()
        try:
            self._deal(item, lines, read, f"{attempt}")
        except WithinRow:
            return Read(within_row=True)
        read.lines = source.lines if source else 0
        read.digest = digest.hexdigest() if item.whole else ""
        return read

    def _deal(self, item: Slice, rows: Iterable[Rows], read: Read, name: str) -> None:
        engine, waiting, size = Engine(item.mapping, item.file.name, self.period), [], 0
        with ExitStack() as stack:
            rejects: Any = None
            for some in rows:
                chunk = engine.chunk(some)
                read.count(chunk)
                if chunk.rejects.num_rows:
                    if rejects is None:
                        read.rejects = self.scratch / f"{name}.rejects"
                        stream = stack.enter_context(read.rejects.write())
                        rejects = stack.enter_context(pa.ipc.new_stream(stream, REJECTS, options=_deltas()))
                    rejects.write_batch(chunk.rejects)
                if chunk.records.num_rows:
                    waiting.append(chunk.records)
                    size += chunk.records.num_rows
                if size >= _PIECE:
                    self._write(item, waiting, read, name)
                    waiting, size = [], 0
            if waiting:
                self._write(item, waiting, read, name)

    def _write(self, item: Slice, records: list[pa.RecordBatch], read: Read, name: str) -> None:
        read.account = read.account or records[0].column("account")[0].as_py()
        file = self.scratch / f"{name}.{len(read.pieces)}.piece"
        read.pieces.append(write_piece(file, item.file.name, records, self.parts))


@dataclass(frozen=True)
class Looking:
    """Finds rows of a slice again by their lines, those of its own reading; writes them as :data:`TEXTS`."""

    scratch: File

    def __call__(self, item: tuple[Slice, NDArray[np.int64]], attempt: int) -> File:
        some, lines = item
        file = self.scratch / f"{attempt}.texts"
        with file.write() as stream, pa.ipc.new_stream(stream, TEXTS, options=_deltas()) as writer:
            try:
                for found in texts_at(_open(some, None)[0], lines):
                    writer.write_batch(pa.record_batch([list(found), list(found.values())], schema=TEXTS))
            except WithinRow:
                pass  # the file is another by now: whoever misses the row says so
        return file


def _open(item: Slice, digest: Any) -> tuple[Iterable[Rows], ByteRange | None]:
    """The slice's rows, and its bytes where it is some of a file's."""
    mapping, path = item.mapping, cast(Path, item.file)
    if item.whole:
        return open_reader(path, item.form, mapping, digest), None
    layout = mapping.layout
    if item.form.reader == "parquet":
        groups = range(item.start, item.stop)
        return ParquetReader(path, mapping.columns, strip=layout.dialect.strip, groups=groups), None
    with unreadable(path):
        size = item.file.state[0]
        start = row_start(item.file, item.start, size)
        stop = size if item.last else row_start(item.file, item.stop, size)
    source = ByteRange(item.file, item.head, start, max(start, stop))
    reader = DelimitedReader(
        cast(Path, source), layout, mapping.columns, unlike=mapping.moments, followed=not item.last
    )
    return reader, source


def _deltas() -> pa.ipc.IpcWriteOptions:
    return pa.ipc.IpcWriteOptions(compression="lz4")


def _digest(file: File) -> str:
    digest = hashlib.sha256()
    with unreadable(cast(Path, file)), file.open() as stream:
        while piece := stream.read(BLOCK):
            digest.update(piece)
    return digest.hexdigest()


@dataclass(frozen=True)
class Made:
    """What came of a part: its figures, and where the rest is."""

    figures: Figures
    strays: File | None
    rooted: File | None = None
    records: File | None = None


@dataclass(frozen=True)
class Making:
    """The second stage: makes, counts and, with a ``secret``, hashes the statements of a part.

    ``pieces`` is the file that lists them: what is sent to the tasks stays small, so that Spark keeps it,
    and the secret in it, in memory.
    """

    scratch: File
    pieces: File
    parts: int
    amending: bool
    secret: BatchSecret | None

    def __call__(self, part: int, attempt: int) -> Made:
        statements, strays = arrange(read_part(read_list(self.pieces), part, self.parts))
        figures = Figures.of(statements) if len(statements) else Figures()
        kept = write_table(self.scratch / f"{attempt}.strays", strays) if strays.num_rows else None
        if self.amending:
            require_amending(statements)
        if self.secret is None or len(statements) == 0:
            return Made(figures, kept)
        rooted = root_statements(statements, self.secret.opening_keys(statements.accounts))
        columns = [rooted.accounts, rooted.currencies, rooted.first, rooted.count, rooted.total]
        table = pa.table([*columns, fixed_binary(rooted.roots)], schema=ROOTED)
        return Made(
            figures,
            kept,
            write_table(self.scratch / f"{attempt}.rooted", table),
            write_table(self.scratch / f"{attempt}.records", statements.records),
        )


def write_list(file: File, pieces: list[Piece]) -> File:
    """Writes down which pieces there are, in order of intake."""
    listed = [[piece.file.uri, piece.source, piece.size, piece.first_line] for piece in pieces]
    with file.write() as stream:
        stream.write(json.dumps(listed).encode())
    return file


def read_list(file: File) -> list[Piece]:
    """The pieces of :func:`write_list`."""
    with file.open() as stream:
        listed = json.loads(stream.read())
    return [Piece(File(uri, uri), source, size, line) for uri, source, size, line in listed]
