"""Files on any file system that pyarrow can name, by path or URI: what the tasks of a run read and write."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from pyarrow import fs

from billproof.errors import InputError
from billproof.printable import printable

#: Characters of a warning.
_LONGEST = 4000


@dataclass(frozen=True)
class File:
    """A file by its URI or absolute path; ``shown`` is how the user named it.

    It opens as a :class:`~pathlib.Path` does, which is all that intake asks of its files.
    """

    uri: str
    shown: str

    @classmethod
    def named(cls, text: str | Path) -> File:
        """From what the user wrote: a URI, or a path on this machine or one that all machines mount."""
        shown = str(text)
        return cls(shown if "://" in shown else str(Path(shown).absolute()), shown)

    def __str__(self) -> str:
        return self.shown

    @cached_property
    def _place(self) -> tuple[fs.FileSystem, str]:
        try:
            found: tuple[fs.FileSystem, str] = fs.FileSystem.from_uri(self.uri)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise InputError(
                f"cannot be reached: {error}", file=self.shown, advice="check the URI and its credentials"
            ) from error
        return found

    def __getstate__(self) -> dict[str, str]:
        return {"uri": self.uri, "shown": self.shown}

    @property
    def name(self) -> str:
        return posixpath.basename(self._place[1])

    def open(self, mode: str = "rb") -> Any:
        """For reading."""
        system, path = self._place
        return system.open_input_file(path)

    def write(self) -> Any:
        """Opens it for writing; what is written may be seen when it is closed."""
        system, path = self._place
        return system.open_output_stream(path)

    def is_file(self) -> bool:
        return bool(self._info.type == fs.FileType.File)

    def stat(self) -> Any:
        """Its size, as ``st_size``."""
        return SimpleNamespace(st_size=self._info.size)

    @property
    def state(self) -> tuple[int, int]:
        """Size and time of change; :class:`InputError` when it is not there."""
        info = self._info
        if info.type == fs.FileType.NotFound:
            raise InputError("cannot read: No such file or directory", file=self.shown)
        return info.size or 0, info.mtime_ns or 0

    @property
    def _info(self) -> fs.FileInfo:
        system, path = self._place
        try:
            return system.get_file_info(path)
        except OSError as error:
            raise InputError(f"cannot read: {error.strerror or error}", file=self.shown) from error

    def listed(self) -> Sequence[File]:
        """Itself, or the files in it if it is a directory: by name, without those that begin with . or _."""
        if self._info.type != fs.FileType.Directory:
            return [self]
        system, path = self._place
        inside = sorted(
            (info for info in system.get_file_info(fs.FileSelector(path)) if info.base_name[0] not in "._"),
            key=lambda info: info.base_name,
        )
        for info in inside:
            if not info.is_file:
                raise InputError(
                    f"holds the directory {info.base_name}", file=self.shown, advice="name each directory"
                )
        return [self / info.base_name for info in inside]

    def __truediv__(self, name: str) -> File:
        shown = f"{self.shown.rstrip('/')}/{name}"
        if "://" not in self.uri:
            return File(f"{self.uri.rstrip('/')}/{name}", shown)
        head, mark, query = self.uri.partition("?")
        return File(f"{head.rstrip('/')}/{quote(name, safe='')}{mark}{query}", shown)

    def make_directory(self) -> None:
        """Makes it a directory that is not there yet; on a local file system for its owner alone."""
        system, path = self._place
        if self._info.type != fs.FileType.NotFound:
            raise InputError("is there already", file=self.shown, advice="Name a new directory.")
        try:
            system.create_dir(path)
            if isinstance(system, fs.LocalFileSystem):
                Path(path).chmod(0o700)
        except OSError as error:
            raise InputError(f"cannot make the directory: {error}", file=self.shown) from error

    def rename(self, name: str) -> None:
        """Gives it another name in its directory."""
        system, path = self._place
        system.move(path, posixpath.join(posixpath.dirname(path), name))

    @contextmanager
    def as_directory(self) -> Iterator[None]:
        """Makes it a directory, for the time of the context; on a local file system for its owner alone.

        What cannot be deleted afterwards is named on standard error: it holds call records.
        """
        system, path = self._place
        try:
            system.create_dir(path)
            if isinstance(system, fs.LocalFileSystem):
                Path(path).chmod(0o700)
        except OSError as error:
            raise InputError(
                f"cannot make the directory for scratch files: {error}",
                file=self.shown,
                advice="Name another place with --scratch.",
            ) from error
        try:
            yield
        finally:
            try:
                system.delete_dir(path)
            except FileNotFoundError:
                pass
            except (pa.ArrowException, OSError) as error:
                said = printable(f"{self.shown} ({error})", _LONGEST)
                print(f"warning: scratch files with call records are left; delete {said}", file=sys.stderr)


class ByteRange:
    """Some bytes of a file behind a few that come first, to be read like a file; counts the line ends."""

    def __init__(self, file: File, head: bytes, start: int, stop: int) -> None:
        self.lines = 0
        self.name = file.name
        self._file = file
        self._head = head
        self._start = start
        self._stop = stop

    def __str__(self) -> str:
        return str(self._file)

    def is_file(self) -> bool:
        return True

    def stat(self) -> Any:
        """Its size, as ``st_size``."""
        return SimpleNamespace(st_size=len(self._head) + self._stop - self._start)

    @contextmanager
    def open(self, mode: str = "rb") -> Iterator[_Stream]:
        """For reading."""
        with self._file.open() as stream:
            opened = _Stream(stream, self._head, self._start, self._stop)
            yield opened
            self.lines = opened.lines


class _Stream:
    """Reads a :class:`ByteRange`; can be told to start again."""

    def __init__(self, file: Any, head: bytes, start: int, stop: int) -> None:
        self._file = file
        self._all = head
        self._start = start
        self._stop = stop
        self.seek(0)

    def seek(self, position: int) -> int:
        if position:
            raise ValueError("only to the start")
        self._head = self._all
        self.lines = 0
        return int(self._file.seek(self._start))

    def tell(self) -> int:
        return int(self._file.tell())

    def read(self, size: int) -> bytes:
        if self._head:
            piece, self._head = self._head[:size], self._head[size:]
            return piece
        found: bytes = self._file.read(min(size, self._stop - self._file.tell()))
        self.lines += found.count(b"\n")
        return found
