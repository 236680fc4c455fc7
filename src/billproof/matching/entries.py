"""What becomes of each entry of a phone log (docs/matching.md, section 10)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from billproof.matching import numbers
from billproof.matching.clock import Clocks
from billproof.matching.columns import APP, IN, MESSAGE, NO, OUT, Stack
from billproof.matching.windows import starts_of

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

CLASSES = (
    *("billed", "copy", "free", "incoming", "unanswered", "other-sim", "freephone"),
    *("other-period", "next-bill", "by-app", "missing"),
)
_CLASS = {name: at for at, name in enumerate(CLASSES)}
_FEW = 3
_TWO_DAYS = 172_800


def judge_entries(stack: Stack, clocks: Clocks, billed: Flags, copies: Flags, cycles: Ints) -> Ints:
    """The place in CLASSES of each entry; ``billed`` are those with a line, ``copies`` as ever."""
    entries = stack.entries
    kind = np.full(len(entries), -1, np.int64)

    def settle(which: Flags, name: str) -> None:
        kind[which & (kind < 0)] = _CLASS[name]

    settle(billed, "billed")
    settle(copies, "copy")
    settle(entries.kind == APP, "free")
    settle(entries.direction == IN, "incoming")
    settle(entries.answered == NO, "unanswered")
    settle(_other_sim(stack, billed), "other-sim")
    settle(_freephone(stack, kind < 0), "freephone")
    messages = (entries.kind == MESSAGE) & (entries.direction == OUT) & ~copies
    asking = np.flatnonzero((kind < 0) | messages)
    local = np.zeros(len(entries), np.int64)
    local[asking] = _local_times(stack, clocks, asking)
    cycle = cycles[stack.logs.bill[entries.log]]
    outside = (local < cycle[:, 0]) | (local >= cycle[:, 1])
    settle(outside, "other-period")
    settle(local >= cycle[:, 1] - _TWO_DAYS, "next-bill")
    logs = len(stack.logs)
    sent = messages & ~outside
    all_sent = np.bincount(entries.log[sent], minlength=logs)
    charged = np.bincount(entries.log[sent & billed], minlength=logs)
    settle((entries.kind == MESSAGE) & (charged * 5 < all_sent)[entries.log], "by-app")
    settle(np.ones(len(entries), bool), "missing")
    return kind


def _other_sim(stack: Stack, billed: Flags) -> Flags:
    """Entries of a SIM that nothing was billed for, in logs where enough was billed for another."""
    entries = stack.entries
    named = entries.sim > 0
    if not named.any():
        return named
    sims = int(entries.sim.max()) + 1
    group = entries.log * sims + entries.sim
    counts = np.bincount(group[named & billed], minlength=len(stack.logs) * sims)
    of_log = counts.reshape(-1, sims).sum(axis=1)
    other: Flags = named & (counts[group] == 0) & (of_log[entries.log] >= _FEW)
    return other


def _freephone(stack: Stack, asking: Flags) -> Flags:
    found = np.zeros(len(stack.entries), bool)
    rows = np.flatnonzero(asking)
    codes, inverse = np.unique(stack.entries.number[rows], return_inverse=True)
    free = [numbers.is_freephone(stack.forms.texts[code]) for code in codes.tolist()]
    found[rows] = np.array(free, bool)[inverse.reshape(-1)] if len(rows) else False
    return found


def _local_times(stack: Stack, clocks: Clocks, rows: Ints) -> Ints:
    """Entries' local times by the bill's clock; where the log has UTC, at the nearest line's offset."""
    lines, logs = stack.lines, stack.logs
    log = stack.entries.log[rows]
    at = stack.entries.at[rows] - clocks.offset[log]
    utc = np.flatnonzero(~logs.local[log])
    if not len(utc) or not len(lines):
        return at
    order = np.lexsort((lines.index, lines.started_at, lines.bill))
    bill, start = lines.bill[order], lines.started_at[order]
    first = starts_of((bill << 34) + start)  # of lines at one time, the one that comes first
    order, bill, start = order[first], bill[first], start[first]
    keys = (bill << 35) + start + (1 << 34)
    asked = logs.bill[log[utc]]
    time = np.clip(at[utc], -(1 << 34) + 1, (1 << 34) - 1)
    after = np.searchsorted(keys, (asked << 35) + time + (1 << 34))
    before = np.maximum(after - 1, 0)
    after = np.minimum(after, len(keys) - 1)
    far = np.iinfo(np.int64).max
    late = np.where(bill[after] == asked, np.abs(start[after] - at[utc]), far)
    early = np.where(bill[before] == asked, np.abs(start[before] - at[utc]), far)
    tied = (early == late) & (lines.index[order[before]] < lines.index[order[after]])
    nearest = order[np.where((early < late) | tied, before, after)]
    offset = np.where((early < far) | (late < far), lines.utc_offset[nearest], 0)
    at[utc] += 60 * offset
    return at
