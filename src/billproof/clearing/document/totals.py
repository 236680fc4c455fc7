"""What a clearing adds up to: by place, by day, by cause; sums over parts of it are sums of these.

Whatever a document says of records is in here (``docs/clearing.md``, sections 1, 5 and 7), so that a clearing
whose records are in many parts has the same document. Sums are exact whatever the records say: Python's whole
numbers. Money is in billionths of the settlement currency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from billproof.clearing.books.book import NO_USAGE, Book, Codes
from billproof.clearing.causes.causes import exact
from billproof.clearing.clearing import Clearing
from billproof.clearing.document import wording
from billproof.clearing.kernel import Ints
from billproof.clearing.pairs.differences import FREE, Kind, claims_of, undisputed
from billproof.errors import InputError
from billproof.printable import printable

#: Records with the most money that are shown of each cause and finding.
EXAMPLES = 3

_DAY = 86_400
_KINDS = len(Kind)
_AT_A_TIME = 1 << 19  # rows: halves of 64-bit numbers add up exactly in floating point below 2^20
_HALF = 32
_DENSE = 1 << 16
_MOST_DAYS = 4000

#: Pairs (None), our records without a pair (0), or theirs (1).
Side = int | None
#: Causes count from 1; 0 is what no cause explains.
Found = tuple[int, Kind, Side]
#: Who claims what: ours (0) or theirs (1) a debt (1) or a credit (-1).
CLAIMS = ((0, 1), (0, -1), (1, 1), (1, -1))
#: Of how many records how much; credits are negative.
Claim = tuple[int, int]


@dataclass(frozen=True)
class Rows:
    """Pairs, or one book's records without a pair, in columns: (n,) each.

    A pair is of the service, route and day of our record. ``ours`` and ``theirs`` are settled amounts, 0 of a
    record that there is not; ``volume`` is the lower billed usage of a pair.
    """

    side: Side
    service: NDArray[np.uint8]
    route: NDArray[np.int32]
    day: Ints  # since 1970-01-01
    ours: Ints
    theirs: Ints
    volume: Ints
    kinds: NDArray[np.uint16]  # bits 1 << Kind; 0: agreed
    paying: NDArray[np.int8]  # the Kind that the money belongs to; -1: agreed


@dataclass(frozen=True)
class Members:
    """The pairs or records of a cause, or of a kind that no cause explains: (n,) each.

    ``ours`` and ``theirs`` are settled amounts where money belongs to this kind, else 0; 0 of a record that
    there is not. ``rank`` is the order of places that decides between records of equal money; ``record``
    makes the example of a row.
    """

    of: Found
    ours: Ints
    theirs: Ints
    rank: tuple[Ints, ...]
    record: Callable[[int], dict[str, Any]]

    @property
    def money(self) -> Ints:
        """Ours less theirs: (n,)."""
        return self.ours - self.theirs


@dataclass(frozen=True)
class Sums:
    """Of records that have something in common."""

    records: tuple[int, int] = (0, 0)  # ours, theirs
    totals: tuple[int, int] = (0, 0)
    pairs: int = 0
    agreed: int = 0  # pairs
    volume: int = 0  # undisputed
    undisputed: int = 0
    tolerated: tuple[int, int] = (0, 0)  # what amounts that no one claims have beyond the undisputed one
    at_stake: tuple[int, ...] = (0,) * (_KINDS + 1)  # of pairs that agree, then by Kind

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            _both(self.records, other.records),
            _both(self.totals, other.totals),
            self.pairs + other.pairs,
            self.agreed + other.agreed,
            self.volume + other.volume,
            self.undisputed + other.undisputed,
            _both(self.tolerated, other.tolerated),
            tuple(map(int.__add__, self.at_stake, other.at_stake)),
        )


@dataclass(frozen=True)
class Group:
    """Of a cause or finding: ``claims`` in the order of :data:`CLAIMS`."""

    count: int = 0
    money: int = 0
    claims: tuple[Claim, ...] = ((0, 0),) * len(CLAIMS)
    examples: tuple[tuple[int, dict[str, Any]], ...] = ()  # money and records, the most first

    def __add__(self, other: Group) -> Group:
        examples = sorted((*self.examples, *other.examples), key=_most_first)[:EXAMPLES]
        claims = tuple(map(_both, self.claims, other.claims))
        return Group(self.count + other.count, self.money + other.money, claims, tuple(examples))


@dataclass(frozen=True)
class Totals:
    """What a clearing, or a part of one, adds up to. ``a + b`` is of both parts, in either order."""

    places: Mapping[tuple[int, int], Sums] = field(default_factory=dict)  # by service and route
    days: Mapping[int, Sums] = field(default_factory=dict)
    kinds: Mapping[int, int] = field(
        default_factory=dict
    )  # how many by their kinds' bits; 0: pairs that agree
    groups: Mapping[Found, Group] = field(default_factory=dict)

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            _merged(self.places, other.places),
            _merged(self.days, other.days),
            _merged(self.kinds, other.kinds),
            _merged(self.groups, other.groups),
        )

    @property
    def all(self) -> Sums:
        """Of all records."""
        return sum(self.places.values(), Sums())


def totals_of(clearing: Clearing) -> Totals:
    """What a clearing adds up to."""
    found = Totals()
    for rows in rows_of(clearing):
        found += sums_of(rows)
    return found + Totals(groups={each.of: group_of(each) for each in members_of(clearing)})


def sums_of(rows: Rows) -> Totals:
    """What at most 2^20 rows add up to; InputError where no book of a period has so many days."""
    slots = rows.paying.astype(np.int64) + 1
    width = int(rows.route.max(initial=0)) + 1
    day, days = _coded(rows.day)
    if len(days) > _MOST_DAYS:
        raise InputError(
            f"records of {len(days):,} days", field="started_at", advice="A book is of a month or two."
        )
    place, places = _coded(rows.service * np.int64(width) + rows.route)
    patterns = np.bincount(rows.kinds)
    return Totals(
        {
            divmod(key, width): sums
            for key, sums in zip(places, _sums(rows, place, len(places), slots), strict=True)
        },
        dict(zip(days, _sums(rows, day, len(days), slots), strict=True)),
        {int(bits): int(patterns[bits]) for bits in np.flatnonzero(patterns)},
    )


def group_of(members: Members) -> Group:
    """What the rows of a cause or finding add up to."""
    money = members.money
    examples = [(int(money[at]), members.record(at)) for at in _most(money, members.rank)]
    return Group(len(money), exact(money), _claims(members), tuple(sorted(examples, key=_most_first)))


def _claims(members: Members) -> tuple[Claim, ...]:
    """What either side's amounts have beyond the undisputed one; of kinds that are about money."""
    _, kind, _ = members.of
    if kind in FREE:
        return Group().claims
    claims = claims_of(members.ours, members.theirs)
    claimed = [claims[side][np.sign(claims[side]) == sign] for side, sign in CLAIMS]
    return tuple((len(some), exact(some)) for some in claimed)


def rows_of(clearing: Clearing) -> Iterator[Rows]:
    """The pairs of a clearing, then what is left of either book, some at a time."""
    books, pairs, found = clearing.books, clearing.pairs, clearing.differences
    paying = found.paying
    for begin in range(0, len(pairs.ours), _AT_A_TIME):
        part = slice(begin, begin + _AT_A_TIME)
        a, b = pairs.ours[part], pairs.theirs[part]
        service = books[0].service[a]
        volume = np.minimum(books[0].billed_usage[a], books[1].billed_usage[b])
        yield Rows(
            side=None,
            service=service,
            route=books[0].route[a],
            day=books[0].started_at[a] // _DAY,
            ours=books[0].settled[a],
            theirs=books[1].settled[b],
            volume=np.where(service < NO_USAGE, volume, 0),
            kinds=found.kinds[part],
            paying=paying[part],
        )
    for side, left in enumerate((pairs.ours_left, pairs.theirs_left)):
        book = books[side]
        for begin in range(0, len(left), _AT_A_TIME):
            part = slice(begin, begin + _AT_A_TIME)
            at, kind = left[part], found.left[side][part]
            none = np.zeros(len(at), np.int64)
            yield Rows(
                side=side,
                service=book.service[at],
                route=book.route[at],
                day=book.started_at[at] // _DAY,
                ours=book.settled[at] if side == 0 else none,
                theirs=book.settled[at] if side == 1 else none,
                volume=none,
                kinds=np.uint16(1) << kind.astype(np.uint16),
                paying=kind.astype(np.int8),
            )


def members_of(clearing: Clearing) -> Iterator[Members]:
    """The rows of each cause and finding of a clearing."""
    books, pairs, found = clearing.books, clearing.pairs, clearing.differences
    explained, paying = clearing.explained, found.paying
    texts = clearing.codes.batches.texts
    order = np.empty(len(texts), np.int64)
    order[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
    groups: list[tuple[Found, Ints]] = [
        ((number, cause.kind, cause.side), cause.rows) for number, cause in enumerate(explained.causes, 1)
    ]
    groups += [((0, kind, side), rows) for (kind, side), rows in explained.findings.items()]
    for of, rows in groups:
        _, kind, side = of
        if side is None:
            pays = paying[rows] == kind
            sides = [(books[0], pairs.ours[rows]), (books[1], pairs.theirs[rows])]
            ours, theirs = (np.where(pays, book.settled[at], 0) for book, at in sides)
        else:
            settled, none = books[side].settled[rows], np.zeros(len(rows), np.int64)
            sides = [(books[side], rows)]
            ours, theirs = (settled, none) if side == 0 else (none, settled)
        rank = tuple(column for book, at in sides for column in (order[book.batch[at]], book.row[at]))
        names = _SIDES if side is None else _SIDES[side : side + 1]
        yield Members(of, ours, theirs, rank, partial(_example, names, sides, clearing.codes))


_SIDES = ("ours", "theirs")


def _example(
    names: tuple[str, ...], sides: Sequence[tuple[Book, Ints]], codes: Codes, at: int
) -> dict[str, Any]:
    return {
        name: _record(book, int(rows[at]), codes) for name, (book, rows) in zip(names, sides, strict=True)
    }


def _record(book: Book, row: int, codes: Codes) -> dict[str, Any]:
    return {
        "batch": printable(codes.batches.texts[book.batch[row]]),
        "row": int(book.row[row]),
        "service": wording.service(int(book.service[row])),
        "startedAt": int(book.started_at[row]),
        "number": printable(codes.number(int(book.number[row]))),
        "usage": str(book.usage[row]),
        "billedUsage": str(book.billed_usage[row]),
        "amount": str(book.amount[row]),
        "currency": codes.currencies.texts[book.currency[row]],
    }


def _sums(rows: Rows, codes: Ints, size: int, slots: Ints) -> list[Sums]:
    """The sums of each code below ``size``."""
    of_both = codes * (_KINDS + 1) + slots
    shape = size, _KINDS + 1
    count = np.bincount(codes, minlength=size).tolist()
    agreed = np.bincount(codes[slots == 0], minlength=size).tolist()
    ours, theirs = (_added(of_both, shape, column) for column in (rows.ours, rows.theirs))
    in_both = [[0] * shape[1]] * size
    if rows.side is None:
        in_both = _added(of_both, shape, undisputed(rows.ours, rows.theirs))
        volume = _added(codes, (size, 1), rows.volume)
    return [
        Sums(
            records=(count[at] * (rows.side != 1), count[at] * (rows.side != 0)),
            totals=(sum(ours[at]), sum(theirs[at])),
            pairs=count[at] if rows.side is None else 0,
            agreed=agreed[at],
            volume=volume[at][0] if rows.side is None else 0,
            undisputed=sum(in_both[at]),
            tolerated=(_tolerated(ours[at], in_both[at]), _tolerated(theirs[at], in_both[at])),
            at_stake=tuple(one - other for one, other in zip(ours[at], theirs[at], strict=True)),
        )
        for at in range(size)
    ]


def _tolerated(totals: Sequence[int], in_both: Sequence[int]) -> int:
    """What amounts that nothing is claimed of have beyond the undisputed one; both by kind, -1 first."""
    return sum(totals[1 + kind] - in_both[1 + kind] for kind in (-1, *FREE))


def _added(codes: Ints, shape: tuple[int, int], column: Ints) -> list[list[int]]:
    """A column's exact sums by code, in lists of ``shape``."""
    size = shape[0] * shape[1]
    high = np.bincount(codes, column >> _HALF, size)
    low = np.bincount(codes, column & ((1 << _HALF) - 1), size)
    flat = [(int(one) << _HALF) + int(other) for one, other in zip(high, low, strict=True)]
    return [flat[begin : begin + shape[1]] for begin in range(0, size, shape[1])]


def _coded(keys: Ints) -> tuple[Ints, list[int]]:
    """Keys as codes from 0, and the key of each code."""
    if not len(keys):
        return keys, []
    first, last = int(keys.min()), int(keys.max())
    if last - first >= _DENSE:
        distinct, codes = np.unique(keys, return_inverse=True)
        return codes, distinct.tolist()
    there = np.bincount(keys - first) > 0
    place = np.cumsum(there) - 1
    return place[keys - first], (np.flatnonzero(there) + first).tolist()


def _most(money: Ints, rank: tuple[Ints, ...]) -> list[int]:
    """The rows of most money; among equal money the first by rank decide."""
    money = np.abs(money)
    if len(money) <= EXAMPLES:
        return list(range(len(money)))
    least = np.partition(money, len(money) - EXAMPLES)[len(money) - EXAMPLES]
    above, equal = np.flatnonzero(money > least), np.flatnonzero(money == least)
    for column in rank:  # narrow down to those that may be first, column by column
        keep = EXAMPLES - len(above)
        if len(equal) <= keep:
            break
        values = column[equal]
        bound = np.partition(values, keep - 1)[keep - 1]
        above = np.concatenate([above, equal[values < bound]])
        equal = equal[values == bound]
    return [*above.tolist(), *equal[: EXAMPLES - len(above)].tolist()]


def _most_first(example: tuple[int, dict[str, Any]]) -> Any:
    money, records = example
    return -abs(money), *((record["batch"], record["row"]) for record in records.values())


Key = TypeVar("Key")
Value = TypeVar("Value", int, Sums, Group)


def _merged(one: Mapping[Key, Value], other: Mapping[Key, Value]) -> dict[Key, Value]:
    found = dict(one)
    for key, value in other.items():
        found[key] = found[key] + value if key in found else value
    return found


def _both(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]
