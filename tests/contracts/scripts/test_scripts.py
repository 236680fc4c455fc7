"""Brownie's entry points, from a deployment to a verified bill, on whatever chain Brownie has started."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from billproof.billing_run import Input, batch
from billproof.bundle import cut
from billproof.report import Verdict
from billproof.secret_store import SecretStore
from billproof.simulate import simulate
from billproof.trust import Pins
from scripts import anchor, deploy, verify
from scripts.connection import client


@pytest.fixture
def ledger_client(fn_isolation):
    """The package's client of the ledger that scripts/deploy.py has put on the chain."""
    deploy.main()
    return client()


def test_deploying_again_does_no_harm(ledger_client):
    assert deploy.main().already


def test_from_a_batch_to_a_verified_bill(ledger_client, period, tmp_path, monkeypatch):
    operator_id, _ = ledger_client.register_operator("Meridian", "", "")
    ledger_client.grant(operator_id, ledger_client.signer.address)
    month = simulate(
        tmp_path / "month", operators=1, subscribers=3, period=period, seed=1, formats=["csv"]
    ).operators[0]
    file = month.files[0]
    stored = batch(
        [Input("csv", [tmp_path / "month" / file.path], tmp_path / "month" / file.mapping)],
        operator=operator_id,
        period=period,
        chain_id=ledger_client.deployment.chain_id,
        ledger=ledger_client.deployment.ledger,
        store=tmp_path / "store",
        secrets=tmp_path / "secrets",
    ).stored
    settings = {"STORE": tmp_path / "store", "OPERATOR": operator_id, "PERIOD": period}
    for name, value in settings.items():
        monkeypatch.setenv(f"BILLPROOF_{name}", str(value))
    (anchored,) = anchor.main()
    assert anchored.request.root == stored.root

    _, bundle = next(cut.bundles(stored, SecretStore(tmp_path / "secrets", operator_id)))
    cut.write_document(tmp_path / "bundle.json", bundle)
    monkeypatch.setenv("BILLPROOF_FILE", str(tmp_path / "bundle.json"))
    monkeypatch.setenv("BILLPROOF_TRUST", str(tmp_path / "trust.json"))
    assert verify.main().verdict is Verdict.CANNOT_CHECK
    deployment = ledger_client.deployment
    Pins.load().add(deployment.chain_id, deployment.ledger, operator_id, "Meridian")
    assert verify.main().verdict is Verdict.VALID
