"""Keccak-256 by our kernel against libraries that take one message a call, side by side in one run.

    python benchmarks/kernels.py [--messages N] [--rounds N]

Every competitor hashes the same messages, turn and turn about, so that a busy machine slows all of them.
Printed are million hashes a second (median, and the range between the quartiles), the best for each second of
processor time, which other programs disturb least, and the ratio of medians to
safe-pysha3. Loading the kernel is not part of it and printed apart.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable

import numpy as np
from sha3 import keccak_256

from billproof.commitment import keccak, pool, salts, structs, tree

Work = Callable[[], object]


def single_call_libraries(messages: list[bytes]) -> dict[str, Work]:
    """One call for each message, by what is installed."""
    works: dict[str, Work] = {"safe-pysha3": lambda: [keccak_256(m).digest() for m in messages]}
    try:
        from Crypto.Hash import keccak as pycryptodome
    except ImportError:
        pass
    else:
        tenth = messages[: len(messages) // 10 or 1]
        works["pycryptodome, a tenth"] = lambda: [
            pycryptodome.new(digest_bits=256, data=m).digest() for m in tenth
        ]
    return works


def measured(works: dict[str, Work], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds, and seconds of processor time, of each work in each round; in a round all take their turn."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            start, busy = time.perf_counter(), time.process_time()
            work()
            seconds[name].append((time.perf_counter() - start, time.process_time() - busy))
    return seconds


def on_threads(number: int, work: Work) -> Work:
    def limited() -> object:
        os.environ[pool.THREADS_VARIABLE] = str(number)
        return work()

    return limited


def show(name: str, hashes: int, seconds: list[tuple[float, float]], reference: float | None = None) -> float:
    """Prints one line, and returns million hashes a second at the median."""
    rates = [hashes / each / 1e6 for each, _ in seconds]
    low, rate, high = statistics.quantiles(rates, n=4) if len(rates) > 1 else rates * 3
    best = hashes / min(busy for _, busy in seconds) / 1e6
    ratio = "" if reference is None else f"{rate / reference:8.1f} x"
    print(f"{name:49}{rate:7.2f}   {low:5.2f} to {high:5.2f}{best:9.2f}{ratio}")
    return rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--messages", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    count: int = options.messages

    started = time.perf_counter()
    keccak.LOAD_AFTER = -1
    keccak.batch_kernel(1)
    from billproof.commitment import lanes

    loading = time.perf_counter() - started
    print(f"{platform.machine()}, {lanes.TARGET[1]}, {lanes.LANES} lanes, {pool.threads()} cores")
    print(f"loading the kernel (from its cache, if it has one): {loading:.2f} s")
    print(f"{count:,} messages, {options.rounds} rounds; million hashes a second\n")
    print(f"{'':49}{'median':>7}   {'quartiles':14}{'per CPU s':>9}")

    random = np.random.default_rng(1)
    rows = random.integers(0, 256, (count, 64), np.uint8)
    messages = [bytes(row) for row in rows]
    hashes = np.ascontiguousarray(rows[:, :32])
    cores = pool.threads()
    index = np.arange(count)
    trees = np.full(max(count // 50, 1), 50)
    leaves = hashes[: int(trees.sum())] if count >= 50 else np.resize(hashes, (50, 32))
    columns = {
        "index": index,
        "service": np.ones(count, np.uint8),
        "startedAt": index + 1_790_000_000,
        "utcOffset": np.full(count, 120, np.int16),
        "usage": index,
        "billedUsage": index,
        "peer": hashes,
        "network": rows[:, :8],
        "amount": index,
        "rate": hashes,
        "corrects": hashes[:1],
    }
    kernels: dict[str, tuple[int, Work]] = {
        "64 bytes": (count, lambda: keccak.keccak_rows(rows)),
        "pairs, sorted": (count, lambda: tree.hash_pairs(hashes, rows[:, 32:])),
        "salts": (count, lambda: salts.prf(hashes, salts.PEER_SALT, index)),
        "records (3 permutations each)": (count, lambda: structs.hash_struct(structs.CALL_RECORD, **columns)),
        "one tree, inner nodes": (count - 1, lambda: tree.build_tree(hashes)),
        "trees of 50, inner nodes": (len(leaves) - len(trees), lambda: tree.build_forest(leaves, trees)),
    }
    singles = single_call_libraries(messages)
    works = dict(singles)
    done = dict.fromkeys(singles, count)
    done["pycryptodome, a tenth"] = count // 10 or 1
    for name, (number, work) in kernels.items():
        for threads in sorted({1, cores}):
            title = f"kernel, {threads} thread{'s' if threads > 1 else ''}: {name}"
            works[title], done[title] = on_threads(threads, work), number
    seconds = measured(works, options.rounds)
    reference = show("safe-pysha3, 64 bytes", count, seconds.pop("safe-pysha3"))
    for name, each in seconds.items():
        show(name, done[name], each, reference)


if __name__ == "__main__":
    main()
