"""Delimited text taken apart by compiled loops: what the numpy versions do, several times as fast.

Importing this module loads numba, compiles once, and checks known answers;
:mod:`billproof.intake.delimited` does so for large files only. Every function takes what it reads from
arrays whose bounds its callers here have checked. Text that is written in an unusual way is left to the
numpy versions, so that there is one word on what is wrong with a row.
"""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import types

from billproof.compiled import cache_directory, compiled
from billproof.intake import rows as rows_module
from billproof.intake import scan_loops as loops
from billproof.intake.rows import Bools, Ints, Octets, Spans, octets
from billproof.intake.splitting import Cut, Dialect
from billproof.intake.timeformat import ISO, Fixed


class ScannerFault(RuntimeError):
    """The loops take text apart wrongly; nothing may be read with them."""


_TEXT = types.Array(types.uint8, 1, "C", readonly=True)
_BYTES = types.Array(types.uint8, 1, "C")
_PLACES = types.Array(types.int64, 1, "C")
_SPANS = types.Array(types.int32, 2, "C", readonly=True)
_TABLE = types.Array(types.int64, 2, "C")
_NUMBER = types.int64

#: What the machine code is made of: these modules hold the loops, and every constant in them.
SOURCES = (rows_module.__file__, loops.__file__, __file__)

#: The keys of the hash of texts, of this process alone: whoever writes a file cannot know which texts meet.
#: Nothing else depends on them. Odd, so that every bit of a text counts.
_keys = np.frombuffer(os.urandom(24), np.int64) | 1

_cache = cache_directory(*SOURCES)
_count_compiled = compiled(loops.count_marks, _NUMBER(_TEXT, _NUMBER, _NUMBER, _BYTES), _cache)
_cut_compiled = compiled(
    loops.cut,
    types.void(_TEXT, *[_NUMBER] * 3, _BYTES, types.Array(types.int32, 2, "C"), *[_PLACES] * 4),
    _cache,
)
_code_compiled = compiled(
    loops.code,
    types.void(_TEXT, _SPANS, *[_PLACES] * 3, types.Array(types.int32, 2, "C"), _TABLE, _PLACES),
    _cache,
)
_times_compiled = compiled(
    loops.times, types.void(_TEXT, *[_PLACES] * 3, _TABLE, _PLACES, _PLACES, _BYTES), _cache
)


def cut(window: Octets, dialect: Dialect, *, final: bool) -> Cut | None:
    """:func:`billproof.intake.splitting.cut`, or None where that has to look at the window itself."""
    if dialect.strip:
        return None
    quote = dialect.quote if dialect.quote >= 0 else loops.NEWLINE
    tail = np.empty(64, np.uint8)
    most = _count_compiled(window, dialect.delimiter, quote, tail) + 1
    spans, rows, first = np.empty((most, 2), np.int32), *(np.empty(most + 1, np.int64) for _ in range(2))
    newlines, found = np.empty(most, np.int64), np.zeros(5, np.int64)
    _cut_compiled(window, dialect.delimiter, quote, final, tail, spans, rows, first, newlines, found)
    if found[loops.UNUSUAL]:
        return None
    count = int(found[loops.ROWS])
    return Cut(
        spans[: int(found[loops.FIELDS])],
        rows[: count + 1],
        first[: count + 1],
        newlines[: int(found[loops.NEWLINES])],
        bool(found[loops.DOUBLED]),
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
    return found != loops.OTHER, seconds, found == loops.NO_TIME, offsets


def _how(spelling: Fixed) -> Ints | None:
    """What the loop over times wants to know of a spelling."""
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
