"""Commitments before openings, and what a book must be when it is opened."""

import pytest
from brownie import chain, reverts
from clearings import AGREEING, COMMITTING, REVEALING, SALT, STATEMENTS


def test_two_commitments_then_two_openings(desk, house):
    clearing, first, second = desk.committed()
    assert desk.state(clearing) == REVEALING
    desk.reveal(clearing, desk.b, second)
    assert desk.state(clearing) == REVEALING
    tx = desk.reveal(clearing, desk.a, first)
    assert desk.state(clearing) == AGREEING
    assert tx.events["BookRevealed"]["operatorId"] == 1
    assert house.bookOf(clearing, 1) == (first[0],)
    stored = house.getClearing(clearing)
    assert bytes(stored[9][0]) == desk.book(clearing, desk.a, first)
    assert stored[9][2] == tx.timestamp


def test_nobody_opens_before_both_have_committed(desk):
    book = [desk.anchor(desk.a)]
    clearing = desk.open()
    desk.commit(clearing, desk.a, book)
    assert desk.state(clearing) == COMMITTING
    with reverts(revert_pattern="ClearingHouseWrongState.*"):
        desk.reveal(clearing, desk.a, book)


def test_one_commitment_a_side(desk):
    clearing = desk.open()
    desk.commit(clearing, desk.a, [(1, 1)])
    with reverts(revert_pattern="ClearingHouseAlreadyDone.*"):
        desk.commit(clearing, desk.a, [(1, 2)])
    desk.commit(clearing, desk.b, [(1, 1)])
    with reverts(revert_pattern="ClearingHouseWrongState.*"):
        desk.commit(clearing, desk.a, [(1, 2)])


def test_one_opening_a_side(desk):
    clearing, first, _ = desk.committed()
    desk.reveal(clearing, desk.a, first)
    with reverts(revert_pattern="ClearingHouseAlreadyDone.*"):
        desk.reveal(clearing, desk.a, first)


def test_zero_is_no_commitment(desk, house):
    clearing = desk.open()
    with reverts(revert_pattern="ClearingHouseZeroHash.*"):
        house.commit(clearing, 1, bytes(32), {"from": desk.a.admin})


def test_only_the_sides_own_people(desk, house, mallory):
    clearing, first, _ = desk.committed()
    for sender in (mallory, desk.b.admin, desk.b.anchorer):
        with reverts(revert_pattern="ClearingHouseNotOperator.*"):
            house.reveal(clearing, 1, first, STATEMENTS, SALT, {"from": sender})
    with reverts(revert_pattern="ClearingHouseNotParty.*"):
        house.reveal(clearing, 3, first, STATEMENTS, SALT, {"from": desk.c.admin})
    other = desk.open(desk.a, desk.c)
    with reverts(revert_pattern="ClearingHouseNotOperator.*"):
        house.commit(other, 1, b"\x01" * 32, {"from": mallory})
    house.commit(other, 1, b"\x01" * 32, {"from": desk.a.admin})


def test_a_revoked_key_no_longer_commits(desk, ledger, house):
    clearing = desk.open()
    ledger.revokeAnchorer(1, desk.a.anchorer, {"from": desk.a.admin})
    with reverts(revert_pattern="ClearingHouseNotOperator.*"):
        house.commit(clearing, 1, b"\x01" * 32, {"from": desk.a.anchorer})


@pytest.mark.parametrize("field", ["batches", "statements", "salt"])
def test_every_member_of_the_opening_counts(desk, field):
    clearing, first, _ = desk.committed()
    more = desk.anchor(desk.a)
    other = {"batches": [more], "statements": b"\x01" * 32, "salt": b"\x02" * 32}
    shown = {"batches": first, "statements": STATEMENTS, "salt": SALT, field: other[field]}
    with reverts(revert_pattern="ClearingHouseWrongOpening.*"):
        desk.reveal(clearing, desk.a, **shown)
    desk.reveal(clearing, desk.a, first)


def test_a_copied_commitment_opens_nothing(desk, house):
    """B sends A's commitment as its own, and knows all that A shows: the operator is part of the hash."""
    book = [desk.anchor(desk.a)]
    desk.anchor(desk.b)
    clearing = desk.open()
    desk.commit(clearing, desk.a, book)
    house.commit(clearing, 2, desk.book(clearing, desk.a, book), {"from": desk.b.admin})
    desk.reveal(clearing, desk.a, book)
    with reverts(revert_pattern="ClearingHouseWrongOpening.*"):
        desk.reveal(clearing, desk.b, book)


def test_a_commitment_of_another_clearing_opens_nothing(desk, house):
    """The clearing, and with it chain, house and round, is part of the hash."""
    book = [desk.anchor(desk.a)]
    elsewhere = desk.open(desk.a, desk.c)
    clearing = desk.open()
    house.commit(clearing, 1, desk.book(elsewhere, desk.a, book), {"from": desk.a.admin})
    house.commit(clearing, 2, b"\x01" * 32, {"from": desk.b.admin})
    with reverts(revert_pattern="ClearingHouseWrongOpening.*"):
        desk.reveal(clearing, desk.a, book)


def test_a_book_that_is_anchored_after_its_commitment(desk):
    """The place is named first, and filled when the other side's book is known: refused."""
    theirs = [desk.anchor(desk.b)]
    clearing = desk.open()
    desk.commit(clearing, desk.a, [(1, 1)])
    desk.commit(clearing, desk.b, theirs)
    desk.reveal(clearing, desk.b, theirs)
    with reverts(revert_pattern="ClearingHouseBatchDoesNotStand.*"):
        desk.reveal(clearing, desk.a, [(1, 1)])
    assert desk.anchor(desk.a) == (1, 1)
    with reverts(revert_pattern="ClearingHouseBatchDoesNotStand.*"):
        desk.reveal(clearing, desk.a, [(1, 1)])


def test_a_book_that_was_repudiated_meanwhile(desk):
    clearing, first, second = desk.committed()
    desk.reveal(clearing, desk.b, second)
    desk.repudiate(desk.a, first[0])
    with reverts(revert_pattern="ClearingHouseBatchDoesNotStand.*"):
        desk.reveal(clearing, desk.a, first)


def test_another_operators_batch_is_no_book(desk):
    """References are looked up under the side's own number: only B has a batch in region 9."""
    desk.anchor(desk.b, region=9)
    clearing = desk.open()
    desk.commit(clearing, desk.a, [(9, 1)])
    desk.commit(clearing, desk.b, [(9, 1)])
    desk.reveal(clearing, desk.b, [(9, 1)])
    with reverts(revert_pattern="ClearingHouseBatchDoesNotStand.*"):
        desk.reveal(clearing, desk.a, [(9, 1)])


@pytest.mark.parametrize(
    "batches",
    [[], [(1, 2), (1, 1)], [(1, 1), (1, 1)], [(2, 1), (1, 1)], [(0, 0)], [(1, i) for i in range(1, 34)]],
)
def test_books_are_lists_in_order(desk, batches):
    for region in (1, 2):
        desk.anchor(desk.a, region=region)
        desk.anchor(desk.a, region=region)
    clearing = desk.open()
    desk.commit(clearing, desk.a, batches)
    desk.commit(clearing, desk.b, batches)
    with reverts(revert_pattern="ClearingHouseBatchOrder.*"):
        desk.reveal(clearing, desk.a, batches)


def test_a_book_of_several_regions_and_amendments(desk, house):
    batches = [
        desk.anchor(desk.a, 0),
        desk.anchor(desk.a),
        desk.anchor(desk.a, amends=1),
        desk.anchor(desk.a, 7),
    ]
    clearing = desk.open()
    desk.commit(clearing, desk.a, batches)
    desk.commit(clearing, desk.b, [desk.anchor(desk.b)])
    desk.reveal(clearing, desk.a, batches)
    assert list(house.bookOf(clearing, 1)) == batches


def test_deadlines_of_both_steps(desk, house):
    clearing = desk.open()
    late = desk.open(desk.a, desk.c)
    book, theirs = [desk.anchor(desk.a)], [desk.anchor(desk.b)]
    desk.commit(clearing, desk.a, book)
    desk.commit(clearing, desk.b, theirs)
    commit_by, reveal_by, *_ = house.getClearing(clearing)[8]
    desk.pass_by(max(commit_by, house.getClearing(late)[8][0]))
    with reverts(revert_pattern="ClearingHouseTooLate.*"):
        desk.commit(late, desk.a, book)
    desk.reveal(clearing, desk.a, book)
    desk.pass_by(reveal_by)
    with reverts(revert_pattern="ClearingHouseTooLate.*"):
        desk.reveal(clearing, desk.b, theirs)
    assert chain[-1].timestamp > reveal_by
