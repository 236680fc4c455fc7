"""A file that was loaded twice: what is in a book twice throughout is one cause."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from plain_sums import counts_by_kind

from billproof.clearing.pairs.differences import Kind
from billproof.simulate.partners import partner_books

DAY = 86_400


@pytest.mark.parametrize("side", [0, 1])
def test_a_day_that_a_book_has_twice_is_one_cause(side: int, cleared: Callable) -> None:
    partners = partner_books(6_000, 3, ())
    count = 0
    for region, table in enumerate(partners.tables[side]):
        start = table["started_at"].to_numpy()
        rows = np.flatnonzero(start // DAY == 1_790_812_800 // DAY + 4)
        partners.tables[side][region] = pa.concat_tables([table, table.take(rows)])
        count += len(rows)
    found = cleared(partners).clearing
    (cause,) = found.explained.causes
    assert (cause.kind, cause.side, cause.dimension, cause.count) == (Kind.DUPLICATE, side, "day", count)
    assert counts_by_kind(found)["duplicate"] == count
    assert not found.explained.findings


def test_some_records_of_a_day_twice_are_single_findings(cleared: Callable) -> None:
    partners = partner_books(6_000, 3, ())
    table = partners.tables[0][0]
    start = table["started_at"].to_numpy()
    rows = np.flatnonzero(start // DAY == 1_790_812_800 // DAY + 4)[::2]
    partners.tables[0][0] = pa.concat_tables([table, table.take(rows)])
    found = cleared(partners).clearing
    assert found.explained.causes == []
    assert len(found.explained.findings[Kind.DUPLICATE, 0]) == len(rows)
