"""The rating engine: records in columns → what each costs, exactly (``docs/tariff.md``, sections 3 to 6).

Where a record belongs is looked up in tables: destination by an automaton over numbers, zone by distinct
networks, time by a table of minutes, rate by a dense table over all of them. Charges are whole numbers in 64
bits where that provably suffices. Tiers and allowances are sums over a statement's records in order of time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billproof.errors import InputError
from billproof.records import Service
from billproof.tariff.columns import Columns, columns_of
from billproof.tariff.formula import Formula, formula_of
from billproof.tariff.grid import Grid
from billproof.tariff.model import Tariff
from billproof.tariff.places import Prefixes, Zones
from billproof.tariff.result import NO_USAGE, OUTSIDE, Rated
from billproof.tariff.running import before, in_order
from billproof.tariff.values import KINDS, MESSAGES
from billproof.tariff.vectors import BeyondError, Formulas

#: Records that are worked on at a time: their columns stay in the processor's cache.
_BLOCK = 1 << 15

_DAY = 86_400
_FARTHEST = 1 << 60  # seconds; beyond any tariff, and far from where times overflow
_COUNTED = [int(service) for service, kind in KINDS.items() if kind == MESSAGES]


class RatingError(InputError):
    """A record that cannot be rated: the ``record``-th of its statement, of those given (both from 0)."""

    def __init__(self, statement: int, record: int) -> None:
        super().__init__(
            f"the charge or billed usage of record {record + 1} does not fit 64 bits",
            field="usage",
            advice="Check the unit of the usage, and prices and increments of the tariff.",
        )
        self.statement = statement
        self.record = record


class Rater:
    """Rates records by one tariff; made once, used for many statements.

    ``formulas.exact[form]`` is a rate at one price: ``forms[rate]`` at its own, the next ones at its tiers'.
    """

    def __init__(self, tariff: Tariff) -> None:
        self.tariff = tariff
        self.grid = Grid.of(tariff)
        self.prefixes = Prefixes(tariff.destinations)
        self.zones = Zones(tariff)
        formulas: list[Formula] = []
        forms = []
        for rate in tariff.rates:
            forms.append(len(formulas))
            formulas += [
                formula_of(tariff, rate, price=price)
                for price in (None, *(tier.price for tier in rate.tiers))
            ]
        self.formulas = Formulas(formulas)
        self.forms = np.array(forms, np.int32)
        self._tiered = [place for place, rate in enumerate(tariff.rates) if rate.tiers]
        self._counted = np.zeros(256, bool)
        self._counted[_COUNTED] = True

    def rate(
        self,
        records: pa.Table,
        first: NDArray[np.int64] | None = None,
        *,
        balances: Mapping[tuple[int, int], int] | None = None,
    ) -> Rated:
        """What the usage records of statements cost that begin at ``first`` (without it: of one statement).

        ``records`` has the columns ``service`` to ``corrects`` of :data:`billproof.records.SCHEMA`, each
        statement's in order of index. ``balances``: (statement, allowance), both from 0 → what was carried
        over. A charge beyond 64 bits raises :class:`RatingError`.
        """
        return self.rate_columns(columns_of(records, first), balances or {})

    def rate_columns(self, columns: Columns, balances: Mapping[tuple[int, int], int]) -> Rated:
        """:meth:`rate` of columns."""
        count = len(columns)
        rate, cell = np.empty(count, np.int32), np.empty(count, np.int32)
        billed, charge = np.zeros(count, np.int64), np.zeros(count, np.int64)
        usage = self.counted_usage(columns.service, columns.usage)
        form = np.zeros(count, np.int32)
        for block in _blocks(count):
            cell[block] = self._cells(columns, block)
            rate[block] = self._rates(columns, block, cell[block])
            if self.tariff.rates:
                form[block] = self.forms[np.maximum(rate[block], 0)]
                with _placed(columns, block):
                    billed[block] = self._billed(form[block], usage[block], rate[block])
        left = np.zeros((len(columns.first), len(self.tariff.allowances)), np.int64)
        free, waived = None, None
        if self._tiered or self.tariff.allowances:
            order = in_order(columns.started_at, columns.first)
            self._tiers(columns, order, rate, billed, form)
            if self.tariff.allowances:
                free, waived = self._free(columns, order, rate, cell, billed, left, balances)
        if self.tariff.rates:
            for block in _blocks(count):
                with _placed(columns, block):
                    charge[block] = self._charge(form, usage, billed, free, waived, block)
                charge[block][rate[block] < 0] = 0
        none = np.zeros(count, np.int64)
        return Rated(
            rate=rate,
            billed=billed,
            charge=charge,
            free=none if free is None else free,
            waived=np.zeros(count, bool) if waived is None else waived,
            form=form,
            cell=cell,
            left=left,
        )

    def counted_usage(self, service: NDArray[np.uint8], usage: NDArray[np.int64]) -> NDArray[np.int64]:
        """Usage, of which no message counts as one."""
        empty = usage == 0
        if not empty.any():
            return usage
        return np.where(empty & self._counted[service], 1, usage)

    def _cells(self, columns: Columns, block: slice) -> NDArray[np.int64]:
        """Each record's place in the grid, flat."""
        grid = self.grid
        _, zones, destinations, slots = grid.rates.shape
        cell: NDArray[np.int64] = grid.service_row[columns.service[block]]
        length = block.stop - block.start
        cell = cell * zones + self.zones.of(columns.network.slice(block.start, length))
        cell = cell * destinations + self.prefixes.of(columns.number.slice(block.start, length))
        if slots > 1:
            local = _local(columns, block)
            day = local // _DAY
            cell = cell * slots + grid.slots.of(day, (local - day * _DAY) // 60)
        return cell

    def _rates(self, columns: Columns, block: slice, cell: NDArray[np.int32]) -> NDArray[np.int32]:
        """Each record's rate, or why it has none."""
        rate: NDArray[np.int32] = self.grid.rates.ravel()[cell]
        local = _local(columns, block)
        outside = local < self.tariff.valid_from * _DAY
        if self.tariff.valid_until is not None:
            outside |= local >= self.tariff.valid_until * _DAY
        rate[outside] = OUTSIDE
        other = (columns.service[block] >= Service.RECURRING) | columns.corrects[block]
        rate[other] = NO_USAGE
        return rate

    def _billed(
        self, form: NDArray[np.int32], usage: NDArray[np.int64], rate: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        usage = np.where(rate < 0, 0, usage)
        return self.formulas.billed(form, usage)

    def _charge(
        self,
        form: NDArray[np.int32],
        usage: NDArray[np.int64],
        billed: NDArray[np.int64],
        free: NDArray[np.int64] | None,
        waived: NDArray[np.bool_] | None,
        block: slice,
    ) -> NDArray[np.int64]:
        used = billed[block]
        return self.formulas.charge(
            form[block],
            np.where(used == 0, 0, usage[block]),
            used,
            None if free is None else free[block],
            None if waived is None else waived[block],
        )

    def _tiers(
        self,
        columns: Columns,
        order: NDArray[np.int64] | None,
        rate: NDArray[np.int32],
        billed: NDArray[np.int64],
        form: NDArray[np.int32],
    ) -> None:
        """Moves records to the formula of their tier."""
        for place in self._tiered:
            rows = _rows(rate == place, order)
            if not len(rows):
                continue
            sums, _ = before(billed[rows], columns.statement[rows], None)
            above = [tier.above for tier in self.tariff.rates[place].tiers]
            form[rows] += np.searchsorted(np.array(above), sums, side="right").astype(np.int32)

    def _free(
        self,
        columns: Columns,
        order: NDArray[np.int64] | None,
        rate: NDArray[np.int32],
        cell: NDArray[np.int32],
        billed: NDArray[np.int64],
        left: NDArray[np.int64],
        balances: Mapping[tuple[int, int], int],
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Free usage of each record, and whether its connection fee falls away."""
        free, waived = np.zeros(len(columns), np.int64), np.zeros(len(columns), bool)
        statement = columns.statement
        for place, allowance in enumerate(self.tariff.allowances):
            left[:, place] = allowance.amount
        for (whose, which), carried in balances.items():
            left[whose, which] = _total(self.tariff.allowances[which].amount, carried)
        for place, allowance in enumerate(self.tariff.allowances):
            applies = self.grid.allowed[place].ravel()[cell] & (rate >= 0)
            rows = _rows(applies, order)
            need = billed[rows] - free[rows]
            owner = statement[rows]
            whole = left[:, place]
            sums, used = before(need, owner, len(whole))
            given = np.clip(whole[owner] - np.minimum(sums, whole[owner]), 0, need)
            fresh = (given > 0) & (free[rows] == 0)
            waived[rows[fresh]] = allowance.connection
            free[rows] += given
            left[:, place] = whole - np.minimum(used, whole)
        return free, waived


@contextmanager
def _placed(columns: Columns, block: slice) -> Iterator[None]:
    """Says of which record an error is."""
    try:
        yield
    except BeyondError as error:
        row = block.start + error.row
        statement = int(np.searchsorted(columns.first, row, side="right")) - 1
        raise RatingError(statement, row - int(columns.first[statement])) from None


def _blocks(count: int) -> list[slice]:
    return [slice(begin, min(begin + _BLOCK, count)) for begin in range(0, count, _BLOCK)]


def _local(columns: Columns, block: slice) -> NDArray[np.int64]:
    started = np.clip(columns.started_at[block], -_FARTHEST, _FARTHEST)
    return started + columns.utc_offset[block].astype(np.int64) * 60


def _rows(chosen: NDArray[np.bool_], order: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """The rows chosen, statement after statement, each in order of time."""
    if order is None:
        return np.flatnonzero(chosen)
    rows: NDArray[np.int64] = order[chosen[order]]
    return rows


def _total(amount: int, carried: int) -> int:
    if not 0 <= carried < 1 << 62:
        raise InputError(
            f"a balance of {carried} cannot be", field="left", advice="Write units of usage, below 2^62."
        )
    return amount + carried
