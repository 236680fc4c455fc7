"""What a verifier says: steps, each passed or not, and the verdict that follows from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from billproof.batch_id import BatchId
from billproof.inclusion import Problem


class Verdict(IntEnum):
    """The outcome of a verification; the value is the exit code."""

    VALID = 0
    INVALID = 1
    UNUSABLE = 2
    NOT_ANCHORED = 3
    CANNOT_CHECK = 4

    @property
    def words(self) -> str:
        return self.name.lower().replace("_", " ")


#: Which verdict stands for several files: the first of these that any of them got.
GRAVEST_FIRST = (
    Verdict.INVALID,
    Verdict.UNUSABLE,
    Verdict.NOT_ANCHORED,
    Verdict.CANNOT_CHECK,
    Verdict.VALID,
)


@dataclass(frozen=True)
class Step:
    """One line of the verdict: ``name`` is file, page, inclusion, anchoring, ledger code, identity or tariff.

    A ``remark`` has passed nothing: it only tells.
    """

    name: str
    verdict: Verdict
    message: str
    advice: str = ""
    problems: tuple[Problem, ...] = ()
    remark: bool = False


@dataclass
class Report:
    """The verification of one file: its steps in order, up to the first that failed."""

    file: str
    kind: str = ""
    batch: BatchId | None = None
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    lines: Callable[[int], str] = field(default=lambda index: f"record {index}", repr=False)

    def line(self, index: int) -> str:
        """A line of the statement in words, by its index."""
        return self.lines(index)

    @property
    def verdict(self) -> Verdict:
        return next((step.verdict for step in self.steps if step.verdict), Verdict.VALID)

    def add(
        self,
        name: str,
        verdict: Verdict,
        message: str,
        advice: str = "",
        problems: list[Problem] | None = None,
    ) -> bool:
        """Adds a step; True when it passed and the next one may follow."""
        self.steps.append(Step(name, verdict, message, advice, tuple(problems or ())))
        return verdict is Verdict.VALID

    def document(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "file": self.file,
            "kind": self.kind,
            "verdict": self.verdict.words,
            "steps": [
                {
                    "name": step.name,
                    "verdict": step.verdict.words,
                    "message": step.message,
                    "advice": step.advice,
                    "problems": [
                        {"check": problem.check, "line": problem.line, "message": problem.message}
                        for problem in step.problems
                    ],
                }
                for step in self.steps
            ],
            "notes": self.notes,
            **self.facts,
        }


def overall(reports: list[Report]) -> Verdict:
    """The gravest verdict of several files."""
    found = {report.verdict for report in reports}
    return next(verdict for verdict in GRAVEST_FIRST if verdict in found)
