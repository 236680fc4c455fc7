"""Networks whose traffic ends earlier in one book, or begins later: what shifted there into another cycle.

``docs/clearing.md``, section 4. Of a network, what the other book lacks from some moment up to the period's
end, without a single pair from there on, is no loss: losses are not so regular.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from billproof.clearing.books.book import NO_USAGE
from billproof.clearing.kernel import Ints
from billproof.clearing.loops import QUARTER, QUARTERS
from billproof.clearing.pairs.differences import Kind
from billproof.clearing.pairs.parts import Part, Parts, changed

#: Records of a network that have to be missing in a row.
_LEAST = 20

_SPAN = QUARTER * QUARTERS

#: A side, a network's code, and whether it is at the end of the period.
Edge = tuple[int, int, bool]
#: First and last start of usage that has a pair, by side and network.
Reach = Mapping[tuple[int, int], tuple[int, int]]
Ends = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Reaching:
    """From when to when each network of both books has pairs."""

    def __call__(self, part: Part) -> dict[tuple[int, int], tuple[int, int]]:
        found = {}
        for side, rows in enumerate((part.paired.ours, part.paired.theirs)):
            book = part.books[side]
            rows = rows[book.service[rows] < NO_USAGE]
            network, start = book.network[rows], book.started_at[rows]
            size = int(network.max(initial=-1)) + 1
            first, last = np.full(size, 1 << 62), np.full(size, -(1 << 62))
            np.minimum.at(first, network, start)
            np.maximum.at(last, network, start)
            for code in np.flatnonzero(first <= last).tolist():
                found[side, code] = int(first[code]), int(last[code])
        return found


@dataclass(frozen=True)
class Beyond:
    """How many missing records each network has beyond its reach, near its own book's end."""

    reach: Reach
    ends: Ends

    def __call__(self, part: Part) -> dict[Edge, int]:
        return {edge: len(rows) for edge, rows in self.rows(part)}

    def rows(self, part: Part) -> Iterator[tuple[Edge, Ints]]:
        """Places among what a book has left, by edge."""
        for side, left in enumerate((part.paired.ours_left, part.paired.theirs_left)):
            book, (first, last) = part.books[side], self.ends[side]
            at = np.flatnonzero(part.judged.left[side] == Kind.MISSING)
            at = at[book.service[left[at]] < NO_USAGE]
            network, start = book.network[left[at]], book.started_at[left[at]]
            for code in np.unique(network).tolist():
                if (side, code) not in self.reach:
                    continue
                begin, end = self.reach[side, code]
                there = network == code
                yield (side, code, True), at[there & (start > end) & (last - start <= _SPAN)]
                yield (side, code, False), at[there & (start < begin) & (start - first <= _SPAN)]


@dataclass(frozen=True)
class Moving:
    """Takes what lies beyond some edges for shifted into another cycle."""

    beyond: Beyond
    edges: frozenset[Edge]

    def __call__(self, part: Part) -> None:
        left: list[NDArray[np.uint8]] = [kinds.copy() for kinds in part.judged.left]
        for edge, rows in self.beyond.rows(part):
            if edge in self.edges:
                left[edge[0]][rows] = Kind.CYCLE_SHIFT
        part.found = changed(part.judged, left=(left[0], left[1]))


def move_edges(parts: Parts, ends: Ends) -> None:
    """Says of which networks the records at the period's edge have shifted into another cycle."""
    reach: dict[tuple[int, int], tuple[int, int]] = {}
    for some in parts.each(Reaching()):
        for key, (first, last) in some.items():
            known = reach.get(key, (first, last))
            reach[key] = min(known[0], first), max(known[1], last)
    beyond = Beyond(reach, ends)
    counts: dict[Edge, int] = {}
    for some in parts.each(beyond):
        for edge, count in some.items():
            counts[edge] = counts.get(edge, 0) + count
    edges = frozenset(edge for edge, count in counts.items() if count >= _LEAST)
    if edges:
        parts.each(Moving(beyond, edges))
