"""Files by path and URI: what is listed is what is opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from engines import InProcess, Runs, rows_of, text_of

from billproof.errors import InputError
from billproof.intake.delimited import DelimitedReader, Layout
from billproof.intake.splitting import Dialect
from billproof.spark import engine
from billproof.spark.files import File
from billproof.spark.slices import head_of

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


def test_scratch_files_that_stay_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "scratch"
    with File.named(place).as_directory():
        place.rmdir()
        place.touch()  # no directory any more, so that it cannot be deleted as one
    assert f"scratch files with call records are left; delete {place}" in capsys.readouterr().err
    place.unlink()
    with File.named(place).as_directory():
        (place / "piece").touch()
    with File.named(place).as_directory():
        place.rmdir()
    assert capsys.readouterr().err == ""
    assert not place.exists()


@pytest.mark.parametrize("strip", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("line", ['""', "", " ", "\t", '" "', '""""', "\ufeff", ",", '"",', "x", '"a', 'a"b'])
def test_the_header_is_the_line_that_the_reader_takes(
    tmp_path: Path, line: str, encoding: str, strip: bool
) -> None:
    text = f"{line}\nname\nvalue\n".encode()
    layout = Layout(encoding, Dialect(ord(","), ord('"'), strip), 0, (), None)
    (tmp_path / "a.csv").write_bytes(text)
    reader = DelimitedReader(tmp_path / "a.csv", layout, frozenset())
    try:
        list(reader)
    except InputError:
        assert head_of(text, layout) is None
        return
    if (head := head_of(text, layout)) is None:
        assert line.count('"') % 2, "every header of one line can be cut off"
        return
    (tmp_path / "head.csv").write_bytes(head)
    alone = DelimitedReader(tmp_path / "head.csv", layout, frozenset())
    assert list(alone) == [], "there is no row in the header"
    assert alone._names == reader._names


def test_the_directory_goes_after_spark_has_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = []

    @contextmanager
    def cluster(settings: Any) -> Iterator[InProcess]:
        yield InProcess()
        there.extend((tmp_path / "scratch").glob(".spark-*"))

    monkeypatch.setattr(engine, "cluster", cluster)
    (tmp_path / "a.csv").write_text(text_of(rows_of(20, 1)))
    Runs(tmp_path)([tmp_path / "a.csv"], engine.SparkEngine(scratch=str(tmp_path / "scratch")))
    assert len(there) == 1
    assert not there[0].exists()
