"""By what steps a rate bills calls, as its own lines show (docs/matching.md, section 9)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from billproof.matching.columns import Stack

Ints = NDArray[np.int64]

#: First interval and step, in the order tried.
STEPS = np.array(
    [
        (1, 1),
        (6, 6),
        (10, 10),
        (20, 20),
        (30, 1),
        (30, 6),
        (30, 30),
        (60, 1),
        (60, 6),
        (60, 10),
        (60, 30),
        (60, 60),
        (120, 1),
        (120, 60),
        (180, 1),
        (180, 60),
        (240, 60),
        (300, 1),
        (300, 60),
    ],
    np.int64,
)
UNKNOWN = -1


def round_up(usage: Ints, rounding: Ints) -> Ints:
    """Usage rounded as each rounding (a place in STEPS) says; as it is where that is unknown."""
    first, step = STEPS[rounding, 0], STEPS[rounding, 1]
    return np.where(rounding == UNKNOWN, usage, first - step * (-np.maximum(0, usage - first) // step))


def roundings(stack: Stack) -> Ints:
    """The rounding of each line's rate."""
    lines = stack.lines
    rates = int(lines.rate.max()) + 1 if len(lines) else 0
    voice = np.flatnonzero((lines.service >= 1) & (lines.service <= 3))
    rate = lines.rate[voice]
    total = np.bincount(rate, minlength=rates)
    found, most = np.full(rates, UNKNOWN, np.int64), np.zeros(rates, np.int64)
    for place in range(len(STEPS)):
        right = lines.billed_usage[voice] == round_up(lines.usage[voice], np.full(len(voice), place))
        held = np.bincount(rate[right], minlength=rates)
        better = (held * 5 >= total * 4) & (held > most)
        found[better], most[better] = place, held[better]
    return found[lines.rate] if len(lines) else np.zeros(0, np.int64)
