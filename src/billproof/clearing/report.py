"""A clearing as one HTML file that needs nothing else: totals, causes, single findings, money first."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from billproof.clearing.document import document
from billproof.printable import printable
from billproof.records import money

if TYPE_CHECKING:
    from billproof.clearing.clearing import Clearing

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ border-bottom: 1px solid #ccc; padding: .3rem .6rem; text-align: left; vertical-align: top }}
.n {{ text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }}
</style></head><body>
<h1>{title}</h1>
<p>{summary}</p>
{tables}
</body></html>
"""


def html_report(clearing: Clearing) -> str:
    """The report; every text from a book or the agreement is escaped."""
    found = document(clearing)
    settlement = found["settlement"]
    totals = [
        [
            words,
            f"{found[side]['records']:,}",
            f"{found[side]['unpaired']:,}",
            money(int(found[side]["total"])),
        ]
        for side, words in (("ours", "our book"), ("theirs", "their book"))
    ]
    causes = [[one["kind"], one["words"], f"{one['count']:,}", _money(one)] for one in found["causes"]]
    single = [
        [one["kind"], f"records {one['words']}", f"{one['count']:,}", _money(one)]
        for one in found["findings"]
    ]
    within = [
        ["agreed", "pairs within the tolerance", f"{found['agreed']:,}", _money(found["atStake"], "agreed")]
    ]
    columns = ["kind", "what", "records", settlement]
    tables = [
        _table("Books", ["", "records", "without a pair", settlement], totals, 1),
        _table("Causes", columns, causes, 2),
        _table("Single findings", columns, single, 2),
        _table("Agreed", columns, within, 2),
    ]
    difference = f"{money(int(found['difference']))} {settlement}"
    return _PAGE.format(
        title=_safe(f"{difference} between the books: {found['agreement']['name']}"),
        summary=_safe(f"{found['pairs']:,} pairs, of which {found['agreed']:,} agree. Ours less theirs."),
        tables="\n".join(tables),
    )


def _money(values: dict[str, Any], key: str = "money") -> str:
    return money(int(values[key]))


def _safe(text: str) -> str:
    return escape(printable(text))


def _table(title: str, columns: list[str], rows: list[list[str]], numbers_from: int) -> str:
    if not rows:
        return ""

    def cells(tag: str, row: list[str]) -> str:
        classes = ["" if at < numbers_from else ' class="n"' for at in range(len(row))]
        return "".join(f"<{tag}{name}>{_safe(cell)}</{tag}>" for name, cell in zip(classes, row, strict=True))

    body = "\n".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<h2>{title}</h2>\n<table><tr>{cells('th', columns)}</tr>\n{body}</table>"
