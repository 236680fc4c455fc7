"""What a phone log and its entries are (docs/matching.md, section 1), as Arrow columns."""

from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

TEXT_CODE = pa.dictionary(pa.int8(), pa.string())

ENTRY_SCHEMA = pa.schema(
    [
        pa.field("kind", TEXT_CODE, nullable=False),
        pa.field("direction", TEXT_CODE, nullable=False),
        pa.field("answered", TEXT_CODE, nullable=False),
        pa.field("number", pa.string(), nullable=False),
        pa.field("at", pa.int64(), nullable=False),
        pa.field("duration", pa.int64(), nullable=False),
        pa.field("parts", pa.int32(), nullable=False),
        pa.field("sim", pa.string(), nullable=False),
    ]
)
"""One row an entry, in the file's order. Times and durations are seconds; -1: unknown; parts 0: unknown."""

KINDS = ("call", "message", "mms", "app")
DIRECTIONS = ("out", "in")
ANSWERS = ("yes", "no", "unknown")
"""The dictionaries of the coded columns: a code is a place in these, in every log."""

Clock = Literal["utc", "local"]


@dataclass(frozen=True)
class Reject:
    """A row that could not be used: its line (or place, from 1, where a format has no lines), and why."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True)
class PhoneLog:
    """What one file says that a phone did."""

    name: str
    format: str
    clock: Clock
    step: int
    duration_step: int
    exported_at: int | None
    entries: pa.Table
    """Columns of ENTRY_SCHEMA."""
    rejects: tuple[Reject, ...] = field(default=())
