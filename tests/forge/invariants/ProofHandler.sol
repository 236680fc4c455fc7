// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBillingLedger} from "../../../interfaces/IBillingLedger.sol";
import {LedgerFixture} from "../LedgerFixture.sol";
import {Trees} from "../Trees.sol";

/// @dev Anchors honest and dishonest rings, tries every way to prove what is not so, and tries to flag them.
contract ProofHandler is LedgerFixture {
    struct Ring {
        IBillingLedger.BatchKey key;
        uint256 accounts;
        uint256 seed;
        uint256 hidden; // the account that the entry before it skips; `accounts` for none
        bool flagged;
    }

    Ring[] private _rings;
    uint256 public falseRecords; // proofs of records that are not in the batch
    uint256 public falseAbsences; // of present accounts that the ring does not hide, or is flagged for hiding
    uint256 public falseFlags; // honest rings flagged

    constructor() {
        deployLedger();
    }

    function ringCount() external view returns (uint256) {
        return _rings.length;
    }

    function ringAt(uint256 at) external view returns (Ring memory) {
        return _rings[at];
    }

    function anchorRing(uint256 seed, uint8 size, bool honest) external {
        uint256 accounts = bound(size, 1, 6);
        uint256 hidden = honest || accounts == 1 ? accounts : seed % accounts;
        Ring memory ring = Ring(freshKey(), accounts, seed, hidden, false);
        anchorRoot(ring.key, Trees.root(entryLeavesOf(_entries(ring))));
        _rings.push(ring);
    }

    function proveFault(uint256 which, uint256 a, uint256 b) external {
        if (_rings.length == 0) return;
        Ring storage ring = _rings[which % _rings.length];
        IBillingLedger.AccountEntry[] memory entries = _entries(ring);
        bytes32[] memory leaves = entryLeavesOf(entries);
        (a, b) = (a % entries.length, b % entries.length);
        try ledger.proveRingFault(ring.key, entries[a], Trees.proof(leaves, a), entries[b], Trees.proof(leaves, b)) {
            if (ring.hidden == ring.accounts) ++falseFlags;
            ring.flagged = true;
        } catch {}
    }

    /// @dev Any entry of any ring as evidence that a present account is absent.
    function claimAbsence(uint256 which, uint256 entry, uint256 present) external {
        if (_rings.length == 0) return;
        Ring memory ring = _rings[which % _rings.length];
        IBillingLedger.AccountEntry[] memory entries = _entries(ring);
        (entry, present) = (entry % entries.length, present % entries.length);
        bytes32[] memory path = Trees.proof(entryLeavesOf(entries), entry);
        bytes32 account = entries[present].account;
        IBillingLedger.Reason reason = ledger.verifyAbsence(ring.key, account, entries[entry], path);
        bool hidesIt = present == ring.hidden && !ring.flagged;
        if (reason == IBillingLedger.Reason.Ok && !hidesIt) ++falseAbsences;
    }

    /// @dev A record of another bill, proved with anything at hand in a batch that does not hold it.
    function claimRecord(uint256 which, uint256 seed, uint8 size) external {
        if (_rings.length == 0) return;
        Ring memory ring = _rings[which % _rings.length];
        IBillingLedger.AccountEntry[] memory entries = _entries(ring);
        uint32 records = uint32(bound(size, 1, 5));
        Bill memory bill = makeBill(ring.key, entries.length, seed % entries.length, records, seed);
        bill.terms.account = entries[bill.target].account;
        bytes32[] memory path = Trees.proof(entryLeavesOf(entries), bill.target);
        for (uint256 i = 0; i < records; ++i) {
            bytes32[] memory proof = Trees.proof(bill.recordLeaves, i);
            bytes32 next = entries[bill.target].nextAccount;
            IBillingLedger.Reason reason = ledger.verifyRecord(ring.key, bill.terms, next, bill.records[i], proof, path);
            if (reason == IBillingLedger.Reason.Ok) ++falseRecords;
        }
    }

    function _entries(Ring memory ring) private pure returns (IBillingLedger.AccountEntry[] memory entries) {
        entries = makeRing(ring.accounts, ring.seed);
        if (ring.hidden == ring.accounts) return entries;
        uint256 before = (ring.hidden + ring.accounts - 1) % ring.accounts;
        entries[before].nextAccount = entries[ring.hidden].nextAccount;
    }
}
