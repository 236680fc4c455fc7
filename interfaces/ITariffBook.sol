// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Tariff book: which tariffs an operator has published, and since when
/// @notice Stands beside one billing ledger and asks it who may act for an operator. A tariff is named by the
/// keccak256 of its file's exact bytes, as statements name it (docs/tariff.md). Only hashes and times are stored or
/// logged: neither a price nor a plan's name. What is published stays.
interface ITariffBook {
    /// @notice One published version, in one slot. The times of validity are wall clock times written as if they
    /// were UTC, because a tariff's days are local; the others are block times.
    struct Tariff {
        uint64 publishedAt; // seconds, block time; 0 when it was never published
        uint64 validFrom; // first second
        uint64 validUntil; // first second after it; 0 for no end
        uint64 withdrawnFrom; // seconds, from then on it is no longer used; 0 while it is not withdrawn
    }

    /// @notice A version was published; when is the block's time.
    event TariffPublished(
        uint64 indexed operatorId, bytes32 indexed tariffHash, uint64 validFrom, uint64 validUntil, address publisher
    );
    /// @notice The operator's admin said from when on a version is no longer used.
    event TariffWithdrawn(uint64 indexed operatorId, bytes32 indexed tariffHash, uint64 withdrawnFrom);

    /// @notice Neither an anchorer of the operator nor its admin, by the ledger, now.
    error TariffBookNotPublisher(uint64 operatorId, address caller);
    /// @notice Only the operator's admin may withdraw.
    error TariffBookNotAdmin(uint64 operatorId, address caller);
    /// @notice A hash of zero stands for no tariff.
    error TariffBookZeroHash();
    /// @notice The validity ends before it begins.
    error TariffBookEmptyValidity(uint64 validFrom, uint64 validUntil);
    /// @notice The operator has published this hash before, withdrawn or not: it keeps its first terms.
    error TariffBookAlreadyPublished(uint64 operatorId, bytes32 tariffHash);
    /// @notice The operator never published this hash.
    error TariffBookNotPublished(uint64 operatorId, bytes32 tariffHash);
    /// @notice It is withdrawn already, from this time on.
    error TariffBookAlreadyWithdrawn(uint64 operatorId, bytes32 tariffHash, uint64 withdrawnFrom);
    /// @notice A withdrawal reaches no further back than the block that takes it.
    error TariffBookWithdrawalInThePast(uint64 withdrawnFrom);
    /// @notice The operator has published fewer versions.
    error TariffBookNoSuchIndex(uint64 operatorId, uint256 index);
    /// @notice The deadline has passed.
    error TariffBookSignatureExpired(uint256 deadline);
    /// @notice Not this key's signature over these arguments, this chain, this book and the ledger's current nonce.
    error TariffBookInvalidSignature(address publisher);

    /// @notice Publishes a version, once for each operator and hash; its terms never change. An anchorer or the
    /// admin of the operator may. Any validity is taken, also one that has begun: the block's time tells.
    /// Reverts with the ledger's error when there is no such operator.
    /// @param validFrom wall clock time written as UTC seconds, the first of the validity
    /// @param validUntil the first after it, 0 for no end
    function publish(uint64 operatorId, bytes32 tariffHash, uint64 validFrom, uint64 validUntil) external;

    /// @notice `publish` for somebody who may and who signed the EIP-712 struct `Publish(uint64 operatorId,bytes32
    /// tariffHash,uint64 validFrom,uint64 validUntil,address publisher,uint256 nonce,uint256 deadline)` in the
    /// domain (name "Billproof TariffBook", version "1"). `nonce` is the ledger's `nonceOf(operatorId, publisher)`,
    /// so that revoking a key there voids what it signed here; publishing does not use it up, since no hash is
    /// published twice. Accepts EIP-1271 contracts. Anyone may send it.
    function publishBySig(
        uint64 operatorId,
        bytes32 tariffHash,
        uint64 validFrom,
        uint64 validUntil,
        address publisher,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice Says that from `withdrawnFrom` on, not in the past, the operator no longer uses a version. Deletes
    /// nothing, and is said once. Admin only.
    function withdraw(uint64 operatorId, bytes32 tariffHash, uint64 withdrawnFrom) external;

    /// @notice The version, all zero when the operator never published this hash.
    function tariffOf(uint64 operatorId, bytes32 tariffHash) external view returns (Tariff memory);

    /// @notice How many versions the operator has published.
    function tariffCount(uint64 operatorId) external view returns (uint256);

    /// @notice The operator's versions in the order of their publication, from 0.
    function tariffAt(uint64 operatorId, uint256 index) external view returns (bytes32 tariffHash, Tariff memory tariff);

    /// @notice The billing ledger that says who may act for an operator; never another.
    function ledger() external view returns (address);

    /// @notice The EIP-712 domain separator of this book on this chain.
    function domainSeparator() external view returns (bytes32);
}
