"""Usage from files, priced by a tariff: what an operator without a rater of its own puts on its bills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from billproof.intake import REJECTS, read
from billproof.records import SCHEMA, Service
from billproof.statements import Statements, arrange
from billproof.tariff import Tariff
from billproof.tariff.balances import Balances
from billproof.tariff.rating import Rater
from billproof.tariff.result import NO_RATE, NO_USAGE, OUTSIDE, Rated
from billproof.tariff.values import decimal_of

#: Records that are rated and written at a time, about.
_RANGE = 1 << 18


#: The status of a record by its rate, or by why it has none.
_STATUS = np.array(["priced", "", "", ""], dtype="U16")
_STATUS[[NO_RATE, OUTSIDE, NO_USAGE]] = "no rate", "outside validity", "not priced"

#: What is written of each record; ``started_at`` is local time with its offset.
PRICED = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("service", pa.string(), nullable=False),
        pa.field("started_at", pa.string(), nullable=False),
        pa.field("usage", pa.int64(), nullable=False),
        pa.field("billed_usage", pa.int64(), nullable=False),
        pa.field("free_usage", pa.int64(), nullable=False),
        pa.field("number", pa.string(), nullable=False),
        pa.field("network", pa.string(), nullable=False),
        pa.field("amount", pa.decimal128(19, 9), nullable=False),
        pa.field("currency", pa.string(), nullable=False),
        pa.field("rate", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("line", pa.int64(), nullable=False),
    ]
)


@dataclass
class Priced:
    """What a run has come to. ``balances`` are those for the next cycle, as rows of their file."""

    rows: int = 0
    other_periods: int = 0
    other_currency: int = 0
    records: int = 0
    accounts: int = 0
    total: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    balances: list[pa.Table] = field(default_factory=list)
    rejects: list[pa.RecordBatch] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        """Rows that could not be used."""
        return sum(batch.num_rows for batch in self.rejects)

    def rejects_table(self) -> pa.Table:
        """Them."""
        return pa.Table.from_batches(self.rejects, schema=REJECTS)


def read_usage(
    paths: Iterable[Path], form: str, *, period: int, mapping: Path | None, currency: str, result: Priced
) -> Statements:
    """What is in files as statements. Usage has no amount yet, and ``currency``; other lines keep theirs."""
    parts = []
    for path in paths:
        for chunk in read(path, form, period=period, mapping=mapping):
            result.rows += chunk.rows
            result.other_periods += chunk.other_periods
            if chunk.rejects.num_rows:
                result.rejects.append(chunk.rejects)
            parts.append(pa.table(chunk.records.columns, schema=SCHEMA))
    records = pa.concat_tables(parts) if parts else SCHEMA.empty_table()
    usage = records["service"].to_numpy() < int(Service.RECURRING)
    foreign = ~usage & pc.not_equal(records["currency"].cast(pa.string()), currency).to_numpy()
    result.other_currency = int(foreign.sum())
    if result.other_currency:
        records, usage = records.filter(pa.array(~foreign)), usage[~foreign]
    count = records.num_rows
    amounts = pa.array(np.where(usage, 0, records["amount"].to_numpy()))
    same = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([currency]))
    for name, column in (("amount", amounts), ("currency", same)):
        at = SCHEMA.get_field_index(name)
        records = records.set_column(at, SCHEMA.field(at), column)
    return arrange(records)[0]


def price(statements: Statements, tariff: Tariff, carried: Balances, result: Priced) -> Iterator[pa.Table]:
    """The records of statements, priced: tables of :data:`PRICED`, a range of statements at a time."""
    rater = Rater(tariff)
    carried.of(carried.accounts, tariff)  # whoever stands there
    result.records, result.accounts = statements.records.num_rows, len(statements)
    used = pc.is_in(carried.accounts, statements.accounts)
    idle = carried.of(carried.accounts.filter(pc.invert(used)), tariff)
    result.balances.append(idle.carried_on(idle.whole).table)
    groups = np.cumsum(statements.count) // _RANGE
    for which in np.split(np.arange(len(statements)), np.flatnonzero(np.diff(groups)) + 1):
        if len(which):
            yield _range(statements, which, rater, carried, result)


def _range(
    statements: Statements, which: NDArray[np.int64], rater: Rater, carried: Balances, result: Priced
) -> pa.Table:
    tariff = rater.tariff
    begin = int(statements.first[which[0]])
    records = statements.records.slice(begin, int(statements.count[which].sum()))
    held = carried.of(statements.accounts.slice(int(which[0]), len(which)), tariff)
    rated = rater.rate(records, statements.first[which] - begin, balances=held.sums)
    result.balances.append(held.carried_on(rated.left).table)
    amounts = np.where(rated.rate == NO_USAGE, records["amount"].to_numpy(), rated.charge)
    table = _table(records, rated, amounts, tariff)
    result.total += sum(amounts.tolist())
    counts = pc.value_counts(table["status"]).to_pylist()
    result.statuses.update({count["values"]: count["counts"] for count in counts})
    return table


def _table(records: pa.Table, rated: Rated, amounts: NDArray[np.int64], tariff: Tariff) -> pa.Table:
    names = pa.array([*(rate.name for rate in tariff.rates), ""], pa.string())
    rates = names.take(pa.array(np.where(rated.rate < 0, len(tariff.rates), rated.rate)))
    printed = records["rate"].cast(pa.string()).combine_chunks()
    return pa.table(
        [
            records["account"].cast(pa.string()),
            _mapped(records["service"].to_numpy(), _SERVICES),
            _local(records),
            records["usage"],
            pa.array(rated.billed),
            pa.array(rated.free),
            records["number"].cast(pa.string()),
            records["network"].cast(pa.string()),
            _amounts(amounts),
            pa.array(np.full(len(rated.charge), tariff.currency)),
            pc.if_else(pa.array(rated.rate == NO_USAGE), printed, rates),
            pa.array(_STATUS[np.minimum(rated.rate, 0)]),
            records["source"].cast(pa.string()),
            records["line"],
        ],
        schema=PRICED,
    )


_SERVICES = {int(service): service.name.lower() for service in Service}


def _mapped(codes: NDArray[np.uint8], words: Mapping[int, str]) -> pa.Array:
    return pa.array([words.get(code, str(code)) for code in range(256)]).take(pa.array(codes))


def _amounts(billionths: NDArray[np.int64]) -> pa.Array:
    """As decimals, without a step through binary fractions: a decimal's bytes are the integer's."""
    wide = np.zeros((len(billionths), 2), np.int64)
    wide[:, 0], wide[:, 1] = billionths, billionths >> 63
    return pa.Array.from_buffers(pa.decimal128(19, 9), len(billionths), [None, pa.py_buffer(wide.tobytes())])


def with_text_amounts(table: pa.Table) -> pa.Table:
    """The same for CSV: amounts as decimal texts."""
    at = table.schema.get_field_index("amount")
    texts = [decimal_of(amount, 9, 2) for amount in _billionths(table["amount"])]
    return table.set_column(at, pa.field("amount", pa.string(), nullable=False), pa.array(texts, pa.string()))


def _billionths(amounts: pa.ChunkedArray) -> Iterator[int]:
    for chunk in amounts.chunks:
        wide = np.frombuffer(chunk.buffers()[1], np.int64, 2 * len(chunk), 16 * chunk.offset)
        yield from wide[::2].tolist()


def _local(records: pa.Table) -> pa.Array:
    """``2026-10-03T14:00:00+01:00``."""
    offset = records["utc_offset"].to_numpy().astype(np.int64)
    local = pa.array(records["started_at"].to_numpy() + 60 * offset).cast(pa.timestamp("s"))
    different, codes = np.unique(offset, return_inverse=True)
    texts = [
        f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
        for minutes in different.tolist()
    ]
    zones = pa.array(texts, pa.string()).take(pa.array(codes))
    return pc.binary_join_element_wise(pc.strftime(local, "%Y-%m-%dT%H:%M:%S"), zones, "")
