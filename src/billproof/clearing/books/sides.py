"""Who is who in a clearing: whose book is whose, of which month, and who pays.

``docs/clearing.md``, section 1. Books are laid over each other the payee's first, whoever does it, so that
both operators find the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from billproof.clearing.agreement.agreement import Agreement, Party, month_of
from billproof.clearing.books.book import Book
from billproof.clearing.books.sources import BatchSource
from billproof.clearing.discounts.year import months_of
from billproof.errors import InputError

Of = TypeVar("Of")


@dataclass(frozen=True)
class Side:
    """An operator and its book. ``sources`` are statements in anchored batches, none of Parquet."""

    party: Party
    book: str
    sources: tuple[BatchSource, ...] = ()


@dataclass(frozen=True)
class Sides:
    """Both sides: the payee's, then the payer's. ``ours`` is the place of ours, 0 or 1.

    ``period`` (YYYYMM) is None where nothing tells it.
    """

    both: tuple[Side, Side]
    period: int | None
    ours: int

    @property
    def names(self) -> tuple[str, str]:
        """What the operators are called."""
        payee, payer = self.both
        return payee.party.name, payer.party.name

    def turned(self, pair: tuple[Of, Of]) -> tuple[Of, Of]:
        """What is ours and theirs as the payee's and the payer's, and the other way round."""
        return turned(pair, self.ours)


def turned(pair: tuple[Of, Of], ours: int) -> tuple[Of, Of]:
    """A pair, the other way round where ``ours`` is 1."""
    one, other = pair
    return (other, one) if ours else (one, other)


def sides_of(
    books: tuple[Book, Book],
    agreement: Agreement,
    *,
    operator: int | None = None,
    period: int | None = None,
    payer: int = 1,
) -> Sides:
    """Who is who, of ours and theirs; ``payer`` is which of them pays, 0 or 1.

    ``operator`` is whose book the first is, where batches do not tell it or to make sure. Raises
    :class:`InputError` where the books are not the two parties', of two periods or ledgers, or of another
    period than the one given.
    """
    sources = [tuple(book.sources.values()) for book in books]
    parties = _parties(books, agreement, operator)
    _same_ledger(books)
    found = {each.period for of in sources for each in of}
    if period is not None:
        found.add(period)
    if len(found) > 1:
        raise InputError(
            f"the books are of several months: {', '.join(map(month_of, sorted(found)))}",
            file=books[0].name,
            advice="Name the month with --month, and give books that have it.",
        )
    period = min(found, default=None)
    if period is not None and month_of(period) not in (months := months_of(agreement)):
        raise InputError(
            f"the agreement has no month {month_of(period)}",
            file=agreement.file or None,
            advice=f"It is of {months[0]} to {months[-1]}.",
        )
    one, other = (Side(party, book.name, of) for party, book, of in zip(parties, books, sources, strict=True))
    ours = 1 - payer
    return Sides(turned((one, other), ours), period, ours)


def _parties(books: tuple[Book, Book], agreement: Agreement, operator: int | None) -> tuple[Party, Party]:
    """The party of each book, as batches or ``operator`` tell it."""
    known = [_operator_of(book) for book in books]
    for number, book in zip((*known, operator), (*books, None), strict=True):
        if number is not None and number not in [party.operator for party in agreement.parties]:
            raise InputError(
                f"operator {number} is no party of the agreement",
                file=book.name if book else None,
                field=None if book else "--as",
                advice=_either(agreement),
            )
    if known[0] is not None and known[0] == known[1]:
        raise InputError(
            f"is operator {known[0]}'s as the first book is",
            file=books[1].name,
            advice="Lay the books of both operators over each other.",
        )
    for side, number in enumerate(known):
        told = number if side == 0 or number is None else agreement.other(number).operator
        if operator is not None and told is not None and told != operator:
            raise InputError(
                f"the batches say that our book is operator {told}'s",
                file=books[side].name,
                field="--as",
                advice="Leave --as out, or give the books the other way round.",
            )
        operator = told if operator is None else operator
    if operator is None:
        raise InputError(
            "whose books these are is not in them", field="--as", advice=f"Name ours. {_either(agreement)}"
        )
    return agreement.party(operator), agreement.other(operator)


def _either(agreement: Agreement) -> str:
    one, other = (f"{party.operator} ({party.name})" for party in agreement.parties)
    return f"Its parties are {one} and {other}."


def _operator_of(book: Book) -> int | None:
    """Whose book it is; None of files that name nobody. A book is of one operator."""
    return next((source.operator for source in book.sources.values()), None)


def _same_ledger(books: tuple[Book, Book]) -> None:
    found: Mapping[tuple[int, str], str] = {
        (source.chain_id, source.ledger.lower()): book.name
        for book in books
        for source in book.sources.values()
    }
    if len(found) > 1:
        (one, _), (other, name) = list(found.items())[:2]
        raise InputError(
            f"is of the ledger {other[1]} on chain {other[0]}, the other book of {one[1]} on chain {one[0]}",
            file=name,
            advice="Clear books of one ledger.",
        )
