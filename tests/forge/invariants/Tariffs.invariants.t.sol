// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BillingLedger} from "../../../contracts/BillingLedger.sol";
import {TariffBook} from "../../../contracts/TariffBook.sol";
import {ITariffBook} from "../../../interfaces/ITariffBook.sol";
import {Base} from "../Base.sol";
import {TariffHandler} from "./TariffHandler.sol";

/// @dev What holds of a tariff book after any sequence of calls.
contract TariffInvariants is Base {
    TariffBook private book;
    TariffHandler private handler;

    function setUp() public {
        BillingLedger ledger = new BillingLedger();
        book = new TariffBook(ledger);
        handler = new TariffHandler(ledger, book);
    }

    /// @dev Where forge looks for what to call.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_EveryCallEndsAsTheModelSays() public view {
        assertEq(handler.wrongPredictions(), 0, "calls that ended otherwise");
    }

    /// @dev Whatever was published is there with its first terms; only a withdrawal is added, once.
    function invariant_VersionsAreNeverChanged() public view {
        for (uint64 id = 1; id <= handler.OPERATORS() + 1; ++id) {
            for (uint256 i = 0; i < handler.HASHES(); ++i) {
                bytes32 hash = handler.hashAt(i);
                bytes32 stored = keccak256(abi.encode(book.tariffOf(id, hash)));
                assertEq(stored, keccak256(abi.encode(handler.tariffOf(id, hash))), "version");
            }
        }
    }

    function invariant_ListsHoldEveryVersionOnceInOrder() public view {
        for (uint64 id = 1; id <= handler.OPERATORS() + 1; ++id) {
            bytes32[] memory order = handler.orderOf(id);
            assertEq(book.tariffCount(id), order.length, "count");
            for (uint256 i = 0; i < order.length; ++i) {
                (bytes32 hash, ITariffBook.Tariff memory tariff) = book.tariffAt(id, i);
                assertEq(hash, order[i], "order");
                assertEq(
                    keccak256(abi.encode(tariff)), keccak256(abi.encode(handler.tariffOf(id, hash))), "listed version"
                );
            }
        }
    }

    function invariant_NoVersionIsFromTheFutureOrWithdrawnBeforeItsPublication() public view {
        for (uint64 id = 1; id <= handler.OPERATORS(); ++id) {
            for (uint256 i = 0; i < book.tariffCount(id); ++i) {
                (, ITariffBook.Tariff memory tariff) = book.tariffAt(id, i);
                assertTrue(tariff.publishedAt <= block.timestamp, "published in the future");
                assertTrue(tariff.withdrawnFrom == 0 || tariff.withdrawnFrom >= tariff.publishedAt, "withdrawn before");
            }
        }
    }
}
