"""The call history of an iPhone, ``CallHistory.storedata`` from a backup: a Core Data store in SQLite.

Source: its table ZCALLRECORD as iLEAPP and published forensic work describe it. ZDATE is in seconds since
2001-01-01 UTC; ZCALLTYPE 1 is a phone call, 0 another app's, 8 and 16 FaceTime; ZADDRESS is text or UTF-8
bytes.

The database is read in memory, never from its path, by plain reads of one table: no views, no triggers, no
functions.
"""

import math
import sqlite3
from collections.abc import Iterator
from typing import Any

from billproof.handset import values
from billproof.handset.problems import PhoneLogError, RowError
from billproof.handset.rows import APP, CALL, IN, NO, OUT, YES, Draft, Entries, Row
from billproof.handset.source import Source

FORMAT = "iphone-call-history"
MAGIC = b"SQLite format 3\0"
EPOCH = 978_307_200
"""2001-01-01 00:00 UTC."""
_TABLE = "ZCALLRECORD"
_NEEDED = ("ZDATE", "ZDURATION", "ZADDRESS", "ZORIGINATED", "ZANSWERED", "ZCALLTYPE")
_OPTIONAL = ("ZSERVICE_PROVIDER",)
_STEPS = 1_000_000
_MAX_CALLBACKS = 2000
_ADVICE = "Give the file CallHistory.storedata of an iPhone backup (docs/handset.md says where it is)."


def read(source: Source) -> Draft:
    data = bytearray(source.whole())
    if len(data) < 100:
        raise PhoneLogError("malformed", "ends in the middle of a database", file=source.name, advice=_ADVICE)
    data[18:20] = b"\1\1"  # Written with a write-ahead log, which a database in memory cannot have.
    database = sqlite3.connect(":memory:")
    try:
        database.deserialize(bytes(data))
        _restrain(database)
        return _read(source.name, database)
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
        raise PhoneLogError(
            "malformed", f"is a damaged database ({error})", file=source.name, advice=_ADVICE
        ) from error
    finally:
        database.close()


def _restrain(database: sqlite3.Connection) -> None:
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls > _MAX_CALLBACKS

    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA query_only = ON")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1 << 20)
    database.set_progress_handler(stop, _STEPS)
    database.text_factory = bytes


def _read(name: str, database: sqlite3.Connection) -> Draft:
    found = database.execute("SELECT type FROM sqlite_master WHERE name = ? LIMIT 1", (_TABLE,)).fetchone()
    if found is None or found[0] != b"table":
        raise PhoneLogError("database", "is a database, but not a call history", file=name, advice=_ADVICE)
    columns = {row[1].decode("utf-8", "replace") for row in database.execute(f"PRAGMA table_info({_TABLE})")}
    for column in _NEEDED:
        if column not in columns:
            raise PhoneLogError(
                "database", "its table of calls lacks a column", file=name, field=column, advice=_ADVICE
            )
    wanted = [*_NEEDED, *(column for column in _OPTIONAL if column in columns)]
    entries = Entries(name)
    rows = database.execute(f"SELECT {', '.join(wanted)} FROM {_TABLE} NOT INDEXED ORDER BY rowid")  # noqa: S608
    for place, row in enumerate(_each(rows), 1):
        try:
            entries.add(_row(dict(zip(wanted, row, strict=True))))
        except RowError as problem:
            entries.reject(place, problem)
    return entries.log(FORMAT)


def _each(rows: sqlite3.Cursor) -> Iterator[tuple[Any, ...]]:
    while batch := rows.fetchmany(1000):
        yield from batch


def _row(row: dict[str, Any]) -> Row:
    moment = _real("ZDATE", row["ZDATE"])
    at = values.second("ZDATE", math.floor(moment) + EPOCH)
    duration = -1
    if row["ZDURATION"] is not None:
        duration = values.duration("ZDURATION", math.floor(_real("ZDURATION", row["ZDURATION"])))
        if duration < 0:
            raise RowError("ZDURATION", "is negative")
    if row["ZORIGINATED"] == 1:
        direction, answered = OUT, values.answered(duration)
    else:
        direction, answered = IN, YES if row["ZANSWERED"] == 1 else NO
    kind = row["ZCALLTYPE"]
    if kind not in (None, 0, 1, 8, 16):
        raise RowError("ZCALLTYPE", "is not a type of call that is known")
    app = kind in (0, 8, 16)
    provider = row.get("ZSERVICE_PROVIDER")
    if provider not in (None, b"", b"com.apple.Telephony"):
        app = True
    return APP if app else CALL, direction, answered, _number(row["ZADDRESS"]), at, duration, 0, ""


def _real(field: str, value: object) -> float:
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) < 1e12:
        return value
    raise RowError(field, "is not a number" if value is not None else "is missing")


def _number(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, bytes):
        return values.clean_number(str(value)) if isinstance(value, int) else ""
    try:
        return values.clean_number(value.decode())
    except UnicodeDecodeError as error:
        raise RowError("ZADDRESS", "is not text") from error
