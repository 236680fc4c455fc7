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

from billproof.clearing.agreement import Agreement
from billproof.clearing.books import Book, Codes, Names, batch_names, nothing_in
from billproof.clearing.causes import Cause, Found
from billproof.clearing.clearing import laid_over
from billproof.clearing.sources import BatchSource, Seen, files_of, is_parquet
from billproof.clearing.totals import Totals
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
    def open(
        self, books: Sequence[Wanted], agreement: Agreement, *, our_neighbours: int = 0
    ) -> Iterator[Opened]:
        """Reads books, ours and theirs and then neighbours, of which the first so many are of ours.

        Raises :class:`InputError` as :func:`billproof.clearing.books.load_book` does.
        """
        sources, records = self._sources(books)
        parts = max(1, -(-records // self.part_records))
        place = File.named(self.scratch) / f".spark-{os.urandom(8).hex()}"
        with place.as_directory(), cluster(self.settings) as spark:
            dealing = Dealing(
                place,
                agreement,
                tuple(book.accounts for book in books),
                tuple(book.period for book in books),
                tuple(str(book.path) for book in books),
                parts,
            )
            dealt = _checked(spark.run(dealing, sources))
            codes = Codes()
            heads, pieces = _gathered(books, sources, dealt, codes)
            listed = write_pieces(place / "pieces.json", pieces)
            loading = Loading(place, listed, parts, len(books), our_neighbours)
            states = _checked(spark.run(loading, range(parts)))
            yield Opened(spark, place, states, codes, (heads[0], heads[1]))

    def _sources(self, books: Sequence[Wanted]) -> tuple[list[Source], int]:
        """The files of all books, large ones in pieces, and about how many records ours and theirs have."""
        sources, records = [], 0
        for number, book in enumerate(books):
            for file in files_of(book.path):
                groups = _row_groups(file) if is_parquet(file) else []
                for some in _ranges(groups, self.source_records):
                    sources.append(Source(number, file.absolute(), some))
                if not groups:
                    sources.append(Source(number, file.absolute()))
                if number < 2:
                    records += sum(groups) if groups else _records_in(file, book)
        return sources, records


@dataclass
class Opened:
    """Books in parts on a cluster. ``heads`` are both books without their records."""

    spark: Cluster
    place: File
    states: list[str]
    codes: Codes
    heads: tuple[Book, Book]
    turn: int = field(default=0)

    def each(self, step: Callable[..., Any], given: Sequence[Any] | None = None) -> list[Any]:
        """See :class:`billproof.clearing.parts.Parts`."""
        self.turn += 1
        names: list[str | None] = [None] * len(self.states)
        if given is not None:
            store = Store(self.place)
            names = [store.save(one, f"{self.turn}.{at}.given") for at, one in enumerate(given)]
        items = list(zip(self.states, names, strict=True))
        found = _checked(self.spark.run(Stepping(self.place, step), items))
        self.states = [state for _, state in found]
        return [returned for returned, _ in found]

    def clear(self, agreement: Agreement) -> Cleared:
        """Lays the books over each other; ``agreement`` has the month's exchange rates."""
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

    def write_listing(self, target: File) -> None:
        """Writes every difference below a new directory, as CSV: a file a part."""
        opened = self.opened
        target.make_directory()
        work = Listing(self.causes, self.agreement, opened.codes, opened.place, target)
        items = [(state, None) for state in opened.states]
        for at, name in enumerate(_checked(opened.spark.run(work, items))):
            (target / name).rename(f"part-{at:05d}.csv")


def _checked(results: Sequence[Any]) -> list[Any]:
    for result in results:
        if isinstance(result, BillproofError):
            raise result
    return list(results)


def _gathered(
    books: Sequence[Wanted], sources: Sequence[Source], dealt: Sequence[Dealt], codes: Codes
) -> tuple[list[Book], list[Piece]]:
    """The books' heads, and their pieces with codes that hold for all of them."""
    heads, pieces = [], []
    for number, book in enumerate(books):
        statements: dict[int, BatchSource] = {}
        seen = Seen(book.path, named=bool(book.accounts))
        records = 0
        for one in (found for source, found in zip(sources, dealt, strict=True) if source.book == number):
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
            records += one.records
        if not records:
            raise nothing_in(book.path, book.accounts, book.period)
        for code, text in batch_names(statements).items():
            codes.batches.texts[code] = text
        heads.append(_head(str(book.path), statements))
    return heads, pieces


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
