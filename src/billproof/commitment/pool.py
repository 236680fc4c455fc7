"""Slices of a column on all cores. The work must leave Python's lock, as compiled code and numpy do."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

#: Environment variable that limits the threads of a process, for instance where Spark starts one per core.
THREADS_VARIABLE = "BILLPROOF_THREADS"

_pool: ThreadPoolExecutor | None = None


def threads() -> int:
    """How many threads work at once: as the environment says, else one for each core we may use."""
    said = os.environ.get(THREADS_VARIABLE, "")
    if said.isdigit() and int(said) > 0:
        return int(said)
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def over(count: int, size: int, work: Callable[[int, int], None]) -> None:
    """Calls ``work(start, stop)`` on slices that cover ``range(count)``, ``size`` or fewer to each.

    More than one slice is divided evenly among the threads, so that none of them waits for the last.
    Returns when all are done; the first error that a slice raised is raised again. Work must not call
    this function itself.
    """
    if count > size and threads() > 1:
        rounds = -(-count // (size * threads()))
        size = -(-count // (rounds * threads()))
    slices = [(start, min(start + size, count)) for start in range(0, count, size)]
    if len(slices) <= 1 or threads() == 1:
        for start, stop in slices:
            work(start, stop)
        return
    for done in [_executor().submit(work, start, stop) for start, stop in slices]:
        done.result()


def _executor() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(threads(), thread_name_prefix="billproof-hash")
    return _pool


def _forget() -> None:
    """A forked child has none of its parent's threads."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
