"""The CSV files of a CGRateS tariff plan as rows, and their values. Errors name file, line and column."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

from billproof.errors import InputError
from billproof.printable import printable

#: File → its columns, in their order.
FILES = {
    "Timings.csv": ("Tag", "Years", "Months", "MonthDays", "WeekDays", "Time"),
    "Destinations.csv": ("Id", "Prefix"),
    "Rates.csv": ("Id", "ConnectFee", "Rate", "RateUnit", "RateIncrement", "GroupIntervalStart"),
    "DestinationRates.csv": (
        *("Id", "DestinationId", "RatesTag", "RoundingMethod"),
        *("RoundingDecimals", "MaxCost", "MaxCostStrategy"),
    ),
    "RatingPlans.csv": ("Id", "DestinationRatesId", "TimingTag", "Weight"),
}

#: Timings.csv may be missing: plans can do with ``*any``.
_OPTIONAL = {"Timings.csv"}

#: Other words for a column of theirs.
_SAME = {
    "tag": "id",
    "ratestag": "ratesid",
    "timingtag": "timingid",
    "destinationstag": "destinationid",
    "destinationratestag": "destinationratesid",
}

_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}


def refuse(place: Row | Path, message: str, advice: str, field: str | None = None) -> NoReturn:
    """Raises an :class:`InputError` about a row, or a file."""
    if isinstance(place, Row):
        raise InputError(message, file=place.file, line=place.line, field=field, advice=advice)
    raise InputError(message, file=place, advice=advice)


@dataclass(frozen=True)
class Row:
    """A line of a file: its fields by column."""

    file: str
    line: int
    fields: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.fields[column]


def read_rows(folder: Path, name: str) -> list[Row]:
    """The rows of a file, without comments. Columns are as documented, in that order."""
    path, columns = folder / name, FILES[name]
    if not path.is_file():
        if name in _OPTIONAL:
            return []
        refuse(path, "no such file", f"give a folder with {', '.join(FILES)}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        refuse(path, "not UTF-8", "save it as UTF-8")
    try:
        table = list(csv.reader(text.split("\n")))
    except csv.Error as error:
        refuse(path, f"not a CSV file: {error}", "export the plan anew")
    rows = []
    for line, fields in enumerate(table, 1):
        cells = [field.strip() for field in fields]
        if not any(cells):
            continue
        if cells[0].startswith("#"):
            if line == 1:
                _check_header(str(path), [cells[0][1:].strip(), *cells[1:]], columns)
            continue
        row = Row(str(path), line, dict(zip(columns, cells, strict=False)))
        if len(cells) != len(columns):
            refuse(
                row,
                f"{len(cells)} columns, expected are {len(columns)}",
                f"the columns of {name} are {', '.join(columns)}, as in CGRateS 0.9.1 to 0.11",
            )
        rows.append(row)
    return rows


def _check_header(file: str, names: list[str], columns: tuple[str, ...]) -> None:
    """A header may be missing; one that is there must agree: versions order their columns differently."""

    def plain(name: str) -> str:
        return _SAME.get(name.lower(), name.lower())

    if len(names) > 1 and [plain(name) for name in names] != [plain(name) for name in columns]:
        raise InputError(
            f"columns {', '.join(map(printable, names))}",
            file=file,
            line=1,
            advice=f"bring them to {', '.join(columns)}, or take out the header if they are",
        )


# Values


def decimal_text(row: Row, column: str, decimals: int) -> str:
    """A price as it stands, not negative; an empty one is 0."""
    text = row[column] or "0"
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        refuse(row, f"{printable(text)} is no amount", "write digits and a point: 0.05", column)
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    if len(fraction) > decimals:
        refuse(row, f"{text} has more than {decimals} decimals", f"round it to {decimals}", column)
    return f"{int(whole)}.{fraction}" if fraction else str(int(whole))


def duration(row: Row, column: str, voice: bool) -> int:
    """``60s``, ``1m`` in seconds; without a unit a number of messages or bytes."""
    text = row[column]
    if voice:
        parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)", text)
        if text in ("0", ""):
            return 0
        if not parts or "".join(number + unit for number, unit in parts) != text:
            refuse(
                row,
                f"{printable(text)} is no duration with a unit",
                "write 60s: a bare number is seconds in some versions of CGRateS and nanoseconds in others; "
                "for messages or data choose them with --service",
                column,
            )
        seconds = sum(Decimal(number) * _SECONDS[unit] for number, unit in parts)
        if seconds != int(seconds):
            refuse(row, f"{text} is no whole number of seconds", "bring it to whole seconds", column)
        return int(seconds)
    if not re.fullmatch(r"[0-9]{1,15}", text or "0"):
        refuse(row, f"{printable(text)} is no number", "messages and bytes are bare whole numbers", column)
    return int(text or 0)
