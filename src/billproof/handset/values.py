"""Values that several formats write in the same way: numbers, times in epoch milliseconds, durations, sizes
of a text message.
"""

import re
from functools import lru_cache

from billproof.handset.problems import RowError
from billproof.handset.rows import IN, NO, OUT, UNKNOWN, YES

MAX_NUMBER = 100
LAST_SECOND = 253_402_300_799
"""The end of the year 9999."""
MAX_DURATION = 10_000_000

_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)
_CLOCK = re.compile(r"(?:([0-9]{1,5}):)?([0-9]{1,5}):([0-9]{1,2})", re.ASCII)
_WITHHELD = """null, -1, -2, -3, -4, unknown, private, anonymous, withheld, restricted, unavailable,
blocked, payphone, private number, unknown number, no caller id, unbekannt, anonym, privat, unterdrückt,
keine anrufer-id, inconnu, privé, masqué, anonyme, numéro masqué, numéro inconnu"""
WITHHELD = frozenset(_WITHHELD.replace("\n", " ").split(", "))

# GSM 03.38 (3GPP TS 23.038, 6.2.1): one septet each, and those of the extension table, two.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "\f^{}\\[~]|€"
_SEPTETS = {ord(letter): None for letter in _BASIC}
_TWICE = {ord(letter): None for letter in _EXTENDED}


@lru_cache(maxsize=65_536)
def clean_number(text: str) -> str:
    """The number as the log has it; empty when it says in one of its ways that it was withheld."""
    text = text.strip(" \t\r\n\u00a0\u200e\u200f\u202a\u202c\u202d")
    if len(text) > MAX_NUMBER:
        raise RowError("number", f"longer than {MAX_NUMBER} characters")
    return "" if text.lower() in WITHHELD else text


def whole(field: str, text: str | None) -> int:
    """A whole number of up to 18 digits."""
    if text is None or not text:
        raise RowError(field, "is missing")
    if not _DIGITS.fullmatch(text):
        raise RowError(field, "is not a whole number")
    return int(text)


def second(field: str, value: int) -> int:
    """``value`` if it is a time in the years 1970 to 9999."""
    if not 0 <= value <= LAST_SECOND:
        raise RowError(field, "is not in the years 1970 to 9999")
    return value


def milliseconds(field: str, text: str | None) -> int:
    """Epoch milliseconds → seconds."""
    return second(field, whole(field, text) // 1000)


def duration(field: str, value: int) -> int:
    """``value`` if it can be the seconds of a call."""
    if value > MAX_DURATION:
        raise RowError(field, "is too long for a call")
    return value


def clock_duration(field: str, text: str) -> int:
    """``H:MM:SS``, ``MM:SS`` or seconds."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return duration(field, whole(field, text))
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return duration(field, hours * 3600 + minutes * 60 + seconds)


# Android's CallLog.Calls.TYPE → direction, answered (None: by the duration).
CALL_TYPES: dict[str, tuple[int, int | None]] = {
    "1": (IN, YES),
    "2": (OUT, None),
    "3": (IN, NO),
    "4": (IN, NO),
    "5": (IN, NO),
    "6": (IN, NO),
    "7": (IN, YES),
}
ELSEWHERE = "7"
"""Answered on another device, whose log has the duration."""


def answered(seconds: int) -> int:
    """Whether somebody answered an outgoing call of this duration."""
    return UNKNOWN if seconds < 0 else YES if seconds else NO


def segments(text: str) -> int:
    """How many short messages carry a text: 160 septets or 153 each, else 70 UTF-16 units or 67 each.

    Filled in 3GPP TS 23.038's way without national shift tables; a character of two septets or a surrogate
    pair that falls on a border may in truth need one more.
    """
    if len(text) <= 70 and text.isascii():
        return 1
    beyond = text.translate(_SEPTETS)
    if not beyond:
        units, single, several = len(text), 160, 153
    elif not beyond.translate(_TWICE):
        units, single, several = len(text) + len(beyond), 160, 153
    else:
        units, single, several = len(text.encode("utf-16-le", "surrogatepass")) // 2, 70, 67
    return 1 if units <= single else -(-units // several)
