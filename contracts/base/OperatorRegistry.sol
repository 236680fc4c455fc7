// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {NoncesKeyed} from "@openzeppelin/contracts/utils/NoncesKeyed.sol";
import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";

/// @title Operators, their admins and their anchorer keys
/// @dev Nonces are kept per operator and key (the operator's id is the nonce key). One nonce a key would let
/// anybody void a stranger's signatures: register an operator, grant the stranger, revoke her.
abstract contract OperatorRegistry is IBillingLedger, EIP712, NoncesKeyed {
    uint64 private _operatorCount;
    mapping(uint64 operatorId => Operator) private _operators;
    mapping(uint64 operatorId => mapping(address account => bool)) private _anchorers;

    /// @inheritdoc IBillingLedger
    function registerOperator(string calldata name, string calldata domain, string calldata metadataURI)
        external
        returns (uint64 operatorId)
    {
        operatorId = ++_operatorCount;
        Operator storage operator = _operators[operatorId];
        operator.admin = msg.sender;
        operator.head = keccak256(abi.encode(_domainSeparatorV4(), operatorId));
        _describe(operator, name, domain, metadataURI);
        emit OperatorRegistered(operatorId, msg.sender, name, domain, metadataURI);
    }

    /// @inheritdoc IBillingLedger
    function updateOperator(
        uint64 operatorId,
        string calldata name,
        string calldata domain,
        string calldata metadataURI
    ) external {
        _describe(_administered(operatorId), name, domain, metadataURI);
        emit OperatorUpdated(operatorId, name, domain, metadataURI);
    }

    /// @inheritdoc IBillingLedger
    function transferAdmin(uint64 operatorId, address newAdmin) external {
        _administered(operatorId).pendingAdmin = newAdmin;
        emit AdminTransferStarted(operatorId, msg.sender, newAdmin);
    }

    /// @inheritdoc IBillingLedger
    function acceptAdmin(uint64 operatorId) external {
        Operator storage operator = _known(operatorId);
        if (msg.sender != operator.pendingAdmin) revert BillingLedgerNotPendingAdmin(operatorId, msg.sender);
        address previousAdmin = operator.admin;
        operator.admin = msg.sender;
        operator.pendingAdmin = address(0);
        emit AdminTransferred(operatorId, previousAdmin, msg.sender);
    }

    /// @inheritdoc IBillingLedger
    function grantAnchorer(uint64 operatorId, address anchorer) external {
        _administered(operatorId);
        if (anchorer == address(0)) revert BillingLedgerZeroAddress();
        _anchorers[operatorId][anchorer] = true;
        emit AnchorerGranted(operatorId, anchorer);
    }

    /// @inheritdoc IBillingLedger
    function revokeAnchorer(uint64 operatorId, address anchorer) external {
        _administered(operatorId);
        _anchorers[operatorId][anchorer] = false;
        _useNonce(anchorer, operatorId);
        emit AnchorerRevoked(operatorId, anchorer);
    }

    /// @inheritdoc IBillingLedger
    function operatorCount() external view returns (uint64) {
        return _operatorCount;
    }

    /// @inheritdoc IBillingLedger
    function getOperator(uint64 operatorId) external view returns (Operator memory) {
        return _known(operatorId);
    }

    /// @inheritdoc IBillingLedger
    function isAnchorer(uint64 operatorId, address account) public view returns (bool) {
        return _anchorers[operatorId][account];
    }

    /// @inheritdoc IBillingLedger
    function nonceOf(uint64 operatorId, address anchorer) external view returns (uint256) {
        return nonces(anchorer, operatorId);
    }

    /// @inheritdoc IBillingLedger
    function headOf(uint64 operatorId) external view returns (bytes32) {
        return _known(operatorId).head;
    }

    /// @inheritdoc IBillingLedger
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @dev For operators known to exist, as those of a granted key are.
    function _headOf(uint64 operatorId) internal view returns (bytes32) {
        return _operators[operatorId].head;
    }

    function _setHead(uint64 operatorId, bytes32 head) internal {
        _operators[operatorId].head = head;
    }

    /// @dev The operator, which the caller must administer.
    function _administered(uint64 operatorId) internal view returns (Operator storage operator) {
        operator = _known(operatorId);
        if (msg.sender != operator.admin) revert BillingLedgerNotAdmin(operatorId, msg.sender);
    }

    function _known(uint64 operatorId) private view returns (Operator storage operator) {
        operator = _operators[operatorId];
        if (operator.admin == address(0)) revert BillingLedgerUnknownOperator(operatorId);
    }

    function _describe(
        Operator storage operator,
        string calldata name,
        string calldata domain,
        string calldata metadataURI
    ) private {
        if (bytes(name).length == 0) revert BillingLedgerEmptyName();
        operator.name = name;
        operator.domain = domain;
        operator.metadataURI = metadataURI;
    }
}
