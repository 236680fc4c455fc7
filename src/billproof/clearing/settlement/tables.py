"""A settlement as the tables that people read: the same in a workbook and on paper, money first."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from billproof.clearing.agreement.agreement import month_of
from billproof.clearing.settlement.settlement import Settlement
from billproof.tariff import values

_RATE_DECIMALS = 12


@dataclass(frozen=True)
class Money:
    """An amount in billionths."""

    billionths: int


#: Of a disputed part: what its claims have to do with the year to date.
VOLUMES_WORDS = (
    "Claims have no volumes: traffic of accepted claims counts in the year to date only where both operators"
    " add it to the volumes of the next month."
)

#: What a cell holds.
Cell = str | int | Money


@dataclass(frozen=True)
class Sheet:
    """A table; ``sums`` is a last row below it, if any. ``wide`` are columns of long texts."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    sums: tuple[Cell, ...] | None = None
    wide: frozenset[int] = frozenset()


def headline(settlement: Settlement) -> str:
    """Who pays whom."""
    net = settlement.net
    return f"{net.payer.name} pays {net.payee.name}" if net.amount else "Nothing is to be paid"


def facts(settlement: Settlement) -> list[tuple[str, Cell]]:
    """What the document is about, name and value."""
    net = settlement.net
    one, other = settlement.directions
    paid_for = "for its traffic" if settlement.continues is None else "of accepted claims"
    rates = [
        (currency, rate) for currency, rate in settlement.exchange.items() if currency != settlement.currency
    ]
    return [
        (headline(settlement), Money(net.amount)),
        ("Currency", settlement.currency),
        ("Due", settlement.due),
        (f"{one.payer.name} pays {paid_for}", Money(one.total)),
        (f"{other.payer.name} pays {paid_for}", Money(other.total)),
        ("Left open, disputed", Money(settlement.disputed)),
        ("Part", f"{settlement.kind}, round {settlement.round}"),
        *_continued(settlement),
        *_year(settlement),
        ("Period", month_of(settlement.period)),
        ("Issued", settlement.issued),
        ("Agreement", settlement.agreement),
        ("Agreement's keccak256", "0x" + settlement.agreement_hash.hex()),
        *(
            (f"Operator {party.operator}", f"{party.name}, books in {party.currency}")
            for party in settlement.parties
        ),
        *((f"{settlement.currency} for one {currency}", rate_words(rate)) for currency, rate in rates),
        *(
            ()
            if settlement.ledger is None
            else (("Ledger", f"{settlement.ledger}, chain {settlement.chain_id}"),)
        ),
    ]


def _continued(settlement: Settlement) -> list[tuple[str, Cell]]:
    if settlement.continues is None:
        return []
    return [
        ("Continues the document", "0x" + settlement.continues.hex()),
        ("Discounts", VOLUMES_WORDS),
    ]


def _year(settlement: Settlement) -> list[tuple[str, Cell]]:
    year = settlement.year
    if year is None:
        return []
    found: list[tuple[str, Cell]] = [("Year to date, months", ", ".join(map(month_of, year.covered)))]
    if year.missing:
        found.append(("Taken as without traffic", ", ".join(map(month_of, year.missing))))
    return found


def rate_words(rate: Fraction) -> str:
    """An exchange rate exactly, as it is quoted: "1.1834", the other way round "1/1.0842", or a fraction."""
    if said := _decimal(rate):
        return said
    said = _decimal(1 / rate)
    return f"1/{said}" if said else str(rate)


def _decimal(rate: Fraction) -> str:
    """The decimals of a fraction that has no more than 12 of them; nothing of another."""
    scaled = rate * 10**_RATE_DECIMALS
    return values.decimal_of(int(scaled), _RATE_DECIMALS) if scaled.denominator == 1 else ""


def claim_word(amount: int) -> str:
    """What a claim is."""
    return "debt" if amount > 0 else "credit"


def sheets(settlement: Settlement) -> list[Sheet]:
    """Traffic, discount models, claims resolved and open, batches: those that there are."""
    names = {party.operator: party.name for party in settlement.parties}
    found = [
        Sheet(
            "Agreed traffic",
            ("Amount", "Pays", "Service", "Records", "Volume", "Unit"),
            tuple(
                (
                    Money(each.amount),
                    names[each.payer],
                    values.word_of(each.service),
                    each.records,
                    each.volume,
                    values.KINDS.get(each.service, ""),
                )
                for each in settlement.amounts
            ),
        ),
        Sheet(
            "Discount models",
            (
                "Adjustment",
                "Pays",
                "Model or commitment",
                "Month's share",
                "Booked",
                "Year to date",
                "Shortfall",
                "Open",
            ),
            tuple(
                (
                    Money(each.adjustment),
                    names[each.payer],
                    f"{each.model} (over {', '.join(each.over)})" if each.over else each.model,
                    *map(Money, (each.share, each.booked, each.to_date, each.shortfall, each.open)),
                )
                for each in settlement.charges
            ),
            wide=frozenset({2}),
        ),
        Sheet(
            "Resolved",
            (
                "Accepted",
                "Claimed",
                "Outcome",
                "Claimed by",
                "As",
                "Paid by",
                "Cause",
                "Count",
                "What differs",
            ),
            tuple(
                (
                    Money(abs(each.accepted)),
                    Money(abs(each.claim.amount)),
                    each.outcome,
                    names[each.claim.claimant],
                    claim_word(each.claim.amount),
                    names[each.claim.payer],
                    f"{each.claim.number} {each.claim.kind}",
                    each.claim.count,
                    each.claim.words,
                )
                for each in settlement.resolved
            ),
            wide=frozenset({8}),
        ),
        Sheet(
            "Disputed",
            ("Amount", "Claimed by", "As", "Cause", "Count", "Deadline", "What differs"),
            tuple(
                (
                    Money(abs(each.amount)),
                    names[each.claimant],
                    claim_word(each.amount),
                    f"{each.number} {each.kind}",
                    each.count,
                    each.deadline,
                    each.words,
                )
                for each in settlement.disputes
            ),
            sums=(
                Money(settlement.disputed),
                "",
                "",
                "",
                sum(each.count for each in settlement.disputes),
                "",
                "",
            ),
            wide=frozenset({6}),
        ),
        Sheet(
            "Batches",
            ("Operator", "Period", "Region", "Sequence", "Root"),
            tuple(
                (
                    names[each.operator],
                    month_of(each.period),
                    each.region,
                    each.sequence,
                    "0x" + each.root.hex(),
                )
                for each in settlement.batches
            ),
            wide=frozenset({4}),
        ),
    ]
    return [sheet for sheet in found if sheet.rows]
