"""Verification in words and figures: what a document is, what was found, when its root was anchored."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

from billproof.batch_id import BatchId
from billproof.bundle import documents as doc
from billproof.inclusion import Inclusion, Problem, batch_of
from billproof.ledger.lookup import RootAnswer
from billproof.records import money

_DAY = 86_400


def first(problems: list[Problem]) -> str:
    """The first problem in words, and how many more there are."""
    problem = problems[0]
    place = "" if problem.line is None else f"line {problem.line + 1}: "
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{problem.check}: {place}{problem.message}{more}"


def description(document: doc.Bundle | doc.Receipt) -> str:
    """What a document is, in words."""
    batch = batch_of(document)
    if isinstance(document, doc.Receipt):
        return f"a receipt for line {int(document.record.index) + 1}, {batch}"
    total = f"{money(int(document.statement.total))} {document.statement.currency}"
    return f"a bundle of {len(document.records)} lines, {total}, {batch}"


def raising(lines: list[int]) -> str:
    """What lines of an ordinary batch do that correct something upwards."""
    shown = ", ".join(str(line + 1) for line in lines[:5]) + (" …" if len(lines) > 5 else "")
    which = f"line {shown} raises" if len(lines) == 1 else f"lines {shown} raise"
    return (
        f"{which} the bill as a correction of another line, which no phone log and no tariff is compared"
        " with: ask the operator which line, and why"
    )


def facts(document: doc.Bundle | doc.Receipt, inclusion: Inclusion) -> dict[str, object]:
    """What a document holds, for the report's JSON."""
    found: dict[str, object] = {"batch": inclusion.batch.fields, "root": "0x" + inclusion.root.hex()}
    if isinstance(document, doc.Bundle):
        statement = document.statement
        found["statement"] = {
            "records": len(document.records),
            "total": statement.total,
            "currency": statement.currency,
        }
    return found


def anchoring_facts(answer: RootAnswer) -> dict[str, object]:
    """When the root was anchored and by whose word, for the report's JSON."""
    return {
        "anchored": {
            "block": answer.state.block_number,
            "time": _iso(answer.state.anchored_at),
            "finalBlock": answer.block.number,
            "answeredBy": list(answer.answered_by),
            "didNotAnswer": list(answer.failed),
            "ownChoice": answer.own_choice,
        }
    }


def anchoring(batch: BatchId, answer: RootAnswer) -> str:
    """When the root was anchored, how late, and by whose word."""
    year, month = divmod(batch.period, 100)
    end = calendar.timegm((year + month // 12, month % 12 + 1, 1, 0, 0, 0))
    days = (answer.state.anchored_at - end) / _DAY
    late = (
        f"{days:.1f} days after the period ended"
        if days >= 0
        else f"{-days:.1f} days before the period ended"
    )
    who = " and ".join(answer.answered_by)
    by = "your own choice" if answer.own_choice else "run independently"
    return (
        f"in block {answer.state.block_number} at {_iso(answer.state.anchored_at)}, {late}; says {who} ({by})"
    )


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
