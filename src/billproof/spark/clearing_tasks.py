"""What the tasks of a clearing do: deal a book's records into parts, make a part, and do its steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from billproof.clearing.agreement.agreement import Agreement
from billproof.clearing.books.book import Book, Codes, columns_of
from billproof.clearing.books.numbers import Written, written
from billproof.clearing.books.sources import BatchSource, Seen, pieces_in
from billproof.clearing.causes.causes import Cause, Found
from billproof.clearing.clearing import clearing_of
from billproof.clearing.document.listing import Told, write_listing
from billproof.clearing.document.totals import Totals, totals_of
from billproof.clearing.pairs.parts import Part, part_of
from billproof.spark.files import File
from billproof.spark.pieces import read_dealt, write_dealt
from billproof.spark.state import Store, Texts

#: Records in memory before they are written: some 400 MB.
_DEALT = 1 << 21

#: Columns of texts that are codes, and what they are codes of.
CODED = {"network": "networks", "currency": "currencies", "rate": "rates", "batch": "batches"}

#: A record on its way: a book's columns, codes being those of its piece, and the text of an odd number.
_COLUMNS = {
    "service": pa.uint8(),
    "started_at": pa.int64(),
    "usage": pa.int64(),
    "billed_usage": pa.int64(),
    "amount": pa.int64(),
    "settled": pa.int64(),
    "number": pa.int64(),
    "network": pa.int32(),
    "currency": pa.int32(),
    "rate": pa.int32(),
    "route": pa.int32(),
    "batch": pa.int32(),
    "row": pa.int64(),
}
_TEXT = "text"
_WAITING = pa.schema([*((name, kind) for name, kind in _COLUMNS.items()), (_TEXT, pa.string())])


@dataclass(frozen=True)
class Source:
    """A file of a book, or some row groups of one. ``book`` is its place among those read with it."""

    book: int
    path: Path
    records: int  # about
    groups: range | None = None


@dataclass
class Dealt:
    """What came of a source: scratch files, what codes in them stand for, how many records and numbers."""

    files: list[tuple[File, int]] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    origins: list[BatchSource | str] = field(default_factory=list)
    records: int = 0
    written: Written = field(default_factory=Written)


@dataclass(frozen=True)
class Dealing:
    """The first stage: reads sources, and deals their records into parts."""

    scratch: File
    agreement: Agreement
    accounts: tuple[tuple[str, ...], ...]  # by book
    periods: tuple[int | None, ...]
    names: tuple[str, ...]
    parts: int

    def __call__(self, source: Source, attempt: int) -> Dealt:
        codes, dealt = Codes(), Dealt()
        accounts, period = self.accounts[source.book], self.periods[source.book]
        name = self.names[source.book]
        seen = Seen(Path(name), named=bool(accounts))
        waiting: list[dict[str, Any]] = []
        size = 0
        for piece in pieces_in(source.path, accounts, period, seen, source.groups):
            if not dealt.origins or piece.origin != dealt.origins[-1]:
                dealt.origins.append(piece.origin)
            batch = len(dealt.origins) - 1
            waiting.append(columns_of(piece, batch, self.agreement, period, codes, name))
            size += len(piece.rows)
            if size >= _DEALT:
                self._write(dealt, waiting, codes, f"{attempt}.{len(dealt.files)}.dealt")
                waiting, size = [], 0
        if waiting:
            self._write(dealt, waiting, codes, f"{attempt}.{len(dealt.files)}.dealt")
        dealt.texts = {name: getattr(codes, of).texts for name, of in CODED.items() if name != "batch"}
        return dealt

    def _write(self, dealt: Dealt, waiting: list[dict[str, Any]], codes: Codes, name: str) -> None:
        columns = {column: np.concatenate([one.pop(column) for one in waiting]) for column in _COLUMNS}
        book = Book(name="", sources={}, **columns)
        dealt.records += len(book)
        dealt.written += written(book.number, codes.numbers)
        numbers = np.array(sorted(codes.numbers), np.int64)
        odd = np.isin(book.number, numbers)
        texts = [codes.numbers[number] for number in numbers.tolist()]
        at = np.searchsorted(numbers, book.number).clip(max=max(0, len(numbers) - 1))
        text = pa.DictionaryArray.from_arrays(
            pa.array(at.astype(np.int32), mask=~odd), pa.array(texts, pa.string())
        )
        table = pa.table([*columns.values(), text.cast(pa.string())], schema=_WAITING)
        part = part_of(book, codes, self.parts)
        file = self.scratch / name
        dealt.files.append((file, write_dealt(file, table, part, self.parts)))


@dataclass(frozen=True)
class Piece:
    """A scratch file of some records of a book, and what its codes are in the whole clearing."""

    book: int
    file: File
    size: int
    codes: Mapping[str, list[int]]


@dataclass(frozen=True)
class Loading:
    """The second stage: makes a part of what was dealt to it. Books are ours, theirs, then neighbours."""

    scratch: File
    pieces: File
    parts: int
    books: int
    ours_near: int  # how many of the neighbours are of our books

    def __call__(self, part: int, attempt: int) -> str:
        tables: list[list[tuple[pa.Table, Piece]]] = [[] for _ in range(self.books)]
        for piece in read_pieces(self.pieces):
            table = read_dealt(piece.file, piece.size, part, self.parts)
            if table is not None:
                tables[piece.book].append((table, piece))
        numbers: dict[int, str] = {}
        books = [_book(of, numbers) for of in tables]
        near = books[2:]
        made = Part(
            (books[0], books[1]),
            (tuple(near[: self.ours_near]), tuple(near[self.ours_near :])),
            numbers=Texts.of(numbers),
        )
        return Store(self.scratch).save(made, f"{attempt}.part")


def _book(tables: Sequence[tuple[pa.Table, Piece]], numbers: dict[int, str]) -> Book:
    columns: dict[str, NDArray[Any]] = {}
    for name, kind in _COLUMNS.items():
        found = [_coded(table[name].to_numpy(), piece.codes.get(name)) for table, piece in tables]
        columns[name] = np.concatenate([np.zeros(0, kind.to_pandas_dtype()), *found])
    for table, _ in tables:
        odd = table.filter(pc.is_valid(table[_TEXT])).select(["number", _TEXT])
        numbers.update(zip(odd["number"].to_pylist(), odd[_TEXT].to_pylist(), strict=True))
    return Book(name="", sources={}, **columns)


def _coded(column: NDArray[Any], codes: list[int] | None) -> NDArray[Any]:
    return column if codes is None else np.array(codes, np.int32)[column]


def write_pieces(file: File, pieces: Sequence[Piece]) -> File:
    """Writes down which pieces there are, in the order of the books."""
    listed = [[piece.book, piece.file.uri, piece.size, piece.codes] for piece in pieces]
    with file.write() as stream:
        stream.write(json.dumps(listed).encode())
    return file


def read_pieces(file: File) -> list[Piece]:
    """The pieces of :func:`write_pieces`."""
    with file.open() as stream:
        listed = json.loads(stream.read())
    return [Piece(book, File(uri, uri), size, codes) for book, uri, size, codes in listed]


@dataclass(frozen=True)
class Stepping:
    """A step in a part: files of its state and of what it is given → what it returns, and its state."""

    scratch: File
    step: Callable[..., Any]

    def __call__(self, names: tuple[str, str | None], attempt: int) -> tuple[Any, str]:
        state, given = names
        store = Store(self.scratch)
        part = store.load(state)
        returned = self.step(part) if given is None else self.step(part, store.load(given))
        return returned, store.save(part, f"{attempt}.part")


@dataclass(frozen=True)
class Totalling:
    """What a part adds up to. ``codes`` are those of all parts, without numbers."""

    causes: Sequence[tuple[Found, Cause]]
    agreement: Agreement
    codes: Codes

    def __call__(self, part: Part) -> Totals:
        codes = replace(self.codes, numbers=cast(dict[int, str], part.numbers))
        return totals_of(clearing_of(part, self.causes, self.agreement, codes))


@dataclass(frozen=True)
class Listing:
    """Writes the differences of a part, as CSV; the name of the file."""

    causes: Sequence[tuple[Found, Cause]]
    agreement: Agreement
    codes: Codes
    scratch: File
    target: File
    told: Told

    def __call__(self, names: tuple[str, str | None], attempt: int) -> str:
        part = Store(self.scratch).load(names[0])
        codes = replace(self.codes, numbers=cast(dict[int, str], part.numbers))
        name = f".{attempt}.csv"
        with (self.target / name).write() as stream:
            found = clearing_of(part, self.causes, self.agreement, codes)
            write_listing(found, self.told, stream)
        return name
