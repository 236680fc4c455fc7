"""A match as rows for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from billproof.bundle import documents as doc
from billproof.matching.report.rows import Match
from billproof.printable import plain_cell
from billproof.records import money

COLUMNS = (
    *("line", "when", "what", "party", "used", "billed", "phone", "amount"),
    *("class", "reason", "stake", "confidence", "says", "why", "hash"),
)


def csv_rows(result: Mapping[str, Any], bundle: doc.Bundle) -> Iterator[list[str]]:
    """Header and one row a line, each cell one that no spreadsheet takes for a formula."""
    match = Match(result, bundle)
    yield list(COLUMNS)
    for row in match.rows:
        line = row.line
        cells = [
            *(line.number, line.when, line.what, line.party, line.used, line.billed, row.phone),
            *(money(row.amount).replace(",", ""), row.kind, row.reason, money(row.stake).replace(",", "")),
            *("" if row.confidence is None else row.confidence, row.says, row.why, row.hash),
        ]
        yield [plain_cell(str(cell)) for cell in cells]
