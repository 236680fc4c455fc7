"""Rows that intake must sort out, put among the good ones on request and written down.

Each is a copy of a good row: with one column spoilt, or moved into the month before or after. So a test
knows what intake has to count, file by file and line by line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from billproof.simulate.draws import Draws
from billproof.simulate.formats import FileFormat
from billproof.simulate.formats.rated_csv import PERIOD
from billproof.simulate.month import Month
from billproof.simulate.result import Blemish
from billproof.simulate.traffic import Int64s, Lines

#: Rows of other months lie within this many days of the month's bounds: inside every neighbour.
_DAYS = 27


@dataclass(frozen=True)
class Blemished:
    """Rows with blemishes among them, and the blemishes, their lines counted from 0 in ``rows``."""

    rows: pa.StringArray
    found: tuple[Blemish, ...]


def share(total: int, parts: int, part: int) -> int:
    """What ``part`` (from 0) of ``parts`` gets of ``total``, as evenly as whole numbers allow."""
    return total // parts + (part < total % parts)


def blemished(
    draws: Draws, file_format: FileFormat, lines: Lines, rows: pa.StringArray, rejects: int, others: int
) -> Blemished:
    """``rows`` (those of ``lines``, not empty), ``rejects`` spoilt ones and ``others`` of other months."""
    spoilt, notes = _spoilt(draws, file_format, lines, rejects)
    moved, moved_notes = _moved(draws, file_format, lines, others)
    place = draws.below(len(rows) + 1, rejects + others)
    order = np.argsort(np.concatenate((np.arange(len(rows)) * 2 + 1, place * 2)), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    found = [
        replace(note, line=int(line))
        for note, line in zip(notes + moved_notes, rank[len(rows) :], strict=True)
    ]
    mixed = pa.concat_arrays([rows, spoilt, moved]).take(pa.array(order))
    return Blemished(mixed, tuple(sorted(found, key=lambda note: note.line)))


def _spoilt(
    draws: Draws, file_format: FileFormat, lines: Lines, count: int
) -> tuple[pa.StringArray, list[Blemish]]:
    columns = file_format.columns(lines.take(draws.below(len(lines), count)))
    texts = {
        name: [column] * count if isinstance(column, str) else column.to_pylist()
        for name, column in columns.items()
    }
    fields = list(file_format.spoilt.items())
    notes = []
    for row in range(count):
        field, (column, bad) = fields[row % len(fields)]
        texts[column][row] = bad
        notes.append(Blemish("", 0, field, f"{column} is {bad!r}", file_format.issuer.month.period))
    arrays = {name: pa.array(values, pa.string()) for name, values in texts.items()}
    return file_format.rows(arrays, count), notes


def _moved(
    draws: Draws, file_format: FileFormat, lines: Lines, count: int
) -> tuple[pa.StringArray, list[Blemish]]:
    month = file_format.issuer.month
    away = draws.below(_DAYS * 86400, count)
    before = np.arange(count) % 2 == 0
    started = np.where(before, month.start - 1 - away, month.end + away)
    copies = replace(
        lines.take(draws.below(len(lines), count)), started_at=started, offset=_offsets(month, started)
    )
    notes = [
        Blemish("", 0, "", "", month.previous if early else month.following) for early in before.tolist()
    ]
    columns = file_format.columns(copies)
    if PERIOD in columns:
        columns[PERIOD] = pa.array([str(note.period) for note in notes], pa.string())
    return file_format.rows(columns, count), notes


def _offsets(month: Month, times: Int64s) -> Int64s:
    return np.array([month.offset(at) for at in times.tolist()], dtype=np.int64)
