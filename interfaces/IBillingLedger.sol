// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Billing ledger: one Merkle root per batch of a billing period
/// @notice Operators anchor the root of every batch of statements here. Nothing personal is stored or
/// logged. Views recompute every hash from the fields they are given and answer with a reason code.
/// The hashes are those of docs/protocol.md; every leaf is an EIP-712 `hashStruct`.
interface IBillingLedger {
    /// @notice Names a batch inside this ledger; sequences of an (operator, period, region) start at 1.
    struct BatchKey {
        uint64 operatorId;
        uint32 period; // YYYYMM of the operator's billing cycle
        uint32 region;
        uint32 sequence;
    }

    /// @notice What `anchorMany` anchors, one entry a batch; the meaning is that of `anchor`.
    struct BatchAnchor {
        uint32 period;
        uint32 region;
        uint32 expectedSequence;
        bytes32 root;
        bytes32 manifestHash;
        uint32 amends;
    }

    /// @notice A stored batch. `amends` is the sequence that it amends, 0 for none.
    struct Batch {
        bytes32 root;
        uint64 anchoredAt; // seconds, block time
        uint64 blockNumber; // as the chain's EVM counts; some rollups give their parent chain's
        uint32 amends;
        bool repudiated;
        bool ringFault;
    }

    /// @notice A billing period of one operator. `sealedAt` is 0 while the period is open.
    struct Period {
        uint32 batches; // anchored, amendments included
        uint32 sealedBatches; // anchored when sealed
        uint64 sealedAt;
    }

    /// @notice A registered operator. A name proves nothing by itself: verifiers bind `domain` both ways.
    struct Operator {
        address admin;
        address pendingAdmin;
        bytes32 head; // running hash over every batch of this operator
        string name;
        string domain;
        string metadataURI;
    }

    /// @notice One line of a statement; the fields of the typed struct `CallRecord`, `peer` as its hash.
    struct CallRecord {
        uint32 index;
        uint8 service;
        uint64 startedAt;
        int16 utcOffset;
        uint64 usage;
        uint64 billedUsage;
        bytes32 peer;
        bytes8 network;
        int128 amount;
        bytes32 rate;
        bytes32 corrects;
    }

    /// @notice The statement around a record, without its records root; `totals` as its hash.
    struct StatementTerms {
        bytes32 account;
        uint32 recordCount;
        bytes3 currency;
        bytes32 tariff;
        bytes32 totals;
    }

    /// @notice A whole statement, its total opened.
    struct StatementOpening {
        bytes32 account;
        bytes32 recordsRoot;
        uint32 recordCount;
        bytes3 currency;
        bytes32 tariff;
        int128 total;
        bytes32 totalSalt;
    }

    /// @notice A leaf of the batch tree.
    struct AccountEntry {
        bytes32 account;
        bytes32 nextAccount;
        bytes32 statement;
    }

    /// @notice Why a verification failed; `Ok` is success.
    enum Reason {
        Ok,
        NotAnchored, // no such batch
        EmptySet, // no records, or a record count of zero
        IndexOutOfRange, // index >= recordCount, or indexes not strictly increasing
        RecordProofLength, // the records proof has another length than (recordCount, index) demand
        EntryProofLength, // longer than 40
        RootMismatch, // the recomputed root is not the anchored one
        NotAbsent, // the entry does not show that the key is absent
        RingFault // the batch is flagged: its absences prove nothing
    }

    /// @notice An operator was registered by its admin.
    event OperatorRegistered(
        uint64 indexed operatorId, address indexed admin, string name, string domain, string metadataURI
    );
    /// @notice An operator changed what it says of itself.
    event OperatorUpdated(uint64 indexed operatorId, string name, string domain, string metadataURI);
    /// @notice The admin named a successor, or cancelled with the zero address.
    event AdminTransferStarted(uint64 indexed operatorId, address indexed admin, address indexed pendingAdmin);
    /// @notice The successor accepted. Anchorer keys stay as they were.
    event AdminTransferred(uint64 indexed operatorId, address indexed previousAdmin, address indexed admin);
    /// @notice A key may anchor from now on.
    event AnchorerGranted(uint64 indexed operatorId, address indexed anchorer);
    /// @notice A key may no longer anchor; what it anchored before stays.
    event AnchorerRevoked(uint64 indexed operatorId, address indexed anchorer);
    /// @notice A batch was anchored; holds all that the operator's head is computed from.
    event BatchAnchored(
        uint64 indexed operatorId,
        uint32 indexed period,
        bytes32 indexed batchId,
        uint32 region,
        uint32 sequence,
        bytes32 root,
        bytes32 manifestHash,
        uint32 amends,
        address anchorer
    );
    /// @notice A period was closed with so many batches.
    event PeriodSealed(uint64 indexed operatorId, uint32 indexed period, bytes32 head, uint32 batches);
    /// @notice The operator disowned a batch.
    event BatchRepudiated(uint64 indexed operatorId, bytes32 indexed batchId);
    /// @notice A batch's ring of accounts was shown to lie; its absences prove nothing any more.
    event RingFaultProved(uint64 indexed operatorId, bytes32 indexed batchId, address indexed reporter);

    /// @notice No operator has this id.
    error BillingLedgerUnknownOperator(uint64 operatorId);
    /// @notice An operator needs a name.
    error BillingLedgerEmptyName();
    /// @notice Only the operator's admin may do this.
    error BillingLedgerNotAdmin(uint64 operatorId, address caller);
    /// @notice Only the successor whom the admin named may accept.
    error BillingLedgerNotPendingAdmin(uint64 operatorId, address caller);
    /// @notice The key was never granted, or was revoked.
    error BillingLedgerNotAnchorer(uint64 operatorId, address caller);
    /// @notice The zero address cannot anchor.
    error BillingLedgerZeroAddress();
    /// @notice Not a month from 200001 to 999912.
    error BillingLedgerInvalidPeriod(uint32 period);
    /// @notice The month has not begun in UTC.
    error BillingLedgerFuturePeriod(uint32 period);
    /// @notice The period is closed; only amendments are taken.
    error BillingLedgerPeriodSealed(uint64 operatorId, uint32 period);
    /// @notice A batch with this sequence is there: compare its root before retrying.
    error BillingLedgerSequenceTaken(uint64 operatorId, uint32 period, uint32 region, uint32 sequence);
    /// @notice The sequence before this one is missing; sequences start at 1.
    error BillingLedgerSequenceGap(uint64 operatorId, uint32 period, uint32 region, uint32 sequence);
    /// @notice A root of zero stands for no batch.
    error BillingLedgerZeroRoot();
    /// @notice No such batch to amend, repudiate or flag.
    error BillingLedgerUnknownBatch(uint64 operatorId, uint32 period, uint32 region, uint32 sequence);
    /// @notice There is nothing to anchor.
    error BillingLedgerEmptySet();
    /// @notice The deadline has passed.
    error BillingLedgerSignatureExpired(uint256 deadline);
    /// @notice Not this key's signature over these arguments, this chain, this ledger and its current nonce.
    error BillingLedgerInvalidSignature(address anchorer);
    /// @notice Something was anchored since; this is the head now.
    error BillingLedgerHeadMismatch(bytes32 head);
    /// @notice The period has this many batches.
    error BillingLedgerBatchCountMismatch(uint32 batches);
    /// @notice The batch carries this flag already.
    error BillingLedgerAlreadyFlagged(bytes32 batchId);
    /// @notice The entries are not both in the batch, are one and the same, or do not conflict.
    error BillingLedgerNoRingFault();

    // --- operators ---------------------------------------------------------------------------------

    /// @notice Registers the caller as admin of a new operator; anyone may.
    /// @return operatorId numbered from 1 in order of registration
    function registerOperator(string calldata name, string calldata domain, string calldata metadataURI)
        external
        returns (uint64 operatorId);

    /// @notice Changes what the operator says of itself; admin only.
    function updateOperator(
        uint64 operatorId,
        string calldata name,
        string calldata domain,
        string calldata metadataURI
    ) external;

    /// @notice First step of a transfer; the zero address cancels. Admin only.
    function transferAdmin(uint64 operatorId, address newAdmin) external;

    /// @notice Second step, by the pending admin.
    function acceptAdmin(uint64 operatorId) external;

    /// @notice Lets `anchorer` anchor for the operator; admin only. The admin itself holds no such right unless
    /// granted.
    function grantAnchorer(uint64 operatorId, address anchorer) external;

    /// @notice Takes the right back and voids the key's signature for the current nonce by bumping the nonce;
    /// admin only. A thief may have signed for later nonces too: never grant a stolen key again.
    function revokeAnchorer(uint64 operatorId, address anchorer) external;

    // --- anchoring ---------------------------------------------------------------------------------

    /// @notice Anchors one batch. Reverts when the sequence is taken (so a retry is safe) or leaves a gap,
    /// when the period is invalid, in the future, or sealed (unless the batch amends one), or the root is zero.
    /// @param amends sequence of the batch of this period and region that this one amends, 0 for none
    /// @return batchId the hash of the typed struct `BatchId`
    function anchor(
        uint64 operatorId,
        uint32 period,
        uint32 region,
        uint32 expectedSequence,
        bytes32 root,
        bytes32 manifestHash,
        uint32 amends
    ) external returns (bytes32 batchId);

    /// @notice Anchors several batches of one operator in order, all or none.
    function anchorMany(uint64 operatorId, BatchAnchor[] calldata batches) external;

    /// @notice `anchor` for a holder of the right who signed the EIP-712 struct
    /// `Anchor(uint64 operatorId,uint32 period,uint32 region,uint32 expectedSequence,bytes32 root,bytes32
    /// manifestHash,uint32 amends,address anchorer,uint256 nonce,uint256 deadline)`, `nonce` from `nonceOf`,
    /// in the domain (name "Billproof", version "1"). Accepts EIP-1271 contracts. Anyone may send it.
    function anchorBySig(
        uint64 operatorId,
        BatchAnchor calldata batch_,
        address anchorer,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bytes32 batchId);

    /// @notice Closes a period, also one without batches: afterwards only amendments are anchored. Admin only,
    /// naming the operator's head and the period's number of batches, so that it never seals what the admin has
    /// not seen.
    function seal(uint64 operatorId, uint32 period, bytes32 expectedHead, uint32 expectedBatches) external;

    /// @notice Marks a batch as not the operator's own (a stolen key); it stays visible. Admin only.
    function repudiate(BatchKey calldata key) external;

    /// @notice Flags a batch for ever, given two of its entries with equal keys, or one whose key lies
    /// inside the other's gap. Anyone may.
    function proveRingFault(
        BatchKey calldata key,
        AccountEntry calldata entryA,
        bytes32[] calldata proofA,
        AccountEntry calldata entryB,
        bytes32[] calldata proofB
    ) external;

    // --- state -------------------------------------------------------------------------------------

    /// @notice How many operators are registered; their ids are 1 to this.
    function operatorCount() external view returns (uint64);

    /// @notice What is stored of an operator; reverts when there is none.
    function getOperator(uint64 operatorId) external view returns (Operator memory);

    /// @notice Whether the key may anchor for the operator now.
    function isAnchorer(uint64 operatorId, address account) external view returns (bool);

    /// @notice The `nonce` of the next `Anchor` that `anchorer` signs for this operator:
    /// `operatorId << 64 | n`, n counting the signatures used and the revocations.
    function nonceOf(uint64 operatorId, address anchorer) external view returns (uint256);

    /// @notice The running hash over the operator's batches:
    /// `head' = keccak256(abi.encode(head, batchId, root, manifestHash, amends))`, starting from
    /// `keccak256(abi.encode(domainSeparator, operatorId))`. Reverts when there is no such operator.
    function headOf(uint64 operatorId) external view returns (bytes32);

    /// @notice What is stored of a period, all zero when nothing was anchored in it and it is not sealed.
    function getPeriod(uint64 operatorId, uint32 period) external view returns (Period memory);

    /// @notice The batch, all zero when there is none.
    function getBatch(BatchKey calldata key) external view returns (Batch memory);

    /// @notice The hash of the typed struct `BatchId` for this chain and ledger.
    function batchIdOf(BatchKey calldata key) external view returns (bytes32);

    /// @notice The EIP-712 domain separator of this ledger on this chain.
    function domainSeparator() external view returns (bytes32);

    // --- verification ------------------------------------------------------------------------------
    // Reasons are found in the order in which `Reason` lists them, a missing batch before all; `verifyAbsence`
    // answers `RingFault` before it looks at the entry. Repudiated batches verify: ask `getBatch` for the flag.

    /// @notice Whether this record is a line of a statement of the batch.
    function verifyRecord(
        BatchKey calldata key,
        StatementTerms calldata terms,
        bytes32 nextAccount,
        CallRecord calldata record,
        bytes32[] calldata recordProof,
        bytes32[] calldata entryProof
    ) external view returns (Reason);

    /// @notice The same for several records of one statement by an OpenZeppelin multiproof; their indexes
    /// strictly increasing.
    function verifyRecords(
        BatchKey calldata key,
        StatementTerms calldata terms,
        bytes32 nextAccount,
        CallRecord[] calldata records,
        bytes32[] calldata recordProof,
        bool[] calldata recordProofFlags,
        bytes32[] calldata entryProof
    ) external view returns (Reason);

    /// @notice Whether this statement, with this total, is in the batch.
    function verifyStatement(
        BatchKey calldata key,
        StatementOpening calldata statement,
        bytes32 nextAccount,
        bytes32[] calldata entryProof
    ) external view returns (Reason);

    /// @notice Whether the entry shows that the batch holds no statement under `accountKey`.
    function verifyAbsence(
        BatchKey calldata key,
        bytes32 accountKey,
        AccountEntry calldata entry,
        bytes32[] calldata entryProof
    ) external view returns (Reason);
}
