"""Whether statements charge what their tariff says (``docs/tariff.md``, section 8)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billproof.bundle.documents import Bundle
from billproof.tariff.model import Tariff
from billproof.tariff.result import Checked


class Checker:
    """Checks statements against one tariff; made once for many statements."""

    def __init__(self, tariff: Tariff) -> None:
        self.tariff = tariff

    def check(
        self,
        records: pa.Table,
        first: NDArray[np.int64] | None = None,
        *,
        balances: Mapping[tuple[int, int], int] | None = None,
    ) -> Checked:
        """The records of one statement, or of several that begin at ``first``: each in order of index.

        ``records`` has the columns of :data:`billproof.records.SCHEMA` from ``service`` to ``corrects``
        (others are ignored). ``balances``: (statement, allowance), both from 0 → what was carried over.
        """
        raise NotImplementedError


def check_bundle(tariff: Tariff, bundle: Bundle) -> Checked:
    """One subscriber's statement, from its proof file."""
    raise NotImplementedError
