"""Exports from a store: files and archives hold the same, go where they were told, and overwrite nothing."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from billproof.bundle import cut
from billproof.bundle import documents as doc
from billproof.cli import main
from billproof.errors import InputError
from billproof.verification import read_document

ROWS = [{"account": account, "started_at": 1_790_933_700 + at} for account in "ABC" for at in range(3)]


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str],
    build: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Any]:
    """Runs an export of a batch of three accounts in a directory of its own: exit code and JSON."""
    build(tmp_path, ROWS)
    monkeypatch.chdir(tmp_path)

    def call(command: str, *words: str) -> tuple[int, Any]:
        capsys.readouterr()
        batch = (
            "--operator",
            "1",
            "--period",
            "202610",
            "--store",
            "store",
            "--secrets",
            "secrets",
            "--json",
        )
        with pytest.raises(SystemExit) as stop:
            main([command, *batch, *words])
        return int(stop.value.code or 0), json.loads(capsys.readouterr().out)

    return call


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def files(path: Path) -> dict[str, bytes]:
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.iterdir()} == {0o600}
    return {file.name: file.read_bytes() for file in path.iterdir()}


def test_an_archive_holds_the_very_files(run: Callable[..., Any]) -> None:
    assert run("bundles", "--out", "bundles")[1]["bundles"] == 3
    code, said = run("bundles", "--archive", "bundles.zip", "--account-keys", "keys")
    assert (code, said["bundles"], said["accountKeys"], said["out"]) == (0, 3, 3, "bundles.zip")
    assert stat.S_IMODE(Path("bundles.zip").stat().st_mode) == 0o600
    assert members(Path("bundles.zip")) == files(Path("bundles"))
    assert set(files(Path("bundles"))) == {f"{account}.0-1.json" for account in "ABC"}


@pytest.mark.parametrize("hide", [[], ["--hide-number"]])
def test_receipts_of_chosen_accounts(run: Callable[..., Any], hide: list[str]) -> None:
    chosen = ("--account", "C", "--account", "A", *hide)
    assert run("bundles", "--out", "bundles")[0] == 0
    assert run("receipts", *chosen, "--out", "receipts")[1] == {
        "schema": "billproof/receipts/1",
        "out": "receipts",
        "receipts": 6,
        "numbersShown": not hide,
    }
    assert run("receipts", *chosen, "--archive", "receipts.zip")[0] == 0
    expected = {}
    for account in "AC":
        bundle = doc.parse(Path(f"bundles/{account}.0-1.json").read_bytes())
        for line in range(3):
            receipt = cut.receipt(bundle, line, show_number=not hide)  # type: ignore[arg-type]
            expected[f"{account}.0-1.{line}.json"] = doc.encode(receipt)
    assert files(Path("receipts")) == members(Path("receipts.zip")) == expected


@pytest.mark.parametrize("command", [("bundles",), ("receipts", "--account", "A")])
@pytest.mark.parametrize("where", [("--out", "here"), ("--archive", "here.zip")])
def test_nothing_is_overwritten_unasked(
    run: Callable[..., Any], command: tuple[str, ...], where: tuple[str, ...]
) -> None:
    assert run(*command, *where)[0] == 0
    code, said = run(*command, *where)
    assert code == 2
    assert "is there already" in said["message"]
    assert run(*command, *where, "--force")[0] == 0


@pytest.mark.parametrize("where", [(), ("--out", "here", "--archive", "here.zip")])
def test_files_go_to_one_place(run: Callable[..., Any], where: tuple[str, ...]) -> None:
    for command in (("bundles",), ("receipts", "--account", "A")):
        code, said = run(*command, *where)
        assert (code, said["message"]) == (2, "give either --out DIRECTORY or --archive FILE")


def test_an_unknown_account_is_named_before_anything_is_written(run: Callable[..., Any]) -> None:
    for command in ("bundles", "receipts"):
        code, said = run(command, "--account", "B", "--account", "nobody", "--archive", "here.zip")
        assert (code, said["message"]) == (2, "store: no statement of account nobody")
    assert not Path("here.zip").exists()


def test_who_verifies_an_archive_is_told_to_unpack_it(run: Callable[..., Any]) -> None:
    assert run("bundles", "--archive", "bundles.zip")[0] == 0
    with pytest.raises(InputError, match="this is a ZIP archive") as caught:
        read_document(Path("bundles.zip"))
    assert "Unpack it first" in caught.value.advice
