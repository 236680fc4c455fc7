"""Withdrawal: by the admin, not backwards, once, and nothing is deleted."""

import pytest
from brownie import chain, reverts


def test_says_from_when_on_and_keeps_the_rest(book, publish, admin, operator_id, tariff, soon):
    publish(valid_until=2_000_000_000)
    before = book.tariffOf(operator_id, tariff)
    tx = book.withdraw(operator_id, tariff, soon, {"from": admin})
    assert book.tariffOf(operator_id, tariff) == (*before[:3], soon)
    event = tx.events["TariffWithdrawn"]
    assert (event["operatorId"], event["withdrawnFrom"]) == (operator_id, soon)
    assert str(event["tariffHash"]) == "0x" + tariff.hex()


@pytest.mark.parametrize("sender", ["anchorer", "stranger"])
def test_of_the_admin_alone(book, publish, request, operator_id, tariff, soon, sender):
    publish()
    with reverts(revert_pattern="TariffBookNotAdmin.*"):
        book.withdraw(operator_id, tariff, soon, {"from": request.getfixturevalue(sender)})


def test_another_operators_admin(ledger, book, publish, stranger, operator_id, tariff, soon):
    publish()
    mine = ledger.registerOperator("Mallory", "", "", {"from": stranger}).return_value
    with reverts(revert_pattern="TariffBookNotPublished.*"):
        book.withdraw(mine, tariff, soon, {"from": stranger})
    assert book.tariffOf(operator_id, tariff)[3] == 0


def test_not_in_the_past(book, publish, admin, operator_id, tariff):
    publish()
    for past in (0, 1, chain[-1].timestamp - 1):
        with reverts(revert_pattern="TariffBookWithdrawalInThePast.*"):
            book.withdraw(operator_id, tariff, past, {"from": admin})


def test_once(book, publish, admin, operator_id, tariff, soon):
    publish()
    book.withdraw(operator_id, tariff, soon, {"from": admin})
    for other in (soon, soon - 1, soon + 1):
        with reverts(revert_pattern="TariffBookAlreadyWithdrawn.*"):
            book.withdraw(operator_id, tariff, other, {"from": admin})


def test_what_was_never_published(book, admin, operator_id, tariff, soon):
    with reverts(revert_pattern="TariffBookNotPublished.*"):
        book.withdraw(operator_id, tariff, soon, {"from": admin})
    with reverts(revert_pattern="BillingLedgerUnknownOperator.*"):
        book.withdraw(9, tariff, soon, {"from": admin})


def test_withdrawn_is_not_published_again(book, publish, admin, operator_id, tariff, soon):
    publish()
    book.withdraw(operator_id, tariff, soon, {"from": admin})
    chain.sleep(20_000)
    chain.mine()
    kept = book.tariffOf(operator_id, tariff)
    for sender in ({}, {"sender": admin}):
        with reverts(revert_pattern="TariffBookAlreadyPublished.*"):
            publish(**sender)
    assert book.tariffOf(operator_id, tariff) == kept
    assert book.tariffCount(operator_id) == 1
