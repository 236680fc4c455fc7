#!/usr/bin/env python3
"""Work out what a billion and ten billion records a month need, and write it into docs/scaling.md.

The measured figures are below, with the commands that give them; put in your own and run this again.
`--check` fails when the page differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs/scaling.md"
BEGIN, END = "<!-- tools/scaling_table.py writes from here -->", "<!-- to here -->"

#: `benchmarks/spark.py --cores 1`, the workers' processor time: 24 million records against 8 million, so that
#: what a process needs to start is left out (8 against 2 million gives 1.6).
CORE_MICROSECONDS = 2.0
#: The same, at most: the resident memory of one task's process.
TASK_MEMORY_GB = 1.0
#: Bytes a record: CSV, scratch files, store.
INPUT, SCRATCH, STORE = 88.8, 44.0, 24.0
#: The driver's, an account: memory, 720 against 60 thousand; seconds after the records.
DRIVER_BYTES, DRIVER_MICROSECONDS = 620, 3.6
#: The driver's, a record: it writes the records to the store.
WRITE_MICROSECONDS = 0.44
#: `docs/gas.md`: the first batch of a period, one of each further region, and sealing the month.
FIRST, FURTHER, SEAL = 104_863, 87_106, 35_402

#: Assumptions: lines of a statement, records of a batch at most, cores.
LINES = 33.3
BATCH = 1_000_000_000
CORES = (16, 64, 256)
SIZES = (10**9, 10**10)


@dataclass(frozen=True)
class Month:
    """A month of so many records."""

    records: int

    @property
    def batches(self) -> int:
        return -(-self.records // BATCH)

    @property
    def accounts(self) -> float:
        return self.records / LINES

    @property
    def core_hours(self) -> float:
        return self.records * CORE_MICROSECONDS / 3.6e9

    @property
    def driver_hours(self) -> float:
        return (self.accounts * DRIVER_MICROSECONDS + self.records * WRITE_MICROSECONDS) / 3.6e9

    @property
    def gas(self) -> int:
        return FIRST + (self.batches - 1) * FURTHER + SEAL


def table(head: str, rows: Iterator[list[str]] | list[list[str]]) -> Iterator[str]:
    """A Markdown table whose first column is words."""
    yield f"| {head} |"
    yield "|---|" + "---:|" * head.count("|")
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def page() -> Iterator[str]:
    """What stands between the marks."""
    months = [Month(size) for size in SIZES]
    yield ""
    yield from table(
        " | ".join(["records a month", *(f"{month.records:,}" for month in months)]),
        [
            [name, *(form(month) for month in months)]
            for name, form in (
                ("accounts", lambda month: f"{month.accounts / 1e6:,.0f} million"),
                ("batches (regions)", lambda month: f"{month.batches}"),
                ("CSV", lambda month: f"{month.records * INPUT / 1e12:,.2f} TB"),
                ("scratch", lambda month: f"{month.records * SCRATCH / 1e12:,.2f} TB"),
                ("store", lambda month: f"{month.records * STORE / 1e12:,.2f} TB"),
                ("core hours of the cluster", lambda month: f"{month.core_hours:,.1f}"),
                *(
                    (
                        f"minutes of the cluster, {cores} cores",
                        lambda m, cores=cores: f"{60 * m.core_hours / cores:,.1f}",
                    )
                    for cores in CORES
                ),
                ("minutes of the driver, alone", lambda month: f"{60 * month.driver_hours:,.1f}"),
                (
                    f"minutes in all, on {CORES[1]} cores",
                    lambda month: f"{60 * (month.core_hours / CORES[1] + month.driver_hours):,.1f}",
                ),
                (
                    "memory of a driver, a batch at a time",
                    lambda month: f"{month.accounts / month.batches * DRIVER_BYTES / 1e9:,.0f} GB",
                ),
                ("memory of the cluster, a core", lambda month: f"{TASK_MEMORY_GB:.1f} GB"),
            )
        ],
    )
    yield "Anchoring and sealing, a month, in US dollars:"
    yield ""
    prices = [(gwei, ether) for gwei in (1, 5, 20, 100) for ether in (2000, 4000)]
    rollup = [(gwei, ether) for gwei in (0.01, 0.1) for ether in (2000, 4000)]
    yield from table(
        " | ".join(["gas price", "ether", *(f"{m.records:,} records, {m.gas:,} gas" for m in months)]),
        [
            [f"{where}, {gwei} gwei", f"${ether:,}", *(f"{m.gas * gwei * 1e-9 * ether:,.2f}" for m in months)]
            for where, which in (("mainnet", prices), ("rollup", rollup))
            for gwei, ether in which
        ],
    )


def main() -> None:
    """Writes the page, or compares it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when the page differs")
    given = parser.parse_args()
    old = PAGE.read_text()
    head, _, rest = old.partition(BEGIN)
    _, _, tail = rest.partition(END)
    new = f"{head}{BEGIN}\n" + "\n".join(page()) + f"{END}{tail}"
    if given.check:
        sys.exit("docs/scaling.md: run tools/scaling_table.py" if new != old else 0)
    PAGE.write_text(new)


if __name__ == "__main__":
    main()
