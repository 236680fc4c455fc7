"""Keccak-256, one message or a column of them.

Two implementations stand behind one set of functions: a library that takes one message a call, and a
compiled kernel that takes a column (:mod:`billproof.commitment.kernel`). :func:`batch_kernel` chooses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from sha3 import keccak_256

#: A column of hashes or other byte strings of one width: shape (n, width), dtype uint8.
ByteRows = NDArray[np.uint8]

#: Bytes that one permutation takes in (rate 1088 of Keccak-256); padding takes at least one of them.
RATE = 136

#: Permutations that a process leaves to the single-call library before it loads the kernel. Measured:
#: loading takes 0.65 s from its cache (0.25 s of it numba; 6 s where it has to compile), the library 1 µs a
#: permutation. So a small command never pays for it, and a large one has lost less than half of that.
LOAD_AFTER = 300_000

#: Permutations of one call from which a loaded kernel is faster than the single-call library: a call of the
#: kernel costs about 30 µs of Python around it.
WORTH_A_CALL = 64


@dataclass
class _State:
    spent: int = 0
    kernel: ModuleType | None = None
    refused: bool = False


_state = _State()


def keccak(message: bytes) -> bytes:
    """Keccak-256 of one message."""
    digest: bytes = keccak_256(message).digest()
    return digest


def keccak_rows(rows: ByteRows) -> ByteRows:
    """Keccak-256 of every row: (n, width) → (n, 32). Raises ``TypeError`` for anything but rows of bytes."""
    require_rows(rows, "rows")
    count, width = rows.shape
    kernel = batch_kernel(count * permutations(width))
    return single_calls(rows) if kernel is None else kernel.hash_rows(rows)


def keccak_each(messages: Iterable[bytes]) -> ByteRows:
    """Keccak-256 of messages of any lengths: n messages → (n, 32)."""
    messages = messages if isinstance(messages, list) else list(messages)
    kernel = batch_kernel(len(messages))
    if kernel is None:
        return single_calls_each(messages)
    offsets = np.zeros(len(messages) + 1, np.int64)
    np.cumsum([len(message) for message in messages], out=offsets[1:])
    hashes: ByteRows = kernel.hash_texts(np.frombuffer(b"".join(messages), np.uint8), offsets)
    return hashes


def single_calls(rows: ByteRows) -> ByteRows:
    """:func:`keccak_rows` by the single-call library alone."""
    count, width = rows.shape
    data = rows.tobytes()
    return _rows32(keccak_256(data[at * width : (at + 1) * width]).digest() for at in range(count))


def single_calls_each(messages: Iterable[bytes]) -> ByteRows:
    """:func:`keccak_each` by the single-call library alone."""
    return _rows32(keccak_256(message).digest() for message in messages)


def permutations(width: int) -> int:
    """Permutations that a message of ``width`` bytes takes."""
    return width // RATE + 1


def batch_kernel(count: int) -> ModuleType | None:
    """The compiled kernel where it is worth using for ``count`` permutations, else None.

    It is loaded once the process has done :data:`LOAD_AFTER` permutations without it. A kernel whose
    answers are wrong raises :class:`~billproof.commitment.kernel.KernelFault`; where numba cannot run
    at all, the single-call library does everything.
    """
    if _state.kernel is not None:
        return _state.kernel if count >= WORTH_A_CALL else None
    _state.spent += count
    if _state.spent <= LOAD_AFTER or _state.refused:
        return None
    try:
        from billproof.commitment import kernel
    except ImportError:
        _state.refused = True
        return None
    if not kernel.is_checked():
        return None  # its own check is under way and asks for other answers than its own
    _state.kernel = kernel
    return kernel if count >= WORTH_A_CALL else None


def require_rows(rows: ByteRows, name: str, width: int | None = None) -> None:
    """Refuses what is not (n, width) of bytes, before compiled code sees it."""
    if not isinstance(rows, np.ndarray) or rows.dtype != np.uint8:
        raise TypeError(f"{name} takes rows of bytes, not {getattr(rows, 'dtype', type(rows).__name__)}")
    if rows.ndim != 2 or width not in (None, rows.shape[1]):
        raise ValueError(
            f"{name} takes rows of {'n' if width is None else width} bytes, not shape {rows.shape}"
        )


def _rows32(digests: Iterable[bytes]) -> ByteRows:
    return rows_of(b"".join(digests), 32)


def rows_of(data: bytes, width: int) -> ByteRows:
    """Byte strings laid end to end as a read-only matrix: (n, width)."""
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, width)
