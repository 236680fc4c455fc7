"""How fast two partners' books are cleared, and what memory it takes; and a naive matcher beside it.

Prints one JSON line. `python benchmarks/clearing.py [RECORDS] [--rounds N] [--naive]`; two threads sort,
everything else is one. Whoever matches is measured in a process of its own, from Parquet files on.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

_SEED = 1
_SIDES = ("ours", "theirs")


def write(records: int, home: Path) -> None:
    """Simulated books with all errors, and the true record of each row."""
    from billproof.simulate.partners import partner_books

    books = partner_books(records, _SEED)
    books.write(home)
    for side, ids in zip(_SIDES, books.ids, strict=True):
        np.save(home / f"{side}.npy", np.concatenate(ids))


def billproof(home: Path) -> dict[str, Any]:
    """Seconds to read and to clear, of the clock and of the processor, and the most memory."""
    from billproof.clearing.agreement.agreement import load_agreement
    from billproof.clearing.books.book import Codes, load_book
    from billproof.clearing.clearing import clear

    agreement, codes = load_agreement(home / "agreement.toml"), Codes()
    start, used = time.perf_counter(), time.process_time()
    books = [load_book(home / side, agreement, codes) for side in _SIDES]
    read = time.perf_counter()
    found = clear(books[0], books[1], agreement, codes)
    end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "pairs": len(found.pairs.ours),
        "causes": len(found.explained.causes),
        "seconds": round(end - start, 2),
        "read_seconds": round(read - start, 2),
        "clear_seconds": round(end - read, 2),
        "processor_seconds": round(time.process_time() - used, 2),
        "records_per_second": round(len(books[0]) / (end - start)),
        "peak_gib": round(peak / (1 << 20), 2),
        "right": _right(home, found.pairs.ours, found.pairs.theirs),
    }


def naive(home: Path) -> dict[str, Any]:
    """The same books by dictionaries: equal service and number, about equal usage, the nearest start."""
    import clearing_naive

    start, used = time.perf_counter(), time.process_time()
    ours, theirs = clearing_naive.match(*(sorted((home / side).iterdir()) for side in _SIDES))
    seconds = time.perf_counter() - start
    return {
        "pairs": len(ours),
        "seconds": round(seconds, 2),
        "processor_seconds": round(time.process_time() - used, 2),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20), 2),
        "right": _right(home, np.array(ours, np.int64), np.array(theirs, np.int64)),
    }


def _right(home: Path, ours: Any, theirs: Any) -> float:
    """The share of records of both books whose true partner was found, in a hundred."""
    ids = [np.load(home / f"{side}.npy") for side in _SIDES]
    both = len(np.intersect1d(*ids))
    return round(100 * np.count_nonzero(ids[0][ours] == ids[1][theirs]) / both, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--naive", action="store_true")
    parser.add_argument("--one", choices=["write", "billproof", "naive"], help="only this, in --home")
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    if given.one == "write":
        write(given.records, given.home)
        return
    if given.one:
        print(json.dumps({"billproof": billproof, "naive": naive}[given.one](given.home)))
        return
    with tempfile.TemporaryDirectory() as home:

        def one(what: str) -> str:
            # in a process of its own, or the memory of one would be measured as another's
            command = [sys.executable, __file__, str(given.records), "--one", what, "--home", home]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout

        one("write")
        kinds = ["billproof", "naive"] if given.naive else ["billproof"]
        runs: dict[str, list[Any]] = {kind: [] for kind in kinds}
        for _ in range(given.rounds):
            for kind in kinds:
                runs[kind].append(json.loads(one(kind)))
    print(json.dumps({"benchmark": "clearing", "records": given.records, **runs}))


if __name__ == "__main__":
    main()
