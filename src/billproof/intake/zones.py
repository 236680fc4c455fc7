"""Local time and UTC for whole columns: the transitions of a time zone, found once per year from
``zoneinfo``.

The package's ``tzdata`` is used where the system has no time zone database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from billproof.intake.rows import Bools, Ints

_DAY = 86_400
#: No zone has two transitions closer together than this, in seconds.
_PROBE = _DAY // 2
_FIRST_YEAR, _LAST_YEAR = 1970, 9999


@dataclass(frozen=True)
class YearTable:
    """A zone's changes around one year. ``at``: UTC seconds; ``offset[i]`` (seconds) holds before
    ``at[i]``.
    """

    at: Ints
    offset: Ints


@lru_cache(maxsize=4096)
def year_table(zone: str, year: int) -> YearTable:
    """The zone's transitions from two days before ``year`` to two days after it."""
    info = ZoneInfo(zone)
    start = int(datetime(max(year, _FIRST_YEAR), 1, 1, tzinfo=UTC).timestamp()) - 2 * _DAY
    stop = min(start + 370 * _DAY, int(datetime(_LAST_YEAR, 12, 30, tzinfo=UTC).timestamp()))
    at: list[int] = []
    offsets = [_offset(info, start)]
    for probe in range(start + _PROBE, stop + _PROBE, _PROBE):
        after = _offset(info, probe)
        if after != offsets[-1]:
            low, high = probe - _PROBE, probe
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if _offset(info, middle) == after else (middle, high)
            at.append(high)
            offsets.append(after)
    return YearTable(np.array(at, np.int64), np.array(offsets, np.int64))


def _offset(info: ZoneInfo, seconds: int) -> int:
    """UTC offset in seconds at a UTC instant."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    offset = moment.astimezone(info).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _by_year(seconds: Ints) -> list[tuple[int, Bools | slice]]:
    """The years that occur, each with the rows that are in it."""
    years = seconds.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    years = np.clip(years, _FIRST_YEAR, _LAST_YEAR)
    found = np.unique(years).tolist()
    if len(found) == 1:
        return [(found[0], slice(None))]
    return [(year, years == year) for year in found]


def offsets_at(zone: str, utc: Ints) -> Ints:
    """UTC offset, in seconds, at each UTC instant."""
    result = np.zeros(len(utc), np.int64)
    for year, rows in _by_year(utc):
        table = year_table(zone, year)
        result[rows] = table.offset[np.searchsorted(table.at, utc[rows], "right")]
    return result


def offsets_of_local(zone: str, local: Ints) -> tuple[Ints, Ints, Bools]:
    """What a wall clock says, to offsets in seconds: at the first and at the second occurrence, and rows
    that never occur.

    ``local``: seconds since 1970 on the zone's clock. The two differ only where clocks went back.
    """
    first, second = np.zeros(len(local), np.int64), np.zeros(len(local), np.int64)
    missing = np.zeros(len(local), np.bool_)
    for year, rows in _by_year(local):
        table = year_table(zone, year)
        before, after = table.offset[:-1], table.offset[1:]
        begun = np.searchsorted(table.at + np.minimum(before, after), local[rows], "right")
        over = np.searchsorted(table.at + np.maximum(before, after), local[rows], "right")
        first[rows], second[rows] = table.offset[over], table.offset[begun]
        missing[rows] = (begun != over) & (table.offset[begun] > table.offset[over])
    return first, second, missing
