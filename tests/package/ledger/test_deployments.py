"""Deployment files: what ships, what is refused, and that nobody passes a development chain off as public."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from billproof.errors import CannotCheckError, InputError
from billproof.ledger.deployments import Deployment, KnownEndpoint, known_chains, load, parse, save
from billproof.ledger.devaccounts import EMBEDDED_CHAIN_ID

GOOD = {
    "schema": "billproof/deployment/1",
    "chainId": "11155111",
    "name": "Sepolia",
    "kind": "testnet",
    "ledger": "0x" + "ab" * 20,
    "deployerBlock": "7",
    "finality": "finalized",
    "endpoints": [{"url": "https://one.example/key", "operatedBy": "One"}],
}


def test_only_development_chains_ship():
    assert known_chains() == [1337, 31337, EMBEDDED_CHAIN_ID]
    assert {load(chain).kind for chain in known_chains()} == {"development", "embedded"}
    assert all(load(chain).confirmations == 0 for chain in known_chains())
    with pytest.raises(CannotCheckError, match="no ledger is known on chain 1 "):
        load(1)


def test_a_users_file(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(GOOD))
    deployment = load(file)
    assert deployment == Deployment(
        11155111,
        "Sepolia",
        "testnet",
        "0x" + "ab" * 20,
        7,
        None,
        (KnownEndpoint("https://one.example/key", "One"),),
    )
    assert "key" not in repr(deployment)
    (endpoint,) = deployment.connect_known()
    assert (endpoint.host, endpoint.operated_by) == ("one.example", "One")
    save(replace(deployment, confirmations=12), tmp_path / "new" / "again.json")
    assert load(tmp_path / "new" / "again.json").confirmations == 12


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema", "billproof/deployment/2"),
        ("chainId", 11155111),
        ("chainId", "0x1"),
        ("chainId", "01"),
        ("name", ""),
        ("name", "a\nb"),
        ("kind", "real"),
        ("kind", "embedded"),
        ("ledger", "0x" + "AB" * 20),
        ("ledger", None),
        ("ledger", "0xab"),
        ("deployerBlock", -1),
        ("finality", "soon"),
        ("finality", {"confirmations": -1}),
        ("finality", {"confirmations": True}),
        ("finality", {"confirmations": 1, "more": 2}),
        ("endpoints", {}),
        ("endpoints", [{}]),
        ("endpoints", [{"url": "file:///etc/passwd", "operatedBy": "x"}]),
        ("endpoints", [{"url": "https://a.example", "operatedBy": ""}]),
    ],
)
def test_refused(field, value):
    with pytest.raises(InputError):
        parse(json.dumps({**GOOD, field: value}).encode(), "f.json")


@pytest.mark.parametrize("chain", [31337, 1337, EMBEDDED_CHAIN_ID])
@pytest.mark.parametrize("kind", ["public", "testnet"])
def test_development_chains_are_never_public(chain, kind):
    with pytest.raises(InputError, match=f"chain {chain} cannot be {kind}: anybody can write"):
        parse(json.dumps({**GOOD, "chainId": str(chain), "kind": kind}).encode(), "f.json")


def test_public_chains_need_finality():
    with pytest.raises(InputError, match="finality rule"):
        parse(json.dumps({**GOOD, "kind": "public", "finality": {"confirmations": 0}}).encode(), "f.json")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"\xff", b"[" * 10**6, json.dumps({**GOOD, "more": 1}).encode(), b"{}"]
)
def test_no_deployment_files(content):
    with pytest.raises(InputError):
        parse(content, "f.json")


def test_unreadable(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "missing.json")
    (tmp_path / "huge.json").write_bytes(b" " * (1024 * 1024 + 1))
    with pytest.raises(InputError, match="too large"):
        load(tmp_path / "huge.json")
