"""``bundles --pdf``: every account's invoice, in a directory or an archive, verified as a directory."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from billproof.bundle.pdf import read_attachment
from billproof.cli import main

ROWS = [{"account": account, "started_at": 1_790_933_700 + at} for account in "ABC" for at in range(3)]
BATCH = ("--operator", "1", "--period", "202610", "--store", "store", "--secrets", "secrets", "--json")


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str],
    build: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., tuple[int, Any]]:
    """Runs a command in a directory with a batch of three accounts: exit code and JSON."""
    build(tmp_path, ROWS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BILLPROOF_TRUST", str(tmp_path / "trust.json"))

    def call(*words: str) -> tuple[int, Any]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(list(words))
        return int(stop.value.code or 0), json.loads(capsys.readouterr().out)

    return call


def test_invoices_carry_the_very_bundles(run: Callable[..., tuple[int, Any]]) -> None:
    assert run("bundles", *BATCH, "--out", "plain")[0] == 0
    look = ("--pdf", "--locale", "fr_FR", "--operator-name", "Méridien", "--link", "https://check.example/")
    assert run("bundles", *BATCH, *look, "--out", "paper")[1]["bundles"] == 3
    for account in "ABC":
        made = Path(f"paper/{account}.0-1.pdf")
        assert read_attachment(made) == Path(f"plain/{account}.0-1.json").read_bytes()
    run("bundles", *BATCH, *look, "--archive", "paper.zip")
    with zipfile.ZipFile("paper.zip") as archive:
        assert archive.read("A.0-1.pdf") == Path("paper/A.0-1.pdf").read_bytes()
    code, said = run("verify", "paper", "--json")
    assert code == 4  # no node is known here
    steps = [{step["name"]: step["verdict"] for step in file["steps"]} for file in said["files"]]
    assert [(found["file"], found["page"]) for found in steps] == [("valid", "valid")] * 3
    assert run("show", "paper/A.0-1.pdf", "--json")[1]["lines"][2]["line"] == 3


@pytest.mark.parametrize("bad", [("--locale", "xx"), ("--font", "none.ttf"), ("--link", "example.org")])
def test_what_cannot_be_printed_is_said_before_anything_is(
    run: Callable[..., tuple[int, Any]], bad: tuple[str, ...]
) -> None:
    assert run("bundles", *BATCH, "--pdf", *bad, "--out", "paper")[0] == 2
    assert not Path("paper").exists() or not list(Path("paper").iterdir())
