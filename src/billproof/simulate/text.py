"""Columns of numbers to columns of text, without a Python object for each row."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Int64s = npt.NDArray[np.int64]
Octets = npt.NDArray[np.uint8]

#: A column of text: one string for each row, or the same for all.
Column: TypeAlias = pa.StringArray | str

_ZERO = ord("0")


def digits(values: Int64s, width: int) -> Octets:
    """Decimal digits of ``values`` (n,), from 0, zero-padded: shape (n, width)."""
    out = np.empty((len(values), width), dtype=np.uint8)
    rest = values
    for place in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, 10)
        out[:, place] = digit + _ZERO
    return out


def fixed(*parts: Octets | str) -> pa.StringArray:
    """Text of equal length in each row, from matrices (n, width) and constants between them."""
    rows = next(len(part) for part in parts if not isinstance(part, str))
    matrices = [_constant(part, rows) if isinstance(part, str) else part for part in parts]
    matrix = np.ascontiguousarray(np.concatenate(matrices, axis=1))
    width = matrix.shape[1]
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(width)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(matrix))


def integers(values: Int64s) -> pa.StringArray:
    """Plain decimal integers."""
    return pa.array(values).cast(pa.string())


def decimals(values: Int64s, places: int, least: int = 2) -> pa.StringArray:
    """``values`` divided by 10**places, at least ``least`` decimals and no trailing zero beyond."""
    size = np.abs(values)
    width = max(places + 1, len(str(int(size.max(initial=0)))))
    matrix = digits(size, width)
    whole = width - places
    rows = len(values)
    text = np.concatenate(
        (_constant("-", rows), matrix[:, :whole], _constant(".", rows), matrix[:, whole:]), axis=1
    )
    keep = np.ones(text.shape, dtype=np.bool_)
    keep[:, 0] = values < 0
    # Leading zeros up to the last whole digit, trailing zeros down to the least decimals.
    keep[:, 1:whole] = np.maximum.accumulate(matrix[:, : whole - 1] != _ZERO, axis=1)
    tail = matrix[:, whole + least :] != _ZERO
    keep[:, whole + 2 + least :] = np.maximum.accumulate(tail[:, ::-1], axis=1)[:, ::-1]
    offsets = np.zeros(rows + 1, dtype=np.int32)
    np.cumsum(keep.sum(axis=1), out=offsets[1:])
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(text[keep]))


def clock(seconds: Int64s) -> tuple[Octets, Octets, Octets]:
    """Hour, minute and second of ``seconds`` on any time line, two digits each: shape (n, 2)."""
    second = seconds % 86400
    minute = second // 60
    return digits(minute // 60, 2), digits(minute % 60, 2), digits(second % 60, 2)


def dates(seconds: Int64s) -> tuple[Octets, Octets, Octets]:
    """Year (n, 4), month (n, 2) and day (n, 2) of seconds since 1970 on any time line."""
    day = seconds // 86400
    first = int(day.min(initial=0)) if len(day) else 0
    table = np.arange(first, int(day.max(initial=first)) + 1).astype("datetime64[D]")
    month = table.astype("datetime64[M]")
    year = table.astype("datetime64[Y]")
    columns = (
        year.astype(np.int64) + 1970,
        (month - year).astype(np.int64) + 1,
        (table - month).astype(np.int64) + 1,
    )
    row = day - first
    return digits(columns[0], 4)[row], digits(columns[1], 2)[row], digits(columns[2], 2)[row]


def timestamp(seconds: Int64s, between: str = " ") -> pa.StringArray:
    """``YYYY-MM-DD HH:MM:SS`` of seconds since 1970 on any time line."""
    year, month, day = dates(seconds)
    hour, minute, second = clock(seconds)
    return fixed(year, "-", month, "-", day, between, hour, ":", minute, ":", second)


def offsets(minutes: Int64s) -> pa.StringArray:
    """UTC offsets as ``+HH:MM``."""
    size = np.abs(minutes)
    sign = np.where(minutes < 0, ord("-"), ord("+")).astype(np.uint8).reshape(-1, 1)
    return fixed(sign, digits(size // 60, 2), ":", digits(size % 60, 2))


def joined(*parts: Column, rows: int) -> pa.StringArray:
    """Row-wise concatenation."""
    if all(isinstance(part, str) for part in parts):
        return pa.array(["".join(parts)] * rows, pa.string())
    return pc.binary_join_element_wise(*parts, "")


def hexadecimal(words: npt.NDArray[np.uint64]) -> Octets:
    """Lower-case hexadecimal of 64-bit words (n,): shape (n, 16)."""
    octets = words.astype(">u8").view(np.uint8).reshape(-1, 8)
    nibbles = np.stack((octets >> 4, octets & 15), axis=2).reshape(-1, 16)
    return np.frombuffer(b"0123456789abcdef", dtype=np.uint8)[nibbles]


def _constant(text: str, rows: int) -> Octets:
    return np.broadcast_to(np.frombuffer(text.encode("ascii"), dtype=np.uint8), (rows, len(text)))
