"""Which entries may belong to which lines, and at what cost (docs/matching.md, section 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from billproof.matching import numbers
from billproof.matching.clock import Clocks, Views
from billproof.matching.columns import CALL, NO, YES, Stack
from billproof.matching.windows import Groups, starts_of

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: What a line without an entry costs.
ALONE = 1500
_GAP_OF_CALLS = 180
_GAP_OF_MESSAGES = 300
_BLIND_GAP = 60
_BLIND_DIFFERENCE = 20
_MOST_DIFFERENCE = 600
_UNANSWERED = 240
_UNANSWERED_GAP = 60
_FORWARDED = 3


@dataclass(frozen=True)
class Pairs:
    """Candidates, by line, then entry."""

    line: Ints
    entry: Ints
    cost: Ints


def candidates(stack: Stack, views: Views, clocks: Clocks, copies: Flags) -> Pairs:
    """All pairs of a line and an entry that may belong together; ``copies`` are entries that may not."""
    line, entry, gap = _near(stack, views, clocks)
    lines, entries = stack.lines, stack.entries
    call = lines.kind[line] == CALL
    forwarded = lines.service[line] == _FORWARDED
    unanswered = entries.answered[entry] == NO
    log = entries.log[entry]

    relation = stack.forms.relate(lines.number[line], entries.number[entry])
    talked = np.where(unanswered, 0, entries.duration[entry])
    timed = call & ~forwarded & ((entries.duration[entry] >= 0) | unanswered)
    slack = stack.logs.duration_step[log] - 1
    difference = np.where(timed, np.maximum(0, np.abs(lines.usage[line] - talked) - slack), 0)
    unsaid = call & ~forwarded & ~timed  # agrees with no length at all
    cost = 2 * gap + np.where(unsaid, _MOST_DIFFERENCE, np.minimum(difference, _MOST_DIFFERENCE))
    cost += np.where(forwarded, 0, numbers.SURCHARGES[relation] + _UNANSWERED * unanswered)

    blind = relation == numbers.BLIND
    sharp = call & (gap <= _BLIND_GAP) & (difference <= _BLIND_DIFFERENCE)
    able = np.where(forwarded, entries.answered[entry] != YES, (relation != numbers.OTHER) & (~blind | sharp))
    able &= ~copies[entry] & (cost < ALONE) & (~unanswered | forwarded | (gap <= _UNANSWERED_GAP))
    return Pairs(line[able], entry[able], cost[able])


def _near(stack: Stack, views: Views, clocks: Clocks) -> tuple[Ints, Ints, Ints]:
    """Pairs that are near in time: line, entry and gap, by line, then entry."""
    lines, entries, logs = stack.lines, stack.entries, stack.logs
    line, log = views.line, views.log
    clock = views.time + clocks.offset[log]
    if clocks.shifts:  # few logs have one
        more = [
            rows[(views.time[rows] >= shift.first) & (views.time[rows] <= shift.last)]
            for shift in clocks.shifts
            for rows in [np.flatnonzero(log == shift.log)]
        ]
        offsets = np.repeat([shift.offset for shift in clocks.shifts], [len(rows) for rows in more])
        rows = np.concatenate(more)
        clock = np.concatenate([clock, views.time[rows] + offsets])
        line, log = np.concatenate([line, line[rows]]), np.concatenate([log, log[rows]])
    groups = Groups(entries.log * 8 + entries.kind * 2 + entries.direction, entries.at)
    most = np.where(lines.kind[line] == CALL, _GAP_OF_CALLS, _GAP_OF_MESSAGES)
    asker, entry = groups.within(
        log * 8 + lines.kind[line] * 2 + lines.direction[line],
        clock - most - (logs.step[log] - 1),
        clock + most,
    )
    early = entries.at[entry] - clock[asker]
    gap = np.maximum(0, np.maximum(early, -early - (logs.step[entries.log[entry]] - 1)))
    line = line[asker]
    order = np.lexsort((gap, entry, line))
    line, entry, gap = line[order], entry[order], gap[order]
    first = starts_of(line * max(1, len(entries)) + entry)  # of several offsets, the one that fits best
    return line[first], entry[first], gap[first]
