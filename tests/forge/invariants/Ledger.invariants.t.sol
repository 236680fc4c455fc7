// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BillingLedger} from "../../../contracts/BillingLedger.sol";
import {IBillingLedger} from "../../../interfaces/IBillingLedger.sol";
import {Base} from "../Base.sol";
import {LedgerHandler} from "./LedgerHandler.sol";

/// @dev What holds after any sequence of calls.
contract LedgerInvariants is Base {
    BillingLedger private ledger;
    LedgerHandler private handler;

    function setUp() public {
        ledger = new BillingLedger();
        handler = new LedgerHandler(ledger);
    }

    /// @dev Where forge looks for what to call.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Covers that only holders of the right anchor, that sequences leave no gap, that no root is zero, that
    /// amendments name a batch, that months must have begun: the handler predicts each call from these rules.
    function invariant_EveryCallEndsAsTheModelSays() public view {
        assertEq(handler.wrongPredictions(), 0, "calls that ended otherwise");
    }

    /// @dev Whatever was anchored is there with its root, time and block; only the flags go up.
    function invariant_BatchesAreNeverChanged() public view {
        for (uint256 i = 0; i < handler.batchCount(); ++i) {
            LedgerHandler.GhostBatch memory ghost = handler.batchAt(i);
            bytes32 stored = keccak256(abi.encode(ledger.getBatch(ghost.key)));
            assertEq(stored, keccak256(abi.encode(ghost.stored)), "batch");
        }
    }

    function invariant_HeadsAreTheHashOfEveryBatch() public view {
        for (uint64 id = 1; id <= handler.OPERATORS(); ++id) {
            assertEq(ledger.headOf(id), handler.heads(id), "head");
        }
    }

    function invariant_SealedStaysSealed() public view {
        for (uint64 id = 1; id <= handler.OPERATORS(); ++id) {
            for (uint256 i = 0; i < 3; ++i) {
                uint32 period = handler.PERIODS(i);
                (uint32 batches, uint32 sealedBatches, uint64 sealedAt) = handler.periods(id, period);
                bytes32 stored = keccak256(abi.encode(ledger.getPeriod(id, period)));
                assertEq(stored, keccak256(abi.encode(batches, sealedBatches, sealedAt)), "period");
            }
        }
        for (uint256 i = 0; i < handler.batchCount(); ++i) {
            LedgerHandler.GhostBatch memory ghost = handler.batchAt(i);
            assertTrue(!ghost.afterSeal || ghost.stored.amends != 0, "a batch after sealing amends none");
        }
    }

    /// @dev One batch a sequence, none beyond the last, none under an operator that does not exist.
    function invariant_NothingElseIsAnchored() public view {
        uint256 counted = 0;
        for (uint64 id = 1; id <= handler.OPERATORS() + 1; ++id) {
            for (uint256 i = 0; i < 3; ++i) {
                for (uint32 region = 0; region < handler.REGIONS(); ++region) {
                    uint32 period = handler.PERIODS(i);
                    uint32 last = handler.sequences(id, period, region);
                    IBillingLedger.BatchKey memory key = IBillingLedger.BatchKey(id, period, region, last + 1);
                    assertEq(ledger.getBatch(key).root, 0, "a batch beyond the last");
                    counted += last;
                }
            }
        }
        assertEq(counted, handler.batchCount(), "batches");
    }
}
