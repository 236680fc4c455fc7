"""How a book writes the other party's numbers: with their country, or as they are dialled at home.

Calls whose numbers are written in two ways are paired by time and length alone, and short calls and messages
are not (``docs/clearing.md``, section 2, pass 7). Whoever clears is told what would mend it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from billproof.clearing.books.book import TEXT_BIT
from billproof.clearing.kernel import Ints

#: Fewer digits than this are a short code.
_DIGITS = 7

#: More than this share of a book's numbers is no slip: one of so many.
_MANY = 10

_NATIONAL = re.compile(r"(?!00)[ ()./-]*(?:[0-9][ ()./-]*){7,15}")


@dataclass(frozen=True)
class Written:
    """How many records name a number without its country, and how many one with it."""

    national: int = 0
    international: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(self.national + other.national, self.international + other.international)

    @property
    def mostly_national(self) -> bool:
        """Whether numbers without a country are more than now and then one."""
        return self.national * _MANY > self.national + self.international


def written(number: Ints, texts: Mapping[int, str]) -> Written:
    """How the numbers of some records are written: codes of ``Codes.coded``, and its texts of odd ones."""
    odd = (number & TEXT_BIT) != 0
    plain, plus = number >> 1, (number & 1) != 0
    dialled = [code for code, text in texts.items() if _NATIONAL.fullmatch(text)]
    national = ~odd & ~plus & (plain >= 10 ** (_DIGITS - 1))
    if dialled:
        national[odd] = np.isin(number[odd], np.array(dialled, np.int64))
    return Written(int(national.sum()), int((~odd & plus).sum()))


def advice(pair: tuple[Written, Written], names: tuple[str, str]) -> str | None:
    """What is said where one operator's book writes numbers without their country and the other's with it."""
    for one, other, name, partner in zip(pair, pair[::-1], names, names[::-1], strict=True):
        if one.mostly_national and other.international and not other.mostly_national:
            return (
                f"{one.national:,} numbers of {name}'s book are in national form, {partner}'s have their"
                " country: short calls and messages find no pair so. `region` in [number] of the mapping that"
                " its files were read with makes them international (docs/formats.md)."
            )
    return None
