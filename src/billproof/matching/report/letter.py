"""A complaint that can be sent as it is: which lines, why, how much, and how to find them in the proof."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any

from billproof.bundle import documents as doc
from billproof.errors import InputError
from billproof.matching.report import prices, words
from billproof.matching.report.rows import Match, Row
from billproof.printable import printable

_WIDTH = 78


def letter(result: Mapping[str, Any], bundle: doc.Bundle, *, operator: str = "") -> str:
    """The letter, plain text of 78 columns. ``operator`` is its name, where the verdict knows it.

    Without findings it says that there is nothing to complain about; an InputError, when the logs seem to be
    of another phone.
    """
    match = Match(result, bundle)
    if match.foreign:
        raise InputError(
            "this phone log does not seem to belong to this bill, so there is no letter",
            advice="Give the log of the phone that the bill is for.",
        )
    who = printable(operator, 120) or match.operator.capitalize()
    if not match.disputes:
        be = "is" if len(match.questions) == 1 else "are"
        ask = f" There {be} {match.questions_head} first." if match.questions else ""
        return f"There is nothing to complain about. {match.verdict()}.{ask}\n"
    parts = [
        f"To {who}\n\n[your name and address]\n[date]",
        f"Complaint about the bill of {match.period}, account {match.account}",
        "Dear Sir or Madam,",
        _paragraph(
            "I have compared my bill with the call log of my phone. Of its"
            f" {len(match.rows)} lines the phone confirms {match.confirmed}. I dispute the"
            f" following {match.disputes}, {match.stake} in all"
            f"{', plus the tax charged on it' if match.taxed else ''}."
        ),
    ]
    claims = []
    for kind in words.FINDINGS:
        rows = [row for row in match.findings if row.kind == kind]
        if rows:
            claims.append((sum(row.stake for row in rows), _claim(match, kind, rows)))
    if match.prices:
        claims.append((sum(each.stake for each in match.prices), prices.claim(match)))
    parts += [claim for _, claim in sorted(claims, key=lambda claim: -claim[0])]
    batch = bundle.batch
    parts += [
        _paragraph(
            "Each line is named by its hash in the proof file that you gave me, so that both of us mean the"
            f" same one: chain {batch.chainId}, ledger {batch.ledger}, operator {batch.operatorId},"
            f" period {batch.period}, batch {batch.region}-{batch.sequence},"
            f" account {bundle.statement.account}."
        ),
        _paragraph(
            "Please credit the amounts above, or send me your records of these calls, within the time that"
            " your terms and the law give you. I can send you the phone's entries for these lines. What is"
            " not disputed is paid as usual."
        ),
        "Yours faithfully,\n\n[signature]",
    ]
    return "\n\n".join(parts) + "\n"


def _claim(match: Match, kind: str, rows: list[Row]) -> str:
    stake = match.money(sum(row.stake for row in rows))
    head = f"{words.CLASSES[kind].capitalize()}: {len(rows)} line{'' if len(rows) == 1 else 's'}, {stake}"
    lines = [head, "-" * len(head), _paragraph(words.CLAIMS[kind]), ""]
    for row in rows:
        lines.append(f"  line {row.line.number}: {row.line}")
        lines.append(f"    disputed: {match.money(row.stake)}; {row.why}")
        lines.append(f"    {row.hash}")
    return "\n".join(lines)


def _paragraph(text: str) -> str:
    return "\n".join(wrap(text, _WIDTH))
