"""All bills of stored batches laid against a folder of phone logs, on all cores.

The folder holds a folder for each account, named by :func:`billproof.bundle.names.file_name`, and in it
whatever its subscriber exported. Bills go through the matcher some hundreds at a time, as one stack.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import threading
import warnings
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa

from billproof.bundle.names import file_name
from billproof.errors import InputError
from billproof.handset import PhoneLog
from billproof.handset.reading import read_drafts
from billproof.handset.rows import Draft, finish
from billproof.matching import verdicts
from billproof.matching.columns import Invoice
from billproof.matching.matcher import match_all
from billproof.matching.result import Answer
from billproof.store import StoredBatch

#: Lines that go through the matcher at a time, about: enough for its fixed costs not to show, few enough that
#: no core waits long for the last piece.
_LINES = 10_000

_READ = [
    *("service", "started_at", "utc_offset", "usage", "billed_usage"),
    *("number", "amount", "currency", "rate", "corrects"),
]

FINDINGS = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("index", pa.int64(), nullable=False),
        pa.field("class", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("amount", pa.int64(), nullable=False),
        pa.field("stake", pa.int64(), nullable=False),
        pa.field("currency", pa.string(), nullable=False),
        pa.field("confidence", pa.int64(), nullable=True),
    ]
)
"""One row a finding or question; ``index`` is the line's place in its bill, from 0; ``amount`` and ``stake``
are billionths. A question (``reason`` is ``unknown``) has nothing at stake and no confidence."""


_COUNTS = (
    *("bills", "without_logs", "lines", "entries", "logs", "findings", "bills_with_findings"),
    *("questions", "bills_with_questions", "uncompared"),
)


@dataclass
class Totals:
    """What a run has laid against what, and what came of it."""

    bills: int = 0
    without_logs: int = 0
    lines: int = 0
    entries: int = 0
    logs: int = 0
    findings: int = 0
    bills_with_findings: int = 0
    questions: int = 0
    bills_with_questions: int = 0
    uncompared: int = 0
    stake: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    unchecked: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    def add(self, other: Totals) -> None:
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("stake", "asked", "unchecked"):
            getattr(self, name).update(getattr(other, name))
        self.classes.update(other.classes)
        self.unreadable.extend(other.unreadable)


@dataclass(frozen=True)
class _Piece:
    """Some bills of a batch, one after the other in its records."""

    batch: Path
    accounts: list[str]
    first: int
    counts: list[int]
    logs: Path
    region: str | None


def match_batches(
    batches: Sequence[StoredBatch],
    logs: Path,
    *,
    region: str | None = None,
    workers: int | None = None,
) -> Iterator[tuple[pa.Table, Totals]]:
    """Findings (columns of FINDINGS) and totals, some hundred bills at a time, in the order of the records.

    Only bills with a folder of logs are matched; the others are counted. The work begins with the call, which
    had better come before the caller starts threads: what it needs is then loaded once for all processes.
    """
    if not logs.is_dir():
        raise InputError(
            "is not a directory", file=logs, advice="It holds a folder of phone logs an account."
        )
    pieces = [piece for batch in batches for piece in _pieces(batch, logs, region)]
    cores = workers or len(os.sched_getaffinity(0))
    return map(_match_piece, pieces) if cores == 1 or len(pieces) < 2 else _on_cores(pieces, cores)


def _on_cores(pieces: list[_Piece], cores: int) -> Iterator[tuple[pa.Table, Totals]]:
    # A fork has everything loaded, which otherwise takes a process as long as matching ten thousand lines.
    # Python's threads it would copy in the middle of what they do; those of numpy and Arrow allow for it.
    alone = sys.platform == "linux" and threading.active_count() == 1
    apart = multiprocessing.get_context("fork" if alone else "spawn")
    pool = ProcessPoolExecutor(min(cores, len(pieces)), apart, _settle)
    ahead = iter(pieces)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of any thread, from 3.12 on
        waiting = deque(pool.submit(_match_piece, piece) for piece in islice(ahead, 2 * cores))
    return _results(pool, waiting, ahead)


def _results(
    pool: ProcessPoolExecutor, waiting: deque[Future[tuple[pa.Table, Totals]]], ahead: Iterator[_Piece]
) -> Iterator[tuple[pa.Table, Totals]]:
    with pool:
        while waiting:
            found = waiting.popleft().result()
            waiting.extend(pool.submit(_match_piece, piece) for piece in islice(ahead, 1))
            yield found


def _settle() -> None:
    """Of a process that matches: it has one core, and what is loaded already needs no looking for garbage."""
    pa.set_cpu_count(1)
    gc.freeze()


def _pieces(batch: StoredBatch, logs: Path, region: str | None) -> Iterator[_Piece]:
    entries = batch.entries
    first, count = entries["first"].to_numpy(), entries["count"].to_numpy()
    order = np.argsort(first)
    accounts = entries["account"].take(pa.array(order)).to_pylist()
    first, count = first[order], count[order]
    start = 0
    while start < len(order):
        end = max(start + 1, int(np.searchsorted(first, first[start] + _LINES)))
        yield _Piece(
            batch.path, accounts[start:end], int(first[start]), count[start:end].tolist(), logs, region
        )
        start = end


@lru_cache(maxsize=4)
def _opened(path: Path) -> StoredBatch:
    return StoredBatch.open(path)


def _match_piece(piece: _Piece) -> tuple[pa.Table, Totals]:
    batch = _opened(piece.batch)
    totals = Totals(bills=len(piece.accounts))
    records = batch.records_of(piece.first, sum(piece.counts), _READ)
    lines = Invoice.of_table(batch.id.period, "", records)
    starts = np.cumsum([0, *piece.counts[:-1]])
    currencies = records["currency"].take(pa.array(starts)).to_pylist()
    found = [_logs_of(os.path.join(piece.logs, file_name(account)), totals) for account in piece.accounts]
    logs = iter(finish([draft for drafts in found for draft in drafts]))
    cases: list[tuple[Invoice, list[PhoneLog]]] = []
    accounts: list[str] = []
    bills = zip(piece.accounts, starts.tolist(), piece.counts, currencies, found, strict=True)
    for account, start, count, currency, drafts in bills:
        if drafts:
            accounts.append(account)
            cases.append((lines.part(start, count, currency), list(islice(logs, len(drafts)))))
        else:
            totals.without_logs += 1
    answer = match_all(cases, region=piece.region)
    return _findings(answer, accounts, [invoice.currency for invoice, _ in cases], totals), totals


def _logs_of(folder: str, totals: Totals) -> list[Draft]:
    """The logs in an account's folder, which may also hold what is none."""
    if not os.path.isdir(folder):
        return []
    home = Path(folder)
    try:
        return read_drafts(home)
    except InputError:
        pass  # one of the files: the others count
    logs: list[Draft] = []
    for path in sorted(home.iterdir()):
        try:
            logs += read_drafts(path)
        except InputError as error:
            totals.unreadable.append(f"{home.name}/{path.name}: {error.message}")
    return logs


def _findings(answer: Answer, accounts: list[str], currencies: list[str], totals: Totals) -> pa.Table:
    stack, said = answer.stack, answer.verdicts
    found = verdicts.is_finding(said.kind, said.reason)
    open_ = verdicts.is_question(said.reason)
    amount = stack.lines.amount
    apart = verdicts.is_uncompared(said.kind, said.reason) & (amount > 0)
    rows = np.flatnonzero(found | open_)
    bill = stack.lines.bill[rows]
    stakes = [said.stakes.get(at, 0) for at in rows.tolist()]
    totals.lines += len(stack.lines)
    totals.entries += len(stack.entries)
    totals.logs += len(stack.logs)
    totals.findings += int(found.sum())
    totals.bills_with_findings += len(np.unique(stack.lines.bill[found]))
    totals.questions += int(open_.sum())
    totals.bills_with_questions += len(np.unique(stack.lines.bill[open_]))
    totals.uncompared += int(apart.sum())
    for at, stake in zip(bill.tolist(), stakes, strict=True):
        totals.stake[currencies[at]] += stake
    for which, sums in ((open_ & (amount > 0), totals.asked), (apart, totals.unchecked)):
        for at, cost in zip(stack.lines.bill[which].tolist(), amount[which].tolist(), strict=True):
            sums[currencies[at]] += cost
    counts = np.bincount(said.kind, minlength=len(verdicts.CLASSES)).tolist()
    totals.classes.update({name: held for name, held in zip(verdicts.CLASSES, counts, strict=True) if held})
    sure = said.confidence[rows]
    return pa.table(
        [
            [accounts[at] for at in bill.tolist()],
            stack.lines.index[rows],
            [verdicts.CLASSES[kind] for kind in said.kind[rows].tolist()],
            [verdicts.REASONS[reason] for reason in said.reason[rows].tolist()],
            amount[rows],
            stakes,
            [currencies[at] for at in bill.tolist()],
            pa.array(sure, mask=sure < 0),
        ],
        schema=FINDINGS,
    )
