"""``billproof operator``: registration, rights, and batches that are not the operator's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from billproof.cli import options
from billproof.cli.output import emit, facts, say
from billproof.errors import InputError
from billproof.printable import printable

NUMBER = click.IntRange(1, (1 << 64) - 1)
_SEQUENCE = click.IntRange(1, (1 << 32) - 1)
_REGION = click.IntRange(0, (1 << 32) - 1)
_LONGEST_TEXT = 1 << 20


@click.group(short_help="Register an operator; grant, revoke and transfer its rights.")
def operator() -> None:
    """Register an operator; grant, revoke and transfer its rights; repudiate batches.

    The admin registers, grants, seals and repudiates; anchorers anchor. Keep the admin's key off
    the billing machine.
    """


def _sending(command: Any) -> Any:
    """The options of every command that sends a transaction."""
    for option in (
        options.json_option,
        options.deployment_option,
        options.signer_options,
        options.rpc_option,
    ):
        command = option(command)
    return command


@operator.command()
@click.option("--name", required=True, help="The operator's name; proves nothing by itself.")
@click.option("--domain", default="", help="Its domain, that verifiers bind it to (docs/identity.md).")
@click.option("--metadata-uri", default="", help="Where more is said of it.")
@_sending
def register(name: str, domain: str, metadata_uri: str, as_json: bool, **signing: Any) -> None:
    """Register an operator; who signs becomes its admin."""
    client = _client(signing)
    operator_id, receipt = client.register_operator(name, domain, metadata_uri)
    if as_json:
        emit(
            "operator-registered",
            {"operatorId": operator_id, "gas": receipt.gas_used, "transaction": receipt.hash},
        )
        return
    chain = client.deployment.name
    say(f"{printable(name)} is operator {operator_id} on {chain}, its admin is {client.signer.address}.")
    _publish(client, operator_id, domain)


@operator.command()
@click.argument("operator_id", type=NUMBER)
@click.option("--name", help="Another name.")
@click.option("--domain", help="Another domain, that verifiers bind it to; '' for none.")
@click.option("--metadata-uri", help="Where more is said of it; '' for nowhere.")
@_sending
def update(
    operator_id: int,
    name: str | None,
    domain: str | None,
    metadata_uri: str | None,
    as_json: bool,
    **signing: Any,
) -> None:
    """Change what the ledger says of an operator; the admin signs. What is not given stays as it is."""
    wanted = {"--name": name, "--domain": domain, "--metadata-uri": metadata_uri}
    if all(value is None for value in wanted.values()):
        raise InputError("nothing to change", advice=f"Give one of {', '.join(wanted)}.")
    client = _client(signing)
    _done(client.update(operator_id, *_texts(client, operator_id, wanted)), "It is changed.", as_json)
    if domain and not as_json:
        _publish(client, operator_id, domain)


@operator.command()
@click.argument("operator_id", type=NUMBER)
@click.argument("period", metavar="YYYYMM", callback=options.period_of)
@click.option("--region", type=_REGION, required=True, help="The batch's region.")
@click.option("--sequence", type=_SEQUENCE, required=True, help="The batch's number in its region.")
@click.option("--yes", is_flag=True, help="Yes, for ever.")
@_sending
def repudiate(
    operator_id: int, period: int, region: int, sequence: int, yes: bool, as_json: bool, **signing: Any
) -> None:
    """Mark an anchored batch as not the operator's own, after a theft of an anchorer's key; the admin signs.

    It cannot be taken back: bills of this batch can never be verified again.
    """
    from billproof.ledger.states import BatchKey

    key = BatchKey(operator_id, period, region, sequence)
    if not yes:
        raise InputError(
            f"this marks the batch of {key} for ever: its bills can never be verified again",
            field="--yes",
            advice="Revoke the stolen anchorer's right first, then run this again with --yes.",
        )
    _done(_client(signing).repudiate(key), f"The batch of {key} is repudiated.", as_json)


@operator.command()
@click.argument("operator_id", type=NUMBER)
@options.rpc_option
@options.deployment_option
@options.json_option
def show(operator_id: int, rpc: str | None, deployment: Path | None, as_json: bool) -> None:
    """Show what the ledger says of an operator."""
    from billproof.cli import choices
    from billproof.ledger import deployments
    from billproof.ledger.reads import chain_id, require_ledger
    from billproof.ledger.reads import operator as read

    endpoint = choices.node(rpc)
    found = deployments.load(deployment or chain_id(endpoint))
    require_ledger(endpoint, found)
    state = read(endpoint, found, operator_id)
    document = {
        "operatorId": operator_id,
        "name": state.name,
        "domain": state.domain,
        "metadataURI": state.metadata_uri,
        "admin": state.admin,
        "pendingAdmin": state.pending_admin,
        "head": "0x" + state.head.hex(),
    }
    if as_json:
        emit("operator", document)
    else:
        rows = [(label, printable(str(value), 4096)) for label, value in document.items()]
        facts(f"Operator {operator_id} on {found.name}", rows[1:])


@operator.command()
@click.argument("operator_id", type=NUMBER)
@click.argument("anchorer")
@_sending
def grant(operator_id: int, anchorer: str, as_json: bool, **signing: Any) -> None:
    """Let the address ANCHORER anchor for the operator."""
    _done(_client(signing).grant(operator_id, _address(anchorer)), f"{anchorer} may anchor.", as_json)


@operator.command()
@click.argument("operator_id", type=NUMBER)
@click.argument("anchorer")
@_sending
def revoke(operator_id: int, anchorer: str, as_json: bool, **signing: Any) -> None:
    """Take that right back, and void the signatures that ANCHORER gave away."""
    _done(_client(signing).revoke(operator_id, _address(anchorer)), f"{anchorer} may not anchor.", as_json)


@operator.command()
@click.argument("operator_id", type=NUMBER)
@click.argument("new_admin", required=False)
@click.option("--accept", is_flag=True, help="Second step: the new admin accepts.")
@click.option("--cancel", is_flag=True, help="Withdraw the offer.")
@_sending
def transfer(
    operator_id: int, new_admin: str | None, accept: bool, cancel: bool, as_json: bool, **signing: Any
) -> None:
    """Hand the admin's rights to NEW_ADMIN, who then accepts them with --accept."""
    if (new_admin is not None) + accept + cancel != 1:
        raise InputError("give one of: the new admin's address, --accept, --cancel")
    client = _client(signing)
    if accept:
        _done(client.accept(operator_id), f"{client.signer.address} is the admin now.", as_json)
        return
    target = "0x" + "0" * 40 if cancel else _address(new_admin or "")
    words = "The offer is withdrawn." if cancel else f"{new_admin} can accept with `transfer --accept`."
    _done(client.transfer(operator_id, target), words, as_json)


def _texts(client: Any, operator_id: int, wanted: dict[str, str | None]) -> list[str]:
    """What is wanted, or else what the ledger has; only if that can be written back as it is."""
    from billproof.ledger.reads import operator as read

    client.check()
    state = read(client.endpoint, client.deployment, operator_id, text_limit=_LONGEST_TEXT)
    texts = []
    for (option, value), old in zip(
        wanted.items(), (state.name, state.domain, state.metadata_uri), strict=True
    ):
        if value is None and ("\ufffd" in old or len(old.encode()) >= _LONGEST_TEXT):
            raise InputError("what the ledger holds cannot be kept as it is", field=option, advice="Give it.")
        texts.append(old if value is None else value)
    return texts


def _publish(client: Any, operator_id: int, domain: str) -> None:
    if domain:
        where = f"https://{printable(domain, 253)}/.well-known/billproof.json"
        say(f"Publish at {where}, so that subscribers can tell it is you:")
        click.echo(_binding(client.deployment.chain_id, client.deployment.ledger, operator_id))


def _client(signing: dict[str, Any]) -> Any:
    from billproof.cli import choices

    return choices.signing_client(**signing)


def _done(receipt: Any, words: str, as_json: bool) -> None:
    if as_json:
        emit(
            "transaction",
            {"transaction": receipt.hash, "block": receipt.block_number, "gas": receipt.gas_used},
        )
    else:
        say(f"{words} ({receipt.gas_used:,} gas)")


def _address(text: str) -> str:
    if len(text) != 42 or text[:2] != "0x" or set(text[2:].lower()) - set("0123456789abcdef"):
        raise InputError(f"{text[:60]!r} is not an address", advice="An address is 0x and 40 hex digits.")
    return text.lower()


def _binding(chain_id: int, ledger: str, operator_id: int) -> str:
    import json

    triple = {"chainId": str(chain_id), "ledger": ledger, "operatorId": str(operator_id)}
    return json.dumps({"schema": "billproof/domain-binding/1", "operators": [triple]})
