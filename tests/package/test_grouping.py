"""A batch made in parts is the batch made at once: same statements, same root, for batches of every shape."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billproof import grouping as module
from billproof.batch_id import BatchId
from billproof.commit import RootedStatements, commit, commit_statements, root_statements
from billproof.commitment.keccak import keccak
from billproof.grouping import Grouping, parts_for
from billproof.records import SCHEMA, ZERO32
from billproof.secret_store import SecretStore
from billproof.statement_tariffs import StatementTariffs
from billproof.statements import STRAYS, arrange, repeated

ROW = st.fixed_dictionaries(
    {
        "account": st.sampled_from([*"abcdefgh", "ä", "00", "\U0001f4de", "a longer account number"]),
        "started_at": st.integers(0, 5),
        "service": st.sampled_from([1, 1, 4, 32]),
        "usage": st.integers(0, 2),
        "number": st.sampled_from(["", "+4930123456", "+353209100001"]),
        "network": st.sampled_from(["", "262-01"]),
        "amount": st.integers(-5, 1 << 40),
        "currency": st.sampled_from(["EUR", "EUR", "USD"]),
        "corrects": st.sampled_from([ZERO32, ZERO32, b"\x01" * 32, bytes(31) + b"\x07"]),
        "source": st.sampled_from(["one.csv", "two.csv"]),
    }
)
SHAPES = {
    "one record": [{}],
    "one account": [{"started_at": 1000 - at, "amount": at} for at in range(300)],
    "accounts of one record": [{"account": str(at)} for at in range(300)],
    "one large account among small ones": [{"account": str(max(0, at - 5000))} for at in range(5100)],
}


def deal(rows: pa.Table, home: Path, parts: int, rows_a_batch: int) -> Grouping:
    grouping = Grouping(home / f".{parts}", parts)
    for batch in rows.to_batches(max_chunksize=rows_a_batch):
        grouping.add(grouping.split(batch))
    grouping.close()
    return grouping


def check(rows: pa.Table, home: Path, batch: BatchId, parts: int, rows_a_batch: int = 1000) -> None:
    """The parts' statements, strays and root are those of all records at once."""
    vault = SecretStore(home / "secrets", 1)
    whole, left_out = arrange(rows)
    grouping = deal(rows, home, parts, rows_a_batch)
    rooted, written, strays, repeats = [], [], [], 0
    for part in range(parts):
        counted, _ = grouping.arranged(part, last=False)
        statements, beside = grouping.arranged(part, last=True)
        assert statements.records.equals(counted.records)
        strays.append(beside.cast(STRAYS))
        repeats += repeated(statements)
        if len(statements):
            keys = vault.opening_keys(batch, statements.accounts)
            rooted.append(root_statements(statements, keys))
            written.append(statements.records.cast(SCHEMA))
    assert not list(home.glob(f".{parts}/*"))
    assert sorted(map(str, pa.concat_tables(strays).to_pylist())) == sorted(map(str, left_out.to_pylist()))
    joined, records = RootedStatements.joined(rooted), pa.concat_tables(written)
    for at, account in enumerate(joined.accounts.to_pylist()):
        there = whole.accounts.index(account).as_py()
        own = records.slice(joined.first[at], joined.count[at])
        expected = whole.records.slice(whole.first[there], whole.count[there])
        assert own.to_pylist() == expected.to_pylist()
    assert repeats == naive_repeats(whole.records)
    enrolment = vault.enrol(whole.accounts)
    at_once = commit(whole, batch, enrolment, vault.opening_keys(batch, whole.accounts), ZERO32)
    in_parts = commit_statements(
        joined, batch, vault.enrol(joined.accounts), StatementTariffs.one(ZERO32, len(joined))
    )
    assert in_parts.root == at_once.root
    without = [name for name in at_once.entries.column_names if name != "first"]
    assert in_parts.entries.select(without).equals(at_once.entries.select(without))


def naive_repeats(records: pa.Table) -> int:
    usage = [row for row in records.to_pylist() if row["service"] < 32]
    alike = {
        tuple(row[name] for name in ("account", "service", "started_at", "number", "usage")) for row in usage
    }
    return len(usage) - len(alike)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=40), parts=st.sampled_from([1, 2, 7]), size=st.integers(1, 50))
def test_random_batches(
    rows: list[dict[str, Any]],
    parts: int,
    size: int,
    make_records: Callable[..., pa.Table],
    batch_id: BatchId,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    check(make_records(rows), tmp_path_factory.mktemp("parts"), batch_id, parts, size)


@pytest.mark.parametrize("parts", [1, 3, 256])
@pytest.mark.parametrize("shape", SHAPES)
def test_batches_of_every_shape(
    shape: str, parts: int, make_records: Callable[..., pa.Table], batch_id: BatchId, tmp_path: Path
) -> None:
    check(make_records(SHAPES[shape]), tmp_path, batch_id, parts)


def test_equal_keys_are_refused(
    make_records: Callable[..., pa.Table], batch_id: BatchId, tmp_path: Path
) -> None:
    """The same account in two parts: no hash of ours does that, and the batch tree would not allow it."""
    statements, _ = arrange(make_records([{}]))
    vault = SecretStore(tmp_path / "secrets", 1)
    rooted = root_statements(statements, vault.opening_keys(batch_id, statements.accounts))
    twice = RootedStatements.joined([rooted, rooted])
    with pytest.raises(ValueError, match="the same key"):
        commit_statements(
            twice, batch_id, vault.enrol(twice.accounts), StatementTariffs.one(ZERO32, len(twice))
        )


def test_the_number_of_parts_follows_the_size_of_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 100)
    (tmp_path / "a.csv").write_bytes(bytes(150))
    (tmp_path / "b.csv.gz").write_bytes(bytes(100))
    assert parts_for([]) == parts_for([tmp_path / "missing.csv"]) == 1
    assert parts_for([tmp_path / "a.csv"]) == 2
    assert parts_for([tmp_path / "a.csv", tmp_path / "b.csv.gz"]) == 14
    (tmp_path / "a.csv").write_bytes(bytes(1 << 20))
    assert parts_for([tmp_path / "a.csv"]) == module.MOST_PARTS


def test_a_batch_id_of_another_region_has_another_root(
    make_records: Callable[..., pa.Table], batch_id: BatchId, tmp_path: Path
) -> None:
    """What the parts are hashed with is the batch's own: no part may be taken from another batch."""
    statements, _ = arrange(make_records(SHAPES["accounts of one record"]))
    vault = SecretStore(tmp_path / "secrets", 1)
    other = dataclasses.replace(batch_id, region=9)
    roots = {
        keccak(root_statements(statements, vault.opening_keys(one, statements.accounts)).roots.tobytes())
        for one in (batch_id, other)
    }
    assert len(roots) == 2
