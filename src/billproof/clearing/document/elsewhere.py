"""How much of a book is on none of the agreement's routes and zones, which discount models then leave out.

Whoever clears is told of it where it is no slip (``docs/clearing.md``, section 2).
"""

from __future__ import annotations

from billproof.clearing.agreement.agreement import ELSEWHERE, Agreement
from billproof.clearing.document.form import File

#: More than this share of a book's records: one of so many.
_MANY = 10


def advice(file: File, agreement: Agreement) -> str | None:
    """What is said where much of a book is elsewhere although the agreement has routes or zones."""
    if not agreement.routes and not agreement.zones:
        return None
    counts = {each.route: (each.ours.records, each.theirs.records) for each in file.routes}
    found = [
        f"{count:,} of {side.records:,} records of {side.name}'s book"
        for count, side in zip(counts.get(ELSEWHERE, (0, 0)), file.sides, strict=True)
        if count * _MANY > side.records
    ]
    if not found:
        return None
    return (
        f"{' and '.join(found)} are on the route {ELSEWHERE!r}: no prefix of [routes] begins their number,"
        " and no network of [zones] is theirs, so that discount models of named routes leave them out."
        " Add what is missing to the agreement, and clear again; records without a number, such as data, need"
        " a zone, and [network] in the mapping that their files were read with (docs/formats.md)."
    )
