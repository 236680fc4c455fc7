"""What an operator must keep secret: account seeds, batch secrets, opening keys; and their backup.

    SECRETS/<operator>/accounts.arrow                          account, seed, holder
    SECRETS/<operator>/<period>/<region>-<sequence>.secret     the batch secret, until anchored
    SECRETS/<operator>/<period>/<region>-<sequence>.keys.arrow opening keys per account, from then on

Files are mode 0600; writers take turns. Deleting an account's opening key (and its records) makes its
statements unopenable once every other copy is gone.
"""

from __future__ import annotations

import io
import os
import secrets as entropy
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from numpy.typing import NDArray

from billproof.batch_id import BatchId
from billproof.commitment import salts
from billproof.commitment.keccak import ByteRows, keccak_each, rows_of
from billproof.errors import InputError
from billproof.files import replacing, sync, write_file
from billproof.leaves import byte_rows, fixed_binary

_ACCOUNTS = pa.schema([("account", pa.string()), ("seed", pa.binary(32)), ("holder", pa.binary(20))])
_KEYS = pa.schema([("account", pa.string()), ("opening_key", pa.binary(32))])
_BACKUP_MAGIC = b"billproof/secrets-backup/1\n"
_BACKUP_OVERHEAD = 16 + 12 + 16  # salt, nonce, tag
_RESTORE = "Restore it from the backup."
_PERMIT = "Whoever runs this must own the secrets and be able to write there: see ls -ld, chmod u+rwX, df."

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _told(method: Callable[_P, _T]) -> Callable[_P, _T]:
    """The method, whose errors of the disk name the secrets rather than what the caller is writing."""

    @wraps(method)
    def telling(*args: _P.args, **options: _P.kwargs) -> _T:
        try:
            return method(*args, **options)
        except OSError as error:
            raise InputError(
                f"cannot use the secrets: {error.strerror or error}",
                file=Path(os.fsdecode(error.filename)) if error.filename else None,
                advice=_PERMIT,
            ) from error

    return telling


@dataclass(frozen=True)
class Enrolment:
    """The accounts' seeds (m, 32) and holders' addresses (m, 20; zero when none), in the order asked for."""

    seeds: ByteRows
    holders: ByteRows


@dataclass(frozen=True)
class BatchSecret:
    """What a batch's opening keys are made of until it is anchored: whoever has it can open every line."""

    secret: bytes = field(repr=False)

    def opening_keys(self, accounts: pa.Array) -> ByteRows:
        """Each account's opening key: (m, 32)."""
        words = keccak_each(account.encode() for account in accounts.to_pylist())
        return salts.prf(rows_of(self.secret, 32), salts.OPENING_KEY, words)


@dataclass(frozen=True)
class SecretStore:
    """The secrets of one operator under a directory that lies outside every batch store."""

    root: Path
    operator_id: int

    @property
    def _home(self) -> Path:
        return self.root / str(self.operator_id)

    @_told
    def require_seeds(self) -> None:
        """Raises :class:`InputError` when accounts.arrow is gone but not what was made with it: new seeds in
        its place would break every account key file."""
        path = self._home / "accounts.arrow"
        left = [*self._home.rglob("*.secret"), *self._home.rglob("*.keys.arrow")]
        if left and not path.exists():
            raise InputError("the accounts' seeds are missing", file=path, advice=_RESTORE)

    @_told
    def enrol(self, accounts: pa.Array, holders: Mapping[str, bytes] | None = None) -> Enrolment:
        """Seeds and holders of the accounts; new ones get a seed, ``holders`` replaces addresses."""
        path = self._home / "accounts.arrow"
        known = self._read(path, _ACCOUNTS)
        if _with_enrolled(known, accounts, holders or {}) is not known:
            with _locked(self._home):  # of two runs at once, neither loses the other's seeds
                known = _with_enrolled(self._read(path, _ACCOUNTS), accounts, holders or {})
                self._write(path, known)
        return _enrolment(known, accounts)

    @_told
    def enrolled(self, accounts: pa.Array) -> Enrolment:
        """Seeds and holders of accounts that have them; :class:`InputError` when one has none."""
        path = self._home / "accounts.arrow"
        known = self._read(path, _ACCOUNTS)
        missing = pc.index_in(accounts, known["account"]).null_count
        if missing:
            raise InputError(f"{missing} accounts are not enrolled", file=path, advice=_RESTORE)
        return _enrolment(known, accounts)

    @_told
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
        return self._batch_secret(batch).opening_keys(accounts)

    @_told
    def batch_secret(self, batch: BatchId) -> BatchSecret:
        """The batch secret, made on first use; :class:`InputError` when it was destroyed after anchoring."""
        if self._keys_path(batch).exists():
            raise InputError(
                "the batch was anchored: its secret is gone, its opening keys are kept one by one",
                file=self._keys_path(batch),
                advice="Rebuild it with --engine local.",
            )
        return self._batch_secret(batch)

    @_told
    def openable(self, batch: BatchId, accounts: pa.Array) -> NDArray[np.bool_]:
        """Which accounts have an opening key, (m,); InputError when the batch has no secrets here."""
        kept = self._keys_path(batch)
        if kept.exists():
            there = pc.is_in(accounts, self._read(kept, _KEYS)["account"])
            return there.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
        if not self._secret_path(batch).exists():
            raise InputError(f"no secrets of {batch}", file=kept, advice=_RESTORE)
        return np.ones(len(accounts), bool)

    @_told
    def keep_opening_keys(self, batch: BatchId, accounts: pa.Array) -> None:
        """After anchoring: writes the opening keys down and destroys the batch secret they come from."""
        self.openable(batch, accounts)
        if not self._keys_path(batch).exists():
            keys = fixed_binary(self.opening_keys(batch, accounts))
            self._write(self._keys_path(batch), pa.table([accounts, keys], schema=_KEYS))
        self._secret_path(batch).unlink(missing_ok=True)

    @_told
    def erase_opening_keys(self, batch: BatchId, accounts: Sequence[str]) -> int:
        """Forgets the accounts' opening keys of an anchored batch; returns how many there were.

        Their statements stay in the tree and can be opened no more, except from copies handed out before.
        """
        kept = self._keys_path(batch)
        if not kept.exists():
            raise InputError(
                f"the opening keys of {batch} are not kept apart yet",
                file=kept,
                advice="Anchor the batch first, or rebuild it without these records.",
            )
        with _locked(kept.parent):
            table = self._read(kept, _KEYS)
            left = table.filter(pc.invert(pc.is_in(table["account"], pa.array(accounts, pa.string()))))
            self._write(kept, left)
        return int(table.num_rows - left.num_rows)

    def _secret_path(self, batch: BatchId) -> Path:
        return self.root / batch.path.with_name(batch.path.name + ".secret")

    def _keys_path(self, batch: BatchId) -> Path:
        return self.root / batch.path.with_name(batch.path.name + ".keys.arrow")

    def _batch_secret(self, batch: BatchId) -> BatchSecret:
        path = self._secret_path(batch)
        if not path.exists():
            with _locked(path.parent):
                if not path.exists():
                    write_file(path, entropy.token_bytes(32), mode=0o600)
        secret = path.read_bytes()
        if len(secret) != 32:
            raise InputError("a batch secret is 32 bytes", file=path, advice=_RESTORE)
        return BatchSecret(secret)

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
            raise InputError("not a file of secrets", file=path, advice=_RESTORE) from error
        if table.schema != schema:
            raise InputError("not a file of these secrets", file=path, advice=_RESTORE)
        return table

    def _write(self, path: Path, table: pa.Table) -> None:
        _make_private(path.parent)
        with replacing(path, mode=0o600) as partial, pa.ipc.new_file(str(partial), table.schema) as writer:
            writer.write_table(table.combine_chunks())


def backup(root: Path, target: Path, password: bytes) -> None:
    """Writes all secrets below ``root`` to one file, encrypted: scrypt, then AES-256-GCM."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:xz", dereference=True) as tar:
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                tar.add(path, arcname=str(path.relative_to(root)))
    salt, nonce = entropy.token_bytes(16), entropy.token_bytes(12)
    sealed = AESGCM(_derive(password, salt)).encrypt(nonce, archive.getvalue(), _BACKUP_MAGIC)
    write_file(target, _BACKUP_MAGIC + salt + nonce + sealed, mode=0o600)


def restore(source: Path, root: Path, password: bytes) -> int:
    """Writes a backup's files below ``root``, which must be empty or absent; returns how many."""
    try:
        content = source.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", file=source) from error
    if not content.startswith(_BACKUP_MAGIC) or len(content) < len(_BACKUP_MAGIC) + _BACKUP_OVERHEAD:
        raise InputError("not a backup of secrets", file=source)
    if root.exists() and any(root.iterdir()):
        raise InputError("there are secrets already", file=root, advice="Restore into an empty directory.")
    body = content[len(_BACKUP_MAGIC) :]
    try:
        archive = AESGCM(_derive(password, body[:16])).decrypt(body[16:28], body[28:], _BACKUP_MAGIC)
    except InvalidTag as error:
        raise InputError("wrong password, or the backup was changed", file=source) from error
    root = root.resolve()
    partial = root.with_name(f".{root.name}.restoring")
    shutil.rmtree(partial, ignore_errors=True)
    _make_private(partial)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        members = tar.getmembers()
        for member in members:
            extracted = tar.extractfile(member) if member.isreg() else None
            if extracted is None or ".." in Path(member.name).parts or Path(member.name).is_absolute():
                raise InputError(f"unexpected entry {member.name}", file=source)
            _make_private((partial / member.name).parent)
            write_file(partial / member.name, extracted.read(), mode=0o600)
    if root.exists():
        root.rmdir()
    partial.rename(root)
    sync(root.parent)
    return len(members)


def _derive(password: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=1 << 16, r=8, p=1).derive(password)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Keeps other processes from writing the secrets of a directory meanwhile."""
    import fcntl  # operators run POSIX; verifiers need not

    _make_private(directory)
    with os.fdopen(os.open(directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_private(directory: Path) -> None:
    """Creates the directory and its missing parents, for the owner alone."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
    if missing:
        os.chmod(directory, 0o700)


def _zero_holders(count: int) -> pa.Array:
    return fixed_binary(np.zeros((count, 20), np.uint8))


def _enrolment(table: pa.Table, accounts: pa.Array) -> Enrolment:
    chosen = table.take(pc.index_in(accounts, table["account"]))
    return Enrolment(byte_rows(chosen["seed"], 32), byte_rows(chosen["holder"], 20))


def _with_enrolled(known: pa.Table, accounts: pa.Array, holders: Mapping[str, bytes]) -> pa.Table:
    """The table with the accounts in it and the holders replaced; itself when nothing changes."""
    fresh = pc.unique(accounts.filter(pc.invert(pc.is_in(accounts, known["account"]))))
    if len(fresh):
        seeds = fixed_binary(rows_of(entropy.token_bytes(32 * len(fresh)), 32))
        grown = pa.table([fresh, seeds, _zero_holders(len(fresh))], schema=_ACCOUNTS)
        known = pa.concat_tables([known, grown])
    return _replace_holders(known, holders)


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
