"""A settlement that the other side made, beside what one's own documents come to: what differs, in words.

``docs/clearing.md``, section 7. The same settlement has the same bytes, so that what differs is never nothing
where the hashes differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from billproof.clearing.agreement.agreement import Agreement, month_of
from billproof.clearing.discounts.year import Volume
from billproof.clearing.document.form import File
from billproof.clearing.settlement.filling import settle_documents
from billproof.clearing.settlement.resolving import key_of, named
from billproof.clearing.settlement.settlement import Charge, Settlement
from billproof.errors import DifferenceError
from billproof.printable import printable
from billproof.records import money
from billproof.tariff import values

_NOTHING = "nothing"
_LONGEST = 300


@dataclass(frozen=True)
class Difference:
    """What a settlement says of something, and what one's own documents come to; both may be "nothing"."""

    what: str
    given: str
    own: str


def own_settlement(
    given: Settlement, documents: Sequence[File], agreement: Agreement, before: Iterable[Volume] = ()
) -> Settlement:
    """What one's own documents come to, with the round and the dates of the settlement that is checked.

    Raises :class:`InputError` as :func:`settle_documents` does.
    """
    deadlines = {key_of(each): each.deadline for each in given.disputes}
    own = settle_documents(
        documents, agreement, given.issued, given.due, given.due, before=before, number=given.round
    )
    disputes = tuple(replace(each, deadline=deadlines.get(key_of(each), given.due)) for each in own.disputes)
    return replace(own, disputes=disputes)


def differences(given: Settlement, own: Settlement) -> list[Difference]:
    """Where a settlement is not what one's own documents come to, the net amount first; none: the same."""
    named = _Names(own)
    found = [
        *_of("net amount", _net(given), _net(own)),
        *_of("kind", given.kind, own.kind),
        *_of("month", month_of(given.period), month_of(own.period)),
        *_of("agreement", given.agreement, own.agreement),
        *_of("agreement's hash", "0x" + given.agreement_hash.hex(), "0x" + own.agreement_hash.hex()),
        *_of("currency", given.currency, own.currency),
        *_of("operators", _parties(given), _parties(own)),
        *_of("rounding", _rounding(given), _rounding(own)),
        *_of("ledger", _ledger(given), _ledger(own)),
        *_each(_rates(given), _rates(own)),
        *_each(_amounts(given, named), _amounts(own, named)),
        *_each(_charges(given, named), _charges(own, named)),
        *_of("months of the year to date", _year(given), _year(own)),
        *_of("document that is continued", _continued(given), _continued(own)),
        *_each(_resolved(given, named), _resolved(own, named)),
        *_each(_disputes(given, named), _disputes(own, named)),
        *_each(_batches(given), _batches(own)),
    ]
    if not found and given != own:
        found.append(Difference("order", "another", "as settlements have it"))
    return found


def require_same(given: Settlement, own: Settlement) -> None:
    """Raises DifferenceError where a settlement is not what one's own documents come to."""
    found = differences(given, own)
    if found:
        first = found[0]
        more = f", and {len(found) - 1:,} more differences" if len(found) > 1 else ""
        raise DifferenceError(
            f"{first.what}: the settlement says {first.given}, the documents come to {first.own}{more}",
            advice="do not sign; see all of it: billproof settle … --check",
        )


def _of(what: str, given: str, own: str) -> Iterator[Difference]:
    if given != own:
        yield Difference(*(printable(text, _LONGEST) for text in (what, given, own)))


def _each(given: Mapping[Any, str], own: Mapping[Any, str]) -> Iterator[Difference]:
    """What differs of facts by name; those of the settlement first, then what it leaves out."""
    for what in dict.fromkeys((*given, *own)):
        yield from _of(str(what), given.get(what, _NOTHING), own.get(what, _NOTHING))


class _Names:
    """What operators are called in one's own documents; a stranger has its number only."""

    def __init__(self, own: Settlement) -> None:
        self._names = {party.operator: party.name for party in own.parties}

    def __getitem__(self, operator: int) -> str:
        return self._names.get(operator, f"operator {operator}")


def _net(settlement: Settlement) -> str:
    net = settlement.net
    if not net.amount:
        return _NOTHING
    return f"operator {net.payer.operator} pays {money(net.amount)} {settlement.currency}"


def _parties(settlement: Settlement) -> str:
    return ", ".join(f"{each.operator} ({each.name}, {each.currency})" for each in settlement.parties)


def _rounding(settlement: Settlement) -> str:
    return f"{settlement.rounding.mode}, {settlement.rounding.decimals} decimals"


def _ledger(settlement: Settlement) -> str:
    if settlement.ledger is None:
        return _NOTHING
    return f"{settlement.ledger} on chain {settlement.chain_id}"


def _rates(settlement: Settlement) -> dict[str, str]:
    return {f"exchange rate of {currency}": str(rate) for currency, rate in settlement.exchange.items()}


def _amounts(settlement: Settlement, names: _Names) -> dict[str, str]:
    return {
        f"{values.word_of(each.service)} that {names[each.payer]} pays for": (
            f"{money(each.amount)} {settlement.currency} for {each.records:,} records, volume {each.volume:,}"
        )
        for each in settlement.amounts
    }


def _charges(settlement: Settlement, names: _Names) -> dict[str, str]:
    found = {}
    for each in settlement.charges:
        what = f"{each.model!r} that {names[each.payer]} pays"
        for one in fields(Charge):
            if one.name not in ("payer", "model"):
                value = getattr(each, one.name)
                told = f"{money(value)} {settlement.currency}" if isinstance(value, int) else ", ".join(value)
                found[f"{what}, {_CHARGED[one.name]}"] = told
    return found


_CHARGED = {
    "to_date": "the year to date",
    "share": "the month's share",
    "shortfall": "shortfall",
    "open": "still open",
    "booked": "booked",
    "over": "the models of the commitment",
}


def _disputes(settlement: Settlement, names: _Names) -> dict[str, str]:
    """Disputes by cause; those of one name by their turn."""
    found: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for each in settlement.disputes:
        kind = "credit" if each.amount < 0 else "claim"
        what = f"{names[each.claimant]}'s {kind}: {each.words}"
        seen[what] += 1
        what += f" ({seen[what]})" if seen[what] > 1 else ""
        found[what] = (
            f"{money(each.amount)} {settlement.currency} of {each.count:,} records, {each.kind},"
            f" number {each.number}, of {names[each.payer]}'s traffic, open until {each.deadline}"
        )
    return found


def _resolved(settlement: Settlement, names: _Names) -> dict[str, str]:
    return {
        f"claim {named(each.claim)}, {names[each.claim.claimant]}'s: {each.claim.words}": (
            f"{each.outcome}, {money(each.accepted)} of {money(each.claim.amount)} {settlement.currency}"
            f" that {names[each.claim.payer]} pays, of {each.claim.count:,} records, {each.claim.kind},"
            f" open until {each.claim.deadline}"
        )
        for each in settlement.resolved
    }


def _year(settlement: Settlement) -> str:
    year = settlement.year
    if year is None:
        return _NOTHING
    covered, missing = (", ".join(map(month_of, months)) for months in (year.covered, year.missing))
    return f"{covered}; without traffic {missing}" if missing else covered


def _continued(settlement: Settlement) -> str:
    return _NOTHING if settlement.continues is None else "0x" + settlement.continues.hex()


def _batches(settlement: Settlement) -> dict[str, str]:
    return {
        f"batch {each.period}/{each.region}-{each.sequence} of operator {each.operator}": "0x"
        + each.root.hex()
        for each in settlement.batches
    }
