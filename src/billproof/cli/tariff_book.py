"""``billproof tariff publish``, ``withdraw`` and ``published``: tariffs on the chain."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli import options
from billproof.cli.output import emit, say, table
from billproof.errors import InputError
from billproof.printable import printable

if TYPE_CHECKING:
    from billproof.ledger.states import TariffState

_NOT_PUBLISHED = 3
_AHEAD = 600
"""Seconds from the newest block to a withdrawal that names no time: the transaction waits for a block."""


@click.command(short_help="Publish tariffs' hashes and days on the chain.")
@click.argument("files", nargs=-1, required=True, type=options.FILE, metavar="FILE…")
@options.operator_option
@options.rpc_option
@options.signer_options
@options.deployment_option
@options.json_option
def publish(files: tuple[Path, ...], operator_id: int, as_json: bool, **signing: Any) -> None:
    """Publish the hash and the days of tariff files, so that bills can be seen to follow them.

    An anchorer or the admin of the operator signs. Publish before the first day: the chain keeps the time.
    What is published stays, once for each file; running it again does no harm. Nothing of a file but its
    hash and its `valid` days is sent.
    """
    from billproof.cli import choices
    from billproof.ledger.tariff_book import TariffBook
    from billproof.publication import utc, validity_words
    from billproof.publishing import publish as run
    from billproof.tariff import load_tariff

    tariffs = [load_tariff(file) for file in files]  # all are sound before the first is sent
    book = TariffBook(choices.signing_client(**signing))
    rows = []
    for tariff in tariffs:
        done = run(book, operator_id, tariff)
        gas = done.receipt.gas_used if done.receipt else 0
        how = f"published, {gas:,} gas" if done.receipt else "is published already"
        document = {"file": tariff.file, "name": tariff.name, "version": tariff.version}
        rows.append(
            document | _document(tariff.hash, done.state) | {"already": done.receipt is None, "gas": gas}
        )
        if as_json:
            continue
        say(f"{printable(tariff.words)}: {how}, {validity_words(done.state)}; 0x{tariff.hash.hex()}")
        if done.state.withdrawn_from:
            say(f"  It is withdrawn from {utc(done.state.withdrawn_from)} on, which stays.")
        if done.late and done.receipt:
            say("  Its first day had begun: bills of a period before today will be told to be priced late.")
    if as_json:
        emit("tariffs-published", {"operatorId": operator_id, "tariffs": rows})


@click.command(short_help="Say from when on a published tariff is not used any more.")
@click.argument("tariff", metavar="FILE|0xHASH")
@options.operator_option
@click.option(
    "--from",
    "start",
    metavar="YYYY-MM-DD[THH:MM:SSZ]",
    help="From when on, UTC, not in the past. [default: ten minutes after the newest block]",
)
@options.rpc_option
@options.signer_options
@options.deployment_option
@options.json_option
def withdraw(tariff: str, operator_id: int, start: str | None, as_json: bool, **signing: Any) -> None:
    """Say from when on a published tariff is no longer used; the admin signs.

    It is said once, and deletes nothing: bills of the time before keep their tariff.
    """
    from billproof.cli import choices
    from billproof.ledger.reads import block_ref, odd_answer
    from billproof.ledger.tariff_book import TariffBook
    from billproof.publication import utc

    wanted = None if start is None else _moment(start)
    hashed = _hash(tariff)
    client = choices.signing_client(**signing)
    if wanted is None:
        newest = block_ref(client.endpoint, "latest")
        if newest is None:
            raise odd_answer(client.endpoint, "eth_getBlockByNumber", "no newest block")
        wanted = newest.time + _AHEAD
    receipt = TariffBook(client).withdraw(operator_id, hashed, wanted)
    if as_json:
        emit(
            "tariff-withdrawn",
            {
                "operatorId": operator_id,
                "hash": "0x" + hashed.hex(),
                "withdrawnFrom": wanted,
                "gas": receipt.gas_used,
                "transaction": receipt.hash,
            },
        )
    else:
        say(f"0x{hashed.hex()} is withdrawn from {utc(wanted)} on ({receipt.gas_used:,} gas).")


@click.command(short_help="List an operator's published tariffs, or look some up.")
@click.argument("tariffs", nargs=-1, metavar="[FILE|0xHASH]…")
@options.operator_option
@options.rpc_option
@options.deployment_option
@options.json_option
def published(
    tariffs: tuple[str, ...],
    operator_id: int,
    rpc: str | None,
    deployment: Path | None,
    as_json: bool,
) -> int:
    """List an operator's published tariffs; or, of files or hashes, whether and when each was published.

    Exit codes: 0 all are published, 3 one of those named is not, 4 cannot check.
    """
    from billproof.cli import choices
    from billproof.ledger import deployments
    from billproof.ledger.reads import chain_id, require_ledger
    from billproof.ledger.tariff_reads import no_book, tariff_state
    from billproof.ledger.tariff_reads import published as listed

    hashes = [_hash(tariff) for tariff in tariffs]
    endpoint = choices.node(rpc)
    chosen = deployments.load(deployment or chain_id(endpoint))
    require_ledger(endpoint, chosen)
    found: list[tuple[bytes, TariffState]] = []
    for hashed in hashes:
        state = tariff_state(endpoint, chosen, operator_id, hashed)
        if state is None:
            raise no_book(chosen)
        found.append((hashed, state))
    if not hashes:
        found = list(listed(endpoint, chosen, operator_id))
    if as_json:
        rows = [_document(hashed, state) for hashed, state in found]
        emit("published-tariffs", {"operatorId": operator_id, "tariffs": rows})
    elif found:
        table(
            ["tariff", "published", "valid", "withdrawn from"],
            [_row(hashed, state) for hashed, state in found],
            title=f"Tariffs of operator {operator_id} on {printable(chosen.name)}",
        )
    else:
        say(f"Operator {operator_id} has published no tariff on {printable(chosen.name)}.")
    return 0 if all(state.exists for _, state in found) else _NOT_PUBLISHED


def _row(hashed: bytes, state: TariffState) -> list[str]:
    from billproof.publication import utc, validity_words

    if not state.exists:
        return ["0x" + hashed.hex(), "never", "", ""]
    withdrawn = utc(state.withdrawn_from) if state.withdrawn_from else ""
    valid = validity_words(state).removeprefix("valid ")
    return ["0x" + hashed.hex(), utc(state.published_at), valid, withdrawn]


def _document(hashed: bytes, state: TariffState) -> dict[str, Any]:
    """A version as JSON values: UTC seconds, null for what there is not."""
    return {
        "hash": "0x" + hashed.hex(),
        "publishedAt": state.published_at or None,
        "validFrom": state.valid_from if state.exists else None,
        "validUntil": state.valid_until or None,
        "withdrawnFrom": state.withdrawn_from or None,
    }


def _hash(tariff: str) -> bytes:
    """The hash that an argument is, or that of the file that it names: of its bytes, whatever they say."""
    from billproof.tariff import hash_of

    if tariff[:2] == "0x" and len(tariff) == 66 and not set(tariff[2:].lower()) - set("0123456789abcdef"):
        return bytes.fromhex(tariff[2:])
    try:
        return hash_of(Path(tariff).read_bytes())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a path"
        raise InputError(
            f"cannot be read: {why}",
            file=printable(tariff, 500),
            advice="Give a tariff's file, or its hash: 0x and 64 hex digits.",
        ) from error


def _moment(text: str) -> int:
    """UTC seconds of a day or a time."""
    for shape in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"):
        try:
            return int(datetime.strptime(text, shape).replace(tzinfo=UTC).timestamp())
        except ValueError:
            continue
    raise InputError(
        f"{printable(text, 60)} is no time",
        field="--from",
        advice="Write YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SSZ, in UTC.",
    )
