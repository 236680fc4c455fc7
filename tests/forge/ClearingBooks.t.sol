// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {IClearingHouse} from "../../interfaces/IClearingHouse.sol";
import {ClearingFixture} from "./ClearingFixture.sol";

/// @dev What a book may be: anchored before its own commitment, in order, and of 32 batches at most.
contract ClearingBooksTest is ClearingFixture {
    uint32 private constant FULL = 32;

    function setUp() public {
        deployHouse();
    }

    /// @dev The place is named while the partner has not committed yet, and filled before it does: too late all the
    /// same, for one's own commitment counts.
    function test_FilledBetweenTheTwoCommitments() public {
        bytes32 clearing = _opened();
        IClearingHouse.BatchReference[] memory later = _batches(2, 1);
        bytes32 hash = _bookHash(clearing, 1, later);
        vm.prank(adminOf(1));
        house.commit(clearing, 1, hash);
        vm.warp(block.timestamp + 10);
        _anchor(1, 2, 1);
        vm.warp(block.timestamp + 10);
        vm.prank(adminOf(2));
        house.commit(clearing, 2, bookHash(clearing, 2));
        vm.warp(block.timestamp + 10);
        vm.prank(adminOf(1));
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseBatchDoesNotStand.selector, 1, 2, 1));
        house.reveal(clearing, 1, later, STATEMENTS, SALT);
        _reveal(clearing, 2);
    }

    /// @dev Region first, then sequence, with numbers that no sum and no other order sorts.
    function test_BooksAreInOrderOfRegionThenSequence() public {
        _anchor(1, 0, 1);
        _anchor(1, 0, 2);
        _anchor(1, 0, 3);
        bytes32 clearing = _opened();
        IClearingHouse.BatchReference[] memory batches = new IClearingHouse.BatchReference[](3);
        batches[0] = IClearingHouse.BatchReference(0, 2);
        batches[1] = IClearingHouse.BatchReference(0, 3);
        batches[2] = IClearingHouse.BatchReference(1, 1);
        vm.warp(block.timestamp + 1);
        _commitAndReveal(clearing, batches, "");
        clearing = _againOpened(clearing);
        (batches[0], batches[1], batches[2]) = (batches[2], batches[0], batches[1]);
        _commitAndReveal(clearing, batches, abi.encodePacked(IClearingHouse.ClearingHouseBatchOrder.selector));
    }

    /// @dev 32 batches a side open and are agreed on within a few per cent of a block; one more does not open. Any one
    /// that falls stops everything, the first as well as the last.
    function test_FullBooks() public {
        for (uint32 sequence = 1; sequence <= FULL + 1; ++sequence) {
            _anchor(1, 7, sequence);
            _anchor(2, 7, sequence);
        }
        vm.warp(block.timestamp + 1);
        bytes32 clearing = _opened();
        bytes memory order = abi.encodePacked(IClearingHouse.ClearingHouseBatchOrder.selector);
        _commitAndReveal(clearing, _batches(7, FULL + 1), order);
        clearing = _againOpened(clearing);
        uint256 gas = gasleft();
        _commitAndReveal(clearing, _batches(7, FULL), "");
        assertTrue(gas - gasleft() < 3_000_000, "both openings");
        assertState(clearing, IClearingHouse.State.Agreeing);
        gas = gasleft();
        agree(1, 2, netAmount(clearing, 1, false, 1, 5));
        assertTrue(gas - gasleft() < 1_500_000, "a part");
        uint32[3] memory places = [uint32(1), 17, FULL];
        for (uint64 id = 1; id <= 2; ++id) {
            for (uint256 i = 0; i < places.length; ++i) {
                _falls(clearing, id, places[i]);
            }
        }
    }

    // --- shortcuts ---------------------------------------------------------------------------------

    function assertState(bytes32 clearing, IClearingHouse.State state) private view {
        assertEq(uint256(house.getClearing(clearing).state), uint256(state), "state");
    }

    function _opened() private returns (bytes32 clearing) {
        vm.warp(block.timestamp + 1);
        vm.prank(adminOf(1));
        clearing = house.open(1, 2, PERIOD, deadlines());
    }

    function _reveal(bytes32 clearing, uint64 id) private {
        vm.prank(adminOf(id));
        house.reveal(clearing, id, book(), STATEMENTS, SALT);
    }

    function _againOpened(bytes32 last) private returns (bytes32) {
        if (house.getClearing(last).state != IClearingHouse.State.Closed) {
            vm.prank(adminOf(1));
            house.refuse(last, 1);
        }
        return _opened();
    }

    function _anchor(uint64 id, uint32 region, uint32 sequence) private {
        vm.prank(adminOf(id));
        ledger.anchor(id, PERIOD, region, sequence, keccak256(abi.encode(id, region, sequence)), 0, 0);
    }

    /// @dev Both sides commit to the same places and open them; A is refused with `error` unless that is empty.
    function _commitAndReveal(bytes32 clearing, IClearingHouse.BatchReference[] memory batches, bytes memory error)
        private
    {
        for (uint64 id = 1; id <= 2; ++id) {
            bytes32 hash = error.length == 0 && batches.length != FULL && id == 2
                ? bookHash(clearing, 2)
                : _bookHash(clearing, id, batches);
            vm.prank(adminOf(id));
            house.commit(clearing, id, hash);
        }
        vm.prank(adminOf(1));
        if (error.length != 0) vm.expectRevert(error);
        house.reveal(clearing, 1, batches, STATEMENTS, SALT);
        if (error.length != 0) return;
        vm.prank(adminOf(2));
        house.reveal(clearing, 2, batches.length == FULL ? batches : book(), STATEMENTS, SALT);
    }

    function _batches(uint32 region, uint32 count)
        private
        pure
        returns (IClearingHouse.BatchReference[] memory batches)
    {
        batches = new IClearingHouse.BatchReference[](count);
        for (uint32 i = 0; i < count; ++i) {
            batches[i] = IClearingHouse.BatchReference(region, i + 1);
        }
    }

    function _bookHash(bytes32 clearing, uint64 id, IClearingHouse.BatchReference[] memory batches)
        private
        pure
        returns (bytes32)
    {
        bytes memory list;
        bytes32 typeHash = keccak256("BatchReference(uint32 region,uint32 sequence)");
        for (uint256 i = 0; i < batches.length; ++i) {
            list = bytes.concat(list, keccak256(abi.encode(typeHash, batches[i])));
        }
        return bookHashOf(clearing, id, keccak256(list));
    }

    /// @dev Repudiates one batch of the full book and looks at what is left of the clearing; undone at the end.
    function _falls(bytes32 clearing, uint64 id, uint32 sequence) private {
        try this.fall(clearing, id, sequence) {
            revert NotTrue("undone");
        } catch (bytes memory reason) {
            assertEq(keccak256(reason), keccak256("undone"), "what is left of the clearing");
        }
    }

    function fall(bytes32 clearing, uint64 id, uint32 sequence) external {
        vm.prank(adminOf(id));
        ledger.repudiate(IBillingLedger.BatchKey(id, PERIOD, 7, sequence));
        IClearingHouse.NetAmount memory net = netAmount(clearing, 2, false, 1, 5);
        bytes32 digest = netDigest(net, 1, 2);
        (bytes memory a, bytes memory b) = (signed(1, digest), signed(2, digest));
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseBatchDoesNotStand.selector, id, 7, sequence));
        house.agree(net, a, b);
        vm.prank(adminOf(1));
        house.closeRepudiated(clearing, 1);
        assertEq(house.getClearing(clearing).sides, id, "sides");
        assertState(clearing, IClearingHouse.State.Closed);
        bytes memory undone = "undone";
        assembly ("memory-safe") {
            revert(add(undone, 32), mload(undone))
        }
    }
}
