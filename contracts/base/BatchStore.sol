// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {BillingHashes} from "../libraries/BillingHashes.sol";
import {BillingPeriod} from "../libraries/BillingPeriod.sol";
import {OperatorRegistry} from "./OperatorRegistry.sol";

/// @title Append-only store of batches
/// @dev A batch exists when its root is not zero. There is no counter of sequences: sequence s > 1 of an
/// (operator, period, region) demands that s - 1 exists.
abstract contract BatchStore is OperatorRegistry {
    /// @dev State of one anchoring transaction: the head and the open period stay in memory between batches
    /// and are written once. `period` is 0 before the first batch.
    struct Run {
        uint64 operatorId;
        address anchorer;
        bytes32 head;
        uint32 period;
        uint32 batches;
        uint32 lastRegion;
        uint32 lastSequence;
        bool isSealed;
    }

    /// @dev A period in one slot. The batch anchored last in it is remembered, so that the next of a run need
    /// not read its predecessor's slot; `lastSequence` is 0 before the first.
    struct PeriodState {
        uint32 batches;
        uint32 sealedBatches;
        uint64 sealedAt;
        uint32 lastRegion;
        uint32 lastSequence;
    }

    mapping(bytes32 batchId => Batch) private _batches;
    mapping(uint64 operatorId => mapping(uint32 period => PeriodState)) private _periods;

    /// @inheritdoc IBillingLedger
    function getPeriod(uint64 operatorId, uint32 period) external view returns (Period memory) {
        PeriodState storage stored = _periods[operatorId][period];
        return Period(stored.batches, stored.sealedBatches, stored.sealedAt);
    }

    /// @inheritdoc IBillingLedger
    function getBatch(BatchKey calldata key) external view returns (Batch memory) {
        return _batches[batchIdOf(key)];
    }

    /// @inheritdoc IBillingLedger
    function batchIdOf(BatchKey calldata key) public view returns (bytes32) {
        return _batchId(key.operatorId, key.period, key.region, key.sequence);
    }

    /// @dev The batch of that key, its root zero when there is none.
    function _batch(BatchKey calldata key) internal view returns (bytes32 batchId, Batch storage batch) {
        batchId = batchIdOf(key);
        batch = _batches[batchId];
    }

    function _existing(BatchKey calldata key) internal view returns (bytes32 batchId, Batch storage batch) {
        (batchId, batch) = _batch(key);
        if (batch.root == 0) {
            revert BillingLedgerUnknownBatch(key.operatorId, key.period, key.region, key.sequence);
        }
    }

    function _period(uint64 operatorId, uint32 period) internal view returns (PeriodState storage) {
        return _periods[operatorId][period];
    }

    function _begin(uint64 operatorId, address anchorer) internal view returns (Run memory run) {
        if (!isAnchorer(operatorId, anchorer)) revert BillingLedgerNotAnchorer(operatorId, anchorer);
        run.operatorId = operatorId;
        run.anchorer = anchorer;
        run.head = _headOf(operatorId);
    }

    /// @dev `_finish` stores the new head at the end of the same transaction; nothing outside is called in between.
    function _append(Run memory run, BatchAnchor memory batch) internal returns (bytes32 batchId) {
        _open(run, batch.period);
        batchId = _store(run, batch);
        run.head = keccak256(abi.encode(run.head, batchId, batch.root, batch.manifestHash, batch.amends));
        emit BatchAnchored(
            run.operatorId,
            batch.period,
            batchId,
            batch.region,
            batch.expectedSequence,
            batch.root,
            batch.manifestHash,
            batch.amends,
            run.anchorer
        );
    }

    function _store(Run memory run, BatchAnchor memory batch) private returns (bytes32 batchId) {
        uint64 operatorId = run.operatorId;
        uint32 period = batch.period;
        uint32 region = batch.region;
        uint32 sequence = batch.expectedSequence;
        if (batch.root == 0) revert BillingLedgerZeroRoot();
        batchId = _batchId(operatorId, period, region, sequence);
        Batch storage stored = _batches[batchId];
        if (stored.root != 0) revert BillingLedgerSequenceTaken(operatorId, period, region, sequence);
        if (!_hasPredecessor(run, region, sequence)) {
            revert BillingLedgerSequenceGap(operatorId, period, region, sequence);
        }
        if (batch.amends == 0) {
            if (run.isSealed) revert BillingLedgerPeriodSealed(operatorId, period);
        } else if (!_exists(operatorId, period, region, batch.amends)) {
            revert BillingLedgerUnknownBatch(operatorId, period, region, batch.amends);
        }
        stored.root = batch.root;
        // Casts: 500 billion years of seconds fit, and so do block numbers. One store: the slot was empty.
        (stored.anchoredAt, stored.blockNumber, stored.amends) =
        (uint64(block.timestamp), uint64(block.number), batch.amends);
        run.lastRegion = region;
        run.lastSequence = sequence;
        ++run.batches;
    }

    /// @dev Sequences start at 1 and leave no gap. The batch that the run anchored last exists for certain.
    function _hasPredecessor(Run memory run, uint32 region, uint32 sequence) private view returns (bool) {
        if (sequence <= 1) return sequence == 1;
        if (region == run.lastRegion && sequence - 1 == run.lastSequence) return true;
        return _exists(run.operatorId, run.period, region, sequence - 1);
    }

    function _exists(uint64 operatorId, uint32 period, uint32 region, uint32 sequence) private view returns (bool) {
        return _batches[_batchId(operatorId, period, region, sequence)].root != 0;
    }

    function _batchId(uint64 operatorId, uint32 period, uint32 region, uint32 sequence) private view returns (bytes32) {
        return BillingHashes.batchId(block.chainid, address(this), operatorId, period, region, sequence);
    }

    /// @dev Makes `period` the one in memory. One that holds a batch is valid and has begun: that is not asked again.
    function _open(Run memory run, uint32 period) private {
        // A run that has opened no period yet holds 0 there, which is no month: it must not pass for open.
        if (period == run.period && period != 0) return;
        _close(run);
        PeriodState storage stored = _periods[run.operatorId][period];
        run.batches = stored.batches;
        if (run.batches == 0) _requireBegun(period);
        run.period = period;
        run.lastRegion = stored.lastRegion;
        run.lastSequence = stored.lastSequence;
        run.isSealed = stored.sealedAt != 0;
    }

    /// @dev Writes the period in memory back, if there is one.
    function _close(Run memory run) private {
        if (run.period == 0) return;
        PeriodState storage stored = _periods[run.operatorId][run.period];
        (stored.batches, stored.lastRegion, stored.lastSequence) = (run.batches, run.lastRegion, run.lastSequence);
    }

    function _finish(Run memory run) internal {
        _close(run);
        _setHead(run.operatorId, run.head);
    }

    /// @dev Refuses what is no month, and months that have not begun in UTC.
    function _requireBegun(uint32 period) internal view {
        if (!BillingPeriod.isValid(period)) revert BillingLedgerInvalidPeriod(period);
        // slither-disable-next-line timestamp -- see anchorBySig
        if (BillingPeriod.startOf(period) > block.timestamp) revert BillingLedgerFuturePeriod(period);
    }
}
