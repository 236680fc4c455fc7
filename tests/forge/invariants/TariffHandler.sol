// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BillingLedger} from "../../../contracts/BillingLedger.sol";
import {TariffBook} from "../../../contracts/TariffBook.sol";
import {ITariffBook} from "../../../interfaces/ITariffBook.sol";
import {Base} from "../Base.sol";

/// @dev Drives a book with few operators, hashes and actors, whose rights come and go on the ledger meanwhile, and
/// keeps beside it what must be there. Every call's success is predicted from that model alone.
contract TariffHandler is Base {
    uint64 public constant OPERATORS = 2;
    uint256 public constant HASHES = 5;

    BillingLedger public immutable ledger;
    TariffBook public immutable book;
    address[3] public actors = [address(0xA1), address(0xA2), address(0xA3)];
    uint256 public wrongPredictions;

    mapping(uint64 operatorId => address) public admins;
    mapping(uint64 operatorId => mapping(address actor => bool)) public holds;
    mapping(uint64 operatorId => mapping(bytes32 hash => ITariffBook.Tariff)) private _tariffs;
    mapping(uint64 operatorId => bytes32[]) private _order;

    constructor(BillingLedger ledger_, TariffBook book_) {
        (ledger, book) = (ledger_, book_);
        vm.warp(1_761_955_200);
        for (uint64 id = 1; id <= OPERATORS; ++id) {
            vm.prank(actors[id]);
            ledger_.registerOperator("Carrier", "", "");
            admins[id] = actors[id];
        }
    }

    function tariffOf(uint64 operatorId, bytes32 hash) external view returns (ITariffBook.Tariff memory) {
        return _tariffs[operatorId][hash];
    }

    function orderOf(uint64 operatorId) external view returns (bytes32[] memory) {
        return _order[operatorId];
    }

    function hashAt(uint256 which) public pure returns (bytes32) {
        return which % HASHES == 0 ? bytes32(0) : keccak256(abi.encode(which % HASHES));
    }

    // --- actions -----------------------------------------------------------------------------------

    function passTime(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1, 5 days));
    }

    function grant(uint256 operator, uint256 actor) external {
        (uint64 id, address who) = (_operator(operator), actors[actor % 3]);
        vm.prank(admins[id]);
        ledger.grantAnchorer(id, who);
        holds[id][who] = true;
    }

    function revoke(uint256 operator, uint256 actor) external {
        (uint64 id, address who) = (_operator(operator), actors[actor % 3]);
        vm.prank(admins[id]);
        ledger.revokeAnchorer(id, who);
        holds[id][who] = false;
    }

    function handOver(uint256 operator, uint256 actor) external {
        (uint64 id, address who) = (_operator(operator), actors[actor % 3]);
        vm.prank(admins[id]);
        ledger.transferAdmin(id, who);
        vm.prank(who);
        ledger.acceptAdmin(id);
        admins[id] = who;
    }

    function publish(uint256 operator, uint256 actor, uint256 which, uint64 from, uint64 length) external {
        // Sometimes an operator that does not exist.
        uint64 id = operator % 8 == 7 ? OPERATORS + 1 : _operator(operator);
        (address who, bytes32 hash) = (actors[actor % 3], hashAt(which));
        from = uint64(bound(from, 0, type(uint64).max / 2));
        uint64 until = length % 5 == 0 ? 0 : length % 5 == 1 ? from - (from == 0 ? 0 : 1) : from + length % 1e9 + 1;
        bool expected = id <= OPERATORS && (holds[id][who] || admins[id] == who) && hash != 0
            && (until == 0 || until > from) && _tariffs[id][hash].publishedAt == 0;
        vm.prank(who);
        try book.publish(id, hash, from, until) {
            if (!expected) ++wrongPredictions;
            _tariffs[id][hash] = ITariffBook.Tariff(uint64(block.timestamp), from, until, 0);
            _order[id].push(hash);
        } catch {
            if (expected) ++wrongPredictions;
        }
    }

    function withdraw(uint256 operator, uint256 actor, uint256 which, uint256 when) external {
        (uint64 id, address who, bytes32 hash) = (_operator(operator), actors[actor % 3], hashAt(which));
        uint64 from = uint64(block.timestamp - 100 + when % 1_000);
        ITariffBook.Tariff storage ghost = _tariffs[id][hash];
        bool expected = admins[id] == who && ghost.publishedAt != 0 && ghost.withdrawnFrom == 0 && when % 1_000 >= 100;
        vm.prank(who);
        try book.withdraw(id, hash, from) {
            if (!expected) ++wrongPredictions;
            ghost.withdrawnFrom = from;
        } catch {
            if (expected) ++wrongPredictions;
        }
    }

    function _operator(uint256 operator) private pure returns (uint64) {
        return uint64(operator % OPERATORS) + 1;
    }
}
