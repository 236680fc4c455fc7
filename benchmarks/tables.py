"""Figures → tables: medians, their range, and ratios first."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """Cells as text, the first column aligned left; ``notes`` go below."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def markdown(self) -> str:
        lines = [self.columns, ["---"] + ["--:"] * (len(self.columns) - 1), *self.rows]
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return table + "".join(f"\n\n{note}" for note in self.notes)


def number(value: float) -> str:
    """Three significant digits, thousands apart."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"


def times(value: float) -> str:
    return f"{number(value)} ×"


def spread(values: Sequence[float]) -> str:
    """The median, and the range where there are several."""
    middle = number(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({number(min(values))}–{number(max(values))})"


def of(runs: Iterable[Figures], name: str) -> list[float]:
    return [float(run[name]) for run in runs]


def median(runs: Iterable[Figures], name: str) -> float:
    return statistics.median(of(runs, name))


def rate(row: Figures) -> float:
    """Million hashes a second, at the median of the rounds."""
    seconds: list[float] = row["seconds"]
    return float(row["hashes"]) / statistics.median(seconds) / 1e6


def keccak_groups(figures: Figures) -> dict[str, list[Figures]]:
    groups: dict[str, list[Figures]] = {}
    for row in figures["keccak"]["rows"]:
        groups.setdefault(row["group"], []).append(row)
    return groups


def is_ours(row: Figures) -> bool:
    return str(row["name"]).startswith("Billproof")


def fastest_other(rows: Iterable[Figures]) -> Figures:
    return max((row for row in rows if not is_ours(row)), key=rate)


def title(row: Figures) -> str:
    """A competitor's name, and its threads where it is the kernel's work."""
    threads = f", {row['threads']} thread{'s' if row['threads'] > 1 else ''}"
    return str(row["name"]) + (threads if is_ours(row) or row["group"].startswith("other") else "")


def keccak(figures: Figures) -> list[Table]:
    """One table for each kind of input."""
    tables = []
    for group, rows in keccak_groups(figures).items():
        compared = any(map(is_ours, rows))
        base = (
            rate(fastest_other(rows))
            if compared
            else rate(fastest_other(next(iter(keccak_groups(figures).values()))))
        )
        cells = []
        for row in rows:
            rates = [row["hashes"] / seconds / 1e6 for seconds in row["seconds"]]
            cells.append([title(row), times(rate(row) / base), spread(rates), str(len(rates))])
        reference = "fastest other" if compared else "fastest other, 64-byte messages"
        tables.append(
            Table(group, [group, f"speed, compared with the {reference}", "million hashes/s", "n"], cells)
        )
    return tables


def trees(figures: Figures) -> Table:
    """Every library at every size, as a multiple of ours in a fresh process."""
    rows = figures["trees"]["rows"]
    base = {row["leaves"]: median(row["runs"], "build seconds") for row in rows if row["name"] == "billproof"}
    cells = []
    for row in rows:
        runs = row["runs"]
        cells.append(
            [
                row["library"] + ("" if row["same"] else " ¹") + (" ²" if runs[0].get("refused") else ""),
                f"{row['leaves']:,}",
                times(median(runs, "build seconds") / base[row["leaves"]]),
                spread(of(runs, "build seconds")),
                spread(of(runs, "proof microseconds")),
                number(median(runs, "peak MB")),
                str(len(runs)),
            ]
        )
    notes = [
        "¹ Another construction (RFC 9162: prefixes, pairs not sorted), so another root; as many inner nodes."
    ]
    refused = {
        f"{row['leaves']:,}": row["runs"][0]["refused"] for row in rows if row["runs"][0].get("refused")
    }
    if refused:
        counts = ", ".join(f"{count} at {leaves}" for leaves, count in refused.items())
        notes.append(
            "² The same root, but its own `verify` refuses some of its proofs: with `complete` they hold"
            f" wrong siblings for leaves above the lowest level. Of {figures['trees']['proofs']}: {counts}."
        )
    for note in figures["trees"]["left out"]:
        where = f"{note['leaves']:,} leaves{' and more' if note.get('from there on') else ''}"
        notes.append(f"Left out: {note['library']} at {where} ({note['why']}).")
    columns = [
        "library",
        "leaves",
        "time as a multiple of Billproof's",
        "build, s",
        "µs a proof",
        "peak MB",
        "n",
    ]
    return Table("One tree", columns, cells, notes)


def end_to_end(figures: Figures) -> Table:
    cells = []
    for row in figures["end to end"]["rows"]:
        ours, naive = row["billproof"], row["naive"]
        cells.append(
            [
                f"{row['records']:,}",
                times(median(naive, "seconds") / median(ours, "seconds")),
                spread(of(ours, "seconds")),
                spread(of(naive, "seconds")),
                times(median(naive, "process seconds") / median(ours, "process seconds")),
                f"{len(ours)}, {len(naive)}",
            ]
        )
    columns = [
        "records",
        "speed of Billproof",
        "Billproof, s",
        "naive Python, s",
        "speed, start of Python included",
        "n",
    ]
    return Table("CSV files to a durable store", columns, cells)


def growth(figures: Figures) -> Table:
    cells = []
    for row in figures["growth"]["rows"]:
        runs = row["runs"]
        cells.append(
            [
                f"{row['records']:,}",
                number(median(runs, "microseconds per record")),
                spread(of(runs, "seconds")),
                number(median(runs, "cpu seconds")),
                spread(of(runs, "peak anonymous MB")),
                number(runs[0]["input MB"]),
                number(runs[0]["store MB"]),
                spread(of(runs, "disk MB/s")),
                str(len(runs)),
            ]
        )
    columns = [
        "records",
        "µs a record",
        "seconds",
        "CPU s",
        "peak MB",
        "input MB",
        "store MB",
        "disk MB/s",
        "n",
    ]
    return Table("Batching as input grows", columns, cells)


def rating(figures: Figures) -> Table | None:
    """What rating.py told; None for figures that were taken before it was asked."""
    told = figures.get("rating")
    if not told:
        return None
    cells = []
    for row in told["rows"]:
        ours, naive = row["records a second"], row["naive"]
        cells.append(
            [
                row["tariff"],
                times(statistics.median(ours) / statistics.median(naive)),
                spread([speed / 1e6 for speed in ours]),
                spread(naive),
                str(len(ours)),
            ]
        )
    columns = ["tariff", "speed of Billproof", "Billproof, million records/s", "naive rater, records/s", "n"]
    return Table(f"Rating {told['records']:,} records", columns, cells)


def clearing(figures: Figures) -> Table | None:
    """What clearing.py told; None for figures that were taken before it was asked."""
    told = figures.get("clearing")
    if not told:
        return None
    naive = median(told["naive"], "seconds")
    cells = [
        [
            name,
            times(naive / median(told[kind], "seconds")),
            spread([run["seconds"] for run in told[kind]]),
            f"{median(told[kind], 'right'):.1f} %",
            number(median(told[kind], "peak_gib")),
            str(len(told[kind])),
        ]
        for kind, name in (("billproof", "Billproof"), ("naive", "naive matcher"))
    ]
    columns = ["", "speed", "seconds", "pairs found, and right", "GiB", "n"]
    return Table(f"Clearing two books of {told['records']:,} records", columns, cells)


def proofs(figures: Figures) -> Table | None:
    """Whatever proofs.py told, name and figure."""
    told = figures.get("proofs")
    if not told:
        return None
    cells = [
        [name, number(value) if isinstance(value, int | float) else str(value)]
        for name, value in told.items()
        if name != "process seconds" and not isinstance(value, dict | list)
    ]
    return Table("Proofs", ["what", "figure"], cells)


def glance(figures: Figures) -> Table:
    """The ratios that matter, each against the best competitor there is."""
    cells = []
    for group, rows in keccak_groups(figures).items():
        if any(map(is_ours, rows)):
            other = fastest_other(rows)
            for row in filter(is_ours, rows):
                what = f"Keccak-256 of {group}, {row['threads']} thread{'s' if row['threads'] > 1 else ''}"
                cells.append([what, times(rate(row) / rate(other)), other["name"]])
    rows = figures["trees"]["rows"]
    largest = {row["name"]: row for row in rows if not is_ours({"name": row["library"]})}
    for name, words in (("billproof", "fresh process"), ("billproof-warm", "kernel loaded before")):
        base = {row["leaves"]: median(row["runs"], "build seconds") for row in rows if row["name"] == name}
        for row in largest.values():
            ratio = median(row["runs"], "build seconds") / base[row["leaves"]]
            cells.append([f"one tree of {row['leaves']:,} leaves, {words}", times(ratio), row["library"]])
    last = figures["end to end"]["rows"][-1]
    ratio = median(last["naive"], "seconds") / median(last["billproof"], "seconds")
    cells.append(
        [f"CSV to durable store, {last['records']:,} records", times(ratio), "naive Python, same root"]
    )
    for row in (figures.get("rating") or {"rows": []})["rows"]:
        ratio = statistics.median(row["records a second"]) / statistics.median(row["naive"])
        cells.append([f"rating by {row['tariff']}", times(ratio), "naive rater, same charges"])
    told = figures.get("clearing")
    if told:
        ratio = median(told["naive"], "seconds") / median(told["billproof"], "seconds")
        found = f"naive matcher, which finds {median(told['naive'], 'right'):.0f} % of the pairs"
        cells.append([f"clearing two books of {told['records']:,} records", times(ratio), found])
    return Table("At a glance", ["", "speed of Billproof", "compared with"], cells)
