"""Ways in which two books may differ throughout, as the differences themselves suggest them.

For :mod:`billproof.clearing.causes`, which says where each of them holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from billproof.clearing import differences
from billproof.clearing.agreement import Agreement
from billproof.clearing.books import Book
from billproof.clearing.differences import Bools, Differences, Kind
from billproof.clearing.kernel import Ints
from billproof.clearing.pairs import UNITS, Pairs

#: A cause has so many records, or they are single findings.
LEAST = 20

_MOST = 12  # hypotheses of one kind
_SAMPLE = 20_000
_FITS = 0.95
_DATA = 6

#: First and step of rules that billed usage is rounded by, coarse ones first: in seconds; of data in bytes.
_SECONDS = [(first, step) for step in (60, 30, 20, 15, 12, 10, 6, 5, 1) for first in (0, 60, 30, 20, 10, 1)]
_BYTES = [
    (0, step) for step in (10**6, 1 << 20, 10**5, 102_400, 10**4, 10_240, 10**3, 1 << 10, 128, 100, 10, 1)
]


@dataclass(frozen=True)
class Hypothesis:
    """What is supposed; of which records it can be true or not, and of which of them it is: (k,) each."""

    what: dict[str, Any]
    domain: Bools
    holds: Bools


def of(
    kind: Kind,
    books: tuple[Book, Book],
    pairs: Pairs,
    found: Differences,
    agreement: Agreement,
    rows: Bools,
) -> Iterator[Hypothesis]:
    """What the differing ``rows`` of a kind suggest; ``rows`` lose those that became a cause meanwhile."""
    makers: dict[Kind, Callable[..., Iterator[Hypothesis]]] = {
        Kind.TIME_ZONE: _shifts,
        Kind.NUMBER: _numbers,
        Kind.UNIT: _units,
        Kind.DURATION: _durations,
        Kind.ROUNDING: _roundings,
        Kind.CURRENCY: _currencies,
        Kind.RATE: _rates,
    }
    return makers[kind](books, pairs, found, agreement, rows)


def _frequent(values: Ints) -> list[int]:
    """Values that are there often enough, the most frequent first."""
    distinct, counts = np.unique(values, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MOST]
    return [int(distinct[at]) for at in order if counts[at] >= LEAST]


def _shifts(
    books: tuple[Book, Book], pairs: Pairs, found: Differences, agreement: Agreement, rows: Bools
) -> Iterator[Hypothesis]:
    everything = books[0].service[pairs.ours] < 32
    for shift in _frequent(found.shift[rows]):
        what = {"minutes": shift // 60}
        yield Hypothesis(what, everything, found.has(Kind.TIME_ZONE) & (found.shift == shift))


def _numbers(
    books: tuple[Book, Book], pairs: Pairs, found: Differences, agreement: Agreement, rows: Bools
) -> Iterator[Hypothesis]:
    yield Hypothesis({}, books[0].number[pairs.ours] != 0, found.has(Kind.NUMBER))


def _units(
    books: tuple[Book, Book], pairs: Pairs, found: Differences, agreement: Agreement, rows: Bools
) -> Iterator[Hypothesis]:
    usages = books[0].usage[pairs.ours], books[1].usage[pairs.theirs]
    used = np.maximum(*usages) > 1
    for unit in _frequent(found.unit[rows].astype(np.int64)):
        what = {"ratio": UNITS[abs(unit) - 1], "largerUnit": "ours" if unit > 0 else "theirs"}
        fits = differences.in_unit(usages, unit) & ~found.usage_agrees
        yield Hypothesis(what, used, fits)


def _durations(
    books: tuple[Book, Book], pairs: Pairs, found: Differences, agreement: Agreement, rows: Bools
) -> Iterator[Hypothesis]:
    longer = books[1].usage[pairs.theirs] - books[0].usage[pairs.ours]
    for value in _frequent(longer[rows]):
        yield Hypothesis({"theirsLonger": value}, np.ones(len(longer), bool), longer == value)


def _rounded(usage: Ints, first: int, step: int) -> Ints:
    """Billed usage by a rule: at least ``first``, and from there in steps."""
    found: Ints = np.where(usage <= first, first, first + -(-(usage - first) // step) * step)
    return np.where(usage <= 0, 0, found)


def _rule(usage: Ints, billed: Ints, service: int) -> tuple[int, int] | None:
    """The rule that explains nearly all of some records."""
    best, most = None, _FITS
    for first, step in _BYTES if service == _DATA else _SECONDS:
        share = float(np.mean(_rounded(usage, first, step) == billed))
        if share > most:
            best, most = (first, step), share
    return best


def _roundings(
    books: tuple[Book, Book], pairs: Pairs, found: Differences, agreement: Agreement, rows: Bools
) -> Iterator[Hypothesis]:
    sides = [
        (book.usage[at], book.billed_usage[at])
        for book, at in zip(books, (pairs.ours, pairs.theirs), strict=True)
    ]
    service = books[0].service[pairs.ours]
    places = books[1].batch[pairs.theirs], books[0].route[pairs.ours], books[0].network[pairs.ours]
    for value in np.unique(service[rows]).tolist():
        of_service = service == value
        domain = of_service & found.usage_agrees
        groups: list[NDArray[Any]] = [np.flatnonzero(rows & domain)]
        for codes in places:
            groups += [
                np.flatnonzero(rows & domain & (codes == code)) for code in _frequent(codes[groups[0]])
            ]
        seen = set()
        for group in groups:
            group = group[rows[group]]
            if len(group) < LEAST:
                continue
            group = group[:: max(1, len(group) // _SAMPLE)]
            rules = [_rule(usage[group], billed[group], value) for usage, billed in sides]
            if None in rules or tuple(rules) in seen:
                continue
            seen.add(tuple(rules))
            holds = domain.copy()
            for (usage, billed), rule in zip(sides, rules, strict=True):
                assert rule is not None  # noqa: S101 - for the type checker
                holds[domain] &= _rounded(usage[domain], *rule) == billed[domain]
            unit = "bytes" if value == _DATA else "seconds"
            yield Hypothesis({"ours": rules[0], "theirs": rules[1], "unit": unit}, domain, holds)


def _currencies(
    books: tuple[Book, Book], pairs: Pairs, found: Differences, agreement: Agreement, rows: Bools
) -> Iterator[Hypothesis]:
    ours, theirs = books[0].settled[pairs.ours], books[1].settled[pairs.theirs]
    domain = found.billed_agrees & (ours != 0)
    fits = [
        (factor, differences.scaled(ours, theirs, factor, found.grain))
        for factor in differences.factors(agreement)
    ]
    fits.sort(key=lambda fit: -int(np.count_nonzero(fit[1] & rows)))
    for factor, holds in fits:
        if np.count_nonzero(holds & rows) >= LEAST:
            yield Hypothesis({"factor": round(factor, 6)}, domain, holds)


def _rates(
    books: tuple[Book, Book], pairs: Pairs, found: Differences, agreement: Agreement, rows: Bools
) -> Iterator[Hypothesis]:
    """Ratios of prices, by what most of the larger amounts have in common."""
    ours, theirs = books[0].settled[pairs.ours], books[1].settled[pairs.theirs]
    grain = found.grain[0] + found.grain[1]
    domain = found.billed_agrees & (ours != 0)
    open_rows = rows & domain & (theirs != 0) & (np.sign(ours) == np.sign(theirs))
    for _ in range(_MOST):
        at = np.flatnonzero(open_rows & rows)
        if len(at) < LEAST:
            return
        sure = at[np.argsort(grain[at] / np.minimum(np.abs(ours[at]), np.abs(theirs[at])), kind="stable")]
        sure = sure[: max(LEAST, len(sure) // 2)]
        ratios = np.log(theirs[sure] / ours[sure])
        bins = np.floor(ratios * 500).astype(np.int64)
        values, counts = np.unique(bins, return_counts=True)
        best = values[np.argmax(counts)]
        near = np.abs(ratios * 500 - (best + 0.5)) <= 1
        if np.count_nonzero(near) < LEAST:
            return
        chosen = sure[near]
        ratio = float(theirs[chosen].sum() / ours[chosen].sum())
        holds = np.abs(theirs - ours * ratio) <= grain * max(1.0, ratio) + np.abs(theirs) / 1000
        yield Hypothesis({"ratio": round(ratio, 4)}, domain, holds & domain)
        open_rows &= ~holds
