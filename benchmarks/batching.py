"""Times a billing run from CSV files to a durable store, with its peak of anonymous memory.

    python benchmarks/batching.py --records 1000000          # simulates the files first
    python benchmarks/batching.py --files DIR                # takes DIR/cdr/operator-1, as simulated before

Prints one line of JSON a run. Linux only: memory is read from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

PER_ACCOUNT = 33.34

#: What every measured batch is called; its files are operator 1's.
BATCH: dict[str, Any] = {
    "operator": 1,
    "period": 202610,
    "chain_id": 31337,
    "ledger": "0x" + "ab" * 20,
}


def main() -> None:
    """Parses the arguments and runs each measurement in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000, help="records to simulate")
    parser.add_argument("--files", type=Path, help="a directory that `billproof simulate` wrote")
    parser.add_argument("--repeat", type=int, default=1, help="runs; the best one counts")
    parser.add_argument("--store", type=Path, help="where the store goes, for the time of the run")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.files, given.store)))
        return
    with tempfile.TemporaryDirectory(dir=given.store) as home:
        files = given.files or simulate(Path(home), given.records)
        print(json.dumps({"disk MB/s": round(disk_speed(Path(home)))}), flush=True)
        for _ in range(given.repeat):
            command = [sys.executable, __file__, "--one", "--files", str(files), "--store", home]
            subprocess.run(command, check=True)


def simulate(home: Path, records: int) -> Path:
    """Writes a month of files of about ``records`` records; returns its directory."""
    subscribers = max(1, round(records / PER_ACCOUNT))
    command = [sys.executable, "-m", "billproof", "simulate", "--subscribers", str(subscribers)]
    command += ["--records", str(PER_ACCOUNT), "--period", str(BATCH["period"]), "--out", str(home / "month")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return home / "month"


def disk_speed(home: Path, size: int = 256 << 20) -> float:
    """MB a second that the disk takes, the wait for it included."""
    block = os.urandom(1 << 20)
    start = time.perf_counter()
    with (home / "speed").open("wb") as stream:
        for _ in range(size >> 20):
            stream.write(block)
        os.fsync(stream.fileno())
    seconds = time.perf_counter() - start
    (home / "speed").unlink()
    return size / seconds / 1e6


def measure(month: Path, home: Path) -> dict[str, float | int | str | None]:
    """Batches the files of operator 1 once; seconds include reading, hashing, writing and syncing.

    The store is removed again; the secrets stay in ``home``, so that the next run gives the same root.
    """
    from billproof.billing_run import Input, batch

    files = sorted((month / "cdr/operator-1").glob("*.csv"))
    steps: dict[str, float] = {}
    peak, done = [0], threading.Event()
    watch = threading.Thread(target=_watch, args=(peak, done))
    start = time.perf_counter()

    def progress(step: str, count: int) -> None:
        steps[step] = round(time.perf_counter() - start, 3)

    watch.start()
    try:
        result = batch(
            [Input("csv", files, files[0].with_name("csv.toml"))],
            **BATCH,
            store=home / "store",
            secrets=home / "secrets",
            progress=progress,
        )
    finally:
        done.set()
        watch.join()
    seconds = time.perf_counter() - start
    size = sum(file.stat().st_size for file in (home / "store").rglob("*") if file.is_file())
    shutil.rmtree(home / "store")
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "records": result.committed,
        "accounts": result.accounts,
        "seconds": round(seconds, 3),
        "read until": steps.get("read"),
        "hashed until": steps.get("commit"),
        "cpu seconds": round(used.ru_utime + used.ru_stime, 2),
        "microseconds per record": round(seconds / result.committed * 1e6, 3),
        "peak anonymous MB": round(peak[0] / 1e3),
        "input MB": round(sum(file.stat().st_size for file in files) / 1e6, 1),
        "store MB": round(size / 1e6, 1),
        "root": (result.root or b"").hex(),
    }


def _watch(peak: list[int], done: threading.Event) -> None:
    """Keeps the largest anonymous resident set, in kB."""
    while not done.wait(0.05):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                peak[0] = max(peak[0], int(line.split()[1]))


if __name__ == "__main__":
    main()
