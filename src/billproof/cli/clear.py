"""``billproof clear``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli import options
from billproof.cli.output import check_free, emit, facts, progress, say, table
from billproof.errors import InputError

if TYPE_CHECKING:
    from billproof.clearing.agreement.agreement import Agreement
    from billproof.clearing.books.book import Book
    from billproof.clearing.books.sides import Sides
    from billproof.clearing.clearing import Clearing
    from billproof.clearing.document.form import CauseForm, File, FindingForm

_BOOK = click.Path(path_type=Path)
_SHOWN = 30


@click.command(short_help="Lay two operators' books of the same traffic over each other.")
@click.argument("ours", type=_BOOK)
@click.argument("theirs", type=_BOOK)
@click.option(
    "--agreement", "agreement_file", type=options.FILE, required=True, help="The agreement's file (TOML)."
)
@click.option(
    "--our-account", multiple=True, help="The partner's account in our book; once for each that it has."
)
@click.option("--their-account", multiple=True, help="Our account in their book; once for each that we have.")
@click.option("--our-neighbours", multiple=True, type=_BOOK, help="Our book of the period before or after.")
@click.option("--their-neighbours", multiple=True, type=_BOOK, help="Theirs of the period before or after.")
@click.option(
    "--as",
    "operator",
    type=click.IntRange(1),
    metavar="OPERATOR",
    help="The number of the operator whose book OURS is, where its batches do not say so.",
)
@click.option(
    "--payer",
    type=click.Choice(["ours", "theirs"]),
    default="theirs",
    show_default=True,
    help="Who handed the traffic over, and pays for it.",
)
@options.month_option("The month of the books; batches of other months are left out.")
@click.option("--out", type=options.FILE, help="Also write the document there (JSON), as settle reads it.")
@click.option(
    "--csv",
    "as_csv",
    type=options.FILE,
    help="Also write every difference there, to be read; with --engine spark, a new directory of CSV files.",
)
@click.option(
    "--proofs", type=options.FILE, help="Also write every disputed record there, with both sides' proofs."
)
@click.option(
    "--secrets",
    type=options.FOLDER,
    help="For --proofs of records in a store: the directory of the secrets that it was made with.",
)
@click.option("--report", type=options.FILE, help="Also write a report there, one HTML file.")
@options.engine_option
@options.spark_option
@click.option(
    "--scratch", help="Path or URI for Spark's scratch files, which hold records. [default: this directory]"
)
@options.force_option
@options.json_option
def clear(ours: Path, theirs: Path, agreement_file: Path, as_json: bool, **given: Any) -> int:
    """Compare the books OURS and THEIRS record by record, and say what differs and why (docs/clearing.md).

    A book is a store or a batch, a folder of Parquet files or of proof files, or one of them (a proof file:
    .json, or the PDF that carries it). Differences of one reason, such as a clock an hour ahead, a rounding
    rule or a destination's price, are one cause. Money at stake is what we ask for less what they would pay.

    Batches say which of the agreement's operators they are of; of Parquet files --as does. Traffic both ways
    is cleared twice, and `billproof settle` makes one settlement of both documents.

    With --engine spark a cluster does the work, and the document is the same; all its machines mount the
    books at the same place.

    Exit codes: 0 the books agree, 1 differences, 2 bad input.
    """
    from billproof.clearing.agreement.agreement import load_agreement
    from billproof.clearing.document.form import tree_of
    from billproof.files import json_bytes, write_file

    spark = options.spark_is_named(given["engine"], given["settings"], given["scratch"])
    if spark and given["proofs"]:
        raise InputError(
            "is for one machine",
            field="--proofs",
            advice="Take the proofs of a part of the traffic there, with books of one region or day.",
        )
    outputs: list[Path] = [given[name] for name in ("out", "as_csv", "proofs", "report") if given[name]]
    check_free(outputs, given["force"])
    agreement = load_agreement(agreement_file)
    told, advice = (_on_spark if spark else _here)((ours, theirs), agreement, as_json, given)
    tree = tree_of(told)
    if given["out"]:
        write_file(given["out"], json_bytes(tree), mode=0o600)
    if given["report"]:
        from billproof.clearing.report.page import html_report

        write_file(given["report"], html_report([tree]).encode(), mode=0o600)
    if as_json:
        emit("clear", tree)
    else:
        _print(told)
        for path in outputs:
            say(f"Written: {path}")
    for said in advice:
        if said:
            say(said)
    return 0 if told.agreed == told.pairs == told.ours.records == told.theirs.records else 1


def _here(
    books: tuple[Path, Path], agreement: Agreement, as_json: bool, given: Mapping[str, Any]
) -> tuple[File, list[str | None]]:
    """What was found on this machine, and advice; the listing and the proofs are written."""
    from billproof.clearing.agreement.agreement import month_of
    from billproof.clearing.books.book import Codes, load_book
    from billproof.clearing.books.numbers import advice, written
    from billproof.clearing.books.sides import turned
    from billproof.clearing.clearing import clear as lay_over
    from billproof.clearing.document.document import document
    from billproof.clearing.document.elsewhere import advice as elsewhere_advice

    codes, ours = Codes(), ("theirs", "ours").index(given["payer"])
    accounts = given["our_account"], given["their_account"]
    payee, payer = (
        load_book(path, agreement, codes, account=account, period=given["month"])
        for path, account in zip(turned(books, ours), turned(accounts, ours), strict=True)
    )
    sides = _sides(turned((payee, payer), ours), agreement, given)
    agreement = agreement.in_month(None if sides.period is None else month_of(sides.period))
    neighbours = [
        [load_book(path, agreement, codes, account=account) for path in paths]
        for paths, account in zip(turned(_neighbours(given), ours), turned(accounts, ours), strict=True)
    ]
    found = lay_over(
        payee, payer, agreement, codes, our_neighbours=neighbours[0], their_neighbours=neighbours[1]
    )
    told = document(found, sides)
    if given["as_csv"]:
        _write_csv(found, told, given["as_csv"])
    if given["proofs"]:
        from billproof.clearing.disputes.writing import write_disputes

        with progress(as_json) as update:
            secrets = given["secrets"]
            write_disputes(given["proofs"], found, told, sides, secrets=secrets, progress=update)
    one, other = (written(book.number, codes.numbers) for book in (payee, payer))
    return told, [advice((one, other), sides.names), elsewhere_advice(told, agreement)]


def _on_spark(
    books: tuple[Path, Path], agreement: Agreement, as_json: bool, given: Mapping[str, Any]
) -> tuple[File, list[str | None]]:
    """The same by a cluster."""
    from billproof.clearing.agreement.agreement import month_of
    from billproof.clearing.books.numbers import advice
    from billproof.clearing.books.sides import turned
    from billproof.clearing.document.document import document_of, told_causes
    from billproof.clearing.document.elsewhere import advice as elsewhere_advice
    from billproof.clearing.document.listing import Told
    from billproof.spark.clearing import SparkClearing, Wanted
    from billproof.spark.files import File as SharedFile

    engine = SparkClearing(options.spark_settings(given["settings"]), given["scratch"] or ".")
    accounts, ours = (given["our_account"], given["their_account"]), ("theirs", "ours").index(given["payer"])
    payee, payer = (
        Wanted(*each, given["month"])
        for each in zip(turned(books, ours), turned(accounts, ours), strict=True)
    )
    near = [
        [Wanted(path, account) for path in paths]
        for paths, account in zip(turned(_neighbours(given), ours), turned(accounts, ours), strict=True)
    ]
    with engine.open(payee, payer, agreement) as opened:
        sides = _sides(turned(opened.both, ours), agreement, given)
        agreement = agreement.in_month(None if sides.period is None else month_of(sides.period))
        found = opened.clear(agreement, *near)
        causes = told_causes([cause for _, cause in found.causes], opened.codes, agreement, sides)
        told = document_of(found.totals, causes, agreement, sides)
        if given["as_csv"]:
            found.write_listing(SharedFile.named(given["as_csv"]), Told.of(told))
        return told, [
            advice((opened.written[0], opened.written[1]), sides.names),
            elsewhere_advice(told, agreement),
        ]


def _neighbours(given: Mapping[str, Any]) -> tuple[Sequence[Path], Sequence[Path]]:
    """The books of the periods before and after, ours and theirs."""
    return given["our_neighbours"], given["their_neighbours"]


def _sides(books: tuple[Book, Book], agreement: Agreement, given: Mapping[str, Any]) -> Sides:
    from billproof.clearing.books.sides import sides_of

    return sides_of(
        books,
        agreement,
        operator=given["operator"],
        period=given["month"],
        payer=("ours", "theirs").index(given["payer"]),
    )


def _write_csv(found: Clearing, told: File, path: Path) -> None:
    from billproof.clearing.document.listing import Told, write_listing
    from billproof.files import replacing

    with replacing(path, mode=0o600) as partial:
        write_listing(found, Told.of(told), str(partial))


def _claimed(found: File, operator: int) -> str:
    """What one side claims: debts and credits."""
    from billproof.records import money

    amounts = [int(each.amount) for each in found.disputes if each.claimant == operator]
    debts, credits = (sum(max(0, sign * amount) for amount in amounts) for sign in (1, -1))
    return f"{money(debts)} {found.settlement}" + (f", and credits of {money(credits)}" if credits else "")


def _print(found: File) -> None:
    """The money first, then causes, then what has none."""
    from billproof.records import money

    settlement = found.settlement
    facts(
        f"{money(int(found.difference))} {settlement} between the books",
        [
            *(
                (
                    f"{whose}, {side.name}'s",
                    f"{money(int(side.total))} {settlement}, {side.records:,} records",
                )
                for whose, side in zip(("our book", "their book"), found.sides, strict=True)
            ),
            ("pairs", f"{found.pairs:,}, of which {found.agreed:,} agree"),
            ("without a pair", f"{found.ours.unpaired:,} of ours, {found.theirs.unpaired:,} of theirs"),
            ("undisputed", f"{money(sum(int(each.amount) for each in found.traffic))} {settlement}"),
            *((f"{side.name} claims", _claimed(found, side.operator)) for side in found.sides),
            (
                "in pairs that agree",
                f"{money(int(found.at_stake['agreed']))} {settlement}, within the tolerance",
            ),
        ],
    )
    columns = ["", "kind", "what", "records", settlement]
    tables: list[tuple[str, Sequence[CauseForm | FindingForm]]] = [
        ("Causes", found.causes),
        ("Single findings", found.findings),
    ]
    for title, entries in tables:
        rows: list[list[Any]] = [
            [each.number, each.kind, each.words, f"{each.count:,}", money(int(each.money))]
            for each in entries[:_SHOWN]
        ]
        if rows:
            table(columns, rows, title=title)
        if len(entries) > _SHOWN:
            say(f"{len(entries) - _SHOWN:,} more: see --json.")
