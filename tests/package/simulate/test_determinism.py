"""The same arguments give the same bytes: on every machine, for every version of numpy."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from billproof.simulate import FORMATS, simulate
from billproof.simulate.draws import Draws

#: SHA-256 over names and contents of all files of the run below. A change of the model changes it; an
#: upgrade of numpy or Arrow must not.
PINNED = "1e9406fc32bc6c80d4fe371c9c78023a3365df465ffb0376966cdb856acfc5db"

#: The same with phone logs and labels. Databases of iPhones are left out: SQLite writes its own version
#: into them.
PINNED_LOGS = "2250908609e03f0c893b33192c886aa83258aaac695f8f43cfc413cc835e346a"


def digest(root: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        if path.suffix == ".storedata":
            continue
        total.update(f"{path.relative_to(root).as_posix()}\n".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def run(out: Path, seed: int = 3) -> str:
    simulate(
        out, operators=2, subscribers=30, period=202610, seed=seed, formats=list(FORMATS), rejects=9,
        other_periods=9,
    )  # fmt: skip
    return digest(out)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    assert run(tmp_path / "a") == run(tmp_path / "b") == PINNED


def test_another_seed_gives_other_bytes(tmp_path):
    assert run(tmp_path / "a") != run(tmp_path / "b", seed=4)


def test_streams_are_stable_and_apart():
    assert Draws(1, 2, 3).u16(3).tolist() == Draws(1, 2, 3).u16(3).tolist()
    assert Draws(1, 2, 3).u16(8).tolist() != Draws(1, 3, 2).u16(8).tolist()
    values = Draws(1).below(10, 10_000)
    assert set(values.tolist()) == set(range(10))


def test_phone_logs_and_errors_are_the_same_everywhere(tmp_path):
    simulate(
        tmp_path, operators=2, subscribers=60, period=202610, seed=3, formats=["csv", "asterisk"],
        phone_logs=True, errors=0.02,
    )  # fmt: skip
    assert digest(tmp_path) == PINNED_LOGS


@pytest.mark.parametrize("records", [0.1, 3])
@pytest.mark.parametrize("formats", [["csv"], ["asterisk"], list(FORMATS)])
def test_hardly_any_traffic_is_no_trouble(tmp_path, records, formats):
    simulation = simulate(
        tmp_path, operators=1, subscribers=1, period=202602, seed=9, formats=formats,
        records_per_subscriber=records, phone_logs=True, errors=0.5,
    )  # fmt: skip
    assert (tmp_path / simulation.labels).exists()
