// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BillingLedger} from "../../contracts/BillingLedger.sol";
import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {LedgerTest} from "./LedgerFixture.sol";
import {Trees} from "./Trees.sol";

/// @dev The on-chain rows of the table of known attacks in docs/protocol.md; signatures are in Signatures.t.sol.
contract AttacksTest is LedgerTest {
    IBillingLedger.Reason private constant OK = IBillingLedger.Reason.Ok;
    IBillingLedger.Reason private constant ROOT_MISMATCH = IBillingLedger.Reason.RootMismatch;
    IBillingLedger.Reason private constant PROOF_LENGTH = IBillingLedger.Reason.RecordProofLength;

    IBillingLedger.BatchKey private _key;

    function setUp() public override {
        super.setUp();
        _key = freshKey();
        anchorRoot(_key, _bill().root);
        assertReason(verifyRecord(_bill(), 2), OK, "the honest record");
    }

    function _bill() private view returns (Bill memory) {
        return makeBill(_key, 5, 3, 6, 42);
    }

    /// @dev The proof of an inner node is one shorter; as a leaf it would need fields that hash to it.
    function test_InnerNodeAsLeaf() public view {
        Bill memory b = _bill();
        bytes32[] memory full = Trees.proof(b.recordLeaves, 2);
        bytes32[] memory shorter = new bytes32[](full.length - 1);
        for (uint256 i = 0; i < shorter.length; ++i) {
            shorter[i] = full[i + 1];
        }
        assertReason(_verify(b, b.records[2], shorter), PROOF_LENGTH, "inner node");
        IBillingLedger.AccountEntry memory entry = IBillingLedger.AccountEntry(b.entryLeaves[0], b.entryLeaves[1], 0);
        assertReason(
            ledger.verifyAbsence(b.key, b.root, entry, new bytes32[](2)), ROOT_MISMATCH, "inner node of the batch"
        );
    }

    /// @dev A statement of one record whose "record" is an entry of the batch tree, and the other way round.
    function test_LeafOfAnotherType() public {
        Bill memory b = makeBill(freshKey(), 1, 0, 1, 7);
        anchorRoot(b.key, b.recordLeaves[0]); // the batch tree's only leaf is a record
        assertReason(verifyRecord(b, 0), ROOT_MISMATCH, "record as an entry");
        assertReason(ledger.verifyAbsence(b.key, 0, b.entries[0], new bytes32[](0)), ROOT_MISMATCH, "entry of a record");
        b = makeBill(freshKey(), 1, 0, 1, 8);
        anchorRoot(b.key, b.entries[0].statement); // a bare statement instead of an entry
        assertReason(
            ledger.verifyStatement(b.key, b.opening, nextOf(b), new bytes32[](0)), ROOT_MISMATCH, "bare statement"
        );
    }

    /// @dev CVE-2023-34459: a tree with the hash of an empty queue among its nodes let a multiproof name leaves
    /// that it never hashed. The forged shape: no leaf reaches the root, the root comes in as a proof node.
    function test_MultiproofForgery() public view {
        Bill memory b = _bill();
        IBillingLedger.CallRecord[] memory forged = new IBillingLedger.CallRecord[](2);
        forged[0] = b.records[0];
        forged[1] = b.records[1];
        forged[0].amount = -1;
        forged[1].amount = -1;
        bytes32[] memory nodes = new bytes32[](1);
        nodes[0] = Trees.root(b.recordLeaves);
        bool[] memory flags = new bool[](2);
        for (uint256 shape = 0; shape < 4; ++shape) {
            flags[0] = shape & 1 == 1;
            flags[1] = shape & 2 == 2;
            assertTrue(_verifyMany(b, forged, nodes, flags) != OK, "forged multiproof");
        }
    }

    function test_EmptySets() public view {
        Bill memory b = _bill();
        bytes32[] memory nodes = new bytes32[](1);
        nodes[0] = Trees.root(b.recordLeaves);
        IBillingLedger.Reason reason = _verifyMany(b, new IBillingLedger.CallRecord[](0), nodes, new bool[](0));
        assertReason(reason, IBillingLedger.Reason.EmptySet, "no records");
        b.terms.recordCount = 0;
        assertReason(verifyRecord(b, 0), IBillingLedger.Reason.EmptySet, "record count of zero");
        b.opening.recordCount = 0;
        assertReason(
            ledger.verifyStatement(b.key, b.opening, nextOf(b), entryProof(b)),
            IBillingLedger.Reason.EmptySet,
            "statement without records"
        );
    }

    /// @dev CVE-2012-2459: padding by repeating the last leaf makes two lists share a root. Six records and the
    /// same with the last repeated have different roots here, and the seventh index is refused.
    function test_DuplicatedLastLeaf() public view {
        Bill memory b = _bill();
        bytes32[] memory padded = new bytes32[](8);
        for (uint256 i = 0; i < 8; ++i) {
            padded[i] = b.recordLeaves[i < 6 ? i : 5];
        }
        assertTrue(Trees.root(padded) != Trees.root(b.recordLeaves), "padding keeps the root");
        IBillingLedger.CallRecord memory seventh = b.records[5];
        seventh.index = 6;
        assertReason(
            _verify(b, seventh, Trees.proof(b.recordLeaves, 5)), IBillingLedger.Reason.IndexOutOfRange, "seventh"
        );
    }

    function test_ChosenSizeOrIndex() public view {
        Bill memory b = _bill();
        b.terms.recordCount = 7;
        assertTrue(verifyRecord(b, 2) != OK, "more records than committed");
        b.terms.recordCount = 5;
        assertTrue(verifyRecord(b, 2) != OK, "fewer records than committed");
        b.terms.recordCount = 6;
        IBillingLedger.CallRecord memory moved = b.records[2];
        moved.index = 1;
        assertReason(_verify(b, moved, Trees.proof(b.recordLeaves, 2)), ROOT_MISMATCH, "another index");
        IBillingLedger.CallRecord[] memory twice = new IBillingLedger.CallRecord[](2);
        twice[0] = b.records[2];
        twice[1] = b.records[2];
        IBillingLedger.Reason reason = _verifyMany(b, twice, new bytes32[](3), new bool[](4));
        assertReason(reason, IBillingLedger.Reason.IndexOutOfRange, "the same record twice");
    }

    function test_LongProofs() public view {
        Bill memory b = _bill();
        bytes32[] memory long = new bytes32[](41);
        assertReason(
            ledger.verifyStatement(b.key, b.opening, nextOf(b), long),
            IBillingLedger.Reason.EntryProofLength,
            "entry proof of 41"
        );
        assertReason(_verify(b, b.records[2], long), PROOF_LENGTH, "record proof of 41");
    }

    function test_ZeroRoot() public {
        IBillingLedger.BatchKey memory key = freshKey();
        vm.prank(ANCHORER);
        vm.expectRevert(IBillingLedger.BillingLedgerZeroRoot.selector);
        ledger.anchor(OPERATOR, PERIOD, key.region, 1, 0, 0, 0);
    }

    /// @dev A batch that is not there answers so, whatever else is wrong.
    function test_MissingBatch() public view {
        Bill memory b = _bill();
        IBillingLedger.Reason missing = IBillingLedger.Reason.NotAnchored;
        b.key.sequence = 2;
        assertReason(verifyRecord(b, 2), missing, "record");
        assertReason(ledger.verifyStatement(b.key, b.opening, nextOf(b), entryProof(b)), missing, "statement");
        assertReason(ledger.verifyAbsence(b.key, 0, b.entries[0], new bytes32[](41)), missing, "absence");
        b.terms.recordCount = 0;
        assertReason(verifyRecord(b, 2), missing, "record, count of zero");
        assertReason(
            _verifyMany(b, new IBillingLedger.CallRecord[](0), new bytes32[](0), new bool[](0)), missing, "records"
        );
    }

    function test_ForgedAbsence() public view {
        Bill memory b = _bill();
        bytes32 present = b.entries[3].account;
        IBillingLedger.AccountEntry memory before = b.entries[2];
        bytes32[] memory beforePath = Trees.proof(b.entryLeaves, 2);
        assertReason(
            ledger.verifyAbsence(b.key, present, before, beforePath),
            IBillingLedger.Reason.NotAbsent,
            "the key that ends the gap"
        );
        assertReason(
            ledger.verifyAbsence(b.key, before.account, before, beforePath),
            IBillingLedger.Reason.NotAbsent,
            "the key that starts the gap"
        );
        before.nextAccount = b.entries[4].account;
        assertReason(
            ledger.verifyAbsence(b.key, present, before, beforePath), ROOT_MISMATCH, "a gap that was not anchored"
        );
    }

    /// @dev The statement of one batch shown in another whose root was copied, in every part of the key.
    function test_ReplayInAnotherBatch() public {
        vm.prank(ADMIN);
        ledger.registerOperator("Other", "other.example", "");
        vm.prank(ADMIN);
        ledger.grantAnchorer(2, ANCHORER);
        Bill memory b = _bill();
        IBillingLedger.BatchKey[4] memory elsewhere = [
            IBillingLedger.BatchKey(2, b.key.period, b.key.region, 1),
            IBillingLedger.BatchKey(OPERATOR, 202_509, b.key.region, 1),
            IBillingLedger.BatchKey(OPERATOR, b.key.period, 77, 1),
            IBillingLedger.BatchKey(OPERATOR, b.key.period, b.key.region, 2)
        ];
        for (uint256 i = 0; i < elsewhere.length; ++i) {
            b.key = elsewhere[i];
            anchorRoot(b.key, b.root);
            assertReason(verifyRecord(b, 2), ROOT_MISMATCH, "replayed record");
            assertReason(
                ledger.verifyStatement(b.key, b.opening, nextOf(b), entryProof(b)), ROOT_MISMATCH, "replayed statement"
            );
        }
    }

    function test_ReplayOnAnotherLedgerOrChain() public {
        Bill memory b = _bill();
        bytes32 here = ledger.batchIdOf(b.key);
        BillingLedger first = ledger;
        BillingLedger second = new BillingLedger();
        second.registerOperator("Carrier", "carrier.example", "");
        second.grantAnchorer(OPERATOR, address(this));
        second.anchor(OPERATOR, b.key.period, b.key.region, 1, b.root, 0, 0);
        ledger = second;
        assertReason(verifyRecord(b, 2), ROOT_MISMATCH, "another ledger");
        assertTrue(second.batchIdOf(b.key) != here, "batch ids of two ledgers");
        ledger = first;
        vm.chainId(block.chainid + 1);
        assertTrue(ledger.batchIdOf(b.key) != here, "batch ids of two chains");
        assertReason(verifyRecord(b, 2), IBillingLedger.Reason.NotAnchored, "after a fork of the chain");
        anchorRoot(b.key, b.root);
        assertReason(verifyRecord(b, 2), ROOT_MISMATCH, "another chain");
    }

    /// @dev Two statements under one key, and a gap over a key of the batch; the same entry twice is neither.
    function test_DuplicateAccountsAreAFault() public {
        IBillingLedger.AccountEntry[] memory entries = makeRing(4, 5);
        entries[2].account = entries[1].account;
        bytes32[] memory leaves = entryLeavesOf(entries);
        IBillingLedger.BatchKey memory key = freshKey();
        anchorRoot(key, Trees.root(leaves));
        bytes32[] memory one = Trees.proof(leaves, 1);
        bytes32[] memory two = Trees.proof(leaves, 2);
        vm.expectRevert(IBillingLedger.BillingLedgerNoRingFault.selector);
        ledger.proveRingFault(key, entries[1], one, entries[1], one);
        vm.expectRevert(IBillingLedger.BillingLedgerNoRingFault.selector);
        ledger.proveRingFault(key, entries[1], two, entries[2], one);
        ledger.proveRingFault(key, entries[1], one, entries[2], two);
        assertTrue(ledger.getBatch(key).ringFault, "flag");
        bytes32 batchId = ledger.batchIdOf(key);
        vm.expectRevert(abi.encodeWithSelector(IBillingLedger.BillingLedgerAlreadyFlagged.selector, batchId));
        ledger.proveRingFault(key, entries[1], one, entries[2], two);
    }

    function test_RingOfOneCannotBeFlagged() public {
        Bill memory b = anchoredBill(1, 0, 1, 9);
        bytes32[] memory none = new bytes32[](0);
        vm.expectRevert(IBillingLedger.BillingLedgerNoRingFault.selector);
        ledger.proveRingFault(b.key, b.entries[0], none, b.entries[0], none);
        IBillingLedger.AccountEntry memory invented = IBillingLedger.AccountEntry(bytes32(uint256(1)), 0, 0);
        vm.expectRevert(IBillingLedger.BillingLedgerNoRingFault.selector);
        ledger.proveRingFault(b.key, b.entries[0], none, invented, none);
        assertReason(ledger.verifyAbsence(b.key, 0, b.entries[0], none), OK, "everybody else is absent");
    }

    /// @dev Bits outside a field's type are refused, and negative amounts are hashed as such.
    function test_OverflowAndSign() public {
        Bill memory b = anchoredBill(1, 0, 1, 10);
        bytes memory call = abi.encodeCall(
            ledger.verifyRecord, (b.key, b.terms, nextOf(b), b.records[0], new bytes32[](0), new bytes32[](0))
        );
        assertTrue(_accepted(call), "the untouched call");
        uint256 amountAt = 4 + 32 * (4 + 5 + 1 + 8);
        assertEq(_word(call, amountAt), uint256(int256(b.records[0].amount)), "where the amount is");
        call[amountAt + 15] = call[amountAt + 15] == 0 ? bytes1(uint8(1)) : bytes1(0); // the last byte above 128 bits
        (bool ok,) = address(ledger).staticcall(call);
        assertTrue(!ok, "an amount beyond int128");
        b.records[0].amount = type(int128).min;
        assertReason(verifyRecord(b, 0), ROOT_MISMATCH, "smallest amount");
        b.records[0].amount = type(int128).max;
        assertReason(verifyRecord(b, 0), ROOT_MISMATCH, "largest amount");
    }

    function _accepted(bytes memory call) private view returns (bool) {
        (bool ok, bytes memory answer) = address(ledger).staticcall(call);
        return ok && abi.decode(answer, (uint256)) == uint256(OK);
    }

    function _word(bytes memory from, uint256 at) private pure returns (uint256 word) {
        for (uint256 i = 0; i < 32; ++i) {
            word = word << 8 | uint8(from[at + i]);
        }
    }

    function _verify(Bill memory b, IBillingLedger.CallRecord memory record, bytes32[] memory proof)
        private
        view
        returns (IBillingLedger.Reason)
    {
        return ledger.verifyRecord(b.key, b.terms, nextOf(b), record, proof, entryProof(b));
    }

    function _verifyMany(
        Bill memory b,
        IBillingLedger.CallRecord[] memory records,
        bytes32[] memory nodes,
        bool[] memory flags
    ) private view returns (IBillingLedger.Reason) {
        return ledger.verifyRecords(b.key, b.terms, nextOf(b), records, nodes, flags, entryProof(b));
    }
}
