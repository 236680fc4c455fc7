"""Differences that have one reason: grouped by what they have in common and by where they are.

``docs/clearing.md``, section 5. A hypothesis is a way in which two books may differ throughout ("theirs
begins an hour later"); it is a cause of the widest place where it explains nearly everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from billproof.clearing import hypotheses
from billproof.clearing.agreement import Agreement
from billproof.clearing.books import Book
from billproof.clearing.differences import Bools, Differences, Kind
from billproof.clearing.hypotheses import LEAST, Hypothesis
from billproof.clearing.kernel import Ints
from billproof.clearing.pairs import Pairs

#: A hypothesis has to be true of so many of a dimension's records, in a hundred.
SHARE = 90

#: What a cause explains is not the difference of another kind that it looked like.
_TWINS = {Kind.UNIT: Kind.DURATION, Kind.CURRENCY: Kind.RATE, Kind.RATE: Kind.CURRENCY}

_DAY = 86_400
_EXAMPLES = 3
_MOST = 64  # places of one hypothesis


@dataclass
class Cause:
    """One reason. ``side`` is 0 where it is about our records without a pair, 1 theirs, None pairs."""

    kind: Kind
    what: dict[str, Any]
    dimension: str
    code: int
    services: tuple[int, ...]
    side: int | None
    rows: Ints  # places among the pairs, or in the side's book
    money: int = 0
    examples: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Explained:
    """Causes, money first; and which differences no cause explains, as places like those of causes."""

    causes: list[Cause]
    findings: dict[tuple[Kind, int | None], Ints]


def explain(books: tuple[Book, Book], pairs: Pairs, found: Differences, agreement: Agreement) -> Explained:
    """The causes of all differences, and what is left of them."""
    causes: list[Cause] = []
    findings: dict[tuple[Kind, int | None], Ints] = {}
    dimensions = _dimensions_of_pairs(books, pairs)
    service = books[0].service[pairs.ours]
    none = np.zeros(len(service), bool)
    waiting = {kind: found.has(kind) for kind in Kind if kind < Kind.MISSING}
    for kind, rows in waiting.items():
        if not rows.any():
            continue
        also = waiting[_TWINS[kind]] if kind in _TWINS else none
        for idea in hypotheses.of(kind, books, pairs, found, agreement, rows):
            for cause in _places(kind, idea, rows, also, dimensions, service, None):
                causes.append(cause)
                found.kinds[cause.rows] |= np.uint16(1 << kind)
                rows[cause.rows] = False
                if kind in _TWINS:
                    found.kinds[cause.rows] &= ~np.uint16(1 << _TWINS[kind])
                    also[cause.rows] = False
    findings.update({(kind, None): np.flatnonzero(rows) for kind, rows in waiting.items() if rows.any()})
    for side in (0, 1):
        for kind in (Kind.MISSING, Kind.DUPLICATE, Kind.CYCLE_SHIFT):
            causes += _of_left(books[side], side, kind, pairs, found, findings)
    paying = found.paying
    merged = _merged(causes)
    for cause in merged:
        _count(cause, books, pairs, found, paying)
    merged.sort(key=lambda cause: (-abs(cause.money), -cause.count))
    return Explained(merged, findings)


def _of_left(
    book: Book,
    side: int,
    kind: Kind,
    pairs: Pairs,
    found: Differences,
    findings: dict[tuple[Kind, int | None], Ints],
) -> list[Cause]:
    rows = (pairs.ours_left, pairs.theirs_left)[side][found.left[side] == kind]
    if not len(rows):
        return []
    differs = np.zeros(len(book), bool)
    differs[rows] = True
    if kind is Kind.CYCLE_SHIFT:
        services = tuple(np.unique(book.service[rows]).tolist())
        enough = len(rows) >= LEAST
        causes = [Cause(kind, {}, "period's end", 0, services, side, rows)] if enough else []
    else:
        everything = np.ones(len(book), bool)
        if kind is Kind.DUPLICATE:  # of what is there twice, the copy stands for both
            everything[pairs.copies[side][found.left[side] == kind]] = False
        idea = Hypothesis({}, everything, differs)
        none = np.zeros(len(book), bool)
        causes = list(_places(kind, idea, differs, none, _dimensions_of(book), book.service, side))
    for cause in causes:
        differs[cause.rows] = False
    if differs.any():
        findings[kind, side] = np.flatnonzero(differs)
    return causes


def _places(
    kind: Kind,
    idea: Hypothesis,
    differs: Bools,
    also: Bools,
    dimensions: list[tuple[str, NDArray[Any]]],
    service: NDArray[np.uint8],
    side: int | None,
) -> Iterator[Cause]:
    """Where a hypothesis holds: of all services, then of each, the place that explains most, and so on."""
    waiting = differs & idea.domain & idea.holds
    services = np.unique(service[waiting]).tolist()
    services_of_all = np.unique(service[idea.domain])
    for only in [None, *services]:
        domain = idea.domain if only is None else idea.domain & (service == only)
        holds = domain & idea.holds
        totals = None
        for _ in range(_MOST):
            open_rows = waiting & domain
            if np.count_nonzero(open_rows) < LEAST:
                break
            if totals is None:
                totals = [_totals(codes, domain, holds) for _, codes in dimensions]
            best = _best(open_rows, dimensions, totals)
            if best is None:
                break
            at, code = best
            name, codes = dimensions[at]
            there = codes == code
            rows = np.flatnonzero(there & holds & (differs | also))
            inside = tuple(np.unique(service[rows]).tolist())
            if only is None and len(inside) == 1 and len(services_of_all) > 1:
                break  # it may be true of all of that service, which is simpler to say
            waiting[rows] = False
            yield Cause(kind, idea.what, name, code, inside, side, rows)


def _totals(codes: NDArray[Any], domain: Bools, holds: Bools) -> Bools:
    """Of each code, whether the hypothesis holds for nearly all of its records."""
    size = int(codes.max(initial=0)) + 1
    every = np.bincount(codes[domain], minlength=size)
    true = np.bincount(codes[holds], minlength=size)
    found: Bools = (true * 100 >= every * SHARE) & (every > 0)
    return found


def _best(
    open_rows: Bools, dimensions: list[tuple[str, NDArray[Any]]], totals: list[Bools]
) -> tuple[int, int] | None:
    best, most = None, LEAST - 1
    for at, (_, codes) in enumerate(dimensions):
        counts = np.bincount(codes[open_rows], minlength=len(totals[at]))
        counts[~totals[at]] = 0
        code = int(np.argmax(counts))
        if counts[code] > most:
            best, most = (at, code), int(counts[code])
    return best


def _dimensions_of_pairs(books: tuple[Book, Book], pairs: Pairs) -> list[tuple[str, NDArray[Any]]]:
    mine, other = books
    found = [(name, codes[pairs.ours]) for name, codes in _dimensions_of(mine)]
    return [*found[:1], ("their batch", other.batch[pairs.theirs]), ("our batch", found[1][1]), *found[2:]]


def _dimensions_of(book: Book) -> list[tuple[str, NDArray[Any]]]:
    """Names and codes, the widest first: of all records alike, then of equally many the first is told."""
    day = (book.started_at // _DAY).astype(np.int64)
    return [
        ("all", np.zeros(len(book), np.int8)),
        ("batch", book.batch),
        ("route", book.route),
        ("network", book.network),
        ("day", day - day.min(initial=0)),
    ]


def _merged(causes: list[Cause]) -> list[Cause]:
    """The same in several services is one cause."""
    found: dict[Any, Cause] = {}
    for cause in causes:
        key = (cause.kind, cause.side, repr(cause.what), cause.dimension, cause.code)
        if key in found:
            first = found[key]
            first.rows = np.union1d(first.rows, cause.rows)
            first.services = tuple(sorted({*first.services, *cause.services}))
        else:
            found[key] = cause
    return list(found.values())


def _count(
    cause: Cause, books: tuple[Book, Book], pairs: Pairs, found: Differences, paying: NDArray[np.int8]
) -> None:
    """The money of a cause, each record's counted once, and those of its records with the most."""
    if cause.side is None:
        money = np.where(paying[cause.rows] == cause.kind, found.money[cause.rows], 0)
    else:
        money = books[cause.side].settled[cause.rows] * (1 if cause.side == 0 else -1)
    cause.money = int(money.sum())
    order = np.argsort(-np.abs(money), kind="stable")[:_EXAMPLES]
    cause.examples = cause.rows[order].tolist()
