"""How far each log's clock is from the bill's (docs/matching.md, section 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from billproof.matching.columns import CALL, NO, Stack
from billproof.matching.windows import Groups, lower_medians, spread, starts_of

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_FARTHEST = 93_600
_BIN = 30
_ENOUGH = 3
_NEAR = 90
_QUARTER = 900
_OFF_QUARTER = 60
_HALF_DAY = 43_200
_MOST_SHIFTS = 3
_BINS = 1 << 13  # more than there are of votes
_MIDDLE = _BINS // 2


@dataclass(frozen=True)
class Shift:
    """Another offset of a log, for lines whose time on its clock lies within (both ends included)."""

    log: int
    offset: int
    first: int
    last: int
    support: int


@dataclass(frozen=True)
class Clocks:
    """What is known of each log's clock: k values a column."""

    known: Flags
    offset: Ints
    support: Ints
    shifts: list[Shift]  # log by log, in the order found


@dataclass(frozen=True)
class Views:
    """Every comparable line as each log of its bill sees it: line, log, and time on the log's clock."""

    line: Ints
    log: Ints
    time: Ints


def views_of(stack: Stack) -> Views:
    lines = np.flatnonzero(stack.lines.comparable)
    bill = stack.lines.bill[lines]
    which, log = spread(stack.log_starts[bill], stack.log_starts[bill + 1])
    line = lines[which]
    local = stack.logs.local[log]
    time = np.where(local, stack.lines.local[line], stack.lines.started_at[line])
    return Views(line, log, time)


@dataclass(frozen=True)
class _Votes:
    log: Ints
    line: Ints
    off: Ints  # the entry's time less the line's

    def where(self, rows: Flags) -> _Votes:
        return _Votes(self.log[rows], self.line[rows], self.off[rows])


def clocks_of(stack: Stack, views: Views) -> Clocks:
    """The offset and shifts of each log, by what its entries and the lines of the same numbers say."""
    count = len(stack.logs)
    votes, time = _votes(stack, views)
    score, best = _best_bins(votes, count, len(stack.lines))
    known, support = score >= _ENOUGH, score
    offset = np.where(known, _medians(votes, best, count), 0)
    shifts: list[Shift] = []
    usable = known[votes.log]
    rest, time = votes.where(usable), time[usable]
    near = offset
    asked = known
    for _ in range(_MOST_SHIFTS):
        left = ~_lines_near(rest, near, asked)
        rest, time = rest.where(left), time[left]
        if not len(rest.log):
            break
        score, best = _best_bins(rest, count, len(stack.lines), besides=offset)
        asked = score >= _ENOUGH
        if not asked.any():
            break
        near = np.where(asked, _medians(rest, best, count), 0)
        voted = asked[rest.log] & (np.abs(rest.off // _BIN - best[rest.log]) <= 1)
        for log in np.flatnonzero(asked).tolist():
            times = time[voted & (rest.log == log)]
            first, last = int(times.min()) - _HALF_DAY, int(times.max()) + _HALF_DAY
            shifts.append(Shift(log, int(near[log]), first, last, int(score[log])))
        rest_of = asked[rest.log]
        rest, time = rest.where(rest_of), time[rest_of]
    _borrow(stack, known, offset, support)
    return Clocks(known, offset, support, sorted(shifts, key=_log_of))


def _log_of(shift: Shift) -> int:
    return shift.log


def _borrow(stack: Stack, known: Flags, offset: Ints, support: Ints) -> None:
    """Gives a log of unknown clock the offset of its bill's best known one that writes time alike."""
    bill, local = stack.logs.bill, stack.logs.local
    for log in np.flatnonzero(~known).tolist():
        first, end = int(stack.log_starts[bill[log]]), int(stack.log_starts[bill[log] + 1])
        others = [at for at in range(first, end) if known[at] and local[at] == local[log]]
        if others:
            offset[log] = offset[max(others, key=lambda at: (support[at], -at))]


def _votes(stack: Stack, views: Views) -> tuple[_Votes, Ints]:
    """Votes by log, and the time of each one's line on the log's clock."""
    lines, entries = stack.lines, stack.entries
    forms = max(1, len(stack.forms.texts))
    whole = stack.forms.whole
    able = ((entries.kind != CALL) | (entries.answered != NO)) & (
        whole[entries.number] if len(entries) else True
    )
    rows = np.flatnonzero(able)
    what = entries.kind[rows] * 2 + entries.direction[rows]
    groups = Groups((entries.log[rows] * 8 + what) * forms + entries.number[rows], entries.at[rows])
    asking = np.flatnonzero((lines.service[views.line] != 3) & whole[lines.number[views.line]])
    line, log, time = views.line[asking], views.log[asking], views.time[asking]
    wanted = (log * 8 + lines.kind[line] * 2 + lines.direction[line]) * forms + lines.number[line]
    asker, found = groups.within(wanted, time - _FARTHEST, time + _FARTHEST)
    entry = rows[found]
    return _Votes(log[asker], line[asker], entries.at[entry] - time[asker]), time[asker]


def _best_bins(votes: _Votes, logs: int, lines: int, besides: Ints | None = None) -> tuple[Ints, Ints]:
    """Of each log its best bin and that bin's score; 0 where nobody voted."""
    score, best = np.zeros(logs, np.int64), np.zeros(logs, np.int64)
    if not len(votes.log):
        return score, best
    home = votes.log * _BINS + votes.off // _BIN + _MIDDLE
    voters = np.unique(np.concatenate([home - 1, home, home + 1]) * lines + np.tile(votes.line, 3))
    bins = voters // lines
    starts = starts_of(bins)
    scores = np.diff(np.concatenate([starts, [len(bins)]]))
    bins = bins[starts]
    log, place = bins // _BINS, bins % _BINS - _MIDDLE
    centre = _BIN * place + _BIN // 2
    if besides is not None:
        away = centre - besides[log]
        quarters = (away + _QUARTER // 2) // _QUARTER
        fit = (quarters != 0) & (np.abs(away - quarters * _QUARTER) <= _OFF_QUARTER)
        log, place, centre, scores = log[fit], place[fit], centre[fit], scores[fit]
    order = np.lexsort((place, np.abs(centre), -scores, log))
    order = order[starts_of(log[order])]
    score[log[order]], best[log[order]] = scores[order], place[order]
    return score, best


def _medians(votes: _Votes, best: Ints, logs: int) -> Ints:
    """Of each log the lower median of the votes in its best bin and the two beside it."""
    inside = votes.where(np.abs(votes.off // _BIN - best[votes.log]) <= 1)
    medians = np.zeros(logs, np.int64)
    log, median, _ = lower_medians(inside.log, inside.off)
    medians[log] = median
    return medians


def _lines_near(votes: _Votes, offset: Ints, asked: Flags) -> Flags:
    """Which votes are of lines that have a vote near their log's offset."""
    near = asked[votes.log] & (np.abs(votes.off - offset[votes.log]) <= _NEAR)
    most = int(votes.line.max()) + 1 if len(votes.line) else 1
    pairs = votes.log * most + votes.line
    return np.isin(pairs, np.unique(pairs[near]))
