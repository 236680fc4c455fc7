"""Simulated books of two partners, cleared, and what was found by true record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from billproof.clearing.agreement.agreement import Agreement, load_agreement
from billproof.clearing.books.book import Codes, load_book
from billproof.clearing.books.sides import sides_of
from billproof.clearing.clearing import Clearing, clear
from billproof.clearing.document.document import document
from billproof.clearing.document.form import File
from billproof.clearing.pairs.differences import Kind
from billproof.simulate.partners import AGREEMENT, PartnerBooks


@dataclass
class Cleared:
    """A clearing of simulated books, which tell the truth about each record."""

    partners: PartnerBooks
    clearing: Clearing
    home: Path

    @property
    def ids(self) -> tuple[np.ndarray, np.ndarray]:
        """The true record of each row of both books."""
        ours, theirs = self.partners.ids
        return np.concatenate(ours), np.concatenate(theirs)

    def found(self) -> dict[str, set[int]]:
        """True records by kind, as labels name them."""
        ours, theirs = self.ids
        pairs, differences = self.clearing.pairs, self.clearing.differences
        of_pairs = ours[pairs.ours]
        found = {
            kind.word: set(of_pairs[differences.has(kind)].tolist()) for kind in Kind if kind < Kind.MISSING
        }
        sides = ((ours, pairs.ours_left, "ours", "theirs"), (theirs, pairs.theirs_left, "theirs", "ours"))
        for side, (ids, left, own, other) in enumerate(sides):
            kinds = differences.left[side]
            found[f"missing-{other}"] = set(ids[left[kinds == Kind.MISSING]].tolist())
            found[f"duplicate-{own}"] = set(ids[left[kinds == Kind.DUPLICATE]].tolist())
            if own == "ours":
                found["cycle-shift"] = set(ids[left[kinds == Kind.CYCLE_SHIFT]].tolist())
        return found

    def told(self, *, payer: int = 1, period: int = 202610) -> File:
        """The document; the first book is operator 1's, ``payer`` is 0 (the first) or 1."""
        books, agreement = self.clearing.books, self.clearing.agreement
        sides = sides_of(books, agreement, operator=1, period=period, payer=payer)
        found = clear(*sides.turned(books), agreement, self.clearing.codes) if sides.ours else self.clearing
        return document(found, sides)


@pytest.fixture(scope="session")
def agreement() -> Agreement:
    """The agreement that simulated partners have."""
    return load_agreement(AGREEMENT.encode())


@pytest.fixture
def cleared(tmp_path: Path, agreement: Agreement) -> Callable[[PartnerBooks], Cleared]:
    """Writes both books, reads them back and clears them."""

    def make(partners: PartnerBooks, home: Path = tmp_path) -> Cleared:
        ours, theirs, _ = partners.write(home / "books")
        codes = Codes()
        books = load_book(ours, agreement, codes), load_book(theirs, agreement, codes)
        return Cleared(partners, clear(*books, agreement, codes), home / "books")

    return make
