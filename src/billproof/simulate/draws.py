"""Random draws that stay the same across numpy versions.

numpy promises stable streams for bit generators, not for the methods of ``Generator``. So everything
here comes from the raw 64-bit words of PCG64 and integer arithmetic: a seed gives the same files on
every machine.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Uint16s = npt.NDArray[np.uint16]


class Draws:
    """One independent stream, named by the seed and a path of small integers."""

    def __init__(self, seed: int, *path: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=path))

    def u16(self, count: int) -> Uint16s:
        """Shape (count,), uniform on 0..65535; index into an inverse table of ``distributions``."""
        return self._words(count, 4).view("<u2")[:count].astype(np.uint16, copy=False)

    def below(self, bound: int | Int64s, count: int) -> Int64s:
        """Shape (count,), uniform on 0..bound-1 for bounds (one, or one each) from 1 to 2**31."""
        words = self._words(count, 2).view("<u4")[:count].astype(np.int64)
        return (words * bound) >> 32

    def chance(self, per_mille: int, count: int) -> npt.NDArray[np.bool_]:
        """Shape (count,), true for about ``per_mille`` in a thousand."""
        return self.below(1000, count) < per_mille

    def octets(self, count: int) -> bytes:
        """``count`` random bytes."""
        return self._words(count, 8).tobytes()[:count]

    def _words(self, count: int, per_word: int) -> npt.NDArray[np.uint64]:
        raw = self._bits.random_raw(max(1, -(-count // per_word)))
        return np.asarray(raw, dtype="<u8")
