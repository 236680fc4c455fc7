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
        uint64 blockNumber;
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

    event OperatorRegistered(uint64 indexed operatorId, address indexed admin, string name, string domain, string metadataURI);
    event OperatorUpdated(uint64 indexed operatorId, string name, string domain, string metadataURI);
    event AdminTransferStarted(uint64 indexed operatorId, address indexed admin, address indexed pendingAdmin);
    event AdminTransferred(uint64 indexed operatorId, address indexed previousAdmin, address indexed admin);
    event AnchorerGranted(uint64 indexed operatorId, address indexed anchorer);
    event AnchorerRevoked(uint64 indexed operatorId, address indexed anchorer);
    event BatchAnchored(
        uint64 indexed operatorId,
        uint32 indexed period,
        bytes32 indexed batchId,
        uint32 region,
        uint32 sequence,
        bytes32 root,
        bytes32 manifestHash,
        uint32 amends,
        address anchorer,
        bytes32 head
    );
    event PeriodSealed(uint64 indexed operatorId, uint32 indexed period, bytes32 head, uint32 batches);
    event BatchRepudiated(uint64 indexed operatorId, bytes32 indexed batchId);
    event RingFaultProved(uint64 indexed operatorId, bytes32 indexed batchId, address indexed reporter);

    error BillingLedgerUnknownOperator(uint64 operatorId);
    error BillingLedgerEmptyName();
    error BillingLedgerNotAdmin(uint64 operatorId, address caller);
    error BillingLedgerNotPendingAdmin(uint64 operatorId, address caller);
    error BillingLedgerNotAnchorer(uint64 operatorId, address caller);
    error BillingLedgerZeroAddress();
    error BillingLedgerInvalidPeriod(uint32 period);
    error BillingLedgerFuturePeriod(uint32 period);
    error BillingLedgerPeriodSealed(uint64 operatorId, uint32 period);
    error BillingLedgerSequenceTaken(uint64 operatorId, uint32 period, uint32 region, uint32 sequence);
    error BillingLedgerSequenceGap(uint64 operatorId, uint32 period, uint32 region, uint32 sequence);
    error BillingLedgerZeroRoot();
    error BillingLedgerUnknownBatch(uint64 operatorId, uint32 period, uint32 region, uint32 sequence);
    error BillingLedgerEmptySet();
    error BillingLedgerSignatureExpired(uint256 deadline);
    error BillingLedgerInvalidSignature(address anchorer);
    error BillingLedgerHeadMismatch(bytes32 head);
    error BillingLedgerBatchCountMismatch(uint32 batches);
    error BillingLedgerAlreadyFlagged(bytes32 batchId);
    error BillingLedgerNoRingFault();

    // --- operators ---------------------------------------------------------------------------------

    /// @notice Registers the caller as admin of a new operator; anyone may.
    /// @return operatorId numbered from 1 in order of registration
    function registerOperator(string calldata name, string calldata domain, string calldata metadataURI)
        external
        returns (uint64 operatorId);

    /// @notice Changes what the operator says of itself; admin only.
    function updateOperator(uint64 operatorId, string calldata name, string calldata domain, string calldata metadataURI)
        external;

    /// @notice First step of a transfer; the zero address cancels. Admin only.
    function transferAdmin(uint64 operatorId, address newAdmin) external;

    /// @notice Second step, by the pending admin.
    function acceptAdmin(uint64 operatorId) external;

    /// @notice Lets `anchorer` anchor for the operator; admin only. The admin itself holds no such right unless granted.
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

    /// @notice Closes a period: afterwards only amendments are anchored. Admin only, naming the operator's
    /// head and the period's number of batches, so that it never seals what the admin has not seen.
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

    function getOperator(uint64 operatorId) external view returns (Operator memory);

    function isAnchorer(uint64 operatorId, address account) external view returns (bool);

    /// @notice The `nonce` of the next `Anchor` that `anchorer` signs for this operator:
    /// `operatorId << 64 | n`, n counting the signatures used and the revocations.
    function nonceOf(uint64 operatorId, address anchorer) external view returns (uint256);

    /// @notice The running hash over the operator's batches:
    /// `head' = keccak256(abi.encode(head, batchId, root, manifestHash, amends))`, starting from
    /// `keccak256(abi.encode(domainSeparator, operatorId))`.
    function headOf(uint64 operatorId) external view returns (bytes32);

    function getPeriod(uint64 operatorId, uint32 period) external view returns (Period memory);

    /// @notice The batch, all zero when there is none.
    function getBatch(BatchKey calldata key) external view returns (Batch memory);

    /// @notice The hash of the typed struct `BatchId` for this chain and ledger.
    function batchIdOf(BatchKey calldata key) external view returns (bytes32);

    function domainSeparator() external view returns (bytes32);

    // --- verification ------------------------------------------------------------------------------

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
