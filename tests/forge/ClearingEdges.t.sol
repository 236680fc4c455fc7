// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {IClearingHouse} from "../../interfaces/IClearingHouse.sol";
import {ClearingFixture} from "./ClearingFixture.sol";

/// @dev Last seconds, fullest lists, largest numbers, and the orders in which things may come.
contract ClearingEdgesTest is ClearingFixture {
    function setUp() public {
        deployHouse();
    }

    // --- deadlines ---------------------------------------------------------------------------------

    /// @dev Each state to its very last second: until then its call passes and no closing, from the next on the other
    /// way round.
    function test_TheLastSecondIsIncluded() public {
        for (uint256 state = 0; state < 4; ++state) {
            for (uint256 late = 0; late < 2; ++late) {
                bytes32 clearing = _opened(uint32(202_501 + state * 2 + late));
                IClearingHouse.Deadlines memory by = house.getClearing(clearing).deadlines;
                if (state > 0) _commitBoth(clearing);
                if (state > 1) _revealBoth(clearing);
                if (state > 2) agree(1, 2, netAmount(clearing, 1, true, 1, 5));
                uint64[4] memory last = [by.commitBy, by.revealBy, by.agreeBy, by.settleBy];
                vm.warp(last[state] + late);
                IClearingHouse.NetAmount memory net = netAmount(clearing, 1, false, 1, 5);
                bytes32 digest = netDigest(net, 1, 2);
                bytes memory step = state == 0
                    ? abi.encodeCall(house.commit, (clearing, 1, bookHash(clearing, 1)))
                    : state == 1
                        ? abi.encodeCall(house.reveal, (clearing, 1, book(), STATEMENTS, SALT))
                        : abi.encodeCall(house.agree, (net, signed(1, digest), signed(2, digest)));
                bytes memory close = abi.encodeCall(house.closeOverdue, (clearing, 1));
                vm.startPrank(adminOf(1));
                if (state < 3) assertEq(_passes(step) ? 1 : 0, 1 - late, "the state's own call");
                assertEq(_passes(close) ? 1 : 0, late, "closing");
                vm.stopPrank();
                vm.warp(NOW + 1);
            }
        }
    }

    function test_TwoYearsFromNowToTheSecond() public {
        IClearingHouse.Deadlines memory by = deadlines();
        vm.startPrank(adminOf(1));
        by.settleBy = uint64(block.timestamp + 730 days + 1);
        vm.expectRevert(IClearingHouse.ClearingHouseDeadlines.selector);
        house.open(1, 2, PERIOD, by);
        --by.settleBy;
        house.open(1, 2, PERIOD, by);
        vm.stopPrank();
    }

    /// @dev The end of its state is no end of what is owed: it is settled late, as long as nobody has closed.
    function test_SettledLateWhereNobodyCloses() public {
        bytes32 clearing = agreeing(1, 2);
        agree(1, 2, netAmount(clearing, 1, true, 1, 5));
        vm.warp(house.getClearing(clearing).deadlines.settleBy + 1_000 days);
        house.pay(clearing, 1, opening(5));
        assertState(clearing, IClearingHouse.State.Settled);
    }

    function test_SignaturesToTheirLastSecond() public {
        bytes32 clearing = agreeing(1, 2);
        IClearingHouse.NetAmount memory net = netAmount(clearing, 1, false, 1, 5);
        net.deadline = block.timestamp;
        agree(1, 2, net);
        IClearingHouse.Netting memory netting = cancelling(1, 2, clearing, 1);
        netting.deadline = block.timestamp;
        bytes[] memory signatures = signedBy(netting);
        vm.warp(block.timestamp + 1);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseTooLate.selector, netting.deadline));
        house.net(netting, signatures);
        vm.warp(netting.deadline);
        house.net(netting, signatures);
    }

    // --- rounds ------------------------------------------------------------------------------------

    function test_TheNextRoundAfterEitherEnd() public {
        bytes32 first = agreeing(1, 2);
        agree(1, 2, netAmount(first, 1, true, 1, 5));
        vm.startPrank(adminOf(1));
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseRoundOpen.selector, first));
        house.open(1, 2, PERIOD, deadlines());
        house.confirm(first, 1, 0);
        bytes32 second = house.open(1, 2, PERIOD, deadlines());
        house.refuse(second, 1);
        bytes32 third = house.open(1, 2, PERIOD, deadlines());
        vm.stopPrank();
        assertEq(house.roundsOf(1, 2, PERIOD), 3, "rounds");
        assertEq(house.clearingIdOf(2, 1, PERIOD, 3), third, "id");
    }

    /// @dev Months of the calendar, future ones as well: the ledger has no batches for them, so that no book opens.
    function test_PeriodsFromTheFirstToTheLast() public {
        uint32[6] memory good = [uint32(200_001), 200_012, 202_501, 202_512, 999_901, 999_912];
        uint32[7] memory bad = [uint32(0), 199_912, 200_000, 200_013, 999_900, 999_913, type(uint32).max];
        vm.startPrank(adminOf(1));
        for (uint256 i = 0; i < good.length; ++i) {
            house.open(1, 2, good[i], deadlines());
        }
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseInvalidPeriod.selector, bad[i]));
            house.open(1, 2, bad[i], deadlines());
        }
        vm.stopPrank();
    }

    function test_TheLargestNumbers() public {
        uint64 max = type(uint64).max;
        vm.startPrank(adminOf(1));
        IClearingHouse.Deadlines memory by = deadlines();
        by.settleBy = max;
        vm.expectRevert(IClearingHouse.ClearingHouseDeadlines.selector);
        house.open(1, 2, PERIOD, by);
        vm.expectRevert(IClearingHouse.ClearingHouseDeadlines.selector);
        house.open(1, 2, PERIOD, IClearingHouse.Deadlines(max, max, max, max));
        // One after the other beyond 2^64, if it were counted in as many bits.
        vm.expectRevert(IClearingHouse.ClearingHouseDeadlines.selector);
        house.open(1, 2, PERIOD, IClearingHouse.Deadlines(max - 1, 0, 1, 2));
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseNoPartner.selector, 1, max));
        house.open(1, max, PERIOD, deadlines());
        vm.stopPrank();
        bytes32 clearing = agreeing(1, 2);
        vm.prank(adminOf(1));
        vm.expectRevert(
            abi.encodeWithSelector(IClearingHouse.ClearingHouseNotOwed.selector, clearing, type(uint32).max)
        );
        house.confirm(clearing, type(uint32).max, 0);
        IClearingHouse.NetAmount memory net = netAmount(clearing, 1, false, 1, 5);
        net.amendment = IBillingLedger.BatchKey(1, type(uint32).max, type(uint32).max, type(uint32).max);
        bytes32 digest = netDigest(net, 1, 2);
        vm.expectRevert(IClearingHouse.ClearingHouseNoAmendment.selector);
        house.agree(net, signed(1, digest), signed(2, digest));
        net = netAmount(clearing, 1, true, 1, type(uint256).max);
        agree(1, 2, net);
        vm.expectRevert();
        house.pay(clearing, 1, opening(type(uint256).max));
    }

    // --- parts -------------------------------------------------------------------------------------

    function test_AmendmentsOfEitherSide() public {
        for (uint64 id = 1; id <= 2; ++id) {
            vm.prank(adminOf(id));
            ledger.anchor(id, PERIOD, 1, 2, keccak256(abi.encode(id, "credit")), 0, 1);
        }
        bytes32 clearing = agreeing(1, 2);
        IBillingLedger.BatchKey[4] memory refused = [
            IBillingLedger.BatchKey(1, PERIOD, 1, 0),
            IBillingLedger.BatchKey(0, 0, 0, 1),
            IBillingLedger.BatchKey(0, PERIOD, 0, 0),
            IBillingLedger.BatchKey(0, 0, 1, 0)
        ];
        for (uint256 i = 0; i < refused.length; ++i) {
            IClearingHouse.NetAmount memory net = netAmount(clearing, 1, false, 1, 5);
            net.amendment = refused[i];
            bytes32 digest = netDigest(net, 1, 2);
            (bytes memory a, bytes memory b) = (signed(1, digest), signed(2, digest));
            vm.expectRevert(IClearingHouse.ClearingHouseNoAmendment.selector);
            house.agree(net, a, b);
        }
        for (uint32 part = 1; part <= 2; ++part) {
            IClearingHouse.NetAmount memory net = netAmount(clearing, part, false, 1, 5);
            net.amendment = IBillingLedger.BatchKey(part, PERIOD, 1, 2);
            agree(1, 2, net);
        }
    }

    /// @dev Whatever ends while a clearing is still being agreed on, or closed, does not move it.
    function test_PartsThatEndMoveNoStateButSettling() public {
        bytes32 clearing = agreeing(1, 2);
        for (uint32 part = 1; part <= 3; ++part) {
            agree(1, 2, netAmount(clearing, part, false, 1, 5));
            IClearingHouse.Netting memory netting = cancelling(1, 2, clearing, part);
            if (part == 1) house.net(netting, signedBy(netting));
            if (part == 2) house.pay(clearing, part, opening(5));
            assertState(clearing, IClearingHouse.State.Agreeing);
        }
        assertEq(house.getClearing(clearing).openParts, 1, "open parts");
        vm.startPrank(adminOf(1));
        house.refuse(clearing, 1);
        house.confirm(clearing, 3, 0);
        vm.stopPrank();
        assertState(clearing, IClearingHouse.State.Closed);
        assertEq(uint256(house.getClearing(clearing).reason), uint256(IClearingHouse.Reason.Refused), "reason");
    }

    /// @dev The last part may end before the first: settled is when none is left.
    function test_SettledWithTheLastThatEnds() public {
        bytes32 clearing = agreeing(1, 2);
        for (uint32 part = 1; part <= 3; ++part) {
            agree(1, 2, netAmount(clearing, part, part == 3, 1, 5));
        }
        for (uint32 part = 3; part >= 1; --part) {
            assertState(clearing, IClearingHouse.State.Settling);
            house.pay(clearing, part, opening(5));
        }
        assertState(clearing, IClearingHouse.State.Settled);
        vm.prank(adminOf(2));
        vm.expectRevert(
            abi.encodeWithSelector(
                IClearingHouse.ClearingHouseWrongState.selector, clearing, IClearingHouse.State.Settled
            )
        );
        house.closeOverdue(clearing, 2);
    }

    // --- rings -------------------------------------------------------------------------------------

    /// @dev Nettings of nettings, with nothing left at the end, and somebody in the ring who owes nobody.
    function test_NettingsOfNettingsUntilNothingIsLeft() public {
        bytes32 clearing = agreeing(1, 2);
        agree(1, 2, netAmount(clearing, 1, true, 1, 5));
        IClearingHouse.PartReference memory old = IClearingHouse.PartReference(clearing, 1);
        for (uint256 i = 0; i < 4; ++i) {
            IClearingHouse.Netting memory netting = cancelling(1, 2, old.source, old.number);
            netting.operators = new uint64[](3);
            (netting.operators[0], netting.operators[1], netting.operators[2]) = (1, 2, 3);
            bytes32 source = house.nettingIdOf(netting.replaced);
            if (i < 3) {
                netting.parts = new IClearingHouse.NetPart[](2);
                netting.parts[0] = IClearingHouse.NetPart(1, 3, amountHash(source, 1, opening(3)));
                netting.parts[1] = IClearingHouse.NetPart(2, 1, amountHash(source, 2, opening(3)));
            }
            house.net(netting, signedBy(netting));
            assertEq(house.partCount(source), i < 3 ? 2 : 0, "new parts");
            assertEq(house.getPart(old.source, old.number).endedAt, block.timestamp, "ended");
            old = IClearingHouse.PartReference(source, 2);
        }
        assertState(clearing, IClearingHouse.State.Settled);
        assertState(house.nettingIdOf(cancelling(1, 2, clearing, 1).replaced), IClearingHouse.State.None);
    }

    /// @dev One signature more than there are operators is one too many: nobody asked it.
    function test_AsManySignaturesAsOperators() public {
        bytes32 clearing = agreeing(1, 2);
        agree(1, 2, netAmount(clearing, 1, true, 1, 5));
        IClearingHouse.Netting memory netting = cancelling(1, 2, clearing, 1);
        bytes[] memory two = signedBy(netting);
        bytes[] memory three = new bytes[](3);
        (three[0], three[1]) = (two[0], two[1]);
        vm.expectRevert(IClearingHouse.ClearingHouseNettingShape.selector);
        house.net(netting, three);
        // Not even nobody: the 0 that is no operator.
        netting.operators[0] = 0;
        vm.expectRevert(IClearingHouse.ClearingHouseNettingShape.selector);
        house.net(netting, two);
    }

    // --- shortcuts ---------------------------------------------------------------------------------

    function assertState(bytes32 clearing, IClearingHouse.State state) private view {
        assertEq(uint256(house.getClearing(clearing).state), uint256(state), "state");
    }

    function _passes(bytes memory call) private returns (bool done) {
        (done,) = address(house).call(call);
    }

    function _opened(uint32 period) private returns (bytes32 clearing) {
        for (uint64 id = 1; id <= 2 && period != PERIOD; ++id) {
            vm.prank(adminOf(id));
            ledger.anchor(id, period, 1, 1, keccak256(abi.encode(id)), 0, 0);
        }
        vm.warp(block.timestamp + 1);
        vm.prank(adminOf(1));
        clearing = house.open(1, 2, period, deadlines());
    }

    function _commitBoth(bytes32 clearing) private {
        for (uint64 id = 1; id <= 2; ++id) {
            vm.prank(adminOf(id));
            house.commit(clearing, id, bookHash(clearing, id));
        }
    }

    function _revealBoth(bytes32 clearing) private {
        _reveal(clearing, 1);
        _reveal(clearing, 2);
    }

    function _reveal(bytes32 clearing, uint64 id) private {
        vm.prank(adminOf(id));
        house.reveal(clearing, id, book(), STATEMENTS, SALT);
    }
}
