"""Two books → pairs, differences, causes, and the totals that a summary and a settlement need.

``docs/clearing.md``, sections 1 and 3 to 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from billproof.clearing.agreement import Agreement
from billproof.clearing.books import Book, Codes
from billproof.clearing.causes import Explained, explain
from billproof.clearing.differences import Differences, Kind, book_ends, judge
from billproof.clearing.pairs import Pairs, pair, pair_across


@dataclass(frozen=True)
class Clearing:
    """What laying two books over each other has found. Money: billionths of the settlement currency."""

    books: tuple[Book, Book]
    codes: Codes
    agreement: Agreement
    pairs: Pairs
    differences: Differences
    explained: Explained

    @cached_property
    def agreed(self) -> int:
        """How many pairs agree."""
        return int(np.count_nonzero(self.differences.kinds == 0))

    @cached_property
    def totals(self) -> tuple[int, int]:
        """What each book adds up to."""
        ours, theirs = (int(book.settled.sum()) for book in self.books)
        return ours, theirs

    @cached_property
    def at_stake(self) -> dict[str, int]:
        """The difference of the totals by the kind that it belongs to, and of the pairs that agree."""
        found = {"agreed": 0, **{kind.word: 0 for kind in Kind}}
        paying = self.differences.paying
        for code in np.unique(paying).tolist():
            word = Kind(code).word if code >= 0 else "agreed"
            found[word] += int(self.differences.money[paying == code].sum())
        for side, rows in enumerate((self.pairs.ours_left, self.pairs.theirs_left)):
            settled = self.books[side].settled[rows]
            for code in np.unique(self.differences.left[side]).tolist():
                money = int(settled[self.differences.left[side] == code].sum())
                found[Kind(code).word] += money if side == 0 else -money
        return found

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many differences there are of each kind; a pair counts once for each kind that it has."""
        found = {kind.word: int(np.count_nonzero(self.differences.has(kind))) for kind in Kind}
        for left in self.differences.left:
            for code, count in zip(*np.unique(left, return_counts=True), strict=True):
                found[Kind(int(code)).word] += int(count)
        return found


def clear(
    ours: Book,
    theirs: Book,
    agreement: Agreement,
    codes: Codes,
    *,
    our_neighbours: Sequence[Book] = (),
    their_neighbours: Sequence[Book] = (),
) -> Clearing:
    """Lays two books over each other; ``codes`` are those that both were loaded with.

    Neighbours are books of the periods before and after: what is missing in the other side's book and stands
    in one of its neighbours has shifted into another cycle.
    """
    books = ours, theirs
    pairs = pair(books, agreement.tolerance)
    ends = book_ends(ours, pairs.starts[0]), book_ends(theirs, pairs.starts[1])
    found = judge(books, pairs, agreement, codes, ends)
    for side, neighbours in ((0, their_neighbours), (1, our_neighbours)):
        rows = (pairs.ours_left, pairs.theirs_left)[side]
        for neighbour in neighbours:
            missing = np.flatnonzero(found.left[side] == Kind.MISSING)
            if len(missing):
                elsewhere = pair_across(books[side].rows(rows[missing]), neighbour, agreement.tolerance)
                found.left[side][missing[elsewhere]] = Kind.CYCLE_SHIFT
    return Clearing(books, codes, agreement, pairs, found, explain(books, pairs, found, agreement))
