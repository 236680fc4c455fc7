"""``labels.csv``: every wrong line, where it stands on its statement, and whether a phone log can show it."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from billproof.records import Service
from billproof.simulate.formats import FORMATS, Issuer
from billproof.simulate.mistakes import Billed, Mistake
from billproof.simulate.phones.block import Seen, number_keys
from billproof.simulate.result import decimal_text
from billproof.simulate.tariffs import rate_table
from billproof.simulate.traffic import Bools, Int64s, Lines

NAME = "labels.csv"
COLUMNS = (
    "operator", "account", "record", "started_at", "service", "number", "usage", "kind", "amount", "truth",
    "visible",
)  # fmt: skip

#: Formats whose clock has no offset from UTC, and those that leave out seconds.
_WALL_CLOCK = ("asterisk", "freeswitch", "itemised-bill")
_MINUTES = ("itemised-bill",)

#: A phone shows a wrong duration when it differs by more than a charging step and this.
_SLACK_SECONDS = 5


def homes(formats: tuple[str, ...], lines: Lines) -> Int64s:
    """Position in ``formats`` of the format that carries each line."""
    others = [name for name in formats if name != "csv"] or ["csv"]
    place = np.full(len(lines), formats.index("csv") if "csv" in formats else 0, dtype=np.int64)
    for position, name in enumerate(others):
        carried = np.isin(lines.service, [int(service) for service in FORMATS[name].services])
        mine = carried & (lines.network <= 1) & (lines.subscriber % len(others) == position)
        place[mine] = formats.index(name)
    return place


def read_times(issuer: Issuer, formats: tuple[str, ...], lines: Lines, place: Int64s) -> Int64s:
    """Start of each line as intake reads it from its file, UTC seconds."""
    at = lines.started_at.copy()
    offsets, start = issuer.month.offsets, issuer.month.start
    wall = np.isin(place, [formats.index(name) for name in _WALL_CLOCK if name in formats])
    for slot in np.flatnonzero(np.diff(offsets) < 0).tolist():
        back = int(offsets[slot] - offsets[slot + 1]) * 60
        change = start + (slot + 1) * 3600
        at[wall & (lines.started_at >= change) & (lines.started_at < change + back)] -= back
    minutes = np.isin(place, [formats.index(name) for name in _MINUTES if name in formats])
    at[minutes] = at[minutes] // 60 * 60
    return at


def rows(
    issuer: Issuer,
    formats: tuple[str, ...],
    lines: Lines,
    tags: Int64s,
    billed: Billed,
    seen: Seen | None,
    first: int,
) -> list[str]:
    """Rows of ``labels.csv`` for a block.

    ``lines`` are all lines of the block's bills in order, ``tags`` each one's position in ``billed`` (-1
    for lines that are no usage), ``first`` the block's first subscriber.
    """
    place = homes(formats, lines)
    at = read_times(issuer, formats, lines, place)
    order = np.lexsort((np.arange(len(lines)), place, at, lines.subscriber))
    owner = lines.subscriber[order]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    index = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    ranked = tags[order]
    found = np.flatnonzero(ranked >= 0)
    found = found[billed.mistake[ranked[found]] > 0]
    wrong = ranked[found]
    shown = _visible(billed, seen, wrong, first)
    out = billed.lines.take(wrong)
    numbers = issuer.others(out).to_pylist()
    accounts = issuer.accounts(out).to_pylist()
    texts = []
    for k, row in enumerate(wrong.tolist()):
        truth = int(billed.truth[row])
        fields = (
            str(issuer.carrier.number),
            accounts[k],
            str(int(index[found[k]])),
            datetime.fromtimestamp(int(at[order[found[k]]]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            Service(int(out.service[k])).name.lower(),
            numbers[k],
            str(int(out.usage[k])),
            Mistake(int(billed.mistake[row])).name.lower(),
            decimal_text(int(billed.excess[row])),
            "" if truth < 0 else str(truth),
            shown[k],
        )
        texts.append(",".join(fields) + "\n")
    return texts


def _visible(billed: Billed, seen: Seen | None, wrong: Int64s, first: int) -> list[str]:
    """``yes`` where the log shows it; ``ask`` where a log that is merely incomplete would look the same."""
    if seen is None:
        return ["no"] * len(wrong)
    lines = billed.lines.take(wrong)
    who = lines.subscriber - first
    kind, event = billed.mistake[wrong], billed.event[wrong]
    noted = np.where(event >= 0, seen.duration[np.maximum(event, 0)], -1)
    call = lines.service <= Service.VOICE_FORWARDED
    begin = np.where(call, seen.calls[0][who], seen.messages[0][who])
    end = np.where(call, seen.calls[1][who], seen.messages[1][who])
    covered = (lines.started_at >= begin) & (lines.started_at <= end)
    # Who deletes a number's calls, or a conversation, leaves none: no log tells that from a line made up.
    left = np.isin(number_keys(who, call, lines.number), seen.numbers)
    step = rate_table().step[lines.rate]
    longer: Bools = (noted >= 0) & (lines.usage - noted >= step + _SLACK_SECONDS)
    shown = np.select(
        [
            kind == Mistake.PHANTOM,
            kind == Mistake.DUPLICATE,
            (kind == Mistake.DURATION) | (kind == Mistake.HUNG),
        ],
        [covered & left, noted >= 0, longer],
        default=False,
    )
    asked = (kind == Mistake.PHANTOM) & covered & ~left
    return ["yes" if yes else "ask" if ask else "no" for yes, ask in zip(shown, asked, strict=True)]
