"""Three small plots as SVG; the same figures give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import tables
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

OURS, OTHERS = "#0b6e4f", ["#6b7280", "#b45309", "#7c3aed", "#be123c", "#0369a1", "#4d7c0f"]

_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "billproof",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e5e7eb",
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
}


def draw(figures: tables.Figures, home: Path) -> list[Path]:
    """Writes keccak.svg, trees.svg and batching.svg into ``home``; returns their paths."""
    home.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({**mpl.rcParamsDefault, **_STYLE}):
        with _plot(home / "keccak.svg", 7.5, 3.4, 1) as (axes,):
            _keccak(axes, figures)
        with _plot(home / "trees.svg", 7.5, 4.2, 1) as (axes,):
            _trees(axes, figures)
        with _plot(home / "batching.svg", 9, 3.6, 2) as (left, right):
            _seconds(left, figures)
            _memory(right, figures)
    return [home / name for name in ("keccak.svg", "trees.svg", "batching.svg")]


@contextmanager
def _plot(path: Path, width: float, height: float, panels: int) -> Iterator[list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    yield [figure.add_subplot(1, panels, at + 1) for at in range(panels)]
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    # matplotlib ends some lines with blanks
    path.write_text("".join(line.rstrip() + "\n" for line in path.read_text().splitlines()))


def _keccak(axes: Axes, figures: tables.Figures) -> None:
    rows = sorted(next(iter(tables.keccak_groups(figures).values())), key=tables.rate)
    names = [tables.title(row) for row in rows]
    bars = axes.barh(
        names,
        [tables.rate(row) for row in rows],
        color=[OURS if tables.is_ours(row) else OTHERS[0] for row in rows],
    )
    axes.bar_label(bars, [tables.number(tables.rate(row)) for row in rows], padding=4)
    axes.grid(visible=False, axis="y")
    axes.set_title("Keccak-256 of 64 bytes, million hashes a second")


def _trees(axes: Axes, figures: tables.Figures) -> None:
    lines: dict[str, list[tables.Figures]] = {}
    for row in figures["trees"]["rows"]:
        lines.setdefault(row["library"], []).append(row)
    colours = iter(OTHERS)
    for name, rows in lines.items():
        ours = name.startswith("Billproof")
        axes.plot(
            [row["leaves"] for row in rows],
            [tables.median(row["runs"], "build seconds") for row in rows],
            marker="o",
            color=OURS if ours else next(colours),
            linestyle="--" if "loaded before" in name else "-",
            label=name,
        )
    _logarithmic(axes, [row["leaves"] for row in lines["Billproof"]])
    axes.set_title("Seconds to build one tree")
    axes.set_xlabel("leaves")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))


def _seconds(axes: Axes, figures: tables.Figures) -> None:
    ours = {
        row["records"]: tables.median(row["billproof"], "seconds") for row in figures["end to end"]["rows"]
    }
    ours |= {row["records"]: tables.median(row["runs"], "seconds") for row in figures["growth"]["rows"]}
    naive = {row["records"]: tables.median(row["naive"], "seconds") for row in figures["end to end"]["rows"]}
    for name, line, colour in (("Billproof", ours, OURS), ("naive Python", naive, OTHERS[0])):
        axes.plot(sorted(line), [line[at] for at in sorted(line)], marker="o", color=colour, label=name)
    _logarithmic(axes, sorted(ours))
    axes.set_title("Seconds from CSV to durable store")
    axes.set_xlabel("records")
    axes.legend(loc="upper left")


def _memory(axes: Axes, figures: tables.Figures) -> None:
    rows = figures["growth"]["rows"]
    axes.plot(
        [row["records"] for row in rows],
        [tables.median(row["runs"], "peak anonymous MB") for row in rows],
        marker="o",
        color=OURS,
        label="peak memory",
    )
    axes.plot(
        [row["records"] for row in rows],
        [row["runs"][0]["input MB"] for row in rows],
        color=OTHERS[0],
        linestyle=":",
        label="size of the input",
    )
    _logarithmic(axes, [row["records"] for row in rows])
    axes.set_title("MB while batching")
    axes.set_xlabel("records")
    axes.legend(loc="best")


def _logarithmic(axes: Axes, sizes: list[int]) -> None:
    """Both axes, with whole words for their ticks."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([10**power for power in range(4, 8) if 0.9 * min(sizes) < 10**power < 1.2 * max(sizes)])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_locator(NullLocator())
