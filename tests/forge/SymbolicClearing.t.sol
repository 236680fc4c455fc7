// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BillingLedger} from "../../contracts/BillingLedger.sol";
import {ClearingHouse} from "../../contracts/ClearingHouse.sol";
import {SilentToken} from "../../contracts/test/ClearingDoubles.sol";
import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {IClearingHouse} from "../../interfaces/IClearingHouse.sol";
import {Base} from "./Base.sol";
import {Willing} from "./ClearingActors.sol";
import {ClearingHashesHarness} from "./SymbolicClearingHashes.t.sol";

/// @dev Properties of the clearing house for halmos (see Symbolic.t.sol): one call, or two, from a clearing that is
/// brought to a state by concrete calls, with every caller, time and argument at once. Whole sequences of calls are
/// for the invariants. Lists have one or two entries. A hash that is stored by a concrete call is
/// not identified with one of symbolic arguments, so commitments that a check opens are made inside it.
/// @custom:halmos --loop 8
contract SymbolicClearingTest is Base {
    uint32 private constant PERIOD = 202_510;
    uint64 private constant NOW = 1_761_955_200;
    bytes32 private constant DOCUMENT = keccak256("settlement.json");
    bytes32 private constant SALT = keccak256("salt");

    ClearingHashesHarness private hashes;
    BillingLedger private ledger;
    ClearingHouse private house;
    Willing[4] private admins; // by operator; 0 is nobody's
    bytes32 private clearing; // Agreeing, between 1 and 2

    function setUp() public {
        vm.warp(NOW);
        hashes = new ClearingHashesHarness();
        ledger = new BillingLedger();
        house = new ClearingHouse(ledger);
        admins[0] = new Willing();
        for (uint64 id = 1; id <= 3; ++id) {
            admins[id] = new Willing();
            vm.startPrank(address(admins[id]));
            ledger.registerOperator("Carrier", "", "");
            ledger.grantAnchorer(id, address(admins[id]));
            ledger.anchor(id, PERIOD, 1, 1, keccak256("root"), 0, 0);
            vm.stopPrank();
        }
        vm.warp(NOW + 1);
        clearing = _opened(1, 2);
        for (uint64 id = 1; id <= 2; ++id) {
            bytes32 commitment = hashes.book(clearing, id, _book(1, 1), 0, SALT);
            vm.prank(address(admins[id]));
            house.commit(clearing, id, commitment);
        }
        for (uint64 id = 1; id <= 2; ++id) {
            vm.prank(address(admins[id]));
            house.reveal(clearing, id, _book(1, 1), 0, SALT);
        }
    }

    // --- books -------------------------------------------------------------------------------------

    /// @dev Every deadline of 64 bits: a day each at least, two years all together at most, and no sum overflows.
    function check_DeadlinesAreADayApartAndWithinTwoYears(IClearingHouse.Deadlines calldata by) external {
        uint256 now_ = block.timestamp;
        bool good = by.commitBy >= now_ + 1 days && by.revealBy >= uint256(by.commitBy) + 1 days
            && by.agreeBy >= uint256(by.revealBy) + 1 days && by.settleBy >= uint256(by.agreeBy) + 1 days
            && by.settleBy <= now_ + 730 days;
        vm.prank(address(admins[1]));
        try house.open(1, 3, PERIOD, by) {
            assert(good);
        } catch {
            assert(!good);
        }
    }

    /// @dev Whoever calls, for whichever side: only that side's own people.
    function check_StrangersDoNothing(address sender, uint64 side, bytes32 hash) external {
        uint64 operatorId = _concrete(side);
        bytes32 other = _opened(1, 3);
        vm.warp(NOW + 11 days);
        (bool isOne, bool isTwo) = (sender == address(admins[1]), sender == address(admins[2]));
        if ((operatorId == 1 && isOne) || (operatorId == 2 && isTwo)) return;
        if (operatorId == 3 && sender == address(admins[3])) return;
        vm.startPrank(sender);
        assert(!_succeeds(abi.encodeCall(house.open, (operatorId, 2, PERIOD + 1, _deadlines()))));
        assert(!_succeeds(abi.encodeCall(house.commit, (other, operatorId, hash))));
        assert(!_succeeds(abi.encodeCall(house.refuse, (clearing, operatorId))));
        assert(!_succeeds(abi.encodeCall(house.closeOverdue, (other, operatorId))));
        assert(!_succeeds(abi.encodeCall(house.closeRepudiated, (clearing, operatorId))));
        assert(!_succeeds(abi.encodeCall(house.withdrawSignatures, (operatorId))));
        vm.stopPrank();
    }

    /// @dev What opens a commitment is what was committed to, member by member, and that does.
    function check_OnlyTheOpeningOpens(
        uint32 region,
        bytes32[2] calldata rest,
        IClearingHouse.BatchReference calldata shown,
        bytes32[2] calldata shownRest
    ) external {
        if (region == 1) return; // taken
        bytes32 other = _opened(1, 3);
        bytes32 commitment = hashes.book(other, 1, _book(region, 1), rest[0], rest[1]);
        vm.prank(address(admins[3]));
        house.commit(other, 3, SALT);
        vm.startPrank(address(admins[1]));
        ledger.anchor(1, PERIOD, region, 1, keccak256("root"), 0, 0);
        vm.warp(NOW + 2);
        house.commit(other, 1, commitment);
        IClearingHouse.BatchReference[] memory batches = _book(shown.region, shown.sequence);
        bool same = shown.region == region && shown.sequence == 1 && shownRest[0] == rest[0] && shownRest[1] == rest[1];
        assert(_succeeds(abi.encodeCall(house.reveal, (other, 1, batches, shownRest[0], shownRest[1]))) == same);
        vm.stopPrank();
    }

    /// @dev At no time do both of them work, and at every time one does: no gap and no overlap at the deadline.
    function check_AgreeingEndsWhereClosingBegins(uint64 time, uint256 deadline) external {
        vm.warp(time);
        (uint64 agreeBy, bool inTime) = (house.getClearing(clearing).deadlines.agreeBy, time <= deadline);
        _allWilling();
        IClearingHouse.NetAmount memory net = _net(clearing, 1, false, 1, SALT);
        net.deadline = deadline;
        assert(_succeeds(abi.encodeCall(house.agree, (net, "", ""))) == (time <= agreeBy && inTime));
        vm.prank(address(admins[2]));
        assert(_succeeds(abi.encodeCall(house.closeOverdue, (clearing, 2))) == (time > agreeBy));
    }

    /// @dev From every state, by every call, at any time and by anybody: to where the table in docs/clearing.md says.
    function check_StatesOnlyMoveForward(uint8 from, uint8 call, uint64 side, uint64 time, address sender) external {
        bytes32 other = _broughtTo(from % 6);
        uint256 before = uint256(house.getClearing(other).state);
        assert(before == from % 6 + 1);
        vm.warp(time % 2 ** 48); // of which timestamps are kept
        vm.prank(sender);
        bool done = _try(other, call % 9, side == 1 ? 1 : 3);
        uint256 state = uint256(house.getClearing(other).state);
        if (state == before) return;
        assert(done && before < uint256(IClearingHouse.State.Settled));
        // The six calls that move forward, each from its own state; three that close.
        if (call % 9 < 6) assert(state == before + 1 && (call % 9 < 3 ? before == call % 9 + 1 : before == 4));
        else assert(state == uint256(IClearingHouse.State.Closed));
    }

    // --- parts -------------------------------------------------------------------------------------

    /// @dev Whatever the terms: both sign, and both are admin when it is submitted. `gone` has handed its operator on.
    function check_NoPartWithoutBothAdmins(
        IClearingHouse.NetAmount calldata terms,
        bool[4] calldata willing,
        bool[3] calldata gone
    ) external {
        for (uint64 id = 1; id <= 2; ++id) {
            admins[id].set(willing[id]);
            if (gone[id]) _handOn(id);
        }
        admins[0].set(willing[0]);
        IClearingHouse.NetAmount memory net = terms;
        net.clearing = clearing;
        net.amendment = IBillingLedger.BatchKey(0, 0, 0, 0);
        bool good = terms.part == 1 && (terms.creditor == 1 || terms.creditor == 2) && terms.amountCommitment != 0
            && terms.documentHash != 0 && terms.deadline >= block.timestamp;
        bool both = willing[gone[1] ? 0 : 1] && willing[gone[2] ? 0 : 2];
        assert(_succeeds(abi.encodeCall(house.agree, (net, "", ""))) == (good && both));
        if (!good || !both) return;
        IClearingHouse.Part memory part = house.getPart(clearing, 1);
        assert(part.creditor == terms.creditor && part.creditor + part.debtor == 3);
        assert(part.amountCommitment == terms.amountCommitment && part.documentHash == terms.documentHash);
        assert((house.getClearing(clearing).state == IClearingHouse.State.Settling) == terms.last);
    }

    function check_OnlyTheCreditorsAdminConfirms(address sender, uint32 number, bytes32 paymentHash, bool first)
        external
    {
        uint64 creditor = first ? 1 : 2;
        _agreed(creditor, SALT);
        vm.prank(sender);
        // Split, so that the place in the list is concrete.
        bool done = number == 1
            ? _succeeds(abi.encodeCall(house.confirm, (clearing, 1, paymentHash)))
            : _succeeds(abi.encodeCall(house.confirm, (clearing, number, paymentHash)));
        assert(done == (sender == address(admins[creditor]) && number == 1));
    }

    /// @dev Confirm, pay and net, in any order of two, by anybody: one of them, once. Every part that has ended says
    /// when, and the clearing is settled with it.
    function check_APartEndsOnce(uint8 one, uint8 two, address sender) external {
        SilentToken token = new SilentToken();
        token.approve(address(house), 1e24);
        IClearingHouse.AmountOpening memory opening =
            IClearingHouse.AmountOpening("EUR", 5, address(token), address(0xFEE), SALT);
        _agreed(1, hashes.amount(clearing, 1, opening));
        bool first = _end(one, sender, opening);
        bool second = _end(two, sender, opening);
        assert(!(first && second));
        IClearingHouse.Part memory part = house.getPart(clearing, 1);
        bool ended = first || second;
        assert((part.status != IClearingHouse.PartStatus.Agreed) == ended && (part.endedAt != 0) == ended);
        assert((house.getClearing(clearing).state == IClearingHouse.State.Settled) == ended);
        bool paid = part.status == IClearingHouse.PartStatus.Paid;
        assert(token.balanceOf(address(0xFEE)) == (paid ? 5 : 0) && token.balanceOf(address(house)) == 0);
    }

    /// @dev Whatever is shown and whoever pays: exactly that amount, from the caller to the payee that was signed.
    function check_PaysWhatWasSignedToThePayee(
        uint256 amount,
        address payee,
        IClearingHouse.AmountOpening calldata shown
    ) external {
        SilentToken token = new SilentToken();
        token.approve(address(house), 1e24);
        IClearingHouse.AmountOpening memory opening =
            IClearingHouse.AmountOpening("EUR", amount, address(token), payee, SALT);
        _agreed(1, hashes.amount(clearing, 1, opening));
        uint256 before = token.balanceOf(payee);
        IClearingHouse.AmountOpening memory tried = shown;
        tried.token = address(token);
        if (!_succeeds(abi.encodeCall(house.pay, (clearing, 1, tried)))) return;
        assert(shown.amount == amount && shown.payee == payee && payee != address(house) && payee != address(0));
        assert(amount != 0 && payee != address(this));
        assert(token.balanceOf(payee) == before + amount && token.balanceOf(address(this)) == 1e24 - amount);
    }

    /// @dev However a clearing ends, at any time and by anybody: what was agreed stays as it is.
    function check_NoDebtEndsWithItsClearing(address sender, uint64 time, uint8 how, bool last, bool repudiated)
        external
    {
        _allWilling();
        house.agree(_net(clearing, 1, last, 1, SALT), "", "");
        bytes32 before = keccak256(abi.encode(house.getPart(clearing, 1)));
        uint256 state = uint256(house.getClearing(clearing).state);
        if (repudiated) {
            vm.prank(address(admins[2]));
            ledger.repudiate(IBillingLedger.BatchKey(2, PERIOD, 1, 1));
        }
        vm.warp(time);
        vm.prank(sender);
        bool done;
        if (how == 0) done = _succeeds(abi.encodeCall(house.refuse, (clearing, 2)));
        else if (how == 1) done = _succeeds(abi.encodeCall(house.closeOverdue, (clearing, 2)));
        else done = _succeeds(abi.encodeCall(house.closeRepudiated, (clearing, 2)));
        assert(keccak256(abi.encode(house.getPart(clearing, 1))) == before && house.partCount(clearing) == 1);
        IClearingHouse.Clearing memory stored = house.getClearing(clearing);
        assert(stored.openParts == 1);
        assert(uint256(stored.state) == (done ? uint256(IClearingHouse.State.Closed) : state));
        assert(!done || (sender == address(admins[2]) && (how == 1 || !last)));
        // And it is settled as if nothing had happened; a clearing that was closed stays closed.
        vm.prank(address(admins[1]));
        house.confirm(clearing, 1, 0);
        IClearingHouse.State end = house.getClearing(clearing).state;
        if (done) assert(end == IClearingHouse.State.Closed);
        else assert(end == (last ? IClearingHouse.State.Settled : IClearingHouse.State.Agreeing));
    }

    /// @dev One part of 1 and 2 by one new part, in rings of two: who is touched is in the ring and signs.
    function check_NettingTouchesOnlyThoseWhoSign(
        uint64[2] calldata ring,
        IClearingHouse.NetPart calldata part,
        bool[4] calldata willing
    ) external {
        _agreed(1, SALT);
        for (uint64 id = 1; id <= 3; ++id) {
            admins[id].set(willing[id]);
        }
        IClearingHouse.Netting memory netting = _cancelling(clearing, 2);
        (netting.operators[0], netting.operators[1]) = (_concrete(ring[0]), _concrete(ring[1]));
        netting.parts = new IClearingHouse.NetPart[](1);
        netting.parts[0] = part;
        bool good = ring[0] == 1 && ring[1] == 2 && willing[1] && willing[2] && part.amountCommitment != 0
            && ((part.creditor == 1 && part.debtor == 2) || (part.creditor == 2 && part.debtor == 1));
        assert(_succeeds(abi.encodeCall(house.net, (netting, new bytes[](2)))) == good);
        if (!good) return;
        IClearingHouse.Part memory made = house.getPart(house.nettingIdOf(netting.replaced), 1);
        assert(made.creditor == part.creditor && made.debtor == part.debtor);
        assert(house.getPart(clearing, 1).status == IClearingHouse.PartStatus.Netted);
    }

    /// @dev What is signed after a withdrawal is another hash than before, whatever it is, and for that side alone.
    function check_WithdrawingChangesWhatIsSigned(IClearingHouse.NetAmount calldata net, bool first) external {
        (uint64 a, uint64 b) = (house.nonceOf(1), house.nonceOf(2));
        bytes32 before = hashes.netAmount(net, a, b);
        vm.prank(address(admins[first ? 1 : 2]));
        house.withdrawSignatures(first ? 1 : 2);
        assert(hashes.netAmount(net, house.nonceOf(1), house.nonceOf(2)) != before);
        assert(house.nonceOf(first ? 1 : 2) == (first ? a : b) + 1 && house.nonceOf(first ? 2 : 1) == (first ? b : a));
    }

    // --- shortcuts ---------------------------------------------------------------------------------

    function _succeeds(bytes memory call) private returns (bool done) {
        (done,) = address(house).call(call);
    }

    /// @dev The same number, one path each for those that are operators: the ledger's texts have symbolic lengths
    /// otherwise. Any other is one that the ledger does not know.
    function _concrete(uint64 id) private pure returns (uint64) {
        if (id == 1) return 1;
        if (id == 2) return 2;
        if (id == 3) return 3;
        return id == 0 ? 0 : 4;
    }

    function _deadlines() private view returns (IClearingHouse.Deadlines memory) {
        uint64 now_ = uint64(block.timestamp);
        return IClearingHouse.Deadlines(now_ + 10 days, now_ + 20 days, now_ + 30 days, now_ + 40 days);
    }

    function _opened(uint64 one, uint64 two) private returns (bytes32) {
        IClearingHouse.Deadlines memory by = _deadlines();
        vm.prank(address(admins[one]));
        return house.open(one, two, PERIOD, by);
    }

    /// @dev A clearing of 1 and 3 in state `from + 1`, one step of its own before the next.
    function _broughtTo(uint8 from) private returns (bytes32 other) {
        other = _opened(1, 3);
        if (from == 5) {
            vm.prank(address(admins[1]));
            house.refuse(other, 1);
        }
        if (from == 5) return other;
        for (uint64 id = 1; id <= (from == 0 ? 1 : 3); id += 2) {
            bytes32 commitment = hashes.book(other, id, _book(1, 1), 0, SALT);
            vm.prank(address(admins[id]));
            house.commit(other, id, commitment);
        }
        for (uint64 id = 1; from >= 1 && id <= (from == 1 ? 1 : 3); id += 2) {
            vm.prank(address(admins[id]));
            house.reveal(other, id, _book(1, 1), 0, SALT);
        }
        _allWilling();
        if (from >= 3) house.agree(_net(other, 1, true, 1, SALT), "", "");
        if (from == 4) {
            vm.prank(address(admins[1]));
            house.confirm(other, 1, 0);
        }
    }

    function _try(bytes32 other, uint8 call, uint64 id) private returns (bool) {
        if (call == 0) return _succeeds(abi.encodeCall(house.commit, (other, id, SALT)));
        if (call == 1) return _succeeds(abi.encodeCall(house.reveal, (other, id, _book(1, 1), 0, SALT)));
        if (call == 2) return _succeeds(abi.encodeCall(house.agree, (_net(other, 1, true, 1, SALT), "", "")));
        if (call == 3) return _succeeds(abi.encodeCall(house.confirm, (other, 1, 0)));
        if (call == 4) return _succeeds(abi.encodeCall(house.net, (_cancelling(other, 3), new bytes[](2))));
        if (call == 5) return _succeeds(abi.encodeCall(house.open, (id, 4 - id, PERIOD, _deadlines())));
        if (call == 6) return _succeeds(abi.encodeCall(house.refuse, (other, id)));
        if (call == 7) return _succeeds(abi.encodeCall(house.closeOverdue, (other, id)));
        return _succeeds(abi.encodeCall(house.closeRepudiated, (other, id)));
    }

    function _handOn(uint64 id) private {
        vm.prank(address(admins[id]));
        ledger.transferAdmin(id, address(admins[0]));
        vm.prank(address(admins[0]));
        ledger.acceptAdmin(id);
    }

    function _allWilling() private {
        for (uint256 id = 1; id <= 3; ++id) {
            admins[id].set(true);
        }
    }

    function _net(bytes32 source, uint32 part, bool last, uint64 creditor, bytes32 commitment)
        private
        pure
        returns (IClearingHouse.NetAmount memory)
    {
        IBillingLedger.BatchKey memory none;
        return IClearingHouse.NetAmount(source, part, last, creditor, commitment, DOCUMENT, none, type(uint256).max);
    }

    /// @dev The last part, agreed.
    function _agreed(uint64 creditor, bytes32 commitment) private {
        _allWilling();
        house.agree(_net(clearing, 1, true, creditor, commitment), "", "");
    }

    /// @dev The netting of 1 and `partner` in which their one part cancels.
    function _cancelling(bytes32 source, uint64 partner) private pure returns (IClearingHouse.Netting memory netting) {
        netting.operators = new uint64[](2);
        (netting.operators[0], netting.operators[1]) = (1, partner);
        netting.replaced = _references(IClearingHouse.PartReference(source, 1));
        (netting.documentHash, netting.deadline) = (DOCUMENT, type(uint256).max);
    }

    function _end(uint8 how, address sender, IClearingHouse.AmountOpening memory opening) private returns (bool) {
        if (how == 0) {
            vm.prank(sender);
            return _succeeds(abi.encodeCall(house.confirm, (clearing, 1, SALT)));
        }
        if (how == 1) return _succeeds(abi.encodeCall(house.pay, (clearing, 1, opening)));
        return _succeeds(abi.encodeCall(house.net, (_cancelling(clearing, 2), new bytes[](2))));
    }

    function _book(uint32 region, uint32 sequence)
        private
        pure
        returns (IClearingHouse.BatchReference[] memory batches)
    {
        batches = new IClearingHouse.BatchReference[](1);
        batches[0] = IClearingHouse.BatchReference(region, sequence);
    }

    function _references(IClearingHouse.PartReference memory one)
        private
        pure
        returns (IClearingHouse.PartReference[] memory list)
    {
        list = new IClearingHouse.PartReference[](1);
        list[0] = one;
    }
}
