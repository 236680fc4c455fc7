"""The records of all parts, paired and judged: what a step needs to know of all is counted before.

``docs/clearing.md``, sections 3, 4 and 10; the passes themselves are in
:mod:`billproof.clearing.pairs.passes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from billproof.clearing.agreement.agreement import Agreement, Tolerance
from billproof.clearing.books.book import NO_USAGE, Book, Codes
from billproof.clearing.kernel import Ints
from billproof.clearing.pairs import passes as pairs
from billproof.clearing.pairs.counting import added, at_place, counted
from billproof.clearing.pairs.differences import Kind, Measures, common_of, grains_of, judge
from billproof.clearing.pairs.edges import move_edges
from billproof.clearing.pairs.parts import Part, Parts
from billproof.clearing.pairs.passes import Passes
from billproof.clearing.pairs.shifts import Shift, find_shifts, shifted

#: One record in so many may lie beyond a book's end.
_STRAGGLERS = 20_000

_MINUTE = 60
_START = 1  # a row of Pairing's columns

#: Counts of values, of both books.
_Counts = tuple[dict[int, int], dict[int, int]]
_Ends = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Amounts:
    """What divides the amounts of both books, by code of a currency."""

    def __call__(self, part: Part) -> _Counts:
        ours, theirs = part.books
        return common_of(ours), common_of(theirs)


@dataclass(frozen=True)
class First:
    """The strict passes; how far apart pairs begin, and starts of usage by the minute."""

    shifts: tuple[Shift, ...]
    tolerance: Tolerance

    def __call__(self, part: Part) -> tuple[dict[int, int], _Counts]:
        part.voters = None
        passes = pairs.opened(
            part.books,
            (shifted(part.books[0], 0, self.shifts), shifted(part.books[1], 1, self.shifts)),
            self.tolerance,
        )
        minutes = [
            counted(columns[_START][book.service < NO_USAGE] // _MINUTE)
            for book, columns in zip(part.books, passes.columns, strict=True)
        ]
        pairs.pair_first(passes)
        part.pairing = passes.state
        return pairs.apart(passes), (minutes[0], minutes[1])


@dataclass(frozen=True)
class Second:
    """The passes within the clocks' own window; votes for single shifts, and starts in some minutes."""

    tolerance: Tolerance
    window: int
    minutes: _Ends

    def __call__(self, part: Part) -> tuple[Ints, _Counts]:
        passes = _passes(part, self.tolerance)
        pairs.pair_second(passes, self.window)
        part.pairing = passes.state
        found = []
        for book, columns, minutes in zip(part.books, passes.columns, self.minutes, strict=True):
            starts = columns[_START][book.service < NO_USAGE]
            found.append(counted(starts[np.isin(starts // _MINUTE, minutes)]))
        return pairs.votes_for_shifts(passes), (found[0], found[1])


@dataclass(frozen=True)
class Third:
    """Single shifts; what may have another number: places and columns of both books."""

    tolerance: Tolerance
    shifts: tuple[int, ...]

    def __call__(self, part: Part) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
        passes = _passes(part, self.tolerance)
        pairs.pair_shifted(passes, self.shifts)
        part.pairing = passes.state
        return pairs.renumbered(passes, 0), pairs.renumbered(passes, 1)


@dataclass(frozen=True)
class Giving:
    """Records of their book, by place, that are paired in another part; and what their numbers look like."""

    def __call__(self, part: Part, rows: Ints) -> tuple[Book, dict[int, str]] | None:
        if not len(rows):
            return None
        book = part.books[1].rows(rows)
        numbers = set(book.number.tolist()) if part.numbers else set()
        return book, {number: part.numbers[number] for number in numbers if number in part.numbers}


@dataclass(frozen=True)
class Renumbered:
    """For one part: pairs of its own, places of records given away, and those that come for our records."""

    ours: Ints
    theirs: Ints
    given: Ints
    for_ours: Ints
    come: Book | None
    numbers: Mapping[int, str]  # what those that come look like


@dataclass(frozen=True)
class Judging:
    """The last pairs; then what differs, and what is left in neighbouring periods."""

    measures: Measures

    def __call__(self, part: Part, renumbered: Renumbered) -> None:
        tolerance = self.measures.agreement.tolerance
        passes = _passes(part, tolerance)
        passes.take(renumbered.ours, renumbered.theirs)
        passes.partner[0][renumbered.for_ours] = passes.partner[1][renumbered.given] = (
            0  # until they are moved
        )
        if len(renumbered.ours) or len(renumbered.for_ours) or len(renumbered.given):
            pairs.set_copies_apart(passes)
        starts = [columns[_START] for columns in passes.columns]
        partner, copies = passes.partner, passes.copies
        if len(renumbered.given) or renumbered.come is not None:
            starts[1], partner, copies = _moved(part, passes, renumbered)
        part.pairing = None
        part.pairs = found = pairs.pairs_of(partner, copies)
        left = starts[0][found.ours_left], starts[1][found.theirs_left]
        part.found = judged = judge(part.books, found, self.measures, left)
        for side, neighbours in ((0, part.neighbours[1]), (1, part.neighbours[0])):
            rows = (found.ours_left, found.theirs_left)[side]
            for neighbour in neighbours:
                missing = np.flatnonzero(judged.left[side] == Kind.MISSING)
                if len(missing) and len(neighbour):
                    book = part.books[side].rows(rows[missing])
                    elsewhere = pairs.pair_across(book, neighbour, tolerance)
                    judged.left[side][missing[elsewhere]] = Kind.CYCLE_SHIFT


def paired_and_judged(parts: Parts, agreement: Agreement, codes: Codes) -> None:
    """Pairs and judges the records of all parts. ``agreement`` has the exchange rates of the month."""
    tolerance = agreement.tolerance
    limits = pairs.limits_of(tolerance)
    amounts = parts.each(Amounts())
    shifts = find_shifts(parts, codes, tolerance.start, limits)
    first = parts.each(First(shifts, tolerance))
    window = pairs.spread(added([apart for apart, _ in first]), tolerance.start)
    minutes = [added([starts[side] for _, starts in first]) for side in (0, 1)]
    ends = [_ends(counts) for counts in minutes]
    second = parts.each(Second(tolerance, window, (_values(ends[0]), _values(ends[1]))))
    seconds = [added([starts[side] for _, starts in second]) for side in (0, 1)]
    exact = [_exact(end, counts) for end, counts in zip(ends, seconds, strict=True)]
    single = pairs.standing_out(np.sum([votes for votes, _ in second], axis=0))
    renumbered = _renumbered(parts, parts.each(Third(tolerance, tuple(single))))
    grains = [grains_of(_common([each[side] for each in amounts]), agreement, codes) for side in (0, 1)]
    measures = Measures(agreement, (grains[0], grains[1]), (exact[0], exact[1]))
    parts.each(Judging(measures), renumbered)
    move_edges(parts, measures.ends)


def _passes(part: Part, tolerance: Tolerance) -> Passes:
    if part.pairing is None:
        raise ValueError("nothing was paired yet")
    return Passes(part.books, part.pairing, tolerance)


def _common(divisors: Sequence[dict[int, int]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for some in divisors:
        for code, divisor in some.items():
            found[code] = int(np.gcd(found.get(code, 0), divisor))
    return found


#: Of both ends of a book: the minute, and a place among the starts in it; None of a book without usage.
_Rough = tuple[tuple[int, int], tuple[int, int]] | None


def _ends(minutes: dict[int, int]) -> _Rough:
    """Where a book begins and ends, but for a few stragglers."""
    records = sum(minutes.values())
    if not records:
        return None
    few = records // _STRAGGLERS
    return at_place(minutes, few), at_place(minutes, records - 1 - few)


def _values(ends: _Rough) -> tuple[int, int]:
    return (0, 0) if ends is None else (ends[0][0], ends[1][0])


def _exact(ends: _Rough, seconds: dict[int, int]) -> tuple[int, int]:
    """First and last start, to the second."""
    if ends is None:
        return -(1 << 62), 1 << 62
    found = []
    for minute, place in ends:
        inside = {start: count for start, count in seconds.items() if start // _MINUTE == minute}
        found.append(at_place(inside, place)[0])
    return found[0], found[1]


def _renumbered(
    parts: Parts, found: Sequence[tuple[tuple[Ints, Ints], tuple[Ints, Ints]]]
) -> list[Renumbered]:
    """Pairs of records of another number on each side, which may be in different parts."""
    columns = [np.hstack([of[side][1] for of in found]) for side in (0, 1)]
    places = [np.concatenate([of[side][0] for of in found]) for side in (0, 1)]
    part = [np.repeat(np.arange(len(found)), [len(of[side][0]) for of in found]) for side in (0, 1)]
    a, b = pairs.pair_renumbered(columns[0], columns[1])
    a, b = (order[np.argsort(a, kind="stable")] for order in (a, b))
    same = part[0][a] == part[1][b]
    given = [places[1][b[~same & (part[1][b] == at)]] for at in range(len(found))]
    books = parts.each(Giving(), given) if not same.all() else [None] * len(found)
    results = []
    for at in range(len(found)):
        inside = same & (part[0][a] == at)
        coming = np.flatnonzero(~same & (part[0][a] == at))
        come = []
        numbers: dict[int, str] = {}
        for other in np.unique(part[1][b[coming]]).tolist():
            of_part = ~same & (part[1][b] == other)  # in the order in which they are given
            mine = np.flatnonzero(part[0][a[of_part]] == at)
            book, texts = books[other]
            come.append((book.rows(mine), places[0][a[np.flatnonzero(of_part)[mine]]]))
            numbers.update(texts)
        results.append(
            Renumbered(
                places[0][a[inside]],
                places[1][b[inside]],
                given[at],
                np.concatenate([rows for _, rows in come]) if come else np.zeros(0, np.int64),
                joined([book for book, _ in come]) if come else None,
                numbers,
            )
        )
    return results


def _moved(
    part: Part, passes: Passes, renumbered: Renumbered
) -> tuple[Ints, tuple[Ints, Ints], tuple[Ints, Ints]]:
    """Takes records that were given away out of their book, and those that come into it.

    What is left: the starts of their book, partners, and copies.
    """
    ours, theirs = part.books
    kept = np.ones(len(theirs), bool)
    kept[renumbered.given] = False
    place = np.append(np.cumsum(kept) - 1, -1)  # of those at -1, too
    come = renumbered.come
    rest = theirs.rows(np.flatnonzero(kept))
    partner = place[passes.partner[0]]
    back, starts = passes.partner[1][kept], passes.columns[1][_START][kept]
    copied = passes.copies[1][kept]
    copies = np.where(kept[copied] | (copied < 0), place[copied], pairs.ELSEWHERE)
    if come is not None:
        partner[renumbered.for_ours] = len(rest) + np.arange(len(come))
        back = np.concatenate([back, renumbered.for_ours])
        starts = np.concatenate([starts, come.started_at])
        copies = np.concatenate([copies, np.full(len(come), -1)])
        rest = joined([rest, come])
    part.books = ours, rest
    if renumbered.numbers:
        part.numbers = {**part.numbers, **renumbered.numbers}
    return starts, (partner, back), (passes.copies[0], copies)


def joined(books: Sequence[Book]) -> Book:
    """Some books of one side as one."""
    if len(books) == 1:
        return books[0]
    columns: dict[str, Any] = {
        each.name: np.concatenate([getattr(book, each.name) for book in books])
        for each in fields(Book)
        if each.name not in ("name", "sources")
    }
    return Book(name=books[0].name, sources=books[0].sources, **columns)
