// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Base} from "../Base.sol";
import {ProofHandler} from "./ProofHandler.sol";

/// @dev Nothing that is not so can be proved, whoever anchors and flags what.
contract ProofInvariants is Base {
    ProofHandler private handler;

    function setUp() public {
        handler = new ProofHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_NoProofOfAnAbsentRecord() public view {
        assertEq(handler.falseRecords(), 0, "records proved that are not there");
    }

    function invariant_NoAbsenceOfAPresentAccountButByAnUnprovedFault() public view {
        assertEq(handler.falseAbsences(), 0, "present accounts shown absent");
    }

    function invariant_HonestRingsAreNeverFlagged() public view {
        assertEq(handler.falseFlags(), 0, "honest rings flagged");
    }
}
