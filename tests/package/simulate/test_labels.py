"""Every labelled error is in the CDR files, where and as wrong as its label says."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from billproof.billing_run import Input, batch
from billproof.records import Service
from billproof.simulate import Simulation, simulate
from billproof.simulate.tariffs import PLANS, Pool, Rate, rates

NANO = 10**9


def labels_of(simulation: Simulation) -> list[dict[str, str]]:
    with (simulation.out / simulation.labels).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def statements(simulation: Simulation, work: Path, period: int) -> dict[tuple[str, int], dict[str, Any]]:
    """Lines of operator 1 by account and place in its statement, as a billing run stores them."""
    month = simulation.operators[0]
    inputs = [
        Input(name, [simulation.out / file.path for file in month.in_format(name)],
              simulation.out / month.in_format(name)[0].mapping)
        for name in dict.fromkeys(file.format for file in month.files)
    ]  # fmt: skip
    result = batch(
        inputs, operator=1, period=period, chain_id=31337, ledger="0x" + "ab" * 20,
        store=work / "store", secrets=work / "secrets",
    )  # fmt: skip
    assert result.rejected == 0
    assert result.other_periods == sum(file.other_periods for file in month.files)
    assert result.stored is not None
    places: dict[str, int] = defaultdict(int)
    lines = {}
    for line in result.stored.records.to_pylist():
        lines[line["account"], places[line["account"]]] = line
        places[line["account"]] += 1
    return lines


@pytest.fixture(
    scope="module", params=[["csv"], ["asterisk", "csv", "itemised-bill"], ["asterisk", "freeswitch"]]
)
def wrong(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A month in which clocks go back, with many errors, and its statements."""
    work = tmp_path_factory.mktemp("wrong")
    simulation = simulate(
        work / "sim", operators=1, subscribers=400, period=202610, seed=5, formats=request.param,
        phone_logs=True, errors=0.03, other_periods=6 if request.param == ["csv"] else 0,
    )  # fmt: skip
    return simulation, statements(simulation, work, 202610), request.param


def test_every_label_stands_at_its_line(wrong: Any) -> None:
    simulation, lines, _ = wrong
    labels = labels_of(simulation)
    assert len(labels) > 300
    for label in labels:
        line = lines[label["account"], int(label["record"])]
        assert datetime.fromisoformat(label["started_at"]).timestamp() == line["started_at"], label
        assert label["number"] == line["number"]
        assert int(label["usage"]) == line["usage"]
        assert label["service"] == Service(line["service"]).name.lower()


def test_amounts_are_what_was_charged_too_much(wrong: Any) -> None:
    simulation, lines, _ = wrong
    labels = labels_of(simulation)
    terms = _terms(lines, {label["account"] for label in labels if label["kind"] == "tariff"})
    kinds: dict[str, int] = defaultdict(int)
    for label in labels:
        place = label["account"], int(label["record"])
        line = lines[place]
        kinds[label["kind"]] += 1
        excess = Decimal(label["amount"]) * NANO
        if label["kind"] not in ("hung", "phantom"):  # a call that was never made may be within free minutes
            assert excess > 0
        assert 0 <= excess <= line["amount"]
        if label["kind"] in ("phantom", "duplicate"):
            assert excess == line["amount"]
            assert (label["truth"] == "") == (label["kind"] == "phantom")
        elif label["kind"] == "overcharge":
            assert int(label["truth"]) == line["usage"]
            if place in terms:
                due = _charge(*terms[place], line["usage"])
                assert due == (line["billed_usage"], line["amount"] - excess)
        elif label["kind"] in ("duration", "hung"):
            truth = int(label["truth"])
            assert truth < line["usage"]
            if place in terms:
                billed, right = _charge(*terms[place], truth)
                assert right == line["amount"] - excess
                assert billed < line["billed_usage"]
                assert _charge(*terms[place], line["usage"]) == (line["billed_usage"], line["amount"])
        elif place in terms:
            assert _charge(terms[place][0], 0, 0, line["usage"]) == (line["billed_usage"], line["amount"])
    assert set(kinds) == {"phantom", "duplicate", "duration", "hung", "overcharge", "tariff"}


def test_duplicates_repeat_a_line(wrong: Any) -> None:
    simulation, lines, _ = wrong
    by_account: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for (account, _), line in lines.items():
        by_account[account].append(line)
    for label in labels_of(simulation):
        if label["kind"] != "duplicate":
            continue
        line = lines[label["account"], int(label["record"])]
        # An error may strike both the line and its copy; the number called stays.
        twins = [
            other for other in by_account[label["account"]]
            if other is not line and other["number"] == line["number"]
            and abs(other["started_at"] - line["started_at"]) <= 60
        ]  # fmt: skip
        assert twins, label


def test_tax_follows_the_wrong_lines(wrong: Any) -> None:
    _, lines, formats = wrong
    if "csv" not in formats:
        pytest.skip("no tax without the billing system's export")
    sums: dict[str, int] = defaultdict(int)
    taxes: dict[str, int] = {}
    totals: dict[str, int] = defaultdict(int)
    for (account, _), line in lines.items():
        totals[account] += line["amount"]
        if line["service"] == Service.TAX:
            taxes[account] = line["amount"]
        elif line["service"] != Service.ROUNDING:
            sums[account] += line["amount"]
    for account, tax in taxes.items():
        assert tax == (sums[account] * 23 + 50) // 100
        assert totals[account] % (NANO // 100) == 0


def test_late_records_are_billed_this_month(tmp_path: Path) -> None:
    simulation = simulate(
        tmp_path / "sim", operators=1, subscribers=3000, period=202610, seed=1, formats=["csv"],
        records_per_subscriber=12, phone_logs=True, phone_format="android-csv",
    )  # fmt: skip
    lines = statements(simulation, tmp_path, 202610)
    first = datetime.fromisoformat("2026-10-01T00:00:00+01:00").timestamp()
    late = [line for line in lines.values() if line["started_at"] < first]
    assert 3 <= len({line["account"] for line in late}) <= 20
    assert {line["network"] for line in late} <= {f"999-7{k}" for k in range(1, 7)}


def test_calls_that_hang_by_nature_are_labelled(tmp_path: Path) -> None:
    simulation = simulate(
        tmp_path / "sim", operators=1, subscribers=3000, period=202610, seed=2, formats=["csv"],
        records_per_subscriber=20, phone_logs=True, phone_format="android-csv",
    )  # fmt: skip
    labels = labels_of(simulation)
    assert labels
    assert {label["kind"] for label in labels} == {"hung"}
    assert all(int(label["truth"]) <= 3600 < 7200 < int(label["usage"]) for label in labels)


def test_without_phone_logs_nothing_is_visible(tmp_path: Path) -> None:
    simulation = simulate(
        tmp_path, operators=2, subscribers=60, period=202609, seed=2, formats=["csv"], errors=0.02
    )
    labels = labels_of(simulation)
    assert {label["operator"] for label in labels} == {"1", "2"}
    assert {label["visible"] for label in labels} == {"no"}
    assert not (tmp_path / "phones").exists()
    assert json.loads(simulation.path.read_text(encoding="utf-8"))["labels"] == "labels.csv"


def test_only_some_kinds(tmp_path: Path) -> None:
    simulation = simulate(
        tmp_path, operators=1, subscribers=200, period=202609, seed=2, formats=["csv"], errors=0.02,
        error_kinds=["overcharge", "tariff"],
    )  # fmt: skip
    kinds = [label["kind"] for label in labels_of(simulation) if label["kind"] != "hung"]
    assert set(kinds) == {"overcharge", "tariff"}
    assert 50 < len(kinds) < 200


_RATES = {rate.name: rate for rate in rates()}


def _terms(
    lines: dict[tuple[str, int], dict[str, Any]], misrated: set[str]
) -> dict[tuple[str, int], tuple[Rate, int, int]]:
    """Rate, free usage left and usage billed before, of lines whose file names the rate.

    Without the accounts of plans with free usage or tiers of which some line names none, or a wrong one.
    """
    plans = {plan.name: plan for plan in PLANS}
    named = {place: _RATES[line["rate"]] for place, line in lines.items() if line["rate"] in _RATES}
    unnamed = {account for (account, _), line in lines.items() if not line["rate"] and line["service"] < 32}
    used: dict[tuple[str, str], int] = defaultdict(int)
    found = {}
    for place in sorted(named):
        rate, plan = named[place], plans[named[place].name.split("/")[0]]
        if plan.monthly and place[0] in unnamed | misrated:
            continue
        pool, tier = (place[0], rate.pool.name), (place[0], rate.name)
        left = max(plan.free[rate.pool] - used[pool], 0)
        found[place] = rate, left, used[tier] if rate.tier_price else 0
        billed = _charge(rate, 0, 0, lines[place]["usage"])[0]
        for key in {pool, tier} if rate.pool is not Pool.NONE else {tier}:
            used[key] += billed
    return found


def _charge(rate: Rate, left: int, before: int, usage: int) -> tuple[int, int]:
    """What a rate charges, by steps and in fractions."""
    steps = [rate.first]
    while sum(steps) < usage:
        steps.append(-(-(usage - rate.first) // rate.step) * rate.step)
    amount = Fraction(0 if min(left, sum(steps)) else rate.connection)
    for step, price in zip(steps, (rate.opening, rate.price), strict=False):
        free = min(left, step)
        left -= free
        price = rate.tier_price if rate.tier_price and before >= rate.tier_above else price
        amount += Fraction((step - free) * price, rate.unit)
    grains, rest = divmod(amount, rate.grain)
    return sum(steps), (int(grains) + (2 * rest >= rate.grain)) * rate.grain
