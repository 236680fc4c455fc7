"""Exchange rates by month: books and settlements have those of their month, or are refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from commands import Run, run

from billproof.clearing.agreement.agreement import Agreement, load_agreement, month_of, months_between
from billproof.clearing.books.book import Codes, load_book, times
from billproof.clearing.pairs.differences import factors
from billproof.clearing.settlement.form import document
from billproof.clearing.settlement.reading import load_settlement
from billproof.clearing.settlement.settlement import settle
from billproof.clearing.settlement.tables import facts
from billproof.errors import InputError

__all__ = ["run"]

AGREEMENT = """
schema = "billproof/agreement/1"
name = "Meridian and Skylark"
valid = { from = "2026-01-01", until = "2027-01-01" }
settlement = "EUR"
parties = [
  { operator = 1, name = "Meridian", currency = "EUR" },
  { operator = 2, name = "Skylark", currency = "GBP" },
]
[exchange]
GBP = { "2026-01" = "1.1834", "2026-02" = "1/0.8391" }
USD = "1/1.08"
"""


def loaded() -> Agreement:
    return load_agreement(AGREEMENT.encode(), name="agreement.toml")


def test_rates_of_a_month() -> None:
    agreement = loaded()
    january, february = Fraction(5917, 5000), Fraction(10_000, 8391)
    assert agreement.exchange == {"EUR": 1, "USD": Fraction(25, 27)}
    assert agreement.exchange_of("2026-01") == {**agreement.exchange, "GBP": january}
    assert agreement.exchange_of("2026-02") == {**agreement.exchange, "GBP": february}
    assert agreement.exchange_of("2026-03") == agreement.exchange_of(None) == agreement.exchange
    assert (agreement.rate_of("GBP", "2026-01"), agreement.rate_of("GBP", "2026-02")) == (january, february)
    assert agreement.rate_of("USD", "2026-03") == Fraction(25, 27)


def test_agreement_in_a_month_has_that_months_rates_alone() -> None:
    agreement = loaded()
    february = agreement.in_month("2026-02")
    assert february.exchange == agreement.exchange_of("2026-02")
    assert february.exchange_of("2026-01") == february.exchange_of(None) == february.exchange
    assert (february.hash, february.models, february.name) == (
        agreement.hash,
        agreement.models,
        agreement.name,
    )


@pytest.mark.parametrize(
    ("month", "message", "advice"),
    [
        ("2026-03", "no exchange rate for GBP in 2026-03", r"Add it to \[exchange\]: units of EUR"),
        (None, "rate of GBP is another each month, and nothing tells the month", "--month"),
    ],
)
def test_month_without_a_rate_is_refused_by_name(month: str | None, message: str, advice: str) -> None:
    agreement = loaded()
    for refused in (
        lambda: agreement.in_month(month),
        lambda: agreement.rate_of("GBP", month, file="agreement.toml"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            refused()
        assert caught.value.file == "agreement.toml"
        assert re.search(advice, caught.value.advice)


def test_months_are_those_of_any_part_of_them() -> None:
    first = date(1970, 1, 1)

    def days(text: str) -> int:
        return (date.fromisoformat(text) - first).days

    assert months_between(days("2026-01-31"), days("2026-02-02")) == ("2026-01", "2026-02")
    assert months_between(days("2026-12-01"), days("2027-01-01")) == ("2026-12",)
    assert len(months_between(days("2026-01-01"), days("2028-01-01"))) == 24
    assert month_of(202603) == "2026-03"


# What it does to books and settlements.


def test_parquet_is_converted_at_the_rate_of_the_month_that_is_named(
    tmp_path: Path, make_records: Callable
) -> None:
    path = tmp_path / "book.parquet"
    amounts = [1, 10**9, 123_456_789]
    pq.write_table(make_records([{"currency": "GBP", "amount": amount} for amount in amounts]), path)
    agreement = loaded()
    for period, rate in ((202601, 1_183_400_000), (202602, 1_191_753_069)):
        book = load_book(path, agreement, Codes(), period=period)
        assert book.settled.tolist() == times(book.amount, rate).tolist()
        named = load_book(path, agreement.in_month(month_of(period)), Codes())
        assert named.settled.tolist() == book.settled.tolist()
    with pytest.raises(InputError, match=r"book\.parquet: .* no exchange rate for GBP in 2026-03"):
        load_book(path, agreement, Codes(), period=202603)
    with pytest.raises(InputError, match=r"book\.parquet: .* nothing tells the month") as caught:
        load_book(path, agreement, Codes())
    assert "--month" in caught.value.advice


def test_a_batch_is_converted_at_the_rate_of_its_period(tmp_path: Path, build: Callable) -> None:
    built = build(tmp_path, [{"account": "skylark", "currency": "GBP", "amount": 10**9}])
    month = month_of(built.id.period)
    text = AGREEMENT.replace("2026-", f"{month[:4]}-").replace("2027-", f"{int(month[:4]) + 1}-")
    assert f'"{month}"' not in text
    monthly = text.replace(f'"{month[:4]}-02" = ', f'"{month}" = ')
    book = load_book(tmp_path / "store", load_agreement(monthly.encode()), Codes(), account="skylark")
    assert book.settled.tolist() == [1_191_753_069]
    with pytest.raises(InputError, match=f"no exchange rate for GBP in {month}"):
        load_book(tmp_path / "store", load_agreement(text.encode()), Codes(), account="skylark")


def test_differences_know_the_ratios_of_that_month() -> None:
    ratios = [1.1834, 1.08, 1.1834 * 1.08]
    expected = sorted(round(factor, 9) for ratio in ratios for factor in (ratio, 1 / ratio))
    assert [round(factor, 9) for factor in factors(loaded().in_month("2026-01"))] == expected


def test_settlement_names_the_months_rates_alone() -> None:
    agreement = loaded()
    found = settle(agreement, 202602, "2026-03-10", "2026-04-10", amounts=())
    assert found.exchange == {"EUR": 1, "GBP": Fraction(10_000, 8391), "USD": Fraction(25, 27)}
    assert ("EUR for one GBP", "1/0.8391") in facts(found)
    assert "5917/5000" not in document(found).decode()
    assert load_settlement(document(found)) == found
    with pytest.raises(InputError, match="no exchange rate for GBP in 2026-03"):
        settle(agreement, 202603, "2026-04-10", "2026-05-10", amounts=())


# The command.


@pytest.fixture
def books(tmp_path: Path, make_records: Callable) -> dict[str, Path]:
    """An agreement, and the same 10 calls at 1.00 GBP in both books and in the one of the month before."""
    found = {name: tmp_path / f"{name}.parquet" for name in ("ours", "theirs", "before")}
    for path in found.values():
        pq.write_table(make_records([{"currency": "GBP", "amount": 10**9}] * 10), path)
    (tmp_path / "agreement.toml").write_text(AGREEMENT)
    return {**found, "agreement": tmp_path / "agreement.toml"}


def test_clear_converts_at_the_rate_of_the_month(run: Run, books: dict[str, Path]) -> None:
    words = ("clear", books["ours"], books["theirs"], "--agreement", books["agreement"], "--as", 1, "--json")
    january = run(*words, "--month", "2026-01", "--our-neighbours", books["before"])
    assert (january.code, january.json["ours"]["total"]) == (0, "11834000000")
    assert run(*words, "--month", "2026-02").json["theirs"]["total"] == "11917530690"


def test_clear_refuses_a_month_without_a_rate_by_name(run: Run, books: dict[str, Path]) -> None:
    words = ("clear", books["ours"], books["theirs"], "--agreement", books["agreement"], "--as", 1)
    march = run(*words, "--month", "2026-03")
    assert march.code == 2
    assert f"{books['ours']}: the agreement has no exchange rate for GBP in 2026-03" in march.err
    assert "Add it to [exchange]" in march.err
    unknown = run(*words)
    assert unknown.code == 2
    assert "nothing tells the month" in unknown.err
    assert "--month" in unknown.err
