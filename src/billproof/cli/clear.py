"""``billproof clear``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli import options
from billproof.cli.output import emit, facts, say, table
from billproof.errors import InputError

if TYPE_CHECKING:
    from billproof.clearing.clearing import Clearing

_BOOK = click.Path(path_type=Path)
_SHOWN = 30


@click.command(short_help="Lay two operators' books of the same traffic over each other.")
@click.argument("ours", type=_BOOK)
@click.argument("theirs", type=_BOOK)
@click.option(
    "--agreement", "agreement_file", type=options.FILE, required=True, help="The agreement's file (TOML)."
)
@click.option("--our-account", help="The partner's account in our book.")
@click.option("--their-account", help="Our account in their book.")
@click.option("--our-neighbours", multiple=True, type=_BOOK, help="Our book of the period before or after.")
@click.option("--their-neighbours", multiple=True, type=_BOOK, help="Theirs of the period before or after.")
@click.option("--csv", "as_csv", type=options.FILE, help="Also write every difference there.")
@click.option("--report", type=options.FILE, help="Also write a report there, one HTML file.")
@options.force_option
@options.json_option
def clear(ours: Path, theirs: Path, agreement_file: Path, as_json: bool, **given: Any) -> int:
    """Compare the books OURS and THEIRS record by record, and say what differs and why (docs/clearing.md).

    A book is a store or a batch, a folder of Parquet files or one of them, or a proof file (.json, or the
    PDF that carries it). Differences of one reason, such as a clock an hour ahead, a rounding rule or a
    destination's price, are one cause. Money at stake is what we ask for less what they would pay.

    Exit codes: 0 the books agree, 1 differences, 2 bad input.
    """
    from billproof.clearing.agreement import load_agreement
    from billproof.clearing.books import Codes, load_book
    from billproof.clearing.clearing import clear as lay_over
    from billproof.clearing.document import document

    outputs: list[Path] = [given[name] for name in ("as_csv", "report") if given[name]]
    for path in outputs:
        if path.exists() and not given["force"]:
            raise InputError("is there already", file=path, advice="Use --force to overwrite.")
    agreement = load_agreement(agreement_file)
    codes = Codes()
    accounts = given["our_account"], given["their_account"]
    mine, other = (
        load_book(path, agreement, codes, account=account)
        for path, account in zip((ours, theirs), accounts, strict=True)
    )
    neighbours = [
        [load_book(path, agreement, codes, account=account) for path in given[name]]
        for name, account in zip(("our_neighbours", "their_neighbours"), accounts, strict=True)
    ]
    found = lay_over(
        mine, other, agreement, codes, our_neighbours=neighbours[0], their_neighbours=neighbours[1]
    )
    if given["as_csv"]:
        _write_csv(found, given["as_csv"])
    if given["report"]:
        from billproof.clearing.report import html_report
        from billproof.files import write_file

        write_file(given["report"], html_report(found).encode(), mode=0o600)
    if as_json:
        emit("clear", document(found))
    else:
        _print(found)
        for path in outputs:
            say(f"Written: {path}")
    return 0 if not any(found.counts.values()) else 1


def _write_csv(found: Clearing, path: Path) -> None:
    import pyarrow.csv

    from billproof.clearing.document import listing
    from billproof.files import replacing

    with replacing(path, mode=0o600) as partial:
        pyarrow.csv.write_csv(listing(found), str(partial))


def _print(found: Clearing) -> None:
    """The money first, then causes, then what has none."""
    from billproof.clearing.document import findings
    from billproof.clearing.wording import sentence
    from billproof.records import money

    settlement = found.agreement.settlement
    ours, theirs = found.totals
    facts(
        f"{money(ours - theirs)} {settlement} between the books",
        [
            ("our book", f"{money(ours)} {settlement}, {len(found.books[0]):,} records"),
            ("their book", f"{money(theirs)} {settlement}, {len(found.books[1]):,} records"),
            ("pairs", f"{len(found.pairs.ours):,}, of which {found.agreed:,} agree"),
            (
                "without a pair",
                f"{len(found.pairs.ours_left):,} of ours, {len(found.pairs.theirs_left):,} of theirs",
            ),
            ("in pairs that agree", f"{money(found.at_stake['agreed'])} {settlement}, within the tolerance"),
        ],
    )
    causes = found.explained.causes
    rows: list[list[Any]] = [
        [at + 1, cause.kind.word, sentence(found, cause), f"{cause.count:,}", money(cause.money)]
        for at, cause in enumerate(causes[:_SHOWN])
    ]
    columns = ["", "kind", "what", "records", settlement]
    if rows:
        table(columns, rows, title="Causes")
    if len(causes) > _SHOWN:
        say(f"{len(causes) - _SHOWN:,} more causes: see --json.")
    single = [
        ["", one["kind"], f"records {one['words']}", f"{one['count']:,}", money(int(one["money"]))]
        for one in findings(found)
    ]
    if single:
        table(columns, single, title="Single findings")
