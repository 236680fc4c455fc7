"""Rows found again by their lines: whatever blocks the reader makes of the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from billproof.intake import form_and_mapping, open_reader
from billproof.intake.again import texts_at
from billproof.intake.delimited import DelimitedReader
from billproof.intake.rows import CUT, RAW_KEPT, Rows, from_lists

MAPPING = """
[account]
column = "a"
[service]
value = "data"
[time]
column = "b"
[usage]
value = "0"
[amount]
value = "0"
[currency]
value = "EUR"
"""


@pytest.mark.parametrize("block", [7, 30, 1 << 20])
def test_rows_of_text(tmp_path: Path, block: int) -> None:
    (tmp_path / "map.toml").write_text(MAPPING)
    (tmp_path / "a.csv").write_text('a,b\n1,x\n"2\n2",y\n\n3,"z"\n4,w\n')
    _, mapping = form_and_mapping(tmp_path, "csv", period=202610, mapping=tmp_path / "map.toml")
    reader = DelimitedReader(tmp_path / "a.csv", mapping.layout, mapping.columns, block=block)
    found = [item for texts in texts_at(reader, np.array([3, 6])) for item in texts.items()]
    assert found == [(3, '"2\n2",y'), (6, '3,"z"')]


def test_a_long_row_is_cut_off(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(MAPPING)
    (tmp_path / "a.csv").write_text(f"a,b\n{'x' * RAW_KEPT},1\n")
    form, mapping = form_and_mapping(tmp_path, "csv", period=202610, mapping=tmp_path / "map.toml")
    reader = open_reader(tmp_path / "a.csv", form, mapping, None)
    assert list(texts_at(reader, np.array([2]))) == [{2: "x" * RAW_KEPT + CUT}]


def test_a_line_on_which_several_rows_begin_has_no_text() -> None:
    def rows(lines: list[int]) -> Rows:
        return from_lists(lines, {}, [f"text of {line}" for line in lines], [])

    reader = [rows([1, 1, 2]), rows([2, 3, 4]), rows([5])]
    found = [item for texts in texts_at(reader, np.array([1, 2, 3, 5])) for item in texts.items()]
    assert found == [(1, ""), (2, ""), (3, "text of 3"), (5, "text of 5")]
