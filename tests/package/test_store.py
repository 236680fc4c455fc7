"""A batch on disk: whole or not there, and every changed byte is noticed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from billproof import batch_writer as module
from billproof.audit import stored_batches
from billproof.commitment import tree
from billproof.commitment.keccak import keccak, rows_of
from billproof.commitment.structs import ACCOUNT_ENTRY, hash_struct
from billproof.errors import DifferenceError, InputError
from billproof.store import StoredBatch, find_batches
from billproof.sums import check_sums

FILES = [
    "SHA256SUMS",
    "batch.json",
    "entries.arrow",
    "intake.json",
    "manifest.bin",
    "manifest.json",
    "records.parquet",
    "rejects.csv",
    "tree.bin",
]
ROWS = [{"account": f"account {at % 3}", "number": f"+{at}", "amount": at} for at in range(10)]


@pytest.fixture(scope="module")
def original(build: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    return build(tmp_path_factory.mktemp("store"), ROWS)


@pytest.fixture
def stored(original: Any, tmp_path: Path) -> StoredBatch:
    """A copy to spoil."""
    shutil.copytree(original.stored.path, tmp_path / "batch")
    return StoredBatch.open(tmp_path / "batch")


def test_what_is_read_is_what_was_committed(original: Any, batch_id: Any) -> None:
    stored = original.stored
    assert sorted(path.name for path in stored.path.iterdir()) == FILES
    assert stored.path.stat().st_mode & 0o077 == 0
    assert stored.id == batch_id
    assert stored.root == original.commitment.root == stored.nodes[0].tobytes()
    assert np.array_equal(stored.nodes, original.commitment.nodes)
    assert stored.entries.equals(original.commitment.entries)
    columns = ["account", "amount"]
    assert (
        stored.records.select(columns).to_pydict() == original.statements.records.select(columns).to_pydict()
    )
    assert stored.manifest_hash == keccak((stored.path / "manifest.json").read_bytes())
    assert (stored.amends, stored.tariffs.hashes) == (0, (bytes(32),))
    assert stored.summary["totals"] == {"EUR": "45"}
    check_sums(stored.path)


def test_the_manifest_alone_rebuilds_the_root(original: Any) -> None:
    """What an auditor does: no personal data, only the list of hashes."""
    home = original.stored.path
    manifest = json.loads((home / "manifest.json").read_bytes())
    listing = (home / "manifest.bin").read_bytes()
    assert manifest["list"] == {"file": "manifest.bin", "keccak256": "0x" + keccak(listing).hex()}
    assert (manifest["records"], manifest["statements"]) == ("10", "3")
    pairs = rows_of(listing, 64)
    keys, statements = pairs[:, :32], pairs[:, 32:]
    assert [bytes(key) for key in keys] == sorted({bytes(key) for key in keys})
    leaves = hash_struct(ACCOUNT_ENTRY, account=keys, nextAccount=np.roll(keys, -1, 0), statement=statements)
    assert "0x" + tree.build_tree(leaves)[0].tobytes().hex() == manifest["root"]
    public = json.dumps(manifest).encode() + listing
    assert b"account " not in public


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_in_any_file_is_noticed(name: str, stored: StoredBatch) -> None:
    path = stored.path / name
    content = path.read_bytes()
    for position in {0, len(content) // 2, len(content) - 1}:
        for bit in (0, 3, 7):
            flipped = bytearray(content)
            flipped[position] ^= 1 << bit
            path.write_bytes(flipped)
            with pytest.raises(DifferenceError, match=str(stored.path)):
                check_sums(stored.path)
    path.write_bytes(content)
    check_sums(stored.path)


def test_a_damaged_byte_of_the_digests_is_blamed_on_them(stored: StoredBatch) -> None:
    path = stored.path / "SHA256SUMS"
    content = path.read_bytes()
    for position in range(0, len(content), 3):
        flipped = bytearray(content)
        flipped[position] ^= 1 << position % 8
        path.write_bytes(flipped)
        with pytest.raises(DifferenceError, match=r"SHA256SUMS itself differs .*; no other file") as raised:
            check_sums(stored.path)
    subprocess.run(["sh", "-c", raised.value.advice.rpartition(": ")[2]], check=True)
    assert path.read_bytes() == content
    check_sums(stored.path)


@pytest.mark.parametrize("damage", ["digests", "both", "swapped", "zeros"])
def test_damaged_digests_cover_no_other_damage(damage: str, stored: StoredBatch) -> None:
    sums, tree_file = stored.path / "SHA256SUMS", stored.path / "tree.bin"
    content = sums.read_bytes()
    if damage == "digests":  # of another file altogether
        lines = content.split(b"\n")
        lines[-2] = hashlib.sha256(b"other").hexdigest().encode() + lines[-2][64:]
        sums.write_bytes(b"\n".join(lines))
        words = r"tree\.bin: not what was written"
    elif damage == "both":
        tree_file.write_bytes(tree_file.read_bytes()[:-1])
        sums.write_bytes(b"f" + content[1:])
        words = r"tree\.bin: not what was written"
    elif damage == "swapped":
        shutil.move(stored.path / "batch.json", stored.path / "b")
        shutil.move(stored.path / "manifest.json", stored.path / "batch.json")
        shutil.move(stored.path / "b", stored.path / "manifest.json")
        words = r"batch\.json: not what was written"
    else:
        sums.write_bytes(bytes(100) + content[100:])
        words = r"SHA256SUMS itself differs .* says nothing of batch\.json any more"
    with pytest.raises(DifferenceError, match=words):
        check_sums(stored.path)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_or_cut_file_is_noticed_and_named(name: str, stored: StoredBatch) -> None:
    path = stored.path / name
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(DifferenceError):
        check_sums(stored.path)
    path.unlink()
    with pytest.raises(DifferenceError, match=name):
        check_sums(stored.path)


def test_a_file_too_many_is_noticed_except_what_anchoring_adds(stored: StoredBatch) -> None:
    stored.anchor_path.write_text("{}")
    check_sums(stored.path)
    (stored.path / "note.txt").write_text("x")
    with pytest.raises(DifferenceError, match=r"note\.txt"):
        check_sums(stored.path)


@pytest.mark.parametrize("step", ["write_table", "write_sums", "sync", "rename"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_write_leaves_nothing(
    step: str,
    error: BaseException,
    build: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        if step == "write_table":
            patched.setattr(module.pq, "ParquetWriter", fail)
        elif step == "rename":
            patched.setattr(Path, "rename", _failing_for_directories(error))
        else:
            patched.setattr(module, step, fail)
        with pytest.raises((InputError, KeyboardInterrupt)):
            build(tmp_path, ROWS)
    assert not list(tmp_path.glob("store/*/*/*"))
    assert build(tmp_path, ROWS).stored.summary["records"] == "10"


def _failing_for_directories(error: BaseException, *, times: int = 1, after: int = 0) -> Callable[..., Path]:
    genuine, calls = Path.rename, [0]

    def rename(path: Path, target: Path) -> Path:
        if path.is_dir():
            calls[0] += 1
            if after < calls[0] <= after + times:
                raise error
        return genuine(path, target)

    return rename


@pytest.mark.parametrize("after", [0, 1])
def test_a_failed_replacement_keeps_the_old_batch(
    after: int, build: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(tmp_path, ROWS)
    with monkeypatch.context() as patched:
        patched.setattr(
            Path, "rename", _failing_for_directories(OSError(5, "Input/output error"), after=after)
        )
        with pytest.raises(InputError, match="Input/output error"):
            build(tmp_path, ROWS[:4], replace=True)
    kept = StoredBatch.open(first.stored.path)
    check_sums(kept.path)
    assert kept.root == first.stored.root
    assert len(list(tmp_path.glob("store/1/202610/*"))) == 1
    assert build(tmp_path, ROWS[:4], replace=True).stored.summary["records"] == "4"
    assert len(list(tmp_path.glob("store/1/202610/*"))) == 1


def test_a_batch_is_not_replaced_unasked(build: Callable[..., Any], tmp_path: Path) -> None:
    first = build(tmp_path, ROWS)
    with pytest.raises(InputError, match="cannot write the batch"):
        build(tmp_path, ROWS[:4])
    assert StoredBatch.open(first.stored.path).root == first.stored.root


def test_batches_are_found_in_order_and_half_written_ones_are_not(
    build: Callable[..., Any], tmp_path: Path, batch_id: Any
) -> None:
    for region, sequence in ((1, 1), (0, 2), (0, 1), (0, 10)):
        build(tmp_path, ROWS, dataclasses.replace(batch_id, region=region, sequence=sequence))
    home = tmp_path / "store/1/202610"
    shutil.copytree(home / "0-1", home / ".0-3.17.partial")
    found = find_batches(tmp_path / "store", 1, 202610)
    assert [(b.id.region, b.id.sequence) for b in found] == [(0, 1), (0, 2), (0, 10), (1, 1)]
    assert find_batches(tmp_path / "store", 1, 202611) == []
    assert find_batches(tmp_path / "nowhere", 1, 202610) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema": "other"}', b"\xff"])
def test_a_directory_without_a_batch_is_said_to_be_none(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no batch here"):
        StoredBatch.open(tmp_path)
    (tmp_path / "batch.json").write_bytes(content)
    with pytest.raises(InputError, match=r"batch\.json"):
        StoredBatch.open(tmp_path)


def test_a_batch_without_its_summary_is_not_passed_over(stored: StoredBatch, tmp_path: Path) -> None:
    home = tmp_path / "store" / "1" / "202610"
    shutil.copytree(stored.path, home / "0-1")
    shutil.copytree(stored.path, home / "0-2")
    (home / "0-2" / "batch.json").unlink()
    with pytest.raises(InputError, match=r"without its batch\.json") as raised:
        find_batches(tmp_path / "store", 1, 202610)
    assert str(raised.value.file).endswith("0-2")
    with pytest.raises(InputError, match=r"without its batch\.json"):
        list(stored_batches(tmp_path / "store"))
