"""The audit finds what was changed, wherever it was changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billproof import audit
from billproof.anchoring import anchor_period
from billproof.batch_id import BatchId
from billproof.commit import entry_hashes
from billproof.commitment import tree
from billproof.commitment.keccak import keccak
from billproof.errors import BillproofError, DifferenceError
from billproof.files import json_bytes
from billproof.ledger.client import BatchAnchor
from billproof.ledger.reverts import RevertError
from billproof.ledger.states import BatchKey


@pytest.fixture(scope="module")
def audited(world: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A store of its own with one batch that the outbox has anchored, in a month of its own."""
    home = tmp_path_factory.mktemp("audited")
    rows = [f"A{n},fee,2026-08-0{n}T10:00:00+01:00,0,,1.00,fee," for n in range(1, 8)]
    stored = world.batch(rows, period=202608, store=home / "store")
    anchor_period(home / "store", world.client, 1, 202608)
    return home / "store", stored.path


def full(world: Any, path: Path) -> list[str]:
    """An operator's audit against the chain; the checks that passed."""
    told: list[str] = []
    stored = list(audit.stored_batches(path))
    manifests = [audit.audit_batch(batch, world.home / "secrets", told.append) for batch in stored]
    audit.audit_period(manifests)
    audit.audit_chain(manifests, stored, world.client.endpoint, world.client.deployment, told.append)
    return told


def test_an_honest_store_passes(world: Any, audited: Any) -> None:
    store, home = audited
    assert len(full(world, store)) == 6
    assert len(full(world, home)) == 6


def test_anybody_can_audit_a_manifest(world: Any, audited: Any, tmp_path: Path) -> None:
    for name in ("manifest.json", "manifest.bin"):
        shutil.copy(audited[1] / name, tmp_path / name)
    manifest = audit.Manifest.read(tmp_path / "manifest.json")
    nodes = audit.audit_manifest(manifest)
    assert nodes[0].tobytes() == manifest.root
    told: list[str] = []
    audit.audit_chain([manifest], [], world.client.endpoint, world.client.deployment, told.append)
    assert told


NAMES = (
    "batch.json",
    "records.parquet",
    "entries.arrow",
    "tree.bin",
    "manifest.json",
    "manifest.bin",
    "intake.json",
    "rejects.csv",
    "anchor.json",
    "SHA256SUMS",
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(NAMES), st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_any_one_byte_changed_is_found(
    world: Any, audited: Any, tmp_path: Path, name: str, where: float, flip: int
) -> None:
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(audited[1], copy)
    content = bytearray((copy / name).read_bytes())
    content[int(where * len(content))] ^= flip
    (copy / name).write_bytes(bytes(content))
    with pytest.raises(BillproofError):
        full(world, copy)


def test_hexadecimal_digits_of_another_case_are_found(world: Any, audited: Any, tmp_path: Path) -> None:
    """The same numbers, otherwise written."""
    shutil.copytree(audited[1], tmp_path / "copy")
    file = tmp_path / "copy/anchor.json"
    content = json.loads(file.read_bytes())
    content["transactions"][0]["raw"] = "0x" + content["transactions"][0]["raw"][2:].upper()
    file.write_bytes(json_bytes(content))
    with pytest.raises(DifferenceError, match=r"anchor\.json: not as"):
        full(world, tmp_path / "copy")


@pytest.mark.parametrize("name", NAMES[:-2])
def test_a_missing_file_is_found(world: Any, audited: Any, tmp_path: Path, name: str) -> None:
    shutil.copytree(audited[1], tmp_path / "copy")
    (tmp_path / "copy" / name).unlink()
    with pytest.raises(BillproofError):
        full(world, tmp_path / "copy")


def write_manifest(home: Path, batch: BatchId, keys: Any, statements: Any) -> audit.Manifest:
    """A manifest over entries of our own choice, its root that of the ring as anybody derives it."""
    nodes = tree.build_tree(entry_hashes(keys, statements))
    listing = np.hstack([keys, statements]).tobytes()
    home.mkdir(exist_ok=True)
    (home / "manifest.bin").write_bytes(listing)
    fields = {
        "schema": "billproof/manifest/1",
        "batch": batch.fields,
        "root": "0x" + nodes[0].tobytes().hex(),
        "amends": "0",
        "records": "1",
        "statements": str(len(keys)),
        "list": {"file": "manifest.bin", "keccak256": "0x" + keccak(listing).hex()},
    }
    (home / "manifest.json").write_bytes(json_bytes(fields))
    return audit.Manifest.read(home / "manifest.json")


@pytest.mark.parametrize("fault", ["equal keys", "wrong order"])
def test_a_faulty_ring_is_proved_to_the_ledger(world: Any, tmp_path: Path, fault: str) -> None:
    deployment = world.client.deployment
    region = 50 if fault == "equal keys" else 51
    batch = BatchId(deployment.chain_id, deployment.ledger, 1, 202610, region, 1)
    keys = np.sort(np.arange(5 * 32, dtype=np.uint8).reshape(5, 32), axis=0)
    statements = keys[::-1].copy()
    keys[3] = keys[1] if fault == "equal keys" else keys[0]
    if fault == "wrong order":
        keys[3, 31] ^= 1
    manifest = write_manifest(tmp_path, batch, keys, statements)
    with pytest.raises(DifferenceError, match="ring of accounts is faulty"):
        audit.audit_manifest(manifest)
    found = audit.find_ring_fault(manifest)
    assert found is not None
    document = json.loads(json.dumps(found.document()))
    key = BatchKey(1, 202610, region, 1)
    world.client.anchor(1, BatchAnchor(202610, region, 1, manifest.root, keccak(b"manifest")))
    world.client.prove_ring_fault(key, document)
    assert world.client.view("getBatch", key)[-1] is True
    with pytest.raises(RevertError):
        world.client.prove_ring_fault(key, document)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 40), min_size=1, max_size=12))
def test_faults_are_found_exactly_where_there_are_some(tmp_path: Path, numbers: list[int]) -> None:
    keys = np.zeros((len(numbers), 32), np.uint8)
    keys[:, 31] = numbers
    batch = BatchId(31337, "0x" + "11" * 20, 1, 202610, 0, 1)
    manifest = write_manifest(tmp_path / "m", batch, keys, keys + 1)
    found = audit.find_ring_fault(manifest)
    following = np.roll(keys, -1, axis=0)

    def conflict(a: int, b: int) -> bool:
        own, other = keys[a].tobytes(), keys[b].tobytes()
        return own == other or tree.shows_absence(other, own, following[a].tobytes())

    pairs = {(a, b) for a in range(len(keys)) for b in range(len(keys)) if a != b and conflict(a, b)}
    assert (found is not None) == bool(pairs)
    if found is not None:
        assert (found.first, found.second) in pairs


def test_a_statement_in_two_batches_is_found(tmp_path: Path) -> None:
    keys = np.zeros((2, 32), np.uint8)
    keys[:, 31] = (1, 2)
    batches = [BatchId(31337, "0x" + "11" * 20, 1, 202610, region, 1) for region in (0, 1)]
    manifests = [write_manifest(tmp_path / str(batch.region), batch, keys, keys + 1) for batch in batches]
    with pytest.raises(DifferenceError, match="stands in"):
        audit.audit_period(manifests)


def test_a_store_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(BillproofError, match="neither a batch nor a store"):
        list(audit.stored_batches(tmp_path))
