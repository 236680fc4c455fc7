"""Usages that are one in two units, also where a product of them would leave 64 bits."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from billproof.clearing.pairs.differences import in_unit
from billproof.clearing.pairs.passes import UNITS

_MOST = 1 << 62


@given(
    larger=st.integers(0, _MOST // 60),
    off=st.integers(-2, 2) | st.integers(-_MOST, _MOST),
    place=st.integers(1, len(UNITS)),
    swapped=st.booleans(),
)
def test_usages_are_in_a_unit_when_they_differ_by_no_more_than_one(
    larger: int, off: int, place: int, swapped: bool
) -> None:
    ratio = UNITS[place - 1]
    smaller = min(max(larger * ratio + off * (ratio // 2), -_MOST), _MOST)
    usages = np.array([larger]), np.array([smaller])
    unit, given_usages = (-place, usages[::-1]) if swapped else (place, usages)
    found = in_unit((given_usages[0], given_usages[1]), unit)
    assert found.tolist() == [abs(larger * ratio - smaller) <= ratio]


def test_a_product_that_leaves_64_bits_is_no_unit() -> None:
    """2^44 · 1024² is 0 in 64 bits."""
    usages = np.array([1 << 44]), np.array([16])
    assert not in_unit(usages, 1 + UNITS.index(1024**2)).any()
