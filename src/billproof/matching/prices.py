"""Lines that a bill charges above what its tariff says, beside what the phone says of them (docs/tariff.md).

Of a line that is in dispute already, because of the phone, only what the tariff finds above that is added:
the two together claim the greater of both amounts, and nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from billproof.matching.result import MatchedLine
from billproof.tariff.result import Difference


@dataclass(frozen=True)
class PriceFinding:
    """A line that costs too much; ``index`` is None for a credit that is missing, ``name`` its name.

    ``stake`` is what is charged too much, less what the phone disputes of the line already.
    """

    index: int | None
    cause: str
    charged: int
    due: int
    stake: int
    words: str
    name: str

    @property
    def already(self) -> int:
        """How much of what is charged too much the phone disputes already."""
        return self.charged - self.due - self.stake

    def document(self) -> dict[str, Any]:
        """As one of ``prices`` in ``billproof/match/1``."""
        return {
            "index": self.index,
            "class": "price",
            "cause": self.cause,
            "charged": str(self.charged),
            "due": str(self.due),
            "stake": str(self.stake),
            "words": self.words,
            "name": self.name,
        }


def price_findings(
    differences: Sequence[Difference], findings: Sequence[MatchedLine]
) -> tuple[PriceFinding, ...]:
    """What of a check of the bill is to the subscriber's loss, in the bill's order.

    ``findings`` are those of the match.
    """
    disputed: dict[int | None, int] = {line.index: line.stake for line in findings}
    return tuple(
        PriceFinding(
            index=found.line,
            cause=found.cause,
            charged=found.charged,
            due=found.due,
            stake=max(0, found.difference - disputed.get(found.line, 0)),
            words=found.words,
            name=found.name,
        )
        for found in differences
        if found.difference > 0
    )


def disputed_lines(findings: Sequence[MatchedLine], prices: Sequence[PriceFinding]) -> int:
    """How many lines are in dispute, because of phone, tariff or both; a missing credit is one too."""
    phone = {line.index for line in findings}
    return len(phone) + sum(found.index is None or found.index not in phone for found in prices)


def with_prices(document: dict[str, Any], prices: Sequence[PriceFinding]) -> dict[str, Any]:
    """A match's document with what its tariff says: what report and letter are made from."""
    summary = {
        **document["summary"],
        "prices": len(prices),
        "overcharged": str(sum(found.stake for found in prices)),
    }
    return {**document, "summary": summary, "prices": [found.document() for found in prices]}
