"""``billproof simulate partners``."""

from __future__ import annotations

from pathlib import Path

import click

from billproof.cli import options
from billproof.cli.output import emit, say, table


@click.command(short_help="Write a month between two operators, as both have booked it.")
@click.argument("out", type=options.FOLDER)
@options.period_option
@click.option(
    "--records",
    type=click.IntRange(2_000, 200_000),
    default=5_000,
    show_default=True,
    help="Records that Meridian hands over; seven for ten of them come back.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Same seed, same bytes.")
@options.force_option
@options.json_option
def partners(out: Path, period: int, records: int, seed: int, force: bool, as_json: bool) -> None:
    """Write a month of wholesale traffic between two operators to OUT, as each of them has booked it.

    Meridian (operator 1) and Skylark (2) hand traffic to each other. OUT/operator-N has each one's records,
    a file a region in local time and currency, and the mapping to batch them; OUT/agreement.toml is what the
    two have agreed. Six things are wrong with the books, and some single records: OUT/labels.csv names every
    one of them, OUT/expected.json what a clearing has to find and the net amount (docs/simulator.md).
    """
    from billproof.simulate.partner_files import account_of, write_partner_files
    from billproof.simulate.partner_month import PARTNERS

    files = write_partner_files(out, records=records, period=period, seed=seed, overwrite=force)
    if as_json:
        emit("partners", files.document())
        return
    rows = [
        [
            str(partner.operator),
            partner.name,
            str(region.number),
            region.zone,
            region.currency,
            files.file(partner, region),
            files.mapping(partner),
        ]
        for partner in PARTNERS
        for region in partner.regions
    ]
    table(["operator", "name", "region", "time zone", "currency", "file", "mapping"], rows)
    for payer in PARTNERS:
        accounts = " and ".join(f"{account_of(each, payer)} at {each.name}" for each in PARTNERS)
        say(f"What {payer.name} hands over is account {accounts}.")
    say(f"Agreement: {files.agreement}. What is wrong: {files.labels}; what to find: {files.expected}.")
