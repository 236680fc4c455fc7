"""When a record began: ``[time]`` of a mapping, to UTC seconds and the offset beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from billproof.intake.decimals import parse_decimals, scale
from billproof.intake.keys import Place
from billproof.intake.rows import Bools, Ints
from billproof.intake.timeformat import ISO, Moments, TimeFormat, compile_format, parse_times
from billproof.intake.zones import offsets_at, offsets_of_local

#: Reports rows that cannot be used: mask, reason.
Report = Callable[[Bools, str], None]
#: Is told the rows whose local time happened twice, and of which one occurrence was taken.
Doubt = Callable[[Bools], None]

#: UTC offsets lie within this many minutes (18 hours, as in ISO 8601 libraries).
MAX_OFFSET = 18 * 60
#: End of the year 9999, UTC seconds.
_END = 253_402_300_800

_EPOCHS = {"epoch_s": (1, 1), "epoch_ms": (1, 1000)}
_FIXED_ZONE = re.compile(r"([+-])(\d{2}):?(\d{2})")


@dataclass(frozen=True)
class Clock:
    """``[time]``; see docs/formats.md. ``zone``: an IANA name, minutes for a fixed offset, None where not
    stated.
    """

    columns: tuple[str, ...]
    epoch: tuple[int, int] | None
    format: TimeFormat | None
    zone: str | int | None
    offset_column: str | None
    offset_unit: str
    utc: bool
    ambiguous: str


def parse_clock(table: Mapping[str, Any], place: Place) -> Clock:
    """Check ``[time]``."""
    if "column" not in table:
        raise place.error("time.column", "is missing", "name the column of the start time")
    column = table["column"]
    pattern = table.get("format", "iso")
    form: TimeFormat | None = None
    if pattern == "iso":
        form = ISO
    elif pattern not in _EPOCHS:
        if "%" not in pattern:
            raise place.error("time.format", f"{pattern!r} is not iso, epoch_s, epoch_ms or a pattern with %")
        try:
            form = compile_format(pattern)
        except ValueError as error:
            raise place.error("time.format", f"{pattern!r}: {error}") from error
    return Clock(
        columns=(column,) if isinstance(column, str) else tuple(column),
        epoch=_EPOCHS.get(pattern),
        format=form,
        zone=_zone(table["zone"], place) if "zone" in table else None,
        offset_column=table.get("offset_column"),
        offset_unit=place.choice(
            "time.offset_unit", table.get("offset_unit", "minutes"), ("minutes", "hours", "hh:mm")
        ),
        utc=place.choice("time.clock", table.get("clock", "local"), ("local", "utc")) == "utc",
        ambiguous=place.choice(
            "time.ambiguous", table.get("ambiguous", "first"), ("first", "second", "reject")
        ),
    )


def _zone(name: str, place: Place) -> str | int:
    if name in ("UTC", "Z"):
        return 0
    if fixed := _FIXED_ZONE.fullmatch(name):
        minutes = int(fixed[2]) * 60 + int(fixed[3])
        if minutes > MAX_OFFSET or int(fixed[3]) > 59:
            raise place.error("time.zone", f"{name!r} is beyond ±18:00")
        return -minutes if fixed[1] == "-" else minutes
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise place.error(
            "time.zone",
            f"{name!r} is not a time zone",
            'write an IANA name ("Europe/Dublin") or an offset ("+01:00")',
        ) from error
    return name


def read_moments(
    column: Callable[[str], pa.StringArray],
    clock: Clock,
    columns: tuple[str, ...],
    report: Report,
    doubt: Doubt,
) -> tuple[Ints, Ints]:
    """UTC seconds and offset in minutes of the time in ``columns``, for every row; faulty rows are
    reported.
    """
    texts = column(columns[0])
    if len(columns) > 1:
        texts = pc.binary_join_element_wise(*(column(name) for name in columns), " ")
    moments, has_own_clock = _parse(texts, clock)
    report(moments.bad, "is not a time in the format of the mapping")
    stated = None
    if clock.offset_column:
        stated = _stated_offsets(column(clock.offset_column), clock.offset_unit, report)
    utc, offset = _to_utc(moments, has_own_clock, stated, clock, report, doubt)
    report((utc < 0) | (utc >= _END), "is outside the years 1970 to 9999")
    minutes = offset // 60
    report(offset % 60 != 0, "has an offset from UTC that is no whole number of minutes")
    report(np.abs(minutes) > MAX_OFFSET, "has an offset from UTC beyond 18 hours")
    return utc, minutes


def _parse(texts: pa.StringArray, clock: Clock) -> tuple[Moments, Bools]:
    """What the texts say, and which of them say it in UTC or with an offset of their own."""
    if clock.epoch is None:
        assert clock.format is not None  # noqa: S101 - one of the two is always there
        moments = parse_times(texts, clock.format)
        return moments, moments.has_offset | clock.utc
    number = parse_decimals(texts)
    seconds, _, too_large = scale(number, clock.epoch, "down")
    size = len(texts)
    bad = number.faulty | too_large | number.below_zero
    none = np.zeros(size, np.bool_)
    inside = np.where(bad | (seconds >= _END), _END, seconds)
    return Moments(np.where(bad, 0, inside), bad, np.zeros(size, np.int64), none), np.ones(size, np.bool_)


def _stated_offsets(texts: pa.StringArray, unit: str, report: Report) -> Ints:
    """The offset column, in seconds."""
    coded = texts.dictionary_encode()
    known = [_offset_seconds(text, unit) for text in coded.dictionary.to_pylist()]
    index = coded.indices.to_numpy()
    report(np.array([value is None for value in known], np.bool_)[index], "is not an offset from UTC")
    seconds: Ints = np.array([value or 0 for value in known], np.int64)[index]
    return seconds


def _offset_seconds(text: str, unit: str) -> int | None:
    if unit == "hh:mm":
        match = _FIXED_ZONE.fullmatch(text)
        if not match or int(match[3]) > 59:
            return None
        seconds = int(match[2]) * 3600 + int(match[3]) * 60
        return -seconds if match[1] == "-" else seconds
    if not re.fullmatch(r"[+-]?\d{1,4}(\.\d{1,4})?", text, re.ASCII):
        return None
    exact = Decimal(text) * (3600 if unit == "hours" else 60)
    return int(exact) if abs(exact) <= MAX_OFFSET * 60 and exact == int(exact) else None


def _to_utc(
    moments: Moments, own: Bools, stated: Ints | None, clock: Clock, report: Report, doubt: Doubt
) -> tuple[Ints, Ints]:
    """UTC seconds and offset in seconds."""
    said = moments.seconds - moments.offset * 60
    if stated is not None:
        return np.where(own, said, said - stated), stated
    if clock.zone is None:
        return said, moments.offset * 60
    if isinstance(clock.zone, int):
        fixed = clock.zone * 60
        return np.where(own, said, said - fixed), np.full(len(said), fixed, np.int64)
    usable = np.clip(said, 0, _END - 1)
    if own.all():
        return said, offsets_at(clock.zone, usable)
    first, second, missing = offsets_of_local(clock.zone, usable)
    local = ~own & ~moments.bad
    report(local & missing, f"never happened in {clock.zone}: clocks went forward over it")
    twice = local & (first != second)
    if clock.ambiguous == "reject":
        report(twice, f"happened twice in {clock.zone}: clocks went back over it")
    else:
        doubt(twice)
    offset = second if clock.ambiguous == "second" else first
    utc = np.where(own, said, said - offset)
    if own.any():
        offset = np.where(own, offsets_at(clock.zone, usable), offset)
    return utc, offset
