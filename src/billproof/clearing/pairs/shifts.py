"""Clocks of whole batches: which of them stand a multiple of a quarter of an hour beside the other book's.

They are found before records are paired, or a record of a shifted batch would be paired with one of another
call that happens to lie where it should not be. ``docs/clearing.md``, section 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from billproof.clearing import kernel, loops
from billproof.clearing.books.book import Book, Codes
from billproof.clearing.kernel import Ints
from billproof.clearing.pairs.keys import keys_of

if TYPE_CHECKING:
    from billproof.clearing.pairs.parts import Part, Parts

#: Records of a group that vote, and how many have to agree on a shift.
_SAMPLE, _LEAST = 4_000, 20

#: What share of a group has to be found at a shift, and how many times what is found at none.
_SHARE, _TIMES = 0.5, 1.5

_ROUNDS = 16
_DIMENSIONS = ("batch", "network")
_KEY, _START, _USAGE, _GROUPS, _VOTES = 0, 1, 2, 3, 5  # rows of what votes: groups, and whether for them
_EVERY = (1 << 64) - 1

#: A side, a place in _DIMENSIONS, and a code: records that have one clock.
Group = tuple[int, int, int]


@dataclass(frozen=True)
class Shift:
    """By how many seconds the records of a group begin later than the other side's."""

    group: Group
    seconds: int


@dataclass(frozen=True)
class Voters:
    """What votes of both books, and the records of the same keys that each side's are looked for among."""

    samples: tuple[Ints, Ints]  # (7, n) key, start, usage, codes of both dimensions, whether it votes there
    others: tuple[Ints, Ints]  # (5, m) of the same side, by the other's keys


@dataclass(frozen=True)
class Telling:
    """How many records of each group tell something."""

    def __call__(self, part: Part) -> dict[Group, int]:
        found = {}
        for side, book in enumerate(part.books):
            rows = _telling(book)
            for at, name in enumerate(_DIMENSIONS):
                counts = np.bincount(getattr(book, name)[rows])
                for code in np.flatnonzero(counts).tolist():
                    found[side, at, code] = int(counts[code])
        return found


@dataclass(frozen=True)
class Choosing:
    """Chooses who votes: of each group the records whose hash is below its bound."""

    bounds: Mapping[Group, int]

    def __call__(self, part: Part) -> None:
        samples = [self._sample(book, side) for side, book in enumerate(part.books)]
        others = [_others(book, samples[1 - side][_KEY]) for side, book in enumerate(part.books)]
        part.voters = Voters((samples[0], samples[1]), (others[0], others[1]))

    def _sample(self, book: Book, side: int) -> Ints:
        rows = _telling(book)
        hashes = kernel.drawn(book.number[rows], book.started_at[rows], book.usage[rows])
        votes = []
        for at, name in enumerate(_DIMENSIONS):
            codes = getattr(book, name)[rows]
            bounds = np.zeros(int(codes.max(initial=0)) + 1, np.uint64)
            for (other, dimension, code), bound in self.bounds.items():
                if (other, dimension) == (side, at) and code < len(bounds):
                    bounds[code] = bound
            votes.append(hashes < bounds[codes])
        chosen = votes[0] | votes[1]
        return np.vstack([_columns(book, rows[chosen]), votes[0][chosen], votes[1][chosen]])


@dataclass(frozen=True)
class Voting:
    """How many of each group have a record at each shift, those known taken away.

    By group: how many vote, and place of the shift → votes.
    """

    shifts: tuple[Shift, ...]
    tolerance: int
    limits: Ints

    def __call__(self, part: Part) -> dict[Group, tuple[int, dict[int, int]]]:
        found: dict[Group, tuple[int, dict[int, int]]] = {}
        if part.voters is None:
            return found
        for side in (0, 1):
            samples = self._shifted(part.voters.samples[side], side)
            others = self._shifted(part.voters.others[1 - side], 1 - side)
            others = np.ascontiguousarray(others[:, kernel.by_key(others)])
            for at in range(len(_DIMENSIONS)):
                mine = samples[:, samples[_VOTES + at] == 1]
                for code in np.unique(mine[_GROUPS + at]).tolist():
                    rows = mine[:, mine[_GROUPS + at] == code]
                    hits = kernel.count_votes(rows, others, self.tolerance, self.limits)
                    there = np.flatnonzero(hits)
                    votes = dict(zip(there.tolist(), hits[there].tolist(), strict=True))
                    found[side, at, code] = rows.shape[1], votes
        return found

    def _shifted(self, columns: Ints, side: int) -> Ints:
        columns = columns.copy()
        for shift in self.shifts:
            other, at, code = shift.group
            if other == side:
                columns[_START, columns[_GROUPS + at] == code] -= shift.seconds
        return columns


def find_shifts(parts: Parts, codes: Codes, tolerance: int, limits: Ints) -> tuple[Shift, ...]:
    """The shifts of whole batches and networks, one after the other."""
    counts: dict[Group, int] = {}
    for some in parts.each(Telling()):
        for group, count in some.items():
            counts[group] = counts.get(group, 0) + count
    bounds = {group: min(_EVERY, (_SAMPLE << 64) // count) for group, count in counts.items()}
    parts.each(Choosing(bounds))
    shifts: tuple[Shift, ...] = ()
    for _ in range(_ROUNDS):
        votes = parts.each(Voting(shifts, min(tolerance, loops.QUARTER // 4), limits))
        found = sorted(_standing_out(votes, codes), key=lambda one: one[0])
        if not found:
            break
        shifts = (*shifts, found[0][1])
    return shifts


def _standing_out(
    votes: Sequence[Mapping[Group, tuple[int, Mapping[int, int]]]], codes: Codes
) -> Iterator[tuple[tuple[float, int, int, int, str], Shift]]:
    """Groups that most of their votes give a shift, and what says which comes first."""
    voters: dict[Group, int] = {}
    hits: dict[Group, Ints] = {}
    for some in votes:
        for group, (count, votes_of) in some.items():
            voters[group] = voters.get(group, 0) + count
            known = hits.setdefault(group, np.zeros(2 * loops.QUARTERS + 1, np.int64))
            known[list(votes_of)] += np.array(list(votes_of.values()), np.int64)
    for group, count in voters.items():
        best = int(np.argmax(hits[group]))
        most, none = int(hits[group][best]), int(hits[group][loops.QUARTERS])
        if best != loops.QUARTERS and most >= max(_LEAST, _SHARE * count, _TIMES * none):
            side, at, code = group
            text = (codes.batches, codes.networks)[at].texts[code]
            seconds = (best - loops.QUARTERS) * loops.QUARTER
            yield (-most / count, -most, side, at, text), Shift(group, seconds)


def shifted(book: Book, side: int, shifts: Sequence[Shift]) -> Ints:
    """The starts of a book, its clocks set right: (n,)."""
    starts = book.started_at.copy()
    for shift in shifts:
        other, at, code = shift.group
        if other == side:
            starts[getattr(book, _DIMENSIONS[at]) == code] -= shift.seconds
    return starts


def _others(book: Book, keys: Ints) -> Ints:
    """Records of some keys."""
    rows = _telling(book)
    keys = np.unique(keys)
    if not len(keys):
        return _columns(book, rows[:0])
    mine = keys_of(book)[rows]
    return _columns(book, rows[keys[np.searchsorted(keys, mine).clip(max=len(keys) - 1)] == mine])


def _columns(book: Book, rows: Ints) -> Ints:
    return np.vstack(
        [keys_of(book)[rows], *(getattr(book, name)[rows] for name in ("started_at", "usage", *_DIMENSIONS))]
    )


def _telling(book: Book) -> Ints:
    """Records whose usage tells them apart: neither messages nor what is no usage."""
    found: Ints = np.flatnonzero(np.isin(book.service, (1, 2, 3, 6)) & (book.usage > 0))
    return found
