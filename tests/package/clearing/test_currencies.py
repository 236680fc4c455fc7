"""Which differences of amounts are told as those of currencies: where rounding leaves the ratio known."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from any_books import book_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billproof.clearing.agreement.agreement import Agreement
from billproof.clearing.books.book import Codes
from billproof.clearing.clearing import Clearing, clear
from billproof.clearing.pairs.differences import Kind
from billproof.simulate.partners import partner_books

_CENT = 10**7
_POUND = Fraction(11_834, 10_000)


def _books(
    amounts: list[tuple[int, int]], home: Path, agreement: Agreement, currency: str = "GBP"
) -> Clearing:
    """Clears calls that cost so much on each side, in billionths."""
    codes = Codes()
    call = {"service": 1, "usage": 60, "billed_usage": 60, "network": "", "rate": ""}
    sides = [
        [
            {
                **call,
                "started_at": 1_790_812_800 + 600 * at,
                "number": f"+4420794{at:05}",
                "amount": both[side],
                "currency": ("EUR", currency)[side],
            }
            for at, both in enumerate(amounts)
        ]
        for side in (0, 1)
    ]
    books = [book_of(rows, home, name, agreement, codes) for rows, name in zip(sides, "ab", strict=True)]
    return clear(books[0], books[1], agreement, codes)


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        (7, 7, Kind.RATE),  # cents: 0.0828 euros of 0.07 pounds, as much as any ratio
        (100, 100, Kind.RATE),  # 1.1834 times as much, but a price 1.19 times as high is not excluded
        (1_000, 1_000, Kind.CURRENCY),
        (1_000, 1_014, Kind.RATE),  # 1.2 times as much
        (100_000, 100_000, Kind.CURRENCY),
    ],
)
def test_small_amounts_are_not_told_as_currencies(
    ours: int, theirs: int, kind: Kind, tmp_path: Path, agreement: Agreement
) -> None:
    odd = [(1, 2), (333, 333)]  # so that both sides round to cents
    found = _books([(a * _CENT, b * _CENT) for a, b in [(ours, theirs), *odd]], tmp_path, agreement)
    assert found.differences.kinds.tolist()[0] == 1 << kind


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amounts=st.lists(
        st.tuples(st.integers(1, 3_000), st.integers(-3, 3) | st.integers(-500, 500)), min_size=1, max_size=30
    )
)
def test_a_currency_excludes_that_amounts_are_equal_or_turned_the_other_way(
    amounts: list[tuple[int, int]], tmp_path: Path, agreement: Agreement
) -> None:
    """By exact fractions: no ratio that rounding leaves possible is a tenth of the way to another."""
    cents = [(1, 1), *((a, max(1, a + off)) for a, off in amounts)]
    found = _books([(a * _CENT, b * _CENT) for a, b in cents], tmp_path, agreement)
    ratios = (Fraction(1), _POUND, 1 / _POUND)
    for at, told in zip(
        found.pairs.ours.tolist(), found.differences.has(Kind.CURRENCY).tolist(), strict=True
    ):
        ours, theirs = Fraction(cents[at][0]), cents[at][1] * _POUND
        fits = []
        for factor in ratios[1:]:
            off = factor + _POUND  # what a cent on either side makes of theirs
            apart = min(abs(factor - other) for other in ratios if other != factor)
            fits.append(abs(theirs - ours * factor) <= off and 10 * off <= ours * apart)
        assert told == any(fits)


def test_a_cause_takes_the_small_amounts_too(cleared: Callable) -> None:
    """Pounds that were booked as if they were euros, to the cent, most of which say too little alone."""
    partners = partner_books(40_000, 3, ())
    wanted: set[int] = set()
    for side in (0, 1):
        for region, table in enumerate(partners.tables[side]):
            calls = table["service"].to_numpy() == 1
            amount = table["amount"].to_numpy()
            if side:
                amount = np.where(calls, (amount * 11_834 + 5_000) // 10_000, amount)
            amount = (amount + _CENT // 2) // _CENT * _CENT
            at = table.column_names.index("amount")
            partners.tables[side][region] = table.set_column(at, "amount", pa.array(amount))
            wanted |= set(partners.ids[side][region][calls].tolist())
    result = cleared(partners)
    causes = [cause for cause in result.clearing.explained.causes if cause.kind is Kind.CURRENCY]
    assert [cause.services for cause in causes] == [(1,)]
    book = result.clearing.books[0]
    euros = book.settled[result.clearing.pairs.ours[causes[0].rows]]
    assert np.mean(euros < 1_500_000_000) > 0.5
    assert causes[0].count > 0.8 * len(wanted)
