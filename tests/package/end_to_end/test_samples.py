"""Real files, from the switch or the bill to one line verified by the contract on anvil."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from chains import Chain

from billproof.anchoring import anchor_period
from billproof.billing_run import BatchResult, Input, batch
from billproof.bundle import cut
from billproof.report import Verdict
from billproof.secret_store import SecretStore
from billproof.trust import Pins
from billproof.verification import Verifier

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples"

SWITCH_MAPPING = """
# 100 calls of a VoIP switch: no header, no prices.
[file]
header = false
strip = true
columns = ["caller", "name", "callee", "duration", "billsec", "cause", "uuid", "start"]
[account]
column = "caller"
[service]
value = "voice_originated"
[time]
column = "start"
format = "epoch_s"
[usage]
column = "duration"
[billed_usage]
column = "billsec"
[number]
column = "callee"
[amount]
value = "0"
[currency]
value = "XXX"
"""


@pytest.fixture
def sample() -> Callable[[str], Path]:
    """A sample by its path; skips the test where samples are not at hand."""

    def find(name: str) -> Path:
        if not (SAMPLES / name).exists():
            pytest.skip(f"the sample {name} is not here")
        return SAMPLES / name

    return find


@dataclass
class Billing:
    """An operator on anvil that bills a sample and has its bundles verified."""

    chain: Chain
    home: Path
    operator: int

    def run(self, inputs: list[Input], period: int) -> BatchResult:
        result = batch(
            inputs,
            operator=self.operator,
            period=period,
            chain_id=self.chain.deployment.chain_id,
            ledger=self.chain.deployment.ledger,
            store=self.home / "store",
            secrets=self.home / "secrets",
        )
        anchor_period(self.home / "store", self.chain.client(), self.operator, period)
        return result

    def verify(self, result: BatchResult) -> int:
        """Verifies every bundle, and the last line of each by the contract itself; how many there were."""
        pins = Pins(self.home / "trust.json")
        pins.add(self.chain.deployment.chain_id, self.chain.deployment.ledger, self.operator, "Sample")
        local = Verifier(pins=pins, rpc=[self.chain.url])
        on_node = Verifier(pins=pins, rpc=[self.chain.url], on_chain="node")
        assert result.stored is not None
        count = 0
        for _, bundle in cut.bundles(result.stored, SecretStore(self.home / "secrets", self.operator)):
            whole, line = self.home / "bundle.json", self.home / "line.json"
            cut.write_document(whole, bundle)
            cut.write_document(line, cut.receipt(bundle, len(bundle.records) - 1, show_number=True))
            assert local.verify(whole).verdict is Verdict.VALID
            report = on_node.verify(line)
            assert report.verdict is Verdict.VALID
            assert "ledger code" in [step.name for step in report.steps]
            count += 1
        return count


@pytest.fixture
def billing(anvil: Chain, tmp_path: Path) -> Billing:
    return Billing(anvil, tmp_path, anvil.operator())


def test_an_itemised_bill_of_five_months(billing: Billing, sample: Callable[[str], Path]) -> None:
    """830 lines: 388 calls, 292 messages, 150 data sessions, 3,395.28 in all."""
    file = sample("itemised-bill/phone_data.csv")
    rows = {201411: 230, 201412: 157, 201501: 205, 201502: 137, 201503: 101}
    services: Counter[int] = Counter()
    total = 0
    for period, count in rows.items():
        result = billing.run([Input("itemised-bill", [file])], period)
        assert (result.rows, result.committed, result.rejected) == (830, count, 0)
        assert result.other_periods == 830 - count
        assert billing.verify(result) == 1
        total += result.totals["XXX"]
        assert result.stored is not None
        services.update(result.stored.records["service"].to_pylist())
    assert total == 3_395_280_000_000
    assert services == {1: 388, 4: 292, 6: 150}


def test_a_voip_switch(billing: Billing, sample: Callable[[str], Path], tmp_path: Path) -> None:
    """100 calls of 100 callers, 13,836 billed seconds, one of them negative: it cannot be billed."""
    mapping = tmp_path / "switch.toml"
    mapping.write_text(SWITCH_MAPPING)
    result = billing.run([Input("csv", [sample("voip/cdr-stats_import_cdr_100.txt")], mapping)], 201205)
    assert (result.rows, result.committed, result.rejected, result.other_periods) == (100, 99, 1, 0)
    assert result.accounts == 99
    assert result.stored is not None
    assert sum(result.stored.records["billed_usage"].to_pylist()) == 13_836 + 6
    assert billing.verify(result) == 99


def test_ipdr_voip_records(billing: Billing, sample: Callable[[str], Path]) -> None:
    """30 calls of two subscribers in June 2001; some are in the file several times, and all are billed."""
    result = billing.run([Input("ipdr-csv", [sample("ipdr/testVOIP.csv")])], 200106)
    assert (result.rows, result.committed, result.rejected, result.other_periods) == (30, 30, 0, 0)
    assert result.accounts == 2
    assert result.repeated == 27
    assert billing.verify(result) == 2
    assert result.stored is not None
    starts: Any = Counter(result.stored.records["started_at"].to_pylist())
    assert set(starts) == {991847488, 991847624, 991847648}
