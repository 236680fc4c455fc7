// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IBillingLedger} from "../interfaces/IBillingLedger.sol";
import {ITariffBook} from "../interfaces/ITariffBook.sol";

/// @title Tariff book
/// @notice Hashes of tariffs by operator, with their validity and the time of their publication. No proxy, no owner,
/// and no roles of its own: every right is the ledger's, asked at the moment of use.
contract TariffBook is ITariffBook, EIP712 {
    bytes32 private constant PUBLISH_TYPEHASH = keccak256(
        "Publish(uint64 operatorId,bytes32 tariffHash,uint64 validFrom,uint64 validUntil,address publisher,uint256 nonce,uint256 deadline)"
    );

    IBillingLedger private immutable _ledger;
    mapping(uint64 operatorId => mapping(bytes32 tariffHash => Tariff)) private _tariffs;
    mapping(uint64 operatorId => bytes32[]) private _published;

    /// @param ledger_ part of the address, as it is of the init code. Its code is not asked for: whoever deployed the
    /// book before the ledger would otherwise find that it cannot be done, and gain nothing.
    constructor(IBillingLedger ledger_) EIP712("Billproof TariffBook", "1") {
        _ledger = ledger_;
    }

    /// @inheritdoc ITariffBook
    function publish(uint64 operatorId, bytes32 tariffHash, uint64 validFrom, uint64 validUntil) external {
        _publish(operatorId, tariffHash, validFrom, validUntil, msg.sender);
    }

    /// @inheritdoc ITariffBook
    function publishBySig(
        uint64 operatorId,
        bytes32 tariffHash,
        uint64 validFrom,
        uint64 validUntil,
        address publisher,
        uint256 deadline,
        bytes calldata signature
    ) external {
        // A block producer may shift the time by seconds; a deadline is hours away, a tariff's first day days.
        // slither-disable-next-line timestamp
        if (block.timestamp > deadline) revert TariffBookSignatureExpired(deadline);
        uint256 nonce = _ledger.nonceOf(operatorId, publisher);
        bytes32 structHash = keccak256(
            abi.encode(PUBLISH_TYPEHASH, operatorId, tariffHash, validFrom, validUntil, publisher, nonce, deadline)
        );
        if (!SignatureChecker.isValidSignatureNow(publisher, _hashTypedDataV4(structHash), signature)) {
            revert TariffBookInvalidSignature(publisher);
        }
        _publish(operatorId, tariffHash, validFrom, validUntil, publisher);
    }

    /// @inheritdoc ITariffBook
    function withdraw(uint64 operatorId, bytes32 tariffHash, uint64 withdrawnFrom) external {
        if (!_isAdmin(operatorId, msg.sender)) revert TariffBookNotAdmin(operatorId, msg.sender);
        Tariff storage tariff = _tariffs[operatorId][tariffHash];
        if (tariff.publishedAt == 0) revert TariffBookNotPublished(operatorId, tariffHash);
        if (tariff.withdrawnFrom != 0) {
            revert TariffBookAlreadyWithdrawn(operatorId, tariffHash, tariff.withdrawnFrom);
        }
        // slither-disable-next-line timestamp -- see publishBySig
        if (withdrawnFrom < block.timestamp) revert TariffBookWithdrawalInThePast(withdrawnFrom);
        tariff.withdrawnFrom = withdrawnFrom;
        emit TariffWithdrawn(operatorId, tariffHash, withdrawnFrom);
    }

    /// @inheritdoc ITariffBook
    function tariffOf(uint64 operatorId, bytes32 tariffHash) external view returns (Tariff memory) {
        return _tariffs[operatorId][tariffHash];
    }

    /// @inheritdoc ITariffBook
    function tariffCount(uint64 operatorId) external view returns (uint256) {
        return _published[operatorId].length;
    }

    /// @inheritdoc ITariffBook
    function tariffAt(uint64 operatorId, uint256 index)
        external
        view
        returns (bytes32 tariffHash, Tariff memory tariff)
    {
        bytes32[] storage published = _published[operatorId];
        if (index >= published.length) revert TariffBookNoSuchIndex(operatorId, index);
        tariffHash = published[index];
        tariff = _tariffs[operatorId][tariffHash];
    }

    /// @inheritdoc ITariffBook
    function ledger() external view returns (address) {
        return address(_ledger);
    }

    /// @inheritdoc ITariffBook
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    function _publish(uint64 operatorId, bytes32 tariffHash, uint64 validFrom, uint64 validUntil, address publisher)
        private
    {
        // Anchorers first: the ledger has them in a slot of their own, the admin only with the operator's texts.
        if (!_ledger.isAnchorer(operatorId, publisher) && !_isAdmin(operatorId, publisher)) {
            revert TariffBookNotPublisher(operatorId, publisher);
        }
        if (tariffHash == 0) revert TariffBookZeroHash();
        if (validUntil != 0 && validUntil <= validFrom) revert TariffBookEmptyValidity(validFrom, validUntil);
        Tariff storage tariff = _tariffs[operatorId][tariffHash];
        if (tariff.publishedAt != 0) revert TariffBookAlreadyPublished(operatorId, tariffHash);
        // Cast: 500 billion years of seconds fit. One store: the slot was empty.
        (tariff.publishedAt, tariff.validFrom, tariff.validUntil) = (uint64(block.timestamp), validFrom, validUntil);
        _published[operatorId].push(tariffHash);
        emit TariffPublished(operatorId, tariffHash, validFrom, validUntil, publisher);
    }

    /// @dev Reverts with the ledger's `BillingLedgerUnknownOperator` when there is none.
    function _isAdmin(uint64 operatorId, address account) private view returns (bool) {
        return _ledger.getOperator(operatorId).admin == account;
    }
}
