// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ClearingHouse} from "../../../contracts/ClearingHouse.sol";
import {IClearingHouse} from "../../../interfaces/IClearingHouse.sol";
import {ClearingFixture} from "../ClearingFixture.sol";

/// @dev Drives the three pairs of three operators through rounds, and watches every part and every state after each
/// call. Whether a call may succeed is for the tests; here it counts what must never come of any that did.
contract ClearingHandler is ClearingFixture {
    struct Ghost {
        bytes32 source;
        uint32 number;
        uint256 amount;
        bytes32 terms; // all but status and end
        uint256 ends;
    }

    Ghost[] private _parts;
    bytes32[] private _clearings;
    mapping(bytes32 source => uint256) private _states;
    uint256 public broken; // states that went back, parts that ended twice or changed
    uint256 public paid; // what payments that succeeded were for
    uint256 public succeeded;

    constructor() {
        deployHouse();
    }

    function theHouse() external view returns (ClearingHouse) {
        return house;
    }

    function received() external view returns (uint256) {
        return token.balanceOf(PAYEE);
    }

    function kept() external view returns (uint256) {
        return token.balanceOf(address(house));
    }

    function clearingCount() external view returns (uint256) {
        return _clearings.length;
    }

    function clearingAt(uint256 at) external view returns (bytes32) {
        return _clearings[at];
    }

    function partCount() external view returns (uint256) {
        return _parts.length;
    }

    function partAt(uint256 at) external view returns (Ghost memory) {
        return _parts[at];
    }

    // --- actions -----------------------------------------------------------------------------------

    function passTime(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1, 8 days));
        _watch();
    }

    function open(uint256 pair, bool whole) external {
        (uint64 a, uint64 b) = _pair(pair);
        if (whole) {
            uint32 before = house.roundsOf(a, b, PERIOD);
            if (before != 0 && uint256(house.getClearing(house.clearingIdOf(a, b, PERIOD, before)).state) < 5) return;
            _clearings.push(agreeing(a, b));
        } else {
            vm.prank(adminOf(b));
            try house.open(b, a, PERIOD, deadlines()) returns (bytes32 clearing) {
                _clearings.push(clearing);
            } catch {}
        }
        _watch();
    }

    function commit(uint256 which, bool first) external {
        if (_clearings.length == 0) return;
        bytes32 clearing = _clearings[which % _clearings.length];
        uint64 id = _side(clearing, first);
        vm.prank(adminOf(id));
        try house.commit(clearing, id, bookHash(clearing, id)) {} catch {}
        _watch();
    }

    function reveal(uint256 which, bool first) external {
        if (_clearings.length == 0) return;
        bytes32 clearing = _clearings[which % _clearings.length];
        uint64 id = _side(clearing, first);
        vm.prank(adminOf(id));
        try house.reveal(clearing, id, book(), STATEMENTS, SALT) {} catch {}
        _watch();
    }

    function end(uint256 which, bool first, uint256 how) external {
        if (_clearings.length == 0) return;
        bytes32 clearing = _clearings[which % _clearings.length];
        uint64 id = _side(clearing, first);
        vm.prank(adminOf(id));
        if (how % 8 == 0) {
            try house.refuse(clearing, id) {} catch {}
        } else {
            try house.closeOverdue(clearing, id) {} catch {}
        }
        _watch();
    }

    function agreePart(uint256 which, bool first, uint256 amount, uint256 shape) external {
        if (_clearings.length == 0) return;
        bytes32 clearing = _clearings[which % _clearings.length];
        uint32 part = uint32(house.partCount(clearing)) + (shape % 8 == 7 ? 2 : 1);
        amount = bound(amount, 1, 1e6);
        (uint64 a, uint64 b) = (_side(clearing, true), _side(clearing, false));
        IClearingHouse.NetAmount memory net = netAmount(clearing, part, shape % 3 == 0, _side(clearing, first), amount);
        bytes32 digest = netDigest(net, a, b);
        try house.agree(net, signed(a, digest), signed(b, digest)) {
            _remember(clearing, part, amount);
        } catch {}
        _watch();
    }

    function confirm(uint256 which) external {
        if (_parts.length == 0) return;
        Ghost storage ghost = _parts[which % _parts.length];
        vm.prank(adminOf(house.getPart(ghost.source, ghost.number).creditor));
        try house.confirm(ghost.source, ghost.number, 0) {
            ++ghost.ends;
        } catch {}
        _watch();
    }

    /// @dev Sometimes with a fee, sometimes while the token pays another part on the way.
    function pay(uint256 which, uint256 inner, uint256 trick) external {
        if (_parts.length == 0) return;
        Ghost storage ghost = _parts[which % _parts.length];
        Ghost storage other = _parts[inner % _parts.length];
        token.set(trick % 4 == 0 ? 1 : 0, trick % 16 == 5, false);
        if (trick % 4 == 1) {
            bytes memory call = abi.encodeCall(house.pay, (other.source, other.number, opening(other.amount)));
            token.allow(address(house));
            token.hook(address(house), call);
        }
        try house.pay(ghost.source, ghost.number, opening(ghost.amount)) {
            ++ghost.ends;
            paid += ghost.amount;
        } catch {}
        token.hook(address(0), "");
        _watch();
    }

    /// @dev Replaces two parts by one, signed by all three.
    function netTwo(uint256 one, uint256 two, uint256 amount) external {
        if (_parts.length == 0) return;
        Ghost storage first = _parts[one % _parts.length];
        Ghost storage second = _parts[two % _parts.length];
        IClearingHouse.Netting memory netting;
        netting.operators = new uint64[](3);
        (netting.operators[0], netting.operators[1], netting.operators[2]) = (1, 2, 3);
        netting.replaced = new IClearingHouse.PartReference[](2);
        netting.replaced[0] = IClearingHouse.PartReference(first.source, first.number);
        netting.replaced[1] = IClearingHouse.PartReference(second.source, second.number);
        bytes32 source = house.nettingIdOf(netting.replaced);
        amount = bound(amount, 1, 1e6);
        netting.parts = new IClearingHouse.NetPart[](1);
        netting.parts[0] = IClearingHouse.NetPart(1, 3, amountHash(source, 1, opening(amount)));
        (netting.documentHash, netting.deadline) = (DOCUMENT, type(uint256).max);
        bytes32 digest = nettingDigest(netting);
        bytes[] memory signatures = new bytes[](3);
        for (uint64 id = 1; id <= 3; ++id) {
            signatures[id - 1] = signed(id, digest);
        }
        try house.net(netting, signatures) {
            ++first.ends;
            ++second.ends;
            _remember(source, 1, amount);
        } catch {}
        _watch();
    }

    // --- what is watched ---------------------------------------------------------------------------

    function termsOf(bytes32 source, uint32 number) public view returns (bytes32) {
        IClearingHouse.Part memory part = house.getPart(source, number);
        return
            keccak256(abi.encode(part.amountCommitment, part.documentHash, part.creditor, part.debtor, part.agreedAt));
    }

    function _remember(bytes32 source, uint32 number, uint256 amount) private {
        ++succeeded;
        _parts.push(Ghost(source, number, amount, termsOf(source, number), 0));
    }

    function _watch() private {
        for (uint256 i = 0; i < _clearings.length; ++i) {
            uint256 state = uint256(house.getClearing(_clearings[i]).state);
            uint256 before = _states[_clearings[i]];
            // Forward, and from an end (Settled, Closed) nowhere.
            if (state < before || (before >= 5 && state != before)) ++broken;
            _states[_clearings[i]] = state;
        }
    }

    function _side(bytes32 clearing, bool first) private view returns (uint64) {
        IClearingHouse.Clearing memory stored = house.getClearing(clearing);
        return first ? stored.operatorA : stored.operatorB;
    }

    function _pair(uint256 pair) private pure returns (uint64, uint64) {
        return pair % 3 == 0 ? (uint64(1), uint64(2)) : pair % 3 == 1 ? (uint64(2), uint64(3)) : (uint64(1), uint64(3));
    }
}
