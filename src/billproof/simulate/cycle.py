"""What a line costs because of the lines before it in the month: free usage, and tiers.

Both are used up in the order in which the lines stand on the bill.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from billproof.simulate.tariffs import PLANS, Pool, plan_of, rate_table
from billproof.simulate.traffic import Int64s, Lines

#: Positions of lines, sorted by subscriber and start, in the order of their bills.
Order = Callable[[Lines], Int64s]


def settled(lines: Lines, order: Order) -> tuple[Lines, Int64s, Int64s]:
    """The lines at their price in the month; what was left free for each, and billed by its rate before."""
    left, before = np.zeros(len(lines), dtype=np.int64), np.zeros(len(lines), dtype=np.int64)
    monthly = np.array([plan.monthly for plan in PLANS])
    plan = plan_of(lines.rate)
    rows = np.flatnonzero(monthly[plan])
    if not len(rows):
        return lines, left, before
    rates = rate_table()
    some = lines.take(rows)
    rows = rows[order(some)]
    rate = lines.rate[rows]
    billed = rates.billed(rate, lines.usage[rows])
    pools = rates.pool[rate]
    free = np.array([plan.free for plan in PLANS], dtype=np.int64)
    for pool in (Pool.MINUTES, Pool.MESSAGES, Pool.DATA):
        mine = pools == pool
        used = _running(lines.subscriber[rows[mine]], billed[mine])
        left[rows[mine]] = np.maximum(free[plan[rows[mine]], pool] - used, 0)
    tiered = rates.tier_price[rate] > 0
    before[rows[tiered]] = _running(lines.subscriber[rows[tiered]], billed[tiered])
    rows = rows[(pools != Pool.NONE) | tiered]
    amount = lines.amount.copy()
    amount[rows] = rates.settle(lines.rate[rows], lines.usage[rows], left[rows], before[rows])[1]
    return lines.replaced(amount=amount), left, before


def _running(owner: Int64s, billed: Int64s) -> Int64s:
    """What each subscriber's lines before each line add up to; ``owner`` is sorted."""
    if not len(owner):
        return billed
    total = np.cumsum(billed) - billed
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    return np.asarray(
        total - np.repeat(total[starts], np.diff(np.append(starts, len(owner)))), dtype=np.int64
    )
