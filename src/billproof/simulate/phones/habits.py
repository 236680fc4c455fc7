"""What each phone is like: its clock, how it counts and spells, what is left of its log.

Rates are our own reading of how such logs differ from bills. Nothing that compares logs with bills may
import them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from billproof.simulate.distributions import inverse
from billproof.simulate.draws import Draws
from billproof.simulate.month import Month
from billproof.simulate.traffic import Bools, Int64s

#: Formats by name, and how many phones in a thousand are exported in each.
FORMATS = ("android-xml", "android-csv", "iphone", "imazing", "google-voice", "fritzbox")
_FORMAT_WEIGHTS = (520, 90, 190, 100, 40, 60)

#: Formats that say times by the clock on the wall, and those that hold messages too.
LOCAL = ("imazing", "fritzbox")
WITH_MESSAGES = ("android-xml",)

#: Half widths in seconds of a phone's clock error, and how many phones in a hundred have each.
_CLOCK = (3, 20, 90)
_CLOCK_WEIGHTS = (80, 15, 5)

#: Minutes by which a whole log may be off: an hour for daylight saving, others for zones.
_SHIFTS = (60, -60, 120, -120, 330, -480)

NEVER = 1 << 40


@dataclass(frozen=True)
class Phones:
    """Traits of the phones of a block, each of shape (subscribers,).

    ``kind`` is a position in ``FORMATS``; ``clock`` and ``shift`` are seconds added to every time;
    ``winter`` says that the clock was never set back or forth; ``starts_ringing`` that an entry's time is
    when ringing began, ``counts_ringing`` that durations include it. ``style`` is how numbers are mostly
    spelt. ``cleared`` is when older entries were deleted, ``changed`` when a new phone came (far off for
    never), ``limit`` how many calls the log holds. ``saved`` is when the log was exported.
    """

    kind: Int64s
    clock: Int64s
    shift: Int64s
    winter: Bools
    starts_ringing: Bools
    counts_ringing: Bools
    style: Int64s
    second_sim: Bools
    messages: Bools
    reach: Int64s
    cleared: Int64s
    forgets: Bools
    limit: Int64s
    changed: Int64s
    carried_over: Bools
    saved: Int64s

    @classmethod
    def draw(cls, draws: Draws, size: int, month: Month, forced: str | None) -> Phones:
        drawn = inverse(_FORMAT_WEIGHTS)[draws.u16(size)]
        kind = np.full(size, FORMATS.index(forced), dtype=np.int64) if forced else drawn
        width = np.array(_CLOCK)[inverse(_CLOCK_WEIGHTS)[draws.u16(size)]]
        clock = draws.below(2 * width + 1, size) - width
        shift = np.array(_SHIFTS)[draws.below(len(_SHIFTS), size)] * 60
        shift = np.where(draws.chance(30, size), shift, 0)
        span = month.end - month.start
        smartphone = kind < FORMATS.index("google-voice")
        android = kind <= FORMATS.index("android-csv")
        cleared = month.start + draws.below(span, size)
        changed = month.start + span // 4 + draws.below(span // 2, size)
        limit = inverse((10, 30, 60))[draws.u16(size)]
        limit = np.where(limit == 0, 40 + draws.below(100, size), np.where(limit == 1, 500, NEVER))
        return cls(
            kind=kind,
            clock=clock,
            shift=shift,
            winter=draws.chance(20, size) & (shift == 0),
            starts_ringing=draws.chance(800, size),
            counts_ringing=draws.chance(80, size),
            style=inverse((60, 30, 10))[draws.u16(size)],
            second_sim=draws.chance(120, size) & android,
            messages=np.isin(kind, [FORMATS.index(name) for name in WITH_MESSAGES])
            & ~draws.chance(100, size),
            reach=np.where(draws.chance(600, size), 12 * 86400, 0),
            cleared=np.where(draws.chance(40, size), cleared, 0),
            forgets=draws.chance(10, size),
            limit=np.where(smartphone, limit, 400),
            changed=np.where(draws.chance(20, size) & smartphone, changed, NEVER),
            carried_over=draws.chance(500, size),
            saved=month.end + 3600 + draws.below(3 * 86400, size),
        )
