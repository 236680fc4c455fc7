"""Which published version of a tariff a statement names, told beside the verdict (docs/tariff.md, 10).

A statement binds the tariff's hash, and the tariff book the time of its publication. What is wrong with that
is a question of the contract between operator and customer: the bill stays proved as it is, and so does its
verdict.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from billproof.batch_id import BatchId
from billproof.bundle import documents as doc
from billproof.ledger.abi import END_OF_TIME
from billproof.ledger.states import TariffState

USAGE = range(32)
"""Services that a tariff's days apply to; fees, discounts and taxes may stand where the bill puts them, and
what corrects another line is priced by no tariff."""

_HASH_SHOWN = 8

PUBLISHED, NONE = "published", "none"
_FAULTS = {
    "no-book": "there is no tariff book beside this ledger",
    "unpublished": "never published",
    "late": "published after the period or a line that it prices began",
    "withdrawn": "withdrawn before the last line",
    "outside": "not valid for every line",
}


@dataclass(frozen=True)
class Publication:
    """``status``: published, none, unpublished, late, withdrawn, outside, no-book or unknown. Several may
    hold: the first of the last five that does. ``message`` says all of them."""

    status: str
    message: str
    tariff: bytes = b""
    state: TariffState | None = None

    def document(self) -> dict[str, Any]:
        """As JSON values; times in UTC seconds as the book has them, None where there is none."""
        found: dict[str, Any] = {"status": self.status}
        if self.tariff:
            found["hash"] = "0x" + self.tariff.hex()
        if self.state is not None and self.state.exists:
            found |= {
                "publishedAt": self.state.published_at,
                "validFrom": self.state.valid_from,
                "validUntil": self.state.valid_until or None,
                "withdrawnFrom": self.state.withdrawn_from or None,
            }
        return found


def tariff_of(document: doc.Bundle | doc.Receipt) -> bytes:
    """The tariff's hash that the statement binds; empty when it names none."""
    tariff = bytes.fromhex(document.statement.tariff[2:])
    return tariff if any(tariff) else b""


def unnamed() -> Publication:
    """Of a statement without a tariff: nobody is asked."""
    return Publication(NONE, "the statement names no tariff")


def unknown(tariff: bytes, why: str) -> Publication:
    """Of a tariff that could not be looked up."""
    return Publication("unknown", f"the tariff that priced it could not be looked up: {why}", tariff)


def judge(
    document: doc.Bundle | doc.Receipt, batch: BatchId, tariff: bytes, state: TariffState | None
) -> Publication:
    """What the book's answer says of a statement; ``state`` None: its ledger has no book there."""
    if state is None:
        message = "names a tariff, but there is no tariff book beside this ledger to look it up in"
        return Publication("no-book", message, tariff)
    if not state.exists:
        message = "names a tariff that was never published, so nothing shows since when it was there"
        return Publication("unpublished", message, tariff, state)
    lines = [
        (int(record.startedAt), int(record.utcOffset))
        for record in _records(document)
        if int(record.service) in USAGE and not any(bytes.fromhex(record.corrects[2:]))
    ]
    found = faults(batch.period, lines, state)
    message = f"priced by the tariff 0x{tariff.hex()[:_HASH_SHOWN]}… {_words(state)}"
    if not found:
        return Publication(PUBLISHED, message, tariff, state)
    return Publication(found[0], f"{message}: {fault_words(found)}", tariff, state)


def fault_words(found: Sequence[str]) -> str:
    """``published after the period or a line that it prices began, not valid for every line``."""
    return ", ".join(_FAULTS[fault] for fault in found)


def faults(period: int, lines: Sequence[tuple[int, int]], state: TariffState) -> list[str]:
    """Which of late, withdrawn and outside hold of a published version, in this order.

    ``lines``: of usage, time in UTC seconds and offset in minutes; none stands for the period's first second.
    """
    begin = calendar.timegm((period // 100, period % 100, 1, 0, 0, 0))
    lines = lines or [(begin, 0)]
    local = [started + 60 * offset for started, offset in lines]
    found = []
    until = state.valid_until or END_OF_TIME
    priced = [at for (at, _), wall in zip(lines, local, strict=True) if state.valid_from <= wall < until]
    if state.published_at > min([max(begin, state.valid_from), *priced]):
        found.append("late")
    if state.withdrawn_from and max(started for started, _ in lines) >= state.withdrawn_from:
        found.append("withdrawn")
    if min(local) < state.valid_from or (state.valid_until and max(local) >= state.valid_until):
        found.append("outside")
    return found


def _records(document: doc.Bundle | doc.Receipt) -> Sequence[doc.Record | doc.ReceiptRecord]:
    return document.records if isinstance(document, doc.Bundle) else [document.record]


def _words(state: TariffState) -> str:
    gone = f", withdrawn from {utc(state.withdrawn_from)} on" if state.withdrawn_from else ""
    return f"published on {utc(state.published_at)}, {validity_words(state)}{gone}"


def validity_words(state: TariffState) -> str:
    """For which days, the last one included."""
    begin = f"valid from {_wall_clock(state.valid_from)}"
    if not state.valid_until:
        return f"{begin} on"
    if state.valid_until % 86_400:
        return f"{begin} until {_wall_clock(state.valid_until)}"
    return f"{begin} up to and including {_wall_clock(state.valid_until - 86_400)}"


def _wall_clock(seconds: int) -> str:
    """A time of a validity: a day, with the time of day where it is not midnight."""
    if seconds >= END_OF_TIME:
        return "a day after the year 9999"
    shape = "%Y-%m-%d %H:%M:%S" if seconds % 86_400 else "%Y-%m-%d"
    return datetime.fromtimestamp(seconds, UTC).strftime(shape)


def utc(seconds: int) -> str:
    """A time of the chain."""
    if seconds >= END_OF_TIME:
        return "a day after the year 9999"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
