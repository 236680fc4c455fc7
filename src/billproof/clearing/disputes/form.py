"""``billproof/disputes/1``: the shape of disputed records with their proofs, as JSON lines.

``docs/clearing.md``, section 7. The first line is the header, each other one a pair of records or one without
the other. Every line is written as msgspec's encoder does, and read only so.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar, cast

import msgspec
from msgspec import Meta

from billproof.bundle import documents as doc
from billproof.clearing.document.form import DisputeForm, KindWord, LedgerForm, Number
from billproof.clearing.pairs.differences import Kind
from billproof.clearing.settlement.form import AgreementName, Count, Name, Operator, Period, Signed
from billproof.documents import fields

SCHEMA = "billproof/disputes/1"

#: Longest lines that are written and read.
MAX_HEADER = 1 << 26
MAX_LINE = 1 << 16

#: Longest text of a record that is told, not proved.
MAX_TEXT = 1024

_PROOF = 32  # of a record: a statement has fewer than 2^32


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, rename="camel"):
    """A JSON object with exactly the declared keys."""


class StatementForm(_Strict, frozen=True):
    """A statement of a book, its account opened, and its way to the root of its batch."""

    region: doc.Unsigned
    sequence: doc.Unsigned
    account: doc.AccountOpening
    records_root: doc.Hash
    record_count: doc.Unsigned
    currency: doc.Currency
    tariff: doc.Hash
    totals: doc.Hash
    entry: doc.Entry


class SideForm(_Strict, frozen=True):
    """An operator and the statements that its book is made of; none where it cannot be proved."""

    operator: Operator
    name: Name
    statements: list[StatementForm]


class Header(_Strict, frozen=True):
    """What the lines are about. Money is in billionths of ``currency``. See section 7."""

    schema: Literal["billproof/disputes/1"]
    agreement: AgreementName
    currency: doc.Currency
    period: Period
    payer: Operator
    ledger: LedgerForm
    ours: SideForm
    theirs: SideForm
    disputes: list[DisputeForm]

    @property
    def sides(self) -> tuple[SideForm, SideForm]:
        """Ours and theirs."""
        return self.ours, self.theirs


class ProvedRecord(_Strict, frozen=True):
    """A line of a statement: what is hashed, and the salt of its number."""

    index: doc.Unsigned
    service: doc.Unsigned
    startedAt: doc.Unsigned
    utcOffset: doc.Signed
    usage: doc.Unsigned
    billedUsage: doc.Unsigned
    number: Annotated[str, Meta(max_length=128)]
    salt: doc.Hash
    network: doc.Network
    amount: doc.Signed
    rate: Annotated[str, Meta(max_length=512)]
    corrects: doc.Hash


class Proved(_Strict, frozen=True):
    """A record with its way to the records root of one of its side's statements, by place in the header."""

    statement: Count
    record: ProvedRecord
    proof: Annotated[list[doc.Hash], Meta(max_length=_PROOF)]


class Told(_Strict, frozen=True):
    """A record of a book that cannot be proved, as it was booked."""

    service: doc.Unsigned
    startedAt: doc.Signed
    usage: doc.Signed
    billedUsage: doc.Signed
    number: Annotated[str, Meta(max_length=MAX_TEXT)]
    network: Annotated[str, Meta(max_length=MAX_TEXT)]
    amount: doc.Signed
    currency: doc.Currency
    rate: Annotated[str, Meta(max_length=MAX_TEXT)]


Ours = TypeVar("Ours")
Theirs = TypeVar("Theirs")


class Line(_Strict, Generic[Ours, Theirs], frozen=True):
    """A disputed pair, or a record without one. ``money`` is ours less theirs; ``number`` is a dispute's.

    Claims are what either side's amount has beyond what is in both, 0 where they are left out.
    """

    number: Number
    kinds: Annotated[list[KindWord], Meta(min_length=1, max_length=8)]
    money: Signed
    our_claim: Signed = "0"
    their_claim: Signed = "0"
    ours: Ours | None = None
    theirs: Theirs | None = None
    our_double: Ours | None = None
    their_double: Theirs | None = None

    @property
    def claims(self) -> tuple[int, int]:
        """What we claim, and what they do."""
        return int(self.our_claim), int(self.their_claim)

    @property
    def doubles(self) -> tuple[Ours | None, Theirs | None]:
        """Of a duplicate the record that it is a copy of, in the same book."""
        return self.our_double, self.their_double

    @property
    def sides(self) -> tuple[Ours | None, Theirs | None]:
        """Our record and theirs."""
        return self.ours, self.theirs


def words_of(bits: int) -> list[str]:
    """The kinds of a pair or record in words, in their order."""
    return [kind.word for kind in Kind if bits & 1 << kind]


def kind_of_line(header: Header) -> Any:
    """The type of the lines below a header: each side's records are proved or not."""
    ours, theirs = (Proved if side.statements else Told for side in header.sides)
    return Line[ours, theirs]  # type: ignore[valid-type]


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a line of the file: the header, or a record or two."""
    header = fields.json_schema(Header, SCHEMA)
    lines = fields.json_schema(cast("type[msgspec.Struct]", Line[Proved, Told]), SCHEMA)["$defs"]
    (line,) = (lines.pop(name) for name in list(lines) if name.startswith("Line"))
    for side in ("ours", "theirs", "ourDouble", "theirDouble"):
        line["properties"][side] = {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in ("Proved", "Told")]}
    first = header.pop("$ref")
    return {
        **header,
        "oneOf": [{"$ref": first}, {"$ref": "#/$defs/Line"}],
        "$defs": {"Line": {**line, "title": "Line"}, **lines, **header["$defs"]},
    }
