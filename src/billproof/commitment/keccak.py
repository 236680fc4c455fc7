"""Keccak-256, one message or a matrix of equally long ones."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from sha3 import keccak_256

#: A column of hashes or other byte strings of one width: shape (n, width), dtype uint8.
ByteRows = NDArray[np.uint8]


def keccak(message: bytes) -> bytes:
    """Keccak-256 of one message."""
    digest: bytes = keccak_256(message).digest()
    return digest


def keccak_rows(rows: ByteRows) -> ByteRows:
    """Keccak-256 of every row: (n, width) → (n, 32)."""
    count, width = rows.shape
    data = np.ascontiguousarray(rows).tobytes()
    return _rows32(keccak_256(data[at : at + width]).digest() for at in range(0, count * width, width))


def keccak_each(messages: Iterable[bytes]) -> ByteRows:
    """Keccak-256 of messages of any lengths: n messages → (n, 32)."""
    return _rows32(keccak_256(message).digest() for message in messages)


def _rows32(digests: Iterable[bytes]) -> ByteRows:
    return rows_of(b"".join(digests), 32)


def rows_of(data: bytes, width: int) -> ByteRows:
    """Byte strings laid end to end as a read-only matrix: (n, width)."""
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, width)
