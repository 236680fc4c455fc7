"""The file behind the embedded chain: one JSON object a line, appended and synced, never rewritten.

Line 1 is the genesis, every further line a block. A line counts once its newline is on disk: what follows
the last newline is the torn end of a crash, or of a write that goes on right now. Processes take turns by
an exclusive lock around catching up and appending; readers need no lock.
"""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from billproof.errors import InputError
from billproof.ledger.rpc import printable
from billproof.ledger.safe_json import loads

try:
    import fcntl
except ImportError:  # Windows: the chain can be read there, not written
    fcntl = None  # type: ignore[assignment]

_log = logging.getLogger(__name__)

MAX_LINE = 4 * 1024 * 1024
"""Bytes of one line; a block holds at most 30 million gas of transactions."""


class Journal:
    """An append-only JSON lines file, followed from the start.

    Args:
        path: the file; its folder must exist.
        writable: whether ``append`` is allowed; if not, nothing about the file ever changes.
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        self.shown = printable(str(path), 4096)
        """The path for messages."""
        self.writable = writable
        self.line = 0
        """Lines read so far."""
        self._offset = 0
        if writable and fcntl is None:
            raise InputError("this system cannot lock the embedded chain's file", file=self.shown)
        flags = os.O_RDWR | os.O_CREAT if writable else os.O_RDONLY
        flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)  # a pipe would wait for a writer
        try:
            self._file = os.open(path, flags, 0o644)
        except FileNotFoundError:
            raise InputError(
                "there is no embedded chain",
                file=self.shown,
                advice="check the name, or make one: billproof deploy",
            ) from None
        except OSError as error:
            raise InputError(f"cannot be opened: {error.strerror}", file=self.shown) from error
        except ValueError as error:  # a zero byte
            raise InputError("cannot be a file's name", file=self.shown) from error
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            self.close()
            raise InputError("is no file that can hold an embedded chain", file=self.shown)

    def close(self) -> None:
        """Closes the file; a second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Holds the file alone: nobody appends between reading the newest lines and adding one."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def new_lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The complete lines that came since the last call, each with its number from 1.

        Raises:
            InputError: a line is not a JSON object, or the file has become shorter.
        """
        size = os.fstat(self._file).st_size
        if size < self._offset:
            raise InputError(
                "the embedded chain has been cut or replaced while in use",
                file=self.shown,
                advice="restore the file, or start a new chain",
            )
        if size == self._offset:
            return
        text = self._read(size - self._offset)
        for piece in text.splitlines(keepends=True):
            if not piece.endswith(b"\n"):
                return
            number = self.line + 1
            yield number, self._parse(piece, number)
            self._offset += len(piece)
            self.line = number

    def cut_torn_end(self) -> int:
        """Removes what a crash left after the last newline, with a warning; returns its bytes.
        Only within ``turn`` and after ``new_lines``."""
        torn = os.fstat(self._file).st_size - self._offset
        if torn > 0:
            _log.warning(
                "%s: cut %d bytes of an unfinished last line (a crash while writing)", self.shown, torn
            )
            os.ftruncate(self._file, self._offset)
            os.fsync(self._file)
        return torn

    def rewind(self) -> None:
        """``new_lines`` begins again at the start."""
        self._offset = self.line = 0

    def append(self, entry: dict[str, Any]) -> None:
        """Adds one line and syncs it to disk; only within ``turn``."""
        line = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        rest = memoryview(line)
        at = self._offset
        while rest:
            written = os.pwrite(self._file, rest, at)
            at += written
            rest = rest[written:]
        os.fsync(self._file)
        if self.line == 0:
            _sync_folder(self.path.parent)
        self._offset = at
        self.line += 1

    def _read(self, size: int) -> bytes:
        chunks = []
        at = self._offset
        while size > 0 and (chunk := os.pread(self._file, min(size, 1 << 20), at)):
            chunks.append(chunk)
            at += len(chunk)
            size -= len(chunk)
        return b"".join(chunks)

    def _parse(self, piece: bytes, number: int) -> dict[str, Any]:
        try:
            entry = loads(piece) if len(piece) <= MAX_LINE else None
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise InputError(
                "not a line of an embedded chain",
                file=self.shown,
                line=number,
                advice="restore the file from a copy, or start a new chain",
            )
        return entry


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
