"""What sentences about a match need to know beyond its result, which does not hold it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from billproof.matching.columns import APP, CALL, MESSAGE, Invoice, stack
from billproof.matching.histories import known_numbers
from billproof.matching.strays import near_twins

if TYPE_CHECKING:
    from billproof.bundle.documents import Bundle
    from billproof.handset.entries import PhoneLog


def elsewhere(
    bundle: Bundle, asked: Sequence[int], logs: Sequence[PhoneLog], region: str | None
) -> frozenset[int]:
    """Which of the questions (places of lines) have a number that the phone's other list knows.

    That of messages for a call, of calls for a message (docs/matching.md, section 9).
    """
    if not asked or not logs:
        return frozenset()
    given = stack([(Invoice.of(bundle), logs)], region=region)
    entries, lines = given.entries, given.lines
    counts = np.zeros((len(given.logs), 3), np.int64)
    own = entries.kind != APP
    np.add.at(counts, (entries.log[own], entries.kind[own]), 1)
    other = replace(lines, kind=np.where(lines.kind >= MESSAGE, CALL, MESSAGE))
    places = np.array(asked, np.int64)
    return frozenset(places[known_numbers(replace(given, lines=other), counts, places)].tolist())


def twins(bundle: Bundle, lines: Iterable[tuple[int, str, str, bool]], region: str | None) -> dict[int, int]:
    """The line that each duplicate repeats, where it can be told, by place.

    ``lines`` are index, class, reason, and whether the line has an entry. One that has an entry goes first.
    """
    fates = list(lines)
    again = [(at, reason) for at, kind, reason, _ in fates if kind == "duplicate"]
    if not again:
        return {}
    borne_out = {at for at, _, _, has in fates if has}
    whole = stack([(Invoice.of(bundle), ())], region=region)
    given = whole.lines
    found: dict[int, list[int]] = {at: [] for at, _ in again}
    for at, reason in again:
        if reason == "same":
            same = (given.service == given.service[at]) & (given.started_at == given.started_at[at])
            same &= (given.written == given.written[at]) & (given.usage == given.usage[at])
            found[at] = [place for place in np.flatnonzero(same & given.comparable).tolist() if place != at]
    near = np.array([at for at, reason in again if reason == "near"], np.int64)
    for one, other in zip(*(side.tolist() for side in near_twins(whole, given.usage, near)), strict=True):
        found[one].append(other)
    return {
        at: min(places, key=lambda place: (place not in borne_out, place))
        for at, places in found.items()
        if places
    }
