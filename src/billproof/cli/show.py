"""``billproof show``."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import click

from billproof.cli import options
from billproof.cli.output import emit, facts, say, table
from billproof.printable import plain_cell

_COLUMNS = ("line", "when", "what", "number", "used", "charged", "amount", "rate")


@click.command(short_help="Print a bundle's lines as a bill that people can read.")
@click.argument("file", type=options.FILE)
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated, for a spreadsheet.")
@options.json_option
def show(file: Path, as_csv: bool, as_json: bool) -> None:
    """Print the lines of the bundle or receipt in FILE as a bill that people can read.

    Nothing is checked: that is what `billproof verify` does. Lines count from 1, times are local.
    """
    from billproof.bundle import documents as doc
    from billproof.bundle.lines import line_of
    from billproof.records import money
    from billproof.verification import read_document

    document = read_document(file)
    statement = document.statement
    records = document.records if isinstance(document, doc.Bundle) else [document.record]
    lines = [line_of(record, statement.currency) for record in records]
    rows = [
        [line.number, line.when, line.what, line.party, line.used, line.billed, line.amount, line.rate]
        for line in lines
    ]
    if as_json:
        emit("bill", {"file": str(file), "lines": [dict(zip(_COLUMNS, row, strict=True)) for row in rows]})
    elif as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(_COLUMNS)
        writer.writerows([[plain_cell(str(cell)) for cell in row] for row in rows])
    else:
        table(list(_COLUMNS), rows)
        if isinstance(document, doc.Bundle):
            total = f"{money(int(document.statement.total))} {statement.currency}"
            facts("Total", [("lines", len(lines)), ("amount", total)])
        say("Not checked: `billproof verify` does that.")
