"""One Spark session for the tests of a cluster: two cores of this machine, bound to loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from engines import Runs

from billproof.spark.cluster import Cluster, cluster

#: A task may be lost three times: with plain ``local[2]`` none would be tried again.
SETTINGS = {"spark.master": "local[2, 4]", "spark.driver.memory": "1g"}


@pytest.fixture(scope="session", autouse=True)
def spark() -> Iterator[Cluster]:
    """Kept for all tests, since it takes seconds to start: the engine takes a session that is there."""
    with cluster(SETTINGS) as running:
        yield running


@pytest.fixture
def run(tmp_path: Path) -> Runs:
    return Runs(tmp_path)
