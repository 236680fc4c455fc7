"""Who opens a clearing, with whom, with which deadlines, and how many there may be."""

import pytest
from brownie import chain, reverts, web3
from clearings import CLOSED, COMMITTING, DAY, NONE, REFUSED, struct_hash


def test_id_is_the_struct_of_chain_house_operators_period_and_round(desk, house):
    clearing = desk.open(desk.b, desk.a)  # B opens; A is the smaller number all the same
    expected = struct_hash("Clearing", web3.eth.chain_id, house.address, 1, 2, desk.period, 1)
    assert bytes(clearing) == expected
    assert house.clearingIdOf(2, 1, desk.period, 1) == house.clearingIdOf(1, 2, desk.period, 1) == clearing
    stored = house.getClearing(clearing)
    assert stored[:8] == (1, 2, desk.period, 1, 0, COMMITTING, 0, 0)


def test_admin_or_anchorer_of_the_operator_that_is_named(desk, house, mallory):
    arguments = (desk.period, desk.deadlines())
    for sender in (mallory, desk.b.anchorer, desk.b.admin):
        with reverts(revert_pattern="ClearingHouseNotOperator.*"):
            house.open(1, 2, *arguments, {"from": sender})
    house.open(1, 2, *arguments, {"from": desk.a.admin})
    house.open(1, 3, *arguments, {"from": desk.a.anchorer})


def test_nobody_clears_with_itself_or_with_nobody(desk, house):
    for partner in (1, 0, 4, 2**64 - 1):
        with reverts(revert_pattern="ClearingHouseNoPartner.*"):
            house.open(1, partner, desk.period, desk.deadlines(), {"from": desk.a.admin})


@pytest.mark.parametrize("period", [0, 202_600, 202_613, 199_912])
def test_months_only(desk, house, period):
    with reverts(revert_pattern="ClearingHouseInvalidPeriod.*"):
        house.open(1, 2, period, desk.deadlines(), {"from": desk.a.admin})


@pytest.mark.parametrize("late", range(4))
def test_every_state_lasts_a_day_at_least(desk, house, late):
    days = [10, 20, 30, 40]
    days[late] = (days[late - 1] if late else 0) + 0.9
    with reverts(revert_pattern="ClearingHouseDeadlines.*"):
        desk.open(deadlines=desk.deadlines([int(day * DAY) / DAY for day in days]))


def test_all_states_end_within_two_years(desk):
    with reverts(revert_pattern="ClearingHouseDeadlines.*"):
        desk.open(deadlines=desk.deadlines((10, 20, 30, 731)))
    desk.open(deadlines=desk.deadlines((10, 20, 30, 730)))


def test_the_next_round_waits_for_the_end_of_the_last(desk, house):
    first = desk.open()
    for one, two in ((desk.a, desk.b), (desk.b, desk.a)):
        with reverts(revert_pattern="ClearingHouseRoundOpen.*"):
            desk.open(one, two)
    house.refuse(first, 2, {"from": desk.b.admin})
    second = desk.open(desk.b, desk.a)
    assert second != first
    assert house.roundsOf(2, 1, desk.period) == house.roundsOf(1, 2, desk.period) == 2
    assert desk.ending(first) == (CLOSED, REFUSED, 2)


def test_what_was_never_opened_has_no_sides(desk, house):
    unknown = b"\x77" * 32
    assert desk.state(unknown) == NONE
    for operator in (0, 1):
        with reverts(revert_pattern="ClearingHouseNotParty.*"):
            house.commit(unknown, operator, b"\x01" * 32, {"from": desk.a.admin})
        with reverts(revert_pattern="ClearingHouseNotParty.*"):
            house.refuse(unknown, operator, {"from": desk.a.admin})


def test_a_partner_who_never_answers_locks_nothing(desk, house):
    """The opener's deadlines are its own risk, the partner refuses them at any time before it agrees."""
    clearing = desk.open(deadlines=desk.deadlines((700, 710, 720, 730)))
    chain.sleep(DAY)
    house.refuse(clearing, 2, {"from": desk.b.admin})
    desk.open(desk.b, desk.a)
