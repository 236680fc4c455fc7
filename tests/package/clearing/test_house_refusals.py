"""What goes wrong between two operators who clear on the chain, and what each is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clearing_desk import (
    ADMINS,
    PERIOD,
    REGION,
    Desk,
    change,
    desk,
    desk_template,
    fresh_desk,
    partner_account,
)
from commands import run
from doubles import put

from billproof.clearing.agreement import Party
from billproof.clearing.settlement import BatchReference
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
    from billproof.batch_id import BatchId

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
    from billproof.batch_id import BatchId
    from billproof.bundle import documents as doc

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


def test_too_late_to_agree_and_to_settle(desk: Desk) -> None:
    clearing, settlement = desk.agreeing(), desk.settlement()
    part = desk.home / "part.json"
    desk.look("propose", clearing, settlement, "--part", part)
    desk.call(1, "sign", part, "--settlement", settlement, admin=True)
    desk.call(2, "sign", part, "--settlement", settlement, admin=True)
    desk.call(2, "agree", part)
    second = desk.settlement(amount=10**9, name="second.json")
    last = desk.home / "last.json"
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


def test_signatures_that_were_withdrawn(desk: Desk) -> None:
    clearing, settlement = desk.agreeing(), desk.settlement()
    part = desk.home / "part.json"
    desk.look("propose", clearing, settlement, "--part", part)
    for operator in (1, 2):
        desk.call(operator, "sign", part, "--settlement", settlement, admin=True)
    assert "is not the admin" in desk.call(1, "withdraw", "--operator", 1, code=1)["message"]
    desk.call(1, "withdraw", "--operator", 1, admin=True)
    void = desk.call(2, "agree", part, code=1)
    assert "it is not signed by the admin of operator 1" in void["message"]
    refused = desk.call(1, "sign", part, "--settlement", settlement, admin=True, code=1)
    assert "has withdrawn its signatures" in refused["message"]
    anew = desk.home / "anew.json"
    desk.look("propose", clearing, settlement, "--part", anew)
    for operator in (1, 2):
        desk.call(operator, "sign", anew, "--settlement", settlement, admin=True)
    desk.call(2, "agree", anew)
    other = desk.call(2, "agree", part, code=1)
    assert "was agreed with other terms" in other["message"]


def test_one_document_is_one_part(desk: Desk) -> None:
    clearing, settlement = desk.agreeing(), desk.settlement()
    first, second = desk.home / "first.json", desk.home / "second.json"
    desk.look("propose", clearing, settlement, "--part", first)
    desk.look("propose", clearing, settlement, "--part", second)
    for operator in (1, 2):
        desk.call(operator, "sign", first, "--settlement", settlement, admin=True)
    desk.call(2, "agree", first)
    stale = desk.call(1, "sign", second, "--settlement", settlement, admin=True, code=1)
    assert "the next part is number 2" in stale["message"]
    twice = desk.look("propose", clearing, settlement, "--part", desk.home / "p.json", code=1)
    assert "was agreed already, as part 1" in twice["message"]


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("period", {"period": 202602}),
        ("round", {"round": 2}),
        ("chain", {"chain_id": 1}),
        ("ledger", {"ledger": "0x" + "ab" * 20}),
        ("chain", {"chain_id": None, "ledger": None}),
        ("operators", {"parties": (Party(1, "One", "EUR"), Party(3, "Three", "EUR")), "amounts": ()}),
        ("batches none of operator 1", {"batches": ()}),
    ],
)
def test_settlements_of_something_else(desk: Desk, words: str, changes: dict[str, Any]) -> None:
    if "parties" in changes:
        changes = {**changes, "batches": ()}
    clearing = desk.agreeing()
    settlement = desk.settlement(**changes)
    refused = desk.look("propose", clearing, settlement, "--part", desk.home / "p.json", code=1)
    assert words in refused["message"]
    assert not (desk.home / "p.json").exists()


def test_settlements_of_other_batches(desk: Desk) -> None:
    clearing, place = desk.agreeing(), (1, PERIOD, REGION[1], 1)
    theirs = BatchReference(2, PERIOD, REGION[2], 1, desk.roots[2])
    cases: dict[str, tuple[BatchReference, ...]] = {
        "another root of batch 0-1 of operator 1": (BatchReference(*place, b"\1" * 32), theirs),
        "its opened book of 202603/5-1": (BatchReference(*place, desk.roots[1]),),
        "202603/0-2": (BatchReference(1, PERIOD, 0, 2, desk.roots[1]), theirs),
        "202602/0-1": (BatchReference(1, 202602, 0, 1, desk.roots[1]), theirs),
    }
    for words, batches in cases.items():
        settlement = desk.settlement(batches=batches)
        refused = desk.look("propose", clearing, settlement, "--part", desk.home / "p.json", code=1)
        assert words in refused["message"]


def test_a_part_beside_another_settlement(desk: Desk) -> None:
    clearing, settlement = desk.agreeing(), desk.settlement()
    part = desk.home / "part.json"
    desk.look("propose", clearing, settlement, "--part", part)
    other = desk.settlement(amount=10**9, name="other.json")
    refused = desk.call(2, "sign", part, "--settlement", other, admin=True, code=1)
    assert "another document" in refused["message"]
    changed = desk.home / "changed.json"
    changed.write_bytes(settlement.read_bytes().replace(b"12340000000", b"12350000000"))
    refused = desk.call(2, "sign", part, "--settlement", changed, admin=True, code=1)
    assert "another document" in refused["message"]
    changed.write_bytes(settlement.read_bytes().replace(b'"12340000000"', b'"12350000000"', 1))
    refused = desk.call(2, "sign", part, "--settlement", changed, admin=True, code=2)
    assert "does not add up" in refused["message"]
    assert "signatures" in json.loads(part.read_bytes())
    assert json.loads(part.read_bytes())["signatures"] == []


def test_the_creditor_says_where_it_is_paid(desk: Desk) -> None:
    """The debtor proposes, with an address of its own as the payee."""
    client = desk.client(7)
    euro, own = put(client.endpoint, client.signer, "TrickToken"), desk.client(8).signer.address
    clearing, settlement, part = desk.agreeing(), desk.settlement(), desk.home / "part.json"
    desk.look("propose", clearing, settlement, "--part", part, "--token", euro, "--payee", own)
    sign = ("sign", part, "--settlement", settlement)
    desk.call(2, *sign, admin=True)  # the debtor need not say
    assert "where is the creditor paid?" in desk.call(1, *sign, admin=True, code=2)["message"]
    wallet = desk.client(9).signer.address
    refused = desk.call(1, *sign, "--payee", wallet, admin=True, code=1)
    assert f"the part pays {own}, not {wallet}" in refused["message"]
    desk.call(1, *sign, "--payee", own, admin=True)


def test_a_netting_pays_nobody_elsewhere(desk: Desk) -> None:
    """Changed by whoever proposes it, with every hash made anew."""
    from dataclasses import replace

    from billproof.clearing.house_files import document_hash_of, read_netting, write_netting

    client = desk.client(7)
    euro, own = put(client.endpoint, client.signer, "TrickToken"), desk.client(8).signer.address
    part = desk.agreed(1, 2, 10**9, 2, "--token", euro, "--payee", own)[1]
    file = desk.home / "netting.json"
    desk.look("net", "propose", part, "--netting", file)
    netting = read_netting(file)
    (new,) = netting.parts
    opening = replace(new.amount.opening, payee=client.signer.address)
    netting = replace(netting, parts=(replace(new, amount=replace(new.amount, opening=opening)),))
    write_netting(replace(netting, document_hash=document_hash_of(netting)), file)
    refused = desk.call(1, "net", "sign", file, admin=True, code=1)
    assert "part 1 would pay operator 1 elsewhere" in refused["message"]


def test_amendments(desk: Desk) -> None:
    """Credits name the batch that holds them: an amendment of either side that stands."""
    clearing, settlement = desk.agreeing(), desk.settlement()
    propose = ("propose", clearing, settlement, "--part", desk.home / "part.json", "--amendment")
    for text, code in (("1-1", 2), (f"1/{PERIOD}/0-1", 1), (f"1/{PERIOD}/0-9", 1), (f"3/{PERIOD}/0-1", 1)):
        refused = desk.look(*propose, text, code=code)
        assert code == 2 or "is no amendment that stands" in refused["message"]
    desk.client(4).anchor(1, BatchAnchor(PERIOD, 0, 2, b"\3" * 32, bytes(32), amends=1))
    desk.look(*propose, f"1/{PERIOD}/0-2")
    part = desk.home / "part.json"
    assert json.loads(part.read_bytes())["amendment"] == {
        "operator": 1,
        "period": str(PERIOD),
        "region": 0,
        "sequence": 2,
    }
    for operator in (1, 2):
        desk.call(operator, "sign", part, "--settlement", settlement, admin=True)
    desk.call(1, "agree", part)


def test_nettings_of_what_does_not_fit(desk: Desk) -> None:
    client = desk.client(7)
    euro = put(client.endpoint, client.signer, "TrickToken")
    payee = client.signer.address
    paid = desk.agreed(1, 2, 10**9, 2, "--token", euro, "--payee", payee)[1]
    owed = desk.agreed(2, 3, 10**9, 3)[1]
    file = desk.home / "netting.json"
    refused = desk.look("net", "propose", paid, owed, "--netting", file, code=2)
    assert "several currencies or tokens" in refused["message"]
    desk.look("net", "propose", paid, "--netting", file)
    parts = json.loads(file.read_bytes())["parts"]
    assert (parts[0]["amount"]["token"], parts[0]["amount"]["payee"]) == (euro, payee)
    assert parts[0]["amount"]["salt"] != json.loads(paid.read_bytes())["amount"]["salt"]
    other = desk.agreeing(1, 3)
    settlement = desk.settlement(1, 3, payer=3)
    unsigned = desk.home / "unsigned.json"
    desk.look("propose", other, settlement, "--part", unsigned)
    never = desk.look("net", "propose", unsigned, "--netting", desk.home / "n.json", code=1)
    assert "was never agreed" in never["message"]
    desk.call(2, "withdraw", "--operator", 2, admin=True)
    void = desk.call(1, "net", "sign", file, admin=True, code=1)
    assert "has withdrawn its signatures" in void["message"]
    late = desk.home / "late.json"
    desk.look("net", "propose", owed, "--netting", late, "--valid", "1d")
    desk.pass_by(json.loads(late.read_bytes())["deadline"])
    assert "has passed" in desk.call(2, "net", "sign", late, admin=True, code=1)["message"]
    assert "is a single part" in desk.call(1, "confirm", owed, "--part", 1, admin=True, code=2)["message"]


def test_a_salt_that_was_changed_pays_nothing(desk: Desk) -> None:
    """Somebody's file of a part that was agreed with other terms."""
    _, part = desk.agreed(1, 2, 10**9, 2)
    again = desk.home / "again.json"
    again.write_bytes(part.read_bytes())
    change(again, lambda tree: tree["amount"].update(amount="2000000000"))
    assert "does not follow" in desk.call(1, "confirm", again, admin=True, code=2)["message"]


def test_both_operators_are_one_person(desk: Desk) -> None:
    """Allowed: the signer is both admins, so that a side has to be named where one acts."""
    client = desk.client(ADMINS[2])
    client.transfer(2, desk.client(ADMINS[1]).signer.address)
    desk.client(ADMINS[1]).accept(2)
    clearing = desk.open()
    unclear = desk.call(1, "refuse", clearing, admin=True, code=1)
    assert "may act for both" in unclear["message"]
    desk.commit(clearing, 1, 2)
    desk.commit(clearing, 2, 1)
    desk.reveal(clearing, 1, 2)
    desk.reveal(clearing, 2, 1)
    settlement, part = desk.settlement(), desk.home / "part.json"
    desk.look("propose", clearing, settlement, "--part", part)
    assert desk.call(1, "sign", part, "--settlement", settlement, "--operator", 2, admin=True)["signed"] == [
        2
    ]
    assert desk.call(1, "sign", part, "--settlement", settlement, admin=True)["signed"] == [1, 2]
    assert (
        "does not sign"
        in desk.call(1, "sign", part, "--settlement", settlement, "--operator", 3, admin=True, code=2)[
            "message"
        ]
    )
    desk.call(1, "refuse", clearing, "--operator", 2, admin=True)


def test_files_are_for_their_owner(desk: Desk) -> None:
    _, part = desk.agreed(1, 2, 10**9, 2)
    assert {path.stat().st_mode & 0o777 for path in (part, desk.folder(1) / "book-2.json")} == {0o600}
    assert isinstance(part, Path)
