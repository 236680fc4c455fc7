// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {LedgerTest} from "./LedgerFixture.sol";

/// @dev The rules of anchoring and sealing.
contract AnchoringTest is LedgerTest {
    bytes32 private constant ROOT = keccak256("root");

    function test_SequencesStartAtOneAndLeaveNoGap() public {
        _refused(0, 0, abi.encodeWithSelector(_gap(), OPERATOR, PERIOD, 1, 0));
        _refused(2, 0, abi.encodeWithSelector(_gap(), OPERATOR, PERIOD, 1, 2));
        _anchor(1, 0);
        _refused(3, 0, abi.encodeWithSelector(_gap(), OPERATOR, PERIOD, 1, 3));
        _refused(1, 0, abi.encodeWithSelector(_taken(), OPERATOR, PERIOD, 1, 1));
        _anchor(2, 0);
        _refused(2, 0, abi.encodeWithSelector(_taken(), OPERATOR, PERIOD, 1, 2));
    }

    /// @dev The remembered last batch of a period must not stand in for another region's.
    function test_RegionsCountApart() public {
        _anchorIn(PERIOD, 1, 1);
        _anchorIn(PERIOD, 2, 1);
        _anchorIn(PERIOD, 1, 2);
        _anchorIn(PERIOD, 2, 2);
        uint32[2] memory others = [uint32(0), 3];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.prank(ANCHORER);
            vm.expectRevert(abi.encodeWithSelector(_gap(), OPERATOR, PERIOD, others[i], 3));
            ledger.anchor(OPERATOR, PERIOD, others[i], 3, ROOT, 0, 0);
        }
        assertEq(ledger.getPeriod(OPERATOR, PERIOD).batches, 4, "batches");
    }

    /// @dev Periods that alternate inside one transaction keep their own counts.
    function test_AnchorManyAcrossPeriodsAndRegions() public {
        IBillingLedger.BatchAnchor[] memory batches = new IBillingLedger.BatchAnchor[](5);
        batches[0] = IBillingLedger.BatchAnchor(PERIOD, 1, 1, ROOT, 0, 0);
        batches[1] = IBillingLedger.BatchAnchor(202_509, 1, 1, ROOT, 0, 0);
        batches[2] = IBillingLedger.BatchAnchor(PERIOD, 1, 2, ROOT, 0, 1);
        batches[3] = IBillingLedger.BatchAnchor(202_509, 2, 1, ROOT, 0, 0);
        batches[4] = IBillingLedger.BatchAnchor(202_509, 1, 2, ROOT, 0, 0);
        vm.prank(ANCHORER);
        ledger.anchorMany(OPERATOR, batches);
        assertEq(ledger.getPeriod(OPERATOR, PERIOD).batches, 2, "batches of one");
        assertEq(ledger.getPeriod(OPERATOR, 202_509).batches, 3, "batches of the other");
        assertEq(ledger.headOf(OPERATOR), _headAfter(batches), "head");
        assertEq(ledger.getBatch(IBillingLedger.BatchKey(OPERATOR, PERIOD, 1, 2)).amends, 1, "amends");
    }

    function test_AnchorManyIsAllOrNone() public {
        bytes32 head = ledger.headOf(OPERATOR);
        IBillingLedger.BatchAnchor[] memory batches = new IBillingLedger.BatchAnchor[](2);
        batches[0] = IBillingLedger.BatchAnchor(PERIOD, 1, 1, ROOT, 0, 0);
        batches[1] = IBillingLedger.BatchAnchor(PERIOD, 1, 3, ROOT, 0, 0);
        vm.prank(ANCHORER);
        vm.expectRevert(abi.encodeWithSelector(_gap(), OPERATOR, PERIOD, 1, 3));
        ledger.anchorMany(OPERATOR, batches);
        assertEq(ledger.headOf(OPERATOR), head, "head");
        vm.prank(ANCHORER);
        vm.expectRevert(IBillingLedger.BillingLedgerEmptySet.selector);
        ledger.anchorMany(OPERATOR, new IBillingLedger.BatchAnchor[](0));
    }

    function test_PeriodsMustHaveBegun() public {
        vm.warp(NOW - 1); // the last second of October
        vm.prank(ANCHORER);
        vm.expectRevert(abi.encodeWithSelector(IBillingLedger.BillingLedgerFuturePeriod.selector, 202_511));
        ledger.anchor(OPERATOR, 202_511, 1, 1, ROOT, 0, 0);
        vm.warp(NOW);
        _anchorIn(202_511, 1, 1);
        uint32[3] memory noMonths = [uint32(0), 202_500, 202_513];
        for (uint256 i = 0; i < noMonths.length; ++i) {
            vm.prank(ANCHORER);
            vm.expectRevert(abi.encodeWithSelector(IBillingLedger.BillingLedgerInvalidPeriod.selector, noMonths[i]));
            ledger.anchor(OPERATOR, noMonths[i], 1, 1, ROOT, 0, 0);
        }
    }

    function test_AmendmentsNameABatchOfTheirRegion() public {
        _anchor(1, 0);
        _refused(2, 9, abi.encodeWithSelector(_unknown(), OPERATOR, PERIOD, 1, 9));
        _refused(2, 2, abi.encodeWithSelector(_unknown(), OPERATOR, PERIOD, 1, 2));
        _anchor(2, 1);
        vm.prank(ANCHORER);
        vm.expectRevert(abi.encodeWithSelector(_unknown(), OPERATOR, PERIOD, 2, 1));
        ledger.anchor(OPERATOR, PERIOD, 2, 1, ROOT, 0, 1);
    }

    function test_SealedPeriodTakesAmendmentsOnly() public {
        _anchor(1, 0);
        bytes32 head = ledger.headOf(OPERATOR);
        vm.startPrank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(IBillingLedger.BillingLedgerHeadMismatch.selector, head));
        ledger.seal(OPERATOR, PERIOD, ROOT, 1);
        vm.expectRevert(abi.encodeWithSelector(IBillingLedger.BillingLedgerBatchCountMismatch.selector, 1));
        ledger.seal(OPERATOR, PERIOD, head, 2);
        ledger.seal(OPERATOR, PERIOD, head, 1);
        vm.expectRevert(abi.encodeWithSelector(_sealed(), OPERATOR, PERIOD));
        ledger.seal(OPERATOR, PERIOD, head, 1);
        vm.expectRevert(abi.encodeWithSelector(IBillingLedger.BillingLedgerFuturePeriod.selector, 202_512));
        ledger.seal(OPERATOR, 202_512, head, 0);
        vm.stopPrank();
        _refused(2, 0, abi.encodeWithSelector(_sealed(), OPERATOR, PERIOD));
        _refused(1, 0, abi.encodeWithSelector(_taken(), OPERATOR, PERIOD, 1, 1)); // a retry learns that it is in
        _anchor(2, 1);
        IBillingLedger.Period memory period = ledger.getPeriod(OPERATOR, PERIOD);
        assertEq(period.batches, 2, "batches");
        assertEq(period.sealedBatches, 1, "batches when sealed");
        assertEq(period.sealedAt, NOW, "time of sealing");
    }

    function test_OnlyRoleHolders() public {
        bytes memory notAdmin =
            abi.encodeWithSelector(IBillingLedger.BillingLedgerNotAdmin.selector, OPERATOR, ANCHORER);
        _anchor(1, 0);
        bytes32 head = ledger.headOf(OPERATOR);
        vm.startPrank(ANCHORER);
        vm.expectRevert(notAdmin);
        ledger.seal(OPERATOR, PERIOD, head, 1);
        vm.expectRevert(notAdmin);
        ledger.repudiate(IBillingLedger.BatchKey(OPERATOR, PERIOD, 1, 1));
        vm.expectRevert(notAdmin);
        ledger.grantAnchorer(OPERATOR, ANCHORER);
        vm.expectRevert(notAdmin);
        ledger.revokeAnchorer(OPERATOR, ANCHORER);
        vm.expectRevert(notAdmin);
        ledger.transferAdmin(OPERATOR, ANCHORER);
        vm.expectRevert(notAdmin);
        ledger.updateOperator(OPERATOR, "x", "", "");
        vm.stopPrank();
        vm.prank(ADMIN); // the admin holds no right to anchor
        vm.expectRevert(abi.encodeWithSelector(IBillingLedger.BillingLedgerNotAnchorer.selector, OPERATOR, ADMIN));
        ledger.anchor(OPERATOR, PERIOD, 1, 2, ROOT, 0, 0);
    }

    function test_RepudiatedBatchStaysVisible() public {
        Bill memory bill = anchoredBill(3, 1, 2, 4);
        vm.startPrank(ADMIN);
        ledger.repudiate(bill.key);
        bytes32 batchId = ledger.batchIdOf(bill.key);
        vm.expectRevert(abi.encodeWithSelector(IBillingLedger.BillingLedgerAlreadyFlagged.selector, batchId));
        ledger.repudiate(bill.key);
        bill.key.sequence = 2;
        vm.expectRevert(abi.encodeWithSelector(_unknown(), OPERATOR, PERIOD, bill.key.region, 2));
        ledger.repudiate(bill.key);
        vm.stopPrank();
        bill.key.sequence = 1;
        assertTrue(ledger.getBatch(bill.key).repudiated, "flag");
        assertReason(verifyRecord(bill, 0), IBillingLedger.Reason.Ok, "its records are still proved");
    }

    function _headAfter(IBillingLedger.BatchAnchor[] memory batches) private view returns (bytes32 head) {
        head = keccak256(abi.encode(ledger.domainSeparator(), OPERATOR));
        for (uint256 i = 0; i < batches.length; ++i) {
            IBillingLedger.BatchAnchor memory b = batches[i];
            bytes32 batchId =
                ledger.batchIdOf(IBillingLedger.BatchKey(OPERATOR, b.period, b.region, b.expectedSequence));
            head = keccak256(abi.encode(head, batchId, b.root, b.manifestHash, b.amends));
        }
    }

    function _anchor(uint32 sequence, uint32 amends) private {
        vm.prank(ANCHORER);
        ledger.anchor(OPERATOR, PERIOD, 1, sequence, ROOT, 0, amends);
    }

    function _anchorIn(uint32 period, uint32 region, uint32 sequence) private {
        vm.prank(ANCHORER);
        ledger.anchor(OPERATOR, period, region, sequence, ROOT, 0, 0);
    }

    function _refused(uint32 sequence, uint32 amends, bytes memory why) private {
        vm.prank(ANCHORER);
        vm.expectRevert(why);
        ledger.anchor(OPERATOR, PERIOD, 1, sequence, ROOT, 0, amends);
    }

    function _gap() private pure returns (bytes4) {
        return IBillingLedger.BillingLedgerSequenceGap.selector;
    }

    function _taken() private pure returns (bytes4) {
        return IBillingLedger.BillingLedgerSequenceTaken.selector;
    }

    function _unknown() private pure returns (bytes4) {
        return IBillingLedger.BillingLedgerUnknownBatch.selector;
    }

    function _sealed() private pure returns (bytes4) {
        return IBillingLedger.BillingLedgerPeriodSealed.selector;
    }
}
