"""A file to read, by its path or as bytes, in pieces or whole, never more than its limit."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from billproof.handset.problems import PhoneLogError

CHUNK = 1 << 18
MAX_WHOLE = 512 << 20
"""Bytes of a file that must be read whole: all formats but XML, which is streamed."""
MAX_STREAM = 16 << 30
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class Source:
    """``content`` is a path, or what a file holds."""

    name: str
    content: Path | bytes

    def head(self, size: int = 65_536) -> bytes:
        """The first bytes."""
        if isinstance(self.content, bytes):
            return self.content[:size]
        with self._open(self.content) as file:
            return file.read(size)

    def chunks(self) -> Iterator[bytes]:
        """All bytes, piece by piece."""
        if isinstance(self.content, bytes):
            for start in range(0, len(self.content), CHUNK):
                yield self.content[start : start + CHUNK]
            return
        total = 0
        with self._open(self.content) as file:
            while piece := file.read(CHUNK):
                total += len(piece)
                if total > MAX_STREAM:
                    raise too_large(self.name, MAX_STREAM)
                yield piece

    def whole(self) -> bytes:
        """All bytes at once."""
        if isinstance(self.content, bytes):
            data = self.content
        else:
            try:
                data = read_file(self.content, MAX_WHOLE)
            except OSError as error:
                raise unreadable(self.name, error) from error
        if len(data) > MAX_WHOLE:
            raise too_large(self.name, MAX_WHOLE)
        return data

    def _open(self, path: Path) -> BinaryIO:
        try:
            return open_file(path)
        except OSError as error:
            raise unreadable(self.name, error) from error


def open_file(path: Path) -> BinaryIO:
    """A file, opened; OSError for a pipe or device, which might never end or answer."""
    return os.fdopen(_opened(path)[0], "rb")


def read_file(path: str | Path, limit: int) -> bytes:
    """What a file holds, or its first ``limit`` + 1 bytes; OSError as of :func:`open_file`.

    Asks the system for a file's size and its bytes, no more: folders of logs hold thousands of small files.
    """
    number, size = _opened(path)
    try:
        pieces: list[bytes] = []
        left = limit + 1
        while left and (piece := os.read(number, min(size + 1, left))):
            pieces.append(piece)
            left -= len(piece)
    finally:
        os.close(number)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _opened(path: str | Path) -> tuple[int, int]:
    """A descriptor, and the file's size."""
    number = os.open(path, _FLAGS)
    about = os.fstat(number)
    if not stat.S_ISREG(about.st_mode):
        os.close(number)
        raise OSError(errno.EINVAL, "not a file")
    return number, about.st_size


def too_large(name: str, limit: int) -> PhoneLogError:
    return PhoneLogError(
        "too-large",
        f"more than {limit >> 20} MiB",
        file=name,
        advice="Export a shorter time, or calls and messages without pictures.",
    )


def unreadable(name: str, error: OSError) -> PhoneLogError:
    return PhoneLogError(
        "unreadable",
        f"cannot be read: {error.strerror or error}",
        file=name,
        advice="Check its name and rights.",
    )
