"""Spark itself: a session, and calls made once for each of many items, in order, by its tasks."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import pyarrow as pa

from billproof.commitment.pool import THREADS_VARIABLE
from billproof.errors import BillproofError

T = TypeVar("T")
R = TypeVar("R")

#: All cores of this machine, where no cluster is named; a task may be lost three times.
_HERE = "local[*, 4]"

#: Set by ``spark-submit`` in the programs that it starts.
_SUBMITTED = "PYSPARK_GATEWAY_PORT"


class SparkError(BillproofError):
    """Spark is not there, does not start, or gave up."""


class Cluster:
    """A running Spark session."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def run(self, work: Callable[[T, int], R], items: Sequence[T]) -> list[R | BillproofError]:
        """``work(item, attempt)`` for every item, one task each; in order, with errors of ours in place.

        ``attempt`` is a number that no other task has, nor another try of the same. A task that is lost, or
        fails with any other error, is tried again as Spark is told to; :class:`SparkError` when it gave up.
        """
        if not items:
            return []
        from py4j.protocol import Py4JError  # pyspark is not there in every installation
        from pyspark.errors import PySparkException

        count = len(items)
        tasks = self._session.range(0, count, 1, count).mapInArrow(
            _Calls(work, items).each, "id long, outcome binary"
        )
        try:
            found = {row.id: pickle.loads(row.outcome) for row in tasks.collect()}  # noqa: S301 - our own
        except (PySparkException, Py4JError) as error:
            raise SparkError(
                f"Spark gave up: {_cause(str(error))}", advice="See the logs of the executors."
            ) from error
        return [found[at] for at in range(count)]


class _Calls(Generic[T, R]):
    """What a task gets: a call and all its items."""

    def __init__(self, work: Callable[[T, int], R], items: Sequence[T]) -> None:
        self._work = work
        self._items = items

    def each(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext

        context = TaskContext.get()
        assert context is not None  # noqa: S101 - this is a task
        os.environ[THREADS_VARIABLE] = str(context.cpus())
        for batch in batches:
            for at in batch.column(0).to_pylist():
                try:
                    outcome: Any = self._work(self._items[at], context.taskAttemptId())
                except BillproofError as error:  # the same in every try
                    outcome = error
                columns = [pa.array([at], pa.int64()), pa.array([pickle.dumps(outcome)], pa.binary())]
                yield pa.record_batch(columns, names=["id", "outcome"])


@contextmanager
def cluster(settings: Mapping[str, str]) -> Iterator[Cluster]:
    """A Spark session with these settings: that of ``spark-submit``, of the program, or one of its own."""
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise SparkError(
            "PySpark is not installed",
            advice="Install billproof[spark] and Java 17, here and on every machine of the cluster; see "
            "docs/scaling.md.",
        ) from error
    active = SparkSession.getActiveSession()
    if active is not None:
        yield Cluster(active)
        return
    builder = SparkSession.builder.appName("billproof")
    for key, value in {**_defaults(settings), **settings}.items():
        builder = builder.config(key, value)
    try:
        session = builder.getOrCreate()
    except (PySparkException, OSError) as error:
        raise SparkError(f"Spark does not start: {_cause(str(error))}", advice="Check --spark.") from error
    try:
        yield Cluster(session)
    finally:
        session.stop()


def _defaults(settings: Mapping[str, str]) -> dict[str, str]:
    """What is set where neither ``spark-submit`` nor the user says so: on one machine, nobody is let in."""
    if _SUBMITTED in os.environ:
        return {}
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        raise SparkError("Java is missing", advice="Install Java 17, for instance openjdk-17-jre-headless.")
    master = settings.get("spark.master", _HERE)
    if not master.startswith("local"):
        return {}
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    return {
        "spark.master": master,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "FATAL",
    }


def _cause(said: str) -> str:
    """The last error that a Java or Python trace names, else its first line."""
    named = re.findall(r"^(?:Caused by: )?([\w.]*(?:Error|Exception|Exit)\b: .*)$", said, re.MULTILINE)
    lines = named[-1:] or [line for line in said.splitlines() if line.strip()][:1] or ["no reason given"]
    return str(lines[0])[:500]
