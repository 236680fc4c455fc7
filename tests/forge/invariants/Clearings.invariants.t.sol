// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ClearingHouse} from "../../../contracts/ClearingHouse.sol";
import {IClearingHouse} from "../../../interfaces/IClearingHouse.sol";
import {Base} from "../Base.sol";
import {ClearingHandler} from "./ClearingHandler.sol";

/// @dev What holds of a clearing house after any sequence of calls.
contract ClearingInvariants is Base {
    ClearingHouse private house;
    ClearingHandler private handler;

    function setUp() public {
        handler = new ClearingHandler();
        house = handler.theHouse();
    }

    /// @dev Where forge looks for what to call.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_StatesOnlyMoveForward() public view {
        assertEq(handler.broken(), 0, "states that went back");
    }

    function invariant_NoPartEndsTwice() public view {
        for (uint256 i = 0; i < handler.partCount(); ++i) {
            ClearingHandler.Ghost memory ghost = handler.partAt(i);
            IClearingHouse.Part memory part = house.getPart(ghost.source, ghost.number);
            bool ended = part.status != IClearingHouse.PartStatus.Agreed;
            assertEq(ghost.ends, ended ? 1 : 0, "ends");
            assertTrue(part.status != IClearingHouse.PartStatus.None, "a part that is gone");
            assertEq(part.endedAt == 0 ? 0 : 1, ended ? 1 : 0, "the time of its end");
        }
    }

    function invariant_TermsNeverChange() public view {
        for (uint256 i = 0; i < handler.partCount(); ++i) {
            ClearingHandler.Ghost memory ghost = handler.partAt(i);
            assertEq(handler.termsOf(ghost.source, ghost.number), ghost.terms, "terms");
        }
    }

    /// @dev Every unit of a part that counts as paid has arrived, and none stays here.
    function invariant_PaymentsArriveToTheLastUnit() public view {
        assertEq(handler.received(), handler.paid(), "received");
        assertEq(handler.kept(), 0, "kept by the house");
    }

    /// @dev `openParts` is the number of parts that are owed, and Settled means that none is.
    function invariant_CountsAgreeWithTheParts() public view {
        for (uint256 i = 0; i < handler.clearingCount(); ++i) {
            bytes32 id = handler.clearingAt(i);
            IClearingHouse.Clearing memory clearing = house.getClearing(id);
            uint256 owed = 0;
            for (uint32 part = 1; part <= house.partCount(id); ++part) {
                if (house.getPart(id, part).status == IClearingHouse.PartStatus.Agreed) ++owed;
            }
            assertEq(clearing.openParts, owed, "open parts");
            if (clearing.state == IClearingHouse.State.Settled) assertEq(owed, 0, "settled");
            if (clearing.state == IClearingHouse.State.Settling) assertTrue(owed != 0, "settling");
        }
    }
}
