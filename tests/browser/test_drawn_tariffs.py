"""The browser's rating beside the naive rater of the package's tests: statements drawn by seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "package" / "tariff"))

TARIFFS = 150
WHOLE = ("usage", "billedUsage", "amount")


def drawn(seed: int) -> dict[str, Any]:
    """A tariff, three statements, and what is due; whole numbers as text, since JavaScript's end at 2^53."""
    import naive_check
    import random_tariffs

    random = Random(seed)
    tariff = random_tariffs.a_tariff(random)
    statements = []
    for _ in range(3):
        records, balances = random_tariffs.a_statement(random, tariff, random.randint(1, 40))
        verdicts, missing, left = naive_check.check_statement(tariff, records, balances)
        statements.append(
            {
                "records": [{**one, **{key: str(one[key]) for key in WHOLE}} for one in records],
                "balances": balances,
                "verdicts": [
                    verdict_of(record, each) for record, each in zip(records, verdicts, strict=True)
                ],
                "missing": [[name, str(due)] for name, due in missing],
                "left": {name: str(units) for name, units in left.items()},
            }
        )
    return {"seed": seed, "tariff": json.dumps(tariff, indent=1), "statements": statements}


def verdict_of(record: dict[str, Any], due: Any) -> list[str]:
    """As the browser's test has it: nothing is `null`; it compares rates of usage only."""
    numbers = ["null" if each is None else str(each) for each in (due.billed, due.due, due.free)]
    return [due.status, due.rate if record["service"] < 32 else "", *numbers, due.cause]


def test_the_browser_says_what_the_naive_rater_says(tmp_path: Path) -> None:
    vitest = ROOT / "web" / "node_modules" / ".bin" / "vitest"
    if not vitest.exists():
        pytest.fail("vitest is not installed: ./run test web")
    seed = int(os.environ.get("BILLPROOF_SEED", "1"))
    file = tmp_path / "drawn.json"
    file.write_text(json.dumps([drawn(each) for each in range(seed, seed + TARIFFS)]))
    done = subprocess.run(
        [str(vitest), "run", "tests/tariff/drawn.test.ts"],
        cwd=ROOT / "web",
        env={**os.environ, "BILLPROOF_DRAWN": str(file)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "1 passed" in done.stdout
