// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {HashesHarness} from "../../contracts/test/HashesHarness.sol";
import {Base} from "./Base.sol";
import {Trees} from "./Trees.sol";

/// @dev The library functions against slower ways of saying the same. Brownie compares the nine struct hashes
/// with eth-account.
contract HashesTest is Base {
    HashesHarness private hashes;

    function setUp() public {
        hashes = new HashesHarness();
    }

    /// @dev Counts days month by month instead of by formula.
    function testFuzz_StartOfPeriod(uint256 seed) public view {
        uint256 year = bound(seed, 2000, 9999);
        uint256 month = bound(seed / 8_000, 1, 12);
        uint256 day = 0;
        for (uint256 y = 1970; y < year; ++y) {
            day += _isLeap(y) ? 366 : 365;
        }
        for (uint256 m = 1; m < month; ++m) {
            day += _monthDays(year, m);
        }
        assertEq(hashes.startOf(uint32(year * 100 + month)), day * 86_400, "first second");
    }

    function test_StartOfKnownPeriods() public view {
        assertEq(hashes.startOf(200_001), 946_684_800, "2000-01");
        assertEq(hashes.startOf(200_003), 951_868_800, "2000-03, after a leap day");
        assertEq(hashes.startOf(202_511), 1_761_955_200, "2025-11");
        assertEq(hashes.startOf(210_003), 4_107_542_400, "2100-03, no leap day");
        assertEq(hashes.startOf(999_912), 253_399_622_400, "9999-12");
    }

    function testFuzz_PeriodIsMonth(uint32 period) public view {
        uint32 month = period % 100;
        bool expected = period >= 200_001 && period <= 999_912 && month != 0 && month < 13;
        assertTrue(hashes.isPeriod(period) == expected, "valid period");
    }

    function test_PeriodEdges() public view {
        uint32[8] memory wrong = [uint32(0), 199_912, 200_000, 200_013, 202_500, 202_513, 1_000_001, 4_294_967_212];
        for (uint256 i = 0; i < wrong.length; ++i) {
            assertTrue(!hashes.isPeriod(wrong[i]), "invalid period");
        }
        assertTrue(hashes.isPeriod(200_001) && hashes.isPeriod(999_912), "first and last");
    }

    /// @dev The rule for the length against proofs taken from trees.
    function testFuzz_ProofLength(uint256 size, uint256 index) public view {
        uint32 leaves = uint32(bound(size, 1, 70));
        uint32 leaf = uint32(index % leaves);
        uint256 expected = Trees.proof(new bytes32[](leaves), leaf).length;
        assertEq(hashes.proofLength(leaves, leaf), expected, "length of the proof");
    }

    function test_ProofLengthOfLargestTree() public view {
        uint32 most = type(uint32).max;
        assertEq(hashes.proofLength(most, 0), 32, "first leaf");
        assertEq(hashes.proofLength(most, most - 1), 31, "last leaf");
        assertEq(hashes.proofLength(1, 0), 0, "only leaf");
    }

    /// @dev Ring of bytes, walked step by step from the account up to the next one.
    function testFuzz_GapIsWhatAWalkMeets(uint8 account, uint8 next, uint8 key) public view {
        bool met = false;
        uint8 at = account;
        while (true) {
            unchecked {
                ++at; // a ring of 256 wraps
            }
            if (at == next || at == account) break;
            if (at == key) met = true;
        }
        IBillingLedger.AccountEntry memory entry =
            IBillingLedger.AccountEntry(bytes32(uint256(account)), bytes32(uint256(next)), 0);
        assertTrue(hashes.inGap(entry, bytes32(uint256(key))) == met, "in the gap");
    }

    /// @dev What is let through never reverts in OpenZeppelin's code; what a tree gives is let through.
    function testFuzz_MultiproofsOfTreesAreWellFormed(uint256 size, uint256 mask) public view {
        bytes32[] memory leaves = new bytes32[](bound(size, 1, 20));
        bool[] memory chosen = new bool[](leaves.length);
        uint256 count = 0;
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = keccak256(abi.encode(i));
            chosen[i] = mask >> i & 1 == 1;
            if (chosen[i]) ++count;
        }
        if (count == 0) return;
        (bytes32[] memory nodes, bool[] memory flags) = Trees.multiproof(leaves, chosen);
        assertTrue(hashes.isMultiproof(count, nodes.length, flags), "well formed");
        assertTrue(!hashes.isMultiproof(count + 1, nodes.length, flags), "one leaf too many");
        assertTrue(!hashes.isMultiproof(count, nodes.length + 1, flags), "one node too many");
    }

    function _isLeap(uint256 year) private pure returns (bool) {
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    }

    function _monthDays(uint256 year, uint256 month) private pure returns (uint256) {
        if (month == 2) return _isLeap(year) ? 29 : 28;
        return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
    }
}
