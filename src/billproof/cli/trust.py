"""``billproof trust``: pins of operators that the user has checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from billproof.cli import options
from billproof.cli.output import emit, say, table


@click.group(short_help="Pin the operators that you have checked yourself.")
def trust() -> None:
    """Pin the operators that you have checked yourself.

    A verifier must know that operator 7 of a ledger is your operator. Either the operator's domain says so,
    or you pin it: compare the chain, ledger and number below with what the operator prints on its contract,
    its website, or tells you on the phone.
    """


def _triple_options(command: Any) -> Any:
    for option in (
        options.json_option,
        options.trust_option,
        options.operator_option,
        click.option("--ledger", help="The ledger's address. [default: the known one of the chain]"),
        click.option("--chain-id", type=click.IntRange(1), required=True),
    ):
        command = option(command)
    return command


@trust.command()
@click.option("--name", required=True, help="What you call this operator.")
@_triple_options
def add(
    name: str, chain_id: int, ledger: str | None, operator_id: int, trust: Path | None, as_json: bool
) -> None:
    """Pin an operator: its bills verify without asking its domain."""
    from billproof.trust import Pins

    pins = Pins.load(trust)
    pin = pins.add(chain_id, ledger or _known_ledger(chain_id), operator_id, name)
    if as_json:
        emit("trust-added", {"file": str(pins.path), "operator": _document(pin)})
    else:
        say(f"{pin.name} is pinned as operator {operator_id} of chain {chain_id} in {pins.path}.")


@trust.command("list")
@options.trust_option
@options.json_option
def list_pins(trust: Path | None, as_json: bool) -> None:
    """List the pinned operators."""
    from billproof.trust import Pins

    pins = Pins.load(trust)
    if as_json:
        emit("trust", {"file": str(pins.path), "operators": [_document(pin) for pin in pins]})
    elif len(pins):
        rows = [[pin.name, pin.chain_id, pin.ledger, pin.operator_id] for pin in pins]
        table(["name", "chain", "ledger", "operator"], rows)
    else:
        say(f"No operator is pinned in {pins.path}.")


@trust.command()
@_triple_options
def remove(chain_id: int, ledger: str | None, operator_id: int, trust: Path | None, as_json: bool) -> None:
    """Forget a pinned operator."""
    from billproof.trust import Pins

    pins = Pins.load(trust)
    pin = pins.remove(chain_id, ledger or _known_ledger(chain_id), operator_id)
    if as_json:
        emit("trust-removed", {"file": str(pins.path), "operator": _document(pin)})
    else:
        say(f"{pin.name} is no longer pinned.")


def _known_ledger(chain_id: int) -> str:
    from billproof.ledger import deployments

    return deployments.load(chain_id).ledger


def _document(pin: Any) -> dict[str, Any]:
    return {
        "chainId": str(pin.chain_id),
        "ledger": pin.ledger,
        "operatorId": pin.operator_id,
        "name": pin.name,
    }
