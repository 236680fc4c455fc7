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
            with self._open(self.content) as file:
                data = file.read(MAX_WHOLE + 1)
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
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError(errno.EINVAL, "not a file")
    return os.fdopen(number, "rb")


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
