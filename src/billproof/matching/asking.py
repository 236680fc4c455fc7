"""What no log could tell, in words: questions to the subscriber, and why lines could not be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from billproof.bundle.lines import Line

#: What makes a line wrong, where no log's list has its number, by the line's service.
_NEVER = {
    1: "you never called it",
    2: "it never called you",
    4: "you never wrote to it",
    5: "it never wrote to you",
    7: "you never wrote to it",
}

#: A phone's two lists (docs/matching.md, section 9): of the line's own one, and of the other.
_MISSING = {
    "call": "your list of calls has nothing with this number",
    "message": "your messages have nothing with this number",
}
_ELSEWHERE = {"call": ", though your messages do", "message": ", though your list of calls does"}

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


@dataclass(frozen=True)
class Asked:
    """A line that only the subscriber can answer for. ``amount`` is in billionths; ``elsewhere``: the phone's
    other list knows its number."""

    line: Line
    service: int
    amount: int
    elsewhere: bool

    @property
    def list(self) -> str:
        """Which of the phone's two lists would have it."""
        return "call" if _KINDS.get(self.service) == "call" else "message"


@dataclass(frozen=True)
class Question:
    """One number in one of the phone's lists, and the lines with it; a line without a number stands alone."""

    lines: tuple[Asked, ...]

    @property
    def party(self) -> str:
        return self.lines[0].line.party

    @property
    def amount(self) -> int:
        """What the lines cost, credits aside."""
        return sum(max(0, asked.amount) for asked in self.lines)

    @property
    def known(self) -> str:
        """What the phone's lists say of the number, a sentence."""
        one = self.lines[0]
        said = missing(one.service, any(asked.elsewhere for asked in self.lines), named=bool(self.party))
        return f"{said[0].upper()}{said[1:]}."

    @property
    def words(self) -> str:
        """What is asked."""
        wrong = "the line is wrong" if len(self.lines) == 1 else "these lines are wrong"
        if not self.party:
            return f"Was that yours? If not, {wrong}."
        never = dict.fromkeys(_NEVER[asked.service] for asked in self.lines if asked.service in _NEVER)
        why = " and ".join(never) or "you had nothing with it"
        return f"Do you know this number? If {why}, {wrong}."


def missing(service: int, elsewhere: bool, *, named: bool = True) -> str:
    """Which list has nothing with the number of a line, and that the other has, if so."""
    if not named:
        return "the bill shows no number to look for"
    of = "call" if _KINDS.get(service) == "call" else "message"
    return _MISSING[of] + (_ELSEWHERE[of] if elsewhere else "")


def questions(lines: Iterable[Asked]) -> list[Question]:
    """One question a number and list, the dearest first, each with its lines in the bill's order."""
    groups: dict[tuple[object, str], list[Asked]] = {}
    for asked in sorted(lines, key=lambda each: each.line.number):
        groups.setdefault((asked.line.party or asked.line.number, asked.list), []).append(asked)
    found = [Question(tuple(group)) for group in groups.values()]
    return sorted(found, key=lambda each: (-each.amount, each.lines[0].line.number))


def questions_head(questions: Collection[Question], asked: str) -> str:
    """How many questions there are, about how many lines, and what these cost."""
    lines = _counted(sum(len(each.lines) for each in questions), "line")
    return f"{_counted(len(questions), 'question')} only you can answer ({lines}, {asked})"


def confirmed(count: int, lines: int, *, most: bool) -> str:
    """How many lines the phone confirms, to stand behind "Nothing to dispute"; ``most``: if that is most."""
    return f"{':' if most else ', but'} the phone confirms {count:,} of {_counted(lines, 'line')}"


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
