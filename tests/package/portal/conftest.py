"""One small month, and a client of a portal over it."""

from __future__ import annotations

import pytest
from portals import Client, World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("portal"))


@pytest.fixture
def client(world: World) -> Client:
    return world.client()
