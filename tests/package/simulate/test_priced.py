"""The simulator charges what its tariff files say: nothing differs but the lines that are labelled."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billproof.account_tariffs import AccountTariffs
from billproof.billing_run import Input, batch
from billproof.rerating import Pricing, Rerated
from billproof.simulate import FORMATS, Simulation, simulate

FOUND = ("overcharge", "tariff")


def differing(simulation: Simulation, work: Path) -> tuple[list[dict[str, str]], list[Rerated]]:
    """Lines of all operators that are not what the tariffs say."""
    rows, checked = [], []
    for month in simulation.operators:
        names = dict.fromkeys(file.format for file in month.files)
        result = batch(
            [
                Input(
                    name,
                    [simulation.out / file.path for file in month.in_format(name)],
                    simulation.out / month.in_format(name)[0].mapping,
                )
                for name in names
            ],
            operator=month.carrier.number,
            period=simulation.period,
            chain_id=31337,
            ledger="0x" + "ab" * 20,
            store=work / "store",
            secrets=work / "secrets",
            pricing=Pricing(AccountTariffs.read(simulation.out / month.tariffs), "report"),
        )
        assert result.stored is not None
        assert result.rerated is not None
        checked.append(result.rerated)
        file = result.stored.path / "differences.csv"
        if file.exists():
            with file.open(encoding="utf-8", newline="") as stream:
                rows += [{**row, "operator": str(month.carrier.number)} for row in csv.DictReader(stream)]
    return rows, checked


MONTHS: list[dict[str, Any]] = [
    {"formats": ["csv"]},
    {"formats": list(FORMATS)},
    {"formats": ["asterisk", "itemised-bill"]},
    {"formats": ["csv"], "timezone": "Australia/Lord_Howe"},
    {"formats": ["csv", "freeswitch"], "operators": 1, "subscribers": 1, "records_per_subscriber": 3000},
    {"formats": ["csv"], "phone_logs": True, "phone_format": "android-csv", "currency": "GBP"},
]


@pytest.mark.parametrize("month", MONTHS)
def test_nothing_differs_without_errors(tmp_path: Path, month: dict[str, Any]) -> None:
    usual = {"operators": 2, "subscribers": 120, "period": 202610, "seed": 3}
    simulation = simulate(tmp_path / "sim", **{**usual, **month})
    rows, checked = differing(simulation, tmp_path)
    assert rows == []
    assert all(found.lines.total() > 1000 and not found.missing for found in checked)


@pytest.mark.parametrize("month", MONTHS[:3])
def test_what_is_labelled_differs_and_nothing_else(tmp_path: Path, month: dict[str, Any]) -> None:
    simulation = simulate(
        tmp_path / "sim", operators=2, subscribers=250, period=202610, seed=4, errors=0.03, **month
    )
    with (simulation.out / simulation.labels).open(encoding="utf-8", newline="") as stream:
        labels = list(csv.DictReader(stream))
    wrong = {
        (label["operator"], label["account"], label["record"]): Decimal(label["amount"])
        for label in labels
        if label["kind"] in FOUND
    }
    rows, _ = differing(simulation, tmp_path)
    found = {(row["operator"], row["account"], row["record"]): Decimal(row["difference"]) for row in rows}
    assert len(wrong) > 60
    assert len(labels) > 2 * len(wrong)
    assert found == wrong
