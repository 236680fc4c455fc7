"""`brownie run deploy`: put ledger, tariff book and clearing house at their addresses on its network."""

from billproof.ledger.artifact import book_address, house_address
from billproof.ledger.deploy import deploy, deploy_book, deploy_house
from scripts.connection import endpoint, signer


def main():
    """Deploys, and says where the contracts are. Deploying again does no harm."""
    node, payer = endpoint(), signer()
    result = deploy(node, payer)
    book = deploy_book(node, payer, result.deployment)
    house = deploy_house(node, payer, result.deployment)
    gas = 0 if result.receipt is None else result.receipt.gas_used
    print(f"{result.deployment.ledger} on {result.deployment.name}, {gas:,} gas")
    print(f"tariff book {book_address(result.deployment.ledger)}, {book.gas_used if book else 0:,} gas")
    print(f"clearing house {house_address(result.deployment.ledger)}, {house.gas_used if house else 0:,} gas")
    return result
