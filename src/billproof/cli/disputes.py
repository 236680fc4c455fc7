"""``billproof disputes``: what is disputed between two operators, with proofs, checked and cut up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli import options
from billproof.cli.output import check_free, emit, progress, say, table
from billproof.errors import InputError
from billproof.printable import printable

if TYPE_CHECKING:
    from billproof.clearing.agreement.agreement import Agreement
    from billproof.clearing.disputes.check import DisputesReport
    from billproof.clearing.settlement.settlement import Settlement

_SHOWN = 10


@click.group(short_help="Check disputed records of two operators, with both sides' proofs.")
def disputes() -> None:
    """What two operators dispute, record by record, with both sides' proofs (docs/clearing.md, section 7).

    `billproof clear --proofs` writes the file.
    """


@disputes.command(short_help="Follow every proof, and judge every pair again.")
@click.argument("files", nargs=-1, required=True, type=options.FILE)
@click.option(
    "--agreement", "agreement_file", type=options.FILE, help="The agreement, by which pairs are judged."
)
@click.option("--settlement", type=options.FILE, help="Compare with the disputes of this settlement.json.")
@click.option(
    "--rpc",
    multiple=True,
    default=lambda: [os.environ["BILLPROOF_RPC"]] if os.environ.get("BILLPROOF_RPC") else [],
    metavar="URL|embedded:FILE",
    help="A node of your own choice; several must agree. [env: BILLPROOF_RPC; default: two independent nodes"
    " of the deployment]",
)
@options.deployment_option
@click.option("--testnet", is_flag=True, help="Accept test networks, where nothing binds anybody.")
@options.json_option
def check(
    files: tuple[Path, ...],
    agreement_file: Path | None,
    settlement: Path | None,
    rpc: tuple[str, ...],
    deployment: Path | None,
    testnet: bool,
    as_json: bool,
) -> int:
    """Check that the disputed records in FILES are those that both sides committed to.

    Every hash is recomputed on this machine, and nodes are asked for the roots of the batches. Kinds and
    money of every pair are judged again from its two records and the agreement, and added up by cause and
    claimant. With a settlement, its disputes have to be these; where it is of both directions, give the files
    of both.

    Exit codes: 0 valid, 1 invalid, 2 unusable file or options, 3 not anchored, 4 cannot check.
    """
    from billproof.answers import Answers
    from billproof.clearing.agreement.agreement import load_agreement
    from billproof.clearing.disputes.check import DisputesChecker, uncovered
    from billproof.clearing.settlement.reading import load_settlement
    from billproof.identity import identify
    from billproof.ledger.rpc import connect
    from billproof.report import Verdict, overall
    from billproof.trust import Pins

    agreed: Agreement | None = None if agreement_file is None else load_agreement(agreement_file)
    settled: Settlement | None = None if settlement is None else load_settlement(settlement)
    if settled is not None and settled.continues is not None:
        raise InputError(
            "is a later part, in which what was resolved is not open any more",
            file=settlement,
            field="kind",
            advice="Give the undisputed settlement that it goes back to: the proofs are of all its disputes.",
        )
    answers = Answers([connect(spec) for spec in rpc], deployment, testnet, identify, Pins.load(None))
    reports: list[DisputesReport] = []
    for file in files:
        with progress(as_json) as update:
            checker = DisputesChecker(
                answers, agreed, settled, lambda done, total: update("disputed records", done, total)
            )
            reports.append(checker.check(file))
        if not as_json:
            _print(reports[-1])
    verdict = overall(list(reports))
    headers = [report.header for report in reports if report.header is not None]
    missing = uncovered(settled, headers) if settled is not None else 0
    if missing and verdict is Verdict.VALID:
        verdict = Verdict.CANNOT_CHECK
    if as_json:
        told = {"verdict": verdict.words, "files": [report.document() for report in reports]}
        emit("disputes-check", {**told, "settlementDisputesMissing": missing})
    elif missing:
        say(f"{missing:,} disputes of the settlement are in none of these files: give both directions'.")
    return int(verdict)


@disputes.command(short_help="Cut one record out, as a receipt.")
@click.argument("file", type=options.FILE)
@click.argument("line", type=click.IntRange(2))
@click.option("--side", type=click.Choice(["ours", "theirs"]), required=True, help="Whose record.")
@click.option("--hide-number", is_flag=True, help="Leave out the number called.")
@click.option("--out", type=options.FILE, required=True, help="The receipt to write.")
@options.force_option
@options.json_option
def receipt(
    file: Path, line: int, side: str, hide_number: bool, out: Path, force: bool, as_json: bool
) -> None:
    """Cut a record out of line LINE of FILE (the header is line 1): a receipt, as of any bill.

    `billproof verify` checks it, and the ledger's own code with --on-chain.
    """
    from billproof.bundle.cut import write_document
    from billproof.clearing.disputes.proofs import follow, open_statements
    from billproof.clearing.disputes.proofs import receipt as cut_out
    from billproof.clearing.disputes.reading import DisputesError, DisputesFile

    check_free([out], force)
    found = DisputesFile.open(file)
    place = ("ours", "theirs").index(side)
    statements = open_statements(found.header)[place]
    if not statements:
        raise InputError(f"has no proofs of {side}", file=file, field="--side")
    record = found.line(line).sides[place]
    if record is None:
        raise InputError(f"there is no record of {side}", file=file, line=line, field="--side")
    if problems := follow([(line, record)], statements, side):
        raise DisputesError(problems[0].message, file=file, line=line, field=problems[0].check)
    statement = statements[record.statement]
    write_document(out, cut_out(record, statement, show_number=not hide_number))
    if as_json:
        emit("receipt-written", {"out": str(out), "line": line, "side": side, "numberShown": not hide_number})
    else:
        hidden = ", without its number" if hide_number else ""
        say(f"Cut out: {side} of line {line} is in {out}{hidden}.")


def _print(report: DisputesReport) -> None:
    """The verdict first, then what is disputed, then the steps."""
    from billproof.cli.verify import MARKS
    from billproof.records import money

    mark, colour = MARKS[report.verdict]
    title = click.style(f"{mark} {report.verdict.words.upper()}", fg=colour, bold=True)
    click.echo(f"{title}  {printable(report.file, 500)}")
    header = report.header
    if header is not None and "disputes" in report.facts:
        names = {side.operator: side.name for side in header.sides}
        rows: list[list[Any]] = [
            [
                each["number"],
                each["kind"],
                each["words"],
                names[each["claimant"]],
                f"{each['count']:,}",
                money(int(each["amount"])),
            ]
            for each in report.facts["disputes"]
        ]
        table(["", "kind", "what", "claimed by", "records", header.currency], rows)
    for step in report.steps:
        mark, colour = MARKS[step.verdict]
        click.echo(f"  {click.style(mark, fg=colour)} {step.name}: {printable(step.message, 1000)}")
        for problem in step.problems[1:_SHOWN]:
            place = f"line {problem.line}, " if problem.line else ""
            click.echo(f"      {place}{problem.check}: {printable(problem.message, 500)}")
        if step.advice:
            click.echo(f"    → {printable(step.advice, 1000)}")
    for note in report.notes:
        click.echo(f"  {click.style('!', fg='yellow')} {printable(note, 1000)}")
