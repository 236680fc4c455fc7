"""Book, part and netting files: written for their owner alone, read so that nothing in them can be changed.

Whatever follows from other values (ids, commitments, sums) is computed again and must agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from billproof.clearing.house import form
from billproof.clearing.house.model import (
    Amount,
    Book,
    Owed,
    Part,
    Place,
    RingNetting,
    balances,
    source_of,
)
from billproof.commitment.keccak import keccak
from billproof.documents import source as documents
from billproof.documents.positions import Path as Where
from billproof.documents.shape import shaped
from billproof.files import write_file, write_new
from billproof.ledger.house_states import NO_ADDRESS, NO_AMENDMENT, BatchReference, Opening
from billproof.ledger.states import BatchKey


class HouseFileError(documents.DocumentError):
    """A file for the clearing house that cannot be used: names file, line and key, and says what is wrong."""


_SEE = "see docs/clearing.md, section 9"
BOOK = documents.Kind("a clearing's book", _SEE, form.BOOK, form.BookFile, HouseFileError)
PART = documents.Kind("a part to be signed", _SEE, form.PART, form.PartFile, HouseFileError)
NETTING = documents.Kind("a netting to be signed", _SEE, form.NETTING, form.NettingFile, HouseFileError)

_Form = TypeVar("_Form", bound=msgspec.Struct)
_CHANGED = "the file was changed: have it from where it came again"


# --- books -------------------------------------------------------------------------------------------


def write_book(book: Book, path: Path) -> None:
    """Writes a book that nobody else can read to a new file, on the disk when this returns.

    Raises:
        InputError: the file is there already, or cannot be written.
    """
    file = form.BookFile(
        schema="billproof/house-book/1",
        **_place_fields(book.place),
        operator=book.operator,
        batches=[form.BatchForm(each.region, each.sequence) for each in book.batches],
        statements_hash=_hex(book.statements_hash),
        salt=_hex(book.salt),
        commitment=_hex(book.commitment),
    )
    write_new(path, form.encoded(file), mode=0o600)


def read_book(path: Path) -> Book:
    """The book in a file."""
    source = documents.read(path, BOOK)
    file = shaped(source)
    place = _place(source, file)
    if file.operator not in place.operators:
        raise source.error(("operator",), "is no side of the clearing", _CHANGED)
    book = Book(
        place,
        file.operator,
        tuple(BatchReference(each.region, each.sequence) for each in file.batches),
        _bytes(file.statements_hash),
        _bytes(file.salt),
    )
    keys = [(each.region, each.sequence) for each in book.batches]
    if sorted(set(keys)) != keys:
        raise source.error(("batches",), "are not in order, each once", _CHANGED)
    _follows(source, ("commitment",), file.commitment, book.commitment)
    return book


# --- parts -------------------------------------------------------------------------------------------


def write_part(part: Part, path: Path) -> None:
    """Writes a part in place of what is there."""
    key = part.amendment
    file = form.PartFile(
        schema="billproof/net-amount/1",
        **_place_fields(part.place),
        part=part.number,
        last=part.last,
        creditor=part.creditor,
        amount=_amount_form(part.amount),
        amount_commitment=_hex(part.owed.commitment),
        document_hash=_hex(part.document_hash),
        nonces=list(part.nonces),
        deadline=part.deadline,
        signatures=_signature_forms(part.signatures),
        amendment=None
        if key == NO_AMENDMENT
        else form.AmendmentForm(key.operator_id, str(key.period), key.region, key.sequence),
    )
    write_file(path, form.encoded(file), mode=0o600)


def read_part(path: Path) -> Part:
    """The part in a file."""
    source = documents.read(path, PART)
    file = shaped(source)
    place = _place(source, file)
    if file.creditor not in place.operators:
        raise source.error(("creditor",), "is no side of the clearing", _CHANGED)
    given = file.amendment
    amendment = NO_AMENDMENT
    if given is not None:
        if given.operator not in place.operators:
            raise source.error(("amendment", "operator"), "is no side of the clearing", _CHANGED)
        amendment = BatchKey(given.operator, int(given.period), given.region, given.sequence)
    one, other = file.nonces
    part = Part(
        place,
        file.part,
        file.last,
        file.creditor,
        _amount(source, ("amount",), file.amount),
        _bytes(file.document_hash),
        amendment,
        (one, other),
        file.deadline,
        _signatures(source, file.signatures, place.operators),
    )
    _follows(source, ("amountCommitment",), file.amount_commitment, part.owed.commitment)
    return part


# --- nettings ----------------------------------------------------------------------------------------


def write_netting(netting: RingNetting, path: Path) -> None:
    """Writes a netting in place of what is there."""
    write_file(path, form.encoded(_netting_form(netting)), mode=0o600)


def document_hash_of(netting: RingNetting) -> bytes:
    """What stands for a netting's document: the hash of what the ring agrees on, in JSON without blanks."""
    file = _netting_form(netting)
    agreed = {
        "chainId": file.chain_id,
        "ledger": file.ledger,
        "operators": file.operators,
        "replaced": file.replaced,
        "parts": file.parts,
    }
    return keccak(msgspec.json.encode(agreed))


def read_netting(path: Path) -> RingNetting:
    """The netting in a file."""
    source = documents.read(path, NETTING)
    file = shaped(source)
    operators = tuple(file.operators)
    if sorted(set(operators)) != list(operators):
        raise source.error(("operators",), "are not in order, each once", _CHANGED)
    if len(file.nonces) != len(operators):
        raise source.error(("nonces",), "are not one of each operator", _CHANGED)
    replaced = tuple(
        Owed(
            _bytes(each.source),
            each.number,
            each.creditor,
            each.debtor,
            _amount(source, ("replaced", at, "amount"), each.amount),
        )
        for at, each in enumerate(file.replaced)
    )
    if len({(each.source, each.number) for each in replaced}) != len(replaced):
        raise source.error(("replaced",), "has a part twice", _CHANGED)
    new = source_of(int(file.chain_id), file.ledger, replaced)
    parts = tuple(
        Owed(new, at, each.creditor, each.debtor, _amount(source, ("parts", at - 1, "amount"), each.amount))
        for at, each in enumerate(file.parts, 1)
    )
    tables: tuple[tuple[str, Sequence[form.ReplacedForm | form.NewForm], tuple[Owed, ...]], ...] = (
        ("replaced", file.replaced, replaced),
        ("parts", file.parts, parts),
    )
    for table, given, found in tables:
        for at, (said, owed) in enumerate(zip(given, found, strict=True)):
            _check_owed(source, (table, at), owed, operators, replaced[0].amount.unit)
            _follows(source, (table, at, "amountCommitment"), said.amount_commitment, owed.commitment)
    netting = RingNetting(
        int(file.chain_id),
        file.ledger,
        operators,
        replaced,
        parts,
        _bytes(file.document_hash),
        tuple(file.nonces),
        file.deadline,
        _signatures(source, file.signatures, operators),
    )
    _check_sums(source, netting)
    _follows(source, ("documentHash",), file.document_hash, document_hash_of(netting))
    return netting


def is_netting(path: Path) -> bool:
    """Whether a file says that it is a netting rather than a part."""
    tree = documents.read(path, PART).tree
    return isinstance(tree, dict) and tree.get("schema") == form.NETTING


def _check_owed(
    source: documents.Source[form.NettingFile],
    path: Where,
    owed: Owed,
    operators: tuple[int, ...],
    unit: tuple[str, str, int | None],
) -> None:
    for name, operator in (("creditor", owed.creditor), ("debtor", owed.debtor)):
        if operator not in operators:
            raise source.error((*path, name), "is not among the operators who sign", _CHANGED)
    if owed.creditor == owed.debtor:
        raise source.error((*path, "debtor"), "is the creditor", _CHANGED)
    if owed.amount.unit != unit:
        raise source.error((*path, "amount"), "is in another currency or token than the first", _CHANGED)


def _check_sums(source: documents.Source[form.NettingFile], netting: RingNetting) -> None:
    before, after = balances(netting.replaced), balances(netting.parts)
    for operator in netting.operators:
        if operator not in before and operator not in after:
            raise source.error(("operators",), f"{operator} has no part in it", _CHANGED)
        if before.get(operator, 0) != after.get(operator, 0):
            message = (
                f"do not add up: operator {operator} had {before.get(operator, 0)}"
                f" and would have {after.get(operator, 0)}"
            )
            raise source.error(("parts",), message, "have the netting proposed again")


def _netting_form(netting: RingNetting) -> form.NettingFile:
    return form.NettingFile(
        schema="billproof/netting/1",
        chain_id=str(netting.chain_id),
        ledger=netting.ledger,
        operators=list(netting.operators),
        replaced=[
            form.ReplacedForm(
                _hex(each.source),
                each.number,
                each.creditor,
                each.debtor,
                _amount_form(each.amount),
                _hex(each.commitment),
            )
            for each in netting.replaced
        ],
        parts=[
            form.NewForm(each.creditor, each.debtor, _amount_form(each.amount), _hex(each.commitment))
            for each in netting.parts
        ],
        document_hash=_hex(netting.document_hash),
        nonces=list(netting.nonces),
        deadline=netting.deadline,
        signatures=_signature_forms(netting.signatures),
    )


# --- what they share ---------------------------------------------------------------------------------


def _place_fields(place: Place) -> dict[str, Any]:
    return {
        "chain_id": str(place.chain_id),
        "ledger": place.ledger,
        "operators": list(place.operators),
        "period": str(place.period),
        "round": place.round,
        "clearing": _hex(place.clearing),
    }


def _place(source: documents.Source[_Form], file: form.BookFile | form.PartFile) -> Place:
    one, other = file.operators
    if one >= other:
        raise source.error(("operators",), "are not in order", _CHANGED)
    place = Place(int(file.chain_id), file.ledger, (one, other), int(file.period), file.round)
    _follows(source, ("clearing",), file.clearing, place.clearing)
    return place


def _amount_form(amount: Amount) -> form.AmountForm:
    opening = amount.opening
    paid = amount.decimals is not None
    return form.AmountForm(
        amount.currency,
        str(opening.amount),
        _hex(opening.salt),
        token=opening.token if paid else None,
        decimals=amount.decimals,
        payee=opening.payee if paid else None,
    )


def _amount(source: documents.Source[_Form], path: Where, given: form.AmountForm) -> Amount:
    together = (given.token, given.decimals, given.payee)
    if None in together and any(each is not None for each in together):
        raise source.error(path, "has some of token, decimals and payee, but not all", _CHANGED)
    if NO_ADDRESS in together:
        raise source.error(path, "names the zero address", _CHANGED)
    opening = Opening(
        given.currency.encode(),
        int(given.amount),
        given.token or NO_ADDRESS,
        given.payee or NO_ADDRESS,
        _bytes(given.salt),
    )
    return Amount(opening, given.decimals)


def _signature_forms(signatures: Mapping[int, bytes]) -> list[form.SignatureForm]:
    return [form.SignatureForm(operator, _hex(each)) for operator, each in sorted(signatures.items())]


def _signatures(
    source: documents.Source[_Form], given: Sequence[form.SignatureForm], operators: tuple[int, ...]
) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for at, each in enumerate(given):
        if each.operator not in operators or each.operator in found:
            raise source.error(("signatures", at, "operator"), "does not sign here, or signs twice", _CHANGED)
        found[each.operator] = _bytes(each.signature)
    return found


def _follows(source: documents.Source[_Form], path: Where, given: str, computed: bytes) -> None:
    if given != _hex(computed):
        raise source.error(path, "does not follow from the rest of the file", _CHANGED)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
