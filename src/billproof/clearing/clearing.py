"""Two books → pairs, differences, causes, and the totals that a summary and a settlement need.

``docs/clearing.md``, sections 1, 3 to 5 and 10. Both books may be in parts
(:mod:`billproof.clearing.pairs.parts`): what is done here looks at sums over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from billproof.clearing.agreement.agreement import Agreement
from billproof.clearing.books.book import Book, Codes
from billproof.clearing.causes.causes import Cause, Explained, Found, explain, explained
from billproof.clearing.pairs.differences import Differences
from billproof.clearing.pairs.pairing import paired_and_judged
from billproof.clearing.pairs.parts import Inside, Part, Parts, divided
from billproof.clearing.pairs.passes import Pairs


@dataclass(frozen=True)
class Clearing:
    """What laying two books over each other has found. Money: billionths of the settlement currency."""

    books: tuple[Book, Book]
    codes: Codes
    agreement: Agreement
    pairs: Pairs
    differences: Differences
    explained: Explained


def clear(
    ours: Book,
    theirs: Book,
    agreement: Agreement,
    codes: Codes,
    *,
    our_neighbours: Sequence[Book] = (),
    their_neighbours: Sequence[Book] = (),
) -> Clearing:
    """Lays two books over each other; ``codes`` are those that both were loaded with.

    Neighbours are books of the periods before and after: what is missing in the other side's book and stands
    in one of its neighbours has shifted into another cycle. ``agreement`` has the month's exchange rates.
    """
    part = Part((ours, theirs), (tuple(our_neighbours), tuple(their_neighbours)))
    causes = laid_over(Inside([part]), agreement, codes)
    return clearing_of(part, causes, agreement, codes)


def clear_in_parts(
    ours: Book,
    theirs: Book,
    agreement: Agreement,
    codes: Codes,
    parts: int,
    *,
    our_neighbours: Sequence[Book] = (),
    their_neighbours: Sequence[Book] = (),
) -> list[Clearing]:
    """As :func:`clear`, in parts: each knows the causes of all, and its own records of them."""
    books = zip(divided(ours, codes, parts), divided(theirs, codes, parts), strict=True)
    near = [
        list(zip(*(divided(book, codes, parts) for book in of), strict=True)) or [()] * parts
        for of in (our_neighbours, their_neighbours)
    ]
    made = [Part(both, neighbours) for both, *neighbours in zip(books, *near, strict=True)]
    causes = laid_over(Inside(made), agreement, codes)
    return [clearing_of(part, causes, agreement, codes) for part in made]


def laid_over(parts: Parts, agreement: Agreement, codes: Codes) -> list[tuple[Found, Cause]]:
    """Pairs and judges the records of all parts, and says why they differ."""
    paired_and_judged(parts, agreement, codes)
    return explain(parts, agreement, codes)


def clearing_of(
    part: Part, causes: Sequence[tuple[Found, Cause]], agreement: Agreement, codes: Codes
) -> Clearing:
    """What was found in one part."""
    return Clearing(part.books, codes, agreement, part.paired, part.judged, explained(part, causes))
