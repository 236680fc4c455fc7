"""The phone logs of a block of subscribers: made, thinned, written, and what they can show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from billproof.simulate.draws import Draws
from billproof.simulate.month import Month
from billproof.simulate.numbering import NumberPool
from billproof.simulate.phones import android, fixed, iphone
from billproof.simulate.phones.entries import Entries, entries
from billproof.simulate.phones.habits import FORMATS, Phones
from billproof.simulate.phones.logs import Log, Logs, Spelling, kept
from billproof.simulate.result import PhoneLog
from billproof.simulate.traffic import Bools, Int64s, Lines

#: Writes all logs of one format and gives their files, log after log.
Writer = Callable[[Logs], list[Path]]

WRITERS: dict[str, Writer] = {
    "android-xml": android.write_xml,
    "android-csv": android.write_csv,
    "iphone": iphone.write_database,
    "imazing": iphone.write_table,
    "google-voice": fixed.write_pages,
    "fritzbox": fixed.write_list,
}

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Seen:
    """What the logs of a block can show.

    ``duration`` is of shape (true lines,): seconds in the log, -1 where there is no such entry. The rest is
    by subscriber: when calls and messages in the log begin and end (true UTC seconds; an empty log begins
    after everything). ``numbers`` are those in each log's calls and in its messages, as keys of
    :func:`number_keys`, in order.
    """

    duration: Int64s
    calls: tuple[Int64s, Int64s]
    messages: tuple[Int64s, Int64s]
    numbers: Int64s


def number_keys(subscriber: Int64s, calls: Bools, number: Int64s) -> Int64s:
    """One number of a subscriber within the block, of calls or messages, and a position in the pool."""
    keys: Int64s = (subscriber * 2 + calls << 40) + number
    return keys


def write(
    out: Path,
    draws: Draws,
    true: Lines,
    first: int,
    month: Month,
    pool: NumberPool,
    spelling: Spelling,
    forced: str | None,
    operator: int,
    accounts: list[str],
) -> tuple[list[PhoneLog], Seen]:
    """Write the logs of subscribers ``first`` onwards, whose account numbers are ``accounts``."""
    size = len(accounts)
    phones = Phones.draw(draws, size, month, forced)
    noted, old = kept(draws, entries(draws, true, first, phones, month, pool), phones)
    root = out / "phones" / f"operator-{operator}"
    documents = []
    for position, name in enumerate(FORMATS):
        mine = phones.kind[noted.subscriber] == position
        logs = _logs(root, accounts, noted.take(mine), old[mine], phones, month, spelling)
        if not logs.logs:
            continue
        files: dict[str, list[str]] = {}
        for path in WRITERS[name](logs):
            account = path.relative_to(root).parts[0]
            files.setdefault(account, []).append(path.relative_to(out).as_posix())
        documents += [PhoneLog(operator, account, name, tuple(paths)) for account, paths in files.items()]
    return sorted(documents, key=lambda log: log.account), _seen(noted, phones, len(true), size)


def _logs(
    root: Path,
    accounts: list[str],
    mine: Entries,
    old: Bools,
    phones: Phones,
    month: Month,
    spelling: Spelling,
) -> Logs:
    key = mine.subscriber * 2 + ~old
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    ends = np.append(starts[1:], len(key))[: len(starts)]
    logs = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        who = int(mine.subscriber[start])
        earlier = bool(old[start])
        saved = int(phones.changed[who] if earlier else phones.saved[who])
        (root / accounts[who]).mkdir(parents=True, exist_ok=True)
        logs.append(Log(root / accounts[who], who, earlier, saved, start, end))
    return Logs(mine, tuple(logs), month, spelling)


def _seen(noted: Entries, phones: Phones, events: int, size: int) -> Seen:
    minutes = phones.kind[noted.subscriber] == FORMATS.index("fritzbox")
    shown = np.where(minutes, -(-noted.duration // 60) * 60, noted.duration)
    duration = np.full(events, -1, dtype=np.int64)
    real = noted.event >= 0
    duration[noted.event[real]] = shown[real]

    def span(rows: Bools) -> tuple[Int64s, Int64s]:
        begin = np.full(size, _NEVER, dtype=np.int64)
        end = np.full(size, -1, dtype=np.int64)
        np.minimum.at(begin, noted.subscriber[rows], noted.when[rows])
        np.maximum.at(end, noted.subscriber[rows], noted.when[rows])
        return begin, end

    numbers = np.unique(number_keys(noted.subscriber, noted.calls, noted.number)[noted.number > 0])
    return Seen(duration, span(noted.calls), span(~noted.calls), numbers)
