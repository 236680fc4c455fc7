// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {IBillingLedger} from "../interfaces/IBillingLedger.sol";
import {IClearingHouse} from "../interfaces/IClearingHouse.sol";
import {ClearingBooks} from "./base/ClearingBooks.sol";
import {ClearingHashes} from "./libraries/ClearingHashes.sol";

/// @title Clearing house
/// @notice Net amounts that two operators sign, and how they end: confirmed, paid, or netted in a ring; books are in
/// `ClearingBooks`. No proxy, no owner, and no roles of its own. Holds no token, not even during a payment.
contract ClearingHouse is ClearingBooks, EIP712, ReentrancyGuard {
    using SafeERC20 for IERC20;

    mapping(bytes32 source => Part[]) private _parts;
    mapping(uint64 operatorId => uint64) private _nonces;

    /// @param ledger_ part of the address, as it is of the init code; its code is not asked for (see `TariffBook`).
    constructor(IBillingLedger ledger_) ClearingBooks(ledger_) EIP712("Billproof ClearingHouse", "1") {}

    /// @inheritdoc IClearingHouse
    function agree(NetAmount calldata net_, bytes calldata signatureA, bytes calldata signatureB) external {
        Clearing storage stored = _clearings[net_.clearing];
        _requireState(net_.clearing, stored, State.Agreeing);
        _requireInTime(stored.deadlines.agreeBy);
        _requireInTime(net_.deadline);
        (uint64 a, uint64 b) = (stored.operatorA, stored.operatorB);
        // A clearing's states last two years at most: no 2^32 parts.
        uint32 expected = uint32(_parts[net_.clearing].length) + 1;
        if (net_.part != expected) revert ClearingHousePartNumber(expected);
        if (net_.creditor != a && net_.creditor != b) revert ClearingHouseNotParty(net_.clearing, net_.creditor);
        if (net_.amountCommitment == 0 || net_.documentHash == 0) revert ClearingHouseZeroHash();
        _requireBooksStand(net_.clearing, stored);
        _requireAmendment(net_.amendment, a, b);
        bytes32 digest = _hashTypedDataV4(ClearingHashes.netAmount(net_, _nonces[a], _nonces[b]));
        _requireSignature(a, digest, signatureA);
        _requireSignature(b, digest, signatureB);

        uint64 debtor = net_.creditor == a ? b : a;
        _owe(net_.clearing, net_.creditor, debtor, net_.amountCommitment, net_.documentHash);
        ++stored.openParts;
        if (net_.last) stored.state = State.Settling;
        emit PartAgreed(net_.clearing, net_.part, net_.creditor, net_);
    }

    /// @inheritdoc IClearingHouse
    function confirm(bytes32 source, uint32 part, bytes32 paymentHash) external {
        Part storage owed = _owed(source, part);
        _requireAdmin(owed.creditor);
        _end(source, owed, PartStatus.Confirmed);
        emit PartConfirmed(source, part, paymentHash);
    }

    /// @inheritdoc IClearingHouse
    function pay(bytes32 source, uint32 part, AmountOpening calldata opening) external nonReentrant {
        Part storage owed = _owed(source, part);
        if (ClearingHashes.amount(source, part, opening) != owed.amountCommitment) revert ClearingHouseWrongOpening();
        (address payee, uint256 amount) = (opening.payee, opening.amount);
        if (opening.token == address(0) || payee == address(0) || payee == address(this) || amount == 0) {
            revert ClearingHouseNotPayable();
        }
        _end(source, owed, PartStatus.Paid);
        emit PartPaid(source, part, opening.token, amount, payee, msg.sender);
        IERC20 token = IERC20(opening.token);
        uint256 before = token.balanceOf(payee);
        token.safeTransferFrom(msg.sender, payee, amount);
        // Exactly: a token that takes a fee, or says that it has moved what it has not, pays no part.
        // slither-disable-next-line incorrect-equality
        if (token.balanceOf(payee) != before + amount) revert ClearingHouseInexactPayment();
    }

    /// @inheritdoc IClearingHouse
    function net(Netting calldata netting_, bytes[] calldata signatures) external returns (bytes32 netting) {
        _requireInTime(netting_.deadline);
        _requireRing(netting_, signatures);
        netting = ClearingHashes.nettingId(netting_.replaced);
        // A part ends once, so that no second netting has the same list and the same id.
        for (uint256 i = 0; i < netting_.replaced.length; ++i) {
            PartReference calldata old = netting_.replaced[i];
            Part storage owed = _owed(old.source, old.number);
            _requireMembers(netting_.operators, owed.creditor, owed.debtor);
            _end(old.source, owed, PartStatus.Netted);
            emit PartNetted(old.source, old.number, netting);
        }
        for (uint256 i = 0; i < netting_.parts.length; ++i) {
            NetPart calldata part = netting_.parts[i];
            _requireMembers(netting_.operators, part.creditor, part.debtor);
            if (part.amountCommitment == 0) revert ClearingHouseZeroHash();
            _owe(netting, part.creditor, part.debtor, part.amountCommitment, netting_.documentHash);
        }
        emit NettingAgreed(netting, netting_.operators, netting_.parts, netting_.documentHash);
    }

    /// @inheritdoc IClearingHouse
    function withdrawSignatures(uint64 operatorId) external {
        _requireAdmin(operatorId);
        uint64 nonce = ++_nonces[operatorId];
        emit SignaturesWithdrawn(operatorId, nonce);
    }

    /// @inheritdoc IClearingHouse
    function partCount(bytes32 source) external view returns (uint256) {
        return _parts[source].length;
    }

    /// @inheritdoc IClearingHouse
    function getPart(bytes32 source, uint32 number) external view returns (Part memory part) {
        Part[] storage parts = _parts[source];
        if (number != 0 && number <= parts.length) part = parts[number - 1];
    }

    /// @inheritdoc IClearingHouse
    function nettingIdOf(PartReference[] calldata replaced) external view returns (bytes32) {
        return ClearingHashes.nettingId(replaced);
    }

    /// @inheritdoc IClearingHouse
    function nonceOf(uint64 operatorId) external view returns (uint64) {
        return _nonces[operatorId];
    }

    /// @inheritdoc IClearingHouse
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    function _owe(bytes32 source, uint64 creditor, uint64 debtor, bytes32 amountCommitment, bytes32 documentHash)
        private
    {
        // Cast: nine million years of seconds fit.
        uint48 agreedAt = uint48(block.timestamp);
        _parts[source].push(Part(amountCommitment, documentHash, creditor, debtor, agreedAt, 0, PartStatus.Agreed));
    }

    /// @dev The one place where a part ends. A netting has no entry among the clearings, and its parts are in none.
    function _end(bytes32 source, Part storage owed, PartStatus status) private {
        (owed.status, owed.endedAt) = (status, uint48(block.timestamp));
        Clearing storage stored = _clearings[source];
        if (stored.state == State.None) return;
        uint32 left = --stored.openParts;
        if (left == 0 && stored.state == State.Settling) {
            stored.state = State.Settled;
            emit ClearingSettled(source);
        }
    }

    function _owed(bytes32 source, uint32 number) private view returns (Part storage part) {
        Part[] storage parts = _parts[source];
        if (number == 0 || number > parts.length) revert ClearingHouseNotOwed(source, number);
        part = parts[number - 1];
        if (part.status != PartStatus.Agreed) revert ClearingHouseNotOwed(source, number);
    }

    /// @dev Checked before anything is written. EIP-1271 wallets are asked by `staticcall` and can change nothing.
    function _requireSignature(uint64 operatorId, bytes32 digest, bytes calldata signature) private view {
        if (!SignatureChecker.isValidSignatureNow(_adminOf(operatorId), digest, signature)) {
            revert ClearingHouseInvalidSignature(operatorId);
        }
    }

    function _requireRing(Netting calldata netting_, bytes[] calldata signatures) private view {
        uint64[] calldata operators = netting_.operators;
        if (signatures.length != operators.length || netting_.replaced.length == 0) revert ClearingHouseNettingShape();
        if (netting_.documentHash == 0) revert ClearingHouseZeroHash();
        uint64[] memory nonces = new uint64[](operators.length);
        uint64 previous = 0;
        for (uint256 i = 0; i < operators.length; ++i) {
            if (operators[i] <= previous) revert ClearingHouseNettingShape();
            previous = operators[i];
            nonces[i] = _nonces[previous];
        }
        bytes32 digest = _hashTypedDataV4(ClearingHashes.netting(netting_, nonces));
        for (uint256 i = 0; i < operators.length; ++i) {
            _requireSignature(operators[i], digest, signatures[i]);
        }
    }

    function _requireAmendment(IBillingLedger.BatchKey calldata key, uint64 a, uint64 b) private view {
        if (key.operatorId == 0 && key.period == 0 && key.region == 0 && key.sequence == 0) return;
        if (key.operatorId != a && key.operatorId != b) revert ClearingHouseNoAmendment();
        IBillingLedger.Batch memory batch = _ledger.getBatch(key);
        // A batch that does not exist amends nothing.
        if (batch.amends == 0 || batch.repudiated) revert ClearingHouseNoAmendment();
    }

    function _requireMembers(uint64[] calldata operators, uint64 creditor, uint64 debtor) private pure {
        if (creditor == debtor || !_isMember(operators, creditor)) revert ClearingHouseNotInRing(creditor);
        if (!_isMember(operators, debtor)) revert ClearingHouseNotInRing(debtor);
    }

    function _isMember(uint64[] calldata operators, uint64 operatorId) private pure returns (bool) {
        for (uint256 i = 0; i < operators.length; ++i) {
            if (operators[i] == operatorId) return true;
        }
        return false;
    }
}
