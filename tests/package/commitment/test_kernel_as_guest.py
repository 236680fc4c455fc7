"""The kernel as a guest: in processes of its own, on other processors, with caches that cannot be trusted."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from billproof import compiled
from billproof.commitment import keccak, kernel, lanes, pool
from billproof.intake import scan

SOURCE = Path(keccak.__file__).parents[1]


@pytest.fixture(scope="module", autouse=True)
def path() -> None:
    """These tests load the kernel themselves."""


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
