"""Lines of a bill that share another line's entry (docs/matching.md, section 7).

One call that a switch recorded in parts, one message that was charged by the segment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from billproof.matching.columns import Stack
from billproof.matching.windows import Groups

Ints = NDArray[np.int64]

_SEAM = 10
_MESSAGE = 30
_PART = 30


@dataclass(frozen=True)
class Joined:
    """The line that each line joined (-1 for none), and sums of usage with those that joined."""

    to: Ints
    usage: Ints
    billed_usage: Ints
    amounts: dict[int, int]  # of lines that others joined


def join(stack: Stack, found: Ints) -> Joined:
    """Joins lines without entry to matched ones; ``found`` is each line's own entry."""
    lines, entries = stack.lines, stack.entries
    joined = Joined(np.full(len(lines), -1, np.int64), lines.usage.copy(), lines.billed_usage.copy(), {})
    whole = stack.forms.whole[lines.number] if len(lines) else np.zeros(0, bool)
    able = lines.comparable & whole & np.isin(lines.service, (1, 2, 4))
    alone = np.flatnonzero(able & (found < 0))
    held = np.flatnonzero(able & (found >= 0))
    if not len(alone) or not len(held):
        return joined
    group = (lines.bill * 8 + lines.service) * len(stack.forms.texts) + lines.number
    message = lines.service[held] == 4
    entry = found[held]
    start = lines.started_at[held]
    first = np.where(message, start - _MESSAGE, start + lines.usage[held] - _SEAM)
    last = np.where(message, start + _MESSAGE, start + entries.duration[entry] + 2 * _SEAM)
    asker, place = Groups(group[alone], lines.started_at[alone]).within(group[held], first, last)
    line, to = alone[place], held[asker]
    order = np.lexsort((to, line))
    for one, other in zip(line[order].tolist(), to[order].tolist(), strict=True):
        if joined.to[one] >= 0 or not _fits(stack, joined, one, other, int(found[other])):
            continue
        joined.to[one] = other
        joined.usage[other] += lines.usage[one]
        joined.billed_usage[other] += lines.billed_usage[one]
        so_far = joined.amounts.get(other, int(lines.amount[other]))
        joined.amounts[other] = so_far + int(lines.amount[one])
    return joined


def _fits(stack: Stack, joined: Joined, one: int, other: int, entry: int) -> bool:
    lines, entries = stack.lines, stack.entries
    total = int(joined.usage[other]) + int(lines.usage[one])
    start = int(lines.started_at[one])
    if lines.service[one] == 4:
        return abs(start - int(lines.started_at[other])) <= _MESSAGE and int(entries.parts[entry]) >= total
    end = int(lines.started_at[other]) + int(joined.usage[other])
    long = int(joined.usage[other]) >= _PART
    return long and abs(start - end) <= _SEAM and int(entries.duration[entry]) >= total - _SEAM
