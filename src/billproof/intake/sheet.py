"""The rows being mapped: what was found wrong with each, and the text behind every field."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from billproof.intake.mapping import Case, Condition
from billproof.intake.rows import Bools, Ints, Rows, bools, octets, repeat


class Sheet:
    """Rows on their way through a mapping. The first fault of a row is the one that is kept."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.size = len(rows)
        self.faults = np.zeros(self.size, np.int32)
        self._reasons: list[tuple[str, str]] = []
        self._columns: dict[str, pa.StringArray] = {}

    def column(self, name: str) -> pa.StringArray:
        """A column's text, cut out of the file once."""
        if name not in self._columns:
            self._columns[name] = self.rows.column(name)
        return self._columns[name]

    def fault(self, mask: Bools, field: str, reason: str) -> None:
        """Reject the rows of ``mask`` that have no fault yet; one reason for all, so it can be counted."""
        if mask.any():
            self._reasons.append((field, reason))
            self.faults[mask & (self.faults == 0)] = len(self._reasons)

    def explain(self, rows: Ints) -> tuple[list[str], list[str]]:
        """Field and reason of each of these faulty rows."""
        found = [self._reasons[code - 1] for code in self.faults[rows].tolist()]
        return [field for field, _ in found], [reason for _, reason in found]

    def holds(self, conditions: tuple[Condition, ...]) -> Bools:
        """Rows on which all conditions hold."""
        result = np.ones(self.size, np.bool_)
        for condition in conditions:
            texts = self.column(condition.column)
            if condition.pattern is not None:
                result &= bools(pc.match_substring_regex(texts, condition.pattern))
            else:
                among = bools(pc.is_in(texts, pa.array(condition.texts, pa.string())))
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

    def text(
        self, field: str, case: Case, rows: Bools, *, required: bool, column: str = ""
    ) -> pa.StringArray:
        """The text of a case for all rows; only ``rows`` are checked. ``column``: one of several of the
        case's.
        """
        if case.value is not None:
            return repeat(case.value, self.size)
        if case.template is not None:
            return self._fill(case.template)
        texts = self.column(column or case.columns[0])
        if case.empty is not None:
            texts = pc.if_else(pc.equal(texts, ""), case.empty, texts)
        if case.values is not None:
            texts = self._translate(field, case, rows, texts)
        elif required and case.empty is None:
            self.fault(
                rows & bools(pc.equal(texts, "")), field, f"is empty (column {column or case.columns[0]!r})"
            )
        return texts

    def _translate(self, field: str, case: Case, rows: Bools, texts: pa.StringArray) -> pa.StringArray:
        """Texts through the case's table of values."""
        table = case.values or {}
        found = pc.index_in(texts, pa.array(list(table), pa.string()))
        meanings = pa.array(list(table.values()), pa.string()).take(found)
        if case.otherwise is None:
            self.fault(rows & bools(found.is_null()), field, "is not in the mapping's table of values")
        return meanings.fill_null(case.otherwise or "")

    def _fill(self, template: tuple[tuple[bool, str], ...]) -> pa.StringArray:
        if not template:
            return repeat("", self.size)
        parts = [self.column(text) if is_column else repeat(text, self.size) for is_column, text in template]
        return pc.binary_join_element_wise(*parts, "")

    def gather(self, field: str, cases: tuple[Case, ...], *, required: bool) -> pa.StringArray:
        """The field's text for every row, whichever case it takes."""
        chosen = self.choose(field, cases)
        result: pa.StringArray | None = None
        for case, rows in chosen:
            texts = self.text(field, case, rows, required=required)
            result = texts if result is None else pc.if_else(pa.array(rows), texts, result)
        return result if result is not None else repeat("", self.size)


def tidy(sheet: Sheet, field: str, texts: pa.StringArray, longest: int) -> pa.StringArray:
    """Texts in NFC; control characters and more than ``longest`` characters are faults."""
    data, starts, lengths = octets(texts)
    if not len(starts):
        return texts
    if (data >= 0x80).any():
        texts = pc.utf8_normalize(texts, form="NFC")
        data, starts, lengths = octets(texts)
    suspicious = ((data < 0x20) | (data == 0x7F)).any() or (data >= 0x80).any()
    if suspicious:
        control = bools(pc.match_substring_regex(texts, r"\p{Cc}"))
        sheet.fault(control, field, "holds a control character")
    if int(lengths.max()) > longest:
        long = bools(pc.greater(pc.utf8_length(texts), longest))
        sheet.fault(long, field, f"has more than {longest} characters")
    return texts
