"""Call lists that iMazing and programs like it export from an iPhone as CSV: headers, words and dates in the
computer's language (English, German, French), times on its wall clock.

Source: exports of such programs; none publishes its columns, so they are known by their names.
"""

from billproof.handset import values, wall_time
from billproof.handset.problems import PhoneLogError, RowError
from billproof.handset.rows import APP, CALL, IN, NO, OUT, YES, Draft, Entries, Row
from billproof.handset.sheets import Sheet

FORMAT = "spreadsheet"
_NAMES = {
    "type": ("call type", "type", "direction", "anruftyp", "anrufart", "typ", "art", "richtung",
             "type d'appel", "type d’appel", "sens"),
    "date": ("date", "date & time", "date and time", "date/time", "datum", "datum & uhrzeit",
             "datum und uhrzeit", "zeitpunkt", "date et heure", "date & heure"),
    "duration": ("duration", "dauer", "durée"),
    "number": ("number", "phone number", "phone", "nummer", "rufnummer", "telefonnummer", "numéro",
               "numéro de téléphone", "téléphone"),
    "service": ("service", "dienst", "app"),
}  # fmt: skip
_NEEDED = ("type", "date", "number")
_TYPES = {
    "outgoing": (OUT, None), "outgoing call": (OUT, None), "ausgehend": (OUT, None),
    "ausgehender anruf": (OUT, None), "sortant": (OUT, None), "appel sortant": (OUT, None),
    "émis": (OUT, None),
    "incoming": (IN, YES), "incoming call": (IN, YES), "eingehend": (IN, YES), "eingehender anruf": (IN, YES),
    "entrant": (IN, YES), "appel entrant": (IN, YES), "reçu": (IN, YES),
    "missed": (IN, NO), "missed call": (IN, NO), "verpasst": (IN, NO), "verpasster anruf": (IN, NO),
    "manqué": (IN, NO), "appel manqué": (IN, NO), "rejected": (IN, NO), "abgelehnt": (IN, NO),
    "rejeté": (IN, NO),
    "blocked": (IN, NO), "blockiert": (IN, NO), "bloqué": (IN, NO),
    "cancelled": (OUT, NO), "canceled": (OUT, NO), "abgebrochen": (OUT, NO), "annulé": (OUT, NO),
}  # fmt: skip
_PHONE = ("", "phone", "telephony", "telefon", "téléphone", "cellular", "mobilfunk")


def columns_of(sheet: Sheet) -> dict[str, int]:
    """Field → place of its column."""
    return {
        field: sheet.header.index(name)
        for field, names in _NAMES.items()
        for name in names[::-1]
        if name in sheet.header
    }


def looks_like(sheet: Sheet) -> bool:
    places = columns_of(sheet)
    return all(field in places for field in _NEEDED)


def read(sheet: Sheet) -> Draft:
    places = columns_of(sheet)
    dates = [row[places["date"]].strip() for _, row in sheet.rows() if len(row) > places["date"]]
    order = wall_time.order_of(dates)
    if order is None:
        french_or_german = not sheet.header[places["number"]].endswith(("number", "phone"))
        if not french_or_german and any(wall_time.ambiguous(text) for text in dates):
            raise PhoneLogError(
                "ambiguous",
                f"no date tells whether the day or the month comes first ({dates[0]})",
                file=sheet.name,
                field=sheet.header[places["date"]],
                advice="Export a longer time, or say it in a mapping file (docs/handset.md).",
            )
        order = "dm"
    seconds = all(wall_time.has_seconds(text) for text in dates)
    entries = Entries(sheet.name)
    for line, row in sheet.rows():
        try:
            entries.add(_row(row, places, order))
        except RowError as problem:
            entries.reject(line, problem)
    return entries.log(FORMAT, clock="local", step=1 if seconds else 60)


def _row(row: list[str], places: dict[str, int], order: wall_time.Order) -> Row:
    cell = {field: row[place].strip() if place < len(row) else "" for field, place in places.items()}
    kind = _TYPES.get(cell["type"].lower())
    if kind is None:
        raise RowError("type", "is not a word for an outgoing, incoming or missed call")
    direction, answered = kind
    at = wall_time.wall_seconds("date", cell["date"], order)
    duration = wall_time.spoken_duration("duration", cell.get("duration", ""))
    if answered is None:
        answered = values.answered(duration)
    app = cell.get("service", "").lower() not in _PHONE
    return APP if app else CALL, direction, answered, values.clean_number(cell["number"]), at, duration, 0, ""
