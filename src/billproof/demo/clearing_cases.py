"""What a partner might try in a clearing: each has to be refused, by the contract or before anybody signs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billproof.clearing.house.books import check_book
from billproof.clearing.house.files import read_book, read_part
from billproof.clearing.house.model import Part, in_currency
from billproof.clearing.house.parts import require_part
from billproof.clearing.settlement.form import document_hash
from billproof.clearing.settlement.reading import load_document, load_settlement
from billproof.commitment.keccak import keccak
from billproof.errors import DifferenceError, InputError
from billproof.ledger.clearing_house import ClearingHouse
from billproof.ledger.house_states import ClearingState
from billproof.ledger.reverts import RevertError

if TYPE_CHECKING:
    from billproof.demo.run import Demo

_CONTRACT, _SIGNER, _CHECK = "the contract", "the other, before it signs", "the other, by its check"
_MORE = 10 * 10**9  # billionths: ten euros


@dataclass(frozen=True)
class Refusal:
    """One attempt: ``by`` says who has to refuse it, ``because`` what was said; empty: nothing was."""

    name: str
    words: str
    by: str
    because: str

    @property
    def expected(self) -> bool:
        """Whether it was refused."""
        return bool(self.because)

    def document(self) -> dict[str, Any]:
        """For ``summary.json``."""
        return {"by": self.by, "refused": self.expected, "message": self.because}


def peek(house: ClearingHouse, book: Path) -> Refusal:
    """To open the own book alone, so that the other may choose its own after seeing it."""
    kept = read_book(book)
    return _refused(
        "opened-too-early",
        "a book opened before the other side has committed",
        _CONTRACT,
        lambda: house.reveal(
            kept.place.clearing, kept.operator, kept.batches, kept.statements_hash, kept.salt
        ),
    )


def other_book(house: ClearingHouse, book: Path) -> Refusal:
    """To open another book than the one committed to: without the batch of the last region."""
    kept = read_book(book)
    return _refused(
        "changed-book",
        "a book that was changed after committing to it",
        _CONTRACT,
        lambda: house.reveal(
            kept.place.clearing, kept.operator, kept.batches[:-1], kept.statements_hash, kept.salt
        ),
    )


def left_out(demo: Demo, state: ClearingState, received: Path) -> Refusal:
    """To hand over fewer statements than the book has."""
    files = sorted(received.glob("*.json"))[1:]
    checked = check_book(demo.chain, demo.deployment, state, 2, files)
    because = checked.problems[0] if checked.problems else ""
    return Refusal("left-out", "a statement that is not handed over", _CHECK, because)


def forged(house: ClearingHouse, part: Path, settlement: Path) -> list[Refusal]:
    """To have the other sign another amount than was settled: in the part, or in the settlement itself."""
    honest, (found, signed) = read_part(part), load_document(settlement)
    opening = honest.amount.opening
    dearer = in_currency(honest.amount.currency, opening.amount + _MORE, opening.salt)
    content = settlement.read_bytes()
    amount = f'"{found.net.amount}"'.encode()
    changed = content.replace(amount, f'"{found.net.amount + _MORE}"'.encode())
    older = replace(honest, document_hash=document_hash(content + b"\n"))
    return [
        _refused(
            "forged-part",
            "a part of 10 EUR more than was settled",
            _SIGNER,
            lambda: require_part(house.client, replace(honest, amount=dearer), found, signed),
        ),
        _refused(
            "forged-settlement",
            "a settlement whose net amount was raised",
            _SIGNER,
            lambda: load_settlement(changed, name=settlement.name),
        ),
        _refused(
            "another-document",
            "a part that names another document",
            _SIGNER,
            lambda: require_part(house.client, older, found, signed),
        ),
    ]


def signed_by_another(house: ClearingHouse, stranger: ClearingHouse, part: Part) -> Refusal:
    """To submit the signature of a key that may only anchor, in place of the admin's."""
    other = max(part.signatures)
    forged = stranger.sign_net_amount(part.net, part.nonces)
    signatures = [forged if side == other else part.signatures[side] for side in part.operators]
    return _refused(
        "anchorer-signs",
        "a signature by an anchorer's key, not the admin's",
        _CONTRACT,
        lambda: house.agree(part.net, signatures[0], signatures[1]),
    )


def twice(house: ClearingHouse, part: Part) -> Refusal:
    """To submit what both have signed a second time."""
    one, other = part.operators
    return _refused(
        "agreed-twice",
        "the same signatures, submitted a second time",
        _CONTRACT,
        lambda: house.agree(part.net, part.signatures[one], part.signatures[other]),
    )


def confirmed_by_debtor(house: ClearingHouse, part: Part) -> Refusal:
    """To say that one's own debt was paid."""
    return _refused(
        "debtor-confirms",
        "a debtor who confirms that it has paid",
        _CONTRACT,
        lambda: house.confirm(part.place.clearing, part.number, keccak(b"never paid")),
    )


def _refused(name: str, words: str, by: str, attempt: Callable[[], object]) -> Refusal:
    """Whether the contract, or whoever compares, refuses an attempt; any other error is one of the demo's."""
    try:
        attempt()
    except RevertError as error:
        return Refusal(name, words, by, error.message if by == _CONTRACT else "")
    except (DifferenceError, InputError) as error:
        return Refusal(name, words, by, error.message if by == _SIGNER else "")
    return Refusal(name, words, by, "")
