"""One network's last calls are in the next period's book of the other side, and that book is not at hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from plain_sums import counts_by_kind

from billproof.clearing.clearing import clear_in_parts
from billproof.clearing.pairs.differences import Kind
from billproof.simulate.partners import SINGLE, PartnerBooks, partner_books

HOUR = 3_600
REGION = 2


def _without(partners: PartnerBooks, side: int, which: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Takes records of one region out of a book, by their starts; the true records."""
    table, ids = partners.tables[side][REGION], partners.ids[side][REGION]
    out = which(table["started_at"].to_numpy())
    partners.tables[side][REGION] = table.filter(pa.array(~out))
    partners.ids[side][REGION] = ids[~out]
    return ids[out]


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("late", [True, False])
def test_the_edge_of_one_network_is_a_cycle_shift(side: int, late: bool, cleared: Callable) -> None:
    partners = partner_books(60_000, 51, SINGLE)
    starts = np.concatenate([table["started_at"].to_numpy() for table in partners.tables[side]])
    edge = starts.max() - 5 * HOUR if late else starts.min() + 5 * HOUR
    gone = _without(partners, 1 - side, lambda start: start > edge if late else start < edge)
    result = cleared(partners)
    (cause,) = result.clearing.explained.causes
    assert (cause.kind, cause.side) == (Kind.CYCLE_SHIFT, side)
    ids = result.ids[side][cause.rows]
    assert len(np.intersect1d(ids, gone)) >= 0.97 * len(gone)
    clearing = result.clearing
    for parts in (2, 5):
        divided = clear_in_parts(*clearing.books, clearing.agreement, clearing.codes, parts)
        assert (
            sum(counts_by_kind(each)["cycle-shift"] for each in divided)
            == counts_by_kind(clearing)["cycle-shift"]
        )
        assert divided[0].explained.causes[0].money == cause.money
    # nothing else: but what the other side lacked there anyway
    labels = partners.labels["missing-theirs" if side == 0 else "missing-ours"]
    assert len(np.setdiff1d(ids, np.union1d(gone, labels))) == 0


def test_losses_at_the_edge_are_losses(cleared: Callable) -> None:
    partners = partner_books(60_000, 52, SINGLE)
    starts = partners.tables[1][REGION]["started_at"].to_numpy()
    edge = starts.max() - 5 * HOUR
    draw = np.random.default_rng(1)
    _without(partners, 1, lambda start: (start > edge) & (draw.random(len(start)) < 0.8))
    assert counts_by_kind(cleared(partners).clearing)["cycle-shift"] < 20


def test_a_network_that_is_missing_altogether_is_missing(cleared: Callable) -> None:
    partners = partner_books(20_000, 53, ())
    gone = _without(partners, 1, lambda start: np.ones(len(start), bool))
    (cause,) = cleared(partners).clearing.explained.causes
    assert cause.kind is Kind.MISSING
    assert cause.count >= 0.999 * len(gone)  # a message or two is like another network's
