"""``billproof verify``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from billproof.cli import options
from billproof.cli.output import emit, say
from billproof.printable import printable
from billproof.report import Report, Verdict, overall

#: How a verdict is shown: a mark, and its colour.
MARKS = {
    Verdict.VALID: ("✓", "green"),
    Verdict.INVALID: ("✗", "red"),
    Verdict.UNUSABLE: ("✗", "red"),
    Verdict.NOT_ANCHORED: ("∅", "yellow"),
    Verdict.CANNOT_CHECK: ("?", "yellow"),
}
_SHOWN_PROBLEMS = 10


@click.command(short_help="Check bundles and receipts against the chain.")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--rpc",
    multiple=True,
    default=lambda: [os.environ["BILLPROOF_RPC"]] if os.environ.get("BILLPROOF_RPC") else [],
    metavar="URL|embedded:FILE",
    help="A node of your own choice; several must agree. [env: BILLPROOF_RPC; default: two independent nodes"
    " of the deployment]",
)
@options.deployment_option
@options.trust_option
@click.option("--testnet", is_flag=True, help="Accept test networks, where nothing binds anybody.")
@click.option("--on-chain", is_flag=True, help="Also have the ledger's own code agree, run on this machine.")
@click.option("--on-node", is_flag=True, help="The same, run by the node: discloses the fields to it.")
@options.json_option
def verify(
    files: tuple[str, ...],
    rpc: tuple[str, ...],
    deployment: Path | None,
    trust: Path | None,
    testnet: bool,
    on_chain: bool,
    on_node: bool,
    as_json: bool,
) -> int:
    """Check bundles and receipts against the chain.

    Every hash is recomputed on this machine; nodes are only asked for the root of the batch, and for the
    operator and the tariff that it names. FILES may be directories: every .json and .pdf file in them is
    checked. Of an invoice (PDF), the bundle attached to it is checked, and whether the pages say the same.
    Instead of a file, a receipt's code (BP1:…) will do.

    Exit codes: 0 valid, 1 invalid, 2 unusable file or options, 3 not anchored, 4 cannot check.
    """
    from billproof.trust import Pins
    from billproof.verification import Verifier

    verifier = Verifier(
        rpc=rpc,
        deployment=deployment,
        pins=Pins.load(trust),
        on_chain="node" if on_node else "local" if on_chain else "",
        testnets=testnet,
    )
    paths = [path for given in files for path in _checkable(given)]
    if not paths:
        raise click.UsageError("there is no .json or .pdf file in the directories given")
    if trust is not None and not trust.exists():
        say(f"No operator is pinned: {trust} does not exist.")
    reports = []
    for path in paths:
        report = verifier.verify(path)
        reports.append(report)
        if not as_json:
            _print(report, terse=len(paths) > 5)
    verdict = overall(reports)
    if as_json:
        emit("verification", {"verdict": verdict.words, "files": [report.document() for report in reports]})
    elif len(reports) > 1:
        counts = {outcome: sum(report.verdict is outcome for report in reports) for outcome in Verdict}
        say(", ".join(f"{count} {outcome.words}" for outcome, count in counts.items() if count))
    return int(verdict)


def _checkable(given: str) -> list[Path | str]:
    """What an argument stands for: a code, a file, or the files in a directory."""
    if given.startswith("BP1:"):
        return [given]
    path = Path(given)
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.suffix.lower() in (".json", ".pdf"))


def _print(report: Report, *, terse: bool) -> None:
    """The verdict first, then the steps behind it; in a long list only where something is wrong."""
    mark, colour = MARKS[report.verdict]
    title = click.style(f"{mark} {report.verdict.words.upper()}", fg=colour, bold=True)
    click.echo(f"{title}  {printable(report.file, 500)}")
    if terse and report.verdict is Verdict.VALID and not report.notes:
        return
    for step in report.steps:
        mark, colour = ("–", "white") if step.remark else MARKS[step.verdict]
        count = len(step.problems)
        message = f"{count} problem{'s' * (count != 1)} found" if count else step.message
        click.echo(f"  {click.style(mark, fg=colour)} {step.name}: {printable(message, 1000)}")
        for problem in step.problems[:_SHOWN_PROBLEMS]:
            place = "" if problem.line is None else f"line {problem.line + 1} ({report.line(problem.line)}): "
            click.echo(f"      {place}{printable(problem.message, 500)}")
        if len(step.problems) > _SHOWN_PROBLEMS:
            click.echo(f"      … and {len(step.problems) - _SHOWN_PROBLEMS} more (--json lists all)")
        if step.advice:
            click.echo(f"    → {printable(step.advice, 1000)}")
    for note in report.notes:
        click.echo(f"  {click.style('!', fg='yellow')} {printable(note, 1000)}")
