"""How a clearing ends early: refused, overdue, or on a book that no longer stands."""

import pytest
from brownie import reverts
from clearings import (
    AGREED,
    CLOSED,
    NOT_AGREED,
    NOT_COMMITTED,
    NOT_REVEALED,
    NOT_SETTLED,
    REFUSED,
    REPUDIATED,
    SETTLED,
)


@pytest.fixture
def overdue(desk, house):
    """Lets the deadline of one state pass."""

    def wait(clearing, state):
        desk.pass_by(house.getClearing(clearing)[8][state])

    return wait


def test_nothing_closes_before_its_deadline(desk, house):
    clearing, first, second = desk.committed()
    waiting = desk.open(desk.a, desk.c)
    steps = [
        (waiting, lambda: None),
        (clearing, lambda: None),
        (clearing, lambda: (desk.reveal(clearing, desk.a, first), desk.reveal(clearing, desk.b, second))),
        (clearing, lambda: desk.agree(clearing, last=True)),
    ]
    for at, step in steps:
        step()
        with reverts(revert_pattern="ClearingHouseTooEarly.*"):
            house.closeOverdue(at, 1, {"from": desk.a.admin})


@pytest.mark.parametrize("who", ["nobody", "a", "b"])
def test_not_committed_names_who_did_not(desk, house, overdue, who):
    clearing = desk.open()
    if who != "nobody":
        desk.commit(clearing, getattr(desk, who), [(1, 1)])
    overdue(clearing, 0)
    tx = house.closeOverdue(clearing, 1, {"from": desk.a.anchorer})
    assert desk.ending(clearing) == (CLOSED, NOT_COMMITTED, {"nobody": 3, "a": 2, "b": 1}[who])
    assert tx.events["ClearingClosed"]["closer"] == 1
    desk.open(desk.b, desk.a)


@pytest.mark.parametrize("who", ["nobody", "a", "b"])
def test_not_revealed_names_who_did_not(desk, house, overdue, who):
    clearing, first, second = desk.committed()
    if who != "nobody":
        desk.reveal(clearing, getattr(desk, who), first if who == "a" else second)
    overdue(clearing, 1)
    house.closeOverdue(clearing, 2, {"from": desk.b.admin})
    assert desk.ending(clearing) == (CLOSED, NOT_REVEALED, {"nobody": 3, "a": 2, "b": 1}[who])


def test_not_agreed_leaves_what_is_agreed_owed(desk, house, overdue):
    clearing = desk.agreeing()
    desk.agree(clearing)
    overdue(clearing, 2)
    net = desk.net_amount(clearing, part=2)
    with reverts(revert_pattern="ClearingHouseTooLate.*"):
        desk.submit(net, desk.signatures(net))
    house.closeOverdue(clearing, 1, {"from": desk.a.admin})
    assert desk.ending(clearing) == (CLOSED, NOT_AGREED, 0)
    assert desk.status(clearing) == AGREED
    house.confirm(clearing, 1, bytes(32), {"from": desk.a.admin})
    assert desk.state(clearing) == CLOSED


def test_not_settled(desk, house, overdue):
    clearing = desk.agreeing()
    desk.agree(clearing, last=True)
    overdue(clearing, 3)
    house.closeOverdue(clearing, 1, {"from": desk.a.admin})
    assert desk.ending(clearing) == (CLOSED, NOT_SETTLED, 0)
    house.confirm(clearing, 1, bytes(32), {"from": desk.a.admin})
    assert desk.ending(clearing) == (CLOSED, NOT_SETTLED, 0)  # late is late


def test_an_ended_clearing_stays_as_it_ended(desk, house, overdue):
    clearing = desk.agreeing()
    desk.agree(clearing, last=True)
    house.confirm(clearing, 1, bytes(32), {"from": desk.a.admin})
    assert desk.state(clearing) == SETTLED
    overdue(clearing, 3)
    for end in (house.closeOverdue, house.refuse, house.closeRepudiated):
        with reverts(revert_pattern="ClearingHouseWrongState.*"):
            end(clearing, 1, {"from": desk.a.admin})
    closed = desk.open()
    house.refuse(closed, 1, {"from": desk.a.admin})
    for end in (house.closeOverdue, house.refuse, house.closeRepudiated):
        with reverts(revert_pattern="ClearingHouseWrongState.*"):
            end(closed, 1, {"from": desk.a.admin})
    with reverts(revert_pattern="ClearingHouseWrongState.*"):
        house.commit(closed, 1, b"\x01" * 32, {"from": desk.a.admin})


def test_either_admin_refuses_until_the_last_part_is_agreed(desk, house):
    clearing = desk.agreeing()
    desk.agree(clearing)
    for sender in (desk.b.anchorer, desk.a.admin):  # not the anchorer: it ends what people negotiate
        with reverts(revert_pattern="ClearingHouseNotAdmin.*"):
            house.refuse(clearing, 2, {"from": sender})
    house.refuse(clearing, 2, {"from": desk.b.admin})
    assert desk.ending(clearing) == (CLOSED, REFUSED, 2)
    assert desk.status(clearing) == AGREED
    second = desk.agreeing()
    desk.agree(second, last=True)
    with reverts(revert_pattern="ClearingHouseWrongState.*"):
        house.refuse(second, 1, {"from": desk.a.admin})


def test_strangers_close_nothing(desk, house, overdue, mallory):
    clearing = desk.open()
    overdue(clearing, 0)
    with reverts(revert_pattern="ClearingHouseNotOperator.*"):
        house.closeOverdue(clearing, 1, {"from": mallory})
    with reverts(revert_pattern="ClearingHouseNotParty.*"):
        house.closeOverdue(clearing, 3, {"from": desk.c.admin})
    with reverts(revert_pattern="ClearingHouseNotOperator.*"):
        house.closeRepudiated(clearing, 1, {"from": mallory})


@pytest.mark.parametrize("both", [False, True])
def test_a_book_repudiated_after_its_opening(desk, house, both):
    """Nothing more is agreed on it, and the other side closes at once, with the reason."""
    clearing, first, second = desk.committed()
    desk.reveal(clearing, desk.a, first)
    desk.reveal(clearing, desk.b, second)
    with reverts(revert_pattern="ClearingHouseNothingRepudiated.*"):
        house.closeRepudiated(clearing, 1, {"from": desk.a.admin})
    desk.agree(clearing)
    net = desk.net_amount(clearing, part=2)
    signed = desk.signatures(net)
    desk.repudiate(desk.b, second[0])
    if both:
        desk.repudiate(desk.a, first[0])
    with reverts(revert_pattern="ClearingHouseBatchDoesNotStand.*"):
        desk.submit(net, signed)
    house.closeRepudiated(clearing, 1, {"from": desk.a.anchorer})
    assert desk.ending(clearing) == (CLOSED, REPUDIATED, 3 if both else 2)
    assert desk.status(clearing) == AGREED


def test_a_book_repudiated_before_the_other_opens_its_own(desk, house):
    """B need not show its book to a partner that has taken its own back."""
    clearing, first, _ = desk.committed()
    desk.reveal(clearing, desk.a, first)
    desk.repudiate(desk.a, first[0])
    house.closeRepudiated(clearing, 2, {"from": desk.b.admin})
    assert desk.ending(clearing) == (CLOSED, REPUDIATED, 1)


def test_an_operator_of_endless_texts_keeps_nobody_from_closing(desk, house, ledger, overdue):
    """Only the caller's own entry of the ledger is read: B makes its texts long, A pays for none of them."""
    clearing = desk.agreeing()
    desk.agree(clearing, last=True)
    before = house.confirm.estimate_gas(clearing, 1, bytes(32), {"from": desk.a.admin})
    ledger.updateOperator(2, "B", "", "x" * 10_000, {"from": desk.b.admin})
    assert house.confirm.estimate_gas(clearing, 1, bytes(32), {"from": desk.a.admin}) < before + 1_000
    overdue(clearing, 3)
    tx = house.closeOverdue(clearing, 1, {"from": desk.a.admin})
    assert tx.gas_used < 150_000
