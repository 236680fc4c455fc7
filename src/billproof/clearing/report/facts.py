"""What the report tells, taken from clear documents: whole numbers, operators' names, long tails cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Any, TypeVar

from billproof.clearing.document.wording import span

#: What a kind is called here, in the order in which kinds are told.
KINDS = {
    "rate": "price",
    "currency": "currency",
    "missing": "missing records",
    "duplicate": "doubled records",
    "cycle-shift": "another month",
    "duration": "usage",
    "rounding": "billed usage",
    "unit": "unit of usage",
    "time-zone": "clock",
    "number": "another number",
    "agreed": "within the tolerance",
}

_T = TypeVar("_T")


@dataclass(frozen=True)
class Side:
    """One operator's book of the traffic."""

    operator: int
    name: str
    book: str
    records: int
    total: int
    unpaired: int
    batches: Sequence[Mapping[str, Any]]
    ledger: Mapping[str, str] | None  # its chainId and address


@dataclass(frozen=True)
class Slice:
    """A day, route or service: what both books say of it, ours first, and the difference by kind."""

    name: str
    records: tuple[int, int]
    totals: tuple[int, int]
    undisputed: int
    kinds: Mapping[str, int]

    @property
    def difference(self) -> int:
        """Ours less theirs."""
        return self.totals[0] - self.totals[1]

    def __add__(self, other: Slice) -> Slice:
        kinds = {**other.kinds, **self.kinds}
        return Slice(
            self.name,
            (self.records[0] + other.records[0], self.records[1] + other.records[1]),
            (self.totals[0] + other.totals[0], self.totals[1] + other.totals[1]),
            self.undisputed + other.undisputed,
            {kind: self.kinds.get(kind, 0) + other.kinds.get(kind, 0) for kind in kinds},
        )

    def called(self, name: str) -> Slice:
        """The same under another name."""
        return Slice(name, self.records, self.totals, self.undisputed, self.kinds)


@dataclass(frozen=True)
class Reason:
    """A cause, or single findings of a kind; numbers of these go on after those."""

    number: int
    kind: str
    words: str
    count: int
    money: int
    place: str  # where; empty: everywhere
    examples: Sequence[Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class Claim:
    """What one operator claims and is not settled: a debt, or below 0 a credit."""

    number: int
    kind: str
    words: str
    claimant: int
    count: int
    amount: int
    deadline: str | None = None


class Traffic:
    """One direction: a clear document. ``names`` are the operators', ours first.

    Its causes and findings are numbered from ``after`` on, so that those of two directions differ.
    """

    def __init__(self, document: Mapping[str, Any], after: int = 0) -> None:
        self.document = document
        self.currency: str = document["settlement"]
        self.agreement: Mapping[str, str] = document["agreement"]
        self.sides = _side(document["ours"]), _side(document["theirs"])
        self.names = self.sides[0].name, self.sides[1].name
        payer = int(document["payer"])
        paying, paid = self.sides if self.sides[0].operator == payer else self.sides[::-1]
        self.payer, self.payee = paying, paid
        self.period: str | None = document.get("period")
        self.difference = int(document["difference"])
        self.pairs = int(document["pairs"])
        self.agreed = int(document["agreed"])
        self.at_stake = _money_by_kind(document["atStake"])
        self.days = [_slice(each, each["day"]) for each in document["days"]]
        self.routes = [_slice(each, each["route"]) for each in document["routes"]]
        self.services = [_slice(each, spaced(each["service"])) for each in document["services"]]
        self.undisputed = sum(each.undisputed for each in self.services)
        self.causes = [_reason(each, after) for each in document["causes"]]
        self.findings = [_reason(each, after) for each in document["findings"]]
        self._after = after

    @property
    def title(self) -> str:
        """Whose traffic it is."""
        return f"{self.payer.name}'s traffic"

    def claims(self) -> list[Claim]:
        """What is open, money first."""
        found = [
            Claim(
                int(each["number"]) + self._after,
                each["kind"],
                each["words"],
                int(each["claimant"]),
                int(each["count"]),
                int(each["amount"]),
            )
            for each in self.document["disputes"]
        ]
        return sorted(found, key=lambda each: (-abs(each.amount), each.number, each.claimant, each.amount))


def traffic_of(documents: Sequence[Mapping[str, Any]]) -> list[Traffic]:
    """One or two documents, of one agreement and of one direction each; ValueError for others.

    They are in the order in which a settlement numbers their causes.
    """
    found: list[Traffic] = []
    for each in sorted(documents, key=lambda each: int(each["payer"])):
        found.append(Traffic(each, sum(len(one.causes) + len(one.findings) for one in found)))
    same = {(each.agreement["hash"], each.currency, each.period) for each in found}
    if not found or len(same) != 1 or len({each.payer.operator for each in found}) != len(found):
        raise ValueError("a report is of one clearing, or of one for each direction")
    return found


def cut(
    items: Iterable[_T], most: int, weight: Callable[[_T], int], tail: Callable[[Sequence[_T]], _T]
) -> list[_T]:
    """The ``most`` items of the greatest weight, in their order, and what ``tail`` makes of the others."""
    kept = list(items)
    if len(kept) <= most + 1:
        return kept
    order = sorted(range(len(kept)), key=lambda at: -abs(weight(kept[at])))
    first, rest = sorted(order[:most]), sorted(order[most:])
    return [*(kept[at] for at in first), tail([kept[at] for at in rest])]


def slices(found: Sequence[Slice], most: int, word: str) -> list[Slice]:
    """Those of the greatest differences, as they were ordered; all others are one."""
    return cut(
        found,
        most,
        lambda each: each.difference,
        lambda rest: total(rest).called(f"and {len(rest):,} more {word}"),
    )


def total(found: Sequence[Slice]) -> Slice:
    """The sum."""
    return reduce(Slice.__add__, found).called("Total")


def by_difference(found: Iterable[Slice]) -> list[Slice]:
    """The greatest difference first, then the most money."""
    return sorted(found, key=lambda each: (-abs(each.difference), -abs(each.totals[0]), each.name))


def day_words(day: str) -> str:
    """``1 Mar`` of 2026-03-01."""
    return f"{int(day[8:10])} {date.fromisoformat(day):%b}" if _is_day(day) else day


def date_words(day: str) -> str:
    """``31 May 2026`` of 2026-05-31."""
    return f"{int(day[8:10])} {date.fromisoformat(day):%B %Y}"


def month_words(period: int | str) -> str:
    """``March 2026`` of 202603."""
    text = str(period)
    return f"{date(int(text[:4]), int(text[4:6]), 1):%B %Y}"


def _is_day(text: str) -> bool:
    return len(text) == 10 and text[4] == text[7] == "-"


def _reason(one: Mapping[str, Any], after: int) -> Reason:
    everywhere = one.get("dimension") in (None, "all", "period's end")
    where = ("" if everywhere else one["value"]) + span(one.get("from"), one.get("until"))
    return Reason(
        int(one["number"]) + after,
        KINDS.get(one["kind"], one["kind"]),
        one["words"],
        int(one["count"]),
        int(one["money"]),
        where.removeprefix(", "),
        one["examples"],
    )


def _side(side: Mapping[str, Any]) -> Side:
    return Side(
        int(side["operator"]),
        side["name"],
        side["book"],
        int(side["records"]),
        int(side["total"]),
        int(side["unpaired"]),
        side["batches"],
        side.get("ledger"),
    )


def _slice(one: Mapping[str, Any], name: str) -> Slice:
    ours, theirs = one["ours"], one["theirs"]
    return Slice(
        name,
        (int(ours["records"]), int(theirs["records"])),
        (int(ours["total"]), int(theirs["total"])),
        int(one["undisputed"]),
        _money_by_kind(one["atStake"]),
    )


def _money_by_kind(found: Mapping[str, str]) -> dict[str, int]:
    """In the order of :data:`KINDS`, without what is nothing."""
    order = {kind: at for at, kind in enumerate(KINDS)}
    items = sorted(found.items(), key=lambda item: order.get(item[0], len(order)))
    return {kind: int(money) for kind, money in items if int(money)}


def spaced(service: str) -> str:
    """A service's word as people write it."""
    return service.replace("-", " ")
