"""A web3 object over any of our endpoints, the embedded chain included, for those who program with web3."""

from __future__ import annotations

from typing import Any

from web3 import Web3
from web3.contract import Contract
from web3.providers.base import BaseProvider
from web3.types import RPCEndpoint, RPCResponse

from billproof.ledger.artifact import CLEARING_HOUSE, TARIFF_BOOK, book_address, house_address, load_artifact
from billproof.ledger.deployments import Deployment
from billproof.ledger.rpc import Endpoint, RpcError


class EndpointProvider(BaseProvider):
    """Passes web3's requests to an endpoint; what the node refuses comes back as web3's own errors."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__()
        self._endpoint = endpoint

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """One request."""
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": 1}
        try:
            answer["result"] = self._endpoint.request(method, list(params))
        except RpcError as error:
            answer["error"] = {"code": error.code, "message": error.rpc_message, "data": error.data}
        return answer  # type: ignore[return-value]

    def is_connected(self, show_traceback: bool = False) -> bool:
        """Whether the endpoint answers."""
        self._endpoint.request("eth_chainId", [])
        return True


def web3_of(endpoint: Endpoint) -> Web3:
    """A ``Web3`` that asks this endpoint."""
    return Web3(EndpointProvider(endpoint))


def contract_of(endpoint: Endpoint, deployment: Deployment) -> Contract:
    """The ledger as a web3 contract object."""
    address = Web3.to_checksum_address(deployment.ledger)
    return web3_of(endpoint).eth.contract(address=address, abi=load_artifact().abi)


def book_of(endpoint: Endpoint, deployment: Deployment) -> Contract:
    """The ledger's tariff book as a web3 contract object."""
    address = Web3.to_checksum_address(book_address(deployment.ledger))
    return web3_of(endpoint).eth.contract(address=address, abi=load_artifact(TARIFF_BOOK).abi)


def house_of(endpoint: Endpoint, deployment: Deployment) -> Contract:
    """The ledger's clearing house as a web3 contract object."""
    address = Web3.to_checksum_address(house_address(deployment.ledger))
    return web3_of(endpoint).eth.contract(address=address, abi=load_artifact(CLEARING_HOUSE).abi)
