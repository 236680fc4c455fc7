"""What goes wrong with parts and nettings on the chain, and what each operator is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
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
)
from commands import run
from doubles import put

from billproof.clearing.agreement.agreement import Party
from billproof.clearing.house.files import (
    document_hash_of,
    read_netting,
    read_part,
    write_netting,
    write_part,
)
from billproof.clearing.house.model import Owed, RingNetting
from billproof.clearing.settlement.settlement import BatchReference
from billproof.ledger.client import BatchAnchor

__all__ = ["desk", "desk_template", "fresh_desk", "run"]


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
    assert "proposes part 2 of claims that are open (billproof resolve)" in str(desk.status(clearing)["next"])


def test_a_part_that_was_agreed_and_is_another_now(desk: Desk) -> None:
    """Who changes its file afterwards is not told that this was agreed, nor that it was paid."""
    client = desk.client(7)
    euro, payee = put(client.endpoint, client.signer, "TrickToken"), desk.client(8).signer.address
    _, file = desk.agreed(1, 2, 10**9, 2, "--token", euro, "--payee", payee)
    assert desk.call(1, "agree", file)["already"]
    part, other = read_part(file), desk.home / "other.json"
    for changed in (
        replace(part, creditor=2),
        replace(part, document_hash=b"\1" * 32),
        replace(part, amount=replace(part.amount, opening=replace(part.amount.opening, amount=1))),
    ):
        write_part(changed, other)
        assert "with other terms" in desk.call(1, "agree", other, code=1)["message"]
    write_part(replace(part, creditor=2), other)
    desk.run("house", "pay", file, "--dev-account", 7, "--json")
    paid = json.loads(desk.run("house", "pay", file, "--dev-account", 7, "--json").out)
    assert paid["already"]
    refused = desk.run("house", "pay", other, "--dev-account", 7, "--json")
    assert (refused.code, "another amount, creditor" in refused.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("period", {"period": 202602, "batches": (), "chain_id": None, "ledger": None}),
        ("round", {"round": 2}),
        ("chain", {"chain_id": 1}),
        ("ledger", {"ledger": "0x" + "ab" * 20}),
        ("chain", {"batches": (), "chain_id": None, "ledger": None}),
        (
            "operators",
            {
                "parties": (Party(1, "One", "EUR"), Party(3, "Three", "EUR")),
                "amounts": (),
                "batches": (BatchReference(3, PERIOD, 0, 1, bytes(32)),),
            },
        ),
    ],
)
def test_settlements_of_something_else(desk: Desk, words: str, changes: dict[str, Any]) -> None:
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
        "batches none of operator 1": (theirs,),
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


def rewritten(file: Path, change: Callable[[RingNetting], RingNetting]) -> None:
    """Changes a netting as whoever proposes it could, with every hash made anew."""
    changed = change(read_netting(file))
    write_netting(replace(changed, document_hash=document_hash_of(changed)), file)


def with_opening(part: Owed, **changes: Any) -> Owed:
    return replace(part, amount=replace(part.amount, opening=replace(part.amount.opening, **changes)))


def test_a_netting_pays_nobody_elsewhere(desk: Desk) -> None:
    client = desk.client(7)
    euro, own = put(client.endpoint, client.signer, "TrickToken"), desk.client(8).signer.address
    part = desk.agreed(1, 2, 10**9, 2, "--token", euro, "--payee", own)[1]
    file = desk.home / "netting.json"
    desk.look("net", "propose", part, "--netting", file)
    other = client.signer.address
    rewritten(file, lambda found: replace(found, parts=(with_opening(found.parts[0], payee=other),)))
    refused = desk.call(1, "net", "sign", file, admin=True, code=1)
    assert "part 1 would pay operator 1 elsewhere" in refused["message"]


def test_a_netting_takes_nothing_from_anybody(desk: Desk) -> None:
    part = desk.agreed(1, 2, 10**9, 2)[1]
    file = desk.home / "netting.json"
    desk.look("net", "propose", part, "--netting", file)
    proposed = file.read_bytes()
    sign = ("net", "sign", file)
    rewritten(file, lambda found: replace(found, parts=(with_opening(found.parts[0], amount=1),)))
    assert "operator 1 had 1000000000 and would have 1" in desk.call(1, *sign, admin=True, code=2)["message"]
    file.write_bytes(proposed)
    rewritten(file, lambda found: replace(found, parts=()))
    assert "and would have 0" in desk.call(1, *sign, admin=True, code=2)["message"]
    file.write_bytes(proposed)

    def less(found: RingNetting) -> RingNetting:
        """Both less: it adds up, but is not what was agreed."""
        replaced = (with_opening(found.replaced[0], amount=1),)
        return replace(found, replaced=replaced, parts=(with_opening(found.parts[0], amount=1),))

    rewritten(file, less)
    refused = desk.call(1, *sign, admin=True, code=1)
    assert "was agreed with another amount, creditor or debtor" in refused["message"]
    file.write_bytes(proposed)

    def turned(found: RingNetting) -> RingNetting:
        replaced = (replace(found.replaced[0], creditor=2, debtor=1),)
        return replace(found, replaced=replaced, parts=(replace(found.parts[0], creditor=2, debtor=1),))

    rewritten(file, turned)
    refused = desk.call(1, *sign, admin=True, code=1)
    assert "was agreed with another amount, creditor or debtor" in refused["message"]
    file.write_bytes(proposed)
    rewritten(file, lambda found: replace(found, operators=(1, 2, 3), nonces=(0, 0, 0)))
    assert "3 has no part in it" in desk.call(1, *sign, admin=True, code=2)["message"]


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
