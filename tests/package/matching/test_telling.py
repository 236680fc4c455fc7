"""What sentences know beyond a result: the phone's other list, and the line that a duplicate repeats."""

from __future__ import annotations

import pyarrow as pa
import pytest
from bills import START, bundle, log, record

from billproof.bundle.lines import Line, amount, duration, line_of
from billproof.handset.entries import ENTRY_SCHEMA, PhoneLog
from billproof.matching import telling

NUMBER = "+353209100001"


def log_of(kind: str, number: str = NUMBER) -> PhoneLog:
    rows = [{**row, "kind": kind} for row in log(number).entries.to_pylist()]
    return PhoneLog("log.xml", "csv", "utc", 1, 1, None, pa.Table.from_pylist(rows, schema=ENTRY_SCHEMA))


@pytest.mark.parametrize(
    ("kinds", "found"),
    [
        (("message",), True),
        (("mms",), True),
        (("call",), False),
        (("call", "message"), True),
        (("app",), False),
        (("app", "message"), True),
    ],
)
def test_the_other_list_of_a_call_is_that_of_messages(kinds: tuple[str, ...], found: bool) -> None:
    logs = [log_of(kind) for kind in kinds]
    assert telling.elsewhere(bundle(), [0], logs, "IE") == ({0} if found else set())


def test_the_other_list_of_a_message_is_that_of_calls() -> None:
    bill = bundle(service="4")
    assert telling.elsewhere(bill, [0, 2], [log_of("call")], "IE") == {0, 2}
    assert telling.elsewhere(bill, [0, 2], [log_of("message")], "IE") == set()
    assert telling.elsewhere(bill, [0], [log_of("call", "+353209100002")], "IE") == set()
    assert telling.elsewhere(bill, [0], [], "IE") == set()


def test_a_duplicate_names_the_line_that_it_repeats() -> None:
    bill = bundle()
    starts = [START, START, START, START + 30, START + 5000]
    bill.records[:5] = [
        record(at, startedAt=str(start), usage="64", billedUsage="64") for at, start in enumerate(starts)
    ]
    fates = [
        (0, "invoice-only", "absent", False),
        (1, "matched", "paired", True),
        (2, "duplicate", "same", False),
        (3, "duplicate", "near", False),
        (4, "duplicate", "near", False),
    ]
    assert telling.twins(bill, fates, "IE") == {2: 1, 3: 1}, "one that the phone has goes first"
    assert telling.twins(bill, fates[:2], "IE") == {}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0:00 min"), (3599, "59:59 min"), (3600, "1 h"), (11_855, "3 h 17 min 35 s"), (7230, "2 h 30 s")],
)
def test_an_hour_and_more_is_told_in_hours(seconds: int, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("billionths", "currency", "words"),
    [
        (14_432_000_000, "EUR", "14.432 EUR"),
        (-500_000_000, "EUR", "-0.50 EUR"),
        (1_500_000_000_000, "JPY", "1,500 JPY"),
        (500_000_000, "JPY", "0.5 JPY"),
        (1_500_000_000, "KWD", "1.500 KWD"),
        (1, "EUR", "0.000000001 EUR"),
    ],
)
def test_money_has_the_usual_decimals_or_as_many_more_as_it_takes(
    billionths: int, currency: str, words: str
) -> None:
    assert amount(billionths, currency) == words


def test_who_does_not_show_a_number_is_named_so() -> None:
    assert line_of(record(0, number="", service="2"), "EUR").thing == "call from a withheld number"
    assert line_of(record(0, number="", service="32"), "EUR").thing == "monthly fee"
    assert "call to +353" in str(line_of(record(0), "EUR"))
    assert isinstance(line_of(record(0), "EUR"), Line)
