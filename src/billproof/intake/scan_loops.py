"""The loops that take delimited text apart, for :mod:`billproof.intake.scan`, which compiles and calls them.

What they read and write is not checked here: their caller gives arrays that are large enough.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from billproof.compiled import first_bit, folded, load, matches64
from billproof.intake.rows import MAX_ROW

NEWLINE, RETURN, MINUS = 10, 13, 45

#: Slots of a table of texts to begin with, and rows of which one column after another is coded.
_SLOTS, _TOGETHER = 1024, 256

#: What :func:`cut` says of a window, in its last argument.
ROWS, FIELDS, NEWLINES, DOUBLED, UNUSUAL = range(5)

#: What :func:`times` says of a text: in another spelling, a time, none although it is spelt like one.
OTHER, TIME, NO_TIME = range(3)


@register_jitable
def _marks(text: Any, at: int, tail: Any, delimiter: int, quote: int) -> int:
    """Which of the 64 bytes from ``at`` on are delimiters, quotes or newlines; none are beyond the end."""
    if at + 64 <= len(text):
        return matches64(text.ctypes.data + at, delimiter, quote, NEWLINE)  # type: ignore[no-any-return]
    for i in range(64):
        tail[i] = text[at + i] if at + i < len(text) else 0
    return matches64(tail.ctypes.data, delimiter, quote, NEWLINE)  # type: ignore[no-any-return]


def count_marks(text: Any, delimiter: int, quote: int, tail: Any) -> int:
    """How many delimiters, quotes and newlines there are: no more fields than that, and one."""
    total = 0
    for at in range(0, len(text), 64):
        marks = _marks(text, at, tail, delimiter, quote)
        while marks:
            total += 1
            marks &= marks - 1
    return total


def cut(
    text: Any,
    delimiter: int,
    quote: int,
    final: int,
    tail: Any,
    spans: Any,
    rows: Any,
    first: Any,
    newlines: Any,
    found: Any,
) -> None:
    """Rows and fields of a window; stops at the first thing that is unusual, and says so."""
    size, fields, count, lines = len(text), 0, 0, 0
    begin, closed, inside = 0, -1, False
    rows[0] = first[0] = 0
    for block in range(0, size + 1, 64):
        marks = _marks(text, block, tail, delimiter, quote)
        if block + 64 > size and final and size > 0 and text[size - 1] != NEWLINE:
            marks |= 1 << (size - block)  # the last row may do without a newline
        while marks:
            at = block + first_bit(marks)
            marks &= marks - 1
            mark = text[at] if at < size else NEWLINE
            if mark == quote and mark != NEWLINE:
                if inside:
                    inside, closed = False, at
                elif at == begin:
                    inside = True
                elif at == closed + 1:
                    inside, found[DOUBLED] = True, 1
                else:
                    found[UNUSUAL] = 1
                    return
                continue
            if mark == NEWLINE and at < size:
                newlines[lines] = at
                lines += 1
            if inside:
                if at == size:
                    found[UNUSUAL] = 1
                    return
                continue
            end = at
            if mark == NEWLINE and at > begin and text[at - 1] == RETURN:
                end -= 1
            if closed >= 0:
                if closed != end - 1:
                    found[UNUSUAL] = 1
                    return
                begin, end, closed = begin + 1, closed, -1
            spans[fields, 0] = begin
            spans[fields, 1] = end
            fields += 1
            begin = at + 1
            if mark == NEWLINE:
                count += 1
                if begin - rows[count - 1] > MAX_ROW:
                    found[UNUSUAL] = 1
                    return
                rows[count] = begin
                first[count] = fields
    found[UNUSUAL] = inside and final
    found[ROWS] = count
    found[FIELDS] = first[count]
    found[NEWLINES] = lines


@register_jitable
def _word(text: Any, at: int, size: int) -> int:
    """The bytes from ``at`` on as an integer, no more than eight of them."""
    if at + 8 <= len(text):
        word = load(text.ctypes.data + at)
        return word if size >= 8 else word & ((1 << (8 * size)) - 1)  # type: ignore[no-any-return]
    word = 0
    for k in range(min(size, 8)):
        word |= np.int64(text[at + k]) << (8 * k)
    return word  # type: ignore[no-any-return]


@register_jitable
def _equal(text: Any, one: int, other: int, size: int) -> bool:
    for k in range(0, size, 8):  # noqa: SIM110 - numba has no all()
        if _word(text, one + k, size - k) != _word(text, other + k, size - k):
            return False
    return True


@register_jitable
def _mixed(text: Any, begin: int, size: int, keys: Any) -> int:
    """A hash of a text, below 2^32. Without the ``keys`` nobody can find texts whose hashes are equal."""
    mixed = keys[0] ^ size
    for k in range(0, size, 8):
        mixed = folded(mixed ^ _word(text, begin + k, size - k), keys[1])
    return folded(mixed, keys[2]) & 0xFFFFFFFF  # type: ignore[no-any-return]


@register_jitable
def _grown(table: Any, slots: int, known: Any, distinct: int) -> int:
    """Puts the distinct texts into a table of four times the slots; how many it has then."""
    slots *= 4
    table[:slots] = -1
    for code in range(distinct):
        slot = known[code, 0] & (slots - 1)
        while table[slot] >= 0:
            slot = (slot + 1) & (slots - 1)
        table[slot] = code
    return slots


def code(
    text: Any, spans: Any, first: Any, places: Any, keys: Any, codes: Any, met: Any, counts: Any
) -> None:
    """Codes several columns; some rows of all of them at a time, so that their text is at hand.

    ``codes`` and ``met`` are (columns, rows): which distinct text each row has, and the field in which each
    distinct text stood first; ``counts`` says how many of these there are.
    """
    size = len(first)
    most = 4 * _SLOTS
    while most < 8 * size:
        most *= 4
    tables = np.empty((len(places), most), np.int32)
    tables[:, :_SLOTS] = -1
    known = np.empty((len(places), size, 3), np.int64)  # of each text: its hash, length and first bytes
    slots = np.full(len(places), _SLOTS, np.int64)
    counts[:] = 0
    for start in range(0, size, _TOGETHER):
        for column in range(len(places)):
            table, about, at = tables[column], known[column], met[column]
            distinct, mask = counts[column], slots[column] - 1
            for row in range(start, min(start + _TOGETHER, size)):
                field = first[row] + places[column]
                begin = spans[field, 0]
                length = spans[field, 1] - begin
                mixed, word = _mixed(text, begin, length, keys), _word(text, begin, length)
                slot = mixed & mask
                while True:
                    code = table[slot]
                    if code < 0:
                        code = distinct
                        table[slot] = code
                        about[code, 0], about[code, 1], about[code, 2] = mixed, length, word
                        at[code] = field
                        distinct += 1
                        break
                    if (
                        about[code, 0] == mixed
                        and about[code, 1] == length
                        and about[code, 2] == word
                        and (length <= 8 or _equal(text, begin + 8, spans[at[code], 0] + 8, length - 8))
                    ):
                        break
                    slot = (slot + 1) & mask
                codes[column, row] = code
                if 2 * distinct > mask:
                    slots[column] = _grown(table, mask + 1, about, distinct)
                    mask = slots[column] - 1
            counts[column] = distinct


@register_jitable
def _digits(text: Any, at: int, count: int) -> int:
    """A number of so many digits; below zero if one is none."""
    value = 0
    for k in range(count):
        digit = int(text[at + k]) - 48
        if digit < 0 or digit > 9:
            return -1
        value = 10 * value + digit
    return value


@register_jitable
def _day_number(year: int, month: int, day: int) -> int:
    """Days since 1970 in the Gregorian calendar, counted in years that begin in March."""
    if month <= 2:
        year -= 1
    era = year // 400
    of_era = year - 400 * era
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return 146_097 * era + 365 * of_era + of_era // 4 - of_era // 100 + of_year - 719_468


def times(
    text: Any, begins: Any, lengths: Any, how: Any, allowed: Any, seconds: Any, offsets: Any, found: Any
) -> None:
    """Texts in a spelling of fixed width: seconds, offset in minutes, whether they fit and are a time.

    ``how``: width, place of the offset's sign (-1: none), whether it is spelt out; places of year, month,
    day, hour, minute, second (-1: absent), width of the year. ``allowed``: rows of a place and the bytes
    that may stand there.
    """
    for row in range(len(begins)):
        at = begins[row]
        found[row] = OTHER
        if lengths[row] != how[0]:
            continue
        fits = True
        for k in range(len(allowed)):
            byte = text[at + allowed[k, 0]]
            fits &= (byte == allowed[k, 1]) | (byte == allowed[k, 2]) | (byte == allowed[k, 3])
        if not fits:
            continue
        year = _digits(text, at + how[3], how[9])
        month, day = _digits(text, at + how[4], 2), _digits(text, at + how[5], 2)
        hour = _digits(text, at + how[6], 2) if how[6] >= 0 else 0
        minute = _digits(text, at + how[7], 2) if how[7] >= 0 else 0
        second = _digits(text, at + how[8], 2) if how[8] >= 0 else 0
        offset_hours, offset_minutes = 0, 0
        if how[2]:
            offset_hours = _digits(text, at + how[1] + 1, 2)
            offset_minutes = _digits(text, at + how[1] + 4, 2)
        if min(year, month, day, hour, minute, second, offset_hours, offset_minutes) < 0:
            continue
        if how[9] == 2:
            year += 2000 if year < 69 else 1900
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        last = 31 - (month in (4, 6, 9, 11))
        if month == 2:
            last = 28 + leap
        good = year >= 1 and 1 <= month <= 12 and 1 <= day <= last and hour < 24
        if not (good and minute < 60 and second < 60):
            found[row] = NO_TIME
            continue
        found[row] = TIME
        seconds[row] = _day_number(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
        if how[1] >= 0:
            offset = offset_hours * 60 + offset_minutes
            offsets[row] = -offset if text[at + how[1]] == MINUS else offset
