"""Where a clearing is, in plain words: what is to be done next, by whom, until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from billproof.ledger.deployments import Deployment
from billproof.ledger.house_reads import book_of, parts_of
from billproof.ledger.house_states import (
    BatchReference,
    ClearingState,
    Ending,
    PartState,
    PartStatus,
    State,
)
from billproof.ledger.reads import batch_state
from billproof.ledger.rpc import Endpoint
from billproof.ledger.states import BatchKey
from billproof.publication import utc


@dataclass(frozen=True)
class Step:
    """Something to be done: by these operators (none: by anybody), until then (UTC seconds; None: no end)."""

    operators: tuple[int, ...]
    words: str
    command: str
    until: int | None = None

    @property
    def sentence(self) -> str:
        """For people."""
        who = " or ".join(str(each) for each in self.operators)
        subject = f"operator {who}" if who else "anybody"
        until = f", until {utc(self.until)}" if self.until is not None else ""
        return f"{subject} {self.words}{until}: {self.command}"

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "operators": list(self.operators),
            "words": self.words,
            "command": self.command,
            "until": self.until,
        }


@dataclass(frozen=True)
class Found:
    """A clearing as it stands at a time; ``repudiated``: batches of opened books that are, by operator."""

    state: ClearingState
    books: dict[int, tuple[BatchReference, ...]]
    parts: tuple[PartState, ...]
    repudiated: tuple[tuple[int, BatchReference], ...]
    time: int

    @property
    def overdue(self) -> bool:
        """Whether either side may close it for its deadline."""
        return self.state.deadline is not None and self.time > self.state.deadline

    @property
    def may_be_closed(self) -> str:
        """ "overdue", "repudiated", or nothing."""
        if self.overdue:
            return "overdue"
        return "repudiated" if self.repudiated and self.state.state < State.SETTLING else ""

    @property
    def steps(self) -> list[Step]:
        """What is to be done next; nothing when it has ended and nothing is owed."""
        steps = [*self._own_steps(), *owed_steps(self.parts, self._settle_by())]
        if self.may_be_closed:
            why = "the deadline has passed" if self.overdue else "a batch was repudiated"
            steps.insert(0, Step(self.state.operators, f"may close it, for {why}", "billproof house close"))
        return steps

    def _settle_by(self) -> int | None:
        return self.state.deadlines.settle_by if self.state.state < State.SETTLED else None

    def _own_steps(self) -> list[Step]:
        state, limits = self.state, self.state.deadlines
        if self.overdue:
            return []
        if state.state is State.COMMITTING:
            return [
                Step((side.operator_id,), "commits to its book", "billproof house commit", limits.commit_by)
                for side in state.sides
                if not any(side.commitment)
            ]
        if state.state is State.REVEALING:
            return [
                Step((side.operator_id,), "opens its book", "billproof house reveal", limits.reveal_by)
                for side in state.sides
                if not side.revealed_at
            ]
        if state.state is State.AGREEING and not self.repudiated:
            number = len(self.parts) + 1
            claims = " of claims that are open (billproof resolve)" if self.parts else ""
            return [
                Step(
                    state.operators,
                    f"proposes part {number}{claims}, and both sign it",
                    "billproof house propose",
                    limits.agree_by,
                )
            ]
        return []

    @property
    def words(self) -> str:
        """Its state in a sentence."""
        state = self.state
        if state.state is State.CLOSED:
            sides = " and ".join(str(each) for each in state.at_fault)
            return f"closed, {_ENDINGS[state.ending].format(sides)}" + (
                "; what was agreed stays owed" if state.open_parts else ""
            )
        return _STATES[state.state]

    def document(self) -> dict[str, Any]:
        """As JSON values; times in UTC seconds, null for what has not been."""
        state = self.state
        limits = state.deadlines
        return {
            "clearing": "0x" + state.id.hex(),
            "operators": list(state.operators),
            "period": str(state.period),
            "round": state.round,
            "state": state.state.word,
            "reason": state.ending.word if state.ending else None,
            "atFault": list(state.at_fault),
            "words": self.words,
            "deadlines": {
                "commitBy": limits.commit_by,
                "revealBy": limits.reveal_by,
                "agreeBy": limits.agree_by,
                "settleBy": limits.settle_by,
            },
            "books": [
                {
                    "operator": side.operator_id,
                    "commitment": "0x" + side.commitment.hex() if any(side.commitment) else None,
                    "committedAt": side.committed_at or None,
                    "revealedAt": side.revealed_at or None,
                    "batches": [
                        {
                            "region": each.region,
                            "sequence": each.sequence,
                            "repudiated": (side.operator_id, each) in self.repudiated,
                        }
                        for each in self.books[side.operator_id]
                    ],
                }
                for side in state.sides
            ],
            "parts": part_documents(self.parts),
            "next": [step.document() for step in self.steps],
            "time": self.time,
        }


def look(endpoint: Endpoint, deployment: Deployment, state: ClearingState, time: int) -> Found:
    """Everything that the chain says of a clearing; ``time`` is the newest block's."""
    books = {each: book_of(endpoint, deployment, state.id, each) for each in state.operators}
    repudiated = [
        (operator_id, each)
        for operator_id, batches in books.items()
        for each in batches
        if batch_state(
            endpoint, deployment, BatchKey(operator_id, state.period, each.region, each.sequence)
        ).repudiated
    ]
    return Found(state, books, tuple(parts_of(endpoint, deployment, state.id)), tuple(repudiated), time)


def owed_steps(parts: Sequence[PartState], until: int | None) -> list[Step]:
    """Who pays and confirms what is still owed of a source's parts."""
    return [
        Step(
            (part.debtor,),
            f"pays part {number}, and operator {part.creditor} confirms it"
            " (`house confirm`), unless it is paid in its token",
            "billproof house pay",
            until,
        )
        for number, part in enumerate(parts, 1)
        if part.status is PartStatus.AGREED
    ]


def part_documents(parts: Sequence[PartState]) -> list[dict[str, Any]]:
    """Parts as JSON values."""
    return [
        {
            "number": number,
            "creditor": part.creditor,
            "debtor": part.debtor,
            "status": part.status.word,
            "documentHash": "0x" + part.document_hash.hex(),
            "agreedAt": part.agreed_at,
            "endedAt": part.ended_at or None,
        }
        for number, part in enumerate(parts, 1)
    ]


_STATES = {
    State.COMMITTING: "both sides commit to their books",
    State.REVEALING: "both have committed; sides open their books",
    State.AGREEING: "both books are open; parts are signed",
    State.SETTLING: "the last part is signed; what is owed is settled",
    State.SETTLED: "settled: every part has ended",
}
_ENDINGS = {
    Ending.REFUSED: "refused by operator {}",
    Ending.NOT_COMMITTED: "operator {} did not commit in time",
    Ending.NOT_REVEALED: "operator {} did not open its book in time",
    Ending.NOT_AGREED: "no last part was agreed in time",
    Ending.NOT_SETTLED: "not every part was settled in time",
    Ending.REPUDIATED: "operator {} repudiated a batch of its book",
    Ending.NONE: "for no reason that is known",
}
