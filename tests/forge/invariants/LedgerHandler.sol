// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BillingLedger} from "../../../contracts/BillingLedger.sol";
import {IBillingLedger} from "../../../interfaces/IBillingLedger.sol";
import {Base} from "../Base.sol";

/// @dev Drives a ledger with few operators, periods, regions and actors, so that calls collide often, and keeps
/// beside it what the rules of docs/protocol.md say must be there. Every call's success is predicted from that
/// model alone.
contract LedgerHandler is Base {
    uint64 public constant OPERATORS = 2;
    uint32 public constant REGIONS = 2;
    uint32[3] public PERIODS = [202_509, 202_510, 202_511];
    uint256 private constant OCTOBER = 1_759_276_800; // 2025-10-01T00:00:00Z
    uint256 private constant NOVEMBER = 1_761_955_200;

    struct GhostBatch {
        IBillingLedger.BatchKey key;
        IBillingLedger.Batch stored;
        bool afterSeal;
    }

    struct GhostPeriod {
        uint32 batches;
        uint32 sealedBatches;
        uint64 sealedAt;
    }

    BillingLedger public immutable ledger;
    address[4] public actors = [address(0xA1), address(0xA2), address(0xA3), address(0xA4)];
    uint256 public wrongPredictions;
    uint256 public anchored;

    mapping(uint64 operatorId => bytes32) public heads;
    mapping(uint64 operatorId => mapping(address actor => bool)) public holds;
    mapping(uint64 operatorId => mapping(uint32 period => GhostPeriod)) public periods;
    mapping(uint64 operatorId => mapping(uint32 period => mapping(uint32 region => uint32))) public sequences;
    GhostBatch[] private _batches;

    constructor(BillingLedger ledger_) {
        ledger = ledger_;
        vm.warp(OCTOBER + 1 days);
        for (uint64 id = 1; id <= OPERATORS; ++id) {
            ledger_.registerOperator("Carrier", "", "");
            heads[id] = keccak256(abi.encode(ledger_.domainSeparator(), id));
        }
    }

    function batchCount() external view returns (uint256) {
        return _batches.length;
    }

    function batchAt(uint256 at) external view returns (GhostBatch memory) {
        return _batches[at];
    }

    // --- actions -----------------------------------------------------------------------------------

    function passTime(uint256 seconds_, uint256 blocks) external {
        vm.warp(block.timestamp + bound(seconds_, 1, 5 days));
        vm.roll(block.number + bound(blocks, 1, 50));
    }

    function grant(uint256 operator, uint256 actor) external {
        (uint64 id, address who) = (_operator(operator), actors[actor % 4]);
        ledger.grantAnchorer(id, who);
        holds[id][who] = true;
    }

    function revoke(uint256 operator, uint256 actor) external {
        (uint64 id, address who) = (_operator(operator), actors[actor % 4]);
        ledger.revokeAnchorer(id, who);
        holds[id][who] = false;
    }

    /// @dev Mostly the right sequence and a batch that is there to amend, sometimes near misses.
    function anchor(uint256 operator, uint256 actor, uint256 where, uint256 miss, bytes32 root) external {
        uint64 id = _operator(operator);
        IBillingLedger.BatchAnchor memory batch = _draw(id, where, miss, root);
        bool expected = _mayAnchor(id, actors[actor % 4], batch);
        vm.prank(actors[actor % 4]);
        try ledger.anchor(
            id, batch.period, batch.region, batch.expectedSequence, batch.root, batch.manifestHash, batch.amends
        ) {
            if (!expected) ++wrongPredictions;
            _record(id, batch);
        } catch {
            if (expected) ++wrongPredictions;
        }
    }

    /// @dev Two batches in one transaction, the second following the first in any period and region.
    function anchorTwo(uint256 operator, uint256 actor, uint256 where, bytes32 root) external {
        uint64 id = _operator(operator);
        address who = actors[actor % 4];
        IBillingLedger.BatchAnchor[] memory pair = new IBillingLedger.BatchAnchor[](2);
        pair[0] = _draw(id, where, 1, root);
        pair[1] = _draw(id, where >> 8, 1, ~root);
        if (pair[0].period == pair[1].period && pair[0].region == pair[1].region) ++pair[1].expectedSequence;
        bool expected = _mayAnchor(id, who, pair[0]);
        bytes32 headBefore = heads[id];
        vm.prank(who);
        try ledger.anchorMany(id, pair) {
            if (!expected) ++wrongPredictions;
            _record(id, pair[0]);
            if (!_mayAnchor(id, who, pair[1])) ++wrongPredictions;
            _record(id, pair[1]);
        } catch {
            if (expected && _mayAnchorNext(id, who, pair)) ++wrongPredictions;
            if (ledger.headOf(id) != headBefore) ++wrongPredictions;
        }
    }

    function sealPeriod(uint256 operator, uint256 which, uint256 miss) external {
        uint64 id = _operator(operator);
        if (miss % 4 != 0) return; // rarely, or nothing but amendments would be left to anchor
        uint32 period = PERIODS[which % 3];
        GhostPeriod storage ghost = periods[id][period];
        uint32 count = miss % 8 == 0 ? ghost.batches : ghost.batches + 1;
        bool expected = count == ghost.batches && ghost.sealedAt == 0 && _begun(period);
        try ledger.seal(id, period, heads[id], count) {
            if (!expected) ++wrongPredictions;
            (ghost.sealedBatches, ghost.sealedAt) = (count, uint64(block.timestamp));
        } catch {
            if (expected) ++wrongPredictions;
        }
    }

    function repudiate(uint256 which) external {
        if (_batches.length == 0) return;
        GhostBatch storage ghost = _batches[which % _batches.length];
        bool expected = !ghost.stored.repudiated;
        try ledger.repudiate(ghost.key) {
            if (!expected) ++wrongPredictions;
            ghost.stored.repudiated = true;
        } catch {
            if (expected) ++wrongPredictions;
        }
    }

    // --- the model ---------------------------------------------------------------------------------

    function _draw(uint64 id, uint256 where, uint256 miss, bytes32 root)
        private
        view
        returns (IBillingLedger.BatchAnchor memory)
    {
        uint32 period = PERIODS[where % 3];
        uint32 region = uint32(where / 3 % REGIONS);
        uint32 sequence = sequences[id][period][region] + 1;
        if (miss % 8 == 0) sequence = uint32(miss / 8 % (sequence + 2));
        uint32 amends = where / 6 % 3 == 0 ? uint32(where / 18 % (sequence + 1)) : 0;
        if (miss % 16 == 3) root = 0;
        if (miss % 16 == 5) period = 0;
        return IBillingLedger.BatchAnchor(period, region, sequence, root, keccak256(abi.encode(root)), amends);
    }

    function _mayAnchor(uint64 id, address who, IBillingLedger.BatchAnchor memory batch) private view returns (bool) {
        uint32 last = sequences[id][batch.period][batch.region];
        bool isOpen = periods[id][batch.period].sealedAt == 0 || batch.amends != 0;
        return holds[id][who] && batch.root != 0 && batch.expectedSequence == last + 1 && batch.amends <= last
            && _begun(batch.period) && isOpen;
    }

    /// @dev Whether the second of a pair may follow the first, without having recorded the first.
    function _mayAnchorNext(uint64 id, address who, IBillingLedger.BatchAnchor[] memory pair)
        private
        view
        returns (bool)
    {
        IBillingLedger.BatchAnchor memory b = pair[1];
        bool same = b.period == pair[0].period && b.region == pair[0].region;
        uint32 last = sequences[id][b.period][b.region] + (same ? 1 : 0);
        bool isOpen = periods[id][b.period].sealedAt == 0 || b.amends != 0;
        return holds[id][who] && b.root != 0 && b.expectedSequence == last + 1 && b.amends <= last && _begun(b.period)
            && isOpen;
    }

    function _record(uint64 id, IBillingLedger.BatchAnchor memory batch) private {
        GhostBatch storage ghost = _batches.push();
        ghost.key = IBillingLedger.BatchKey(id, batch.period, batch.region, batch.expectedSequence);
        ghost.stored =
            IBillingLedger.Batch(batch.root, uint64(block.timestamp), uint64(block.number), batch.amends, false, false);
        ghost.afterSeal = periods[id][batch.period].sealedAt != 0;
        ++sequences[id][batch.period][batch.region];
        ++periods[id][batch.period].batches;
        ++anchored;
        bytes32 batchId = ledger.batchIdOf(ghost.key);
        heads[id] = keccak256(abi.encode(heads[id], batchId, batch.root, batch.manifestHash, batch.amends));
    }

    function _begun(uint32 period) private view returns (bool) {
        if (period == 0) return false; // no month
        return period == 202_509 || (period == 202_510 && block.timestamp >= OCTOBER) || block.timestamp >= NOVEMBER;
    }

    function _operator(uint256 operator) private pure returns (uint64) {
        return uint64(operator % OPERATORS) + 1;
    }
}
