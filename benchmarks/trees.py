"""One library builds one tree and cuts proofs from it, in this process; :mod:`bench` compares them.

    python benchmarks/trees.py LIBRARY LEAVES_FILE PROOFS

The file holds leaves of 32 bytes, end to end. Prints one line of JSON: the seconds to build the tree from
leaves that are in memory, in the library's own type; microseconds a proof; peak memory; root; a hash of the
proofs.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from processes import peak_memory

STEP = 7919  #: Proofs are asked for leaves 0, STEP, 2 STEP, …, around and around.


class Tree(NamedTuple):
    """What every library answers: its root, and the proof of leaf i."""

    root: bytes
    prove: Callable[[int], Sequence[bytes]]


def billproof(leaves: bytes) -> Callable[[], Tree]:
    import numpy as np

    from billproof.commitment import tree

    rows = np.frombuffer(leaves, np.uint8).reshape(-1, 32)

    def build() -> Tree:
        nodes = tree.build_tree(rows)
        return Tree(nodes[0].tobytes(), lambda leaf: tree.proof_of(nodes, leaf))

    return build


def billproof_warm(leaves: bytes) -> Callable[[], Tree]:
    from billproof.commitment import keccak

    keccak.LOAD_AFTER = -1
    keccak.batch_kernel(1)
    return billproof(leaves)


def python_loop(leaves: bytes) -> Callable[[], Tree]:
    import naive

    rows = _cut(leaves)

    def build() -> Tree:
        nodes = naive.build_tree(rows)
        return Tree(nodes[0], lambda leaf: naive.prove(nodes, leaf))

    return build


def _pymerkle(empty: Callable[[], Any], leaves: bytes) -> Callable[[], Tree]:
    import pymerkle

    rows = _cut(leaves)

    def build() -> Tree:
        tree = empty()
        tree.append_entries(rows)
        root = tree.get_root()
        pymerkle.verify_inclusion(tree.get_leaf(1), root, tree.prove_inclusion(1))
        return Tree(root, lambda leaf: tree.prove_inclusion(leaf + 1).path)

    return build


def pymerkle_memory(leaves: bytes) -> Callable[[], Tree]:
    import pymerkle

    return _pymerkle(lambda: pymerkle.InmemoryTree(algorithm="keccak_256"), leaves)


def pymerkle_sqlite(leaves: bytes) -> Callable[[], Tree]:
    import pymerkle

    return _pymerkle(lambda: pymerkle.SqliteTree(":memory:", algorithm="keccak_256"), leaves)


LIBRARIES: dict[str, Callable[[bytes], Callable[[], Tree]]] = {
    "billproof": billproof,
    "billproof-warm": billproof_warm,
    "python-loop": python_loop,
    "pymerkle-memory": pymerkle_memory,
    "pymerkle-sqlite": pymerkle_sqlite,
}


def measure(library: str, file: Path, proofs: int) -> dict[str, Any]:
    """Builds and proves once."""
    content = file.read_bytes()
    indexes = [at * STEP % (len(content) // 32) for at in range(proofs)]
    build = LIBRARIES[library](content)
    start = time.perf_counter()
    tree = build()
    built = time.perf_counter()
    paths = [tree.prove(index) for index in indexes]
    done = time.perf_counter()
    return {
        "build seconds": built - start,
        "proof microseconds": (done - built) / proofs * 1e6,
        "peak MB": peak_memory(),
        "root": tree.root.hex(),
        "proofs": hashlib.sha256(b"".join(_flat(paths))).hexdigest(),
    }


def _cut(leaves: bytes) -> list[bytes]:
    return [leaves[at : at + 32] for at in range(0, len(leaves), 32)]


def _flat(paths: Iterable[Sequence[bytes]]) -> Iterable[bytes]:
    return (node for path in paths for node in path)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
