"""Times a billing run by Spark on this machine: seconds, cores' time, memory of a task, scratch and store.

    .venv-spark/bin/python benchmarks/spark.py --records 4000000 --cores 2
    .venv-spark/bin/python benchmarks/spark.py --files DIR --cores 1        # as `billproof simulate` wrote it

Prints one line of JSON, from which docs/scaling.md is worked out. The time to start Spark is told apart.
Linux only: processes are watched in /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from batching import BATCH, simulate

_TICK = os.sysconf("SC_CLK_TCK")


class Watch:
    """What the processes that descend from this one use, looked at ten times a second."""

    def __init__(self, scratch: Path, files: str = "*.piece") -> None:
        self.cpu: dict[tuple[str, int], float] = {}
        self.memory: dict[str, int] = {}
        self.scratch = 0
        self._scratch = scratch
        self._files = files
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def seconds(self, kind: str) -> float:
        """Processor seconds of all processes of a kind: java, worker, driver."""
        return round(sum(used for (name, _), used in self.cpu.items() if name == kind), 1)

    def _look(self) -> None:
        while not self._done.wait(0.1):
            parents = {}
            for place in Path("/proc").glob("[0-9]*"):
                try:
                    name, _, rest = (place / "stat").read_text().rpartition(")")
                    fields = rest.split()
                    parents[int(place.name)] = (int(fields[1]), name.partition("(")[2], fields)
                except OSError:
                    continue
            for process in parents:
                if (kind := self._kind(process, parents)) is not None:
                    fields = parents[process][2]
                    self.cpu[kind, process] = (int(fields[11]) + int(fields[12])) / _TICK
                    size = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
                    self.memory[kind] = max(self.memory.get(kind, 0), size)
            pieces = (path.stat().st_size for path in self._scratch.rglob(self._files))
            try:
                self.scratch = max(self.scratch, sum(pieces))
            except OSError:
                continue

    @staticmethod
    def _kind(process: int, parents: dict[int, tuple[int, str, list[str]]]) -> str | None:
        if process == os.getpid():
            return "driver"
        above = process
        while above in parents and above != os.getpid():
            above = parents[above][0]
        if above != os.getpid():
            return None
        return "java" if parents[process][1] == "java" else "worker"


def main() -> None:
    """Parses the arguments and runs one batch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--records", type=int, default=4_000_000, help="records to simulate")
    parser.add_argument("--files", type=Path, help="a directory that `billproof simulate` wrote")
    parser.add_argument("--cores", type=int, default=2, help="tasks at a time")
    parser.add_argument("--slice-mb", type=int, default=128, help="MiB of text to a slice and a part")
    parser.add_argument("--store", type=Path, help="where the store goes, for the time of the run")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.store) as home:
        month = given.files or simulate(Path(home), given.records)
        print(json.dumps(measure(month, Path(home), given.cores, given.slice_mb << 20)))


def measure(month: Path, home: Path, cores: int, slice_bytes: int) -> dict[str, Any]:
    """Batches the files of operator 1 once."""
    from billproof.billing_run import Input, batch
    from billproof.spark.cluster import cluster
    from billproof.spark.engine import SparkEngine

    files = sorted((month / "cdr/operator-1").glob("*.csv"))
    settings = {"spark.master": f"local[{cores}, 4]", "spark.driver.memory": "1g"}
    steps: dict[str, list[float]] = {}
    begin = time.perf_counter()
    with Watch(home) as watch, cluster(settings) as spark:
        spark.run(lambda item, attempt: len(__import__("billproof.spark.tasks").__name__), list(range(cores)))
        start = time.perf_counter()
        result = batch(
            [Input("csv", files, files[0].with_name("csv.toml"))],
            **BATCH,
            store=home / "store",
            secrets=home / "secrets",
            engine=SparkEngine(settings, slice_bytes=slice_bytes, part_bytes=slice_bytes),
            progress=lambda step, _: steps.setdefault(step, []).append(time.perf_counter() - start),
        )
        seconds = time.perf_counter() - start
    size = sum(file.stat().st_size for file in (home / "store").rglob("*") if file.is_file())
    return {
        "records": result.committed,
        "accounts": result.accounts,
        "cores": cores,
        "seconds to start": round(start - begin, 1),
        "seconds": round(seconds, 1),
        "read until": round(steps["read"][-1], 1),
        "parts made until": round(steps["commit"][1], 1),
        "records written until": round(steps["commit"][-1], 1),
        "worker cpu seconds": watch.seconds("worker"),
        "driver cpu seconds": watch.seconds("driver"),
        "java cpu seconds": watch.seconds("java"),
        "worker peak MB": round(watch.memory.get("worker", 0) / 1e6),
        "driver peak MB": round(watch.memory["driver"] / 1e6),
        "input MB": round(sum(file.stat().st_size for file in files) / 1e6),
        "scratch MB": round(watch.scratch / 1e6),
        "store MB": round(size / 1e6),
        "root": (result.root or b"").hex(),
    }


if __name__ == "__main__":
    main()
