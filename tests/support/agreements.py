"""Agreements with discount models and commitments over several of them, as their files would say it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from billproof.clearing.agreement.agreement import Agreement, load_agreement

#: Those of section 6's second table.
MODELS: dict[str, dict[str, Any]] = {
    "uk": {"model": "flat", "services": ["voice-originated"], "routes": ["uk"], "price": "0.05"},
    "others": {"model": "flat", "services": ["voice-originated"], "routes": ["elsewhere"], "price": "0.02"},
    "data": {"model": "flat", "services": ["data"], "unit": "1 GB", "price": "1.50"},
}


def model_of(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """A model of the table, or its traffic in a model of another shape."""
    known = {
        key: value for key, value in MODELS.get(name, {}).items() if key != "price" or "model" not in given
    }
    return {"name": name, "from": 1, **known, **given}


def document_of(
    models: Mapping[str, Any], commitments: Sequence[Mapping[str, Any]], months: int, **keys: Any
) -> dict[str, Any]:
    """An agreement's file of so many months from January 2026."""
    return {
        "schema": "billproof/agreement/1",
        "name": "Example",
        "valid": {"from": "2026-01-01", "until": f"{2026 + months // 12}-{months % 12 + 1:02d}-01"},
        "settlement": "EUR",
        "parties": [{"operator": n, "name": f"Party {n}", "currency": "EUR"} for n in (1, 2)],
        "routes": {"uk": ["+44"]},
        "models": [model_of(name, each) for name, each in models.items()],
        "commitments": [
            {"name": "commitment", "from": 1, "models": list(models), **each} for each in commitments
        ],
        **keys,
    }


def agreement_from(document: Mapping[str, Any]) -> Agreement:
    return load_agreement(json.dumps(document).encode())
