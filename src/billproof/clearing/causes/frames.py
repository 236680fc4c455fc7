"""Where records are, by dimension, and how many there are that something is true of: sums over parts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from billproof.clearing.books.book import Codes
from billproof.clearing.kernel import Ints
from billproof.clearing.pairs.differences import Bools
from billproof.clearing.pairs.parts import Frame, Part

#: Names of dimensions of one book and of pairs, the widest first: of equally many records the first is told.
DIMENSIONS = (
    ("all", "batch", "route", "network"),
    ("all", "their batch", "our batch", "route", "network"),
)

#: A dimension, and a code there.
Place = tuple[int, int]

#: Bits of a record's flags.
COLUMNS = ("every", "true", "open", "taken")

_DAY = 86_400
_FLAGS = 1 << len(COLUMNS)


@dataclass(frozen=True)
class Spot:
    """All records of a place, or those from one day to another: first and last, since 1970-01-01."""

    place: Place
    days: tuple[int, int] | None = None
    lasting: bool = False  # the place has no records of a later day


@dataclass(frozen=True)
class Table:
    """Counts by dimension, code, service and day: (4, n) of these, and (4, n) of COLUMNS.

    The first dimension, everything, is always counted by day; others have day 0, unless they are ``by_day``.
    """

    keys: Ints
    counts: Ints
    by_day: bool = False

    def _of(self, dimension: int, only: int | None) -> Bools:
        found: Bools = self.keys[0] == dimension
        return found if only is None else found & (self.keys[2] == only)

    def total(self, column: str, only: int | None) -> int:
        """How many records, of all services or of one."""
        return int(self.counts[COLUMNS.index(column), self._of(0, only)].sum())

    def services(self, column: str, spot: Spot | None = None, only: int | None = None) -> tuple[int, ...]:
        """Services of which there are any, at all or there."""
        dimension, code = spot.place if spot else (0, 0)
        rows = self._of(dimension, only) & (self.keys[1] == code)
        if spot and spot.days:
            rows &= (self.keys[3] >= spot.days[0]) & (self.keys[3] <= spot.days[1])
        rows &= self.counts[COLUMNS.index(column)] > 0
        return tuple(np.unique(self.keys[2, rows]).tolist())

    def open_places(self, least: int) -> frozenset[Place]:
        """Places but everything that have so many open records."""
        rows = self.keys[0] > 0
        keys, sums = _grouped(self.keys[:2, rows], self.counts[:, rows])
        return frozenset(map(tuple, keys[:, sums[COLUMNS.index("open")] >= least].T.tolist()))

    def best(
        self, only: int | None, share: int, least: int, names: Sequence[str], codes: Codes
    ) -> Spot | None:
        """Where most records are open, of the places and spans of days in which nearly all is true."""
        best, most = None, least - 1
        for dimension, name in enumerate(names):
            of = self._of(dimension, only)
            keys, counts = _grouped(self.keys[1:2, of], self.counts[:, of])
            every, true, waiting, _ = counts
            spots = {
                int(code): (int(count), Spot((dimension, int(code))))
                for code, count in zip(keys[0, :], waiting, strict=True)
            }
            for at in np.flatnonzero(true * 100 < every * share).tolist():
                code = int(keys[0, at])
                by_day = waiting[at] >= least and (self.by_day or not dimension)
                spots[code] = self._span(dimension, code, of, share) if by_day else (0, spots[code][1])
            count = max((count for count, _ in spots.values()), default=0)
            if count > most:
                texts = _texts(name, codes)
                equal = [code for code, (found, _) in spots.items() if found == count]
                code = min(equal, key=texts.__getitem__) if texts else min(equal)
                best, most = spots[code][1], count
        return best

    def _span(self, dimension: int, code: int, of: Bools, share: int) -> tuple[int, Spot]:
        """The span of a place's days that explains most, and how many records are open in it."""
        rows = of & (self.keys[1] == code)
        keys, counts = _grouped(self.keys[3:, rows], self.counts[:, rows])
        days, (every, true, waiting, taken) = keys[0], counts
        found = span(taken, every - true, share)
        if found is None:
            return 0, Spot((dimension, code))
        first, last = found
        spot = Spot((dimension, code), (int(days[first]), int(days[last])), last == len(days) - 1)
        return int(waiting[first : last + 1].sum()), spot


def span(true: Ints, false: Ints, share: int) -> tuple[int, int] | None:
    """First and last of the days that explain most, where of ``share`` in a hundred it is true: (n,), n > 0.

    What is true counts for a stretch, what is false against it, so that ``share`` comes to nothing; of equal
    ones the first and shortest. No stretch at its begin or end comes to less: nearly all is true there, too.
    A day next to it goes with it if more is true than false: midnight is not everybody's.
    """
    scores = (100 - share) * true - share * false
    sums = np.concatenate([[0], np.cumsum(scores)])
    lowest = np.minimum.accumulate(sums[:-1])
    last = int(np.argmax(sums[1:] - lowest))
    first = int(np.flatnonzero(sums[: last + 1] == lowest[last])[-1])
    total = int(sums[last + 1] - sums[first])
    if total < 0:
        return None
    mostly = (true > false).tolist()
    if first > 0 and mostly[first - 1] and total + scores[first - 1] >= 0:
        first -= 1
        total += int(scores[first])
    if last + 1 < len(scores) and mostly[last + 1] and total + scores[last + 1] >= 0:
        last += 1
    return first, last


def _texts(name: str, codes: Codes) -> list[str] | None:
    """What codes of a dimension stand for, if they say nothing themselves."""
    if name.endswith("batch"):
        return codes.batches.texts
    return codes.networks.texts if name == "network" else None


def frame_of(part: Part, side: int | None) -> Frame:
    """Where the pairs of a part are, or the records of one of its books."""
    at = 0 if side is None else 1 + side
    found = part.frames[at]
    if found is None:
        if side is None:
            mine, other, a, b = *part.books, part.paired.ours, part.paired.theirs
            columns: list[NDArray[Any]] = [other.batch[b], mine.batch[a], mine.route[a], mine.network[a]]
            service, day = mine.service[a], mine.started_at[a] // _DAY
        else:
            book = part.books[side]
            columns = [book.batch, book.route, book.network]
            service, day = book.service, book.started_at // _DAY
        found = _framed([service, *columns, day])
        part.frames = (*part.frames[:at], found, *part.frames[at + 1 :])  # type: ignore[assignment]
    return found


def _framed(columns: Sequence[NDArray[Any]]) -> Frame:
    """The combinations of columns that there are, and which of them each record has."""
    place = np.zeros(len(columns[0]), np.int64)
    cells = np.zeros((0, 1), np.int64)
    for column in columns:
        first = int(column.min(initial=0))
        width = int(column.max(initial=0)) - first + 1
        place *= width
        place += column
        place -= first
        size = cells.shape[1] * width
        if size <= max(1 << 16, 4 * len(place)):
            there = np.bincount(place, minlength=size) > 0
            distinct = np.flatnonzero(there)
            place = (np.cumsum(there) - 1)[place]
        else:
            distinct, place = np.unique(place, return_inverse=True)
        cells = np.vstack([cells[:, distinct // width], distinct % width + first])
    return Frame(place.astype(np.int32), cells)


def table_of(frame: Frame, flags: Ints, by_day: Collection[Place] | None = None) -> Table:
    """Counts of the records that have each flag, of all places; or of some, and of everything, by day."""
    size = frame.cells.shape[1]
    joint = np.bincount(frame.place.astype(np.int64) * _FLAGS + flags, minlength=size * _FLAGS)
    joint = joint.reshape(size, _FLAGS)
    bits = (np.arange(_FLAGS)[:, None] >> np.arange(len(COLUMNS))) & 1
    counts = (joint @ bits).T
    service, *dimensions, day = frame.cells
    nothing = np.zeros(size, np.int64)
    keys, sums = [np.vstack([nothing, nothing, service, day])], [counts]
    for at, codes in enumerate(dimensions, 1):
        if by_day is None:
            keys.append(np.vstack([nothing + at, codes, service, nothing]))
            sums.append(counts)
        else:
            rows = np.isin(codes, [code for dimension, code in by_day if dimension == at])
            keys.append(np.vstack([nothing + at, codes, service, day])[:, rows])
            sums.append(counts[:, rows])
    return _table(np.hstack(keys), np.hstack(sums), by_day is not None)


def merged(tables: Sequence[Table]) -> Table:
    """The sums of tables."""
    keys, counts = (np.hstack([getattr(table, name) for table in tables]) for name in ("keys", "counts"))
    return _table(keys, counts, tables[0].by_day)


def _table(keys: Ints, counts: Ints, by_day: bool) -> Table:
    there = counts[0] > 0
    return Table(*_grouped(keys[:, there], counts[:, there]), by_day)


def _grouped(keys: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """Each key once, ascending, and the sums of its counts."""
    if not keys.shape[1]:
        return keys, counts
    order = np.lexsort(keys[::-1])
    keys, counts = keys[:, order], counts[:, order]
    begins = np.flatnonzero(np.append(True, (np.diff(keys, axis=1) != 0).any(axis=0)))
    return keys[:, begins], np.add.reduceat(counts, begins, axis=1)
