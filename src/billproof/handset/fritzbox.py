"""The call list of a FRITZ!Box, saved from its pages: ``sep=;``, then ``Typ;Datum;Name;Rufnummer;…``.

Source: the box's export. The columns are the same in every language; types are 1 incoming, 2 missed, 3
outgoing (until FRITZ!OS 6) or rejected (where 4 is outgoing), 9 and 11 under way. Times are minutes on the
box's wall clock; durations are H:MM.
"""

import re

from billproof.handset import values, wall_time
from billproof.handset.problems import RowError
from billproof.handset.rows import CALL, IN, NO, OUT, YES, Draft, Entries, Row
from billproof.handset.sheets import Sheet, check_width

FORMAT = "fritzbox"
_COLUMNS = 7
_DURATION = re.compile(r"([0-9]{1,4}):([0-9]{2})", re.ASCII)
_DATE = re.compile(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{2}(?:[0-9]{2})? [0-9]{1,2}:[0-9]{2}", re.ASCII)
_FIRST = ("typ", "type")


def looks_like(sheet: Sheet) -> bool:
    return sheet.separator == ";" and sheet.header[0] in _FIRST and len(sheet.header) >= _COLUMNS - 1


def read(sheet: Sheet) -> Draft:
    entries = Entries(sheet.name)
    width = len(sheet.header)
    newer = any(row[0].strip() == "4" for _, row in sheet.rows())
    types: dict[str, tuple[int, int | None]] = {
        "1": (IN, YES),
        "2": (IN, NO),
        "4": (OUT, None),
        "10": (IN, NO),
    }
    types["3"] = (IN, NO) if newer else (OUT, None)
    for line, row in sheet.rows():
        try:
            check_width(row, width)
            entries.add(_row([cell.strip() for cell in row[:width]], types))
        except RowError as problem:
            entries.reject(line, problem)
    return entries.log(FORMAT, clock="local", step=60, duration_step=60)


def _row(row: list[str], types: dict[str, tuple[int, int | None]]) -> Row:
    if row[0] not in types:
        raise RowError("type", "is not a type of finished call")
    direction, answered = types[row[0]]
    if not _DATE.fullmatch(row[1]):
        raise RowError("date", "is not a date and time")
    at = wall_time.wall_seconds("date", row[1], "dm")
    match = _DURATION.fullmatch(row[-1])
    if match is None:
        raise RowError("duration", "is not H:MM")
    duration = values.duration("duration", int(match[1]) * 3600 + int(match[2]) * 60)
    if answered is None:
        answered = values.answered(duration)
    return (
        CALL,
        direction,
        answered,
        values.clean_number(row[3]),
        at,
        duration,
        0,
        row[-2][: values.MAX_NUMBER],
    )
