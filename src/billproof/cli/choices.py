"""What the shared options mean: which deployment, which node, which signer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from billproof.errors import InputError
from billproof.ledger import deployments
from billproof.ledger.deployments import Deployment
from billproof.ledger.reads import chain_id as chain_id_of
from billproof.ledger.rpc import Endpoint, connect

if TYPE_CHECKING:
    from billproof.ledger.client import LedgerClient
    from billproof.ledger.signers import Signer


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


def node(rpc: str | None, *, writable: bool = False, create: bool = False) -> Endpoint:
    """The node of ``--rpc``. ``create`` begins an embedded chain whose file is missing."""
    if rpc is None:
        raise InputError(
            "no node to talk to", advice="Give --rpc URL or --rpc embedded:FILE, or set BILLPROOF_RPC."
        )
    journal = Path(rpc.removeprefix("embedded:"))
    if rpc.startswith("embedded:") and writable and not create and not journal.exists():
        raise InputError(
            "there is no such chain", file=journal, advice="`billproof deploy` begins one, or check the path."
        )
    return connect(rpc, writable=writable)


def signer(chain_id: int, keystore: Path | None, dev_account: int | None) -> Signer:
    """Who signs, by ``--keystore`` or ``--dev-account``."""
    from billproof.ledger.signers import development_signer, open_keystore

    if (keystore is None) == (dev_account is None):
        raise InputError(
            "who signs?",
            advice="Give --keystore FILE, or --dev-account N on a development chain.",
        )
    if keystore is not None:
        return open_keystore(keystore)
    return development_signer(dev_account or 0, chain_id)


def client(rpc: str | None, file: Path | None) -> LedgerClient:
    """A client that only looks."""
    from billproof.ledger.client import LedgerClient

    endpoint = node(rpc)
    return LedgerClient(endpoint, deployments.load(file or chain_id_of(endpoint)))


def signing_client(
    rpc: str | None, deployment: Path | None, keystore: Path | None, dev_account: int | None
) -> LedgerClient:
    """A client that can send transactions."""
    from billproof.ledger.client import LedgerClient

    endpoint = node(rpc, writable=True)
    chain_id = chain_id_of(endpoint)
    chosen = deployments.load(deployment or chain_id)
    return LedgerClient(endpoint, chosen, signer(chain_id, keystore, dev_account))
