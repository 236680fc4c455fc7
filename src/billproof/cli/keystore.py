"""``billproof keystore``: keys in files, never in arguments."""

from __future__ import annotations

from pathlib import Path

import click

from billproof.cli import options
from billproof.cli.output import emit, say


@click.group(short_help="Make a key for signing, in an encrypted file.")
def keystore() -> None:
    """Make a key for signing, in an encrypted file (Web3 Secret Storage, version 3).

    The password is the first line of the file named by BILLPROOF_PASSWORD_FILE.
    """


@keystore.command()
@click.argument("file", type=options.FILE)
@options.json_option
def create(file: Path, as_json: bool) -> None:
    """Make a new key in FILE, which must not exist yet, and print its address."""
    from billproof.ledger.signers import create_keystore

    address = create_keystore(file)
    if as_json:
        emit("keystore", {"file": str(file), "address": address})
    else:
        say(f"{file} holds the key of {address}. Back it up: nobody can make it again.")
