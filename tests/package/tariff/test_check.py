"""What a check says in words, of one statement and of many."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from records import table

from billproof.records import NANO
from billproof.tariff import load_tariff
from billproof.tariff.check import Checker
from billproof.tariff.result import Difference, Status

NONE = "0x" + "0" * 64
THURSDAY = 1_790_812_800  # 2026-10-01 00:00 UTC
NOON = THURSDAY + 12 * 3600

PLAN = """
schema = "billproof/tariff/1"
name = "Plan"
version = "1"
currency = "EUR"
valid = { from = "2026-10-01" }
rounding = { mode = "half-up", decimals = 2, at = "call" }
total = { mode = "half-up", decimals = 1 }
[calendars.working]
peak = [{ from = "08:00", until = "18:00" }]
off-peak = "rest"
[destinations]
near = ["+44"]
[zones]
eu = ["208"]
[[rates]]
name = "peak"
services = ["voice-originated"]
calendar = "working"
bands = ["peak"]
connection = "0.03"
price = "0.213"
unit = "60 s"
increment = "30 s"
[[rates]]
name = "off-peak"
services = ["voice-originated"]
calendar = "working"
bands = ["off-peak"]
price = "0.11"
unit = "60 s"
[[rates]]
name = "near"
services = ["voice-originated"]
destinations = ["near"]
price = "0.50"
unit = "60 s"
[[rates]]
name = "roaming"
services = ["voice-originated"]
zones = ["eu"]
price = "0.90"
unit = "60 s"
[[rates]]
name = "data"
services = ["data"]
price = "1.50"
unit = "1 MB"
tiers = [{ above = "2 MB", price = "1.00" }]
[[allowances]]
name = "free texts"
services = ["message-sent"]
amount = "2 messages"
[[rates]]
name = "text"
services = ["message-sent"]
price = "0.09"
unit = "1 message"
[[fees]]
name = "monthly"
amount = "5.00"
service = "recurring"
times = "once"
[[taxes]]
name = "vat"
percent = "20"
"""


def record(amount: str = "0", **changes: Any) -> dict[str, Any]:
    whole, _, rest = amount.partition(".")
    plain = {"service": 1, "startedAt": NOON, "utcOffset": 0, "usage": 60, "billedUsage": 60, "number": "+1"}
    return {
        **plain,
        "network": "",
        "amount": int(whole + rest.ljust(9, "0")),
        "rate": "",
        "corrects": NONE,
        **changes,
    }


FEE = record("5", service=32, usage=0, billedUsage=0, rate="monthly")


def differences(*records: dict[str, Any]) -> list[Difference]:
    return list(Checker(load_tariff(PLAN.encode())).check(table([*records])).differences)


@pytest.mark.parametrize(
    ("records", "cause", "words"),
    [
        ([record("0.24", billedUsage=61)], "billed-usage", "61 s billed, the contract says 1 min"),
        ([record("0.46", billedUsage=120)], "billed-usage", "2 min billed, the contract says 1 min"),
        (
            [record("0.09", service=4, usage=1, billedUsage=1)],
            "allowance",
            "1 message of it is free by the contract",
        ),
        ([record("0.90")], "zone", "charged as roaming in eu, the network was home"),
        ([record("0.24", network="208-01")], "zone", "charged as home, the network was in eu"),
        ([record("0.11")], "band", "charged at the price of off-peak, it was peak"),
        ([record("0.50")], "destination", "charged as near, the number is any other number"),
        (
            [
                record("3.00", service=6, usage=2 * 10**6, billedUsage=2 * 10**6),
                record("1.50", service=6, usage=10**6, billedUsage=10**6),
            ],
            "tier",
            "charged at 1.50 EUR for 1 MB, from 2 MB on it is 1.00",
        ),
        ([record("0.25")], "rounding", "rounded up, the contract says half-up"),
        (
            [record("0.27")],
            "connection",
            "the connection fee is charged twice, the contract says charged once",
        ),
        ([record("0.21")], "connection", "the connection fee is not charged, the contract says charged once"),
        ([record("0.30")], "price", "charged 0.30 EUR, the contract says 0.24 EUR"),
        ([record("0.30", network="310-01")], "no-rate", "the contract has no price for it"),
        ([record("4", service=35, rate="vat")], "tax", "charged 4.00 EUR, the contract says 1.00 EUR"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_causes_in_words(records: list[dict[str, Any]], cause: str, words: str) -> None:
    (found,) = differences(FEE, *records)
    assert (found.cause, found.words) == (cause, words)
    assert found.line == len(records)


def test_lines_that_are_missing_or_there_again() -> None:
    (missing,) = differences(record("0.24"))
    assert (missing.line, missing.cause, missing.difference) == (None, "missing", -5 * NANO)
    assert missing.words == "the line monthly of 5.00 EUR is not there"
    (again,) = differences(FEE, FEE)
    assert (again.line, again.cause, again.due, again.difference) == (1, "repeated", 0, 5 * NANO)


def test_a_total_is_of_what_is_charged() -> None:
    rounding = {**record("0", service=37, usage=0, billedUsage=0), "amount": -4 * 10**7}
    assert differences(FEE, record("0.24"), rounding) == []
    (found,) = differences(FEE, record("0.24"), {**rounding, "amount": 10**7})
    assert (found.cause, found.due) == ("total", -4 * 10**7)


def test_sums_beyond_64_bits_are_exact() -> None:
    huge = [record(str(9 * 10**9), service=33, rate="x") for _ in range(4)]
    (found,) = differences(FEE, *huge, record("1", service=35, rate="vat"))
    assert found.due == (36 * 10**9 + 5) * NANO // 5


def test_many_statements_are_checked_as_each_alone() -> None:
    checker = Checker(load_tariff(PLAN.encode()))
    statements = [
        [FEE, record("0.30")],
        [record("0.24")],
        [FEE, FEE, record("5", service=33, rate="other")],
        [record("0.09", service=4, usage=1, billedUsage=1), FEE],
    ]
    first = np.cumsum([0, *map(len, statements[:-1])])
    together = checker.check(table([row for rows in statements for row in rows]), first)
    alone = [checker.check(table(rows)) for rows in statements]
    assert together.status.tolist() == [status for one in alone for status in one.status.tolist()]
    assert together.due.tolist() == [due for one in alone for due in one.due.tolist()]
    expected = [
        (place, found.line, found.cause, found.words)
        for place, one in enumerate(alone)
        for found in one.differences
    ]
    assert [(f.statement, f.line, f.cause, f.words) for f in together.differences] == expected
    assert together.counts[Status.NOT_PRICED] == 1
    assert together.too_much == sum(one.too_much for one in alone)
    assert together.too_little == 5 * NANO


def test_an_empty_statement_lacks_nothing_and_none_are_checked() -> None:
    checked = Checker(load_tariff(PLAN.encode())).check(table([]), np.zeros(0, np.int64))
    assert checked.differences == []
    assert not checked.counts.total()
