"""Calendars: which band applies at which minute of which day.

A *slot* is what all calendars of a tariff say of a moment together: one number stands for one band of each.
Days are of few kinds, the seven of the week and, for holidays, what each calendar makes of them; a table of
1,440 minutes for each kind gives the slot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from billproof.errors import InputError
from billproof.intake.keys import nearest
from billproof.tariff import form, model, values

Fail = Callable[..., InputError]

_HOLIDAYS = "holidays"
_FREE = 255
_MOST_BANDS = 250
_MOST_SLOTS = (1 << 15) - 1  # of 16 bits

#: 1970-01-01 was a Thursday.
_FIRST_WEEKDAY = 3


class TooLargeError(Exception):
    """A tariff whose tables would not fit."""


def build_holidays(file: form.File, fail: Fail) -> dict[str, frozenset[int]]:
    """Every list of holidays as days since 1970."""
    lists = {}
    for name, days in file.holidays.items():
        numbers = []
        for at, text in enumerate(days):
            try:
                numbers.append(values.day_number(text))
            except ValueError:
                raise fail((_HOLIDAYS, name, at), f"there is no day {text}", 'write "YYYY-MM-DD"') from None
        lists[name] = frozenset(numbers)
    return lists


def build_calendar(
    name: str,
    given: Mapping[str, list[form.Span] | str | form.HolidayUse],
    lists: Mapping[str, frozenset[int]],
    fail: Fail,
) -> model.Calendar:
    """A calendar whose bands cover the week once; refused where they do not."""
    path = ("calendars", name)
    bands = [band for band in given if band != _HOLIDAYS]
    if not bands or len(bands) > _MOST_BANDS:
        raise fail(path, f"has {len(bands)} bands", f"write 1 to {_MOST_BANDS}")
    week = np.full((7, values.MINUTES), _FREE, np.uint8)
    rest: str | None = None
    for number, band in enumerate(bands):
        spans = given[band]
        if isinstance(spans, form.HolidayUse):
            raise fail((*path, band), "is no band", "holidays stand under the key holidays")
        if isinstance(spans, str):
            if rest is not None:
                raise fail(
                    (*path, band), f"an overlap: {rest!r} is the rest too", "only one band is the rest"
                )
            rest = band
            continue
        for at, span in enumerate(spans):
            begin, end = values.minute(span.from_), values.minute(span.until)
            if begin >= end:
                raise fail(
                    (*path, band, at, "until"),
                    "is not after from",
                    "over midnight write two: until 24:00, and from 00:00 on the days after",
                )
            for day in values.weekdays(span.days):
                taken = week[day, begin:end] != _FREE
                if taken.any():
                    minute = begin + int(taken.argmax())
                    other = bands[week[day, minute]]
                    raise fail(
                        (*path, band, at),
                        f"an overlap: {_moment(day, minute)} is {other!r} and {band!r}",
                        "let each minute of the week belong to one band",
                    )
                week[day, begin:end] = number
    open_ = week == _FREE
    if rest is not None:
        week[open_] = bands.index(rest)
    elif open_.any():
        day, minute = (int(place[0]) for place in np.nonzero(open_))
        raise fail(
            path,
            f"a gap: {_moment(day, minute)} is in no band",
            'make one band "rest", or write what is missing',
        )
    return model.Calendar(name, tuple(bands), tuple(map(bytes, week)), *_holidays(given, lists, path, fail))


def _holidays(
    given: Mapping[str, list[form.Span] | str | form.HolidayUse],
    lists: Mapping[str, frozenset[int]],
    path: tuple[str, ...],
    fail: Fail,
) -> tuple[frozenset[int], int]:
    use = given.get(_HOLIDAYS)
    if use is None:
        return frozenset(), 0
    if not isinstance(use, form.HolidayUse):
        raise fail((*path, _HOLIDAYS), "is no band", 'write holidays = { list = "…", as = "sun" }')
    if use.list not in lists:
        raise fail(
            (*path, _HOLIDAYS, "list"),
            f"the holiday list {use.list!r} is unknown",
            nearest(use.list, tuple(lists)),
        )
    return lists[use.list], values.WEEKDAYS.index(use.as_)


def _moment(day: int, minute: int) -> str:
    return f"{values.WEEKDAYS[day]} {minute // 60:02d}:{minute % 60:02d}"


@dataclass(frozen=True)
class Slots:
    """The slots of a tariff's calendars.

    ``table[kind, minute]`` is the slot; kinds 0 to 6 are the days of the week, later ones of ``special``
    (days in order, ``special_kind`` beside them). ``bands[slot][calendar]`` is the band's place.
    """

    table: NDArray[np.int16]  # (kinds, 1440)
    special: NDArray[np.int64]
    special_kind: NDArray[np.int64]
    calendars: tuple[str, ...]
    bands: tuple[tuple[int, ...], ...]
    examples: tuple[tuple[int, int], ...]  # of each slot: kind, minute

    def of(self, day: NDArray[np.int64], minute: NDArray[np.int64]) -> NDArray[np.int16]:
        """The slots of local days (since 1970) and minutes (of the day)."""
        if len(self.bands) == 1:
            return np.zeros(len(day), np.int16)
        kind = (day + _FIRST_WEEKDAY) % 7
        if len(self.special):
            at = np.searchsorted(self.special, day)
            at[at == len(self.special)] = 0
            kind = np.where(self.special[at] == day, self.special_kind[at], kind)
        found: NDArray[np.int16] = self.table.ravel()[kind * values.MINUTES + minute]
        return found

    def within(
        self, calendar: str | None, bands: frozenset[str] | None, names: tuple[str, ...]
    ) -> NDArray[np.bool_]:
        """Which slots lie in these bands (``names`` are all of the calendar's): (slots,)."""
        if calendar is None or bands is None:
            return np.ones(len(self.bands), bool)
        place = self.calendars.index(calendar)
        return np.array([names[slot[place]] in bands for slot in self.bands])


def build_slots(calendars: Mapping[str, model.Calendar]) -> Slots:
    """The slots of these calendars, which may be none: then there is one slot, always."""
    used = list(calendars.values())
    days = sorted(frozenset().union(*(calendar.holidays for calendar in used)))
    kinds: dict[tuple[int, ...], int] = {(day,) * len(used): day for day in range(7)} if used else {}
    special = []
    for day in days:
        weekday = (day + _FIRST_WEEKDAY) % 7
        kind = tuple(calendar.holiday_as if day in calendar.holidays else weekday for calendar in used)
        special.append(kinds.setdefault(kind, len(kinds)))
    numbers: dict[tuple[int, ...], int] = {}
    examples = []
    table = np.zeros((max(len(kinds), 7), values.MINUTES), np.int16)
    for kind, row in kinds.items():
        minutes = zip(*(calendar.week[day] for calendar, day in zip(used, kind, strict=True)), strict=True)
        for minute, slot in enumerate(minutes):
            if slot not in numbers:
                if len(numbers) == _MOST_SLOTS:
                    raise TooLargeError(
                        f"more than {_MOST_SLOTS:,} different times are more than can be rated"
                    )
                numbers[slot] = len(numbers)
                examples.append((row, minute))
            table[row, minute] = numbers[slot]
    return Slots(
        table=table,
        special=np.array(days, np.int64),
        special_kind=np.array(special, np.int64),
        calendars=tuple(calendar.name for calendar in used),
        bands=tuple(numbers) or ((),),
        examples=tuple(examples) or ((0, 0),),
    )
