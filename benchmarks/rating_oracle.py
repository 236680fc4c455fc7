"""The rating engine against the naive rater of the tests, on drawn tariffs and statements, on all cores.

    python benchmarks/rating_oracle.py --cases 1000000

Prints how many records were compared and how many differ: rates, billed usage, amounts, free usage, statuses,
causes, missing lines, what is left of allowances. Exits with 1 where anything does.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "package" / "tariff"))


def compare(seed: int) -> tuple[int, int, list[str]]:
    """Seed, records compared, differences."""
    from comparing import differences

    count, found = differences(Random(seed), statements=6, most=80)  # noqa: S311 - drawn, not secret
    return seed, count, found


def main() -> int:
    """Compares until there are as many cases as were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000, help="records to compare")
    parser.add_argument("--seed", type=int, default=1, help="of the first tariff; the others follow it")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    compared = tariffs = different = 0
    began = time.monotonic()
    with multiprocessing.Pool(options.processes) as pool:
        seeds = iter(range(options.seed, sys.maxsize))
        while compared < options.cases:
            block = [next(seeds) for _ in range(64 * options.processes)]
            for seed, count, found in pool.imap_unordered(compare, block):
                compared += count
                tariffs += 1
                different += len(found)
                for text in found[:3]:
                    print(f"seed {seed}: {text}")
    seconds = time.monotonic() - began
    print(f"{compared:,} records under {tariffs:,} tariffs in {seconds:.0f} s: {different:,} differences")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
