"""``billproof deploy``."""

from __future__ import annotations

from pathlib import Path

import click

from billproof.cli import options
from billproof.cli.output import emit, say


@click.command(short_help="Deploy the ledger contract to a chain.")
@options.rpc_option
@options.signer_options
@click.option(
    "--kind", type=click.Choice(["public", "testnet", "development"]), help="[default: by chain id]"
)
@click.option("--name", help="What to call the chain. [default: by chain id]")
@click.option("--confirmations", type=click.IntRange(0), help="[default: the node's finalized tag]")
@click.option(
    "--deployment", type=options.FILE, help="Write a deployment file, for chains that none is shipped for."
)
@options.force_option
@options.json_option
def deploy(
    rpc: str | None,
    keystore: Path | None,
    dev_account: int | None,
    kind: str | None,
    name: str | None,
    confirmations: int | None,
    deployment: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Deploy the ledger contract to a chain.

    It has one address on every chain, and no owner: deploying it again does no harm, and gives its
    deployer no rights. So have the tariff book and the clearing house, which are put beside it.
    """
    from billproof.cli import choices
    from billproof.errors import InputError
    from billproof.ledger import deployments
    from billproof.ledger.artifact import book_address, house_address
    from billproof.ledger.deploy import deploy as run
    from billproof.ledger.deploy import deploy_book, deploy_house, may_be_noted
    from billproof.ledger.reads import chain_id
    from billproof.ledger.rpc import printable

    if deployment is not None and deployment.exists() and not force:
        raise InputError("is there already", file=deployment, advice="Use --force to overwrite.")
    endpoint = choices.node(rpc, writable=True, create=True)
    chosen = choices.signer(chain_id(endpoint), keystore, dev_account)
    over_http = endpoint.host != ""
    url = rpc if rpc and over_http and may_be_noted(rpc) else None
    result = run(endpoint, chosen, kind=kind, name=name, confirmations=confirmations, url=url)
    book = deploy_book(endpoint, chosen, result.deployment)
    house = deploy_house(endpoint, chosen, result.deployment)
    if deployment is not None:
        deployments.save(result.deployment, deployment)
        if over_http and url is None:
            say("The node's address may hold a key, so it is not in the deployment file; readers need --rpc.")
    found = result.deployment
    gas = result.receipt.gas_used if result.receipt else 0
    if as_json:
        emit(
            "deployed",
            {
                "chainId": str(found.chain_id),
                "ledger": found.ledger,
                "already": result.already,
                "gas": gas,
                "tariffBook": book_address(found.ledger),
                "tariffBookGas": book.gas_used if book else 0,
                "clearingHouse": house_address(found.ledger),
                "clearingHouseGas": house.gas_used if house else 0,
                "deployment": str(deployment) if deployment else None,
            },
        )
        return
    done = "is there already" if result.already else f"deployed, {gas:,} gas"
    say(f"The ledger is at {found.ledger} on {printable(found.name)} ({done}).")
    done = "is there already" if book is None else f"deployed, {book.gas_used:,} gas"
    say(f"Its tariff book is at {book_address(found.ledger)} ({done}).")
    done = "is there already" if house is None else f"deployed, {house.gas_used:,} gas"
    say(f"Its clearing house is at {house_address(found.ledger)} ({done}).")
    if deployment is not None:
        say(f"Pass --deployment {printable(str(deployment), 4096)} to the other commands.")
