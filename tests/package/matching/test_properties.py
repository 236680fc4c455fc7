"""What holds of every match, whatever bill and logs are."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billproof.errors import InputError
from billproof.handset.entries import ENTRY_SCHEMA, PhoneLog
from billproof.matching import Invoice, match
from billproof.matching.assignment import assign
from billproof.matching.candidates import ALONE, candidates
from billproof.matching.clock import clocks_of, views_of
from billproof.matching.columns import stack
from billproof.matching.copies import copies_of
from billproof.matching.matcher import match_all
from billproof.matching.result import result_of

START = 1_790_900_000
NUMBERS = ["+353870000001", "0870000002", "+353870000002", "", "50505", "+353870000xxx"]

line = st.fixed_dictionaries(
    {
        "service": st.sampled_from([1, 1, 1, 2, 3, 4, 4, 5, 6, 7, 32]),
        "started_at": st.integers(START, START + 9_000) | st.integers(0, 2 * START),
        "utc_offset": st.sampled_from([0, 60]),
        "usage": st.integers(0, 100) | st.integers(0, 50_000),
        "billed_usage": st.integers(0, 60_000),
        "number": st.sampled_from(NUMBERS),
        "amount": st.integers(-(10**9), 10**12),
        "rate": st.sampled_from(["a", "b"]),
        "corrects": st.just(False),
    }
)
entry = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["call", "call", "message", "mms", "app"]),
        "direction": st.sampled_from(["out", "out", "in"]),
        "answered": st.sampled_from(["yes", "yes", "no", "unknown"]),
        "number": st.sampled_from(NUMBERS[:5]),
        "at": st.integers(START, START + 9_000),
        "duration": st.integers(-1, 100),
        "parts": st.integers(0, 3),
        "sim": st.sampled_from(["", "1", "2"]),
    }
)
lines = st.lists(line, max_size=14)
entries = st.lists(entry, max_size=14)


def bill(rows):
    ints = ("service", "started_at", "utc_offset", "usage", "billed_usage", "amount")
    return Invoice(
        202610,
        "EUR",
        **{name: np.array([row[name] for row in rows], np.int64) for name in ints},
        number=pa.array([row["number"] for row in rows], pa.string()),
        rate=pa.array([row["rate"] for row in rows], pa.string()),
        corrects=np.array([row["corrects"] for row in rows], bool),
    )


def log(rows, **more):
    columns = {field.name: pa.array([row[field.name] for row in rows]) for field in ENTRY_SCHEMA}
    table = pa.table(columns).cast(ENTRY_SCHEMA) if rows else ENTRY_SCHEMA.empty_table()
    return PhoneLog(
        **{"name": "log", "format": "test", "clock": "utc", "step": 1, "duration_step": 1} | more,
        exported_at=None,
        entries=table,
    )


@settings(max_examples=60, deadline=None)
@given(lines, entries, entries)
def test_what_always_holds(rows, first, second):
    result = match(bill(rows), [log(first), log(second, clock="local", step=60)])
    assert [found.index for found in result.lines] == list(range(len(rows)))
    own = [
        (found.log, found.entry) for found in result.lines if found.entry is not None and found.joins is None
    ]
    assert len(own) == len(set(own))
    billed = {
        (at, place): entry.line
        for at, entries in enumerate(result.entries)
        for place, entry in enumerate(entries)
        if entry.kind == "billed"
    }
    assert billed == {
        (f.log, f.entry): f.index for f in result.lines if f.entry is not None and f.joins is None
    }
    for found, row in zip(result.lines, rows, strict=True):
        joined = sum(max(0, rows[f.index]["amount"]) for f in result.lines if f.joins == found.index)
        assert 0 <= found.stake <= max(0, row["amount"]) + joined
        assert (found.confidence is not None) == found.finding
        if found.confidence is not None:
            assert 0 <= found.confidence <= 99
        assert found.finding or found.stake == 0
        assert (found.kind == "not-comparable" and found.reason == "service") == (row["service"] in (6, 32))
        if found.question:
            assert found.entry is None
            assert not found.finding
    summary = result.document()["summary"]
    assert summary["questions"] == len(result.questions)
    paid = sum(max(0, row["amount"]) for row in rows)
    assert int(summary["asked"]) + int(summary["unchecked"]) + int(summary["stake"]) <= paid
    document = result.document()
    assert document["summary"]["stake"] == str(sum(int(found["stake"]) for found in document["lines"]))
    assert sum(document["summary"]["classes"].values()) == len(rows)


def least_sum(rows, given_entries):
    """What the best assignment costs, and the clock that it was found by."""
    one = stack([(bill(rows), [log(given_entries)])])
    views = views_of(one)
    clocks = clocks_of(one, views)
    pairs = candidates(one, views, clocks, copies_of(one))
    found = assign(pairs, len(one.lines), len(one.entries))
    costs = dict(
        zip(zip(pairs.line.tolist(), pairs.entry.tolist(), strict=True), pairs.cost.tolist(), strict=True)
    )
    paired = [costs[at, to] for at, to in enumerate(found.tolist()) if to >= 0]
    alone = int(one.lines.comparable.sum()) - len(paired)
    return sum(paired) + ALONE * alone, clocks.offset.tolist(), clocks.support.tolist()


@settings(max_examples=60, deadline=None)
@given(lines, entries, st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(rows, given_entries, dice):
    """Of equal assignments another may be chosen; none is better."""
    mixed = list(given_entries)
    dice.shuffle(mixed)
    assert least_sum(rows, given_entries) == least_sum(rows, mixed)


@settings(max_examples=40, deadline=None)
@given(lines, entries)
def test_entries_that_no_line_wants_change_no_pair(rows, given_entries):
    stranger = {
        "kind": "app",
        "direction": "out",
        "answered": "yes",
        "number": "+441632960000",
        "at": START + 100,
        "duration": 5,
        "parts": 0,
        "sim": "",
    }
    once = match(bill(rows), [log(given_entries)])
    again = match(bill(rows), [log([*given_entries, stranger])])
    assert once.lines == again.lines


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(lines, st.lists(entries, max_size=2)), min_size=1, max_size=4))
def test_many_bills_at_once_are_judged_as_each_alone(cases):
    together = [(bill(rows), [log(one) for one in logs]) for rows, logs in cases]
    answer = match_all(together)
    for at, (invoice, logs) in enumerate(together):
        alone = match(invoice, logs)
        among = result_of(answer, at, invoice, logs)
        assert among.lines == alone.lines
        assert among.entries == alone.entries
        assert among.cycle == alone.cycle
        assert [dataclasses.replace(log, shifts=()) for log in among.logs] == [
            dataclasses.replace(log, shifts=()) for log in alone.logs
        ]


def test_unknown_regions_are_refused():
    with pytest.raises(InputError, match="is no region"):
        match(bill([]), [], region="XX")


def test_times_from_nowhere_break_nothing():
    rows = [
        {
            "service": 1,
            "started_at": 2**63 - 1,
            "utc_offset": 32_767,
            "usage": 2**63 - 1,
            "billed_usage": 2**63 - 1,
            "number": "+353870000001",
            "amount": 2**63 - 1,
            "rate": "a",
            "corrects": False,
        },
        {
            "service": 1,
            "started_at": 0,
            "utc_offset": -32_768,
            "usage": 0,
            "billed_usage": 0,
            "number": "+",
            "amount": -(2**63),
            "rate": "",
            "corrects": False,
        },
    ]
    far = [
        {
            "kind": "call",
            "direction": "out",
            "answered": "yes",
            "number": "+353870000001",
            "at": at,
            "duration": 2**62,
            "parts": 0,
            "sim": "",
        }
        for at in (-(2**62), 2**62)
    ]
    assert len(match(bill(rows), [log(far), log(far, clock="local")]).lines) == 2
