"""A simulation in every format, and readers that share no code with what wrote it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billproof.simulate import FORMATS, Simulation, simulate

ZONE = ZoneInfo("Europe/Dublin")


@dataclass(frozen=True)
class Row:
    """One row as a person with a spreadsheet would read it."""

    account: str
    kind: str
    local: datetime
    usage: Decimal
    billed: Decimal | None
    number: str
    amount: Decimal
    raw: dict[str, str]


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    """Two operators with 60 subscribers each in all formats; October, when clocks go back."""
    out = tmp_path_factory.mktemp("everything")
    return simulate(out, operators=2, subscribers=60, period=202610, seed=5, formats=list(FORMATS))


@pytest.fixture(scope="session")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    """One operator with 400 subscribers, the billing system's export only."""
    out = tmp_path_factory.mktemp("rated")
    return simulate(out, operators=1, subscribers=400, period=202603, seed=11, formats=["csv"])


@pytest.fixture(scope="session")
def document() -> Callable[[Simulation], dict[str, Any]]:
    """``simulation.json`` of a simulation."""

    def load(simulation: Simulation) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(simulation.path.read_text(encoding="utf-8"))
        return loaded

    return load


@pytest.fixture(scope="session")
def read_rows() -> Callable[[Path, str], list[Row]]:
    """Rows of a file, given its format."""
    return lambda path, name: [_READERS[name](row) for row in _raw(path, name)]


def _raw(path: Path, name: str) -> list[dict[str, str]]:
    if name == "ipdr-xml":
        records = re.findall(r"<IPDR xsi.*?</IPDR>", path.read_text(encoding="utf-8"))
        return [dict(re.findall(r"<(?:x:)?(\w+)>([^<]*)</", record)) for record in records]
    with path.open(encoding="utf-8", newline="") as handle:
        if name == "ipdr-csv":
            handle.readline()
            handle.readline()
        if name in ("asterisk", "freeswitch"):
            return [{str(k): text for k, text in enumerate(row)} for row in csv.reader(handle)]
        return list(csv.DictReader(handle))


def _local(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone(ZONE).replace(tzinfo=None)


def _csv(row: dict[str, str]) -> Row:
    aware = datetime.fromisoformat(row["start"])
    assert aware.utcoffset() == aware.astimezone(ZONE).utcoffset()
    return Row(
        row["account"], row["kind"], aware.replace(tzinfo=None), Decimal(row["usage"]),
        Decimal(row["billed"]), row["other_party"], Decimal(row["amount"]), row,
    )  # fmt: skip


def _asterisk(row: dict[str, str]) -> Row:
    start, answer, end = (datetime.fromisoformat(row[str(k)]) for k in (9, 10, 11))
    assert (end - start).total_seconds() == int(row["12"])
    assert (end - answer).total_seconds() == int(row["13"])
    assert start <= answer
    billsec = Decimal(row["13"])
    return Row(row["0"], "MOC", answer, billsec, billsec, row["2"], Decimal(row["17"]), row)


def _freeswitch(row: dict[str, str]) -> Row:
    answer = datetime.fromisoformat(row["5"])
    assert datetime.fromisoformat(row["6"]) - answer == timedelta(seconds=int(row["8"]))
    return Row(
        row["12"], "MOC", answer, Decimal(row["8"]), Decimal(row["15"]), row["2"], Decimal(row["17"]), row
    )


def _ipdr(row: dict[str, str], start: int, end: int) -> Row:
    usage = Decimal(row["callDuration"]) / 1000
    assert end - start == usage
    local = _local(start)
    hours = Decimal(row["timeZoneOffset"])
    assert datetime.fromtimestamp(start, UTC).replace(tzinfo=None) + timedelta(hours=float(hours)) == local
    return Row(
        row["subscriberID"], "MOC", local, usage, Decimal(row["unitsConsumed"]), row["destinationId"],
        Decimal(row["price"]), row,
    )  # fmt: skip


def _ipdr_csv(row: dict[str, str]) -> Row:
    return _ipdr(row, int(row["startTime"]), int(row["endTime"]))


def _ipdr_xml(row: dict[str, str]) -> Row:
    start, end = (int(datetime.fromisoformat(row[key]).timestamp()) for key in ("startTime", "endTime"))
    return _ipdr(row, start, end)


def _itemised(row: dict[str, str]) -> Row:
    kind = {"call": "MOC", "sms": "SMS-MO", "data": "GPRS"}[row["item"]]
    unit = 1_000_000 if row["item"] == "data" else 1
    local = datetime.strptime(row["date"], "%d-%m-%Y %H:%M")
    assert local.strftime("%Y-%m") == row["month"]
    return Row(
        row["user_id"], kind, local, Decimal(row["duration"]) * unit, Decimal(row["billed"]) * unit,
        row["number"], Decimal(row["total_cost"]), row,
    )  # fmt: skip


_READERS = {
    "csv": _csv,
    "asterisk": _asterisk,
    "freeswitch": _freeswitch,
    "ipdr-csv": _ipdr_csv,
    "ipdr-xml": _ipdr_xml,
    "itemised-bill": _itemised,
}
