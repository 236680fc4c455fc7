"""What an operator must keep secret: account seeds, batch secrets, opening keys; and their backup.

    SECRETS/<operator>/accounts.arrow                          account, seed, holder
    SECRETS/<operator>/<period>/<region>-<sequence>.secret     the batch secret, until anchored
    SECRETS/<operator>/<period>/<region>-<sequence>.keys.arrow opening keys per account, from then on

Files are mode 0600. Deleting an account's opening key (and its records) makes its statements unopenable
once every other copy is gone.
"""

from __future__ import annotations

import io
import os
import secrets as entropy
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from billproof.batch_id import BatchId
from billproof.commitment import salts
from billproof.commitment.keccak import ByteRows, keccak_each, rows_of
from billproof.errors import InputError
from billproof.files import replacing, sync, write_file
from billproof.leaves import byte_rows, fixed_binary

_ACCOUNTS = pa.schema([("account", pa.string()), ("seed", pa.binary(32)), ("holder", pa.binary(20))])
_KEYS = pa.schema([("account", pa.string()), ("opening_key", pa.binary(32))])
_BACKUP_MAGIC = b"billproof/secrets-backup/1\n"


@dataclass(frozen=True)
class Enrolment:
    """The accounts' seeds (m, 32) and holders' addresses (m, 20; zero when none), in the order asked for."""

    seeds: ByteRows
    holders: ByteRows


@dataclass(frozen=True)
class SecretStore:
    """The secrets of one operator under a directory that lies outside every batch store."""

    root: Path
    operator_id: int

    @property
    def _home(self) -> Path:
        return self.root / str(self.operator_id)

    def enrol(self, accounts: pa.Array, holders: Mapping[str, bytes] | None = None) -> Enrolment:
        """Seeds and holders of the accounts; new ones get a fresh seed, ``holders`` replaces addresses."""
        known = self._read(self._home / "accounts.arrow", _ACCOUNTS)
        fresh = accounts.filter(pc.invert(pc.is_in(accounts, known["account"])))
        if len(fresh):
            grown = pa.table(
                [
                    fresh,
                    fixed_binary(rows_of(entropy.token_bytes(32 * len(fresh)), 32)),
                    _zero_holders(len(fresh)),
                ],
                schema=_ACCOUNTS,
            )
            known = pa.concat_tables([known, grown])
        replaced = _replace_holders(known, holders or {})
        if len(fresh) or replaced is not known:
            self._write(self._home / "accounts.arrow", replaced)
        at = pc.index_in(accounts, replaced["account"])
        chosen = replaced.take(at)
        return Enrolment(byte_rows(chosen["seed"], 32), byte_rows(chosen["holder"], 20))

    def opening_keys(self, batch: BatchId, accounts: pa.Array) -> ByteRows:
        """Each account's opening key in a batch, (m, 32); the batch secret is made on first use."""
        kept = self._keys_path(batch)
        if kept.exists():
            table = self._read(kept, _KEYS)
            at = pc.index_in(accounts, table["account"])
            if at.null_count:
                raise InputError(
                    f"{at.null_count} accounts have no opening key in this batch",
                    file=kept,
                    advice="Their keys were erased, or the batch was made from other records.",
                )
            return byte_rows(table.take(at)["opening_key"], 32)
        secret = rows_of(self._batch_secret(batch), 32)
        words = keccak_each(account.encode() for account in accounts.to_pylist())
        return salts.prf(secret, salts.OPENING_KEY, words)

    def keep_opening_keys(self, batch: BatchId, accounts: pa.Array) -> None:
        """After anchoring: writes the opening keys down and destroys the batch secret they come from."""
        if not self._keys_path(batch).exists():
            keys = fixed_binary(self.opening_keys(batch, accounts))
            self._write(self._keys_path(batch), pa.table([accounts, keys], schema=_KEYS))
        self._secret_path(batch).unlink(missing_ok=True)

    def _secret_path(self, batch: BatchId) -> Path:
        return self.root / batch.path.with_name(batch.path.name + ".secret")

    def _keys_path(self, batch: BatchId) -> Path:
        return self.root / batch.path.with_name(batch.path.name + ".keys.arrow")

    def _batch_secret(self, batch: BatchId) -> bytes:
        path = self._secret_path(batch)
        if not path.exists():
            _make_private(path.parent)
            write_file(path, entropy.token_bytes(32), mode=0o600)
        secret = path.read_bytes()
        if len(secret) != 32:
            raise InputError("a batch secret is 32 bytes", file=path, advice="Restore it from the backup.")
        return secret

    def _read(self, path: Path, schema: pa.Schema) -> pa.Table:
        if not path.exists():
            return schema.empty_table()
        if path.stat().st_mode & 0o077:
            raise InputError(
                "others can read this file",
                file=path,
                advice=f"Run chmod 600 on it, and 700 on {path.parent}.",
            )
        try:
            table = pa.ipc.open_file(pa.py_buffer(path.read_bytes())).read_all()
        except pa.ArrowInvalid as error:
            raise InputError(
                "not a file of secrets", file=path, advice="Restore it from the backup."
            ) from error
        if table.schema != schema:
            raise InputError("not a file of these secrets", file=path, advice="Restore it from the backup.")
        return table

    def _write(self, path: Path, table: pa.Table) -> None:
        _make_private(path.parent)
        with replacing(path, mode=0o600) as partial, pa.ipc.new_file(str(partial), table.schema) as writer:
            writer.write_table(table.combine_chunks())


def backup(root: Path, target: Path, password: bytes) -> None:
    """Writes all secrets below ``root`` to one file, encrypted: scrypt, then AES-256-GCM."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:xz") as tar:
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.name.endswith(".partial"):
                tar.add(path, arcname=str(path.relative_to(root)))
    salt, nonce = entropy.token_bytes(16), entropy.token_bytes(12)
    sealed = AESGCM(_derive(password, salt)).encrypt(nonce, archive.getvalue(), _BACKUP_MAGIC)
    write_file(target, _BACKUP_MAGIC + salt + nonce + sealed, mode=0o600)


def restore(source: Path, root: Path, password: bytes) -> int:
    """Writes a backup's files below ``root``, which must be empty or absent; returns how many."""
    content = source.read_bytes()
    if not content.startswith(_BACKUP_MAGIC):
        raise InputError("not a backup of secrets", file=source)
    if root.exists() and any(root.iterdir()):
        raise InputError("there are secrets already", file=root, advice="Restore into an empty directory.")
    body = content[len(_BACKUP_MAGIC) :]
    try:
        archive = AESGCM(_derive(password, body[:16])).decrypt(body[16:28], body[28:], _BACKUP_MAGIC)
    except InvalidTag as error:
        raise InputError("wrong password, or the backup was changed", file=source) from error
    _make_private(root)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        members = tar.getmembers()
        for member in members:
            extracted = tar.extractfile(member)
            if extracted is None or ".." in Path(member.name).parts or Path(member.name).is_absolute():
                raise InputError(f"unexpected entry {member.name}", file=source)
            _make_private((root / member.name).parent)
            write_file(root / member.name, extracted.read(), mode=0o600)
    sync(root)
    return len(members)


def _derive(password: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=1 << 16, r=8, p=1).derive(password)


def _make_private(directory: Path) -> None:
    """Creates the directory and its missing parents, for the owner alone."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
    if missing:
        os.chmod(directory, 0o700)


def _zero_holders(count: int) -> pa.Array:
    return fixed_binary(np.zeros((count, 20), np.uint8))


def _replace_holders(table: pa.Table, holders: Mapping[str, bytes]) -> pa.Table:
    """The table with the named accounts' holders replaced; the table itself when none changes."""
    if not holders:
        return table
    given = pa.array(list(holders), pa.string())
    at = pc.index_in(table["account"], given).combine_chunks()
    present = pc.is_valid(at).to_numpy(zero_copy_only=False)
    rows = byte_rows(table["holder"], 20).copy()
    new = rows_of(b"".join(holders.values()), 20)
    rows[present] = new[pc.drop_null(at).to_numpy()]
    if np.array_equal(rows, byte_rows(table["holder"], 20)):
        return table
    return table.set_column(2, "holder", fixed_binary(rows))
