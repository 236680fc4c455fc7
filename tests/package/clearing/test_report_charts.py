"""The charts of a clearing's report: lengths are money, axes are round, colours keep to the operator."""

from __future__ import annotations

import copy
from collections import Counter
from itertools import pairwise

import pytest
from clear_documents import CHARGES, PARTIES, both, document, settlement, some_rows
from hypothesis import given
from hypothesis import strategies as st
from report_reader import Report

from billproof.clearing.report.charts import axis
from billproof.clearing.report.page import html_report


def test_bars_are_as_long_as_the_money() -> None:
    found = both()[0]
    title = "Money by cause, Skylark's traffic, EUR"
    told = {one["number"]: int(one["money"]) for one in found["causes"] + found["findings"]}
    told[0] = int(found["atStake"]["agreed"])
    money = sorted(filter(None, told.values()), key=lambda amount: -abs(amount))
    bars = Report(html_report([found])).bars(title)
    bars.sort(key=lambda bar: -(bar[2] - bar[1]))
    assert len(bars) == len(money)
    scale = (bars[0][2] - bars[0][1]) / abs(money[0])
    for (style, left, right), amount in zip(bars, money, strict=True):
        assert right - left == pytest.approx(abs(amount) * scale, abs=2e-4)
        assert not amount or style == ("a" if amount > 0 else "b")
    zero = {round(left if style == "a" else right, 3) for style, left, right in bars if right - left > 0.1}
    assert max(zero) - min(zero) < 0.002, "all begin at one line"


def test_a_changed_amount_changes_its_bar_and_no_other() -> None:
    found = both()[0]
    title = "Money by cause, Skylark's traffic, EUR"
    changed = copy.deepcopy(found)
    least = min(changed["causes"], key=lambda one: abs(int(one["money"])))
    least["money"] = str(int(changed["causes"][0]["money"]) // 2)
    before, after = (Report(html_report([one])).bars(title) for one in (found, changed))
    one, other = (Counter(round(right - left, 3) for _, left, right in bars) for bars in (before, after))
    assert (one - other).total() == (other - one).total() == 1


def test_columns_are_as_tall_as_the_money() -> None:
    found = both()[0]
    report = Report(html_report([found]))
    rects = [one.attrib for one in report.chart("Both books by day, Skylark's traffic, EUR").iter("rect")]
    money = [int(day[side]["total"]) for day in found["days"] for side in ("ours", "theirs")]
    assert [one["class"] for one in rects] == ["a", "b"] * len(found["days"])
    scale = float(rects[0]["height"]) / money[0]
    for one, amount in zip(rects, money, strict=True):
        assert float(one["height"]) == pytest.approx(amount * scale, abs=0.01)
    strips = report.chart("The difference by day and kind, Skylark's traffic, EUR")
    drawn: dict[str, float] = {"a": 0, "b": 0}
    for one in strips.iter("rect"):
        drawn[one.attrib["class"]] += float(one.attrib["height"])
    up = sum(max(int(value), 0) for day in found["days"] for value in day["atStake"].values())
    down = sum(max(-int(value), 0) for day in found["days"] for value in day["atStake"].values())
    assert drawn["a"] / drawn["b"] == pytest.approx(up / down, rel=0.01)


def test_the_way_to_the_net_amount_is_unbroken() -> None:
    documents = both()
    agreed = settlement(documents, CHARGES)
    page = html_report(documents, agreed)
    assert "<p>In EUR: each bar begins where the one above it ends; the last is the net.</p>" in page
    bars = Report(page).bars("From the traffic to the net amount, EUR")
    assert [style for style, _, _ in bars] == ["a", "b", "b", "b", "net"]
    (_, _, first), *steps, (_, zero, net) = bars
    for _, left, right in steps:
        assert right == pytest.approx(first, abs=2e-4)
        first = left
    assert net == pytest.approx(first, abs=2e-4)
    assert zero == bars[0][1]


def test_the_way_begins_with_the_larger_direction_whoever_pays() -> None:
    documents = [document(some_rows(12)), document(some_rows(), payer=1)]
    bars = Report(html_report(documents, settlement(documents))).bars(
        "From the traffic to the net amount, EUR"
    )
    assert [style for style, _, _ in bars] == ["b", "a", "net"]
    assert [left for _, left, _ in bars][::2] == [0, 0]


def test_one_operator_keeps_its_colour() -> None:
    one = document(some_rows())
    other = document(some_rows(12), payer=1, parties=PARTIES[::-1])
    report = Report(html_report([one, other]))
    for name, styles in (("Meridian", "ab"), ("Skylark", "ba")):
        chart = report.chart(f"Both books by day, {name}'s traffic, EUR")
        columns = [rect.attrib["class"] for rect in chart.iter("rect")]
        assert columns[:2] == list(styles), "Skylark's book comes first in the one, second in the other"


@given(st.lists(st.integers(-(10**22), 10**22), min_size=1), st.integers(2, 6))
def test_axes_end_on_round_numbers(values: list[int], most: int) -> None:
    found = axis(values, most)
    assert 1 <= len(found.ticks) - 1 <= most
    assert found.ticks[0] <= min(0, *values)
    assert found.ticks[-1] >= max(0, *values)
    assert 0 in found.ticks
    assert str(found.step).rstrip("0") in ("1", "2", "5")
    assert {after - before for before, after in pairwise(found.ticks)} == {found.step}
    assert len({found.words(tick) for tick in found.ticks}) == len(found.ticks)
