"""What the compiled kernels do: loops that take messages from columns, lane by lane, and hash them.

Plain functions, compiled by :mod:`billproof.commitment.kernel`. They know addresses alone and check no
bounds: their callers there have done it. Every integer is a signed one of 64 bits, which is all that
compiled code knows here; addresses are absolute, strides in bytes.
"""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from billproof.commitment.keccak import RATE
from billproof.commitment.lanes import LANES, ROW, absorb, store, swapped
from billproof.compiled import load, load8, load16, load32, load_i8, load_i16, load_i32

BLOCK_WORDS = RATE // 8
_BLOCK = BLOCK_WORDS * ROW  # bytes of one block of all messages
_STATE = 25 * ROW

#: Bytes of memory that every kernel works in: state, block, and two words for each lane. That of
#: :func:`messages` is followed by the messages themselves, that of :func:`texts` by their hashes.
SCRATCH = _STATE + _BLOCK + 2 * ROW

#: What an operation of :func:`messages` does: copy words, place up to seven bytes, encode an integer,
#: hash a text. Its fields: kind, word, count (of words or bytes), shift (in bits; whether an integer is
#: signed), address, stride, address of row numbers or offsets, their size, readable bytes in front.
COPY, PART, INTEGER, TEXT = range(4)
OPERATION = 9

_TOP = np.int64(-(1 << 63))  # the last bit of the padding


@register_jitable
def _clear(address: int, size: int) -> None:
    for i in range(0, size, 8):
        store(address + i, 0)


@register_jitable
def _digest(state: int, lane: int, out: int, stride: int) -> None:
    """The hash of one lane, its four words ``stride`` bytes apart."""
    for i in range(4):
        store(out + i * stride, load(state + i * ROW + 8 * lane))


@register_jitable
def _tail(address: int, count: int, before: int) -> int:
    """Up to seven bytes as the low end of a word; ``before`` bytes in front of them may be read as well."""
    if count == 0:
        return 0
    if before + count >= 8:
        shift = 8 * (8 - count)
        return (load(address + count - 8) >> shift) & ((1 << (64 - shift)) - 1)  # type: ignore[no-any-return]
    value = 0
    for i in range(count):
        value |= load8(address + i) << (8 * i)
    return value


@register_jitable
def _number(address: int, size: int, signed: int) -> int:
    if size == 8:
        return load(address)  # type: ignore[no-any-return]
    if size == 4:
        return load_i32(address) if signed else load32(address)  # type: ignore[no-any-return]
    if size == 2:
        return load_i16(address) if signed else load16(address)  # type: ignore[no-any-return]
    return load_i8(address) if signed else load8(address)  # type: ignore[no-any-return]


@register_jitable
def _text_lanes(
    data: int, offsets: int, size: int, row: int, count: int, out: int, stride: int, scratch: int
) -> None:
    """Hashes texts row … row + count: that of lane w goes to ``out + 8 w``, its words ``stride`` apart."""
    state, block, starts = scratch, scratch + _STATE, scratch + _STATE + _BLOCK
    lengths, longest = starts + ROW, 0
    for w in range(count):
        start = _number(offsets + (row + w) * size, size, 1)
        length = _number(offsets + (row + w + 1) * size, size, 1) - start
        store(starts + 8 * w, data + start)
        store(lengths + 8 * w, length)
        longest = max(longest, length)
    _clear(state, _STATE)
    for done in range(0, longest + 1, RATE):
        for w in range(count):
            length = load(lengths + 8 * w)
            rest = length - done
            if rest < 0:
                continue
            start = load(starts + 8 * w) + done
            words = min(rest >> 3, 17)
            for i in range(words):
                store(block + i * ROW + 8 * w, load(start + 8 * i))
            if words < 17:
                tail = rest - 8 * words
                last = _tail(start + 8 * words, tail, length - tail) | (1 << (8 * tail))
                store(block + words * ROW + 8 * w, last)
                for i in range(words + 1, 17):
                    store(block + i * ROW + 8 * w, 0)
                end = block + 16 * ROW + 8 * w
                store(end, load(end) ^ _TOP)
        absorb(state, block)
        for w in range(count):
            rest = load(lengths + 8 * w) - done
            if 0 <= rest < RATE:
                _digest(state, w, out + 8 * w, stride)


@register_jitable
def _place(operation: int, row: int, count: int, message: int, template: int, scratch: int) -> None:
    """Carries out one operation for messages row … row + count in the lanes of ``message``."""
    kind, word, size = load(operation), load(operation + 8), load(operation + 16)
    shift, address, stride = load(operation + 24), load(operation + 32), load(operation + 40)
    numbers, number_size = load(operation + 48), load(operation + 56)
    out = message + word * ROW
    if kind == TEXT:
        _text_lanes(address, numbers, number_size, row, count, out, ROW, scratch)
        return
    for w in range(count):
        at = row + w
        if number_size:
            at = _number(numbers + at * number_size, number_size, 1)
        source = address + at * stride
        to = out + 8 * w
        if kind == COPY:
            for i in range(size):
                store(to + i * ROW, load(source + 8 * i))
        elif kind == PART:
            store(to, load(template + 8 * word) | (_tail(source, size, load(operation + 64)) << shift))
        else:
            value = _number(source, size, shift)
            sign = value >> 63 if shift else 0
            for i in range(3):
                store(to + i * ROW, sign)
            store(to + 3 * ROW, swapped(value))


def messages(
    template: int, words: int, operations: int, count: int, out: int, scratch: int, start: int, stop: int
) -> None:
    """Hashes messages start … stop; ``scratch`` is followed by room for the messages of all lanes."""
    message = scratch + SCRATCH
    for i in range(words):
        for w in range(LANES):
            store(message + i * ROW + 8 * w, load(template + 8 * i))
    for row in range(start, stop, LANES):
        lanes = min(LANES, stop - row)
        for k in range(count):
            _place(operations + k * 8 * OPERATION, row, lanes, message, template, scratch)
        _clear(scratch, _STATE)
        for block in range(0, words * ROW, _BLOCK):
            absorb(scratch, message + block)
        for w in range(lanes):
            _digest(scratch, w, out + 32 * (row + w), 8)


@register_jitable
def _pair_block(block: int) -> None:
    """The padding of 64-byte messages."""
    _clear(block, _BLOCK)
    for w in range(LANES):
        store(block + 8 * ROW + 8 * w, 1)
        store(block + 16 * ROW + 8 * w, _TOP)


@register_jitable
def _pair(left: int, right: int, to: int) -> None:
    """Two hashes into a lane of the block, the smaller first."""
    i = 0
    while i < 24 and load(left + i) == load(right + i):
        i += 8
    swap = (swapped(load(right + i)) ^ _TOP) < (swapped(load(left + i)) ^ _TOP)
    mask = -np.int64(swap)
    for k in range(4):
        a, b = load(left + 8 * k), load(right + 8 * k)
        change = (a ^ b) & mask
        store(to + k * ROW, a ^ change)
        store(to + (k + 4) * ROW, b ^ change)


def pairs(
    left: int,
    left_stride: int,
    right: int,
    right_stride: int,
    out: int,
    scratch: int,
    start: int,
    stop: int,
) -> None:
    """Hashes pairs start … stop; their hashes lie end to end at ``out``."""
    state, block = scratch, scratch + _STATE
    _pair_block(block)
    for row in range(start, stop, LANES):
        lanes = min(LANES, stop - row)
        for w in range(lanes):
            _pair(left + (row + w) * left_stride, right + (row + w) * right_stride, block + 8 * w)
        _clear(state, _STATE)
        absorb(state, block)
        for w in range(lanes):
            _digest(state, w, out + 32 * (row + w), 8)


def forest(
    leaves: int, nodes: int, starts: int, firsts: int, counts: int, scratch: int, start: int, stop: int
) -> None:
    """Builds trees start … stop, level by level from the lowest, lanes filled across trees."""
    state, block, outs = scratch, scratch + _STATE, scratch + _STATE + _BLOCK
    _pair_block(block)
    deepest = 0
    for tree in range(start, stop):
        count = load(counts + 8 * tree)
        source = leaves + 32 * load(firsts + 8 * tree)
        last = nodes + 32 * (load(starts + 8 * tree) + 2 * count - 2)
        for i in range(count):
            for k in range(0, 32, 8):
                store(last - 32 * i + k, load(source + 32 * i + k))
        while (count - 1) >> deepest:
            deepest += 1
    for depth in range(deepest - 1, -1, -1):
        above, lane = (1 << depth) - 1, 0
        for tree in range(start, stop):
            base = nodes + 32 * load(starts + 8 * tree)
            inner = load(counts + 8 * tree) - 1
            for node in range(above, min(inner, 2 * above + 1)):
                children = base + 32 * (2 * node + 1)
                _pair(children, children + 32, block + 8 * lane)
                store(outs + 8 * lane, base + 32 * node)
                lane += 1
                if lane == LANES:
                    _clear(state, _STATE)
                    absorb(state, block)
                    for w in range(LANES):
                        _digest(state, w, load(outs + 8 * w), 8)
                    lane = 0
        if lane:
            _clear(state, _STATE)
            absorb(state, block)
            for w in range(lane):
                _digest(state, w, load(outs + 8 * w), 8)


def texts(data: int, offsets: int, size: int, out: int, scratch: int, start: int, stop: int) -> None:
    """Hashes texts start … stop: text i lies between the offsets i and i + 1, of ``size`` bytes each."""
    hashes = scratch + SCRATCH
    for row in range(start, stop, LANES):
        lanes = min(LANES, stop - row)
        _text_lanes(data, offsets, size, row, lanes, hashes, ROW, scratch)
        for w in range(lanes):
            for i in range(4):
                store(out + 32 * (row + w) + 8 * i, load(hashes + i * ROW + 8 * w))
