"""Batches by Spark itself: the local engine's root, lost tasks made good, errors in our own words.

Slices, parts and refusals are tried in numbers in tests/package/spark, without Spark.
"""

from __future__ import annotations

import gzip
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from engines import COLUMNS, Runs, compare, rows_of, text_of

from billproof.errors import InputError
from billproof.spark.cluster import Cluster, SparkError
from billproof.spark.engine import SparkEngine
from billproof.spark.tasks import Making, Reading

ENGINE = SparkEngine(slice_bytes=4000, part_bytes=8000)


@pytest.fixture
def month(tmp_path: Path) -> list[Path]:
    """Two files, the second one packed; with quoted line ends, rejects, strays and another month."""
    (tmp_path / "a.csv").write_text(text_of(rows_of(200, 1, quotes=0.3, faults=0.1)))
    packed = gzip.compress(text_of(rows_of(50, 2, faults=0.1)).encode())
    (tmp_path / "b.csv.gz").write_bytes(packed)
    return [tmp_path / "a.csv", tmp_path / "b.csv.gz"]


def test_text(month: list[Path], run: Runs) -> None:
    compare(run(month, ENGINE), run(month))


def test_parquet(run: Runs, tmp_path: Path) -> None:
    columns = zip(*rows_of(300, 3, faults=0.1), strict=True)
    table = pa.table({name: list(texts) for name, texts in zip(COLUMNS, columns, strict=True)})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=100)
    files = [tmp_path / "a.parquet"]
    compare(run(files, ENGINE, form="parquet"), run(files, form="parquet"))


def once(step: Any, marker: Path) -> Callable[[Any, int], Any]:
    """A step that kills its process the first time that it is through, as a machine would be lost."""

    def call(item: Any, attempt: int) -> Any:
        done = step(item, attempt)  # its files are written, and nobody will hear of them
        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return done
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    return call


@pytest.mark.parametrize("step", [Reading, Making])
def test_killed_processes_do_no_harm(
    step: type, month: list[Path], run: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local, plain, marker = run(month), Cluster.run, tmp_path / "killed"

    def with_a_kill(cluster: Cluster, work: Callable[..., Any], items: Any) -> Any:
        return plain(cluster, once(work, marker) if isinstance(work, step) else work, items)

    monkeypatch.setattr(Cluster, "run", with_a_kill)
    result = run(month, ENGINE)
    assert marker.exists()
    compare(result, local)


def test_two_attempts_at_once_do_no_harm(
    month: list[Path], run: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with ``spark.speculation``: every task is made twice, and either result is taken."""
    local, plain = run(month), Cluster.run

    def twice(cluster: Cluster, work: Callable[..., Any], items: Any) -> Any:
        found = plain(cluster, work, [*items, *items])
        return [found[at + len(items) * (at % 2)] for at in range(len(items))]

    monkeypatch.setattr(Cluster, "run", twice)
    compare(run(month, ENGINE), local)


def test_errors_of_a_task_are_ours(month: list[Path], run: Runs, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("account,kind\nA1,call\n")
    files = [*month, tmp_path / "c.csv"]
    with pytest.raises(InputError) as local:
        run(files)
    with pytest.raises(InputError) as spread:
        run(files, ENGINE)
    assert str(spread.value) == str(local.value)
    assert (spread.value.line, spread.value.field) == (1, local.value.field)
    assert "org.apache" not in str(spread.value)


def test_spark_giving_up_is_said(spark: Cluster) -> None:
    def fail(item: int, attempt: int) -> int:
        raise OSError(28, "No space left on device")

    with pytest.raises(SparkError, match=r"Spark gave up: OSError: \[Errno 28\] No space left on device"):
        spark.run(fail, [1])


def test_results_are_in_order(spark: Cluster) -> None:
    found = spark.run(lambda item, attempt: (item, attempt), list("abcdef"))
    assert [item for item, _ in found] == list("abcdef")  # type: ignore[misc]
    assert len({attempt for _, attempt in found}) == 6  # type: ignore[misc]
    assert spark.run(lambda item, attempt: item, []) == []
