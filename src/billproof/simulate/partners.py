"""Two operators' books of the same wholesale traffic, with honest differences and labelled errors.

One true list of calls, messages and data sessions is booked twice: each side has its own clock (a second or
two apart), currency and rounding of money. Then errors are made that are known by record. Whatever clears the
books shares neither code nor constants with this module; the agreement that it writes is all that they have
in common.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from billproof.records import NANO
from billproof.simulate.draws import Draws

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Errors of single records, and such as go through a whole part of a book.
SINGLE = ("missing-ours", "missing-theirs", "duplicate", "duration")
SYSTEMATIC = ("time-zone", "cycle-shift", "rounding", "rate", "unit", "currency")

_BEGIN, _DAYS = 1_790_812_800, 31  # October 2026
_GBP = 11_834  # ten thousandths of a euro
_SHIFTED_REGION, _SHIFT, _LATE = 1, 3_600, 3 * 3_600
_DEAR_PREFIX, _DEAR = 2, 125  # which destination has another rate on the other side, in a hundred

#: What nobody argues about: seconds, bytes, billionths of a euro.
_CLOSE_SECONDS, _CLOSE_BYTES, _CLOSE_MONEY = 2, 1_000, 5_000_000

_PREFIXES = ("+44770090", "+4420794", "+3363998", "+3532091", "+6125550", "+1202555")
_MINUTE = np.array([90, 20, 120, 60, 240, 30], np.int64) * (NANO // 1000)
_MESSAGE, _MEGABYTE = 60 * NANO // 1000, 2 * NANO // 1000
_NETWORKS = ("999-71", "999-72", "999-73")  # one a region
_RATES = ("uk-mobile", "london", "fr-mobile", "ie-fixed", "au", "us", "sms", "data")

AGREEMENT = """schema = "billproof/agreement/1"
name = "Meridian and Skylark, simulated"
valid = { from = "2026-01-01", until = "2027-01-01" }
settlement = "EUR"

[[parties]]
operator = 1
name = "Meridian"
currency = "EUR"
[[parties]]
operator = 2
name = "Skylark"
currency = "GBP"

[exchange]
GBP = "1.1834"

[tolerance]
start = "60 s"
usage = "2 s"
data = "1 kB"
amount = "0.005"

[routes]
uk-mobile = ["+4477"]
london = ["+4420"]
fr-mobile = ["+336"]
ie-fixed = ["+353"]
au = ["+61"]
us = ["+1"]
"""


@dataclass
class PartnerBooks:
    """The two books by region, each a table of records; who is who; and what is wrong.

    ``ids`` has the true record of every row, by side and region. ``labels``: kind → true records; of
    what is in one book only, the kind is ``missing-ours`` (they have it, we do not), ``missing-theirs``,
    ``duplicate-ours``, ``duplicate-theirs``, ``cycle-shift``.
    """

    tables: tuple[list[pa.Table], list[pa.Table]]
    ids: tuple[list[Int64s], list[Int64s]]
    labels: dict[str, Int64s] = field(default_factory=dict)

    def write(self, home: Path) -> tuple[Path, Path, Path]:
        """Folders of both books, a Parquet file a region, and the agreement's file."""
        folders = home / "ours", home / "theirs"
        for folder, tables in zip(folders, self.tables, strict=True):
            folder.mkdir(parents=True)
            for region, table in enumerate(tables):
                pq.write_table(table, folder / f"region-{region}.parquet")
        agreement = home / "agreement.toml"
        agreement.write_text(AGREEMENT)
        return *folders, agreement


@dataclass
class _Side:
    """One side's book while it is made: a row for each true record, later some less, some more."""

    id: Int64s
    start: Int64s
    usage: Int64s
    billed: Int64s
    euros: Int64s
    amount: Int64s


def partner_books(records: int, seed: int, errors: Collection[str] = (*SINGLE, *SYSTEMATIC)) -> PartnerBooks:
    """Two books of ``records`` true records of a month; the same for the same arguments."""
    draws = Draws(seed, 77)
    service = np.array([1, 1, 1, 2, 2, 2, 4, 4, 6, 6], np.int64)[draws.below(10, records)]
    region = draws.below(len(_NETWORKS), records)
    prefix = draws.below(len(_PREFIXES), records)
    # ever more records of ever fewer numbers, as call centres have
    last = (draws.below(1 << 20, records) * draws.below(1 << 20, records) >> 20) * max(
        20, records // 30
    ) >> 20
    start = _BEGIN + np.sort(draws.below(_DAYS * 86_400, records))
    usage = 1 + (draws.below(1 << 11, records) * draws.below(1 << 11, records) >> 12)
    usage[service == 4] = 1
    data = service == 6
    usage[data] = 20_000 + (draws.below(1 << 30, records) * draws.below(1 << 10, records) >> 12)[data]
    truth = {"service": service, "region": region, "prefix": prefix, "last": last}
    labels: dict[str, Int64s] = {}
    every = np.arange(records)
    ours = _booked(every, start, usage.copy(), _charge(truth, usage), 100_000, 10_000)
    clock = start + draws.below(5, records) - 2
    theirs = _booked(every, clock, usage.copy(), _charge(truth, usage), 10_000, _GBP)
    _systematic(set(errors), truth, ours, theirs, labels)
    _single(set(errors), truth, ours, theirs, labels, draws)
    found = PartnerBooks(([], []), ([], []), labels)
    for side, (book, currency) in enumerate(((ours, "EUR"), (theirs, "GBP"))):
        order = np.argsort(book.start, kind="stable")
        for number in range(len(_NETWORKS)):
            rows = order[region[book.id[order]] == number]
            found.tables[side].append(_table(book, rows, truth, currency))
            found.ids[side].append(book.id[rows])
    return found


def _booked(ids: Int64s, start: Int64s, usage: Int64s, euros: Int64s, decimals: int, rate: int) -> _Side:
    return _Side(ids.copy(), start, usage, usage.copy(), euros, _money(euros, decimals, rate))


def _money(euros: Int64s, decimals: int, rate: int) -> Int64s:
    """Euros in a currency of so many ten thousandths of a euro, rounded to multiples of ``decimals``."""
    amount = (euros * 10_000 + rate // 2) // rate
    return (amount + decimals // 2) // decimals * decimals


def _charge(truth: dict[str, Int64s], billed: Int64s) -> Int64s:
    """What billed usage costs, in billionths of a euro."""
    voice = _MINUTE[truth["prefix"]] * billed // 60
    data = _MEGABYTE * (billed // 1_000) // 1_000
    return np.select([truth["service"] == 4, truth["service"] == 6], [_MESSAGE * billed, data], voice)


def _systematic(
    errors: set[str], truth: dict[str, Int64s], ours: _Side, theirs: _Side, labels: dict[str, Int64s]
) -> None:
    service, every = truth["service"], theirs.id
    if "rounding" in errors:
        rows = service == 2
        theirs.billed[rows] = -(-theirs.usage[rows] // 60) * 60
        theirs.euros[rows] = _charge(truth, theirs.billed)[rows]
        labels["rounding"] = every[rows & (theirs.billed - theirs.usage > _CLOSE_SECONDS)]
    if "rate" in errors:
        rows = (service == 1) & (truth["prefix"] == _DEAR_PREFIX)
        theirs.euros[rows] = theirs.euros[rows] * _DEAR // 100
    theirs.amount[:] = _money(theirs.euros, 10_000, _GBP)
    if "currency" in errors:
        theirs.amount[service == 4] = theirs.euros[service == 4]
    apart = np.abs(ours.amount - _settled(theirs.amount)) > _CLOSE_MONEY
    if "rate" in errors:
        labels["rate"] = every[(service == 1) & apart]
    if "currency" in errors:
        labels["currency"] = every[(service == 4) & apart]
    if "unit" in errors:
        rows = service == 6
        theirs.usage[rows] = theirs.billed[rows] = (theirs.usage[rows] + 500) // 1_000
        labels["unit"] = every[rows]
    if "time-zone" in errors:
        rows = truth["region"] == _SHIFTED_REGION
        theirs.start[rows] += _SHIFT
        labels["time-zone"] = every[rows]


def _settled(pounds: Int64s) -> Int64s:
    return (pounds * _GBP + 5_000) // 10_000


def _single(
    errors: set[str],
    truth: dict[str, Int64s],
    ours: _Side,
    theirs: _Side,
    labels: dict[str, Int64s],
    draws: Draws,
) -> None:
    count = len(ours.id)
    free = np.ones(count, bool)  # one error of this kind a record
    if "cycle-shift" in errors:
        late = ours.start >= _BEGIN + _DAYS * 86_400 - _LATE
        labels["cycle-shift"] = np.flatnonzero(late)
        free &= ~late
    if "duration" in errors:
        rows = free & draws.chance(3, count) & (truth["service"] != 4)
        free &= ~rows
        extra = np.where(
            truth["service"] == 6, 500_000 + draws.below(5_000_000, count), 5 + draws.below(300, count)
        )
        labels["duration"] = np.flatnonzero(rows)
        for column in (ours.usage, ours.billed):
            column[rows] += extra[rows]
        ours.euros[rows] = _charge(truth, ours.billed)[rows]
        ours.amount[rows] = _money(ours.euros, 100_000, 10_000)[rows]
        for kind in ("rounding", "rate", "unit"):  # it differs in more than that now
            if kind in labels:
                labels[kind] = np.setdiff1d(labels[kind], labels["duration"])
    absent: list[Bools] = []
    for kind in ("missing-ours", "missing-theirs"):
        absent.append(free & draws.chance(5, count) & (kind in errors))
        free &= ~absent[-1]
        labels[kind] = np.flatnonzero(absent[-1])
    twice: list[Int64s] = [np.zeros(0, np.int64)] * 2
    if "duplicate" in errors:
        for side, name in enumerate(("ours", "theirs")):
            rows = free & draws.chance(2, count)
            free &= ~rows
            twice[side] = np.flatnonzero(rows)
            labels[f"duplicate-{name}"] = twice[side]
    late = np.isin(np.arange(count), labels.get("cycle-shift", np.zeros(0, np.int64)))
    alone = late | absent[0] | absent[1]
    for kind in ("time-zone", "rounding", "rate", "unit", "currency"):
        if kind in labels:
            labels[kind] = labels[kind][~alone[labels[kind]]]
    for side, book in enumerate((ours, theirs)):
        out = absent[side] | late if side == 1 else absent[side]
        kept = np.concatenate([np.flatnonzero(~out), twice[side]])
        for name in ("id", "start", "usage", "billed", "euros", "amount"):
            setattr(book, name, getattr(book, name)[kept])


def _table(book: _Side, rows: Int64s, truth: dict[str, Int64s], currency: str) -> pa.Table:
    at = book.id[rows]
    service = truth["service"][at]
    numbers = pa.array(
        np.char.add(np.array(_PREFIXES)[truth["prefix"][at]], (100_000 + truth["last"][at]).astype("U6"))
    )
    numbers = pc.if_else(pa.array(service == 6), "", numbers)
    rate = np.select([service == 4, service == 6], [6, 7], truth["prefix"][at])
    return pa.table(
        {
            "service": pa.array(service, pa.uint8()),
            "started_at": book.start[rows],
            "utc_offset": pa.array(np.zeros(len(rows)), pa.int16()),
            "usage": book.usage[rows],
            "billed_usage": book.billed[rows],
            "number": numbers,
            "network": _coded(truth["region"][at], _NETWORKS),
            "amount": book.amount[rows],
            "currency": _coded(np.zeros(len(rows), np.int64), (currency,)),
            "rate": _coded(rate, _RATES),
        }
    )


def _coded(codes: Int64s, texts: tuple[str, ...]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(codes.astype(np.int32), pa.array(texts))
