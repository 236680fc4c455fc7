"""Tariff files by hash: the exact bytes, or nothing, and no way to any other file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from portals import Client, World

from billproof.commitment.keccak import keccak

CONTENT = b'schema = "billproof/tariff/1"\nname = "Flex"\n'
HASH = "0x" + keccak(CONTENT).hex()


@pytest.fixture
def kept(world: World) -> Iterator[Client]:
    """A client of a portal whose store keeps one tariff, and a file that is not what its name says."""
    folder = world.batch.path / "tariffs"
    folder.mkdir()
    files = [folder / f"{HASH}.toml", folder / f"{'0x' + '5a' * 32}.toml"]
    for file in files:
        file.write_bytes(CONTENT)
    yield world.client()
    for file in files:
        file.unlink()
    folder.rmdir()


def test_a_tariff_is_served_by_its_hash_to_pages_of_any_origin(kept: Client) -> None:
    answer = kept.get(f"/tariffs/{HASH}")
    assert answer.status_code == 200
    assert answer.content == CONTENT
    assert answer.headers["Content-Type"].startswith("application/toml")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    [
        "0x" + "5a" * 32,  # another content under this name
        "0x" + "11" * 32,
        HASH[2:],
        HASH.upper(),
        f"{HASH}.toml",
        "..%2f..%2fbatch.json",
        "*",
        "0x" + "?" * 64,
        "",
    ],
)
def test_nothing_else_is(kept: Client, name: str) -> None:
    answer = kept.get(f"/tariffs/{name}")
    assert answer.status_code in (404, 422)
    assert "Flex" not in answer.text


def test_an_operator_that_the_portal_does_not_speak_for_has_no_tariffs(kept: Client, world: World) -> None:
    assert world.client(operators=(2,)).get(f"/tariffs/{HASH}").status_code == 404


def test_the_description_names_it(kept: Client) -> None:
    assert "/tariffs/{tariff}" in kept.get("/openapi.json").json()["paths"]
