"""Which record of one book is which of the other: one to one, by number and time, in passes.

``docs/clearing.md``, section 3. Each pass looks only at what the ones before it left over, strict ones first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from billproof.clearing import kernel, loops
from billproof.clearing.agreement import Tolerance
from billproof.clearing.books import NO_USAGE, Book
from billproof.clearing.kernel import ANY, Ints
from billproof.clearing.shifts import find_shifts

#: Ratios of usages that are counted in different units.
UNITS = (60, 128, 1000, 1024, 1000**2, 1024**2)

_KEY, _START, _USAGE, _BILLED, _AMOUNT = range(5)

#: Bits of the key of a record without a number, above its network: of steps of usage, and what tells it;
#: texts that are no number have another one.
_STEP, _STEPS, _BARE, _TEXT = 20, 1 << 35, 56, 57

#: What is left over at one shift has to be so many, and so many times what the other shifts have.
_LEAST, _TIMES = 20, 5

#: Equal usage tells nothing apart below this.
_TELLING = 10

#: Of pairs whose usage agrees, how many are no further apart than the two clocks.
_USUAL = 0.999

_NEAR = 2  # seconds between clocks that are right


@dataclass(frozen=True)
class Pairs:
    """Places in the two books of k pairs, and of what has none, ascending in our book."""

    ours: Ints  # (k,)
    theirs: Ints  # (k,)
    ours_left: Ints
    theirs_left: Ints
    copies: tuple[Ints, Ints]  # of what is left: where the book has it a second time; -1 if it has not
    starts: tuple[Ints, Ints]  # of all records, clocks of whole batches set right


class _Pairing:
    """What is paired up to now, and what is left of each book."""

    def __init__(self, books: tuple[Book, Book], tolerance: Tolerance) -> None:
        self.books = books
        self.window = tolerance.start
        self.limits = np.array([tolerance.usage, tolerance.data], np.int64)
        self.columns = tuple(
            np.vstack([book.key, book.started_at, book.usage, book.billed_usage, book.settled])
            for book in books
        )
        self.partner = tuple(np.full(len(book), -1, np.int64) for book in books)
        self.out = tuple(np.zeros(len(book), bool) for book in books)  # of the passes that follow

    def left(self, side: int) -> Ints:
        found: Ints = np.flatnonzero((self.partner[side] < 0) & ~self.out[side])
        return found

    def take(self, ours: Ints, theirs: Ints) -> None:
        self.partner[0][ours] = theirs
        self.partner[1][theirs] = ours

    def windows(
        self, ours: Ints, theirs: Ints, columns: tuple[Ints, Ints], window: int, limits: Ints
    ) -> None:
        """Pairs among some records, whose columns are given, within a window."""
        if len(ours) and len(theirs):
            a, b = kernel.pair_windows(columns[0], columns[1], window, limits)
            self.take(ours[a], theirs[b])

    def chosen(self, rows: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
        return self.columns[0][:, rows[0]], self.columns[1][:, rows[1]]


def pair(books: tuple[Book, Book], tolerance: Tolerance) -> Pairs:
    """The pairs of two books."""
    pairing = _Pairing(books, tolerance)
    usage = tuple(np.flatnonzero(book.service < NO_USAGE) for book in books)
    _pair_other(pairing)
    for side in (0, 1):
        pairing.out[side][books[side].service >= NO_USAGE] = True
    if len(usage[0]) and len(usage[1]):
        for columns, book in zip(pairing.columns, books, strict=True):
            _add_networks(columns, book)
        find_shifts(books, pairing.columns, tolerance.start, pairing.limits)  # type: ignore[arg-type]
        _pair_identical(pairing)
        _pair_near(pairing, pairing.limits)
        copies = tuple(np.full(len(book), -1, np.int64) for book in books)
        _set_copies_apart(pairing, copies)
        pairing.window = _spread(pairing)
        _pair_units(pairing)
        _set_copies_apart(pairing, copies)
        _pair_near(pairing, np.array([ANY, ANY]))
        _set_copies_apart(pairing, copies)
        pairing.window = tolerance.start
        _pair_shifted(pairing)
        _pair_renumbered(pairing)
    else:
        copies = tuple(np.full(len(book), -1, np.int64) for book in books)
    ours = np.flatnonzero(pairing.partner[0] >= 0)
    left = tuple(np.flatnonzero(partner < 0) for partner in pairing.partner)
    return Pairs(
        ours,
        pairing.partner[0][ours],
        left[0],
        left[1],
        (copies[0][left[0]], copies[1][left[1]]),
        (pairing.columns[0][_START], pairing.columns[1][_START]),
    )


def pair_across(left: Book, neighbour: Book, tolerance: Tolerance) -> NDArray[np.bool_]:
    """Which of the records that are left over the other side has in a neighbouring period: (n,) of bool."""
    pairing = _Pairing((left, neighbour), tolerance)
    for columns, book in zip(pairing.columns, pairing.books, strict=True):
        _add_networks(columns, book)
    _pair_near(pairing, pairing.limits)
    found: NDArray[np.bool_] = pairing.partner[0] >= 0
    return found


def _add_networks(columns: Ints, book: Book) -> None:
    """Records without a number have their network in the key's place; no number is as small."""
    bare = (book.number == 0) & (book.service < NO_USAGE)
    columns[_KEY, bare] += book.network[bare].astype(np.int64) % (1 << _STEP) | (1 << _BARE)


def _pair_other(pairing: _Pairing) -> None:
    """What is no usage: by service, rate and amount, in order."""
    rows = tuple(np.flatnonzero(book.service >= NO_USAGE) for book in pairing.books)
    if not len(rows[0]) or not len(rows[1]):
        return
    columns = []
    for book, chosen in zip(pairing.books, rows, strict=True):
        zeros = np.zeros(len(chosen), np.int64)
        service, rate = book.service[chosen].astype(np.int64), book.rate[chosen].astype(np.int64)
        columns.append(np.vstack([service, rate, book.settled[chosen], zeros, zeros]))
    a, b = kernel.pair_identical(columns[0], columns[1])
    pairing.take(rows[0][a], rows[1][b])


def _pair_identical(pairing: _Pairing) -> None:
    rows = pairing.left(0), pairing.left(1)
    a, b = kernel.pair_identical(*pairing.chosen(rows))
    pairing.take(rows[0][a], rows[1][b])


def _pair_near(pairing: _Pairing, limits: Ints) -> None:
    """Within the window, and with usages no further apart than the limits.

    Records without a number are many to a network: their usage stands in the key, in steps that any two
    usages within the limit share, with the one beginning or the other.
    """
    width = 2 * int(limits.max()) + 1
    for begin in (0, width // 2) if width < ANY else (0,):
        rows = pairing.left(0), pairing.left(1)
        columns = pairing.chosen(rows)
        for some in columns if width < ANY else ():
            bare = (some[_KEY] >> _BARE) & 1 == 1
            bare &= (some[_KEY] >> _TEXT) & 1 == 0
            some[_KEY, bare] += ((some[_USAGE, bare] + begin) // width % _STEPS) << _STEP
        pairing.windows(*rows, columns, pairing.window, limits)


def _spread(pairing: _Pairing) -> int:
    """How far apart the clocks of the two sides really are, by the pairs found up to now.

    Records whose usages differ are no further apart: at the far end of a wide window lies another call.
    """
    ours = np.flatnonzero(pairing.partner[0] >= 0)
    if len(ours) < _LEAST:
        return pairing.window
    starts = pairing.columns[0][_START, ours], pairing.columns[1][_START, pairing.partner[0][ours]]
    usual = int(np.quantile(np.abs(starts[0] - starts[1]), _USUAL, method="higher"))
    return min(pairing.window, max(_NEAR, usual))


def _pair_units(pairing: _Pairing) -> None:
    """Within the window, where one usage is the other in a smaller unit, to within one unit."""
    for ratio in UNITS:
        for small in (0, 1):
            rows = pairing.left(0), pairing.left(1)
            columns = pairing.chosen(rows)
            kept = [
                np.flatnonzero(columns[side][_USAGE] >= (1 if side == small else ratio)) for side in (0, 1)
            ]
            rows = rows[0][kept[0]], rows[1][kept[1]]
            columns = columns[0][:, kept[0]], columns[1][:, kept[1]]
            large = columns[1 - small]
            large[_USAGE] = (large[_USAGE] + ratio // 2) // ratio
            pairing.windows(*rows, columns, pairing.window, np.array([1, 1]))


def _pair_shifted(pairing: _Pairing) -> None:
    """Single records that lie a multiple of a quarter of an hour apart: at shifts that stand out alone."""
    rows = pairing.left(0), pairing.left(1)
    if not len(rows[0]) or not len(rows[1]):
        return
    columns = pairing.chosen(rows)
    other = np.ascontiguousarray(columns[1][:, kernel.by_key(columns[1])])
    tolerance = min(pairing.window, loops.QUARTER // 4)
    hits = kernel.count_votes(columns[0], other, tolerance, pairing.limits)
    hits[loops.QUARTERS] = 0
    usual = float(np.median(hits))
    for at in np.argsort(-hits, kind="stable").tolist():
        if hits[at] < max(_LEAST, _TIMES * usual):
            break
        rows = pairing.left(0), pairing.left(1)
        columns = pairing.chosen(rows)
        columns[0][_START] -= (at - loops.QUARTERS) * loops.QUARTER
        pairing.windows(*rows, columns, tolerance, pairing.limits)


def _pair_renumbered(pairing: _Pairing) -> None:
    """Equal service, network, start and usage, but another number: only where usage tells calls apart."""
    rows = [pairing.left(side) for side in (0, 1)]
    for side in (0, 1):
        book = pairing.books[side]
        at = rows[side]
        telling = (book.usage[at] >= _TELLING) & (book.service[at] < 4) & (book.number[at] != 0)
        rows[side] = at[telling]
    columns = []
    for side in (0, 1):
        book, at = pairing.books[side], rows[side]
        found = pairing.columns[side][:, at]
        found[_KEY] = (book.service[at].astype(np.int64) << loops.SERVICE_BIT) | (
            (book.network[at].astype(np.int64) << 32) | np.minimum(book.usage[at], (1 << 32) - 1)
        )
        columns.append(found)
    pairing.windows(rows[0], rows[1], (columns[0], columns[1]), _NEAR, np.array([0, 0]))


def _set_copies_apart(pairing: _Pairing, copies: tuple[Ints, ...]) -> None:
    """Copies of records that have a pair take no part in what follows."""
    for side in (0, 1):
        found = _copies(pairing, side)
        rows = ~pairing.out[side] & (found >= 0)
        copies[side][rows] = found[rows]
        pairing.out[side][rows] = True


def _copies(pairing: _Pairing, side: int) -> Ints:
    """Where a book has a record with a pair that is the same as one without: (n,), -1 elsewhere."""
    columns, partner = pairing.columns[side], pairing.partner[side]
    book = pairing.books[side]
    found = np.full(len(partner), -1, np.int64)
    alone = np.flatnonzero((partner < 0) & ~pairing.out[side])
    if not len(alone):
        return found
    keys = np.unique(columns[_KEY, alone])
    at = np.searchsorted(keys, columns[_KEY]).clip(max=len(keys) - 1)
    near = np.flatnonzero((keys[at] == columns[_KEY]) & (book.service < NO_USAGE))
    order = near[np.lexsort((columns[_START, near], columns[_USAGE, near], columns[_KEY, near]))]
    sorted_columns = columns[:3, order]
    paired = partner[order] >= 0
    place = np.arange(len(order))
    before = np.maximum.accumulate(np.where(paired, place, -1))
    after = np.minimum.accumulate(np.where(paired, place, len(order))[::-1])[::-1]
    for candidate in (before, after):
        fits = (candidate >= 0) & (candidate < len(order)) & ~paired
        there = candidate.clip(0, len(order) - 1)
        same = (sorted_columns[_KEY] == sorted_columns[_KEY, there]) & (
            sorted_columns[_USAGE] == sorted_columns[_USAGE, there]
        )
        close = np.abs(sorted_columns[_START] - sorted_columns[_START, there]) <= _NEAR
        rows = fits & same & close
        found[order[rows]] = order[there[rows]]
    return found
