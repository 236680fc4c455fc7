"""A cluster inside the process, to try slices and parts in numbers; Spark itself is in tests/spark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engines import InProcess, Runs, compare

from billproof.billing_run import BatchResult
from billproof.spark import engine as module
from billproof.spark.engine import SparkEngine


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> InProcess:
    cluster = InProcess()
    monkeypatch.setattr(module, "cluster", cluster)
    return cluster


@pytest.fixture
def run(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


@pytest.fixture
def same(run: Runs, inside: InProcess) -> Callable[..., BatchResult]:
    """Batches files with both engines and compares all that came of it."""

    def call(
        files: list[Path], slice_bytes: int = 500, part_bytes: int = 2000, **options: Any
    ) -> BatchResult:
        local = run(files, **options)
        spread = run(files, SparkEngine(slice_bytes=slice_bytes, part_bytes=part_bytes), **options)
        compare(spread, local)
        return spread

    return call
