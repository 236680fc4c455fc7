"""The operator's audit finds every change of a stored record, wherever a slice of them begins or ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from billproof import audit_records
from billproof.errors import DifferenceError
from billproof.store import StoredBatch

COUNTS = {"a": 1, "b": 5, "c": 2, "d": 9, "e": 1}
ROWS = [
    {"account": account, "started_at": 1_790_933_700 + at, "amount": 10**at}
    for account, count in COUNTS.items()
    for at in range(count)
]
CHANGED = {
    "account": "z",
    "service": 2,
    "started_at": 1,
    "utc_offset": 0,
    "usage": 1,
    "billed_usage": 1,
    "number": "+1",
    "network": "262-02",
    "amount": 3,
    "rate": "other",
    "corrects": b"\x01" * 32,
}


@pytest.fixture(scope="module")
def built(build: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = build(tmp_path_factory.mktemp("audited"), ROWS)
    (made.stored.path / "intake.json").write_text(json.dumps({"committed": len(ROWS)}))
    return made


@pytest.fixture(params=[1, 2, 3, 7, 1 << 16], autouse=True)
def slices(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_records, "_SLICE", request.param)


def derive(built: Any) -> None:
    stored = StoredBatch.open(built.stored.path)
    assert audit_records.audit_records(stored) == len(ROWS)
    audit_records.audit_openings(stored, built.vault)


def test_an_honest_batch_passes(built: Any) -> None:
    derive(built)


@pytest.mark.parametrize("name", CHANGED)
@pytest.mark.parametrize("row", [0, 3, len(ROWS) - 1])
def test_a_changed_record_is_found(built: Any, monkeypatch: pytest.MonkeyPatch, name: str, row: int) -> None:
    read = StoredBatch.records_of

    def changed(stored: StoredBatch, first: int, count: int) -> pa.Table:
        records = read(stored, first, count)
        rows = records.to_pylist()
        if first <= row < first + count:
            rows[row - first][name] = CHANGED[name]
        return pa.Table.from_pylist(rows, records.schema)

    monkeypatch.setattr(StoredBatch, "records_of", changed)
    told = {
        "account": "a statement holds another account's record",
        "amount": "a total is not the sum of its records",
    }.get(name, "records_root does not follow from records and secrets")
    with pytest.raises(DifferenceError, match=told):
        derive(built)


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("count", 1, "do not cover the records"),
        ("first", 1, "do not cover the records"),
        ("total", 1, "a total is not the sum"),
    ],
)
def test_a_changed_entry_is_found(
    built: Any, monkeypatch: pytest.MonkeyPatch, name: str, change: int, told: str
) -> None:
    entries = built.stored.entries
    at = entries.column_names.index(name)
    values = entries[name].to_pylist()
    values[2] += change
    monkeypatch.setitem(
        vars(built.stored),
        "entries",
        entries.set_column(at, entries.schema.field(at), pa.array([values]).flatten()),
    )
    with pytest.raises(DifferenceError, match=told):
        audit_records.audit_records(built.stored)


def test_the_sums_of_the_summary_are_compared(built: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"records": "17", "statements": "6", "totals": {"EUR": "1"}}.items():
        stored = StoredBatch.open(built.stored.path)
        monkeypatch.setitem(stored.summary, name, value)
        with pytest.raises(DifferenceError, match=r"batch\.json: its counts or totals"):
            audit_records.audit_records(stored)
    monkeypatch.setattr(Path, "read_bytes", lambda path: b'{"committed": 17}')
    with pytest.raises(DifferenceError, match=r"intake\.json: counts 17 records"):
        audit_records.audit_records(built.stored)
