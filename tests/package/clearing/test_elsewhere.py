"""What whoever clears is told of records on none of the agreement's routes."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from billproof.clearing.agreement.agreement import load_agreement
from billproof.clearing.document.elsewhere import advice
from billproof.clearing.document.form import BookForm
from billproof.clearing.document.reading import load_clear
from billproof.cli.clear import clear
from billproof.simulate.partners import partner_books


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("partners")
    partner_books(1_000, 4, ()).write(place)
    return place


def _clear(home: Path, agreement: Path, *more: str) -> tuple[str, str]:
    words = [str(home / "ours"), str(home / "theirs"), "--agreement", str(agreement), "--as", "1", *more]
    done = CliRunner().invoke(clear, words, standalone_mode=False, catch_exceptions=False)
    return done.stdout, done.stderr


def _agreement(home: Path, name: str, routes: str) -> Path:
    file = home / name
    head = (home / "agreement.toml").read_text().split("[routes]")[0].split("[[models]]")[0]
    file.write_text(f"{head}\n{routes}")
    return file


def test_clear_says_so(home: Path, tmp_path: Path) -> None:
    few = _agreement(home, "few.toml", '[routes]\nnone = ["+999"]\n')
    out, err = _clear(home, few)
    assert "1,000 of 1,000 records of Meridian's book and 1,000 of 1,000 records of Skylark's" in err
    assert "Add what is missing to the agreement" in err
    assert "elsewhere" not in out
    _, err = _clear(home, few, "--json")
    assert "'elsewhere'" in err


def test_an_agreement_without_routes_has_nothing_to_say(home: Path) -> None:
    assert "elsewhere" not in _clear(home, _agreement(home, "bare.toml", ""))[1]


@pytest.mark.parametrize(
    ("ours", "theirs", "whose"),
    [(100, 100, ()), (101, 100, ("Meridian",)), (0, 101, ("Skylark",)), (500, 500, ("Meridian", "Skylark"))],
)
def test_more_than_a_tenth_is_told(
    ours: int, theirs: int, whose: tuple[str, ...], home: Path, tmp_path: Path
) -> None:
    agreement = _agreement(home, "few.toml", '[routes]\nnone = ["+999"]\n')
    _clear(home, agreement, "--out", str(tmp_path / "clear.json"))
    file = load_clear(tmp_path / "clear.json")
    (everything,) = file.routes
    part = replace(everything, ours=BookForm(ours, "0"), theirs=BookForm(theirs, "0"))
    found = advice(replace(file, routes=[part]), load_agreement(agreement))
    assert bool(found) == bool(whose)
    assert [name for name in ("Meridian", "Skylark") if f"{name}'s book" in (found or "")] == list(whose)
