"""Machine code out of Python functions: compiled once, kept for the user, never met by code that changed."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
import platformdirs
from llvmlite import ir
from numba import njit, types
from numba.core import config as numba_config
from numba.core.registry import cpu_target
from numba.extending import intrinsic

config: Any = numba_config

#: What numba compiles for: triple, name and features of the processor.
TARGET = cpu_target.target_context.codegen().magic_tuple()


def cache_directory(*files: str) -> Path | None:
    """Where the machine code of these source files is kept, or None where it cannot be kept safely.

    The directory is another one for every change of the files, of numba and of the processor: a stale cache
    gives wrong results silently. ``files`` are therefore all those that the code takes constants from, too.
    Whoever can write to the directory can run code as us: it has to be ours, and for nobody else to write to.
    """
    try:
        key = hashlib.sha256(
            b"".join(hashlib.sha256(Path(file).read_bytes()).digest() for file in (*files, __file__))
        )
        key.update(repr((TARGET, numba.__version__, llvmlite.__version__, sys.version)).encode())
        home = Path(platformdirs.user_cache_dir("billproof"))
        home.parent.mkdir(parents=True, exist_ok=True)
        for directory in (home, home / "kernels", home / "kernels" / key.hexdigest()[:32]):
            directory.mkdir(exist_ok=True, mode=0o700)
            if not _is_ours(directory):
                return None
        tempfile.TemporaryFile(dir=directory).close()
    except OSError:
        return None
    return directory


def _is_ours(directory: Path) -> bool:
    """Whether the directory is no link, and nobody but us can put anything into it."""
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode):
        return False
    return os.name != "posix" or (found.st_uid == os.geteuid() and not found.st_mode & 0o022)


def compiled(function: Callable[..., Any], signature: Any, cache: Path | None) -> Any:
    """The function as machine code for arguments of these types; it runs without Python's lock."""
    if cache is not None:
        before, config.CACHE_DIR = config.CACHE_DIR, str(cache)
        try:
            return njit(signature, nogil=True, cache=True)(function)
        except Exception:  # noqa: BLE001, S110 - a damaged or unwritable cache raises whatever it likes
            pass
        finally:
            config.CACHE_DIR = before
    return njit(signature, nogil=True)(function)


def _loader(bits: int, signed: bool) -> Any:
    """The integer of ``bits`` bits at an address, as a signed one of 64; addresses need no alignment."""

    def load(typing: Any, address: Any) -> Any:
        def emit(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
            kind = ir.IntType(bits)
            value = b.load(b.inttoptr(arguments[0], kind.as_pointer()), align=1)
            return value if bits == 64 else (b.sext if signed else b.zext)(value, ir.IntType(64))

        return types.int64(types.int64), emit

    return intrinsic(load)


load8, load16, load32, load = (_loader(bits, signed=False) for bits in (8, 16, 32, 64))
load_i8, load_i16, load_i32 = (_loader(bits, signed=True) for bits in (8, 16, 32))


def _folded(typing: Any, one: Any, other: Any) -> Any:
    """The two halves of the product of two words, one laid over the other."""

    def emit(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        product = b.mul(*[b.zext(argument, wide) for argument in arguments])
        halves = [b.trunc(half, ir.IntType(64)) for half in (product, b.lshr(product, ir.Constant(wide, 64)))]
        return b.xor(*halves)

    return types.int64(types.int64, types.int64), emit


def _matches(typing: Any, address: Any, first: Any, second: Any, third: Any) -> Any:
    """Which of the 64 bytes at an address are one of three: bit i of the result for byte i."""

    def emit(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(ir.IntType(8), 64)
        text = b.load(b.inttoptr(arguments[0], vector.as_pointer()), align=1)
        found = ir.Constant(ir.VectorType(ir.IntType(1), 64), None)
        for wanted in arguments[1:]:
            byte = b.insert_element(
                ir.Constant(vector, ir.Undefined),
                b.trunc(wanted, ir.IntType(8)),
                ir.Constant(ir.IntType(32), 0),
            )
            places = ir.Constant(ir.VectorType(ir.IntType(32), 64), [0] * 64)
            found = b.or_(found, b.icmp_unsigned("==", text, b.shuffle_vector(byte, byte, places)))
        return b.bitcast(found, ir.IntType(64))

    return types.int64(*[types.int64] * 4), emit


def _first_bit(typing: Any, word: Any) -> Any:
    """The place of the lowest bit that is set; 64 if none is."""

    def emit(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        return b.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.int64), emit


folded: Any = intrinsic(_folded)
matches64: Any = intrinsic(_matches)
first_bit: Any = intrinsic(_first_bit)
