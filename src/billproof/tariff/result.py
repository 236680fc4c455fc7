"""What rating and checking say of records: columns for all of them, and objects for the few that differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

#: Places in ``Rated.rate`` of records that have none.
NO_RATE = -1
OUTSIDE = -2
NO_USAGE = -3  # a fee, a tax …, or a record that corrects another


class Status(IntEnum):
    """What a check says of a record."""

    RIGHT = 0
    WRONG = 1
    NO_RATE = 2
    OUTSIDE_VALIDITY = 3
    NOT_PRICED = 4

    @property
    def words(self) -> str:
        """``outside validity``."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True)
class Rated:
    """What usage records cost, in the order in which they were given. Amounts are billionths.

    ``rate`` is the rate's place in the file, or one of the negative numbers above; where it is negative, the
    other columns are 0. ``free`` is the billed usage that allowances took, ``waived`` whether the connection
    fee fell away with it, ``form`` the row of the rater's formulas: the rate at its tier.
    """

    rate: NDArray[np.int32]
    billed: NDArray[np.int64]
    charge: NDArray[np.int64]
    free: NDArray[np.int64]
    waived: NDArray[np.bool_]
    form: NDArray[np.int32]
    cell: NDArray[np.int32]  # flat place in the grid
    left: NDArray[np.int64]  # (statements, allowances): what is left at the end


@dataclass(frozen=True)
class Difference:
    """A record that is not charged as the tariff says, or (``line`` None) a line that is missing.

    ``statement`` counts the statements given, ``line`` the statement's records, both from 0.
    """

    statement: int
    line: int | None
    cause: str
    charged: int
    due: int
    billed: int
    due_billed: int
    words: str
    name: str = ""  # of a missing line

    @property
    def difference(self) -> int:
        """Positive: charged too much."""
        return self.charged - self.due


@dataclass(frozen=True)
class Checked:
    """Statements beside their tariff. The columns are those of the records given, in their order.

    ``due`` and ``due_billed`` are what was charged where the tariff does not price a record.
    """

    status: NDArray[np.uint8]
    due: NDArray[np.int64]
    due_billed: NDArray[np.int64]
    rate: NDArray[np.int32]
    differences: Sequence[Difference]
    rated: Rated

    @property
    def counts(self) -> Counter[Status]:
        """How many records have each status."""
        return Counter({status: int((self.status == status).sum()) for status in Status})

    @property
    def too_much(self) -> int:
        """What was charged too much, in all."""
        return sum(found.difference for found in self.differences if found.difference > 0)

    @property
    def too_little(self) -> int:
        """What was charged too little, in all."""
        return -sum(found.difference for found in self.differences if found.difference < 0)
