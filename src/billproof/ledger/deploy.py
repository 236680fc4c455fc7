"""Deploys the shipped contracts to the one address that each has on every chain; again is no harm.

The deterministic deployer (github.com/Arachnid/deterministic-deployment-proxy) is on most chains, anvil
included. Where it is not, its published transaction puts it there: nobody holds that sender's key (its
signature is a chosen number), so the only thing that address ever did is this deployment.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from billproof.errors import CannotCheckError, InputError, LedgerError
from billproof.ledger.artifact import (
    CLEARING_HOUSE,
    CREATE2_DEPLOYER,
    TARIFF_BOOK,
    book_arguments,
    load_artifact,
)
from billproof.ledger.deployments import Deployment, KnownEndpoint, known_chains, load
from billproof.ledger.devaccounts import DEVELOPMENT_CHAIN_IDS, EMBEDDED_CHAIN_ID
from billproof.ledger.reads import chain_id, hash32, ledger_code_present
from billproof.ledger.rpc import Endpoint, HttpEndpoint, RpcError
from billproof.ledger.signers import Signer
from billproof.ledger.transactions import Receipt, balance, broadcast, sign, wait

DEPLOYER_SENDER = "0x3fab184622dc19b6109349b94811493bf2a45362"
"""The one-time account whose only transaction makes the deployer."""

DEPLOYER_COST = 10**16
"""Wei that it pays: 100,000 gas at 100 gwei."""

DEPLOYER_CODE = bytes.fromhex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0"
    "3601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
)
DEPLOYER_TRANSACTION = bytes.fromhex(
    "f8a58085174876e800830186a08080b853604580600e600039806000f350fe"
    + DEPLOYER_CODE.hex()
    + "1ba0"
    + "22" * 32
    + "a0"
    + "22" * 32
)


@dataclass(frozen=True)
class DeployResult:
    """``receipt`` is None when the ledger was there already."""

    deployment: Deployment
    receipt: Receipt | None
    installed_deployer: bool

    @property
    def already(self) -> bool:
        return self.receipt is None


def deploy(
    endpoint: Endpoint,
    signer: Signer,
    *,
    kind: str | None = None,
    name: str | None = None,
    confirmations: int | None = None,
    url: str | None = None,
) -> DeployResult:
    """Puts the ledger on the endpoint's chain.

    Args:
        endpoint: a node of the chain.
        signer: pays.
        kind: public or testnet; known for the development chains.
        name: the chain's name in messages; default: its id.
        confirmations: the finality rule to note down: None for the ``finalized`` tag. Development chains: 0.
        url: the endpoint's address to note down, if ``may_be_noted``: it lands in the file.

    Returns:
        What to hand to ``deployments.save``.

    Raises:
        ForeignCodeError: something else is at the ledger's address.
        LedgerError: the chain refuses the deployment.
    """
    chain = chain_id(endpoint)
    kind = _kind(chain, kind)
    own = kind in ("development", "embedded")
    artifact = load_artifact()
    if url and not may_be_noted(url):
        raise InputError(
            "the address to note down may hold credentials",
            field="url",
            advice="note scheme, host and port only",
        )
    known = (KnownEndpoint(url, HttpEndpoint(url).host),) if url else ()
    wanted = Deployment(
        chain_id=chain,
        name=name or (load(chain).name if chain in known_chains() else f"chain {chain}"),
        kind=kind,
        ledger=artifact.address,
        deployer_block=None,
        confirmations=0 if own and confirmations is None else confirmations,
        endpoints=known,
    )
    if ledger_code_present(endpoint, wanted):
        return DeployResult(wanted, None, False)
    installed = _ensure_deployer(endpoint, signer)
    signed = sign(endpoint, signer, CREATE2_DEPLOYER, artifact.salt + artifact.bytecode)
    broadcast(endpoint, signed.raw)
    receipt = wait(endpoint, signed.hash)
    if not receipt.success or not ledger_code_present(endpoint, wanted):
        raise LedgerError(
            f"the deployment transaction {signed.hash} did not create the ledger",
            advice="check that the chain runs the Shanghai rules (opcode PUSH0) or later",
        )
    deployment = Deployment(**{**vars(wanted), "deployer_block": receipt.block_number})
    return DeployResult(deployment, receipt, installed)


def deploy_book(endpoint: Endpoint, signer: Signer, deployment: Deployment) -> Receipt | None:
    """Puts the tariff book of a deployment's ledger beside it; None when it is there already.

    Its address holds the ledger's, so that nothing else can be there, and nothing has to be noted down.

    Raises:
        LedgerError: the chain refuses the deployment.
    """
    return _deploy_beside(endpoint, signer, deployment, TARIFF_BOOK, "tariff book")


def deploy_house(endpoint: Endpoint, signer: Signer, deployment: Deployment) -> Receipt | None:
    """Puts the clearing house beside the ledger, as :func:`deploy_book` does the book."""
    return _deploy_beside(endpoint, signer, deployment, CLEARING_HOUSE, "clearing house")


def _deploy_beside(
    endpoint: Endpoint, signer: Signer, deployment: Deployment, contract: str, noun: str
) -> Receipt | None:
    artifact, arguments = load_artifact(contract), book_arguments(deployment.ledger)
    address = artifact.address_with(arguments)
    if _code_there(endpoint, address):
        return None
    _ensure_deployer(endpoint, signer)
    data = artifact.salt + artifact.bytecode + arguments
    signed = sign(endpoint, signer, CREATE2_DEPLOYER, data)
    broadcast(endpoint, signed.raw)
    receipt = wait(endpoint, signed.hash)
    if not receipt.success or not _code_there(endpoint, address):
        raise LedgerError(
            f"the deployment transaction {signed.hash} did not create the {noun}",
            advice="check that the chain runs the Shanghai rules (opcode PUSH0) or later",
        )
    return receipt


def _code_there(endpoint: Endpoint, address: str) -> bool:
    return endpoint.request("eth_getCode", [address, "latest"]) not in ("0x", None)


def may_be_noted(url: str) -> bool:
    """Whether an endpoint's address can go into a file that is handed out: http(s) and no more than host and
    port, since providers put their customers' keys into path and query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    bare = parts.path in ("", "/") and not (parts.query or parts.fragment) and "@" not in url
    return bare and parts.scheme in ("http", "https")


def _kind(chain: int, kind: str | None) -> str:
    natural = "development" if chain in DEVELOPMENT_CHAIN_IDS else None
    if chain == EMBEDDED_CHAIN_ID:
        natural = "embedded"
    if natural is None and kind not in ("public", "testnet", "development"):
        raise InputError(
            f"chain {chain} is none of the known development chains",
            field="kind",
            advice="say whether it is public, testnet or development",
        )
    if natural is not None and kind not in (None, natural):
        raise InputError(f"chain {chain} is always {natural}", field="kind")
    return natural or str(kind)


def _ensure_deployer(endpoint: Endpoint, signer: Signer) -> bool:
    if _deployer_there(endpoint):
        return False
    missing = DEPLOYER_COST - balance(endpoint, DEPLOYER_SENDER)
    if missing > 0:
        funding = sign(endpoint, signer, DEPLOYER_SENDER, b"", value=missing)
        broadcast(endpoint, funding.raw)
        wait(endpoint, funding.hash)
    try:
        answer = endpoint.request("eth_sendRawTransaction", ["0x" + DEPLOYER_TRANSACTION.hex()])
        wait(endpoint, hash32(endpoint, answer))
    except RpcError as error:
        if not _deployer_there(endpoint):
            raise CannotCheckError(
                f"this chain does not accept the deterministic deployer: {error.message}",
                advice="a chain that refuses transactions without chain id needs it built in: ask its makers",
            ) from error
    if not _deployer_there(endpoint):
        raise CannotCheckError("the deterministic deployer was sent, but is not there", advice="try again")
    return True


def _deployer_there(endpoint: Endpoint) -> bool:
    code = endpoint.request("eth_getCode", [CREATE2_DEPLOYER, "latest"])
    if code in ("0x", None):
        return False
    if code != "0x" + DEPLOYER_CODE.hex():
        raise CannotCheckError(
            f"the code at {CREATE2_DEPLOYER} is not the deterministic deployer",
            advice="the ledger cannot have its usual address on this chain",
        )
    return True
