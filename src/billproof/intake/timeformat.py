"""Times as text to seconds, a column at a time.

A format is compiled once: into a regular expression that reads every spelling, and, where all its fields
are of fixed width, into byte positions that numpy reads some ten times faster. Rows the positions do not
fit take the expression.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from billproof.intake.rows import Bools, Ints, bools, octets
from billproof.intake.scanner import scanner

#: Directive → (name of the field, expression, width where fixed).
_DIRECTIVES: Mapping[str, tuple[str, str, int]] = {
    "Y": ("year", "[0-9]{4}", 4),
    "y": ("short_year", "[0-9]{2}", 2),
    "m": ("month", "[0-9]{1,2}", 2),
    "d": ("day", "[0-9]{1,2}", 2),
    "H": ("hour", "[0-9]{1,2}", 2),
    "I": ("hour12", "[0-9]{1,2}", 2),
    "M": ("minute", "[0-9]{1,2}", 2),
    "S": ("second", "[0-9]{1,2}", 2),
    "f": ("fraction", "[0-9]{1,9}", 0),
    "p": ("half", "[AaPp]\\.?[Mm]\\.?", 0),
    "b": ("month_name", "[A-Za-z]{3}", 0),
    "j": ("day_of_year", "[0-9]{1,3}", 0),
    "z": ("offset", "[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?", 0),
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO = (
    r"^(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[Tt ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,][0-9]{1,9})?)?"
    r" ?(?P<offset>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?$"
)
_LENGTHS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)
_MINUS = ord("-")
_NEED_DATE = ({"year", "short_year"}, {"month", "month_name", "day_of_year"}, {"day", "day_of_year"})


@dataclass(frozen=True)
class Fixed:
    """A spelling of fixed width: field → (position, width), and the bytes allowed at the other positions.

    ``offset``: where ``Z`` or the sign of ``±hh:mm`` stands, in spellings that end with it.
    """

    width: int
    fields: Mapping[str, tuple[int, int]]
    literals: tuple[tuple[int, bytes], ...]
    offset: int | None = None


@dataclass(frozen=True)
class TimeFormat:
    """A compiled format."""

    expression: str
    names: tuple[str, ...]
    fixed: tuple[Fixed, ...] = ()


@dataclass
class Moments:
    """``seconds`` since 1970 as the text says them; ``offset`` in minutes where ``has_offset``; ``bad``: no
    time.
    """

    seconds: Ints
    bad: Bools
    offset: Ints
    has_offset: Bools


def _iso() -> TimeFormat:
    fields = {
        name: (at, 4 if name == "year" else 2)
        for name, at in (("year", 0), ("month", 5), ("day", 8), ("hour", 11), ("minute", 14), ("second", 17))
    }
    marks = ((4, b"-"), (7, b"-"), (10, b"Tt "), (13, b":"), (16, b":"))
    names = tuple(re.findall(r"\?P<(\w+)>", _ISO))
    zoned = {**fields, "offset_hours": (20, 2), "offset_minutes": (23, 2)}
    spellings = (
        Fixed(25, zoned, (*marks, (19, b"+-"), (22, b":")), offset=19),
        Fixed(20, fields, (*marks, (19, b"Zz")), offset=19),
        Fixed(19, fields, marks),
    )
    return TimeFormat(_ISO, names, spellings)


ISO = _iso()


def compile_format(pattern: str) -> TimeFormat:
    """Compile a ``%``-pattern. Raises :class:`ValueError` in words fit for the mapping's author."""
    expression, names, fields, literals = "^", [], {}, []
    position, fixed = 0, True
    rest = iter(pattern)
    for letter in rest:
        if letter == "%":
            letter = next(rest, "")
            if letter != "%":
                if letter not in _DIRECTIVES:
                    raise ValueError(f"%{letter} is not one of %{' %'.join(_DIRECTIVES)} %%")
                name, text, width = _DIRECTIVES[letter]
                if name in names:
                    raise ValueError(f"%{letter} stands twice")
                names.append(name)
                expression += f"(?P<{name}>{text})"
                fields[name] = (position, width)
                fixed &= width > 0
                position += width
                continue
        expression += re.escape(letter) if letter.isascii() else letter
        literals.append((position, letter.encode()))
        fixed &= letter.isascii()
        position += 1
    for group in _NEED_DATE:
        if not group & set(names):
            raise ValueError("it lacks the year, month or day")
    if len({"year", "short_year"} & set(names)) > 1 or ("hour12" in names) != ("half" in names):
        raise ValueError("%Y and %y exclude each other, and %I goes with %p")
    spelling = (Fixed(position, fields, tuple(literals)),) if fixed else ()
    return TimeFormat(expression + "$", tuple(names), spelling)


def parse_times(texts: pa.StringArray, how: TimeFormat) -> Moments:
    """Read a column of times. Fractions of a second are cut off."""
    size = len(texts)
    result = Moments(
        np.zeros(size, np.int64), np.zeros(size, np.bool_), np.zeros(size, np.int64), np.zeros(size, np.bool_)
    )
    left = np.ones(size, np.bool_)
    for spelling in how.fixed:
        fits, seconds, bad, offset = _read_fixed(texts, spelling, left)
        if fits.any():
            result.seconds = np.where(fits, seconds, result.seconds)
            result.bad |= fits & bad
            left &= ~fits
            if spelling.offset is not None:
                result.has_offset |= fits
                result.offset = np.where(fits, offset, result.offset)
        if not left.any():
            break
    if left.any():
        rows = np.flatnonzero(left)
        found = pc.extract_regex(texts.take(pa.array(rows)), how.expression)
        unread = bools(found.is_null())
        parts = {}
        for place, name in enumerate(how.names):
            parts[name] = _part(name, found.field(place))
        seconds, bad = _assemble(parts)
        result.seconds[rows] = seconds
        result.bad[rows] = bad | unread
        if "offset" in parts:
            result.has_offset[rows] = parts["offset"] != _NO_OFFSET
            result.offset[rows] = np.where(result.has_offset[rows], parts["offset"], 0)
    return result


_NO_OFFSET = 1 << 30


def _read_fixed(texts: pa.StringArray, spelling: Fixed, wanted: Bools) -> tuple[Bools, Ints, Bools, Ints]:
    """Rows that have this spelling, their seconds, those among them that are no time, and their offsets
    (rubbish in the other rows).
    """
    loops = scanner()
    read = None if loops is None else loops.times(texts, spelling)
    if read is not None:
        return wanted & read[0], *read[1:]
    data, starts, lengths = octets(texts)
    none = np.zeros(len(starts), np.int64)
    fits = wanted & (lengths == spelling.width)
    if not fits.any():
        return fits, none, fits, none
    at = np.where(fits, starts, 0)
    top = len(data) - 1
    for position, allowed in spelling.literals:
        byte = data[np.minimum(at + position, top)]
        same = byte == allowed[0]
        for other in allowed[1:]:
            same |= byte == other
        fits &= same
    parts: dict[str, Ints] = {}
    for name, (position, width) in spelling.fields.items():
        value = np.zeros(len(fits), np.int64)
        for place in range(position, position + width):
            digit = data[np.minimum(at + place, top)] - np.uint8(48)
            fits &= digit < 10
            value = value * 10 + digit
        parts[name] = value
    offset = none
    if "offset_hours" in parts and spelling.offset is not None:
        minutes = parts["offset_hours"] * 60 + parts["offset_minutes"]
        offset = np.where(data[np.minimum(at + spelling.offset, top)] == _MINUS, -minutes, minutes)
    return fits, *_assemble(parts), offset


def _part(name: str, texts: pa.StringArray) -> Ints:
    """One field as numbers; absent ones are 0."""
    if name == "offset":
        return _offsets(texts)
    if name == "half":
        return np.asarray(bools(pc.starts_with(pc.utf8_lower(texts), "p")), np.int64)
    if name == "month_name":
        found = pc.index_in(pc.utf8_lower(texts), pa.array(_MONTHS))
        return np.asarray(pc.add(found, 1).fill_null(0).to_numpy(), np.int64)
    if name == "fraction":
        return np.zeros(len(texts), np.int64)
    filled = pc.if_else(pc.equal(texts, ""), "0", texts).fill_null("0")
    return np.asarray(filled.cast(pa.int64()).to_numpy(), np.int64)


def _offsets(texts: pa.StringArray) -> Ints:
    """``Z``, ``+01``, ``+0100``, ``+01:00`` in minutes; absent is ``_NO_OFFSET``. There are few different
    ones.
    """
    coded = texts.fill_null("").dictionary_encode()
    minutes = [_offset_minutes(text) for text in coded.dictionary.to_pylist()]
    result: Ints = np.array(minutes, np.int64)[coded.indices.to_numpy()]
    return result


def _offset_minutes(text: str) -> int:
    if not text:
        return _NO_OFFSET
    digits = text[1:].replace(":", "")
    minutes = int(digits[:2] or 0) * 60 + int(digits[2:] or 0)
    return -minutes if text[0] == "-" else minutes


def _assemble(parts: Mapping[str, Ints]) -> tuple[Ints, Bools]:
    """Fields to seconds since 1970, and the rows whose fields are out of range."""
    if "short_year" in parts:
        short = parts["short_year"]
        year = np.where(short < 69, 2000, 1900) + short
    else:
        year = parts["year"]
    zero = np.zeros(len(year), np.int64)
    hour = parts.get("hour", zero)
    bad = year < 1
    if "hour12" in parts:
        twelve = parts["hour12"]
        bad |= (twelve < 1) | (twelve > 12)
        hour = twelve % 12 + 12 * parts["half"]
    minute, second = parts.get("minute", zero), parts.get("second", zero)
    bad |= (hour > 23) | (minute > 59) | (second > 59)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    if "day_of_year" in parts:
        month, day = np.ones(len(year), np.int64), parts["day_of_year"]
        bad |= (day < 1) | (day > 365 + leap)
    else:
        month, day = parts["month_name"] if "month_name" in parts else parts["month"], parts["day"]
        known = (month >= 1) & (month <= 12)
        month = np.where(known, month, 1)
        bad |= ~known | (day < 1) | (day > _LENGTHS[month - 1] + (leap & (month == 2)))
    days = (year - 1970) * 12 + month - 1
    days = days.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + day - 1
    return days * 86_400 + hour * 3600 + minute * 60 + second, bad
