"""A side's book: from its store, committed to, opened; the partner's, beside what it handed over."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from billproof.bundle import documents as doc
from billproof.bundle.reading import open_document
from billproof.clearing.house.access import later_than, rehearse
from billproof.clearing.house.files import read_book, write_book
from billproof.clearing.house.model import Book, Place
from billproof.commitment.keccak import keccak
from billproof.errors import BillproofError, InputError, LedgerError
from billproof.inclusion import include_bundle
from billproof.ledger.artifact import CLEARING_HOUSE
from billproof.ledger.calls import encode_call
from billproof.ledger.clearing_house import ClearingHouse
from billproof.ledger.deployments import Deployment
from billproof.ledger.house_reads import book_of, clearing_state, statements_hash_of
from billproof.ledger.house_states import BatchReference, ClearingState, State
from billproof.ledger.reads import batch_state
from billproof.ledger.rpc import Endpoint
from billproof.ledger.states import BatchKey
from billproof.ledger.transactions import Receipt
from billproof.store import StoredBatch, find_batches

_MOST = 32


def place_of(deployment: Deployment, state: ClearingState) -> Place:
    """Where a clearing is."""
    return Place(deployment.chain_id, deployment.ledger, state.operators, state.period, state.round)


def book_of_store(
    store: Path,
    place: Place,
    operator_id: int,
    accounts: Sequence[str],
    chosen: Sequence[BatchReference] = (),
) -> tuple[Book, list[StoredBatch]]:
    """The partner's statements of the period as a book with a new salt, and the batches that hold them.

    Args:
        accounts: the partner's, one or several.
        chosen: the batches to take them from; none stands for all of the period.

    Raises:
        InputError: no batch holds one of the accounts, or there are more than the house takes.
    """
    batches = find_batches(store, operator_id, place.period)
    if chosen:
        batches = [each for each in batches if BatchReference(each.id.region, each.id.sequence) in chosen]
    found: list[StoredBatch] = []
    hashes: list[bytes] = []
    missing = set(accounts)
    for batch in batches:
        entries = batch.entries
        names = entries["account"].cast(pa.string())
        rows = entries.filter(pc.is_in(names, pa.array(accounts, pa.string())))
        if not rows.num_rows:
            continue
        missing -= set(rows["account"].cast(pa.string()).to_pylist())
        hashes += rows["statement"].to_pylist()  # entries are in the order of account keys
        found.append(batch)
    if missing:
        raise InputError(
            f"holds no statement of the account {sorted(missing)[0]!r} for {place.period}",
            file=store,
            advice="Name the partner's account as the store has it: --account.",
        )
    if len(found) > _MOST or (chosen and len(found) < len(set(chosen))):
        raise InputError(
            f"{len(found)} batches hold the partner's statements",
            file=store,
            advice=f"Name up to {_MOST} of them with --batch REGION-SEQUENCE.",
        )
    references = tuple(BatchReference(each.id.region, each.id.sequence) for each in found)
    book = Book(place, operator_id, references, keccak(b"".join(hashes)), secrets.token_bytes(32))
    return book, found


def statements_of(batches: Iterable[StoredBatch], accounts: Sequence[str]) -> tuple[int, int]:
    """How many statements of the accounts there are in the batches, and how many records in these."""
    statements = records = 0
    for batch in batches:
        entries = batch.entries
        named = pc.is_in(entries["account"].cast(pa.string()), pa.array(accounts, pa.string()))
        counts = entries["count"].filter(named)
        statements += len(counts)
        records += pc.sum(counts).as_py() or 0
    return statements, records


def require_anchored(endpoint: Endpoint, deployment: Deployment, batches: Iterable[StoredBatch]) -> int:
    """The time of the last one's anchoring, when every batch stands in the ledger as it is in the store."""
    last = 0
    for batch in batches:
        if (batch.id.chain_id, batch.id.ledger) != (deployment.chain_id, deployment.ledger):
            raise InputError(
                f"is for the ledger {batch.id.ledger} on chain {batch.id.chain_id}", file=batch.path
            )
        key = BatchKey(batch.id.operator_id, batch.id.period, batch.id.region, batch.id.sequence)
        state = batch_state(endpoint, deployment, key)
        if not state.exists:
            raise InputError("is not anchored yet", file=batch.path, advice="First: billproof anchor.")
        if state.root != batch.root:
            raise InputError("is not the batch that was anchored", file=batch.path)
        if state.repudiated:
            raise InputError(
                "was repudiated", file=batch.path, advice="Name the others with --batch REGION-SEQUENCE."
            )
        last = max(last, state.anchored_at)
    return last


def commit_book(house: ClearingHouse, book: Book, anchored_at: int, path: Path) -> Receipt | None:
    """Keeps the book in a new file, then commits to it; None when that was done before.

    A file that is there already is only used when it holds the very same book, of a run that was interrupted.

    Raises:
        InputError: the file holds something else.
        LedgerError: the side has committed to another book, or the house refuses.
    """
    endpoint, deployment = house.client.endpoint, house.client.deployment
    kept = path.exists()
    if kept:
        salted = read_book(path)
        if replace(salted, salt=book.salt) != book:
            raise InputError(
                "is there already, with another book",
                file=path,
                advice="A book is never overwritten: name another file.",
            )
        book = salted
    clearing = book.place.clearing
    own = clearing_state(endpoint, deployment, clearing).side(book.operator)
    if any(own.commitment):
        if own.commitment == book.commitment:
            return None
        raise LedgerError(
            f"operator {book.operator} has committed to a book already, once and for all",
            advice="open that one: billproof house reveal, with the file that was written then",
        )
    later_than(endpoint, anchored_at)
    rehearse(
        house, encode_call("commit", (clearing, book.operator, book.commitment), CLEARING_HOUSE)
    )  # so that no file is left of what the house refuses
    if not kept:
        write_book(book, path)
    receipt = house.commit(clearing, book.operator, book.commitment)
    committed_at = clearing_state(endpoint, deployment, clearing).side(book.operator).committed_at
    if committed_at <= anchored_at:
        raise LedgerError(
            "the commitment is in a block of the same time as the batch's: it can never be opened",
            advice="refuse this round, and open the next: billproof house refuse",
        )
    return receipt


def reveal_book(house: ClearingHouse, book: Book) -> Receipt | None:
    """Opens the side's commitment; None when that was done before.

    Raises:
        InputError: the file is of another clearing, or not what the side committed to.
        LedgerError: the house refuses.
    """
    endpoint, deployment = house.client.endpoint, house.client.deployment
    state = clearing_state(endpoint, deployment, book.place.clearing)
    own = state.side(book.operator)
    if any(own.commitment) and own.commitment != book.commitment:
        raise InputError(
            "the book is not the one that the side committed to", advice="Use the file that was written then."
        )
    if own.revealed_at:
        return None
    if state.state is State.COMMITTING:
        missing = next(side.operator_id for side in state.sides if not any(side.commitment))
        raise LedgerError(
            f"operator {missing} has not committed yet",
            advice="books are opened when both sides have committed",
        )
    return house.reveal(book.place.clearing, book.operator, book.batches, book.statements_hash, book.salt)


@dataclass(frozen=True)
class Checked:
    """The partner's opened book beside the files that it handed over; no problems: they are the book."""

    partner: int
    batches: tuple[BatchReference, ...]
    statements: int
    records: int
    problems: tuple[str, ...]


def check_book(
    endpoint: Endpoint, deployment: Deployment, state: ClearingState, partner: int, files: Iterable[Path]
) -> Checked:
    """Whether the files are the statements that the partner committed to: all of them, and no other.

    Raises:
        InputError: a file cannot be read.
        NotAnchoredError: the partner has not opened its book.
    """
    committed = statements_hash_of(endpoint, deployment, state.id, partner)
    batches = book_of(endpoint, deployment, state.id, partner)
    roots: dict[BatchReference, bytes] = {}
    problems = []
    for each in batches:
        stored = batch_state(
            endpoint, deployment, BatchKey(partner, state.period, each.region, each.sequence)
        )
        roots[each] = stored.root
        if stored.repudiated:
            problems.append(f"batch {each} of the book was repudiated after it was opened")
    found: dict[tuple[int, int, bytes], bytes] = {}
    records = 0
    for path in files:
        try:
            document = open_document(path).document
            if not isinstance(document, doc.Bundle):
                problems.append(f"{path}: a receipt is one record, not a statement")
                continue
            included = include_bundle(document)
        except doc.SchemaError as error:
            problems.append(f"{path}: {error.message}")
            continue
        id_ = included.batch
        where = (id_.chain_id, id_.ledger, id_.operator_id, id_.period)
        reference = BatchReference(id_.region, id_.sequence)
        if where != (deployment.chain_id, deployment.ledger, partner, state.period):
            problems.append(f"{path}: is of {id_}, not of operator {partner}, period {state.period}")
        elif reference not in roots:
            problems.append(f"{path}: is of batch {reference}, which is not in the opened book")
        elif included.problems:
            problems.append(f"{path}: {included.problems[0].message}")
        elif included.root != roots[reference]:
            problems.append(f"{path}: does not lead to the root of batch {reference} in the ledger")
        elif (id_.region, id_.sequence, included.account) in found:
            problems.append(f"{path}: is the statement of another file")
        else:
            found[id_.region, id_.sequence, included.account] = included.statement
            records += len(document.records)
    for each in batches:
        if not any((region, sequence) == (each.region, each.sequence) for region, sequence, _ in found):
            problems.append(f"batch {each} is in the opened book, but no file is of it")
    if not problems and keccak(b"".join(found[key] for key in sorted(found))) != committed:
        problems.append(
            "the statements are not those that were committed to: one is missing, too many, or another"
        )
    return Checked(partner, batches, len(found), records, tuple(problems))


def lost(path: Path, error: BillproofError) -> BillproofError:
    """What to say of a book's file that cannot be read."""
    if path.exists():
        return error
    return InputError(
        "the book's file is not there, and without it the commitment cannot be opened by anybody",
        file=path,
        advice="Restore it from a copy. If there is none: `billproof house refuse`, and open the next round.",
    )
