"""Who signs: a keystore file, or, on development chains only, the keys that everybody knows.

Keys come from files alone, never from arguments or the environment, and show in no message or ``repr``.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, Protocol

from eth_account import Account
from eth_account.hdaccount import seed_from_mnemonic
from eth_account.hdaccount.deterministic import HDPath
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount

from billproof.errors import InputError
from billproof.ledger.devaccounts import DEVELOPMENT_ADDRESSES, MNEMONIC, NEVER_PUBLIC
from billproof.ledger.rpc import printable
from billproof.ledger.safe_json import loads

PASSWORD_VARIABLE = "BILLPROOF_PASSWORD_FILE"  # noqa: S105  (the name of a variable)
_MAX_KEYSTORE = 64 * 1024


class Signer(Protocol):
    """Something that signs for one address."""

    @property
    def address(self) -> str:
        """Lower-case, with 0x."""

    def sign_transaction(self, transaction: dict[str, Any]) -> bytes:
        """The raw signed transaction. ``transaction`` has chainId, nonce, gas, fees, to, value, data."""

    def sign_typed(self, domain: dict[str, Any], types: dict[str, Any], message: dict[str, Any]) -> bytes:
        """An EIP-712 signature, 65 bytes r, s, v."""


class AccountSigner:
    """Signs with a key in memory. Known development keys refuse every chain but the development ones."""

    def __init__(self, account: LocalAccount) -> None:
        self._account = account
        self.address = str(account.address).lower()

    def __repr__(self) -> str:
        return f"AccountSigner({self.address})"

    def sign_transaction(self, transaction: dict[str, Any]) -> bytes:
        """See ``Signer.sign_transaction``."""
        self._refuse_public(transaction["chainId"])
        return bytes(self._account.sign_transaction(transaction).raw_transaction)

    def sign_typed(self, domain: dict[str, Any], types: dict[str, Any], message: dict[str, Any]) -> bytes:
        """See ``Signer.sign_typed``."""
        self._refuse_public(domain["chainId"])
        signable = encode_typed_data(domain_data=domain, message_types=types, message_data=message)
        return bytes(self._account.sign_message(signable).signature)

    def _refuse_public(self, chain_id: int) -> None:
        if self.address in DEVELOPMENT_ADDRESSES and chain_id not in NEVER_PUBLIC:
            raise InputError(
                f"{self.address} is a development account whose key everybody knows; it never signs for"
                f" chain {chain_id}",
                advice="make a key of your own: --keystore FILE",
            )


def development_signer(index: int, chain_id: int) -> AccountSigner:
    """One of the ten funded development accounts.

    Raises:
        InputError: the chain is not a development chain, or there is no such account.
    """
    if chain_id not in NEVER_PUBLIC:
        raise InputError(
            f"chain {chain_id} is no development chain: everybody knows the development keys",
            advice="use a key of your own: --keystore FILE",
        )
    if not 0 <= index < len(DEVELOPMENT_ADDRESSES):
        raise InputError(f"there is no development account {index}", advice="they are 0 to 9")
    key = HDPath(f"m/44'/60'/0'/0/{index}").derive(seed_from_mnemonic(MNEMONIC, ""))
    return AccountSigner(Account.from_key(key))


def open_keystore(path: str | Path, *, password_file: str | Path | None = None) -> AccountSigner:
    """Unlocks a V3 keystore file (Web3 Secret Storage).

    Args:
        path: the keystore.
        password_file: default: the file that BILLPROOF_PASSWORD_FILE names.

    Raises:
        InputError: missing or malformed files, a password file that others can read, a wrong password.
    """
    shown = printable(str(path), 4096)
    try:
        with Path(path).open("rb") as handle:
            content = loads(handle.read(_MAX_KEYSTORE))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=shown) from error
    except ValueError:
        content = None
    if not isinstance(content, dict) or "crypto" not in {str(name).lower() for name in content}:
        raise InputError("not a keystore file", file=shown, advice="expected the JSON of a V3 keystore")
    password = read_password(password_file)
    try:
        key = Account.decrypt(content, password)
    except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError) as error:
        wrong = isinstance(error, ValueError) and "MAC" in str(error)
        why = "the password is wrong" if wrong else f"cannot be unlocked ({type(error).__name__})"
        raise InputError(why, file=shown, advice=f"check the file named by {PASSWORD_VARIABLE}") from None
    return AccountSigner(Account.from_key(key))


def create_keystore(path: str | Path, *, password_file: str | Path | None = None) -> str:
    """Writes a new key to a new keystore file, mode 0600; returns its address.

    Raises:
        InputError: the file exists, cannot be written, or the password file is unusable.
    """
    shown = printable(str(path), 4096)
    account = Account.create()
    content = json.dumps(account.encrypt(read_password(password_file))).encode()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
    except FileExistsError:
        raise InputError("exists already", file=shown, advice="a key is never overwritten") from None
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=shown) from error
    return str(account.address).lower()


def read_password(password_file: str | Path | None = None) -> str:
    """The first line of the password file, without its line end.

    Raises:
        InputError: no file is named, it is unreadable, empty, or others than its owner can read it.
    """
    named = password_file or os.environ.get(PASSWORD_VARIABLE)
    if not named:
        raise InputError(
            "a keystore needs its password",
            field=PASSWORD_VARIABLE,
            advice=f"write it to a file of mode 0600 and name that file in {PASSWORD_VARIABLE}",
        )
    shown = printable(str(named), 4096)
    try:
        with Path(named).open("rb") as handle:
            mode = os.fstat(handle.fileno()).st_mode
            content = handle.read(4097)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=shown) from error
    if stat.S_ISREG(mode) and mode & 0o077:
        raise InputError(
            "others can read this password file", file=shown, advice=f"protect it: chmod 600 {shown}"
        )
    try:
        password = content.decode().split("\n", 1)[0].rstrip("\r")
    except UnicodeDecodeError:
        raise InputError("is not UTF-8 text", file=shown) from None
    if not password or len(content) > 4096:
        raise InputError("holds no password in its first line", file=shown)
    return password
