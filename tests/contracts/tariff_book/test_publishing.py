"""Publication: who may, once, with whose time, and what is refused."""

import pytest
from brownie import chain, reverts

FROM, UNTIL = 1_790_812_800, 1_822_348_800  # 2026-10-01 and 2027-10-01, wall clock


@pytest.mark.parametrize("sender", ["anchorer", "admin"])
def test_keeps_validity_and_the_blocks_own_time(book, publish, request, operator_id, tariff, sender):
    who = request.getfixturevalue(sender)
    tx = publish(valid_from=FROM, valid_until=UNTIL, sender=who)
    assert book.tariffOf(operator_id, tariff) == (tx.timestamp, FROM, UNTIL, 0)
    event = tx.events["TariffPublished"]
    assert (event["operatorId"], event["publisher"]) == (operator_id, who)
    assert str(event["tariffHash"]) == "0x" + tariff.hex()
    assert (event["validFrom"], event["validUntil"]) == (FROM, UNTIL)


def test_validity_that_has_begun_is_taken_but_dated_by_the_block(book, publish, operator_id, tariff):
    """Nobody back-dates: the first day is the publisher's word, the publication the chain's."""
    before = chain[-1].timestamp
    publish(valid_from=1)
    published_at, valid_from, *_ = book.tariffOf(operator_id, tariff)
    assert valid_from == 1
    assert published_at >= before


def test_no_end(book, publish, operator_id, tariff):
    publish(valid_until=0)
    assert book.tariffOf(operator_id, tariff)[2] == 0


def test_never_published_is_all_zero(book, operator_id, tariff):
    assert book.tariffOf(operator_id, tariff) == (0, 0, 0, 0)


def test_strangers(publish, stranger):
    with reverts(revert_pattern="TariffBookNotPublisher.*"):
        publish(sender=stranger)


def test_revoked_anchorers(ledger, publish, admin, anchorer, operator_id):
    ledger.revokeAnchorer(operator_id, anchorer, {"from": admin})
    with reverts(revert_pattern="TariffBookNotPublisher.*"):
        publish()
    ledger.grantAnchorer(operator_id, anchorer, {"from": admin})
    publish()


def test_former_admins(ledger, publish, admin, stranger, operator_id):
    ledger.transferAdmin(operator_id, stranger, {"from": admin})
    with reverts(revert_pattern="TariffBookNotPublisher.*"):
        publish(sender=stranger)
    ledger.acceptAdmin(operator_id, {"from": stranger})
    with reverts(revert_pattern="TariffBookNotPublisher.*"):
        publish(sender=admin)
    publish(sender=stranger)


@pytest.mark.parametrize("operator", [0, 2, 2**64 - 1])
def test_unknown_operators(publish, admin, operator):
    with reverts(revert_pattern="BillingLedgerUnknownOperator.*"):
        publish(sender=admin, operator=operator)


def test_zero_hash(publish):
    with reverts(revert_pattern="TariffBookZeroHash.*"):
        publish(hashed=bytes(32))


@pytest.mark.parametrize("until", [FROM, FROM - 1, 1])
def test_validity_that_ends_before_it_begins(publish, until):
    with reverts(revert_pattern="TariffBookEmptyValidity.*"):
        publish(valid_from=FROM, valid_until=until)


def test_shortest_validity(book, publish, operator_id, tariff):
    publish(valid_from=FROM, valid_until=FROM + 1)
    assert book.tariffOf(operator_id, tariff)[1:3] == (FROM, FROM + 1)


@pytest.mark.parametrize("sender", ["anchorer", "admin"])
def test_published_once(book, publish, request, operator_id, tariff, sender):
    publish(valid_from=FROM)
    kept = book.tariffOf(operator_id, tariff)
    with reverts(revert_pattern="TariffBookAlreadyPublished.*"):
        publish(valid_from=FROM + 1, sender=request.getfixturevalue(sender))
    assert book.tariffOf(operator_id, tariff) == kept


def test_anothers_hash_under_ones_own_operator(ledger, book, publish, stranger, operator_id, tariff):
    """Copied ahead of the owner, it says nothing of the owner's, and takes nothing from it."""
    mine = ledger.registerOperator("Mallory", "", "", {"from": stranger}).return_value
    publish(sender=stranger, operator=mine, valid_from=5)
    assert book.tariffOf(operator_id, tariff) == (0, 0, 0, 0)
    tx = publish(valid_from=FROM)
    assert book.tariffOf(operator_id, tariff) == (tx.timestamp, FROM, 0, 0)
    assert book.tariffOf(mine, tariff)[1] == 5
