"""Ways in which two books may differ throughout, as the differences themselves suggest them.

For :mod:`billproof.clearing.causes.causes`, which says where each of them holds. Suggestions come of counts
over all parts, or of records that a hash draws: how records are divided decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from billproof.clearing import kernel
from billproof.clearing.books.book import NO_USAGE
from billproof.clearing.causes.prices import Priced, suggested_prices
from billproof.clearing.kernel import Ints
from billproof.clearing.pairs import differences
from billproof.clearing.pairs.counting import added, counted
from billproof.clearing.pairs.differences import Bools, Kind
from billproof.clearing.pairs.parts import Part, Parts
from billproof.clearing.pairs.passes import UNITS

#: A cause has so many records, or they are single findings.
LEAST = 20

_MOST = 12  # hypotheses of one kind
_SAMPLE = 20_000
_FITS = 0.95
_DATA = 6
_EVERY = (1 << 64) - 1

#: First and step of rules that billed usage is rounded by, coarse ones first: in seconds; of data in bytes.
_SECONDS = [(first, step) for step in (60, 30, 20, 15, 12, 10, 6, 5, 1) for first in (0, 60, 30, 20, 10, 1)]
_BYTES = [
    (0, step) for step in (10**6, 1 << 20, 10**5, 102_400, 10**4, 10_240, 10**3, 1 << 10, 128, 100, 10, 1)
]

Rule = tuple[int, int]


class Hypothesis(Protocol):
    """What is supposed."""

    @property
    def what(self) -> dict[str, Any]:
        """In the words of a document."""

    def see(self, part: Part) -> tuple[Bools, Bools]:
        """Of which records of a part it can be true or not, and of which it is: (k,) each."""


@dataclass(frozen=True)
class Shifted:
    """Their clock is so many seconds ahead."""

    seconds: int

    @property
    def what(self) -> dict[str, Any]:
        return {"minutes": self.seconds // 60}

    def see(self, part: Part) -> tuple[Bools, Bools]:
        found = part.judged
        holds = found.has(Kind.TIME_ZONE) & (found.shift == self.seconds)
        return part.both("service")[0] < NO_USAGE, holds


@dataclass(frozen=True)
class Renumbered:
    """Numbers differ."""

    @property
    def what(self) -> dict[str, Any]:
        return {}

    def see(self, part: Part) -> tuple[Bools, Bools]:
        ours, theirs = part.both("number")
        return (ours != 0) | (theirs != 0), part.judged.has(Kind.NUMBER)


@dataclass(frozen=True)
class InUnit:
    """One side counts in a larger unit, as :attr:`Differences.unit` tells it."""

    unit: int

    @property
    def what(self) -> dict[str, Any]:
        return {"ratio": UNITS[abs(self.unit) - 1], "largerUnit": "ours" if self.unit > 0 else "theirs"}

    def see(self, part: Part) -> tuple[Bools, Bools]:
        usages = part.both("usage")
        return np.maximum(*usages) > 1, differences.in_unit(usages, self.unit) & ~part.judged.usage_agrees


@dataclass(frozen=True)
class Longer:
    """Their usage is so much longer."""

    by: int

    @property
    def what(self) -> dict[str, Any]:
        return {"theirsLonger": self.by}

    def see(self, part: Part) -> tuple[Bools, Bools]:
        ours, theirs = part.both("usage")
        return np.ones(len(ours), bool), theirs - ours == self.by


@dataclass(frozen=True)
class Rounded:
    """Both sides' billed usage of a service follows a rule: first, and step."""

    service: int
    rules: tuple[Rule, Rule]

    @property
    def what(self) -> dict[str, Any]:
        ours, theirs = self.rules
        return {"ours": ours, "theirs": theirs, "unit": "bytes" if self.service == _DATA else "seconds"}

    def see(self, part: Part) -> tuple[Bools, Bools]:
        domain = (part.both("service")[0] == self.service) & part.judged.usage_agrees
        rows = np.flatnonzero(domain)
        holds = domain.copy()
        sides = zip(part.both("usage"), part.both("billed_usage"), self.rules, strict=True)
        for usage, billed, rule in sides:
            holds[rows] &= _rounded(usage[rows], *rule) == billed[rows]
        return domain, holds


@dataclass(frozen=True)
class Exchanged:
    """Their amounts are ours times a ratio of exchange rates."""

    factor: float

    @property
    def what(self) -> dict[str, Any]:
        return {"factor": round(self.factor, 6)}

    def see(self, part: Part) -> tuple[Bools, Bools]:
        ours, theirs = part.both("settled")
        domain = part.judged.billed_agrees & (ours != 0)
        return domain, differences.scaled(ours, theirs, self.factor, part.judged.grain)


def of(kind: Kind, parts: Parts, factors: Sequence[float]) -> Iterator[Hypothesis]:
    """What the differing records of a kind suggest; those that became a cause meanwhile say nothing more.

    ``factors`` are ratios of exchange rates.
    """
    makers: dict[Kind, Callable[[Parts], Iterator[Hypothesis]]] = {
        Kind.TIME_ZONE: _shifts,
        Kind.NUMBER: lambda _: iter([Renumbered()]),
        Kind.UNIT: _units,
        Kind.DURATION: _durations,
        Kind.ROUNDING: _roundings,
        Kind.CURRENCY: lambda parts: _currencies(parts, factors),
        Kind.RATE: _rates,
    }
    return makers[kind](parts)


def waiting(part: Part, kind: Kind) -> Bools:
    """Which pairs differ in this way and have no cause: (k,)."""
    bits = part.waiting
    if bits is None:
        raise ValueError("not judged yet")
    found: Bools = bits & np.uint16(1 << kind) != 0
    return found


def _frequent(counts: dict[int, int]) -> list[int]:
    """Values that are there often enough, the most frequent first."""
    order = sorted(counts, key=lambda value: (-counts[value], value))[:_MOST]
    return [value for value in order if counts[value] >= LEAST]


@dataclass(frozen=True)
class _Values:
    """How often the waiting records of a kind have each value of what they may have in common."""

    kind: Kind

    def __call__(self, part: Part) -> dict[int, int]:
        part.forget()
        rows = np.flatnonzero(waiting(part, self.kind))
        if self.kind is Kind.TIME_ZONE:
            return counted(part.judged.shift[rows])
        if self.kind is Kind.UNIT:
            return counted(part.judged.unit[rows].astype(np.int64))
        ours, theirs = part.both("usage")
        return counted(theirs[rows] - ours[rows])


def _shifts(parts: Parts) -> Iterator[Hypothesis]:
    for shift in _frequent(added(parts.each(_Values(Kind.TIME_ZONE)))):
        yield Shifted(shift)


def _units(parts: Parts) -> Iterator[Hypothesis]:
    for unit in _frequent(added(parts.each(_Values(Kind.UNIT)))):
        yield InUnit(unit)


def _durations(parts: Parts) -> Iterator[Hypothesis]:
    for value in _frequent(added(parts.each(_Values(Kind.DURATION)))):
        yield Longer(value)


def _rounded(usage: Ints, first: int, step: int) -> Ints:
    """Billed usage by a rule: at least ``first``, and from there in steps."""
    found: Ints = np.where(usage <= first, first, first + -(-(usage - first) // step) * step)
    return np.where(usage <= 0, 0, found)


#: A service, a place in _PLACES, and a code there: records that may be rounded by one rule.
_Group = tuple[int, int, int]
_PLACES = (("all", None), ("batch", 1), ("route", 0), ("network", 0))


@dataclass(frozen=True)
class _Places:
    """How many records that wait for a rule of rounding there are in each group."""

    def __call__(self, part: Part) -> dict[_Group, int]:
        part.forget()
        rows = np.flatnonzero(waiting(part, Kind.ROUNDING) & part.judged.usage_agrees)
        service = part.both("service")[0][rows]
        found: dict[_Group, int] = {}
        for value in np.unique(service).tolist():
            of_service = rows[service == value]
            for place in range(len(_PLACES)):
                counts = counted(_codes(part, place, of_service))
                found.update({(value, place, code): count for code, count in counts.items()})
        return found


@dataclass(frozen=True)
class _Rules:
    """Of how many records drawn of a group each rule is true: (1 + rules, 2), the first row all of them."""

    bounds: dict[_Group, int]

    def __call__(self, part: Part) -> dict[_Group, Ints]:
        rows = np.flatnonzero(waiting(part, Kind.ROUNDING) & part.judged.usage_agrees)
        service = part.both("service")[0][rows]
        ours, theirs = part.books
        at = part.paired.ours[rows], part.paired.theirs[rows]
        hashes = kernel.drawn(ours.number[at[0]], ours.started_at[at[0]], ours.usage[at[0]])
        found: dict[_Group, Ints] = {}
        for (value, place, code), bound in self.bounds.items():
            chosen = (service == value) & (hashes < np.uint64(bound))
            chosen[chosen] = _codes(part, place, rows[chosen]) == code
            rules = _BYTES if value == _DATA else _SECONDS
            table = np.zeros((1 + len(rules), 2), np.int64)
            table[0] = np.count_nonzero(chosen)
            for side, book in enumerate((ours, theirs)):
                own = at[side][chosen]
                usage, billed = book.usage[own], book.billed_usage[own]
                for number, rule in enumerate(rules, 1):
                    table[number, side] = np.count_nonzero(_rounded(usage, *rule) == billed)
            found[value, place, code] = table
        return found


def _codes(part: Part, place: int, rows: Ints) -> NDArray[Any]:
    name, side = _PLACES[place]
    if side is None:
        return np.zeros(len(rows), np.int64)
    at = (part.paired.ours, part.paired.theirs)[side][rows]
    codes: NDArray[Any] = getattr(part.books[side], name)[at]
    return codes


def _roundings(parts: Parts) -> Iterator[Hypothesis]:
    """Of each service the rules that fit nearly all records, or those of one batch, route or network."""
    seen: set[Rounded] = set()
    while True:
        counts = added(parts.each(_Places()))
        groups: list[_Group] = []
        for service in sorted({service for service, _, _ in counts}):
            for place in range(len(_PLACES)):
                here = {code: n for (value, at, code), n in counts.items() if (value, at) == (service, place)}
                groups += [(service, place, code) for code in _frequent(here)]
        bounds = {group: min(_EVERY, (_SAMPLE << 64) // counts[group]) for group in groups}
        tables = parts.each(_Rules(bounds)) if bounds else []
        fresh = []
        for group in groups:
            rules = _fitting(sum(table[group] for table in tables), group[0])
            if rules is not None and Rounded(group[0], rules) not in seen:
                fresh.append(Rounded(group[0], rules))
                seen.add(fresh[-1])
        if not fresh or len(seen) > _MOST * len(_PLACES):
            return
        yield from fresh


def _fitting(table: Ints, service: int) -> tuple[Rule, Rule] | None:
    """Of both sides the rule that explains nearly all of some records, the first of the best."""
    rules = _BYTES if service == _DATA else _SECONDS
    best = np.argmax(table[1:], axis=0)
    if any(table[1 + best[side], side] <= _FITS * table[0, side] for side in (0, 1)):
        return None
    return rules[best[0]], rules[best[1]]


@dataclass(frozen=True)
class _Exchanges:
    """How many waiting records each ratio of exchange rates is true of: place → count."""

    factors: tuple[float, ...]

    def __call__(self, part: Part) -> dict[int, int]:
        part.forget()
        rows = waiting(part, Kind.CURRENCY)
        return {
            at: int(np.count_nonzero(Exchanged(factor).see(part)[1] & rows))
            for at, factor in enumerate(self.factors)
        }


def _currencies(parts: Parts, factors: Sequence[float]) -> Iterator[Hypothesis]:
    for at in _frequent(added(parts.each(_Exchanges(tuple(factors))))):
        yield Exchanged(factors[at])


def _rates(parts: Parts) -> Iterator[Hypothesis]:
    tried: list[Priced] = []
    for _ in range(_MOST):
        found = suggested_prices(parts, tuple(tried), LEAST)
        if found is None:
            return
        yield found
        tried.append(found)
