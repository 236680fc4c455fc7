"""How fast `billproof match --all` lays a whole batch against a folder of phone logs, and what a log costs.

Simulates a month of ``--subscribers`` with their phone logs, or takes the one kept in ``--keep``; runs the
command ``--runs`` times as a process of its own and takes the fastest; then reads all logs once more in this
process, account by account. Prints one line of JSON:

- ``lines``, ``entries``, ``logs``: of the bills that have a log;
- ``seconds``, ``linesPerSecond``: of the whole process, from its start to its end;
- ``cpuSeconds``: of all its processes together. On a machine that does other work too they say more:
  ``linesPerSecondOnTwoCores`` is what two cores of its own would give, were the work divided evenly;
- ``formats``: for each format of log, how many there are, and what reading one takes, with all its rows.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import matching
from processes import environment

from billproof.handset import read_phone_log


def command(home: Path, phones: Path) -> dict[str, Any]:
    """One run of the command: what it says, and the seconds it took."""
    options = {
        "--store": home / "store",
        "--operator": 1,
        "--period": matching.PERIOD,
        "--logs": phones,
        "--out": home / "findings.csv",
    }
    words = [str(word) for option in options.items() for word in option]
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "billproof", "match", "--all", *words, "--force", "--json"],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    seconds, after = time.perf_counter() - start, os.times()
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return {**json.loads(done.stdout), "seconds": seconds, "cpu": cpu}


def formats(phones: Path) -> dict[str, dict[str, int]]:
    """What reading takes, by the formats that an account has."""
    logs: defaultdict[str, int] = defaultdict(int)
    entries: defaultdict[str, int] = defaultdict(int)
    seconds: defaultdict[str, float] = defaultdict(float)
    for folder in sorted(phones.iterdir()):
        start = time.process_time()
        read = read_phone_log(folder)
        took = time.process_time() - start
        name = " + ".join(sorted({log.format for log in read}))
        logs[name] += len(read)
        entries[name] += sum(len(log.entries) for log in read)
        seconds[name] += took
    return {
        name: {
            "logs": count,
            "entries": entries[name],
            "microsecondsPerLog": round(seconds[name] / count * 1e6),
        }
        for name, count in sorted(logs.items())
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--subscribers", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="keep the month there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = given.keep or Path(scratch)
        _, phones, _ = matching.month(home, given.subscribers, given.seed, 0.002)
        runs = [command(home, phones) for _ in range(given.runs)]
        seconds, cpu = min(run["seconds"] for run in runs), min(run["cpu"] for run in runs)
        figures = {
            **{name: runs[0][name] for name in ("lines", "entries", "logs")},
            "seconds": round(seconds, 2),
            "linesPerSecond": round(runs[0]["lines"] / seconds),
            "cpuSeconds": round(cpu, 2),
            "linesPerSecondOnTwoCores": round(2 * runs[0]["lines"] / cpu),
            "formats": formats(phones),
        }
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
