"""``billproof settle``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli import options
from billproof.cli.output import check_free, emit, facts, say, table
from billproof.errors import InputError

if TYPE_CHECKING:
    from billproof.clearing.agreement import Agreement
    from billproof.clearing.document_form import File
    from billproof.clearing.models_year import Volume
    from billproof.clearing.settlement import Settlement

_SHOWN = 30


def _day(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Callback of days: YYYY-MM-DD."""
    if value is None:
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise click.BadParameter(f"{value!r} is no day YYYY-MM-DD") from None


def _day_option(name: str, text: str, *, required: bool = False) -> options.Decorator:
    return click.option(name, metavar="YYYY-MM-DD", callback=_day, required=required, help=text)


@click.command(short_help="Settle a month of two operators: who pays whom how much, and what stays open.")
@click.argument("documents", type=options.FILE, nargs=-1, required=True, metavar="DOCUMENT [DOCUMENT]")
@click.option(
    "--agreement", "agreement_file", type=options.FILE, required=True, help="The agreement's file (TOML)."
)
@_day_option("--due", "When the net amount is to be paid.", required=True)
@_day_option("--issued", "The settlement's date. [default: today]")
@_day_option("--dispute-deadline", "Until when disputes stay open. [default: when the amount is due]")
@click.option(
    "--round", "number", type=click.IntRange(1), default=1, show_default=True, help="The clearing's round."
)
@click.option("--before", type=options.FILE, help="The volumes of the year's months before (CSV).")
@click.option("--volumes", type=options.FILE, help="Write those with this month's, for the next month.")
@click.option("--out", type=options.FILE, help="Write the settlement there (JSON): what both sides sign.")
@click.option("--xlsx", type=options.FILE, help="Write it as a workbook.")
@click.option("--pdf", type=options.FILE, help="Write it as pages.")
@click.option("--report", type=options.FILE, help="Write a report of it and of why books differ (HTML).")
@options.force_option
@options.json_option
def settle(documents: tuple[Path, ...], agreement_file: Path, as_json: bool, **given: Any) -> None:
    """Make a settlement of a month: of what `billproof clear --out` wrote, a DOCUMENT of each direction.

    What both books have is settled, in both directions, with the agreement's discounts of the year to date;
    what only one has stays open by cause (docs/clearing.md). Volumes of --before and --volumes have the form
    of `billproof agreement evaluate`.

    Exit codes: 0 done, 2 a document, the agreement or the volumes cannot be used.
    """
    from billproof.clearing.agreement import load_agreement, month_of
    from billproof.clearing.document_reading import load_clear
    from billproof.clearing.settlement_filling import check_together, settle_documents
    from billproof.clearing.settlement_form import document, document_hash
    from billproof.files import write_file

    if len(documents) > 2:
        raise click.UsageError("two documents at most: one of each direction")
    written = [given[name] for name in ("out", "volumes", "xlsx", "pdf", "report") if given[name]]
    check_free(written, given["force"])
    agreement = load_agreement(agreement_file)
    files = [load_clear(path) for path in documents]
    period, _ = check_together(files, agreement)
    before = _before(given["before"], agreement, month_of(period))
    issued, due = given["issued"] or date.today().isoformat(), given["due"]
    deadline = given["dispute_deadline"] or due
    for name, day in (("--due", due), ("--dispute-deadline", deadline)):
        if day < issued:
            raise InputError(f"{day} is before {issued}, when it is issued", field=name)
    found = settle_documents(files, agreement, issued, due, deadline, before=before, number=given["number"])
    content = document(found)
    signed = document_hash(content)
    if given["out"]:
        write_file(given["out"], content, mode=0o600)
    _write(found, signed, files, before, given)
    if as_json:
        emit("settlement", json.loads(content))
        return
    _print(found, signed)
    for path in written:
        say(f"Written: {path}")


def _before(path: Path | None, agreement: Agreement, month: str) -> list[Volume]:
    """The volumes of the months before; InputError where one is not before ``month``."""
    from billproof.clearing.models_volumes import read_volumes

    found = [] if path is None else list(read_volumes(path, agreement))
    for each in found:
        if each.month >= month:
            raise InputError(
                f"has traffic of {each.month}, which is not before {month}",
                file=path,
                field="month",
                advice="Give the file that --volumes wrote with the month before.",
            )
    return found


def _write(
    found: Settlement, signed: bytes, files: Sequence[File], before: Sequence[Volume], given: dict[str, Any]
) -> None:
    """The volumes, and what people read, where it is asked for."""
    from billproof.files import write_file

    if given["volumes"]:
        from billproof.clearing.agreement import month_of
        from billproof.clearing.models_volumes import volumes_csv
        from billproof.clearing.settlement_filling import volumes_of

        volumes = [*before, *volumes_of(files, month_of(found.period))]
        write_file(given["volumes"], volumes_csv(volumes), mode=0o600)
    if given["xlsx"]:
        from billproof.clearing.settlement_xlsx import workbook

        write_file(given["xlsx"], workbook(found, signed), mode=0o600)
    if given["pdf"]:
        from billproof.clearing.settlement_pdf import paper

        write_file(given["pdf"], paper(found, signed), mode=0o600)
    if given["report"]:
        from billproof.clearing.document_form import tree_of
        from billproof.clearing.report import html_report

        page = html_report([tree_of(file) for file in files], found)
        write_file(given["report"], page.encode(), mode=0o600)


def _print(found: Settlement, signed: bytes) -> None:
    """Who pays whom, then what for, then what stays open."""
    from billproof.clearing.agreement import month_of
    from billproof.clearing.settlement_tables import headline
    from billproof.records import money

    amount, currency = found.net.amount, found.currency
    month = month_of(found.period)
    due = f" {money(amount)} {currency} for {month}, due {found.due}" if amount else f" for {month}"
    facts(
        headline(found) + due,
        [
            *(
                (
                    f"{each.payer.name} pays",
                    f"{money(each.total)} {currency}: {money(each.records)} of records, "
                    f"{money(each.adjustments)} by discounts",
                )
                for each in found.directions
            ),
            ("left open", f"{money(found.disputed)} {currency}, {len(found.disputes):,} claims"),
            ("hash", "0x" + signed.hex()),
        ],
    )
    if found.charges:
        table(
            ["pays", "model", "to date", month, "booked", "adjustment", "still open"],
            [
                [
                    found.party(each.payer).name,
                    each.model,
                    *map(money, (each.to_date, each.share, each.booked, each.adjustment, each.open)),
                ]
                for each in found.charges
            ],
            title="Discounts",
        )
    if found.disputes:
        table(
            ["", "claims", "kind", "what", "records", currency],
            [
                [
                    each.number,
                    found.party(each.claimant).name,
                    each.kind,
                    each.words,
                    f"{each.count:,}",
                    money(each.amount),
                ]
                for each in found.disputes[:_SHOWN]
            ],
            title="Left open",
        )
    if len(found.disputes) > _SHOWN:
        say(f"{len(found.disputes) - _SHOWN:,} more: see --json.")
