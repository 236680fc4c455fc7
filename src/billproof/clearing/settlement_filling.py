"""A clearing → what is undisputed, what its discounts make of it, and what stays open (section 7).

Pairs and single records are each in exactly one place: of every pair the lower amount is undisputed, the rest
and all records without a pair are claimed by the side whose book has more.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from billproof.clearing import wording
from billproof.clearing.agreement import Agreement
from billproof.clearing.books import NO_USAGE
from billproof.clearing.clearing import Clearing
from billproof.clearing.differences import FREE, Kind
from billproof.clearing.kernel import Ints
from billproof.clearing.models_year import Volume, evaluate, model_of
from billproof.clearing.settlement import Amount, BatchReference, Charge, Dispute, Settlement, settle
from billproof.records import Service


@dataclass(frozen=True)
class Traffic:
    """Undisputed records of one service and route; ``volume`` is the lower of the billed usages."""

    payer: int
    service: Service
    route: str
    records: int
    volume: int
    amount: int


def settle_clearings(
    clearings: Iterable[tuple[Clearing, int]],
    ours: int,
    month: str,
    issued: str,
    due: str,
    deadline: str,
    *,
    before: Iterable[Volume] = (),
    batches: Iterable[BatchReference] = (),
    ledger: tuple[int, str] | None = None,
    number: int = 1,
) -> Settlement:
    """The undisputed part of a month ("2026-03"): each clearing with who handed its traffic over.

    ``ours`` is who lays the books over each other, ``before`` the year's volumes that were settled before.
    All clearings are under one agreement.
    """
    clearings = list(clearings)
    agreement = clearings[0][0].agreement
    theirs = agreement.other(ours).operator
    traffic: list[Traffic] = []
    disputes: list[Dispute] = []
    for clearing, payer in clearings:
        traffic += traffic_of(clearing, payer)
        after = max((each.number for each in disputes), default=0)
        disputes += disputes_of(clearing, ours, theirs, deadline, after=after)
    return settle(
        agreement,
        int(month.replace("-", "")),
        issued,
        due,
        amounts=amounts_of(traffic),
        charges=charges_of(agreement, month, traffic, before) if agreement.models else (),
        disputes=disputes,
        batches=batches,
        ledger=ledger,
        number=number,
    )


def traffic_of(clearing: Clearing, payer: int) -> list[Traffic]:
    """What both books have, by service and route, where ``payer`` handed the traffic over."""
    (ours, theirs), pairs = clearing.books, clearing.pairs
    names = clearing.agreement.route_names
    groups = ours.service[pairs.ours].astype(np.int64) * len(names) + ours.route[pairs.ours]
    amounts = np.minimum(ours.settled[pairs.ours], theirs.settled[pairs.theirs])
    volumes = np.minimum(ours.billed_usage[pairs.ours], theirs.billed_usage[pairs.theirs])
    found = []
    for group in np.unique(groups).tolist():
        rows = groups == group
        service, route = Service(group // len(names)), names[group % len(names)]
        volume = int(volumes[rows].sum()) if service < NO_USAGE else 0
        found.append(Traffic(payer, service, route, int(rows.sum()), volume, int(amounts[rows].sum())))
    return found


def amounts_of(traffic: Iterable[Traffic]) -> list[Amount]:
    """The same by service alone."""
    sums: dict[tuple[int, Service], list[int]] = defaultdict(lambda: [0, 0, 0])
    for each in traffic:
        for place, value in enumerate((each.records, each.volume, each.amount)):
            sums[each.payer, each.service][place] += value
    return [Amount(payer, service, *values) for (payer, service), values in sums.items()]


def charges_of(
    agreement: Agreement, month: str, traffic: Iterable[Traffic], before: Iterable[Volume] = ()
) -> list[Charge]:
    """What the discount models make of a month ("2026-03"); ``before``: the year's volumes settled before."""
    volumes = list(before)
    booked: dict[tuple[str, int], int] = defaultdict(int)
    for each in traffic:
        if each.service >= NO_USAGE:
            continue
        volume = Volume(month, each.payer, each.service, each.route, each.volume)
        volumes.append(volume)
        model = model_of(agreement, volume)
        if model is not None:
            booked[model.name, each.payer] += each.amount
    lines = evaluate(agreement, volumes, month).of(month)
    return [Charge.of(line, booked[line.model.name, line.payer.operator]) for line in lines]


def disputes_of(
    clearing: Clearing, ours: int, theirs: int, deadline: str, *, after: int = 0
) -> list[Dispute]:
    """What is claimed, by cause, then by kind for what no cause explains; ``ours`` and ``theirs``: operators.

    A cause may be claimed by both sides, each for the records of which its book has more. Numbers are those
    of the clearing's causes, ``after`` higher.
    """
    pairs, found = clearing.pairs, clearing.differences
    money = np.where(found.paying >= 0, found.money, 0)  # within tolerance nothing is claimed
    money[np.isin(found.paying, FREE)] = 0
    parts: list[tuple[int | None, Ints, NDArray[np.int8]]] = [(None, money, found.paying)]
    for book, rows, sign in ((0, pairs.ours_left, 1), (1, pairs.theirs_left, -1)):
        settled = clearing.books[book].settled[rows] * sign
        parts.append((book, settled, found.left[book].astype(np.int8)))
    names = clearing.agreement.party(ours).name, clearing.agreement.party(theirs).name
    disputes: list[Dispute] = []
    number = len(clearing.explained.causes)
    for side, claimed, kinds in parts:
        causes = _causes(clearing, side, kinds)
        for place in np.unique(causes[causes > 0]).tolist():
            cause = clearing.explained.causes[place - 1]
            words = _named(wording.sentence(clearing, cause), names)
            disputes += _claims(
                after + place, cause.kind, words, claimed[causes == place], (ours, theirs), deadline
            )
        for code in np.unique(kinds[(causes == 0) & (claimed != 0)]).tolist():
            number += 1
            kind = Kind(code)
            words = _named(f"records that {wording.FINDINGS[kind, side]}", names)
            rows = (causes == 0) & (kinds == code)
            disputes += _claims(after + number, kind, words, claimed[rows], (ours, theirs), deadline)
    return disputes


def _causes(clearing: Clearing, side: int | None, kinds: NDArray[np.int8]) -> Ints:
    """The number of the cause that each pair, or record without a pair, has its money from; 0: of none."""
    pairs = clearing.pairs
    size = len(pairs.ours) if side is None else len(clearing.books[side])
    found = np.zeros(size, np.int64)
    for number, cause in enumerate(clearing.explained.causes, 1):
        if cause.side == side:
            free = cause.rows[found[cause.rows] == 0]
            found[free if side is not None else free[kinds[free] == cause.kind]] = number
    return found if side is None else found[(pairs.ours_left, pairs.theirs_left)[side]]


def _named(words: str, names: tuple[str, str]) -> str:
    """What one side says of "our book" and "theirs", as both can sign it: with the operators' names."""
    ours, theirs = names
    said = {"our": ours, "ours": ours, "we": ours, "their": theirs, "theirs": theirs, "they": theirs}

    def name(found: re.Match[str]) -> str:
        word = found[0]
        return said[word] if word in ("we", "they") else f"{said[word]}'s"

    return re.sub(r"\b(ours?|we|theirs?|they)\b", name, words)


def _claims(
    number: int, kind: Kind, words: str, money: Ints, operators: tuple[int, int], deadline: str
) -> list[Dispute]:
    """The claims of either side: positive money is ours."""
    claims = []
    for operator, claimed in zip(operators, (money, -money), strict=True):
        rows = claimed[claimed > 0]
        if len(rows):
            claims.append(
                Dispute(number, kind.word, words[:1000], operator, len(rows), int(rows.sum()), deadline)
            )
    return claims
