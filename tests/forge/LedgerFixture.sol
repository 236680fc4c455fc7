// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BillingLedger} from "../../contracts/BillingLedger.sol";
import {HashesHarness} from "../../contracts/test/HashesHarness.sol";
import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {Base} from "./Base.sol";
import {Trees} from "./Trees.sol";

/// @dev A ledger with one operator, and batches of made-up bills to anchor in it.
abstract contract LedgerFixture is Base {
    uint64 internal constant OPERATOR = 1;
    uint32 internal constant PERIOD = 202_510;
    uint256 internal constant NOW = 1_761_955_200; // 2025-11-01T00:00:00Z
    address internal constant ADMIN = address(0xAD);
    address internal constant ANCHORER = address(0xA0);

    BillingLedger internal ledger;
    HashesHarness internal hashes;
    uint32 private _region;

    /// @dev A batch, with the statement of account number `target` opened.
    struct Bill {
        IBillingLedger.BatchKey key;
        bytes32 root;
        uint256 target;
        IBillingLedger.AccountEntry[] entries;
        bytes32[] entryLeaves;
        IBillingLedger.StatementTerms terms;
        IBillingLedger.StatementOpening opening;
        IBillingLedger.CallRecord[] records;
        bytes32[] recordLeaves;
    }

    function deployLedger() internal {
        vm.warp(NOW);
        vm.roll(1_000);
        ledger = new BillingLedger();
        hashes = new HashesHarness();
        vm.startPrank(ADMIN);
        ledger.registerOperator("Carrier", "carrier.example", "");
        ledger.grantAnchorer(OPERATOR, ANCHORER);
        vm.stopPrank();
    }

    /// @dev The key of a batch that nothing has anchored: a region of its own, sequence 1.
    function freshKey() internal returns (IBillingLedger.BatchKey memory) {
        return IBillingLedger.BatchKey(OPERATOR, PERIOD, ++_region, 1);
    }

    function anchorRoot(IBillingLedger.BatchKey memory key, bytes32 root) internal returns (bytes32) {
        vm.prank(ANCHORER);
        return ledger.anchor(key.operatorId, key.period, key.region, key.sequence, root, 0, 0);
    }

    /// @dev A batch of `accounts` statements, anchored; the target's statement has `records` records.
    function anchoredBill(uint256 accounts, uint256 target, uint32 records, uint256 seed)
        internal
        returns (Bill memory bill)
    {
        bill = makeBill(freshKey(), accounts, target, records, seed);
        anchorRoot(bill.key, bill.root);
    }

    function makeBill(
        IBillingLedger.BatchKey memory key,
        uint256 accounts,
        uint256 target,
        uint32 records,
        uint256 seed
    ) internal view returns (Bill memory bill) {
        bill.key = key;
        bill.target = target;
        bill.entries = makeRing(accounts, seed);
        _fillRecords(bill, records, seed);
        bytes32 account = bill.entries[target].account;
        int128 total = int128(int256(seed % 1e18)) - 5e17;
        bytes32 salt = keccak256(abi.encode(seed, "total salt"));
        bytes32 recordsRoot = Trees.root(bill.recordLeaves);
        bill.terms = IBillingLedger.StatementTerms(account, records, "EUR", 0, hashes.totals(total, salt));
        bill.opening = IBillingLedger.StatementOpening(account, recordsRoot, records, "EUR", 0, total, salt);
        bill.entries[target].statement = hashes.statement(ledger.batchIdOf(key), bill.terms, recordsRoot);
        bill.entryLeaves = entryLeavesOf(bill.entries);
        bill.root = Trees.root(bill.entryLeaves);
    }

    /// @dev Entries of an honest ring, their statements made up.
    function makeRing(uint256 accounts, uint256 seed)
        internal
        pure
        returns (IBillingLedger.AccountEntry[] memory entries)
    {
        entries = new IBillingLedger.AccountEntry[](accounts);
        uint256 step = type(uint256).max / (accounts + 1);
        for (uint256 i = 0; i < accounts; ++i) {
            uint256 jitter = uint256(keccak256(abi.encode(seed, i))) % (step / 2);
            entries[i].account = bytes32((i + 1) * step + jitter);
            entries[i].statement = keccak256(abi.encode(seed, i, "statement"));
        }
        for (uint256 i = 0; i < accounts; ++i) {
            entries[i].nextAccount = entries[(i + 1) % accounts].account;
        }
    }

    function entryLeavesOf(IBillingLedger.AccountEntry[] memory entries)
        internal
        view
        returns (bytes32[] memory leaves)
    {
        leaves = new bytes32[](entries.length);
        for (uint256 i = 0; i < entries.length; ++i) {
            leaves[i] = hashes.accountEntry(entries[i]);
        }
    }

    function entryProof(Bill memory bill) internal pure returns (bytes32[] memory) {
        return Trees.proof(bill.entryLeaves, bill.target);
    }

    function nextOf(Bill memory bill) internal pure returns (bytes32) {
        return bill.entries[bill.target].nextAccount;
    }

    function verifyRecord(Bill memory bill, uint256 index) internal view returns (IBillingLedger.Reason) {
        bytes32[] memory proof = Trees.proof(bill.recordLeaves, index);
        return ledger.verifyRecord(bill.key, bill.terms, nextOf(bill), bill.records[index], proof, entryProof(bill));
    }

    function assertReason(IBillingLedger.Reason actual, IBillingLedger.Reason expected, string memory what)
        internal
        pure
    {
        assertEq(uint256(actual), uint256(expected), what);
    }

    function _fillRecords(Bill memory bill, uint32 count, uint256 seed) private view {
        bill.records = new IBillingLedger.CallRecord[](count);
        bill.recordLeaves = new bytes32[](count);
        for (uint32 i = 0; i < count; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i, "record")));
            bill.records[i] = IBillingLedger.CallRecord({
                index: i,
                service: uint8(random % 9),
                startedAt: uint64(NOW - random % 2_000_000),
                utcOffset: int16(int256(random % 1_440) - 720),
                usage: uint64(random % 7_200),
                billedUsage: uint64(random % 7_200 + 60),
                peer: keccak256(abi.encode(random, "peer")),
                network: "262-01",
                amount: int128(int256(random % 2e12)) - 1e12,
                rate: keccak256("rate"),
                corrects: 0
            });
            bill.recordLeaves[i] = hashes.callRecord(bill.records[i]);
        }
    }
}

/// @dev The same as a test; handlers take the fixture alone, where forge may not call `setUp` as an action.
abstract contract LedgerTest is LedgerFixture {
    function setUp() public virtual {
        deployLedger();
    }
}
