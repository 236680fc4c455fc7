"""Files written on the spot, read back through the public seam."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from billproof.intake import REJECTS, read, scanner
from billproof.records import SCHEMA

SAMPLES = Path(__file__).parents[4] / "shared" / "samples"

#: A mapping for files with the header ``acc,kind,at,use,who,price``.
PLAIN = """
[account]
column = "acc"
[service]
column = "kind"
values = { call = 1, sms = 4, data = 6 }
[time]
column = "at"
[usage]
column = "use"
[number]
column = "who"
[amount]
column = "price"
[currency]
value = "EUR"
"""
HEADER = "acc,kind,at,use,who,price\n"
GOOD = "A1,call,2026-11-05T10:00:00,60,+353861234567,0.25\n"


@dataclass(frozen=True)
class Outcome:
    """Everything that came out of a file."""

    records: list[dict[str, Any]]
    rejects: list[dict[str, Any]]
    rows: int
    other_periods: int

    @property
    def reasons(self) -> list[tuple[int, str, str]]:
        return [(row["line"], row["field"], row["reason"]) for row in self.rejects]

    def column(self, name: str) -> list[Any]:
        return [record[name] for record in self.records]


Run = Callable[..., Outcome]


@pytest.fixture(scope="module", params=["numpy", "compiled"], autouse=True)
def loops(request: pytest.FixtureRequest) -> Iterator[str]:
    """Which of the two implementations takes files apart, whatever their size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanner, "_state", scanner._State())
        patch.setattr(scanner, "LARGE", 0 if request.param == "compiled" else 1 << 62)
        assert (scanner.scanner(1) is not None) == (request.param == "compiled")
        yield request.param


def outcome(path: Path, form: str, period: int, mapping: Path | None) -> Outcome:
    """Read a whole file, checking what holds for every chunk."""
    records: list[dict[str, Any]] = []
    rejects: list[dict[str, Any]] = []
    rows = others = 0
    for chunk in read(path, form, period=period, mapping=mapping):
        assert chunk.records.schema == SCHEMA
        assert chunk.rejects.schema == REJECTS
        assert chunk.rows == chunk.records.num_rows + chunk.rejects.num_rows + chunk.other_periods
        chunk.records.validate(full=True)
        chunk.rejects.validate(full=True)
        assert all(column.null_count == 0 for column in (*chunk.records.columns, *chunk.rejects.columns))
        records += chunk.records.to_pylist()
        rejects += chunk.rejects.to_pylist()
        rows += chunk.rows
        others += chunk.other_periods
    assert rows == len(records) + len(rejects) + others
    assert {row["source"] for row in records + rejects} <= {path.name}
    return Outcome(records, rejects, rows, others)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """``run(text_or_bytes, mapping_toml, form="csv", period=202611)``."""
    folder = tmp_path_factory.mktemp("intake")

    def call(
        content: str | bytes, mapping: str | None = PLAIN, form: str = "csv", period: int = 202611
    ) -> Outcome:
        path, toml = folder / "calls.csv", folder / "mapping.toml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        if mapping is not None:
            toml.write_text(mapping, encoding="utf-8")
        return outcome(path, form, period, toml if mapping is not None else None)

    return call


@pytest.fixture(scope="session")
def plain() -> str:
    """The mapping :data:`PLAIN`."""
    return PLAIN


@pytest.fixture(scope="session")
def good() -> tuple[str, str]:
    """Header and one good row for :data:`PLAIN`."""
    return HEADER, GOOD


@pytest.fixture(scope="session")
def sample() -> Callable[[str], Path]:
    """A published sample file by its path; skips where it is not at hand."""

    def find(name: str) -> Path:
        path = SAMPLES / name
        if not path.exists():
            pytest.skip(f"sample data {name} is not at hand (it is not part of the project)")
        return path

    return find


@pytest.fixture(scope="session")
def read_all() -> Callable[..., Outcome]:
    """``outcome`` for tests that bring their own file."""
    return outcome
