"""The tariff files beside a month: there, readable, and of exactly the operator's own numbers."""

from __future__ import annotations

import csv
import json
import tomllib

import pytest

from billproof.simulate import FORMATS, simulate
from billproof.simulate.documents import own_prefixes
from billproof.simulate.numbering import SUBSCRIBER_BLOCKS
from billproof.simulate.tariffs import PLANS


def test_every_account_has_a_tariff_file(everything, document):
    for operator in document(everything)["operators"]:
        listed = everything.out / operator["tariffs"]
        assert operator["tariffs"] == f"tariffs/operator-{operator['operator']}/accounts.csv"
        with listed.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert [row["account"] for row in rows] == [f"{operator['name'][0]}{k + 1:07d}" for k in range(60)]
        for name in {row["tariff"] for row in rows}:
            tariff = tomllib.loads((listed.parent / name).read_text(encoding="utf-8"))
            assert tariff["schema"] == "billproof/tariff/1"
            assert tariff["name"] == f"{operator['name']} {name.removesuffix('.toml')}"
    assert len(list((everything.out / "tariffs/operator-1").glob("*.toml"))) == len(PLANS)


def test_the_plan_is_the_one_that_lines_were_rated_by(rated, read_rows):
    month = rated.operators[0]
    with (rated.out / month.tariffs).open(encoding="utf-8", newline="") as stream:
        tariffs = {row["account"]: row["tariff"] for row in csv.DictReader(stream)}
    plans = {plan.name for plan in PLANS}
    for row in read_rows(rated.out / month.files[0].path, "csv"):
        plan = row.raw["rate"].split("/")[0]
        if plan in plans:
            assert tariffs[row.account] == f"{plan}.toml"


def test_without_the_export_there_is_no_fee_to_miss(tmp_path):
    simulation = simulate(tmp_path, operators=1, subscribers=9, period=202609, seed=1, formats=["asterisk"])
    for path in (tmp_path / simulation.operators[0].tariffs).parent.glob("*.toml"):
        tariff = tomllib.loads(path.read_text(encoding="utf-8"))
        assert not {"fees", "taxes", "discounts", "total"} & set(tariff)


def test_a_january_reaches_back(tmp_path):
    simulation = simulate(tmp_path, operators=1, subscribers=2, period=202601, seed=1, formats=["csv"])
    text = (tmp_path / simulation.operators[0].tariffs).with_name("flex.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["valid"] == {"from": "2025-01-01"}


@pytest.mark.parametrize(
    ("first", "count"),
    [(0, 1), (0, 200), (7, 5), (137, 4321), (0, 90_000), (89_990, 30), (90_000, 1_000_000), (95_123, 77)],
)
def test_prefixes_are_exactly_a_range(first, count):
    numbers = [f"{block}{k:0{digits}d}" for block, digits, size in SUBSCRIBER_BLOCKS for k in range(size)]
    prefixes = own_prefixes(first, count)
    assert len(prefixes) < 100
    found = tuple(prefixes)
    assert [k for k, number in enumerate(numbers) if number.startswith(found)] == list(
        range(first, first + count)
    )


def test_other_months_have_the_same_file(tmp_path):
    files = []
    for period in (202609, 202610):
        simulation = simulate(
            tmp_path / str(period), operators=1, subscribers=3, period=period, seed=1, formats=list(FORMATS)
        )
        folder = (simulation.out / simulation.operators[0].tariffs).parent
        files.append({path.name: path.read_bytes() for path in folder.glob("*.toml")})
        assert json.loads(simulation.path.read_text(encoding="utf-8"))["period"] == period
    assert files[0] == files[1]
