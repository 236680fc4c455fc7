"""Whether statements charge what their tariff says (``docs/tariff.md``, section 8).

All records are rated in columns; only those that differ meet the code that looks for causes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billproof.bundle.documents import Bundle
from billproof.errors import InputError
from billproof.tariff import words
from billproof.tariff.causes import Case, Explainer
from billproof.tariff.charged_lines import Item, Lines, items_of
from billproof.tariff.columns import Columns, columns_of, numbers, table_of, texts
from billproof.tariff.model import Tariff
from billproof.tariff.rating import Rater
from billproof.tariff.result import NO_RATE, NO_USAGE, OUTSIDE, Checked, Difference, Rated, Status

_MOST = 1 << 63


class Checker:
    """Checks statements against one tariff; made once for many statements."""

    def __init__(self, tariff: Tariff) -> None:
        self.tariff = tariff
        self.rater = Rater(tariff)
        self._explainer = Explainer(self.rater)
        self._items = items_of(tariff)

    def check(
        self,
        records: pa.Table,
        first: NDArray[np.int64] | None = None,
        *,
        balances: Mapping[tuple[int, int], int] | None = None,
    ) -> Checked:
        """The records of one statement, or of several that begin at ``first``: each in order of index.

        ``records`` has the columns of :data:`billproof.records.SCHEMA` from ``service`` to ``corrects``
        (others are ignored). ``balances``: (statement, allowance), both from 0 → what was carried over.
        """
        columns = columns_of(records, first)
        amount, billed = numbers(records, "amount", np.int64), numbers(records, "billed_usage", np.int64)
        rated = self.rater.rate_columns(columns, balances or {})
        status = np.full(len(columns), Status.NOT_PRICED, np.uint8)
        due, due_billed = amount.copy(), billed.copy()
        priced = rated.rate >= 0
        due[priced], due_billed[priced] = rated.charge[priced], rated.billed[priced]
        due[rated.rate == NO_RATE] = 0
        counted = self._counted(columns, billed)
        status[priced] = Status.RIGHT
        status[priced & ((due != amount) | (due_billed != counted))] = Status.WRONG
        status[rated.rate == NO_RATE] = Status.NO_RATE
        status[rated.rate == OUTSIDE] = Status.OUTSIDE_VALIDITY
        found = self._usage(columns, rated, amount, billed, counted, due, due_billed, status)
        found += self._lines(columns, records, rated, amount, billed, due, status)
        found.sort(key=lambda each: (each.statement, each.line is None, each.line or 0))
        return Checked(
            status=status, due=due, due_billed=due_billed, rate=rated.rate, differences=found, rated=rated
        )

    def _counted(self, columns: Columns, billed: NDArray[np.int64]) -> NDArray[np.int64]:
        """Billed usage, of which no message counts as one where the record's usage does."""
        empty = (columns.usage == 0) & (billed == 0)
        return (
            np.where(empty, self.rater.counted_usage(columns.service, billed), billed)
            if empty.any()
            else billed
        )

    def _usage(
        self,
        columns: Columns,
        rated: Rated,
        amount: NDArray[np.int64],
        billed: NDArray[np.int64],
        counted: NDArray[np.int64],
        due: NDArray[np.int64],
        due_billed: NDArray[np.int64],
        status: NDArray[np.uint8],
    ) -> list[Difference]:
        """Usage records that differ."""
        differing = (status == Status.WRONG) | ((status == Status.NO_RATE) & (amount != 0))
        rows = np.flatnonzero(differing)
        owner = np.searchsorted(columns.first, rows, side="right") - 1
        usage = self.rater.counted_usage(columns.service[rows], columns.usage[rows])
        found = []
        for place, (row, statement) in enumerate(zip(rows.tolist(), owner.tolist(), strict=True)):
            if status[row] == Status.NO_RATE:
                cause, said = "no-rate", words.no_rate()
            else:
                cause, said = self._explainer.explain(
                    Case(
                        usage=int(usage[place]),
                        charged=int(amount[row]),
                        billed=int(counted[row]),
                        due=int(due[row]),
                        due_billed=int(due_billed[row]),
                        rate=int(rated.rate[row]),
                        form=int(rated.form[row]),
                        free=int(rated.free[row]),
                        waived=bool(rated.waived[row]),
                        cell=int(rated.cell[row]),
                    )
                )
            found.append(
                Difference(
                    statement=statement,
                    line=row - int(columns.first[statement]),
                    cause=cause,
                    charged=int(amount[row]),
                    due=int(due[row]),
                    billed=int(billed[row]),
                    due_billed=int(due_billed[row]),
                    words=said,
                )
            )
        return found

    def _lines(
        self,
        columns: Columns,
        records: pa.Table,
        rated: Rated,
        amount: NDArray[np.int64],
        billed: NDArray[np.int64],
        due: NDArray[np.int64],
        status: NDArray[np.uint8],
    ) -> list[Difference]:
        """Lines that are no usage: writes their status and what is due; gives what differs or is missing."""
        if not self._items:
            return []
        lines = Lines(columns.service, amount, texts(records, "rate"), columns.first)
        open_ = (rated.rate == NO_USAGE) & ~columns.corrects
        amendments = _amendments(columns)
        found = []
        for item in self._items:
            rows = np.flatnonzero(lines.rows(item) & open_)
            owner = np.searchsorted(columns.first, rows, side="right") - 1
            first_of: dict[int, int] = {}
            sums = lines.sums(item)
            for row, statement in zip(rows.tolist(), owner.tolist(), strict=True):
                repeated = first_of.setdefault(statement, row) != row and not item.repeatable
                charged = int(amount[row])
                base = sums[statement] - (charged if item.counts_itself else 0)
                price = 0 if repeated else _fitting(item.price(base))
                due[row] = price
                status[row] = Status.RIGHT if price == charged else Status.WRONG
                if price != charged:
                    said = self._line_words(item, charged, price, repeated)
                    found.append(
                        Difference(
                            statement=statement,
                            line=row - int(columns.first[statement]),
                            cause="repeated" if repeated else item.cause,
                            charged=charged,
                            due=price,
                            billed=int(billed[row]),
                            due_billed=int(billed[row]),
                            words=said,
                        )
                    )
            if item.required:
                found += self._missing(item, sums, first_of, amendments)
        return found

    def _line_words(self, item: Item, charged: int, due: int, repeated: bool) -> str:
        if repeated:
            return words.repeated(item.name or "rounding")
        return words.price(charged, due, self.tariff.currency)

    def _missing(
        self, item: Item, sums: list[int], there: Mapping[int, int], amendments: NDArray[np.bool_]
    ) -> list[Difference]:
        found = []
        for statement, base in enumerate(sums):
            if statement in there or amendments[statement]:
                continue
            due = item.price(base)
            if due:
                said = words.missing(item.name or "", due, self.tariff.currency)
                found.append(Difference(statement, None, "missing", 0, due, 0, 0, said, name=item.name or ""))
        return found


def check_bundle(tariff: Tariff | Checker, bundle: Bundle) -> Checked:
    """One subscriber's statement, from its proof file."""
    checker = tariff if isinstance(tariff, Checker) else Checker(tariff)
    return checker.check(table_of(bundle))


def _amendments(columns: Columns) -> NDArray[np.bool_]:
    """Of each statement, whether all its records correct others: it amends a bill, and is none."""
    bounds = np.append(columns.first, len(columns))
    corrections = np.concatenate(([0], np.cumsum(columns.corrects)))[bounds]
    amends: NDArray[np.bool_] = np.diff(corrections) == np.diff(bounds)
    return amends & (np.diff(bounds) > 0)


def _fitting(value: int) -> int:
    if not -_MOST <= value < _MOST:
        raise InputError(
            "the amounts of a statement add up beyond 64 bits", field="amount", advice="Check its amounts."
        )
    return value
