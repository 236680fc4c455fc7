"""``billproof tariff``: what is done with a tariff's file itself."""

from __future__ import annotations

import click

from billproof.cli import tariff_book, tariff_file, tariff_import


@click.group(short_help="Check a tariff's file, and have it explained.")
def tariff() -> None:
    """What a price plan charges, in a file that everybody can rate with (docs/tariff.md)."""


for command in (tariff_file.check, tariff_file.explain, tariff_import.import_plan):
    tariff.add_command(command)

for command in (tariff_book.publish, tariff_book.withdraw, tariff_book.published):
    tariff.add_command(command)
