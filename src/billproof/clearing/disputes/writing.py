"""A clearing → its disputed records with both sides' inclusion proofs, as ``billproof/disputes/1``.

``docs/clearing.md``, section 7. What is disputed is what the clearing's document says: every pair and every
record without one that has money at stake beyond the tolerance.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billproof.bundle.text import Template, integers, texts, values
from billproof.clearing.books.book import Book, Codes
from billproof.clearing.books.sides import Sides, turned
from billproof.clearing.clearing import Clearing
from billproof.clearing.disputes import form
from billproof.clearing.disputes.evidence import Statement, open_statement
from billproof.clearing.document.form import File, LedgerForm
from billproof.clearing.kernel import Ints
from billproof.clearing.pairs.differences import FREE, claims_of
from billproof.commitment.structs import TOTALS, hash_one
from billproof.errors import InputError
from billproof.files import replacing

#: What is told of long work: step, done, total.
Progress = Callable[[str, int, int], None]

_LINES = 1 << 12
_NONE = -1
_TOLD = Template.one_line(form.Told)
_RECORD = Template.one_line(form.ProvedRecord)


@dataclass(frozen=True)
class Disputed:
    """What is disputed, in columns: n pairs or records without one, by number. ``-1`` is no record."""

    number: Ints  # of the document's causes and findings
    kinds: NDArray[np.uint16]  # bits 1 << Kind
    claims: tuple[Ints, Ints]  # what either side claims, ours first; never 0 both
    ours: Ints  # places in our book
    theirs: Ints
    double: Ints  # of a duplicate, the place in its book of the record that it is a copy of

    def __len__(self) -> int:
        return len(self.number)

    @property
    def money(self) -> Ints:
        """Ours less theirs."""
        return self.claims[0] - self.claims[1]

    @property
    def sides(self) -> tuple[Ints, Ints]:
        """Places in both books."""
        return self.ours, self.theirs

    @property
    def doubles(self) -> tuple[Ints, Ints]:
        """Places in both books of what duplicates are copies of."""
        return np.where(self.theirs == _NONE, self.double, _NONE), np.where(
            self.ours == _NONE, self.double, _NONE
        )


def disputed_of(clearing: Clearing, document: File) -> Disputed:
    """The disputed pairs and records of a clearing, in the order of the document's numbers.

    The clearing has the payee's book first, the document's ours may be either.
    """
    pairs, found = clearing.pairs, clearing.differences
    paying = found.paying
    numbers = np.zeros(len(pairs.ours), np.int64), *(np.zeros(len(book), np.int64) for book in clearing.books)
    for number, cause in enumerate(clearing.explained.causes, 1):
        rows = cause.rows if cause.side is not None else cause.rows[paying[cause.rows] == cause.kind]
        numbers[0 if cause.side is None else 1 + cause.side][rows] = number
    ours = 1 if document.payer == document.ours.operator else 0
    sides = {None: "both", ours: "ours", 1 - ours: "theirs"}
    told = {(each.kind, str(each.side)): each.number for each in document.findings}
    for (kind, side), rows in clearing.explained.findings.items():
        rows = rows if side is not None else rows[paying[rows] == kind]
        numbers[0 if side is None else 1 + side][rows] = told[kind.word, sides[side]]
    claimed = (paying >= 0) & ~np.isin(paying, FREE) & (found.money != 0)
    at = np.flatnonzero(claimed)
    both = pairs.ours[at], pairs.theirs[at]
    claims = claims_of(clearing.books[0].settled[both[0]], clearing.books[1].settled[both[1]])
    parts = [(numbers[0][at], found.kinds[at], *claims, *both, np.full(len(at), _NONE))]
    for side, rows in enumerate((pairs.ours_left, pairs.theirs_left)):
        settled = clearing.books[side].settled[rows]
        some = settled != 0
        rows, kinds = rows[some], np.uint16(1) << found.left[side][some].astype(np.uint16)
        none = np.full(len(rows), _NONE)
        claims = turned((settled[some], np.zeros_like(settled[some])), side)
        both = turned((rows, none), side)
        parts.append((numbers[1 + side][rows], kinds, *claims, *both, pairs.copies[side][some]))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    for pair in (2, 4):
        columns[pair : pair + 2] = turned((columns[pair], columns[pair + 1]), ours)
    order = np.lexsort((columns[5], columns[4], columns[0]))
    of, bits, mine, other, *places = (column[order] for column in columns)
    return Disputed(of, bits, (mine, other), *places)


def write_disputes(
    path: Path,
    clearing: Clearing,
    document: File,
    sides: Sides,
    *,
    secrets: Path | None = None,
    progress: Progress = lambda step, done, total: None,
) -> int:
    """Writes the disputed records of a clearing with their proofs; returns how many there are.

    ``secrets`` is the directory of the secrets of those sides whose book is a store. Statements are hashed
    one after another; what was proved of them waits in an unnamed file beside ``path``. Raises
    :class:`InputError` where neither book has proofs, or a store's are asked for without its secrets.
    """
    disputed = disputed_of(clearing, document)
    if not any(side.sources for side in sides.both):
        raise InputError(
            "neither book has inclusion proofs",
            file=path,
            field="--proofs",
            advice="Give books from stores or proof files, at least one of them.",
        )
    with (
        replacing(path, mode=0o600) as partial,
        partial.open("wb") as stream,
        tempfile.TemporaryFile(dir=path.parent) as first,
        tempfile.TemporaryFile(dir=path.parent) as second,
    ):
        books = sides.turned(clearing.books)
        told = _Told(progress, sum(len(book) for book in clearing.books if book.sources))
        proved = [
            _prove(file, book, np.union1d(rows, doubles), clearing.codes, secrets, told)
            for file, book, rows, doubles in zip(
                (first, second), books, disputed.sides, disputed.doubles, strict=True
            )
        ]
        header = _header(document, sides, [statements for statements, _ in proved])
        encoded = msgspec.json.encode(header)
        if len(encoded) >= form.MAX_HEADER:
            raise InputError(
                "the header would be too long", file=path, advice="Clear fewer batches at a time."
            )
        stream.write(encoded + b"\n")
        for begin in range(0, len(disputed), _LINES):
            part = slice(begin, begin + _LINES)
            stream.write(b"".join(_lines(disputed, part, [text for _, text in proved])))
            progress("disputed records", min(part.stop, len(disputed)), len(disputed))
    return len(disputed)


@dataclass
class _Told:
    """How many records of all statements were hashed."""

    progress: Progress
    total: int
    done: int = 0

    def __call__(self, count: int) -> None:
        self.done += count
        self.progress("records", self.done, self.total)


@dataclass(frozen=True)
class _Texts:
    """Texts of a book's disputed records, in a file; ``places`` are sorted."""

    places: Ints  # in the book
    begins: Ints
    ends: Ints
    content: mmap | bytes

    def of(self, places: Ints) -> list[bytes]:
        """The texts of places, empty where there is no record."""
        at = np.searchsorted(self.places, places)
        at[places == _NONE] = _NONE
        begins, ends = (np.append(column, 0)[at].tolist() for column in (self.begins, self.ends))
        return [self.content[begin:end] for begin, end in zip(begins, ends, strict=True)]


def _prove(
    file: IO[bytes], book: Book, places: Ints, codes: Codes, secrets: Path | None, told: _Told
) -> tuple[list[form.StatementForm], _Texts]:
    """A side's statements, and the texts of its records at ``places``, which are written to ``file``."""
    places = places[places != _NONE]
    begins, ends = np.zeros((2, len(places)), np.int64)
    statements: list[form.StatementForm] = []
    written = 0

    def write(at: Ints, column: pa.LargeStringArray) -> None:
        nonlocal written
        content, offsets = values(column)
        file.write(content[offsets[0] : offsets[-1]])
        begins[at] = written + offsets[:-1] - offsets[0]
        ends[at] = written + offsets[1:] - offsets[0]
        written += int(offsets[-1] - offsets[0])

    for code, source in book.sources.items():
        statement = open_statement(source, secrets)
        first, *rest = _RECORD.around(f'{{"statement":{len(statements)},"record":', ',"proof":').pieces
        template = Template((first, *rest, "proof", "}"))
        statements.append(_statement(statement))
        here = np.flatnonzero(book.batch[places] == code)
        index = book.row[places[here]] - source.first
        order = np.argsort(index)
        here, index, done = here[order], index[order], 0
        if not len(here):
            told(statement.count)
            continue
        for columns in statement.proved(index, told):
            filled = template.fill(columns)
            write(here[done : done + len(filled)], filled)
            done += len(filled)
    if not book.sources:
        for begin in range(0, len(places), _LINES):
            at = np.arange(begin, min(begin + _LINES, len(places)))
            write(at, _TOLD.fill(_booked(book, places[at], codes)))
    file.flush()
    content = mmap(file.fileno(), 0, access=ACCESS_READ) if written else b""
    return statements, _Texts(places, begins, ends, content)


def _booked(book: Book, at: Ints, codes: Codes) -> dict[str, pa.Array]:
    """Records of a book as text by field."""

    def told(name: str, found: list[str]) -> pa.Array:
        if max(map(len, found)) > form.MAX_TEXT:
            message = f"has a text of more than {form.MAX_TEXT} characters"
            raise InputError(message, file=book.name, field=name, advice="Such records cannot be told.")
        return texts(pa.array(found, pa.string()))

    def coded(name: str, known: list[str]) -> pa.Array:
        return told(name, [known[code] for code in getattr(book, name)[at].tolist()])

    return {
        "service": integers(book.service[at]),
        "startedAt": integers(book.started_at[at]),
        "usage": integers(book.usage[at]),
        "billedUsage": integers(book.billed_usage[at]),
        "number": told("number", list(map(codes.number, book.number[at].tolist()))),
        "network": coded("network", codes.networks.texts),
        "amount": integers(book.amount[at]),
        "currency": coded("currency", codes.currencies.texts),
        "rate": coded("rate", codes.rates.texts),
    }


def _header(document: File, sides: Sides, statements: list[list[form.StatementForm]]) -> form.Header:
    ledger = next(source for side in sides.both for source in side.sources)
    ours, theirs = (
        form.SideForm(side.party.operator, side.party.name, of)
        for side, of in zip(sides.turned(sides.both), statements, strict=True)
    )
    return form.Header(
        schema="billproof/disputes/1",
        agreement=document.agreement,
        currency=document.settlement,
        period=str(sides.period),
        payer=document.payer,
        ledger=LedgerForm(str(ledger.chain_id), ledger.ledger),
        ours=ours,
        theirs=theirs,
        disputes=document.disputes,
    )


def _statement(statement: Statement) -> form.StatementForm:
    frame = statement.frame
    fields = frame.statement
    totals: dict[str, int | bytes | str] = {
        "total": int(fields.total),
        "salt": bytes.fromhex(fields.totalSalt[2:]),
    }
    return form.StatementForm(
        region=frame.batch.region,
        sequence=frame.batch.sequence,
        account=frame.account,
        records_root=fields.recordsRoot,
        record_count=fields.recordCount,
        currency=fields.currency,
        tariff=fields.tariff,
        totals="0x" + hash_one(TOTALS, totals).hex(),
        entry=frame.entry,
    )


def _lines(disputed: Disputed, part: slice, proved: list[_Texts]) -> Iterator[bytes]:
    kinds = disputed.kinds[part]
    words = {bits: msgspec.json.encode(form.words_of(bits)) for bits in np.unique(kinds).tolist()}
    ours, theirs = (texts.of(rows[part]) for texts, rows in zip(proved, disputed.sides, strict=True))
    our_doubles, their_doubles = (
        texts.of(rows[part]) for texts, rows in zip(proved, disputed.doubles, strict=True)
    )
    money, claims = disputed.money[part], [of[part].tolist() for of in disputed.claims]
    columns: tuple[Any, ...] = (disputed.number[part].tolist(), kinds.tolist(), money.tolist(), *claims)
    names = (b"ours", b"theirs", b"ourDouble", b"theirDouble")
    of_lines = zip(*columns, ours, theirs, our_doubles, their_doubles, strict=True)
    for number, bits, difference, our_claim, their_claim, *records in of_lines:
        yield b'{"number":%d,"kinds":%b,"money":"%d"' % (number, words[bits], difference)
        for name, claim in ((b"ourClaim", our_claim), (b"theirClaim", their_claim)):
            if claim:
                yield b',"%b":"%d"' % (name, claim)
        for name, record in zip(names, records, strict=True):
            if record:
                yield b',"%b":%b' % (name, record)
        yield b"}\n"
