"""Times a clearing by Spark on this machine: seconds, processor time, memory of tasks and driver, scratch.

    .venv-spark/bin/python benchmarks/clearing_spark.py --records 2000000 --cores 2

Prints one line of JSON; docs/scaling.md tells it. The time to start Spark is told apart. Linux only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from spark import Watch


def main() -> None:
    """Parses the arguments and clears two books once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--records", type=int, default=2_000_000, help="records of each book")
    parser.add_argument("--cores", type=int, default=2, help="tasks at a time")
    parser.add_argument("--part-records", type=int, default=2_000_000, help="records of both books to a part")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        script = Path(__file__).with_name("clearing.py")
        command = [sys.executable, script, str(given.records), "--one", "write", "--home", home]
        subprocess.run(command, check=True)  # in a process of its own, or its memory would be the driver's
        print(json.dumps(measure(Path(home), given.records, given.cores, given.part_records)))


def measure(home: Path, records: int, cores: int, part_records: int) -> dict[str, Any]:
    """Clears the books there."""
    from billproof.clearing.agreement.agreement import load_agreement
    from billproof.spark.clearing import SparkClearing, Wanted
    from billproof.spark.cluster import Cluster, cluster

    settings = {"spark.master": f"local[{cores}, 4]", "spark.driver.memory": "1g"}
    agreement, jobs, run = load_agreement(home / "agreement.toml"), [], Cluster.run

    def counted(spark: Cluster, work: Any, items: Any) -> Any:
        jobs.append(len(items))
        return run(spark, work, items)

    begin = time.perf_counter()
    with Watch(home, ".spark-*/*") as watch, cluster(settings) as spark:
        spark.run(_warm, list(range(cores)))
        start = time.perf_counter()
        Cluster.run = counted  # type: ignore[method-assign]
        with SparkClearing(settings, str(home), part_records).open(
            Wanted(home / "ours"), Wanted(home / "theirs"), agreement
        ) as opened:
            found = opened.clear(agreement)
        seconds = time.perf_counter() - start
    return {
        "benchmark": "clearing on Spark",
        "records": records,
        "cores": cores,
        "parts": opened.parts,
        "jobs": len(jobs),
        "pairs": found.totals.all.pairs,
        "causes": len(found.causes),
        "seconds to start": round(start - begin, 1),
        "seconds": round(seconds, 1),
        "worker cpu seconds": watch.seconds("worker"),
        "driver cpu seconds": watch.seconds("driver"),
        "java cpu seconds": watch.seconds("java"),
        "worker peak MB": round(watch.memory.get("worker", 0) / 1e6),
        "driver peak MB": round(watch.memory["driver"] / 1e6),
        "scratch MB": round(watch.scratch / 1e6),
    }


def _warm(item: int, attempt: int) -> int:
    import billproof.spark.clearing_tasks

    return len(billproof.spark.clearing_tasks.__name__)


if __name__ == "__main__":
    main()
