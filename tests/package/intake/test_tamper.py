"""Damaged files: every row is accounted for, good ones come through, and every error is one of ours."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billproof.errors import InputError
from billproof.intake import FORMATS
from billproof.simulate import simulate

Run = Callable[..., Any]

ROWS = [
    f'A{row},call,2026-11-{row % 28 + 1:02}T10:{row:02}:00,{row * 7},"+3538612{row:05}",{row / 8}\n'
    for row in range(40)
]
#: Parquet is no text: a changed byte there damages the whole file.
SIMULATED = [name for name in FORMATS if name != "parquet"]
HEADER = "acc,kind,at,use,who,price\n"


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 39), st.integers(0, 10**6), st.integers(0, 255))
def test_one_byte_changed_costs_at_most_its_neighbourhood(run: Run, row: int, place: int, byte: int) -> None:
    """A changed byte can spoil its row, join it to the next one, or open a quote; all others are read."""
    damaged = bytearray(ROWS[row].encode())
    place %= len(damaged)
    damaged[place] = byte
    result = run(
        HEADER.encode()
        + b"".join(text.encode() if at != row else bytes(damaged) for at, text in enumerate(ROWS))
    )
    whole = run(HEADER + "".join(ROWS))
    intact = [{**record, "line": 0} for at, record in enumerate(whole.records) if at not in (row, row + 1)]
    got = [{**record, "line": 0} for record in result.records]
    assert all(record in got for record in intact)
    assert 39 <= result.rows <= 41


@settings(max_examples=50, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 60))
def test_rows_in_any_order_are_each_accounted_for(run: Run, shuffle: random.Random, size: int) -> None:
    bad = ["x\n", 'z"\n', "a,b,c,d,e,f\n", ",,,,,\n", "A1,call,2026-10-05T10:00:00,60,,1\n"]
    chosen = [shuffle.choice(ROWS + bad * 4) for _ in range(size)]
    result = run(HEADER + "".join(chosen))
    assert result.rows == size
    assert [record["line"] for record in result.records] == [
        at + 2 for at, text in enumerate(chosen) if text in ROWS
    ]
    assert result.other_periods == chosen.count(bad[-1])
    assert all(reject["raw"] + "\n" == chosen[reject["line"] - 2] for reject in result.rejects)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Any:
    out = tmp_path_factory.mktemp("simulated")
    return simulate(
        out,
        operators=1,
        subscribers=20,
        period=202611,
        seed=3,
        formats=SIMULATED,
        records_per_subscriber=5,
    )


@pytest.mark.parametrize("form", SIMULATED)
def test_damaged_files_of_every_format(run: Run, simulated: Any, form: str) -> None:
    (file,) = simulated.operators[0].in_format(form)
    content = (simulated.out / file.path).read_bytes()
    mapping = (simulated.out / file.mapping).read_text(encoding="utf-8")
    assert len(run(content, mapping, form).records) == file.records
    chance = random.Random(form)
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(damaged))
            match chance.randrange(4):
                case 0:
                    damaged[at] = chance.randrange(256)
                case 1:
                    del damaged[at : at + chance.randrange(1, 300)]
                case 2:
                    damaged[at:at] = damaged[at // 2 : at // 2 + 200]
                case _:
                    damaged[at:at] = chance.choice(
                        [b'"', b"\n", b"\r", b",", b"\0", b"\xff", b"<", b"&", b"]]>"]
                    )
        try:
            run(bytes(damaged), mapping, form)
        except InputError as error:
            assert error.advice  # noqa: PT017 - most damage is no error at all
