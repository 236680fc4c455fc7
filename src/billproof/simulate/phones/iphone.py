"""iPhone: the call history as a SQLite database, and its export as CSV in three languages."""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from billproof.simulate import text
from billproof.simulate.phones.entries import What
from billproof.simulate.phones.logs import Log, Logs, piece

#: Seconds from 1970 to 2001, where Apple's clocks begin.
_APPLE = 978_307_200

_SCHEMA = """
CREATE TABLE ZCALLDBPROPERTIES (Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER,
    ZTIMER_ALL FLOAT, ZTIMER_INCOMING FLOAT, ZTIMER_LAST FLOAT, ZTIMER_OUTGOING FLOAT);
CREATE TABLE ZCALLRECORD (Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZANSWERED INTEGER,
    ZCALLTYPE INTEGER, ZDISCONNECTED_CAUSE INTEGER, ZFACE_TIME_DATA INTEGER, ZNUMBER_AVAILABILITY INTEGER,
    ZORIGINATED INTEGER, ZREAD INTEGER, ZDATE TIMESTAMP, ZDURATION FLOAT, ZADDRESS VARCHAR,
    ZDEVICE_ID VARCHAR, ZISO_COUNTRY_CODE VARCHAR, ZLOCATION VARCHAR, ZNAME VARCHAR,
    ZSERVICE_PROVIDER VARCHAR, ZUNIQUE_ID VARCHAR);
CREATE TABLE Z_METADATA (Z_VERSION INTEGER PRIMARY KEY, Z_UUID VARCHAR(255), Z_PLIST BLOB);
CREATE TABLE Z_PRIMARYKEY (Z_ENT INTEGER PRIMARY KEY, Z_NAME VARCHAR, Z_SUPER INTEGER, Z_MAX INTEGER);
INSERT INTO ZCALLDBPROPERTIES VALUES (1, 1, 1, 0.0, 0.0, 0.0, 0.0);
INSERT INTO Z_METADATA VALUES (1, '00000000-0000-4000-8000-000000000000', x'62706C6973743030');
INSERT INTO Z_PRIMARYKEY VALUES (1, 'CallDBProperties', 0, 1), (2, 'CallRecord', 0, 0);
"""
_INSERT = "INSERT INTO ZCALLRECORD VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

_PROVIDERS = ("com.apple.Telephony", "com.apple.FaceTime", "net.whatsapp.WhatsApp", "ph.telegra.Telegraph")
_CALL_TYPES = (1, 16, 0, 0)

#: Language → header, kinds of calls by ``What``, separator, date pattern, mark at the file's start.
_LANGUAGES = (
    (
        "Call type,Date,Duration,Number,Contact,Location,Service",
        ("Outgoing", "Incoming", "Missed", "Rejected", "Blocked", "Cancelled"),
        ",",
        "",
    ),
    (
        "Anruftyp;Datum;Dauer;Nummer;Kontakt;Ort;Dienst",
        ("Ausgehend", "Eingehend", "Verpasst", "Abgelehnt", "Blockiert", "Abgebrochen"),
        ";",
        "\ufeff",
    ),
    (
        "Type d\u2019appel;Date;Durée;Numéro;Contact;Lieu;Service",
        ("Sortant", "Entrant", "Manqué", "Refusé", "Bloqué", "Annulé"),
        ";",
        "\ufeff",
    ),
)
_SERVICES = ("", "FaceTime Audio", "WhatsApp Audio", "Telegram Audio")


@cache
def _template() -> bytes:
    with sqlite3.connect(":memory:") as database:
        database.executescript(_SCHEMA)
        return database.serialize()


def write_database(logs: Logs) -> list[Path]:
    """``CallHistory.storedata`` in each log's folder, with the export's time in its name for an old phone."""
    written = []
    for log in logs:
        name = f"CallHistory-{logs.stamp(log)}.storedata" if log.old else "CallHistory.storedata"
        path = log.folder / name
        database = sqlite3.connect(":memory:")
        database.deserialize(_template())
        records = _records(logs, log)
        with database:
            database.executemany(_INSERT, records)
            database.execute("UPDATE Z_PRIMARYKEY SET Z_MAX = ? WHERE Z_ENT = 2", (len(records),))
        path.write_bytes(database.serialize())
        database.close()
        written.append(path)
    return written


def _records(logs: Logs, log: Log) -> list[tuple[int | float | str | bytes | None, ...]]:
    entries = logs.entries.take(np.arange(log.first, log.last))
    numbers = logs.numbers.slice(log.first, log.last - log.first).to_pylist()
    names = logs.names.slice(log.first, log.last - log.first).to_pylist()
    # Older systems keep numbers as blobs: three phones in ten.
    blobs = log.subscriber % 10 < 3
    records: list[tuple[int | float | str | bytes | None, ...]] = []
    columns = (entries.what, entries.at, entries.duration, entries.app, entries.when)
    for position, (what, at, duration, app, when) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        number: str = numbers[position]
        address = (number.encode() if blobs else number) if number else None
        ident = f"{when:08X}-{log.subscriber % 65536:04X}-4000-8000-{position:012X}"
        records.append(
            (
                position + 1, 2, 1, int(what <= What.INCOMING), _CALL_TYPES[app], 0, None, int(not number),
                int(what in (What.OUTGOING, What.UNANSWERED)), 1, at - _APPLE + when * 7919 % 1000 / 1000,
                float(duration), address, None, "ie", "Ireland", names[position] or None, _PROVIDERS[app],
                ident,
            )
        )  # fmt: skip
    return records


def write_table(logs: Logs) -> list[Path]:
    """``call-history-*.csv`` in each log's folder: in English, German or French, in local time."""
    entries = logs.entries
    n = len(entries)
    year, month, day = text.dates(logs.local)
    hour, minute, second = text.clock(logs.local)
    clock: tuple[text.Octets | str, ...] = (" ", hour, ":", minute, ":", second)
    dates = (
        text.fixed(year, "-", month, "-", day, *clock),
        text.fixed(day, ".", month, ".", year, *clock),
        text.fixed(day, "/", month, "/", year, *clock),
    )
    hours, minutes, seconds = text.clock(entries.duration)
    lengths = text.fixed(hours, ":", minutes, ":", seconds)
    services = pa.array(_SERVICES, pa.string()).take(pa.array(entries.app))
    tables = []
    for (_, kinds, comma, _), date in zip(_LANGUAGES, dates, strict=True):
        kind = pa.array(kinds, pa.string()).take(pa.array(entries.what))
        tables.append(
            text.joined(
                kind, comma, date, comma, lengths, comma, logs.numbers, comma, logs.names,
                comma + comma, services, "\n", rows=n,
            )
        )  # fmt: skip
    written = []
    for log in logs:
        language = log.subscriber // 7 % len(_LANGUAGES)
        header, _, _, mark = _LANGUAGES[language]
        path = log.folder / f"call-history-{logs.stamp(log)}.csv"
        path.write_bytes(f"{mark}{header}\n".encode() + piece(tables[language], log.first, log.last))
        written.append(path)
    return written
