"""The compiled kernel against the library that hashes one message a call, and its behaviour as a guest."""

from __future__ import annotations

import ast
import os
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sha3 import keccak_256

from billproof import compiled, leaves
from billproof.commitment import keccak, kernel, lanes, pool, salts, structs, tree
from billproof.commitment.columns import Gathered, Messages, Piece, TextColumn
from billproof.commitment.keccak import single_calls
from billproof.intake import scan

ROWS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 1000]
RANDOM = np.random.default_rng()
SOURCE = Path(keccak.__file__).parents[1]


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


def run(script: str, tmp_path: Path, source: Path = SOURCE.parent, **environment: str) -> Any:
    """A process of its own, with a cache of its own: the package's code from ``source``."""
    given = {
        **os.environ,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PYTHONPATH": str(source),
        **environment,
    }
    return subprocess.run(
        [sys.executable, "-c", script], env=given, capture_output=True, text=True, check=False
    )


CHECK = """
import numpy as np
from billproof.commitment import kernel, keccak, lanes
rows = np.random.default_rng().integers(0, 256, (1000, 200), np.uint8)
assert np.array_equal(kernel.hash_rows(rows), keccak.single_calls(rows))
print(lanes.LANES, kernel._cache is not None)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_hashes_as_well(tmp_path: Path) -> None:
    script = """
import os, numpy as np
from billproof.commitment import kernel, keccak, pool
kernel.SLICE = 16
rows = np.zeros((999, 64), np.uint8)
wanted = kernel.hash_rows(rows)
assert pool._pool is not None
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(kernel.hash_rows(rows), wanted) else 9)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert np.array_equal(kernel.hash_rows(rows), wanted)
"""
    done = run(script, tmp_path, **{pool.THREADS_VARIABLE: "2"})
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif("x86_64" not in str(lanes.TARGET[0]), reason="names features of x86-64")
def test_a_processor_with_nothing_but_sse2(tmp_path: Path) -> None:
    done = run(CHECK, tmp_path, NUMBA_CPU_NAME="x86-64", NUMBA_CPU_FEATURES="+sse2")
    assert (done.returncode, done.stdout.split()) == (0, ["4", "True"]), done.stderr


def test_where_no_cache_can_be_written_it_compiles_every_time(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the directory would be")
    done = run(CHECK, tmp_path)
    assert (done.returncode, done.stdout.split()) == (0, [str(lanes.LANES), "False"]), done.stderr


def test_a_damaged_cache_is_not_used_and_changed_code_has_another(tmp_path: Path) -> None:
    assert run(CHECK, tmp_path).returncode == 0
    home = tmp_path / "cache/billproof/kernels"
    [kept] = home.iterdir()
    files = [file for file in kept.rglob("*") if file.is_file()]
    assert {file.suffix for file in files} == {".nbi", ".nbc"}
    for file in files:
        file.write_bytes(file.read_bytes()[:100])
    done = run(CHECK, tmp_path)
    assert done.returncode == 0, done.stderr
    shutil.copytree(SOURCE, tmp_path / "src/billproof", ignore=shutil.ignore_patterns("__pycache__"))
    changed = tmp_path / "src/billproof/commitment/loops.py"
    changed.write_text(changed.read_text() + "\n# changed\n")
    assert run(CHECK, tmp_path, tmp_path / "src").returncode == 0
    assert len(list(home.iterdir())) == 2


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes here")
@pytest.mark.parametrize("place", ["", "kernels", "kernels/*"])
@pytest.mark.parametrize("kind", ["writable", "another's", "link"])
def test_a_cache_that_others_can_write_to_is_not_used(tmp_path: Path, place: str, kind: str) -> None:
    assert run(CACHE, tmp_path).stdout.strip() == "True"
    [found] = (tmp_path / "cache/billproof").glob(place) if place else [tmp_path / "cache/billproof"]
    if kind == "writable":
        found.chmod(0o777)
    elif kind == "link":
        found.rename(tmp_path / "elsewhere")
        found.symlink_to(tmp_path / "elsewhere")
    elif os.geteuid():
        pytest.skip("only root can give a directory away")
    else:
        os.chown(found, 12345, 12345)
    assert run(CACHE, tmp_path).stdout.strip() == "False"


CACHE = """
from billproof import compiled
print(compiled.cache_directory(compiled.__file__) is not None)
"""


@pytest.mark.parametrize("module", [kernel, scan])
def test_the_cache_is_keyed_by_all_that_constants_come_from(module: Any) -> None:
    sources = {Path(file) for file in (*module.SOURCES, compiled.__file__)}
    for source in sources:
        for found in ast.walk(ast.parse(source.read_text())):
            if isinstance(found, ast.ImportFrom) and str(found.module).startswith("billproof"):
                there = sys.modules[str(found.module)]
                values = [getattr(there, name.name) for name in found.names]
                if any(isinstance(value, int | float | str | bytes | tuple | np.ndarray) for value in values):
                    assert Path(str(there.__file__)) in sources, found.module


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [("lanes.py", "8000000080008008", "8000000080008009"), ("lanes.py", "(0, 1, 62", "(0, 1, 61")],
)
def test_a_kernel_that_hashes_wrongly_is_not_used(tmp_path: Path, file: str, old: str, new: str) -> None:
    shutil.copytree(SOURCE, tmp_path / "src/billproof", ignore=shutil.ignore_patterns("__pycache__"))
    source = tmp_path / "src/billproof/commitment" / file
    text = source.read_text()
    assert text.count(old) == 1
    source.write_text(text.replace(old, new))
    script = """
import numpy as np
from billproof.commitment import keccak
keccak.LOAD_AFTER = 0
for _ in range(2):
    try:
        keccak.keccak_rows(np.zeros((1000, 64), np.uint8))
    except Exception as error:
        print(type(error).__name__)
"""
    done = run(script, tmp_path, tmp_path / "src")
    assert done.stdout.split() == ["KernelFault", "KernelFault"], done.stderr


def test_without_a_compiler_the_library_does_it_all(tmp_path: Path) -> None:
    script = """
import sys, numpy as np
from billproof.commitment import keccak
keccak.LOAD_AFTER = 0
print(keccak.keccak_rows(np.zeros((70, 64), np.uint8))[69, :4].tobytes().hex())
assert "billproof.commitment.kernel" not in sys.modules
"""
    done = run(script, tmp_path, NUMBA_DISABLE_JIT="1")
    assert done.stdout.split() == ["ad3228b6"], done.stderr


def test_small_work_loads_no_compiler_and_large_work_does(tmp_path: Path) -> None:
    script = """
import sys, numpy as np
from billproof.commitment import keccak, tree, structs, salts
keccak.LOAD_AFTER = 20_000
rows = np.zeros((1000, 32), np.uint8)
for _ in range(5):
    tree.build_tree(rows)
    structs.hash_struct(structs.TOTALS, total=np.arange(1000), salt=rows)
    salts.prf(rows, salts.PEER_SALT, np.arange(1000))
assert "numba" not in sys.modules
for _ in range(7):
    salts.prf(rows, salts.PEER_SALT, np.arange(1000))
assert "numba" in sys.modules
"""
    done = run(script, tmp_path)
    assert done.returncode == 0, done.stderr
