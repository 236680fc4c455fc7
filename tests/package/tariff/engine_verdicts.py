"""The engine's answers in the naive rater's form, for one tariff and several statements at once."""

from __future__ import annotations

from typing import Any

import naive_check
import numpy as np
import pyarrow as pa

from billproof import records as rec
from billproof.tariff import Tariff
from billproof.tariff.check import Checker
from billproof.tariff.rating import Rater
from billproof.tariff.result import Status

Statement = tuple[list[dict[str, Any]], dict[str, int]]
Answer = tuple[list[naive_check.Verdict], list[tuple[str, int]], dict[str, int]]

#: Column → the record's key.
COLUMNS = {
    "service": "service",
    "started_at": "startedAt",
    "utc_offset": "utcOffset",
    "usage": "usage",
    "billed_usage": "billedUsage",
    "number": "number",
    "network": "network",
    "amount": "amount",
    "rate": "rate",
    "corrects": "corrects",
}


def table_of(records: list[dict[str, Any]]) -> pa.Table:
    """Records as columns of the package's schema."""
    columns = {}
    for column, key in COLUMNS.items():
        values = [record[key] for record in records]
        if column == "corrects":
            values = [bytes.fromhex(value[2:]) for value in values]
        array = pa.array(values, pa.string() if isinstance(values[0], str) else None)
        columns[column] = array.cast(rec.SCHEMA.field(column).type)
    return pa.table(columns)


def answers_of(tariff: Tariff, statements: list[Statement]) -> list[Answer]:
    """The engine's verdicts, missing lines and what is left of each allowance, by statement."""
    lengths = [len(records) for records, _ in statements]
    first = np.cumsum([0, *lengths[:-1]]).astype(np.int64)
    table = table_of([record for records, _ in statements for record in records])
    names = [allowance.name for allowance in tariff.allowances]
    balances = {
        (statement, names.index(name)): left
        for statement, (_, carried) in enumerate(statements)
        for name, left in carried.items()
    }
    rated = Rater(tariff).rate(table, first, balances=balances)
    checked = Checker(tariff).check(table, first, balances=balances)
    causes = {(each.statement, each.line): each for each in checked.differences}
    answers = []
    for statement, (records, _) in enumerate(statements):
        verdicts = []
        for line, record in enumerate(records):
            row = int(first[statement]) + line
            difference = causes.get((statement, line))
            verdicts.append(_verdict(tariff, record, row, rated, checked, difference))
        missing = [
            (each.words, each.due)
            for each in checked.differences
            if each.statement == statement and each.line is None
        ]
        left = dict(zip(names, map(int, rated.left[statement]), strict=True))
        answers.append((verdicts, missing, left))
    return answers


def _verdict(
    tariff: Tariff, record: dict[str, Any], row: int, rated: Any, checked: Any, difference: Any
) -> naive_check.Verdict:
    status = Status(int(checked.status[row])).words
    cause = difference.cause if difference else ""
    if difference:
        assert difference.charged == record["amount"]
        assert difference.due == int(checked.due[row])
    place = int(checked.rate[row])
    name = tariff.rates[place].name if place >= 0 else ""
    due: int | None = int(checked.due[row])
    billed = int(checked.due_billed[row]) if place >= 0 else None
    if status in ("outside validity", "not priced"):
        assert due == record["amount"]
        due = None
    if place >= 0:
        assert place == int(rated.rate[row])
        assert due == int(rated.charge[row])
        assert billed == int(rated.billed[row])
    return naive_check.Verdict(status, name, billed, due, int(rated.free[row]), cause)
