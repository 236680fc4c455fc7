"""Entries as they are read, a row or a batch at a time, until they are one table."""

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
        self._batch(columns)

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
    ) -> PhoneLog:
        """All of it as one log."""
        self._flush()
        table = pa.Table.from_batches(self._batches, ENTRY_SCHEMA).combine_chunks()
        return PhoneLog(
            self.name, format, clock, step, duration_step, exported_at, table, tuple(self.rejects)
        )

    def _flush(self) -> None:
        if self._rows:
            columns = zip(*self._rows, strict=True)
            self._batch([pa.array(column, kind) for column, kind in zip(columns, _TYPES, strict=True)])
            self._rows.clear()

    def _batch(self, columns: list[pa.Array]) -> None:
        coded = [
            pa.DictionaryArray.from_arrays(codes, words)
            for codes, words in zip(columns[:3], _DICTIONARIES, strict=True)
        ]
        batch = pa.RecordBatch.from_arrays(coded + columns[3:], schema=ENTRY_SCHEMA)
        self._count += len(batch)
        if self._count > MAX_ENTRIES:
            raise PhoneLogError(
                "too-large",
                f"more than {MAX_ENTRIES:,} entries",
                file=self.name,
                advice="Export a shorter time, for example one year.",
            )
        self._batches.append(batch)
