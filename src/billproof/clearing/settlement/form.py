"""``settlement.json``: a settlement → the document that both sides sign (``docs/clearing.md``, section 7)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from billproof.clearing.settlement import settlement as model
from billproof.commitment.keccak import keccak
from billproof.documents import fields
from billproof.documents.fields import pattern
from billproof.tariff import values
from billproof.tariff.form import Currency, Day, Mode, UsageService

SCHEMA = "billproof/settlement/1"
#: Claims have no volumes: their traffic counts for discounts where both operators add it to the next month's.
VOLUMES: Literal["accepted claims add none to the year to date"] = (
    "accepted claims add none to the year to date"
)

Operator = Annotated[int, Meta(ge=1, le=(1 << 53) - 1)]
Count = Annotated[int, Meta(ge=0, le=(1 << 53) - 1)]
_TEXT = "billionths of the settlement currency, canonical decimal"
Signed = Annotated[str, pattern("(0|-?[1-9][0-9]{0,29})", _TEXT, "write whole billionths in quotes")]
Unsigned = Annotated[
    str, pattern("(0|[1-9][0-9]{0,29})", "an integer, canonical decimal", "write an integer in quotes")
]
Ratio = Annotated[
    str,
    pattern(
        "[1-9][0-9]{0,39}(/[1-9][0-9]{0,39})?",
        "an exact fraction, in lowest terms",
        'write a fraction in quotes: "5917/5000"',
    ),
]
Hash = Annotated[str, pattern("0x[0-9a-f]{64}", "32 bytes", "write 64 hexadecimal digits after 0x")]
Address = Annotated[str, pattern("0x[0-9a-f]{40}", "20 bytes", "write 40 hexadecimal digits after 0x")]
Period = Annotated[str, pattern("[2-9][0-9]{3}(0[1-9]|1[0-2])", "a month, YYYYMM", 'write "202603"')]
Words = Annotated[str, Meta(min_length=1, max_length=1000)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True, rename="camel"):
    """A JSON object with exactly the declared keys."""


class AgreementName(_Strict, frozen=True):
    """The agreement, by the keccak256 of its file."""

    name: Name
    hash: Hash


class PartyForm(_Strict, frozen=True):
    """One of the two operators; ``currency`` is that of its books."""

    operator: Operator
    name: Name
    currency: Currency


class NetForm(_Strict, frozen=True):
    """The one payment that is left."""

    payer: Operator
    payee: Operator
    amount: Unsigned


class DirectionForm(_Strict, frozen=True):
    """What one operator pays: records, adjustments by discount models, accepted claims, and all of it."""

    payer: Operator
    records: Signed
    adjustments: Signed
    total: Signed
    claims: Signed = "0"


class RoundingForm(_Strict, frozen=True):
    """How the net amount was rounded."""

    mode: Mode
    decimals: Annotated[int, Meta(ge=0, le=9)]


class AmountForm(_Strict, frozen=True):
    """What agreed records of one direction and service add up to."""

    payer: Operator
    service: UsageService | Literal["recurring", "one-off", "discount", "tax", "credit", "rounding"]
    records: Count
    volume: Unsigned
    amount: Signed


class ChargeForm(_Strict, frozen=True):
    """What a discount model charges: of the year to date, the month's share, and beside what is booked.

    Or the shortfall of a commitment over several ``models``: ``model`` is its name, and nothing is booked.
    """

    payer: Operator
    model: Name
    to_date: Signed
    share: Signed
    shortfall: Unsigned
    open: Unsigned
    booked: Signed
    adjustment: Signed
    models: list[Name] = []


class DisputeForm(_Strict, frozen=True):
    """A cause whose money stays open until its deadline: what one side claims, a debt or below 0 a credit."""

    number: Count
    kind: Name
    words: Words
    claimant: Operator
    payer: Operator
    count: Count
    amount: Signed
    deadline: Day


class ResolvedForm(_Strict, frozen=True):
    """A claim that is open no more: what was claimed, and what of it was accepted and is paid now."""

    number: Count
    kind: Name
    words: Words
    claimant: Operator
    payer: Operator
    count: Count
    outcome: Literal["accepted", "rejected", "withdrawn"]
    claimed: Signed
    accepted: Signed
    deadline: Day


class YearForm(_Strict, frozen=True):
    """The agreement's months up to this one: of which volumes are known, and which are taken as without."""

    covered: Annotated[list[Period], Meta(min_length=1, max_length=12)]
    missing: Annotated[list[Period], Meta(max_length=11)] = []


class LedgerForm(_Strict, frozen=True):
    """Where the batches' roots stand."""

    chain_id: Unsigned
    address: Address


class BatchForm(_Strict, frozen=True):
    """A batch that a book was taken from."""

    operator: Operator
    period: Period
    region: Unsigned
    sequence: Unsigned
    root: Hash


class File(_Strict, frozen=True):
    """What two operators settle of a period. Money is in billionths. See ``docs/clearing.md``."""

    schema: Literal["billproof/settlement/1"]
    net: NetForm
    currency: Currency
    kind: Literal["undisputed", "disputed"]
    period: Period
    round: Annotated[int, Meta(ge=1, le=(1 << 32) - 1)]
    issued: Day
    due: Day
    agreement: AgreementName
    parties: Annotated[list[PartyForm], Meta(min_length=2, max_length=2)]
    directions: Annotated[list[DirectionForm], Meta(min_length=2, max_length=2)]
    rounding: RoundingForm
    exchange: dict[Currency, Ratio]
    amounts: list[AmountForm]
    charges: list[ChargeForm]
    disputes: list[DisputeForm]
    batches: list[BatchForm]
    ledger: LedgerForm | None = None
    year: YearForm | None = None
    continues: Hash | None = None
    resolved: list[ResolvedForm] = []
    volumes: Literal["accepted claims add none to the year to date"] | None = None


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the document."""
    return fields.json_schema(File, SCHEMA)


def document(settlement: model.Settlement) -> bytes:
    """The document; the same settlement gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(form_of(settlement)), indent=2) + b"\n"


def document_hash(content: bytes) -> bytes:
    """The keccak256 that both sides sign (``documentHash`` of section 8)."""
    return keccak(content)


def form_of(settlement: model.Settlement) -> File:
    """The settlement in the document's shape."""
    net = settlement.net
    return File(
        schema="billproof/settlement/1",
        net=NetForm(net.payer.operator, net.payee.operator, str(net.amount)),
        currency=settlement.currency,
        kind="disputed" if settlement.kind == "disputed" else "undisputed",
        period=str(settlement.period),
        round=settlement.round,
        issued=settlement.issued,
        due=settlement.due,
        agreement=AgreementName(settlement.agreement, "0x" + settlement.agreement_hash.hex()),
        parties=[PartyForm(each.operator, each.name, each.currency) for each in settlement.parties],
        directions=[
            DirectionForm(
                each.payer.operator,
                str(each.records),
                str(each.adjustments),
                str(each.total),
                str(each.claims),
            )
            for each in settlement.directions
        ],
        rounding=RoundingForm(settlement.rounding.mode, settlement.rounding.decimals),  # type: ignore[arg-type]
        exchange={currency: str(rate) for currency, rate in sorted(settlement.exchange.items())},
        amounts=[
            AmountForm(
                each.payer,
                values.word_of(each.service),  # type: ignore[arg-type]
                each.records,
                str(each.volume),
                str(each.amount),
            )
            for each in settlement.amounts
        ],
        charges=[
            ChargeForm(
                each.payer,
                each.model,
                str(each.to_date),
                str(each.share),
                str(each.shortfall),
                str(each.open),
                str(each.booked),
                str(each.adjustment),
                list(each.over),
            )
            for each in settlement.charges
        ],
        disputes=[
            DisputeForm(
                each.number,
                each.kind,
                each.words,
                each.claimant,
                each.payer,
                each.count,
                str(each.amount),
                each.deadline,
            )
            for each in settlement.disputes
        ],
        batches=[
            BatchForm(
                each.operator,
                str(each.period),
                str(each.region),
                str(each.sequence),
                "0x" + each.root.hex(),
            )
            for each in settlement.batches
        ],
        ledger=None
        if settlement.chain_id is None or settlement.ledger is None
        else LedgerForm(str(settlement.chain_id), settlement.ledger),
        year=None
        if settlement.year is None
        else YearForm(list(map(str, settlement.year.covered)), list(map(str, settlement.year.missing))),
        continues=None if settlement.continues is None else "0x" + settlement.continues.hex(),
        resolved=[_resolved(each) for each in settlement.resolved],
        volumes=None if settlement.continues is None else VOLUMES,
    )


def _resolved(of: model.Resolved) -> ResolvedForm:
    claim = of.claim
    return ResolvedForm(
        claim.number,
        claim.kind,
        claim.words,
        claim.claimant,
        claim.payer,
        claim.count,
        of.outcome,  # type: ignore[arg-type]
        str(claim.amount),
        str(of.accepted),
        claim.deadline,
    )
