"""What is carried from one cycle into the next, and its file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import naive
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billproof.errors import InputError
from billproof.tariff import Tariff, load_tariff
from billproof.tariff.balances import Balances, Held, write_balances

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

ROLLOVER = 'rollover = { cycles = 2, at-most = "150 B" }'


@pytest.fixture(scope="module")
def tariff() -> Tariff:
    return load_tariff(PLAN.encode())


def next_of(tariff: Tariff, carried: dict[int, int], left: int) -> dict[int, int]:
    """Age → units of ``lasting``, one cycle later."""
    held = Held(
        tariff,
        pa.array(["A"]),
        owner=np.zeros(len(carried), np.int64),
        place=np.zeros(len(carried), np.int64),
        age=np.array(list(carried), np.int64),
        left=np.array(list(carried.values()), np.int64),
    )
    assert held.sums == ({(0, 0): sum(carried.values())} if carried else {})
    amount = tariff.allowances[0].amount
    assert held.whole.tolist() == [[amount + sum(carried.values()), 100]]
    after = held.carried_on(np.array([[left, 100]]))
    assert set(after.place.tolist()) <= {0}
    return dict(zip(after.age.tolist(), after.left.tolist(), strict=True))


def test_what_is_oldest_is_used_first_and_lost_first(tariff: Tariff) -> None:
    assert next_of(tariff, {}, 100) == {1: 100}
    assert next_of(tariff, {}, 30) == {1: 30}
    assert next_of(tariff, {1: 40}, 140) == {2: 40, 1: 100}
    assert next_of(tariff, {1: 40}, 110) == {2: 10, 1: 100}
    assert next_of(tariff, {1: 40}, 90) == {1: 90}
    assert next_of(tariff, {2: 60, 1: 90}, 250) == {2: 50, 1: 100}
    assert next_of(tariff, {2: 60, 1: 90}, 0) == {}


@given(st.data())
def test_carries_on_what_the_naive_rater_does(data: st.DataObject) -> None:
    """Units of every age are used, lost by age, and lost by the limit, the oldest first."""
    amount, at_most, cycles = data.draw(st.tuples(st.integers(1, 12), st.integers(1, 30), st.integers(0, 3)))
    ages = st.dictionaries(st.integers(1, max(cycles, 1)), st.integers(1, 9))
    carried = dict(sorted(data.draw(ages).items(), reverse=True)) if cycles else {}
    left = data.draw(st.integers(0, amount + sum(carried.values())))
    plain: dict[str, Any] = {"name": "lasting", "amount": f"{amount} B"}
    rollover = f'rollover = {{ cycles = {cycles}, at-most = "{at_most} B" }}' if cycles else ""
    if cycles:
        plain["rollover"] = {"cycles": cycles, "at-most": f"{at_most} B"}
    text = PLAN.replace('amount = "100 B"', f'amount = "{amount} B"', 1).replace(ROLLOVER, rollover)
    units = [age for age, count in carried.items() for _ in range(count)]
    kept = naive.carried_over(plain, units, left)
    assert next_of(load_tariff(text.encode()), carried, left) == dict(Counter(kept))


def test_accounts_do_not_touch_each_other_even_where_all_sums_together_run_over(tariff: Tariff) -> None:
    most = (1 << 62) - 1
    held = Held(
        tariff,
        pa.array(["A", "B", "C", "D"]),
        owner=np.array([0, 1, 2]),
        place=np.zeros(3, np.int64),
        age=np.ones(3, np.int64),
        left=np.full(3, most),
    )
    left = held.whole
    left[1, 0] = 120
    after = held.carried_on(left)
    assert list(zip(after.owner.tolist(), after.age.tolist(), after.left.tolist(), strict=True)) == [
        *((0, 2, 50), (0, 1, 100), (1, 2, 20), (1, 1, 100), (2, 2, 50), (2, 1, 100), (3, 1, 100))
    ]


def test_file_there_and_back(tariff: Tariff, tmp_path: Path) -> None:
    path = tmp_path / "balances.csv"
    rows = 'account,allowance,left,age\n"A,""1""",lasting,40,2\n"A,""1""",lasting,100,1\nB,lasting,7,1\n'
    path.write_text(rows)
    balances = Balances.read(path)
    held = balances.of(pa.array(["B", "X", 'A,"1"']), tariff)
    assert held.sums == {(0, 0): 7, (2, 0): 140}
    assert write_balances([held.table]) == rows.encode()
    assert write_balances([balances.taken(np.array([0, 1]))]) == rows.encode()
    assert write_balances([]) == b"account,allowance,left,age\n"


def test_age_is_one_where_the_column_is_missing_or_empty(tariff: Tariff, tmp_path: Path) -> None:
    path = tmp_path / "balances.csv"
    for text in ("account,allowance,left\nA,lasting,5\n", "\ufeffage,account,allowance,left\n,A,lasting,5\n"):
        path.write_text(text)
        held = Balances.read(path).of(pa.array(["A"]), tariff)
        assert (held.owner.tolist(), held.age.tolist(), held.left.tolist()) == ([0], [1], [5])


def test_an_allowance_is_that_of_the_account_s_tariff(tariff: Tariff, tmp_path: Path) -> None:
    path = tmp_path / "balances.csv"
    path.write_text("account,allowance,left\nA,lasting,5\nB,minutes,6\n")
    balances = Balances.read(path)
    other = load_tariff(PLAN.replace("lasting", "minutes").encode())
    assert balances.of(pa.array(["A"]), tariff).sums == {(0, 0): 5}
    assert balances.of(pa.array(["B"]), other).sums == {(0, 0): 6}
    with pytest.raises(InputError, match="'minutes' is no allowance") as caught:
        balances.of(pa.array(["A", "B"]), tariff)
    assert caught.value.line == 3


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
        (f"account,allowance,left,age\nA,lasting,{1 << 61},1\nA,lasting,{1 << 61},2\n", 3, "is too large"),
        ("account,allowance,left,age\nA,lasting,99999999999999999999,1\n", 2, "is not a whole number"),
        ("account,allowance,left,age\nA\n", 2, "is not CSV"),
        ("account,allowance,left,age\nA,,5,1\n", 2, "'' is no allowance"),
    ],
)
def test_refuses_by_line(tariff: Tariff, tmp_path: Path, rows: str, line: int, message: str) -> None:
    path = tmp_path / "balances.csv"
    path.write_text(rows)
    with pytest.raises(InputError, match=message) as caught:
        Balances.read(path).of(pa.array(["A"]), tariff)
    assert caught.value.line == line
