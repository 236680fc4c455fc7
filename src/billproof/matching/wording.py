"""What a match says, in sentences for people who compare a bill with their phone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from billproof.bundle import documents as doc
from billproof.bundle.lines import Line, has_tax, line_of
from billproof.matching.result import MatchedLine, MatchedLog, MatchResult
from billproof.printable import printable
from billproof.records import money

#: A sentence a finding; ``what`` begins it, such as "The call to +353…".
_SENTENCES = {
    ("invoice-only", "absent"): "{what} is not in the phone's log, which covers this time.",
    ("duplicate", "same"): "{what} is billed twice: another line has the same number, second and length.",
    ("duplicate", "near"): "{what} is billed twice: another line is nearly the same, the phone has one only.",
    ("hung", "paired"): "{what} is billed as {used}; the phone says that it ended after {talked}.",
    ("hung", "overlap"): "{what} is billed as {used}, while the phone was making other calls.",
    ("longer", "unanswered"): "{what} is billed as {used}; the phone says that nobody answered.",
    ("longer", "talked"): "{what} is billed as {used}; the phone counted {talked}.",
    ("longer", "rounding"): "{what} took {used} and is billed as {billed}: more than its rate rounds up to.",
}

#: Of a line that is not on the phone: up to here something other than the bill may well be the cause.
_UNSURE = 70
_ASK_YOURSELF = "Did you delete it, or use another phone?"

#: What is asked where no log knows the number, by what the line is.
_QUESTIONS = {
    1: "{what}: do you know this number? If you never called it, the line is wrong.",
    2: "{what}: do you know this number? If it never called you, the line is wrong.",
    4: "{what}: do you know this number? If you never wrote to it, the line is wrong.",
    5: "{what}: do you know this number? If it never wrote to you, the line is wrong.",
    7: "{what}: do you know this number? If you never wrote to it, the line is wrong.",
}
_NAMELESS = "{what}, at {when}: was that yours? If not, the line is wrong."

#: Why lines could not be compared; {} is their number.
_UNCOMPARED = {
    "service": (
        "{} is a fee, data, tax or the like, which phones do not log",
        "{} are fees, data, taxes and the like, which phones do not log",
    ),
    "outside": (
        "{} is from before your log begins or after it ends",
        "{} are from before your log begins or after it ends",
    ),
    "messages": (
        "{} is a message, and you gave no log of messages",
        "{} are messages, and you gave no log of messages",
    ),
    "calls": ("{} is a call, and you gave no log of calls", "{} are calls, and you gave no log of calls"),
    "uncovered": (
        "{} is from an earlier month, which your log does not reach",
        "{} are from an earlier month, which your log does not reach",
    ),
    "hole": ("{} falls into a gap in your log", "{} fall into a gap in your log"),
    "forwarded": (
        "{} is a forwarded call, which need not have rung",
        "{} are forwarded calls, which need not have rung",
    ),
    "correction": ("{} corrects another line", "{} correct other lines"),
    "foreign": ("{} is not in this log at all", "{} are not in this log at all"),
}
_MESSAGE_HINT = (
    "Your bill has {} messages, your log has calls only. Export the messages as well and give both:"
    " billproof match INVOICE CALLS MESSAGES"
)

_CLASSES = {
    "matched": "confirmed by the phone",
    "invoice-only": "not on the phone",
    "unknown": "to a number that the phone does not know: see the questions",
    "duplicate": "billed twice",
    "hung": "never hung up",
    "longer": "longer than on the phone",
    "late": "from an earlier month",
    "not-covered": "outside what the logs cover",
    "not-comparable": "nothing that phones log",
}

_ENTRIES = {
    "billed": "billed",
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
_VOICE = (1, 2, 3)
_MESSAGES = (4, 5, 7)


def verdict(result: MatchResult, bundle: doc.Bundle) -> str:
    """The first line: what there is to dispute, and how much money that is."""
    count = len(result.findings)
    if count:
        lines = "1 line does" if count == 1 else f"{count:,} lines do"
        tax = ", before tax" if has_tax(bundle) else ""
        return f"{lines} not agree with the phone: {amount(result.stake, result.currency)} at stake{tax}"
    if not result.compared:
        return "Nothing could be compared: no line lies within what the phone logs cover"
    return f"Nothing to dispute: the phone confirms {result.classes.get('matched', 0):,} lines"


def questions(result: MatchResult) -> str:
    """How many lines only the subscriber can answer for, and what they cost; empty without any."""
    count = len(result.questions)
    if not count:
        return ""
    noun = "1 question" if count == 1 else f"{count:,} questions"
    return f"{noun} only you can answer ({amount(result.asked, result.currency)})"


def question(line: Line, service: int) -> str:
    """What is asked about a line."""
    what = f"The {line.what} {line.party}".rstrip()
    form = _QUESTIONS.get(service, _NAMELESS) if line.party else _NAMELESS
    return form.format(what=what, when=line.when)


def uncompared(result: MatchResult, services: Sequence[int]) -> tuple[str, list[str]]:
    """What could not be compared and cost something, and why, most lines first; empty without any.

    ``services`` are those of the bill's lines.
    """
    count = len(result.uncompared)
    if not count:
        return "", []
    reasons: Counter[str] = Counter()
    costs: Counter[str] = Counter()
    for line in result.uncompared:
        reason = why_uncompared(line.reason, services[line.index], kinds_of(result.logs))
        reasons[reason] += 1
        costs[reason] += line.amount
    noun = "1 line" if count == 1 else f"{count:,} lines"
    return (
        f"{noun} ({amount(result.unchecked, result.currency)}) could not be compared with your phone",
        [
            f"{_because(reason, times)} ({amount(costs[reason], result.currency)})"
            for reason, times in reasons.most_common()
        ],
    )


def _because(reason: str, times: int) -> str:
    return _UNCOMPARED[reason][times > 1].format(f"{times:,}")


def why_uncompared(reason: str, service: int, kinds: Collection[str]) -> str:
    """The reason, told apart where no log has such entries at all; ``kinds`` are those that logs have."""
    if reason in ("outside", "uncovered"):
        if service in _MESSAGES and not {"message", "mms"} & set(kinds):
            return "messages"
        if service in _VOICE and "call" not in kinds:
            return "calls"
    return reason


def kinds_of(logs: Iterable[MatchedLog]) -> set[str]:
    """The kinds that any log covers."""
    return {kind for log in logs for kind, span in log.coverage.items() if span}


def hint(result: MatchResult, services: Sequence[int]) -> str:
    """What to give besides, where the bill has messages and the logs have calls only; else empty."""
    kinds = kinds_of(result.logs)
    count = sum(service in _MESSAGES for service in services)
    return _MESSAGE_HINT.format(f"{count:,}") if count and kinds == {"call"} else ""


def amount(billionths: int, currency: str) -> str:
    return f"{money(billionths)} {currency}"


def sentence(found: MatchedLine, line: Line) -> str:
    """A finding as a sentence; ``line`` is the same line in words."""
    said = _SENTENCES[found.kind, found.reason].format(
        what=f"The {line.what} {line.party or 'a withheld number'}",
        used=line.used,
        billed=line.billed,
        talked=minutes(found.talked or 0),
    )
    unsure = found.kind == "invoice-only" and (found.confidence or 0) <= _UNSURE
    return f"{said} {_ASK_YOURSELF}" if unsure else said


def findings(result: MatchResult, bundle: doc.Bundle) -> list[tuple[Line, str, MatchedLine]]:
    """Every finding with its line and its sentence, most money first."""
    found = []
    for line in sorted(result.findings, key=lambda line: (-line.stake, line.index)):
        words = line_of(bundle.records[line.index], result.currency)
        found.append((words, sentence(line, words), line))
    return found


def minutes(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d} min"


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
