"""Delimited text taken apart by compiled loops: what the numpy versions do, several times as fast.

Importing this module loads numba, compiles once, and checks known answers;
:mod:`billproof.intake.delimited` does so for large files only. Every function takes what it reads from
arrays whose bounds its callers here have checked. Text that is written in an unusual way is left to the
numpy versions, so that there is one word on what is wrong with a row.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import types
from numba.extending import register_jitable

from billproof.compiled import cache_directory, compiled, first_bit, folded, load, matches64
from billproof.intake import rows as rows_module
from billproof.intake.rows import MAX_ROW, Bools, Ints, Octets, Spans, octets
from billproof.intake.splitting import Cut, Dialect
from billproof.intake.timeformat import ISO, Fixed

_NEWLINE, _RETURN, _MINUS = 10, 13, 45

#: Slots of a table of texts to begin with, and rows of which one column after another is coded.
_SLOTS, _TOGETHER = 1024, 256

#: What :func:`_cut` says of a window, in its last argument.
_ROWS, _FIELDS, _NEWLINES, _DOUBLED, _UNUSUAL = range(5)

#: What :func:`_times` says of a text: in another spelling, a time, none although it is spelt like one.
_OTHER, _TIME, _NO_TIME = range(3)


@register_jitable
def _marks(text: Any, at: int, tail: Any, delimiter: int, quote: int) -> int:
    """Which of the 64 bytes from ``at`` on are delimiters, quotes or newlines; none are beyond the end."""
    if at + 64 <= len(text):
        return matches64(text.ctypes.data + at, delimiter, quote, _NEWLINE)  # type: ignore[no-any-return]
    for i in range(64):
        tail[i] = text[at + i] if at + i < len(text) else 0
    return matches64(tail.ctypes.data, delimiter, quote, _NEWLINE)  # type: ignore[no-any-return]


def _count(text: Any, delimiter: int, quote: int, tail: Any) -> int:
    """How many delimiters, quotes and newlines there are: no more fields than that, and one."""
    total = 0
    for at in range(0, len(text), 64):
        marks = _marks(text, at, tail, delimiter, quote)
        while marks:
            total += 1
            marks &= marks - 1
    return total


def _cut(
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
        if block + 64 > size and final and size > 0 and text[size - 1] != _NEWLINE:
            marks |= 1 << (size - block)  # the last row may do without a newline
        while marks:
            at = block + first_bit(marks)
            marks &= marks - 1
            mark = text[at] if at < size else _NEWLINE
            if mark == quote and mark != _NEWLINE:
                if inside:
                    inside, closed = False, at
                elif at == begin:
                    inside = True
                elif at == closed + 1:
                    inside, found[_DOUBLED] = True, 1
                else:
                    found[_UNUSUAL] = 1
                    return
                continue
            if mark == _NEWLINE and at < size:
                newlines[lines] = at
                lines += 1
            if inside:
                if at == size:
                    found[_UNUSUAL] = 1
                    return
                continue
            end = at
            if mark == _NEWLINE and at > begin and text[at - 1] == _RETURN:
                end -= 1
            if closed >= 0:
                if closed != end - 1:
                    found[_UNUSUAL] = 1
                    return
                begin, end, closed = begin + 1, closed, -1
            spans[fields, 0] = begin
            spans[fields, 1] = end
            fields += 1
            begin = at + 1
            if mark == _NEWLINE:
                count += 1
                if begin - rows[count - 1] > MAX_ROW:
                    found[_UNUSUAL] = 1
                    return
                rows[count] = begin
                first[count] = fields
    found[_UNUSUAL] = inside and final
    found[_ROWS] = count
    found[_FIELDS] = first[count]
    found[_NEWLINES] = lines


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


def _code(
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


def _times(
    text: Any, begins: Any, lengths: Any, how: Any, allowed: Any, seconds: Any, offsets: Any, found: Any
) -> None:
    """Texts in a spelling of fixed width: seconds, offset in minutes, whether they fit and are a time.

    ``how``: width, place of the offset's sign (-1: none), whether it is spelt out; places of year, month,
    day, hour, minute, second (-1: absent), width of the year. ``allowed``: rows of a place and the bytes
    that may stand there.
    """
    for row in range(len(begins)):
        at = begins[row]
        found[row] = _OTHER
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
            found[row] = _NO_TIME
            continue
        found[row] = _TIME
        seconds[row] = _day_number(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
        if how[1] >= 0:
            offset = offset_hours * 60 + offset_minutes
            offsets[row] = -offset if text[at + how[1]] == _MINUS else offset


class ScannerFault(RuntimeError):
    """The loops take text apart wrongly; nothing may be read with them."""


_TEXT = types.Array(types.uint8, 1, "C", readonly=True)
_BYTES = types.Array(types.uint8, 1, "C")
_PLACES = types.Array(types.int64, 1, "C")
_SPANS = types.Array(types.int32, 2, "C", readonly=True)
_TABLE = types.Array(types.int64, 2, "C")
_NUMBER = types.int64

#: What the machine code is made of: these modules hold the loops, and every constant in them.
SOURCES = (rows_module.__file__, __file__)

#: The keys of the hash of texts, of this process alone: whoever writes a file cannot know which texts meet.
#: Nothing else depends on them. Odd, so that every bit of a text counts.
_keys = np.frombuffer(os.urandom(24), np.int64) | 1

_cache = cache_directory(*SOURCES)
_count_compiled = compiled(_count, _NUMBER(_TEXT, _NUMBER, _NUMBER, _BYTES), _cache)
_cut_compiled = compiled(
    _cut,
    types.void(_TEXT, *[_NUMBER] * 3, _BYTES, types.Array(types.int32, 2, "C"), *[_PLACES] * 4),
    _cache,
)
_code_compiled = compiled(
    _code,
    types.void(_TEXT, _SPANS, *[_PLACES] * 3, types.Array(types.int32, 2, "C"), _TABLE, _PLACES),
    _cache,
)
_times_compiled = compiled(
    _times, types.void(_TEXT, *[_PLACES] * 3, _TABLE, _PLACES, _PLACES, _BYTES), _cache
)


def cut(window: Octets, dialect: Dialect, *, final: bool) -> Cut | None:
    """:func:`billproof.intake.splitting.cut`, or None where that has to look at the window itself."""
    if dialect.strip:
        return None
    quote = dialect.quote if dialect.quote >= 0 else _NEWLINE
    tail = np.empty(64, np.uint8)
    most = _count_compiled(window, dialect.delimiter, quote, tail) + 1
    spans, rows, first = np.empty((most, 2), np.int32), *(np.empty(most + 1, np.int64) for _ in range(2))
    newlines, found = np.empty(most, np.int64), np.zeros(5, np.int64)
    _cut_compiled(window, dialect.delimiter, quote, final, tail, spans, rows, first, newlines, found)
    if found[_UNUSUAL]:
        return None
    count = int(found[_ROWS])
    return Cut(
        spans[: int(found[_FIELDS])],
        rows[: count + 1],
        first[: count + 1],
        newlines[: int(found[_NEWLINES])],
        bool(found[_DOUBLED]),
        np.zeros(0, np.int64),
        int(rows[count]),
        "",
    )


def code(text: Octets, spans: Spans, first: Ints, places: Ints) -> list[tuple[npt.NDArray[np.int32], Ints]]:
    """Of each column, ``places`` fields behind the ``first`` of every row: the codes of its texts, (n,), and
    the field in which each distinct text stands first.
    """
    codes, met = np.empty((len(places), len(first)), np.int32), np.empty((len(places), len(first)), np.int64)
    counts = np.empty(len(places), np.int64)
    _code_compiled(text, spans, first, places, _keys, codes, met, counts)
    return [(codes[at], met[at, :count]) for at, count in enumerate(counts.tolist())]


def times(texts: pa.StringArray, spelling: Fixed) -> tuple[Bools, Ints, Bools, Ints] | None:
    """Rows that have this spelling, their seconds since 1970, those that are no time, and their offsets in
    minutes; None where the spelling has other fields than these loops know.
    """
    data, starts, lengths = octets(texts)
    how = _how(spelling)
    if how is None:
        return None
    allowed = np.array(
        [(place, *mark.ljust(3, mark[:1])) for place, mark in spelling.literals], np.int64
    ).reshape(-1, 4)
    seconds, offsets = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.int64)
    found = np.empty(len(starts), np.uint8)
    _times_compiled(data, starts, lengths, how, allowed, seconds, offsets, found)
    return found != _OTHER, seconds, found == _NO_TIME, offsets


def _how(spelling: Fixed) -> Ints | None:
    """What :func:`_times` wants to know of a spelling."""
    fields = dict(spelling.fields)
    spelt_out = fields.pop("offset_hours", None) is not None
    fields.pop("offset_minutes", None)
    year, width = fields.pop("year", (-1, 0))
    if year < 0:
        year, width = fields.pop("short_year", (-1, 0))
    places = [fields.pop(name, (-1, 2))[0] for name in ("month", "day", "hour", "minute", "second")]
    if fields or min(year, *places[:2]) < 0:
        return None
    sign = -1 if spelling.offset is None else spelling.offset
    return np.array([spelling.width, sign, spelt_out, year, *places, width], np.int64)


def _self_test() -> None:
    """Checks known answers."""
    numbers = [str(at * 7919 % 1200).encode() for at in range(2400)]
    texts = [b"A1", b'x,""y', b"", b"l\nm", b"z" * 80, b"1", b"A1", b"z" * 79 + b"y", b"1", *numbers]
    text = b'A1,"x,""y",\r\n"l\nm",%b,1\nA1,%b,1\n%b\n' % (texts[4], texts[7], b",0,\n".join(numbers))
    window, dialect = np.frombuffer(text, np.uint8), Dialect(ord(","), ord('"'), False)
    found = cut(window, dialect, final=True)
    right = found is not None
    if found is not None:
        fields = [text[begin:end] for begin, end in found.spans.tolist()]
        right = fields[:9] == texts[:9] and fields[9::3] == numbers and fields[10::3] == [b"0"] * 2399
        right &= found.first.tolist() == [*range(0, 3 * 2403, 3), len(fields)]
        right &= found.newlines.tolist() == [at for at, byte in enumerate(text) if byte == ord("\n")]
        right &= found.rows[[0, 1, 2, 3, -1]].tolist() == [0, 13, 102, 188, len(text)]
        right &= found.doubled and found.consumed == len(text)
    if found is not None and right:
        columns = code(window, found.spans, found.first[:-2], np.array([0, 1]))
        for place, (codes, met) in enumerate(columns):
            held = fields[place : 3 * 2402 : 3]
            distinct = list(dict.fromkeys(held))
            right &= [fields[field] for field in met.tolist()] == distinct
            right &= [distinct[each] for each in codes.tolist()] == held
    right &= all(
        cut(np.frombuffer(wrong, np.uint8), dialect, final=True) is None for wrong in (b'a"b\n', b'"a')
    )
    moments = ["2000-02-29T23:59:58-09:30", "1969-12-31t00:00:01+00:00", "2100-02-29T00:00:00+00:00", "2000"]
    read = times(pa.array(moments), ISO.fixed[0])
    right &= read is not None and [column.tolist() for column in read] == [
        [True, True, True, False],
        [951_868_798, -86_399, 0, 0],
        [False, False, True, False],
        [-570, 0, 0, 0],
    ]
    if not right:
        raise ScannerFault(
            "the compiled reader takes text apart wrongly on this machine and was not used."
            f" Delete its cache ({_cache or 'there is none'}) and try again, then report it."
        )


_self_test()
