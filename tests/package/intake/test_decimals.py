"""Exact money and quantities, against Python's ``decimal``."""

from __future__ import annotations

import dataclasses
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billproof.intake.decimals import parse_decimals, scale
from billproof.intake.options import MONEY_UNITS, QUANTITY_UNITS

EXACT = Context(prec=80)
LIMIT = 2**63

numerals = st.from_regex(r"[+-]?[0-9]{0,20}(\.[0-9]{1,11})?", fullmatch=True)
rubbish = st.text("0123456789+-.,eE '", max_size=12)


def expected(text: str, unit: Decimal) -> int | None:
    """The exact value in the unit, or None where it must be refused."""
    body = text.lstrip("+-") if text[:1] in "+-" else text
    if not body or body.count(".") > 1 or not body.replace(".", "").isdigit() or body.endswith("."):
        return None
    if len(body.partition(".")[2]) > 9 or len(text) > 40 or (text[:1] in ("+", "-") and body != text[1:]):
        return None
    value = EXACT.multiply(Decimal(text), unit)
    if value != value.to_integral_value() or not -LIMIT <= value < LIMIT:
        return None
    return int(value)


@settings(deadline=None)
@given(st.lists(st.one_of(numerals, rubbish), max_size=20), st.sampled_from(sorted(MONEY_UNITS)))
def test_money_is_exact_or_refused(texts: list[str], unit: str) -> None:
    number = parse_decimals(pa.array(texts, pa.string()))
    values, inexact, too_large = scale(number, (MONEY_UNITS[unit], 1), "exact")
    for row, text in enumerate(texts):
        wanted = expected(text, Decimal(MONEY_UNITS[unit]))
        refused = bool(number.faulty[row] or inexact[row] or too_large[row])
        assert refused == (wanted is None), text
        if wanted is not None:
            assert int(values[row]) == wanted


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("9223372036.854775807", 2**63 - 1),
        ("-9223372036.854775808", -(2**63)),
        ("-0", 0),
        (".5", 500_000_000),
        ("000000000000000000000000001.5", 1_500_000_000),
    ],
)
def test_the_ends_of_the_range(text: str, nano: int) -> None:
    values, inexact, too_large = scale(parse_decimals(pa.array([text])), (10**9, 1), "exact")
    assert (int(values[0]), bool(inexact[0]), bool(too_large[0])) == (nano, False, False)


@pytest.mark.parametrize(
    "text", ["9223372036.854775808", "-9223372036.854775809", "18446744073709551616", "9" * 40]
)
def test_beyond_the_range(text: str) -> None:
    number = parse_decimals(pa.array([text]))
    _, _, too_large = scale(number, (10**9, 1), "exact")
    assert too_large[0] or number.too_large[0]


@settings(deadline=None)
@given(
    st.decimals(0, 10**9, places=9),
    st.sampled_from(sorted(QUANTITY_UNITS)),
    st.sampled_from(["up", "down", "half-up", "half-even"]),
)
def test_rounding_of_quantities(value: Decimal, unit: str, rounding: str) -> None:
    modes = {"up": ROUND_CEILING, "down": ROUND_DOWN, "half-up": ROUND_HALF_UP, "half-even": ROUND_HALF_EVEN}
    top, bottom = QUANTITY_UNITS[unit]
    exact = EXACT.divide(EXACT.multiply(value, Decimal(top)), Decimal(bottom))
    wanted = int(exact.to_integral_value(modes[rounding]))
    values, _, too_large = scale(parse_decimals(pa.array([f"{value:f}"])), (top, bottom), rounding)
    assert bool(too_large[0]) == (wanted >= LIMIT)
    if not too_large[0]:
        assert int(values[0]) == wanted


@pytest.mark.parametrize(
    ("text", "mark", "thousands", "value"),
    [
        ("1.234.567,89", ",", ".", 1_234_567_890_000_000),
        ("1,234.5", ".", ",", 1_234_500_000_000),
        ("1234.5", ".", ",", 1_234_500_000_000),
        ("1'000", ".", "'", 1_000_000_000_000),
        ("-1_000", ".", "_", -1_000_000_000_000),
        ("12,34.5", ".", ",", None),
        ("1,2345", ".", ",", None),
        ("1.234,5", ".", ",", None),
        ("1.5", ",", "", None),
    ],
)
def test_marks(text: str, mark: str, thousands: str, value: int | None) -> None:
    number = parse_decimals(pa.array([text]), mark=mark, thousands=thousands)
    values, _, _ = scale(number, (10**9, 1), "exact")
    assert (None if number.faulty[0] else int(values[0])) == value


@pytest.mark.parametrize("texts", [["1", "22", "007"], ["1", "-2.5", "x", "", "1.0000000001"], ["9" * 18]])
def test_many_equal_texts_are_read_like_few(texts: list[str]) -> None:
    """Long columns are read once for each distinct text, plain ones at once: same numbers, same faults."""
    few = parse_decimals(pa.array(texts))
    many = parse_decimals(pa.array(texts * 1000))
    mixed = parse_decimals(pa.array([*texts, "+0.1"]))
    for field in dataclasses.fields(few):
        expected = getattr(few, field.name).tolist()
        assert getattr(many, field.name).tolist() == expected * 1000
        assert getattr(mixed, field.name).tolist()[:-1] == expected
