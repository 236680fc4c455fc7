"""``settlement.json`` → a settlement, or an error that says which line and why.

Checked is what can be without the books: that everything is a party's, and that it adds up.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path as FilePath
from typing import Any

import msgspec

from billproof.clearing.agreement.agreement import Party, Rounding
from billproof.clearing.settlement import form
from billproof.clearing.settlement import settlement as model
from billproof.clearing.settlement.checks import check_claims, check_kind, check_year
from billproof.clearing.settlement.form import form_of
from billproof.clearing.settlement.sound import check_sound
from billproof.documents import source as documents
from billproof.documents.positions import Path
from billproof.documents.shape import shaped
from billproof.tariff import values


class SettlementError(documents.DocumentError):
    """A settlement that cannot be used: names file, line and key, and says what is wrong."""


KIND = documents.Kind(
    "a settlement", "see docs/clearing.md, section 7", form.SCHEMA, form.File, SettlementError
)


def load_settlement(source: FilePath | str | bytes, *, name: str = "") -> model.Settlement:
    """The settlement in a document; raises :class:`SettlementError` where it does not add up."""
    return _loaded(documents.read(source, KIND, name))


def load_document(path: FilePath) -> tuple[model.Settlement, bytes]:
    """The settlement in a file and the file's hash; refuses bytes other than :func:`document` would write.

    Otherwise one settlement could have many hashes, and two sides sign different ones.
    """
    source = documents.read(path, KIND)
    found = _loaded(source)
    if source.content != form.document(found):
        raise source.error(
            (), "is not written as settlements are", "Have it made again: its bytes are what is signed."
        )
    return found, form.document_hash(source.content)


def _loaded(source: documents.Source[form.File]) -> model.Settlement:
    file = shaped(source)
    _check(source, file)
    return _settlement(file)


def _settlement(file: form.File) -> model.Settlement:
    one, other = (Party(each.operator, each.name, each.currency) for each in file.parties)
    return model.Settlement(
        agreement=file.agreement.name,
        agreement_hash=bytes.fromhex(file.agreement.hash[2:]),
        parties=(one, other),
        currency=file.currency,
        exchange={currency: Fraction(text) for currency, text in file.exchange.items()},
        rounding=Rounding(file.rounding.mode, file.rounding.decimals),
        period=int(file.period),
        issued=file.issued,
        due=file.due,
        round=file.round,
        kind=file.kind,
        amounts=tuple(
            model.Amount(
                each.payer,
                values.service_of(each.service),
                each.records,
                int(each.volume),
                int(each.amount),
            )
            for each in file.amounts
        ),
        charges=tuple(
            model.Charge(
                each.payer,
                each.model,
                int(each.to_date),
                int(each.share),
                int(each.shortfall),
                int(each.open),
                int(each.booked),
                tuple(each.models),
            )
            for each in file.charges
        ),
        disputes=tuple(_claim(each, each.amount) for each in file.disputes),
        batches=tuple(
            model.BatchReference(
                each.operator,
                int(each.period),
                int(each.region),
                int(each.sequence),
                bytes.fromhex(each.root[2:]),
            )
            for each in file.batches
        ),
        chain_id=None if file.ledger is None else int(file.ledger.chain_id),
        ledger=None if file.ledger is None else file.ledger.address,
        year=None
        if file.year is None
        else model.Year(tuple(map(int, file.year.covered)), tuple(map(int, file.year.missing))),
        continues=None if file.continues is None else bytes.fromhex(file.continues[2:]),
        resolved=tuple(
            model.Resolved(_claim(each, each.claimed), each.outcome, int(each.accepted))
            for each in file.resolved
        ),
    )


def _claim(each: form.DisputeForm | form.ResolvedForm, amount: str) -> model.Dispute:
    return model.Dispute(
        each.number,
        each.kind,
        each.words,
        each.claimant,
        each.payer,
        each.count,
        int(amount),
        each.deadline,
    )


def _check(source: documents.Source[form.File], file: form.File) -> None:
    """Raises for what no shape says: strangers, days that are none, things told twice, sums."""
    one, other = (each.operator for each in file.parties)
    if one >= other:
        raise source.error(
            ("parties", 1, "operator"), "is not above the first", "put the smaller number first"
        )
    for table, key in (
        ("amounts", "payer"),
        ("charges", "payer"),
        ("disputes", "claimant"),
        ("disputes", "payer"),
        ("resolved", "claimant"),
        ("resolved", "payer"),
        ("batches", "operator"),
    ):
        for at, each in enumerate(getattr(file, table)):
            if getattr(each, key) not in (one, other):
                raise source.error((table, at, key), "is no party", f"write {one} or {other}")
    _check_once(source, file)
    _check_commitments(source, file)
    check_kind(source, file)
    check_claims(source, file)
    check_year(source, file)
    for currency, rate in file.exchange.items():
        if str(Fraction(rate)) != rate:
            raise source.error(("exchange", currency), "is not in lowest terms", f'write "{Fraction(rate)}"')
    days: list[tuple[Path, str]] = [(("issued",), file.issued), (("due",), file.due)]
    days += [(("disputes", at, "deadline"), each.deadline) for at, each in enumerate(file.disputes)]
    days += [(("resolved", at, "deadline"), each.deadline) for at, each in enumerate(file.resolved)]
    for path, day in days:
        try:
            date.fromisoformat(day)
        except ValueError:
            raise source.error(path, f"there is no day {day}", 'write "YYYY-MM-DD"') from None
    expected = form_of(_settlement(file))
    sums: list[tuple[Path, Any, Any]] = [(("net",), file.net, expected.net)]
    sums += [
        (("directions", at), *both)
        for at, both in enumerate(zip(file.directions, expected.directions, strict=True))
    ]
    sums += [
        (("charges", at), *both) for at, both in enumerate(zip(file.charges, expected.charges, strict=True))
    ]
    for path, given, computed in sums:
        if given != computed:
            what = msgspec.json.encode(computed).decode()
            raise source.error(
                path, f"does not add up: the entries come to {what}", "have the document made again"
            )
    check_sound(source, file)


def _check_commitments(source: documents.Source[form.File], file: form.File) -> None:
    """Raises where a common commitment is not over models that the document charges, or is no shortfall."""
    taken = set()
    charged = {(each.payer, each.model) for each in file.charges if not each.models}
    for at, each in enumerate(file.charges):
        if each.models and (each.booked != "0" or each.to_date != each.shortfall):
            raise source.error(
                ("charges", at),
                "is a commitment, and more than its shortfall",
                "have the document made again",
            )
        for place, name in enumerate(each.models):
            path: Path = ("charges", at, "models", place)
            if (each.payer, name) not in charged:
                raise source.error(path, f"operator {each.payer} has no charge {name!r}", "name its models")
            if name in taken:
                raise source.error(path, f"{name!r} is in a commitment already", "name it once")
            taken.add(name)


def _check_once(source: documents.Source[form.File], file: form.File) -> None:
    keys: dict[str, list[Any]] = {
        "amounts": [(each.payer, each.service) for each in file.amounts],
        "charges": [(each.payer, each.model) for each in file.charges],
        "batches": [(each.operator, each.period, each.region, each.sequence) for each in file.batches],
    }
    for table, found in keys.items():
        seen: set[Any] = set()
        for at, key in enumerate(found):
            if key in seen:
                raise source.error((table, at), "is there twice", "keep one of them")
            seen.add(key)
