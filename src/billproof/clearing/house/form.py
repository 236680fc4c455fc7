"""The shape of the files with which operators clear on the chain (``docs/clearing.md``, section 9).

A side's book is its own secret until it is opened; a part and a netting are handed round to be signed. All
hold salts, so they are written for their owner alone (0600).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from billproof.clearing.settlement.form import Address, Hash, Operator, Period, Unsigned
from billproof.documents import fields
from billproof.documents.fields import pattern
from billproof.tariff.form import Currency

BOOK, PART, NETTING = "billproof/house-book/1", "billproof/net-amount/1", "billproof/netting/1"

Number32 = Annotated[int, Meta(ge=0, le=(1 << 32) - 1)]
Positive32 = Annotated[int, Meta(ge=1, le=(1 << 32) - 1)]
Whole = Annotated[int, Meta(ge=0, le=(1 << 53) - 1)]
Time = Annotated[int, Meta(ge=0, le=253_402_300_799, description="UTC seconds")]
Signature = Annotated[
    str,
    pattern(
        "0x([0-9a-f]{2})*",
        "a signature; some wallets' is empty",
        "write its bytes as hexadecimal digits after 0x",
    ),
    Meta(max_length=16_386),
]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, rename="camel"):
    """A JSON object with exactly the declared keys."""


class BatchForm(_Strict, frozen=True):
    """A batch of the book's operator in the clearing's period."""

    region: Number32
    sequence: Positive32


class BookFile(_Strict, frozen=True):
    """What opens a side's commitment. ``clearing`` and ``commitment`` follow from the rest."""

    schema: Literal["billproof/house-book/1"]
    chain_id: Unsigned
    ledger: Address
    operators: Annotated[list[Operator], Meta(min_length=2, max_length=2)]
    period: Period
    round: Positive32
    clearing: Hash
    operator: Operator
    batches: Annotated[list[BatchForm], Meta(min_length=1, max_length=32)]
    statements_hash: Hash
    salt: Hash
    commitment: Hash


class AmountForm(_Strict, frozen=True):
    """What opens an amount: in billionths of the currency; with a token, in its smallest unit."""

    currency: Currency
    amount: Unsigned
    salt: Hash
    token: Address | None = None
    decimals: Annotated[int, Meta(ge=0, le=77)] | None = None
    payee: Address | None = None


class AmendmentForm(_Strict, frozen=True):
    """The batch that holds a credit."""

    operator: Operator
    period: Period
    region: Number32
    sequence: Positive32


class SignatureForm(_Strict, frozen=True):
    """The signature of an operator's admin."""

    operator: Operator
    signature: Signature


class PartFile(_Strict, frozen=True):
    """A part for both admins to sign. ``clearing`` and ``amountCommitment`` follow from the rest."""

    schema: Literal["billproof/net-amount/1"]
    chain_id: Unsigned
    ledger: Address
    operators: Annotated[list[Operator], Meta(min_length=2, max_length=2)]
    period: Period
    round: Positive32
    clearing: Hash
    part: Positive32
    last: bool
    creditor: Operator
    amount: AmountForm
    amount_commitment: Hash
    document_hash: Hash
    nonces: Annotated[list[Whole], Meta(min_length=2, max_length=2)]
    deadline: Time
    signatures: Annotated[list[SignatureForm], Meta(max_length=2)]
    amendment: AmendmentForm | None = None


class ReplacedForm(_Strict, frozen=True):
    """An owed part that the netting replaces."""

    source: Hash
    number: Positive32
    creditor: Operator
    debtor: Operator
    amount: AmountForm
    amount_commitment: Hash


class NewForm(_Strict, frozen=True):
    """A part that comes of the netting; its source is the netting's id, its number its place from 1."""

    creditor: Operator
    debtor: Operator
    amount: AmountForm
    amount_commitment: Hash


class NettingFile(_Strict, frozen=True):
    """A netting for all admins of a ring to sign. Hashes follow from the rest."""

    schema: Literal["billproof/netting/1"]
    chain_id: Unsigned
    ledger: Address
    operators: Annotated[list[Operator], Meta(min_length=2, max_length=256)]
    replaced: Annotated[list[ReplacedForm], Meta(min_length=1, max_length=1024)]
    parts: Annotated[list[NewForm], Meta(max_length=1024)]
    document_hash: Hash
    nonces: list[Whole]
    deadline: Time
    signatures: Annotated[list[SignatureForm], Meta(max_length=256)]


def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema (2020-12) of each kind of file, by its name."""
    forms: dict[str, type[msgspec.Struct]] = {BOOK: BookFile, PART: PartFile, NETTING: NettingFile}
    return {name: fields.json_schema(form, name) for name, form in forms.items()}


def encoded(form: msgspec.Struct) -> bytes:
    """The file's bytes."""
    return msgspec.json.format(msgspec.json.encode(form), indent=2) + b"\n"
