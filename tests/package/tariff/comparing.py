"""One random tariff with some statements: what the engine and the naive rater say differently of it."""

from __future__ import annotations

import json
from random import Random

import naive_check
import random_tariffs
from engine_verdicts import answers_of

from billproof.tariff import load_tariff


def differences(random: Random, statements: int = 4, most: int = 50) -> tuple[int, list[str]]:
    """How many records were compared, and every difference in words."""
    tariff = random_tariffs.a_tariff(random)
    drawn = [
        random_tariffs.a_statement(random, tariff, random.randint(1, most))
        for _ in range(random.randint(1, statements))
    ]
    engine = answers_of(load_tariff(json.dumps(tariff, indent=1).encode()), drawn)
    count, found = 0, []
    for number, ((records, balances), answer) in enumerate(zip(drawn, engine, strict=True)):
        verdicts, missing, left = answer
        expected, expected_missing, expected_left = naive_check.check_statement(tariff, records, balances)
        for record, given, due in zip(records, verdicts, expected, strict=True):
            count += 1
            if record["service"] >= 32:
                due.rate = ""  # the engine names rates of usage only
            if given != due:
                found.append(f"statement {number}, {record}:\n  engine {given}\n  naive  {due}")
        if [due for _, due in missing] != [due for _, due in expected_missing]:
            found.append(f"statement {number}, missing: engine {missing}, naive {expected_missing}")
        if left != expected_left:
            found.append(f"statement {number}, left: engine {left}, naive {expected_left}")
    return count, found
