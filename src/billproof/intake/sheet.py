"""The rows being mapped: what was found wrong with each, and the text behind every field."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from billproof.intake.mapping import Case, Condition
from billproof.intake.rows import Bools, Coded, Ints, Rows, bools, octets, repeat


class Sheet:
    """Rows on their way through a mapping. The first fault of a row is the one that is kept."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.size = len(rows)
        self.faults = np.zeros(self.size, np.int32)
        self.doubtful = np.zeros(self.size, np.bool_)
        self._reasons: list[tuple[str, str]] = []
        self._coded: dict[str, Coded] = {}

    def texts(self, name: str) -> pa.StringArray:
        """A column's text, for columns in which texts hardly repeat."""
        return self._coded[name].texts() if name in self._coded else self.rows.column(name)

    def column(self, name: str) -> Coded:
        """A column's text, coded once."""
        if name not in self._coded:
            coded = self.rows.coded
            self._coded[name] = Coded.of(self.rows.column(name)) if coded is None else coded(name)
        return self._coded[name]

    def fault(self, mask: Bools, field: str, reason: str) -> None:
        """Reject the rows of ``mask`` that have no fault yet; one reason for all, so it can be counted."""
        if mask.any():
            self._reasons.append((field, reason))
            self.faults[mask & (self.faults == 0)] = len(self._reasons)

    def doubt(self, mask: Bools) -> None:
        """Marks rows with a local time that happened twice, of which one was taken."""
        self.doubtful |= mask

    def explain(self, rows: Ints) -> tuple[list[str], list[str]]:
        """Field and reason of each of these faulty rows."""
        found = [self._reasons[code - 1] for code in self.faults[rows].tolist()]
        return [field for field, _ in found], [reason for _, reason in found]

    def holds(self, conditions: tuple[Condition, ...]) -> Bools:
        """Rows on which all conditions hold."""
        result = np.ones(self.size, np.bool_)
        for condition in conditions:
            column = self.column(condition.column)
            if condition.pattern is not None:
                result &= column.each(bools(pc.match_substring_regex(column.distinct, condition.pattern)))
            else:
                texts = pa.array(condition.texts, pa.string())
                among = column.each(bools(pc.is_in(column.distinct, texts)))
                result &= among != condition.negated
        return result

    def choose(self, field: str, cases: tuple[Case, ...]) -> list[tuple[Case, Bools]]:
        """Which case each row takes; rows that fit none are faults."""
        left = np.ones(self.size, np.bool_)
        chosen = []
        for case in cases:
            rows = left & self.holds(case.when) if case.when else left.copy()
            left &= ~rows
            chosen.append((case, rows))
        self.fault(left, field, "no case of the mapping fits the row")
        return chosen

    def text(self, field: str, case: Case, rows: Bools, *, required: bool, column: str = "") -> Coded:
        """The text of a case for all rows; only ``rows`` are checked. ``column``: one of several of the
        case's.
        """
        if case.value is not None:
            return Coded.constant(case.value, self.size)
        if case.template is not None:
            return self._fill(case.template)
        coded = self.column(column or case.columns[0])
        if case.empty is not None:
            filled = pc.if_else(pc.equal(coded.distinct, ""), case.empty, coded.distinct)
            coded = Coded(filled, coded.codes)
        if case.values is not None:
            coded = self._translate(field, case, rows, coded)
        elif required and case.empty is None:
            empty = coded.each(bools(pc.equal(coded.distinct, "")))
            self.fault(rows & empty, field, f"is empty (column {column or case.columns[0]!r})")
        return coded

    def _translate(self, field: str, case: Case, rows: Bools, coded: Coded) -> Coded:
        """Texts through the case's table of values."""
        table = case.values or {}
        found = pc.index_in(coded.distinct, pa.array(list(table), pa.string()))
        meanings = pa.array(list(table.values()), pa.string()).take(found)
        if case.otherwise is None:
            self.fault(
                rows & coded.each(bools(found.is_null())), field, "is not in the mapping's table of values"
            )
        return Coded(meanings.fill_null(case.otherwise or ""), coded.codes)

    def _fill(self, template: tuple[tuple[bool, str], ...]) -> Coded:
        if not template:
            return Coded.constant("", self.size)
        parts = [self.texts(text) if is_column else repeat(text, self.size) for is_column, text in template]
        return Coded.of(pc.binary_join_element_wise(*parts, ""))

    def gather(self, field: str, cases: tuple[Case, ...], *, required: bool) -> Coded:
        """The field's text for every row, whichever case it takes."""
        result: Coded | None = None
        for case, rows in self.choose(field, cases):
            coded = self.text(field, case, rows, required=required)
            result = coded if result is None else coded.where(rows, result)
        return result if result is not None else Coded.constant("", self.size)


def tidy(sheet: Sheet, field: str, coded: Coded, longest: int) -> Coded:
    """Texts in NFC; control characters and more than ``longest`` characters are faults."""
    data, starts, lengths = octets(coded.distinct)
    if not len(starts):
        return coded
    distinct = coded.distinct
    if (data >= 0x80).any():
        distinct = pc.utf8_normalize(distinct, form="NFC")
        data, starts, lengths = octets(distinct)
    suspicious = ((data < 0x20) | (data == 0x7F)).any() or (data >= 0x80).any()
    if suspicious:
        control = coded.each(bools(pc.match_substring_regex(distinct, r"\p{Cc}")))
        sheet.fault(control, field, "holds a control character")
    if int(lengths.max()) > longest:
        long = coded.each(bools(pc.greater(pc.utf8_length(distinct), longest)))
        sheet.fault(long, field, f"has more than {longest} characters")
    return Coded(distinct, coded.codes)
