"""A clearing's money is in one place each: undisputed, claimed by one side, or within tolerance."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from billproof.clearing.agreement import load_agreement
from billproof.clearing.differences import FREE
from billproof.clearing.models_year import Volume
from billproof.clearing.settlement import Amount
from billproof.clearing.settlement_filling import (
    Traffic,
    amounts_of,
    charges_of,
    disputes_of,
    settle_clearings,
    traffic_of,
)
from billproof.clearing.settlement_form import document
from billproof.clearing.settlement_reading import load_settlement
from billproof.records import NANO, Service
from billproof.simulate.partners import SINGLE, SYSTEMATIC, partner_books


@pytest.mark.parametrize("kinds", [(), SINGLE, (*SINGLE, *SYSTEMATIC)], ids=["honest", "single", "all"])
def test_every_amount_is_in_one_place(kinds: tuple[str, ...], cleared: Callable) -> None:
    clearing = cleared(partner_books(20_000, 5, kinds)).clearing
    one, other = (party.operator for party in clearing.agreement.parties)
    undisputed = sum(each.amount for each in traffic_of(clearing, one))
    disputes = disputes_of(clearing, one, other, "2026-05-01")
    claimed = {
        operator: sum(each.amount for each in disputes if each.claimant == operator)
        for operator in (one, other)
    }
    paying = clearing.differences.paying
    tolerated = clearing.differences.money[
        (paying < 0) | np.isin(paying, FREE)
    ]  # agreed, or another clock or number alone
    above = int(tolerated[tolerated > 0].sum()), int(-tolerated[tolerated < 0].sum())
    assert clearing.totals == (undisputed + claimed[one] + above[0], undisputed + claimed[other] + above[1])
    assert bool(disputes) == bool(kinds)
    assert len({(each.number, each.claimant) for each in disputes}) == len(disputes)
    assert np.abs(tolerated).max(initial=0) <= clearing.agreement.tolerance.amount or kinds


def test_settlement_of_both_directions_is_a_document(cleared: Callable, tmp_path: Path) -> None:
    there, back = (
        cleared(partner_books(10_000, seed, (*SINGLE, *SYSTEMATIC)), tmp_path / str(seed)).clearing
        for seed in (6, 7)
    )
    one, other = (party.operator for party in there.agreement.parties)
    found = settle_clearings(
        [(there, one), (back, other)], one, "2026-03", "2026-04-10", "2026-05-10", "2026-05-01"
    )
    assert load_settlement(document(found)) == found
    for direction, clearing in zip(found.directions, (there, back), strict=True):
        traffic = traffic_of(clearing, direction.payer.operator)
        assert direction.total == sum(each.amount for each in traffic)
        assert sum(each.records for each in traffic) == len(clearing.pairs.ours)
    words = " ".join(each.words for each in found.disputes)
    assert f"{there.agreement.parties[1].name}'s" in words
    assert not re.search(r"\b(our|ours|we|their|theirs|they)\b", words)
    amounts = [each.amount for each in found.disputes]
    assert amounts == sorted(amounts, reverse=True)
    claims = (disputes_of(clearing, one, other, "2026-05-01") for clearing in (there, back))
    assert found.disputed == sum(each.amount for part in claims for each in part)


AGREEMENT = b"""
schema = "billproof/agreement/1"
name = "Two"
valid = { from = "2026-01-01", until = "2027-01-01" }
settlement = "EUR"
parties = [
  { operator = 1, name = "Meridian", currency = "EUR" },
  { operator = 2, name = "Skylark", currency = "EUR" },
]
routes = { uk = ["+44"], fr = ["+33"] }
[[models]]
name = "voice"
model = "tiers"
from = 1
services = ["voice-originated"]
routes = ["uk", "elsewhere"]
mode = "all"
tiers = [{ above = "0 min", price = "0.05" }, { above = "1000 min", price = "0.04" }]
"""


def test_discounts_are_beside_what_is_booked() -> None:
    # Before: 900 min at 0.05 are 45. With 300 min more, 1,200 at 0.04 are 48: the month's share is 3.
    # Booked are 10 and 5 at 0.05; the 100 min to France are in no model.
    voice, fee = Service.VOICE_ORIGINATED, Service.RECURRING
    traffic = [
        Traffic(1, voice, "uk", 100, 12_000, 10 * NANO),
        Traffic(1, voice, "elsewhere", 50, 6_000, 5 * NANO),
        Traffic(1, voice, "fr", 50, 6_000, 7 * NANO),
        Traffic(1, fee, "elsewhere", 1, 0, 2 * NANO),
    ]
    before = [Volume("2026-01", 1, voice, "uk", 900 * 60)]
    (charge,) = charges_of(load_agreement(AGREEMENT), "2026-02", traffic, before)
    assert (charge.to_date, charge.share, charge.booked) == (48 * NANO, 3 * NANO, 15 * NANO)
    assert charge.adjustment == -12 * NANO
    assert amounts_of(traffic) == [Amount(1, voice, 200, 24_000, 22 * NANO), Amount(1, fee, 1, 0, 2 * NANO)]
