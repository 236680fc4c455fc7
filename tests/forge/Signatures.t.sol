// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BillingLedger} from "../../contracts/BillingLedger.sol";
import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {LedgerTest} from "./LedgerFixture.sol";

/// @dev A contract wallet that accepts what its owner's key signed.
contract Wallet {
    address private immutable _owner;

    constructor(address owner) {
        _owner = owner;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (bytes32 r, bytes32 s, uint8 v) = abi.decode(signature, (bytes32, bytes32, uint8));
        return ecrecover(digest, v, r, s) == _owner ? this.isValidSignature.selector : bytes4(0);
    }
}

contract SignaturesTest is LedgerTest {
    bytes32 private constant ANCHOR_TYPE = keccak256(
        "Anchor(uint64 operatorId,uint32 period,uint32 region,uint32 expectedSequence,bytes32 root,bytes32 manifestHash,uint32 amends,address anchorer,uint256 nonce,uint256 deadline)"
    );
    uint256 private constant KEY = 0xB111;
    address private signer;
    IBillingLedger.BatchAnchor private batch =
        IBillingLedger.BatchAnchor(PERIOD, 1, 1, keccak256("root"), keccak256("manifest"), 0);

    function setUp() public override {
        super.setUp();
        signer = vm.addr(KEY);
        vm.prank(ADMIN);
        ledger.grantAnchorer(OPERATOR, signer);
    }

    function test_AnyoneRelaysASignedBatchOnce() public {
        bytes memory signature = _sign(KEY, _digest(signer, NOW));
        ledger.anchorBySig(OPERATOR, batch, signer, NOW, signature);
        assertEq(ledger.getBatch(IBillingLedger.BatchKey(OPERATOR, PERIOD, 1, 1)).root, batch.root, "root");
        vm.expectRevert(abi.encodeWithSelector(_invalid(), signer));
        ledger.anchorBySig(OPERATOR, batch, signer, NOW, signature);
        batch.expectedSequence = 2;
        vm.expectRevert(abi.encodeWithSelector(_invalid(), signer));
        ledger.anchorBySig(OPERATOR, batch, signer, NOW, signature);
    }

    function test_EverySignedFieldCounts() public {
        bytes memory signature = _sign(KEY, _digest(signer, NOW));
        IBillingLedger.BatchAnchor memory b = batch;
        for (uint256 field = 0; field < 6; ++field) {
            b = batch;
            if (field == 0) b.period = 202_509;
            if (field == 1) b.region = 2;
            if (field == 2) b.expectedSequence = 2;
            if (field == 3) b.root = keccak256("another");
            if (field == 4) b.manifestHash = keccak256("another");
            if (field == 5) b.amends = 1;
            vm.expectRevert(abi.encodeWithSelector(_invalid(), signer));
            ledger.anchorBySig(OPERATOR, b, signer, NOW, signature);
        }
        vm.expectRevert(abi.encodeWithSelector(_invalid(), signer));
        ledger.anchorBySig(OPERATOR, batch, signer, NOW + 1, signature);
        vm.expectRevert(abi.encodeWithSelector(_invalid(), ANCHORER));
        ledger.anchorBySig(OPERATOR, batch, ANCHORER, NOW, signature);
    }

    function test_DeadlinePasses() public {
        bytes memory signature = _sign(KEY, _digest(signer, NOW));
        vm.warp(NOW + 1);
        vm.expectRevert(abi.encodeWithSelector(IBillingLedger.BillingLedgerSignatureExpired.selector, NOW));
        ledger.anchorBySig(OPERATOR, batch, signer, NOW, signature);
    }

    /// @dev A stolen key: revoked, its signature is void even after the key is granted again.
    function test_RevocationVoidsTheSignature() public {
        bytes memory signature = _sign(KEY, _digest(signer, NOW));
        vm.prank(ADMIN);
        ledger.revokeAnchorer(OPERATOR, signer);
        vm.expectRevert(abi.encodeWithSelector(IBillingLedger.BillingLedgerNotAnchorer.selector, OPERATOR, signer));
        ledger.anchorBySig(OPERATOR, batch, signer, NOW, signature);
        vm.prank(ADMIN);
        ledger.grantAnchorer(OPERATOR, signer);
        vm.expectRevert(abi.encodeWithSelector(_invalid(), signer));
        ledger.anchorBySig(OPERATOR, batch, signer, NOW, signature);
    }

    /// @dev Another operator's admin grants and revokes the key: this operator's signatures stay good.
    function test_StrangersCannotVoidASignature() public {
        bytes memory signature = _sign(KEY, _digest(signer, NOW));
        uint64 mine = ledger.registerOperator("Mallory", "", "");
        ledger.grantAnchorer(mine, signer);
        ledger.revokeAnchorer(mine, signer);
        ledger.anchorBySig(OPERATOR, batch, signer, NOW, signature);
    }

    function test_SignatureForAnotherOperatorChainOrLedger() public {
        bytes memory signature = _sign(KEY, _digest(signer, NOW));
        uint64 mine = ledger.registerOperator("Second", "", "");
        ledger.grantAnchorer(mine, signer);
        vm.expectRevert(abi.encodeWithSelector(_invalid(), signer));
        ledger.anchorBySig(mine, batch, signer, NOW, signature);

        BillingLedger other = new BillingLedger();
        other.registerOperator("Carrier", "carrier.example", "");
        other.grantAnchorer(OPERATOR, signer);
        vm.expectRevert(abi.encodeWithSelector(_invalid(), signer));
        other.anchorBySig(OPERATOR, batch, signer, NOW, signature);

        vm.chainId(block.chainid + 1);
        vm.expectRevert(abi.encodeWithSelector(_invalid(), signer));
        ledger.anchorBySig(OPERATOR, batch, signer, NOW, signature);
    }

    function test_ContractWalletsSignByEip1271() public {
        address wallet = address(new Wallet(signer));
        vm.prank(ADMIN);
        ledger.grantAnchorer(OPERATOR, wallet);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(0xBAD, _digest(wallet, NOW));
        vm.expectRevert(abi.encodeWithSelector(_invalid(), wallet));
        ledger.anchorBySig(OPERATOR, batch, wallet, NOW, abi.encode(r, s, v));
        (v, r, s) = vm.sign(KEY, _digest(wallet, NOW));
        ledger.anchorBySig(OPERATOR, batch, wallet, NOW, abi.encode(r, s, v));
        assertEq(ledger.getPeriod(OPERATOR, PERIOD).batches, 1, "batches");
    }

    /// @dev The mirrored s of a signature, and one of a wrong length, are refused.
    function test_MalleableAndShortSignatures() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _digest(signer, NOW));
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes memory mirrored = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        vm.expectRevert(abi.encodeWithSelector(_invalid(), signer));
        ledger.anchorBySig(OPERATOR, batch, signer, NOW, mirrored);
        vm.expectRevert(abi.encodeWithSelector(_invalid(), signer));
        ledger.anchorBySig(OPERATOR, batch, signer, NOW, "");
    }

    function _digest(address anchorer, uint256 deadline) private view returns (bytes32) {
        uint256 nonce = ledger.nonceOf(OPERATOR, anchorer);
        bytes32 structHash = keccak256(abi.encode(ANCHOR_TYPE, OPERATOR, batch, anchorer, nonce, deadline));
        return keccak256(abi.encodePacked(hex"1901", ledger.domainSeparator(), structHash));
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _invalid() private pure returns (bytes4) {
        return IBillingLedger.BillingLedgerInvalidSignature.selector;
    }
}
