"""One address on every chain, and nothing accepted in its place."""

from __future__ import annotations

import json
from importlib import resources

import pytest
from eth_account import Account

from billproof.errors import CannotCheckError, InputError
from billproof.ledger.artifact import CREATE2_DEPLOYER, keccak, load_artifact
from billproof.ledger.deploy import DEPLOYER_SENDER, DEPLOYER_TRANSACTION, deploy
from billproof.ledger.deployments import load, save
from billproof.ledger.rpc import RpcError


class Stub:
    """An endpoint whose answers are given by method, and forwarded otherwise."""

    host = name = "stub"
    operated_by = ""

    def __init__(self, answers, behind=None):
        self.answers = answers
        self.behind = behind

    def request(self, method, params):
        if method in self.answers:
            answer = self.answers[method]
            return answer(params) if callable(answer) else answer
        return self.behind.request(method, params)


def test_same_address_everywhere_and_again_is_no_harm(chain, tmp_path):
    artifact = load_artifact()
    assert chain.deployment.ledger == artifact.address
    again = deploy(chain.endpoint, chain.signer())
    assert again.already
    assert again.receipt is None
    save(again.deployment, tmp_path / "deployment.json")
    assert load(tmp_path / "deployment.json") == again.deployment
    assert load(chain.deployment.chain_id).ledger == artifact.address


def test_the_artifact_says_the_same_address():
    shipped = json.loads(
        (resources.files("billproof.ledger") / "artifacts" / "BillingLedger.json").read_bytes()
    )
    assert shipped["create2"]["address"].lower() == load_artifact().address
    assert shipped["create2"]["deployer"].lower() == CREATE2_DEPLOYER


def test_the_deployers_transaction_is_the_published_one():
    assert Account.recover_transaction(DEPLOYER_TRANSACTION).lower() == DEPLOYER_SENDER
    rlp = bytes.fromhex("d694" + DEPLOYER_SENDER[2:] + "80")
    assert "0x" + keccak(rlp)[12:].hex() == CREATE2_DEPLOYER


def test_kinds(anvil):
    stub = Stub({"eth_chainId": "0x1"}, anvil.endpoint)
    with pytest.raises(InputError, match="public, testnet or development"):
        deploy(stub, anvil.signer())
    with pytest.raises(InputError, match="always development"):
        deploy(anvil.endpoint, anvil.signer(), kind="public")
    with pytest.raises(InputError, match="credentials"):
        deploy(anvil.endpoint, anvil.signer(), url="https://user:word@node.example/")
    result = deploy(stub, anvil.signer(), kind="testnet", name="a test network")
    assert result.already
    assert result.deployment.confirmations is None


def test_strangers_in_our_place(anvil):
    foreign = Stub({"eth_getCode": "0x6001"}, anvil.endpoint)
    with pytest.raises(CannotCheckError, match="not the Billproof ledger"):
        deploy(foreign, anvil.signer())

    def other_deployer(params):
        return "0x6001" if params[0] == CREATE2_DEPLOYER else "0x"

    with pytest.raises(CannotCheckError, match="not the deterministic deployer"):
        deploy(Stub({"eth_getCode": other_deployer}, anvil.endpoint), anvil.signer())


def test_chains_without_unprotected_transactions(anvil):
    def refuse(params):
        raise RpcError("stub", "eth_sendRawTransaction", -32000, "only replay-protected transactions allowed")

    stub = Stub(
        {"eth_getCode": "0x", "eth_sendRawTransaction": refuse, "eth_getBalance": hex(10**18)}, anvil.endpoint
    )
    with pytest.raises(CannotCheckError, match="does not accept the deterministic deployer"):
        deploy(stub, anvil.signer())
