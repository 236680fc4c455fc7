"""How fast records are rated: without allowances and with, and beside the naive rater of the tests.

Prints one JSON line: records a second in each round. `python benchmarks/rating.py [RECORDS] [--rounds N]`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from billproof.tariff import load_tariff
from billproof.tariff.rating import Rater

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/package/tariff"))

_BEGIN = 1_790_812_800  # 2026-10-01
_MONTH = 31 * 86_400
_PER_STATEMENT = 60
_NAIVE = 3_000

_PLAN = """
schema = "billproof/tariff/1"
name = "Bench"
version = "1"
currency = "EUR"
valid = { from = "2026-10-01", until = "2027-10-01" }
home = ["272-01"]
rounding = { mode = "half-up", decimals = 4, at = "call" }
[holidays]
ie = ["2026-10-26"]
[calendars.working]
peak = [{ days = "mon-fri", from = "08:00", until = "18:00" }]
off-peak = "rest"
holidays = { list = "ie", as = "sun" }
[destinations]
mobile = [MOBILE]
near = ["+44", "+33", "+49", "+34", "+39", "+31", "+32"]
[zones]
eu = ["208", "262", "222", "214"]
"""
_RATE = """
[[rates]]
name = "{zone}/{destination}/{band}"
services = ["voice-originated"]
zones = ["{zone}"]
{where}
calendar = "working"
bands = ["{band}"]
connection = "0.05"
price = "0.1{number}"
unit = "60 s"
increment = "6 s"
first = "30 s"
"""
_REST = """
[[rates]]
name = "steps"
services = ["message-sent"]
zones = ["home", "eu", "elsewhere"]
price = "0.09"
unit = "1 message"
[[rates]]
name = "data"
services = ["data"]
zones = ["home", "eu", "elsewhere"]
price = "1.50"
unit = "1 GB"
increment = "10 kB"
"""
_ALLOWANCES = """
tiers = [{ above = "2 GB", price = "1.00" }]
[[allowances]]
name = "minutes"
services = ["voice-originated"]
destinations = ["mobile"]
amount = "100 min"
[[allowances]]
name = "evenings"
services = ["voice-originated"]
zones = ["home", "eu"]
calendar = "working"
bands = ["off-peak"]
amount = "60 min"
[[allowances]]
name = "messages"
services = ["message-sent"]
amount = "10 messages"
"""


def plan(*, allowances: bool) -> bytes:
    """A tariff of fourteen rates, two bands, three zones and a hundred prefixes."""
    text = _PLAN.replace("MOBILE", ", ".join(f'"+3538{number}"' for number in range(100)))
    for number, zone in enumerate(("home", "eu", "elsewhere")):
        for destination in ("mobile", "near", "rest"):
            where = "" if destination == "rest" else f'destinations = ["{destination}"]'
            for band in ("peak", "off-peak"):
                text += _RATE.format(
                    zone=zone, destination=destination, band=band, where=where, number=number
                )
    return (text + _REST + _ALLOWANCES * allowances).encode()


def traffic(count: int) -> tuple[pa.Table, np.ndarray]:
    """Invented records, sixty to a statement, in order of time."""
    draw = np.random.default_rng(7)
    first = np.arange(0, count, _PER_STATEMENT)
    started = np.sort(draw.integers(0, _MONTH, (len(first), _PER_STATEMENT)), axis=1).ravel()[:count] + _BEGIN
    service = draw.choice(np.array([1, 4, 6], np.uint8), count, p=[0.6, 0.25, 0.15])
    usage = np.where(
        service == 1,
        draw.integers(0, 1_200, count),
        np.where(service == 4, 1, draw.integers(0, 1 << 28, count)),
    )
    starts = np.array(["+35385", "+35312", "+44", "+33", "+1212", "+4930"])
    numbers = np.char.add(draw.choice(starts, count), draw.integers(10**6, 10**7, count).astype(str))
    networks = draw.choice(["272-01", "", "208-01", "310-410"], count, p=[0.7, 0.2, 0.07, 0.03])
    return pa.table(
        {
            "service": service,
            "started_at": started.astype(np.int64),
            "utc_offset": np.full(count, 60, np.int16),
            "usage": usage.astype(np.int64),
            "number": pa.array(numbers),
            "network": pa.array(networks).dictionary_encode(),
            "corrects": pa.array([bytes(32)] * count, pa.binary(32)),
        }
    ), first


def measured(
    content: bytes, records: pa.Table, first: np.ndarray, rounds: int
) -> tuple[list[float], np.ndarray]:
    """Records a second in each round, and the charges."""
    rater = Rater(load_tariff(content))
    charge = rater.rate(records.slice(0, _PER_STATEMENT), first[:1]).charge  # a first one, not timed
    speeds = []
    for _ in range(rounds):
        start = time.perf_counter()
        charge = rater.rate(records, first).charge
        speeds.append(records.num_rows / (time.perf_counter() - start))
    return speeds, charge


def naive_speed(content: bytes, records: pa.Table, rounds: int) -> tuple[list[float], list[int]]:
    """The same of the naive rater."""
    import tomllib

    from naive import rate_statement

    tariff = tomllib.loads(content.decode())
    rows: list[dict[str, Any]] = []
    for index, row in enumerate(records.to_pylist()):
        row["startedAt"], row["utcOffset"] = row.pop("started_at"), row.pop("utc_offset")
        rows.append({**row, "index": index, "corrects": row["corrects"].hex()})
    statements = [rows[begin : begin + _PER_STATEMENT] for begin in range(0, len(rows), _PER_STATEMENT)]
    speeds, charge = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        charge = [each.due for statement in statements for each in rate_statement(tariff, statement)[0]]
        speeds.append(len(rows) / (time.perf_counter() - start))
    return speeds, charge


def compared(content: bytes, records: pa.Table, first: np.ndarray, rounds: int) -> dict[str, list[float]]:
    """Both, who must give the same charges."""
    fast, charge = measured(content, records, first, rounds)
    slow, same = naive_speed(content, records.slice(0, _NAIVE), rounds)
    if charge[: len(same)].tolist() != same:
        raise SystemExit("Error: the engine and the naive rater charge differently")
    return {"records a second": fast, "naive": slow}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", nargs="?", type=int, default=3_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    records, first = traffic(given.records)
    kinds = (("rates, bands and zones", False), ("the same with tiers and allowances", True))
    rows = [
        {"tariff": words, **compared(plan(allowances=allowing), records, first, given.rounds)}
        for words, allowing in kinds
    ]
    naive = min(_NAIVE, given.records)
    print(json.dumps({"records": given.records, "naive records": naive, "rows": rows}))


if __name__ == "__main__":
    main()
