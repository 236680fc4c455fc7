"""The permutation Keccak-f[1600] on the lanes of vector registers, and what words go in and come out.

Numba gives these functions to compiled code: :func:`absorb` is emitted as LLVM vector operations, one lane
for each message. Importing this module imports numba. Source: FIPS 202, section 3.2.
"""

from __future__ import annotations

import sys
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from billproof.compiled import TARGET, config

if config.DISABLE_JIT or sys.byteorder != "little":
    raise ImportError("the Keccak kernel needs numba's compiler and a little-endian processor")

#: Messages hashed at once. Measured in million permutations a second with 2 / 4 / 8 lanes: AVX2 (AMD
#: Zen 3) 3.5 / 7.8 / 4.2, SSE2 alone 1.5 / 1.7 / 1.5. With AVX-512 eight lanes fit the registers.
LANES = 8 if "+avx512f" in str(TARGET[2]).split(",") else 4

#: Bytes of one 64-bit word of all messages: word i of message w is at ``i * ROW + 8 * w``.
ROW = 8 * LANES

_I64 = ir.IntType(64)
_ROUND_CONSTANTS = """
    0000000000000001 0000000000008082 800000000000808a 8000000080008000
    000000000000808b 0000000080000001 8000000080008081 8000000000008009
    000000000000008a 0000000000000088 0000000080008009 000000008000000a
    000000008000808b 800000000000008b 8000000000008089 8000000000008003
    8000000000008002 8000000000000080 000000000000800a 800000008000000a
    8000000080008081 8000000000008080 0000000080000001 8000000080008008
"""
_ROTATIONS = (0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14)


def _absorb(typing: Any, state: Any, block: Any) -> Any:
    """XORs a block into the state and permutes it, for all lanes; takes their addresses."""

    def emit(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(_I64, LANES)
        at, source = (b.inttoptr(address, vector.as_pointer()) for address in arguments)

        def word(base: Any, number: int) -> Any:
            return b.gep(base, [ir.Constant(_I64, number)])

        def rotate(value: Any, by: int) -> Any:
            left, right = (ir.Constant(vector, [n] * LANES) for n in (by, 64 - by))
            return b.or_(b.shl(value, left), b.lshr(value, right)) if by else value

        words = [b.load(word(at, i), align=8) for i in range(25)]
        words[:17] = [b.xor(words[i], b.load(word(source, i), align=8)) for i in range(17)]
        table = ir.Constant(ir.ArrayType(_I64, 24), [int(word, 16) for word in _ROUND_CONSTANTS.split()])
        rounds = ir.GlobalVariable(b.module, table.type, b.module.get_unique_name("keccak_rounds"))
        rounds.linkage, rounds.global_constant, rounds.initializer = "internal", True, table

        before, loop, after = b.block, b.append_basic_block("round"), b.append_basic_block("permuted")
        b.branch(loop)
        b.position_at_end(loop)
        number = b.phi(_I64)
        number.add_incoming(ir.Constant(_I64, 0), before)
        a = [b.phi(vector) for _ in words]
        for phi, value in zip(a, words, strict=True):
            phi.add_incoming(value, before)

        column = [
            b.xor(b.xor(b.xor(a[x], a[x + 5]), b.xor(a[x + 10], a[x + 15])), a[x + 20]) for x in range(5)
        ]
        parity = [b.xor(column[(x + 4) % 5], rotate(column[(x + 1) % 5], 1)) for x in range(5)]
        moved = {
            (y, (2 * x + 3 * y) % 5): rotate(b.xor(a[x + 5 * y], parity[x]), _ROTATIONS[x + 5 * y])
            for y in range(5)
            for x in range(5)
        }
        mixed = [
            b.xor(moved[x, y], b.and_(b.not_(moved[(x + 1) % 5, y]), moved[(x + 2) % 5, y]))
            for y in range(5)
            for x in range(5)
        ]
        constant = b.load(b.gep(rounds, [ir.Constant(_I64, 0), number]))
        one, zeros = ir.Constant(vector, ir.Undefined), ir.VectorType(ir.IntType(32), LANES)
        one = b.insert_element(one, constant, ir.Constant(ir.IntType(32), 0))
        mixed[0] = b.xor(mixed[0], b.shuffle_vector(one, one, ir.Constant(zeros, [0] * LANES)))

        following = b.add(number, ir.Constant(_I64, 1))
        number.add_incoming(following, loop)
        for phi, value in zip(a, mixed, strict=True):
            phi.add_incoming(value, loop)
        b.cbranch(b.icmp_unsigned("<", following, ir.Constant(_I64, 24)), loop, after)
        b.position_at_end(after)
        for i, value in enumerate(mixed):
            b.store(value, word(at, i), align=8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), emit


def _store(typing: Any, address: Any, value: Any) -> Any:
    def emit(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        b.store(arguments[1], b.inttoptr(arguments[0], _I64.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), emit


def _swapped(typing: Any, value: Any) -> Any:
    """The eight bytes in reverse order."""

    def emit(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        return b.bswap(arguments[0])

    return types.int64(types.int64), emit


absorb: Any = intrinsic(_absorb)
store: Any = intrinsic(_store)
swapped: Any = intrinsic(_swapped)
