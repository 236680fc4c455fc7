"""Books in parts: what a pair shares divides them, so that every part is cleared by itself but for sums.

``docs/clearing.md``, section 10. A step is done in each part, and what it returns is put together by whoever
asked for it: sums, or small sets. How records are divided decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from billproof.clearing.books.book import NO_USAGE, Book, Codes
from billproof.clearing.kernel import Ints, mixed
from billproof.clearing.pairs.differences import Differences
from billproof.clearing.pairs.passes import Pairing, Pairs
from billproof.clearing.pairs.shifts import Voters

Books = tuple[Book, Book]


@dataclass(frozen=True)
class Frame:
    """Records that have causes, by where they are: (k,) places in ``cells``.

    ``cells`` is (2 + dimensions, c): service, then codes, then days since 1970-01-01; each combination that
    there is once.
    """

    place: NDArray[np.int32]
    cells: Ints

    def at(
        self, dimension: int, code: int, days: tuple[int, int] | None, only: int | None
    ) -> NDArray[np.bool_]:
        """Which records are at a place, dimension 0 being everything; of all services, or of one: (k,).

        Of all ``days``, or from the first to the last.
        """
        there = np.ones(self.cells.shape[1], bool)
        if dimension:
            there &= self.cells[dimension] == code
        if days is not None:
            there &= (self.cells[-1] >= days[0]) & (self.cells[-1] <= days[1])
        if only is not None:
            there &= self.cells[0] == only
        return there[self.place]


@dataclass(frozen=True)
class Taken:
    """The records of a part that a cause explains: places among its pairs, or in the book of ``side``."""

    kind: int
    side: int | None
    rows: Ints


@dataclass
class Part:
    """The records of some keys of both books, and what is known of them up to now."""

    books: Books
    neighbours: tuple[tuple[Book, ...], tuple[Book, ...]] = ((), ())
    voters: Voters | None = None
    pairing: Pairing | None = None
    pairs: Pairs | None = None
    found: Differences | None = None
    waiting: NDArray[np.uint16] | None = None  # of pairs: the kinds' bits that no cause explains
    frames: tuple[Frame | None, Frame | None, Frame | None] = (None, None, None)  # pairs; our book, theirs
    taken: tuple[Taken, ...] = ()
    numbers: Mapping[int, str] = field(default_factory=dict)  # as Codes.numbers, where each part has its own
    _seen: dict[str, tuple[Any, Any]] = field(default_factory=dict, init=False)  # for a while

    @property
    def paired(self) -> Pairs:
        """What is a pair; only once the records are paired."""
        return _done(self.pairs)

    @property
    def judged(self) -> Differences:
        """What differs; only once the pairs are judged."""
        return _done(self.found)

    def both(self, name: str) -> tuple[Any, Any]:
        """A column of both records of each pair: (k,), (k,)."""
        if name not in self._seen:
            ours, theirs = self.books
            pairs = self.paired
            self._seen[name] = getattr(ours, name)[pairs.ours], getattr(theirs, name)[pairs.theirs]
        return self._seen[name]

    def forget(self) -> None:
        """Lets go of the columns that :meth:`both` has kept."""
        self._seen.clear()


class Parts(Protocol):
    """All parts of two books, wherever they are."""

    def each(self, step: Callable[..., Any], given: Sequence[Any] | None = None) -> list[Any]:
        """``step(part)`` for each, or ``step(part, given)`` with what is for this one; in order."""


@dataclass(frozen=True)
class Inside:
    """Parts in this process."""

    parts: Sequence[Part]

    def each(self, step: Callable[..., Any], given: Sequence[Any] | None = None) -> list[Any]:
        """See :class:`Parts`."""
        if given is None:
            return [step(part) for part in self.parts]
        return [step(part, one) for part, one in zip(self.parts, given, strict=True)]


def divided(book: Book, codes: Codes, parts: int) -> list[Book]:
    """A book in parts, whose records keep their order."""
    of = part_of(book, codes, parts)
    order = np.argsort(of, kind="stable")
    ends = np.cumsum(np.bincount(of, minlength=parts)).tolist()
    return [book.rows(order[begin:end]) for begin, end in zip([0, *ends], ends, strict=False)]


def part_of(book: Book, codes: Codes, parts: int) -> Ints:
    """Which part each record is in: (n,). Only texts and numbers decide it, no codes."""
    key = book.number.copy()
    usage = book.service < NO_USAGE
    bare = usage & (book.number == 0)
    key[bare] = _hashes(codes.networks.texts)[book.network[bare]]
    key[~usage] = _hashes(codes.rates.texts)[book.rate[~usage]]
    hashes = mixed(np.vstack([key, book.service.astype(np.int64)])).view(np.uint64)
    found: Ints = ((hashes >> np.uint64(32)) % np.uint64(parts)).astype(np.int64)
    return found


def _hashes(texts: Sequence[str]) -> Ints:
    digests = [blake2b(text.encode(), digest_size=8).digest() for text in texts]
    return np.array([int.from_bytes(digest, "big", signed=True) for digest in digests], np.int64)


Known = TypeVar("Known")


def changed(known: Known, **values: Any) -> Known:
    """A copy with other values in some fields; the others are not even looked at."""
    found = copy(known)
    found.__dict__.update(values)
    return found


def _done(value: Known | None) -> Known:
    if value is None:
        raise ValueError("that step was not done yet")
    return value
