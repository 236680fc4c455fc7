"""Text from strangers, made safe to print: it cannot move the cursor, hide, or add lines of its own."""

from __future__ import annotations


def printable(text: str, limit: int = 300) -> str:
    """What a stranger sent, safe to print: one line, no control characters, at most ``limit`` characters."""
    clean = "".join(c if c.isprintable() else " " for c in text[: limit + 1])
    return clean if len(clean) <= limit else clean[:limit] + "…"
