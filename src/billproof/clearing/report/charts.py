"""Charts of money as static SVG: lengths are exactly proportional, axes end on round numbers.

Places along a bar are in per cent of the picture's width, so that a picture is as wide as its place while its
letters keep their size. Styles ``a`` and ``b`` are the two sides: one plain, one hatched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from billproof.clearing.report.figures import exact, safe, short
from billproof.records import NANO

#: From how many whole units on a tick is told in which.
_UNITS = ((10**9, 10**9, "bn"), (10**6, 10**6, "M"), (10**4, 10**3, "k"), (0, 1, ""))
#: How many characters a label and its figure may have together, so that they fit a phone.
_LINE = 50
_ROW, _BAR, _HEAD = 38, 13, 24
_PANEL, _STRIPS, _STRIP_HEAD, _FOOT = 150, 220, 22, 22


@dataclass(frozen=True)
class Bar:
    """A bar from ``begin`` to ``end``, in billionths; ``shown`` is the figure beside its label."""

    label: str
    end: int
    shown: str
    style: str
    begin: int = 0


@dataclass(frozen=True)
class Strip:
    """One figure a day, in billionths; above the line in one style, below it in the other."""

    label: str
    values: Sequence[int]
    shown: str


@dataclass(frozen=True)
class Axis:
    """From the first to the last of round ``ticks``, which hold every value and zero."""

    ticks: tuple[int, ...]

    @property
    def step(self) -> int:
        """From tick to tick."""
        return self.ticks[1] - self.ticks[0]

    def words(self, tick: int) -> str:
        """What is written at a tick: in thousands or more where the whole axis is."""
        most = max(map(abs, self.ticks)) // NANO
        unit, name = next((unit, name) for least, unit, name in _UNITS if most >= least)
        return exact(tick // unit) + (name if tick else "")

    def at(self, value: int) -> float:
        """How far along a value is: 0 to 1."""
        low, high = self.ticks[0], self.ticks[-1]
        return (value - low) / (high - low)


def axis(values: Sequence[int], most: int = 5) -> Axis:
    """The axis of some values, in at most ``most`` steps of 1, 2 or 5 times a power of ten."""
    low, high = min(0, *values), max(0, *values)
    if low == high:
        high = NANO
    steps = (first * 10**power for power in count() for first in (1, 2, 5))
    step = next(step for step in steps if -(-high // step) - low // step <= most)
    return Axis(tuple(step * at for at in range(low // step, -(-high // step) + 1)))


class Charts:
    """The charts of one page; each has a number, by which its title is named."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def bars(self, title: str, words: str, rows: Sequence[Bar]) -> str:
        """Bars below each other on one axis, each under its label and figure."""
        along = axis([value for row in rows for value in (row.begin, row.end)])
        height = _HEAD + _ROW * len(rows)
        out = [self._open("bars", title, words, height)]
        for tick in along.ticks:
            x = _percent(along.at(tick))
            anchor = "start" if tick == along.ticks[0] else "end" if tick == along.ticks[-1] else "middle"
            out.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{_HEAD - 6}" y2="{height}"/>')
            out.append(f'<text class="tick" x="{x}" y="12" text-anchor="{anchor}">{along.words(tick)}</text>')
        for at, row in enumerate(rows):
            y = _HEAD + _ROW * at
            left, right = sorted((along.at(row.begin), along.at(row.end)))
            out.append(f'<text class="label" x="0" dx="6" y="{y + 12}">{_label(row)}</text>')
            out.append(
                f'<text class="value" x="100%" dx="-6" y="{y + 12}" text-anchor="end">{safe(row.shown)}'
                f'</text><rect class="{row.style}" x="{_percent(left)}" width="{_percent(right - left)}"'
                f' y="{y + 18}" height="{_BAR}"/>'
            )
        zero = _percent(along.at(0))
        out.append(f'<line class="zero" x1="{zero}" x2="{zero}" y1="{_HEAD - 6}" y2="{height}"/>')
        return "\n".join([*out, "</svg>"])

    def columns(
        self, title: str, words: str, days: Sequence[str], pairs: Sequence[tuple[int, int]], styles: str
    ) -> str:
        """Two columns a day beside each other, the first in the first of the two styles."""
        up = axis([value for pair in pairs for value in pair], 4)
        top, height = 8, _PANEL + 8 + _FOOT
        out = [self._open("columns", title, words, height)]
        for tick in up.ticks:
            y = top + _PANEL * (1 - up.at(tick))
            out += _across(tick, up.words(tick), y)
        for at, pair in enumerate(pairs):
            for place, (value, style) in enumerate(zip(pair, styles, strict=True)):
                x = (at + 0.14 + 0.36 * place) / len(days)
                out.append(_column(x, 0.34 / len(days), top, _PANEL, up, value, style))
        return "\n".join([*out, *_dates(days, height), "</svg>"])

    def strips(self, title: str, words: str, days: Sequence[str], rows: Sequence[Strip], styles: str) -> str:
        """A strip of columns for each row, all to one scale and each as tall as it has to be."""
        axes = axis([value for row in rows for value in row.values], 6)
        ends = [(min(0, *row.values), max(0, *row.values)) for row in rows]
        scale = _STRIPS / max(sum(high - low for low, high in ends), 1)
        out: list[str] = []
        y = 0.0
        for row, (low, high) in zip(rows, ends, strict=True):
            top = y + _STRIP_HEAD
            zero = top + high * scale
            for tick in range(-(-low // axes.step) * axes.step, high + 1, axes.step):
                out += _across(tick, axes.words(tick), zero - tick * scale)
            out.append(f'<text class="label" x="0" y="{y + 14:.2f}">{_label(row)}</text>')
            out.append(
                f'<text class="value" x="100%" y="{y + 14:.2f}" text-anchor="end">{safe(row.shown)}</text>'
            )
            for at, value in enumerate(row.values):
                x, width = (at + 0.2) / len(days), 0.6 / len(days)
                out.append(
                    f'<rect class="{styles[value < 0]}" x="{_percent(x)}" width="{_percent(width)}"'
                    f' y="{zero - max(value, 0) * scale:.3f}" height="{abs(value) * scale:.3f}"/>'
                )
            y = top + (high - low) * scale + 10
        height = y + _FOOT
        opened = self._open("columns", title, words, height)
        return "\n".join([opened, *out, *_dates(days, height), "</svg>"])

    def _open(self, style: str, title: str, words: str, height: float) -> str:
        name = f"chart-{next(self._numbers)}"
        return (
            f'<svg class="{style}" width="100%" height="{height:.0f}" role="img"'
            f' aria-labelledby="{name}-title {name}-words"><title id="{name}-title">{safe(title)}</title>'
            f'<desc id="{name}-words">{safe(words)}</desc>'
        )


def _across(tick: int, words: str, y: float) -> list[str]:
    style = "grid" if tick else "zero"
    return [
        f'<line class="{style}" x1="0" x2="100%" y1="{y:.2f}" y2="{y:.2f}"/>',
        f'<text class="tick" x="-8" y="{y + 4:.2f}" text-anchor="end">{words}</text>',
    ]


def _label(row: Bar | Strip) -> str:
    return safe(short(row.label, _LINE - len(row.shown)))


def _percent(share: float) -> str:
    return f"{100 * share:.4f}%"


def _column(x: float, width: float, top: int, tall: int, up: Axis, value: int, style: str) -> str:
    low, high = sorted((up.at(0), up.at(value)))
    return (
        f'<rect class="{style}" x="{_percent(x)}" width="{_percent(width)}"'
        f' y="{top + tall * (1 - high):.3f}" height="{tall * (high - low):.3f}"/>'
    )


def _dates(days: Sequence[str], height: float) -> list[str]:
    """Some of the days below the columns: all, or every seventh, or six."""
    step = 1 if len(days) <= 6 else 7 if len(days) <= 42 else -(-len(days) // 6)
    return [
        f'<text class="tick" x="{_percent((at + 0.5) / len(days))}" y="{height - 5:.2f}"'
        f' text-anchor="middle">{safe(days[at])}</text>'
        for at in range(0, len(days), step)
    ]
