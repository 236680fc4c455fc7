"""``billproof secrets``: the encrypted backup of what cannot be made again."""

from __future__ import annotations

from pathlib import Path

import click

from billproof.cli import options
from billproof.cli.output import say
from billproof.errors import InputError


@click.group(short_help="Back up and restore account seeds and batch secrets.")
def secrets() -> None:
    """Back up and restore account seeds and batch secrets.

    The password is the first line of the file named by BILLPROOF_PASSWORD_FILE.
    """


@secrets.command()
@click.argument("target", type=options.FILE)
@options.secrets_option
@options.force_option
def backup(target: Path, secrets_root: Path, force: bool) -> None:
    """Write all secrets to TARGET, encrypted."""
    from billproof import secret_store

    if target.exists() and not force:
        raise InputError("is there already", file=target, advice="Use --force to overwrite.")
    if not secrets_root.is_dir():
        raise InputError("there are no secrets", file=secrets_root)
    secret_store.backup(secrets_root, target, options.password() or b"")
    say(f"All secrets below {secrets_root} are in {target}.")


@secrets.command()
@click.argument("source", type=options.FILE)
@options.secrets_option
def restore(source: Path, secrets_root: Path) -> None:
    """Write the secrets in SOURCE back to an empty directory."""
    from billproof import secret_store

    count = secret_store.restore(source, secrets_root, options.password() or b"")
    say(f"{count} files restored to {secrets_root}.")
