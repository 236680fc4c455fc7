"""What the phones of a block noted: entries from what really happened, and what only a phone sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from billproof.records import Service
from billproof.simulate import distributions
from billproof.simulate.draws import Draws
from billproof.simulate.month import Month
from billproof.simulate.numbering import NumberPool
from billproof.simulate.phones.habits import FORMATS, Phones
from billproof.simulate.traffic import Bools, Int64s, Lines

#: Entries in a thousand of a phone's outgoing calls, or of its messages, that come on top.
_INCOMING, _ATTEMPTS, _APP, _FREE, _RECEIVED, _SECOND_SIM = 900, 120, 100, 15, 1200, 500

#: Freephone numbers follow the pool's. They begin with digits that no subscriber number has.
FREEPHONE = tuple(f"180000001{k:02d}" for k in range(20))


class What(IntEnum):
    """Kinds of entries; calls first."""

    OUTGOING = 0
    INCOMING = 1
    MISSED = 2
    REJECTED = 3
    BLOCKED = 4
    UNANSWERED = 5
    SENT = 6
    RECEIVED = 7
    PICTURE = 8


@dataclass(frozen=True)
class Entries:
    """Columns of shape (n,). ``subscriber`` counts within the block; ``at`` is the phone's UTC time.

    ``duration`` seconds as the phone counts them, ``ring`` seconds of ringing before; ``number`` is a
    position in the pool, or beyond it in ``FREEPHONE``, 0 is withheld; ``style`` the spelling (0 national,
    1 international, 2 with 00, 3 hiding one's own number); ``sim`` 0 or 1; ``app`` 0 for the phone itself;
    ``segments`` of a message; ``event`` the true line's position, -1 for none; ``when`` the true time;
    ``offset`` the local time's minutes east of UTC.
    """

    subscriber: Int64s
    what: Int64s
    at: Int64s
    duration: Int64s
    ring: Int64s
    number: Int64s
    style: Int64s
    sim: Int64s
    app: Int64s
    segments: Int64s
    event: Int64s
    when: Int64s
    offset: Int64s

    def __len__(self) -> int:
        return len(self.subscriber)

    def columns(self) -> Iterator[tuple[str, Int64s]]:
        for field in fields(self):
            yield field.name, getattr(self, field.name)

    def take(self, rows: Int64s | Bools) -> Entries:
        return Entries(**{name: column[rows] for name, column in self.columns()})

    @property
    def calls(self) -> Bools:
        return self.what < What.SENT

    @property
    def answered(self) -> Bools:
        return self.what <= What.INCOMING


def entries(draws: Draws, true: Lines, first: int, phones: Phones, month: Month, pool: NumberPool) -> Entries:
    """What the phones of subscribers ``first`` onwards noted, sorted by subscriber and time.

    ``true`` are lines as they happened, sorted by subscriber; nothing is deleted yet.
    """
    made = _Maker(draws, true, first, month, pool)
    parts = [*made.real(), *made.elsewhere(phones)]
    names = [field.name for field in fields(Entries)]
    columns = {name: np.concatenate([part[name] for part in parts if name in part]) for name in names[:1]}
    for name in names[1:]:
        columns[name] = np.concatenate(
            [part.get(name, np.zeros(len(part["subscriber"]), dtype=np.int64)) for part in parts]
        )
    n = len(columns["subscriber"])
    columns["event"] = np.concatenate(
        [part.get("event", np.full(len(part["subscriber"]), -1, dtype=np.int64)) for part in parts]
    )
    owner, what, when = columns["subscriber"], columns["what"], columns["when"]
    voice, answered = what < What.SENT, what <= What.INCOMING
    ring = distributions.ring_seconds()[draws.u16(n)]
    rung = np.where(voice & (phones.starts_ringing[owner] | ~answered), ring, 0)
    sway = distributions.inverse((5, 20, 50, 20, 5))[draws.u16(n)] - 2
    counted = columns["duration"] + np.where(phones.counts_ringing[owner], ring, 0) + sway
    columns["duration"] = np.where(voice & answered, np.maximum(counted, 1), 0)
    columns["ring"] = ring
    slot = np.clip((when - month.start) // 3600, 0, len(month.offsets) - 1)
    columns["offset"] = month.offsets[slot]
    still = (month.offsets[0] - columns["offset"]) * 60 * phones.winter[owner]
    slack = draws.below(np.where(voice, 2, 5), n)
    columns["at"] = when - rung + slack + phones.clock[owner] + phones.shift[owner] + still
    style = phones.style[owner]
    other = draws.below(3, n)
    style = np.where(draws.chance(150, n), other, style)
    columns["style"] = np.where((what == What.OUTGOING) & draws.chance(3, n), 3, style)
    # Google Voice knows numbers as networks do.
    columns["style"] = np.where(phones.kind[owner] == FORMATS.index("google-voice"), 1, columns["style"])
    order = np.lexsort((columns["at"], owner))
    return Entries(**columns).take(order)


Part = dict[str, npt.NDArray[np.int64]]


class _Maker:
    """Entries before the phone's own habits change them."""

    def __init__(self, draws: Draws, true: Lines, first: int, month: Month, pool: NumberPool) -> None:
        self._draws, self._true, self._first, self._month, self._pool = draws, true, first, month, pool
        self._out = np.flatnonzero(true.service == Service.VOICE_ORIGINATED)
        self._sent = np.flatnonzero(true.service == Service.MESSAGE_SENT)

    def real(self) -> list[Part]:
        """Entries of events that have records."""
        true = self._true
        kinds = {
            Service.VOICE_ORIGINATED: What.OUTGOING,
            Service.VOICE_TERMINATED: What.INCOMING,
            Service.MESSAGE_SENT: What.SENT,
            Service.MESSAGE_RECEIVED: What.RECEIVED,
            Service.MMS: What.PICTURE,
        }
        return [
            self._part(
                np.flatnonzero(true.service == service),
                what,
                event=np.flatnonzero(true.service == service),
                duration=true.usage[true.service == service],
                segments=true.usage[true.service == service],
            )
            for service, what in kinds.items()
        ]

    def elsewhere(self, phones: Phones) -> list[Part]:
        """Entries of what is on no bill of this month."""
        draws, true = self._draws, self._true
        forwarded = np.flatnonzero(true.service == Service.VOICE_FORWARDED)
        forwarded = forwarded[draws.chance(400, len(forwarded))]
        parts = [self._part(forwarded, What.MISSED, number=self._friends(forwarded))]
        incoming = self._some(self._out, _INCOMING)
        kind = np.array([What.INCOMING, What.MISSED, What.REJECTED, What.BLOCKED])
        kind = kind[distributions.inverse((70, 25, 4, 1))[draws.u16(len(incoming))]]
        number = np.where(draws.chance(80, len(incoming)), 0, true.number[incoming])
        parts.append(self._anew(incoming, kind, number=number))
        # One dials in vain, often just before one gets through.
        attempts = self._some(self._out, _ATTEMPTS)
        again = draws.chance(600, len(attempts))
        before = true.started_at[attempts] - 30 - draws.below(200, len(attempts))
        vain = self._anew(attempts, What.UNANSWERED)
        vain["when"] = np.where(again, before, vain["when"])
        parts.append(vain)
        app = self._some(self._out, _APP)
        # Neither a home router nor Google Voice sees the calls of other apps.
        app = app[phones.kind[true.subscriber[app] - self._first] < FORMATS.index("google-voice")]
        direction = draws.below(2, len(app))
        parts.append(self._anew(app, direction, app=1 + draws.below(3, len(app))))
        free = self._some(self._out, _FREE)
        hotline = len(self._pool.numbers) + draws.below(len(FREEPHONE), len(free))
        parts.append(self._anew(free, What.OUTGOING, number=hotline))
        received = self._some(self._sent, _RECEIVED)
        parts.append(self._anew(received, What.RECEIVED, segments=true.usage[received]))
        both = self._some(self._out, _SECOND_SIM)
        both = both[phones.second_sim[true.subscriber[both] - self._first]]
        parts.append(self._anew(both, draws.below(2, len(both)), sim=np.ones(len(both), dtype=np.int64)))
        return parts + self._other_months(phones)

    def _other_months(self, phones: Phones) -> list[Part]:
        """Outgoing calls and messages of the months before and after, as far as the log reaches."""
        parts = []
        month, true = self._month, self._true
        for rows, what in ((self._out, What.OUTGOING), (self._sent, What.SENT)):
            phone = true.subscriber[rows] - self._first
            for away in (-28 * 86400, 31 * 86400):
                when = true.started_at[rows] + away + self._draws.below(7200, len(rows)) - 3600
                before = (when < month.start) & (when >= month.start - phones.reach[phone])
                kept = before | ((when >= month.end) & (when < phones.saved[phone]))
                part = self._part(rows[kept], what, segments=true.usage[rows[kept]])
                part["duration"] = self._lengths(int(kept.sum()))
                part["when"] = when[kept]
                parts.append(part)
        return parts

    def _some(self, rows: Int64s, per_mille: int) -> Int64s:
        whole, rest = divmod(per_mille, 1000)
        return np.repeat(rows, whole + self._draws.chance(rest, len(rows)))

    def _friends(self, rows: Int64s) -> Int64s:
        """Numbers that the subscribers of ``rows`` call."""
        if not len(self._out):
            return np.zeros(len(rows), dtype=np.int64)
        owners = self._true.subscriber[self._out]
        low = np.searchsorted(owners, self._true.subscriber[rows])
        high = np.searchsorted(owners, self._true.subscriber[rows], side="right")
        pick = low + self._draws.below(np.maximum(high - low, 1), len(rows))
        found = self._out[np.minimum(pick, len(self._out) - 1)]
        return np.where(high > low, self._true.number[found], 0)

    def _anew(self, rows: Int64s, what: Int64s | What, **columns: Int64s) -> Part:
        """Entries of the subscribers of ``rows``, at other times and lengths."""
        n, month = len(rows), self._month
        second = month.slots[self._draws.u16(n)] * 3600 + self._draws.below(3600, n)
        part = self._part(rows, what, **columns)
        part["when"] = month.start + second
        part["duration"] = self._lengths(n)
        return part

    def _lengths(self, count: int) -> Int64s:
        """Seconds of calls, none of them hung."""
        return distributions.talk_seconds()[np.minimum(self._draws.u16(count), distributions.TABLE - 2)]

    def _part(self, rows: Int64s, what: Int64s | What, **columns: Int64s) -> Part:
        true = self._true.take(rows)
        part = {
            "subscriber": true.subscriber - self._first,
            "what": np.full(len(rows), int(what), dtype=np.int64) if isinstance(what, What) else what,
            "when": true.started_at,
            "number": true.number,
            "segments": np.ones(len(rows), dtype=np.int64),
        }
        return part | columns
