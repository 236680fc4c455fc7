"""Which record of one book is which of the other: one to one, by number and time, in passes.

``docs/clearing.md``, section 3. Each pass looks only at what the ones before it left over, strict ones first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from billproof.clearing import kernel, loops
from billproof.clearing.agreement.agreement import Tolerance
from billproof.clearing.books.book import NO_USAGE, Book
from billproof.clearing.kernel import ANY, Ints
from billproof.clearing.pairs.counting import at_place, counted, own
from billproof.clearing.pairs.keys import BARE, STEP, STEPS, TEXT, keys_of

Bools = NDArray[np.bool_]

#: Ratios of usages that are counted in different units.
UNITS = (60, 128, 1000, 1024, 1000**2, 1024**2)

_KEY, _START, _USAGE, _BILLED, _AMOUNT = range(5)

#: What is left over at one shift has to be so many, and so many times what the other shifts have.
_LEAST, _TIMES = 20, 5

#: Equal usage tells nothing apart below this.
_TELLING = 10

#: Of pairs whose usage agrees, how many are no further apart than the two clocks.
_USUAL, _OF = 999, 1000

_NEAR = 2  # seconds between clocks that are right

#: Where the book has it a second time, whose pair is in another part: of :attr:`Pairs.copies`.
ELSEWHERE = -2


@dataclass(frozen=True)
class Pairs:
    """Places in the two books of k pairs, and of what has none, ascending in our book."""

    ours: Ints  # (k,)
    theirs: Ints  # (k,)
    ours_left: Ints
    theirs_left: Ints
    copies: tuple[Ints, Ints]  # of what is left: where the book has it a second time; -1 if it has not


@dataclass(frozen=True)
class Pairing:
    """What is paired between two passes: of all records of both books."""

    columns: tuple[Ints, Ints]  # (5, n) key, start, usage, billed usage, settled amount
    partner: tuple[Ints, Ints]  # (n,) places in the other book, or -1
    out: tuple[Bools, Bools]  # (n,) takes no part in the passes that follow
    copies: tuple[Ints, Ints]  # (n,) where the book has it a second time, or -1


class Passes:
    """Passes over what is left of two books; ``window`` in seconds, ``limits`` of usage and of data."""

    def __init__(self, books: tuple[Book, Book], pairing: Pairing, tolerance: Tolerance) -> None:
        self.books = books
        self.window = tolerance.start
        self.limits = limits_of(tolerance)
        self.columns = pairing.columns
        self.partner = own(pairing.partner[0]), own(pairing.partner[1])
        self.out = own(pairing.out[0]), own(pairing.out[1])
        self.copies = own(pairing.copies[0]), own(pairing.copies[1])

    @property
    def state(self) -> Pairing:
        """What is paired now."""
        return Pairing(self.columns, self.partner, self.out, self.copies)

    def left(self, side: int) -> Ints:
        """What later passes look at: places."""
        found: Ints = np.flatnonzero((self.partner[side] < 0) & ~self.out[side])
        return found

    def take(self, ours: Ints, theirs: Ints) -> None:
        """These are pairs."""
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
        """The columns of some records."""
        return self.columns[0][:, rows[0]], self.columns[1][:, rows[1]]


def opened(books: tuple[Book, Book], starts: tuple[Ints, Ints], tolerance: Tolerance) -> Passes:
    """Nothing is paired yet. ``starts`` are those of all records, clocks of batches set right."""
    columns = [
        np.vstack([keys_of(book), start, book.usage, book.billed_usage, book.settled])
        for book, start in zip(books, starts, strict=True)
    ]
    partner, copies = ([np.full(len(book), -1, np.int64) for book in books] for _ in range(2))
    out = [book.service >= NO_USAGE for book in books]
    pairing = Pairing(
        (columns[0], columns[1]), (partner[0], partner[1]), (out[0], out[1]), (copies[0], copies[1])
    )
    return Passes(books, pairing, tolerance)


def limits_of(tolerance: Tolerance) -> Ints:
    """How far usages may differ: seconds or messages, and bytes."""
    return np.array([tolerance.usage, tolerance.data], np.int64)


def pair_first(passes: Passes) -> None:
    """What needs no more than the window: identical records, and usage that agrees."""
    _pair_other(passes)
    _pair_identical(passes)
    _pair_near(passes, passes.window, passes.limits)
    set_copies_apart(passes)


def pair_second(passes: Passes, window: int) -> None:
    """Other units, then any usage, in a window that is how far apart the clocks really are."""
    _pair_units(passes, window)
    set_copies_apart(passes)
    _pair_near(passes, window, np.array([ANY, ANY]))
    set_copies_apart(passes)


def pair_across(left: Book, neighbour: Book, tolerance: Tolerance) -> Bools:
    """Which of the records that are left over the other side has in a neighbouring period: (n,) of bool."""
    passes = opened((left, neighbour), (left.started_at, neighbour.started_at), tolerance)
    for out in passes.out:
        out[:] = False
    _pair_near(passes, passes.window, passes.limits)
    found: Bools = passes.partner[0] >= 0
    return found


def _pair_other(passes: Passes) -> None:
    """What is no usage: by service, rate and amount, in order."""
    rows = tuple(np.flatnonzero(book.service >= NO_USAGE) for book in passes.books)
    if not len(rows[0]) or not len(rows[1]):
        return
    columns = []
    for book, chosen in zip(passes.books, rows, strict=True):
        zeros = np.zeros(len(chosen), np.int64)
        service, rate = book.service[chosen].astype(np.int64), book.rate[chosen].astype(np.int64)
        columns.append(np.vstack([service, rate, book.settled[chosen], zeros, zeros]))
    a, b = kernel.pair_identical(columns[0], columns[1])
    passes.take(rows[0][a], rows[1][b])


def _pair_identical(passes: Passes) -> None:
    rows = passes.left(0), passes.left(1)
    a, b = kernel.pair_identical(*passes.chosen(rows))
    passes.take(rows[0][a], rows[1][b])


def _pair_near(passes: Passes, window: int, limits: Ints) -> None:
    """Within the window, and with usages no further apart than the limits.

    Records without a number are many to a network: their usage stands in the key, in steps that any two
    usages within the limit share, with the one beginning or the other.
    """
    width = 2 * int(limits.max()) + 1
    for begin in (0, width // 2) if width < ANY else (0,):
        rows = passes.left(0), passes.left(1)
        columns = passes.chosen(rows)
        for some in columns if width < ANY else ():
            bare = (some[_KEY] >> BARE) & 1 == 1
            bare &= (some[_KEY] >> TEXT) & 1 == 0
            some[_KEY, bare] += ((some[_USAGE, bare] + begin) // width % STEPS) << STEP
        passes.windows(*rows, columns, window, limits)


def apart(passes: Passes) -> dict[int, int]:
    """How many pairs begin so many seconds apart, as their clocks tell it now."""
    ours = np.flatnonzero(passes.partner[0] >= 0)
    ours = ours[passes.books[0].service[ours] < NO_USAGE]
    starts = passes.columns[0][_START, ours], passes.columns[1][_START, passes.partner[0][ours]]
    return counted(np.abs(starts[0] - starts[1]))


def spread(counts: Mapping[int, int], window: int) -> int:
    """How far apart the clocks of the two sides really are, by the pairs found up to now.

    Records whose usages differ are no further apart: at the far end of a wide window lies another call.
    """
    pairs = sum(counts.values())
    if pairs < _LEAST:
        return window
    usual, _ = at_place(counts, -(-(pairs - 1) * _USUAL // _OF))
    return min(window, max(_NEAR, usual))


def _pair_units(passes: Passes, window: int) -> None:
    """Within the window, where one usage is the other in a smaller unit, to within one unit.

    Usages that are equal in the larger unit are in the order of what they are: their place decides nothing.
    """
    ranked = [passes.left(side) for side in (0, 1)]
    for side, all_columns in enumerate(passes.chosen((ranked[0], ranked[1]))):
        ranked[side] = ranked[side][kernel.by_key(all_columns)]
    for ratio in UNITS:
        for small in (0, 1):
            for side in (0, 1):
                ranked[side] = ranked[side][passes.partner[side][ranked[side]] < 0]
            usages = [passes.columns[side][_USAGE, ranked[side]] for side in (0, 1)]
            rows = tuple(ranked[side][usages[side] >= (1 if side == small else ratio)] for side in (0, 1))
            columns = passes.chosen((rows[0], rows[1]))
            large = columns[1 - small]
            large[_USAGE] = (large[_USAGE] + ratio // 2) // ratio
            passes.windows(rows[0], rows[1], columns, window, np.array([1, 1]))


def votes_for_shifts(passes: Passes) -> Ints:
    """How many records that are left over have one of the other book at each shift: (2 QUARTERS + 1,)."""
    columns = passes.chosen((passes.left(0), passes.left(1)))
    other = np.ascontiguousarray(columns[1][:, kernel.by_key(columns[1])])
    return kernel.count_votes(columns[0], other, _at_a_shift(passes.window), passes.limits)


def standing_out(votes: Ints) -> list[int]:
    """Shifts in quarters of an hour that stand out alone, the most frequent first."""
    hits = votes.copy()
    hits[loops.QUARTERS] = 0
    least = max(_LEAST, _TIMES * float(np.median(hits)))
    return [at - loops.QUARTERS for at in np.argsort(-hits, kind="stable").tolist() if hits[at] >= least]


def pair_shifted(passes: Passes, shifts: Sequence[int]) -> None:
    """Single records that lie a multiple of a quarter of an hour apart."""
    for shift in shifts:
        rows = passes.left(0), passes.left(1)
        columns = passes.chosen(rows)
        columns[0][_START] -= shift * loops.QUARTER
        passes.windows(*rows, columns, _at_a_shift(passes.window), passes.limits)


def _at_a_shift(window: int) -> int:
    return min(window, loops.QUARTER // 4)


def renumbered(passes: Passes, side: int) -> tuple[Ints, Ints]:
    """What may have another number on the other side: places (n,), and columns (7, n).

    The key is service, network and usage, which tells calls apart here; the last two rows are batch and row.
    """
    book, at = passes.books[side], passes.left(side)
    at = at[(book.usage[at] >= _TELLING) & (book.service[at] < 4)]
    found = np.vstack([passes.columns[side][:, at], book.batch[at], book.row[at]])
    found[_KEY] = (book.service[at].astype(np.int64) << loops.SERVICE_BIT) | (
        (book.network[at].astype(np.int64) << 32) | np.minimum(book.usage[at], (1 << 32) - 1)
    )
    return at, found


def pair_renumbered(ours: Ints, theirs: Ints) -> tuple[Ints, Ints]:
    """Places of pairs in columns of :func:`renumbered`, of all parts: however these divide the records."""
    orders = [np.lexsort(columns[:4:-1]) for columns in (ours, theirs)]
    a, b = kernel.pair_windows(
        np.ascontiguousarray(ours[:5, orders[0]]),
        np.ascontiguousarray(theirs[:5, orders[1]]),
        _NEAR,
        np.array([0, 0]),
    )
    return orders[0][a], orders[1][b]


def pairs_of(partner: tuple[Ints, Ints], copies: tuple[Ints, Ints]) -> Pairs:
    """The pairs, and what has none."""
    ours = np.flatnonzero(partner[0] >= 0)
    left = [np.flatnonzero(of < 0) for of in partner]
    return Pairs(ours, partner[0][ours], left[0], left[1], (copies[0][left[0]], copies[1][left[1]]))


def set_copies_apart(passes: Passes) -> None:
    """Copies of records that have a pair take no part in what follows."""
    for side in (0, 1):
        found = _copies(passes, side)
        rows = ~passes.out[side] & (found >= 0)
        passes.copies[side][rows] = found[rows]
        passes.out[side][rows] = True


def _copies(passes: Passes, side: int) -> Ints:
    """Where a book has a record with a pair that is the same as one without: (n,), -1 elsewhere."""
    columns, partner = passes.columns[side], passes.partner[side]
    book = passes.books[side]
    found = np.full(len(partner), -1, np.int64)
    alone = np.flatnonzero((partner < 0) & ~passes.out[side])
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
