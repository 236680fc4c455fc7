"""A bill without a proof, and a phone's log beside it, for whatever says something of them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from billproof.bundle import documents as doc
from billproof.handset.entries import ENTRY_SCHEMA, PhoneLog

START = 1_790_850_000
ZERO = "0x" + "00" * 32


def record(index: int, **changes: Any) -> doc.Record:
    fields: dict[str, Any] = {
        "index": index,
        "service": 1 if index < 7 else 32,
        "startedAt": START + 86_000 * index,
        "utcOffset": 60,
        "usage": 14_400 if index == 3 else 64,
        "billedUsage": 14_400 if index == 3 else 120,
        "amount": 700_000_000,
    }
    texts = {"number": "+353209100001", "salt": ZERO, "network": "272-01", "rate": "0.25/min"}
    named = {key: str(value) for key, value in fields.items()}
    return doc.Record(**{**named, **texts, "corrects": ZERO, "hash": f"0x{index:064x}", **changes})


def bundle(*, lines: int = 8, **changes: Any) -> doc.Bundle:
    return doc.Bundle(
        schema=doc.BUNDLE,
        batch=doc.BatchFields("7357", "0x" + "ab" * 20, "1", "202610", "0", "1"),
        account=doc.AccountOpening("A1", ZERO, "0x" + "00" * 20),
        statement=doc.StatementFields("0x" + "cd" * 32, ZERO, "8", "EUR", ZERO, "5600000000", ZERO),
        records=[record(index, **changes) for index in range(lines)],
        entry=doc.Entry(ZERO, []),
    )


def log(number: str = "+353209100001", clock: Any = "local") -> PhoneLog:
    rows = [
        {
            "kind": "call",
            "direction": "out",
            "answered": "yes",
            "number": number,
            "parts": 0,
            "sim": "",
            "at": START + 7200 + 86_000 * at,
            "duration": 64,
        }
        for at in range(5)
    ]
    return PhoneLog("calls.xml", "csv", clock, 1, 1, None, pa.Table.from_pylist(rows, schema=ENTRY_SCHEMA))
