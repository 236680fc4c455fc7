"""A clearing as JSON (``billproof/clear/1``): made of what it adds up to, its causes and who is who alone.

``docs/clearing.md``, section 1. The same books give the same document, in however many parts they are
cleared.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import numpy as np

from billproof.clearing.agreement.agreement import Agreement
from billproof.clearing.books.book import Codes
from billproof.clearing.books.sides import Sides
from billproof.clearing.causes.causes import Cause
from billproof.clearing.clearing import Clearing
from billproof.clearing.document import wording
from billproof.clearing.document.form import (
    AGREED,
    SIDES,
    BatchForm,
    BookForm,
    CauseForm,
    DayForm,
    DisputeForm,
    ExampleForm,
    File,
    FindingForm,
    LedgerForm,
    RouteForm,
    ServiceForm,
    SideForm,
    TrafficForm,
)
from billproof.clearing.document.totals import CLAIMS, Found, Group, Sums, Totals, totals_of
from billproof.clearing.document.turned import turned
from billproof.clearing.pairs.differences import Kind
from billproof.clearing.settlement.form import AgreementName
from billproof.errors import InputError
from billproof.printable import printable
from billproof.tariff.values import word_of

_LONGEST = 1000


@dataclass(frozen=True)
class CauseWords:
    """What is said of a cause beside what its records add up to."""

    kind: Kind
    side: int | None
    words: str
    services: Sequence[int]
    dimension: str
    value: str
    what: Mapping[str, Any]
    days: tuple[str | None, str | None] = (None, None)  # as :func:`wording.days`


def document(clearing: Clearing, sides: Sides) -> File:
    """What laying two books over each other has found, the payee's first: ``clearing`` has them so."""
    causes = told_causes(clearing.explained.causes, clearing.codes, clearing.agreement, sides)
    return document_of(totals_of(clearing), causes, clearing.agreement, sides)


def told_causes(
    causes: Iterable[Cause], codes: Codes, agreement: Agreement, sides: Sides
) -> list[CauseWords]:
    """Causes in words, in the order of their numbers."""
    return [
        CauseWords(
            cause.kind,
            cause.side,
            wording.sentence(cause, sides.names, codes, agreement),
            cause.services,
            *wording.place(cause, codes, agreement),
            cause.what,
            wording.days(cause),
        )
        for cause in causes
    ]


def document_of(totals: Totals, causes: Sequence[CauseWords], agreement: Agreement, sides: Sides) -> File:
    """The same of what the parts of a clearing add up to; ``causes`` are in the order of their numbers."""
    found = _of_payee(totals, causes, agreement, sides)
    return turned(found) if sides.ours else found


def _of_payee(totals: Totals, causes: Sequence[CauseWords], agreement: Agreement, sides: Sides) -> File:
    """The document where the payee's book is ours."""
    routes = agreement.route_names
    everything = totals.all
    findings = _findings(totals, len(causes), sides.names)
    by_route = _by(totals.places, lambda place: routes[place[1]])
    by_service = _by(totals.places, lambda place: _service(place[0]))
    of_causes = [totals.groups[number, cause.kind, cause.side] for number, cause in enumerate(causes, 1)]
    told: list[CauseForm | FindingForm] = [
        _cause(number, *both) for number, both in enumerate(zip(causes, of_causes, strict=True), 1)
    ]
    told += [form for _, form in findings]
    groups = [*of_causes, *(totals.groups[found] for found, _ in findings)]
    ours, theirs = (_side(sides, side, everything) for side in (0, 1))
    return File(
        schema="billproof/clear/1",
        agreement=AgreementName(agreement.name, "0x" + agreement.hash.hex()),
        settlement=agreement.settlement,
        period=None if sides.period is None else str(sides.period),
        payer=sides.both[1].party.operator,
        ours=ours,
        theirs=theirs,
        difference=str(everything.totals[0] - everything.totals[1]),
        pairs=everything.pairs,
        agreed=everything.agreed,
        at_stake=_at_stake(everything),
        counts={
            kind.word: sum(count for bits, count in totals.kinds.items() if bits & (1 << kind))
            for kind in Kind
        },
        traffic=_traffic(totals, routes),
        days=[DayForm(**_slice(sums), day=_day(day)) for day, sums in sorted(totals.days.items())],
        routes=[RouteForm(**_slice(sums), route=route) for route, sums in by_route],
        services=[
            ServiceForm(**_slice(sums), service=service, volume=str(sums.volume))
            for service, sums in by_service
        ],
        causes=[each for each in told if isinstance(each, CauseForm)],
        findings=[each for each in told if isinstance(each, FindingForm)],
        disputes=_disputes(told, groups, sides),
    )


def _side(sides: Sides, side: int, everything: Sums) -> SideForm:
    of = sides.both[side]
    batches = {(each.period, each.region, each.sequence): each.root for each in of.sources}
    ledger = next((LedgerForm(str(each.chain_id), each.ledger.lower()) for each in of.sources), None)
    return SideForm(
        operator=of.party.operator,
        name=of.party.name,
        book=printable(of.book, _LONGEST),
        records=everything.records[side],
        total=str(everything.totals[side]),
        unpaired=everything.records[side] - everything.pairs,
        tolerated=str(everything.tolerated[side]),
        batches=[
            BatchForm(str(period), str(region), str(sequence), "0x" + root.hex())
            for (period, region, sequence), root in sorted(batches.items())
        ],
        ledger=ledger,
    )


def _traffic(totals: Totals, routes: Sequence[str]) -> list[TrafficForm]:
    """Undisputed traffic, money first."""
    found = [
        TrafficForm(_service(service), routes[route], sums.pairs, str(sums.volume), str(sums.undisputed))
        for (service, route), sums in totals.places.items()
        if sums.pairs
    ]
    return sorted(found, key=lambda each: (-int(each.amount), each.service, each.route))


Place = TypeVar("Place", bound=Hashable)


def _by(places: Mapping[Place, Sums], name: Callable[[Place], Any]) -> list[tuple[Any, Sums]]:
    """The sums by name, money first."""
    found: dict[str, Sums] = {}
    for place, sums in places.items():
        found[name(place)] = found.get(name(place), Sums()) + sums
    return sorted(found.items(), key=lambda item: (-max(item[1].totals), item[0]))


def _slice(sums: Sums) -> dict[str, Any]:
    ours, theirs = (
        BookForm(records, str(total)) for records, total in zip(sums.records, sums.totals, strict=True)
    )
    return {
        "ours": ours,
        "theirs": theirs,
        "pairs": sums.pairs,
        "agreed": sums.agreed,
        "undisputed": str(sums.undisputed),
        "at_stake": _at_stake(sums),
    }


def _at_stake(sums: Sums) -> dict[str, str]:
    agreed, *kinds = map(str, sums.at_stake)
    return {AGREED: agreed, **{kind.word: money for kind, money in zip(Kind, kinds, strict=True)}}


def _cause(number: int, cause: CauseWords, group: Group) -> CauseForm:
    return CauseForm(
        number=number,
        kind=cause.kind.word,
        words=printable(cause.words, _LONGEST),
        side=_SIDES[cause.side],
        services=[_service(service) for service in cause.services],
        dimension=cause.dimension,
        value=printable(cause.value, _LONGEST),
        what={name: list(value) if isinstance(value, tuple) else value for name, value in cause.what.items()},
        count=group.count,
        money=str(group.money),
        examples=_examples(group),
        from_=cause.days[0],
        until=cause.days[1],
    )


def _findings(totals: Totals, causes: int, names: tuple[str, str]) -> list[tuple[Found, FindingForm]]:
    """What no cause explains, money first; numbers follow on those of causes."""
    groups = [(found, group) for found, group in totals.groups.items() if found[0] == 0]
    groups.sort(key=lambda item: (-abs(item[1].money), -item[1].count, item[0][1], item[0][2] or 0))
    return [
        (
            found,
            FindingForm(
                number=number,
                kind=found[1].word,
                words=printable(wording.finding(found[1], found[2], names), _LONGEST),
                side=_SIDES[found[2]],
                count=group.count,
                money=str(group.money),
                examples=_examples(group),
            ),
        )
        for number, (found, group) in enumerate(groups, causes + 1)
    ]


_SIDES: Mapping[int | None, Any] = {None: "both", 0: SIDES[0], 1: SIDES[1]}


def _examples(group: Group) -> list[ExampleForm]:
    """The records with the most money. Raises for what the document cannot say of one."""
    found = []
    for _, records in group.examples:
        try:
            found.append(msgspec.convert(records, ExampleForm))
        except msgspec.ValidationError as error:
            record = next(iter(records.values()))
            raise InputError(f"row {record['row']} cannot be told: {error}", file=record["batch"]) from error
    return found


def _disputes(
    told: Iterable[CauseForm | FindingForm], groups: Iterable[Group], sides: Sides
) -> list[DisputeForm]:
    """What either side claims, money first."""
    operators = [side.party.operator for side in sides.both]
    found = [
        DisputeForm(each.number, each.kind, each.words, operators[side], count, str(amount))
        for each, group in zip(told, groups, strict=True)
        for (side, _), (count, amount) in zip(CLAIMS, group.claims, strict=True)
        if count
    ]
    return sorted(found, key=lambda each: (-abs(int(each.amount)), each.number, each.claimant, each.amount))


def _service(code: int) -> Any:
    try:
        return word_of(code)
    except ValueError:
        raise InputError(
            f"there is no service {code}", field="service", advice="See docs/protocol.md."
        ) from None


def _day(day: int) -> str:
    return str(np.datetime64(day, "D"))
