"""An operator's versions, counted and by index."""

from brownie import reverts
from eth_utils import keccak


def test_in_the_order_of_publication(book, publish, operator_id):
    assert book.tariffCount(operator_id) == 0
    hashes = [keccak(text=f"version {number}") for number in range(3)]
    for number, hashed in enumerate(hashes, start=1):
        publish(hashed=hashed, valid_from=number)
    assert book.tariffCount(operator_id) == 3
    for number, hashed in enumerate(hashes, start=1):
        listed, version = book.tariffAt(operator_id, number - 1)
        assert str(listed) == "0x" + hashed.hex()
        assert version == book.tariffOf(operator_id, hashed)
        assert version[1] == number
    with reverts(revert_pattern="TariffBookNoSuchIndex.*"):
        book.tariffAt(operator_id, 3)


def test_a_refused_publication_is_not_listed(book, publish, operator_id, stranger):
    publish()
    for refused in ({}, {"sender": stranger}, {"hashed": bytes(32)}):
        with reverts():
            publish(**refused)
    assert book.tariffCount(operator_id) == 1


def test_withdrawn_versions_stay_in_the_list(book, publish, operator_id, admin, tariff, soon):
    publish()
    book.withdraw(operator_id, tariff, soon, {"from": admin})
    assert book.tariffAt(operator_id, 0)[1][3] == soon


def test_operators_have_lists_of_their_own(ledger, book, publish, operator_id, stranger):
    mine = ledger.registerOperator("Second", "", "", {"from": stranger}).return_value
    publish(sender=stranger, operator=mine)
    assert (book.tariffCount(operator_id), book.tariffCount(mine)) == (0, 1)
