"""The billing month in local time: hourly slots with activity weights, and daylight saving.

The month runs from local midnight to local midnight of the operator's time zone. Each slot is one
elapsed hour, so the hour that daylight saving skips gets no traffic and the one it repeats gets it twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from billproof.errors import InputError
from billproof.simulate.distributions import HOURS, WEEKDAYS, inverse

EPOCH = date(1970, 1, 1)

#: Seconds before the month's end that no call or message starts in: ringing must not carry an answer
#: into the next month, and the closing lines of a bill come after all else.
QUIET_END = 120


@dataclass(frozen=True)
class Month:
    """Period ``YYYYMM`` in one time zone. Times are UTC seconds, offsets minutes east of UTC."""

    period: int
    zone: ZoneInfo

    def __post_init__(self) -> None:
        year, month = divmod(self.period, 100)
        if not (1971 <= year <= 9998 and 1 <= month <= 12):
            raise InputError(
                f"period {self.period} is not a month",
                field="period",
                advice="give it as YYYYMM, for example 202609",
            )

    @property
    def first_day(self) -> date:
        return date(self.period // 100, self.period % 100, 1)

    @property
    def next_month(self) -> date:
        return (self.first_day + timedelta(days=31)).replace(day=1)

    @property
    def previous(self) -> int:
        """Period before, ``YYYYMM``."""
        return _period(self.first_day - timedelta(days=1))

    @property
    def following(self) -> int:
        """Period after, ``YYYYMM``."""
        return _period(self.next_month)

    @cached_property
    def start(self) -> int:
        """UTC second of the first local midnight."""
        return self._midnight(self.first_day)

    @cached_property
    def end(self) -> int:
        """UTC second of the local midnight after the last day."""
        return self._midnight(self.next_month)

    @property
    def days(self) -> int:
        return (self.next_month - self.first_day).days

    def offset(self, at: int) -> int:
        """Minutes of UTC offset in force at UTC second ``at``."""
        delta = datetime.fromtimestamp(at, UTC).astimezone(self.zone).utcoffset() or timedelta()
        return int(delta.total_seconds()) // 60

    @cached_property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Offset of each hourly slot, shape (hours,). A change inside a slot counts from the next one."""
        return np.array([self.offset(at) for at in range(self.start, self.end, 3600)], dtype=np.int64)

    @cached_property
    def peak(self) -> npt.NDArray[np.bool_]:
        """Whether a slot is peak time (weekdays 08:00 to 18:00 local), shape (hours,)."""
        hour, weekday = self._clock
        return np.asarray((hour >= 8) & (hour < 18) & (weekday < 5), dtype=np.bool_)

    def is_peak(self, second: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether seconds since the month's start are peak time."""
        slot = second // 3600
        if not (self.offsets % 60 != self.offsets[0] % 60).any():
            return self.peak[slot]
        local = self.start + second + self.offsets[slot] * 60  # clocks that change by half an hour
        hour, weekday = local // 3600 % 24, (local // 86400 + EPOCH.weekday()) % 7
        return np.asarray((hour >= 8) & (hour < 18) & (weekday < 5), dtype=np.bool_)

    @cached_property
    def slots(self) -> npt.NDArray[np.int64]:
        """Inverse table over the slots by hour of day and day of week."""
        hour, weekday = self._clock
        weights = [HOURS[h] * WEEKDAYS[d] for h, d in zip(hour.tolist(), weekday.tolist(), strict=True)]
        return inverse(weights)

    @cached_property
    def _clock(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        local = np.arange(self.start, self.end, 3600, dtype=np.int64) + self.offsets * 60
        return (local // 3600) % 24, (local // 86400 + EPOCH.weekday()) % 7

    def _midnight(self, day: date) -> int:
        return int(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp())


def _period(day: date) -> int:
    return day.year * 100 + day.month


def zone(name: str) -> ZoneInfo:
    """The time zone called ``name`` (IANA, for example ``Europe/Dublin``)."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(
            f"no time zone is called {name!r}",
            field="timezone",
            advice="give an IANA name such as Europe/Dublin or Africa/Lagos",
        ) from error
