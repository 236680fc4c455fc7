"""``billproof simulate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from billproof.cli import options
from billproof.cli.output import emit, progress, table
from billproof.records import money


class _WithPartners(click.Command):
    """``simulate partners`` is a command of its own; without the word, options say what to write."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] == ["partners"]:
            from billproof.cli.simulate_partners import partners

            return partners.make_context(f"{info_name} partners", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=_WithPartners, short_help="Write a month of realistic CDR files.")
@click.option("--operators", type=click.IntRange(1), default=1, show_default=True)
@click.option("--subscribers", type=click.IntRange(1), default=100, show_default=True, help="Per operator.")
@options.period_option
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Same seed, same bytes.")
@click.option(
    "--format", "formats", default="csv", show_default=True, metavar="F[,F…]", help="Formats to write."
)
@click.option(
    "--records", type=float, default=50, show_default=True, help="Records a subscriber, on average."
)
@click.option("--timezone", default="Europe/Dublin", show_default=True, help="The operators' local time.")
@click.option("--currency", default="EUR", show_default=True)
@click.option("--rejects", type=click.IntRange(0), default=0, help="Malformed rows to mix in.")
@click.option("--other-periods", type=click.IntRange(0), default=0, help="Rows of neighbouring months.")
@click.option("--phone-logs", is_flag=True, help="Write a phone log for each account, under DIR/phones.")
@click.option(
    "--phone-format",
    metavar="F",
    help="Format of all phone logs: android-xml, android-csv, iphone, imazing, google-voice or fritzbox. "
    "[default: a mixture]",
)
@click.option(
    "--errors", type=float, default=0.0, metavar="RATE", help="Share of usage lines to bill wrongly: 0.002."
)
@click.option(
    "--error-kind",
    "error_kinds",
    multiple=True,
    metavar="KIND",
    help="Only errors of this kind: phantom, duplicate, duration, hung, overcharge, tariff. May be repeated.",
)
@click.option("--out", type=options.FOLDER, required=True, help="Where to write.")
@options.force_option
@options.json_option
def simulate(formats: str, records: float, out: Path, force: bool, as_json: bool, **given: Any) -> None:
    """Write a month of realistic CDR files under DIR/cdr, with mapping files beside them.

    Nothing in them is real: numbers come from ranges reserved for fiction where there are any. See
    docs/simulator.md for the model; simulation.json holds the control totals. DIR/tariffs has the price plans
    and each account's. With phone logs or errors, labels.csv names every line that is wrong.

    `billproof simulate partners OUT` writes a month between two operators instead.
    """
    from billproof.simulate import simulate as run

    with progress(as_json) as update:
        simulation = run(
            out,
            formats=[name.strip() for name in formats.split(",")],
            records_per_subscriber=records,
            overwrite=force,
            progress=lambda done, total: update("subscribers", done, total),
            **given,
        )
    if as_json:
        emit("simulation", simulation.document())
        return
    rows = [
        [
            month.carrier.number,
            month.carrier.name,
            file.path,
            f"{file.records:,}",
            money(file.amount),
            file.currency,
        ]
        for month in simulation.operators
        for file in month.files
    ]
    table(["operator", "name", "file", "records", "amount", "currency"], rows)
    if simulation.labels:
        click.echo(f"{len(simulation.phone_logs):,} phone logs; wrong lines are in {simulation.labels}")
