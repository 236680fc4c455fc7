"""What the logs can say nothing about (docs/matching.md, section 8)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from billproof.matching.clock import Clocks, Views
from billproof.matching.columns import MESSAGE, MMS, NEVER, NO, Stack
from billproof.matching.windows import Groups, spread

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_RUN = 5
_STRANGE = 3
_DAY = 86_400

#: Why a line is not covered; 0 where it is.
COVERED, OUTSIDE, HOLE, FOREIGN = 0, 1, 2, 3


@dataclass(frozen=True)
class Coverage:
    """What of the bill lies within the logs."""

    spans: Ints  # (k, 3, 2): first and last second of each log and kind, NEVER where there is none
    why: Ints  # of each line
    seen: Flags  # which views are within their log's span
    counts: Ints  # (k, 3): entries of each log and kind


def coverage_of(stack: Stack, views: Views, clocks: Clocks, has: Flags) -> Coverage:
    """``has`` says which lines have an entry, their own or another's."""
    lines, entries = stack.lines, stack.entries
    spans = np.full((len(stack.logs), 3, 2), NEVER, np.int64)
    counts = np.zeros((len(stack.logs), 3), np.int64)
    ours = np.flatnonzero(entries.kind < 3)
    group = entries.log[ours] * 3 + entries.kind[ours]
    if len(ours):
        order = np.lexsort((entries.at[ours], group))
        group, at = group[order], entries.at[ours][order]
        starts = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
        ends = np.append(starts[1:], len(group))
        log, kind = group[starts] // 3, group[starts] % 3
        spans[log, kind, 0] = at[starts]
        talked = np.where(entries.answered[ours] == NO, 0, np.clip(entries.duration[ours], 0, _DAY))
        until = np.maximum.reduceat((entries.at[ours] + talked)[order], starts)
        spans[log, kind, 1] = np.maximum(until, stack.logs.exported_at[log])
        counts[log, kind] = ends - starts
        both = (counts[:, MESSAGE] > 0) & (counts[:, MMS] > 0)  # then they were exported from one store
        spans[both, MESSAGE, 0] = spans[both, MMS, 0] = spans[both][:, [MESSAGE, MMS], 0].min(axis=1)
        spans[both, MESSAGE, 1] = spans[both, MMS, 1] = spans[both][:, [MESSAGE, MMS], 1].max(axis=1)
    kind = lines.kind[views.line]
    clock = views.time + clocks.offset[views.log]
    span = spans[views.log, kind]
    seen = (span[:, 0] != NEVER) & (clock >= span[:, 0]) & (clock <= span[:, 1])
    for shift in clocks.shifts:  # near the ends one cannot know by which of its clocks the log was kept
        rows = np.flatnonzero(seen & (views.log == shift.log))
        clock = views.time[rows] + shift.offset
        seen[rows] = (clock >= span[rows, 0]) & (clock <= span[rows, 1])
    why = np.full(len(lines), OUTSIDE, np.int64)
    why[views.line[seen]] = COVERED
    foreign = _foreign(stack, has, why == COVERED)
    if (lines.comparable & ~has & (why == COVERED)).any():
        hole = _in_holes(stack, views, clocks, has) & ~has & (why == COVERED)
        why[hole] = HOLE
    why[foreign & (why != OUTSIDE)] = FOREIGN
    return Coverage(spans, why, seen, counts)


def _foreign(stack: Stack, has: Flags, covered: Flags) -> Flags:
    """Lines of bills that lie within their logs and have not one entry: the logs are of another phone."""
    lines, bills = stack.lines, int(stack.lines.bill.max(initial=-1)) + 1
    within = np.bincount(lines.bill[covered & lines.comparable], minlength=bills)
    held = np.bincount(lines.bill[has], minlength=bills)
    strange: Flags = ((within >= _STRANGE) & (held == 0))[lines.bill]
    return strange & lines.comparable


def _in_holes(stack: Stack, views: Views, clocks: Clocks, has: Flags) -> Flags:
    """Lines in runs of five or more without entries, while which no log has any."""
    lines, entries = stack.lines, stack.entries
    found = np.zeros(len(lines), bool)
    rows = np.flatnonzero(lines.comparable)
    group = lines.bill[rows] * 4 + lines.kind[rows]
    order = np.lexsort((rows, lines.started_at[rows], group))
    rows, group = rows[order], group[order]
    if len(rows) < _RUN:
        return found
    missing = np.concatenate([[0], np.cumsum(~has[rows])])
    runs = np.flatnonzero(
        (missing[_RUN:] - missing[:-_RUN] == _RUN) & (group[_RUN - 1 :] == group[: len(group) - _RUN + 1])
    )
    if not len(runs):
        return found
    first, last = rows[runs], rows[runs + _RUN - 1]
    bill = lines.bill[first]
    which, log = spread(stack.log_starts[bill], stack.log_starts[bill + 1])
    groups = Groups(entries.log * 8 + entries.kind, entries.at)
    logged = groups.count(
        log * 8 + lines.kind[first[which]],
        time_on(stack, first[which], log) + clocks.offset[log],
        time_on(stack, last[which], log) + clocks.offset[log],
    )
    silent = np.ones(len(runs), bool)
    silent[which[logged > 0]] = False
    for at in range(_RUN):
        found[rows[runs[silent] + at]] = True
    return found


def time_on(stack: Stack, line: Ints, log: Ints) -> Ints:
    """Lines' times on logs' clocks, as the bill has them."""
    return np.where(stack.logs.local[log], stack.lines.local[line], stack.lines.started_at[line])
