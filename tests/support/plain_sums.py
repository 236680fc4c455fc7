"""What a clearing adds up to, from its pairs alone: beside the sums that documents are made of."""

from __future__ import annotations

import numpy as np

from billproof.clearing.clearing import Clearing
from billproof.clearing.pairs.differences import Kind


def agreed_pairs(clearing: Clearing) -> int:
    """How many pairs agree."""
    return int(np.count_nonzero(clearing.differences.kinds == 0))


def book_totals(clearing: Clearing) -> tuple[int, int]:
    """What each book adds up to."""
    ours, theirs = (sum(book.settled.tolist()) for book in clearing.books)
    return ours, theirs


def stakes_by_kind(clearing: Clearing) -> dict[str, int]:
    """The difference of the totals by the kind that it belongs to, and of the pairs that agree."""
    found = {"agreed": 0, **{kind.word: 0 for kind in Kind}}
    paying = clearing.differences.paying
    for code in np.unique(paying).tolist():
        word = Kind(code).word if code >= 0 else "agreed"
        found[word] += sum(clearing.differences.money[paying == code].tolist())
    for side, rows in enumerate((clearing.pairs.ours_left, clearing.pairs.theirs_left)):
        settled, left = clearing.books[side].settled[rows], clearing.differences.left[side]
        for code in np.unique(left).tolist():
            money = sum(settled[left == code].tolist())
            found[Kind(code).word] += money if side == 0 else -money
    return found


def counts_by_kind(clearing: Clearing) -> dict[str, int]:
    """How many differences there are of each kind; a pair counts once for each kind that it has."""
    found = {kind.word: int(np.count_nonzero(clearing.differences.has(kind))) for kind in Kind}
    for left in clearing.differences.left:
        for code, count in zip(*np.unique(left, return_counts=True), strict=True):
            found[Kind(int(code)).word] += int(count)
    return found
