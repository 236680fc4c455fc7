"""Records as the naive rater has them → the table that the engine takes."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

COLUMNS = {
    "service": ("service", pa.uint8()),
    "started_at": ("startedAt", pa.int64()),
    "utc_offset": ("utcOffset", pa.int16()),
    "usage": ("usage", pa.int64()),
    "billed_usage": ("billedUsage", pa.int64()),
    "number": ("number", pa.string()),
    "network": ("network", pa.string()),
    "amount": ("amount", pa.int64()),
    "rate": ("rate", pa.string()),
}


def table(records: list[dict[str, Any]]) -> pa.Table:
    """The records of a statement, in order of index."""
    columns = {
        name: pa.array([record[key] for record in records], kind) for name, (key, kind) in COLUMNS.items()
    }
    corrects = [bytes.fromhex(record["corrects"].removeprefix("0x")) for record in records]
    return pa.table({**columns, "corrects": pa.array(corrects, pa.binary(32))})
