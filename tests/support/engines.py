"""For the tests of engines: invented rows, files of them, and batches that must be the same."""

from __future__ import annotations

import csv
import io
import os
import pickle
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from billproof.billing_run import BatchResult, Input, batch
from billproof.engine import Engine
from billproof.errors import BillproofError
from billproof.sums import check_sums

MAPPING = """
[account]
column = "account"
[service]
column = "kind"
values = { call = "voice_originated", sms = "message_sent", fee = "recurring" }
[time]
column = "start"
zone = "Europe/Dublin"
[usage]
column = "seconds"
[number]
column = "number"
[amount]
column = "amount"
[currency]
column = "currency"
[rate]
column = "note"
"""
COLUMNS = ["account", "kind", "start", "seconds", "number", "amount", "currency", "note"]


def rows_of(size: int, seed: int, *, quotes: float = 0.0, faults: float = 0.0) -> list[list[str]]:
    """Invented rows; some with quoted line ends, some that are rejected, strays, or of another month."""
    draw = random.Random(seed)
    rows = []
    for _ in range(size):
        note = draw.choice(["", "flat", "0.10/min"])
        if draw.random() < quotes:
            note = draw.choice(["two\nlines", 'a "word"', "a,b", "\n\nthree\n", "\r\n"])
        amount = "ten" if draw.random() < faults else f"{draw.randint(0, 9)}.{draw.randint(0, 999):03d}"
        month = 11 if draw.random() < faults else 10
        rows.append(
            [
                draw.choice(["A1", "A2", "Ä3", f"A{draw.randint(4, 40)}"]),
                draw.choice(["call", "sms", "fee"]),
                f"2026-{month}-{draw.randint(2, 27):02d}T12:00:{draw.randint(0, 3):02d}+01:00",
                str(draw.randint(0, 3)),
                draw.choice(["", "+353209100001"]),
                amount,
                "USD" if draw.random() < faults / 10 else "EUR",
                note,
            ]
        )
    return rows


def text_of(rows: Sequence[Sequence[str]]) -> str:
    """The rows as CSV, below a header."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return stream.getvalue()


class Runs:
    """Batches in stores of their own below ``home``, with secrets that they share."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._made = count()
        (home / "map.toml").write_text(MAPPING)

    def __call__(self, files: Sequence[Path], engine: Engine | None = None, **options: Any) -> BatchResult:
        form, mapping = options.pop("form", "csv"), options.pop("mapping", self._home / "map.toml")
        inputs = options.pop("inputs", [Input(form, files, mapping)])
        given: dict[str, Any] = {
            "operator": 1,
            "period": 202610,
            "chain_id": 31337,
            "ledger": "0x" + "ab" * 20,
            "store": self._home / f"store-{next(self._made)}",
            "secrets": self._home / "secrets",
        }
        return batch(inputs, **{**given, "engine": engine, **options})


def compare(one: BatchResult, other: BatchResult) -> None:
    """Everything is the same but the order of statements in the records files."""
    assert one.root == other.root
    for name in (
        "rows",
        "committed",
        "rejected",
        "other_periods",
        "accounts",
        "totals",
        "ambiguous",
        "repeated",
        "raising",
        "reasons",
    ):
        assert getattr(one, name) == getattr(other, name), name
    assert one.stored is not None
    assert other.stored is not None
    check_sums(one.stored.path)
    for name in ("manifest.bin", "manifest.json", "batch.json", "tree.bin", "intake.json"):
        assert (one.stored.path / name).read_bytes() == (other.stored.path / name).read_bytes(), name
    rejects = [
        sorted((stored.path / "rejects.csv").read_text().split("\n")) for stored in (one.stored, other.stored)
    ]
    assert rejects[0] == rejects[1]
    entries = [stored.entries.drop_columns("first") for stored in (one.stored, other.stored)]
    assert entries[0].equals(entries[1])
    for row in range(entries[0].num_rows):
        ours, theirs = (
            stored.records_of(stored.entries["first"][row].as_py(), stored.entries["count"][row].as_py())
            for stored in (one.stored, other.stored)
        )
        assert ours.to_pylist() == theirs.to_pylist()


class InProcess:
    """Runs the calls of a cluster in this process, one after the other, in the cluster's own terms."""

    def __init__(self) -> None:
        self.jobs: list[int] = []
        self._attempts = count(1)

    def run(self, work: Callable[[Any, int], Any], items: Sequence[Any]) -> list[Any]:
        """As :meth:`billproof.spark.cluster.Cluster.run`."""
        self.jobs.append(len(items))
        return [pickle.loads(self._one(pickle.dumps((work, item)))) for item in items]

    def _one(self, call: bytes) -> bytes:
        work, item = pickle.loads(call)
        try:
            return pickle.dumps(work(item, next(self._attempts)))
        except BillproofError as error:
            return pickle.dumps(error)

    @contextmanager
    def __call__(self, settings: Any) -> Iterator[InProcess]:
        """As :func:`billproof.spark.cluster.cluster`."""
        yield self


def names(path: Path) -> list[str]:
    """What a directory holds."""
    return sorted(os.listdir(path))
