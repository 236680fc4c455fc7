"""Any other CSV, read as a small TOML mapping says (docs/handset.md describes it)."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa

from billproof.handset import values, wall_time
from billproof.handset.entries import Clock
from billproof.handset.problems import PhoneLogError, RowError
from billproof.handset.rows import APP, CALL, IN, MESSAGE, MMS, NO, OUT, YES, Draft, Entries, Row
from billproof.handset.sheets import Sheet
from billproof.intake import timeformat, zones

FORMAT = "mapped-csv"
_COLUMNS = ("number", "time", "date", "direction", "duration", "kind", "sim", "text", "parts")
_DIRECTIONS = {"out": (OUT, None), "in": (IN, YES), "missed": (IN, NO), "failed": (OUT, NO)}
_KINDS = {"call": CALL, "message": MESSAGE, "mms": MMS, "app": APP}
_UNITS = {"seconds": 1, "minutes": 60}
_EPOCHS = {"epoch": 1, "epoch-ms": 1000}


@dataclass(frozen=True)
class Mapping:
    """A mapping file. ``zone``: an IANA name, ``utc``, or ``local`` for a wall clock without a zone."""

    columns: dict[str, str]
    format: str = "auto"
    zone: str = "local"
    step: int = 1
    direction: dict[str, str] = field(default_factory=dict)
    kind: dict[str, str] = field(default_factory=dict)
    unit: str = "auto"
    duration_step: int = 1


def load(path: Path) -> Mapping:
    """Reads a mapping file."""
    try:
        return parse(path.name, tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise _wrong(path.name, f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(path.name, f"is not TOML ({error})") from error


def parse(name: str, data: dict[str, Any]) -> Mapping:
    """Checks a mapping that was read from TOML."""
    known = {
        "columns": _COLUMNS,
        "time": ("format", "zone", "step"),
        "duration": ("unit", "step"),
        "direction": None,
        "kind": None,
    }
    tables: dict[str, dict[str, Any]] = {}
    for key, table in data.items():
        if key not in known or not isinstance(table, dict):
            raise _wrong(name, f"is not one of the tables {', '.join(known)}", key)
        for inner in table:
            allowed = known[key]
            if allowed is not None and inner not in allowed:
                raise _wrong(name, f"is not one of {', '.join(allowed)}", f"{key}.{inner}")
        tables[key] = table
    columns = {
        key: _text(name, f"columns.{key}", value).strip().lower()
        for key, value in tables.get("columns", {}).items()
    }
    for needed in ("number", "time", "direction"):
        if needed not in columns:
            raise _wrong(name, "is missing", f"columns.{needed}")
    time, duration = tables.get("time", {}), tables.get("duration", {})
    mapping = Mapping(
        columns,
        _text(name, "time.format", time.get("format", "auto")),
        _text(name, "time.zone", time.get("zone", "local")),
        _step(name, "time.step", time.get("step", 1)),
        _words(name, "direction", tables.get("direction", {}), _DIRECTIONS),
        _words(name, "kind", tables.get("kind", {}), _KINDS),
        _text(name, "duration.unit", duration.get("unit", "auto")),
        _step(name, "duration.step", duration.get("step", 1)),
    )
    _check(name, mapping)
    return mapping


def _check(name: str, mapping: Mapping) -> None:
    if not mapping.direction:
        raise _wrong(name, "says nothing: which words are out, in, missed, failed?", "direction")
    if mapping.unit not in ("auto", *_UNITS):
        raise _wrong(name, "is not auto, seconds or minutes", "duration.unit")
    if mapping.zone not in ("utc", "local"):
        try:
            ZoneInfo(mapping.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise _wrong(name, "is not utc, local or a zone such as Europe/Berlin", "time.zone") from error
    if mapping.format not in ("auto", "md", "dm", *_EPOCHS):
        try:
            timeformat.compile_format(mapping.format)
        except ValueError as error:
            raise _wrong(name, str(error), "time.format") from error


def _text(name: str, key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _wrong(name, "is not a text", key)
    return value


def _step(name: str, key: str, value: object) -> int:
    if value not in (1, 60) or not isinstance(value, int):
        raise _wrong(name, "is not 1 or 60", key)
    return value


def _words(name: str, key: str, table: dict[str, Any], meanings: dict[str, Any]) -> dict[str, str]:
    words = {}
    for meaning, texts in table.items():
        if meaning not in meanings:
            raise _wrong(name, f"is not one of {', '.join(meanings)}", f"{key}.{meaning}")
        for text in texts if isinstance(texts, list) else [texts]:
            words[_text(name, f"{key}.{meaning}", text).strip().lower()] = meaning
    return words


def _wrong(name: str, message: str, key: str | None = None) -> PhoneLogError:
    return PhoneLogError(
        "mapping", message, file=name, field=key, advice="docs/handset.md describes mapping files."
    )


def read(sheet: Sheet, mapping: Mapping) -> Draft:
    places = {}
    for key, column in mapping.columns.items():
        if column not in sheet.header:
            raise PhoneLogError(
                "mapping",
                f"has no column {column!r}; it has {', '.join(sheet.header[:20])}",
                file=sheet.name,
                field=f"columns.{key}",
                advice="Write the column's name in the mapping as it stands in the file's first line.",
            )
        places[key] = sheet.header.index(column)
    entries = Entries(sheet.name)
    wall = _Clock(mapping)
    for line, row in sheet.rows():
        try:
            entries.add(
                _row(
                    {key: row[at].strip() if at < len(row) else "" for key, at in places.items()},
                    mapping,
                    wall,
                )
            )
        except RowError as problem:
            entries.reject(line, problem)
    clock: Clock = "local" if mapping.zone == "local" and mapping.format not in _EPOCHS else "utc"
    return entries.log(
        FORMAT,
        clock=clock,
        step=mapping.step,
        duration_step=mapping.duration_step,
    )


class _Clock:
    """Reads times as the mapping says."""

    def __init__(self, mapping: Mapping) -> None:
        self.zone = mapping.zone
        self.epoch = _EPOCHS.get(mapping.format)
        self.order: wall_time.Order = "md" if mapping.format == "md" else "dm"
        self.spoken = mapping.format in ("auto", "md", "dm")
        self.format = None if self.epoch or self.spoken else timeformat.compile_format(mapping.format)

    def read(self, text: str) -> int:
        if self.epoch:
            return values.second("time", values.whole("time", text) // self.epoch)
        if self.format is None:
            wall = wall_time.wall_seconds("time", text, self.order)
        else:
            moments = timeformat.parse_times(pa.array([text]), self.format)
            if moments.bad[0]:
                raise RowError("time", "is not written as the mapping says")
            wall = values.second("time", int(moments.seconds[0]))
            if moments.has_offset[0]:
                return wall - 60 * int(moments.offset[0])
        if self.zone in ("utc", "local"):
            return wall
        first, _, missing = zones.offsets_of_local(self.zone, np.array([wall], np.int64))
        if missing[0]:
            raise RowError("time", f"never occurred in {self.zone}")
        return values.second("time", wall - int(first[0]))


def _row(cell: dict[str, str], mapping: Mapping, clock: _Clock) -> Row:
    meaning = mapping.direction.get(cell["direction"].lower())
    if meaning is None:
        raise RowError("direction", "is a word of which the mapping says nothing")
    direction, answered = _DIRECTIONS[meaning]
    kind = CALL
    if "kind" in cell:
        word = mapping.kind.get(cell["kind"].lower())
        if word is None:
            raise RowError("kind", "is a word of which the mapping says nothing")
        kind = _KINDS[word]
    at = clock.read(f"{cell['date']} {cell['time']}" if "date" in cell else cell["time"])
    parts, duration = 0, 0
    if kind in (CALL, APP):
        duration = _duration(cell.get("duration", ""), mapping)
        if answered is None:
            answered = values.answered(duration)
    elif kind == MESSAGE:
        if cell.get("parts"):
            parts = min(values.whole("parts", cell["parts"]), 255)
        elif "text" in cell:
            parts = values.segments(cell["text"])
    return (
        kind,
        direction,
        YES if answered is None else answered,
        values.clean_number(cell["number"]),
        at,
        duration,
        parts,
        (cell.get("sim", "")[: values.MAX_NUMBER]),
    )


def _duration(text: str, mapping: Mapping) -> int:
    if not text:
        return -1
    if mapping.unit == "auto":
        return wall_time.spoken_duration("duration", text)
    return values.duration("duration", values.whole("duration", text) * _UNITS[mapping.unit])
