"""What a killed process leaves of a batch directory, and how the next one finds that nobody uses it.

A directory being written is ``.NAME.PID.partial`` and locked by its writer; ``.NAME.PID.old`` is a batch
that is being replaced. The system drops a lock with the process that held it, however that ended.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from billproof.errors import InputError

#: The name of a batch's directory: region and sequence.
_NAME = re.compile(r"[0-9]+-[0-9]+")


def recover(period: Path) -> None:
    """Clears a period's directory of what killed processes left; what it replaced gets its place back."""
    for path in sorted(period.glob(".*.old")):
        with _taken(path.with_suffix(".partial")) as free:
            if free:
                final = period / path.name[1:].rpartition(".")[0].rpartition(".")[0]
                shutil.rmtree(path) if final.exists() else path.rename(final)
    for path in period.glob(".*.partial"):
        with _taken(path) as free:
            if free:
                shutil.rmtree(path)


def require_whole(period: Path) -> None:
    """Refuses a period's directory with a batch that has lost its ``batch.json``: it would not be seen."""
    for path in sorted(period.glob("*-*")) if period.is_dir() else []:
        if _NAME.fullmatch(path.name) and path.is_dir() and not (path / "batch.json").exists():
            raise InputError(
                "a batch without its batch.json", file=path, advice="Restore it from a copy, or move it away."
            )


@contextmanager
def _taken(partial: Path) -> Iterator[bool]:
    """Whether no process writes to the directory; if so, none does meanwhile."""
    try:
        lock = lock_directory(partial)
    except FileNotFoundError:
        yield True
        return
    except BlockingIOError:
        yield False
        return
    try:
        yield True
    finally:
        os.close(lock)


def lock_directory(path: Path) -> int:
    """Locks a directory as long as the handle is open; ``BlockingIOError`` when another process has it."""
    import fcntl  # operators run POSIX; verifiers need not

    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(handle)
        raise
    return handle


@contextmanager
def period_lock(period: Path, *, wait: bool) -> Iterator[None]:
    """Of those who replace or anchor a period's batches one goes on at a time.

    Without ``wait`` the second one gets :class:`InputError`.
    """
    import fcntl  # operators run POSIX; verifiers need not

    handle = os.open(period, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise InputError(
                "another process is at work on this period", file=period, advice="Wait until it has finished."
            ) from None
        yield
    finally:
        os.close(handle)
