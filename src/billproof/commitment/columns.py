"""Messages laid out over columns: which bytes of each come from where.

A :class:`Messages` is n messages of one width that share a template and differ in a few pieces, each of
them a column. The kernel hashes it straight from the columns; for few messages it is written out as a
matrix and hashed row by row. Either way the result is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from billproof.commitment.keccak import (
    ByteRows,
    batch_kernel,
    permutations,
    require_rows,
    rows_of,
    single_calls,
    single_calls_each,
)

WORD = 32


@dataclass(frozen=True)
class TextColumn:
    """Texts as Arrow lays them out: text i is ``data[offsets[i] : offsets[i + 1]]``, in UTF-8.

    ``data`` is bytes, ``offsets`` (n + 1,) int32 or int64, never descending and inside ``data``.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.signedinteger[Any]]

    def __post_init__(self) -> None:
        if self.data.dtype != np.uint8 or self.offsets.dtype not in (np.int32, np.int64):
            raise TypeError("a text column takes bytes and 32- or 64-bit offsets")
        if self.data.ndim != 1 or self.offsets.ndim != 1 or len(self.offsets) == 0:
            raise ValueError("a text column takes one row of bytes and at least one offset")
        ends = self.offsets
        if ends[0] < 0 or ends[-1] > len(self.data) or (ends[1:] < ends[:-1]).any():
            raise ValueError("the offsets of a text column must ascend within its bytes")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, at: int) -> bytes:
        return self.data[self.offsets[at] : self.offsets[at + 1]].tobytes()

    def part(self, rows: slice) -> TextColumn:
        """Some of the texts, one after another."""
        start, stop, _ = rows.indices(len(self))
        return TextColumn(self.data, self.offsets[start : max(start, stop) + 1])

    @property
    def permutations(self) -> int:
        """About as many as hashing every text takes."""
        return len(self) + int(self.offsets[-1] - self.offsets[0]) // 136

    def hashes(self) -> ByteRows:
        """Keccak-256 of every text: (n, 32)."""
        kernel = batch_kernel(self.permutations)
        if kernel is None:
            return self.single_calls()
        hashes: ByteRows = kernel.hash_texts(self.data, self.offsets)
        return hashes

    def single_calls(self) -> ByteRows:
        """:meth:`hashes` by the single-call library alone."""
        return single_calls_each(self[at] for at in range(len(self)))


@dataclass(frozen=True)
class Gathered:
    """Rows named by number: value i is ``rows[index[i]]``; (m, width) rows, (n,) int32 or int64."""

    rows: ByteRows
    index: NDArray[np.signedinteger[Any]]

    def __post_init__(self) -> None:
        require_rows(self.rows, "gathered rows")
        if self.index.dtype not in (np.int32, np.int64) or self.index.ndim != 1:
            raise TypeError("gathered rows take a column of 32- or 64-bit numbers")
        if len(self.index) and not 0 <= int(self.index.min()) <= int(self.index.max()) < len(self.rows):
            raise ValueError("a gathered row's number lies outside the rows")

    def __len__(self) -> int:
        return len(self.index)

    def part(self, rows: slice) -> Gathered:
        """Some of the values."""
        return Gathered(self.rows, self.index[rows])

    def written_out(self) -> ByteRows:
        """The values as rows: (n, width)."""
        rows: ByteRows = self.rows[self.index]
        return rows


@dataclass(frozen=True)
class Piece:
    """One column's place in the messages: its first byte ``at``, and ``width`` bytes from there.

    Rows of bytes lie there as they are. Integers fill a word: big-endian, negative ones in two's
    complement. Texts fill a word with their hash.
    """

    at: int
    column: ByteRows | Gathered | TextColumn | NDArray[np.integer]

    @property
    def width(self) -> int:
        if isinstance(self.column, Gathered):
            return int(self.column.rows.shape[1])
        return int(self.column.shape[1]) if isinstance(self.column, np.ndarray) and self.is_rows else WORD

    @property
    def is_rows(self) -> bool:
        """Whether the column holds the very bytes."""
        return isinstance(self.column, Gathered) or (
            isinstance(self.column, np.ndarray) and self.column.ndim == 2
        )

    def written_out(self) -> ByteRows:
        """The bytes as a matrix: (n, width)."""
        if isinstance(self.column, Gathered):
            return self.column.written_out()
        if isinstance(self.column, TextColumn):
            return self.column.single_calls()
        return self.column if self.is_rows else integer_words(self.column)  # type: ignore[return-value]


@dataclass(frozen=True)
class Messages:
    """n messages of one width: bytes common to all, and pieces that lie over them without overlapping.

    A column of one value stands for n equal ones. Raises ``ValueError`` where lengths differ.
    """

    template: bytes
    pieces: Sequence[Piece]
    count: int = field(init=False)

    def __post_init__(self) -> None:
        counts = {len(piece.column) for piece in self.pieces} - {1}
        if len(counts) > 1:
            raise ValueError(f"columns must be of one length, not of {sorted(counts)}")
        count = counts.pop() if counts else 1
        common, pieces = bytearray(self.template), []
        for piece in self.pieces:
            if piece.at < 0 or piece.at + piece.width > len(common):
                raise ValueError("a piece lies outside its message")
            if piece.at % 8 and not piece.is_rows:
                raise ValueError("integers and texts begin at a multiple of eight bytes")
            if len(piece.column) == count:
                pieces.append(piece)
            else:
                common[piece.at : piece.at + piece.width] = piece.written_out().tobytes()
        object.__setattr__(self, "template", bytes(common))
        object.__setattr__(self, "pieces", tuple(pieces))
        object.__setattr__(self, "count", count)

    def hashes(self) -> ByteRows:
        """Keccak-256 of every message: (n, 32)."""
        texts = sum(p.column.permutations for p in self.pieces if isinstance(p.column, TextColumn))
        kernel = batch_kernel(self.count * permutations(len(self.template)) + texts)
        if kernel is None:
            return single_calls(self.written_out())
        hashes: ByteRows = kernel.hash_messages(self)
        return hashes

    def written_out(self) -> ByteRows:
        """The messages as a matrix: (n, width)."""
        matrix = np.empty((self.count, len(self.template)), np.uint8)
        matrix[:] = np.frombuffer(self.template, np.uint8)
        for piece in self.pieces:
            matrix[:, piece.at : piece.at + piece.width] = piece.written_out()
        return matrix


def integer_words(values: NDArray[np.integer]) -> ByteRows:
    """Integers as big-endian words, two's complement: (n,) → (n, 32)."""
    words = np.zeros((len(values), WORD), np.uint8)
    if values.dtype.kind == "i":
        words[values < 0, : WORD - 8] = 0xFF
    tail = values.astype(">i8" if values.dtype.kind == "i" else ">u8")
    words[:, WORD - 8 :] = tail.view(np.uint8).reshape(-1, 8)
    return words


def big_integer_words(values: Sequence[int]) -> ByteRows:
    """Python integers of up to 256 bits as words: n values → (n, 32)."""
    return rows_of(b"".join((value % (1 << 256)).to_bytes(WORD) for value in values), WORD)
