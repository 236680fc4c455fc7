"""Texts of a tariff's file → exact integers: money, amounts of usage, days, times of day."""

from __future__ import annotations

from datetime import date

from billproof.records import Service

#: Decimals of a price: of every price in the package's integers.
PRICE_DECIMALS = 12
MONEY_DECIMALS = 9

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES = 24 * 60

SECONDS, MESSAGES, BYTES = "seconds", "messages", "bytes"

KINDS = {
    Service.VOICE_ORIGINATED: SECONDS,
    Service.VOICE_TERMINATED: SECONDS,
    Service.VOICE_FORWARDED: SECONDS,
    Service.MESSAGE_SENT: MESSAGES,
    Service.MESSAGE_RECEIVED: MESSAGES,
    Service.DATA: BYTES,
    Service.MMS: MESSAGES,
    Service.CONTENT: MESSAGES,
}

_UNITS = {
    "s": (SECONDS, 1),
    "min": (SECONDS, 60),
    "h": (SECONDS, 3600),
    "message": (MESSAGES, 1),
    "messages": (MESSAGES, 1),
    "B": (BYTES, 1),
    "kB": (BYTES, 10**3),
    "MB": (BYTES, 10**6),
    "GB": (BYTES, 10**9),
    "KiB": (BYTES, 1 << 10),
    "MiB": (BYTES, 1 << 20),
    "GiB": (BYTES, 1 << 30),
}


def service_of(word: str) -> Service:
    """The service of a word such as ``voice-originated``."""
    return Service[word.upper().replace("-", "_")]


def word_of(service: int) -> str:
    """The word of a service."""
    return Service(service).name.lower().replace("_", "-")


def scaled(decimal: str, decimals: int) -> int:
    """A decimal text that has no more than ``decimals`` decimals, in units of 10^-decimals."""
    sign = -1 if decimal.startswith("-") else 1
    whole, _, rest = decimal.lstrip("-").partition(".")
    return sign * int(whole + rest.ljust(decimals, "0"))


def price(text: str) -> int:
    """A price, in units of 10⁻¹²."""
    return scaled(text, PRICE_DECIMALS)


def money(text: str) -> int:
    """An amount of money, or a percentage, in billionths."""
    return scaled(text, MONEY_DECIMALS)


def decimal_of(value: int, decimals: int, least: int = 0) -> str:
    """The decimal text of an integer in units of 10^-decimals, with at least ``least`` decimals."""
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value), 10**decimals)
    shown = f"{rest:0{decimals}d}".rstrip("0").ljust(least, "0") if decimals else ""
    return f"{sign}{whole}.{shown}" if shown else f"{sign}{whole}"


def quantity(text: str) -> tuple[str, int]:
    """Kind and amount of ``"60 s"``."""
    number, _, unit = text.partition(" ")
    kind, size = _UNITS[unit]
    return kind, int(number) * size


def quantity_words(kind: str, amount: int) -> str:
    """An amount of usage as people write it, exactly: the largest unit that gives a whole number."""
    units = {
        SECONDS: ("min", "s"),
        MESSAGES: ("messages",),
        BYTES: ("GB", "GiB", "MB", "MiB", "kB", "KiB", "B"),
    }
    for unit in units[kind]:
        size = _UNITS[unit][1]
        if amount % size == 0 and (amount or size == 1):
            return f"{amount // size:,} {'message' if unit == 'messages' and amount == 1 else unit}"
    raise AssertionError(kind)


def day_number(text: str) -> int:
    """Days since 1970-01-01; ValueError for a day that no calendar has."""
    return date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()


def minute(text: str) -> int:
    """Minutes since midnight."""
    return int(text[:2]) * 60 + int(text[3:])


def weekdays(text: str) -> list[int]:
    """The days, Monday 0, of ``mon-fri`` (which may wrap) or a list with commas; repeated ones stay so."""
    days: list[int] = []
    for part in text.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        days += [day % 7 for day in range(begin, end + 1 + 7 * (end < begin))]
    return days


def international(text: str) -> str:
    """A number or prefix with ``+`` for the two zeros that it begins with, if it does."""
    return "+" + text[2:] if text.startswith("00") else text


def network_code(text: str) -> str:
    """``27202`` of ``272-02``, so that both ways of writing it are one."""
    return text.replace("-", "")
