"""`billproof house`: two operators, then three, from batches in their stores to settled clearings."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chains import Chain, quiet_anvil
from clearing_desk import (
    ADMINS,
    ANCHORERS,
    DAY,
    PERIOD,
    Desk,
    change,
    desk,
    desk_template,
    fresh_desk,
    furnish,
    partner_account,
)
from commands import Run, run
from doubles import put
from eth_abi import encode
from eth_account import Account

from billproof.commitment.keccak import keccak
from billproof.ledger import token
from billproof.ledger.artifact import house_address
from billproof.ledger.reads import operator as operator_state

__all__ = ["desk", "desk_template", "fresh_desk", "quiet_anvil", "run"]


def test_from_stores_to_a_confirmed_part(fresh_desk: Desk) -> None:
    desk = fresh_desk
    clearing = desk.open()
    told = desk.status(clearing)
    assert told["state"] == "Committing"
    assert [step["operators"] for step in told["next"]] == [[1], [2]]
    assert {step["until"] for step in told["next"]} == {told["deadlines"]["commitBy"]}
    assert told["deadlines"]["revealBy"] - told["deadlines"]["commitBy"] == 7 * DAY

    desk.commit(clearing, 1, 2)
    book = desk.folder(1) / "book-2.json"
    assert stat.S_IMODE(book.stat().st_mode) == 0o600
    assert [step["operators"] for step in desk.status(clearing)["next"]] == [[2]]
    assert "has not committed yet" in desk.reveal(clearing, 1, 2, code=1)["message"]
    committed = desk.commit(clearing, 2, 1)
    assert (committed["statements"], committed["records"]) == (1, 2)
    assert desk.status(clearing)["state"] == "Revealing"
    desk.reveal(clearing, 1, 2)
    assert "has not opened" in desk.look("check", clearing, book, "--partner", 2, code=3)["message"]
    desk.reveal(clearing, 2, 1)
    assert desk.reveal(clearing, 2, 1)["already"]

    theirs = [each for each in desk.bundles(2, 1) if "first" in each.name]
    found = desk.look("check", clearing, *theirs, "--partner", 2)
    assert found["problems"] == []
    assert (found["batches"], found["statements"], found["records"]) == (["5-1"], 1, 2)

    settlement = desk.settlement()
    part = desk.folder(1) / "part.json"
    proposed = desk.look("propose", clearing, settlement, "--part", part, "--last")
    assert stat.S_IMODE(part.stat().st_mode) == 0o600
    assert (proposed["creditor"], proposed["debtor"], proposed["amount"]) == (1, 2, "12340000000")
    assert proposed["documentHash"] == "0x" + keccak(settlement.read_bytes()).hex()
    assert desk.look("propose", clearing, settlement, "--part", part, code=2)["message"].endswith(
        "is there already"
    )
    unsigned = desk.call(1, "agree", part, code=1)
    assert "operator 1 has not signed" in unsigned["message"]
    assert desk.call(1, "sign", part, "--settlement", settlement, admin=True)["signed"] == [1]
    handed = desk.folder(2) / "part.json"
    handed.write_bytes(part.read_bytes())
    assert desk.call(2, "sign", handed, "--settlement", settlement, admin=True)["signed"] == [1, 2]
    desk.call(3, "agree", handed)  # anybody
    assert desk.call(1, "agree", handed)["already"]

    told = desk.status(clearing)
    assert told["state"] == "Settling"
    assert [(each["debtor"], each["creditor"], each["status"]) for each in told["parts"]] == [
        (2, 1, "Agreed")
    ]
    assert told["next"][0]["operators"] == [2]
    assert told["next"][0]["until"] == told["deadlines"]["settleBy"]
    assert "names no token" in desk.call(2, "pay", handed, code=1)["message"]
    assert "not the admin" in desk.call(2, "confirm", handed, admin=True, code=1)["message"]
    confirmed = desk.call(1, "confirm", part, "--payment", "transfer 77", admin=True)
    salt = bytes.fromhex(json.loads(part.read_bytes())["amount"]["salt"][2:])
    assert confirmed["paymentHash"] == "0x" + keccak(salt + b"transfer 77").hex()
    told = desk.status(clearing)
    assert (told["state"], told["next"]) == ("Settled", [])
    listed = desk.look("list", "--operator", 2)["clearings"]
    assert [each["clearing"] for each in listed] == [clearing]
    assert desk.look("list", "--operator", 3)["clearings"] == []


AGREEMENT = """
schema = "billproof/agreement/1"
name = "One and two"
valid = { from = "2026-01-01", until = "2027-01-01" }
settlement = "EUR"
parties = [
  { operator = 1, name = "Operator 1", currency = "EUR" },
  { operator = 2, name = "Operator 2", currency = "EUR" },
]
"""


def test_books_settled_on_a_real_node(
    quiet_anvil: Chain, run: Run, build: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From both stores through `clear` and `settle` to a part that is agreed and confirmed."""
    monkeypatch.setenv("BILLPROOF_RPC", quiet_anvil.url)
    monkeypatch.delenv("BILLPROOF_PASSWORD_FILE", raising=False)
    desk = Desk(tmp_path, run, furnish(tmp_path, quiet_anvil.endpoint, build), quiet_anvil.endpoint)
    clearing = desk.agreeing()
    agreement, cleared, settlement = (tmp_path / each for each in ("agreement.toml", "clear.json", "s.json"))
    agreement.write_text(AGREEMENT)
    stores = [desk.folder(each) / "store" for each in (1, 2)]
    accounts = ("--our-account", partner_account(2), "--their-account", partner_account(1))
    agreed = ("--agreement", agreement)
    assert run("clear", *stores, *accounts, *agreed, "--month", "2026-03", "--out", cleared).code == 0
    days = ("--issued", "2026-04-10", "--due", "2026-05-31")
    settled = run("settle", cleared, *agreed, *days, "--out", settlement)
    assert settled.code == 0, settled.err
    part = tmp_path / "part.json"
    proposed = desk.look("propose", clearing, settlement, "--part", part, "--last")
    assert (proposed["creditor"], proposed["amount"]) == (1, str(2 * 270_000_000))
    desk.call(1, "sign", part, "--settlement", settlement, admin=True)
    own = tmp_path / "own.json"
    accounts = ("--our-account", partner_account(1), "--their-account", partner_account(2))
    own_books = (*reversed(stores), *accounts, "--payer", "ours")
    assert run("clear", *own_books, *agreed, "--month", "2026-03", "--out", own).code == 0
    sign = ("sign", part, "--document", own, *agreed, "--settlement")
    refused = desk.call(2, *sign, desk.settlement(name="other.json"), admin=True, code=1)
    assert "net amount: the settlement says operator 2 pays 12.34 EUR" in refused["message"]
    assert json.loads(part.read_bytes())["signatures"][1:] == []
    assert desk.call(2, *sign, settlement, admin=True)["signed"] == [1, 2]
    desk.call(2, "agree", part)
    desk.call(1, "confirm", part, "--payment", "transfer 77", admin=True)
    assert desk.status(clearing)["state"] == "Settled"


def test_documents_and_their_agreement_are_given_together(desk: Desk, tmp_path: Path) -> None:
    settlement, part, file = desk.settlement(), desk.home / "part.json", tmp_path / "given"
    desk.look("propose", desk.agreeing(), settlement, "--part", part)
    file.write_text("")
    for option in ("--document", "--agreement", "--before"):
        done = desk.run("house", "sign", part, "--settlement", settlement, option, file, "--json")
        assert (done.code, "given together" in done.err) == (2, True)


def test_paid_in_a_token(desk: Desk) -> None:
    client = desk.client(7)
    euro = put(client.endpoint, client.signer, "TrickToken")
    payee = desk.client(8).signer.address
    clearing, part = desk.agreed(1, 2, 12_340_000_000, 2, "--token", euro, "--payee", payee)
    amount = json.loads(part.read_bytes())["amount"]
    assert amount["amount"] == str(1234 * 10**16)
    assert (amount["token"], amount["decimals"], amount["payee"]) == (euro, 18, payee)
    assert "are needed" in desk.call(2, "pay", part, code=1)["message"]
    paid = desk.run("house", "pay", part, "--dev-account", 7, "--json")
    assert paid.code == 0, paid.err
    assert len(paid.json["transactions"]) == 2
    house = house_address(client.deployment.ledger)
    assert token.balance(client.endpoint, euro, payee) == 1234 * 10**16
    assert token.allowance(client.endpoint, euro, client.signer.address, house) == 0
    told = desk.status(clearing)
    assert (told["state"], told["parts"][0]["status"]) == ("Settled", "Paid")
    assert desk.call(2, "pay", part)["already"]


def test_a_token_that_says_no_decimals(desk: Desk) -> None:
    client = desk.client(7)
    silent = put(client.endpoint, client.signer, "SilentToken")
    words = ("propose", desk.agreeing(), desk.settlement(), "--part", desk.home / "part.json")
    for address, said in (
        (silent, "does not answer as a token does: decimals()"),
        ("0x" + "ab" * 20, "is no c"),
    ):
        refused = desk.look(*words, "--token", address, "--payee", client.signer.address, code=4)
        assert said in refused["message"]


def test_three_net_what_they_owe(desk: Desk) -> None:
    """1 gets 10 of 2, 2 gets 7 of 3, 3 gets 5 of 1: 1 is left with 5 to get, 2 with 3 to pay, 3 with 2."""
    ring = [(1, 2, 10, 2), (2, 3, 7, 3), (1, 3, 5, 1)]
    clearings, parts = zip(
        *(desk.agreed(one, other, amount * 10**9, payer) for one, other, amount, payer in ring), strict=True
    )
    file = desk.folder(3) / "netting.json"
    proposed = desk.look("net", "propose", *parts, "--netting", file)
    assert [(each["creditor"], each["debtor"], each["amount"]) for each in proposed["parts"]] == [
        (1, 2, "3000000000"),
        (1, 3, "2000000000"),
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for operator in (1, 2):
        desk.call(operator, "net", "sign", file, admin=True)
    assert "operator 3 has not signed" in desk.call(1, "net", "submit", file, code=1)["message"]
    assert "is not the admin" in desk.call(3, "net", "sign", file, code=1)["message"]
    assert desk.call(3, "net", "sign", file, admin=True)["signed"] == [1, 2, 3]
    netting = desk.call(1, "net", "submit", file)["netting"]
    assert netting == proposed["netting"]
    assert desk.call(1, "net", "submit", file)["already"]
    assert "agreed already" in desk.call(1, "net", "sign", file, admin=True, code=1)["message"]
    for clearing in clearings:
        told = desk.status(clearing)
        assert (told["state"], told["parts"][0]["status"]) == ("Settled", "Netted")
    told = desk.status(netting)
    assert [step["operators"] for step in told["next"]] == [[2], [3]]
    assert "has 2 parts" in desk.call(1, "confirm", file, admin=True, code=2)["message"]
    for number in (1, 2):
        desk.call(1, "confirm", file, "--part", number, admin=True)
    assert {each["status"] for each in desk.status(netting)["parts"]} == {"Confirmed"}
    ended = desk.call(1, "confirm", file, "--part", 2, admin=True, code=1)
    assert "has ended: confirmed" in ended["message"]
    again = desk.look("net", "propose", *parts, "--netting", desk.home / "n.json", code=1)
    assert "the netting was agreed already" in again["message"]
    again = desk.look("net", "propose", parts[0], "--netting", desk.home / "n.json", code=1)
    assert "has ended: netted" in again["message"]


def test_what_cancels_leaves_nothing(desk: Desk) -> None:
    parts = [desk.agreed(*each)[1] for each in ((1, 2, 10**9, 2), (2, 3, 10**9, 3), (1, 3, 10**9, 1))]
    file = desk.home / "netting.json"
    assert desk.look("net", "propose", *parts, "--netting", file)["parts"] == []
    for operator in (1, 2, 3):
        desk.call(operator, "net", "sign", file, admin=True)
    desk.call(2, "net", "submit", file)
    assert desk.call(2, "net", "submit", file)["already"]


def test_nothing_to_pay_is_agreed_and_confirmed(desk: Desk) -> None:
    clearing, part = desk.agreed(1, 2, 0, 2)
    told = json.loads(part.read_bytes())
    assert (told["creditor"], told["amount"]["amount"]) == (2, "0")  # nothing is the first party's to pay
    desk.call(2, "confirm", part, admin=True)
    assert desk.status(clearing)["state"] == "Settled"


def test_nothing_is_not_paid_in_a_token(desk: Desk) -> None:
    client = desk.client(7)
    euro = put(client.endpoint, client.signer, "TrickToken")
    clearing, settlement = desk.agreeing(), desk.settlement(amount=0)
    words = ("propose", clearing, settlement, "--part", desk.home / "p.json", "--token", euro)
    assert "nobody is paid" in desk.look(*words, code=2)["message"]
    refused = desk.look(*words, "--payee", client.signer.address, code=2)
    assert "nothing is to be paid" in refused["message"]
    words = ("propose", clearing, settlement, "--part", desk.home / "p.json", "--payee", euro)
    assert "is for a token" in desk.look(*words, code=2)["message"]


def test_a_wallets_signature_is_added(desk: Desk) -> None:
    """The admin of operator 2 becomes a contract: its owner signs the digest elsewhere."""
    owner = desk.client(9)
    wallet = put(owner.endpoint, owner.signer, "OneKeyWallet", encode(["address"], [owner.signer.address]))
    admin = desk.client(ADMINS[2])
    admin.transfer(2, wallet)
    accept = keccak(b"acceptAdmin(uint64)")[:4] + encode(["uint64"], [2])
    execute = keccak(b"execute(address,bytes)")[:4]
    owner.send(wallet, execute + encode(["address", "bytes"], [admin.deployment.ledger, accept]))
    assert operator_state(admin.endpoint, admin.deployment, 2).admin == wallet

    clearing, settlement, part = desk.agreeing(), desk.settlement(), desk.folder(1) / "part.json"
    desk.look("propose", clearing, settlement, "--part", part)
    former = desk.call(2, "sign", part, "--settlement", settlement, admin=True, code=1)
    assert "is not the admin" in former["message"]
    desk.call(1, "sign", part, "--settlement", settlement, admin=True)
    told = desk.look("sign", part, "--settlement", settlement, "--digest")
    digest = bytes.fromhex(told["digest"][2:])
    signed = "0x" + Account.unsafe_sign_hash(digest, owner.signer._account.key).signature.hex()
    add = ("sign", part, "--settlement", settlement, "--operator", 2, "--signature")
    assert "is not that of its admin" in desk.look(*add, signed[:-2] + "00", code=1)["message"]
    assert "hexadecimal" in desk.look(*add, "0xzz", code=2)["message"]
    whose = desk.look("sign", part, "--settlement", settlement, "--signature", signed, code=2)
    assert "whose signature" in whose["message"]
    assert desk.look(*add, signed)["signed"] == [1, 2]
    desk.call(3, "agree", part)
    assert len(desk.status(clearing)["parts"]) == 1


def test_several_accounts_and_batches(desk: Desk) -> None:
    """Operator 1 keeps two accounts of its first partner, operator 2."""
    clearing = desk.open()
    both = [partner_account(2), partner_account(2) + " again"]
    desk.commit(clearing, 1, 2, accounts=both)
    desk.commit(clearing, 2, 1)
    desk.reveal(clearing, 1, 2)
    desk.reveal(clearing, 2, 1)
    files = desk.bundles(1, 2)
    assert len(files) == 2
    found = desk.look("check", clearing, *files, "--partner", 1)
    assert (found["statements"], found["records"]) == (2, 4)
    folder = desk.home / "handed"
    folder.mkdir()
    for file in files:
        (folder / file.name).write_bytes(file.read_bytes())
    assert desk.look("check", clearing, folder, "--partner", 1)["statements"] == 2
    few = desk.look("check", clearing, files[0], "--partner", 1, code=1)
    assert "one is missing, too many, or another" in few["problems"][0]


def test_what_the_partner_hands_over_is_not_its_book(desk: Desk) -> None:
    clearing = desk.agreeing()
    first, again = (desk.bundles(2, 1)[at] for at in (1, 0))
    assert "first" in first.name
    cases = {
        "is the statement of another file": [first, first],
        "one is missing, too many, or another": [first, again],
        "not of operator 2": [first, *desk.bundles(1, 2)],
        "but no file is of it": desk.bundles(1, 2),
    }
    for words, files in cases.items():
        found = desk.look("check", clearing, *files, "--partner", 2, code=1)
        assert words in " ".join(found["problems"]), found
    changed = desk.home / "changed.json"
    changed.write_bytes(first.read_bytes())
    change(changed, lambda tree: tree["records"][0].update(amount="1"))
    found = desk.look("check", clearing, changed, "--partner", 2, code=1)
    assert "not what was committed" in found["problems"][0]
    desk.repudiate(2)
    found = desk.look("check", clearing, first, "--partner", 2, code=1)
    assert "was repudiated" in found["problems"][0]
    assert desk.look("check", clearing, first, "--partner", 3, code=2)["message"].endswith("this clearing")


def test_what_people_read(desk: Desk) -> None:
    clearing, part = desk.agreed(1, 2, 12_340_000_000, 2)
    shown = desk.run("house", "status", clearing)
    assert f"Clearing of 1 and 2, period {PERIOD}, round 1: the last part is signed" in shown.out
    assert "operator 2 pays part 1" in shown.out
    listed = desk.run("house", "list", "--operator", 1)
    assert clearing in listed.out
    assert "has no clearing" in desk.run("house", "list", "--operator", 3).err
    confirmed = desk.run("house", "confirm", part, "--dev-account", ADMINS[1])
    assert "Operator 1 has confirmed part 1." in confirmed.err
    assert "Nothing is to be done." in desk.run("house", "status", clearing).out
    opened = desk.run(
        "house",
        "open",
        "--operator",
        1,
        "--partner",
        2,
        "--period",
        PERIOD,
        "--commit-by",
        "2d",
        "--settle-by",
        "2099-01-01",
        "--dev-account",
        ANCHORERS[1],
    )
    assert opened.code == 1
    assert "730 at most" in opened.err
    settlement = desk.settlement(2, 3, payer=3)
    other = desk.agreeing(2, 3)
    told = desk.run("house", "propose", other, settlement, "--part", desk.home / "part.json", "--valid", "2d")
    assert "operator 3 owes operator 2 12.34 EUR" in told.out
    assert "Still to sign: operator 2 and 3" in told.err


@pytest.mark.parametrize("text", ["tomorrow", "0d", "7", "2026-13-01", "7w"])
def test_times_that_are_none(desk: Desk, text: str) -> None:
    words = ("open", "--operator", 1, "--partner", 2, "--period", PERIOD, "--commit-by", text)
    assert "is no time" in desk.call(1, *words, code=2)["message"]
