"""How one part ends, once: confirmed by its creditor, or paid in a token to the last unit."""

import pytest
from brownie import accounts, reverts
from clearings import AGREED, CONFIRMED, NOBODY, PAID, SETTLED, Opening


@pytest.fixture
def clearing(desk):
    return desk.agreeing()


@pytest.fixture
def payee():
    return accounts[8]


@pytest.fixture
def owe(desk, house, token, payee, clearing):
    """B owes A the next part in a token, and has let the house move as much; gives what opens it."""

    def agree(last=False, money=token, to=payee.address, amount=1_000):
        opening = Opening(amount=amount, token=getattr(money, "address", money), payee=to)
        part = house.partCount(clearing) + 1
        desk.agree(clearing, part=part, opening=opening, last=last)
        if money != NOBODY:
            money.approve(house, 2**128, {"from": desk.b.admin})
        return opening

    return agree


def test_the_creditors_admin_confirms_once(desk, house, clearing, mallory):
    desk.agree(clearing)
    for sender in (mallory, desk.b.admin, desk.a.anchorer):
        with reverts(revert_pattern="ClearingHouseNotAdmin.*"):
            house.confirm(clearing, 1, bytes(32), {"from": sender})
    tx = house.confirm(clearing, 1, b"\x09" * 32, {"from": desk.a.admin})
    assert house.getPart(clearing, 1)[5:] == (tx.timestamp, CONFIRMED)
    assert bytes(tx.events["PartConfirmed"]["paymentHash"]) == b"\x09" * 32
    with reverts(revert_pattern="ClearingHouseNotOwed.*"):
        house.confirm(clearing, 1, bytes(32), {"from": desk.a.admin})


def test_the_admin_of_today_confirms(desk, house, ledger, clearing):
    desk.agree(clearing)
    ledger.transferAdmin(1, desk.c.admin, {"from": desk.a.admin})
    ledger.acceptAdmin(1, {"from": desk.c.admin})
    with reverts(revert_pattern="ClearingHouseNotAdmin.*"):
        house.confirm(clearing, 1, bytes(32), {"from": desk.a.admin})
    house.confirm(clearing, 1, bytes(32), {"from": desk.c.admin})


@pytest.mark.parametrize("part", [0, 2])
def test_parts_that_are_not_there(desk, house, clearing, part):
    desk.agree(clearing)
    with reverts(revert_pattern="ClearingHouseNotOwed.*"):
        house.confirm(clearing, part, bytes(32), {"from": desk.a.admin})
    with reverts(revert_pattern="ClearingHouseNotOwed.*"):
        house.pay(clearing, part, Opening().call, {"from": desk.b.admin})
    assert house.getPart(clearing, part)[2:] == (0, 0, 0, 0, 0)


def test_paid_to_the_last_unit_and_public_from_then_on(desk, house, token, payee, owe, clearing):
    opening = owe(last=True)
    before = token.balanceOf(desk.b.admin)
    tx = house.pay(clearing, 1, opening.call, {"from": desk.b.admin})
    assert token.balanceOf(payee) == 1_000
    assert token.balanceOf(desk.b.admin) == before - 1_000
    assert token.balanceOf(house) == 0
    assert desk.status(clearing) == PAID
    assert desk.state(clearing) == SETTLED
    paid = tx.events["PartPaid"]
    told = paid["token"], paid["amount"], paid["payee"], paid["payer"]
    assert told == (token, 1_000, payee, desk.b.admin)


def test_no_part_is_paid_or_confirmed_twice(desk, house, owe, clearing):
    opening = owe()
    house.pay(clearing, 1, opening.call, {"from": desk.b.admin})
    with reverts(revert_pattern="ClearingHouseNotOwed.*"):
        house.pay(clearing, 1, opening.call, {"from": desk.b.admin})
    with reverts(revert_pattern="ClearingHouseNotOwed.*"):
        house.confirm(clearing, 1, bytes(32), {"from": desk.a.admin})
    second = owe()
    house.confirm(clearing, 2, bytes(32), {"from": desk.a.admin})
    with reverts(revert_pattern="ClearingHouseNotOwed.*"):
        house.pay(clearing, 2, second.call, {"from": desk.b.admin})


@pytest.mark.parametrize("field", range(5))
def test_every_member_of_the_opening_counts(desk, house, owe, clearing, field):
    opening = owe()
    other = (b"USD", 999, accounts[6], accounts[7], b"\x08" * 32)
    changed = [other[i] if i == field else value for i, value in enumerate(opening.call)]
    with reverts(revert_pattern="ClearingHouseWrongOpening.*"):
        house.pay(clearing, 1, changed, {"from": desk.b.admin})


def test_an_opening_of_another_part_pays_nothing(desk, house, owe, clearing):
    """Equal amounts under one salt are different commitments: part and source are in them."""
    first, second = owe(), owe(amount=2_000)
    with reverts(revert_pattern="ClearingHouseWrongOpening.*"):
        house.pay(clearing, 2, first.call, {"from": desk.b.admin})
    assert first.commitment(clearing, 1) != first.commitment(clearing, 2)
    house.pay(clearing, 2, second.call, {"from": desk.b.admin})


def test_a_commitment_that_was_copied_to_another_part_cannot_be_opened(desk, house, owe, clearing):
    first = owe()
    desk.agree(clearing, part=2, commitment=first.commitment(clearing, 1))
    with reverts(revert_pattern="ClearingHouseWrongOpening.*"):
        house.pay(clearing, 2, first.call, {"from": desk.b.admin})


def test_what_is_not_payable_here(desk, house, token, owe, payee, clearing):
    for changes in (
        {"money": NOBODY},
        {"to": NOBODY},
        {"to": house.address},
        {"amount": 0},
    ):
        opening = owe(**changes)
        with reverts(revert_pattern="ClearingHouseNotPayable.*"):
            house.pay(clearing, house.partCount(clearing), opening.call, {"from": desk.b.admin})


def test_strangers_pay_out_of_their_own_pockets(desk, house, token, payee, owe, clearing, mallory):
    """The debtor's allowance moves the debtor's money for the debtor alone."""
    opening = owe()
    debtor = token.balanceOf(desk.b.admin)
    with reverts():
        house.pay(clearing, 1, opening.call, {"from": mallory})
    assert desk.status(clearing) == AGREED
    token.transfer(mallory, 1_000, {"from": desk.b.admin})
    token.approve(house, 1_000, {"from": mallory})
    house.pay(clearing, 1, opening.call, {"from": mallory})
    assert token.balanceOf(desk.b.admin) == debtor - 1_000
    assert (token.balanceOf(payee), token.balanceOf(mallory)) == (1_000, 0)


def test_the_creditors_new_admin_diverts_no_money(desk, house, ledger, token, payee, owe, clearing):
    """The payee is in what both signed."""
    opening = owe()
    ledger.transferAdmin(1, desk.c.admin, {"from": desk.a.admin})
    ledger.acceptAdmin(1, {"from": desk.c.admin})
    house.pay(clearing, 1, opening.call, {"from": desk.b.admin})
    assert token.balanceOf(payee) == 1_000


@pytest.mark.parametrize(("fee", "idle", "refusing"), [(1, False, False), (0, True, False), (0, False, True)])
def test_tokens_that_fail(desk, house, token, payee, owe, clearing, fee, idle, refusing):
    opening = owe()
    token.set(fee, idle, refusing, {"from": desk.b.admin})
    error = "SafeERC20FailedOperation" if refusing else "ClearingHouseInexactPayment"
    with reverts(revert_pattern=f"{error}.*"):
        house.pay(clearing, 1, opening.call, {"from": desk.b.admin})
    assert desk.status(clearing) == AGREED
    token.set(0, False, False, {"from": desk.b.admin})
    house.pay(clearing, 1, opening.call, {"from": desk.b.admin})
    assert token.balanceOf(payee) == 1_000


def test_tokens_that_answer_nothing(desk, house, silent, payee, owe, clearing):
    opening = owe(money=silent)
    house.pay(clearing, 1, opening.call, {"from": desk.b.admin})
    assert silent.balanceOf(payee) == 1_000


def test_a_token_that_is_no_contract(desk, house, owe, clearing):
    opening = Opening(token=accounts[7].address, payee=accounts[8].address)
    desk.agree(clearing, opening=opening)
    with reverts():
        house.pay(clearing, 1, opening.call, {"from": desk.b.admin})
    assert desk.status(clearing) == AGREED


def test_paying_oneself_pays_nothing(desk, house, token, owe, clearing):
    opening = owe(to=desk.b.admin.address)
    with reverts(revert_pattern="ClearingHouseInexactPayment.*"):
        house.pay(clearing, 1, opening.call, {"from": desk.b.admin})


def test_a_token_that_pays_again_on_the_way(desk, house, token, payee, owe, clearing):
    """Without the guard, what part 2 brings would count for part 1 as well, of which the token keeps 600."""
    first, second = owe(), owe(amount=600)
    # The token itself is the inner payer.
    token.transfer(token, 600, {"from": desk.b.admin})
    token.allow(house, {"from": desk.b.admin})
    token.hook(house, house.pay.encode_input(clearing, 2, second.call), {"from": desk.b.admin})
    token.setOuterFee(600, {"from": desk.b.admin})
    with reverts(revert_pattern="ClearingHouseInexactPayment.*"):
        house.pay(clearing, 1, first.call, {"from": desk.b.admin})
    assert (desk.status(clearing, 1), desk.status(clearing, 2)) == (AGREED, AGREED)
    token.setOuterFee(0, {"from": desk.b.admin})
    house.pay(clearing, 1, first.call, {"from": desk.b.admin})
    assert not token.called()  # refused, while an honest part is paid around it
    assert (desk.status(clearing, 1), desk.status(clearing, 2)) == (PAID, AGREED)


def test_a_token_cannot_end_the_same_part_on_the_way(desk, house, ledger, token, owe, clearing):
    """The creditor's admin is the token, which confirms while it pays: the part has ended before."""
    opening = owe()
    ledger.transferAdmin(1, token, {"from": desk.a.admin})
    token.hook(ledger, ledger.acceptAdmin.encode_input(1), {"from": desk.b.admin})
    token.transferFrom(desk.b.admin, desk.b.admin, 0, {"from": desk.b.admin})
    assert token.called()
    assert ledger.getOperator(1)[0] == token
    token.hook(house, house.confirm.encode_input(clearing, 1, bytes(32)), {"from": desk.b.admin})
    tx = house.pay(clearing, 1, opening.call, {"from": desk.b.admin})
    assert not token.called()
    assert "PartConfirmed" not in tx.events
    assert desk.status(clearing) == PAID


def test_a_failed_payment_leaves_everything(desk, house, token, owe, clearing):
    opening = owe(last=True)
    token.approve(house, 999, {"from": desk.b.admin})
    before = house.getClearing(clearing)
    with reverts():
        house.pay(clearing, 1, opening.call, {"from": desk.b.admin})
    assert house.getClearing(clearing) == before
