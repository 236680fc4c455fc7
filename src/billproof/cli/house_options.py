"""What the commands of ``billproof house`` share: options, times, and what they print of a transaction."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli import options
from billproof.cli.output import emit, say
from billproof.errors import InputError
from billproof.printable import printable

if TYPE_CHECKING:
    from billproof.clearing.house.model import Owed
    from billproof.ledger.clearing_house import ClearingHouse
    from billproof.ledger.transactions import Receipt

_AHEAD = 600
"""Seconds from the newest block to where durations begin: the transaction waits for a block."""

_UNITS = {"d": 86_400, "h": 3_600, "m": 60}


def hash_of(context: click.Context, parameter: click.Parameter, value: str | None) -> bytes | None:
    """Callback: 0x and 64 hex digits."""
    if value is None:
        return None
    if not re.fullmatch("0x[0-9a-fA-F]{64}", value):
        raise click.BadParameter(f"{printable(value, 80)!r} is not 0x and 64 hex digits")
    return bytes.fromhex(value[2:])


def address_of(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Callback: an address that is not zero, made lower-case."""
    if value is None:
        return None
    if not re.fullmatch("0x[0-9a-fA-F]{40}", value) or not int(value, 16):
        raise click.BadParameter(f"{printable(value, 60)!r} is not an address: 0x and 40 hex digits")
    return value.lower()


def moment(text: str, begin: int, option: str) -> int:
    """UTC seconds of a duration after ``begin`` (``7d``, ``36h``), of a day, or of a time in UTC."""
    found = re.fullmatch("([1-9][0-9]{0,5})([dhm])", text)
    if found:
        return begin + int(found[1]) * _UNITS[found[2]]
    for shape in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"):
        try:
            return int(datetime.strptime(text, shape).replace(tzinfo=UTC).timestamp())
        except ValueError:
            continue
    raise InputError(
        f"{printable(text, 60)} is no time",
        field=option,
        advice="Write 7d or 36h from now, YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SSZ, in UTC.",
    )


clearing_argument = click.argument("clearing", metavar="ID", callback=hash_of)
part_file = click.argument("file", type=options.FILE, metavar="PART.json")
side_option = click.option(
    "--operator",
    "operator_id",
    type=click.IntRange(1, (1 << 53) - 1),
    help="For which side. [default: the one of which the signer is anchorer or admin]",
)
signature_option = click.option(
    "--signature",
    metavar="0x…",
    help="Add this signature, of a contract's wallet, for --operator; nothing is signed here.",
)
digest_option = click.option(
    "--digest",
    is_flag=True,
    help="Compare everything and print what a contract's wallet signs; sign nothing.",
)


def looking(command: Any) -> Any:
    """The options of a command that only looks."""
    for option in (options.json_option, options.deployment_option, options.rpc_option):
        command = option(command)
    return command


def sending(command: Any) -> Any:
    """The options of a command that sends a transaction."""
    for option in (
        options.json_option,
        options.deployment_option,
        options.signer_options,
        options.rpc_option,
    ):
        command = option(command)
    return command


def house_of(signing: dict[str, Any]) -> ClearingHouse:
    """The house that the signing options mean, checked."""
    from billproof.cli import choices
    from billproof.ledger.clearing_house import ClearingHouse

    house = ClearingHouse(choices.signing_client(**signing))
    house.check()
    return house


def looking_house(rpc: str | None, deployment: Path | None) -> ClearingHouse:
    """The house for looking only, checked."""
    from billproof.cli import choices
    from billproof.ledger.clearing_house import ClearingHouse

    house = ClearingHouse(choices.client(rpc, deployment))
    house.check()
    return house


def begin(house: ClearingHouse) -> int:
    """Where durations begin, UTC seconds; a quiet chain's newest block may be old."""
    import time

    from billproof.clearing.house.access import now

    return max(now(house.client.endpoint), int(time.time())) + _AHEAD


def signature_bytes(text: str) -> bytes:
    """The bytes of ``--signature``."""
    if not re.fullmatch("0x([0-9a-fA-F]{2}){0,8192}", text):
        raise InputError("is not hexadecimal digits after 0x", field="--signature")
    return bytes.fromhex(text[2:])


def owed_in(path: Path, number: int | None) -> list[Owed]:
    """The part of a part's file, or part ``number`` (None: all parts) of a netting's file."""
    from billproof.clearing.house.files import is_netting, read_netting, read_part

    if not is_netting(path):
        if number is not None:
            raise InputError("is a single part", file=path, field="--part")
        return [read_part(path).owed]
    parts = list(read_netting(path).parts)
    if number is None:
        return parts
    if not 1 <= number <= len(parts):
        raise InputError(f"has the parts 1 to {len(parts)}", file=path, field="--part")
    return [parts[number - 1]]


def one_owed(path: Path, number: int | None) -> Owed:
    """One part of a file."""
    found = owed_in(path, number)
    if len(found) != 1:
        raise InputError(f"has {len(found)} parts", file=path, field="--part", advice="Say which: --part N.")
    return found[0]


def done(
    receipts: Iterable[Receipt | None], words: str, as_json: bool, kind: str = "house-done", **more: Any
) -> None:
    """Says what was done; no receipt: it was done before."""
    sent = [each for each in receipts if each is not None]
    gas = sum(each.gas_used for each in sent)
    if as_json:
        emit(kind, {**more, "already": not sent, "transactions": [each.hash for each in sent], "gas": gas})
    else:
        say(f"{words} ({f'{gas:,} gas' if sent else 'that was done before'})")
