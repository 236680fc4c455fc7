// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {BillingHashes} from "../libraries/BillingHashes.sol";
import {BillingPeriod} from "../libraries/BillingPeriod.sol";
import {BillingTrees} from "../libraries/BillingTrees.sol";

/// @title The library functions, exposed for tests only; never deployed
contract HashesHarness {
    function batchId(uint256 chainId, address ledger, IBillingLedger.BatchKey calldata key)
        external
        pure
        returns (bytes32)
    {
        return BillingHashes.batchId(chainId, ledger, key.operatorId, key.period, key.region, key.sequence);
    }

    function peer(string calldata number, bytes32 salt) external pure returns (bytes32) {
        return BillingHashes.peer(number, salt);
    }

    function callRecord(IBillingLedger.CallRecord calldata record) external pure returns (bytes32) {
        return BillingHashes.callRecord(record);
    }

    function totals(int128 total, bytes32 salt) external pure returns (bytes32) {
        return BillingHashes.totals(total, salt);
    }

    function statement(bytes32 batch, IBillingLedger.StatementTerms calldata terms, bytes32 recordsRoot)
        external
        pure
        returns (bytes32)
    {
        return BillingHashes.statement(batch, terms, recordsRoot);
    }

    function accountEntry(IBillingLedger.AccountEntry calldata entry) external pure returns (bytes32) {
        return BillingHashes.accountEntry(entry);
    }

    function accountKey(bytes32 subject_, address holder) external pure returns (bytes32) {
        return BillingHashes.accountKey(subject_, holder);
    }

    function subject(string calldata accountId, bytes32 keySecret_) external pure returns (bytes32) {
        return BillingHashes.subject(accountId, keySecret_);
    }

    function keySecret(bytes32 accountSeed, bytes32 batch) external pure returns (bytes32) {
        return BillingHashes.keySecret(accountSeed, batch);
    }

    function isPeriod(uint32 period) external pure returns (bool) {
        return BillingPeriod.isValid(period);
    }

    function startOf(uint32 period) external pure returns (uint256) {
        return BillingPeriod.startOf(period);
    }

    function proofLength(uint32 leaves, uint32 index) external pure returns (uint256) {
        return BillingTrees.proofLength(leaves, index);
    }

    function isMultiproof(uint256 leaves, uint256 proof, bool[] calldata flags) external pure returns (bool) {
        return BillingTrees.isMultiproof(leaves, proof, flags);
    }

    function inGap(IBillingLedger.AccountEntry calldata entry, bytes32 key) external pure returns (bool) {
        return BillingTrees.inGap(entry, key);
    }
}
