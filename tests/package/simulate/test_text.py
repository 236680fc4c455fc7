"""Numbers to text, against Python's own formatting."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from billproof.simulate import text

INT64 = st.integers(-(2**62), 2**62)


@settings(deadline=None)
@given(st.lists(INT64, min_size=1, max_size=20), st.sampled_from([(9, 2), (6, 1), (3, 0)]))
def test_decimals(values, shape):
    places, least = shape
    for value, written in zip(
        values, text.decimals(np.array(values), places, least).to_pylist(), strict=True
    ):
        assert Decimal(written) == Decimal(value).scaleb(-places)
        whole, _, rest = written.lstrip("-").partition(".")
        assert whole == str(int(whole))
        assert least <= len(rest) <= places
        assert len(rest) == least or rest[-1] != "0"


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**32), min_size=1, max_size=20))
def test_timestamps(values):
    expected = [datetime.fromtimestamp(v, UTC).strftime("%Y-%m-%d %H:%M:%S") for v in values]
    assert text.timestamp(np.array(values)).to_pylist() == expected


@settings(deadline=None)
@given(st.lists(st.integers(-14 * 60, 14 * 60), min_size=1))
def test_offsets(values):
    for value, written in zip(values, text.offsets(np.array(values)).to_pylist(), strict=True):
        assert (1 if written[0] == "+" else -1) * (int(written[1:3]) * 60 + int(written[4:])) == value


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), min_size=1))
def test_hexadecimal(values):
    words = np.array(values, dtype=np.uint64)
    assert text.fixed(text.hexadecimal(words)).to_pylist() == [f"{value:016x}" for value in values]


def test_no_rows():
    none = np.array([], dtype=np.int64)
    assert len(text.decimals(none, 9)) == len(text.timestamp(none)) == len(text.integers(none)) == 0
