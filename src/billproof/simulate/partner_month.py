"""A month's wholesale traffic of two operators, both directions, as each of them has booked it.

One true list of calls, messages and data sessions a direction is booked twice, by two operators with clocks,
currencies, regions and roundings of their own. Then things go wrong that happen between operators, each known
by record. Whatever clears the books shares neither code nor constants with this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from billproof.errors import InputError
from billproof.records import NANO
from billproof.simulate.draws import Draws
from billproof.simulate.month import Month, zone

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Region:
    """A part of an operator's network that bills by itself. ``rate``: euros for one, in ten thousandths."""

    number: int
    zone: str
    currency: str
    rate: int
    network: str


@dataclass(frozen=True)
class Partner:
    """One of the two. ``decimals``: billionths that its amounts are multiples of."""

    operator: int
    name: str
    currency: str
    decimals: int
    regions: tuple[Region, ...]


MERIDIAN = Partner(
    1,
    "Meridian",
    "EUR",
    10_000,
    (
        Region(1, "Europe/Dublin", "EUR", 10_000, "999-11"),
        Region(2, "Europe/Athens", "EUR", 10_000, "999-12"),
    ),
)
SKYLARK = Partner(
    2,
    "Skylark",
    "GBP",
    100_000,
    (
        Region(1, "Europe/London", "GBP", 11_834, "999-21"),
        Region(2, "America/New_York", "USD", 9_223, "999-22"),
        Region(3, "Asia/Kolkata", "INR", 104, "999-23"),
    ),
)
PARTNERS = MERIDIAN, SKYLARK

VOICE, MESSAGE, DATA = 1, 4, 6

#: Destinations: name, what numbers begin with, how many digits follow, price a minute in thousandths of a
#: euro. Numbers are of ranges that regulators keep for fiction.
ROUTES = (
    ("uk-mobile", "+447700900", 3, 90),
    ("london", "+442079460", 3, 20),
    ("fr-mobile", "+3363998", 4, 120),
    ("ie-fixed", "+35320919", 4, 60),
    ("au", "+6125550", 4, 240),
    ("us", "+120255501", 2, 30),
)
MESSAGE_PRICE, MEGABYTE_PRICE = 60, 2  # thousandths of a euro

#: What nobody argues about: seconds, bytes, billionths of a euro.
CLOSE_SECONDS, CLOSE_BYTES, CLOSE_MONEY = 2, 1_000, 5_000_000

#: What goes wrong: see ``docs/simulator.md``.
_SHIFTED, _SHIFT, _CLOSED = 2, 3_600, 12 * 3_600
_ROUNDED, _STEP = 2, 60
_DEAR, _DEARER = 5, 140
_DOUBLED_DAY, _LOST_DAY = 9, 17

#: Records that Meridian hands over, and of a hundred of them how many come back.
LEAST, MOST, _BACK = 2_000, 200_000, 70

_APART, _ALIKE = 130, 100_000  # seconds, bytes: nearer ones would be two records that nothing tells apart


@dataclass(frozen=True)
class Traffic:
    """n true records of one direction: ``payer`` hands them over, ``payee`` carries and bills them."""

    payer: Partner
    payee: Partner
    service: Int64s
    start: Int64s  # UTC seconds
    usage: Int64s
    route: Int64s  # place in ROUTES; -1 of data, which has no number
    last: Int64s  # what follows in the number
    region: tuple[Int64s, Int64s]  # place among the regions of either partner

    def __len__(self) -> int:
        return len(self.service)

    @property
    def numbers(self) -> pa.StringArray:
        """Numbers called; empty of data: (n,)."""
        found = np.full(len(self), "", "U16")
        for place, (_, prefix, digits, _) in enumerate(ROUTES):
            rows = self.route == place
            found[rows] = np.char.add(prefix, np.char.zfill(self.last[rows].astype("U6"), digits))
        return pa.array(found, pa.string())

    @property
    def networks(self) -> pa.StringArray:
        """Serving networks: the payee's: (n,)."""
        names = pa.array([region.network for region in self.payee.regions])
        return names.take(pa.array(self.region[self.payee.operator - 1]))

    @property
    def places(self) -> list[str]:
        """Route, or of data the zone: (n,)."""
        zones = [f"{self.payee.name.lower()}-{region.number}" for region in self.payee.regions]
        at = self.region[self.payee.operator - 1]
        return [
            ROUTES[route][0] if route >= 0 else zones[network]
            for route, network in zip(self.route.tolist(), at.tolist(), strict=True)
        ]


@dataclass(frozen=True)
class Label:
    """One thing that is wrong. ``place``: dimension and value where it is systematic, else empty.

    ``holder`` is the operator whose book alone has the records, None when both have.
    """

    kind: str
    place: tuple[str, str]
    holder: int | None
    ids: Int64s


@dataclass
class Book:
    """What one operator has written down of a direction: a row a record, some twice, some not at all.

    ``amount`` is in billionths of the region's currency, ``settled`` the same in euros; ``late`` records
    stand in the next month.
    """

    partner: Partner
    id: Int64s
    start: Int64s
    usage: Int64s
    billed: Int64s
    amount: Int64s
    settled: Int64s
    late: Bools

    def take(self, rows: Int64s) -> Book:
        """Some of the rows, in that order."""
        return Book(
            self.partner,
            self.id[rows],
            self.start[rows],
            self.usage[rows],
            self.billed[rows],
            self.amount[rows],
            self.settled[rows],
            self.late[rows],
        )


@dataclass(frozen=True)
class Direction:
    """One direction of the month: what happened, both books of it (Meridian's first), what is wrong."""

    traffic: Traffic
    books: tuple[Book, Book]
    labels: tuple[Label, ...]


@dataclass(frozen=True)
class PartnerMonth:
    """Period ``YYYYMM``, in UTC, as operators agree on one clock for their month."""

    period: int
    following: int
    directions: tuple[Direction, Direction]


def partner_month(records: int, period: int, seed: int) -> PartnerMonth:
    """About ``records`` true records that Meridian hands over, and fewer the other way.

    The same for the same arguments. Raises :class:`InputError` where a systematic error would have too few
    records to be seen as one, or numbers are too few to tell records apart.
    """
    if not LEAST <= records <= MOST:
        raise InputError(
            f"{records:,} records", field="--records", advice=f"Give {LEAST:,} to {MOST:,} a direction."
        )
    month = Month(period, zone("UTC"))
    both = [
        _traffic(Draws(seed, 78, payer.operator), count, month, payer, payee)
        for payer, payee, count in (
            (MERIDIAN, SKYLARK, records),
            (SKYLARK, MERIDIAN, records * _BACK // 100),
        )
    ]
    draws = Draws(seed, 79)
    return PartnerMonth(
        period, month.following, (_outward(draws, both[0], month), _inward(draws, both[1], month))
    )


def _traffic(draws: Draws, count: int, month: Month, payer: Partner, payee: Partner) -> Traffic:
    service = np.array([VOICE] * 5 + [MESSAGE] * 2 + [DATA] * 3, np.int64)[draws.below(10, count)]
    data = service == DATA
    start = month.start + 60 + month.slots[draws.u16(count)] * 3_600 + draws.below(3_480, count)
    usage = 1 + (draws.below(1 << 11, count) * draws.below(1 << 11, count) >> 12)
    usage[service == MESSAGE] = 1
    usage[data] = 20_000 + (draws.below(1 << 30, count) * draws.below(1 << 10, count) >> 12)[data]
    route = np.where(data, -1, draws.below(len(ROUTES), count))
    sizes = np.array([10**digits for _, _, digits, _ in ROUTES], np.int64)[route]
    # ever more records of ever fewer numbers, as call centres have
    last = (draws.below(1 << 15, count) * draws.below(1 << 15, count) >> 15) * sizes >> 15
    last[data] = 0
    regions = tuple(draws.below(len(partner.regions), count) for partner in PARTNERS)
    key = (route + 1) * 10**6 + last + np.where(data, regions[payee.operator - 1], 0)
    order = np.lexsort((start, key, service))
    kept = np.sort(order[_told_apart(service[order], key[order], start[order], usage[order])])
    kept = kept[np.argsort(start[kept], kind="stable")]
    return Traffic(
        payer,
        payee,
        service[kept],
        start[kept],
        usage[kept],
        route[kept],
        last[kept],
        (regions[0][kept], regions[1][kept]),
    )


def _told_apart(service: Int64s, key: Int64s, start: Int64s, usage: Int64s) -> Bools:
    """Which records, in order of service, key and start, are not mistaken for the one before: (n,)."""
    found = np.ones(len(key), bool)
    near = np.diff(start) < _APART
    alike = (np.abs(np.diff(usage)) < _ALIKE) | (np.diff(start) < _APART // 10)
    found[1:] = (np.diff(service) != 0) | (np.diff(key) != 0) | ~near | ~alike
    return found


def _outward(draws: Draws, traffic: Traffic, month: Month) -> Direction:
    """Meridian hands over, Skylark bills: a clock, a rounding rule, a month that was closed too early."""
    ours, theirs = _booked(draws, traffic)
    voice = traffic.service == VOICE
    rounded = voice & (traffic.route == _ROUNDED)
    theirs.billed[rounded] = -(-theirs.billed[rounded] // _STEP) * _STEP
    _price(theirs, traffic)
    shifted = traffic.region[1] == _SHIFTED - 1
    theirs.start[shifted] += _SHIFT
    theirs.late[:] = traffic.start >= month.end - _CLOSED
    both = ~theirs.late
    apart = np.abs(theirs.billed - ours.billed) > CLOSE_SECONDS
    labels = [
        Label("time-zone", ("their batch", f"{_SHIFTED}-1"), None, np.flatnonzero(shifted & both)),
        Label("rounding", ("route", ROUTES[_ROUNDED][0]), None, np.flatnonzero(rounded & apart & both)),
        Label("cycle-shift", ("period's end", ""), MERIDIAN.operator, np.flatnonzero(theirs.late)),
    ]
    return _direction(draws, traffic, (ours, theirs), labels, ~rounded & both)


def _inward(draws: Draws, traffic: Traffic, month: Month) -> Direction:
    """Skylark hands over, Meridian bills: an old price, a file that was loaded twice, a day that was lost."""
    ours, theirs = _booked(draws, traffic)
    dear = (traffic.service == VOICE) & (traffic.route == _DEAR)
    _price(ours, traffic, np.where(dear, _DEARER, 100))
    day = (traffic.start - month.start) // 86_400 + 1
    apart = np.abs(ours.settled - theirs.settled) > CLOSE_MONEY
    lost, doubled = day == _LOST_DAY, day == _DOUBLED_DAY
    dates = {number: f"{month.first_day:%Y-%m}-{number:02d}" for number in (_LOST_DAY, _DOUBLED_DAY)}
    labels = [
        Label("rate", ("route", ROUTES[_DEAR][0]), None, np.flatnonzero(dear & apart & ~lost)),
        Label("missing", ("day", dates[_LOST_DAY]), MERIDIAN.operator, np.flatnonzero(lost)),
        Label("duplicate", ("day", dates[_DOUBLED_DAY]), MERIDIAN.operator, np.flatnonzero(doubled)),
    ]
    return _direction(draws, traffic, (ours, theirs), labels, ~(dear | lost | doubled))


def _booked(draws: Draws, traffic: Traffic) -> tuple[Book, Book]:
    """Both books as they should be; Skylark's clocks are a second or two off."""
    every = np.arange(len(traffic))
    books = []
    for partner in PARTNERS:
        start = traffic.start.copy()
        if partner is SKYLARK:
            start += draws.below(5, len(traffic)) - 2
        zeros = np.zeros(len(traffic), np.int64)
        usage = traffic.usage
        books.append(Book(partner, every, start, usage.copy(), usage.copy(), zeros, zeros.copy(), zeros > 0))
        _price(books[-1], traffic)
    return books[0], books[1]


def _price(book: Book, traffic: Traffic, percent: Int64s | int = 100) -> None:
    """Sets amounts by billed usage; of a price list that is ``percent`` of what was agreed."""
    rows = book.id
    service, milli = traffic.service[rows], NANO // 1_000
    minute = np.array([price for *_, price in ROUTES], np.int64)[traffic.route[rows]] * milli
    voice = minute * book.billed // 60
    data = MEGABYTE_PRICE * milli * (book.billed // 1_000) // 1_000
    message = MESSAGE_PRICE * milli * book.billed
    euros = np.select([service == MESSAGE, service == DATA], [message, data], voice) * percent // 100
    rate = np.array([region.rate for region in book.partner.regions], np.int64)
    rate = rate[traffic.region[book.partner.operator - 1][rows]]
    grain = book.partner.decimals
    book.amount[:] = ((euros * 10_000 + rate // 2) // rate + grain // 2) // grain * grain
    book.settled[:] = (book.amount * rate + 5_000) // 10_000


def _direction(
    draws: Draws, traffic: Traffic, books: tuple[Book, Book], labels: list[Label], free: Bools
) -> Direction:
    """Adds what goes wrong here and there in ``free`` records, and takes out what a book does not have."""
    labels += _durations(draws, traffic, books[0], free)
    labels += _missing(draws, len(traffic), free)
    kept = []
    for book in books:
        absent = np.zeros(len(traffic), bool)
        twice = np.zeros(0, np.int64)
        for label in labels:
            if label.kind == "missing" and label.holder != book.partner.operator:
                absent[label.ids] = True
            if label.kind == "duplicate" and label.holder == book.partner.operator:
                twice = label.ids
        rows = np.concatenate([np.flatnonzero(~absent), twice])
        kept.append(book.take(rows[np.argsort(book.start[rows], kind="stable")]))
    return Direction(traffic, (kept[0], kept[1]), tuple(_without(labels)))


def _durations(draws: Draws, traffic: Traffic, book: Book, free: Bools) -> Iterator[Label]:
    """Calls that one book has some seconds longer."""
    count = len(traffic)
    rows = free & draws.chance(4, count) & (traffic.service == VOICE)
    book.usage[rows] += (5 + draws.below(300, count))[rows]
    book.billed[rows] = book.usage[rows]
    priced = book.take(np.flatnonzero(rows))
    _price(priced, traffic)
    book.amount[rows], book.settled[rows] = priced.amount, priced.settled
    free &= ~rows
    yield Label("duration", ("", ""), None, np.flatnonzero(rows))


def _missing(draws: Draws, count: int, free: Bools) -> Iterator[Label]:
    """Records that only one of the two has."""
    for partner in PARTNERS:
        rows = free & draws.chance(2, count)
        free &= ~rows
        yield Label("missing", ("", ""), partner.operator, np.flatnonzero(rows))


def _without(labels: list[Label]) -> Iterator[Label]:
    """Of clocks, only records that both books have can tell; labels of nothing say nothing."""
    alone = np.concatenate([label.ids for label in labels if label.holder and label.kind != "duplicate"])
    for label in labels:
        ids = label.ids if label.holder else np.setdiff1d(label.ids, alone)
        if len(ids):
            yield Label(label.kind, label.place, label.holder, ids)
