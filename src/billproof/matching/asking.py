"""What no log could tell, in words: questions to the subscriber, and why lines could not be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable

from billproof.bundle.lines import Line

#: What is asked where no log knows the number, by the line's service.
_QUESTIONS = {
    1: "Do you know this number? If you never called it, the line is wrong.",
    2: "Do you know this number? If it never called you, the line is wrong.",
    4: "Do you know this number? If you never wrote to it, the line is wrong.",
    5: "Do you know this number? If it never wrote to you, the line is wrong.",
    7: "Do you know this number? If you never wrote to it, the line is wrong.",
}
_NAMELESS = "Was that yours? If not, the line is wrong."

#: Why lines could not be compared, of one and of more; {} is their number.
_UNCOMPARED = {
    "service": (
        "{} is a fee, data, tax or the like, which phones do not log",
        "{} are fees, data, taxes and the like, which phones do not log",
    ),
    "outside": (
        "{} is from before your log begins or after it ends",
        "{} are from before your log begins or after it ends",
    ),
    "call": ("{} is a call, and your log has none", "{} are calls, and your log has none"),
    "message": ("{} is a message, and your log has none", "{} are messages, and your log has none"),
    "mms": (
        "{} is a picture message, and your log has none",
        "{} are picture messages, and your log has none",
    ),
    "uncovered": (
        "{} is from before this billing cycle, which your log does not reach",
        "{} are from before this billing cycle, which your log does not reach",
    ),
    "hole": ("{} falls into a gap in your log", "{} fall into a gap in your log"),
    "forwarded": (
        "{} is a forwarded call, which need not have rung",
        "{} are forwarded calls, which need not have rung",
    ),
    "correction": ("{} corrects another line", "{} correct other lines"),
    "foreign": ("{} is not in this log, which seems to be of another phone",) * 2,
}
_KINDS = {1: "call", 2: "call", 3: "call", 4: "message", 5: "message", 7: "mms"}


def question(line: Line, service: int) -> str:
    """What is asked about a line."""
    return _QUESTIONS.get(service, _NAMELESS) if line.party else _NAMELESS


def questions_head(count: int, asked: str) -> str:
    """How many questions there are, and what their lines cost."""
    return f"{_counted(count, 'question')} only you can answer ({asked})"


def uncompared_head(count: int, unchecked: str) -> str:
    """How many lines could not be compared, and what they cost."""
    return f"{_counted(count, 'line')} ({unchecked}) could not be compared with your phone"


def reasons(
    lines: Iterable[tuple[str, int, int]], kinds: Collection[str], money: Callable[[int], str]
) -> list[str]:
    """Why lines could not be compared, and what they cost, most lines first.

    ``lines`` are reason, service and amount of each; ``kinds`` those that the logs cover at all.
    """
    counts: Counter[str] = Counter()
    costs: Counter[str] = Counter()
    for reason, service, amount in lines:
        kind = _KINDS.get(service, "")
        why = kind if reason == "outside" and kind not in kinds else reason
        counts[why] += 1
        costs[why] += amount
    return [f"{_because(why, count)} ({money(costs[why])})" for why, count in counts.most_common()]


def hint(services: Iterable[int], kinds: Collection[str]) -> str:
    """What to give besides, where the bill has messages and the logs have calls only; else empty."""
    count = sum(_KINDS.get(service) in ("message", "mms") for service in services)
    if not count or set(kinds) != {"call"}:
        return ""
    return (
        f"The bill has {_counted(count, 'message')}, your log has calls only. Where the phone can export its"
        " messages, give that file too."
    )


def _because(why: str, count: int) -> str:
    one, more = _UNCOMPARED.get(why, ("{}: " + why,) * 2)
    return (one if count == 1 else more).format(f"{count:,}")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
