"""``billproof match``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli import match_all, match_prices, options
from billproof.cli.output import check_free, emit, facts, say
from billproof.errors import InputError
from billproof.printable import plain_cell, printable

if TYPE_CHECKING:
    from billproof.bundle.documents import Bundle
    from billproof.handset import PhoneLog
    from billproof.matching import MatchResult
    from billproof.matching.prices import PriceFinding
    from billproof.matching.result import MatchedLine

_PATH = click.Path(path_type=Path)
_UNCHECKED = (
    "The bill agrees with itself; apart from that it was taken as it is: `billproof verify` checks it against"
    " the chain."
)
_SHOWN = 30


@click.command(short_help="Lay a bill beside phone logs: which lines do not agree?")
@click.argument("invoice", required=False, type=options.FILE)
@click.argument("logs", nargs=-1, type=_PATH)
@click.option(
    "--tariff",
    "tariffs",
    multiple=True,
    type=options.FILE,
    help="Also price every line by it (docs/tariff.md).",
)
@click.option("--region", help="Where numbers without country code belong. [default: that of most lines]")
@click.option("--mapping", type=options.FILE, help="How to read a CSV of no known format (docs/handset.md).")
@click.option("--csv", "as_csv", type=options.FILE, help="Also write what became of every line there.")
@click.option("--report", type=options.FILE, help="Also write a report there, one HTML file.")
@click.option("--letter", "complaint", type=options.FILE, help="Also write a letter to the operator there.")
@click.option("--all", "whole", is_flag=True, help="All bills of a period, from the operator's store.")
@click.option("--store", type=options.FOLDER, help="With --all: the directory of batches.")
@click.option("--operator", "operator_id", type=click.IntRange(1), help="With --all: the operator's number.")
@click.option("--period", metavar="YYYYMM", help="With --all: the billing period.")
@click.option(
    "--logs", "folder", type=options.FOLDER, help="With --all: it holds a folder of logs an account."
)
@click.option("--out", type=options.FILE, help="With --all: findings and questions, as .csv or .parquet.")
@options.trust_option
@options.force_option
@options.json_option
def match(invoice: Path | None, logs: tuple[Path, ...], as_json: bool, whole: bool, **given: Any) -> int:
    """Lay the bill in INVOICE, a proof file (.json, or the PDF that carries it), beside what phones logged.

    LOGS are exports of call and message logs, folders or archives of them (docs/handset.md). Every line is
    confirmed, or found to be missing on the phone, billed twice, or longer than the call was; clocks, time
    zones, formats of numbers, and what a log does not cover are allowed for (docs/matching.md). A bill that
    contradicts itself is refused. The letter is to the operator by the name that you have pinned
    (`billproof trust`). Nothing leaves this machine.

    Where the phone's list of calls (of a message: its messages) has nothing with a line's number, that is a
    question to you, not a finding: a deleted history looks the same. Where the phone confirms less than half
    of what it could, nothing to dispute is no good news, and is not marked as such.

    Exit codes: 0 nothing to dispute, 1 findings, 2 bad input, such as the log of another phone.
    """
    if whole:
        if invoice or logs:
            raise click.UsageError("with --all give --store and --logs, no files")
        if given["mapping"]:
            raise click.UsageError("--mapping is for one bill, without --all")
        if given["tariffs"]:
            raise click.UsageError("--tariff is for one bill; `billproof check STORE` prices all of them")
        return match_all.run(given, as_json)
    if invoice is None or not logs:
        raise click.UsageError("give a bill and at least one phone log")
    return _match_one(invoice, logs, given, as_json)


def _match_one(invoice: Path, logs: tuple[Path, ...], given: dict[str, Any], as_json: bool) -> int:
    from billproof.handset import read_phone_log
    from billproof.matching import Invoice
    from billproof.matching import match as lay_beside
    from billproof.matching.prices import with_prices

    outputs = [given[name] for name in ("as_csv", "report", "complaint") if given[name]]
    check_free(outputs, given["force"])
    bundle = _bundle(invoice)
    mapping: Path | None = given["mapping"]
    read: list[PhoneLog] = [log for path in logs for log in read_phone_log(path, mapping=mapping)]
    result = lay_beside(Invoice.of(bundle), read, region=given["region"])
    _check_compared(result, read)
    prices, priced = match_prices.prices_of(invoice, bundle, given["tariffs"], result)
    document = result.document()
    if given["tariffs"]:
        document = with_prices(document, prices)
    if given["as_csv"]:
        _write_csv(result, bundle, given["as_csv"], prices if given["tariffs"] else None)
    if given["report"]:
        from billproof.matching.report import html_report

        _write(given["report"], html_report(document, bundle, read, operator=_pinned(bundle, given["trust"])))
    if given["complaint"]:
        from billproof.matching.report import letter

        _write(given["complaint"], letter(document, bundle, operator=_pinned(bundle, given["trust"])))
    if as_json:
        document.pop("schema")
        emit("match", document)
    else:
        if given["tariffs"]:
            match_prices.print_sum(prices, result, bundle)
            match_prices.print_prices(prices, priced, bundle, result.currency)
        _print(result, bundle, read, besides=bool(prices))
        if not given["tariffs"]:
            match_prices.hint(invoice, bundle)
        say(_UNCHECKED)
        for path in outputs:
            say(f"Written: {path}")
    return 1 if result.findings or prices else 0


def _pinned(bundle: Bundle, trust: Path | None) -> str:
    """What the bill's operator is called, where the user has pinned it."""
    from billproof.trust import Pins

    batch = bundle.batch
    pin = Pins.load(trust).find(int(batch.chainId), batch.ledger, int(batch.operatorId))
    return pin.name if pin else ""


def _check_compared(result: MatchResult, logs: list[PhoneLog]) -> None:
    """Raises InputError where the logs cannot tell anything of the bill: that is no word for it."""
    names = ", ".join(printable(log.name, 200) for log in logs[:3])
    if not any(log.entries.num_rows for log in logs):
        rejected = sum(len(log.rejects) for log in logs)
        rest = f" that could be used: {rejected:,} rows could not be" if rejected else ""
        raise InputError(
            f"the phone log has no entries{rest}", file=names or None, advice="Export the log again, in full."
        )
    if result.foreign:
        raise InputError(
            "this phone log does not seem to belong to this bill: not one line has an entry",
            file=names,
            advice="Give the log of the phone that the bill is for.",
        )
    if not result.compared and any(line.kind in ("not-covered", "late") for line in result.lines):
        raise InputError(
            "nothing could be compared: no line lies within what the phone log covers",
            file=names,
            advice="Export a log that reaches over the month of the bill.",
        )


def _print(result: MatchResult, bundle: Bundle, logs: list[PhoneLog], *, besides: bool) -> None:
    """The verdict first, then each finding as a sentence, then what the logs can tell, then counts."""
    from billproof.bundle.lines import amount
    from billproof.matching import wording

    good = ("green", "✓") if result.most_confirmed else ("yellow", "?")
    colour, mark = ("red", "✗") if result.findings else good
    said = wording.verdict(result, bundle)
    if besides:
        said = said.replace("Nothing to dispute", "Nothing else to dispute")
    click.echo(click.style(f"{mark} {said}", fg=colour, bold=True))
    services = [int(record.service) for record in bundle.records]
    found = wording.findings(result, bundle)
    for line, sentence, of in found[:_SHOWN]:
        stake = amount(of.stake, result.currency)
        click.echo(f"  line {line.number}, {line.when}: {printable(sentence, 500)}")
        click.echo(f"      {stake} of {line.amount} at stake, {of.confidence} % sure")
    if len(found) > _SHOWN:
        click.echo(f"  … and {len(found) - _SHOWN:,} more (--csv and --json list all)")
    _print_questions(result, bundle, logs)
    apart, reasons = wording.uncompared(result, services)
    if apart:
        click.echo(f"{apart}, because")
        for reason in reasons:
            click.echo(f"  {reason}")
    hint = wording.hint(result, services)
    if hint:
        click.echo(hint)
    for log, read in zip(result.logs, logs, strict=True):
        rejected = f"; {len(read.rejects):,} rows could not be used" if read.rejects else ""
        click.echo(f"  log {wording.name_of(log)}: {'; '.join(wording.log_notes(log))}{rejected}")
    facts("Lines of the bill", [(words, f"{count:,}") for words, count in wording.classes(result)])
    entries = wording.entries(result)
    if entries:
        facts("Entries of the phone", [(words, f"{count:,}") for words, count in entries])


def _print_questions(result: MatchResult, bundle: Bundle, logs: list[PhoneLog]) -> None:
    from billproof.bundle.lines import amount
    from billproof.matching import asking, wording

    questions = wording.questions(result, bundle, logs)
    if not questions:
        return
    head = asking.questions_head(questions, amount(result.asked, result.currency))
    click.echo(click.style(f"? {head}", fg="yellow", bold=True))
    for question in questions[:_SHOWN]:
        party = printable(question.party, 300) or "A withheld number"
        click.echo(f"  {party}, {amount(question.amount, result.currency)}: {question.words}")
        click.echo(f"      {question.known}")
        for asked in question.lines[:_SHOWN]:
            click.echo(f"      line {asked.line.number}: {printable(str(asked.line), 500)}")
        if len(question.lines) > _SHOWN:
            click.echo(f"      … and {len(question.lines) - _SHOWN:,} lines more (--csv and --json list all)")
    if len(questions) > _SHOWN:
        click.echo(f"  … and {len(questions) - _SHOWN:,} more (--csv and --json list all)")


def _bundle(path: Path) -> Bundle:
    from billproof.bundle import documents as doc
    from billproof.bundle.reading import read_document
    from billproof.inclusion import include_bundle
    from billproof.wording import first

    document = read_document(path)
    if not isinstance(document, doc.Bundle):
        raise InputError(
            "is a receipt, one line only", file=path, advice="Give the bill's own file, the bundle."
        )
    if problems := include_bundle(document).problems:
        raise InputError(
            f"the bill contradicts itself: {first(problems)}",
            file=path,
            advice="Somebody changed it: fetch it again from the operator, and keep both.",
        )
    return document


def _write_csv(
    result: MatchResult, bundle: Bundle, path: Path, prices: Sequence[PriceFinding] | None
) -> None:
    """What became of every line; with ``prices`` also what the tariff says of it."""
    import csv
    import io

    from billproof.bundle.lines import line_of
    from billproof.records import money

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        [
            *("line", "when", "what", "number", "used", "charged", "amount", "class", "reason"),
            *("log", "entry", "talked", "stake", "confidence", "says"),
            *(() if prices is None else match_prices.COLUMNS),
        ]
    )
    priced = {found.index: found for found in prices or ()}
    for found, record in zip(result.lines, bundle.records, strict=True):
        line = line_of(record, result.currency)
        log = "" if found.log is None else result.logs[found.log].name
        row = [line.number, line.when, line.what, line.party, line.used, line.billed, line.amount]
        row += [found.kind, found.reason, log, "" if found.entry is None else found.entry + 1]
        row += ["" if found.talked is None else found.talked, money(found.stake), found.confidence or ""]
        row.append("finding" if found.finding else "question" if found.question else _unsaid(found))
        row += [] if prices is None else match_prices.cells(priced.get(found.index))
        writer.writerow([plain_cell(str(cell)) for cell in row])
    for missing in prices or ():
        if missing.index is None:
            blank = ["", "", missing.name, *[""] * 11, "missing"]
            writer.writerow([plain_cell(str(cell)) for cell in (*blank, *match_prices.cells(missing))])
    _write(path, text.getvalue())


def _unsaid(found: MatchedLine) -> str:
    return "not compared" if found.uncompared else ""


def _write(path: Path, text: str) -> None:
    from billproof.files import write_file

    write_file(path, text.encode(), mode=0o600)
