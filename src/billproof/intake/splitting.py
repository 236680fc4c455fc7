"""Where rows and fields begin and end in delimited text, found with numpy for millions of bytes at once.

The quoting rules are those of RFC 4180: a quote opens a field only at its start and closes it only at its
end, a doubled quote inside is one. Text that breaks them is a *fault*: the physical line on which its row
begins is given up, and reading resumes on the next line, so that one stray quote never swallows the rows
after it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from billproof.intake.rows import MAX_ROW, Bools, Ints, Octets, Spans

_NEWLINE, _RETURN, _BLANK, _TAB = 10, 13, 32, 9

#: What is wrong with a row whose quotes do not match.
MISPLACED = "a quote stands inside a field, or is never closed"


@dataclass(frozen=True)
class Dialect:
    """``delimiter`` and ``quote`` as byte values, ``quote`` -1 for none; ``strip``: trim blanks around
    fields.
    """

    delimiter: int
    quote: int
    strip: bool


@dataclass(frozen=True)
class Cut:
    """Complete rows of a window of bytes, positions counted from its start.

    ``spans``: of each field, without quotes and blanks. ``rows``: start of every row and the end of
    the last; ``first``: index of every row's first field and the number of fields. ``consumed``: bytes
    dealt with. ``spoilt``: rows among these whose quotes are wrong, but whose line stands for itself.
    ``fault``: why the row that begins at ``consumed`` cannot be read, or empty.
    """

    spans: Spans
    rows: Ints
    first: Ints
    newlines: Ints
    doubled: bool
    spoilt: Ints
    consumed: int
    fault: str


def cut(window: Octets, dialect: Dialect, *, final: bool) -> Cut:
    """Find rows and fields. ``final``: nothing follows the window, so its last row needs no line ending."""
    special = window == dialect.delimiter
    special |= window == _NEWLINE
    if dialect.quote >= 0:
        special |= window == dialect.quote
    at = np.flatnonzero(special)
    kind = window[at]
    size = len(window)
    newlines = at[kind == _NEWLINE]
    unclosed = False
    quotes = np.zeros(0, np.int64)
    if dialect.quote >= 0:
        quoting = kind == dialect.quote
        quotes = at[quoting]
        if len(quotes):
            outside = ~quoting & ((np.cumsum(quoting) & 1) == 0)
            at, kind = at[outside], kind[outside]
            unclosed = bool(len(quotes) & 1)
    if final and not unclosed and size and (not len(at) or at[-1] != size - 1 or kind[-1] != _NEWLINE):
        at = np.append(at, size)
        kind = np.append(kind, np.uint8(_NEWLINE))
    row_end = np.flatnonzero(kind == _NEWLINE)
    wrong = _wrong_quotes(window, quotes, dialect)
    alone = _stands_alone(wrong, quotes, newlines, size, final=final)
    fault, fault_at = "", size
    if not alone.all():
        fault, fault_at = MISPLACED, int(wrong[~alone][0])
    elif final and unclosed:
        fault = "a quote is opened and never closed"
    bounds = np.concatenate(([0], at[row_end] + 1))
    keep = len(row_end)
    if fault:
        keep = min(keep, int(np.searchsorted(bounds, fault_at, "right")) - 1)
    too_long = np.flatnonzero(np.diff(bounds[: keep + 1]) > MAX_ROW)
    if len(too_long):
        keep, fault = int(too_long[0]), f"is longer than {MAX_ROW} bytes"
    fields = int(row_end[keep - 1]) + 1 if keep else 0
    ends = at[:fields].astype(np.int64)
    starts = np.concatenate(([0], ends[:-1] + 1)) if fields else ends
    row_end = row_end[:keep]
    _trim_returns(window, starts, ends, row_end)
    blanks = _blanks(window, dialect) if dialect.strip else None
    if blanks is not None:
        starts, ends = _strip(starts, ends, blanks)
    spoilt = np.unique(np.searchsorted(bounds, wrong[alone & (wrong < fault_at)], "right") - 1)
    doubled = False
    if len(quotes) and fields:
        inside = starts < ends
        inside[inside] = window[starts[inside]] == dialect.quote
        starts, ends = starts + inside, ends - inside
        doubled = bool((quotes[2::2] == quotes[1:-1:2] + 1).any())
    return Cut(
        np.stack((starts, ends), axis=1).astype(np.int32),
        bounds[: keep + 1],
        np.concatenate(([0], row_end + 1)),
        newlines,
        doubled,
        spoilt[spoilt < keep],
        int(bounds[keep]),
        fault,
    )


def _trim_returns(window: Octets, starts: Ints, ends: Ints, row_end: Ints) -> None:
    """Take the CR of CR LF off the last field of every row, in place."""
    last = ends[row_end]
    some = last > starts[row_end]
    some[some] = window[last[some] - 1] == _RETURN
    ends[row_end] = last - some


def _blanks(window: Octets, dialect: Dialect) -> Ints:
    """Positions of all bytes that are not blanks."""
    blank = window == _BLANK
    if dialect.delimiter != _TAB:
        blank |= window == _TAB
    return np.flatnonzero(~blank)


def _strip(starts: Ints, ends: Ints, solid: Ints) -> tuple[Ints, Ints]:
    """Move starts forward and ends back over blanks."""
    if not len(solid):
        return starts, starts.copy()
    after = np.searchsorted(solid, starts)
    left = np.where(after < len(solid), solid[np.minimum(after, len(solid) - 1)], ends)
    left = np.minimum(left, ends)
    before = np.searchsorted(solid, ends) - 1
    right = np.maximum(np.where(before >= 0, solid[np.maximum(before, 0)] + 1, left), left)
    return left, right


def _stands_alone(wrong: Ints, quotes: Ints, newlines: Ints, size: int, *, final: bool) -> Bools:
    """Which wrong quotes stand on a line that begins and ends outside quotes: giving it up moves no other."""
    line = np.searchsorted(newlines, wrong)
    edges = np.concatenate(([0], newlines, [size]))
    before = np.searchsorted(quotes, edges[line])
    after = np.searchsorted(quotes, edges[line + 1])
    complete = (line < len(newlines)) | final
    result: Bools = complete & (before & 1 == 0) & (after & 1 == 0)
    return result


def _wrong_quotes(window: Octets, quotes: Ints, dialect: Dialect) -> Ints:
    """The quotes that are not where a quote may be, in order."""
    if not len(quotes):
        return quotes
    size = len(window)
    opening, closing = quotes[0::2], quotes[1::2]
    before, after = opening - 1, closing + 1
    if dialect.strip:
        solid = _blanks(window, dialect)
        before = np.where(opening > 0, np.searchsorted(solid, opening) - 1, -1)
        before = np.where(before >= 0, solid[np.maximum(before, 0)], -1)
        following = np.searchsorted(solid, after)
        after = np.where(following < len(solid), solid[np.minimum(following, len(solid) - 1)], size)
    good_open = before < 0
    good_open |= _one_of(window, before, (dialect.delimiter, _NEWLINE))
    good_open[1:] |= opening[1:] == closing[: len(opening) - 1] + 1
    good_close = after >= size
    good_close |= _one_of(window, after, (dialect.delimiter, _NEWLINE))
    returning = _one_of(window, after, (_RETURN,))
    follower = np.minimum(after + 1, size - 1)
    good_close |= returning & ((after + 1 >= size) | (window[follower] == _NEWLINE))
    paired = opening[1:]
    good_close[: len(paired)] |= paired == closing[: len(paired)] + 1
    return np.sort(np.concatenate((opening[~good_open], closing[~good_close])))


def _one_of(window: Octets, places: Ints, wanted: tuple[int, ...]) -> Bools:
    """Whether the byte at each place is one of ``wanted``; places outside the window are not."""
    found = window[np.clip(places, 0, len(window) - 1)]
    result = np.zeros(len(places), np.bool_)
    for byte in wanted:
        result |= found == byte
    inside: Bools = (places >= 0) & (places < len(window))
    return result & inside
