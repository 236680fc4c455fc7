"""A settlement's open claims → the next part: what of them was accepted is paid, the others stay open.

``docs/clearing.md``, section 7. Each part names the document that it continues by its hash, so that a
claim is settled once, whoever makes the part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from billproof.clearing.settlement.settlement import (
    ACCEPTED,
    Dispute,
    Resolved,
    Settlement,
    in_order,
)
from billproof.errors import DifferenceError, InputError
from billproof.printable import printable
from billproof.records import NANO, money

_CHOICE = re.compile(
    r"(?P<number>[0-9]{1,15})(?::(?P<claimant>[0-9]{1,15}))?(?::(?P<sign>debt|credit))?"
    r"(?:=(?P<amount>[0-9]{1,20}(?:\.[0-9]{1,9})?))?"
)
_FORM = "write NUMBER, and :OPERATOR or :debt or :credit where claims have the same: 3, 3:2, 3:2:credit"

#: What a part has to have as the document that it continues has it.
_SAME = (
    "agreement",
    "agreement_hash",
    "parties",
    "currency",
    "exchange",
    "rounding",
    "period",
    "round",
    "batches",
    "chain_id",
    "ledger",
)


@dataclass(frozen=True)
class Choice:
    """What both have come to about a claim; what is None tells no claims apart."""

    outcome: str  # of OUTCOMES
    number: int
    claimant: int | None = None
    credit: bool | None = None
    accepted: int | None = None  # billionths, without a sign; None: all of it


def choice_of(text: str, outcome: str) -> Choice:
    """The choice in ``NUMBER[:OPERATOR][:debt|:credit][=AMOUNT]``; InputError for anything else."""
    found = _CHOICE.fullmatch(text)
    if found is None or (found["amount"] and outcome != ACCEPTED):
        amount = ", =AMOUNT for less than was claimed" if outcome == ACCEPTED else "; it has no amount"
        raise InputError(
            f"{printable(text, 60)!r} names no claim", field=f"--{_WORDS[outcome]}", advice=_FORM + amount
        )
    return Choice(
        outcome,
        int(found["number"]),
        int(found["claimant"]) if found["claimant"] else None,
        found["sign"] == "credit" if found["sign"] else None,
        int(Decimal(found["amount"]) * NANO) if found["amount"] else None,
    )


_WORDS = {ACCEPTED: "accept", "rejected": "reject", "withdrawn": "withdraw"}


def resolve(
    before: Settlement,
    document: bytes,
    choices: Iterable[Choice],
    issued: str,
    due: str,
    deadline: str | None = None,
) -> Settlement:
    """The part that continues ``before``, whose document's hash is ``document``.

    ``deadline``: until when the other claims stay open; None: as before. Raises :class:`InputError` for a
    choice that is of no claim or of several, and for more than was claimed.
    """
    resolved: dict[tuple[int, int, bool], Resolved] = {}
    for choice in choices:
        claim = _claim_of(before, choice)
        if key_of(claim) in resolved:
            raise InputError(f"claim {named(claim)} is named twice", advice="Name each claim once.")
        resolved[key_of(claim)] = Resolved(claim, choice.outcome, _accepted(before, claim, choice))
    if not resolved:
        raise InputError(
            "no claim is named",
            advice="Say which are settled: --accept NUMBER, --reject NUMBER, --withdraw NUMBER.",
        )
    left = in_order(
        replace(each, deadline=deadline or each.deadline)
        for each in before.disputes
        if key_of(each) not in resolved
    )
    _check_days(before, issued, due, left)
    return replace(
        before,
        kind="disputed",
        issued=issued,
        due=due,
        amounts=(),
        charges=(),
        year=None,
        continues=document,
        resolved=tuple(sorted(resolved.values(), key=_money_first)),
        disputes=left,
    )


def own_part(given: Settlement, before: Settlement, document: bytes, choices: Iterable[Choice]) -> Settlement:
    """What one's own choices come to, with the days of the part that is checked."""
    own = resolve(before, document, choices, given.issued, given.due, given.due)
    deadlines = {key_of(each): each.deadline for each in given.disputes}
    left = (replace(each, deadline=deadlines.get(key_of(each), given.due)) for each in own.disputes)
    return replace(own, disputes=in_order(left))


def require_continues(found: Settlement, before: Settlement, document: bytes) -> None:
    """Compares a disputed part with the settlement that it continues, whose document's hash is ``document``.

    Raises:
        DifferenceError: it continues another, or claims are lost, new, or not what they were.
    """
    _require(found.continues is not None, "the settlement is its first part, and continues none")
    _require(
        found.continues == document,
        f"the settlement continues the document 0x{(found.continues or b'').hex()}, not 0x{document.hex()}",
    )
    for name in _SAME:
        _require(
            getattr(found, name) == getattr(before, name),
            f"{name.replace('_', ' ')}: is not that of the document that it continues",
        )
    _require(found.issued >= before.issued, "it was issued before the document that it continues")
    was = {key_of(each): each for each in before.disputes}
    for each in (one.claim for one in found.resolved):
        _require(was.get(key_of(each)) == each, f"claim {named(each)} was not open as it is resolved")
        del was[key_of(each)]
    for each in found.disputes:
        old = was.pop(key_of(each), None)
        _require(
            old is not None and replace(old, deadline=each.deadline) == each,
            f"claim {named(each)} was not open as it is left open",
        )
    lost = next(iter(was.values()), None)
    _require(lost is None, f"claim {named(lost) if lost else ''} was open, and is neither resolved nor left")


def key_of(claim: Dispute) -> tuple[int, int, bool]:
    """What tells claims of one settlement apart."""
    return claim.number, claim.claimant, claim.amount < 0


def named(claim: Dispute) -> str:
    """A claim as the command line names it."""
    return f"{claim.number}:{claim.claimant}:{'credit' if claim.amount < 0 else 'debt'}"


def _check_days(before: Settlement, issued: str, due: str, left: Sequence[Dispute]) -> None:
    if issued < before.issued:
        raise InputError(
            f"{issued} is before {before.issued}, when what it continues was issued", field="--issued"
        )
    if due < issued:
        raise InputError(f"{due} is before {issued}, when it is issued", field="--due")
    for each in left:
        if each.deadline < issued:
            raise InputError(
                f"claim {named(each)} would stay open until {each.deadline}, before {issued}",
                field="--deadline",
                advice="Say until when the other claims stay open, or resolve them.",
            )


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise DifferenceError(message, advice="do not sign; ask who made it")


def _money_first(each: Resolved) -> tuple[int, int, int, int, int]:
    claim = each.claim
    return -abs(each.accepted), -abs(claim.amount), claim.number, claim.claimant, claim.amount


def _claim_of(before: Settlement, choice: Choice) -> Dispute:
    """The one claim that is meant."""
    found = [
        each
        for each in before.disputes
        if each.number == choice.number
        and choice.claimant in (None, each.claimant)
        and choice.credit in (None, each.amount < 0)
    ]
    if not found:
        raise InputError(
            f"no claim is open that is {_said(choice)}",
            field=f"--{_WORDS[choice.outcome]}",
            advice=f"Open are: {_listed(before.disputes)}.",
        )
    if len(found) > 1:
        raise InputError(
            f"{_said(choice)} may be {len(found)} claims",
            field=f"--{_WORDS[choice.outcome]}",
            advice=f"Name each of them: {_listed(found)}.",
        )
    return found[0]


def _accepted(before: Settlement, claim: Dispute, choice: Choice) -> int:
    if choice.outcome != ACCEPTED:
        return 0
    claimed = abs(claim.amount)
    accepted = claimed if choice.accepted is None else choice.accepted
    if not 0 < accepted <= claimed:
        raise InputError(
            f"of claim {named(claim)} {money(claimed)} {before.currency} are claimed, not {money(accepted)}",
            field="--accept",
            advice="Accept more than nothing and no more than that, or --reject it.",
        )
    return accepted if claim.amount > 0 else -accepted


def _said(choice: Choice) -> str:
    sign = "" if choice.credit is None else ":credit" if choice.credit else ":debt"
    return f"{choice.number}{'' if choice.claimant is None else f':{choice.claimant}'}{sign}"


def _listed(claims: Sequence[Dispute], most: int = 12) -> str:
    shown = ", ".join(named(each) for each in claims[:most])
    return f"{shown} and {len(claims) - most:,} more" if len(claims) > most else shown or "none"
