"""Clocks of whole batches: which of them stand a multiple of a quarter of an hour beside the other book's.

They are found before records are paired, or a record of a shifted batch would be paired with one of another
call that happens to lie where it should not be. ``docs/clearing.md``, section 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from billproof.clearing import kernel, loops
from billproof.clearing.books import Book
from billproof.clearing.kernel import Ints

#: Records of a group that vote, and how many have to agree on a shift.
_SAMPLE, _LEAST = 4_000, 20

#: What share of a group has to be found at a shift, and how many times what is found at none.
_SHARE, _TIMES = 0.5, 1.5

_ROUNDS = 16


@dataclass(frozen=True)
class _Vote:
    """By how many seconds the records of a group of one side begin later than the other side's."""

    side: int
    dimension: str
    code: int
    seconds: int
    share: float
    count: int


def find_shifts(books: tuple[Book, Book], columns: tuple[Ints, Ints], tolerance: int, limits: Ints) -> None:
    """Takes the shifts of whole batches and networks away from the starts in ``columns``, (5, n) each."""
    for _ in range(_ROUNDS):
        found = sorted(_votes(books, columns, tolerance, limits), key=lambda vote: (-vote.share, -vote.count))
        if not found:
            return
        best = found[0]
        rows = getattr(books[best.side], best.dimension) == best.code
        columns[best.side][1, rows] -= best.seconds


def _votes(
    books: tuple[Book, Book], columns: tuple[Ints, Ints], tolerance: int, limits: Ints
) -> Iterator[_Vote]:
    tolerance = min(tolerance, loops.QUARTER // 4)
    telling = [_telling(book) for book in books]
    for side in (0, 1):
        other = columns[1 - side][:, telling[1 - side]]
        other = np.ascontiguousarray(other[:, kernel.by_key(other)])
        for dimension in ("batch", "network"):
            codes = getattr(books[side], dimension)[telling[side]]
            for code in np.unique(codes).tolist():
                rows = telling[side][codes == code]
                if len(rows) < _LEAST:
                    continue
                rows = rows[:: max(1, len(rows) // _SAMPLE)]
                hits = kernel.count_votes(columns[side][:, rows], other, tolerance, limits)
                best = int(np.argmax(hits))
                count, none = int(hits[best]), int(hits[loops.QUARTERS])
                if best != loops.QUARTERS and count >= max(_LEAST, _SHARE * len(rows), _TIMES * none):
                    seconds = (best - loops.QUARTERS) * loops.QUARTER
                    yield _Vote(side, dimension, code, seconds, count / len(rows), count)


def _telling(book: Book) -> Ints:
    """Records whose usage tells them apart: neither messages nor what is no usage."""
    found: Ints = np.flatnonzero(np.isin(book.service, (1, 2, 3, 6)) & (book.usage > 0))
    return found
