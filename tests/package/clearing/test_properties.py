"""What holds of any two books: one to one, money that adds up, and the same from either side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from any_books import BOOKS, RECORD, book_of
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from plain_sums import agreed_pairs, book_totals, counts_by_kind, stakes_by_kind

from billproof.clearing.agreement.agreement import Agreement
from billproof.clearing.books.book import Codes
from billproof.clearing.clearing import Clearing, clear
from billproof.clearing.pairs.differences import Kind


def _cleared(first: list[dict], second: list[dict], home: Path, agreement: Agreement) -> Clearing:
    codes = Codes()
    names = (("a", first), ("b", second))
    books = [book_of(rows, home, name, agreement, codes) for name, rows in names]
    return clear(books[0], books[1], agreement, codes)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(books=BOOKS)
def test_any_books_are_paired_one_to_one_and_their_money_adds_up(
    books: tuple[list[dict], list[dict]], tmp_path: Path, agreement: Agreement
) -> None:
    found = _cleared(*books, tmp_path, agreement)
    pairs = found.pairs
    for side, (paired, left) in enumerate(((pairs.ours, pairs.ours_left), (pairs.theirs, pairs.theirs_left))):
        assert sorted([*paired.tolist(), *left.tolist()]) == list(range(len(books[side])))
    ours, theirs = found.books
    assert np.array_equal(ours.service[pairs.ours], theirs.service[pairs.theirs])
    assert sum(stakes_by_kind(found).values()) == book_totals(found)[0] - book_totals(found)[1]
    explained = sum(cause.money for cause in found.explained.causes)
    paying = found.differences.paying
    single = 0
    for (kind, side), rows in found.explained.findings.items():
        if side is None:
            single += int(found.differences.money[rows[paying[rows] == kind]].sum())
        else:
            single += int(found.books[side].settled[rows].sum()) * (1 if side == 0 else -1)
    assert (
        explained + single + stakes_by_kind(found)["agreed"] == book_totals(found)[0] - book_totals(found)[1]
    )


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(books=BOOKS)
def test_the_other_side_sees_the_same(
    books: tuple[list[dict], list[dict]], tmp_path: Path, agreement: Agreement
) -> None:
    one = _cleared(*books, tmp_path, agreement)
    other = _cleared(*books[::-1], tmp_path, agreement)
    assert len(one.pairs.ours) == len(other.pairs.ours)
    assert book_totals(one) == book_totals(other)[::-1]
    assert len(one.pairs.ours_left) == len(other.pairs.theirs_left)


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(20, 200), spread=st.sampled_from([0, 3, 60, 2000]), seed=st.integers(0, 1 << 32))
@example(size=54, spread=0, seed=470371556)  # usages that are equal in another unit
def test_the_order_of_records_decides_nothing(
    size: int, spread: int, seed: int, tmp_path: Path, agreement: Agreement
) -> None:
    """Calls to one number at nearly the same time, which may be paired in many ways that cost the same."""
    drawn = np.random.default_rng(seed)
    books = [
        [
            {
                "service": 1,
                "started_at": 1_790_812_800 + int(drawn.integers(0, spread + 1)),
                "usage": int(drawn.integers(1, 100)),
                "billed_usage": 60,
                "number": "+447700900123",
                "network": "",
                "amount": int(drawn.integers(1, 10)) * 10**8,
                "currency": "EUR",
                "rate": "",
            }
            for _ in range(size)
        ]
        for _ in range(2)
    ]
    found = []
    for _ in range(3):
        one = _cleared(books[0], books[1], tmp_path, agreement)
        ours, theirs = (book.settled for book in one.books)
        both = int(np.minimum(ours[one.pairs.ours], theirs[one.pairs.theirs]).sum())
        found.append((len(one.pairs.ours), both, counts_by_kind(one)))
        for rows in books:
            drawn.shuffle(rows)
    assert found == found[:1] * 3


def test_a_chain_is_cut_where_either_side_has_records(tmp_path: Path, agreement: Agreement) -> None:
    """More calls to one number in one second than are assigned together: all of them have a pair."""
    rows = [
        {
            "service": 1,
            "started_at": 1_790_812_800,
            "usage": 100 + 10 * at,
            "billed_usage": 60,
            "number": "+447700900123",
            "network": "",
            "amount": 10**8,
            "currency": "EUR",
            "rate": "",
        }
        for at in range(60)
    ]
    longer = [{**row, "usage": row["usage"] + 3} for row in rows]
    found = _cleared(rows, longer, tmp_path, agreement)
    assert len(found.pairs.ours) == len(rows)


def test_copies_of_a_book_agree_whatever_is_in_them(tmp_path: Path, agreement: Agreement) -> None:
    @settings(deadline=None, max_examples=20)
    @given(rows=st.lists(RECORD, min_size=1, max_size=40))
    def same(rows: list[dict]) -> None:
        found = _cleared(rows, rows, tmp_path, agreement)
        assert agreed_pairs(found) == len(rows)
        assert not any(counts_by_kind(found).values())

    same()


def test_one_call_that_two_clocks_saw_is_one_pair_within_the_window_alone(
    tmp_path: Path, agreement: Agreement
) -> None:
    call = {
        "service": 1,
        "started_at": 1_790_812_800,
        "usage": 60,
        "billed_usage": 60,
        "number": "+447700900123",
        "network": "999-71",
        "amount": 10**9,
        "currency": "EUR",
        "rate": "",
    }
    near = _cleared([call], [{**call, "started_at": call["started_at"] + 60}], tmp_path, agreement)
    far = _cleared([call], [{**call, "started_at": call["started_at"] + 61}], tmp_path, agreement)
    assert agreed_pairs(near) == 1
    assert len(far.pairs.ours) == 0
    twice = _cleared([call, call], [call], tmp_path, agreement)
    assert twice.differences.left[0].tolist() == [Kind.DUPLICATE]


@pytest.mark.parametrize("side", [0, 1])
def test_a_number_that_one_side_leaves_out_is_another_number(
    side: int, tmp_path: Path, agreement: Agreement
) -> None:
    """As withheld ones are: it is one cause, and not a book that is missing on either side."""
    books: list[list[dict]] = [[], []]
    for at in range(40):
        record = {
            "service": 1,
            "started_at": 1_790_812_800 + 61 * at,
            "usage": 100 + at,
            "billed_usage": 120,
            "number": f"+44770090{at:04d}",
            "network": "999-71",
            "amount": 10**8,
            "currency": "EUR",
            "rate": "",
        }
        books[side].append({**record, "number": ""})
        books[1 - side].append(record)
    found = _cleared(books[0], books[1], tmp_path, agreement)
    assert [(cause.kind, cause.count) for cause in found.explained.causes] == [(Kind.NUMBER, 40)]


def test_the_cheapest_assignment_is_taken(tmp_path: Path, agreement: Agreement) -> None:
    def call(second: int, usage: int) -> dict:
        return {
            "service": 1,
            "started_at": 1_790_812_800 + second,
            "usage": usage,
            "billed_usage": usage,
            "number": "+447700900123",
            "network": "999-71",
            "amount": usage * 10**6,
            "currency": "EUR",
            "rate": "",
        }

    found = _cleared(
        [call(0, 30), call(10, 90), call(20, 300)],
        [call(2, 90), call(12, 300), call(22, 30)],
        tmp_path,
        agreement,
    )
    usages = [
        (int(found.books[0].usage[a]), int(found.books[1].usage[b]))
        for a, b in zip(found.pairs.ours, found.pairs.theirs, strict=True)
    ]
    assert usages == [(30, 30), (90, 90), (300, 300)]


def test_what_is_no_usage_is_compared_by_service_rate_and_amount(
    tmp_path: Path, agreement: Agreement
) -> None:
    fee = {
        "service": 32,
        "started_at": 1_790_812_800,
        "usage": 0,
        "billed_usage": 0,
        "number": "",
        "network": "",
        "amount": 5 * 10**9,
        "currency": "EUR",
        "rate": "port",
    }
    later = {**fee, "started_at": fee["started_at"] + 10**6, "usage": 900, "billed_usage": 31}
    assert agreed_pairs(_cleared([fee], [later], tmp_path, agreement)) == 1
    dearer = _cleared([fee], [{**fee, "amount": 6 * 10**9}], tmp_path, agreement)
    assert dearer.differences.left[0].tolist() == [Kind.MISSING]
