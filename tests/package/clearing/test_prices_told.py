"""A cause that is about prices tells both, by the unit that people know."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from billproof.clearing.causes.prices import price, unit_of
from billproof.clearing.document.wording import sentence
from billproof.clearing.pairs.differences import Kind
from billproof.simulate.partners import SINGLE, partner_books


def test_a_destination_s_price_of_both_sides(cleared: Callable) -> None:
    found = cleared(partner_books(30_000, 12, (*SINGLE, "rate"))).clearing
    (cause,) = found.explained.causes
    assert cause.kind is Kind.RATE
    assert cause.what == {"ratio": 1.25, "ours": "0.12", "theirs": "0.15", "unit": "minute"}
    told = sentence(cause, ("Meridian", "Skylark"), found.codes, found.agreement)
    assert told == (
        "Skylark's price is 1.25 times Meridian's: 0.15 a minute, Meridian's 0.12"
        " (voice-originated, route fr-mobile)"
    )


@pytest.mark.parametrize(
    ("amount", "billed", "size", "told"),
    [
        (50_000_000, 60, 60, "0.05"),
        (45 * 10**9, 60_000, 60, "0.045"),
        (2 * 10**9, 10**9, 10**6, "0.002"),
        (10**9, 3, 1, "0.3333"),
        (10**22, 1, 60, "600000000000000"),
        (10**9, 0, 60, None),
        (-(10**9), 60, 60, None),
    ],
)
def test_prices_by_unit(amount: int, billed: int, size: int, told: str | None) -> None:
    assert price(amount, billed, size) == told


def test_services_of_several_units_have_no_price_together() -> None:
    assert unit_of((1, 3)) == ("minute", 60)
    assert unit_of((4,)) == ("message", 1)
    assert unit_of((6,)) == ("MB", 10**6)
    assert unit_of((1, 4)) is None
    assert unit_of((32,)) is None
