"""Clearings by Spark itself: the document of one machine to the byte, lost tasks made good, the command.

Parts, pieces and refusals are tried in numbers in tests/package/spark, without Spark.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clearings import local_document, spread_document

from billproof.simulate.partners import partner_books
from billproof.spark.clearing import SparkClearing
from billproof.spark.clearing_tasks import Dealing, Stepping
from billproof.spark.cluster import Cluster

Books = tuple[Path, Path, Path]


@pytest.fixture(scope="session")
def books(tmp_path_factory: pytest.TempPathFactory) -> Books:
    """Two books with all errors, and the agreement."""
    return partner_books(110_000, 3).write(tmp_path_factory.mktemp("books"))


@pytest.fixture(scope="session")
def told(books: Books) -> bytes:
    """The document of one machine."""
    return local_document(*books)


@pytest.mark.parametrize("parts", [1, 3, 7])
def test_the_document_is_that_of_one_machine(parts: int, books: Books, told: bytes, tmp_path: Path) -> None:
    engine = SparkClearing({}, str(tmp_path), -(-230_000 // parts), source_records=50_000)
    assert spread_document(engine, *books) == told
    assert not list(tmp_path.iterdir())


def _once(step: Any, marker: Path) -> Callable[[Any, int], Any]:
    """A task that kills its process the first time that it is through, as a machine would be lost."""

    def call(item: Any, attempt: int) -> Any:
        done = step(item, attempt)  # its files are written, and nobody will hear of them
        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return done
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    return call


@pytest.mark.parametrize("step", [Dealing, Stepping])
def test_killed_processes_do_no_harm(step: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    books, plain, marker = (
        partner_books(20_000, 4).write(tmp_path / "books"),
        Cluster.run,
        tmp_path / "killed",
    )

    def with_a_kill(cluster: Cluster, work: Callable[..., Any], items: Any) -> Any:
        return plain(cluster, _once(work, marker) if isinstance(work, step) else work, items)

    monkeypatch.setattr(Cluster, "run", with_a_kill)
    spread = spread_document(SparkClearing({}, str(tmp_path), 15_000), *books)
    assert marker.exists()
    assert spread == local_document(*books)


def test_the_command(books: Books, tmp_path: Path) -> None:
    ours, theirs, agreement = map(str, books)
    command = [sys.executable, "-m", "billproof", "clear", ours, theirs, "--agreement", agreement]
    command += ["--as", "1", "--json", "--engine", "spark", "--spark", "spark.master=local[2]"]
    command += ["--scratch", str(tmp_path), "--csv", str(tmp_path / "differences")]
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYSPARK", "SPARK"))
    }
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, env=environment)
    assert done.returncode == 1, done.stderr
    local = subprocess.run(
        [*command[: command.index("--engine")], "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert json.loads(done.stdout) == json.loads(local.stdout)
    assert [file.name for file in (tmp_path / "differences").iterdir()] == ["part-00000.csv"]
    refused = subprocess.run(
        [*command[:-2], "--proofs", str(tmp_path / "proofs")],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert refused.returncode == 2
    assert "--proofs" in refused.stderr
