"""Which files are tariffs: the cases that every implementation of `docs/tariff.md` decides alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from billproof.tariff import TariffError, load_tariff

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "tariff-files.json").read_text("utf-8"))


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: repr(case["with"])[:60])
def test_accepts_and_refuses_what_every_implementation_does(case: dict[str, Any]) -> None:
    assert case["replace"] in VECTORS["base"]
    content = VECTORS["base"].replace(case["replace"], case["with"], 1).encode()
    if case["sound"]:
        load_tariff(content)
    else:
        with pytest.raises(TariffError):
            load_tariff(content)
