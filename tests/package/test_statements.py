"""Grouping against plain Python: order, totals, strays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billproof.errors import InputError
from billproof.statements import arrange, totals_by_currency

ROW = st.fixed_dictionaries(
    {
        "account": st.sampled_from(["a", "b", "B", "ä", "00", "0", "\U0001f4de", "\uffff"]),
        "started_at": st.integers(0, 5) | st.integers(0, (1 << 62)),
        "amount": st.integers(-(1 << 50), 1 << 50),
        "currency": st.sampled_from(["EUR", "EUR", "EUR", "USD", "USD", "ARS"]),
    }
)


def prevailing(currencies: list[str]) -> str:
    """The one that is there most often, and among those the one that comes first."""
    return max(dict.fromkeys(currencies), key=currencies.count)


def naive(rows: list[dict[str, Any]]) -> tuple[dict[str, list[int]], list[int]]:
    """Line numbers of every account's statement, accounts in order; and those left out."""
    by_account: dict[str, list[int]] = {}
    strays = []
    for account in sorted({row["account"] for row in rows}, key=str.encode):
        own = [at for at, row in enumerate(rows) if row["account"] == account]
        own.sort(key=lambda at: rows[at]["started_at"])
        currency = prevailing([rows[at]["currency"] for at in own])
        by_account[account] = [at for at in own if rows[at]["currency"] == currency]
        strays += [at for at in own if rows[at]["currency"] != currency]
    return by_account, strays


@settings(max_examples=100, deadline=None)
@given(st.lists(ROW, max_size=40))
def test_grouping_is_what_plain_python_makes_of_it(
    make_records: Callable[..., Any], rows: list[dict[str, Any]]
) -> None:
    statements, strays = arrange(make_records(rows))
    expected, left_out = naive(rows)
    assert statements.accounts.to_pylist() == list(expected)
    assert len(statements) == len(expected)
    lines = statements.records["line"].to_pylist()
    for at, (account, own) in enumerate(expected.items()):
        first, count = int(statements.first[at]), int(statements.count[at])
        assert lines[first : first + count] == [line + 1 for line in own]
        assert statements.records["account"].to_pylist()[first : first + count] == [account] * count
        assert int(statements.total[at]) == sum(rows[line]["amount"] for line in own)
        assert statements.currencies[at].as_py() == rows[own[0]]["currency"]
        theirs = strays.filter(pc.equal(strays["account"].cast("string"), account))
        assert set(theirs["statement_currency"].to_pylist()) <= {rows[own[0]]["currency"]}
        assert statements.index[first : first + count].tolist() == list(range(count))
    assert int(statements.count.sum()) == len(lines) == len(rows) - len(left_out)
    assert sorted(strays["line"].to_pylist()) == sorted(line + 1 for line in left_out)


def test_one_stray_row_at_the_top_does_not_push_out_the_others(make_records: Callable[..., Any]) -> None:
    rows = [{"currency": "ARS", "started_at": 0}] + [{"currency": "BRL", "started_at": at} for at in (1, 2)]
    statements, strays = arrange(make_records(rows))
    assert statements.currencies.to_pylist() == ["BRL"]
    found = strays.select(["line", "currency", "statement_currency"]).to_pylist()
    assert found == [{"line": 1, "currency": "ARS", "statement_currency": "BRL"}]


@settings(max_examples=50, deadline=None)
@given(st.lists(ROW, max_size=30))
def test_totals_by_currency_are_exact(make_records: Callable[..., Any], rows: list[dict[str, Any]]) -> None:
    sums: dict[str, int] = {}
    for row in rows:
        sums[row["currency"]] = sums.get(row["currency"], 0) + row["amount"]
    assert totals_by_currency(make_records(rows), "amount") == sums


def test_totals_by_currency_do_not_wrap(make_records: Callable[..., Any]) -> None:
    for extreme in ((1 << 63) - 1, -(1 << 63)):
        table = make_records([{"amount": extreme, "account": str(at)} for at in range(5)])
        assert totals_by_currency(table, "amount") == {"EUR": 5 * extreme}


@pytest.mark.parametrize("amounts", [[(1 << 63) - 1, 1], [-(1 << 63)], [1 << 62], [1 << 61, -(1 << 61)]])
def test_amounts_that_could_overflow_are_refused_by_line(
    make_records: Callable[..., Any], amounts: list[int]
) -> None:
    rows = [{"account": "small", "amount": 5}, *({"account": "zz", "amount": amount} for amount in amounts)]
    with pytest.raises(InputError, match=r"cdr\.csv:2:amount: .* 64 bits"):
        arrange(make_records(rows))


def test_the_largest_total_that_fits(make_records: Callable[..., Any]) -> None:
    statements, _ = arrange(make_records([{"amount": (1 << 61) - 1000}, {"amount": (1 << 61) - 1000}]))
    assert statements.total.tolist() == [(1 << 62) - 2000]


def test_no_records_make_no_statements(make_records: Callable[..., Any]) -> None:
    statements, strays = arrange(make_records([]))
    assert (len(statements), strays.num_rows, statements.records.num_rows) == (0, 0, 0)
    assert len(statements.index) == len(statements.total) == 0
