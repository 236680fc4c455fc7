"""``billproof check``."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli import options
from billproof.cli.output import emit, facts, progress, say
from billproof.errors import CannotCheckError, InputError
from billproof.printable import plain_cell, printable

if TYPE_CHECKING:
    from billproof.statement_check import Part, Tariffs, Totals
    from billproof.tariff.result import Difference

_SHOWN = 30
_LISTED = 10_000

_COLUMNS = (
    *("account", "line", "when", "service", "number", "rate", "currency", "charged", "due", "difference"),
    *("billed_usage", "due_billed_usage", "cause", "words", "tariff"),
)


@click.command(short_help="Check that statements charge what their tariff says.")
@click.argument("source", metavar="STATEMENT|STORE", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--tariff", "tariffs", multiple=True, type=options.FILE, help="A tariff's file; may be repeated."
)
@click.option(
    "--balances", type=options.FILE, help="What accounts carried over: CSV account,allowance,left,age."
)
@click.option("--csv", "as_csv", type=options.FILE, help="Also write every line that differs there.")
@options.force_option
@options.json_option
def check(
    source: Path,
    tariffs: tuple[Path, ...],
    balances: Path | None,
    as_csv: Path | None,
    force: bool,
    as_json: bool,
) -> int:
    """Check that statements charge what their tariff says (docs/tariff.md, section 8).

    STATEMENT is a proof file (.json, or the PDF that carries it) or a directory of them, STORE a batch or a
    directory of batches. Each statement is priced by the tariff whose hash it names; one that names none by
    the only one given. Bills find their tariff in the directory tariffs/ beside them, as `billproof bundles`
    writes it. A store knows its tariffs, and what accounts carried over: --tariff is needed where it keeps no
    file of them, and --balances, for batches of one period, is used instead of what it keeps.

    Exit codes: 0 every line that the tariff prices is as it says, 1 differences, 2 bad input, 4 cannot check:
    the tariff prices no line.
    """
    from billproof.statement_check import Tariffs, Totals
    from billproof.tariff.balances import Balances

    if as_csv is not None and as_csv.exists() and not force:
        raise InputError("is there already", file=as_csv, advice="Use --force to overwrite.")
    given, totals = Tariffs(tariffs, Balances.read(balances) if balances else None), Totals()
    shown: list[tuple[Part, Difference]] = []
    with progress(as_json) as update, _sheet(as_csv) as write:
        for part in _parts(source, given, update):
            totals.add(part)
            for found in part.checked.differences:
                write(part, found)
            shown += [(part, found) for found in part.checked.differences[: _LISTED - len(shown)]]
    if not totals.statements:
        raise InputError(
            "no statement names a tariff",
            file=source,
            advice="Give the one --tariff that they are priced by.",
        )
    if as_json:
        emit("check", _document(totals, shown, given))
    else:
        _print(totals, shown, given, whole=not source.is_dir())
        if as_csv is not None:
            say(f"Written: {as_csv}")
    return 1 if totals.differing else CannotCheckError.exit_code if totals.nothing else 0


def _parts(source: Path, tariffs: Tariffs, update: Any) -> Iterator[Part]:
    from billproof.audit import stored_batches
    from billproof.statement_check import check_batches, check_file

    files = [source] if not source.is_dir() else _proof_files(source)
    for done, file in enumerate(files, 1):
        yield check_file(file, tariffs)
        update("files", done, len(files))
    if files:
        return
    yield from check_batches(
        list(stored_batches(source)), tariffs, lambda done, total: update("records", done, total)
    )


def _proof_files(directory: Path) -> list[Path]:
    """The bills in a directory that is no batch; a store has none."""
    if (directory / "batch.json").exists():
        return []
    return sorted(file for file in directory.iterdir() if file.suffix.lower() in (".json", ".pdf"))


def _document(totals: Totals, shown: list[tuple[Part, Difference]], tariffs: Tariffs) -> dict[str, Any]:
    return {
        **totals.document(),
        "tariffAssumed": tariffs.assumed,
        "leftOut": tariffs.unnamed,
        "differences": [_object(part, found) for part, found in shown],
        "notListed": totals.differing - len(shown),
    }


def _object(part: Part, found: Difference) -> dict[str, Any]:
    line = part.line(found)
    return {
        "account": line.account,
        "index": None if found.line is None else str(found.line),
        "when": line.when,
        "service": line.service,
        "number": line.number,
        "rate": line.rate,
        "currency": part.tariff.currency,
        "charged": str(found.charged),
        "due": str(found.due),
        "difference": str(found.difference),
        "billedUsage": str(found.billed),
        "dueBilledUsage": str(found.due_billed),
        "cause": found.cause,
        "words": found.words,
        "tariff": "0x" + part.tariff.hash.hex(),
    }


def _print(totals: Totals, shown: list[tuple[Part, Difference]], tariffs: Tariffs, *, whole: bool) -> None:
    from billproof.records import money
    from billproof.tariff.result import Status

    colour, mark = ("red", "✗") if totals.differing else ("yellow", "?") if totals.open else ("green", "✓")
    click.echo(click.style(f"{mark} {totals.words}", fg=colour, bold=True))
    for part, found in shown[:_SHOWN]:
        line = part.line(found)
        place = "a line is missing" if found.line is None else f"line {found.line + 1}, {line.when}"
        owner = "" if whole else f"{line.account}, "
        what = " ".join(filter(None, (line.service, line.number)))
        difference = f"{'+' * (found.difference > 0)}{money(found.difference)} {part.tariff.currency}"
        click.echo(printable(f"  {owner}{place}{f', {what}' * bool(what)}: {difference}, {found.words}", 600))
    if totals.differing > _SHOWN:
        click.echo(f"  … and {totals.differing - _SHOWN:,} more (--csv lists all)")
    rows = [
        (status.words, ", ".join(filter(None, (f"{totals.lines[status]:,}", totals.unpriced_words(status)))))
        for status in Status
        if totals.lines[status]
    ]
    facts(f"Lines of {totals.statements:,} statement{'s' * (totals.statements != 1)}", rows)
    if len(totals.causes) > 1:
        facts("Causes", [(cause, f"{count:,}") for cause, count in totals.causes.most_common()])
    if totals.open:
        say(
            "Of lines outside validity or not priced the tariff says nothing: compare them with the contract."
        )
    if tariffs.assumed:
        say("The statement names no tariff: it was checked with the one that was given.")
    if tariffs.unnamed:
        say(f"Left out, since they name no tariff: {tariffs.unnamed:,} statements. --tariff checks them too.")
    if whole:
        say("The statement was taken as it is: `billproof verify` checks it against the chain.")


@contextmanager
def _sheet(path: Path | None) -> Iterator[Any]:
    """Writes differences to a CSV as they come; it takes its place when all are there."""
    from billproof.files import replacing
    from billproof.records import money

    if path is None:
        yield lambda part, found: None
        return

    def plain(billionths: int) -> str:
        return money(billionths).replace(",", "")

    with replacing(path, mode=0o600) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)

        def write(part: Part, found: Difference) -> None:
            line = part.line(found)
            number = "" if found.line is None else found.line + 1
            row = [
                line.account,
                number,
                line.when,
                line.service,
                line.number,
                line.rate,
                part.tariff.currency,
            ]
            row += [
                plain(found.charged),
                plain(found.due),
                plain(found.difference),
                found.billed,
                found.due_billed,
            ]
            writer.writerow(
                [plain_cell(str(cell)) for cell in (*row, found.cause, found.words, part.tariff.words)]
            )

        yield write
