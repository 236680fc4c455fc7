"""Keys: where they may come from, where they may sign, and that they never show."""

from __future__ import annotations

import pytest
from eth_account import Account

from billproof.errors import InputError
from billproof.ledger import signers
from billproof.ledger.devaccounts import DEVELOPMENT_ADDRESSES, EMBEDDED_CHAIN_ID, MNEMONIC
from billproof.ledger.signers import AccountSigner, create_keystore, development_signer, open_keystore

PASSWORD = "correct horse battery"  # noqa: S105


@pytest.fixture(autouse=True)
def quick_scrypt(monkeypatch):
    """Keystores of the tests cost milliseconds to open."""
    original = Account.encrypt

    def encrypt(key, password, **_):
        return original(key, password, iterations=2)

    monkeypatch.setattr(signers.Account, "encrypt", encrypt)


@pytest.fixture
def password_file(tmp_path):
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    file.chmod(0o600)
    return file


@pytest.fixture
def keystore(tmp_path, password_file):
    path = tmp_path / "key.json"
    return path, create_keystore(path, password_file=password_file)


def test_keystore(keystore, password_file, monkeypatch):
    path, address = keystore
    assert path.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("BILLPROOF_PASSWORD_FILE", str(password_file))
    signer = open_keystore(path)
    assert signer.address == address
    assert repr(signer) == f"AccountSigner({address})"
    with pytest.raises(InputError, match="exists already"):
        create_keystore(path)


def test_wrong_password(keystore, tmp_path):
    other = tmp_path / "other"
    other.write_text("something else")
    other.chmod(0o600)
    with pytest.raises(InputError, match="password is wrong") as caught:
        open_keystore(keystore[0], password_file=other)
    assert "something else" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_password_files(keystore, password_file, monkeypatch, tmp_path):
    path, _ = keystore
    monkeypatch.delenv("BILLPROOF_PASSWORD_FILE", raising=False)
    with pytest.raises(InputError, match="needs its password"):
        open_keystore(path)
    for mode in (0o640, 0o604, 0o620):
        password_file.chmod(mode)
        with pytest.raises(InputError, match="others can read") as caught:
            open_keystore(path, password_file=password_file)
        assert "chmod 600" in caught.value.advice
        assert PASSWORD not in str(caught.value)
    with pytest.raises(InputError, match="cannot be read"):
        open_keystore(path, password_file=tmp_path / "missing")
    for content in (b"", b"\nsecond", b"\xff\xfe", b"x" * 5000):
        password_file.write_bytes(content)
        password_file.chmod(0o600)
        with pytest.raises(InputError):
            open_keystore(path, password_file=password_file)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"crypto": 5}', '{"crypto": {}}', "[" * 10**6])
def test_no_keystores(tmp_path, password_file, content):
    path = tmp_path / "key.json"
    path.write_text(content)
    with pytest.raises(InputError):
        open_keystore(path, password_file=password_file)
    with pytest.raises(InputError, match="cannot be read"):
        open_keystore(tmp_path / "missing.json", password_file=password_file)


def test_development_accounts():
    Account.enable_unaudited_hdwallet_features()
    for index, address in enumerate(DEVELOPMENT_ADDRESSES):
        derived = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
        assert derived.address.lower() == address
    for chain in (31337, 1337, EMBEDDED_CHAIN_ID):
        assert development_signer(0, chain).address == DEVELOPMENT_ADDRESSES[0]
    for chain in (1, 11155111, 10):
        with pytest.raises(InputError, match="no development chain"):
            development_signer(0, chain)
    with pytest.raises(InputError, match="no development account"):
        development_signer(10, 31337)


def test_development_keys_never_sign_elsewhere():
    key = development_signer(3, 31337)
    transaction = {"chainId": 1, "nonce": 0, "to": "0x" + "00" * 20, "value": 0, "gas": 21000, "gasPrice": 1}
    with pytest.raises(InputError, match="everybody knows"):
        key.sign_transaction(transaction)
    with pytest.raises(InputError, match="everybody knows"):
        key.sign_typed({"chainId": 1}, {}, {})
    own = AccountSigner(Account.create())
    assert own.sign_transaction(transaction)
