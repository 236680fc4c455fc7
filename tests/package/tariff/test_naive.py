"""The naive rater against the cases worked out by hand, and then as the judge of the engine."""

from __future__ import annotations

import json
from fractions import Fraction
from random import Random

import naive
import pytest
from comparing import differences
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive_check import check_statement
from rating_vectors import VECTORS, Case, cases

CASES = cases()
RECORD_KEYS = {
    *("index", "service", "startedAt", "utcOffset", "usage", "billedUsage", "number"),
    *("network", "amount", "rate", "corrects"),
}
EXPECTED_KEYS = {"status", "rate", "billedUsage", "due", "free", "cause"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_naive_rater_gives_what_was_worked_out_by_hand(case: Case) -> None:
    verdicts, missing, left = check_statement(case.tariff, case.records, case.balances)
    given = [
        {
            "status": each.status,
            "rate": each.rate,
            "billedUsage": each.billed,
            "due": each.due,
            "free": each.free,
            "cause": each.cause,
        }
        for each in verdicts
    ]
    assert given == case.expected
    assert [{"name": name, "due": due} for name, due in missing] == case.missing
    if case.left is not None:
        assert left == case.left


def test_vectors_have_the_form_that_their_readme_gives() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    assert {case.tariff_path for case in CASES} == set((VECTORS / "tariffs").iterdir())
    for path in VECTORS.glob("*.json"):
        document = json.loads(path.read_text())
        assert document.keys() == {"about", "cases"}
        for case in document["cases"]:
            assert case.keys() == {"name", "tariff", "because", "balances", "records", "expected"}
            assert case["because"]
            assert all(case["because"])
            assert case["expected"].keys() == {"records", "missing", "left"}
            assert len(case["records"]) == len(case["expected"]["records"])
            for place, record in enumerate(case["records"]):
                assert record.keys() == RECORD_KEYS
                assert all(isinstance(value, str) for value in record.values())
                assert record["index"] == str(place)
            for record in case["expected"]["records"]:
                assert record.keys() == EXPECTED_KEYS
                assert all(value is None or isinstance(value, str) for value in record.values())


@pytest.mark.parametrize("part", range(8))
def test_engine_agrees_with_the_naive_rater_on_drawn_tariffs(part: int) -> None:
    """Some 20,000 records; `benchmarks/rating_oracle.py` compares a million."""
    compared = 0
    for seed in range(40 * part, 40 * (part + 1)):
        count, found = differences(Random(seed))
        assert not found, f"seed {seed}: {len(found)} differences, the first: {found[0]}"
        compared += count
    assert compared > 1000


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_engine_agrees_with_the_naive_rater_on_tariffs_that_shrink(random: Random) -> None:
    _, found = differences(random, statements=2, most=6)
    assert not found, found[0]


def test_a_wrong_rater_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison compares: with halves rounded wrongly in the naive rater, engine and rater differ."""
    right = naive.rounded

    def wrong(value: Fraction, mode: str, decimals: int) -> Fraction:
        return right(value, "half-up" if mode == "half-even" else mode, decimals)

    monkeypatch.setattr(naive, "rounded", wrong)
    assert any(differences(Random(seed))[1] for seed in range(10))
