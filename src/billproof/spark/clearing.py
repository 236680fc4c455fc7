"""A clearing by a Spark cluster: the document of one machine, to the byte (``docs/clearing.md``, section 10).

As everywhere here, references and sums move through Spark, and records only through scratch files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from billproof.clearing.agreement.agreement import Agreement
from billproof.clearing.books.book import Book, Codes, Names, batch_names, nothing_in
from billproof.clearing.books.numbers import Written
from billproof.clearing.books.sources import BatchSource, Seen, files_of, is_parquet
from billproof.clearing.causes.causes import Cause, Found
from billproof.clearing.clearing import laid_over
from billproof.clearing.document.listing import Told
from billproof.clearing.document.totals import Totals
from billproof.errors import BillproofError, InputError
from billproof.spark.clearing_tasks import (
    CODED,
    Dealing,
    Dealt,
    Listing,
    Loading,
    Piece,
    Source,
    Stepping,
    Totalling,
    write_pieces,
)
from billproof.spark.cluster import Cluster, cluster
from billproof.spark.files import File
from billproof.spark.state import Store
from billproof.store import StoredBatch

#: Records of both books to a part, and of a book to a task that reads: some 1 GB of memory for either.
PART_RECORDS, SOURCE_RECORDS = 2_000_000, 2_000_000


@dataclass(frozen=True)
class Wanted:
    """A book to be read: where it is, the accounts in it, and the month of its batches."""

    path: Path
    accounts: tuple[str, ...] = ()
    period: int | None = None


@dataclass(frozen=True)
class SparkClearing:
    """A cluster that clears. ``scratch`` is a path or URI that all its machines reach, as their books are."""

    settings: Mapping[str, str]
    scratch: str
    part_records: int = PART_RECORDS
    source_records: int = SOURCE_RECORDS

    @contextmanager
    def open(self, ours: Wanted, theirs: Wanted, agreement: Agreement) -> Iterator[Opened]:
        """Reads both books.

        Raises :class:`InputError` as :func:`billproof.clearing.books.book.load_book` does.
        """
        sources = self.sources([ours, theirs])
        parts = max(1, -(-sum(source.records for source in sources) // self.part_records))
        place = File.named(self.scratch) / f".spark-{os.urandom(8).hex()}"
        with place.as_directory(), cluster(self.settings) as spark:
            opened = Opened(self, spark, place, parts)
            opened.read([ours, theirs], sources, agreement)
            yield opened

    def sources(self, books: Sequence[Wanted]) -> list[Source]:
        """The files of some books, large ones in pieces."""
        found = []
        for number, book in enumerate(books):
            for file in files_of(book.path):
                groups = _row_groups(file) if is_parquet(file) else []
                for some in _ranges(groups, self.source_records):
                    records = sum(groups[some.start : some.stop])
                    found.append(Source(number, file.absolute(), records, some))
                if not groups:
                    found.append(Source(number, file.absolute(), _records_in(file, book)))
        return found


@dataclass
class Opened:
    """Books in parts on a cluster. ``heads``: ours, theirs and neighbours, without their records.

    ``written``: how each of them writes numbers.
    """

    engine: SparkClearing
    spark: Cluster
    place: File
    parts: int
    codes: Codes = field(default_factory=Codes)
    heads: list[Book] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    turn: int = 0

    @property
    def both(self) -> tuple[Book, Book]:
        """Ours and theirs, without their records."""
        return self.heads[0], self.heads[1]

    def read(self, books: Sequence[Wanted], sources: Sequence[Source], agreement: Agreement) -> None:
        """Deals the records of some more books into parts."""
        dealing = Dealing(
            self.place,
            agreement,
            tuple(book.accounts for book in books),
            tuple(book.period for book in books),
            tuple(str(book.path) for book in books),
            self.parts,
        )
        dealt = _checked(self.spark.run(dealing, sources))
        for number, book in enumerate(books):
            of_book = [found for source, found in zip(sources, dealt, strict=True) if source.book == number]
            head, pieces = _gathered(book, len(self.heads), of_book, self.codes)
            self.heads.append(head)
            self.written.append(sum((one.written for one in of_book), Written()))
            self.pieces += pieces

    def each(self, step: Callable[..., Any], given: Sequence[Any] | None = None) -> list[Any]:
        """See :class:`billproof.clearing.pairs.parts.Parts`."""
        self.turn += 1
        names: list[str | None] = [None] * len(self.states)
        if given is not None:
            store = Store(self.place)
            names = [store.save(one, f"{self.turn}.{at}.given") for at, one in enumerate(given)]
        items = list(zip(self.states, names, strict=True))
        found = _checked(self.spark.run(Stepping(self.place, step), items))
        self.states = [state for _, state in found]
        return [returned for returned, _ in found]

    def clear(
        self,
        agreement: Agreement,
        our_neighbours: Sequence[Wanted] = (),
        their_neighbours: Sequence[Wanted] = (),
    ) -> Cleared:
        """Lays the books over each other; ``agreement`` has the month's exchange rates."""
        near = [*our_neighbours, *their_neighbours]
        self.read(near, self.engine.sources(near), agreement)
        listed = write_pieces(self.place / "pieces.json", self.pieces)
        loading = Loading(self.place, listed, self.parts, len(self.heads), len(our_neighbours))
        self.states = _checked(self.spark.run(loading, range(self.parts)))
        causes = laid_over(self, agreement, self.codes)
        totals = sum(self.each(Totalling(causes, agreement, self.codes)), Totals())
        return Cleared(self, agreement, causes, totals)


@dataclass(frozen=True)
class Cleared:
    """What was found, for a document."""

    opened: Opened
    agreement: Agreement
    causes: list[tuple[Found, Cause]]
    totals: Totals

    def write_listing(self, target: File, told: Told) -> None:
        """Writes every difference below a new directory, as CSV: a file with a header for each part."""
        opened = self.opened
        target.make_directory()
        work = Listing(self.causes, self.agreement, opened.codes, opened.place, target, told)
        items = [(state, None) for state in opened.states]
        for at, name in enumerate(_checked(opened.spark.run(work, items))):
            (target / name).rename(f"part-{at:05d}.csv")


def _checked(results: Sequence[Any]) -> list[Any]:
    for result in results:
        if isinstance(result, BillproofError):
            raise result
    return list(results)


def _gathered(book: Wanted, number: int, dealt: Sequence[Dealt], codes: Codes) -> tuple[Book, list[Piece]]:
    """A book without its records, and its pieces with codes that hold for all books."""
    statements: dict[int, BatchSource] = {}
    seen = Seen(book.path, named=bool(book.accounts))
    pieces = []
    for one in sorted(dealt, key=_place):
        batches = []
        for origin in one.origins:
            if isinstance(origin, BatchSource):
                seen.add(origin)
                batches.append(codes.batches.fresh(""))
                statements[batches[-1]] = origin
            else:
                batches.append(codes.batches.code(origin))
        here = {"batch": batches}
        for name, texts in one.texts.items():
            names: Names = getattr(codes, CODED[name])
            here[name] = [names.code(text) for text in texts]
        pieces += [Piece(number, file, size, here) for file, size in one.files]
    if not any(one.records for one in dealt):
        raise nothing_in(book.path, book.accounts, book.period)
    for code, text in batch_names(statements).items():
        codes.batches.texts[code] = text
    return _head(str(book.path), statements), pieces


def _place(dealt: Dealt) -> tuple[Any, ...]:
    """The place of what came of a file among the statements of its book; files of none keep their order."""
    places = [origin.place for origin in dealt.origins if isinstance(origin, BatchSource)]
    return min(places, default=())


def _head(name: str, sources: Mapping[int, BatchSource]) -> Book:
    none = np.zeros(0, np.int64)
    codes = np.zeros(0, np.int32)
    return Book(
        name=name,
        service=np.zeros(0, np.uint8),
        started_at=none,
        usage=none,
        billed_usage=none,
        amount=none,
        settled=none,
        number=none,
        network=codes,
        currency=codes,
        rate=codes,
        route=codes,
        batch=codes,
        row=none,
        sources=sources,
    )


def _row_groups(file: Path) -> list[int]:
    """How many records each row group has."""
    try:
        metadata = pq.read_metadata(file)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read as Parquet: {error}", file=file) from error
    return [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]


def _ranges(groups: Sequence[int], most: int) -> Iterator[range]:
    """Row groups that are read together."""
    begin, size = 0, 0
    for at, rows in enumerate(groups):
        if at > begin and size + rows > most:
            yield range(begin, at)
            begin, size = at, 0
        size += rows
    if len(groups) > begin:
        yield range(begin, len(groups))


def _records_in(file: Path, book: Wanted) -> int:
    """About how many records a batch has for the book's accounts; of a proof file, none to speak of."""
    if file.name != "batch.json":
        return 0
    entries = StoredBatch.open(file.parent).entries
    counts = zip(entries["account"].to_pylist(), entries["count"].to_pylist(), strict=True)
    return sum(count for account, count in counts if not book.accounts or account in book.accounts)
