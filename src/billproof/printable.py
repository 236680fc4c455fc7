"""Text from strangers, made safe to print: it cannot move the cursor, hide, or add lines of its own."""

from __future__ import annotations

import re

#: What spreadsheets take for the beginning of a formula, some after dropping a blank.
_FORMULAS = ("=", "@", "+", "-", "\t", "\r", "\n")
_NUMBER = re.compile(r"[+-][0-9][0-9.,]*")


def printable(text: str, limit: int = 300) -> str:
    """What a stranger sent, safe to print: one line, no control characters, at most ``limit`` characters."""
    clean = "".join(c if c.isprintable() else " " for c in text[: limit + 1])
    return clean if len(clean) <= limit else clean[:limit] + "…"


def plain_cell(text: str) -> str:
    """A stranger's text for a CSV that no spreadsheet takes for a formula; numbers stay as they are."""
    if text[:1] not in _FORMULAS or _NUMBER.fullmatch(text):
        return text
    return f"'{text}"
