"""The formulas of a tariff's rates for whole columns: billed usage and charges in 64-bit integers.

Before anything is computed, each formula says up to which usage no step can overflow; the few records above
it are left to the exact integers of :mod:`formula`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from billproof.tariff.formula import Formula

#: Every sum and product on the way stays below it.
_LIMIT = 1 << 62
_LARGEST = (1 << 63) - 1

Ints = NDArray[np.int64]


class BeyondError(Exception):
    """A charge or a billed usage that 64 bits do not hold; ``row`` is where."""

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


class Formulas:
    """Formulas as tables with a row for each: (forms,) or (forms, intervals), later intervals padded."""

    def __init__(self, formulas: Sequence[Formula]) -> None:
        self.exact = tuple(formulas)
        count = len(formulas)
        self.width = max((len(formula.starts) for formula in formulas), default=1)
        self.starts = np.full((self.width, count), _LARGEST, np.int64)
        self.increments = np.ones((self.width, count), np.int64)
        self.weights = np.zeros((self.width, count), np.int64)
        self.connection, self.threshold = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self.even, self.minimum = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self.divisor, self.scale = np.ones(count, np.int64), np.ones(count, np.int64)
        self.maximum = np.full(count, _LARGEST, np.int64)
        self.billable, self.chargeable = np.zeros(count, np.int64), np.zeros(count, np.int64)
        for row, formula in enumerate(formulas):
            self._fill(row, formula)
        self.limited = bool(self.minimum.any()) or bool((self.maximum < _LARGEST).any())
        self.rounds_to_even = bool(self.even.any())

    def _fill(self, row: int, formula: Formula) -> None:
        depth = len(formula.starts)
        if max(*formula.starts, *formula.increments) >= _LIMIT:
            self.billable[row] = self.chargeable[row] = -1
            return
        self.starts[:depth, row] = formula.starts
        self.increments[:depth, row] = formula.increments
        self.billable[row] = _LIMIT - max(formula.increments)
        largest = _safe_usage(formula)
        self.chargeable[row] = min(largest, int(self.billable[row]))
        if largest < 0:
            return
        self.weights[:depth, row] = formula.weights
        self.connection[row], self.divisor[row] = formula.connection, formula.divisor
        self.scale[row] = formula.scale
        # What is added for the rest: 2 · rest > threshold - (even and the quotient odd).
        self.threshold[row] = {
            "up": 0,
            "down": 2 * formula.divisor,
            "half-up": formula.divisor - 1,
            "half-even": formula.divisor,
        }[formula.mode]
        self.even[row] = formula.mode == "half-even"
        self.minimum[row] = formula.minimum or 0
        self.maximum[row] = _LARGEST if formula.maximum is None else min(formula.maximum, _LARGEST)

    def billed(self, form: NDArray[np.int32], usage: Ints) -> Ints:
        """Billed usage: (n,). A usage whose billed usage does not fit 64 bits raises :class:`BeyondError`."""
        total = np.zeros(len(form), np.int64)
        for part in self._parts(form, usage):
            total += part
        for at in np.flatnonzero(usage > self.billable[form]).tolist():
            total[at] = _fitting(sum(self.exact[form[at]].parts(int(usage[at]))), at)
        return total

    def _parts(self, form: NDArray[np.int32], usage: Ints) -> list[Ints]:
        """Billed usage in each interval; wrong above ``billable``."""
        parts = []
        for depth in range(self.width):
            start = self.starts[depth][form] if depth else 0
            part = usage - start
            if depth + 1 < self.width:
                np.minimum(part, self.starts[depth + 1][form] - start, out=part)
            if depth:
                np.maximum(part, 0, out=part)
            increment = self.increments[depth][form]
            part += increment - 1
            part //= increment
            part *= increment
            parts.append(part)
        return parts

    def charge(
        self,
        form: NDArray[np.int32],
        usage: Ints,
        billed: Ints,
        free: Ints | None,
        waived: NDArray[np.bool_] | None,
    ) -> Ints:
        """Billionths: (n,). A charge that does not fit 64 bits raises :class:`BeyondError`."""
        due = billed > 0
        if waived is not None:
            due &= ~waived
        total = self.connection[form] * due
        for depth, part in enumerate([billed] if self.width == 1 else self._parts(form, usage)):
            paid = part
            if free is not None:
                given = free - self.starts[depth][form] if depth else free
                paid = part - np.clip(given, 0, part)
            total += self.weights[depth][form] * paid
        result = self._rounded(form, total)
        if self.limited:
            least = self.minimum[form]
            least[billed == 0 if free is None else billed <= free] = 0
            np.maximum(result, least, out=result)
            np.minimum(result, self.maximum[form], out=result)
        for at in np.flatnonzero(usage > self.chargeable[form]).tolist():
            exact = self._exactly(
                int(form[at]),
                int(usage[at]),
                0 if free is None else int(free[at]),
                waived is not None and bool(waived[at]),
            )
            result[at] = _fitting(exact, at)
        return result

    def _rounded(self, form: NDArray[np.int32], total: Ints) -> Ints:
        divisor = self.divisor[form]
        result = total // divisor
        rest = total - result * divisor
        rest += rest
        threshold = self.threshold[form]
        if self.rounds_to_even:
            threshold -= self.even[form] & result
        result += rest > threshold
        result *= self.scale[form]
        return result

    def _exactly(self, form: int, usage: int, free: int, waived: bool) -> int:
        formula = self.exact[form]
        parts = formula.parts(usage)
        billed = sum(parts)
        return formula.charge(parts, free, formula.connections(billed, waived))


def _safe_usage(formula: Formula) -> int:
    """The greatest usage for which no sum or product of the charge reaches 2^62; -1 where there is none."""
    weight, more = max(formula.weights), max(formula.increments)
    if max(weight, formula.connection, 2 * formula.divisor + 1) >= _LIMIT:
        return -1
    if (formula.minimum or 0) >= _LIMIT:
        return -1
    numerator = min(_LIMIT, (_LIMIT // formula.scale - 2) * formula.divisor) - formula.connection
    if numerator < 0:
        return -1
    return _LIMIT if weight == 0 else max(numerator // weight - more, -1)


def _fitting(value: int, row: int) -> int:
    if value > _LARGEST:
        raise BeyondError(row)
    return value
