"""The package's view of the network that Brownie is connected to, and who signs there."""

import os

from brownie import web3

from billproof.errors import InputError
from billproof.ledger import deployments
from billproof.ledger.client import LedgerClient
from billproof.ledger.reads import chain_id
from billproof.ledger.rpc import connect
from billproof.ledger.signers import development_signer, open_keystore


def rpc_url():
    """The address of Brownie's node."""
    return web3.provider.endpoint_uri


def endpoint():
    """Brownie's node as one of the package's endpoints."""
    return connect(rpc_url())


def signer():
    """The keystore that BILLPROOF_KEYSTORE names; without it, the first development account."""
    keystore = os.environ.get("BILLPROOF_KEYSTORE")
    return open_keystore(keystore) if keystore else development_signer(0, chain_id(endpoint()))


def client():
    """A client of the ledger that signs as `signer` says."""
    node = endpoint()
    return LedgerClient(node, deployments.load(chain_id(node)), signer())


def setting(name):
    """An environment variable that must be set."""
    value = os.environ.get(name)
    if not value:
        raise InputError("is not set", field=name, advice="The script's first lines say what it needs.")
    return value
