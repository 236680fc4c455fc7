"""Entries as they are read, a row or a batch at a time, until they are one table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from billproof.handset.entries import ANSWERS, DIRECTIONS, ENTRY_SCHEMA, KINDS, Clock, PhoneLog, Reject
from billproof.handset.problems import PhoneLogError, RowError

MAX_ENTRIES = 20_000_000
MAX_REJECTS = 10_000

CALL, MESSAGE, MMS, APP = range(4)
OUT, IN = range(2)
YES, NO, UNKNOWN = range(3)

Row = tuple[int, int, int, str, int, int, int, str]
"""Codes of kind, direction and answered; number, at, duration, parts, sim."""

Ints = npt.NDArray[np.int64]
_FLUSH = 65_536
_DICTIONARIES = tuple(pa.array(words, pa.string()) for words in (KINDS, DIRECTIONS, ANSWERS))
_TYPES = (pa.int8(), pa.int8(), pa.int8(), pa.string(), pa.int64(), pa.int64(), pa.int32(), pa.string())


@dataclass(frozen=True)
class Draft:
    """A log that was read, before its entries are a table: those in ``batches``, then those in ``rows``."""

    name: str
    format: str
    clock: Clock
    step: int
    duration_step: int
    exported_at: int | None
    rejects: tuple[Reject, ...]
    batches: list[pa.RecordBatch]
    rows: list[Row]

    def __len__(self) -> int:
        return sum(map(len, self.batches)) + len(self.rows)


def finish(drafts: Sequence[Draft]) -> list[PhoneLog]:
    """The logs. One table is made of all their rows, of which each has its slice: a folder of logs may hold
    thousands with a few dozen entries each, for which a table of its own takes longer than reading it.
    """
    table = _table([_batch([row for draft in drafts for row in draft.rows])])
    logs, start = [], 0
    for draft in drafts:
        entries = table.slice(start, len(draft.rows))
        start += len(draft.rows)
        if draft.batches:
            entries = pa.concat_tables([_table(draft.batches), entries]).combine_chunks()
        about = (draft.name, draft.format, draft.clock, draft.step, draft.duration_step, draft.exported_at)
        logs.append(PhoneLog(*about, entries, draft.rejects))
    return logs


class Entries:
    """Collects a file's entries and rejects."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rejects: list[Reject] = []
        self._rows: list[Row] = []
        self._batches: list[pa.RecordBatch] = []
        self._count = 0

    def add(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) >= _FLUSH:
            self._flush()

    def extend(self, rows: Iterable[Row]) -> None:
        """As many as one file's quick way gives; they stay rows until the log is finished."""
        self._rows += rows

    def add_columns(
        self,
        coded: tuple[Ints, Ints, Ints],
        number: pa.Array,
        at: Ints,
        duration: Ints,
        parts: Ints,
        sim: pa.Array,
    ) -> None:
        """A batch whose columns are as those of a :data:`Row`."""
        self._flush()
        columns = [pa.array(codes, pa.int8()) for codes in coded]
        columns += [number, pa.array(at), pa.array(duration), pa.array(parts, pa.int32()), sim]
        self._add(_coded(columns))

    def reject(self, line: int, problem: RowError) -> None:
        """Rejects after the first MAX_REJECTS are dropped: by then the file is the problem."""
        if len(self.rejects) < MAX_REJECTS:
            self.rejects.append(Reject(line, problem.field, problem.reason))

    def log(
        self,
        format: str,
        *,
        clock: Clock = "utc",
        step: int = 1,
        duration_step: int = 1,
        exported_at: int | None = None,
    ) -> Draft:
        """All of it as one log."""
        about = (self.name, format, clock, step, duration_step, exported_at, tuple(self.rejects))
        return Draft(*about, self._batches, self._rows)

    def _flush(self) -> None:
        if self._rows:
            self._add(_batch(self._rows))
            self._rows.clear()

    def _add(self, batch: pa.RecordBatch) -> None:
        self._count += len(batch)
        if self._count > MAX_ENTRIES:
            raise PhoneLogError(
                "too-large",
                f"more than {MAX_ENTRIES:,} entries",
                file=self.name,
                advice="Export a shorter time, for example one year.",
            )
        self._batches.append(batch)


def _table(batches: list[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(batches, ENTRY_SCHEMA)


def _batch(rows: list[Row]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True) if rows else ((),) * len(_TYPES)
    return _coded([pa.array(column, kind) for column, kind in zip(columns, _TYPES, strict=True)])


def _coded(columns: list[pa.Array]) -> pa.RecordBatch:
    """A batch of columns whose first three are codes."""
    coded = [
        pa.DictionaryArray.from_arrays(codes, words)
        for codes, words in zip(columns[:3], _DICTIONARIES, strict=True)
    ]
    return pa.RecordBatch.from_arrays(coded + columns[3:], schema=ENTRY_SCHEMA)
