"""Phone logs: what subscribers export from their phones, to lay beside a bill (docs/handset.md)."""

from billproof.handset.entries import ENTRY_SCHEMA, PhoneLog, Reject
from billproof.handset.problems import PhoneLogError
from billproof.handset.reading import read_phone_log

__all__ = ["ENTRY_SCHEMA", "PhoneLog", "PhoneLogError", "Reject", "read_phone_log"]
