"""Keccak-256 of whole columns, compiled: several messages at once in the lanes of vector registers.

Importing this module loads numba, compiles the kernels or loads them from their cache, and checks known
answers; only :func:`billproof.commitment.keccak.batch_kernel` imports it. The compiled loops
(:mod:`~billproof.commitment.loops`) check no bounds, so the functions here check types, shapes and strides
first. The cache is keyed by the bytes of the kernel's files, by numba and by the processor: changed code
never meets an old cache. Where it cannot be written, every process compiles for itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from billproof.commitment import keccak, lanes, loops, pool
from billproof.commitment.columns import Gathered, Messages, Piece, TextColumn
from billproof.commitment.keccak import ByteRows, permutations, require_rows, single_calls
from billproof.compiled import cache_directory, compiled

#: Permutations to one slice of a thread's work: some 3 ms. Handing one over costs 50 us, and more while the
#: other threads want Python's lock: with slices of a quarter of this, two threads lose a tenth of their
#: speed.
SLICE = 65_536

#: Trees of more leaves than this are built level by level on all threads, smaller ones many to a slice.
LARGE_TREE = 65_536


class KernelFault(RuntimeError):
    """The kernel gives wrong hashes; nothing may be hashed with it."""


def _addresses(count: int) -> Any:
    """The signature of a loop of so many arguments, all of them addresses and counts."""
    return types.void(*[types.int64] * count)


#: What the machine code is made of: these modules hold the loops, and every constant in them.
SOURCES = (keccak.__file__, lanes.__file__, loops.__file__, __file__)

_cache = cache_directory(*SOURCES)
_messages = compiled(loops.messages, _addresses(8), _cache)
_pairs = compiled(loops.pairs, _addresses(8), _cache)
_forest = compiled(loops.forest, _addresses(8), _cache)
_texts = compiled(loops.texts, _addresses(7), _cache)


def hash_messages(messages: Messages) -> ByteRows:
    """Keccak-256 of every message, straight from the columns: (n, 32)."""
    width = len(messages.template)
    template = np.zeros(loops.BLOCK_WORDS * permutations(width), np.int64)
    padded = template.view(np.uint8)
    padded[:width] = np.frombuffer(messages.template, np.uint8)
    padded[width] ^= 0x01
    padded[-1] ^= 0x80
    keep: list[NDArray[Any]] = [template]  # compiled code holds no references
    operations: list[list[int]] = []
    for piece in messages.pieces:
        padded[piece.at : piece.at + piece.width] = 0
        operations += _operations(piece, keep)
    touched = [row[1] for row in operations if row[0] == loops.PART]
    if len(touched) != len(set(touched)):  # two columns share a word: rare enough to write them out
        return hash_rows(messages.written_out())
    table = np.array(operations, np.int64).reshape(-1, loops.OPERATION)
    out = np.empty((messages.count, 32), np.uint8)

    def work(start: int, stop: int) -> None:
        scratch = np.empty(loops.SCRATCH // 8 + lanes.LANES * len(template) + 8, np.int64)
        _messages(
            _address(template),
            len(template),
            _address(table),
            len(table),
            _address(out),
            _aligned(scratch),
            start,
            stop,
        )

    pool.over(messages.count, max(SLICE // permutations(width), lanes.LANES), work)
    return out


def hash_rows(rows: ByteRows) -> ByteRows:
    """Keccak-256 of every row: (n, width) → (n, 32)."""
    require_rows(rows, "rows")
    if rows.shape[1] == 0 or len(rows) == 0:
        return np.repeat(single_calls(np.empty((1, rows.shape[1]), np.uint8)), len(rows), axis=0)
    return hash_messages(Messages(bytes(rows.shape[1]), [Piece(0, rows)]))


def hash_texts(data: NDArray[np.uint8], offsets: NDArray[np.signedinteger[Any]]) -> ByteRows:
    """Keccak-256 of every text of a :class:`TextColumn`'s bytes and offsets: (n, 32)."""
    column = TextColumn(np.ascontiguousarray(data), np.ascontiguousarray(offsets))
    out = np.empty((len(column), 32), np.uint8)

    def work(start: int, stop: int) -> None:
        scratch = np.empty(loops.SCRATCH // 8 + 4 * lanes.LANES + 8, np.int64)
        data, offsets = column.data, column.offsets
        _texts(
            _address(data), _address(offsets), offsets.itemsize, _address(out), _aligned(scratch), start, stop
        )

    pool.over(len(column), max(len(column) * SLICE // max(column.permutations, 1), lanes.LANES), work)
    return out


def hash_pairs(left: ByteRows, right: ByteRows) -> ByteRows:
    """Keccak-256 of each pair, the smaller first: two of (n, 32) → (n, 32)."""
    left, right = _rows(left, 32), _rows(right, 32)
    if len(left) != len(right):
        raise ValueError(f"pairs take columns of one length, not of {len(left)} and {len(right)}")
    out = np.empty((len(left), 32), np.uint8)
    _hash_pairs(left, right, out)
    return out


def hash_forest(
    leaves: ByteRows, nodes: ByteRows, starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> None:
    """Writes the trees over consecutive runs of ``leaves`` into ``nodes``.

    ``leaves`` is (n, 32), ``nodes`` (2n-m, 32) and writable, ``counts`` (m,) says how many leaves each of the
    m trees has, at least one, and ``starts`` (m,) at which node it begins. The layout is that of
    :mod:`billproof.commitment.tree`. Raises ``ValueError`` where these do not fit each other.
    """
    leaves = np.ascontiguousarray(_rows(leaves, 32))
    counts = np.ascontiguousarray(counts, np.int64)
    starts = np.ascontiguousarray(starts, np.int64)
    firsts = np.cumsum(counts) - counts
    if (
        nodes.dtype != np.uint8
        or nodes.shape != (2 * len(leaves) - len(counts), 32)
        or not (nodes.flags.c_contiguous and nodes.flags.writeable)
        or (len(counts) and counts.min() < 1)
        or counts.sum() != len(leaves)
        or not np.array_equal(starts, 2 * firsts - np.arange(len(counts)))
    ):
        raise ValueError("leaves, nodes, starts and counts of a forest do not fit each other")
    for large in np.flatnonzero(counts > LARGE_TREE).tolist():
        first, count, start = int(firsts[large]), int(counts[large]), int(starts[large])
        _build_large(leaves[first : first + count], nodes[start : start + 2 * count - 1])
    small = counts <= LARGE_TREE
    starts, firsts, counts = starts[small], firsts[small], counts[small]
    before = np.cumsum(counts) - counts
    slices = np.append(np.flatnonzero(np.diff(before // SLICE, prepend=-1)), len(counts))

    def work(start: int, stop: int) -> None:
        scratch = np.empty(loops.SCRATCH // 8 + 8, np.int64)
        columns = (leaves, nodes, starts, firsts, counts)
        trees = (int(slices[start]), int(slices[stop]))
        _forest(*[_address(column) for column in columns], _aligned(scratch), *trees)

    pool.over(len(slices) - 1, 1, work)


def _build_large(leaves: ByteRows, nodes: ByteRows) -> None:
    lowest, upside_down = nodes[len(leaves) - 1 :], leaves[::-1]

    def copy(start: int, stop: int) -> None:
        lowest[start:stop] = upside_down[start:stop]

    pool.over(len(leaves), SLICE, copy)
    for depth in reversed(range((len(leaves) - 1).bit_length())):
        first = (1 << depth) - 1
        last = min(2 * first + 1, len(leaves) - 1)
        children = nodes[2 * first + 1 : 2 * last + 1]
        _hash_pairs(children[0::2], children[1::2], nodes[first:last])


def _hash_pairs(left: ByteRows, right: ByteRows, out: ByteRows) -> None:
    def work(start: int, stop: int) -> None:
        scratch = np.empty(loops.SCRATCH // 8 + 8, np.int64)
        _pairs(
            _address(left),
            left.strides[0],
            _address(right),
            right.strides[0],
            _address(out),
            _aligned(scratch),
            start,
            stop,
        )

    pool.over(len(out), SLICE, work)


def _operations(piece: Piece, keep: list[NDArray[Any]]) -> list[list[int]]:
    """What the kernel does for one column of the messages; arrays that it reads are added to ``keep``."""
    column, word, within = piece.column, piece.at // 8, piece.at % 8
    if isinstance(column, TextColumn):
        data, offsets = np.ascontiguousarray(column.data), np.ascontiguousarray(column.offsets)
        keep += [data, offsets]
        return [[loops.TEXT, word, 0, 0, _address(data), 0, _address(offsets), offsets.itemsize, 0]]
    numbers, size = 0, 0
    if isinstance(column, Gathered):
        index = np.ascontiguousarray(column.index)
        keep.append(index)
        numbers, size, column = _address(index), index.itemsize, column.rows
    if column.ndim == 1:
        values = column if column.dtype.isnative else column.astype(column.dtype.newbyteorder("="))
        keep.append(values)
        signed = int(values.dtype.kind == "i")
        where = [_address(values), values.strides[0], numbers, size, 0]
        return [[loops.INTEGER, word, values.itemsize, signed, *where]]
    rows = _rows(column, piece.width)  # type: ignore[arg-type]
    keep.append(rows)
    address, stride = _address(rows), rows.strides[0]
    found, done = [], 0
    if within:
        done = min(8 - within, piece.width)
        found.append([loops.PART, word, done, 8 * within, address, stride, numbers, size, 0])
        word += 1
    words, rest = divmod(piece.width - done, 8)
    if words:
        found.append([loops.COPY, word, words, 0, address + done, stride, numbers, size, 0])
    if rest:
        done += 8 * words
        found.append([loops.PART, word + words, rest, 0, address + done, stride, numbers, size, done])
    return found


def _rows(rows: ByteRows, width: int) -> ByteRows:
    """The rows, each in one piece of memory; they may lie apart."""
    require_rows(rows, "the kernel", width)
    return rows if rows.strides[1] == 1 else np.ascontiguousarray(rows)


def _address(array: NDArray[Any]) -> int:
    return int(array.ctypes.data)


def _aligned(scratch: NDArray[np.int64]) -> int:
    """The first address in the array at which a vector register's worth of memory is aligned."""
    return (_address(scratch) + 63) // 64 * 64


def is_checked() -> bool:
    """Whether the known answers were right; False while they are still being checked."""
    return _checked


def _self_test() -> None:
    """Checks known answers and compares every kernel with the single-call library."""
    letters = np.frombuffer(b"abc" + bytes(range(256)) * 2, np.uint8)
    known = hash_texts(letters, np.array([0, 0, 3], np.int64))
    answers = (
        "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
        "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
    )
    right = [row.tobytes().hex() for row in known] == list(answers)
    cuts = np.cumsum([0, 1, 7, 8, 9, 64, 135, 136, 137], dtype=np.int32)
    texts = TextColumn(letters, cuts)
    numbers = np.array([0, 1, -1, 1 << 62, -(1 << 63), 258, -259, 7])
    rows = np.resize(letters, (8, 96))[:, :91]
    pieces = [Piece(0, rows[:, :20]), Piece(32, numbers), Piece(64, texts), Piece(107, rows)]
    messages = Messages(bytes(range(200)), pieces)
    right &= np.array_equal(hash_texts(letters, cuts), texts.single_calls())
    right &= np.array_equal(hash_messages(messages), single_calls(messages.written_out()))
    leaves, counts = single_calls(rows), np.array([1, 2, 5])
    nodes = np.zeros((13, 32), np.uint8)
    hash_forest(leaves, nodes, np.array([0, 1, 4]), counts)
    for left, inner in ((2, 1), (5, 4), (7, 5), (9, 6), (11, 7)):
        pair = np.array(sorted(nodes[left : left + 2].tolist()), np.uint8)
        expected = single_calls(pair.reshape(1, 64))
        right &= np.array_equal(nodes[inner], expected[0])
        right &= np.array_equal(hash_pairs(nodes[left : left + 1], nodes[left + 1 : left + 2]), expected)
    if not right:
        raise KernelFault(
            "the Keccak kernel gives wrong hashes on this machine and was not used."
            f" Delete its cache ({_cache or 'there is none'}) and try again, then report it."
        )


_checked = False
_self_test()
_checked = True
