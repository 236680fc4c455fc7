"""The cases of `tests/vectors/rating/`, with whole numbers instead of their texts."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "rating"
TEXTS = {"number", "network", "rate", "corrects", "status", "cause", "name"}


@dataclass(frozen=True)
class Case:
    name: str
    tariff_path: Path
    records: list[dict[str, Any]]
    balances: dict[str, int]
    expected: list[dict[str, Any]]
    missing: list[dict[str, Any]]
    left: dict[str, int] | None

    @property
    def tariff(self) -> dict[str, Any]:
        return read_tariff(self.tariff_path)


def numbers(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value if key in TEXTS or value is None else int(value) for key, value in item.items()}


@cache
def read_tariff(path: Path) -> dict[str, Any]:
    text = path.read_text()
    return json.loads(text) if path.suffix == ".json" else tomllib.loads(text)


def cases() -> list[Case]:
    return [
        Case(
            f"{path.stem}/{case['name']}",
            VECTORS / case["tariff"],
            [numbers(record) for record in case["records"]],
            numbers(case["balances"]),
            [numbers(record) for record in case["expected"]["records"]],
            [numbers(line) for line in case["expected"]["missing"]],
            None if case["expected"]["left"] is None else numbers(case["expected"]["left"]),
        )
        for path in sorted(VECTORS.glob("*.json"))
        for case in json.loads(path.read_text())["cases"]
    ]
