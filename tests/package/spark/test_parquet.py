"""Parquet files in slices of row groups: the same batch as by the local engine, and as from text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from engines import COLUMNS, InProcess, Runs, rows_of, text_of

Same = Callable[..., Any]


def table_of(rows: list[list[str]]) -> pa.Table:
    return pa.table({name: list(texts) for name, texts in zip(COLUMNS, zip(*rows, strict=True), strict=True)})


def typed(table: pa.Table) -> pa.Table:
    """Moments, integers, decimals and dictionaries in place of texts."""
    columns = table.to_pydict()
    start = [dt.datetime.fromisoformat(text).astimezone(dt.UTC) for text in columns["start"]]
    return pa.table(
        {
            **columns,
            "account": pa.array(columns["account"]).dictionary_encode(),
            "start": pa.array(start, pa.timestamp("us", "UTC")),
            "seconds": pa.array([int(text) for text in columns["seconds"]], pa.int64()),
            "amount": pa.array([Decimal(text) for text in columns["amount"]], pa.decimal128(18, 9)),
        }
    )


def test_text_columns(same: Same, inside: InProcess, run: Runs, tmp_path: Path) -> None:
    rows = rows_of(400, 1, quotes=0.2, faults=0.1)
    pq.write_table(table_of(rows), tmp_path / "a.parquet", row_group_size=40)
    result = same([tmp_path / "a.parquet"], form="parquet", slice_bytes=3000)
    assert inside.jobs[0] > 4
    (tmp_path / "a.csv").write_text(text_of(rows))
    assert run([tmp_path / "a.csv"]).root == result.root


def test_typed_columns(same: Same, run: Runs, tmp_path: Path) -> None:
    rows = rows_of(300, 2)
    pq.write_table(typed(table_of(rows)), tmp_path / "a.parquet", row_group_size=50)
    pq.write_table(typed(table_of(rows_of(50, 3))), tmp_path / "b.parquet")
    result = same([tmp_path / "a.parquet", tmp_path / "b.parquet"], form="parquet", slice_bytes=3000)
    (tmp_path / "a.csv").write_text(text_of(rows))
    (tmp_path / "b.csv").write_text(text_of(rows_of(50, 3)))
    assert run([tmp_path / "a.csv", tmp_path / "b.csv"]).root == result.root
