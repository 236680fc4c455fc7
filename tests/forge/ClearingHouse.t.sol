// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IClearingHouse} from "../../interfaces/IClearingHouse.sol";
import {ClearingFixture} from "./ClearingFixture.sol";

/// @dev What holds for any amount, deadline, caller and opening.
contract ClearingHouseTest is ClearingFixture {
    function setUp() public {
        deployHouse();
    }

    function testFuzz_DeadlinesAreADayApartAndWithinTwoYears(uint256 seed) public {
        uint64 at = uint64(block.timestamp);
        bool good = true;
        uint64[4] memory by;
        for (uint256 i = 0; i < 4; ++i) {
            // Around the edge of a day as often as far from it; the last now and then around the edge of the span.
            uint256 draw = (seed >> (i * 32)) & type(uint32).max;
            uint64 step = uint64(draw % 2 == 0 ? bound(draw, 1 days - 2, 1 days + 8) : bound(draw, 1 days, 300 days));
            by[i] = at += step;
            if (step < 1 days) good = false;
        }
        if (seed >> 255 == 1 && by[2] < block.timestamp + 728 days) {
            by[3] = uint64(block.timestamp + 730 days - 2 + (seed >> 250) % 4);
            good = good || by[3] - by[2] >= 1 days;
            for (uint256 i = 0; i < 3; ++i) {
                if (by[i] - (i == 0 ? block.timestamp : by[i - 1]) < 1 days) good = false;
            }
        }
        if (by[3] > block.timestamp + 730 days) good = false;
        vm.prank(adminOf(1));
        if (!good) vm.expectRevert(IClearingHouse.ClearingHouseDeadlines.selector);
        house.open(1, 2, PERIOD, IClearingHouse.Deadlines(by[0], by[1], by[2], by[3]));
    }

    function testFuzz_OnlyTheOperatorsOwnPeopleOpen(address sender) public {
        vm.assume(sender != adminOf(1));
        vm.prank(sender);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseNotOperator.selector, 1, sender));
        house.open(1, 2, PERIOD, deadlines());
    }

    function testFuzz_AnchoredBeforeTheCommitment(uint32 wait) public {
        vm.warp(NOW); // the very second in which the batches were anchored
        vm.prank(adminOf(1));
        bytes32 clearing = house.open(1, 2, PERIOD, deadlines());
        vm.prank(adminOf(2));
        house.commit(clearing, 2, bytes32(uint256(1)));
        uint256 later = wait % 3;
        vm.warp(NOW + later);
        vm.startPrank(adminOf(1));
        house.commit(clearing, 1, bookHash(clearing, 1));
        vm.warp(NOW + 3);
        if (later == 0) {
            vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseBatchDoesNotStand.selector, 1, 1, 1));
        }
        house.reveal(clearing, 1, book(), STATEMENTS, SALT);
        vm.stopPrank();
    }

    function testFuzz_OnlyTheOpeningOpens(bytes32 statements, bytes32 salt) public {
        vm.assume(statements != STATEMENTS || salt != SALT);
        vm.prank(adminOf(1));
        bytes32 clearing = house.open(1, 2, PERIOD, deadlines());
        for (uint64 id = 1; id <= 2; ++id) {
            vm.prank(adminOf(id));
            house.commit(clearing, id, bookHash(clearing, id));
        }
        vm.prank(adminOf(1));
        vm.expectRevert(IClearingHouse.ClearingHouseWrongOpening.selector);
        house.reveal(clearing, 1, book(), statements, salt);
    }

    function testFuzz_KeepsWhatBothSigned(bool first, bool last, uint256 amount) public {
        bytes32 clearing = agreeing(1, 2);
        IClearingHouse.NetAmount memory net = netAmount(clearing, 1, last, first ? 1 : 2, amount);
        agree(1, 2, net);
        IClearingHouse.Part memory part = house.getPart(clearing, 1);
        assertEq(part.amountCommitment, net.amountCommitment, "commitment");
        assertEq(part.creditor, first ? 1 : 2, "creditor");
        assertEq(part.debtor, first ? 2 : 1, "debtor");
        IClearingHouse.State state = last ? IClearingHouse.State.Settling : IClearingHouse.State.Agreeing;
        assertEq(uint256(house.getClearing(clearing).state), uint256(state), "state");
        bytes32 digest = netDigest(net, 1, 2);
        vm.expectRevert();
        house.agree(net, signed(1, digest), signed(2, digest));
    }

    function testFuzz_NobodyElsesSignature(uint256 key, bool forA) public {
        key = bound(key, 1, 2 ** 200);
        vm.assume(key != keyOf(forA ? 1 : 2));
        bytes32 clearing = agreeing(1, 2);
        IClearingHouse.NetAmount memory net = netAmount(clearing, 1, false, 1, 5);
        bytes32 digest = netDigest(net, 1, 2);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        bytes memory foreign = abi.encodePacked(r, s, v);
        bytes memory a = forA ? foreign : signed(1, digest);
        bytes memory b = forA ? signed(2, digest) : foreign;
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseInvalidSignature.selector, forA ? 1 : 2));
        house.agree(net, a, b);
    }

    function testFuzz_PaysExactlyOrNotAtAll(uint256 amount, uint256 fee) public {
        amount = bound(amount, 1, 1e24);
        fee = fee % 2 == 0 ? 0 : bound(fee, 1, amount);
        bytes32 clearing = agreeing(1, 2);
        agree(1, 2, netAmount(clearing, 1, true, 1, amount));
        token.set(fee, false, false);
        if (fee != 0) vm.expectRevert(IClearingHouse.ClearingHouseInexactPayment.selector);
        house.pay(clearing, 1, opening(amount));
        assertEq(token.balanceOf(PAYEE), fee == 0 ? amount : 0, "received");
        assertEq(token.balanceOf(address(house)), 0, "kept");
    }

    function testFuzz_OtherAmountsDoNotOpen(uint256 amount, uint256 other, bytes3 currency, bytes32 salt) public {
        bytes32 clearing = agreeing(1, 2);
        agree(1, 2, netAmount(clearing, 1, true, 1, amount));
        IClearingHouse.AmountOpening memory shown =
            IClearingHouse.AmountOpening(currency, other, address(token), PAYEE, salt);
        vm.assume(keccak256(abi.encode(shown)) != keccak256(abi.encode(opening(amount))));
        vm.expectRevert(IClearingHouse.ClearingHouseWrongOpening.selector);
        house.pay(clearing, 1, shown);
    }

    function testFuzz_OnlyTheCreditorsAdminConfirms(address sender, bool first) public {
        uint64 creditor = first ? 1 : 2;
        vm.assume(sender != adminOf(creditor));
        bytes32 clearing = agreeing(1, 2);
        agree(1, 2, netAmount(clearing, 1, true, creditor, 5));
        vm.prank(sender);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseNotAdmin.selector, creditor, sender));
        house.confirm(clearing, 1, 0);
    }

    /// @dev A fork of the chain has another number, under which the ledger has none of the batches, and the house
    /// another domain.
    function test_SignaturesOnAForkedChain() public {
        bytes32 clearing = agreeing(1, 2);
        IClearingHouse.NetAmount memory net = netAmount(clearing, 1, false, 1, 5);
        bytes32 digest = netDigest(net, 1, 2);
        (bytes memory a, bytes memory b) = (signed(1, digest), signed(2, digest));
        uint256 here = block.chainid;
        bytes32 domain = house.domainSeparator();
        vm.chainId(here + 1);
        assertTrue(house.domainSeparator() != domain, "the domain of another chain");
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseBatchDoesNotStand.selector, 1, 1, 1));
        house.agree(net, a, b);
        vm.chainId(here);
        house.agree(net, a, b);
    }
}
