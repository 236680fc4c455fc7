"""A CGRateS plan's weights and times → calendars, destinations and rates of a tariff, as TOML.

Of the offers that are active at a minute, the greatest weight decides, then the latest start of the day.
Prefixes with the same offers are one destination; equal weeks are one calendar.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from billproof.printable import printable
from billproof.tariff.cgrates import ANY, Offer, Plan, Price, Span
from billproof.tariff.cgrates_files import refuse

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST = 64


@dataclass(frozen=True)
class Piece:
    """Some minutes of one weekday, and the offer that holds in them."""

    day: int
    begins: int
    ends: int
    offer: Offer


def week_of(offers: list[Offer], plan: Plan, tag: str) -> list[Piece]:
    """The whole week, cut where the deciding offer may change."""
    edges = sorted({0, 1440, *(edge for o in offers for edge in _edges(plan.timings[o.timing]))})
    pieces = []
    for day in range(7):
        for begins, ends in pairwise(edges):
            pieces.append(Piece(day, begins, ends, _deciding(offers, plan, day, begins, tag)))
    return pieces


def _edges(span: Span) -> tuple[int, int]:
    return span.begins, span.ends


def _deciding(offers: list[Offer], plan: Plan, day: int, minute: int, tag: str) -> Offer:
    active = [
        (offer.weight, span.begins, offer)
        for offer in offers
        if day in (span := plan.timings[offer.timing]).days and span.begins <= minute < span.ends
    ]
    when = f"on {DAYS[day]} at {_clock(minute)}"
    if not active:
        refuse(
            offers[0].row,
            f"{tag} has no rate {when}",
            "add a row of the plan for that time: a tariff that names a destination prices it all week",
        )
    weight, begins, best = max(active, key=lambda each: each[:2])
    for other_weight, other_begins, other in active:
        if (other_weight, other_begins) == (weight, begins) and other.price != best.price:
            lines = " and ".join(str(line) for line in sorted({best.row.line, other.row.line}))
            refuse(
                other.row,
                f"{tag} has two rates {when} of the same weight and start (line {lines})",
                "give the one that is to hold a greater Weight",
            )
    return best


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


@dataclass
class Names:
    """Names of at most 64 characters, none given twice."""

    taken: set[str] = field(default_factory=set)

    def give(self, wanted: str) -> str:
        name, number = wanted[:_LONGEST], 1
        while name in self.taken:
            number += 1
            name = f"{wanted[: _LONGEST - len(str(number)) - 1]} {number}"
        self.taken.add(name)
        return name


@dataclass
class _Calendar:
    name: str
    bands: list[str]
    spans: dict[int, list[str]]


def tariff_text(plan: Plan, *, service: str, word: str, head: dict[str, str], home: tuple[str, ...]) -> str:
    """The tariff as TOML. ``word`` is the unit of its amounts: ``s``, ``messages`` or ``B``.

    ``head`` has ``version``, ``currency`` and ``from``, which no plan says; ``home`` is its networks.
    """
    groups: dict[tuple[str, tuple[tuple[Price, str, Decimal], ...]], list[str]] = {}
    for prefix, offers in plan.offers.items():
        key = tuple(dict.fromkeys((offer.price, offer.timing, offer.weight) for offer in offers))
        groups.setdefault((plan.tags[prefix], key), []).append(prefix)

    modes = Counter((o.price.mode, o.price.decimals) for offers in plan.offers.values() for o in offers)
    usual = modes.most_common(1)[0][0]
    calendars: dict[tuple[tuple[int, int, int, int], ...], _Calendar] = {}
    destinations: list[str] = []
    rates: list[str] = []
    names, rate_names = Names({"home", "elsewhere"}), Names()
    for prefixes in groups.values():
        offers = plan.offers[prefixes[0]]
        tag = plan.tags[prefixes[0]]
        name = ""
        if prefixes != [""]:
            name = names.give(tag)
            destinations.append(f"{_quoted(name)} = {_list(prefixes)}")
        week = week_of(offers, plan, tag)
        in_force = list(dict.fromkeys(piece.offer.price for piece in week))
        calendar = _calendar(week, in_force, calendars) if len(in_force) > 1 else None
        for place, price in enumerate(in_force):
            parts = [name or ANY, price.rate, *([calendar.bands[place]] if calendar else [])]
            lines = [
                f"name = {_quoted(rate_names.give('/'.join(parts)))}",
                f"services = [{_quoted(service)}]",
            ]
            lines += [f"destinations = [{_quoted(name)}]"] if name else []
            if calendar:
                lines += [
                    f"calendar = {_quoted(calendar.name)}",
                    f"bands = [{_quoted(calendar.bands[place])}]",
                ]
            rates.append("\n".join(["[[rates]]", *lines, *_price_lines(price, word, usual)]) + "\n")

    top = [
        f"# From the CGRateS rating plan {printable(plan.name)}. docs/tariff.md, 11, says what differs.",
        *(f"# {note}." for note in plan.notes),
        'schema = "billproof/tariff/1"',
        f"name = {_quoted(plan.name[:_LONGEST])}",
        f"version = {_quoted(head['version'])}",
        f"currency = {_quoted(head['currency'])}",
        f"valid = {{ from = {_quoted(head['from'])} }}",
        *([f"home = {_list(list(home))}"] if home else []),
        f'rounding = {{ mode = "{usual[0]}", decimals = {usual[1]}, at = "call" }}\n',
    ]
    tables = [_calendar_text(calendar) for calendar in calendars.values()]
    if destinations:
        tables.append("\n".join(["[destinations]", *destinations]) + "\n")
    return "\n".join([*top, *tables, *rates])


def _calendar(
    week: list[Piece], prices: list[Price], known: dict[tuple[tuple[int, int, int, int], ...], _Calendar]
) -> _Calendar:
    """The calendar whose bands are the prices' times: band n is that of the nth price."""
    key = tuple((p.day, p.begins, p.ends, prices.index(p.offer.price)) for p in _joined(week))
    if key not in known:
        bands = Names({"holidays"})
        timings = [dict.fromkeys(p.offer.timing for p in week if p.offer.price == price) for price in prices]
        spans: dict[int, list[str]] = {}
        by_time: dict[tuple[int, int, int], list[int]] = {}
        for day, begins, ends, place in key:
            by_time.setdefault((place, begins, ends), []).append(day)
        for (place, begins, ends), days in by_time.items():
            spans.setdefault(place, []).append(
                f'{{ days = "{",".join(DAYS[day] for day in days)}", from = "{_clock(begins)}", '
                f'until = "{_clock(ends)}" }}'
            )
        known[key] = _Calendar(
            f"week {len(known) + 1}", [bands.give("+".join(tags)) for tags in timings], spans
        )
    return known[key]


def _joined(week: list[Piece]) -> Iterable[Piece]:
    """Pieces of one day that follow each other at one price are one."""
    joined: list[Piece] = []
    for piece in week:
        last = joined[-1] if joined else None
        if last and (last.day, last.ends, last.offer.price) == (piece.day, piece.begins, piece.offer.price):
            joined[-1] = Piece(last.day, last.begins, piece.ends, last.offer)
        else:
            joined.append(piece)
    return joined


def _calendar_text(calendar: _Calendar) -> str:
    lines = [f"[calendars.{_quoted(calendar.name)}]"]
    for place, band in enumerate(calendar.bands):
        lines += [f"{_quoted(band)} = [", *(f"  {span}," for span in calendar.spans[place]), "]"]
    return "\n".join(lines) + "\n"


def _price_lines(price: Price, word: str, usual: tuple[str, int]) -> list[str]:
    lines = [] if price.connection == "0" else [f'connection = "{price.connection}"']
    first, *more = price.slots
    if more:
        lines.append("intervals = [")
        for slot in price.slots:
            lines.append(
                f'  {{ from = "{slot.begins} {word}", price = "{slot.price}", unit = "{slot.unit} {word}", '
                f'increment = "{slot.increment} {word}" }},'
            )
        lines.append("]")
    else:
        lines += [f'price = "{first.price}"', f'unit = "{first.unit} {word}"']
        lines += [f'increment = "{first.increment} {word}"'] if first.increment != first.unit else []
    if price.maximum != "0":
        lines.append(f'maximum = "{price.maximum}"')
    if (price.mode, price.decimals) != usual:
        lines.append(f'rounding = {{ mode = "{price.mode}", decimals = {price.decimals}, at = "call" }}')
    return lines


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are all TOML's too."""
    return json.dumps(text, ensure_ascii=False)


def _list(texts: list[str]) -> str:
    return f"[{', '.join(_quoted(text) for text in texts)}]"
