"""The shared cases of what a published tariff means for a statement, and the words for times."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from billproof.bundle import documents as doc
from billproof.ledger import deployments
from billproof.ledger.devaccounts import EMBEDDED_CHAIN_ID
from billproof.ledger.states import OddAnswerError, TariffState
from billproof.ledger.tariff_reads import tariff_state
from billproof.publication import faults, judge, tariff_of, unknown, utc, validity_words

VECTORS = Path(__file__).parents[1] / "vectors/publication.json"
CASES = json.loads(VECTORS.read_text())["cases"]


class Node:
    """Gives one answer, and remembers what it was asked."""

    name = host = operated_by = "node"

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    def request(self, method: str, params: list[Any]) -> Any:
        self.asked.append((method, params))
        return self.answer


def document(case: dict[str, Any]) -> Any:
    """As much of a bundle as the rule looks at."""
    statement: Any = SimpleNamespace(tariff=case["tariff"])
    records: Any = [SimpleNamespace(**line) for line in case["lines"]]
    absent: Any = None
    return doc.Bundle(
        schema="", batch=absent, account=absent, statement=statement, records=records, entry=absent
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_shared_cases(case: dict[str, Any]) -> None:
    bundle = document(case)
    batch: Any = SimpleNamespace(period=int(case["period"]))
    tariff = tariff_of(bundle)
    if case["call"] is None:
        assert tariff == b""
        assert case["status"] == "none"
        return
    node = Node(case["answer"])
    deployment = deployments.load(EMBEDDED_CHAIN_ID)
    try:
        state = tariff_state(node, deployment, int(case["operatorId"]), tariff, "0x10")
    except OddAnswerError:
        assert case["status"] == "unknown"
        return
    finally:
        ((method, (call, block)),) = node.asked
        assert (method, block) == ("eth_call", "0x10")
        assert call == {"to": "0xbabb62cbcb025340502aaa04756d9ea1d1c72cb9", "data": case["call"]}
    found = judge(bundle, batch, tariff, state)
    assert found.status == case["status"]
    assert found.document()["hash"] == case["tariff"]
    told = [word for word in ("began", "withdrawn before", "not valid for") if word in found.message]
    assert len(told) == len(case["faults"])
    lines = [
        (int(line["startedAt"]), int(line["utcOffset"]))
        for line in case["lines"]
        if int(line["service"]) < 32 and int(line["corrects"], 16) == 0
    ]
    if state is not None and state.exists:
        assert faults(batch.period, lines, state) == case["faults"]


def test_every_status_has_a_case() -> None:
    statuses = {"none", "no-book", "unknown", "unpublished", "late", "withdrawn", "outside", "published"}
    assert {case["status"] for case in CASES} == statuses


def test_times_in_words() -> None:
    state = TariffState(1, 1_790_812_800, 1_822_348_800, 0)
    assert validity_words(state) == "valid from 2026-10-01 up to and including 2027-09-30"
    odd = TariffState(1, 1_790_812_801, 1_822_348_801, 0)
    assert validity_words(odd) == "valid from 2026-10-01 00:00:01 until 2027-10-01 00:00:01"
    endless = TariffState(1, 2**64 - 1, 0, 0)
    assert validity_words(endless) == "valid from a day after the year 9999 on"
    assert utc(2**64 - 1) == "a day after the year 9999"
    assert "2027" not in validity_words(TariffState(1, 5, 2**64 - 1, 0))


def test_what_could_not_be_looked_up_says_why() -> None:
    found = unknown(b"\1" * 32, "the node is tired")
    assert found.message.endswith("could not be looked up: the node is tired")
    assert found.document() == {"status": "unknown", "hash": "0x" + "01" * 32}
