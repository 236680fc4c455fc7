"""Bill and phone log laid over each other: a row for each day, the bill above its line, the phone below."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from billproof.matching.report.rows import Match, moment
from billproof.printable import printable

_DAY = 86_400
_LEFT, _HOUR, _ROW, _TOP = 72, 38, 24, 22
_WIDTH = _LEFT + 24 * _HOUR + 8
_MAX_DAYS = 70
_MAX_MARKS = 20_000
_SHORTEST = 2.5


@dataclass(frozen=True)
class _Mark:
    start: int
    seconds: int
    above: bool
    style: str
    words: str


def timeline(match: Match) -> str:
    """The picture as inline SVG; empty when there is nothing to draw."""
    marks = sorted(_bill(match), key=lambda mark: mark.style not in ("finding", "question"))[:_MAX_MARKS]
    marks += list(_phone(match))[:_MAX_MARKS]
    days = sorted({piece // _DAY for mark in marks for piece, _ in _pieces(mark)})[:_MAX_DAYS]
    if not days:
        return ""
    place = {day: _TOP + _ROW * at for at, day in enumerate(days)}
    height = _TOP + _ROW * len(days) + 4
    out = [
        f'<svg class="timeline" viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="timeline-title">',
        '<title id="timeline-title">Calls and messages by day and hour: the bill above each day’s line, the'
        " phone below it</title>",
    ]
    for hour in range(0, 25, 3):
        x = _LEFT + hour * _HOUR
        out.append(f'<line class="grid" x1="{x}" y1="{_TOP - 4}" x2="{x}" y2="{height - 4}"/>')
        at = min(x, _WIDTH - 16)
        out.append(f'<text class="tick" x="{at}" y="12" text-anchor="middle">{hour:02d}:00</text>')
    for day, top in place.items():
        middle = top + _ROW // 2
        out.append(f'<text class="day" x="0" y="{middle + 4}">{moment(day * _DAY, "%a %d %b")}</text>')
        out.append(f'<line class="base" x1="{_LEFT}" y1="{middle}" x2="{_WIDTH - 8}" y2="{middle}"/>')
    for mark in marks:
        out += [
            _drawn(mark, start, seconds, place) for start, seconds in _pieces(mark) if start // _DAY in place
        ]
    return "\n".join([*out, "</svg>"])


def _pieces(mark: _Mark) -> Iterator[tuple[int, int]]:
    """The mark, cut at each midnight; of a call that never ends, the first week."""
    start, left = mark.start, min(mark.seconds, 7 * _DAY)
    while True:
        here = min(left, _DAY - start % _DAY)
        yield start, here
        start, left = start + here, left - here
        if left <= 0:
            return


def _drawn(mark: _Mark, start: int, seconds: int, place: dict[int, int]) -> str:
    middle = place[start // _DAY] + _ROW // 2
    x = _LEFT + start % _DAY * _HOUR / 3600
    width = max(_SHORTEST, seconds * _HOUR / 3600)
    tall = 9 if mark.style in ("finding", "question") else 6
    y = middle - 1 - tall if mark.above else middle + 1
    return (
        f'<rect class="{mark.style}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{tall}" rx="1">'
        f"<title>{escape(mark.words)}</title></rect>"
    )


def _bill(match: Match) -> Iterator[_Mark]:
    for row in match.rows:
        if row.service in (1, 2, 3, 4, 5, 7):
            style = (
                "finding" if row.finding else "question" if row.question else "bill" if row.entry else "other"
            )
            seconds = row.usage if row.service <= 3 else 0
            yield _Mark(row.start, seconds, True, style, f"bill: {row.line} ({row.why})")


def _phone(match: Match) -> Iterator[_Mark]:
    """Entries at the bill's local time: the clock's offset is taken away, and UTC moved as near lines are."""
    zones = sorted((int(r.startedAt), 60 * int(r.utcOffset)) for r in match.bundle.records)
    starts = [start for start, _ in zones]
    for number, log in enumerate(match.logs):
        said, fates = match.result["logs"][number], match.result["entries"][number]
        for entry, fate in zip(log.entries.to_pylist(), fates, strict=True):
            if entry["kind"] == "app" or entry["answered"] == "no":
                continue
            at = entry["at"] - said["clock"]["offset"]
            if log.clock == "utc" and zones:
                at += zones[min(bisect_left(starts, at), len(zones) - 1)][1]
            style = {"billed": "phone", "missing": "missing"}.get(fate["class"], "other")
            way = {"out": "to", "in": "from"}[entry["direction"]]
            party = f"{entry['kind']} {way} {printable(entry['number'], 60)}"
            words = f"phone: {party}, {moment(at)} ({fate['class']})"
            yield _Mark(at, max(entry["duration"], 0), False, style, words)
