"""Sealed periods and repudiated batches."""

import pytest
from brownie import reverts


@pytest.fixture
def seal(ledger, admin, operator_id, period):
    def send(batches, head=None):
        head = head or ledger.headOf(operator_id)
        return ledger.seal(operator_id, period, head, batches, {"from": admin})

    return send


def test_seal_names_what_the_admin_has_seen(ledger, anchor, seal, operator_id, period):
    seen = ledger.headOf(operator_id)
    anchor()
    with reverts(revert_pattern="BillingLedgerHeadMismatch.*"):
        seal(1, head=seen)
    with reverts(revert_pattern="BillingLedgerBatchCountMismatch.*"):
        seal(0)
    tx = seal(1)
    assert ledger.getPeriod(operator_id, period) == (1, 1, tx.timestamp)
    event = tx.events["PeriodSealed"]
    assert (event["head"], event["batches"]) == (ledger.headOf(operator_id), 1)
    with reverts(revert_pattern="BillingLedgerPeriodSealed.*"):
        seal(1)


def test_only_amendments_after_sealing(ledger, anchor, seal, operator_id, period):
    anchor()
    sealed_at = seal(1).timestamp
    with reverts(revert_pattern="BillingLedgerPeriodSealed.*"):
        anchor(sequence=2)
    with reverts(revert_pattern="BillingLedgerPeriodSealed.*"):
        anchor(region=2)
    with reverts(revert_pattern="BillingLedgerSequenceTaken.*"):
        anchor()
    anchor(sequence=2, amends=1)
    assert ledger.getPeriod(operator_id, period) == (2, 1, sealed_at)


def test_period_without_batches_can_be_sealed(ledger, anchor, seal, operator_id, period):
    """The operator says that it billed nothing; nothing can be slipped in later."""
    seal(0)
    with reverts(revert_pattern="BillingLedgerPeriodSealed.*"):
        anchor()


def test_other_periods_stay_open(anchor, seal):
    seal(0)
    anchor(month=200001)


def test_future_and_invalid_periods_are_not_sealed(ledger, admin, operator_id):
    head = ledger.headOf(operator_id)
    with reverts(revert_pattern="BillingLedgerFuturePeriod.*"):
        ledger.seal(operator_id, 999912, head, 0, {"from": admin})
    with reverts(revert_pattern="BillingLedgerInvalidPeriod.*"):
        ledger.seal(operator_id, 202600, head, 0, {"from": admin})


def test_repudiated_batch_is_marked_not_deleted(ledger, bill, admin, reason):
    before = ledger.getBatch(bill.key)
    tx = ledger.repudiate(bill.key, {"from": admin})
    assert tx.events["BatchRepudiated"]["batchId"] == ledger.batchIdOf(bill.key)
    assert ledger.getBatch(bill.key) == (*before[:4], True, False)
    assert ledger.verifyStatement(*bill.statement_call()) == reason.Ok
    with reverts(revert_pattern="BillingLedgerAlreadyFlagged.*"):
        ledger.repudiate(bill.key, {"from": admin})


def test_missing_batch_is_not_repudiated(ledger, admin, operator_id, period):
    with reverts(revert_pattern="BillingLedgerUnknownBatch.*"):
        ledger.repudiate((operator_id, period, 1, 1), {"from": admin})
