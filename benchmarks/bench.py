"""`./run bench`: Billproof beside other libraries and beside a naive program, in one run, on the same input.

Competitors take turns, each measurement in a process of its own, and all who build the same thing must give
the same answer. Figures go to out/bench.json; a full run also rewrites docs/performance.md and its plots.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import batching
import machine
import report
from processes import HERE, ROOT, Failed, node, python, say

Runs = list[dict[str, Any]]


@dataclass(frozen=True)
class Scale:
    """How much is measured. ``limit``: the most seconds that a library may be expected to take for a tree."""

    messages: int = 4_000_000
    rounds: int = 5
    leaves: Sequence[int] = (10_000, 100_000, 300_000, 1_000_000)
    limit: float = 90
    against_naive: Sequence[int] = (10_000, 100_000, 1_000_000)
    growth: Sequence[int] = (100_000, 1_000_000, 3_000_000, 10_000_000)
    repeat: int = 3
    rated: int = 3_000_000
    cleared: int = 1_000_000
    proofs: bool = True


QUICK = Scale(
    messages=100_000,
    rounds=3,
    leaves=(10_000, 100_000),
    limit=5,
    against_naive=(10_000, 100_000),
    growth=(100_000,),
    repeat=2,
    rated=300_000,
    cleared=50_000,
    proofs=False,
)

#: What takes longer than this many seconds is measured once.
LONG = 20
PROOFS = 200


@dataclass(frozen=True)
class Library:
    """A competitor of trees.py or trees.mjs. ``same``: it builds OpenZeppelin's construction."""

    name: str
    package: str
    run: Callable[..., dict[str, Any]]
    script: str
    same: bool = True


LIBRARIES = (
    Library("billproof", "Billproof", python, "trees.py"),
    Library("billproof-warm", "Billproof, kernel loaded before", python, "trees.py"),
    Library("python-loop", "Python loop, safe-pysha3", python, "trees.py"),
    Library("pymerkle-memory", "pymerkle, InmemoryTree", python, "trees.py", same=False),
    Library("pymerkle-sqlite", "pymerkle, SqliteTree in memory", python, "trees.py", same=False),
    Library("merkletreejs", "merkletreejs", node, "trees.mjs"),
    Library("openzeppelin", "@openzeppelin/merkle-tree", node, "trees.mjs"),
)


def keccak(scale: Scale) -> dict[str, Any]:
    """The kernel and the single-call libraries, in one process that is warm."""
    say(f"keccak: {scale.messages:,} messages, {scale.rounds} rounds")
    return python("kernels.py", "--messages", scale.messages, "--rounds", scale.rounds)


def trees(scale: Scale, home: Path) -> dict[str, Any]:
    """Every library at every size, until it is too slow for the next one."""
    rows: list[dict[str, Any]] = []
    left_out: list[dict[str, Any]] = []
    for count in scale.leaves:
        file = home / "leaves"
        file.write_bytes(random.Random(count).randbytes(32 * count))  # noqa: S311 - the same in every run
        runs: dict[str, Runs] = {library.name: [] for library in LIBRARIES}
        for turn in range(scale.repeat):
            for library in LIBRARIES:
                before = runs[library.name]
                if any(_bars(note, library, count) for note in left_out):
                    continue
                if turn and before[0]["build seconds"] > LONG:
                    continue
                say(f"trees: {count:,} leaves, {library.name}, {turn + 1} of {scale.repeat}")
                try:
                    arguments = (library.name, file, PROOFS)
                    before.append(library.run(library.script, *arguments, limit=5 * scale.limit))
                except Failed as error:
                    left_out.append({"library": library.package, "leaves": count, "why": str(error)})
                    before.clear()
        _agree(f"trees of {count:,} leaves", [run for lib in LIBRARIES if lib.same for run in runs[lib.name]])
        for library in LIBRARIES:
            if runs[library.name]:
                about = {"library": library.package, "name": library.name, "same": library.same}
                rows.append({**about, "leaves": count, "runs": runs[library.name]})
        left_out += _too_slow(scale, rows, count)
    return {"limit": scale.limit, "proofs": PROOFS, "rows": rows, "left out": left_out}


def _bars(note: dict[str, Any], library: Library, count: int) -> bool:
    """Whether a library is left out at a size: it failed there, or is too slow from there on."""
    at_it = note["leaves"] <= count if note.get("from there on") else note["leaves"] == count
    return at_it and bool(note["library"] == library.package)


def _too_slow(scale: Scale, rows: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Which libraries would take too long at the next size, at the pace of this one."""
    following = next((size for size in scale.leaves if size > count), None)
    notes = []
    for row in rows:
        if following and row["leaves"] == count:
            seconds = statistics.median(run["build seconds"] for run in row["runs"]) * following / count
            if seconds > scale.limit:
                why = f"{seconds:.0f} s to be expected"
                note = {"library": row["library"], "leaves": following, "why": why, "from there on": True}
                notes.append(note)
    return notes


def end_to_end(scale: Scale, home: Path) -> dict[str, Any]:
    """The package and the naive program from CSV to a durable store, on the same files and secrets."""
    rows = []
    for count in scale.against_naive:
        month = _month(home, count)
        place = home / "end-to-end"
        ours: Runs = []
        naive: Runs = []
        for turn in range(scale.repeat):
            say(f"CSV to store: {count:,} records, {turn + 1} of {scale.repeat}")
            ours.append(python("batching.py", "--one", "--files", month, "--store", place))
            if turn == 0 or naive[0]["seconds"] <= LONG:
                paths = ("--files", month, "--store", place, "--secrets", place / "secrets")
                naive.append(python("naive.py", *paths))
        _agree(f"batches of {count:,} records", [*ours, *naive], ("root",))
        rows.append({"records": ours[0]["records"], "billproof": ours, "naive": naive})
        shutil.rmtree(place)
    return {"rows": rows}


def growth(scale: Scale, home: Path) -> dict[str, Any]:
    """The package alone, and how fast the disk is meanwhile."""
    months = {count: _month(home, count) for count in scale.growth}
    runs: dict[int, Runs] = {count: [] for count in months}
    for turn in range(scale.repeat):
        for count, month in months.items():
            say(f"batching: {count:,} records, {turn + 1} of {scale.repeat}")
            place = home / "growth"
            place.mkdir()
            disk = batching.disk_speed(place)
            run = python("batching.py", "--one", "--files", month, "--store", place)
            runs[count].append({**run, "disk MB/s": disk})
            shutil.rmtree(place)
    return {"rows": [{"records": of[0]["records"], "runs": of} for of in runs.values()]}


def rating(scale: Scale) -> dict[str, Any]:
    """The rating engine and the naive rater of the tests, who must agree."""
    say(f"rating: {scale.rated:,} records, {scale.rounds} rounds")
    return python("rating.py", scale.rated, "--rounds", scale.rounds)


def clearing(scale: Scale) -> dict[str, Any]:
    """Two partners' books of the same traffic, and a matcher of dictionaries beside."""
    say(f"clearing: two books of {scale.cleared:,} records, {scale.repeat} rounds")
    return python("clearing.py", scale.cleared, "--rounds", scale.repeat, "--naive")


def proofs() -> dict[str, Any]:
    """What proofs.py says of proofs and receipts."""
    say("proofs and receipts from a stored batch")
    return python("proofs.py")


def _month(home: Path, count: int) -> Path:
    place = home / str(count)
    if not place.exists():
        say(f"simulating {count:,} records")
        place.mkdir()
        batching.simulate(place, count)
    return place / "month"


def _agree(what: str, runs: Runs, figures: Sequence[str] = ("root", "proofs")) -> None:
    """Refuses figures of competitors that disagree; proofs count only where a library stands by its own."""
    for figure in figures:
        if len({run[figure] for run in runs if figure == "root" or not run.get("refused")}) != 1:
            raise SystemExit(f"{what}: the competitors' {figure} differ")


def measure(scale: Scale, target: Path) -> None:
    """All figures into one file, written again after every part."""
    figures: dict[str, Any] = {
        "long": LONG,
        "machine": machine.describe(),
        "versions": machine.versions(),
        "rating": None,
        "clearing": None,
        "proofs": None,
    }
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=target.parent) as home:
        parts: dict[str, Callable[[], Any]] = {
            "keccak": lambda: keccak(scale),
            "trees": lambda: trees(scale, Path(home)),
            "end to end": lambda: end_to_end(scale, Path(home)),
            "growth": lambda: growth(scale, Path(home)),
            "rating": lambda: rating(scale),
            "clearing": lambda: clearing(scale),
        }
        if scale.proofs and (HERE / "proofs.py").exists():
            parts["proofs"] = proofs
        for name, part in parts.items():
            figures[name] = part()
            target.write_text(json.dumps(figures, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="about a minute, small sizes; writes no document"
    )
    parser.add_argument("--write", action="store_true", help="write docs/performance.md after --quick too")
    parser.add_argument("--report", action="store_true", help="measure nothing: write it from out/bench.json")
    given = parser.parse_args()
    target = ROOT / "out/bench.json"
    if not given.report:
        measure(QUICK if given.quick else Scale(), target)
    figures = json.loads(target.read_text())
    report.show(figures)
    if given.write or not given.quick:
        for path in report.write(figures):
            say(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
