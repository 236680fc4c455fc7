"""Registration, description, transfer of the admin, anchorer keys."""

import pytest
from brownie import ZERO_ADDRESS, reverts
from eth_abi import encode
from eth_utils import keccak


def test_registration_is_open_and_numbered(ledger, stranger, admin):
    tx = ledger.registerOperator("Second", "second.example", "", {"from": stranger})
    assert tx.return_value == 2
    assert ledger.operatorCount() == 2
    event = tx.events["OperatorRegistered"]
    assert (event["operatorId"], event["admin"], event["domain"]) == (2, stranger, "second.example")
    first, second = ledger.getOperator(1), ledger.getOperator(2)
    assert first[0] == admin
    assert second[0] == stranger
    assert second[1] == ZERO_ADDRESS
    assert second[3:] == ("Second", "second.example", "")


def test_head_starts_from_domain_and_operator(ledger, operator_id):
    first = keccak(encode(["bytes32", "uint64"], [bytes(ledger.domainSeparator()), operator_id]))
    assert bytes(ledger.headOf(operator_id)) == first
    assert bytes(ledger.getOperator(operator_id)[2]) == first


def test_unknown_operator(ledger, admin):
    for call in (
        lambda: ledger.getOperator(9),
        lambda: ledger.headOf(9),
        lambda: ledger.updateOperator(9, "x", "", "", {"from": admin}),
        lambda: ledger.acceptAdmin(9, {"from": admin}),
    ):
        with reverts(revert_pattern="BillingLedgerUnknownOperator.*"):
            call()
    assert not ledger.isAnchorer(9, admin)


def test_name_is_required(ledger, admin, stranger, operator_id):
    with reverts(revert_pattern="BillingLedgerEmptyName.*"):
        ledger.registerOperator("", "x.example", "", {"from": stranger})
    with reverts(revert_pattern="BillingLedgerEmptyName.*"):
        ledger.updateOperator(operator_id, "", "x.example", "", {"from": admin})


def test_update(ledger, admin, operator_id):
    tx = ledger.updateOperator(operator_id, "Renamed", "new.example", "ipfs://x", {"from": admin})
    assert tx.events["OperatorUpdated"]["name"] == "Renamed"
    assert ledger.getOperator(operator_id)[3:] == ("Renamed", "new.example", "ipfs://x")


def test_admin_changes_in_two_steps(ledger, admin, stranger, anchorer, operator_id):
    ledger.transferAdmin(operator_id, stranger, {"from": admin})
    assert ledger.getOperator(operator_id)[:2] == (admin, stranger)
    with reverts(revert_pattern="BillingLedgerNotPendingAdmin.*"):
        ledger.acceptAdmin(operator_id, {"from": anchorer})
    tx = ledger.acceptAdmin(operator_id, {"from": stranger})
    assert tx.events["AdminTransferred"]["previousAdmin"] == admin
    assert ledger.getOperator(operator_id)[:2] == (stranger, ZERO_ADDRESS)
    with reverts(revert_pattern="BillingLedgerNotAdmin.*"):
        ledger.updateOperator(operator_id, "x", "", "", {"from": admin})


def test_transfer_is_cancelled_by_the_zero_address(ledger, admin, stranger, operator_id):
    ledger.transferAdmin(operator_id, stranger, {"from": admin})
    ledger.transferAdmin(operator_id, ZERO_ADDRESS, {"from": admin})
    with reverts(revert_pattern="BillingLedgerNotPendingAdmin.*"):
        ledger.acceptAdmin(operator_id, {"from": stranger})


def test_grant_and_revoke(ledger, admin, stranger, operator_id):
    nonce = ledger.nonceOf(operator_id, stranger)
    assert nonce == operator_id << 64
    assert "AnchorerGranted" in ledger.grantAnchorer(operator_id, stranger, {"from": admin}).events
    assert ledger.isAnchorer(operator_id, stranger)
    assert "AnchorerRevoked" in ledger.revokeAnchorer(operator_id, stranger, {"from": admin}).events
    assert not ledger.isAnchorer(operator_id, stranger)
    assert ledger.nonceOf(operator_id, stranger) == nonce + 1
    with reverts(revert_pattern="BillingLedgerZeroAddress.*"):
        ledger.grantAnchorer(operator_id, ZERO_ADDRESS, {"from": admin})


@pytest.mark.parametrize("sender", ["anchorer", "stranger"])
def test_everything_of_the_admin_is_the_admins_alone(ledger, operator_id, period, sender, request):
    who = {"from": request.getfixturevalue(sender)}
    for call in (
        lambda: ledger.updateOperator(operator_id, "x", "", "", who),
        lambda: ledger.transferAdmin(operator_id, who["from"], who),
        lambda: ledger.grantAnchorer(operator_id, who["from"], who),
        lambda: ledger.revokeAnchorer(operator_id, who["from"], who),
        lambda: ledger.seal(operator_id, period, ledger.headOf(operator_id), 0, who),
        lambda: ledger.repudiate((operator_id, period, 1, 1), who),
    ):
        with reverts(revert_pattern="BillingLedgerNotAdmin.*"):
            call()
