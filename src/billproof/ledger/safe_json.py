"""JSON from strangers: nesting is counted before Python's parser sees it.

That parser recurses in C. py_ecc, which every Ethereum library loads, raises Python's recursion limit to
100,000, and then a few hundred kilobytes of brackets crash the process instead of raising RecursionError.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 64
"""Levels; ours have at most six, blocks of a node four."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.S)
_BRACKET = re.compile(rb"[\[\]{}]")


def loads(content: bytes) -> Any:
    """The document.

    Raises:
        ValueError: it is no JSON, no UTF-8, or nested more than ``MAX_DEPTH`` levels deep.
    """
    if content.count(b"[") + content.count(b"{") > MAX_DEPTH:
        depth = 0
        for bracket in _BRACKET.findall(_STRING.sub(b"", content)):
            depth += 1 if bracket in b"[{" else -1
            if depth > MAX_DEPTH:
                raise ValueError("nested too deeply")
    return json.loads(content.decode())
