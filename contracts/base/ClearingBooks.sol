// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {IClearingHouse} from "../../interfaces/IClearingHouse.sol";
import {BillingPeriod} from "../libraries/BillingPeriod.sol";
import {ClearingHashes} from "../libraries/ClearingHashes.sol";

/// @title Clearings up to the point where both books are fixed, and the ways in which one ends early
/// @dev Who calls says for which operator, so that only that operator's entry of the ledger is read: its texts have
/// no bound, and a partner could otherwise make its own so long that nobody can afford to close.
abstract contract ClearingBooks is IClearingHouse {
    /// @notice What each state lasts at least, in seconds.
    uint256 public constant MIN_WINDOW = 1 days;
    /// @notice What all of them last at most.
    uint256 public constant MAX_SPAN = 730 days;
    /// @notice How many batches a book has at most: `agree` asks for each.
    uint256 public constant MAX_BATCHES = 32;

    uint8 private constant SIDE_A = 1;
    uint8 private constant SIDE_B = 2;
    uint64 private constant NEVER = type(uint64).max;

    IBillingLedger internal immutable _ledger;
    mapping(bytes32 clearing => Clearing) internal _clearings;
    mapping(bytes32 clearing => mapping(uint64 operatorId => BatchReference[])) private _books;
    mapping(uint64 operatorA => mapping(uint64 operatorB => mapping(uint32 period => uint32))) private _rounds;

    constructor(IBillingLedger ledger_) {
        _ledger = ledger_;
    }

    /// @inheritdoc IClearingHouse
    function open(uint64 operatorId, uint64 partnerId, uint32 period, Deadlines calldata deadlines)
        external
        returns (bytes32 clearing)
    {
        _requireOperator(operatorId);
        if (partnerId == operatorId || partnerId == 0 || partnerId > _ledger.operatorCount()) {
            revert ClearingHouseNoPartner(operatorId, partnerId);
        }
        if (!BillingPeriod.isValid(period)) revert ClearingHouseInvalidPeriod(period);
        _requireWindows(deadlines);
        (uint64 a, uint64 b) = _inOrder(operatorId, partnerId);
        uint32 round = _rounds[a][b][period];
        if (round != 0) {
            bytes32 previous = ClearingHashes.clearing(a, b, period, round);
            if (_clearings[previous].state < State.Settled) revert ClearingHouseRoundOpen(previous);
        }
        _rounds[a][b][period] = ++round;
        clearing = ClearingHashes.clearing(a, b, period, round);
        Clearing storage opened = _clearings[clearing];
        (opened.operatorA, opened.operatorB, opened.period, opened.round, opened.state) =
        (a, b, period, round, State.Committing);
        opened.deadlines = deadlines;
        emit ClearingOpened(clearing, a, b, period, round, operatorId, deadlines);
    }

    /// @inheritdoc IClearingHouse
    function commit(bytes32 clearing, uint64 operatorId, bytes32 commitment) external {
        (Clearing storage stored, Side storage own, Side storage other) = _asSide(clearing, operatorId);
        _requireState(clearing, stored, State.Committing);
        _requireInTime(stored.deadlines.commitBy);
        if (commitment == 0) revert ClearingHouseZeroHash();
        if (own.commitment != 0) revert ClearingHouseAlreadyDone(clearing, operatorId);
        own.commitment = commitment;
        own.committedAt = uint64(block.timestamp);
        if (other.commitment != 0) stored.state = State.Revealing;
        emit BookCommitted(clearing, operatorId, commitment);
    }

    /// @inheritdoc IClearingHouse
    function reveal(
        bytes32 clearing,
        uint64 operatorId,
        BatchReference[] calldata batches,
        bytes32 statementsHash,
        bytes32 salt
    ) external {
        (Clearing storage stored, Side storage own, Side storage other) = _asSide(clearing, operatorId);
        _requireState(clearing, stored, State.Revealing);
        _requireInTime(stored.deadlines.revealBy);
        if (own.revealedAt != 0) revert ClearingHouseAlreadyDone(clearing, operatorId);
        if (ClearingHashes.book(clearing, operatorId, batches, statementsHash, salt) != own.commitment) {
            revert ClearingHouseWrongOpening();
        }
        _keep(_books[clearing][operatorId], batches, operatorId, stored.period, own.committedAt);
        own.revealedAt = uint64(block.timestamp);
        if (other.revealedAt != 0) stored.state = State.Agreeing;
        emit BookRevealed(clearing, operatorId, batches, statementsHash);
    }

    /// @inheritdoc IClearingHouse
    function refuse(bytes32 clearing, uint64 operatorId) external {
        Clearing storage stored = _clearings[clearing];
        uint8 side = _sideOf(clearing, stored, operatorId);
        _requireAdmin(operatorId);
        _requireBeforeSettling(clearing, stored);
        _close(clearing, stored, Reason.Refused, side, operatorId);
    }

    /// @inheritdoc IClearingHouse
    function closeOverdue(bytes32 clearing, uint64 operatorId) external {
        (Clearing storage stored,,) = _asSide(clearing, operatorId);
        Deadlines memory deadlines = stored.deadlines;
        State state = stored.state;
        if (state == State.Committing) {
            uint8 missing = (stored.a.commitment == 0 ? SIDE_A : 0) | (stored.b.commitment == 0 ? SIDE_B : 0);
            _closeAfter(deadlines.commitBy, clearing, Reason.NotCommitted, missing, operatorId);
        } else if (state == State.Revealing) {
            uint8 missing = (stored.a.revealedAt == 0 ? SIDE_A : 0) | (stored.b.revealedAt == 0 ? SIDE_B : 0);
            _closeAfter(deadlines.revealBy, clearing, Reason.NotRevealed, missing, operatorId);
        } else if (state == State.Agreeing) {
            _closeAfter(deadlines.agreeBy, clearing, Reason.NotAgreed, 0, operatorId);
        } else if (state == State.Settling) {
            _closeAfter(deadlines.settleBy, clearing, Reason.NotSettled, 0, operatorId);
        } else {
            revert ClearingHouseWrongState(clearing, state);
        }
    }

    /// @inheritdoc IClearingHouse
    function closeRepudiated(bytes32 clearing, uint64 operatorId) external {
        (Clearing storage stored,,) = _asSide(clearing, operatorId);
        _requireBeforeSettling(clearing, stored);
        (bool aStands,) = _standing(clearing, stored.operatorA, stored.period);
        (bool bStands,) = _standing(clearing, stored.operatorB, stored.period);
        uint8 sides = (aStands ? 0 : SIDE_A) | (bStands ? 0 : SIDE_B);
        if (sides == 0) revert ClearingHouseNothingRepudiated(clearing);
        _close(clearing, stored, Reason.Repudiated, sides, operatorId);
    }

    /// @inheritdoc IClearingHouse
    function getClearing(bytes32 clearing) external view returns (Clearing memory) {
        return _clearings[clearing];
    }

    /// @inheritdoc IClearingHouse
    function roundsOf(uint64 operatorId, uint64 partnerId, uint32 period) external view returns (uint32) {
        (uint64 a, uint64 b) = _inOrder(operatorId, partnerId);
        return _rounds[a][b][period];
    }

    /// @inheritdoc IClearingHouse
    function clearingIdOf(uint64 operatorId, uint64 partnerId, uint32 period, uint32 round)
        external
        view
        returns (bytes32)
    {
        (uint64 a, uint64 b) = _inOrder(operatorId, partnerId);
        return ClearingHashes.clearing(a, b, period, round);
    }

    /// @inheritdoc IClearingHouse
    function bookOf(bytes32 clearing, uint64 operatorId) external view returns (BatchReference[] memory) {
        return _books[clearing][operatorId];
    }

    /// @inheritdoc IClearingHouse
    function ledger() external view returns (address) {
        return address(_ledger);
    }

    /// @dev Reverts unless no batch of either book was repudiated since it was revealed.
    function _requireBooksStand(bytes32 clearing, Clearing storage stored) internal view {
        _requireBookStands(clearing, stored.operatorA, stored.period);
        _requireBookStands(clearing, stored.operatorB, stored.period);
    }

    function _requireState(bytes32 clearing, Clearing storage stored, State state) internal view {
        if (stored.state != state) revert ClearingHouseWrongState(clearing, stored.state);
    }

    /// @dev A block producer may shift the time by seconds; states last days.
    function _requireInTime(uint256 deadline) internal view {
        // slither-disable-next-line timestamp
        if (block.timestamp > deadline) revert ClearingHouseTooLate(deadline);
    }

    function _requireAdmin(uint64 operatorId) internal view {
        if (_adminOf(operatorId) != msg.sender) revert ClearingHouseNotAdmin(operatorId, msg.sender);
    }

    /// @dev Reverts with the ledger's `BillingLedgerUnknownOperator` when there is none.
    function _adminOf(uint64 operatorId) internal view returns (address) {
        // In a loop over those who sign a netting, and the ledger calls nobody.
        // slither-disable-next-line calls-loop
        return _ledger.getOperator(operatorId).admin;
    }

    function _keep(
        BatchReference[] storage book,
        BatchReference[] calldata batches,
        uint64 operatorId,
        uint32 period,
        uint64 committedAt
    ) private {
        if (batches.length == 0 || batches.length > MAX_BATCHES) revert ClearingHouseBatchOrder();
        uint256 previous = 0;
        for (uint256 i = 0; i < batches.length; ++i) {
            (uint32 region, uint32 sequence) = (batches[i].region, batches[i].sequence);
            // Sequences start at 1, so that the first is greater than 0 in any region.
            uint256 place = (uint256(region) << 32) | sequence;
            if (place <= previous) revert ClearingHouseBatchOrder();
            previous = place;
            uint64 anchoredAt = _standingSince(operatorId, period, region, sequence);
            // Strictly: in one block, or in blocks of one time, nobody can tell what came first.
            // slither-disable-next-line timestamp
            if (anchoredAt >= committedAt) revert ClearingHouseBatchDoesNotStand(operatorId, region, sequence);
            book.push(batches[i]);
        }
    }

    function _requireBookStands(bytes32 clearing, uint64 operatorId, uint32 period) private view {
        (bool stands, BatchReference memory fallen) = _standing(clearing, operatorId, period);
        if (!stands) revert ClearingHouseBatchDoesNotStand(operatorId, fallen.region, fallen.sequence);
    }

    /// @dev Whether every batch of a book stands, or the first that does not.
    function _standing(bytes32 clearing, uint64 operatorId, uint32 period)
        private
        view
        returns (bool stands, BatchReference memory batch)
    {
        BatchReference[] storage book = _books[clearing][operatorId];
        for (uint256 i = 0; i < book.length; ++i) {
            batch = book[i];
            if (_standingSince(operatorId, period, batch.region, batch.sequence) == NEVER) return (false, batch);
        }
        return (true, batch);
    }

    /// @dev When the batch was anchored; the end of time when there is none or it was repudiated.
    function _standingSince(uint64 operatorId, uint32 period, uint32 region, uint32 sequence)
        private
        view
        returns (uint64)
    {
        // In a loop over at most MAX_BATCHES, and the ledger calls nobody.
        // slither-disable-next-line calls-loop
        IBillingLedger.Batch memory batch =
            _ledger.getBatch(IBillingLedger.BatchKey(operatorId, period, region, sequence));
        return batch.root == 0 || batch.repudiated ? NEVER : batch.anchoredAt;
    }

    function _closeAfter(uint64 deadline, bytes32 clearing, Reason reason, uint8 sides, uint64 closer) private {
        // slither-disable-next-line timestamp -- see _requireInTime
        if (block.timestamp <= deadline) revert ClearingHouseTooEarly(deadline);
        _close(clearing, _clearings[clearing], reason, sides, closer);
    }

    function _close(bytes32 clearing, Clearing storage stored, Reason reason, uint8 sides, uint64 closer) private {
        (stored.state, stored.reason, stored.sides) = (State.Closed, reason, sides);
        emit ClearingClosed(clearing, reason, sides, closer);
    }

    function _requireBeforeSettling(bytes32 clearing, Clearing storage stored) private view {
        if (stored.state >= State.Settling) revert ClearingHouseWrongState(clearing, stored.state);
    }

    /// @dev The clearing and its two sides, for somebody who may act for one of them.
    function _asSide(bytes32 clearing, uint64 operatorId)
        private
        view
        returns (Clearing storage stored, Side storage own, Side storage other)
    {
        stored = _clearings[clearing];
        bool isA = _sideOf(clearing, stored, operatorId) == SIDE_A;
        _requireOperator(operatorId);
        own = isA ? stored.a : stored.b;
        other = isA ? stored.b : stored.a;
    }

    /// @dev No operator has the id 0, so that nobody is a side of what was never opened.
    function _sideOf(bytes32 clearing, Clearing storage stored, uint64 operatorId) private view returns (uint8) {
        if (operatorId != 0) {
            if (operatorId == stored.operatorA) return SIDE_A;
            if (operatorId == stored.operatorB) return SIDE_B;
        }
        revert ClearingHouseNotParty(clearing, operatorId);
    }

    /// @dev Anchorers first: the ledger has them in a slot of their own.
    function _requireOperator(uint64 operatorId) private view {
        if (!_ledger.isAnchorer(operatorId, msg.sender) && _adminOf(operatorId) != msg.sender) {
            revert ClearingHouseNotOperator(operatorId, msg.sender);
        }
    }

    function _requireWindows(Deadlines calldata deadlines) private view {
        uint256 commitBy = deadlines.commitBy;
        uint256 revealBy = deadlines.revealBy;
        uint256 agreeBy = deadlines.agreeBy;
        uint256 settleBy = deadlines.settleBy;
        // slither-disable-start timestamp -- see _requireInTime
        if (
            commitBy < block.timestamp + MIN_WINDOW || revealBy < commitBy + MIN_WINDOW
                || agreeBy < revealBy + MIN_WINDOW || settleBy < agreeBy + MIN_WINDOW
                || settleBy > block.timestamp + MAX_SPAN
        ) revert ClearingHouseDeadlines();
        // slither-disable-end timestamp
    }

    function _inOrder(uint64 one, uint64 two) private pure returns (uint64, uint64) {
        return one < two ? (one, two) : (two, one);
    }
}
