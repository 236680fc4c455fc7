"""Settlements that add up and contradict themselves all the same are refused, with line, key and reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from billproof.clearing.agreement.agreement import load_agreement
from billproof.clearing.settlement.form import document
from billproof.clearing.settlement.reading import SettlementError, load_settlement
from billproof.clearing.settlement.settlement import (
    REJECTED,
    Amount,
    BatchReference,
    Charge,
    Dispute,
    Resolved,
    Settlement,
    Year,
    settle,
)
from billproof.records import NANO, Service

_AGREEMENT = b"""
schema = "billproof/agreement/1"
name = "Meridian and Skylark"
valid = { from = "2026-01-01", until = "2027-01-01" }
settlement = "EUR"
parties = [
  { operator = 2, name = "Skylark", currency = "GBP" },
  { operator = 1, name = "Meridian", currency = "EUR" },
]
exchange = { GBP = "1.1834" }
"""


@pytest.fixture(scope="module")
def sound() -> Settlement:
    """A settlement with everything in it."""
    return settle(
        load_agreement(_AGREEMENT),
        202603,
        "2026-04-10",
        "2026-05-10",
        amounts=[
            Amount(2, Service.DATA, 40, 9_000_000, 12 * NANO),
            Amount(1, Service.VOICE_ORIGINATED, 500, 90_000, 75 * NANO),
            Amount(1, Service.CREDIT, 2, 0, -NANO),
        ],
        charges=[Charge(1, "voice", 80 * NANO, 70 * NANO, 5 * NANO, 0, 75 * NANO)],
        disputes=[Dispute(1, "unit", "Skylark counts otherwise", 2, 1, 20, 4 * NANO, "2026-05-01")],
        batches=[BatchReference(2, 202603, 1, 0, bytes(32)), BatchReference(1, 202603, 7, 1, bytes(32))],
        ledger=(1, "0x" + "ab" * 20),
        year=Year((202603,), (202601, 202602)),
    )


def _changed(settlement: Settlement, table: str, **changes: Any) -> Settlement:
    """With changes of the last entry of a table."""
    *rest, last = getattr(settlement, table)
    return replace(settlement, **{table: (*rest, replace(last, **changes))})


def _resolved(settlement: Settlement, **changes: Any) -> Settlement:
    """A part that continues another, where the claim was given up."""
    claim = replace(settlement.disputes[0], **changes)
    part = replace(settlement, kind="disputed", continues=bytes(32), amounts=(), charges=(), year=None)
    return replace(part, disputes=(), resolved=(Resolved(claim, REJECTED, 0),))


#: What is changed → key, and what the message says.
CASES: dict[str, tuple[Callable[[Settlement], Settlement], str, str]] = {
    "one name for both": (
        lambda s: _changed(s, "parties", name="Meridian"),
        "parties[2].name",
        "first one's",
    ),
    "batches without a ledger": (lambda s: replace(s, chain_id=None, ledger=None), "ledger", "goes with"),
    "a ledger without batches": (lambda s: replace(s, batches=()), "ledger", "goes with"),
    "batch of another month": (
        lambda s: _changed(s, "batches", period=202602),
        "batches[2].period",
        "is not the settlement's",
    ),
    "region beyond the ledger's": (
        lambda s: _changed(s, "batches", region=1 << 32),
        "batches[2].region",
        "more than the ledger",
    ),
    "sequence beyond the ledger's": (
        lambda s: _changed(s, "batches", sequence=1 << 40),
        "batches[2].sequence",
        "more than the ledger",
    ),
    "dispute of nothing": (lambda s: _changed(s, "disputes", amount=0), "disputes[1].amount", "is nothing"),
    "dispute of no records": (lambda s: _changed(s, "disputes", count=0), "disputes[1].count", "is none"),
    "dispute without a number": (
        lambda s: _changed(s, "disputes", number=0),
        "disputes[1].number",
        "is none",
    ),
    "no kind": (lambda s: _changed(s, "disputes", kind="<b>"), "disputes[1].kind", "money is claimed"),
    "a kind without money": (
        lambda s: _changed(s, "disputes", kind="time-zone"),
        "disputes[1].kind",
        "money is claimed",
    ),
    "words turned round": (
        lambda s: _changed(s, "disputes", words="\u202ex"),
        "disputes[1].words",
        "not printed",
    ),
    "words that move the cursor": (
        lambda s: _changed(s, "disputes", words="x\x1b[31m"),
        "disputes[1].words",
        "not printed",
    ),
    "words of two lines": (
        lambda s: _changed(s, "disputes", words="x\ny"),
        "disputes[1].words",
        "not printed",
    ),
    "due before it is issued": (lambda s: replace(s, due="2026-04-09"), "due", "is before 2026-04-10"),
    "deadline before it is issued": (
        lambda s: _changed(s, "disputes", deadline="2026-04-09"),
        "disputes[1].deadline",
        "is before 2026-04-10",
    ),
    "no rate of a party's currency": (
        lambda s: replace(s, exchange={"EUR": Fraction(1)}),
        "parties[2].currency",
        "no exchange rate for GBP",
    ),
    "another rate of its own currency": (
        lambda s: replace(s, exchange={**s.exchange, "EUR": Fraction(2)}),
        "exchange.EUR",
        "own currency",
    ),
    "shortfall above what is due": (
        lambda s: _changed(s, "charges", to_date=4 * NANO),
        "charges[1].shortfall",
        "more than all that is due",
    ),
    "amount of no records": (lambda s: _changed(s, "amounts", records=0), "amounts[3].records", "are none"),
    "resolved of no kind": (
        lambda s: _resolved(s, kind="number"),
        "resolved[1].kind",
        "money is claimed",
    ),
    "resolved nothing": (lambda s: _resolved(s, amount=0), "resolved[1].claimed", "is nothing"),
    "resolved of no records": (lambda s: _resolved(s, count=0), "resolved[1].count", "is none"),
    "resolved words": (lambda s: _resolved(s, words="\u2066"), "resolved[1].words", "not printed"),
    "volume of no usage": (
        lambda s: _changed(s, "amounts", volume=1),
        "amounts[3].volume",
        "credit has none",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_refuses_what_contradicts_itself(sound: Settlement, case: str) -> None:
    change, key, message = CASES[case]
    with pytest.raises(SettlementError) as refused:
        load_settlement(document(change(sound)), name="settlement.json")
    assert f":{key}: " in refused.value.message
    assert message in refused.value.message


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s,
        lambda s: replace(s, batches=(), chain_id=None, ledger=None),
        lambda s: replace(s, due="2026-04-10"),
        lambda s: _changed(s, "disputes", deadline="2026-04-10", amount=-1, words="ж 話 =1+1"),
        lambda s: _changed(s, "batches", region=(1 << 32) - 1, sequence=(1 << 32) - 1),
        lambda s: _changed(s, "charges", to_date=5 * NANO),
        lambda s: _resolved(s, deadline="2026-04-01"),
    ],
)
def test_what_can_be_is_read(sound: Settlement, change: Callable[[Settlement], Settlement]) -> None:
    assert load_settlement(document(change(sound))) == change(sound)
