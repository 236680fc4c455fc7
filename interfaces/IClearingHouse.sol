// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBillingLedger} from "./IBillingLedger.sol";

/// @title Clearing house: two operators clear a billing period
/// @notice Stands beside one billing ledger and asks it who may act for an operator. Both sides commit to their books
/// before either opens its own, sign net amounts part by part, and settle them. Amounts are salted commitments: nothing
/// commercial stands in clear until somebody pays a part through this contract (docs/clearing.md, section 8).
interface IClearingHouse {
    /// @notice Where a clearing is; it only moves forward.
    enum State {
        None,
        Committing, // sides commit to their books
        Revealing, // both have committed, sides open
        Agreeing, // both books stand, parts are signed
        Settling, // the last part is signed
        Settled, // and every part has ended
        Closed // ended before that; agreed parts are owed as before
    }

    /// @notice Why a clearing was closed.
    enum Reason {
        None,
        Refused, // by the sides named
        NotCommitted, // in time, by the sides named
        NotRevealed, // in time, by the sides named
        NotAgreed, // the last part, in time
        NotSettled, // every part, in time
        Repudiated // a batch of a revealed book, by the sides named
    }

    /// @notice What became of a part; it ends once.
    enum PartStatus {
        None,
        Agreed, // owed
        Confirmed, // the creditor says that it has been paid
        Paid, // in a token, through this contract
        Netted // replaced by the parts of a netting
    }

    /// @notice The last second of each state, block time.
    struct Deadlines {
        uint64 commitBy;
        uint64 revealBy;
        uint64 agreeBy;
        uint64 settleBy;
    }

    /// @notice One side's book: its commitment, and when it was made and opened (0: not yet).
    struct Side {
        bytes32 commitment;
        uint64 committedAt;
        uint64 revealedAt;
    }

    /// @notice A clearing. `sides` are those that `reason` names: 1 for A, 2 for B, 3 for both.
    struct Clearing {
        uint64 operatorA; // the smaller id
        uint64 operatorB;
        uint32 period;
        uint32 round;
        uint32 openParts; // agreed, not ended
        State state;
        Reason reason;
        uint8 sides;
        Deadlines deadlines;
        Side a;
        Side b;
    }

    /// @notice A batch of the side's operator in the clearing's period.
    struct BatchReference {
        uint32 region;
        uint32 sequence;
    }

    /// @notice What both admins sign for one part; fields of the typed struct `NetAmount`, without the nonces.
    struct NetAmount {
        bytes32 clearing;
        uint32 part; // from 1
        bool last; // no part follows
        uint64 creditor;
        bytes32 amountCommitment; // the typed struct `Amount`
        bytes32 documentHash;
        IBillingLedger.BatchKey amendment; // all zero, or the batch that holds the credit
        uint256 deadline;
    }

    /// @notice A part that is or was owed.
    struct Part {
        bytes32 amountCommitment;
        bytes32 documentHash;
        uint64 creditor;
        uint64 debtor;
        uint48 agreedAt;
        uint48 endedAt;
        PartStatus status;
    }

    /// @notice Opens an amount; with the part, the fields of the typed struct `Amount`.
    struct AmountOpening {
        bytes3 currency;
        uint256 amount; // of a token its smallest units, otherwise billionths of the currency
        address token; // zero: not payable here
        address payee; // zero without a token
        bytes32 salt;
    }

    /// @notice Part `number` of a clearing or of a netting, its `source`.
    struct PartReference {
        bytes32 source;
        uint32 number;
    }

    /// @notice A part that comes of a netting.
    struct NetPart {
        uint64 creditor;
        uint64 debtor;
        bytes32 amountCommitment; // `source` is the netting's id, `part` the place in the list, from 1
    }

    /// @notice What every operator of a ring signs; fields of the typed struct `Netting`, without the nonces.
    struct Netting {
        uint64[] operators; // strictly increasing; everybody who is creditor or debtor of a part below
        PartReference[] replaced;
        NetPart[] parts; // may be empty: everything cancels
        bytes32 documentHash;
        uint256 deadline;
    }

    /// @notice An operator opened a clearing with another.
    event ClearingOpened(
        bytes32 indexed clearing,
        uint64 indexed operatorA,
        uint64 indexed operatorB,
        uint32 period,
        uint32 round,
        uint64 opener,
        Deadlines deadlines
    );
    /// @notice A side committed to its book.
    event BookCommitted(bytes32 indexed clearing, uint64 indexed operatorId, bytes32 commitment);
    /// @notice A side opened its commitment.
    event BookRevealed(
        bytes32 indexed clearing, uint64 indexed operatorId, BatchReference[] batches, bytes32 statementsHash
    );
    /// @notice Both sides signed a part.
    event PartAgreed(bytes32 indexed clearing, uint32 indexed part, uint64 indexed creditor, NetAmount net);
    /// @notice The creditor said that a part has been paid.
    event PartConfirmed(bytes32 indexed source, uint32 indexed part, bytes32 paymentHash);
    /// @notice A part was paid through this contract. Its amount is public from here on.
    event PartPaid(
        bytes32 indexed source, uint32 indexed part, address token, uint256 amount, address payee, address payer
    );
    /// @notice A part was replaced.
    event PartNetted(bytes32 indexed source, uint32 indexed part, bytes32 indexed netting);
    /// @notice A ring of operators replaced parts by others; theirs are numbered from 1 in order.
    event NettingAgreed(bytes32 indexed netting, uint64[] operators, NetPart[] parts, bytes32 documentHash);
    /// @notice Every part has ended.
    event ClearingSettled(bytes32 indexed clearing);
    /// @notice A clearing ended early.
    event ClearingClosed(bytes32 indexed clearing, Reason indexed reason, uint8 sides, uint64 closer);
    /// @notice Whatever the operator signed for this house and nobody has submitted yet is void.
    event SignaturesWithdrawn(uint64 indexed operatorId, uint64 nonce);

    /// @notice The caller is neither an anchorer nor the admin of the operator, by the ledger, now.
    error ClearingHouseNotOperator(uint64 operatorId, address caller);
    /// @notice The caller is not the operator's admin, by the ledger, now.
    error ClearingHouseNotAdmin(uint64 operatorId, address caller);
    /// @notice The operator is not a side of this clearing.
    error ClearingHouseNotParty(bytes32 clearing, uint64 operatorId);
    /// @notice No operator clears with itself, or with one that the ledger does not know.
    error ClearingHouseNoPartner(uint64 operatorId, uint64 partnerId);
    /// @notice Not a month from 200001 to 999912.
    error ClearingHouseInvalidPeriod(uint32 period);
    /// @notice A state has less than `MIN_WINDOW`, or all of them more than `MAX_SPAN`.
    error ClearingHouseDeadlines();
    /// @notice The last round of these operators and this period has not ended.
    error ClearingHouseRoundOpen(bytes32 clearing);
    /// @notice The clearing is in another state.
    error ClearingHouseWrongState(bytes32 clearing, State state);
    /// @notice The deadline has passed.
    error ClearingHouseTooLate(uint256 deadline);
    /// @notice The deadline has not passed.
    error ClearingHouseTooEarly(uint256 deadline);
    /// @notice A commitment or hash of zero.
    error ClearingHouseZeroHash();
    /// @notice The side has done this already.
    error ClearingHouseAlreadyDone(bytes32 clearing, uint64 operatorId);
    /// @notice What is shown does not lead to the commitment.
    error ClearingHouseWrongOpening();
    /// @notice A book names 1 to `MAX_BATCHES` batches, strictly increasing by region, then sequence.
    error ClearingHouseBatchOrder();
    /// @notice The ledger has no such batch, its operator repudiated it, or it was not anchored in a block before the
    /// commitment's time.
    error ClearingHouseBatchDoesNotStand(uint64 operatorId, uint32 region, uint32 sequence);
    /// @notice Every batch of the books that were revealed stands.
    error ClearingHouseNothingRepudiated(bytes32 clearing);
    /// @notice The next part has another number.
    error ClearingHousePartNumber(uint32 expected);
    /// @notice No amendment of either side that stands.
    error ClearingHouseNoAmendment();
    /// @notice Not the signature of the operator's admin over this, for this chain, house and the operator's nonce.
    error ClearingHouseInvalidSignature(uint64 operatorId);
    /// @notice The part was never agreed, or has ended.
    error ClearingHouseNotOwed(bytes32 source, uint32 part);
    /// @notice The amount is not one to be paid here: no token, nothing to pay, or no payee.
    error ClearingHouseNotPayable();
    /// @notice The payee's balance did not grow by exactly the amount.
    error ClearingHouseInexactPayment();
    /// @notice The operators of a netting are strictly increasing, sign one each, and replace a part at least.
    error ClearingHouseNettingShape();
    /// @notice A creditor or debtor of the netting is not among those who sign it, or is both.
    error ClearingHouseNotInRing(uint64 operatorId);

    // --- books -------------------------------------------------------------------------------------

    /// @notice Opens the next round of a clearing, for an anchorer or the admin of `operatorId`. The partner accepts by
    /// committing, or refuses.
    /// @return clearing the hash of the typed struct `Clearing`
    function open(uint64 operatorId, uint64 partnerId, uint32 period, Deadlines calldata deadlines)
        external
        returns (bytes32 clearing);

    /// @notice Commits to the operator's book, once: the hash of the typed struct `Book(bytes32 clearing,uint64
    /// operatorId,BatchReference[] batches,bytes32 statementsHash,bytes32 salt)BatchReference(uint32 region,uint32
    /// sequence)`. For an anchorer or the admin. Anchor the batches in an earlier block, at an earlier time.
    function commit(bytes32 clearing, uint64 operatorId, bytes32 commitment) external;

    /// @notice Opens the commitment when both have committed. For an anchorer or the admin. Each batch must stand
    /// and must have been anchored before the side committed, so before anybody opened anything.
    function reveal(
        bytes32 clearing,
        uint64 operatorId,
        BatchReference[] calldata batches,
        bytes32 statementsHash,
        bytes32 salt
    ) external;

    // --- ends --------------------------------------------------------------------------------------

    /// @notice The operator's admin ends the clearing before its last part is agreed; what is agreed stays.
    function refuse(bytes32 clearing, uint64 operatorId) external;

    /// @notice Ends a clearing whose state has outlived its deadline. For an anchorer or the admin of either side.
    function closeOverdue(bytes32 clearing, uint64 operatorId) external;

    /// @notice Ends a clearing of which a revealed batch has been repudiated, before its last part is agreed. For an
    /// anchorer or the admin of either side.
    function closeRepudiated(bytes32 clearing, uint64 operatorId) external;

    // --- money -------------------------------------------------------------------------------------

    /// @notice Takes the next part, with the EIP-712 signatures of both operators' admins in the domain (name
    /// "Billproof ClearingHouse", version "1"): `NetAmount(bytes32 clearing,uint32 part,bool last,uint64 creditor,bytes32
    /// amountCommitment,bytes32 documentHash,BatchKey amendment,uint64 nonceA,uint64 nonceB,uint256 deadline)
    /// BatchKey(uint64 operatorId,uint32 period,uint32 region,uint32 sequence)` (no space before `BatchKey(`), nonces
    /// from `nonceOf`. Accepts EIP-1271 contracts. Anyone may send it. Both books must still stand.
    function agree(NetAmount calldata net_, bytes calldata signatureA, bytes calldata signatureB) external;

    /// @notice The creditor's admin says that a part has been paid elsewhere.
    /// @param paymentHash of whatever document the creditor likes, or zero
    function confirm(bytes32 source, uint32 part, bytes32 paymentHash) external;

    /// @notice Pays a part in the token that its commitment names, from the caller to the payee. Anybody who can open
    /// the commitment may. **Makes the amount public.** The payee's balance must grow by exactly the amount.
    function pay(bytes32 source, uint32 part, AmountOpening calldata opening) external;

    /// @notice Replaces owed parts by others, all or nothing, with the signatures of the admins of every operator of
    /// the ring, in order, over `Netting(uint64[] operators,uint64[] nonces,PartReference[] replaced,NetPart[]
    /// parts,bytes32 documentHash,uint256 deadline)NetPart(uint64 creditor,uint64 debtor,bytes32 amountCommitment)
    /// PartReference(bytes32 source,uint32 number)` (no space before `PartReference(`), same domain. Anyone may send it.
    /// @return netting the hash of the typed struct `NettingId`: the source of the new parts
    function net(Netting calldata netting_, bytes[] calldata signatures) external returns (bytes32 netting);

    /// @notice Voids what the operator's admins signed and nobody has submitted yet. Admin only.
    function withdrawSignatures(uint64 operatorId) external;

    // --- state -------------------------------------------------------------------------------------

    /// @notice The clearing, all zero when there is none.
    function getClearing(bytes32 clearing) external view returns (Clearing memory);

    /// @notice How many rounds these operators have opened for this period, in either order of the two.
    function roundsOf(uint64 operatorId, uint64 partnerId, uint32 period) external view returns (uint32);

    /// @notice The id of a round, in either order of the operators.
    function clearingIdOf(uint64 operatorId, uint64 partnerId, uint32 period, uint32 round)
        external
        view
        returns (bytes32);

    /// @notice The batches of a side's book, empty until it is revealed.
    function bookOf(bytes32 clearing, uint64 operatorId) external view returns (BatchReference[] memory);

    /// @notice How many parts a clearing or a netting has.
    function partCount(bytes32 source) external view returns (uint256);

    /// @notice Part `number` from 1, all zero when there is none.
    function getPart(bytes32 source, uint32 number) external view returns (Part memory);

    /// @notice The id of the netting that replaces these parts.
    function nettingIdOf(PartReference[] calldata replaced) external view returns (bytes32);

    /// @notice The nonce of what the operator's admin signs next: how often its signatures were withdrawn.
    function nonceOf(uint64 operatorId) external view returns (uint64);

    /// @notice The billing ledger that says who may act for an operator; never another.
    function ledger() external view returns (address);

    /// @notice The EIP-712 domain separator of this house on this chain.
    function domainSeparator() external view returns (bytes32);
}
