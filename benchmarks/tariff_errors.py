"""How well lines are found that are not what the tariff says: simulated months with errors, priced again.

Prints one JSON object. Months of ``--seeds`` have errors of every kind, in formats that carry all plans and
in several files for each account; one large month has a single kind, one line in 50,000. Every labelled
overcharge and wrong rate must be found with its very amount, and nothing else: phantom, repeated and hung
calls are priced right, however wrong they are, and use up free minutes as real ones do. Months without
errors must have no difference at all. Exit code 1 where that fails.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from billproof.cli import cli

PERIOD = 202610
FORMATS = ("csv", "csv,asterisk,itemised-bill", "csv,freeswitch,ipdr-csv,ipdr-xml", "asterisk,freeswitch")
#: Errors that a tariff can show.
SHOWN = ("overcharge", "tariff")


def invoke(*arguments: object) -> dict[str, Any]:
    """What a command of ours, in this process, prints as JSON."""
    done = CliRunner().invoke(cli, [*map(str, arguments), "--json"], catch_exceptions=False)
    if done.exit_code:
        sys.exit(done.output)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


class Score:
    """Differences against labels, over months."""

    def __init__(self) -> None:
        self.records = self.labelled = self.found = self.invented = self.wrong_amount = self.priced_right = 0
        self.kinds: Counter[str] = Counter()
        self.causes: Counter[str] = Counter()
        self.seconds = {"simulate": 0.0, "batch": 0.0}

    def month(self, home: Path, subscribers: int, seed: int, formats: str, *errors: object) -> None:
        """Simulates a month of two operators, batches it, and compares."""
        simulated = home / "month"
        started = time.perf_counter()
        said = invoke(
            *("simulate", "--operators", 2, "--subscribers", subscribers, "--period", PERIOD),
            *("--seed", seed, "--format", formats, "--out", simulated, *errors),
        )
        self.seconds["simulate"] += time.perf_counter() - started
        labels = []
        if "labels" in said:
            with (simulated / said["labels"]).open(encoding="utf-8", newline="") as stream:
                labels = list(csv.DictReader(stream))
        for operator in said["operators"]:
            number = str(operator["operator"])
            self._compare(
                [label for label in labels if label["operator"] == number],
                self._batch(home, simulated, operator),
            )

    def _batch(self, home: Path, simulated: Path, operator: dict[str, Any]) -> list[dict[str, str]]:
        """The differing lines of an operator's batch."""
        files = operator["files"]
        first = files[0]
        others = [
            word
            for file in files[1:]
            for word in ("--input", file["format"], simulated / file["mapping"], simulated / file["path"])
        ]
        differing = home / f"differences-{operator['operator']}.csv"
        started = time.perf_counter()
        said = invoke(
            *("batch", "--operator", operator["operator"], "--period", PERIOD, "--chain-id", 31337),
            *("--store", home / "store", "--secrets", home / "secrets", "--format", first["format"]),
            *("--mapping", simulated / first["mapping"], *others, simulated / first["path"]),
            *("--tariffs", simulated / operator["tariffs"], "--tariff-differences", "report"),
            *("--differences", differing, "--expect-count", operator["records"]),
        )
        self.seconds["batch"] += time.perf_counter() - started
        self.records += said["committed"]
        if not differing.exists():
            return []
        with differing.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def _compare(self, labels: list[dict[str, str]], differences: list[dict[str, str]]) -> None:
        wrong = {(label["account"], label["record"]): label for label in labels if label["kind"] in SHOWN}
        found = {(line["account"], line["record"]): line for line in differences}
        self.labelled += len(wrong)
        self.priced_right += len(labels) - len(wrong)
        self.found += len(wrong.keys() & found.keys())
        self.invented += len(differences) - len(wrong.keys() & found.keys())
        self.wrong_amount += sum(
            Decimal(wrong[key]["amount"]) != Decimal(found[key]["difference"])
            for key in wrong.keys() & found.keys()
        )
        self.kinds.update(label["kind"] for label in wrong.values())
        self.causes.update(line["cause"] for line in differences)

    @property
    def perfect(self) -> bool:
        return self.found == self.labelled and self.invented == self.wrong_amount == 0

    def document(self) -> dict[str, Any]:
        return {
            "records": self.records,
            "labelled": self.labelled,
            "found": self.found,
            "invented": self.invented,
            "wrongAmount": self.wrong_amount,
            "otherErrorsPricedRight": self.priced_right,
            "kinds": dict(self.kinds),
            "causes": dict(self.causes.most_common()),
            "seconds": {step: round(seconds, 1) for step, seconds in self.seconds.items()},
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8, help="months with errors of every kind")
    parser.add_argument("--subscribers", type=int, default=1000, help="of each of their two operators")
    parser.add_argument("--large", type=int, default=20_000, help="subscribers of each in the large month")
    given = parser.parse_args()
    scores = {"errors 0.002": Score(), "errors 0": Score(), "errors 0.00002, overcharge": Score()}
    for seed in range(1, given.seeds + 1):
        formats = FORMATS[seed % len(FORMATS)]
        wanted: dict[str, tuple[object, ...]] = {"errors 0.002": ("--errors", 0.002), "errors 0": ()}
        for name, errors in wanted.items():
            with tempfile.TemporaryDirectory() as home:
                scores[name].month(Path(home), given.subscribers, seed, formats, *errors)
    with tempfile.TemporaryDirectory() as home:
        rare = ("--errors", 0.00002, "--error-kind", "overcharge")
        scores["errors 0.00002, overcharge"].month(Path(home), given.large, 1, "csv", *rare)
    perfect = all(score.perfect and score.records for score in scores.values())
    document = {"months": {name: score.document() for name, score in scores.items()}, "perfect": perfect}
    print(json.dumps(document))
    return 0 if perfect else 1


if __name__ == "__main__":
    sys.exit(main())
