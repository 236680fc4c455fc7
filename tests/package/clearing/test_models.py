"""Discount models: cases computed by hand, the specification's examples, and what holds for any numbers."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billproof.clearing.agreement.agreement import Agreement, load_agreement
from billproof.clearing.discounts.models import Commitment, Model, Tier, rounded
from billproof.clearing.discounts.year import Evaluation, Volume, evaluate, months_of
from billproof.records import Service
from billproof.tariff import values

CASES = tomllib.loads(Path(__file__).with_name("test_models_cases.toml").read_text())["case"]
SPECIFICATION = Path(__file__).resolve().parents[3] / "docs/clearing.md"


def agreement_of(
    model: dict[str, Any], months: int, service: str = "voice-originated", **keys: Any
) -> Agreement:
    """An agreement of one model and so many months from January 2026."""
    direction = {} if model["model"] == "balanced" else {"from": 1}
    document = {
        "schema": "billproof/agreement/1",
        "name": "Example",
        "valid": {"from": "2026-01-01", "until": f"{2026 + months // 12}-{months % 12 + 1:02d}-01"},
        "settlement": "EUR",
        "parties": [{"operator": n, "name": f"Party {n}", "currency": "EUR"} for n in (1, 2)],
        "models": [{"name": "example", "services": [service], **direction, **model}],
        **keys,
    }
    return load_agreement(json.dumps(document).encode())


def evaluated(case: dict[str, Any]) -> Evaluation:
    service = case.get("service", "voice-originated")
    count = max(map(len, case["volumes"].values()))
    keys = {"rounding": case["rounding"]} if "rounding" in case else {}
    agreement = agreement_of(case["model"], case.get("of", count), service, **keys)
    months = months_of(agreement)
    volumes = [
        Volume(month, int(operator), values.service_of(service), "elsewhere", values.quantity(text)[1])
        for operator, texts in case["volumes"].items()
        for month, text in zip(months, texts, strict=False)
    ]
    return evaluate(agreement, volumes, months[count - 1])


def column(evaluation: Evaluation, operator: str, key: str) -> list[int]:
    return [getattr(line, key) for line in evaluation.lines if line.payer.operator == int(operator)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_cases_computed_by_hand(case: dict[str, Any]) -> None:
    evaluation = evaluated(case)
    for key, column_of in (("shares", "share"), ("shortfall", "shortfall"), ("open", "open")):
        for operator, amounts in case.get(key, {}).items():
            assert column(evaluation, operator, column_of) == [values.money(text) for text in amounts], case[
                "words"
            ]
    assert not evaluation.uncovered


def examples() -> list[dict[str, Any]]:
    """The rows of section 6's table, as cases."""
    text = SPECIFICATION.read_text()
    section = text[text.index("## 6. ") : text.index("## 7. ")]
    found = []
    for model, volumes, shares, words in re.findall(
        r"^\| `(\{ model = .*?\})` \| (.*?) \| (.*?) \| (.*?) \|$", section, re.M
    ):
        case = {"model": tomllib.loads(f"model = {model}")["model"], "words": words}
        for key, cell in (("volumes", volumes), ("shares", shares)):
            case[key] = {}
            for part in cell.split(";"):
                operator, _, entries = part.strip().rpartition(":")
                listed = [entry.strip() for entry in entries.split(",")]
                if listed[-1] == "…":
                    listed.pop()
                    case["of"] = 12
                case[key][operator or "1"] = listed
        case["service"] = "data" if "B" in volumes else "voice-originated"
        found.append(case)
    return found


def test_specification_has_examples_of_every_model() -> None:
    shapes = {(case["model"]["model"], case["model"].get("mode")) for case in examples()}
    assert shapes == {("flat", None), ("balanced", None), ("tiers", "incremental"), ("tiers", "all")}
    assert sum("commitment" in case["model"] for case in examples()) > 2


@pytest.mark.parametrize("case", examples(), ids=lambda case: case["words"])
def test_examples_of_the_specification(case: dict[str, Any]) -> None:
    test_cases_computed_by_hand(case)


# What holds for any numbers.

VOLUMES = st.integers(0, 10**9)
PRICES = st.fractions(0, 10, max_denominator=10**6)
MODES = st.sampled_from(["up", "down", "half-up", "half-even"])


def model(shape: str, **keys: Any) -> Model:
    return Model("m", shape, 1, frozenset({Service.VOICE_ORIGINATED}), None, "seconds", 60, **keys)


@st.composite
def tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    bounds = sorted(draw(st.sets(st.integers(1, 10**6), max_size=5)))
    return tuple(Tier(above, draw(PRICES)) for above in [0, *bounds])


@st.composite
def commitments(draw: st.DrawFn) -> Commitment:
    accrues = draw(st.sampled_from(["year", "month"]))
    if draw(st.booleans()):
        return Commitment(draw(st.fractions(0, 10**6, max_denominator=10**9)), None, None, accrues)
    return Commitment(None, draw(VOLUMES), draw(st.none() | PRICES), accrues)


@st.composite
def models(draw: st.DrawFn) -> Model:
    shape = draw(st.sampled_from(["flat", "tiers", "balanced"]))
    if shape == "balanced":
        return model(shape, price=draw(PRICES), unbalanced=draw(PRICES))
    commitment = draw(st.none() | commitments())
    if shape == "flat":
        return model(shape, price=draw(PRICES), commitment=commitment)
    mode = draw(st.sampled_from(["incremental", "all"]))
    return model(shape, tiers=draw(tiers()), mode=mode, commitment=commitment)


def one_way(of: Model, volume: int | Fraction) -> Fraction:
    return of.charges({1: Fraction(volume)})[1]


@given(tiers())
def test_incremental_tiers_have_no_jump(drawn: tuple[Tier, ...]) -> None:
    of = model("tiers", tiers=drawn)
    for tier, before in zip(drawn[1:], drawn, strict=False):
        step = Fraction(1, 10**9)
        at = one_way(of, tier.above)
        assert at - one_way(of, tier.above - step) == step * before.price / 60
        assert one_way(of, tier.above + step) - at == step * tier.price / 60


@given(tiers(), VOLUMES, VOLUMES)
def test_incremental_tiers_never_fall_and_split_where_the_volume_does(
    drawn: tuple[Tier, ...], one: int, other: int
) -> None:
    of = model("tiers", tiers=drawn)
    assert one_way(of, one) <= one_way(of, one + other)
    assert one_way(of, one + other) <= (one + other) * max(tier.price for tier in drawn) / 60


@given(tiers(), VOLUMES)
def test_all_units_have_the_price_of_one_tier(drawn: tuple[Tier, ...], volume: int) -> None:
    of = model("tiers", tiers=drawn, mode="all")
    above = [tier for tier in drawn if volume > tier.above] or drawn[:1]
    assert one_way(of, volume) == volume * above[-1].price / 60


@given(PRICES, PRICES, VOLUMES, VOLUMES)
def test_balanced_is_symmetric(balanced: Fraction, unbalanced: Fraction, one: int, other: int) -> None:
    of = model("balanced", price=balanced, unbalanced=unbalanced)
    there = of.charges({1: Fraction(one), 2: Fraction(other)})
    back = of.charges({1: Fraction(other), 2: Fraction(one)})
    assert (there[1], there[2]) == (back[2], back[1])
    assert there[1] - there[2] == (one - other) * unbalanced / 60


@given(models(), st.lists(st.tuples(VOLUMES, VOLUMES), min_size=12, max_size=12), MODES, st.integers(0, 9))
def test_months_add_up_to_the_year(
    of: Model, months: list[tuple[int, int]], mode: str, decimals: int
) -> None:
    agreement = agreement_for(of, mode, decimals)
    of = agreement.models[0]
    names = months_of(agreement)
    volumes = [
        Volume(name, operator, Service.VOICE_ORIGINATED, "elsewhere", volume)
        for name, both in zip(names, months, strict=True)
        for operator, volume in enumerate(both, 1)
    ]
    evaluation = evaluate(agreement, volumes, names[-1])
    payers = {line.payer.operator for line in evaluation.lines}
    sums = {operator: sum(both[operator - 1] for both in months) for operator in payers}
    charges = of.charges({operator: Fraction(volume) for operator, volume in sums.items()})
    for operator in payers:
        lines = [line for line in evaluation.lines if line.payer.operator == operator]
        whole = rounded(max(charges[operator], of.commits), mode, decimals)
        assert sum(line.share for line in lines) == lines[-1].to_date == whole
        assert lines[-1].open == 0
        assert whole >= rounded(of.commits, mode, decimals)
        assert all(line.used + line.shortfall == line.to_date and line.shortfall >= 0 for line in lines)
        assert all(
            line.volume_to_date == sum(each.volume for each in lines[:n]) for n, line in enumerate(lines, 1)
        )
    assert evaluation.net(names[-1])[0] == sum(evaluation.net(name)[1] for name in names)


def agreement_for(of: Model, mode: str, decimals: int) -> Agreement:
    empty = agreement_of({"model": "flat", "price": "0"}, 12, rounding={"mode": mode, "decimals": decimals})
    of = dataclasses.replace(of, operator=None if of.shape == "balanced" else 1)
    return dataclasses.replace(empty, models=(of,))


@given(models(), VOLUMES)
def test_send_or_pay_is_never_below_the_commitment(of: Model, volume: int) -> None:
    agreement = agreement_for(of, "half-up", 2)
    traffic = Volume("2026-07", 1, Service.VOICE_ORIGINATED, "elsewhere", volume)
    for line in evaluate(agreement, [traffic], "2026-12").of("2026-12"):
        assert line.to_date >= rounded(of.commits, "half-up", 2)
        assert line.to_date >= line.used


@given(st.fractions(0, 10**6), MODES, st.integers(0, 9))
def test_rounding_moves_by_less_than_a_unit(amount: Fraction, mode: str, decimals: int) -> None:
    unit = Fraction(10) ** (9 - decimals)
    off = rounded(amount, mode, decimals) - amount * 10**9
    assert rounded(amount, mode, decimals) % unit == 0
    low, high = {"up": (0, 1), "down": (-1, 0)}.get(mode, (Fraction(-1, 2), Fraction(1, 2)))
    assert low * unit <= off <= high * unit
    assert abs(off) < unit


# What an evaluation takes.


def test_traffic_in_no_model_is_told() -> None:
    agreement = agreement_of({"model": "flat", "price": "0.05", "routes": ["elsewhere"]}, 12)
    stray = [
        Volume("2026-01", 2, Service.VOICE_ORIGINATED, "elsewhere", 60),
        Volume("2026-01", 1, Service.DATA, "elsewhere", 1000),
        Volume("2026-01", 1, Service.DATA, "elsewhere", 500),
        Volume("2026-02", 1, Service.MMS, "elsewhere", 0),
    ]
    evaluation = evaluate(agreement, stray)
    assert [(each.operator, each.service, each.volume) for each in evaluation.uncovered] == [
        (1, Service.DATA, 1500),
        (2, Service.VOICE_ORIGINATED, 60),
    ]
    assert evaluation.months == ("2026-01", "2026-02")
    assert evaluation.net("2026-02") == (0, 0)


@pytest.mark.parametrize(
    ("volume", "until"),
    [
        (Volume("2025-12", 1, Service.DATA, "elsewhere", 1), None),
        (Volume("2026-01", 3, Service.DATA, "elsewhere", 1), None),
        (Volume("2026-01", 1, Service.DATA, "elsewhere", -1), None),
        (Volume("2026-01", 1, Service.DATA, "elsewhere", 1), "2027-01"),
    ],
)
def test_strangers_and_other_months_are_refused(volume: Volume, until: str | None) -> None:
    with pytest.raises(ValueError, match=r"of the agreement|is no party"):
        evaluate(agreement_of({"model": "flat", "price": "0.05"}, 12), [volume], until)


def test_months_after_the_one_asked_for_do_not_count() -> None:
    agreement = agreement_of({"model": "flat", "price": "0.05"}, 12)
    volumes = [
        Volume(f"2026-{month:02d}", 1, Service.VOICE_ORIGINATED, "elsewhere", 6000) for month in (1, 2, 3)
    ]
    assert [line.to_date for line in evaluate(agreement, volumes, "2026-02").of("2026-02")] == [10 * 10**9]
