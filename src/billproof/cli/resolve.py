"""``billproof resolve``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli import options
from billproof.cli.output import check_free, emit, say
from billproof.cli.settle import day_option, print_differences, tell
from billproof.errors import InputError

if TYPE_CHECKING:
    from billproof.clearing.document.form import File
    from billproof.clearing.settlement.resolving import Choice
    from billproof.clearing.settlement.settlement import Settlement

_MADE = ("due", "issued", "deadline", "out", "xlsx", "pdf", "report", "documents", "force")
_WRITTEN = ("out", "xlsx", "pdf", "report")


def _choice_option(name: str, outcome: str, metavar: str, text: str) -> options.Decorator:
    return click.option(name, outcome, metavar=metavar, multiple=True, help=text)


@click.command(short_help="Settle claims that a settlement left open: accepted, rejected or withdrawn.")
@click.argument("settlement", type=options.FILE, metavar="SETTLEMENT.json")
@_choice_option(
    "--accept", "accepted", "CLAIM[=AMOUNT]", "It is paid, whole or AMOUNT of it; the rest is given up."
)
@_choice_option("--reject", "rejected", "CLAIM", "It is not paid.")
@_choice_option("--withdraw", "withdrawn", "CLAIM", "Its claimant has withdrawn it.")
@day_option("--due", "When the net amount is to be paid; always given, but with --check.")
@day_option("--issued", "The part's date. [default: today]")
@day_option("--deadline", "Until when the other claims stay open. [default: as before]")
@click.option("--out", type=options.FILE, help="Write the part there (JSON): what both sides sign.")
@click.option("--xlsx", type=options.FILE, help="Write it as a workbook.")
@click.option("--pdf", type=options.FILE, help="Write it as pages.")
@click.option("--report", type=options.FILE, help="Write a report of it (HTML); with --document.")
@click.option(
    "--document",
    "documents",
    type=options.FILE,
    multiple=True,
    help="What was cleared (clear --out), one of each direction, for --report.",
)
@click.option(
    "--check",
    type=options.FILE,
    metavar="PART.json",
    help="Make nothing: compare the part that the other side has made.",
)
@options.force_option
@options.json_option
def resolve(settlement: Path, as_json: bool, **given: Any) -> int:
    """Settle claims that SETTLEMENT.json left open: the next part, of kind "disputed".

    A CLAIM is a number of the settlement. Where claims have the same number, name the claimant's number too,
    and whether it is a debt or a credit: 3:2, 3:2:credit. An accepted AMOUNT has no sign. What is accepted is
    netted and rounded once; claims that are not named stay open. The part names the settlement's hash, and is
    itself a SETTLEMENT.json for the part after it.

    Either operator makes the same part, to the byte. So one makes it, and the other runs this with --check
    before it signs, with its own --accept, --reject and --withdraw; without any, only that the part continues
    the settlement is compared.

    Claims have no volumes. Where the traffic of accepted claims is to count in the year's discounts, both
    operators add it to the VOLUMES.csv of the next month.

    Exit codes: 0 done, 1 with --check: the part is another, 2 a settlement, or what is said of its claims,
    cannot be used.
    """
    from billproof.clearing.settlement.form import document, document_hash
    from billproof.clearing.settlement.reading import load_document
    from billproof.clearing.settlement.resolving import resolve
    from billproof.files import write_file

    choices = _choices(given)
    if given["check"]:
        for name in _MADE:
            if given[name]:
                raise click.UsageError(f"--{name} makes a part, --check only compares one")
        return _check(settlement, given["check"], choices, as_json)
    if not given["due"]:
        raise click.UsageError("--due is missing: when is the net amount to be paid?")
    if bool(given["report"]) != bool(given["documents"]):
        raise click.UsageError("--report and --document are given together")
    written = [given[name] for name in _WRITTEN if given[name]]
    check_free(written, given["force"])
    before, its_hash = load_document(settlement)
    files = _cleared(given["documents"], before)
    issued = given["issued"] or max(date.today().isoformat(), before.issued)
    found = resolve(before, its_hash, choices, issued, given["due"], given["deadline"])
    content = document(found)
    signed = document_hash(content)
    if given["out"]:
        write_file(given["out"], content, mode=0o600)
    _write(found, signed, files, given)
    if as_json:
        emit("settlement", json.loads(content))
        return 0
    tell(found, signed)
    for path in written:
        say(f"Written: {path}")
    return 0


def _choices(given: dict[str, Any]) -> list[Choice]:
    """What is said of claims; the options are named by their outcomes."""
    from billproof.clearing.settlement.resolving import choice_of
    from billproof.clearing.settlement.settlement import OUTCOMES

    return [choice_of(text, outcome) for outcome in OUTCOMES for text in given[outcome]]


def _check(settlement: Path, part: Path, choices: list[Choice], as_json: bool) -> int:
    """Compares a part with what it continues, and with what one would resolve oneself; the exit code."""
    from billproof.clearing.settlement.comparing import differences
    from billproof.clearing.settlement.reading import load_document
    from billproof.clearing.settlement.resolving import own_part, require_continues

    before, its_hash = load_document(settlement)
    found, signed = load_document(part)
    require_continues(found, before, its_hash)
    differing = differences(found, own_part(found, before, its_hash, choices)) if choices else []
    if as_json:
        told = [{"what": each.what, "settlement": each.given, "own": each.own} for each in differing]
        emit("settlement-check", {"same": not differing, "hash": "0x" + signed.hex(), "differences": told})
    elif differing:
        print_differences(differing)
    else:
        say("The part continues the settlement: no claim is lost, new, or resolved twice.")
        if choices:
            say("It is what you resolve, to the byte; its days you read yourself.")
        tell(found, signed)
    return 1 if differing else 0


def _write(found: Settlement, signed: bytes, files: Sequence[File], given: dict[str, Any]) -> None:
    """What people read, where it is asked for."""
    from billproof.files import write_file

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


def _cleared(paths: Sequence[Path], settlement: Settlement) -> list[File]:
    """The clear documents; InputError where one is not of the settlement's month and agreement."""
    from billproof.clearing.document.reading import load_clear

    files = [load_clear(path) for path in paths]
    of = "0x" + settlement.agreement_hash.hex(), settlement.currency, str(settlement.period)
    for path, file in zip(paths, files, strict=True):
        if (file.agreement.hash, file.settlement, file.period) != of:
            raise InputError(
                "is not of the settlement's month and agreement",
                file=path,
                advice="Give what the settlement was made from.",
            )
    return files
