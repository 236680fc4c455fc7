"""What a simulation wrote: files, control totals, blemishes; and ``simulation.json``, which says so."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from billproof.records import NANO
from billproof.simulate.numbering import Carrier

SCHEMA = "billproof/simulation/1"
NAME = "simulation.json"

#: Above this, integers are strings in JSON: readers that use floating point would change them.
_JSON_SAFE = 1 << 53


@dataclass(frozen=True)
class CdrFile:
    """One file. Paths are relative to the simulation's folder, ``amount`` counts billionths.

    ``records`` are the good rows of the period; only these are in ``amount``.
    """

    path: str
    format: str
    mapping: str
    records: int
    rejects: int
    other_periods: int
    amount: int
    currency: str

    @property
    def rows(self) -> int:
        return self.records + self.rejects + self.other_periods


@dataclass(frozen=True)
class Blemish:
    """A row that intake must not take for a record, and why.

    ``field`` is empty for a row of another period, which ``period`` (``YYYYMM``) then names.
    """

    file: str
    line: int
    field: str
    reason: str
    period: int


@dataclass(frozen=True)
class PhoneLog:
    """What one subscriber exported; ``files`` (or folders of files) are relative to the simulation's."""

    operator: int
    account: str
    format: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class OperatorMonth:
    """One operator's share. ``accounts_by_format`` counts accounts with a record in that format."""

    carrier: Carrier
    accounts: int
    accounts_by_format: dict[str, int]
    enrolment: str
    #: Path of ``accounts.csv`` below ``out``, which names each account's tariff file.
    tariffs: str
    files: tuple[CdrFile, ...]

    @property
    def records(self) -> int:
        return sum(file.records for file in self.files)

    def in_format(self, name: str) -> tuple[CdrFile, ...]:
        """The files in the format called ``name``."""
        return tuple(file for file in self.files if file.format == name)


@dataclass(frozen=True)
class Simulation:
    """All that was written under ``out``."""

    out: Path
    seed: int
    period: int
    timezone: str
    formats: tuple[str, ...]
    operators: tuple[OperatorMonth, ...]
    blemishes: tuple[Blemish, ...]
    phone_logs: tuple[PhoneLog, ...] = ()
    #: Path of ``labels.csv`` below ``out``, empty when there is none.
    labels: str = ""

    @property
    def path(self) -> Path:
        """Where ``simulation.json`` is."""
        return self.out / NAME

    @property
    def records(self) -> int:
        return sum(operator.records for operator in self.operators)

    def document(self) -> dict[str, Any]:
        """The contents of ``simulation.json``."""
        document: dict[str, Any] = {
            "schema": SCHEMA,
            "seed": self.seed if self.seed <= _JSON_SAFE else str(self.seed),
            "period": self.period,
            "timezone": self.timezone,
            "formats": list(self.formats),
            "records": self.records,
            "operators": [_operator(operator) for operator in self.operators],
            "blemishes": [_blemish(blemish) for blemish in self.blemishes],
        }
        if self.labels:
            document["labels"] = self.labels
            document["phone_logs"] = [asdict(log) for log in self.phone_logs]
        return document

    def save(self) -> None:
        """Write ``simulation.json``."""
        text = json.dumps(self.document(), indent=2, ensure_ascii=False)
        self.path.write_text(text + "\n", encoding="utf-8", newline="\n")


def decimal_text(billionths: int) -> str:
    """Units of the currency with nine decimals: ``-0.120750000``."""
    whole, rest = divmod(abs(billionths), NANO)
    return f"{'-' if billionths < 0 else ''}{whole}.{rest:09d}"


def _operator(month: OperatorMonth) -> dict[str, Any]:
    names = dict.fromkeys(file.format for file in month.files)
    return {
        "operator": month.carrier.number,
        "name": month.carrier.name,
        "domain": month.carrier.domain,
        "accounts": month.accounts,
        "enrolment": month.enrolment,
        "tariffs": month.tariffs,
        "records": month.records,
        "formats": {name: _format(month, name) for name in names},
        "files": [_file(file) for file in month.files],
    }


def _format(month: OperatorMonth, name: str) -> dict[str, Any]:
    files = month.in_format(name)
    return {
        "mapping": files[0].mapping,
        "rows": sum(file.rows for file in files),
        "records": sum(file.records for file in files),
        "accounts": month.accounts_by_format[name],
        "totals": {files[0].currency: decimal_text(sum(file.amount for file in files))},
    }


def _file(file: CdrFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "format": file.format,
        "mapping": file.mapping,
        "rows": file.rows,
        "records": file.records,
        "rejects": file.rejects,
        "other_periods": file.other_periods,
        "totals": {file.currency: decimal_text(file.amount)},
    }


def _blemish(blemish: Blemish) -> dict[str, Any]:
    if not blemish.field:
        return {"kind": "other_period", "file": blemish.file, "line": blemish.line, "period": blemish.period}
    return {
        "kind": "reject",
        "file": blemish.file,
        "line": blemish.line,
        "field": blemish.field,
        "reason": blemish.reason,
    }
