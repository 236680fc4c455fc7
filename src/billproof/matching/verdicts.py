"""What becomes of each line of a bill (docs/matching.md, section 9)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from billproof.matching.clock import Clocks, Views
from billproof.matching.columns import NO, Stack
from billproof.matching.coverage import COVERED, FOREIGN, HOLE, OUTSIDE, Coverage
from billproof.matching.histories import known_numbers
from billproof.matching.joining import Joined
from billproof.matching.rounding import UNKNOWN, round_up
from billproof.matching.strays import near_twins
from billproof.matching.windows import Groups, lower_medians

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

CLASSES = (
    *("not-comparable", "hung", "longer", "late", "matched", "duplicate", "not-covered", "invoice-only"),
)
REASONS = (
    *(
        "service",
        "correction",
        "paired",
        "unanswered",
        "talked",
        "rounding",
        "continued",
        "part",
        "same",
        "near",
    ),
    *("shifted", "forwarded", "overlap", "uncovered", "outside", "hole", "foreign", "unknown", "absent"),
)
_CLASS = {name: at for at, name in enumerate(CLASSES)}
_REASON = {name: at for at, name in enumerate(REASONS)}

#: Classes that put money in question, but for the reason ``unknown``: such a line is a question.
FINDINGS = tuple(_CLASS[name] for name in ("longer", "hung", "duplicate", "invoice-only"))


def is_finding(kind: Ints, reason: Ints) -> Flags:
    """Which of these places in CLASSES and REASONS put money in question."""
    found: Flags = np.isin(kind, FINDINGS) & (reason != _REASON["unknown"])
    return found


def is_question(reason: Ints) -> Flags:
    """Which are for the subscriber to answer: no log can tell."""
    found: Flags = reason == _REASON["unknown"]
    return found


def is_uncompared(kind: Ints, reason: Ints) -> Flags:
    """Which could not be laid beside any log."""
    apart = np.isin(kind, (_CLASS["not-covered"], _CLASS["not-comparable"]))
    found: Flags = apart | (reason == _REASON["uncovered"])
    return found


_LONG = 10_800
_HUNG = 3_600
_LONGER = 5
_MUCH_LONGER = 30
_MINUTE = 60
_FEW_PAIRS = 5
_MOST_BIAS = 3
_FEW_ENTRIES = 10


@dataclass(frozen=True)
class Verdicts:
    """Of each line: places in CLASSES and REASONS, seconds talked and confidence (-1 for none); of findings,
    by line, the stake."""

    kind: Ints
    reason: Ints
    talked: Ints
    confidence: Ints
    stakes: dict[int, int]


class _Open:
    """Lines are judged by one rule after the other; the first that applies to a line settles it."""

    def __init__(self, count: int) -> None:
        self.kind = np.full(count, -1, np.int64)
        self.reason = np.full(count, -1, np.int64)

    @property
    def left(self) -> Flags:
        return self.kind < 0

    def settle(self, which: Flags, kind: str, reason: str) -> None:
        which = which & self.left
        self.kind[which] = _CLASS[kind]
        self.reason[which] = _REASON[reason]


@dataclass(frozen=True)
class Matched:
    """Each line's own entry (-1 for none), which of those are strays, and which lines joined others."""

    found: Ints
    strays: Flags
    joined: Joined


@dataclass(frozen=True)
class Durations:
    """Of each log: by how much its calls are usually shorter than the bill's, and how much is rounded off."""

    bias: Ints
    slack: Ints


def durations_of(stack: Stack, found: Ints, joined: Joined) -> Durations:
    """How each log tells durations, by its pairs: ``found`` is each line's own entry."""
    lines, entries, logs = stack.lines, stack.entries, stack.logs
    bias, slack = np.zeros(len(logs), np.int64), logs.duration_step - 1
    rows = np.flatnonzero((found >= 0) & np.isin(lines.service, (1, 2)))
    entry = found[rows]
    told = (entries.answered[entry] != NO) & (entries.duration[entry] >= 0)
    log, medians, counts = lower_medians(
        entries.log[entry][told], (joined.usage[rows] - entries.duration[entry])[told]
    )
    enough = counts >= _FEW_PAIRS
    log, medians = log[enough], medians[enough]
    exact = logs.duration_step[log] == 1
    bias[log[exact]] = np.clip(medians[exact], 0, _MOST_BIAS)
    slack[log[~exact & (medians < 0)]] = 0  # it rounds up
    return Durations(bias, slack)


def judge(
    stack: Stack,
    views: Views,
    clocks: Clocks,
    matches: Matched,
    coverage: Coverage,
    durations: Durations,
    roundings: Ints,
    cycles: Ints,
) -> Verdicts:
    """The class of each line, why, what it puts at stake and how sure that is."""
    lines, entries = stack.lines, stack.entries
    count = len(lines)
    found, joined = matches.found, matches.joined
    matched = found >= 0
    has = matched | (joined.to >= 0)
    covered = coverage.why == COVERED
    late = lines.local < cycles[lines.bill, 0]
    voice = np.isin(lines.service, (1, 2))
    talked, excess = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    timed = np.flatnonzero(matched & np.isin(lines.service, (1, 2, 3)))
    entry = found[timed]
    log = entries.log[entry]
    talked[timed] = np.where(entries.answered[entry] == NO, 0, entries.duration[entry])
    slack = durations.bias[log] + durations.slack[log]
    excess[timed] = np.where(talked[timed] >= 0, joined.usage[timed] - talked[timed] - slack, -1)
    unanswered = np.zeros(count, bool)
    unanswered[timed] = entries.answered[entry] == NO
    parent = np.zeros(count, bool)
    parent[joined.to[joined.to >= 0]] = True
    over = (roundings != UNKNOWN) & (joined.billed_usage > round_up(joined.usage, roundings))

    said = _Open(count)
    said.settle(~lines.comparable & ~np.isin(lines.service, (1, 2, 3, 4, 5, 7)), "not-comparable", "service")
    said.settle(~lines.comparable, "not-comparable", "correction")
    said.settle(matched & matches.strays, "matched", "shifted")
    said.settle(matched & voice & (joined.usage >= _LONG) & (excess >= _HUNG), "hung", "paired")
    said.settle(matched & voice & unanswered, "longer", "unanswered")
    said.settle(matched & voice & (excess > _LONGER), "longer", "talked")
    said.settle(matched & voice & over & ~parent, "longer", "rounding")
    said.settle(matched & late, "late", "paired")
    said.settle(matched, "matched", "paired")
    said.settle(has & (lines.service == 4), "matched", "part")
    said.settle(has, "matched", "continued")
    said.settle(_twins(stack, has) & voice, "duplicate", "same")
    asking = np.flatnonzero(said.left & (covered | (coverage.why == HOLE)))
    known = np.zeros(count, bool)
    known[asking] = known_numbers(stack, coverage.counts, asking)
    one, other = near_twins(stack, joined.usage, np.flatnonzero(said.left & (covered | voice)))
    apart = np.abs(lines.started_at[one] - lines.started_at[other])
    at_once = voice[one] & (apart < np.minimum(joined.usage[one], joined.usage[other]))
    twice = np.where(has[other], covered[one] | at_once, covered[one] & known[one] & (other < one))
    near = np.zeros(count, bool)
    near[one[twice]] = True
    said.settle(near, "duplicate", "near")
    said.settle(lines.service == 3, "not-comparable", "forwarded")
    said.settle(_overlapped(stack, found, np.flatnonzero(said.left & covered)), "hung", "overlap")
    said.settle(late & ~covered, "late", "uncovered")
    said.settle(coverage.why == OUTSIDE, "not-covered", "outside")
    said.settle(coverage.why == FOREIGN, "not-covered", "foreign")
    said.settle(~known, "invoice-only", "unknown")
    said.settle(coverage.why == HOLE, "not-covered", "hole")
    said.settle(np.ones(count, bool), "invoice-only", "absent")

    findings = np.flatnonzero(is_finding(said.kind, said.reason))
    stakes = {
        at: _stake(stack, joined, int(at), int(said.reason[at]), int(talked[at]), int(roundings[at]))
        for at in findings.tolist()
    }
    confidence = np.full(count, -1, np.int64)
    confidence[findings] = _confidence(stack, views, clocks, coverage, said, excess, findings)
    return Verdicts(said.kind, said.reason, talked, confidence, stakes)


def _twins(stack: Stack, has: Flags) -> Flags:
    """Lines without entry that say just what another line says, which has one or comes before."""
    lines = stack.lines
    rows = np.flatnonzero(lines.comparable)
    columns = [
        column[rows] for column in (lines.usage, lines.written, lines.started_at, lines.service, lines.bill)
    ]
    order = np.lexsort((~has[rows], *columns))  # of equals, those with an entry first, then by index
    sorted_columns = [column[order] for column in columns]
    found = np.zeros(len(lines), bool)
    if len(rows):
        again = np.all([column[1:] == column[:-1] for column in sorted_columns], axis=0)
        found[rows[order[1:][again]]] = True
    return found & ~has


def _overlapped(stack: Stack, found: Ints, asking: Ints) -> Flags:
    """Long calls without entry during which the phone made another that was billed."""
    lines = stack.lines
    told = np.zeros(len(lines), bool)
    asking = asking[(lines.service[asking] == 1) & (lines.usage[asking] >= _LONG)]
    if not len(asking):
        return told
    rows = np.flatnonzero((found >= 0) & (lines.service == 1))
    start = lines.started_at
    others = Groups(lines.bill[rows], start[rows]).count(
        lines.bill[asking], start[asking] + _MINUTE + 1, start[asking] + lines.usage[asking] - _MINUTE - 1
    )
    told[asking[others > 0]] = True
    return told


def _stake(stack: Stack, joined: Joined, at: int, reason: int, talked: int, rounding: int) -> int:
    """What the finding on a line is worth, in billionths of the currency unit."""
    amount = joined.amounts.get(at, int(stack.lines.amount[at]))
    if amount <= 0:
        return 0
    billed = int(joined.billed_usage[at])
    if REASONS[reason] not in ("paired", "talked", "rounding") or not billed:
        return amount
    usage = int(joined.usage[at]) if REASONS[reason] == "rounding" else talked
    due = min(billed, int(round_up(np.array([usage]), np.array([rounding]))[0]))
    return amount - amount * due // billed


_SURE = {
    ("duplicate", "same"): 99,
    ("duplicate", "near"): 90,
    ("hung", "paired"): 95,
    ("hung", "overlap"): 85,
    ("longer", "unanswered"): 75,
    ("longer", "talked"): 85,
    ("longer", "rounding"): 80,
    ("invoice-only", "absent"): 90,
}
_SURE_OF = np.zeros((len(CLASSES), len(REASONS)), np.int64)
for (_name, _why), _percent in _SURE.items():
    _SURE_OF[_CLASS[_name], _REASON[_why]] = _percent


def _confidence(
    stack: Stack, views: Views, clocks: Clocks, coverage: Coverage, said: _Open, excess: Ints, findings: Ints
) -> Ints:
    sure = _SURE_OF[said.kind[findings], said.reason[findings]]
    talked = said.reason[findings] == _REASON["talked"]
    sure[talked & (excess[findings] > _MUCH_LONGER)] = 95
    absent = said.kind[findings] == _CLASS["invoice-only"]
    if absent.any():
        lines = stack.lines
        place = np.full(len(lines), -1, np.int64)
        place[findings] = np.arange(len(findings))
        rows = np.flatnonzero(coverage.seen & (place[views.line] >= 0))
        of = place[views.line[rows]]
        known = np.zeros(len(findings), bool)
        known[of[clocks.known[views.log[rows]]]] = True
        held = np.zeros(len(findings), np.int64)
        np.add.at(held, of, coverage.counts[views.log[rows], lines.kind[views.line[rows]]])
        lowered = 20 * stack.forms.masked[lines.number[findings]]
        lowered += 20 * ~known + 15 * (held < _FEW_ENTRIES)
        sure = np.where(absent, sure - lowered, sure)
    return sure
