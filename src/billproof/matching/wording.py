"""What a match says, in sentences for people who compare a bill with their phone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from billproof.bundle import documents as doc
from billproof.bundle.lines import Line, amount, duration, has_tax, line_of
from billproof.matching import asking, telling
from billproof.matching.result import MatchedLine, MatchedLog, MatchResult
from billproof.printable import printable

if TYPE_CHECKING:
    from billproof.handset import PhoneLog

#: A sentence a finding; ``what`` begins it, such as "The call to +353…".
_SENTENCES = {
    ("invoice-only", "absent"): "{what} is not in the phone's log, which covers this time.",
    ("duplicate", "same"): "{what} is billed twice: {twin} has the same number, second and length.",
    ("duplicate", "near"): "{what} is billed twice: {twin} is nearly the same, the phone has one only.",
    ("hung", "paired"): "{what} is billed as {used}; the phone says that it ended after {talked}.",
    ("hung", "overlap"): "{what} is billed as {used}, while the phone was making other calls.",
    ("longer", "unanswered"): "{what} is billed as {used}; the phone says that nobody answered.",
    ("longer", "talked"): "{what} is billed as {used}; the phone counted {talked}.",
    ("longer", "rounding"): "{what} took {used} and is billed as {billed}: more than its rate rounds up to.",
}

#: Of a line that is not on the phone: up to here something other than the bill may well be the cause.
_UNSURE = 70
_ASK_YOURSELF = "Did you delete it, or use another phone?"

_CLASSES = {
    "matched": "confirmed by the phone",
    "invoice-only": "not on the phone",
    "unknown": "only you can tell: see the questions",
    "duplicate": "billed twice",
    "hung": "never hung up",
    "longer": "longer than on the phone",
    "late": "from an earlier month",
    "not-covered": "outside what the logs cover",
    "not-comparable": "nothing that phones log",
}

_ENTRIES = {
    "billed": "billed",
    "copy": "also in another of the logs",
    "free": "through an app, never billed",
    "incoming": "incoming",
    "unanswered": "not answered",
    "other-sim": "of another SIM",
    "freephone": "to free numbers",
    "other-period": "of another month",
    "next-bill": "late in the month: the next bill may have them",
    "by-app": "messages through an app or a flat rate",
    "missing": "not billed",
}

_KINDS = {"call": "calls", "message": "messages", "mms": "MMS"}


def verdict(result: MatchResult, bundle: doc.Bundle) -> str:
    """The first line: what there is to dispute, and how much money that is."""
    count = len(result.findings)
    if count:
        lines = "1 line does" if count == 1 else f"{count:,} lines do"
        tax = ", before tax" if has_tax(bundle) else ""
        return f"{lines} not agree with the phone: {amount(result.stake, result.currency)} at stake{tax}"
    if not result.compared:
        return "Nothing could be compared: no line lies within what the phone logs cover"
    confirmed = asking.confirmed(result.confirmed, len(result.lines), most=result.most_confirmed)
    rest = f"; {amount(result.unchecked, result.currency)} not compared" if result.unchecked else ""
    return f"Nothing to dispute{' so far' * bool(result.questions)}{confirmed}{rest}"


def questions(result: MatchResult, bundle: doc.Bundle, logs: Sequence[PhoneLog]) -> list[asking.Question]:
    """What only the subscriber can answer, the dearest first: one question a number."""
    places = [line.index for line in result.questions]
    elsewhere = telling.elsewhere(bundle, places, logs, result.region)
    return asking.questions(
        asking.Asked(
            line_of(bundle.records[line.index], result.currency),
            int(bundle.records[line.index].service),
            line.amount,
            line.index in elsewhere,
        )
        for line in result.questions
    )


def uncompared(result: MatchResult, services: Sequence[int]) -> tuple[str, list[str]]:
    """What could not be compared and cost something, and why, most lines first; empty without any.

    ``services`` are those of the bill's lines.
    """
    if not result.uncompared:
        return "", []
    lines = [(line.reason, services[line.index], line.amount) for line in result.uncompared]
    head = asking.uncompared_head(len(lines), amount(result.unchecked, result.currency))
    return head, asking.reasons(lines, kinds(result), lambda cost: amount(cost, result.currency))


def hint(result: MatchResult, services: Sequence[int]) -> str:
    """What to give besides, where the bill has messages and the logs have calls only; else empty."""
    return asking.hint(services, kinds(result))


def kinds(result: MatchResult) -> set[str]:
    """The kinds that any log covers."""
    return {kind for log in result.logs for kind, span in log.coverage.items() if span}


def sentence(found: MatchedLine, line: Line, twin: int | None = None) -> str:
    """A finding as a sentence; ``line`` is the same line in words, ``twin`` the line that it repeats."""
    said = _SENTENCES[found.kind, found.reason].format(
        what=f"The {line.thing}",
        used=line.used,
        billed=line.billed,
        talked=duration(found.talked or 0),
        twin="another line" if twin is None else f"line {twin + 1}",
    )
    unsure = found.kind == "invoice-only" and (found.confidence or 0) <= _UNSURE
    return f"{said} {_ASK_YOURSELF}" if unsure else said


def findings(result: MatchResult, bundle: doc.Bundle) -> list[tuple[Line, str, MatchedLine]]:
    """Every finding with its line and its sentence, most money first."""
    found = []
    fates = [(line.index, line.kind, line.reason, line.entry is not None) for line in result.lines]
    twins = telling.twins(bundle, fates, result.region)
    for line in sorted(result.findings, key=lambda line: (-line.stake, line.index)):
        words = line_of(bundle.records[line.index], result.currency)
        found.append((words, sentence(line, words, twins.get(line.index)), line))
    return found


def log_notes(log: MatchedLog) -> list[str]:
    """What is to be known of a log: how its clock stands, and from when to when it counts."""
    notes = []
    if not log.known:
        notes.append("too few calls agree to tell how its clock stands")
    elif abs(log.offset) >= 60:
        ahead = "ahead of" if log.offset > 0 else "behind"
        notes.append(f"its clock is {_span(abs(log.offset))} {ahead} the bill's; that is allowed for")
    for shift in log.shifts:
        by = _span(abs(shift.offset - log.offset))
        notes.append(
            f"from {_when(shift.first)} to {_when(shift.last)} its clock is {by} off besides"
            " (travel or daylight saving); that is allowed for"
        )
    spans = [
        f"{_KINDS[kind]} from {_when(span[0])} to {_when(span[1])}"
        for kind, span in log.coverage.items()
        if span
    ]
    notes.append(f"covers {', '.join(spans)}" if spans else "has no calls or messages")
    return notes


def classes(result: MatchResult) -> list[tuple[str, int]]:
    """How many lines came to what, in words."""
    counts = [
        (_CLASSES[name], count - (len(result.questions) if name == "invoice-only" else 0))
        for name, count in result.classes.items()
    ]
    if result.questions:
        counts.append((_CLASSES["unknown"], len(result.questions)))
    return [(name, count) for name, count in counts if count]


def entries(result: MatchResult) -> list[tuple[str, int]]:
    """How many entries came to what, in words."""
    counts: dict[str, int] = {}
    for log in result.entries:
        for entry in log:
            counts[entry.kind] = counts.get(entry.kind, 0) + 1
    return [(words, counts[kind]) for kind, words in _ENTRIES.items() if kind in counts]


def name_of(log: MatchedLog) -> str:
    return f"{printable(log.name, 200)} ({log.format}, {log.entries:,} entries)"


def _span(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours} h {rest // 60:02d} min" if hours else f"{rest // 60} min {rest % 60:02d} s"


def _when(seconds: int) -> str:
    try:
        return (datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M")
    except OverflowError:
        return f"{seconds} s after 1970"
