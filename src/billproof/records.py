"""What a record is: the Arrow schema that every stop after intake works on.

One row is one line of a statement. Columns, never Python objects, carry records through the
package. Units are those of ``docs/protocol.md``: UTC seconds, minutes of UTC offset, billionths of the
currency unit; ``usage`` is in seconds (voice), messages (messaging) or bytes (data).
"""

from __future__ import annotations

from enum import IntEnum

import pyarrow as pa

#: Billionths in one currency unit.
NANO = 1_000_000_000

#: Width of the ``network`` field: ASCII ``MCC-MNC``, padded right with zeros.
NETWORK_BYTES = 8

#: ``corrects`` of a record that corrects none, ``tariff`` of a statement without one.
ZERO32 = bytes(32)


def money(billionths: int) -> str:
    """Billionths of the currency unit as a decimal amount, exact, with at least two decimals."""
    sign = "-" if billionths < 0 else ""
    units, rest = divmod(abs(billionths), NANO)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{sign}{units:,}.{decimals}"


class Service(IntEnum):
    """What was charged for."""

    VOICE_ORIGINATED = 1
    VOICE_TERMINATED = 2
    VOICE_FORWARDED = 3
    MESSAGE_SENT = 4
    MESSAGE_RECEIVED = 5
    DATA = 6
    MMS = 7
    CONTENT = 8
    RECURRING = 32
    ONE_OFF = 33
    DISCOUNT = 34
    TAX = 35
    CREDIT = 36
    ROUNDING = 37


_CODED = pa.dictionary(pa.int32(), pa.string())

#: Records as intake delivers them; texts that repeat are codes into a dictionary. ``account`` is the
#: operator's own account number; ``source`` and ``line`` say where the record came from and are never hashed.
SCHEMA = pa.schema(
    [
        pa.field("account", _CODED, nullable=False),
        pa.field("service", pa.uint8(), nullable=False),
        pa.field("started_at", pa.int64(), nullable=False),
        pa.field("utc_offset", pa.int16(), nullable=False),
        pa.field("usage", pa.int64(), nullable=False),
        pa.field("billed_usage", pa.int64(), nullable=False),
        pa.field("number", pa.string(), nullable=False),
        pa.field("network", _CODED, nullable=False),
        pa.field("amount", pa.int64(), nullable=False),
        pa.field("currency", _CODED, nullable=False),
        pa.field("rate", _CODED, nullable=False),
        pa.field("corrects", pa.binary(32), nullable=False),
        pa.field("source", _CODED, nullable=False),
        pa.field("line", pa.int64(), nullable=False),
    ]
)
