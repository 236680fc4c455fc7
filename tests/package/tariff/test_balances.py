"""What is carried from one cycle into the next, and its file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billproof.errors import InputError
from billproof.tariff import Tariff, load_tariff
from billproof.tariff.balances import carried_on, read_balances, write_balances
from billproof.tariff.model import Allowance

PLAN = """
schema = "billproof/tariff/1"
name = "Plan"
version = "1"
currency = "EUR"
valid = { from = "2026-10-01" }
rounding = { mode = "half-up", decimals = 4, at = "call" }
[[rates]]
name = "data"
services = ["data"]
price = "1"
unit = "1 MB"
[[allowances]]
name = "lasting"
services = ["data"]
amount = "100 B"
rollover = { cycles = 2, at-most = "150 B" }
[[allowances]]
name = "lost"
services = ["data"]
amount = "100 B"
"""


@pytest.fixture(scope="module")
def tariff() -> Tariff:
    return load_tariff(PLAN.encode())


def test_what_is_oldest_is_used_first_and_lost_first(tariff: Tariff) -> None:
    lasting, lost = tariff.allowances
    assert carried_on(lasting, (), 100) == ((1, 100),)
    assert carried_on(lasting, (), 30) == ((1, 30),)
    assert carried_on(lasting, ((1, 40),), 140) == ((2, 40), (1, 100))
    assert carried_on(lasting, ((1, 40),), 110) == ((2, 10), (1, 100))
    assert carried_on(lasting, ((1, 40),), 90) == ((1, 90),)
    assert carried_on(lasting, ((2, 60), (1, 90)), 250) == ((2, 50), (1, 100))
    assert carried_on(lasting, ((2, 60), (1, 90)), 0) == ()
    assert carried_on(lost, (), 100) == ()


@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 300), st.integers(0, 400), st.data())
def test_never_more_than_is_left_nor_than_may_be(
    old: int, new: int, amount: int, at_most: int, data: st.DataObject
) -> None:
    plan = load_tariff(PLAN.encode()).allowances[0]
    allowance = Allowance(plan.name, plan.kind, plan.applies, amount, True, 2, at_most)
    left = data.draw(st.integers(0, old + new + amount))
    kept = carried_on(allowance, ((2, old), (1, new)), left)
    assert sum(units for _, units in kept) == min(
        left, at_most, max(new + amount - max(old + new + amount - left - old, 0), 0)
    )
    assert [age for age, _ in kept] == sorted({age for age, _ in kept}, reverse=True)
    assert all(1 <= age <= 2 and units > 0 for age, units in kept)


def test_file_there_and_back(tariff: Tariff, tmp_path: Path) -> None:
    path = tmp_path / "balances.csv"
    balances = {('A,"1"', 0): ((2, 40), (1, 100)), ("B", 0): ((1, 7),)}
    path.write_text(write_balances(balances, tariff))
    assert read_balances(path, tariff) == balances


def test_age_is_one_where_the_column_is_missing(tariff: Tariff, tmp_path: Path) -> None:
    path = tmp_path / "balances.csv"
    path.write_text("account,allowance,left\nA,lasting,5\n")
    assert read_balances(path, tariff) == {("A", 0): ((1, 5),)}


@pytest.mark.parametrize(
    ("rows", "line", "message"),
    [
        ("account,left\n", 1, "no header"),
        ("account,allowance,left,age\nA,lasting,5,1\nA,last,5,1\n", 3, "'last' is no allowance"),
        ("account,allowance,left,age\nA,lasting,-5,1\n", 2, "'-5' is not a whole number"),
        ("account,allowance,left,age\nA,lasting,5.5,1\n", 2, "'5.5' is not a whole number"),
        ("account,allowance,left,age\nA,lasting,5,0\n", 2, "'0' is not a whole number"),
        ("account,allowance,left,age\nA,lasting,5,3\n", 2, "is carried over for 2 cycles, not 3"),
        ("account,allowance,left,age\nA,lost,5,1\n", 2, "is carried over for 0 cycles, not 1"),
        ("account,allowance,left,age\nA,lasting,5,1\nA,lasting,6,1\n", 3, "is there twice"),
        (f"account,allowance,left,age\nA,lasting,{1 << 62},1\n", 2, "is not a whole number"),
        ("account,allowance,left,age\nA\n", 2, "'' is no allowance"),
    ],
)
def test_refuses_by_line(tariff: Tariff, tmp_path: Path, rows: str, line: int, message: str) -> None:
    path = tmp_path / "balances.csv"
    path.write_text(rows)
    with pytest.raises(InputError, match=message) as caught:
        read_balances(path, tariff)
    assert caught.value.line == line
