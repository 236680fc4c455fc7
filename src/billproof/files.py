"""Files that are never half-written: written beside, synced, renamed; JSON in one canonical form."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from billproof.errors import InputError


def json_bytes(document: Any) -> bytes:
    """The document as UTF-8 JSON, indented, with a newline at the end."""
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def write_file(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replaces ``path`` in one step: a reader sees the old content or the new, also after a crash."""
    with replacing(path, mode=mode) as partial:
        partial.write_bytes(content)


@contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[Path]:
    """A path to write to, beside ``path``; on leaving without an error it is synced and takes its place."""
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_native_id()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)  # of a process that died and had the same id
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
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


def sync(path: Path) -> None:
    """Waits until the file or directory is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
