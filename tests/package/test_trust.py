"""The user's pins: adding, listing, removing, and files that are none."""

from __future__ import annotations

import json

import pytest

from billproof.errors import InputError
from billproof.trust import Pin, Pins, default_path

LEDGER = "0x" + "ab" * 20
ENTRY = {"chainId": "31337", "ledger": LEDGER, "operatorId": "7", "name": "Example Mobile"}


def test_add_list_remove(tmp_path):
    path = tmp_path / "config" / "trust.json"
    pins = Pins.load(path)
    assert list(pins) == []
    assert not path.exists()
    pin = pins.add(31337, LEDGER.upper().replace("0X", "0x"), 7, "Example Mobile")
    assert pin == Pin(31337, LEDGER, 7, "Example Mobile")
    pins.add(1337, LEDGER, 9, "Other")
    assert path.stat().st_mode & 0o777 == 0o600
    again = Pins.load(path)
    assert [p.operator_id for p in again] == [9, 7]
    assert again.find(31337, LEDGER, 7) == pin
    assert again.find(1, LEDGER, 7) is None
    assert again.find(31337, "0x" + "00" * 20, 7) is None
    again.add(31337, LEDGER, 7, "New name")
    assert len(Pins.load(path)) == 2
    assert again.remove(31337, LEDGER, 7).name == "New name"
    with pytest.raises(InputError, match="not pinned"):
        again.remove(31337, LEDGER, 7)
    assert [p.name for p in Pins.load(path)] == ["Other"]
    assert list(path.parent.iterdir()) == [path]


def test_where(tmp_path, monkeypatch):
    monkeypatch.setenv("BILLPROOF_TRUST", str(tmp_path / "named.json"))
    assert default_path() == tmp_path / "named.json"
    Pins.load().add(31337, LEDGER, 7, "x")
    assert (tmp_path / "named.json").exists()
    monkeypatch.delenv("BILLPROOF_TRUST")
    assert default_path().name == "trust.json"
    assert default_path().parent.name == "billproof"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chainId", 31337),
        ("chainId", "0"),
        ("chainId", "-1"),
        ("ledger", "0xAB"),
        ("operatorId", "07"),
        ("name", ""),
        ("name", " "),
        ("name", "a\nb"),
        ("name", "x" * 201),
        ("more", 1),
    ],
)
def test_bad_entries(tmp_path, field, value):
    path = tmp_path / "trust.json"
    path.write_text(json.dumps({"schema": "billproof/trust/1", "operators": [{**ENTRY, field: value}]}))
    with pytest.raises(InputError) as caught:
        Pins.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "[" * 10**6,
        "{}",
        '{"schema": "billproof/trust/2", "operators": []}',
        '{"schema": "billproof/trust/1", "operators": {}}',
        '{"schema": "billproof/trust/1", "operators": [], "more": 1}',
        json.dumps({"schema": "billproof/trust/1", "operators": [ENTRY, ENTRY]}),
    ],
)
def test_no_trust_files(tmp_path, content):
    path = tmp_path / "trust.json"
    path.write_text(content)
    with pytest.raises(InputError):
        Pins.load(path)
    assert path.read_text() == content


def test_refuses_to_add_nonsense(tmp_path):
    pins = Pins.load(tmp_path / "trust.json")
    for chain, ledger, number, name in (
        (0, LEDGER, 1, "x"),
        (1, "0x1", 1, "x"),
        (1, LEDGER, 0, "x"),
        (1, LEDGER, 1, ""),
    ):
        with pytest.raises(InputError):
            pins.add(chain, ledger, number, name)
    assert not (tmp_path / "trust.json").exists()
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(InputError):
        Pins.load(tmp_path / "folder.json")
