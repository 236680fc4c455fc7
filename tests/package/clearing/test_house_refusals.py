"""What goes wrong between two operators who clear on the chain, and what each is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from clearing_desk import (
    PERIOD,
    REGION,
    Desk,
    desk,
    desk_template,
    fresh_desk,
    partner_account,
)
from commands import run

from billproof.batch_id import BatchId
from billproof.bundle import documents as doc
from billproof.clearing.settlement.form import document
from billproof.clearing.settlement.reading import load_document
from billproof.clearing.settlement.resolving import Choice, resolve
from billproof.clearing.settlement.settlement import Dispute
from billproof.ledger.client import BatchAnchor

__all__ = ["desk", "desk_template", "fresh_desk", "run"]


def test_a_second_commitment(desk: Desk) -> None:
    clearing = desk.open()
    desk.commit(clearing, 1, 2)
    book = desk.folder(1) / "book-2.json"
    content = book.read_bytes()
    assert desk.commit(clearing, 1, 2)["already"]  # the same book, again
    other = desk.home / "other.json"
    refused = desk.commit(clearing, 1, 2, book=other, code=1)
    assert "has committed to a book already" in refused["message"]
    assert not other.exists()
    refused = desk.commit(clearing, 1, 2, accounts=[partner_account(3)], code=2)
    assert "is there already, with another book" in refused["message"]
    assert book.read_bytes() == content


def test_a_run_that_was_interrupted_goes_on_with_its_book(desk: Desk) -> None:
    """The file is there, the transaction never was sent: the same salt is committed to."""
    clearing = desk.open()
    desk.commit(clearing, 1, 2)
    commitment = desk.status(clearing)["books"][0]["commitment"]
    book = desk.folder(1) / "book-2.json"
    desk.call(1, "refuse", clearing, admin=True)
    assert desk.status(clearing)["words"] == "closed, refused by operator 1"
    again = desk.open()
    refused = desk.commit(again, 1, 2, code=2)  # of the round before
    assert "with another book" in refused["message"]
    content = book.read_bytes()
    book.unlink()
    desk.commit(again, 1, 2)
    assert desk.status(again)["books"][0]["commitment"] != commitment
    assert json.loads(content)["salt"] != json.loads(book.read_bytes())["salt"]


def test_nothing_is_left_of_what_the_house_refuses(desk: Desk) -> None:
    clearing = desk.open()
    desk.call(2, "refuse", clearing, admin=True)
    refused = desk.commit(clearing, 1, 2, code=1)
    assert f"the clearing {clearing} is closed" in refused["message"]
    assert not (desk.folder(1) / "book-2.json").exists()


def test_a_lost_book(desk: Desk) -> None:
    clearing = desk.open()
    desk.commit(clearing, 1, 2)
    desk.commit(clearing, 2, 1)
    (desk.folder(1) / "book-2.json").unlink()
    lost = desk.reveal(clearing, 1, 2, code=2)
    assert "without it the commitment cannot be opened by anybody" in lost["message"]
    assert "house refuse" in lost["advice"]


def test_opening_what_was_not_committed(desk: Desk) -> None:
    clearing = desk.open()
    desk.commit(clearing, 1, 2)
    desk.commit(clearing, 2, 1)
    other = desk.open(1, 3)
    desk.commit(other, 1, 3)
    book = desk.folder(1) / "book-3.json"
    wrong = desk.call(1, "reveal", clearing, "--book", book, code=2)
    assert "is the book of the clearing" in wrong["message"]
    wrong = desk.call(3, "reveal", other, "--book", book, code=1)
    assert "operator 3 has not committed yet" in wrong["message"]


def test_books_that_cannot_be_committed_to(desk: Desk, build: Callable[..., Any]) -> None:
    clearing = desk.open()
    unknown = desk.commit(clearing, 1, 2, accounts=["nobody"], code=2)
    assert "holds no statement of the account 'nobody'" in unknown["message"]
    deployment = desk.client().deployment
    rows = [{"account": partner_account(2), "started_at": 1_772_500_000}]
    second = BatchId(deployment.chain_id, deployment.ledger, 1, PERIOD, 7, 1)
    built = build(desk.folder(1), rows, second)
    unanchored = desk.commit(clearing, 1, 2, code=2)
    assert "is not anchored yet" in unanchored["message"]
    store = ("--store", desk.folder(1) / "store", "--account", partner_account(2))
    book = ("--book", desk.folder(1) / "book-2.json")
    for text in ("7", "x-1", "7-"):
        assert desk.call(1, "commit", clearing, *store, *book, "--batch", text, code=2)
    missing = desk.call(1, "commit", clearing, *store, *book, "--batch", "7-2", code=2)
    assert "holds no statement" in missing["message"]
    some = desk.call(1, "commit", clearing, *store, *book, "--batch", "0-1", "--batch", "7-2", code=2)
    assert "1 batches hold" in some["message"]
    other = BatchAnchor(PERIOD, 7, 1, b"\7" * 32, bytes(32))
    desk.client(4).anchor(1, other)
    foreign = desk.commit(clearing, 1, 2, code=2)
    assert "is not the batch that was anchored" in foreign["message"]
    assert built.stored.root != other.root
    desk.call(1, "commit", clearing, *store, *book, "--batch", "0-1")
    assert json.loads((desk.folder(1) / "book-2.json").read_bytes())["batches"] == [
        {"region": REGION[1], "sequence": 1}
    ]


def test_several_batches_are_one_book(desk: Desk, build: Callable[..., Any]) -> None:
    deployment = desk.client().deployment
    rows = [{"account": partner_account(2), "started_at": 1_772_500_000}]
    built = build(desk.folder(1), rows, BatchId(deployment.chain_id, deployment.ledger, 1, PERIOD, 7, 1))
    stored = built.stored
    desk.client(4).anchor(1, BatchAnchor(PERIOD, 7, 1, stored.root, stored.manifest_hash))
    clearing = desk.agreeing()
    assert [each["region"] for each in desk.status(clearing)["books"][0]["batches"]] == [0, 7]
    second = desk.home / "a.json"  # before the first one by name: files come in any order
    second.write_bytes(doc.encode(built.bundles()[partner_account(2)]))
    first = next(each for each in desk.bundles(1, 2) if "first" in each.name)
    assert desk.look("check", clearing, second, first, "--partner", 1)["records"] == 3
    missing = desk.look("check", clearing, first, "--partner", 1, code=1)
    assert "batch 7-1 is in the opened book, but no file is of it" in missing["problems"][0]
    refused = desk.look("propose", clearing, desk.settlement(), "--part", desk.home / "p.json", code=1)
    assert "its opened book of 202603/0-1, 202603/7-1" in refused["message"]


def test_deadlines_pass(desk: Desk) -> None:
    clearing = desk.open()
    early = desk.call(1, "close", clearing, code=1)
    assert "has not passed, and every batch stands" in early["message"]
    desk.commit(clearing, 1, 2)
    desk.pass_by(desk.status(clearing)["deadlines"]["commitBy"])
    late = desk.commit(clearing, 2, 1, code=1)
    assert "has passed" in late["message"]
    assert not (desk.folder(2) / "book-1.json").exists()
    told = desk.status(clearing)["next"]
    assert [(step["operators"], step["command"]) for step in told] == [([1, 2], "billproof house close")]
    closed = desk.call(1, "close", clearing)
    assert (closed["reason"], closed["atFault"]) == ("NotCommitted", [2])
    told = desk.status(clearing)
    assert (told["words"], told["next"]) == ("closed, operator 2 did not commit in time", [])
    assert "the clearing has ended" in desk.call(1, "close", clearing, code=1)["message"]


def test_one_opens_the_other_does_not(desk: Desk) -> None:
    clearing = desk.open()
    desk.commit(clearing, 1, 2)
    desk.commit(clearing, 2, 1)
    desk.reveal(clearing, 1, 2)
    desk.pass_by(desk.status(clearing)["deadlines"]["revealBy"])
    assert "has passed" in desk.reveal(clearing, 2, 1, code=1)["message"]
    closed = desk.call(1, "close", clearing)
    assert (closed["reason"], closed["atFault"]) == ("NotRevealed", [2])


def test_the_books_are_settled_once(desk: Desk) -> None:
    """The same records with another due date have another hash: they would be paid twice."""
    clearing, first = desk.agreeing(), desk.settlement()
    again = desk.settlement(due="2026-05-11", name="again.json")
    parts = [desk.home / "part.json", desk.home / "again-part.json"]
    desk.look("propose", clearing, first, "--part", parts[0])
    for side in (1, 2):
        desk.call(side, "sign", parts[0], "--settlement", first, admin=True)
    desk.call(1, "agree", parts[0])
    refused = desk.look("propose", clearing, again, "--part", parts[1], code=1)
    assert "would settle the books again" in refused["message"]
    assert not parts[1].exists()


def test_too_late_to_agree_and_to_settle(desk: Desk) -> None:
    claim = Dispute(1, "missing", "records", 1, 2, 1, 10**9, "2026-06-10")
    clearing, settlement = desk.agreeing(), desk.settlement(disputes=(claim,))
    part = desk.home / "part.json"
    desk.look("propose", clearing, settlement, "--part", part)
    desk.call(1, "sign", part, "--settlement", settlement, admin=True)
    desk.call(2, "sign", part, "--settlement", settlement, admin=True)
    desk.call(2, "agree", part)
    second, last = desk.home / "second.json", desk.home / "last.json"
    accepted = resolve(*load_document(settlement), [Choice("accepted", 1)], "2026-05-01", "2026-06-01")
    second.write_bytes(document(accepted))
    desk.look("propose", clearing, second, "--part", last, "--valid", "1d")
    desk.pass_by(json.loads(last.read_bytes())["deadline"])
    late = desk.call(1, "sign", last, "--settlement", second, admin=True, code=1)
    assert "the time to agree on it has passed" in late["message"]
    desk.pass_by(desk.status(clearing)["deadlines"]["agreeBy"])
    assert desk.call(2, "close", clearing)["reason"] == "NotAgreed"
    told = desk.status(clearing)
    assert told["words"] == "closed, no last part was agreed in time; what was agreed stays owed"
    assert [step["operators"] for step in told["next"]] == [[2]]
    desk.call(1, "confirm", part, admin=True)
    assert desk.status(clearing)["next"] == []


def test_settled_too_late(desk: Desk) -> None:
    clearing, part = desk.agreed(1, 2, 10**9, 2)
    desk.pass_by(desk.status(clearing)["deadlines"]["settleBy"])
    assert [step["operators"] for step in desk.status(clearing)["next"]] == [[1, 2], [2]]
    assert desk.call(1, "close", clearing)["reason"] == "NotSettled"
    desk.call(1, "confirm", part, admin=True)


def test_one_refuses(desk: Desk) -> None:
    clearing = desk.agreeing()
    by_anchorer = desk.call(1, "refuse", clearing, code=1)
    assert "is not the admin" in by_anchorer["message"]
    desk.call(2, "refuse", clearing, admin=True)
    assert desk.status(clearing)["atFault"] == [2]
    refused = desk.look("propose", clearing, desk.settlement(), "--part", desk.home / "p.json", code=1)
    assert "in the state Closed" in refused["message"]


def test_a_stranger(desk: Desk) -> None:
    clearing = desk.open()
    stranger = desk.call(3, "refuse", clearing, admin=True, code=1)
    assert "may act for neither of the operators 1 and 2" in stranger["message"]
    given = desk.call(3, "refuse", clearing, "--operator", 3, admin=True, code=2)
    assert "operator 3 is no side" in given["message"]
    given = desk.call(3, "refuse", clearing, "--operator", 2, admin=True, code=1)
    assert "is not the admin of operator 2" in given["message"]
    assert desk.look("status", "0x" + "00" * 32, code=3)["message"].startswith("there is no clearing")
    assert desk.look("status", "0x12", code=2)
    assert desk.call(1, "open", "--operator", 1, "--partner", 1, "--period", PERIOD, code=1)
    assert desk.call(1, "open", "--operator", 1, "--partner", 9, "--period", PERIOD, code=1)
    assert (
        "the round before"
        in desk.call(2, "open", "--operator", 2, "--partner", 1, "--period", PERIOD, code=1)["message"]
    )


def test_a_repudiated_batch(desk: Desk) -> None:
    clearing, settlement = desk.agreeing(), desk.settlement()
    part = desk.home / "part.json"
    desk.look("propose", clearing, settlement, "--part", part)
    desk.call(1, "sign", part, "--settlement", settlement, admin=True)
    desk.repudiate(2)
    refused = desk.call(1, "sign", part, "--settlement", settlement, admin=True, code=1)
    assert "batch 5-1 of operator 2 was repudiated" in refused["message"]
    told = desk.status(clearing)
    assert told["books"][1]["batches"][0]["repudiated"]
    assert [step["command"] for step in told["next"]] == ["billproof house close"]
    closed = desk.call(1, "close", clearing)
    assert (closed["reason"], closed["atFault"]) == ("Repudiated", [2])
    again = desk.open()
    assert "was repudiated" in desk.commit(again, 2, 1, book=desk.home / "b.json", code=2)["message"]


def test_proof_files_of_another_batch_in_its_place(desk: Desk, build: Callable[..., Any]) -> None:
    """The partner makes its batch again, otherwise, and hands over what leads to that one's root."""
    clearing = desk.agreeing()
    deployment = desk.client().deployment
    place = BatchId(deployment.chain_id, deployment.ledger, 2, PERIOD, REGION[2], 1)
    again = build(desk.home / "again", [{"account": partner_account(1), "started_at": 1_772_500_000}], place)
    file = desk.home / "bundle.json"
    file.write_bytes(doc.encode(again.bundles()[partner_account(1)]))
    found = desk.look("check", clearing, file, "--partner", 2, code=1)
    assert "does not lead to the root of batch 5-1 in the ledger" in found["problems"][0]
