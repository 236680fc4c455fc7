"""The report as one HTML file: nothing is fetched, the script only filters, and the page reads without it."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any

from billproof.bundle import documents as doc
from billproof.matching import asking
from billproof.matching.report import words
from billproof.matching.report.letter import letter
from billproof.matching.report.rows import Match, Price, Row, moment
from billproof.matching.report.timeline import timeline

if TYPE_CHECKING:
    from billproof.handset.entries import PhoneLog

_COLUMNS = ("Line", "When", "What", "Billed", "Phone", "Amount", "Disputed", "Why")


#: How sure the stake is, without a tariff and with one.
_ESTIMATE = {
    False: "What is at stake is an estimate: connection fees are not told apart from prices by time.",
    True: (
        "What is charged above the tariff is exact; what is at stake because of the phone goes by the time,"
        " as if there were no connection fees."
    ),
}


def html_report(
    result: Mapping[str, Any], bundle: doc.Bundle, logs: Sequence[PhoneLog] = (), *, operator: str = ""
) -> str:
    """The report of a match as one self-contained HTML file.

    ``logs`` are the phone logs of the match in its order; without them the picture shows the bill alone.
    ``operator`` is its name for the letter, where it is known.
    """
    match = Match(result, bundle, logs)
    style, script = _asset("report.css"), _asset("report.js")
    csp = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none';"
        " form-action 'none'"
    )
    body = [
        *(
            _verdict(match),
            _findings(match),
            _questions(match),
            _uncompared(match),
            _picture(match),
        ),
        *(_logs(match), _all(match), _letter(match, operator)),
    ]
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{csp}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>Bill of {match.period} beside the phone’s log</title>",
            f"<style>{style}</style>\n</head>\n<body>\n<main>",
            *body,
            f"</main>\n<script>{script}</script>\n</body>\n</html>\n",
        ]
    )


def _verdict(match: Match) -> str:
    good = "good" if match.confirmed and match.most_confirmed else "unsure"
    bad = "unsure" if match.foreign else "bad" if match.disputes else good
    total = match.money(int(match.bundle.statement.total))
    facts = [
        ("Lines", f"{len(match.rows):,}"),
        ("Confirmed by the phone", f"{match.confirmed:,}"),
        ("Bill’s total", total),
        ("At stake, before tax" if match.taxed else "At stake", match.stake),
        ("Questions to you", f"{len(match.questions):,} ({match.asked})"),
        ("Could not be compared", f"{len(match.uncompared):,} ({match.unchecked})"),
    ]
    return "\n".join(
        [
            f'<header class="{bad}">',
            f'<p class="over">Bill of {match.period} · {escape(match.operator)} ·'
            f" account {escape(match.account)}</p>",
            f"<h1>{escape(match.verdict())}</h1>",
            "<dl>"
            + "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
            + "</dl>",
            '<p class="note">This lays the bill beside the phone’s own log. That the lines are the operator’s'
            f" is another question, which <code>billproof verify</code> answers. {_ESTIMATE[match.by_tariff]}"
            "</p>",
            "</header>",
        ]
    )


def _picture(match: Match) -> str:
    drawn = timeline(match)
    if not drawn:
        return ""
    legend = [
        ("finding", "billed, in dispute"),
        ("question", "billed, a question to you"),
        ("bill", "billed and confirmed"),
        ("phone", "phone, and billed"),
        ("missing", "phone, should have been billed"),
        ("other", "not compared, or free"),
    ]
    keys = "".join(
        f'<li><svg viewBox="0 0 12 10" aria-hidden="true">'
        f'<rect class="{kind}" width="12" height="10" rx="1"/>'
        f"</svg>{text}</li>"
        for kind, text in legend
    )
    return (
        '<section aria-labelledby="h-time"><h2 id="h-time">Both lists, day by day</h2>'
        "<p>The bill is above each day’s line, the phone below it; times are local.</p>"
        f'<ul class="legend">{keys}</ul><div class="scroll">{drawn}</div></section>'
    )


def _findings(match: Match) -> str:
    head = '<section aria-labelledby="h-find"><h2 id="h-find">What may be disputed</h2>'
    if match.foreign:
        return f"{head}<p>{match.verdict()}: not one of its lines has an entry.</p></section>"
    if not match.disputes:
        tariff = ", and none is charged above the tariff" if match.by_tariff else ""
        return head + f"<p>No line differs from what the phone has logged{tariff}.</p></section>"
    counts = Counter(row.kind for row in match.findings) + Counter(price=len(match.besides))
    kinds = [kind for kind in (*words.FINDINGS, "price") if counts[kind]]
    boxes = "".join(
        f'<label><input type="checkbox" value="{kind}" checked> {words.TITLES[kind]} ({counts[kind]})</label>'
        for kind in kinds
    )
    return (
        f'{head}<form class="filters" hidden><fieldset><legend>Show</legend>{boxes}'
        '<label>Number or text <input type="search"></label></fieldset>'
        '<p role="status" aria-live="polite"></p></form>'
        f"{_table(_disputed(match), 'findings')}</section>"
    )


def _disputed(match: Match) -> list[str]:
    """Whatever may be disputed, because of the phone or of the tariff: most money first."""
    found = [(_stake(match, row), _line(match, row)) for row in match.findings]
    for each in match.besides:
        text = _missing(match, each) if each.index is None else _line(match, match.rows[each.index])
        found.append((each.stake, text))
    return [text for _, text in sorted(found, key=lambda each: -each[0])]


def _questions(match: Match) -> str:
    if not match.questions or match.foreign:
        return ""
    items = "".join(_question(match, question) for question in match.questions)
    return (
        f'<section aria-labelledby="h-ask"><h2 id="h-ask">{match.questions_head}</h2>'
        "<p>A phone keeps two lists, of calls and of messages, and the one that would have these lines has"
        " nothing with their numbers. It looks so when a line was made up, and also when you deleted what you"
        " had with a number: tick what is not yours, and ask the operator about it.</p>"
        f'<ul class="questions" data-currency="{escape(match.bundle.statement.currency)}">{items}</ul>'
        '<p role="status" aria-live="polite"></p></section>'
    )


def _question(match: Match, question: asking.Question) -> str:
    lines = "".join(
        f"<li>line {asked.line.number}: {escape(str(asked.line))}</li>" for asked in question.lines
    )
    return (
        f'<li><label><input type="checkbox" data-amount="{question.amount}"> Not mine</label>'
        f" <b>{escape(question.party or 'A withheld number')}</b>, {escape(match.money(question.amount))}."
        f" {question.known} {question.words}<ul>{lines}</ul></li>"
    )


def _uncompared(match: Match) -> str:
    hint = f"<p>{match.hint}</p>" if match.hint else ""
    if not match.uncompared or match.foreign:
        return hint
    items = "".join(f"<li>{escape(reason)}</li>" for reason in match.uncompared_reasons())
    return (
        f'<section aria-labelledby="h-apart"><h2 id="h-apart">{match.uncompared_head}</h2>'
        f"<ul>{items}</ul>{hint}</section>"
    )


def _table(rows: Iterable[str], name: str) -> str:
    head = "".join(f'<th scope="col">{column}</th>' for column in _COLUMNS)
    body = "\n".join(rows)
    return (
        f'<div class="scroll"><table id="{name}"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )


def _line(match: Match, row: Row) -> str:
    sure = f" <small>{row.confidence} % sure</small>" if row.confidence is not None else ""
    label = escape(words.QUESTION if row.question else words.CLASSES.get(row.kind, row.kind))
    price = match.priced.get(row.line.number - 1)
    kind, why = row.kind, f"<b>{label}</b>: {escape(row.why)}{sure}"
    if price is not None:
        dear = f"<b>{escape(words.TITLES['price'])}</b>: {escape(price.words)}"
        kind, why = (kind, f"{why}<br>{dear}") if row.finding else ("price", f"{dear}{sure}")
    flagged = row.finding or price is not None
    what = escape(row.line.thing)
    cells = [
        f'<td class="n">{row.line.number}</td>',
        f"<td>{escape(row.line.when)}</td>",
        f"<td>{what}<small>{escape(row.line.rate)}</small></td>",
        f'<td class="n">{escape(row.line.billed)}</td>',
        f'<td class="n">{escape(row.phone)}</td>',
        f'<td class="n">{escape(row.line.amount)}</td>',
        f'<td class="n">{escape(match.money(_stake(match, row))) if flagged else ""}</td>',
        f"<td>{why}<details><summary>hash</summary><code>{escape(row.hash)}</code></details></td>",
    ]
    return _row(kind, cells, flagged)


def _stake(match: Match, row: Row) -> int:
    """What phone and tariff dispute of a line together."""
    price = match.priced.get(row.line.number - 1)
    return row.stake + (price.stake if price else 0)


def _missing(match: Match, price: Price) -> str:
    """The row of a credit that should be on the bill and is not."""
    why = f"<b>{escape(words.TITLES['price'])}</b>: {escape(price.words)}"
    what = f"a line that is missing, {escape(price.name)}"
    cells = [f"<td>{cell}</td>" for cell in ("–", "", what, "", "", "")]
    cells += [f'<td class="n">{escape(match.money(price.stake))}</td>', f"<td>{why}</td>"]
    return _row("price", cells, flagged=True)


def _row(kind: str, cells: list[str], flagged: bool) -> str:
    named = [
        cell.replace("<td", f'<td data-name="{name}"', 1) for name, cell in zip(_COLUMNS, cells, strict=True)
    ]
    flag = ' class="flag"' if flagged else ""
    return f'<tr data-kind="{escape(kind)}"{flag}>{"".join(named)}</tr>'


def _logs(match: Match) -> str:
    notes = "".join(f"<li>{escape(note)}</li>" for note in match.notes())
    left = "".join(
        f"<li>{count:,} {escape(words.ENTRIES.get(kind, kind))}</li>"
        for kind, count in match.unbilled.most_common()
    )
    rest = f"<h3>Entries that have no line</h3><ul>{left}</ul>" if left else ""
    begin, end = match.result["cycle"]
    cycle = f"{moment(begin, '%Y-%m-%d')} to {moment(end - 1, '%Y-%m-%d')}"
    return (
        '<section aria-labelledby="h-logs"><h2 id="h-logs">What the phone’s log can show</h2>'
        f"<ul><li>The bill’s lines show a billing cycle from {cycle}.</li>{notes}</ul>{rest}</section>"
    )


def _all(match: Match) -> str:
    asked = [row.kind for row in match.rows if row.question]
    classes = match.classes - Counter(asked)
    said = [f"{classes[kind]:,} {text}" for kind, text in words.CLASSES.items() if classes[kind]]
    if asked:
        said.append(f"{len(asked):,} {words.QUESTION}")
    counts = ", ".join(said)
    table = _table((_line(match, row) for row in match.rows), "all")
    return (
        f'<section aria-labelledby="h-all"><h2 id="h-all">All lines</h2><p>{counts}.</p>'
        f"<details><summary>Show all {len(match.rows):,} lines</summary>{table}"
        "</details></section>"
    )


def _letter(match: Match, operator: str) -> str:
    if match.foreign or not match.disputes:
        return ""
    text = escape(letter(match.result, match.bundle, operator=operator))
    return (
        '<section class="letter" aria-labelledby="h-letter"><h2 id="h-letter">A letter that says so</h2>'
        f"<details><summary>Show the letter, to copy and send</summary><pre>{text}</pre></details></section>"
    )


@cache
def _asset(name: str) -> str:
    return (resources.files("billproof.matching.report") / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
