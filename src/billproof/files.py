"""Files that are never half-written: written beside, synced, renamed; JSON in one canonical form."""

from __future__ import annotations

import json
import os
import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from billproof.errors import InputError
from billproof.recovery import clear, create_locked

#: Files that wait for the disk at the same time: it commits them together.
_WRITERS = 16

#: Deflate's effort: proof files are mostly hashes, of which more effort saves little and takes long.
_FASTEST = 1

#: Directories in which this process has cleared away what others left half-written.
_cleared: set[Path] = set()


def json_bytes(document: Any) -> bytes:
    """The document as UTF-8 JSON, indented, with a newline at the end."""
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


#: A JSON string, or the beginning of one that never ends: it has to match in one go, or time is quadratic.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def nested_deeper(content: bytes, levels: int) -> bool:
    """Whether JSON is nested so deeply that no parser should see it: surely beyond three times ``levels``.

    Python's parser recurses in C, and the Ethereum libraries raise Python's recursion limit so far that a
    file of brackets crashes the process before it meets the limit.
    """
    if content.count(b"[") + content.count(b"{") <= levels:
        return False
    brackets = _STRING.sub(b"", content).translate(None, _NO_BRACKETS)
    for _ in range(levels):
        inner = len(brackets)
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(brackets) == inner:
            break
    return len(brackets) > levels


def write_file(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replaces ``path`` in one step: a reader sees the old content or the new, also after a crash."""
    with replacing(path, mode=mode) as partial:
        partial.write_bytes(content)


def write_new(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Writes a file where none is, wholly or not at all; it is on the disk when this returns.

    Raises:
        InputError: something is there already, or it cannot be written.
    """
    whole = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_native_id()}.new")
    write_file(whole, content, mode=mode)
    try:
        os.link(whole, path)
        sync(path.parent)
    except FileExistsError:
        raise InputError("is there already", file=path, advice="Choose another name.") from None
    except OSError as error:
        raise InputError(
            f"cannot write: {error.strerror}", file=path, advice="Choose a place on a disk that has links."
        ) from error
    finally:
        whole.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[Path]:
    """A path to write to, beside ``path``; on leaving without an error it is synced and takes its place.

    What killed processes have left in the directory goes, once for each process.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_native_id()}.partial")
    if path.exists() and not path.is_file():
        raise InputError(
            "cannot write: it is there and is no file", file=path, advice="Choose another place."
        )
    handles: list[int] = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent not in _cleared:
            _cleared.add(path.parent)
            clear(path.parent)
        partial.unlink(missing_ok=True)  # of a process that died and had the same id
        handles += create_locked(partial, mode)
        yield partial
        sync(partial)
        partial.rename(path)
        sync(path.parent)
    except OSError as error:
        raise InputError(
            f"cannot write: {error.strerror}",
            file=path,
            advice="Check free space and permissions, then run again.",
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        for handle in handles:
            os.close(handle)


def write_files(files: Iterable[tuple[Path, bytes]], *, mode: int = 0o644) -> Iterator[Path]:
    """Writes many files as :func:`write_file` does, side by side; yields each path when it is safe."""
    with ThreadPoolExecutor(_WRITERS) as writers:
        waiting: deque[tuple[Path, Future[None]]] = deque()
        for path, content in files:
            waiting.append((path, writers.submit(write_file, path, content, mode=mode)))
            if len(waiting) > 4 * _WRITERS:
                done, future = waiting.popleft()
                future.result()
                yield done
        for done, future in waiting:
            future.result()
            yield done


def write_archive(path: Path, files: Iterable[tuple[str, bytes]], *, mode: int = 0o644) -> Iterator[str]:
    """Writes files, each a name and its content, as one ZIP archive, in one step as :func:`write_file` does.

    Yields each name when its file is in; the archive takes its place after the last one. The same files give
    the same archive. Members carry ``mode`` too, for unpackers that keep modes.
    """
    from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo  # who verifies does not need it

    with (
        replacing(path, mode=mode) as partial,
        ZipFile(partial, "w") as archive,
    ):
        for name, content in files:
            member = ZipInfo(name)
            member.external_attr = mode << 16
            archive.writestr(member, content, ZIP_DEFLATED, _FASTEST)
            yield name


def sync(path: Path) -> None:
    """Waits until the file or directory is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
