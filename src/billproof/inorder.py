"""Work on all cores whose results come in order, few of them at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def in_order(work: Iterable[Callable[[], T]], *, ahead: int | None = None) -> Iterator[T]:
    """The result of each call, in order; at most ``ahead`` (one more than cores) run or wait to be taken.

    The calls run in threads, the iterable is advanced in the caller's. The first error ends it all.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    most = ahead or cores + 1
    waiting: deque[Future[T]] = deque()
    pool = ThreadPoolExecutor(min(cores, most))
    try:
        for call in work:
            waiting.append(pool.submit(call))
            if len(waiting) >= most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
