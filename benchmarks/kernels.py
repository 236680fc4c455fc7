"""Keccak-256 by our kernel against libraries that take one message a call, side by side in one process.

    python benchmarks/kernels.py [--messages N] [--rounds N]

Every competitor hashes the same messages, turn and turn about, so that a busy machine slows all of them;
first all have to agree on the hashes. Slow libraries take a tenth of the messages. Prints one line of JSON
with the seconds of each round. Loading the kernel is no part of them and told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import eth_abi
import naive
import numpy as np
import tiny_keccak
from Crypto.Hash import keccak as pycryptodome
from eth_hash.auto import keccak as eth_hash
from numpy.typing import NDArray
from sha3 import keccak_256

from billproof.commitment import keccak, pool, salts, structs, tree

#: What competitors have in common: the same input, and so the same hashes.
MESSAGES, STRUCTS, OTHER = "64-byte messages", "CallRecord structs", "other work of the kernel"
KERNEL = "Billproof's kernel"


@dataclass(frozen=True)
class Work:
    """One competitor: ``work()`` makes ``hashes`` hashes.

    Work that is ``warm`` is done once before each round without being timed: what takes a tenth of a second
    would else be measured by how long the system needs to clear pages that the slow libraries' objects left.
    """

    group: str
    name: str
    hashes: int
    work: Callable[[], Any]
    threads: int = 1
    warm: bool = False

    def seconds(self) -> float:
        os.environ[pool.THREADS_VARIABLE] = str(self.threads)
        if self.warm:
            self.work()
        start = time.perf_counter()
        self.work()
        return time.perf_counter() - start


def libraries(messages: list[bytes]) -> list[Work]:
    """One call for each message."""
    some = messages[: len(messages) // 10]

    def each(name: str, of: list[bytes], work: Callable[[], Any]) -> Work:
        return Work(MESSAGES, name, len(of), work)

    eth_hash(b"")  # it chooses its backend when it is first called
    backend = type(eth_hash.hasher.__self__).__module__.rpartition(".")[2]
    return [
        each("safe-pysha3", messages, lambda: [keccak_256(m).digest() for m in messages]),
        each("tiny-keccak", messages, lambda: [tiny_keccak.keccak256(m) for m in messages]),
        each(
            "pycryptodome", some, lambda: [pycryptodome.new(digest_bits=256, data=m).digest() for m in some]
        ),
        each(f"eth-hash (its default: {backend})", some, lambda: [eth_hash(m) for m in some]),
    ]


def encoders(columns: dict[str, NDArray[Any]]) -> list[Work]:
    """EIP-712 hashes of CallRecords, from plain values, by one encoding and one hash call for each."""
    kinds = ["bytes32", *(kind for kind, _ in structs.CALL_RECORD.fields)]
    count = len(columns["index"]) // 10
    rows = [
        tuple(bytes(value) if value.ndim else int(value) for value in values)
        for values in zip(*(column[:count] for column in columns.values()), strict=True)
    ]
    type_hash = structs.CALL_RECORD.type_hash

    def by_eth_abi() -> list[bytes]:
        return [keccak_256(eth_abi.encode(kinds, (type_hash, *row))).digest() for row in rows]

    def by_hand() -> list[bytes]:
        return [naive.hash_struct(type_hash, *row) for row in rows]

    return [
        Work(STRUCTS, "eth_abi.encode, then safe-pysha3", count, by_eth_abi),
        Work(STRUCTS, "int.to_bytes, then safe-pysha3", count, by_hand),
    ]


def kernel(rows: NDArray[np.uint8], columns: dict[str, NDArray[Any]]) -> list[Work]:
    """The same and more by the kernel, on one thread and on all."""
    count = len(rows)
    hashes = np.ascontiguousarray(rows[:, :32])
    index = np.arange(count)
    trees = np.full(count // 50, 50)
    works: list[tuple[str, str, int, Callable[[], Any]]] = [
        (MESSAGES, KERNEL, count, lambda: keccak.keccak_rows(rows)),
        (STRUCTS, KERNEL, count, lambda: structs.hash_struct(structs.CALL_RECORD, **columns)),
        (OTHER, "sorted pairs", count, lambda: tree.hash_pairs(hashes, rows[:, 32:])),
        (OTHER, "salts", count, lambda: salts.prf(hashes, salts.PEER_SALT, index)),
        (OTHER, "one tree, inner nodes", count - 1, lambda: tree.build_tree(hashes)),
        (
            OTHER,
            "trees of 50 leaves, inner nodes",
            count - len(trees),
            lambda: tree.build_forest(hashes, trees),
        ),
    ]
    return [
        Work(group, name, number, work, threads, warm=True)
        for group, name, number, work in works
        for threads in sorted({1, pool.threads()})
    ]


def measure(count: int, rounds: int) -> dict[str, Any]:
    """Seconds of every competitor in every round; ``count`` is rounded down to whole trees of 50."""
    count = max(count // 50 * 50, 100)
    start = time.perf_counter()
    keccak.LOAD_AFTER = -1
    keccak.batch_kernel(1)
    loading = time.perf_counter() - start
    from billproof.commitment import lanes

    rows = np.random.default_rng(1).integers(0, 256, (count, 64), np.uint8)
    index = np.arange(count)
    columns: dict[str, NDArray[Any]] = {
        "index": index,
        "service": np.ones(count, np.uint8),
        "startedAt": index + 1_790_000_000,
        "utcOffset": np.full(count, 120, np.int16),
        "usage": index,
        "billedUsage": index,
        "peer": np.ascontiguousarray(rows[:, :32]),
        "network": np.ascontiguousarray(rows[:, :8]),
        "amount": index,
        "rate": np.ascontiguousarray(rows[:, 32:]),
        "corrects": np.zeros((count, 32), np.uint8),
    }
    works = [*libraries([bytes(row) for row in rows]), *encoders(columns), *kernel(rows, columns)]
    for group in (MESSAGES, STRUCTS):
        agree([work for work in works if work.group == group])
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, taken in zip(works, seconds, strict=True):
            taken.append(work.seconds())
    rows_of = [
        {"group": w.group, "name": w.name, "threads": w.threads, "hashes": w.hashes, "seconds": taken}
        for w, taken in zip(works, seconds, strict=True)
    ]
    told = {"target": lanes.TARGET[1], "lanes": lanes.LANES, "loading seconds": loading}
    return {"messages": count, **told, "rows": rows_of}


def agree(works: list[Work]) -> None:
    """Refuses to measure what does not give the same hashes."""
    answers = [b"".join(bytes(each) for each in work.work()) for work in works]
    shortest = min(map(len, answers))
    if len({answer[:shortest] for answer in answers}) != 1:
        raise SystemExit(f"the hashes of {', '.join(work.name for work in works)} differ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--messages", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    print(json.dumps(measure(given.messages, given.rounds)))


if __name__ == "__main__":
    main()
