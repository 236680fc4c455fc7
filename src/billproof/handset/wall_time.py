"""Dates and durations as people read them: ``05.10.26 14:03``, ``10/5/2026, 2:03:09 PM``, ``1 h 2 min 3 s``.

Wall-clock times become seconds since 1970-01-01 00:00 on that wall.
"""

import re
from datetime import UTC, datetime
from typing import Literal

from billproof.handset import values
from billproof.handset.problems import RowError

Order = Literal["dm", "md"]
_YEAR_FIRST = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})[T ,]+(.+)", re.ASCII)
_YEAR_LAST = re.compile(
    r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})[ ,]+(?:(?:at|um|à) )?(.+)", re.ASCII
)
_TIME = re.compile(
    r"([0-9]{1,2})[:h]([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,6})?)? ?([AaPp]\.?[Mm]\.?)?(?: Uhr)?", re.ASCII
)
_UNITS = re.compile(
    r"(?:([0-9]{1,4}) ?(?:h|hr|hrs|std\.?) ?)?(?:([0-9]{1,4}) ?(?:m|min|mins|min\.) ?)?"
    r"(?:([0-9]{1,5}) ?(?:s|sec|secs|sek\.?|s\.))?",
    re.ASCII | re.IGNORECASE,
)


def order_of(texts: list[str]) -> Order | None:
    """Whether day or month comes first, by the first number above 12 or AM, PM; None: nothing tells."""
    for text in texts:
        match = _YEAR_LAST.fullmatch(text)
        if match is None:
            continue
        if match[2] == "." or int(match[1]) > 12:
            return "dm"
        if int(match[3]) > 12:
            return "md"
    return "md" if any(re.search(r"[ap]\.?m\.?$", text, re.IGNORECASE) for text in texts) else None


def has_seconds(text: str) -> bool:
    """Whether a date says its second; true of what is no date."""
    match = _YEAR_FIRST.fullmatch(text) or _YEAR_LAST.fullmatch(text)
    time = match and _TIME.fullmatch(match[match.lastindex or 1])
    return not time or time[3] is not None


def ambiguous(text: str) -> bool:
    """Whether it takes an order to read the date."""
    match = _YEAR_LAST.fullmatch(text)
    return match is not None and match[2] != "." and match[1].zfill(2) != match[3].zfill(2)


def wall_seconds(field: str, text: str, order: Order) -> int:
    """Seconds since 1970 on the wall."""
    if match := _YEAR_FIRST.fullmatch(text):
        year, month, day, time = int(match[1]), int(match[2]), int(match[3]), match[4]
    elif match := _YEAR_LAST.fullmatch(text):
        day, month = (int(match[1]), int(match[3])) if order == "dm" else (int(match[3]), int(match[1]))
        year, time = int(match[4]) + (2000 if len(match[4]) == 2 else 0), match[5]
    else:
        raise RowError(field, "is not a date and time")
    clock = _TIME.fullmatch(time)
    if clock is None:
        raise RowError(field, "has no time of day")
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    if clock[4]:
        if not 1 <= hour <= 12:
            raise RowError(field, "has no such hour")
        hour = hour % 12 + (12 if clock[4][0] in "pP" else 0)
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError as error:
        raise RowError(field, "is no day or time that exists") from error
    if second > 60:
        raise RowError(field, "is no day or time that exists")
    return values.second(field, int(moment.timestamp()))


def spoken_duration(field: str, text: str) -> int:
    """``1:02:03``, ``02:03``, ``123``, ``1 h 2 min 3 s``; -1 when empty."""
    text = text.strip()
    if text in ("", "-", "–"):
        return -1
    if (match := _UNITS.fullmatch(text)) and any(match.groups()):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return values.duration(field, hours * 3600 + minutes * 60 + seconds)
    return values.clock_duration(field, text)
