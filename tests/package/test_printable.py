"""Texts from strangers on terminals and in spreadsheets."""

from __future__ import annotations

import pytest

from billproof.printable import plain_cell, printable


@pytest.mark.parametrize("text", ["", "near", "+442079460001", "-1.15", "+0.05", "-1,000.00", "12", "2 - 1"])
def test_cells_that_stay(text: str) -> None:
    assert plain_cell(text) == text


@pytest.mark.parametrize(
    "text",
    ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "+44=1", "\t=1", "\r=1", "\n=1", "-", "+", "+\u0661"],
)
def test_cells_that_would_be_formulas(text: str) -> None:
    assert plain_cell(text) == f"'{text}"


def test_printable_is_one_line_without_commands() -> None:
    assert printable("a\x1b[2J\nb\u202ec") == "a [2J b c"
    assert printable("abcdef", 3) == "abc…"
