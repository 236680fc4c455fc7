"""Secrets: private, stable, restorable, and gone when erased."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from billproof.batch_id import BatchId
from billproof.bundle import cut
from billproof.bundle import documents as doc
from billproof.commitment import salts
from billproof.commitment.keccak import keccak, rows_of
from billproof.errors import InputError
from billproof.inclusion import include_bundle
from billproof.secret_store import SecretStore, backup, restore

ACCOUNTS = pa.array(["a", "b", "ü"])
ROWS = [{"account": account, "number": f"+{at}"} for at, account in enumerate("aabbbü")]


@pytest.fixture
def vault(tmp_path: Path) -> SecretStore:
    return SecretStore(tmp_path / "secrets", 1)


def modes(root: Path) -> dict[str, int]:
    return {str(path.relative_to(root)): path.stat().st_mode & 0o777 for path in [root, *root.rglob("*")]}


def test_enrolment_is_stable_and_grows(vault: SecretStore) -> None:
    first = vault.enrol(ACCOUNTS)
    assert len({row.tobytes() for row in first.seeds}) == 3
    assert not first.holders.any()
    more = vault.enrol(pa.array(["z", "ü", "a"]))
    assert np.array_equal(more.seeds[1:], first.seeds[[2, 0]])
    again = SecretStore(vault.root, 1).enrol(ACCOUNTS)
    assert np.array_equal(again.seeds, first.seeds)
    assert np.array_equal(vault.enrolled(ACCOUNTS).seeds, first.seeds)
    other = SecretStore(vault.root, 2).enrol(ACCOUNTS)
    assert not np.array_equal(other.seeds, first.seeds)


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), OSError(30, "Read-only file system")]
)
def test_errors_of_the_disk_name_the_secrets(
    vault: SecretStore, batch_id: BatchId, error: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Any, *args: Any, **options: Any) -> int:
        raise type(error)(error.errno, error.strerror, str(path))

    vault.enrol(ACCOUNTS)
    monkeypatch.setattr("billproof.secret_store.os.open", refuse)
    for action in (
        lambda: vault.enrol(pa.array(["new"])),
        lambda: vault.opening_keys(batch_id, ACCOUNTS),
        lambda: vault.batch_secret(batch_id),
    ):
        with pytest.raises(InputError, match=f"cannot use the secrets: {error.strerror}") as raised:
            action()
        assert Path(str(raised.value.file)).is_relative_to(vault.root)


def test_an_account_named_twice_gets_one_seed(vault: SecretStore) -> None:
    enrolment = vault.enrol(pa.array(["a", "b", "a"]))
    assert np.array_equal(enrolment.seeds[0], enrolment.seeds[2])
    assert len(vault.enrolled(ACCOUNTS[:2]).seeds) == 2


def test_holders_are_replaced_and_nothing_else(vault: SecretStore) -> None:
    seeds = vault.enrol(ACCOUNTS).seeds
    enrolment = vault.enrol(ACCOUNTS, {"b": b"\x0b" * 20, "unknown": b"\x01" * 20})
    assert [row.tobytes() for row in enrolment.holders] == [bytes(20), b"\x0b" * 20, bytes(20)]
    enrolment = vault.enrol(ACCOUNTS, {"b": b"\x0c" * 20, "ü": b"\x0d" * 20})
    assert [row.tobytes() for row in enrolment.holders] == [bytes(20), b"\x0c" * 20, b"\x0d" * 20]
    assert np.array_equal(enrolment.seeds, seeds)
    assert np.array_equal(vault.enrol(ACCOUNTS).holders, enrolment.holders)


def test_accounts_that_are_not_enrolled_are_refused_and_not_made_up(vault: SecretStore) -> None:
    vault.enrol(ACCOUNTS[:1])
    with pytest.raises(InputError, match="2 accounts are not enrolled"):
        vault.enrolled(ACCOUNTS)
    with pytest.raises(InputError, match="2 accounts"):
        vault.enrolled(ACCOUNTS)


def test_files_are_the_owners_alone(vault: SecretStore, batch_id: Any) -> None:
    vault.enrol(ACCOUNTS)
    vault.opening_keys(batch_id, ACCOUNTS)
    vault.keep_opening_keys(batch_id, ACCOUNTS)
    for name, mode in modes(vault.root).items():
        assert mode == (0o700 if (vault.root / name).is_dir() else 0o600), name


def test_a_file_that_others_can_read_is_refused(vault: SecretStore) -> None:
    vault.enrol(ACCOUNTS)
    (vault.root / "1/accounts.arrow").chmod(0o640)
    with pytest.raises(InputError, match="others can read") as caught:
        vault.enrol(ACCOUNTS)
    assert "chmod 600" in caught.value.advice


@pytest.mark.parametrize("content", [b"", b"ARROW1", b"\0" * 100])
def test_a_damaged_file_is_refused_not_replaced(content: bytes, vault: SecretStore, batch_id: Any) -> None:
    vault.enrol(ACCOUNTS)
    path = vault.root / "1/accounts.arrow"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a file of"):
        vault.enrol(ACCOUNTS)
    assert path.read_bytes() == content
    vault.opening_keys(batch_id, ACCOUNTS)
    (vault.root / "1/202610/0-1.secret").write_bytes(content)
    with pytest.raises(InputError, match="32 bytes"):
        vault.opening_keys(batch_id, ACCOUNTS)


def test_opening_keys_follow_from_the_batch_secret_until_it_is_destroyed(
    vault: SecretStore, batch_id: Any
) -> None:
    keys = vault.opening_keys(batch_id, ACCOUNTS)
    secret = vault.root / "1/202610/0-1.secret"
    expected = [
        salts.prf(rows_of(secret.read_bytes(), 32), salts.OPENING_KEY, rows_of(keccak(account.encode()), 32))
        for account in ("a", "b", "ü")
    ]
    assert [row.tobytes() for row in keys] == [row.tobytes() for row in expected]
    for _ in range(2):
        vault.keep_opening_keys(batch_id, ACCOUNTS)
        assert not secret.exists()
        assert np.array_equal(vault.opening_keys(batch_id, ACCOUNTS), keys)
    assert np.array_equal(vault.opening_keys(batch_id, ACCOUNTS[::-1]), keys[::-1])
    another = dataclasses.replace(batch_id, sequence=2)
    assert not np.array_equal(vault.opening_keys(another, ACCOUNTS), keys)


def test_keys_are_kept_before_the_secret_is_destroyed(
    vault: SecretStore, batch_id: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = vault.opening_keys(batch_id, ACCOUNTS)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            vault.keep_opening_keys(batch_id, ACCOUNTS)
    assert np.array_equal(vault.opening_keys(batch_id, ACCOUNTS), keys)
    vault.keep_opening_keys(batch_id, ACCOUNTS)
    assert np.array_equal(vault.opening_keys(batch_id, ACCOUNTS), keys)


def _interrupted(*args: Any, **options: Any) -> None:
    raise KeyboardInterrupt


def test_no_keys_are_made_up_for_a_batch_whose_secret_is_lost(
    build: Callable[..., Any], tmp_path: Path
) -> None:
    built = build(tmp_path, ROWS)
    (tmp_path / "secrets/1/202610/0-1.secret").unlink()
    for lost in (lambda: list(built.bundles()), lambda: built.vault.keep_opening_keys(built.id, ACCOUNTS)):
        with pytest.raises(InputError, match="no secrets of") as caught:
            lost()
        assert "backup" in caught.value.advice
    assert not list(tmp_path.rglob("*.keys.arrow"))


def test_bundles_are_not_cut_with_other_secrets(build: Callable[..., Any], tmp_path: Path) -> None:
    built = build(tmp_path / "one", ROWS)
    other = build(tmp_path / "two", ROWS)
    with pytest.raises(InputError, match="made with other secrets"):
        list(cut.bundles(built.stored, other.vault))


def test_an_older_batch_keeps_its_holders(build: Callable[..., Any], tmp_path: Path) -> None:
    built = build(tmp_path, ROWS, holders={"a": b"\x0a" * 20})
    built.vault.enrol(ACCOUNTS, {"a": b"\x0b" * 20})
    bundle = built.bundles()["a"]
    assert bundle.account.holder == "0x" + "0a" * 20
    assert include_bundle(bundle).problems == []


def test_an_erased_opening_key_opens_nothing_and_stops_nobody_else(
    build: Callable[..., Any], tmp_path: Path
) -> None:
    built = build(tmp_path, ROWS)
    with pytest.raises(InputError, match="not kept apart yet"):
        built.vault.erase_opening_keys(built.id, ["b"])
    built.vault.keep_opening_keys(built.id, built.statements.accounts)
    key = built.vault.opening_keys(built.id, pa.array(["b"])).tobytes()
    before = built.bundles()
    assert built.vault.erase_opening_keys(built.id, ["b", "unknown"]) == 1
    assert built.vault.erase_opening_keys(built.id, ["b"]) == 0
    after = built.bundles()
    assert after == {account: bundle for account, bundle in before.items() if account != "b"}
    with pytest.raises(InputError, match="no opening key"):
        list(cut.bundles(built.stored, built.vault, ["b"]))
    assert not any(key in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert include_bundle(before["b"]).root == built.stored.root, "a copy handed out before still verifies"


def test_seeds_are_in_key_files_and_nowhere_else(build: Callable[..., Any], tmp_path: Path) -> None:
    built = build(tmp_path, ROWS)
    files = dict(cut.account_keys(built.stored, built.vault))
    seeds = {file.accountSeed[2:] for file in files.values()}
    assert sorted(files) == ["a", "b", "ü"]
    assert len(seeds) == 3
    for account, bundle in built.bundles().items():
        content = doc.encode(bundle).decode()
        assert not any(seed in content for seed in seeds)
        for index in range(len(bundle.records)):
            shown = doc.encode(cut.receipt(bundle, index, show_number=True)).decode()
            assert not any(seed in shown for seed in seeds)
            assert json.dumps(account) not in shown
    stored = b"".join(path.read_bytes() for path in built.stored.path.iterdir())
    assert not any(bytes.fromhex(seed) in stored or seed.encode() in stored for seed in seeds)


# --- backup -----------------------------------------------------------------------------------------


def test_backup_and_restore(vault: SecretStore, batch_id: Any, tmp_path: Path) -> None:
    seeds = vault.enrol(ACCOUNTS, {"a": b"\x0a" * 20}).seeds
    keys = vault.opening_keys(batch_id, ACCOUNTS)
    target = tmp_path / "backup"
    backup(vault.root, target, b"correct horse")
    assert target.stat().st_mode & 0o777 == 0o600
    assert seeds[0].tobytes() not in target.read_bytes()
    assert restore(target, tmp_path / "restored", b"correct horse") == 2
    again = SecretStore(tmp_path / "restored", 1)
    assert np.array_equal(again.enrolled(ACCOUNTS).seeds, seeds)
    assert again.enrolled(ACCOUNTS).holders[0].tobytes() == b"\x0a" * 20
    assert np.array_equal(again.opening_keys(batch_id, ACCOUNTS), keys)
    for name, mode in modes(again.root).items():
        assert mode == (0o700 if (again.root / name).is_dir() else 0o600), name
    with pytest.raises(InputError, match="secrets already"):
        restore(target, tmp_path / "restored", b"correct horse")


def test_a_backup_that_cannot_be_opened_restores_nothing(vault: SecretStore, tmp_path: Path) -> None:
    vault.enrol(ACCOUNTS)
    target = tmp_path / "backup"
    backup(vault.root, target, b"right")
    content = target.read_bytes()
    flipped = bytearray(content)
    flipped[-20] ^= 1
    cases = [
        (content, b"wrong", "wrong password"),
        (bytes(flipped), b"right", "wrong password, or the backup was changed"),
        (content[:-1], b"right", "wrong password, or the backup was changed"),
        (content[:40], b"right", "not a backup"),
        (b"", b"right", "not a backup"),
        (content[1:], b"right", "not a backup"),
    ]
    for spoiled, password, message in cases:
        target.write_bytes(spoiled)
        with pytest.raises(InputError, match=message):
            restore(target, tmp_path / "restored", password)
        assert not (tmp_path / "restored").exists()
    with pytest.raises(InputError, match="cannot read"):
        restore(tmp_path / "nowhere", tmp_path / "restored", b"right")


# --- several runs at once ---------------------------------------------------------------------------


def _enrol(root: Path, accounts: list[str], batch: Any) -> tuple[bytes, bytes]:
    vault = SecretStore(root, 1)
    names = pa.array(accounts)
    return vault.enrol(names).seeds.tobytes(), vault.opening_keys(batch, names).tobytes()


def test_runs_at_once_do_not_lose_each_others_seeds(vault: SecretStore, batch_id: Any) -> None:
    groups = [["shared", f"own {at}"] for at in range(6)]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        results = pool.starmap(_enrol, [(vault.root, names, batch_id) for names in groups])
    for names, (seeds, keys) in zip(groups, results, strict=True):
        assert vault.enrolled(pa.array(names)).seeds.tobytes() == seeds
        assert vault.opening_keys(batch_id, pa.array(names)).tobytes() == keys


def test_seeds_that_are_gone_are_not_made_anew(vault: SecretStore) -> None:
    vault.require_seeds()
    vault.enrol(pa.array(["a"]))
    vault.opening_keys(BatchId(31337, "0x" + "11" * 20, 1, 202610, 0, 1), pa.array(["a"]))
    vault.require_seeds()
    (vault.root / str(vault.operator_id) / "accounts.arrow").unlink()
    with pytest.raises(InputError, match="seeds are missing"):
        vault.require_seeds()
