"""Rows of text columns through a mapping: records, rejects, and rows of other periods."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from billproof.intake import fields
from billproof.intake.mapping import CdrMapping
from billproof.intake.mapping import Period as PeriodRule
from billproof.intake.rows import Bools, Coded, Ints, Rows, kept
from billproof.intake.sheet import Sheet
from billproof.records import SCHEMA

_DAY = 86_400

#: Rows that are on no bill: ``source`` and ``line`` (from 1) say where they stand, ``raw`` is their text,
#: as much of it as :func:`~billproof.intake.rows.kept` keeps.
REJECTS = pa.schema(
    [
        pa.field("source", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("line", pa.int64(), nullable=False),
        pa.field("field", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("raw", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file, sorted out: ``rows == records + rejects + other_periods``.

    ``records`` has ``billproof.records.SCHEMA``, ``rejects`` has :data:`REJECTS`; both in the file's order.
    ``ambiguous`` are records with a local time that happened twice, of which the mapping says which to take.
    """

    records: pa.RecordBatch
    rejects: pa.RecordBatch
    rows: int
    other_periods: int
    ambiguous: int


class Engine:
    """One mapping applied to the rows of one file. ``period``: the ``YYYYMM`` asked for."""

    def __init__(self, mapping: CdrMapping, source: str, period: int) -> None:
        self._mapping = mapping
        self._source = source
        self._period = period
        self._numbers: dict[tuple[str, str], str] = {}

    def chunk(self, rows: Rows) -> Chunk:
        """Sort the rows out."""
        mapping, sheet = self._mapping, Sheet(rows)
        for skip in mapping.skips:
            sheet.fault(sheet.holds(skip.when), "row", f"skipped by the mapping: {skip.reason}")
        started, offset, unknown = fields.starts(sheet, mapping)
        elsewhere = self._elsewhere(sheet, started + offset * 60, unknown)
        account = fields.accounts(sheet, mapping)
        service = fields.services(sheet, mapping)
        usage = fields.quantities(sheet, "usage", mapping, started)
        billed = usage
        if "billed_usage" in mapping.fields:
            billed = fields.quantities(sheet, "billed_usage", mapping, started)
        columns: dict[str, Any] = {
            "account": account,
            "service": service,
            "started_at": started,
            "utc_offset": offset.astype(np.int16),
            "usage": usage,
            "billed_usage": billed,
            "number": fields.numbers(sheet, mapping, self._numbers).texts(),
            "network": fields.networks(sheet, mapping),
            "amount": fields.amounts(sheet, mapping),
            "currency": fields.currencies(sheet, mapping),
            "rate": fields.rates(sheet, mapping),
            "corrects": fields.corrections(sheet, mapping),
            "source": self._sources(sheet.size),
            "line": rows.lines,
        }
        batch = pa.record_batch([_arrow(columns[name]) for name in SCHEMA.names], schema=SCHEMA)
        good = (sheet.faults == 0) & ~elsewhere
        return Chunk(
            records=batch if good.all() else batch.filter(pa.array(good)),
            rejects=self._rejects(sheet, np.flatnonzero((sheet.faults != 0) & ~elsewhere)),
            rows=len(rows) + len(rows.bad),
            other_periods=int(elsewhere.sum()),
            ambiguous=int((sheet.doubtful & good).sum()),
        )

    def _elsewhere(self, sheet: Sheet, local: Ints, unknown: Bools) -> Bools:
        """Rows whose period can be read and is another."""
        rule = self._mapping.period
        if rule.kind == "any":
            return np.zeros(sheet.size, np.bool_)
        if rule.kind == "column":
            period = _stated_periods(sheet.column(rule.column), rule.pattern)
            sheet.fault(period == 0, "period", f"is not a billing month as {rule.pattern}")
            known = period != 0
        else:
            period = _periods_of(local, rule)
            known = ~unknown
        result: Bools = known & (period != self._period)
        return result

    def _sources(self, size: int) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int32)), pa.array([self._source]))

    def _rejects(self, sheet: Sheet, faulty: Ints) -> pa.RecordBatch:
        """The rejects, those of the reader among them, by line."""
        reader = sheet.rows.bad
        names, reasons = sheet.explain(faulty)
        lines = np.concatenate((sheet.rows.lines[faulty], np.array([row.line for row in reader], np.int64)))
        batch = pa.record_batch(
            [
                self._sources(len(lines)),
                pa.array(lines, pa.int64()),
                pa.array(names + [row.field for row in reader], pa.string()),
                pa.array(reasons + [row.reason for row in reader], pa.string()),
                pa.array(map(kept, sheet.rows.raw(faulty) + [row.raw for row in reader]), pa.string()),
            ],
            schema=REJECTS,
        )
        return batch.take(pa.array(np.argsort(lines, kind="stable"))) if reader else batch


def _arrow(column: Any) -> pa.Array:
    if isinstance(column, Coded):
        return column.arrow()
    return pa.array(column) if isinstance(column, np.ndarray) else column


def _periods_of(local: Ints, rule: PeriodRule) -> Ints:
    """``YYYYMM`` of local times (seconds since 1970 on the wall clock)."""
    days = local // _DAY - (rule.cycle_day - 1)
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    if rule.cycle_day > 1 and rule.named_by == "end":
        months = months + 1
    return (1970 + months // 12) * 100 + months % 12 + 1


def _stated_periods(coded: Coded, pattern: str) -> Ints:
    """``YYYYMM`` of a billing month column, 0 where it is none."""
    expression = re.escape(pattern).replace("%Y", "([0-9]{4})").replace("%m", "([0-9]{1,2})")
    year_first = pattern.index("%Y") < pattern.index("%m")
    periods = []
    for text in coded.distinct.to_pylist():
        match = re.fullmatch(expression, text)
        year, month = (
            (0, 0) if not match else map(int, match.groups() if year_first else match.groups()[::-1])
        )
        periods.append(year * 100 + month if 1 <= month <= 12 and year else 0)
    result: Ints = np.array(periods, np.int64)[coded.codes]
    return result
