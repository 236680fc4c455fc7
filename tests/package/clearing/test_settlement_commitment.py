"""Commitments over several models in settlements: charges of their own that add up, or are refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from billproof.clearing.agreement.agreement import load_agreement
from billproof.clearing.discounts.year import Volume, evaluate
from billproof.clearing.settlement.form import document
from billproof.clearing.settlement.pdf import paper
from billproof.clearing.settlement.reading import SettlementError, load_settlement
from billproof.clearing.settlement.settlement import Amount, Charge, Settlement, Year, settle
from billproof.clearing.settlement.tables import Money, sheets
from billproof.clearing.settlement.xlsx import workbook
from billproof.records import NANO, Service

AGREEMENT = b"""
schema = "billproof/agreement/1"
name = "Meridian and Skylark"
valid = { from = "2026-01-01", until = "2027-01-01" }
settlement = "EUR"
parties = [
  { operator = 1, name = "Meridian", currency = "EUR" },
  { operator = 2, name = "Skylark", currency = "EUR" },
]
[[models]]
name = "voice"
model = "tiers"
from = 1
services = ["voice-originated"]
mode = "incremental"
tiers = [{ above = "0 min", price = "0.05" }, { above = "1000 min", price = "0.04" }]
[[models]]
name = "messages"
model = "flat"
from = 1
services = ["message-sent"]
price = "0.10"
[[commitments]]
name = "all from Meridian"
from = 1
models = ["voice", "messages"]
money = "1200"
accrues = "month"
"""


@pytest.fixture(scope="module")
def committed() -> Settlement:
    """By March 300 are due; 70 of voice and 10 of messages are charged, so 220 are short and 900 open."""
    agreement = load_agreement(AGREEMENT)
    traffic = [
        Volume("2026-03", 1, Service.VOICE_ORIGINATED, "elsewhere", 1500 * 60),
        Volume("2026-03", 1, Service.MESSAGE_SENT, "elsewhere", 100),
    ]
    booked = {"voice": 75 * NANO, "messages": 10 * NANO}
    return settle(
        agreement,
        202603,
        "2026-04-10",
        "2026-05-10",
        amounts=[
            Amount(1, Service.VOICE_ORIGINATED, 500, 90_000, 75 * NANO),
            Amount(1, Service.MESSAGE_SENT, 100, 100, 10 * NANO),
        ],
        charges=[
            Charge.of(line, booked.get(line.model.name, 0))
            for line in evaluate(agreement, traffic).of("2026-03")
        ],
        year=Year((202603,), (202601, 202602)),
    )


def test_common_commitment_is_a_charge_with_nothing_booked(committed: Settlement) -> None:
    found = committed
    # Of the 220 that are short to date 200 were due by February: the month's share is 20.
    common = Charge(
        1, "all from Meridian", 220 * NANO, 20 * NANO, 220 * NANO, 900 * NANO, 0, ("messages", "voice")
    )
    assert [each.model for each in found.charges] == ["voice", "all from Meridian", "messages"]
    assert found.charges[1] == common
    assert found.charges[1].adjustment == 20 * NANO
    assert found.net.amount == (75 + 10 - 5 + 20) * NANO
    assert load_settlement(document(found)) == found
    (table,) = (sheet for sheet in sheets(found) if sheet.title == "Discount models")
    assert table.rows[1] == (
        Money(20 * NANO),
        "Meridian",
        "all from Meridian (over messages, voice)",
        *map(Money, (20 * NANO, 0, 220 * NANO, 220 * NANO, 900 * NANO)),
    )


@pytest.mark.parametrize("make", [workbook, paper])
def test_workbook_and_pages_show_it(
    committed: Settlement, make: Callable[[Settlement, bytes], bytes]
) -> None:
    renamed = dataclasses.replace(committed.charges[1], model="another")
    charges = (committed.charges[0], renamed, committed.charges[2])
    assert make(committed, bytes(32)) != make(dataclasses.replace(committed, charges=charges), bytes(32))


#: What is written instead of what → key, and what the message says.
TAMPERED_COMMITMENTS = {
    "no charge": ('"messages",', '"message",', "charges[2].models[1]", "operator 1 has no charge 'message'"),
    "itself": ('"messages",', '"all from Meridian",', "charges[2].models[1]", "operator 1 has no charge"),
    "one twice": ('"messages",', '"voice",', "charges[2].models[2]", "'voice' is in a commitment already"),
    "of the other": (
        '"payer": 1,\n      "model": "all',
        '"payer": 2,\n      "model": "all',
        "charges[2].models[1]",
        "operator 2 has no charge 'messages'",
    ),
    "more than a shortfall": (
        '"toDate": "220000000000"',
        '"toDate": "230000000000"',
        "charges[2]",
        "more than its shortfall",
    ),
    "something booked": (
        '"open": "900000000000",\n      "booked": "0",\n      "adjustment": "20000000000"',
        '"open": "900000000000",\n      "booked": "1",\n      "adjustment": "19999999999"',
        "charges[2]",
        "more than its shortfall",
    ),
}


@pytest.mark.parametrize("case", TAMPERED_COMMITMENTS)
def test_refuses_a_commitment_that_was_changed(committed: Settlement, case: str) -> None:
    what, instead, key, message = TAMPERED_COMMITMENTS[case]
    text = document(committed).decode()
    assert what in text
    with pytest.raises(SettlementError) as caught:
        load_settlement(text.replace(what, instead, 1).encode(), name="settlement.json")
    assert message in caught.value.message
    assert caught.value.field == key
    assert caught.value.line
    assert caught.value.advice
