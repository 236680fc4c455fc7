"""Commitments over several models: computed by hand, by a naive reading of the text, and for any numbers."""

from __future__ import annotations

import decimal
import re
import tomllib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from agreements import agreement_from, document_of
from hypothesis import given, settings
from hypothesis import strategies as st

from billproof.clearing.discounts.year import Evaluation, Line, Volume, evaluate, months_of
from billproof.tariff import values

CASES = tomllib.loads(Path(__file__).with_name("test_models_cases.toml").read_text())["common"]
SPECIFICATION = Path(__file__).resolve().parents[3] / "docs/clearing.md"


def evaluated(document: Mapping[str, Any], volumes: Mapping[str, Sequence[str]]) -> Evaluation:
    """The evaluation of volumes by model, as many months as there are."""
    agreement = agreement_from(document)
    months = months_of(agreement)
    by_name = {model["name"]: model for model in document["models"]}
    found = [
        Volume(
            month,
            by_name[name]["from"],
            values.service_of(by_name[name]["services"][0]),
            by_name[name].get("routes", ["elsewhere"])[0],
            values.quantity(text)[1],
        )
        for name, texts in volumes.items()
        for month, text in zip(months, texts, strict=False)
    ]
    return evaluate(agreement, found, months[max(map(len, volumes.values())) - 1])


def lines_of(evaluation: Evaluation, name: str) -> list[Line]:
    return [line for line in evaluation.lines if line.model.name == name]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_cases_computed_by_hand(case: dict[str, Any]) -> None:
    given = case.get("models", {})
    models = {name: given.get(name, {}) for name in case["volumes"]}
    count = max(map(len, case["volumes"].values()))
    keys = {"rounding": case["rounding"]} if "rounding" in case else {}
    document = document_of(models, case["commitments"], case.get("of", count), **keys)
    evaluation = evaluated(document, case["volumes"])
    for key in ("share", "shortfall", "open"):
        for name, amounts in case.get("shares" if key == "share" else key, {}).items():
            found = [getattr(line, key) for line in lines_of(evaluation, name)]
            assert found == [billionths(text) for text in amounts], case["words"]
    assert not evaluation.uncovered


def billionths(text: str) -> int:
    return int(Fraction(text) * 10**9)


def examples() -> list[dict[str, Any]]:
    """The rows of section 6's second table, as cases."""
    text = SPECIFICATION.read_text()
    section = text[text.index("## 6. ") : text.index("## 7. ")]
    found = []
    for commitment, *cells, words in re.findall(
        r"^\| `(\{ (?:money|volume) = .*?\})` \| (.*?) \| (.*?) \| (.*?) \|$", section, re.M
    ):
        case = {"commitments": [tomllib.loads(f"it = {commitment}")["it"]], "words": words, "name": words}
        for key, cell in zip(("volumes", "shares"), cells, strict=True):
            case[key] = {}
            for part in cell.split(";"):
                name, listed = part.split(":")
                case[key][name.strip()] = [entry.strip() for entry in listed.split(",") if "…" not in entry]
        if "…" in cells[0]:
            case["of"] = 12
        found.append(case)
    return found


@pytest.mark.parametrize("case", examples(), ids=lambda case: case["words"])
def test_examples_of_the_specification(case: dict[str, Any]) -> None:
    assert "commitment" in case["shares"]
    test_cases_computed_by_hand(case)


def test_specification_has_examples_of_both() -> None:
    kinds = [set(case["commitments"][0]) for case in examples()]
    assert {"money"} in kinds
    assert {"money", "accrues"} in kinds
    assert {"volume", "price"} in kinds


# Another reading of the same text.

_ROUNDING = {
    "up": decimal.ROUND_UP,
    "down": decimal.ROUND_DOWN,
    "half-up": decimal.ROUND_HALF_UP,
    "half-even": decimal.ROUND_HALF_EVEN,
}
_SIZES = {
    "s": 1,
    "min": 60,
    "h": 3600,
    "message": 1,
    "messages": 1,
    "B": 1,
    "kB": 1000,
    "MB": 10**6,
    "GB": 10**9,
}
_UNITS = {"voice-originated": "1 min", "message-sent": "1 message", "data": "1 MB"}


def size_of(text: str) -> Fraction:
    number, unit = text.split(" ")
    return Fraction(int(number) * _SIZES[unit])


def money_of(amount: Fraction, rounding: Mapping[str, Any]) -> Fraction:
    with decimal.localcontext(decimal.Context(prec=200)):
        exact = decimal.Decimal(amount.numerator) / decimal.Decimal(amount.denominator)
        return Fraction(
            exact.quantize(decimal.Decimal(1).scaleb(-rounding["decimals"]), _ROUNDING[rounding["mode"]])
        )


def charge_of(model: Mapping[str, Any], volume: Fraction) -> Fraction:
    """V · price; each unit at the price of its tier; or all at that of the last tier that V is above."""
    units = volume / size_of(model.get("unit", _UNITS[model["services"][0]]))
    if model["model"] == "flat":
        return units * Fraction(model["price"])
    bounds = [size_of(tier["above"]) for tier in model["tiers"]]
    prices = [Fraction(tier["price"]) for tier in model["tiers"]]
    if model["mode"] == "all":
        price = prices[0]
        for above, this in zip(bounds, prices, strict=True):
            if volume > above:
                price = this
        return units * price
    total = Fraction(0)
    for place, (above, price) in enumerate(zip(bounds, prices, strict=True)):
        if above < volume:
            end = bounds[place + 1] if place + 1 < len(bounds) else volume
            total += (min(volume, end) - above) * price * units / volume
    return total


def naive(
    document: Mapping[str, Any], volumes: Mapping[str, Sequence[Fraction]], months: int
) -> dict[str, Any]:
    """Name → (share, shortfall, open) a month, in the currency unit."""
    rounding = document["rounding"]
    first, last = document["valid"]["from"], document["valid"]["until"]
    year = 12 * (int(last[:4]) - int(first[:4])) + int(last[5:7]) - int(first[5:7])
    charges: dict[str, list[Fraction]] = {}
    found: dict[str, Any] = {}
    for model in document["models"]:
        sums = [sum(volumes[model["name"]][: m + 1], Fraction(0)) for m in range(months)]
        charges[model["name"]] = [charge_of(model, volume) for volume in sums]
        own = model.get("commitment")
        to_date, rest = [], []
        for m, charge in enumerate(charges[model["name"]], 1):
            worth = Fraction(own["money"]) if own else Fraction(0)
            due = worth * m / year if own and own.get("accrues") == "month" else worth * (m == year)
            to_date.append(money_of(max(charge, due), rounding))
            rest.append(money_of(max(charge, worth), rounding) - to_date[-1])
        shortfall = [
            sent - money_of(charge, rounding)
            for sent, charge in zip(to_date, charges[model["name"]], strict=True)
        ]
        found[model["name"]] = list(zip(differences(to_date), shortfall, rest, strict=True))
    for common in document["commitments"]:
        of = [model for model in document["models"] if model["name"] in common["models"]]
        if "money" in common:
            worth = Fraction(common["money"])
        else:
            unit = size_of(of[0].get("unit", _UNITS[of[0]["services"][0]]))
            worth = size_of(common["volume"]) / unit * Fraction(common["price"])
        shortfall, rest = [], []
        for m in range(1, months + 1):
            sent = sum((money_of(charges[model["name"]][m - 1], rounding) for model in of), Fraction(0))
            due = worth * m / year if common["accrues"] == "month" else worth * (m == year)
            shortfall.append(max(money_of(due, rounding) - sent, Fraction(0)))
            rest.append(max(money_of(worth, rounding) - sent, Fraction(0)) - shortfall[-1])
        found[common["name"]] = list(zip(differences(shortfall), shortfall, rest, strict=True))
    return found


def differences(to_date: Sequence[Fraction]) -> list[Fraction]:
    return [this - before for before, this in zip([Fraction(0), *to_date], to_date, strict=False)]


# Agreements with any numbers.

_PRICES = st.integers(0, 10**7).map(lambda millionths: f"{millionths // 10**6}.{millionths % 10**6:06d}")
_MONEY = st.integers(0, 10**9).map(lambda mills: f"{mills // 1000}.{mills % 1000:03d}")
_TRAFFIC = {
    "a": {"services": ["voice-originated"], "routes": ["uk"]},
    "b": {"services": ["voice-originated"], "routes": ["elsewhere"]},
    "c": {"services": ["message-sent"]},
    "d": {"services": ["data"], "unit": "1 GB"},
}
_SMALL = {"voice-originated": "s", "message-sent": "messages", "data": "kB"}


@st.composite
def documents(draw: st.DrawFn, modes: Sequence[str] = ("incremental", "all")) -> dict[str, Any]:
    """An agreement of four models, and commitments over some of them; others may have one of their own."""
    models: dict[str, dict[str, Any]] = {}
    for name, traffic in _TRAFFIC.items():
        if draw(st.booleans()):
            models[name] = {**traffic, "model": "flat", "price": draw(_PRICES)}
        else:
            bounds = sorted(draw(st.sets(st.integers(1, 10**5), max_size=3)))
            unit = _SMALL[traffic["services"][0]]
            tiers = [{"above": f"{bound} {unit}", "price": draw(_PRICES)} for bound in (0, *bounds)]
            models[name] = {**traffic, "model": "tiers", "mode": draw(st.sampled_from(modes)), "tiers": tiers}
    accrues = st.sampled_from(["year", "month"])
    split = draw(st.sampled_from([("abcd",), ("ab", "cd"), ("abc",), ("ab",), ("a", "bc")]))
    commitments = [
        {"name": f"over {of}", "models": list(of), "money": draw(_MONEY), "accrues": draw(accrues)}
        for of in split
    ]
    if split[0] == "ab" and draw(st.booleans()):
        del commitments[0]["money"]
        commitments[0] |= {"volume": f"{draw(st.integers(0, 10**6))} s", "price": draw(_PRICES)}
    for name in set("abcd") - set("".join(split)):
        models[name]["commitment"] = {"money": draw(_MONEY), "accrues": draw(accrues)}
    rounding = {"mode": draw(st.sampled_from(sorted(_ROUNDING))), "decimals": draw(st.integers(0, 9))}
    return document_of(models, commitments, draw(st.integers(1, 12)), rounding=rounding)


def drawn_volumes(months: int) -> st.SearchStrategy[dict[str, list[int]]]:
    of_months = st.lists(st.integers(0, 10**5), min_size=months, max_size=months)
    return st.fixed_dictionaries(dict.fromkeys("abcd", of_months))


def texts_of(document: Mapping[str, Any], volumes: Mapping[str, Sequence[int]]) -> dict[str, list[str]]:
    units = {model["name"]: _SMALL[model["services"][0]] for model in document["models"]}
    return {name: [f"{volume} {units[name]}" for volume in of] for name, of in volumes.items()}


def months_in(document: Mapping[str, Any]) -> int:
    return len(months_of(agreement_from(document)))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_naive_reading_comes_to_the_same(data: st.DataObject) -> None:
    document = data.draw(documents())
    months = data.draw(st.integers(1, months_in(document)))
    volumes = data.draw(drawn_volumes(months))
    texts = texts_of(document, volumes)
    evaluation = evaluated(document, texts)
    expected = naive(document, {name: [size_of(text) for text in of] for name, of in texts.items()}, months)
    for name, lines in expected.items():
        found = [(line.share, line.shortfall, line.open) for line in lines_of(evaluation, name)]
        assert found == [tuple(int(amount * 10**9) for amount in line) for line in lines]
    assert {line.model.name for line in evaluation.lines} == expected.keys()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_shares_add_up_to_the_year_and_no_shortfall_is_negative(data: st.DataObject) -> None:
    document = data.draw(documents())
    evaluation = evaluated(document, texts_of(document, data.draw(drawn_volumes(months_in(document)))))
    last = evaluation.months[-1]
    for common in evaluation.agreement.commitments:
        lines = lines_of(evaluation, common.name)
        assert [line.month for line in lines] == list(evaluation.months)
        assert sum(line.share for line in lines) == lines[-1].to_date == lines[-1].shortfall
        assert lines[-1].open == 0
        assert all(line.shortfall >= 0 and line.open >= 0 for line in lines)
        sent = sum(line.used for line in evaluation.of(last) if line.model.name in common.models)
        assert lines[-1].used == sent
        assert sent + lines[-1].to_date >= common.commits * 10**9 - 10**9  # but for the rounding
        assert lines[-1].shortfall == 0 or sent < common.commits * 10**9 + 10**9
    assert evaluation.net(last)[0] == sum(evaluation.net(month)[1] for month in evaluation.months)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_more_traffic_never_lowers_what_is_due(data: st.DataObject) -> None:
    document = data.draw(documents(modes=("incremental",)))
    months = months_in(document)
    less, more = data.draw(drawn_volumes(months)), data.draw(drawn_volumes(months))
    sums = {name: [a + b for a, b in zip(less[name], more[name], strict=True)] for name in less}
    one, other = (evaluated(document, texts_of(document, volumes)) for volumes in (less, sums))
    for common in one.agreement.commitments:
        for month in one.months:
            assert due(one, common.models | {common.name}, month) <= due(
                other, common.models | {common.name}, month
            )


def due(evaluation: Evaluation, names: frozenset[str], month: str) -> int:
    return sum(line.to_date for line in evaluation.of(month) if line.model.name in names)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_over_one_model_it_comes_to_the_same_as_the_models_own(data: st.DataObject) -> None:
    document = data.draw(documents())
    volumes = {"a": data.draw(drawn_volumes(months_in(document)))["a"]}
    model = document["models"][0]
    model.pop("commitment", None)
    own = {"money": data.draw(_MONEY), "accrues": data.draw(st.sampled_from(["year", "month"]))}
    common = {
        **document,
        "models": [model],
        "commitments": [{"name": "x", "from": 1, "models": ["a"], **own}],
    }
    alone = {**document, "models": [{**model, "commitment": own}], "commitments": []}
    one, other = (evaluated(each, texts_of(each, volumes)) for each in (common, alone))
    for month in one.months:
        assert one.net(month) == other.net(month)
        (line,) = other.of(month)
        found = next(each for each in one.of(month) if each.model.name == "x")
        assert (line.shortfall, line.open) == (found.shortfall, found.open)
