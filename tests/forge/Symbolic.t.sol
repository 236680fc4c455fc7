// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BillingLedger} from "../../contracts/BillingLedger.sol";
import {HashesHarness} from "../../contracts/test/HashesHarness.sol";
import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {Base} from "./Base.sol";

/// @dev Properties for halmos, which runs each `check_` with every input at once, Keccak taken as free of
/// collisions. forge does not run them.
contract SymbolicTest is Base {
    uint32 private constant PERIOD = 202_510;
    HashesHarness private hashes;
    BillingLedger private ledger;

    function setUp() public {
        vm.warp(1_761_955_200);
        hashes = new HashesHarness();
        ledger = new BillingLedger();
        ledger.registerOperator("Carrier", "", "");
        ledger.grantAnchorer(1, address(this));
    }

    /// @dev Equal hashes, equal fields: none is left out of the preimage or cut short.
    function check_RecordHashBindsEveryField(IBillingLedger.CallRecord calldata a, IBillingLedger.CallRecord calldata b)
        external
        view
    {
        if (hashes.callRecord(a) != hashes.callRecord(b)) return;
        assert(a.index == b.index && a.service == b.service && a.startedAt == b.startedAt);
        assert(a.utcOffset == b.utcOffset && a.usage == b.usage && a.billedUsage == b.billedUsage);
        assert(a.peer == b.peer && a.network == b.network && a.amount == b.amount);
        assert(a.rate == b.rate && a.corrects == b.corrects);
    }

    function check_StatementHashBindsEveryField(
        bytes32 batchA,
        IBillingLedger.StatementTerms calldata a,
        bytes32 rootA,
        bytes32 batchB,
        IBillingLedger.StatementTerms calldata b,
        bytes32 rootB
    ) external view {
        if (hashes.statement(batchA, a, rootA) != hashes.statement(batchB, b, rootB)) return;
        assert(batchA == batchB && rootA == rootB && a.account == b.account && a.recordCount == b.recordCount);
        assert(a.currency == b.currency && a.tariff == b.tariff && a.totals == b.totals);
    }

    function check_BatchIdBindsEveryField(
        uint256 chainA,
        address ledgerA,
        IBillingLedger.BatchKey calldata a,
        uint256 chainB,
        address ledgerB,
        IBillingLedger.BatchKey calldata b
    ) external view {
        if (hashes.batchId(chainA, ledgerA, a) != hashes.batchId(chainB, ledgerB, b)) return;
        assert(chainA == chainB && ledgerA == ledgerB && a.operatorId == b.operatorId);
        assert(a.period == b.period && a.region == b.region && a.sequence == b.sequence);
    }

    /// @dev No leaf is the hash of two nodes, and no leaf of one tree is a leaf of the other.
    function check_LeavesNodesAndTypesAreApart(
        IBillingLedger.CallRecord calldata record,
        IBillingLedger.AccountEntry calldata entry,
        bytes32 left,
        bytes32 right
    ) external view {
        bytes32 node = keccak256(abi.encode(left, right));
        assert(hashes.callRecord(record) != node && hashes.accountEntry(entry) != node);
        assert(hashes.callRecord(record) != hashes.accountEntry(entry));
    }

    /// @dev After the first batch of any region: the next sequence of a region is taken, no other, and an
    /// amendment names the batch that is there. (Batches of `setUp` would be stored under concrete hashes, which
    /// halmos does not identify with those of symbolic keys.)
    function check_OnlyTheNextSequence(uint32 first, uint32 region, uint32 sequence, bytes32 root, uint32 amends)
        external
    {
        ledger.anchor(1, PERIOD, first, 1, keccak256("first"), 0, 0);
        uint32 last = region == first ? 1 : 0;
        bool expected = sequence == last + 1 && root != 0 && amends <= last;
        try ledger.anchor(1, PERIOD, region, sequence, root, 0, amends) {
            assert(expected);
        } catch {
            assert(!expected);
        }
    }

    /// @dev Whoever sends it: without the right nothing is anchored.
    function check_OnlyHoldersAnchor(address sender, uint32 region, uint32 sequence, bytes32 root) external {
        if (sender == address(this)) return;
        vm.prank(sender);
        try ledger.anchor(1, PERIOD, region, sequence, root, 0, 0) {
            assert(false);
        } catch {}
    }

    /// @dev No account of an honest ring of three lies in the gap of an entry, so none can be flagged.
    function check_HonestEntriesDoNotConflict(bytes32 a, bytes32 b, bytes32 c) external view {
        if (!(a < b && b < c)) return;
        assert(!_conflict(a, b, b, c));
        assert(!_conflict(b, c, c, a));
        assert(!_conflict(c, a, a, b));
    }

    function _conflict(bytes32 account, bytes32 next, bytes32 otherAccount, bytes32 otherNext)
        private
        view
        returns (bool)
    {
        return hashes.inGap(IBillingLedger.AccountEntry(account, next, 0), otherAccount)
            || hashes.inGap(IBillingLedger.AccountEntry(otherAccount, otherNext, 0), account);
    }
}
