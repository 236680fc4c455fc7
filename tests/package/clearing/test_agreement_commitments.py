"""Commitments over several models that cannot be: each is refused with key and remedy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agreements import MODELS, agreement_from, document_of

from billproof.clearing.agreement.agreement import load_agreement
from billproof.clearing.agreement.building import AgreementError

_TWO = {"uk": {}, "others": {}}
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "no model": (_TWO, {"models": ["uk", "other"], "money": "1"}, "models[2]", "'other' is no model"),
    "no models": (_TWO, {"models": [], "money": "1"}, "models", "of length >= 1"),
    "a model twice": (_TWO, {"models": ["uk", "uk"], "money": "1"}, "models[2]", "in 'commitment' already"),
    "a balanced model": (
        {
            "uk": {},
            "both": {
                "model": "balanced",
                "services": ["data"],
                "balanced": "1",
                "unbalanced": "1",
                "from": None,
            },
        },
        {"money": "1"},
        "models[2]",
        "is of both directions",
    ),
    "another operator's": (
        {"uk": {}, "back": {**MODELS["uk"], "from": 2}},
        {"money": "1"},
        "models[2]",
        "'back' is from 2, the commitment from 1",
    ),
    "with one of its own": (
        {"uk": {}, "others": {"commitment": {"money": "1"}}},
        {"money": "1"},
        "models[2]",
        "has a commitment of its own",
    ),
    "a stranger": (_TWO, {"from": 3, "money": "1"}, "from", "operator 3 is no party"),
    "nothing committed": (_TWO, {}, "", "is of money or of a volume"),
    "both": (_TWO, {"money": "1", "volume": "1 min", "price": "1"}, "", "is of money or of a volume"),
    "money with a price": (_TWO, {"money": "1", "price": "1"}, "price", "has no meaning with money"),
    "a volume without a price": (_TWO, {"volume": "1 min"}, "", "price is missing"),
    "a volume of two kinds": (
        {"uk": {}, "data": {}},
        {"volume": "1 min", "price": "1"},
        "volume",
        "of models that count bytes and seconds",
    ),
    "a volume of two units": (
        {"uk": {"unit": "1 h"}, "others": {}},
        {"volume": "1 min", "price": "1"},
        "volume",
        "prices for different units",
    ),
    "a volume of another kind": (_TWO, {"volume": "1 GB", "price": "1"}, "volume", "is in bytes"),
    "a model's name": (_TWO, {"name": "uk", "money": "1"}, "name", "'uk' is a model too"),
    "an unknown key": (_TWO, {"money": "1", "routes": ["uk"]}, "routes", "is not a key"),
    "a number": (_TWO, {"money": 1}, "money", "must be text"),
    "an unknown time": (_TWO, {"money": "1", "accrues": "week"}, "accrues", "'week' is unknown"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_with_key_and_remedy(case: str) -> None:
    models, commitment, key, message = REFUSED[case]
    document = document_of(models, [commitment], 12)
    for model in document["models"]:
        if model["from"] is None:
            del model["from"]
    with pytest.raises(AgreementError) as caught:
        load_agreement(json.dumps(document, indent=1).encode(), name="agreement.json")
    error = caught.value
    assert message in error.message
    assert error.field == "commitments[1]" + (f".{key}" if key else "")
    assert error.line
    assert error.advice


def test_refuses_a_model_in_two_commitments_and_a_name_twice() -> None:
    two = [
        {"name": name, "models": of, "money": "1"} for name, of in (("x", ["uk"]), ("y", ["others", "uk"]))
    ]
    with pytest.raises(AgreementError, match=r"commitments\[2\].models\[2\]: 'uk' is in 'x' already"):
        agreement_from(document_of(_TWO, two, 12))
    two[1] = {"name": "x", "models": ["others"], "money": "1"}
    with pytest.raises(AgreementError, match=r"commitments\[2\].name: the name 'x' is there twice"):
        agreement_from(document_of(_TWO, two, 12))
