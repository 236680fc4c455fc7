// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IBillingLedger} from "../interfaces/IBillingLedger.sol";
import {BatchAnchoring} from "./base/BatchAnchoring.sol";
import {BillingHashes} from "./libraries/BillingHashes.sol";
import {BillingTrees} from "./libraries/BillingTrees.sol";

/// @title Billing ledger
/// @notice What is proved about anchored batches; anchoring is in `BatchAnchoring` and
/// `BatchStore`, operators in `OperatorRegistry`. No proxy and no owner: what is stored here stays.
contract BillingLedger is BatchAnchoring {
    constructor() EIP712("Billproof", "1") {}

    /// @inheritdoc IBillingLedger
    function proveRingFault(
        BatchKey calldata key,
        AccountEntry calldata entryA,
        bytes32[] calldata proofA,
        AccountEntry calldata entryB,
        bytes32[] calldata proofB
    ) external {
        (bytes32 batchId, Batch storage batch) = _existing(key);
        if (batch.ringFault) revert BillingLedgerAlreadyFlagged(batchId);
        bytes32 leafA = BillingHashes.accountEntry(entryA);
        bytes32 leafB = BillingHashes.accountEntry(entryB);
        bool conflict = entryA.account == entryB.account || BillingTrees.inGap(entryA, entryB.account)
            || BillingTrees.inGap(entryB, entryA.account);
        bytes32 root = batch.root;
        // One entry shown twice is no fault: its two leaves are equal.
        if (
            leafA == leafB || !conflict || _checkEntry(root, leafA, proofA) != Reason.Ok
                || _checkEntry(root, leafB, proofB) != Reason.Ok
        ) revert BillingLedgerNoRingFault();
        batch.ringFault = true;
        emit RingFaultProved(key.operatorId, batchId, msg.sender);
    }

    /// @inheritdoc IBillingLedger
    function verifyRecord(
        BatchKey calldata key,
        StatementTerms calldata terms,
        bytes32 nextAccount,
        CallRecord calldata record,
        bytes32[] calldata recordProof,
        bytes32[] calldata entryProof
    ) external view returns (Reason) {
        if (terms.recordCount == 0) return _orNotAnchored(key, Reason.EmptySet);
        if (record.index >= terms.recordCount) return _orNotAnchored(key, Reason.IndexOutOfRange);
        if (recordProof.length != BillingTrees.proofLength(terms.recordCount, record.index)) {
            return _orNotAnchored(key, Reason.RecordProofLength);
        }
        bytes32 recordsRoot = MerkleProof.processProofCalldata(recordProof, BillingHashes.callRecord(record));
        return _checkStatement(key, terms, recordsRoot, nextAccount, entryProof);
    }

    /// @inheritdoc IBillingLedger
    function verifyRecords(
        BatchKey calldata key,
        StatementTerms calldata terms,
        bytes32 nextAccount,
        CallRecord[] calldata records,
        bytes32[] calldata recordProof,
        bool[] calldata recordProofFlags,
        bytes32[] calldata entryProof
    ) external view returns (Reason) {
        if (terms.recordCount == 0 || records.length == 0) {
            return _orNotAnchored(key, Reason.EmptySet);
        }
        if (!_strictlyIncreasing(records, terms.recordCount)) return _orNotAnchored(key, Reason.IndexOutOfRange);
        if (!BillingTrees.isMultiproof(records.length, recordProof.length, recordProofFlags)) {
            return _orNotAnchored(key, Reason.RecordProofLength);
        }
        bytes32 recordsRoot = MerkleProof.processMultiProofCalldata(recordProof, recordProofFlags, _leavesOf(records));
        return _checkStatement(key, terms, recordsRoot, nextAccount, entryProof);
    }

    /// @inheritdoc IBillingLedger
    function verifyStatement(
        BatchKey calldata key,
        StatementOpening calldata statement,
        bytes32 nextAccount,
        bytes32[] calldata entryProof
    ) external view returns (Reason) {
        if (statement.recordCount == 0) return _orNotAnchored(key, Reason.EmptySet);
        StatementTerms memory terms = StatementTerms(
            statement.account,
            statement.recordCount,
            statement.currency,
            statement.tariff,
            BillingHashes.totals(statement.total, statement.totalSalt)
        );
        return _checkStatement(key, terms, statement.recordsRoot, nextAccount, entryProof);
    }

    /// @inheritdoc IBillingLedger
    function verifyAbsence(
        BatchKey calldata key,
        bytes32 accountKey,
        AccountEntry calldata entry,
        bytes32[] calldata entryProof
    ) external view returns (Reason) {
        (, Batch storage batch) = _batch(key);
        bytes32 root = batch.root;
        if (root == 0) return Reason.NotAnchored;
        if (batch.ringFault) return Reason.RingFault;
        Reason reason = _checkEntry(root, BillingHashes.accountEntry(entry), entryProof);
        if (reason != Reason.Ok) return reason;
        return BillingTrees.inGap(entry, accountKey) ? Reason.Ok : Reason.NotAbsent;
    }

    function _checkStatement(
        BatchKey calldata key,
        StatementTerms memory terms,
        bytes32 recordsRoot,
        bytes32 nextAccount,
        bytes32[] calldata entryProof
    ) private view returns (Reason) {
        (bytes32 batchId, Batch storage batch) = _batch(key);
        bytes32 root = batch.root;
        if (root == 0) return Reason.NotAnchored;
        bytes32 statement = BillingHashes.statement(batchId, terms, recordsRoot);
        bytes32 leaf = BillingHashes.accountEntry(AccountEntry(terms.account, nextAccount, statement));
        return _checkEntry(root, leaf, entryProof);
    }

    /// @dev A batch that does not exist says so before anything else does.
    function _orNotAnchored(BatchKey calldata key, Reason reason) private view returns (Reason) {
        (, Batch storage batch) = _batch(key);
        return batch.root == 0 ? Reason.NotAnchored : reason;
    }

    function _checkEntry(bytes32 root, bytes32 leaf, bytes32[] calldata proof) private pure returns (Reason) {
        if (proof.length > BillingTrees.MAX_ENTRY_PROOF) return Reason.EntryProofLength;
        return MerkleProof.verifyCalldata(proof, root, leaf) ? Reason.Ok : Reason.RootMismatch;
    }

    function _strictlyIncreasing(CallRecord[] calldata records, uint32 recordCount) private pure returns (bool) {
        for (uint256 i = 1; i < records.length; ++i) {
            if (records[i].index <= records[i - 1].index) return false;
        }
        return records[records.length - 1].index < recordCount;
    }

    function _leavesOf(CallRecord[] calldata records) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](records.length);
        for (uint256 i = 0; i < records.length; ++i) {
            leaves[i] = BillingHashes.callRecord(records[i]);
        }
    }
}
