// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {BatchStore} from "./BatchStore.sol";

/// @title Who may anchor, seal and repudiate
abstract contract BatchAnchoring is BatchStore {
    bytes32 private constant ANCHOR_TYPEHASH = keccak256(
        "Anchor(uint64 operatorId,uint32 period,uint32 region,uint32 expectedSequence,bytes32 root,bytes32 manifestHash,uint32 amends,address anchorer,uint256 nonce,uint256 deadline)"
    );

    /// @inheritdoc IBillingLedger
    function anchor(
        uint64 operatorId,
        uint32 period,
        uint32 region,
        uint32 expectedSequence,
        bytes32 root,
        bytes32 manifestHash,
        uint32 amends
    ) external returns (bytes32 batchId) {
        Run memory run = _begin(operatorId, msg.sender);
        batchId = _append(run, BatchAnchor(period, region, expectedSequence, root, manifestHash, amends));
        _finish(run);
    }

    /// @inheritdoc IBillingLedger
    function anchorMany(uint64 operatorId, BatchAnchor[] calldata batches) external {
        if (batches.length == 0) revert BillingLedgerEmptySet();
        Run memory run = _begin(operatorId, msg.sender);
        for (uint256 i = 0; i < batches.length; ++i) {
            _append(run, batches[i]);
        }
        _finish(run);
    }

    /// @inheritdoc IBillingLedger
    function anchorBySig(
        uint64 operatorId,
        BatchAnchor calldata batch_,
        address anchorer,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bytes32 batchId) {
        // A block producer may shift the time by seconds; a deadline is hours away, and a period begins once a month.
        // slither-disable-next-line timestamp
        if (block.timestamp > deadline) revert BillingLedgerSignatureExpired(deadline);
        Run memory run = _begin(operatorId, anchorer);
        // The struct's members are the typed struct's, in its order.
        bytes32 structHash = keccak256(
            abi.encode(ANCHOR_TYPEHASH, operatorId, batch_, anchorer, _useNonce(anchorer, operatorId), deadline)
        );
        if (!SignatureChecker.isValidSignatureNow(anchorer, _hashTypedDataV4(structHash), signature)) {
            revert BillingLedgerInvalidSignature(anchorer);
        }
        batchId = _append(run, batch_);
        _finish(run);
    }

    /// @inheritdoc IBillingLedger
    function seal(uint64 operatorId, uint32 period, bytes32 expectedHead, uint32 expectedBatches) external {
        bytes32 head = _administered(operatorId).head;
        _requireBegun(period);
        PeriodState storage stored = _period(operatorId, period);
        if (stored.sealedAt != 0) revert BillingLedgerPeriodSealed(operatorId, period);
        if (head != expectedHead) revert BillingLedgerHeadMismatch(head);
        if (stored.batches != expectedBatches) revert BillingLedgerBatchCountMismatch(stored.batches);
        stored.sealedBatches = expectedBatches;
        stored.sealedAt = uint64(block.timestamp);
        emit PeriodSealed(operatorId, period, head, expectedBatches);
    }

    /// @inheritdoc IBillingLedger
    function repudiate(BatchKey calldata key) external {
        _administered(key.operatorId);
        (bytes32 batchId, Batch storage batch) = _existing(key);
        if (batch.repudiated) revert BillingLedgerAlreadyFlagged(batchId);
        batch.repudiated = true;
        emit BatchRepudiated(key.operatorId, batchId);
    }
}
