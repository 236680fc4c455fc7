// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {LedgerTest} from "./LedgerFixture.sol";
import {Trees} from "./Trees.sol";

/// @dev Fuzzed batches: what is in them verifies, and nothing else does.
contract ProofsTest is LedgerTest {
    IBillingLedger.Reason private constant OK = IBillingLedger.Reason.Ok;

    function testFuzz_EveryRecordVerifies(uint256 seed) public {
        Bill memory bill = _randomBill(seed);
        for (uint256 i = 0; i < bill.records.length; ++i) {
            assertReason(verifyRecord(bill, i), OK, "record");
        }
    }

    /// @dev Each field of a record, of its statement and of its batch, changed once.
    function testFuzz_NoChangedRecordVerifies(uint256 seed, uint256 field, uint256 flip) public {
        Bill memory bill = _randomBill(seed);
        uint256 index = seed % bill.records.length;
        bytes32[] memory proof = Trees.proof(bill.recordLeaves, index);
        bytes32[] memory path = entryProof(bill);
        bytes32 next = nextOf(bill);
        field = field % 21;
        uint256 other = bound(flip, 1, 100);
        if (field < 11) _changeRecord(bill.records[index], field, other);
        else if (field < 16) _changeTerms(bill.terms, field - 11, other);
        else if (field == 16) next = _flip(next, other);
        else if (field == 17 && proof.length > 0) proof[flip % proof.length] ^= bytes32(other);
        else if (field == 18 && path.length > 0) path[flip % path.length] ^= bytes32(other);
        else if (field == 19) bill.key = _anotherBatch(bill);
        else bill.terms.account = next ^ bytes32(other);
        IBillingLedger.Reason reason = ledger.verifyRecord(bill.key, bill.terms, next, bill.records[index], proof, path);
        assertTrue(reason != OK, "a changed record verified");
    }

    function testFuzz_RecordsVerifyTogether(uint256 seed, uint256 mask) public {
        Bill memory bill = _randomBill(seed);
        (IBillingLedger.CallRecord[] memory chosen, bool[] memory marks) = _choose(bill, mask);
        if (chosen.length == 0) return;
        (bytes32[] memory nodes, bool[] memory flags) = Trees.multiproof(bill.recordLeaves, marks);
        bytes32[] memory path = entryProof(bill);
        assertReason(
            ledger.verifyRecords(bill.key, bill.terms, nextOf(bill), chosen, nodes, flags, path), OK, "all of them"
        );
        chosen[mask % chosen.length].amount ^= 1;
        assertReason(
            ledger.verifyRecords(bill.key, bill.terms, nextOf(bill), chosen, nodes, flags, path),
            IBillingLedger.Reason.RootMismatch,
            "one amount changed"
        );
    }

    /// @dev Any lengths and flags at all: an answer, never a revert. Without nodes from the tree only the
    /// whole statement verifies.
    function testFuzz_MultiproofNeverReverts(uint256 seed, uint8 nodes, uint256 flagBits, uint8 flagCount) public {
        Bill memory bill = _randomBill(seed);
        (IBillingLedger.CallRecord[] memory chosen,) = _choose(bill, seed >> 8);
        bytes32[] memory proof = new bytes32[](nodes % 12);
        bool[] memory flags = new bool[](flagCount % 16);
        for (uint256 i = 0; i < flags.length; ++i) {
            flags[i] = flagBits >> i & 1 == 1;
        }
        IBillingLedger.Reason reason =
            ledger.verifyRecords(bill.key, bill.terms, nextOf(bill), chosen, proof, flags, entryProof(bill));
        assertTrue(reason != OK || chosen.length == bill.records.length, "made-up multiproof verified");
    }

    function testFuzz_StatementVerifiesWithItsTotalOnly(uint256 seed, int128 total) public {
        Bill memory bill = _randomBill(seed);
        bytes32[] memory path = entryProof(bill);
        assertReason(ledger.verifyStatement(bill.key, bill.opening, nextOf(bill), path), OK, "statement");
        if (total == bill.opening.total) return;
        bill.opening.total = total;
        assertReason(
            ledger.verifyStatement(bill.key, bill.opening, nextOf(bill), path),
            IBillingLedger.Reason.RootMismatch,
            "another total"
        );
    }

    /// @dev An honest ring: every entry's gap shows absent exactly the keys that no entry holds.
    function testFuzz_AbsenceIsShownOfAbsentKeysOnly(uint256 seed, bytes32 key) public {
        Bill memory bill = _randomBill(seed);
        bool present = seed & 1 == 0;
        if (present) key = bill.entries[seed % bill.entries.length].account;
        uint256 shown = 0;
        for (uint256 i = 0; i < bill.entries.length; ++i) {
            bytes32[] memory path = Trees.proof(bill.entryLeaves, i);
            IBillingLedger.Reason reason = ledger.verifyAbsence(bill.key, key, bill.entries[i], path);
            assertTrue(reason == OK || reason == IBillingLedger.Reason.NotAbsent, "reason");
            if (reason == OK) ++shown;
        }
        for (uint256 i = 0; i < bill.entries.length; ++i) {
            if (bill.entries[i].account == key) present = true;
        }
        assertEq(shown, present ? 0 : 1, "entries that show the key absent");
    }

    /// @dev No two entries of an honest ring can be made into a fault, nor one shown twice.
    function testFuzz_HonestRingCannotBeFlagged(uint256 seed, uint256 a, uint256 b) public {
        Bill memory bill = _randomBill(seed);
        a = a % bill.entries.length;
        b = b % bill.entries.length;
        vm.expectRevert(IBillingLedger.BillingLedgerNoRingFault.selector);
        ledger.proveRingFault(
            bill.key,
            bill.entries[a],
            Trees.proof(bill.entryLeaves, a),
            bill.entries[b],
            Trees.proof(bill.entryLeaves, b)
        );
    }

    /// @dev A ring that hides one of its accounts: the gap over it is shown on-chain and absence is over.
    function testFuzz_HiddenAccountIsAFault(uint256 seed) public {
        uint256 accounts = bound(seed, 2, 9);
        IBillingLedger.AccountEntry[] memory entries = makeRing(accounts, seed);
        uint256 hidden = seed % accounts;
        uint256 before = (hidden + accounts - 1) % accounts;
        entries[before].nextAccount = entries[hidden].nextAccount;
        bytes32[] memory leaves = entryLeavesOf(entries);
        IBillingLedger.BatchKey memory key = freshKey();
        anchorRoot(key, Trees.root(leaves));
        bytes32[] memory path = Trees.proof(leaves, before);
        bytes32 account = entries[hidden].account;
        assertReason(ledger.verifyAbsence(key, account, entries[before], path), OK, "the lie");
        ledger.proveRingFault(key, entries[before], path, entries[hidden], Trees.proof(leaves, hidden));
        assertReason(
            ledger.verifyAbsence(key, account, entries[before], path), IBillingLedger.Reason.RingFault, "flagged"
        );
    }

    function _randomBill(uint256 seed) private returns (Bill memory) {
        uint256 accounts = bound(seed >> 16, 1, 12);
        uint32 records = uint32(bound(seed >> 32, 1, 12));
        return anchoredBill(accounts, (seed >> 48) % accounts, records, seed);
    }

    /// @dev The batch's sibling: same accounts and statements' hashes, another sequence.
    function _anotherBatch(Bill memory bill) private returns (IBillingLedger.BatchKey memory key) {
        key = IBillingLedger.BatchKey(bill.key.operatorId, bill.key.period, bill.key.region, 2);
        anchorRoot(key, bill.root);
    }

    function _choose(Bill memory bill, uint256 mask)
        private
        pure
        returns (IBillingLedger.CallRecord[] memory chosen, bool[] memory marks)
    {
        marks = new bool[](bill.records.length);
        uint256 count = 0;
        for (uint256 i = 0; i < marks.length; ++i) {
            marks[i] = mask >> i & 1 == 1;
            if (marks[i]) ++count;
        }
        chosen = new IBillingLedger.CallRecord[](count);
        uint256 at = 0;
        for (uint256 i = 0; i < marks.length; ++i) {
            if (marks[i]) chosen[at++] = bill.records[i];
        }
    }

    function _changeRecord(IBillingLedger.CallRecord memory record, uint256 field, uint256 other) private pure {
        unchecked {
            // Any change will do, wrapped or not.
            if (field == 0) record.index += uint32(other);
            if (field == 1) record.service += uint8(other);
            if (field == 2) record.startedAt += uint64(other);
            if (field == 3) record.utcOffset = -record.utcOffset - int16(int256(other));
            if (field == 4) record.usage += uint64(other);
            if (field == 5) record.billedUsage += uint64(other);
            if (field == 6) record.peer = _flip(record.peer, other);
            if (field == 7) record.network ^= bytes8(uint64(other));
            if (field == 8) record.amount -= int128(int256(other));
            if (field == 9) record.rate = _flip(record.rate, other);
            if (field == 10) record.corrects = _flip(record.corrects, other);
        }
    }

    function _changeTerms(IBillingLedger.StatementTerms memory terms, uint256 field, uint256 other) private pure {
        if (field == 0) terms.account = _flip(terms.account, other);
        if (field == 1) terms.recordCount += uint32(other);
        if (field == 2) terms.currency ^= bytes3(uint24(other));
        if (field == 3) terms.tariff = _flip(terms.tariff, other);
        if (field == 4) terms.totals = _flip(terms.totals, other);
    }

    function _flip(bytes32 word, uint256 other) private pure returns (bytes32) {
        return word ^ bytes32(other);
    }
}
