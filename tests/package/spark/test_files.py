"""Files by path and URI: what is listed is what is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from billproof.errors import InputError
from billproof.spark.files import File

NAMES = ["a%41.csv", "aA.csv", "b#c.csv", "d?e.csv", "sp ace.csv", "up%2F..%2Fx.csv", "ü.csv"]


@pytest.mark.parametrize("folder", ["in", "q?dir", "50%25"])
@pytest.mark.parametrize("as_uri", [False, True])
def test_every_listed_file_opens_as_itself(tmp_path: Path, folder: str, as_uri: bool) -> None:
    home = tmp_path / folder
    home.mkdir()
    for name in NAMES:
        (home / name).write_text(name, encoding="utf-8")
    found = File.named(home.as_uri() if as_uri else home).listed()
    assert [file.name for file in found] == sorted(NAMES)
    for file in found:
        with file.open() as stream:
            assert stream.read().decode() == file.name


def test_a_directory_within_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    (tmp_path / "_temporary").mkdir()
    assert [file.name for file in File.named(tmp_path).listed()] == ["a.csv"]
    (tmp_path / "day=01").mkdir()
    with pytest.raises(InputError, match="holds the directory day=01"):
        File.named(tmp_path).listed()
