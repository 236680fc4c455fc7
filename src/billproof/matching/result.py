"""The answer: what becomes of each line and each entry (docs/matching.md, section 11)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from billproof.matching import entries as of_entries
from billproof.matching import verdicts
from billproof.matching.clock import Clocks, Shift
from billproof.matching.columns import KINDS, NEVER, Invoice, Stack
from billproof.matching.confirming import is_confirmed, most_confirmed
from billproof.matching.coverage import Coverage
from billproof.matching.joining import Joined
from billproof.matching.verdicts import Verdicts

if TYPE_CHECKING:
    from billproof.handset.entries import PhoneLog

Ints = NDArray[np.int64]

SCHEMA = "billproof/match/1"


@dataclass(frozen=True)
class Answer:
    """The answers for all bills of a stack, as columns."""

    stack: Stack
    cycles: Ints
    clocks: Clocks
    found: Ints
    joined: Joined
    coverage: Coverage
    biases: Ints
    verdicts: Verdicts
    entries: Ints


@dataclass(frozen=True)
class MatchedLine:
    """One line: its class and why, the entry it has (log and place in it), and what it puts at stake."""

    index: int
    kind: str
    reason: str
    log: int | None
    entry: int | None
    joins: int | None
    talked: int | None
    stake: int
    confidence: int | None
    amount: int

    @property
    def finding(self) -> bool:
        return verdicts.CLASSES.index(self.kind) in verdicts.FINDINGS and not self.question

    @property
    def question(self) -> bool:
        """Whether only the subscriber can say if it is right: no log knows the number."""
        return self.reason == "unknown"

    @property
    def uncompared(self) -> bool:
        """Whether it costs something and could not be laid beside any log."""
        apart = self.kind in ("not-covered", "not-comparable") or self.reason == "uncovered"
        return apart and self.amount > 0

    def document(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "class": self.kind,
            "reason": self.reason,
            "log": self.log,
            "entry": self.entry,
            "joins": self.joins,
            "talked": self.talked,
            "stake": str(self.stake),
            "confidence": self.confidence,
        }


@dataclass(frozen=True)
class MatchedEntry:
    """One entry of a log: its class and why, and the line that bills it."""

    kind: str
    reason: str
    line: int | None


@dataclass(frozen=True)
class MatchedLog:
    """One log: its clock, and from when to when it covers each kind (on its own clock)."""

    name: str
    format: str
    entries: int
    bias: int
    known: bool
    offset: int
    support: int
    shifts: tuple[Shift, ...]
    coverage: dict[str, tuple[int, int] | None]

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "format": self.format,
            "entries": self.entries,
            "bias": self.bias,
            "clock": {
                "known": self.known,
                "offset": self.offset,
                "support": self.support,
                "shifts": [
                    {"offset": s.offset, "from": s.first, "to": s.last, "support": s.support}
                    for s in self.shifts
                ],
            },
            "coverage": {kind: list(span) if span else None for kind, span in self.coverage.items()},
        }


@dataclass(frozen=True)
class MatchResult:
    """A bill laid against phone logs."""

    period: int
    currency: str
    region: str | None
    cycle: tuple[int, int]
    logs: tuple[MatchedLog, ...]
    lines: tuple[MatchedLine, ...]
    entries: tuple[tuple[MatchedEntry, ...], ...]

    @cached_property
    def findings(self) -> tuple[MatchedLine, ...]:
        """The lines in question, in the bill's order."""
        return tuple(line for line in self.lines if line.finding)

    @cached_property
    def questions(self) -> tuple[MatchedLine, ...]:
        """The lines that only the subscriber can answer for, in the bill's order."""
        return tuple(line for line in self.lines if line.question)

    @property
    def asked(self) -> int:
        """What the questions cost together."""
        return sum(max(0, line.amount) for line in self.questions)

    @cached_property
    def uncompared(self) -> tuple[MatchedLine, ...]:
        """The lines that cost something and could not be compared, in the bill's order."""
        return tuple(line for line in self.lines if line.uncompared)

    @property
    def unchecked(self) -> int:
        """What those cost together."""
        return sum(line.amount for line in self.uncompared)

    @property
    def foreign(self) -> bool:
        """Whether the logs are most likely of another phone than the bill (docs/matching.md, section 8)."""
        return any(line.reason == "foreign" for line in self.lines)

    @property
    def compared(self) -> bool:
        """Whether the logs could tell anything of the bill: an entry for a line, a finding or a question."""
        return any(line.entry is not None or line.finding or line.question for line in self.lines)

    @property
    def stake(self) -> int:
        """What all findings are worth together, in billionths of the currency unit."""
        return sum(line.stake for line in self.lines)

    @cached_property
    def confirmed(self) -> int:
        """How many lines the phone confirms."""
        return sum(is_confirmed(line) for line in self.lines)

    @cached_property
    def most_confirmed(self) -> bool:
        return most_confirmed(self.lines)

    @cached_property
    def classes(self) -> dict[str, int]:
        """How many lines each class has, of those that occur."""
        counts = Counter(line.kind for line in self.lines)
        return {name: counts[name] for name in verdicts.CLASSES if counts[name]}

    def document(self) -> dict[str, Any]:
        """The result as JSON objects, schema ``billproof/match/1``."""
        return {
            "schema": SCHEMA,
            "period": self.period,
            "currency": self.currency,
            "region": self.region,
            "cycle": list(self.cycle),
            "logs": [log.document() for log in self.logs],
            "lines": [line.document() for line in self.lines],
            "entries": [
                [{"class": entry.kind, "reason": entry.reason, "line": entry.line} for entry in log]
                for log in self.entries
            ],
            "summary": {
                "classes": self.classes,
                "findings": len(self.findings),
                "stake": str(self.stake),
                "questions": len(self.questions),
                "asked": str(self.asked),
                "uncompared": len(self.uncompared),
                "unchecked": str(self.unchecked),
                "confirmed": self.confirmed,
                "mostConfirmed": self.most_confirmed,
            },
        }


def result_of(answer: Answer, bill: int, invoice: Invoice, logs: Sequence[PhoneLog]) -> MatchResult:
    """The answer for one of the bills, as objects."""
    stack = answer.stack
    first_log = int(stack.log_starts[bill])
    return MatchResult(
        period=invoice.period,
        currency=invoice.currency,
        region=stack.regions[bill],
        cycle=(int(answer.cycles[bill, 0]), int(answer.cycles[bill, 1])),
        logs=tuple(_log(answer, first_log + at, log) for at, log in enumerate(logs)),
        lines=tuple(_lines(answer, bill)),
        entries=tuple(tuple(_entries(answer, bill, first_log + at)) for at in range(len(logs))),
    )


def _log(answer: Answer, at: int, log: PhoneLog) -> MatchedLog:
    spans = answer.coverage.spans[at].tolist()
    clocks = answer.clocks
    return MatchedLog(
        name=log.name,
        format=log.format,
        entries=log.entries.num_rows,
        bias=int(answer.biases[at]),
        known=bool(clocks.known[at]),
        offset=int(clocks.offset[at]),
        support=int(clocks.support[at]),
        shifts=tuple(shift for shift in clocks.shifts if shift.log == at),
        coverage={
            kind: None if span[0] == NEVER else (span[0], span[1])
            for kind, span in zip(KINDS[:3], spans, strict=True)
        },
    )


def _lines(answer: Answer, bill: int) -> list[MatchedLine]:
    stack, said = answer.stack, answer.verdicts
    start, end = int(stack.starts[bill]), int(stack.starts[bill + 1])
    first_log = int(stack.log_starts[bill])
    own = answer.found[start:end]
    joins = answer.joined.to[start:end]
    entry = np.where(own >= 0, own, np.where(joins >= 0, answer.found[joins], -1))
    held = np.maximum(entry, 0)
    log = stack.entries.log[held] if len(stack.entries) else held
    place = held - stack.logs.starts[log]
    columns = zip(
        said.kind[start:end].tolist(),
        said.reason[start:end].tolist(),
        entry.tolist(),
        (log - first_log).tolist(),
        place.tolist(),
        joins.tolist(),
        said.talked[start:end].tolist(),
        said.confidence[start:end].tolist(),
        stack.lines.amount[start:end].tolist(),
        strict=True,
    )
    return [
        MatchedLine(
            index=at,
            kind=verdicts.CLASSES[kind],
            reason=verdicts.REASONS[reason],
            log=log_at if entry_at >= 0 else None,
            entry=place_at if entry_at >= 0 else None,
            joins=to - start if to >= 0 else None,
            talked=talked if talked >= 0 else None,
            stake=said.stakes.get(start + at, 0),
            confidence=sure if sure >= 0 else None,
            amount=amount,
        )
        for at, (kind, reason, entry_at, log_at, place_at, to, talked, sure, amount) in enumerate(columns)
    ]


def _entries(answer: Answer, bill: int, log: int) -> list[MatchedEntry]:
    stack = answer.stack
    first, end = int(stack.logs.starts[log]), int(stack.logs.starts[log + 1])
    start = int(stack.starts[bill])
    line = np.full(end - first, -1, np.int64)
    own = answer.found[start : int(stack.starts[bill + 1])]
    held = np.flatnonzero((own >= first) & (own < end))
    line[own[held] - first] = held
    return [
        MatchedEntry(
            kind=of_entries.CLASSES[kind],
            reason="app" if of_entries.CLASSES[kind] == "free" else "",
            line=at if at >= 0 else None,
        )
        for kind, at in zip(answer.entries[first:end].tolist(), line.tolist(), strict=True)
    ]
