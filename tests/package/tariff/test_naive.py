"""The naive rater against the cases worked out by hand, so that it may judge the engine."""

from __future__ import annotations

import json

import pytest
from naive import check_statement
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
