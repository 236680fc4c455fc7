"""Decimal text to exact integers, a column at a time, in integer arithmetic only.

A number is kept as sign, whole part and billionths (three arrays), then scaled to what is wanted: money to
billionths of the currency unit, quantities to seconds, bytes or messages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from billproof.intake.rows import Bools, Ints, bools, octets
from billproof.records import NANO

Naturals: TypeAlias = npt.NDArray[np.uint64]

#: Longer texts are not taken for numbers.
MAX_DIGITS = 40

#: Digits that fit 64 bits whatever they are.
_SHORT = 18

_PLUS, _MINUS, _ZERO = ord("+"), ord("-"), ord("0")
_MAX_UINT64 = 2**64 - 1
_POWERS: Naturals = np.array([10**power for power in range(10)], np.uint64)


@dataclass(frozen=True)
class Decimals:
    """``(-1)**negative * (whole + billionths / 10**9)`` where neither ``malformed``, ``too_fine`` nor
    ``too_large``.

    ``too_fine``: more than nine decimals. ``too_large``: the whole part is beyond 64 bits.
    """

    negative: Bools
    whole: Naturals
    billionths: Naturals
    malformed: Bools
    too_fine: Bools
    too_large: Bools

    @property
    def faulty(self) -> Bools:
        """Rows without a value."""
        return self.malformed | self.too_fine | self.too_large

    @property
    def below_zero(self) -> Bools:
        """Negative rows; ``-0`` is none."""
        something: Bools = (self.whole != 0) | (self.billionths != 0)
        return self.negative & something & ~self.faulty


def parse_decimals(texts: pa.StringArray, *, mark: str = ".", thousands: str = "") -> Decimals:
    """Read a column of decimal numbers: sign, digits, ``mark``, up to nine decimals; no exponents.

    ``thousands`` groups the whole part by three where it occurs at all.
    """
    ungrouped = np.zeros(len(texts), np.bool_)
    if thousands:
        group = f"[{thousands}]"
        grouped = bools(pc.match_substring(texts, thousands))
        well = bools(
            pc.match_substring_regex(texts, rf"^[+-]?[0-9]{{1,3}}({group}[0-9]{{3}})+([{mark}][0-9]+)?$")
        )
        ungrouped = grouped & ~well
        texts = pc.replace_substring(texts, thousands, "")
    plain = _plain(texts)
    if plain is not None and not ungrouped.any():
        return plain
    return _with_malformed(_parse(texts, mark), ungrouped)


def _with_malformed(number: Decimals, wrong: Bools) -> Decimals:
    """The numbers, these rows among the malformed ones."""
    if not wrong.any():
        return number
    malformed = number.malformed | wrong
    return replace(
        number,
        malformed=malformed,
        too_fine=number.too_fine & ~malformed,
        too_large=number.too_large & ~malformed,
    )


def _plain(texts: pa.StringArray) -> Decimals | None:
    """The numbers where all are digits only and short, as most counts are; None where one is not."""
    data, starts, lengths = octets(texts)
    size = len(starts)
    if size == 0 or int(lengths.min()) == 0 or int(lengths.max()) > _SHORT:
        return None
    if (data[int(starts[0]) : int(starts[-1] + lengths[-1])] - np.uint8(_ZERO) > 9).any():
        return None
    whole: Naturals = texts.cast(pa.int64()).to_numpy().view(np.uint64)
    none = np.zeros(size, np.bool_)
    return Decimals(none, whole, np.zeros(size, np.uint64), none, none, none)


def _parse(texts: pa.StringArray, mark: str) -> Decimals:
    """The numbers, character by character of all texts at once."""
    data, starts, lengths = octets(texts)
    size = len(starts)
    whole, billionths = np.zeros(size, np.uint64), np.zeros(size, np.uint64)
    negative, malformed = np.zeros(size, np.bool_), lengths > MAX_DIGITS
    after_mark, too_large = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    decimals, digits = np.zeros(size, np.int64), np.zeros(size, np.int64)
    longest = min(int(lengths.max(initial=0)), MAX_DIGITS)
    for place in range(longest):
        inside = lengths > place
        byte = data[np.where(inside, starts + place, 0)]
        digit = byte - np.uint8(_ZERO)
        is_digit = inside & (digit < 10)
        is_mark = inside & (byte == ord(mark))
        other = inside & ~is_digit & ~is_mark
        if place == 0:
            negative = other & (byte == _MINUS)
            other &= ~negative & (byte != _PLUS)
        malformed |= other | (is_mark & after_mark)
        before = is_digit & ~after_mark
        too_large |= before & (whole > (_MAX_UINT64 - 9) // 10)
        value = digit.astype(np.uint64)
        whole = np.where(before, whole * np.uint64(10) + value, whole)
        behind = is_digit & after_mark
        decimals += behind
        billionths = np.where(behind & (decimals <= 9), billionths * np.uint64(10) + value, billionths)
        digits += is_digit
        after_mark |= is_mark
    malformed |= (digits == 0) | (after_mark & (decimals == 0))
    billionths = billionths * _POWERS[9 - np.minimum(decimals, 9)]
    return Decimals(
        negative, whole, billionths, malformed, (decimals > 9) & ~malformed, too_large & ~malformed
    )


def scale(number: Decimals, unit: tuple[int, int], rounding: str) -> tuple[Ints, Bools, Bools]:
    """``value * unit[0] / unit[1]`` as int64, with masks of rows that are no whole number and that do not
    fit.

    ``rounding``: ``exact`` marks fractions; ``up`` (away from zero), ``down``, ``half-up``, ``half-even``
    round them. The unit's numerator is at most 4·10⁹ and one of its parts is 1; so no product leaves 64
    bits unnoticed.
    """
    top, bottom = np.uint64(unit[0]), np.uint64(unit[1])
    limit = 2**63
    too_large = (number.whole // bottom) > np.uint64(limit // unit[0])
    whole = np.where(too_large, np.uint64(0), number.whole)
    parts = (whole % bottom) * np.uint64(NANO) + number.billionths * top
    one = bottom * np.uint64(NANO)
    result: Naturals = ((whole // bottom) * top + parts // one).astype(np.uint64)
    twice = (parts % one) * np.uint64(2)
    fraction = twice != 0
    upward = np.zeros(len(fraction), np.bool_)
    if rounding == "up":
        upward = fraction
    elif rounding == "half-up":
        upward = twice >= one
    elif rounding == "half-even":
        upward = (twice > one) | ((twice == one) & (result % np.uint64(2) == 1))
    result = result + upward.astype(np.uint64)
    too_large |= result > np.where(number.negative, np.uint64(limit), np.uint64(limit - 1))
    result = np.where(too_large, np.uint64(0), result)
    signed = np.where(number.negative, np.uint64(0) - result, result).astype(np.uint64).view(np.int64)
    inexact = fraction if rounding == "exact" else np.zeros(len(fraction), np.bool_)
    return signed, inexact, too_large
