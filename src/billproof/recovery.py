"""What a killed process leaves of a directory or file, and how the next one finds that nobody uses it.

A directory being written is ``.NAME.PID.partial`` and locked by its writer; ``.NAME.PID.old`` is a batch
that is being replaced. A file being written is ``.NAME.PID-THREAD.partial``, locked too. The system drops a
lock with the process that held it, however that ended.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from billproof.errors import InputError

#: The name of a batch's directory: region and sequence.
_NAME = re.compile(r"[0-9]+-[0-9]+")

#: The name of a file that :func:`billproof.files.replacing` has not finished.
_PARTIAL = re.compile(r"\..+\.[0-9]+-[0-9]+\.partial")


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


def clear(directory: Path) -> None:
    """Removes files that killed processes left half-written in a directory, where it may.

    Where files cannot be locked, nobody can say who left them, and they stay.
    """
    try:
        left = [entry.name for entry in os.scandir(directory) if _PARTIAL.fullmatch(entry.name)]
    except OSError:
        return
    for path in (directory / name for name in left):
        with suppress(OSError, ImportError), _taken(path) as free:
            if free and path.is_file():
                path.unlink(missing_ok=True)


@contextmanager
def _taken(partial: Path) -> Iterator[bool]:
    """Whether no process writes to the directory or file; if so, none does meanwhile."""
    try:
        lock = lock_path(partial)
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


def lock_path(path: Path) -> int:
    """Locks a directory or file while the handle is open; ``BlockingIOError`` when another process has it."""
    import fcntl  # operators run POSIX; verifiers need not

    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(handle)
        raise
    return handle


def create_locked(path: Path, mode: int) -> list[int]:
    """Creates a file that :func:`clear` leaves alone as long as the handle is open, where there are locks."""
    while True:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            import fcntl  # operators run POSIX; verifiers need not

            fcntl.flock(handle, fcntl.LOCK_EX)
        except (ImportError, OSError):
            os.close(handle)
            return []
        if os.fstat(handle).st_nlink:
            return [handle]
        os.close(handle)  # it was cleared away before it was locked


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
