"""Whether the phone confirms most of what it could (docs/matching.md, section 9)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

#: Reasons of lines that are not comparable.
_APART = ("service", "correction")


class Fate(Protocol):
    """What became of a line; ``amount`` in billionths."""

    @property
    def kind(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def amount(self) -> int: ...


def is_confirmed(line: Fate) -> bool:
    return line.kind == "matched" or (line.kind, line.reason) == ("late", "paired")


def most_confirmed(lines: Iterable[Fate]) -> bool:
    """Whether at least half of the comparable lines, and of what they cost, is confirmed."""
    comparable = [line for line in lines if line.reason not in _APART]
    confirmed = [line for line in comparable if is_confirmed(line)]
    return 2 * len(confirmed) >= len(comparable) and 2 * _cost(confirmed) >= _cost(comparable)


def _cost(lines: Iterable[Fate]) -> int:
    return sum(max(0, line.amount) for line in lines)
