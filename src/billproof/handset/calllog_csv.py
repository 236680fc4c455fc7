"""A dump of Android's call log as CSV: ``_id,number,date,duration,type,…`` in any order.

Source: the column names of Android's ``CallLog.Calls``
(developer.android.com/reference/android/provider/CallLog.Calls), which apps and forensic tools keep. Times
are epoch milliseconds.
"""

from billproof.handset.android_rows import call
from billproof.handset.problems import RowError
from billproof.handset.rows import Draft, Entries
from billproof.handset.sheets import Sheet, check_width

FORMAT = "android-call-log"
_NEEDED = ("number", "date", "duration", "type")
_WANTED = (*_NEEDED, "presentation", "subscription_id", "subscription_component_name")


def looks_like(sheet: Sheet) -> bool:
    """By its header, and by a first date in digits only, which no spreadsheet's export has."""
    if not all(name in sheet.header for name in _NEEDED):
        return False
    place = sheet.header.index("date")
    for _, row in sheet.rows():
        first = row[place].strip() if place < len(row) else ""
        return first.isascii() and first.isdigit()
    return "_id" in sheet.header


def read(sheet: Sheet) -> Draft:
    entries = Entries(sheet.name)
    places = [(name, sheet.header.index(name)) for name in _WANTED if name in sheet.header]
    last = max(place for _, place in places)
    for line, row in sheet.rows():
        try:
            check_width(row, last + 1)
            entries.add(call({name: row[place].strip() for name, place in places}))
        except RowError as problem:
            entries.reject(line, problem)
    return entries.log(FORMAT)
