"""``billproof house open``, ``commit``, ``reveal`` and ``check``: until both books are fixed and compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli import house_options, options
from billproof.cli.output import emit, facts, say
from billproof.errors import InputError
from billproof.printable import printable

if TYPE_CHECKING:
    from billproof.ledger.house_states import BatchReference

_OPERATOR = click.IntRange(1, (1 << 53) - 1)


@click.command("open", short_help="Open the next round of a clearing.")
@click.option("--operator", "operator_id", type=_OPERATOR, required=True, help="Our operator's number.")
@click.option("--partner", type=_OPERATOR, required=True, help="The partner's number.")
@options.period_option
@click.option("--commit-by", default="7d", show_default=True, help="Until when both commit.")
@click.option("--reveal-by", default="14d", show_default=True, help="Until when both open their books.")
@click.option("--agree-by", default="44d", show_default=True, help="Until when parts are agreed.")
@click.option("--settle-by", default="74d", show_default=True, help="Until when they are settled.")
@house_options.sending
def open_(operator_id: int, partner: int, period: int, as_json: bool, **given: Any) -> None:
    """Open the next round of a clearing, for an anchorer or the admin of the operator.

    Times are durations from now (7d, 36h), days or UTC times; each state has a day at least, all of them
    together have 730 at most. The partner accepts by committing, or refuses. Prints the clearing's id.
    """
    from billproof.ledger.house_states import Deadlines
    from billproof.publication import utc

    times = {name: given.pop(name) for name in ("commit_by", "reveal_by", "agree_by", "settle_by")}
    client = house_options.house_of(given)
    begin = house_options.begin(client)
    deadlines = Deadlines(
        **{
            name: house_options.moment(text, begin, "--" + name.replace("_", "-"))
            for name, text in times.items()
        }
    )
    clearing, receipt = client.open(operator_id, partner, period, deadlines)
    words = f"The clearing is open; both commit until {utc(deadlines.commit_by)}."
    house_options.done([receipt], words, as_json, "house-opened", clearing="0x" + clearing.hex())
    if not as_json:
        click.echo("0x" + clearing.hex())


def _batches(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> Any:
    """Callback: REGION-SEQUENCE, several."""
    from billproof.ledger.house_states import BatchReference

    found: list[BatchReference] = []
    for text in value:
        region, _, sequence = text.partition("-")
        if not (region.isdecimal() and sequence.isdecimal()):
            raise click.BadParameter(f"{printable(text, 60)!r} is not REGION-SEQUENCE")
        found.append(BatchReference(int(region), int(sequence)))
    return tuple(found)


@click.command(short_help="Commit to our book: the partner's statements of the period.")
@house_options.clearing_argument
@options.store_option
@click.option(
    "--account", "accounts", multiple=True, required=True, help="The partner's account; repeatable."
)
@click.option(
    "--batch",
    "batches",
    multiple=True,
    metavar="REGION-SEQUENCE",
    callback=_batches,
    help="Only these batches; repeatable. [default: all of the period that hold the accounts]",
)
@click.option("--book", type=options.FILE, required=True, help="Where to keep what opens it; a new file.")
@house_options.side_option
@house_options.sending
def commit(
    clearing: bytes,
    store: Path,
    accounts: tuple[str, ...],
    batches: tuple[BatchReference, ...],
    book: Path,
    operator_id: int | None,
    as_json: bool,
    **signing: Any,
) -> None:
    """Take the partner's statements of the period from the store, and commit to them, once.

    BOOK is written (0600) before anything is sent, and never overwritten: without it nobody can open the
    commitment, so keep a copy. Nothing of it is sent but a hash. Run again after an interruption with the
    same file.
    """
    from billproof.clearing.house import books as house_books
    from billproof.clearing.house.access import acting_side
    from billproof.ledger.house_reads import clearing_state

    client = house_options.house_of(signing)
    node, deployment = client.client.endpoint, client.client.deployment
    state = clearing_state(node, deployment, clearing)
    side = acting_side(client.client, state, operator_id)
    place = house_books.place_of(deployment, state)
    ours, stored = house_books.book_of_store(store, place, side, accounts, batches)
    anchored_at = house_books.require_anchored(node, deployment, stored)
    receipt = house_books.commit_book(client, ours, anchored_at, book)
    named = ", ".join(str(each) for each in ours.batches)
    statements, records = house_books.statements_of(stored, accounts)
    words = (
        f"Operator {side} is committed to its book of the batches {named}, {statements:,} statements of"
        f" {records:,} records; keep {printable(str(book), 500)}."
    )
    counts = {"statements": statements, "records": records}
    house_options.done([receipt], words, as_json, "house-committed", operator=side, book=str(book), **counts)


@click.command(short_help="Open our commitment, when both have committed.")
@house_options.clearing_argument
@click.option("--book", type=options.FILE, required=True, help="The file that `commit` wrote.")
@house_options.sending
def reveal(clearing: bytes, book: Path, as_json: bool, **signing: Any) -> None:
    """Open our commitment, when both sides have committed: which batches, and the hash over the statements.

    The book itself is handed to the partner outside the chain, as proof files.
    """
    from billproof.clearing.house import books as house_books
    from billproof.clearing.house.files import read_book

    try:
        ours = read_book(book)
    except InputError as error:
        raise house_books.lost(book, error) from error
    if ours.place.clearing != clearing:
        raise InputError(f"is the book of the clearing 0x{ours.place.clearing.hex()}", file=book)
    receipt = house_books.reveal_book(house_options.house_of(signing), ours)
    words = f"Operator {ours.operator} has opened its book; hand the proof files to the partner."
    house_options.done([receipt], words, as_json, "house-revealed", operator=ours.operator)


@click.command(short_help="Compare the partner's opened book with the proof files that it handed over.")
@house_options.clearing_argument
@click.argument("theirs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="THEIRS…")
@click.option("--partner", type=_OPERATOR, required=True, help="Whose book it is.")
@house_options.looking
def check(clearing: bytes, theirs: tuple[Path, ...], partner: int, as_json: bool, **where: Any) -> int:
    """Compare the book that the partner opened with THEIRS, its proof files or folders of them.

    They must be the statements that it committed to before it saw ours: all of them, and no other.
    Exit codes: 0 they are, 1 they are not, 2 bad input, 3 the book is not open.
    """
    from billproof.clearing.house.books import check_book
    from billproof.ledger.house_reads import clearing_state

    client = house_options.looking_house(**where).client
    state = clearing_state(client.endpoint, client.deployment, clearing)
    if partner not in state.operators:
        raise InputError(f"operator {partner} is no side of this clearing", field="--partner")
    files = [file for path in theirs for file in _proof_files(path)]
    found = check_book(client.endpoint, client.deployment, state, partner, files)
    if as_json:
        emit(
            "house-check",
            {
                "clearing": "0x" + clearing.hex(),
                "partner": partner,
                "batches": [str(each) for each in found.batches],
                "statements": found.statements,
                "records": found.records,
                "problems": list(found.problems),
            },
        )
    elif found.problems:
        for problem in found.problems:
            say(f"✗ {problem}")
    else:
        named = ", ".join(str(each) for each in found.batches)
        facts(
            f"✓ This is the book that operator {partner} committed to",
            [("batches", named), ("statements", f"{found.statements:,}"), ("records", f"{found.records:,}")],
        )
    return 1 if found.problems else 0


def _proof_files(path: Path) -> list[Path]:
    """A file, or the proof files (also in invoices) of a folder."""
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix in (".json", ".pdf"))
    if not found:
        raise InputError("no proof files here", file=path, advice="Give what the partner handed over.")
    return found
