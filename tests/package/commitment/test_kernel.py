"""The compiled kernel against the library that hashes one message a call."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sha3 import keccak_256

from billproof import leaves
from billproof.commitment import keccak, kernel, pool, salts, structs, tree
from billproof.commitment.columns import Gathered, Messages, Piece, TextColumn
from billproof.commitment.keccak import single_calls

ROWS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 1000]
RANDOM = np.random.default_rng()


@pytest.fixture(scope="module", autouse=True)
def path() -> None:
    """These tests call the kernel itself."""


def random_rows(count: int, width: int) -> Any:
    return RANDOM.integers(0, 256, (count, width), np.uint8)


def expected(messages: list[bytes]) -> bytes:
    return b"".join(keccak_256(message).digest() for message in messages)


@pytest.mark.parametrize("count", ROWS)
def test_rows_of_any_shape(count: int) -> None:
    widths = (
        range(601)
        if count == 9
        else (0, 1, 32, 64, 135, 136, 137, 271, 272, 384, *RANDOM.integers(1, 600, 5))
    )
    for width in widths:
        rows = random_rows(count, int(width))
        assert kernel.hash_rows(rows).tobytes() == expected([bytes(row) for row in rows]), width


@pytest.mark.parametrize("count", ROWS)
@pytest.mark.parametrize("size", [np.int32, np.int64])
def test_texts_of_any_length(count: int, size: type) -> None:
    lengths = [
        random.choice([0, 1, 7, 8, 9, 12, 134, 135, 136, 137, 272, random.randrange(600)])
        for _ in range(count)
    ]
    cuts = np.cumsum([3, *lengths]).astype(size)
    data = random_rows(1, int(cuts[-1]))[0]
    texts = [data[a:b].tobytes() for a, b in pairwise(cuts)]
    assert kernel.hash_texts(data, cuts).tobytes() == expected(texts)


def test_texts_at_the_very_end_of_their_memory() -> None:
    for length in range(20):
        data = np.frombuffer(bytes(range(length)), np.uint8)
        for start in range(length + 1):
            got = kernel.hash_texts(data, np.array([start, length], np.int32))
            assert got.tobytes() == expected([data[start:].tobytes()])


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i4", ">u8"])
def test_integers_of_every_size_and_order(kind: str) -> None:
    limits = np.iinfo(kind)
    values = [limits.min, limits.max, 0, 1, *(random.randint(limits.min, limits.max) for _ in range(20))]
    column = np.array(values, kind)
    got = kernel.hash_messages(Messages(bytes(64), [Piece(32, column)]))
    assert got.tobytes() == expected([bytes(32) + (v % (1 << 256)).to_bytes(32) for v in values])
    every_third = kernel.hash_messages(Messages(bytes(32), [Piece(0, column[::-3])]))
    assert every_third.tobytes() == expected([(v % (1 << 256)).to_bytes(32) for v in values[::-3]])


def test_random_layouts() -> None:
    for _ in range(150):
        count, width = random.choice(ROWS), random.randrange(1, 400)
        pieces, at = [], 0
        while at < width:
            size = random.randrange(1, 60)
            if at + size <= width and random.random() < 0.7:
                rows = random_rows(count, size)
                index = RANDOM.integers(0, 7, count, random.choice([np.int32, np.int64]))
                column = Gathered(random_rows(7, size), index) if random.random() < 0.3 else rows
                pieces.append(Piece(at, column))
            at += size
        messages = Messages(random.randbytes(width), pieces)
        assert np.array_equal(kernel.hash_messages(messages), single_calls(messages.written_out()))


def views(rows: Any) -> list[Any]:
    """The same values in other memory."""
    frozen = rows.copy()
    frozen.flags.writeable = False
    wide = np.zeros((len(rows), 100), np.uint8)
    wide[:, 37 : 37 + rows.shape[1]] = rows
    spread = np.zeros((2 * len(rows), 2 * rows.shape[1]), np.uint8)
    spread[::2, ::2] = rows
    return [
        frozen,
        wide[:, 37 : 37 + rows.shape[1]],
        spread[::2, ::2],
        np.asfortranarray(rows),
        rows[::-1].copy()[::-1],
    ]


def test_rows_that_are_not_contiguous_or_not_writable() -> None:
    rows, others = random_rows(21, 32), random_rows(21, 32)
    pairs = tree._single_pairs(rows, others)
    forest, starts = np.zeros((41, 32), np.uint8), np.zeros(1, np.int64)
    kernel.hash_forest(rows, forest, starts, np.array([21]))
    for view in views(rows):
        assert np.array_equal(kernel.hash_rows(view), single_calls(rows))
        assert np.array_equal(kernel.hash_pairs(view, others), pairs)
        assert np.array_equal(kernel.hash_pairs(others, view), pairs)
        nodes = np.zeros((41, 32), np.uint8)
        kernel.hash_forest(view, nodes, starts, np.array([21]))
        assert np.array_equal(nodes, forest)


def test_pairs_that_differ_late_or_not_at_all() -> None:
    left = np.repeat(random_rows(1, 32), 66, axis=0)
    right = left.copy()
    right[np.arange(64), np.arange(64) // 2] ^= np.tile(np.array([1, 128], np.uint8), 32)
    assert np.array_equal(kernel.hash_pairs(left, right), tree._single_pairs(left, right))


@pytest.mark.parametrize(
    "counts",
    [
        [1],
        [1] * 30,
        [70_001],
        [65_537, 1, 2, 3, 40_000, 65_536],
        RANDOM.integers(1, 90, 700).tolist(),
        RANDOM.geometric(0.001, 60).tolist(),
    ],
)
def test_forests_of_every_shape(counts: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    rows, sizes = random_rows(sum(counts), 32), np.array(counts, np.int64)
    starts = np.cumsum(2 * sizes - 1) - (2 * sizes - 1)
    nodes, simple = (np.zeros((2 * len(rows) - len(counts), 32), np.uint8) for _ in range(2))
    kernel.hash_forest(rows, nodes, starts, sizes)
    tree._fill(simple, rows, sizes, starts)
    assert np.array_equal(nodes, simple)


def refused(call: Any, *arguments: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        call(*arguments)


def test_what_compiled_code_cannot_take_is_refused() -> None:
    rows, nodes = random_rows(4, 32), np.zeros((7, 32), np.uint8)
    starts, counts = np.array([0]), np.array([4])
    for wrong in (rows.astype(np.int8), rows.astype(float), rows[0], rows.view(np.uint16), None, [b""]):
        refused(keccak.keccak_rows, wrong)
        refused(kernel.hash_rows, wrong)
        refused(kernel.hash_pairs, wrong, rows)
        refused(tree.hash_pairs, rows, wrong)
        refused(kernel.hash_forest, wrong, nodes, starts, counts)
        refused(tree.build_tree, wrong)
    for narrow in (rows[:, :31], rows[:3]):
        refused(kernel.hash_pairs, rows, narrow)
        refused(tree.hash_pairs, narrow, rows)
    refused(kernel.hash_forest, rows, nodes[:6], starts, counts)
    refused(kernel.hash_forest, rows, nodes[:, ::-1], starts, counts)
    refused(kernel.hash_forest, rows, np.zeros((6, 32), np.uint8), np.array([0, 2]), np.array([2, 2]))
    refused(kernel.hash_forest, rows, np.zeros((6, 32), np.uint8), np.array([0, 7]), np.array([4, 0]))
    frozen = nodes.copy()
    frozen.flags.writeable = False
    refused(kernel.hash_forest, rows, frozen, starts, counts)
    data = np.zeros(10, np.uint8)
    for offsets in ([0, 11], [-1, 3], [0, 5, 4], []):
        refused(TextColumn, data, np.array(offsets, np.int64))
    refused(TextColumn, data, np.array([0, 1], np.uint64))
    refused(TextColumn, data.astype(np.int8), np.array([0, 1]))
    for index in ([4], [-1], [0.0]):
        refused(Gathered, rows, np.array(index))
    refused(Messages, bytes(40), [Piece(9, rows)])
    refused(Messages, bytes(40), [Piece(4, np.arange(3))])
    refused(Messages, bytes(99), [Piece(0, rows), Piece(32, rows[:3])])
    for wrong in (np.array([1.0]), np.array([True]), np.array([[1]]), np.array(["1"])):
        with pytest.raises((TypeError, ValueError), match="total"):
            structs.hash_struct(structs.TOTALS, total=wrong, salt=rows[:1])
    with pytest.raises(TypeError, match="salt"):
        structs.hash_struct(structs.TOTALS, total=[1], salt=rows[:1].astype(np.int8))
    refused(salts.prf, rows, "x" * 33, rows)


def test_columns_of_texts_from_arrow(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["", "+4930123456", "é" * 80, "x" * 136, "+1"] * 9
    own = random_rows(len(texts), 32)
    wanted = structs.hash_struct(structs.PEER, number=texts, salt=own)
    arrays = [
        pa.array(texts),
        pa.array(texts, pa.large_string()),
        pa.array(["no", *texts, "no"]).slice(1, len(texts)),
        pa.chunked_array([texts[:7], texts[7:]]),
        pa.array(texts).dictionary_encode(),
    ]
    monkeypatch.setattr(keccak, "LOAD_AFTER", -1)
    for least in (0, 1 << 60):
        monkeypatch.setattr(keccak, "WORTH_A_CALL", least)
        for array in arrays:
            assert np.array_equal(leaves.hash_peers(array, own), wanted)
            assert np.array_equal(leaves.text_hashes(array), structs.hash_texts(texts))
    for missing in (pa.array(["a", None]), pa.array(["a", None]).dictionary_encode()):
        refused(leaves.hash_peers, missing, own[:2])


def test_threads_and_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "SLICE", 64)
    rows = random_rows(5_000, 64)
    wanted = single_calls(rows)
    for said in ("1", "2", "7"):
        monkeypatch.setenv(pool.THREADS_VARIABLE, said)
        monkeypatch.setattr(pool, "_pool", None)
        assert np.array_equal(kernel.hash_rows(rows), wanted)
    with ThreadPoolExecutor(4) as callers:
        assert all(np.array_equal(got, wanted) for got in callers.map(kernel.hash_rows, [rows] * 12))


def test_an_error_in_a_slice_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(start: int, stop: int) -> None:
        if start == 20:
            raise ArithmeticError(stop)

    monkeypatch.setenv(pool.THREADS_VARIABLE, "2")
    with pytest.raises(ArithmeticError, match="30"):
        pool.over(100, 10, fail)
