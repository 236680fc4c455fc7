"""Usage of a block of subscribers: calls, messages, data sessions, content, rated.

Everything is drawn for the whole block at once. Records come sorted by subscriber and start time, and
a subscriber's calls never overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from billproof.records import Service
from billproof.simulate import distributions
from billproof.simulate.draws import Draws
from billproof.simulate.month import QUIET_END, Month
from billproof.simulate.numbering import ROAMING_PARTNERS, NumberPool, Span
from billproof.simulate.tariffs import PLAN_WEIGHTS, Kind, rate_table

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Parts in a thousand of each service: what a subscriber does when every service can be carried.
FULL_MIX = {
    Service.VOICE_ORIGINATED: 420,
    Service.VOICE_FORWARDED: 25,
    Service.MESSAGE_SENT: 220,
    Service.MESSAGE_RECEIVED: 6,
    Service.DATA: 309,
    Service.MMS: 12,
    Service.CONTENT: 8,
}

#: Sending a message to a landline or a short code is rare: those go to the closest contact instead.
_TEXTED = (Kind.ON_NET, Kind.OFF_NET, Kind.NEAR, Kind.FAR)

#: Bits for the second within the month in a sort key: a month has fewer than 2**22 seconds.
_SECOND_BITS = 22

_TRAVELLERS_PER_MILLE = 40
_ROAMING_DATA_CAP = 40_000_000


@dataclass(frozen=True)
class Lines:
    """Columns of shape (n,), one row a line of some bill.

    ``subscriber`` counts within the operator; ``number``, ``network`` and ``rate`` are positions in the
    number pool, in ``network_names`` and in the names of rates. Times are UTC seconds, ``offset`` minutes;
    ``usage`` and ``billed`` seconds, messages or bytes; ``amount`` billionths.
    """

    subscriber: Int64s
    service: Int64s
    started_at: Int64s
    offset: Int64s
    usage: Int64s
    billed: Int64s
    number: Int64s
    network: Int64s
    amount: Int64s
    rate: Int64s

    def __len__(self) -> int:
        return len(self.subscriber)

    def columns(self) -> Iterator[tuple[str, Int64s]]:
        for field in fields(self):
            yield field.name, getattr(self, field.name)

    def take(self, rows: Int64s | Bools) -> Lines:
        """The rows at these positions, or where the mask holds."""
        return Lines(**{name: column[rows] for name, column in self.columns()})

    def replaced(self, **columns: Int64s) -> Lines:
        """The lines with other columns in place of these."""
        return Lines(**{name: columns.get(name, column) for name, column in self.columns()})

    def joined(self, other: Lines) -> Lines:
        """Both, sorted by subscriber and start time; equal times keep their order."""
        both = {name: np.concatenate((column, getattr(other, name))) for name, column in self.columns()}
        order = np.lexsort((both["started_at"], both["subscriber"]))
        return Lines(**{name: column[order] for name, column in both.items()})


@dataclass(frozen=True)
class Block:
    """Subscribers ``first`` to ``first + size - 1`` of one operator, with their price plans."""

    operator: int
    first: int
    size: int
    plan: Int64s

    @classmethod
    def draw(cls, draws: Draws, operator: int, first: int, size: int) -> Block:
        return cls(operator, first, size, distributions.inverse(PLAN_WEIGHTS)[draws.u16(size)])


@dataclass(frozen=True)
class Habits:
    """What the home network of each subscriber of a block may carry: mixes of services, roaming."""

    mixes: tuple[dict[Service, int], ...]
    home: Int64s
    roaming: bool


def usage_lines(
    draws: Draws, block: Block, month: Month, pool: NumberPool, habits: Habits, mean: float
) -> Lines:
    """About ``mean`` records for each subscriber of the block."""
    activity = distributions.activity()[draws.u16(block.size)]
    counts = (activity * round(mean * 1000) + draws.below(100_000, block.size)) // 100_000
    local, second = _times(draws, counts, month)
    n = len(local)
    slot = second // 3600
    service = _services(draws, habits, local)
    network = _networks(draws, block, local, second, month, habits.roaming)
    away = network > 1

    voice = service == Service.VOICE_ORIGINATED
    service[voice & away & draws.chance(450, n)] = Service.VOICE_TERMINATED
    number, kind = _counterparts(draws, block, pool, local, service)
    kind[away & (service == Service.VOICE_ORIGINATED)] = Kind.ROAMING_OUT
    kind[away & (service == Service.DATA)] = Kind.ROAMING_DATA
    usage = _usage(draws, local, second, service, away)

    rates = rate_table()
    rate = rates.rate(block.plan[local], kind, month.is_peak(second))
    billed, amount = rates.charge(rate, usage)
    return Lines(
        subscriber=local + block.first,
        service=service,
        started_at=second + month.start,
        offset=month.offsets[slot],
        usage=usage,
        billed=billed,
        number=number,
        network=network,
        amount=amount,
        rate=rate,
    )


def _times(draws: Draws, counts: Int64s, month: Month) -> tuple[Int64s, Int64s]:
    """Subscriber within the block and second within the month, sorted by both."""
    local = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    second = month.slots[draws.u16(len(local))] * 3600 + draws.below(3600, len(local))
    late = second >= month.end - month.start - QUIET_END
    second[late] -= 1800
    key = (local << _SECOND_BITS) | second
    key.sort()
    return key >> _SECOND_BITS, key & ((1 << _SECOND_BITS) - 1)


def _services(draws: Draws, habits: Habits, local: Int64s) -> Int64s:
    u = draws.u16(len(local)).astype(np.int64)
    tables = []
    for mix in habits.mixes:
        codes = np.array([int(service) for service in mix], dtype=np.int64)
        tables.append(codes[distributions.inverse(list(mix.values()))])
    if len(tables) == 1:
        return tables[0][u]
    return np.asarray(np.concatenate(tables)[habits.home[local] * distributions.TABLE + u], dtype=np.int64)


def _networks(
    draws: Draws, block: Block, local: Int64s, second: Int64s, month: Month, roaming: bool
) -> Int64s:
    """Serving network: 1 is home; a few subscribers spend two to nine days with a partner."""
    traveller = draws.chance(_TRAVELLERS_PER_MILLE if roaming else 0, block.size)
    leaves = draws.below(month.days - 2, block.size) * 86400
    leaves[~traveller] = 1 << 40
    returns = leaves + (2 + draws.below(8, block.size)) * 86400
    partner = 2 + draws.below(len(ROAMING_PARTNERS), block.size)
    away = (second >= leaves[local]) & (second < returns[local])
    return np.where(away, partner[local], 1)


def _counterparts(
    draws: Draws, block: Block, pool: NumberPool, local: Int64s, service: Int64s
) -> tuple[Int64s, Int64s]:
    """Number (position in the pool) and kind of traffic for each record."""
    book, kinds = _contacts(draws, block, pool)
    rank = distributions.zipf()[draws.u16(len(local))]
    texted = (service == Service.MESSAGE_SENT) | (service == Service.MMS)
    sort = kinds[local, rank]
    rank[texted & ~np.isin(sort, _TEXTED)] = 0
    number, kind = book[local, rank], kinds[local, rank]

    abroad = kind >= Kind.NEAR
    text = service == Service.MESSAGE_SENT
    kind[text] = np.where(abroad[text], Kind.TEXT_ABROAD, Kind.TEXT)
    kind[service == Service.MMS] = Kind.PICTURE
    premium = service == Service.MESSAGE_RECEIVED
    content = service == Service.CONTENT
    kind[premium], kind[content] = Kind.TEXT_PREMIUM, Kind.CONTENT
    paid = premium | content
    number[paid] = pool.short.first + 2 + draws.below(pool.short.count - 2, int(paid.sum()))
    forwarded = service == Service.VOICE_FORWARDED
    kind[forwarded], number[forwarded] = Kind.FORWARDED, pool.short.first
    data = service == Service.DATA
    kind[data], number[data] = Kind.DATA, 0
    received = service == Service.VOICE_TERMINATED
    kind[received] = Kind.ROAMING_IN
    withheld = received & (draws.chance(100, len(local)) | (kinds[local, rank] == Kind.SHORT))
    number[withheld] = 0
    return number, kind


def _contacts(draws: Draws, block: Block, pool: NumberPool) -> tuple[Int64s, Int64s]:
    """Phone book: positions in the pool and kinds, both of shape (subscribers, CONTACTS)."""
    count = block.size * distributions.CONTACTS
    kind = distributions.contact_kind()[draws.u16(count)]
    # The two closest contacts are mobile phones.
    kind.reshape(block.size, -1)[:, :2] = draws.below(2, block.size * 2).reshape(-1, 2)
    own = np.repeat(np.arange(block.first, block.first + block.size), distributions.CONTACTS)
    if pool.subscribers == 1:
        kind[kind == Kind.ON_NET] = Kind.OFF_NET
    elsewhere = pool.operators > 1
    other = _other_operators(draws, block.operator, pool.operators, count)
    mate = _acquaintances(draws, own, pool.subscribers)
    number = np.select(
        [kind == Kind.ON_NET, kind == Kind.OFF_NET],
        [
            pool.subscriber(block.operator, mate),
            1 + other * pool.subscribers + mate if elsewhere else _any(draws, pool.landlines, count),
        ],
    )
    spans = {Kind.LANDLINE: pool.landlines, Kind.NEAR: pool.near, Kind.FAR: pool.far, Kind.SHORT: pool.short}
    for name, span in spans.items():
        chosen = kind == name
        number[chosen] = _any(draws, span, int(chosen.sum()))
    shape = (block.size, distributions.CONTACTS)
    return number.reshape(shape), kind.reshape(shape)


def _acquaintances(draws: Draws, own: Int64s, subscribers: int) -> Int64s:
    """Another subscriber each: half from the same circle of 32, half by popularity; never oneself."""
    if subscribers == 1:
        return np.zeros_like(own)
    circle = (own & ~31) + draws.below(32, len(own))
    u = draws.u16(len(own)).astype(np.int64)
    popular = (u * u * subscribers) >> 32
    mate = np.where(draws.chance(500, len(own)), circle, popular) % subscribers
    return np.where(mate == own, (mate + 1) % subscribers, mate)


def _other_operators(draws: Draws, operator: int, operators: int, count: int) -> Int64s:
    if operators == 1:
        return np.zeros(count, dtype=np.int64)
    return (operator + 1 + draws.below(operators - 1, count)) % operators


def _any(draws: Draws, span: Span, count: int) -> Int64s:
    return span.first + draws.below(span.count, count)


def _usage(draws: Draws, local: Int64s, second: Int64s, service: Int64s, away: Bools) -> Int64s:
    """Seconds, messages or bytes, at least one."""
    n = len(local)
    usage = np.ones(n, dtype=np.int64)
    u = draws.u16(n)
    voice = np.flatnonzero(service <= Service.VOICE_FORWARDED)
    # A call ends a minute before the subscriber's next one starts: that one has to ring first.
    gap = np.where(np.diff(local[voice]) == 0, np.diff(second[voice]), 1 << 40)
    talk = distributions.talk_seconds()[u[voice]]
    talk[:-1] = np.clip(talk[:-1], 1, np.maximum(gap - 61, 1))
    usage[voice] = talk
    text = service == Service.MESSAGE_SENT
    usage[text] = distributions.segments()[u[text]]
    data = np.flatnonzero(service == Service.DATA)
    volume = distributions.session_bytes()[u[data]]
    # The table has steps; spread each over a sixteenth so that sizes do not repeat.
    volume += (volume // 16) * draws.below(1 << 16, len(data)) >> 16
    usage[data] = np.where(away[data], volume % _ROAMING_DATA_CAP + 1, volume)
    return usage
