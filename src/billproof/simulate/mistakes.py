"""Billing errors on request: wrong lines among the right ones, each with what it overcharges.

Errors go into the usage before the bill is closed, so tax and rounding follow them as they would in a
billing system that does not know that it errs. So does free usage: a call that was never made uses it up.
Only amounts too high and wrong rates come after it, since there the usage is right and its price is not.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from billproof.records import Service
from billproof.simulate import distributions
from billproof.simulate.cycle import Order, settled
from billproof.simulate.draws import Draws
from billproof.simulate.month import QUIET_END, Month
from billproof.simulate.tariffs import PLANS, Kind, plan_of, rate_table
from billproof.simulate.traffic import Bools, Int64s, Lines


class Mistake(IntEnum):
    """Kinds of errors; 0 is a line that is right."""

    NONE = 0
    PHANTOM = 1
    DUPLICATE = 2
    DURATION = 3
    HUNG = 4
    OVERCHARGE = 5
    TARIFF = 6


#: Those that can be asked for.
KINDS = tuple(mistake.name.lower() for mistake in Mistake if mistake is not Mistake.NONE)

#: Parts in a hundred of phantom, duplicate, duration, hung, overcharge, tariff: for calls made, messages
#: sent, and all else; and for calls and messages that cost nothing, which only a wrong rate makes dear.
_SHARES = ((15, 20, 40, 8, 10, 7), (35, 35, 0, 0, 20, 10), (0, 50, 0, 0, 50, 0))

#: Chosen calls and messages that cost nothing which do go wrong; the others stay right.
_FREE_PER_MILLE = 250

_BILLION = 1_000_000_000
_LATE_PER_MILLE = 3
_LATE_DAYS = 20

#: Seconds of a call, at most, that its record says took half a day.
_LONGEST = 3600


@dataclass(frozen=True)
class Billed:
    """Usage as it is billed, sorted by subscriber and start. Arrays have one element for each line.

    ``event`` is the position of what really happened in the true lines, -1 for nothing; ``mistake`` a
    :class:`Mistake`; ``truth`` the true usage; ``excess`` billionths charged too much on the line, before
    tax: what lines after it cost more because it used up free minutes is not in it.
    """

    lines: Lines
    event: Int64s
    mistake: Int64s
    truth: Int64s
    excess: Int64s


def late_lines(draws: Draws, lines: Lines, month: Month, first: int, size: int) -> Lines:
    """``lines`` and a few calls made abroad in the month before, whose records came too late for it."""
    counts = draws.chance(_LATE_PER_MILLE, size) * (1 + draws.below(3, size))
    who = first + np.repeat(np.arange(size, dtype=np.int64), counts)
    voice = np.flatnonzero((lines.service == Service.VOICE_ORIGINATED) & (lines.network == 1))
    partner = 2 + draws.below(6, len(who))
    away = draws.below(_LATE_DAYS * 86400, len(who))
    if not len(voice) or not len(who):
        return lines
    at = np.searchsorted(lines.subscriber[voice], who, side="right") - 1
    fits = (at >= 0) & (lines.subscriber[voice[at]] == who)
    copies = lines.take(voice[at[fits]])
    started = month.start - 3600 - away[fits]
    rates = rate_table()
    rate = plan_of(copies.rate) * len(Kind) * 2 + Kind.ROAMING_OUT * 2
    billed, amount = rates.charge(rate, copies.usage)
    late = Lines(
        subscriber=copies.subscriber,
        service=copies.service,
        started_at=started,
        offset=np.array([month.offset(at) for at in started.tolist()], dtype=np.int64),
        usage=copies.usage,
        billed=billed,
        number=copies.number,
        network=partner[fits],
        amount=amount,
        rate=rate,
    )
    return lines.joined(late)


def unhung(draws: Draws, lines: Lines) -> tuple[Lines, Bools]:
    """The lines with the true length of calls that the traffic model left hanging, and which those are."""
    table = distributions.talk_seconds()
    hung = (lines.service <= Service.VOICE_FORWARDED) & (lines.usage > table[:-1].max())
    usage = lines.usage.copy()
    usage[hung] = np.minimum(table[draws.u16(int(hung.sum()))], _LONGEST)
    return lines.replaced(usage=usage), hung


def billed(
    draws: Draws,
    lines: Lines,
    true: Lines,
    hung: Bools,
    share: float,
    kinds: Collection[str],
    month: Month,
    strict: Bools,
    own: Int64s,
    order: Order,
) -> Billed:
    """Errors of these ``kinds`` among ``lines``, about a ``share`` of them.

    ``true`` are the same lines as they happened, ``hung`` those that differ. Where ``strict`` holds, the
    file can express no other rounding than the line's own. ``own`` are the subscribers' own numbers.
    """
    n = len(lines)
    mistake = np.where(hung, int(Mistake.HUNG), 0).astype(np.int64)
    wrong = _Wrong(draws, lines, month, own)
    chosen = (draws.below(_BILLION, n) < round(share * _BILLION)) & ~hung
    kind = np.where(chosen, _kinds(draws, lines, kinds), 0)
    lines_now = lines
    for code, change in ((Mistake.DURATION, wrong.duration), (Mistake.HUNG, wrong.hung)):
        rows = np.flatnonzero(kind == code)
        lines_now = _put(lines_now, rows, change(rows))
    phantoms = wrong.phantom(np.flatnonzero(kind == Mistake.PHANTOM))
    copied = np.flatnonzero(kind == Mistake.DUPLICATE)
    duplicates = wrong.duplicate(copied)
    nothing = np.full(len(phantoms), -1, dtype=np.int64)
    parts = [lines_now, phantoms, duplicates]
    every = Lines(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name, _ in lines.columns()}
    )
    rank = np.lexsort((every.started_at, every.subscriber))
    stays = _is_added(kind)  # beside a line that is right
    added = np.repeat([int(Mistake.PHANTOM), int(Mistake.DUPLICATE)], [len(phantoms), len(duplicates)])
    mistake = np.concatenate((np.where(chosen & ~stays, kind, mistake), added))[rank]
    event = np.concatenate((np.arange(n, dtype=np.int64), nothing, copied))[rank]
    truth = np.concatenate((true.usage, nothing, true.usage[copied]))[rank]
    every, left, before = settled(every.take(rank), order)
    excess = np.where(_is_added(mistake), every.amount, 0)
    longer = np.flatnonzero((mistake == Mistake.DURATION) | (mistake == Mistake.HUNG))
    right = rate_table().settle(every.rate[longer], truth[longer], left[longer], before[longer])[1]
    excess[longer] = every.amount[longer] - right
    wrong = _Wrong(draws, every, month, own)  # of which only the prices are wrong
    rows, changed = wrong.overcharge(np.flatnonzero(mistake == Mistake.OVERCHARGE))
    priced = _put(every, rows, changed)
    rows = np.flatnonzero(mistake == Mistake.TARIFF)
    mistake[rows] = 0
    rows, changed = wrong.tariff(rows, strict[event[rows]])
    mistake[rows] = int(Mistake.TARIFF)
    priced = _put(priced, rows, changed)
    moved = (mistake == Mistake.OVERCHARGE) | (mistake == Mistake.TARIFF)
    excess = np.where(moved, priced.amount - every.amount, excess)
    return Billed(lines=priced, event=event, mistake=mistake, truth=truth, excess=excess)


def _is_added(mistake: Int64s) -> Bools:
    """Lines that should not be on the bill at all."""
    added: Bools = (mistake == Mistake.PHANTOM) | (mistake == Mistake.DUPLICATE)
    return added


def _kinds(draws: Draws, lines: Lines, wanted: Collection[str]) -> Int64s:
    """A kind for each line that it can have; none for other services that cost nothing."""
    call = (lines.service == Service.VOICE_ORIGINATED) & (lines.network <= 1)
    text = (lines.service == Service.MESSAGE_SENT) & (lines.network <= 1)
    tables = np.concatenate([_table(shares, wanted) for shares in _SHARES])
    sort = np.where(call, 0, np.where(text, 1, 2))
    kind = tables[sort * distributions.TABLE + draws.u16(len(lines))]
    dear = int(Mistake.TARIFF) if "tariff" in wanted else 0
    free = np.where((call | text) & draws.chance(_FREE_PER_MILLE, len(lines)), dear, 0)
    return np.where(lines.amount > 0, kind, free).astype(np.int64)


def _table(shares: tuple[int, ...], wanted: Collection[str]) -> Int64s:
    """Inverse table of a sort of lines: kinds, from 1, in their shares; 0 where none of them is wanted."""
    weights = [share if name in wanted else 0 for name, share in zip(KINDS, shares, strict=True)]
    if not any(weights):
        return np.zeros(distributions.TABLE, dtype=np.int64)
    return distributions.inverse(weights) + 1


class _Wrong:
    """Wrong versions of some rows of ``lines``."""

    def __init__(self, draws: Draws, lines: Lines, month: Month, own: Int64s) -> None:
        self._draws, self._lines, self._month = draws, lines, month
        self._own = own

    def duration(self, rows: Int64s) -> Lines:
        lines = self._lines.take(rows)
        usage = lines.usage + 1 + self._draws.below(300, len(rows))
        rates = rate_table()
        # At least one charging step more, or nobody is charged for it.
        usage = np.where(rates.billed(lines.rate, usage) > lines.billed, usage, lines.billed + 1)
        return _charged(lines, lines.rate, usage)

    def hung(self, rows: Int64s) -> Lines:
        lines = self._lines.take(rows)
        return _charged(lines, lines.rate, 7200 + self._draws.below(12 * 3600, len(rows)))

    def overcharge(self, rows: Int64s) -> tuple[Int64s, Lines]:
        lines = self._lines.take(rows)
        more = np.maximum(lines.amount * (10 + self._draws.below(190, len(rows))) // 100, 1)
        return rows, lines.replaced(amount=lines.amount + more)

    def tariff(self, rows: Int64s, strict: Bools) -> tuple[Int64s, Lines]:
        """By the rate of another destination, or of another plan; rows that neither makes dearer stay."""
        lines = self._lines.take(rows)
        n = len(rows)
        plan, rest = np.divmod(lines.rate, 2 * len(Kind))
        call = lines.service == Service.VOICE_ORIGINATED
        voice = np.array([Kind.OFF_NET, Kind.NEAR, Kind.FAR, Kind.ROAMING_OUT])[self._draws.below(4, n)]
        kind = np.where(call, voice, Kind.TEXT_ABROAD)
        elsewhere = (plan * len(Kind) + kind) * 2 + rest % 2
        other = (plan + 1 + self._draws.below(len(PLANS) - 1, n)) % len(PLANS) * 2 * len(Kind) + rest
        first = self._draws.chance(500, n)
        options = (np.where(first, elsewhere, other), np.where(first, other, elsewhere))
        rate = np.full(n, -1, dtype=np.int64)
        rates = rate_table()
        for option in options:
            same = (rates.first[option] == rates.first[lines.rate]) & (
                rates.step[option] == rates.step[lines.rate]
            )
            dearer = rates.charge(option, lines.usage)[1] > lines.amount
            rate = np.where((rate < 0) & dearer & (same | ~strict), option, rate)
        found = rate >= 0
        kept = lines.take(found)
        return rows[found], _charged(kept, rate[found], kept.usage)

    def phantom(self, rows: Int64s) -> Lines:
        """Calls and messages like some that were made, at other times, half of them to other numbers."""
        lines, month = self._lines.take(rows), self._month
        n = len(rows)
        second = month.slots[self._draws.u16(n)] * 3600 + self._draws.below(3600, n)
        second = np.where(second >= month.end - month.start - QUIET_END, second - 1800, second)
        rate = lines.rate // 2 * 2 + month.is_peak(second)
        return _charged(lines, rate, lines.usage).replaced(
            started_at=month.start + second,
            offset=month.offsets[second // 3600],
            number=self._strangers(rows),
        )

    def _strangers(self, rows: Int64s) -> Int64s:
        """Numbers for phantoms: another line's of the same destination, or the line's own."""
        lines = self._lines
        order = np.lexsort((lines.network, lines.rate))
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        near = order[np.minimum(rank[rows] + 1 + self._draws.below(40, len(rows)), len(order) - 1)]
        alike = (lines.rate[near] // 2 == lines.rate[rows] // 2) & (
            lines.service[near] == lines.service[rows]
        )
        alike &= (lines.network[near] <= 1) & (lines.number[near] != self._own[rows])
        alike &= self._draws.chance(500, len(rows))
        return np.where(alike, lines.number[near], lines.number[rows])

    def duplicate(self, rows: Int64s) -> Lines:
        lines = self._lines.take(rows)
        shift = np.where(self._draws.chance(500, len(rows)), 0, 1 + self._draws.below(8, len(rows)))
        return lines.replaced(started_at=lines.started_at + shift)


def _charged(lines: Lines, rate: Int64s, usage: Int64s) -> Lines:
    billed_usage, amount = rate_table().charge(rate, usage)
    return lines.replaced(rate=rate, usage=usage, billed=billed_usage, amount=amount)


def _put(lines: Lines, rows: Int64s, changed: Lines) -> Lines:
    """``lines`` with ``changed`` at ``rows``."""
    columns = {name: column.copy() for name, column in lines.columns()}
    for name, column in changed.columns():
        columns[name][rows] = column
    return Lines(**columns)
