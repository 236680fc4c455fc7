"""Differences that have one reason: grouped by what they have in common and by where they are.

``docs/clearing.md``, section 5. A hypothesis is a way in which two books may differ throughout ("theirs
begins an hour later"); it is a cause of the widest place where it explains nearly everything, of all its days
or of a span of them. Parts count of how many records that is true; what the counts add up to decides.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from billproof.clearing.agreement.agreement import Agreement
from billproof.clearing.books.book import Codes
from billproof.clearing.causes import hypotheses, prices
from billproof.clearing.causes.frames import DIMENSIONS, Place, Spot, Table, frame_of, merged, table_of
from billproof.clearing.causes.hypotheses import LEAST, Hypothesis
from billproof.clearing.kernel import Ints
from billproof.clearing.pairs.counting import own
from billproof.clearing.pairs.differences import Bools, Kind, factors
from billproof.clearing.pairs.parts import Part, Parts, Taken, changed

#: A hypothesis has to be true of so many of a dimension's records, in a hundred.
SHARE = 90

#: What a cause explains is not the difference of another kind that it looked like.
_TWINS = {Kind.UNIT: Kind.DURATION, Kind.CURRENCY: Kind.RATE, Kind.RATE: Kind.CURRENCY}

_MOST = 64  # places of one hypothesis

#: Kinds of records without a pair.
_OF_LEFT = (Kind.MISSING, Kind.DUPLICATE, Kind.CYCLE_SHIFT)


@dataclass(frozen=True)
class Cause:
    """One reason. ``side`` is 0 where it is about our records without a pair, 1 theirs, None pairs.

    ``first`` and ``last`` are the days that it began and ended on, None where it was always so, or lasts.
    ``count`` and ``money`` are of all parts; ``rows`` are places among the pairs of a part, or in the book
    of the side there.
    """

    kind: Kind
    what: dict[str, Any]
    dimension: str
    code: int  # of a day: since 1970-01-01
    services: tuple[int, ...]
    side: int | None
    rows: Ints
    count: int = 0
    money: int = 0
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True)
class Explained:
    """Causes, money first; and which differences no cause explains, as places like those of causes."""

    causes: list[Cause]
    findings: dict[tuple[Kind, int | None], Ints]


@dataclass(frozen=True)
class _Place:
    """Where a hypothesis was found to be a cause; ``first`` and ``last`` as in :class:`Cause`."""

    kind: Kind
    side: int | None
    what: dict[str, Any]
    dimension: str
    code: int
    services: tuple[int, ...]
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True)
class Found:
    """A cause before its records are counted: ``takes`` are the turns in which parts took them."""

    place: _Place
    takes: tuple[int, ...]


@dataclass(frozen=True)
class _Absent:
    """Records of one book have no pair, in this way."""

    kind: Kind
    side: int

    @property
    def what(self) -> dict[str, Any]:
        return {}

    def see(self, part: Part) -> tuple[Bools, Bools]:
        size = len(part.books[self.side])
        domain, holds = np.ones(size, bool), np.zeros(size, bool)
        holds[_left(part, self.side, self.kind)] = True
        if self.kind is Kind.DUPLICATE:  # the copy stands for both
            pairs = part.paired
            of_kind = part.judged.left[self.side] == self.kind
            copied = pairs.copies[self.side][of_kind]
            domain[copied[copied >= 0]] = False
            domain[(pairs.ours_left, pairs.theirs_left)[self.side][~of_kind]] = False
            domain[(pairs.ours, pairs.theirs)[self.side][part.judged.has(Kind.NUMBER)]] = False
        return domain, holds


@dataclass(frozen=True)
class _Counting:
    """Counts of how many records a hypothesis may be true, is true, and would explain: :func:`table_of`."""

    kind: Kind
    side: int | None
    idea: Hypothesis
    by_day: frozenset[Place] | None = None

    def __call__(self, part: Part) -> Table:
        domain, holds = self.idea.see(part)
        holds = holds & domain
        differs, also = _waiting(part, self.kind, self.side)
        flags = domain.view(np.uint8) + (holds.view(np.uint8) << 1)
        flags += (holds & differs).view(np.uint8) << 2
        flags += (holds & (differs | also)).view(np.uint8) << 3
        return table_of(frame_of(part, self.side), flags, self.by_day)


@dataclass(frozen=True)
class _Taking:
    """Gives the records of a spot, of all services or of one, to a cause, and counts again."""

    counting: _Counting
    spot: Spot
    only: int | None

    def __call__(self, part: Part) -> Table:
        kind, side = self.counting.kind, self.counting.side
        domain, holds = self.counting.idea.see(part)
        differs, also = _waiting(part, kind, side)
        there = frame_of(part, side).at(*self.spot.place, self.spot.days, self.only)
        _take(part, kind, side, np.flatnonzero(there & domain & holds & (differs | also)))
        return self.counting(part)


@dataclass(frozen=True)
class _TakingAll:
    """Gives all records of one book that have no pair in this way to one cause; tells their services."""

    kind: Kind
    side: int

    def __call__(self, part: Part) -> set[int]:
        rows = _left(part, self.side, self.kind)
        _take(part, self.kind, self.side, rows)
        return set(np.unique(part.books[self.side].service[rows]).tolist())


@dataclass(frozen=True)
class _Waiting:
    """How many differences of each kind there are: of pairs, and of what either book has left."""

    def __call__(self, part: Part) -> dict[tuple[int, int | None], int]:
        part.waiting = part.judged.kinds.copy()
        found: dict[tuple[int, int | None], int] = {}
        for kind in Kind:
            found[kind, None] = int(np.count_nonzero(part.judged.has(kind)))
        for side in (0, 1):
            for kind in _OF_LEFT:
                found[kind, side] = int(np.count_nonzero(part.judged.left[side] == kind))
        return found


@dataclass(frozen=True)
class _Measuring:
    """Of each cause: records, money, and each side's amounts and billed usage."""

    causes: tuple[Found, ...]

    def __call__(self, part: Part) -> list[tuple[int, ...]]:
        found, paying = part.judged, part.judged.paying
        measured: list[tuple[int, ...]] = []
        for cause in self.causes:
            rows = _rows(part, cause)
            side = cause.place.side
            if side is not None:
                money = exact(part.books[side].settled[rows]) * (1 if side == 0 else -1)
                measured.append((len(rows), money))
                continue
            money = exact(found.money[rows[paying[rows] == cause.place.kind]])
            sums = []
            if cause.place.kind is Kind.RATE:
                for book, at in zip(part.books, (part.paired.ours, part.paired.theirs), strict=True):
                    sums += [exact(book.settled[at[rows]]), exact(book.billed_usage[at[rows]])]
            measured.append((len(rows), money, *sums))
        return measured


def explain(parts: Parts, agreement: Agreement, codes: Codes) -> list[tuple[Found, Cause]]:
    """The causes of all differences, money first; :func:`explained` says which records are theirs."""
    counts: dict[tuple[int, int | None], int] = {}
    for some in parts.each(_Waiting()):
        for key, count in some.items():
            counts[key] = counts.get(key, 0) + count
    places: list[_Place] = []
    for kind in Kind:
        if kind < Kind.MISSING and counts[kind, None]:
            places += _places(parts, kind, None, hypotheses.of(kind, parts, factors(agreement)), codes)
    for side in (0, 1):
        for kind in _OF_LEFT:
            if counts[kind, side] < LEAST:
                continue
            if kind is Kind.CYCLE_SHIFT:
                services = set().union(*parts.each(_TakingAll(kind, side)))
                places.append(_Place(kind, side, {}, "period's end", 0, tuple(sorted(services))))
            else:
                places += _places(parts, kind, side, [_Absent(kind, side)], codes)
    found = _joined(places)
    measured = zip(*parts.each(_Measuring(tuple(found))), strict=True)
    causes = [
        _cause(one, [sum(column) for column in zip(*of, strict=True)])
        for one, of in zip(found, measured, strict=True)
    ]
    order = sorted(range(len(causes)), key=lambda at: (-abs(causes[at].money), -causes[at].count))
    return [(found[at], causes[at]) for at in order]


def explained(part: Part, causes: Sequence[tuple[Found, Cause]]) -> Explained:
    """The records of each cause in a part, and those that no cause explains."""
    told = [replace(cause, rows=_rows(part, found)) for found, cause in causes]
    findings: dict[tuple[Kind, int | None], Ints] = {}
    for kind in Kind:
        if kind < Kind.MISSING:
            rows = np.flatnonzero(hypotheses.waiting(part, kind))
            findings.update({(kind, None): rows} if len(rows) else {})
    for side in (0, 1):
        for kind in _OF_LEFT:
            rows = np.flatnonzero(_waiting(part, kind, side)[0])
            findings.update({(kind, side): rows} if len(rows) else {})
    return Explained(told, findings)


def _cause(found: Found, sums: list[int]) -> Cause:
    place = found.place
    what, unit = place.what, prices.unit_of(place.services)
    count, money, *rest = sums
    if rest and unit:
        each = prices.price(rest[0], rest[1], unit[1]), prices.price(rest[2], rest[3], unit[1])
        if all(each):
            what = {**what, "ours": each[0], "theirs": each[1], "unit": unit[0]}
    none = np.zeros(0, np.int64)
    where = place.dimension, place.code, place.services, place.side
    return Cause(place.kind, what, *where, none, count, money, place.first, place.last)


def _places(
    parts: Parts, kind: Kind, side: int | None, ideas: Iterable[Hypothesis], codes: Codes
) -> Iterator[_Place]:
    """Where hypotheses hold: each in whole places, and what waits then in some days of a place."""
    open_places = {}
    for idea in ideas:
        counting = _Counting(kind, side, idea)
        table = yield from _found(parts, counting, codes)
        open_places[counting] = table.open_places(LEAST)
    for counting, by_day in open_places.items():
        if by_day:
            yield from _found(parts, replace(counting, by_day=by_day), codes)


def _found(parts: Parts, counting: _Counting, codes: Codes) -> Generator[_Place, None, Table]:
    """Of all services, then of each, the place that explains most, and so on; then what is left."""
    names = DIMENSIONS[counting.side is None]
    table = merged(parts.each(counting))
    services = table.services("open")
    several = len(table.services("every")) > 1
    for only in [None, *services]:
        for _ in range(_MOST):
            if table.total("open", only) < LEAST:
                break
            spot = table.best(only, SHARE, LEAST, names, codes)
            if spot is None:
                break
            inside = table.services("taken", spot, only)
            if only is None and len(inside) == 1 and several:
                break  # it may be true of all of that service, which is simpler to say
            table = merged(parts.each(_Taking(counting, spot, only)))
            where = _where(spot, names)
            yield _Place(counting.kind, counting.side, counting.idea.what, *where[:2], inside, *where[2:])
    return table


def _where(spot: Spot, names: Sequence[str]) -> tuple[str, int, int | None, int | None]:
    """Dimension and code, first and last day, in a cause's terms: a day of everything is a dimension."""
    dimension, code = spot.place
    if spot.days is None:
        return names[dimension], code, None, None
    first, last = spot.days
    if not dimension and first == last:
        return "day", first, None, None
    return names[dimension], code, first, None if spot.lasting else last


def _joined(places: Sequence[_Place]) -> list[Found]:
    """The same in several services is one cause."""
    found: dict[Any, Found] = {}
    for turn, place in enumerate(places):
        days = place.first, place.last
        key = (place.kind, place.side, repr(place.what), place.dimension, place.code, days)
        if key in found:
            first = found[key]
            services = tuple(sorted({*first.place.services, *place.services}))
            found[key] = Found(replace(first.place, services=services), (*first.takes, turn))
        else:
            found[key] = Found(place, (turn,))
    return list(found.values())


def _take(part: Part, kind: Kind, side: int | None, rows: Ints) -> None:
    part.taken = (*part.taken, Taken(kind, side, rows))
    if side is not None or part.waiting is None:
        return
    kinds, waiting = own(part.judged.kinds), own(part.waiting)
    kinds[rows] |= np.uint16(1 << kind)
    waiting[rows] &= ~np.uint16(1 << kind)
    if kind in _TWINS:
        kinds[rows] &= ~np.uint16(1 << _TWINS[kind])
        waiting[rows] &= ~np.uint16(1 << _TWINS[kind])
    part.found, part.waiting = changed(part.judged, kinds=kinds), waiting


def _rows(part: Part, found: Found) -> Ints:
    """A part's records of a cause, ascending."""
    rows = [part.taken[turn].rows for turn in found.takes]
    return rows[0] if len(rows) == 1 else np.unique(np.concatenate(rows))


def _waiting(part: Part, kind: Kind, side: int | None) -> tuple[Bools, Bools]:
    """Records that differ in this way and have no cause; and those that do in the way of its twin."""
    if side is None:
        differs = hypotheses.waiting(part, kind)
        twin = hypotheses.waiting(part, _TWINS[kind]) if kind in _TWINS else np.zeros(len(differs), bool)
        return differs, twin
    differs = np.zeros(len(part.books[side]), bool)
    differs[_left(part, side, kind)] = True
    for taken in part.taken:
        if (taken.kind, taken.side) == (kind, side):
            differs[taken.rows] = False
    return differs, np.zeros(len(differs), bool)


def _left(part: Part, side: int, kind: Kind) -> Ints:
    rows: Ints = (part.paired.ours_left, part.paired.theirs_left)[side]
    found: Ints = rows[part.judged.left[side] == kind]
    return found


def exact(column: Ints) -> int:
    """The sum of a column, which need not fit in 64 bits."""
    return (int((column >> 32).sum()) << 32) + int((column & 0xFFFFFFFF).sum())
