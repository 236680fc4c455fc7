"""The few lines that are kept of a batch give the same word on a tariff's publication as all of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from billproof.anchoring_tariffs import TariffWarning, _extremes
from billproof.batch_id import BatchId
from billproof.ledger.states import TariffState
from billproof.publication import faults

OCTOBER = 1_790_812_800
MOMENTS = st.integers(OCTOBER - 40, OCTOBER + 40)


@given(
    lines=st.lists(st.tuples(MOMENTS, st.integers(-1, 1)), min_size=1, max_size=6),
    published=MOMENTS,
    valid_from=MOMENTS,
    valid_until=st.one_of(st.just(0), MOMENTS),
    withdrawn=st.one_of(st.just(0), MOMENTS),
)
def test_the_outermost_lines_decide(
    lines: list[tuple[int, int]], published: int, valid_from: int, valid_until: int, withdrawn: int
) -> None:
    state = TariffState(published, valid_from, valid_until, withdrawn)
    started, offset = np.array(lines, np.int64).T
    kept = list(_extremes(started, offset, state))
    assert set(kept) <= set(lines)
    assert faults(202610, kept, state) == faults(202610, lines, state)


def test_words() -> None:
    batch = BatchId(1, "0x" + "5a" * 20, 1, 202610, 0, 1)
    said = TariffWarning(batch, b"\1" * 32, 1, ("late", "outside")).words
    assert said == (
        f"1 statement names the tariff 0x{'01' * 32}: published after the period or a line that it prices"
        " began, not valid for every line"
    )
