"""How people use phones: every shared distribution of the traffic model, as inverse tables.

A table has 65,536 entries; a uniform 16-bit draw indexes it. Shapes are round figures chosen for this
simulator after what operators and regulators publish in general terms (busy hour in the early evening,
calls of about two to three minutes with many very short ones, heavy-tailed data sessions). They are
fitted to no data set, and nothing that judges records may import them: a matcher tested on traffic made
from its own constants would prove nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

TABLE = 1 << 16

#: Relative activity by local hour, 00 to 23: a night valley, a lunch dip, an early-evening peak.
HOURS = (9, 5, 3, 2, 2, 4, 12, 30, 55, 70, 76, 78, 72, 74, 77, 80, 86, 95, 98, 90, 74, 56, 36, 19)

#: Relative activity by weekday, Monday first: Friday is busiest, Sunday quietest.
WEEKDAYS = (100, 101, 102, 103, 110, 88, 72)

#: Contacts per subscriber. Most calls go to a handful of people; beyond two dozen the share of each
#: contact falls below that of a wrong number.
CONTACTS = 24

#: Where the contacts of a subscriber are, in parts of 100: own network, other networks, landlines,
#: abroad in the same tariff zone, abroad elsewhere, voicemail and short codes.
CONTACT_KINDS = (42, 26, 18, 6, 3, 5)

#: Segments of a text message: most fit into one.
SEGMENTS = (88, 9, 3)

#: Activity of a subscriber relative to the mean, in percent at evenly spaced quantiles: a gamma-like
#: spread with a median below the mean. The mean of the table is 100.
ACTIVITY = (12, 22, 32, 41, 50, 58, 66, 75, 84, 94, 105, 119, 135, 156, 202, 349)


def _frozen(table: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    table.setflags(write=False)
    return table


def inverse(weights: Sequence[int]) -> npt.NDArray[np.int64]:
    """Table of shape (65536,) in which index ``k`` fills the share of ``weights[k]`` (integers >= 0)."""
    bounds = [0]
    total = sum(weights)
    running = 0
    for weight in weights:
        running += weight
        bounds.append(running * TABLE // total)
    return _frozen(np.repeat(np.arange(len(weights), dtype=np.int64), np.diff(bounds)))


@cache
def zipf() -> npt.NDArray[np.int64]:
    """Rank of the contact, 0..CONTACTS-1, with weight one over rank plus one."""
    return inverse([TABLE // (rank + 1) for rank in range(CONTACTS)])


@cache
def contact_kind() -> npt.NDArray[np.int64]:
    """Index into ``CONTACT_KINDS``."""
    return inverse(CONTACT_KINDS)


@cache
def segments() -> npt.NDArray[np.int64]:
    """Segments of a text message, from 1."""
    return _frozen(inverse(SEGMENTS) + 1)


@cache
def activity() -> npt.NDArray[np.int64]:
    """Percent of the mean number of records, by subscriber."""
    return _frozen(np.array(ACTIVITY, dtype=np.int64)[inverse([1] * len(ACTIVITY))])


def _log_normal(median: float, sigma: float, steps: int) -> npt.NDArray[np.int64]:
    """``steps`` mid-quantiles of a log-normal, rounded up to whole units so that none is zero."""
    normal = NormalDist()
    return np.array(
        [math.ceil(median * math.exp(sigma * normal.inv_cdf((k + 0.5) / steps))) for k in range(steps)],
        dtype=np.int64,
    )


@cache
def talk_seconds() -> npt.NDArray[np.int64]:
    """Seconds of an answered call.

    A quarter are short (announcements, answering machines, "call you back"; median 9 s), the others
    log-normal with a median of 110 s. One entry in 65,536 is a hung call of twelve hours: switches do
    deliver them, and subscribers complain about them.
    """
    short = np.repeat(_log_normal(9.0, 0.7, 1024), TABLE // 4 // 1024)
    long = np.repeat(_log_normal(110.0, 1.15, 4096), TABLE * 3 // 4 // 4096)
    table = np.concatenate((short, long))
    table[-1] = 12 * 3600
    return _frozen(table)


@cache
def ring_seconds() -> npt.NDArray[np.int64]:
    """Seconds from dialling to answer: log-normal, median 8 s, cut at the network's 60 s timer."""
    return _frozen(np.repeat(np.minimum(_log_normal(8.0, 0.6, 1024), 60), TABLE // 1024))


@cache
def session_bytes() -> npt.NDArray[np.int64]:
    """Bytes of a data session: log-normal, median 1.5 MB, heavy tail up to a few gigabytes."""
    return _frozen(np.repeat(_log_normal(1_500_000.0, 2.1, 4096), TABLE // 4096))
