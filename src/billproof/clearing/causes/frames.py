"""Where records are, by dimension, and how many there are that something is true of: sums over parts."""

from __future__ import annotations

from collections.abc import Sequence
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
    ("all", "batch", "route", "network", "day"),
    ("all", "their batch", "our batch", "route", "network", "day"),
)

#: Bits of a record's flags.
COLUMNS = ("every", "true", "open", "taken")

_DAY = 86_400
_FLAGS = 1 << len(COLUMNS)


@dataclass(frozen=True)
class Table:
    """Counts by dimension, code and service: (3, n) of these, and (4, n) of COLUMNS."""

    keys: Ints
    counts: Ints

    def _of(self, dimension: int, only: int | None) -> Bools:
        found: Bools = self.keys[0] == dimension
        return found if only is None else found & (self.keys[2] == only)

    def total(self, column: str, only: int | None) -> int:
        """How many records, of all services or of one."""
        return int(self.counts[COLUMNS.index(column), self._of(0, only)].sum())

    def services(
        self, column: str, dimension: int = 0, code: int = 0, only: int | None = None
    ) -> tuple[int, ...]:
        """Services of which there are any."""
        rows = self._of(dimension, only) & (self.keys[1] == code)
        rows &= self.counts[COLUMNS.index(column)] > 0
        return tuple(sorted(self.keys[2, rows].tolist()))

    def best(
        self, only: int | None, share: int, least: int, names: Sequence[str], codes: Codes
    ) -> tuple[int, int] | None:
        """Dimension and code of the place with most open records, where nearly all is true."""
        best, most = None, least - 1
        for dimension, name in enumerate(names):
            rows = self._of(dimension, only)
            distinct, place = np.unique(self.keys[1, rows], return_inverse=True)
            sums = np.zeros((len(COLUMNS), len(distinct)), np.int64)
            for column, counts in enumerate(self.counts[:, rows]):
                np.add.at(sums[column], place, counts)
            every, true, waiting, _ = sums
            waiting[(true * 100 < every * share) | (every == 0)] = 0
            count = int(waiting.max(initial=0))
            if count > most:
                texts = _texts(name, codes)
                equal = distinct[waiting == count].tolist()
                best, most = (dimension, min(equal, key=texts.__getitem__) if texts else min(equal)), count
        return best


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


def table_of(frame: Frame, flags: Ints) -> Table:
    """Counts of the records that have each flag."""
    size = frame.cells.shape[1]
    joint = np.bincount(frame.place.astype(np.int64) * _FLAGS + flags, minlength=size * _FLAGS)
    joint = joint.reshape(size, _FLAGS)
    bits = (np.arange(_FLAGS)[:, None] >> np.arange(len(COLUMNS))) & 1
    counts = (joint @ bits).T
    service, *dimensions = frame.cells
    nothing = np.zeros(size, np.int64)
    keys = [np.vstack([nothing + at, codes, service]) for at, codes in enumerate([nothing, *dimensions])]
    return _summed(np.hstack(keys), np.hstack([counts] * len(keys)))


def merged(tables: Sequence[Table]) -> Table:
    """The sums of tables."""
    return _summed(np.hstack([table.keys for table in tables]), np.hstack([table.counts for table in tables]))


def _summed(keys: Ints, counts: Ints) -> Table:
    keys, counts = keys[:, counts[0] > 0], counts[:, counts[0] > 0]
    if not keys.shape[1]:
        return Table(keys, counts)
    order = np.lexsort(keys[::-1])
    keys, counts = keys[:, order], counts[:, order]
    begins = np.flatnonzero(np.append(True, (np.diff(keys, axis=1) != 0).any(axis=0)))
    return Table(keys[:, begins], np.add.reduceat(counts, begins, axis=1))
