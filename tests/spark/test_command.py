"""The command line with Spark: by itself, by spark-submit, and where something is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from engines import MAPPING, rows_of, text_of

PROGRAM = [sys.executable, "-m", "billproof"]


@pytest.fixture
def month(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text(text_of(rows_of(100, 1)))
    (tmp_path / "map.toml").write_text(MAPPING)
    return tmp_path


def batch(
    home: Path, store: str, *words: str, program: list[str] = PROGRAM, **environment: str
) -> subprocess.CompletedProcess[str]:
    command = [*program, "batch", "--operator", "1", "--period", "202610", "--chain-id", "31337", "--json"]
    command += ["--store", str(home / store), "--secrets", str(home / "secrets")]
    command += ["--format", "csv", "--mapping", str(home / "map.toml"), *words]
    known = {key: value for key, value in os.environ.items() if not key.startswith(("PYSPARK", "SPARK"))}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, env={**known, **environment}
    )


def root(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["root"])


def javas() -> set[str]:
    """The Java processes that descend from this one."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"java" in status.read_bytes().split(b"\0")[0]:
                found.add(status.parent.name)
        except OSError:
            continue
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc")
def test_the_command_and_spark_submit(month: Path) -> None:
    local = root(batch(month, "local", str(month / "a.csv")))
    before = javas()
    uri = (month / "a.csv").as_uri()
    spark = ("--engine", "spark")
    assert root(batch(month, "own", uri, *spark, "--spark", "spark.master=local[1]")) == local
    package = Path(__import__("billproof").__file__)
    submit = [str(Path(sys.executable).with_name("spark-submit")), "--master", "local[1]"]
    submit += ["--conf", "spark.driver.bindAddress=127.0.0.1", "--conf", "spark.driver.host=127.0.0.1"]
    submit += ["--conf", "spark.ui.enabled=false", str(package.with_name("__main__.py"))]
    submitted = batch(
        *(month, "submitted", uri, *spark, "--scratch", str(month)),
        program=submit,
        PYSPARK_PYTHON=sys.executable,
        SPARK_LOCAL_IP="127.0.0.1",
    )
    assert root(submitted) == local
    assert not list(month.glob(".spark-*"))
    assert javas() <= before, "no process is left"


def test_without_pyspark(month: Path) -> None:
    hidden = "import sys; sys.modules['pyspark'] = None; from billproof.cli import main; main()"
    done = batch(
        *(month, "store", str(month / "a.csv"), "--engine", "spark"), program=[sys.executable, "-c", hidden]
    )
    assert done.returncode == 2
    assert "PySpark is not installed" in done.stderr
    assert "billproof[spark]" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_java(month: Path) -> None:
    done = batch(month, "store", str(month / "a.csv"), "--engine", "spark", PATH=str(month), JAVA_HOME="")
    assert done.returncode == 2
    assert "Java is missing" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_master_that_is_not_there(month: Path) -> None:
    words = ("--engine", "spark", "--spark", "spark.master=marzipan")
    done = batch(month, "store", str(month / "a.csv"), *words)
    assert done.returncode == 2
    assert "Spark does not start" in done.stderr
    assert "Traceback (most recent call last)" not in done.stderr
