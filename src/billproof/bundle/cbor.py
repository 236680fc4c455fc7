"""Integers, texts, byte strings and arrays in CBOR's deterministic encoding (RFC 8949, 4.2.1); no more."""

from __future__ import annotations

from typing import Any

_MOST_DEPTH = 4
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY = range(5)


def dumps(value: Any) -> bytes:
    """The encoding of an ``int`` within 64 bits and a sign, ``bytes``, ``str``, or a list of such."""
    if type(value) is int:
        return _head(_NEGATIVE, -1 - value) if value < 0 else _head(_UNSIGNED, value)
    if type(value) is bytes:
        return _head(_BYTES, len(value)) + value
    if type(value) is str:
        text = value.encode()
        return _head(_TEXT, len(text)) + text
    if type(value) is list:
        return _head(_ARRAY, len(value)) + b"".join(map(dumps, value))
    raise TypeError(type(value).__name__)


def loads(content: bytes) -> Any:
    """The value encoded, of which nothing may be left over; ``ValueError`` for any other encoding."""
    value, end = _read(content, 0, 0)
    if end != len(content):
        raise ValueError("something follows its end")
    return value


def _head(kind: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([kind << 5 | argument])
    for code, length in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << 8 * length:
            return bytes([kind << 5 | code]) + argument.to_bytes(length)
    raise ValueError("an integer is too large")


def _read(content: bytes, at: int, depth: int) -> tuple[Any, int]:
    if at >= len(content) or depth > _MOST_DEPTH:
        raise ValueError("it is cut off or nested too deeply")
    kind, argument = content[at] >> 5, content[at] & 31
    at += 1
    if argument > 27 or kind > _ARRAY:
        raise ValueError("it holds a kind of value that receipts do not have")
    if argument > 23:
        length = 1 << argument - 24
        argument = int.from_bytes(content[at : at + length])
        at += length
        if at > len(content) or argument < (24, 1 << 8, 1 << 16, 1 << 32)[length.bit_length() - 1]:
            raise ValueError("a number is written in another way than ours")
    if kind == _UNSIGNED:
        return argument, at
    if kind == _NEGATIVE:
        return -1 - argument, at
    if kind == _ARRAY:
        items = []
        for _ in range(argument):
            item, at = _read(content, at, depth + 1)
            items.append(item)
        return items, at
    end = at + argument
    if end > len(content):
        raise ValueError("it is cut off")
    found = content[at:end]
    return (found.decode() if kind == _TEXT else found), end
