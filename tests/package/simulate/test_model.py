"""Is the traffic plausible: shapes of distributions, not their exact figures."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from billproof.simulate import distributions, simulate
from billproof.simulate.month import Month
from billproof.simulate.tariffs import Kind, rate_table


@pytest.fixture(scope="module")
def rows(rated, read_rows):
    return read_rows(rated.out / rated.operators[0].files[0].path, "csv")


def test_about_as_many_records_as_asked_for(rated, rows):
    per_account = Counter(row.account for row in rows)
    assert len(per_account) == 400
    assert 45 < len(rows) / 400 < 55
    assert max(per_account.values()) > 3 * median(per_account.values())


def test_every_kind_of_line_occurs(rows):
    kinds = Counter(row.kind for row in rows)
    assert set(kinds) == {
        "MOC", "MTC", "CFW", "SMS-MO", "SMS-MT", "GPRS", "MMS", "VAS",
        "FEE", "ONCE", "DISC", "TAX", "CRED", "ROUND",
    }  # fmt: skip
    assert kinds["MOC"] > kinds["SMS-MO"] > kinds["MMS"]
    assert kinds["TAX"] == kinds["ROUND"] == 400


def test_nights_are_quiet_and_evenings_busy(rows):
    hours = Counter(row.local.hour for row in rows if row.kind == "MOC")
    assert sum(hours[hour] for hour in (1, 2, 3, 4)) * 8 < sum(hours[hour] for hour in (16, 17, 18, 19))


def test_sundays_are_quieter_than_fridays(rows):
    days = Counter(row.local.weekday() for row in rows if row.kind in ("MOC", "SMS-MO", "GPRS"))
    assert days[6] < days[4]


def test_many_calls_are_short_and_a_few_long(rows):
    seconds = sorted(int(row.usage) for row in rows if row.kind == "MOC")
    assert 40 < median(seconds) < 130
    assert seconds[len(seconds) // 10] < 15
    assert seconds[-len(seconds) // 50] > 600


def test_a_few_contacts_take_most_calls(rows):
    calls = defaultdict(Counter)
    for row in rows:
        if row.kind == "MOC":
            calls[row.account][row.number] += 1
    busy = [counter for counter in calls.values() if counter.total() >= 30]
    assert busy
    shares = [sum(n for _, n in counter.most_common(3)) / counter.total() for counter in busy]
    assert 0.35 < median(shares) < 0.8


def test_calls_of_a_subscriber_do_not_overlap(rows):
    voice = defaultdict(list)
    for row in rows:
        if row.kind in ("MOC", "MTC", "CFW"):
            voice[row.account].append((row.local, int(row.usage)))
    overlaps = 0
    for calls in voice.values():
        for (start, seconds), (following, _) in pairwise(calls):
            overlaps += start + timedelta(seconds=seconds) > following
    # Two calls drawn for the same second cannot be kept apart; that is all.
    assert overlaps <= 3


def test_nobody_calls_herself(rows, rated):
    own = {f"M{k + 1:07d}": f"+3532091{k:05d}" for k in range(400)}
    assert all(row.number != own[row.account] for row in rows)


def test_roaming_uses_partner_networks_for_a_few_days(rows):
    abroad = defaultdict(list)
    for row in rows:
        if row.raw["network"].startswith("999-7"):
            abroad[row.account].append(row)
    assert 4 <= len(abroad) <= 40
    for lines in abroad.values():
        assert len({row.raw["network"] for row in lines}) == 1
        assert max(row.local for row in lines) - min(row.local for row in lines) <= timedelta(days=10)
        for row in lines:
            if row.kind in ("MOC", "MTC"):
                assert "/roaming-" in row.raw["rate"]


def test_rounding_of_usage_follows_the_plan(rows):
    for row in rows:
        if row.kind == "MOC" and "roaming" not in row.raw["rate"]:
            plan = row.raw["rate"].split("/")[0]
            if plan == "minute":
                assert row.billed % 60 == 0
            elif plan == "flex":
                assert row.billed == 30 or (row.billed - 30) % 6 == 0
            elif plan == "steps":
                assert row.billed == max(row.usage, 60)
            else:
                assert row.billed == row.usage
            assert row.billed - row.usage < 60


def test_charge_is_exact():
    rates = rate_table()
    flex = np.array([1])
    rate = rates.rate(flex, np.array([Kind.OFF_NET]), np.array([True]))
    for usage, billed in ((1, 30), (30, 30), (31, 36), (36, 36), (37, 42), (85, 90)):
        got, amount = rates.charge(rate, np.array([usage]))
        assert (got[0], amount[0]) == (billed, billed * 1_650_000)


def test_inverse_tables_keep_their_weights():
    table = distributions.inverse([1, 0, 3])
    assert len(table) == 65_536
    assert np.bincount(table).tolist() == [16_384, 0, 49_152]
    assert sum(distributions.ACTIVITY) == 100 * len(distributions.ACTIVITY)
    for positive in (distributions.talk_seconds(), distributions.session_bytes(), distributions.segments()):
        assert positive.min() >= 1
        assert len(positive) == 65_536


@pytest.mark.parametrize(
    ("period", "hours", "offsets"),
    [(202603, 743, {0, 60}), (202610, 745, {0, 60}), (202607, 744, {60}), (202402, 696, {0})],
)
def test_months_have_the_hours_that_daylight_saving_leaves(period, hours, offsets):
    month = Month(period, ZoneInfo("Europe/Dublin"))
    assert len(month.offsets) == hours
    assert set(month.offsets.tolist()) == offsets
    assert month.end - month.start == hours * 3600


@pytest.mark.parametrize("name", ["Asia/Kathmandu", "America/St_Johns", "Pacific/Auckland", "UTC"])
def test_other_time_zones(tmp_path, name, read_rows):
    simulation = simulate(
        tmp_path, operators=1, subscribers=20, period=202604, seed=2, formats=["csv"], timezone=name
    )
    path = tmp_path / simulation.operators[0].files[0].path
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    for line in lines:
        start = datetime.fromisoformat(line.split(",")[2])
        assert (start.year, start.month) == (2026, 4)
        assert start.astimezone(ZoneInfo(name)).utcoffset() == start.utcoffset()
