"""``billproof/clear/1``: the shape of what a clearing has found, as it is printed and handed on.

``docs/clearing.md``, section 1. What its types cannot say (that it adds up) :mod:`document_reading` checks.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from billproof.clearing.pairs.differences import Kind
from billproof.clearing.settlement.form import (
    Address,
    AgreementName,
    Count,
    Hash,
    Name,
    Operator,
    Period,
    Signed,
    Unsigned,
    Words,
)
from billproof.documents import fields
from billproof.documents.fields import pattern
from billproof.tariff.form import AnyService, Currency, Day

SCHEMA = "billproof/clear/1"

#: The pairs that agree, beside the kinds of those that differ.
AGREED = "agreed"
KINDS = tuple(kind.word for kind in Kind)
SIDES = ("ours", "theirs")

KindWord = Annotated[
    str, pattern(f"({'|'.join(KINDS)})", "a kind of difference", f"write one of {', '.join(KINDS)}")
]
_ANY = (AGREED, *KINDS)
MoneyOf = Annotated[
    str, pattern(f"({'|'.join(_ANY)})", "a kind of difference, or agreed", f"write one of {', '.join(_ANY)}")
]
Number = Annotated[int, Meta(ge=1, le=(1 << 53) - 1)]
Text = Annotated[str, Meta(max_length=4096)]
Second = Annotated[int, Meta(ge=0, le=253_402_300_799, description="UTC, from 1970 to 9999")]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, rename="camel"):
    """A JSON object with exactly the declared keys."""


class LedgerForm(_Strict, frozen=True):
    """Where batches are anchored."""

    chain_id: Unsigned
    address: Address


class BatchForm(_Strict, frozen=True):
    """A batch that a book was taken from."""

    period: Period
    region: Unsigned
    sequence: Unsigned
    root: Hash


class SideForm(_Strict, frozen=True):
    """An operator and its book. Without a ledger there are no batches: the book is of files not anchored.

    ``total`` is what is undisputed, claimed by this side, and ``tolerated``: of pairs that nothing is claimed
    of, what its amounts have beyond the undisputed one.
    """

    operator: Operator
    name: Name
    book: Text
    records: Count
    total: Signed
    unpaired: Count
    tolerated: Signed
    batches: list[BatchForm]
    ledger: LedgerForm | None = None


class TrafficForm(_Strict, frozen=True):
    """The pairs of a service and route: the lower billed usage of each, and what of amounts is in both."""

    service: AnyService
    route: Name
    records: Count
    volume: Unsigned
    amount: Signed


class BookForm(_Strict, frozen=True):
    """Records of one book, and what they add up to."""

    records: Count
    total: Signed


class DayForm(_Strict, frozen=True):
    """Both books of a day of UTC; the difference by the kind that it belongs to."""

    day: Day
    ours: BookForm
    theirs: BookForm
    pairs: Count
    agreed: Count
    undisputed: Signed
    at_stake: dict[MoneyOf, Signed]


class RouteForm(_Strict, frozen=True):
    """The same of a route or zone of the agreement, or elsewhere."""

    route: Name
    ours: BookForm
    theirs: BookForm
    pairs: Count
    agreed: Count
    undisputed: Signed
    at_stake: dict[MoneyOf, Signed]


class ServiceForm(_Strict, frozen=True):
    """The same of a service, with its undisputed volume."""

    service: AnyService
    volume: Unsigned
    ours: BookForm
    theirs: BookForm
    pairs: Count
    agreed: Count
    undisputed: Signed
    at_stake: dict[MoneyOf, Signed]


class RecordForm(_Strict, frozen=True):
    """A record of a book, and its place in its batch or file. The amount is in its own currency."""

    batch: Text
    row: Count
    service: AnyService
    started_at: Second
    number: Text
    usage: Signed
    billed_usage: Signed
    amount: Signed
    currency: Currency


class ExampleForm(_Strict, frozen=True):
    """A pair of records, or one without the other."""

    ours: RecordForm | None = None
    theirs: RecordForm | None = None


class CauseForm(_Strict, frozen=True):
    """One reason of many differences. ``what`` are its parameters, by kind.

    ``from`` and ``until`` are the days it began and ended on: none where it was always so, no end where it
    lasts.
    """

    number: Number
    kind: KindWord
    words: Words
    side: Literal["both", "ours", "theirs"]
    services: list[AnyService]
    dimension: Name
    value: Text
    what: dict[str, int | float | str | list[int]]
    count: Number
    money: Signed
    examples: Annotated[list[ExampleForm], Meta(min_length=1, max_length=3)]
    from_: Day | None = msgspec.field(name="from", default=None)
    until: Day | None = None


class FindingForm(_Strict, frozen=True):
    """Differences of a kind that no cause explains; numbers go on after those of causes."""

    number: Number
    kind: KindWord
    words: Words
    side: Literal["both", "ours", "theirs"]
    count: Number
    money: Signed
    examples: Annotated[list[ExampleForm], Meta(min_length=1, max_length=3)]


class DisputeForm(_Strict, frozen=True):
    """What one side claims of a cause or finding (``number``): of how many records how much.

    A debt, or below 0 a credit: what its amounts have beyond the undisputed ones.
    """

    number: Number
    kind: KindWord
    words: Words
    claimant: Operator
    count: Number
    amount: Signed


class File(_Strict, frozen=True, kw_only=True):
    """What laying two books over each other has found. Money: billionths of the currency ``settlement``."""

    schema: Literal["billproof/clear/1"]
    agreement: AgreementName
    settlement: Currency
    period: Period | None = None
    payer: Operator
    ours: SideForm
    theirs: SideForm
    difference: Signed
    pairs: Count
    agreed: Count
    at_stake: dict[MoneyOf, Signed]
    counts: dict[KindWord, Count]
    traffic: list[TrafficForm]
    days: list[DayForm]
    routes: list[RouteForm]
    services: list[ServiceForm]
    causes: list[CauseForm]
    findings: list[FindingForm]
    disputes: list[DisputeForm]

    @property
    def sides(self) -> tuple[SideForm, SideForm]:
        """Ours and theirs."""
        return self.ours, self.theirs


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the document."""
    return fields.json_schema(File, SCHEMA)


def tree_of(file: File) -> dict[str, Any]:
    """The document as a tree of JSON."""
    tree: dict[str, Any] = msgspec.to_builtins(file)
    return tree
