"""Files of one operator and format, with the control totals that a billing system would hand over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import pyarrow as pa

from billproof.simulate.formats import FileFormat
from billproof.simulate.result import CdrFile

#: A file is closed after the block of subscribers that takes it beyond this size.
BYTES_PER_FILE = 256 << 20


@dataclass
class _Open:
    path: str
    handle: BinaryIO
    size: int = 0
    records: int = 0
    rejects: int = 0
    other_periods: int = 0
    amount: int = 0

    @property
    def rows(self) -> int:
        return self.records + self.rejects + self.other_periods


class CdrFiles:
    """Numbered files of one format in one folder. A context manager: leaving writes the last footer."""

    def __init__(self, root: Path, folder: str, file_format: FileFormat) -> None:
        self._root = root
        self._folder = folder
        self._format = file_format
        self._open: _Open | None = None
        self.closed: list[CdrFile] = []

    @property
    def mapping(self) -> str:
        """Path of the mapping file below the simulation's folder."""
        return f"{self._folder}/{self._format.name}.toml"

    def __enter__(self) -> Self:
        (self._root / self.mapping).write_text(self._format.mapping(), encoding="utf-8", newline="\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def append(
        self, rows: pa.StringArray, *, records: int, amount: int, rejects: int = 0, other_periods: int = 0
    ) -> tuple[str, int]:
        """Write rows; ``records`` of them good, with ``amount`` billionths. Gives file and first line."""
        current = self._open or self._start()
        line = self._format.header().count("\n") + current.rows + 1
        _, offsets, octets = rows.buffers()
        if len(rows):
            bounds = memoryview(offsets).cast("i")
            piece = memoryview(octets)[bounds[rows.offset] : bounds[rows.offset + len(rows)]]
            current.size += current.handle.write(piece)
        current.records += records
        current.rejects += rejects
        current.other_periods += other_periods
        current.amount += amount
        if current.size >= BYTES_PER_FILE:
            self._close()
        return current.path, line

    def _start(self) -> _Open:
        name = f"{self._format.name}-{len(self.closed) + 1:03d}.{self._format.extension}"
        path = f"{self._folder}/{name}"
        self._open = _Open(path, (self._root / path).open("wb"))
        self._open.handle.write(self._format.header().encode())
        return self._open

    def _close(self) -> None:
        if self._open is None:
            return
        done, self._open = self._open, None
        done.handle.write(self._format.footer(done.rows).encode())
        done.handle.close()
        self.closed.append(
            CdrFile(
                path=done.path,
                format=self._format.name,
                mapping=self.mapping,
                records=done.records,
                rejects=done.rejects,
                other_periods=done.other_periods,
                amount=done.amount,
                currency=self._format.issuer.currency,
            )
        )
