// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ClearingHashes} from "../../contracts/libraries/ClearingHashes.sol";
import {IClearingHouse} from "../../interfaces/IClearingHouse.sol";

/// @dev The house's struct hashes, callable.
contract ClearingHashesHarness {
    function clearing(uint64 a, uint64 b, uint32 period, uint32 round) external view returns (bytes32) {
        return ClearingHashes.clearing(a, b, period, round);
    }

    function book(
        bytes32 clearing_,
        uint64 operatorId,
        IClearingHouse.BatchReference[] calldata batches,
        bytes32 statementsHash,
        bytes32 salt
    ) external pure returns (bytes32) {
        return ClearingHashes.book(clearing_, operatorId, batches, statementsHash, salt);
    }

    function amount(bytes32 source, uint32 part, IClearingHouse.AmountOpening calldata opening)
        external
        pure
        returns (bytes32)
    {
        return ClearingHashes.amount(source, part, opening);
    }

    function netAmount(IClearingHouse.NetAmount calldata net, uint64 nonceA, uint64 nonceB)
        external
        pure
        returns (bytes32)
    {
        return ClearingHashes.netAmount(net, nonceA, nonceB);
    }

    function nettingId(IClearingHouse.PartReference[] calldata replaced) external view returns (bytes32) {
        return ClearingHashes.nettingId(replaced);
    }

    function netting(IClearingHouse.Netting calldata net, uint64[] calldata nonces) external pure returns (bytes32) {
        return ClearingHashes.netting(net, nonces);
    }
}

/// @dev Equal hashes, equal fields, for halmos (see Symbolic.t.sol): nothing that is signed, opened or named is left out
/// of its hash or cut short.
/// @custom:halmos --loop 8
contract SymbolicClearingHashesTest {
    uint32 private constant PERIOD = 202_510;
    ClearingHashesHarness private hashes;

    function setUp() public {
        hashes = new ClearingHashesHarness();
    }

    function check_ClearingIdBindsEveryField(uint64[2] calldata a, uint64[2] calldata b, uint32[4] calldata rest)
        external
        view
    {
        if (hashes.clearing(a[0], a[1], rest[0], rest[1]) != hashes.clearing(b[0], b[1], rest[2], rest[3])) return;
        assert(a[0] == b[0] && a[1] == b[1] && rest[0] == rest[2] && rest[1] == rest[3]);
    }

    function check_AmountBindsEveryField(
        bytes32 sourceA,
        uint32 partA,
        IClearingHouse.AmountOpening calldata a,
        bytes32 sourceB,
        uint32 partB,
        IClearingHouse.AmountOpening calldata b
    ) external view {
        if (hashes.amount(sourceA, partA, a) != hashes.amount(sourceB, partB, b)) return;
        assert(sourceA == sourceB && partA == partB && a.currency == b.currency && a.amount == b.amount);
        assert(a.token == b.token && a.payee == b.payee && a.salt == b.salt);
    }

    function check_NetAmountBindsEveryField(
        IClearingHouse.NetAmount calldata a,
        uint64[2] calldata noncesA,
        IClearingHouse.NetAmount calldata b,
        uint64[2] calldata noncesB
    ) external view {
        if (hashes.netAmount(a, noncesA[0], noncesA[1]) != hashes.netAmount(b, noncesB[0], noncesB[1])) return;
        assert(a.clearing == b.clearing && a.part == b.part && a.last == b.last && a.creditor == b.creditor);
        assert(a.amountCommitment == b.amountCommitment && a.documentHash == b.documentHash);
        assert(a.amendment.operatorId == b.amendment.operatorId && a.amendment.period == b.amendment.period);
        assert(a.amendment.region == b.amendment.region && a.amendment.sequence == b.amendment.sequence);
        assert(noncesA[0] == noncesB[0] && noncesA[1] == noncesB[1] && a.deadline == b.deadline);
    }

    /// @dev What two lists have in common is left to the list's own hash; here they have one entry each.
    function check_NettingBindsEveryField(
        uint64[2] calldata operators,
        uint64[2] calldata nonces,
        IClearingHouse.PartReference[2] calldata replaced,
        IClearingHouse.NetPart[2] calldata parts,
        bytes32[2] calldata documents,
        uint256[2] calldata deadlines
    ) external view {
        bytes32[2] memory made;
        for (uint256 i = 0; i < 2; ++i) {
            IClearingHouse.Netting memory netting;
            netting.operators = _one(operators[i]);
            netting.replaced = new IClearingHouse.PartReference[](1);
            netting.replaced[0] = replaced[i];
            netting.parts = new IClearingHouse.NetPart[](1);
            netting.parts[0] = parts[i];
            (netting.documentHash, netting.deadline) = (documents[i], deadlines[i]);
            made[i] = hashes.netting(netting, _one(nonces[i]));
        }
        if (made[0] != made[1]) return;
        assert(operators[0] == operators[1] && nonces[0] == nonces[1] && documents[0] == documents[1]);
        assert(replaced[0].source == replaced[1].source && replaced[0].number == replaced[1].number);
        assert(parts[0].creditor == parts[1].creditor && parts[0].debtor == parts[1].debtor);
        assert(parts[0].amountCommitment == parts[1].amountCommitment && deadlines[0] == deadlines[1]);
    }

    /// @dev No netting has the id of a clearing, and none that of a netting of another list: parts of two sources are
    /// never kept in one place.
    function check_SourcesAreApart(
        uint64 a,
        uint64 b,
        uint32 round,
        IClearingHouse.PartReference calldata one,
        IClearingHouse.PartReference calldata two
    ) external view {
        IClearingHouse.PartReference[] memory first = _references(one);
        IClearingHouse.PartReference[] memory second = _references(two);
        assert(hashes.nettingId(first) != hashes.clearing(a, b, PERIOD, round));
        if (hashes.nettingId(first) != hashes.nettingId(second)) return;
        assert(one.source == two.source && one.number == two.number);
    }

    function _references(IClearingHouse.PartReference memory one)
        private
        pure
        returns (IClearingHouse.PartReference[] memory list)
    {
        list = new IClearingHouse.PartReference[](1);
        list[0] = one;
    }

    function _one(uint64 value) private pure returns (uint64[] memory list) {
        list = new uint64[](1);
        list[0] = value;
    }
}
