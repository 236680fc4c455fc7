"""Which tariff each of a batch's statements refers to: a code for each, into the few different hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from billproof.commitment.columns import Gathered
from billproof.commitment.keccak import ByteRows, rows_of
from billproof.records import ZERO32


@dataclass(frozen=True)
class StatementTariffs:
    """The tariffs of m statements: ``hashes[codes[k]]`` is the k-th one's, zero for none.

    ``hashes`` are the keccak256 of the tariff files' bytes, ``codes`` (m,) int32.
    """

    hashes: tuple[bytes, ...]
    codes: NDArray[np.int32]

    @classmethod
    def one(cls, tariff: bytes, statements: int) -> StatementTariffs:
        """The same for all."""
        return cls((tariff,), np.zeros(statements, np.int32))

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def column(self) -> ByteRows | Gathered:
        """The hash of each, to be hashed into a statement: one row where all have the same."""
        if len(self.hashes) == 1:
            return rows_of(self.hashes[0], 32)
        return Gathered(rows_of(b"".join(self.hashes), 32), self.codes)

    @property
    def used(self) -> Sequence[bytes]:
        """The different ones that some statement refers to."""
        found = [self.hashes[code] for code in np.unique(self.codes).tolist()]
        return [tariff for tariff in found if tariff != ZERO32]

    def take(self, rows: NDArray[np.integer]) -> StatementTariffs:
        """Those of some statements, or of all in another order."""
        return StatementTariffs(self.hashes, self.codes[rows])
