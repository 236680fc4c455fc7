"""What switches know of a call beyond its bill: ringing time, times of day, identifiers.

All derived from the record itself by mixing bits, so that the same call looks the same in every format.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from billproof.simulate import distributions, text
from billproof.simulate.formats.base import Issuer
from billproof.simulate.traffic import Int64s, Lines

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Calls:
    """Times of answered calls in UTC seconds, shape (n,). A record starts at the answer."""

    start: Int64s
    answer: Int64s
    end: Int64s
    offset: Int64s
    ident: Words

    @classmethod
    def of(cls, issuer: Issuer, lines: Lines) -> Calls:
        ident = mixed(lines.started_at + (lines.subscriber << 32), issuer.carrier.number)
        ring = distributions.ring_seconds()[(ident >> np.uint64(48)).astype(np.int64)]
        # Dialled at midnight and answered after it: the switch would file the call under either month.
        start = np.maximum(lines.started_at - ring, np.minimum(lines.started_at, issuer.month.start))
        end = lines.started_at + lines.usage
        return cls(start, lines.started_at, end, lines.offset, ident)

    def local(self, times: Int64s) -> pa.StringArray:
        """``YYYY-MM-DD HH:MM:SS`` by the switch's clock at the time of answer."""
        return text.timestamp(times + self.offset * 60)

    def identifier(self, digits: int) -> pa.StringArray:
        """The first ``digits`` (up to 16) hexadecimal digits of the call's identifier."""
        return text.fixed(text.hexadecimal(self.ident)[:, :digits])

    def uuid(self, leg: int) -> pa.StringArray:
        """A UUID (version 4 in form) for the first or second leg."""
        left = text.hexadecimal(mixed(self.ident, 2 * leg))
        right = text.hexadecimal(mixed(self.ident, 2 * leg + 1))
        return text.fixed(
            left[:, :8], "-", left[:, 8:12], "-4", left[:, 13:16], "-a", right[:, 1:4], "-", right[:, 4:]
        )


def mixed(values: Int64s | Words, salt: int) -> Words:
    """Well-spread 64-bit words from integers (the finaliser of SplitMix64; public domain)."""
    z = values.astype(np.uint64) + np.uint64((salt * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
