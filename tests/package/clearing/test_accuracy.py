"""What is found in simulated books against what was done to them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import numpy as np
import pytest
from plain_sums import agreed_pairs, counts_by_kind, stakes_by_kind

from billproof.clearing.agreement.agreement import Agreement
from billproof.clearing.books.book import Codes, load_book
from billproof.clearing.clearing import clear
from billproof.simulate.partners import SINGLE, SYSTEMATIC, partner_books

RECORDS = 60_000
TARGET = 0.999


def _score(found: dict[str, set[int]], labels: dict[str, np.ndarray]) -> tuple[float, float]:
    """Recall and precision over all differences, each record counted for each kind."""
    said = {(kind, one) for kind, ids in found.items() for one in ids}
    true = set(chain.from_iterable(((kind, one) for one in ids.tolist()) for kind, ids in labels.items()))
    if not said and not true:
        return 1.0, 1.0
    return len(said & true) / len(true), len(said & true) / len(said)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everything_at_once_is_found_and_nothing_else(seed: int, cleared: Callable) -> None:
    result = cleared(partner_books(RECORDS, seed))
    ours, theirs = result.ids
    pairs = result.clearing.pairs
    assert np.mean(ours[pairs.ours] == theirs[pairs.theirs]) >= TARGET
    recall, precision = _score(result.found(), result.partners.labels)
    assert recall >= TARGET
    assert precision >= TARGET
    assert sorted(cause.kind.word for cause in result.clearing.explained.causes) == sorted(SYSTEMATIC)


@pytest.mark.parametrize("kind", SYSTEMATIC)
@pytest.mark.parametrize("seed", [11])
def test_a_systematic_difference_is_one_cause(kind: str, seed: int, cleared: Callable) -> None:
    result = cleared(partner_books(RECORDS // 2, seed, (*SINGLE, kind)))
    causes = result.clearing.explained.causes
    assert [cause.kind.word for cause in causes] == [kind]
    assert causes[0].count >= TARGET * len(result.partners.labels[kind])
    recall, precision = _score(result.found(), result.partners.labels)
    assert recall >= TARGET
    assert precision >= TARGET


@pytest.mark.parametrize("seed", [21, 22])
def test_single_errors_are_no_causes(seed: int, cleared: Callable) -> None:
    result = cleared(partner_books(200_000, seed, SINGLE))
    assert result.clearing.explained.causes == []
    recall, precision = _score(result.found(), result.partners.labels)
    assert recall >= TARGET
    assert precision >= TARGET


def test_honest_books_agree(cleared: Callable) -> None:
    result = cleared(partner_books(30_000, 31, ()))
    assert agreed_pairs(result.clearing) == 30_000
    assert not any(counts_by_kind(result.clearing).values())


def test_both_sides_find_the_same_causes(cleared: Callable, agreement: Agreement) -> None:
    result = cleared(partner_books(RECORDS // 2, 41))
    codes = Codes()
    ours, theirs = (load_book(result.home / side, agreement, codes) for side in ("ours", "theirs"))
    swapped = clear(theirs, ours, agreement, codes)
    assert counts_by_kind(swapped) == counts_by_kind(result.clearing)
    assert stakes_by_kind(swapped) == {
        kind: -money for kind, money in stakes_by_kind(result.clearing).items()
    }
    told = [
        sorted((cause.kind, cause.count, abs(cause.money)) for cause in found.explained.causes)
        for found in (result.clearing, swapped)
    ]
    assert told[0] == told[1]
