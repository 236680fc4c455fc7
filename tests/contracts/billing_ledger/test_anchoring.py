"""Anchoring, alone and in numbers: what is stored, what is logged, what is refused."""

from brownie import chain, reverts, web3
from eth_abi import encode
from eth_utils import keccak

ROOT, MANIFEST = b"\x01" * 32, b"\x02" * 32


def next_head(head, batch_id, amends=0):
    types = ["bytes32", "bytes32", "bytes32", "bytes32", "uint32"]
    return keccak(encode(types, [bytes(head), bytes(batch_id), ROOT, MANIFEST, amends]))


def test_what_is_stored_and_logged(ledger, anchor, anchorer, operator_id, period):
    head = ledger.headOf(operator_id)
    tx = anchor(ROOT)
    key = (operator_id, period, 1, 1)
    batch_id = ledger.batchIdOf(key)
    assert tx.return_value == batch_id
    assert ledger.getBatch(key) == ("0x" + ROOT.hex(), tx.timestamp, tx.block_number, 0, False, False)
    assert ledger.getPeriod(operator_id, period) == (1, 0, 0)
    assert bytes(ledger.headOf(operator_id)) == next_head(head, batch_id)
    event = tx.events["BatchAnchored"]
    assert dict(event) == {
        "operatorId": operator_id,
        "period": period,
        "batchId": batch_id,
        "region": 1,
        "sequence": 1,
        "root": "0x" + ROOT.hex(),
        "manifestHash": "0x" + MANIFEST.hex(),
        "amends": 0,
        "anchorer": anchorer,
    }


def test_root_is_in_the_slot_that_the_layout_names(ledger, anchor, operator_id, period, artifact):
    """What verifiers do who check a storage proof instead of asking the ledger."""
    anchor(ROOT)
    batches = next(line for line in artifact["storageLayout"] if line["label"] == "_batches")
    batch_id = bytes(ledger.batchIdOf((operator_id, period, 1, 1)))
    slot = keccak(batch_id + batches["slot"].to_bytes(32, "big"))
    assert bytes(web3.eth.get_storage_at(ledger.address, int.from_bytes(slot, "big"))) == ROOT


def test_a_retry_is_refused(anchor):
    anchor()
    with reverts(revert_pattern="BillingLedgerSequenceTaken.*"):
        anchor()


def test_sequences_leave_no_gap(anchor):
    for sequence in (0, 2):
        with reverts(revert_pattern="BillingLedgerSequenceGap.*"):
            anchor(sequence=sequence)
    anchor()
    with reverts(revert_pattern="BillingLedgerSequenceGap.*"):
        anchor(sequence=3)
    with reverts(revert_pattern="BillingLedgerSequenceGap.*"):
        anchor(sequence=2, region=2)
    anchor(sequence=2)


def test_zero_root(anchor):
    with reverts(revert_pattern="BillingLedgerZeroRoot.*"):
        anchor(bytes(32))


def test_only_granted_keys_anchor(anchor, admin, stranger):
    for sender in (admin, stranger):
        with reverts(revert_pattern="BillingLedgerNotAnchorer.*"):
            anchor(sender=sender)


def test_revoked_key_anchors_no_more(ledger, anchor, admin, anchorer, operator_id):
    ledger.revokeAnchorer(operator_id, anchorer, {"from": admin})
    with reverts(revert_pattern="BillingLedgerNotAnchorer.*"):
        anchor()


def test_months(anchor, period):
    for month in (0, 199912, 202600, 202613, 1000001):
        with reverts(revert_pattern="BillingLedgerInvalidPeriod.*"):
            anchor(month=month)
    following = period + 1 if period % 100 < 12 else period + 89
    with reverts(revert_pattern="BillingLedgerFuturePeriod.*"):
        anchor(month=following)
    chain.sleep(31 * 86_400)
    chain.mine()
    anchor(month=following)
    anchor(month=200001)


def test_anchor_many_does_what_several_anchors_do(ledger, anchor, anchorer, operator_id, period):
    batches = [
        (period, 1, 1, ROOT, MANIFEST, 0),
        (period, 1, 2, ROOT, MANIFEST, 1),
        (200001, 1, 1, ROOT, MANIFEST, 0),
    ]
    snapshot = chain.snapshot()
    for month, region, sequence, root, _, amends in batches:
        anchor(root, sequence=sequence, region=region, amends=amends, month=month)
    one_by_one = ledger.headOf(operator_id)
    chain.revert()
    assert snapshot is None
    tx = ledger.anchorMany(operator_id, batches, {"from": anchorer})
    assert ledger.headOf(operator_id) == one_by_one
    assert len(tx.events["BatchAnchored"]) == 3
    assert ledger.getPeriod(operator_id, period)[0] == 2
    assert ledger.getPeriod(operator_id, 200001)[0] == 1
    assert ledger.getBatch((operator_id, period, 1, 2))[3] == 1


def test_anchor_many_is_all_or_none(ledger, anchorer, operator_id, period):
    head = ledger.headOf(operator_id)
    batches = [(period, 1, 1, ROOT, MANIFEST, 0), (period, 1, 3, ROOT, MANIFEST, 0)]
    with reverts(revert_pattern="BillingLedgerSequenceGap.*"):
        ledger.anchorMany(operator_id, batches, {"from": anchorer})
    with reverts(revert_pattern="BillingLedgerEmptySet.*"):
        ledger.anchorMany(operator_id, [], {"from": anchorer})
    assert ledger.headOf(operator_id) == head


def test_amendments_name_an_existing_batch(anchor):
    anchor()
    for amends in (2, 9):
        with reverts(revert_pattern="BillingLedgerUnknownBatch.*"):
            anchor(sequence=2, amends=amends)
    with reverts(revert_pattern="BillingLedgerUnknownBatch.*"):
        anchor(region=2, amends=1)
    anchor(sequence=2, amends=1)
