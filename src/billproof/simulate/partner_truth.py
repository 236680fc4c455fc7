"""What a clearing of a simulated month of two partners has to find, computed of what really happened.

Causes with count and money, what both books have, what the agreement's discounts make of it, and the net
amount: in plain sums over the true records, which share no code with whatever clears the books.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from billproof.records import NANO, Service
from billproof.simulate.partner_month import (
    DATA,
    MEGABYTE_PRICE,
    MERIDIAN,
    ROUTES,
    SKYLARK,
    VOICE,
    Direction,
    Int64s,
    Label,
    PartnerMonth,
)

SCHEMA = "billproof/partner-truth/1"

#: The route that has a cheaper tier, and its price beyond, in thousandths of a euro a minute.
TIERED, CHEAPER = ROUTES[0][0], 70


@dataclass(frozen=True)
class Undisputed:
    """What both books have of a service and place: of every record the lower usage and the lower amount."""

    service: int
    place: str
    records: int
    volume: int
    amount: int


@dataclass(frozen=True)
class Terms:
    """What the agreement's discounts depend on: minutes from which calls are cheaper; euros of the year."""

    tier: int
    commitment: int


@dataclass(frozen=True)
class Charge:
    """A discount: what is due of the month by it, and what its records add up to; billionths of a euro."""

    model: str
    payer: int
    share: int
    booked: int


def terms(month: PartnerMonth) -> Terms:
    """Terms that matter to this month: a tier that it reaches, and a commitment that it falls short of."""
    minutes = _volume(month.directions[0], VOICE, TIERED) // 60
    data = _data_charge(_volume(month.directions[1], DATA))
    return Terms(minutes * 3 // 50 * 10, int(data * 15) // 10 * 10)


def undisputed(direction: Direction) -> list[Undisputed]:
    """By service and place, of the records that stand in both books of the month."""
    traffic, (ours, theirs) = direction.traffic, direction.books
    amounts = [_by_id(book.id, book.settled, len(traffic)) for book in (ours, theirs)]
    volumes = [_by_id(book.id, book.billed, len(traffic)) for book in (ours, theirs)]
    both = _in_book(direction, 0) & _in_book(direction, 1)
    places = np.array(traffic.places)
    found = []
    for service, place in sorted({*zip(traffic.service[both].tolist(), places[both].tolist(), strict=True)}):
        rows = both & (traffic.service == service) & (places == place)
        volume, amount = (int(np.minimum(*sides)[rows].sum()) for sides in (volumes, amounts))
        found.append(Undisputed(service, place, int(rows.sum()), volume, amount))
    return found


def charges(month: PartnerMonth) -> list[Charge]:
    """What the two discounts make of the month, the first of the agreement's year."""
    agreed = terms(month)
    outward, inward = (undisputed(direction) for direction in month.directions)
    calls = [each for each in outward if (each.service, each.place) == (VOICE, TIERED)]
    sessions = [each for each in inward if each.service == DATA]
    minutes = Fraction(sum(each.volume for each in calls), 60)
    cheap = max(minutes - agreed.tier, Fraction(0))
    called = (minutes - cheap) * Fraction(ROUTES[0][3], 1000) + cheap * Fraction(CHEAPER, 1000)
    used = max(_data_charge(sum(each.volume for each in sessions)), Fraction(agreed.commitment, 12))
    return [
        Charge("calls", MERIDIAN.operator, _cents(called), sum(each.amount for each in calls)),
        Charge("data", SKYLARK.operator, _cents(used), sum(each.amount for each in sessions)),
    ]


def net(month: PartnerMonth) -> int:
    """What Meridian pays Skylark in the end, billionths of a euro in whole cents; negative: is paid."""
    due = 0
    for direction, sign in zip(month.directions, (1, -1), strict=True):
        due += sign * sum(each.amount for each in undisputed(direction))
    for charge in charges(month):
        due += (charge.share - charge.booked) * (1 if charge.payer == MERIDIAN.operator else -1)
    return _cents(Fraction(abs(due), NANO)) * (1 if due >= 0 else -1)


def money(direction: Direction, label: Label) -> Int64s:
    """Of each of a label's records what Meridian's book has more than Skylark's, billionths of a euro.

    A record's money belongs to the first label that is about money; to a clock where there is no other.
    """
    sides = [_by_id(book.id, book.settled, len(direction.traffic))[label.ids] for book in direction.books]
    if label.holder is not None:
        return sides[0] if label.holder == MERIDIAN.operator else -sides[1]
    if label.kind != "time-zone":
        return sides[0] - sides[1]
    others = np.concatenate([other.ids for other in direction.labels if other is not label])
    return np.where(np.isin(label.ids, others), 0, sides[0] - sides[1])


def document(month: PartnerMonth, seed: int) -> dict[str, Any]:
    """All of it: ``expected.json``. Money is in billionths of a euro, as text."""
    left = net(month)
    payer, payee = (MERIDIAN, SKYLARK) if left >= 0 else (SKYLARK, MERIDIAN)
    return {
        "schema": SCHEMA,
        "period": month.period,
        "seed": seed,
        "settlement": "EUR",
        "net": {"payer": payer.operator, "payee": payee.operator, "amount": str(abs(left))},
        "charges": [
            {
                "model": each.model,
                "payer": each.payer,
                "share": str(each.share),
                "booked": str(each.booked),
                "adjustment": str(each.share - each.booked),
            }
            for each in charges(month)
        ],
        "directions": [_direction(direction) for direction in month.directions],
    }


def _direction(direction: Direction) -> dict[str, Any]:
    return {
        "from": direction.traffic.payer.operator,
        "to": direction.traffic.payee.operator,
        "records": len(direction.traffic),
        "causes": [
            {"kind": label.kind, "dimension": label.place[0], "value": label.place[1], **counted}
            for label, counted in _told(direction)
            if label.place[0]
        ],
        "findings": [
            {"kind": label.kind, "holder": label.holder, **counted}
            for label, counted in _told(direction)
            if not label.place[0]
        ],
        "undisputed": [
            {
                "service": Service(each.service).name.lower().replace("_", "-"),
                "route": each.place,
                "records": each.records,
                "volume": each.volume,
                "amount": str(each.amount),
            }
            for each in undisputed(direction)
        ],
    }


def _told(direction: Direction) -> Iterator[tuple[Label, dict[str, Any]]]:
    for label in direction.labels:
        yield label, {"count": len(label.ids), "money": str(int(money(direction, label).sum()))}


def _volume(direction: Direction, service: int, place: str | None = None) -> int:
    return sum(
        each.volume
        for each in undisputed(direction)
        if each.service == service and place in (None, each.place)
    )


def _data_charge(volume: int) -> Fraction:
    return Fraction(volume * MEGABYTE_PRICE, 10**9)


def _cents(euros: Fraction) -> int:
    """Billionths of so many euros, rounded to whole cents, halves up."""
    return int(euros * 100 + Fraction(1, 2)) * (NANO // 100)


def _in_book(direction: Direction, side: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which true records a book has in this month: (n,)."""
    book = direction.books[side]
    found = np.zeros(len(direction.traffic), bool)
    found[book.id[~book.late]] = True
    return found


def _by_id(ids: Int64s, values: Int64s, count: int) -> Int64s:
    found = np.zeros(count, np.int64)
    found[ids] = values
    return found
