"""What the shared options mean: which deployment, which node, which signer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from billproof.errors import InputError
from billproof.ledger import deployments
from billproof.ledger.deployments import Deployment
from billproof.ledger.lookup import chain_id as chain_id_of
from billproof.ledger.rpc import Endpoint, connect

if TYPE_CHECKING:
    from billproof.ledger.client import LedgerClient


def chosen_deployment(rpc: str | None, file: Path | None, chain_id: int | None = None) -> Deployment:
    """The deployment of ``--deployment``, of ``--chain-id``, or of the chain that ``--rpc`` serves."""
    if file is not None:
        deployment = deployments.load(file)
        if chain_id not in (None, deployment.chain_id):
            raise InputError(
                f"the deployment file is for chain {deployment.chain_id}", file=file, field="--chain-id"
            )
        return deployment
    if chain_id is None:
        if rpc is None:
            raise InputError(
                "the chain is not known",
                advice="Give --chain-id N (works offline), --deployment FILE or --rpc.",
            )
        chain_id = chain_id_of(connect(rpc))
    return deployments.load(chain_id)


def connected(rpc: str | None, file: Path | None) -> tuple[Endpoint, Deployment]:
    """The node of ``--rpc`` and the deployment of its chain."""
    if rpc is None:
        raise InputError(
            "no node to talk to", advice="Give --rpc URL or --rpc embedded:FILE, or set BILLPROOF_RPC."
        )
    endpoint = connect(rpc)
    return endpoint, deployments.load(file or chain_id_of(endpoint))


def signing_client(
    rpc: str | None, file: Path | None, keystore: Path | None, dev_account: int | None
) -> LedgerClient:
    """A client that can send transactions, signing as ``--keystore`` or ``--dev-account`` say."""
    from billproof.ledger.client import LedgerClient

    endpoint, deployment = connected(rpc, file)
    return LedgerClient(endpoint, deployment, signer(deployment, keystore, dev_account))
