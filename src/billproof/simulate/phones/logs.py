"""What is left of the entries in each log, and the logs of a block as columns of text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from billproof.simulate import text
from billproof.simulate.draws import Draws
from billproof.simulate.month import Month
from billproof.simulate.numbering import NumberPool
from billproof.simulate.phones.entries import FREEPHONE, Entries
from billproof.simulate.phones.habits import Phones
from billproof.simulate.traffic import Bools, Int64s

#: Names that phones show for some numbers.
NAMES = (
    "Aoife", "Brian", "Ciara", "Declan", "Eimear", "Fergal", "Grainne", "Hugh", "Imelda", "Jarlath",
    "Kate", "Lorcan", "Maeve", "Niall", "Orla", "Padraig", "Roisin", "Sean", "Tara", "Ultan",
)  # fmt: skip

_STYLES = 4


def kept(draws: Draws, entries: Entries, phones: Phones) -> tuple[Entries, Bools]:
    """Entries still in a log, and which of them are in an old phone's log.

    With a new phone, the entries before it are in the old phone's log, and in the new one's too where they
    were carried over.
    """
    size = len(phones.kind)
    owner = entries.subscriber
    forgotten = np.zeros(size, dtype=np.int64)
    pick = draws.below(1 << 16, len(entries))
    order = np.lexsort((pick, owner))
    named = order[(entries.number[order] > 0) & phones.forgets[owner[order]]]
    forgotten[owner[named]] = entries.number[named]
    left = entries.when >= phones.cleared[owner]
    left &= entries.when < phones.saved[owner]
    left &= entries.calls | phones.messages[owner]
    left &= (forgotten[owner] == 0) | (entries.number != forgotten[owner])
    entries = entries.take(left)
    owner = entries.subscriber
    # The newest calls stay; entries are in order of time, so count from each phone's last.
    calls = entries.calls.astype(np.int64)
    total = np.bincount(owner, calls, minlength=size).astype(np.int64)
    running = np.cumsum(calls)
    before = np.concatenate(([0], np.cumsum(total)))[:-1]
    age = before[owner] + total[owner] - running
    entries = entries.take((calls == 0) | (age < phones.limit[owner]))
    owner = entries.subscriber
    early = entries.when < phones.changed[owner]
    early &= phones.changed[owner] < 1 << 39
    copied = entries.take(early & phones.carried_over[owner])
    both = Entries(
        **{name: np.concatenate((column, getattr(copied, name))) for name, column in entries.columns()}
    )
    old = np.concatenate((early, np.zeros(len(copied), dtype=np.bool_)))
    order = np.lexsort((both.at, ~old, both.subscriber))
    return both.take(order), old[order]


@dataclass(frozen=True)
class Spelling:
    """All numbers in each way that phones spell them."""

    texts: pa.StringArray
    count: int

    @classmethod
    def of(cls, pool: NumberPool) -> Spelling:
        plain = [*pool.numbers.to_pylist(), *FREEPHONE]
        return cls(pa.array([_spelt(n, s) for s in range(_STYLES) for n in plain], pa.string()), len(plain))

    def spelt(self, entries: Entries) -> pa.StringArray:
        return self.texts.take(pa.array(entries.style * self.count + entries.number))


def _spelt(number: str, style: int) -> str:
    home = number.startswith("+353")
    if not number.startswith("+"):
        return number
    if style == 0:
        return "0" + number[4:] if home else number
    if style == 2:
        return "00" + number[1:]
    if style == 3:
        return "#31#" + ("0" + number[4:] if home else number)
    return number


@dataclass(frozen=True)
class Log:
    """One log: entries ``first`` to ``last`` (not included) of the logs of a block."""

    folder: Path
    subscriber: int
    old: bool
    saved: int
    first: int
    last: int


@dataclass(frozen=True)
class Logs:
    """Logs of one format: entries log by log in order of time, with the texts that most formats need."""

    entries: Entries
    logs: tuple[Log, ...]
    month: Month
    spelling: Spelling

    def __iter__(self) -> Iterator[Log]:
        return iter(self.logs)

    @cached_property
    def numbers(self) -> pa.StringArray:
        return self.spelling.spelt(self.entries)

    @cached_property
    def names(self) -> pa.StringArray:
        """Name of the contact, empty for those without."""
        names = pa.array([*NAMES, *[""] * (64 - len(NAMES))], pa.string())
        known = np.where(self.entries.number > 0, self.entries.number * 37 % 64, 63)
        return names.take(pa.array(known))

    @cached_property
    def local(self) -> Int64s:
        """Seconds on the time line of the clock on the wall."""
        return self.entries.at + self.entries.offset * 60

    @cached_property
    def millis(self) -> pa.StringArray:
        """Milliseconds since 1970 as text."""
        thousandth = text.digits((self.entries.when * 7919 + self.entries.number * 31) % 1000, 3)
        return text.joined(text.integers(self.entries.at), text.fixed(thousandth), rows=len(self.entries))

    def stamp(self, log: Log, pattern: str = "%Y%m%d%H%M%S") -> str:
        """When the log was exported, by the clock on the wall."""
        return datetime.fromtimestamp(log.saved, self.month.zone).strftime(pattern)


def piece(rows: pa.StringArray, first: int, last: int) -> memoryview:
    """The bytes of rows ``first`` to ``last`` (not included), one after the other."""
    _, offsets, octets = rows.buffers()
    bounds = memoryview(offsets).cast("i")
    if octets is None:
        return memoryview(b"")
    return memoryview(octets)[bounds[rows.offset + first] : bounds[rows.offset + last]]
