"""`brownie run deploy`: put the ledger at its address on the network that Brownie is connected to."""

from billproof.ledger.deploy import deploy
from scripts.connection import endpoint, signer


def main():
    """Deploys, and says where the ledger is. Deploying again does no harm."""
    result = deploy(endpoint(), signer())
    gas = 0 if result.receipt is None else result.receipt.gas_used
    print(f"{result.deployment.ledger} on {result.deployment.name}, {gas:,} gas")
    return result
