"""Figures → docs/performance.md with its plots, and tables on the terminal.

The document is wholly made from out/bench.json and the words in performance.template.md.
"""

from __future__ import annotations

from pathlib import Path
from string import Template

import tables
from processes import HERE, ROOT

#: Of the part on rating, which older figures lack.
RATING = """\
Records are priced by a [tariff](tariff.md) of twenty rates, two bands, three zones and a hundred prefixes; a
statement has sixty. The naive rater is that of the tests: it follows the specification word by word, record
after record; it takes the first 3,000 records, and has to charge **the same** for each."""

#: Of the part on clearing, which older figures lack, too.
CLEARING = """\
Two operators' [books](clearing.md) of the same traffic, simulated with every error there is: records that one
side lacks or has twice, a clock an hour ahead, other units, rules of rounding, prices and currencies. The
naive matcher is dictionaries of records by service, number and minute, and takes the nearest of about equal
usage; it says nothing of causes. Both read Parquet files. *Right* are pairs of the same true record, in a
hundred."""

DOCUMENT = ROOT / "docs/performance.md"


def write(figures: tables.Figures) -> list[Path]:
    """Writes the document and its plots; returns what was written."""
    import plots

    rating, proofs, clearing = (each(figures) for each in (tables.rating, tables.proofs, tables.clearing))
    words = {
        "glance": tables.glance(figures).markdown(),
        "keccak": "\n\n".join(table.markdown() for table in tables.keccak(figures)),
        "trees": tables.trees(figures).markdown(),
        "end_to_end": tables.end_to_end(figures).markdown(),
        "growth": tables.growth(figures).markdown(),
        "rating": f"\n## Rating\n\n{RATING}\n\n{rating.markdown()}\n" if rating else "",
        "clearing": f"\n## Clearing\n\n{CLEARING}\n\n{clearing.markdown()}\n" if clearing else "",
        "proofs": f"\n## Proofs from a stored batch\n\n{proofs.markdown()}\n" if proofs else "",
        "machine": machine(figures),
        "versions": ", ".join(f"{name} {number}" for name, number in figures["versions"].items()),
        "loading": tables.number(figures["keccak"]["loading seconds"]),
        "long": str(figures["long"]),
        "limit": tables.number(figures["trees"]["limit"]),
        "messages": f"{figures['keccak']['messages']:,}",
        "proved": str(figures["trees"]["proofs"]),
    }
    text = Template((HERE / "performance.template.md").read_text()).substitute(words)
    DOCUMENT.write_text(text.rstrip() + "\n")
    return [DOCUMENT, *plots.draw(figures, DOCUMENT.with_suffix(""))]


def show(figures: tables.Figures) -> None:
    """Prints all tables."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console.width = 140
    console.print(machine(figures))
    measured = [
        tables.glance(figures),
        *tables.keccak(figures),
        tables.trees(figures),
        tables.end_to_end(figures),
        tables.growth(figures),
        tables.rating(figures),
        tables.clearing(figures),
        tables.proofs(figures),
    ]
    for table in filter(None, measured):
        printed = Table(title=table.title, title_justify="left", caption_justify="left")
        printed.caption = "\n".join(table.notes) or None
        for at, name in enumerate(table.columns):
            printed.add_column(name, justify="right" if at else "left")
        for row in table.rows:
            printed.add_row(*row)
        console.print(printed)


def machine(figures: tables.Figures) -> str:
    """The machine, in one sentence."""
    of, kernel = figures["machine"], figures["keccak"]
    kind = "virtual machine" if of["virtual"] else "machine"
    return (
        f"{of['cores']}-core {of['processor']} {kind} with {of['vectors']}, {of['memory GiB']} GiB of memory,"
        f" {of['kernel']}; hash kernel compiled for {kernel['target']}, {kernel['lanes']} hashes at a time."
    )
