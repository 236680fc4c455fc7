"""Lock files hold what every machine needs, so that installing never writes them, and name no registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

HOME = Path(__file__).parents[2]


@pytest.fixture(params=["package-lock.json", "web/package-lock.json"])
def packages(request: pytest.FixtureRequest) -> dict[str, Any]:
    lock: dict[str, Any] = json.loads((HOME / request.param).read_bytes())
    return dict(lock["packages"])


def test_packages_of_other_platforms_are_locked_too(packages: dict[str, Any]) -> None:
    """Without them `npm ci` refuses the file, and `npm install` adds them to it."""
    wanted = {name for package in packages.values() for name in package.get("optionalDependencies", {})}
    locked = {place.rpartition("node_modules/")[2] for place in packages}
    assert wanted <= locked


def test_no_registry_is_named(packages: dict[str, Any]) -> None:
    assert not [place for place, package in packages.items() if "resolved" in package]


def test_installing_leaves_the_lock_alone() -> None:
    assert "npm install" not in (HOME / "run").read_text()
