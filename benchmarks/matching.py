"""How well bills are told right from wrong: simulated months with errors, matched with their phone logs.

Prints one JSON object: for each kind of error that a phone log can show, how many of those it shows were
found (recall); of those that a log with a deleted history would show alike, how many were found or at least
asked about; how many findings were right (precision); how many subscribers without any error were left alone,
by findings and by questions too; and how fast. ``--seeds`` months of ``--subscribers`` each.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from billproof.cli import cli
from billproof.matching.batch import Totals, match_batches
from billproof.store import StoredBatch, find_batches

PERIOD = 202610
SURE = 80
KINDS = ("phantom", "duplicate", "hung", "duration")
#: What each kind of error may be called by the matcher.
FITTING = {
    "phantom": ("invoice-only", "hung", "duplicate"),
    "duplicate": ("duplicate", "invoice-only"),
    "hung": ("hung", "longer"),
    "duration": ("longer", "hung"),
}


def invoke(*arguments: object) -> None:
    """A command of ours, in this process."""
    done = CliRunner().invoke(cli, [str(word) for word in arguments], catch_exceptions=False)
    if done.exit_code:
        sys.exit(done.output)


def month(home: Path, subscribers: int, seed: int, errors: float) -> tuple[list[StoredBatch], Path, Path]:
    """A simulated month: its batches, the folder of phone logs, and the labels."""
    simulated = home / "month"
    phones = simulated / "phones/operator-1"
    if phones.exists():  # kept from before
        return find_batches(home / "store", 1, PERIOD), phones, simulated / "labels.csv"
    invoke(
        *("simulate", "--subscribers", subscribers, "--period", PERIOD, "--seed", seed, "--out", simulated),
        *("--phone-logs", "--errors", errors),
    )
    invoke(
        *("batch", "--operator", 1, "--period", PERIOD, "--chain-id", 31337),
        *("--store", home / "store", "--secrets", home / "secrets"),
        *("--format", "csv", "--mapping", simulated / "cdr/operator-1/csv.toml"),
        simulated / "cdr/operator-1/csv-001.csv",
    )
    return find_batches(home / "store", 1, PERIOD), phones, simulated / "labels.csv"


class Score:
    """Findings against labels, over months."""

    def __init__(self) -> None:
        self.shown: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.named: Counter[str] = Counter()
        self.right: Counter[str] = Counter()
        self.clean = self.left_alone = self.unasked = 0
        self.to_ask = self.asked = self.questions = self.right_questions = 0
        self.unquestioned: list[dict[str, Any]] = []
        self.sure_named = self.sure_right = self.sure_found = 0
        self.missed: list[dict[str, Any]] = []
        self.false: list[dict[str, Any]] = []

    def add(self, findings: list[dict[str, Any]], labels: list[dict[str, str]], accounts: int) -> None:
        """One month. An account is clean when no line of it is wrong in any way, shown by its log or not."""
        wrong: dict[tuple[str, int], dict[str, str]] = {
            (label["account"], int(label["record"])): label for label in labels
        }
        every = {(found["account"], found["index"]): found for found in findings}
        questions = {key: found for key, found in every.items() if found["reason"] == "unknown"}
        named = {key: found for key, found in every.items() if key not in questions}
        near = defaultdict(set)  # of a duplicate either twin may be named
        for label in labels:
            if label["kind"] == "duplicate":
                at = int(label["record"])
                near[label["account"], at] = {(label["account"], at + step) for step in (-2, -1, 0, 1, 2)}
        twins: set[tuple[str, int]] = set()
        for key, label in wrong.items():
            kind = label["kind"]
            options = near[key] if kind == "duplicate" else {key}
            hits = {
                option
                for option in options
                if option in named and named[option]["class"] in FITTING.get(kind, ())
            }
            if kind == "duplicate":
                twins |= hits
            if kind in KINDS and label["visible"] == "yes":
                self.shown[kind] += 1
                self.found[kind] += bool(hits)
                self.sure_found += any(named[hit]["confidence"] >= SURE for hit in hits)
                if not hits:
                    self.missed.append(label)
            if label["visible"] == "ask":
                self.to_ask += 1
                self.asked += key in every
                if key not in every:
                    self.unquestioned.append(label)
        self.questions += len(questions)
        self.right_questions += sum(wrong.get(key, {}).get("kind") == "phantom" for key in questions)
        for key, found in named.items():
            self.named[found["class"]] += 1
            good = key in twins or (key in wrong and found["class"] in FITTING.get(wrong[key]["kind"], ()))
            self.right[found["class"]] += good
            if found["confidence"] >= SURE:
                self.sure_named += 1
                self.sure_right += good
            if not good:
                self.false.append({**found, "label": wrong.get(key, {}).get("kind")})
        guilty = {account for account, _ in wrong}
        blamed = {account for account, _ in named}
        self.clean += accounts - len(guilty)
        self.left_alone += accounts - len(guilty | blamed)
        self.unasked += accounts - len(guilty | {account for account, _ in every})

    def figures(self) -> dict[str, Any]:
        def share(part: int, whole: int) -> float | None:
            return round(100 * part / whole, 3) if whole else None

        return {
            "recall": {
                kind: {
                    "shown": self.shown[kind],
                    "found": self.found[kind],
                    "percent": share(self.found[kind], self.shown[kind]),
                }
                for kind in KINDS
            },
            "precision": {
                kind: {
                    "named": self.named[kind],
                    "right": self.right[kind],
                    "percent": share(self.right[kind], self.named[kind]),
                }
                for kind in sorted(self.named)
            },
            "recallPercent": share(self.found.total(), self.shown.total()),
            "precisionPercent": share(self.right.total(), self.named.total()),
            "questions": {
                "toAsk": self.to_ask,
                "asked": self.asked,
                "percent": share(self.asked, self.to_ask),
                "all": self.questions,
                "ofPhantoms": self.right_questions,
            },
            "atConfidence80": {
                "named": self.sure_named,
                "precisionPercent": share(self.sure_right, self.sure_named),
                "recallPercent": share(self.sure_found, self.shown.total()),
            },
            "errorFree": {
                "subscribers": self.clean,
                "leftAlone": self.left_alone,
                "percent": share(self.left_alone, self.clean),
                "noQuestionEither": self.unasked,
                "noQuestionPercent": share(self.unasked, self.clean),
            },
        }


def measure(
    subscribers: int, seeds: list[int], errors: float, keep: Path | None = None
) -> tuple[Score, dict[str, Any]]:
    """The score over months, and the figures with the speed."""
    score, totals, seconds = Score(), Totals(), 0.0
    for seed in seeds:
        home = keep / str(seed) if keep else Path(tempfile.mkdtemp())
        try:
            batches, phones, labels = month(home, subscribers, seed, errors)
            start = time.perf_counter()
            findings = []
            accounts = 0
            for found, part in match_batches(batches, phones):
                findings += found.to_pylist()
                totals.add(part)
                accounts += part.bills
            seconds += time.perf_counter() - start
            with labels.open(newline="") as source:
                score.add(findings, list(csv.DictReader(source)), accounts)
        finally:
            if not keep:
                shutil.rmtree(home)
    figures = {
        "subscribers": subscribers * len(seeds),
        "lines": totals.lines,
        "entries": totals.entries,
        **score.figures(),
        "seconds": round(seconds, 2),
        "linesPerSecond": round(totals.lines / seconds),
    }
    return score, figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--subscribers", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--errors", type=float, default=0.002)
    parser.add_argument("--keep", type=Path, help="keep the months there")
    parser.add_argument(
        "--misjudged", type=Path, help="write there what was missed and what was wrongly named"
    )
    given = parser.parse_args()
    score, figures = measure(
        given.subscribers,
        list(range(given.first_seed, given.first_seed + given.seeds)),
        given.errors,
        given.keep,
    )
    if given.misjudged:
        given.misjudged.write_text(
            json.dumps(
                {"missed": score.missed, "unasked": score.unquestioned, "false": score.false}, indent=1
            )
        )
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
