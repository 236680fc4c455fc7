"""JSON from strangers: nesting is measured before the parser sees it (``files.nested_deeper`` says why)."""

from __future__ import annotations

import json
from typing import Any

from billproof.files import nested_deeper

MAX_DEPTH = 64
"""Levels; ours have at most six, blocks of a node four."""


def loads(content: bytes) -> Any:
    """The document.

    Raises:
        ValueError: it is no JSON, no UTF-8, or nested far more than ``MAX_DEPTH`` levels deep.
    """
    if nested_deeper(content, MAX_DEPTH):
        raise ValueError("nested too deeply")
    return json.loads(content.decode())
