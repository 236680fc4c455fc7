"""The documents of a clearing on one machine and on a cluster, for the tests that compare them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from billproof.clearing.agreement.agreement import load_agreement
from billproof.clearing.books.book import Codes, load_book
from billproof.clearing.books.sides import sides_of
from billproof.clearing.clearing import clear
from billproof.clearing.document.document import document, document_of, told_causes
from billproof.clearing.document.form import tree_of
from billproof.files import json_bytes
from billproof.spark.clearing import SparkClearing, Wanted


def local_document(
    ours: Path, theirs: Path, agreement_file: Path, *, their_neighbours: Sequence[Path] = ()
) -> bytes:
    """What one machine says of two books; ours is operator 1's."""
    agreement, codes = load_agreement(agreement_file), Codes()
    books = load_book(ours, agreement, codes), load_book(theirs, agreement, codes)
    near = [load_book(path, agreement, codes) for path in their_neighbours]
    found = clear(*books, agreement, codes, their_neighbours=near)
    return json_bytes(tree_of(document(found, sides_of(books, agreement, operator=1))))


def spread_document(
    engine: SparkClearing,
    ours: Path,
    theirs: Path,
    agreement_file: Path,
    *,
    their_neighbours: Sequence[Path] = (),
) -> bytes:
    """What a cluster says of them."""
    agreement = load_agreement(agreement_file)
    with engine.open(Wanted(ours), Wanted(theirs), agreement) as opened:
        sides = sides_of(opened.both, agreement, operator=1)
        found = opened.clear(agreement, their_neighbours=[Wanted(path) for path in their_neighbours])
        causes = told_causes([cause for _, cause in found.causes], opened.codes, agreement, sides)
        return json_bytes(tree_of(document_of(found.totals, causes, agreement, sides)))
