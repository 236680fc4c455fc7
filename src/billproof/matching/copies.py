"""Entries that two logs of a bill both have (docs/matching.md, section 1).

Backups of one phone overlap, and a new phone takes over the old one's list: one call bears out one line,
however often it was exported.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from billproof.matching.columns import Stack
from billproof.matching.windows import starts_of

Flags = NDArray[np.bool_]


def copies_of(stack: Stack) -> Flags:
    """Which entries an earlier log of the same bill has too, as often as their own log has had so far."""
    entries, logs = stack.entries, stack.logs
    copies = np.zeros(len(entries), bool)
    several = np.bincount(logs.bill, minlength=stack.bills) > 1
    rows = np.flatnonzero(several[logs.bill[entries.log]]) if several.any() else np.zeros(0, np.int64)
    if not len(rows):
        return copies
    source = entries.log[rows]
    what = ((entries.kind * 2 + entries.direction) * 3 + entries.answered)[rows]
    columns = [entries.at[rows], entries.duration[rows], entries.number[rows], what]
    columns += [logs.bill[source] * 2 + logs.local[source]]
    # Equals stand together, log by log in order of place; then each is counted within its log.
    order = np.lexsort((source, *columns))
    equal = np.zeros(len(order), np.int64)
    for column in columns:
        equal[1:] |= column[order][1:] != column[order][:-1]
    group = np.cumsum(equal)
    log = source[order]
    first = starts_of(group * (len(logs) + 1) + log)
    runs = np.diff(np.append(first, len(order)))
    rank = np.arange(len(order)) - np.repeat(first, runs)
    again = np.lexsort((log, rank, group))
    same = (group[again][1:] == group[again][:-1]) & (rank[again][1:] == rank[again][:-1])
    copies[rows[order[again[1:][same]]]] = True
    return copies
