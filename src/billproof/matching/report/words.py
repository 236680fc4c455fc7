"""Classes and reasons of docs/matching.md, sections 9 and 10, in words."""

from __future__ import annotations

#: What became of a line, in the order of a report: what may be disputed comes first.
CLASSES = {
    "invoice-only": "not in the phone's log",
    "duplicate": "charged twice",
    "hung": "never hung up",
    "longer": "longer than the call",
    "late": "of an earlier month",
    "matched": "confirmed by the phone",
    "not-covered": "the log does not reach it",
    "not-comparable": "nothing that phones log",
}
FINDINGS = ("invoice-only", "duplicate", "hung", "longer")
QUESTION = "only you can tell"

#: What a line in dispute is called; beside the classes, that it costs more than its tariff says.
TITLES = {**{kind: CLASSES[kind] for kind in FINDINGS}, "price": "charged above the tariff"}

#: What a subscriber asks for, by class: the paragraph of the letter.
CLAIMS = {
    "invoice-only": (
        "The phone has no trace of these, although its log covers the time. Please show that they were made"
        " from my line, or take them off the bill."
    ),
    "duplicate": "These are charged a second time. Please take the second charge off the bill.",
    "hung": (
        "These last for hours, and the phone had ended the call long before, or was making other calls."
        " Please charge the time that was talked."
    ),
    "longer": "These are charged for more than the phone counted. Please charge the time that was talked.",
}

_WHY = {
    (
        "invoice-only",
        "unknown",
    ): "{missing}: it is not yours, or you deleted its history",
    ("invoice-only", "absent"): "the log covers this time and has no such {thing}",
    ("duplicate", "same"): "{twin} is the same in number, time and length",
    ("duplicate", "near"): "almost the same as {twin}, and the phone has one {thing} only",
    ("hung", "paired"): "the phone counted {talked}, the bill {used}",
    ("hung", "overlap"): "other calls were made while this one is said to have lasted",
    ("longer", "unanswered"): "the phone says that nobody answered",
    ("longer", "talked"): "the phone counted {talked}, the bill {used}",
    (
        "longer",
        "rounding",
    ): "billed as {billed} after {used}: rounded up further than other lines of its rate",
    ("late", "paired"): "confirmed, but from before this billing cycle",
    ("late", "uncovered"): "from before this billing cycle, where no log reaches",
    ("matched", "paired"): "the phone has it too",
    ("matched", "shifted"): "the phone has it, hours off, as when it is abroad or the clocks change",
    ("matched", "continued"): "part of a call that the phone shows as one",
    ("matched", "part"): "part of a long message",
    ("not-covered", "outside"): "before the log begins or after it ends",
    ("not-covered", "hole"): "the log has a hole here",
    ("not-covered", "foreign"): "nothing of this bill is in the log: it seems to be of another phone",
    ("not-comparable", "service"): "fees, data and services leave no entry",
    ("not-comparable", "correction"): "corrects another line",
    ("not-comparable", "forwarded"): "a forwarded call may not have rung",
}

#: What became of an entry that has no line, by class.
ENTRIES = {
    "copy": "that another of the logs has too",
    "free": "made through an app, which no operator bills",
    "incoming": "incoming",
    "unanswered": "not answered",
    "other-sim": "made with another SIM",
    "freephone": "to freephone and emergency numbers",
    "other-period": "of another billing period",
    "next-bill": "in the cycle's last days: probably on the next bill",
    "by-app": "messages that probably went through an app or a flat rate",
    "missing": "on the phone and not on the bill, which nobody needs to complain about",
}

_VOICE = (1, 2, 3)
_MESSAGES = (4, 5, 7)


def known(kind: str, reason: str) -> bool:
    """Whether there are words for this."""
    return (kind, reason) in _WHY


def why(kind: str, reason: str, *, service: int, twin: int | None = None, **said: str) -> str:
    """The reason in words; what a newer matcher says is passed on as it is.

    ``said`` are ``talked``, ``used``, ``billed`` and ``missing``; ``twin`` is the line that it repeats.
    """
    thing = "call" if service in _VOICE else "message" if service in _MESSAGES else "entry"
    words = _WHY.get((kind, reason))
    other = "another line" if twin is None else f"line {twin + 1}"
    return reason if words is None else words.format(thing=thing, twin=other, **said)


def span(seconds: int) -> str:
    """A time difference, as people say it."""
    seconds = abs(seconds)
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{n} {unit}" for n, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if n]
    return " ".join(parts) or "0 s"
