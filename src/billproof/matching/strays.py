"""Entries given back, and lines found elsewhere on the clock (docs/matching.md, section 6, "Afterwards")."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from billproof.matching.clock import Clocks, Views
from billproof.matching.columns import CALL, NO, Stack
from billproof.matching.windows import Groups

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_FARTHEST = 50_400
_QUARTER = 900
_HALF = 1_800
_OFF = 60
_OFF_UNKNOWN = 180
_DIFFERENCE = 20
_RINGING = 60
_MINUTE = 60


def near_twins(stack: Stack, usage: Ints, asking: Ints) -> tuple[Ints, Ints]:
    """Pairs of a line that asks and another that it nearly repeats: same service and number, a minute apart
    at most, usage nearly the same."""
    lines = stack.lines
    whole = stack.forms.whole[lines.number] if len(lines) else np.zeros(0, bool)
    asking = asking[whole[asking]]
    rows = np.flatnonzero(lines.comparable & whole)
    group = (lines.bill * 8 + lines.service) * max(1, len(stack.forms.texts)) + lines.number
    start = lines.started_at
    asker, place = Groups(group[rows], start[rows]).within(
        group[asking], start[asking] - _MINUTE, start[asking] + _MINUTE
    )
    one, other = asking[asker], rows[place]
    close = (np.abs(usage[one] - usage[other]) <= np.maximum(2, usage[one] // 50)) & (one != other)
    return one[close], other[close]


def release(stack: Stack, found: Ints) -> None:
    """Takes a call that was hardly one away from a line that nearly repeats another, which has a real one."""
    held = np.flatnonzero((found >= 0) & np.isin(stack.lines.service, (1, 2)))
    if not len(held):
        return
    hollow = np.zeros(len(stack.lines), bool)
    entry = found[held]
    hollow[held] = (stack.entries.answered[entry] == NO) | (stack.entries.duration[entry] < 0)
    one, other = near_twins(stack, stack.lines.usage, np.flatnonzero(hollow))
    found[one[(found[other] >= 0) & ~hollow[other]]] = -1


def find_strays(stack: Stack, views: Views, clocks: Clocks, found: Ints, copies: Flags) -> Flags:
    """Gives lines without entry the free one, if any, that is off by whole quarters of an hour and else
    agrees; says which lines got one."""
    lines, entries, logs = stack.lines, stack.entries, stack.logs
    strays = np.zeros(len(lines), bool)
    whole = stack.forms.whole
    asking = np.flatnonzero(
        (found[views.line] < 0) & (lines.service[views.line] != 3) & whole[lines.number[views.line]]
    )
    free = ~copies
    free[found[found >= 0]] = False
    rows = np.flatnonzero(free & (entries.answered != NO))
    if not len(asking) or not len(rows):
        return strays
    forms = len(stack.forms.texts)
    what = (entries.log * 8 + entries.kind * 2 + entries.direction) * forms + entries.number
    line, log = views.line[asking], views.log[asking]
    clock = views.time[asking] + clocks.offset[log]
    wanted = (log * 8 + lines.kind[line] * 2 + lines.direction[line]) * forms + lines.number[line]
    asker, place = Groups(what[rows], entries.at[rows]).within(
        wanted, clock - _FARTHEST - _OFF_UNKNOWN, clock + _FARTHEST + _OFF_UNKNOWN
    )
    line, log, entry = line[asker], log[asker], rows[place]
    away = entries.at[entry] - clock[asker]
    call = lines.kind[line] == CALL
    unit = np.where(call, _QUARTER, _HALF)
    times = (away + unit // 2) // unit
    rest = away - times * unit
    off = np.maximum(0, np.maximum(rest, -rest - (logs.step[log] - 1)))
    slack = logs.duration_step[log] - 1
    short = lines.usage[line] - entries.duration[entry]
    agree = ~call | (
        (entries.duration[entry] >= 0) & (short - slack <= _DIFFERENCE) & (-short - slack <= _RINGING)
    )
    most = np.where(clocks.known[log], _OFF, _OFF_UNKNOWN)
    fit = agree & (times != 0) & (off <= most) & (np.abs(times * unit) <= _FARTHEST)
    line, entry, turns, off = line[fit], entry[fit], np.abs(times * unit)[fit], off[fit]
    order = np.lexsort((entry, off, turns, line))
    for one, other in zip(line[order].tolist(), entry[order].tolist(), strict=True):
        if found[one] < 0 and free[other]:
            found[one] = other
            free[other] = False
            strays[one] = True
    return strays
