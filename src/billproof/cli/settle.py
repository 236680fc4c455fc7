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
    from billproof.clearing.agreement.agreement import Agreement
    from billproof.clearing.discounts.year import Volume
    from billproof.clearing.document.form import File
    from billproof.clearing.settlement.comparing import Difference
    from billproof.clearing.settlement.settlement import Settlement

_SHOWN = 30
#: What a settlement that is checked says itself, and what makes one.
_MADE = ("due", "issued", "dispute_deadline", "round", "out", "volumes", "xlsx", "pdf", "report", "force")


def day_of(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Callback of days: YYYY-MM-DD."""
    if value is None:
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise click.BadParameter(f"{value!r} is no day YYYY-MM-DD") from None


def day_option(name: str, text: str) -> options.Decorator:
    """An option that is a day."""
    return click.option(name, metavar="YYYY-MM-DD", callback=day_of, help=text)


@click.command(short_help="Settle a month of two operators: who pays whom how much, and what stays open.")
@click.argument("documents", type=options.FILE, nargs=-1, required=True, metavar="DOCUMENT [DOCUMENT]")
@click.option(
    "--agreement", "agreement_file", type=options.FILE, required=True, help="The agreement's file (TOML)."
)
@day_option("--due", "When the net amount is to be paid; always given, but with --check.")
@day_option("--issued", "The settlement's date. [default: today]")
@day_option("--dispute-deadline", "Until when disputes stay open. [default: when the amount is due]")
@click.option("--round", type=click.IntRange(1), help="The clearing's round. [default: 1]")
@click.option(
    "--before",
    type=options.FILE,
    metavar="VOLUMES.csv|none",
    help="The volumes of the year's months before, or that there was no traffic; needed with discounts.",
)
@click.option("--volumes", type=options.FILE, help="Write those with this month's, for the next month.")
@click.option("--out", type=options.FILE, help="Write the settlement there (JSON): what both sides sign.")
@click.option("--xlsx", type=options.FILE, help="Write it as a workbook.")
@click.option("--pdf", type=options.FILE, help="Write it as pages.")
@click.option("--report", type=options.FILE, help="Write a report of it and of why books differ (HTML).")
@click.option(
    "--check",
    type=options.FILE,
    metavar="SETTLEMENT.json",
    help="Make nothing: compare what the other side has made with what these documents come to.",
)
@options.force_option
@options.json_option
def settle(documents: tuple[Path, ...], agreement_file: Path, as_json: bool, **given: Any) -> int:
    """Make a settlement of a month: of what `billproof clear --out` wrote, a DOCUMENT of each direction.

    What both books have is settled, in both directions, with the agreement's discounts of the year to date;
    what only one has stays open by cause (docs/clearing.md). Volumes of --before and --volumes have the form
    of `billproof agreement evaluate`.

    Either operator makes the same settlement, to the byte. So one makes it, and the other runs this with
    --check before it signs: days and round are taken from the settlement, and whatever else is not what its
    own documents come to is told.

    Exit codes: 0 done, 1 with --check: the settlement is another, 2 a document, the agreement, the volumes
    or the settlement cannot be used.
    """
    from billproof.clearing.agreement.agreement import load_agreement, month_of
    from billproof.clearing.discounts.volumes import volumes_before
    from billproof.clearing.document.reading import load_clear
    from billproof.clearing.settlement.filling import check_together, settle_documents
    from billproof.clearing.settlement.form import document, document_hash
    from billproof.files import write_file

    if len(documents) > 2:
        raise click.UsageError("two documents at most: one of each direction")
    if given["check"]:
        _check_alone(given)
    elif not given["due"]:
        raise click.UsageError("--due is missing: when is the net amount to be paid?")
    written = [given[name] for name in ("out", "volumes", "xlsx", "pdf", "report") if given[name]]
    check_free(written, given["force"])
    agreement = load_agreement(agreement_file)
    files = [load_clear(path) for path in documents]
    period, _ = check_together(files, agreement)
    before = volumes_before(given["before"], agreement, month_of(period))
    if given["check"]:
        return _check(given["check"], files, agreement, before, as_json)
    issued, due = given["issued"] or date.today().isoformat(), given["due"]
    deadline = given["dispute_deadline"] or due
    for name, day in (("--due", due), ("--dispute-deadline", deadline)):
        if day < issued:
            raise InputError(f"{day} is before {issued}, when it is issued", field=name)
    found = settle_documents(
        files, agreement, issued, due, deadline, before=before, number=given["round"] or 1
    )
    content = document(found)
    signed = document_hash(content)
    if given["out"]:
        write_file(given["out"], content, mode=0o600)
    _write(found, signed, files, before, given)
    if as_json:
        emit("settlement", json.loads(content))
    else:
        tell(found, signed)
        for path in written:
            say(f"Written: {path}")
    say_missing(found)
    return 0


def say_missing(found: Settlement) -> None:
    """Names the year's months that no volumes are known of: with them, what is due may be another sum."""
    from billproof.clearing.agreement.agreement import month_of

    if found.year is not None and found.year.missing:
        say(
            f"No volumes of {', '.join(map(month_of, found.year.missing))}: discounts and commitments of the"
            " year to date take them as months without traffic, and both sign that. If there was some, give"
            " what --volumes wrote with the month before as --before."
        )


def _check_alone(given: dict[str, Any]) -> None:
    """Refuses what makes a settlement where one is compared."""
    for name in _MADE:
        if given[name]:
            option = "--" + name.replace("_", "-")
            raise click.UsageError(f"{option} makes a settlement, --check only compares one")


def _check(
    path: Path, files: Sequence[File], agreement: Agreement, before: Sequence[Volume], as_json: bool
) -> int:
    """Compares a settlement with what one's own documents come to; the exit code."""
    from billproof.clearing.settlement.comparing import differences, own_settlement
    from billproof.clearing.settlement.reading import load_document

    settlement, signed = load_document(path)
    found = differences(settlement, own_settlement(settlement, files, agreement, before))
    if as_json:
        told = [{"what": each.what, "settlement": each.given, "own": each.own} for each in found]
        emit("settlement-check", {"same": not found, "hash": "0x" + signed.hex(), "differences": told})
    elif found:
        print_differences(found)
    else:
        click.echo("✓ The settlement is what these documents come to, to the byte.")
        tell(settlement, signed)
        say("Its days are not in the documents: read them.")
    say_missing(settlement)
    return 1 if found else 0


def print_differences(found: Sequence[Difference]) -> None:
    """What a settlement says, and what it comes to."""
    table(
        ["", "the settlement says", "these documents come to"],
        [[each.what, each.given, each.own] for each in found[:_SHOWN]],
        title="The settlement is another than these documents come to",
    )
    if len(found) > _SHOWN:
        say(f"{len(found) - _SHOWN:,} more: see --json.")
    say("Do not sign it; ask who made it.")


def _write(
    found: Settlement, signed: bytes, files: Sequence[File], before: Sequence[Volume], given: dict[str, Any]
) -> None:
    """The volumes, and what people read, where it is asked for."""
    from billproof.files import write_file

    if given["volumes"]:
        from billproof.clearing.agreement.agreement import month_of
        from billproof.clearing.discounts.volumes import volumes_csv
        from billproof.clearing.settlement.filling import volumes_of

        volumes = [*before, *volumes_of(files, month_of(found.period))]
        write_file(given["volumes"], volumes_csv(volumes), mode=0o600)
    if given["xlsx"]:
        from billproof.clearing.settlement.xlsx import workbook

        write_file(given["xlsx"], workbook(found, signed), mode=0o600)
    if given["pdf"]:
        from billproof.clearing.settlement.pdf import paper

        write_file(given["pdf"], paper(found, signed), mode=0o600)
    if given["report"]:
        from billproof.clearing.document.form import tree_of
        from billproof.clearing.report.page import html_report

        page = html_report([tree_of(file) for file in files], found)
        write_file(given["report"], page.encode(), mode=0o600)


def tell(found: Settlement, signed: bytes) -> None:
    """Who pays whom, then what for, then what stays open."""
    from billproof.clearing.agreement.agreement import month_of
    from billproof.clearing.settlement.tables import claim_word, headline
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
                    f"{money(each.adjustments)} by discounts and commitments"
                    if found.continues is None
                    else f"{money(each.total)} {currency} of accepted claims",
                )
                for each in found.directions
            ),
            ("left open", f"{money(found.disputed)} {currency}, {len(found.disputes):,} claims"),
            *((("continues", "0x" + found.continues.hex()),) if found.continues else ()),
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
            title="Discounts and commitments",
        )
    if found.resolved:
        table(
            ["", "claims", "as", "what", "pays", "outcome", "claimed", "accepted"],
            [
                [
                    each.claim.number,
                    found.party(each.claim.claimant).name,
                    claim_word(each.claim.amount),
                    each.claim.words,
                    found.party(each.claim.payer).name,
                    each.outcome,
                    money(abs(each.claim.amount)),
                    money(abs(each.accepted)),
                ]
                for each in found.resolved[:_SHOWN]
            ],
            title="Resolved",
        )
    if found.disputes:
        table(
            ["", "claims", "as", "kind", "what", "records", currency],
            [
                [
                    each.number,
                    found.party(each.claimant).name,
                    claim_word(each.amount),
                    each.kind,
                    each.words,
                    f"{each.count:,}",
                    money(abs(each.amount)),
                ]
                for each in found.disputes[:_SHOWN]
            ],
            title="Left open",
        )
    if len(found.disputes) > _SHOWN:
        say(f"{len(found.disputes) - _SHOWN:,} more: see --json.")
