// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";

/// @title Typed struct hashes of the billing protocol (docs/protocol.md)
/// @notice The EIP-712 `hashStruct` of each of the nine protocol types. Every preimage is 96 bytes or longer;
/// an inner node of a tree is the hash of 64 bytes, so no node passes for a leaf.
library BillingHashes {
    bytes32 internal constant BATCH_ID_TYPEHASH = keccak256(
        "BatchId(uint256 chainId,address ledger,uint64 operatorId,uint32 period,uint32 region,uint32 sequence)"
    );
    bytes32 internal constant PEER_TYPEHASH = keccak256("Peer(string number,bytes32 salt)");
    bytes32 internal constant CALL_RECORD_TYPEHASH = keccak256(
        "CallRecord(uint32 index,uint8 service,uint64 startedAt,int16 utcOffset,uint64 usage,uint64 billedUsage,bytes32 peer,bytes8 network,int128 amount,bytes32 rate,bytes32 corrects)"
    );
    bytes32 internal constant TOTALS_TYPEHASH = keccak256("Totals(int128 total,bytes32 salt)");
    bytes32 internal constant STATEMENT_TYPEHASH = keccak256(
        "Statement(bytes32 batchId,bytes32 account,bytes32 recordsRoot,uint32 recordCount,bytes3 currency,bytes32 tariff,Totals totals)Totals(int128 total,bytes32 salt)"
    );
    bytes32 internal constant ACCOUNT_ENTRY_TYPEHASH =
        keccak256("AccountEntry(bytes32 account,bytes32 nextAccount,bytes32 statement)");
    bytes32 internal constant ACCOUNT_KEY_TYPEHASH = keccak256("AccountKey(bytes32 subject,address holder)");
    bytes32 internal constant SUBJECT_TYPEHASH = keccak256("Subject(string accountId,bytes32 keySecret)");
    bytes32 internal constant KEY_SECRET_TYPEHASH = keccak256("KeySecret(bytes32 accountSeed,bytes32 batchId)");

    /// @notice Names a batch of `ledger` on the chain `chainId`.
    function batchId(uint256 chainId, address ledger, uint64 operatorId, uint32 period, uint32 region, uint32 sequence)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(BATCH_ID_TYPEHASH, chainId, ledger, operatorId, period, region, sequence));
    }

    /// @notice The other party of a record, blinded by a salt of its own.
    function peer(string memory number, bytes32 salt) internal pure returns (bytes32) {
        return keccak256(abi.encode(PEER_TYPEHASH, keccak256(bytes(number)), salt));
    }

    /// @notice One line of a statement: a leaf of the records tree.
    function callRecord(IBillingLedger.CallRecord calldata record) internal pure returns (bytes32) {
        return keccak256(abi.encode(CALL_RECORD_TYPEHASH, record));
    }

    /// @notice The total of a statement, blinded.
    function totals(int128 total, bytes32 salt) internal pure returns (bytes32) {
        return keccak256(abi.encode(TOTALS_TYPEHASH, total, salt));
    }

    /// @notice A statement of the batch `batch`; its totals come as their hash.
    function statement(bytes32 batch, IBillingLedger.StatementTerms memory terms, bytes32 recordsRoot)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                STATEMENT_TYPEHASH,
                batch,
                terms.account,
                recordsRoot,
                terms.recordCount,
                terms.currency,
                terms.tariff,
                terms.totals
            )
        );
    }

    /// @notice A leaf of the batch tree.
    function accountEntry(IBillingLedger.AccountEntry memory entry) internal pure returns (bytes32) {
        return keccak256(abi.encode(ACCOUNT_ENTRY_TYPEHASH, entry));
    }

    /// @notice The key of an account in one batch.
    function accountKey(bytes32 subject_, address holder) internal pure returns (bytes32) {
        return keccak256(abi.encode(ACCOUNT_KEY_TYPEHASH, subject_, holder));
    }

    /// @notice The operator's account number, blinded by the account's key secret.
    function subject(string memory accountId, bytes32 keySecret_) internal pure returns (bytes32) {
        return keccak256(abi.encode(SUBJECT_TYPEHASH, keccak256(bytes(accountId)), keySecret_));
    }

    /// @notice What the holder of an account's seed derives for each batch.
    function keySecret(bytes32 accountSeed, bytes32 batch) internal pure returns (bytes32) {
        return keccak256(abi.encode(KEY_SECRET_TYPEHASH, accountSeed, batch));
    }
}
