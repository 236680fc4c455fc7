"""Causes that hold in a span of days: what began, ended or happened in the middle of a month."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_sums import counts_by_kind

from billproof.clearing.agreement.agreement import Agreement
from billproof.clearing.books.book import Codes
from billproof.clearing.books.sides import sides_of
from billproof.clearing.causes.frames import Spot, Table, merged, span
from billproof.clearing.clearing import clear_in_parts
from billproof.clearing.document.document import document_of, told_causes
from billproof.clearing.document.form import tree_of
from billproof.clearing.document.reading import ClearError, load_clear
from billproof.clearing.document.totals import Totals, totals_of
from billproof.clearing.pairs.differences import Kind
from billproof.clearing.report.facts import Traffic
from billproof.files import json_bytes
from billproof.simulate.partners import SINGLE, PartnerBooks, partner_books

_DAY = 86_400
_FIRST = 1_790_812_800 // _DAY  # 1 October 2026
_POUND = 1.1834
_CLOSE = 5_000_000  # billionths of a euro


def _within(table: pa.Table, first: int, last: int) -> np.ndarray:
    """Rows of some days of the month."""
    day = table["started_at"].to_numpy() // _DAY - _FIRST + 1
    return (day >= first) & (day <= last)


def _dearer(
    partners: PartnerBooks, first: int, last: int, prefix: str = "+4420", share: float = 1.0
) -> set[int]:
    """Makes their calls to a destination cost 1.2 times as much on some days; says which are that apart."""
    changed: set[int] = set()
    for region, table in enumerate(partners.tables[1]):
        rows = _within(table, first, last) & (table["service"].to_numpy() == 1)
        rows &= pc.starts_with(table["number"], prefix).to_numpy()
        rows &= np.random.default_rng(region).random(len(rows)) < share
        amount = table["amount"].to_numpy().copy()
        dear = (amount * 6 // 5 + 5_000) // 10_000 * 10_000
        at = table.column_names.index("amount")
        new = pa.array(np.where(rows, dear, amount))
        partners.tables[1][region] = table.set_column(at, "amount", new)
        apart = rows & (np.abs(dear - amount) * _POUND > 1.1 * _CLOSE)
        changed |= set(partners.ids[1][region][apart].tolist())
    return changed


def _twice(partners: PartnerBooks, side: int, region: int, first: int, last: int) -> int:
    """Loads some days of a batch twice; says how many records that is."""
    table = partners.tables[side][region]
    rows = np.flatnonzero(_within(table, first, last))
    partners.tables[side][region] = pa.concat_tables([table, table.take(rows)])
    ids = partners.ids[side][region]
    partners.ids[side][region] = np.concatenate([ids, ids[rows]])
    return len(rows)


def _without(partners: PartnerBooks, side: int, region: int, first: int, last: int) -> int:
    table = partners.tables[side][region]
    kept = np.flatnonzero(~_within(table, first, last))
    partners.tables[side][region] = table.take(kept)
    partners.ids[side][region] = partners.ids[side][region][kept]
    return table.num_rows - len(kept)


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (16, 31, "route london, from 2026-10-16 on"),
        (1, 9, "route london, from 2026-10-01 to 2026-10-09"),
        (10, 20, "route london, from 2026-10-10 to 2026-10-20"),
    ],
)
@pytest.mark.parametrize("errors", [(), SINGLE])
def test_a_price_of_some_days_of_a_route_is_one_cause(
    errors: tuple[str, ...], first: int, last: int, words: str, cleared: Callable
) -> None:
    partners = partner_books(9_000, 5, errors)
    wanted = _dearer(partners, first, last)
    result = cleared(partners)
    (cause,) = result.clearing.explained.causes
    assert (cause.kind, cause.dimension, cause.services) == (Kind.RATE, "route", (1,))
    assert cause.what["ratio"] == pytest.approx(1.2, abs=0.001)
    assert (cause.first, cause.last) == (_FIRST + first - 1, None if last == 31 else _FIRST + last - 1)
    told = set(result.ids[0][result.clearing.pairs.ours[cause.rows]].tolist())
    labelled = wanted - set(partners.labels.get("duration", np.zeros(0, np.int64)).tolist())
    assert len(wanted) > 80
    assert len(labelled - told) <= 0.02 * len(labelled)  # without a pair, or about as much as is tolerated
    assert len(told - wanted) <= 0.05 * len(told)
    (form,) = result.told().causes
    assert form.words.endswith(f"(voice-originated, {words})")
    assert form.from_ == f"2026-10-{first:02}"
    assert form.until == (None if last == 31 else f"2026-10-{last:02}")


@pytest.mark.parametrize("side", [0, 1])
def test_a_file_that_was_loaded_twice_is_one_cause(side: int, cleared: Callable) -> None:
    partners = partner_books(3_000, 6, SINGLE)
    count = _twice(partners, side, 1, 24, 31)
    result = cleared(partners)
    (cause,) = result.clearing.explained.causes
    assert (cause.kind, cause.side, cause.dimension) == (Kind.DUPLICATE, side, "batch")
    assert (cause.first, cause.last) == (_FIRST + 23, None)
    assert 0.97 * count <= cause.count <= 1.01 * count


def test_what_began_at_another_midnight_begins_on_that_day_all_the_same(cleared: Callable) -> None:
    partners = partner_books(20_000, 13, ())
    wanted = _dearer(partners, 16, 31)
    undone = partner_books(20_000, 13, ())
    for region, table in enumerate(partners.tables[1]):  # the 16th begins at 5 o'clock
        start = table["started_at"].to_numpy() - (_FIRST + 15) * _DAY
        early = (start >= 0) & (start < 5 * 3_600)
        before = undone.tables[1][region]["amount"].to_numpy()
        at = table.column_names.index("amount")
        amount = pa.array(np.where(early, before, table["amount"].to_numpy()))
        partners.tables[1][region] = table.set_column(at, "amount", amount)
        wanted -= set(partners.ids[1][region][early].tolist())
    result = cleared(partners)
    (cause,) = result.clearing.explained.causes
    assert (cause.first, cause.last) == (_FIRST + 15, None)
    told = set(result.ids[0][result.clearing.pairs.ours[cause.rows]].tolist())
    assert len(wanted - told) <= 0.01 * len(wanted)


@pytest.mark.parametrize("side", [0, 1])
def test_a_file_that_was_loaded_twice_is_one_cause_where_some_of_it_has_no_pair(
    side: int, cleared: Callable
) -> None:
    partners = partner_books(6_000, 6, ())
    for region, table in enumerate(partners.tables[1 - side]):  # an eighth of it; another has another number
        eighth = np.arange(table.num_rows) % 8
        at = table.column_names.index("number")
        numbers = table["number"].to_pylist()
        for row in np.flatnonzero((eighth == 1) & (table["service"].to_numpy() < 3)).tolist():
            numbers[row] = numbers[row][3:]
        table = table.set_column(at, "number", pa.array(numbers))
        partners.tables[1 - side][region] = table.take(np.flatnonzero(eighth != 0))
        partners.ids[1 - side][region] = partners.ids[1 - side][region][eighth != 0]
    _twice(partners, side, 1, 24, 31)
    found = cleared(partners).clearing
    (cause,) = (each for each in found.explained.causes if each.kind is not Kind.NUMBER)
    assert (cause.kind, cause.side, cause.dimension) == (Kind.DUPLICATE, side, "batch")
    assert (cause.first, cause.last) == (_FIRST + 23, None)
    assert counts_by_kind(found)["number"] > 200


@pytest.mark.parametrize("side", [0, 1])
def test_days_that_are_missing_in_a_batch_are_one_cause(side: int, cleared: Callable) -> None:
    partners = partner_books(6_000, 7, SINGLE)
    count = _without(partners, side, 2, 5, 8)
    result = cleared(partners)
    (cause,) = result.clearing.explained.causes
    assert (cause.kind, cause.side, cause.dimension) == (Kind.MISSING, 1 - side, "batch")
    assert (cause.first, cause.last) == (_FIRST + 4, _FIRST + 7)
    assert 0.97 * count <= cause.count <= 1.01 * count


def test_a_price_of_all_calls_from_a_day_on_is_one_cause_and_no_route_or_day(cleared: Callable) -> None:
    partners = partner_books(6_000, 8, ())
    _dearer(partners, 16, 31, "+")
    result = cleared(partners)
    (cause,) = result.clearing.explained.causes
    assert (cause.dimension, cause.services, cause.first, cause.last) == ("all", (1,), _FIRST + 15, None)
    tree = tree_of(result.told())
    assert tree["causes"][0]["words"].endswith("(voice-originated, from 2026-10-16 on)")
    assert Traffic(tree).causes[0].place == "from 2026-10-16 on"


def test_a_day_by_itself_is_still_a_day(cleared: Callable) -> None:
    partners = partner_books(30_000, 9, ())
    _dearer(partners, 12, 12, "+")
    (cause,) = cleared(partners).clearing.explained.causes
    assert (cause.dimension, cause.code, cause.first, cause.last) == ("day", _FIRST + 11, None, None)


def test_a_day_of_a_route_is_told_as_that(cleared: Callable) -> None:
    partners = partner_books(30_000, 9, ())
    _dearer(partners, 12, 12)
    (form,) = cleared(partners).told().causes
    assert form.words.endswith("(voice-originated, route london, on 2026-10-12)")
    assert (form.from_, form.until) == ("2026-10-12", "2026-10-12")


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_noise_is_no_cause_even_where_it_has_one_ratio(share: float, seed: int, cleared: Callable) -> None:
    partners = partner_books(30_000, seed, SINGLE)
    changed = _dearer(partners, 1, 31, "+", share)
    random_rows = random.Random(seed)
    for side in (0, 1):
        for region in range(3):
            table, ids = partners.tables[side][region], partners.ids[side][region]
            number = min(1500, int(table.num_rows * share))
            absent = set(random_rows.sample(range(table.num_rows), number))
            kept = [row for row in range(table.num_rows) if row not in absent]
            kept += random_rows.sample(kept, number)
            partners.tables[side][region], partners.ids[side][region] = table.take(kept), ids[kept]
    result = cleared(partners)
    assert result.clearing.explained.causes == []
    counts = counts_by_kind(result.clearing)
    assert min(counts["missing"], counts["duplicate"]) > 20
    assert counts["rate"] + counts["currency"] > min(20, len(changed) // 2)


def test_spans_are_the_same_in_any_number_of_parts(cleared: Callable, agreement: Agreement) -> None:
    partners = partner_books(20_000, 12, SINGLE)
    _dearer(partners, 16, 31)
    _twice(partners, 0, 0, 24, 31)
    _without(partners, 1, 2, 5, 8)
    found = cleared(partners).clearing
    assert [cause.first is not None for cause in found.explained.causes] == [True] * 3
    sides = sides_of(found.books, agreement, operator=1)
    told = []
    for parts in (1, 3, 7):
        cut = clear_in_parts(*found.books, agreement, found.codes, parts)
        causes = told_causes(cut[0].explained.causes, found.codes, agreement, sides)
        totals = sum(map(totals_of, cut), Totals())
        told.append(json_bytes(tree_of(document_of(totals, causes, agreement, sides))))
    assert told[0] == told[1] == told[2]


def test_days_of_a_cause_are_read_strictly(cleared: Callable) -> None:
    partners = partner_books(9_000, 5, ())
    _dearer(partners, 10, 20)
    file = cleared(partners).told()
    assert load_clear(json_bytes(tree_of(file))) == file
    for days in (
        {"until": "2026-10-20"},
        {"from": "2026-10-10", "until": "2026-10-09"},
        {"from": "2026-10-10", "until": "2026-10-32"},
        {"from": "soon"},
    ):
        tree = tree_of(file)
        (cause,) = tree["causes"]
        for key in ("from", "until"):
            del cause[key]
        cause.update(days)
        with pytest.raises(ClearError, match=r"from|until"):
            load_clear(json_bytes(tree))


def _naive(true: list[int], false: list[int]) -> tuple[int, int] | None:
    """Of all spans the best, of equal ones the first and shortest; and a day beside it, mostly true."""

    def score(first: int, last: int) -> int:
        return sum(10 * a - 90 * b for a, b in list(zip(true, false, strict=True))[first : last + 1])

    spans = [(first, last) for last in range(len(true)) for first in range(last, -1, -1)]
    first, last = max(spans, key=lambda of: score(*of))
    if score(first, last) < 0:
        return None
    if first and true[first - 1] > false[first - 1] and score(first - 1, last) >= 0:
        first -= 1
    if last + 1 < len(true) and true[last + 1] > false[last + 1] and score(first, last + 1) >= 0:
        last += 1
    return first, last


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from([0, 0, 0, 1, 2, 30])), min_size=1, max_size=40
    ).map(lambda days: list(map(list, zip(*days, strict=True))))
)
def test_a_span_is_the_one_that_a_naive_search_finds(days: list[list[int]]) -> None:
    true, false = days
    found = span(np.array(true, np.int64), np.array(false, np.int64), 90)
    assert found == _naive(true, false)
    if found is not None:
        inside = slice(found[0], found[1] + 1)
        assert 100 * sum(true[inside]) >= 90 * (sum(true[inside]) + sum(false[inside]))


@given(
    st.lists(
        st.tuples(
            st.integers(0, 45),  # days, some of them without records
            st.sampled_from([1, 4]),
            st.sampled_from([0, 1]),
            st.sampled_from([(0, 0), (1, 1)]),  # false, or true and waiting
            st.integers(1, 40),
        ),
        min_size=1,
        max_size=60,
    ),
    st.integers(1, 5),
)
def test_the_best_of_all_spans_in_tables_of_parts_is_that_of_a_naive_search(
    rows: list[tuple[int, int, int, tuple[int, int], int]], parts: int
) -> None:
    tables = []
    for part in range(parts):
        keys = [(1, code, service, day) for day, service, code, _, _ in rows[part::parts]]
        counts = [(n, n * true, n * open_, n * open_) for *_, (true, open_), n in rows[part::parts]]
        tables.append(
            Table(
                np.array(keys, np.int64).reshape(-1, 4).T,
                np.array(counts, np.int64).reshape(-1, 4).T,
                by_day=True,
            )
        )
    spot = merged(tables).best(None, 90, 20, ("all", "route"), Codes())
    most, best = 19, None
    for code in (0, 1):
        of_code = [row for row in rows if row[2] == code]
        if 100 * sum(n for *_, (true, _), n in of_code if true) >= 90 * sum(row[4] for row in of_code):
            whole = sum(n for *_, (true, _), n in of_code if true)
            if whole > most:
                most, best = whole, Spot((1, code))
            continue  # which needs no days
        days = sorted({row[0] for row in of_code})
        told = [
            [sum(n for d, *_, (true, _), n in of_code if d == day and true == kind) for day in days]
            for kind in (1, 0)
        ]
        naive = _naive(*told)
        if naive is None:
            continue
        first, last = (days[at] for at in naive)
        waiting = sum(told[0][naive[0] : naive[1] + 1])
        if waiting > most:  # of equal ones the first place
            most, best = waiting, Spot((1, code), (first, last), last == days[-1])
    assert spot == best
