"""A clearing as one HTML file that needs nothing else, to be read, printed and forwarded; money first.

Made from clear documents (and their settlement) alone. Nothing is fetched, no script runs, and every text
from elsewhere is plain text. ``docs/clearing.md``, section 7.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from billproof.clearing.report.charts import Charts
from billproof.clearing.report.facts import Traffic, month_words, traffic_of
from billproof.clearing.report.figures import Cell, Currency, Figure, Html, currency_of, safe, section, table
from billproof.clearing.report.owed import Owed
from billproof.clearing.report.why import Why
from billproof.clearing.settlement.settlement import Settlement

_MOST_BATCHES = 100

#: What hatches the bars of one side, so that they differ on paper and to whoever sees no colours.
_PATTERNS = (
    '<svg class="patterns" width="0" height="0" aria-hidden="true"><defs><linearGradient id="hatch"'
    ' gradientUnits="userSpaceOnUse" x1="0" y1="0" x2="3.6" y2="3.6" spreadMethod="repeat">'
    '<stop class="line" offset="0"/><stop class="line" offset=".5"/><stop class="ground" offset=".5"/>'
    '<stop class="ground" offset="1"/></linearGradient></defs></svg>'
)


def html_report(documents: Sequence[Mapping[str, Any]], settlement: Settlement | None = None) -> str:
    """The report of one clear document, or of one for each direction, and of what is settled of them.

    Raises ValueError where the documents are not of one agreement and period, or the settlement is of others.
    """
    traffic = traffic_of(documents)
    _check(traffic, settlement)
    currency = currency_of(traffic[0].currency)
    charts = Charts()
    owed = Owed(traffic, settlement, currency, charts)
    first = traffic[0].sides[0].operator
    parts = [
        owed.header(),
        *owed.sections(),
        *(Why(each, first, currency, charts).section() for each in traffic),
        _sources(traffic, settlement, currency),
    ]
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    csp = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{csp}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            '<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">',
            f"<title>{safe(owed.headline)}</title>",
            f"<style>{style}</style>\n</head>\n<body>\n{_PATTERNS}\n<main>",
            *parts,
            "</main>\n</body>\n</html>\n",
        ]
    )


def _check(traffic: Sequence[Traffic], settlement: Settlement | None) -> None:
    if settlement is None:
        return
    first = traffic[0]
    told = "0x" + settlement.agreement_hash.hex(), settlement.currency, str(settlement.period)
    if told != (first.agreement["hash"], first.currency, first.period or told[2]):
        raise ValueError("the settlement is not of these documents")


def _sources(traffic: Sequence[Traffic], settlement: Settlement | None, currency: Currency) -> str:
    """Where all of it comes from: agreement, exchange rates, ledger, books and their batches."""
    agreement = traffic[0].agreement
    facts = [("Agreement", agreement["name"]), ("Its keccak256", agreement["hash"])]
    if settlement is not None:
        from billproof.clearing.settlement import form as settlement_form

        content = settlement_form.document(settlement)
        facts.append(("keccak256 of settlement.json", f"0x{settlement_form.document_hash(content).hex()}"))
    ledgers = {
        (side.ledger["address"], side.ledger["chainId"])
        for each in traffic
        for side in each.sides
        if side.ledger is not None
    }
    facts += [("Ledger", f"{address}, chain {chain}") for address, chain in sorted(ledgers)]
    shown = "".join(
        f"<div><dt>{safe(name)}</dt><dd><code>{safe(text)}</code></dd></div>" for name, text in facts
    )
    parts = [f'<dl class="sources">{shown}</dl>']
    if settlement is not None:
        rates: list[Sequence[Cell]] = [
            (f"1 {code}", Figure(f"{rate} {settlement.currency}"), Figure(f"{float(rate):.6f}"))
            for code, rate in settlement.exchange.items()
            if code != settlement.currency
        ]
        columns = ("Exchange", "exactly", "about")
        parts.append(table("Exchange rates", columns, rows=rates, currency=currency, style="narrow"))
    parts.append(_books(traffic, currency))
    parts.append(
        f'<p class="note">Amounts are rounded to {safe(_unit(currency))} to be read; sums are of what the'
        " documents say, to the billionth. Times and days are UTC.</p>"
    )
    return section("sources", "Where this comes from", parts, "sources")


def _books(traffic: Sequence[Traffic], currency: Currency) -> str:
    """The batches of the books; those of both directions are often the same."""
    rows: dict[tuple[str, str, str, str], None] = {}
    for side in (side for each in traffic for side in each.sides):
        name = f"{side.name}: {side.book}"
        if not side.batches:
            rows[name, "", "", "not anchored"] = None
        for batch in side.batches:
            place = f"{batch['region']}-{batch['sequence']}"
            rows[name, month_words(batch["period"]), place, batch["root"]] = None
    shown: list[Sequence[Cell]] = [
        (name, period, place, Html(f"<code>{safe(root)}</code>"))
        for name, period, place, root in list(rows)[:_MOST_BATCHES]
    ]
    left = len(rows) - len(shown)
    if left:
        shown.append((f"and {left:,} more batches", "", "", ""))
    columns = ("Book", "Period", "Batch", "Root")
    return table("Books and batches", columns, shown, currency, style="batches")


def _unit(currency: Currency) -> str:
    return f"{currency.exact(10 ** (9 - currency.decimals))} {currency.code}"


@cache
def _style() -> str:
    return (resources.files("billproof.clearing.report") / "report.css").read_text(encoding="utf-8")
