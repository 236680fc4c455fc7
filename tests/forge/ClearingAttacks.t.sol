// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {ClearingHouse} from "../../contracts/ClearingHouse.sol";
import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {IClearingHouse} from "../../interfaces/IClearingHouse.sol";
import {Glutton, Shop, TellingToken, Told} from "./ClearingActors.sol";
import {ClearingFixture} from "./ClearingFixture.sol";

/// @dev What somebody might try on the house: docs/clearing.md, section 8, has the table.
contract ClearingAttacksTest is ClearingFixture {
    TellingToken private telling;
    Told private payer;
    Told private payee;

    function setUp() public {
        deployHouse();
        telling = new TellingToken();
        (payer, payee) = (new Told(), new Told());
        telling.mint(address(payer), 10_000);
        payer.execute(address(telling), abi.encodeCall(telling.approve, (address(house), type(uint256).max)));
    }

    // --- tokens that tell --------------------------------------------------------------------------

    function test_ATokenThatTellsPaysPayersAndPayeesWhoAreContracts() public {
        bytes32 clearing = _owedInTellingToken();
        _payFirst(clearing);
        assertEq(telling.balanceOf(address(payee)), 100, "received");
        assertStatus(clearing, 1, IClearingHouse.PartStatus.Paid);
    }

    function test_WhoIsToldPaysNoOtherPartMeanwhile() public {
        bytes32 clearing = _owedInTellingToken();
        bytes memory second = abi.encodeCall(house.pay, (clearing, 2, _opening(100)));
        Told[2] memory both = [payer, payee];
        for (uint256 i = 0; i < 2; ++i) {
            both[i].plan(address(house), second);
        }
        _payFirst(clearing);
        for (uint256 i = 0; i < 2; ++i) {
            assertTrue(both[i].calls() == 1 && !both[i].done(), "paid on the way");
            bytes32 error = bytes32(ReentrancyGuard.ReentrancyGuardReentrantCall.selector);
            assertEq(bytes32(both[i].answer()), error, "the guard's own error");
        }
        assertStatus(clearing, 2, IClearingHouse.PartStatus.Agreed);
    }

    function test_WhoIsToldNetsNoPartThatIsBeingPaid() public {
        bytes32 clearing = _owedInTellingToken();
        IClearingHouse.Netting memory netting = cancelling(1, 2, clearing, 1);
        payer.plan(address(house), abi.encodeCall(house.net, (netting, signedBy(netting))));
        _payFirst(clearing);
        assertTrue(payer.calls() == 1 && !payer.done(), "netted on the way");
        assertEq(house.getClearing(clearing).openParts, 1, "open parts");
    }

    /// @dev A part that is not being paid may be netted meanwhile: it brings no unit of any token.
    function test_WhoIsToldMayNetAnotherPart() public {
        bytes32 clearing = _owedInTellingToken();
        IClearingHouse.Netting memory netting = cancelling(1, 2, clearing, 2);
        payer.plan(address(house), abi.encodeCall(house.net, (netting, signedBy(netting))));
        _payFirst(clearing);
        assertStatus(clearing, 1, IClearingHouse.PartStatus.Paid);
        assertStatus(clearing, 2, IClearingHouse.PartStatus.Netted);
        assertEq(uint256(house.getClearing(clearing).state), uint256(IClearingHouse.State.Settled), "state");
    }

    function test_APayeeWhoPassesItOnAtOnceIsNotPaid() public {
        bytes32 clearing = _owedInTellingToken();
        payee.plan(address(telling), abi.encodeCall(telling.transfer, (PAYEE, 1)));
        vm.expectRevert(IClearingHouse.ClearingHouseInexactPayment.selector);
        _payFirst(clearing);
        assertEq(telling.balanceOf(PAYEE), 0, "passed on");
        assertStatus(clearing, 1, IClearingHouse.PartStatus.Agreed);
    }

    /// @dev The guard is a house's own. In another house the same payer pays the same payee on the way: the balance
    /// grows by both, which is too much for the outer part.
    function test_NoUnitCountsInTwoHouses() public {
        bytes32 clearing = _owedInTellingToken();
        ClearingHouse first = house;
        house = new ClearingHouse(ledger);
        bytes32 elsewhere = _owedInTellingToken();
        payer.execute(address(telling), abi.encodeCall(telling.approve, (address(house), type(uint256).max)));
        payer.plan(address(house), abi.encodeCall(house.pay, (elsewhere, 1, _opening(100))));
        house = first;
        vm.expectRevert(IClearingHouse.ClearingHouseInexactPayment.selector);
        _payFirst(clearing);
        assertEq(telling.balanceOf(address(payee)), 0, "received");
    }

    /// @dev A part reads as paid while its token is still being asked. What somebody does on the strength of that is
    /// undone with a payment that fails, and stands with one that does not.
    function test_WhatIsDoneOnAPaymentIsUndoneWithIt() public {
        bytes32 clearing = _owedInTellingToken();
        Shop shop = new Shop();
        bytes memory claim = abi.encodeCall(shop.claim, (house, clearing, 1));
        payer.plan(address(shop), claim);
        payee.plan(address(telling), abi.encodeCall(telling.transfer, (PAYEE, 1)));
        vm.expectRevert(IClearingHouse.ClearingHouseInexactPayment.selector);
        _payFirst(clearing);
        assertEq(shop.handedOut(), 0, "for a payment that failed");
        payee.plan(address(0), "");
        _payFirst(clearing);
        assertEq(shop.handedOut(), 1, "for one that did not");
    }

    /// @dev Precompiled contracts have no code and answer all the same, some with 32 bytes: never that they moved a token.
    function test_PrecompiledContractsAreNoTokens() public {
        bytes32 clearing = agreeing(1, 2);
        for (uint160 at = 1; at <= 9; ++at) {
            IClearingHouse.AmountOpening memory shown = opening(32);
            shown.token = address(at);
            IClearingHouse.NetAmount memory net = netAmount(clearing, uint32(at), false, 1, 0);
            net.amountCommitment = amountHash(clearing, uint32(at), shown);
            agree(1, 2, net);
            vm.expectRevert();
            house.pay{gas: 500_000}(clearing, uint32(at), shown);
        }
    }

    // --- wallets -----------------------------------------------------------------------------------

    /// @dev It withholds its signature, no more: whatever else the partner does does not ask it.
    function test_AWalletThatBurnsGasHoldsUpNobodyElse() public {
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 clearing = agreeing(1, 2);
            agree(1, 2, netAmount(clearing, 1, false, 1, 5));
            Glutton glutton = new Glutton();
            if (i == 1) glutton.answerMuch();
            vm.prank(adminOf(2));
            ledger.transferAdmin(2, address(glutton));
            glutton.execute(address(ledger), abi.encodeCall(ledger.acceptAdmin, (2)));
            IClearingHouse.NetAmount memory net = netAmount(clearing, 2, false, 1, 5);
            bytes32 digest = netDigest(net, 1, 2);
            (bytes memory a, bytes memory b) = (signed(1, digest), signed(2, digest));
            vm.expectRevert();
            house.agree{gas: 3_000_000}(net, a, b);
            vm.startPrank(adminOf(1));
            house.confirm{gas: 100_000}(clearing, 1, 0);
            house.refuse{gas: 100_000}(clearing, 1);
            vm.stopPrank();
            glutton.execute(address(ledger), abi.encodeCall(ledger.transferAdmin, (2, adminOf(2))));
            vm.prank(adminOf(2));
            ledger.acceptAdmin(2);
        }
    }

    // --- signatures --------------------------------------------------------------------------------

    function test_OtherFormsOfASignature() public {
        bytes32 clearing = agreeing(1, 2);
        IClearingHouse.NetAmount memory net = netAmount(clearing, 1, false, 1, 5);
        bytes32 digest = netDigest(net, 1, 2);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf(1), digest);
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes[3] memory forms = [
            abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27)),
            abi.encodePacked(r, bytes32(uint256(s) | (v == 28 ? 1 << 255 : 0))),
            abi.encodePacked(r, s, v, uint8(0))
        ];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseInvalidSignature.selector, 1));
            house.agree(net, forms[i], signed(2, digest));
        }
    }

    /// @dev In one block: what is withdrawn first is void, what is submitted first stays owed.
    function test_WithdrawnBetweenSignatureAndSubmission() public {
        bytes32 clearing = agreeing(1, 2);
        IClearingHouse.NetAmount memory net = netAmount(clearing, 1, false, 1, 5);
        bytes32 digest = netDigest(net, 1, 2);
        (bytes memory a, bytes memory b) = (signed(1, digest), signed(2, digest));
        vm.prank(adminOf(2));
        house.withdrawSignatures(2);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseInvalidSignature.selector, 1));
        house.agree(net, a, b); // the digest is another one: nobody's signature fits
        agree(1, 2, net);
        vm.prank(adminOf(2));
        house.withdrawSignatures(2);
        assertStatus(clearing, 1, IClearingHouse.PartStatus.Agreed);
    }

    /// @dev A nonce is of the operator, not of the place at which it signs: 2 is side B here and side A there.
    function test_NoncesGoWithTheOperator() public {
        vm.startPrank(adminOf(2));
        house.withdrawSignatures(2);
        vm.stopPrank();
        bytes32 clearing = agreeing(1, 2);
        agree(1, 2, netAmount(clearing, 1, false, 1, 5));
        bytes32 other = agreeing(2, 3);
        agree(2, 3, netAmount(other, 1, false, 2, 5));
        IClearingHouse.Netting memory netting = cancelling(1, 2, clearing, 1);
        house.net(netting, signedBy(netting));
    }

    /// @dev Every word of a call is read: with its highest bit turned over (beyond the type, in most) none passes.
    function test_EveryWordOfACallCounts() public {
        bytes32 clearing = agreeing(1, 2);
        IClearingHouse.NetAmount memory net = netAmount(clearing, 1, false, 1, 5);
        bytes32 digest = netDigest(net, 1, 2);
        _mangle(abi.encodeCall(house.agree, (net, signed(1, digest), signed(2, digest))));
        agree(1, 2, netAmount(clearing, 2, false, 1, 5));
        IClearingHouse.Netting memory netting = cancelling(1, 2, clearing, 1);
        netting.parts = new IClearingHouse.NetPart[](1);
        netting.parts[0] = IClearingHouse.NetPart(2, 1, SALT);
        _mangle(abi.encodeCall(house.net, (netting, signedBy(netting))));
        _mangle(abi.encodeCall(house.pay, (clearing, 2, opening(5))));
    }

    // --- forks of the chain ------------------------------------------------------------------------

    function test_NettingsOnAForkedChain() public {
        bytes32 clearing = agreeing(1, 2);
        agree(1, 2, netAmount(clearing, 1, false, 1, 5));
        IClearingHouse.Netting memory netting = cancelling(1, 2, clearing, 1);
        bytes[] memory signatures = signedBy(netting);
        bytes32 id = house.nettingIdOf(netting.replaced);
        vm.chainId(block.chainid + 1);
        assertTrue(house.nettingIdOf(netting.replaced) != id, "the id on another chain");
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseInvalidSignature.selector, 1));
        house.net(netting, signatures);
    }

    /// @dev Rounds are counted on, but the last one has no clearing under the new number: a pair that had a round for
    /// the period before the fork has none after it, and clears by a house of its own there.
    function test_RoundsOnAForkedChain() public {
        bytes32 clearing = agreeing(1, 2);
        agree(1, 2, netAmount(clearing, 1, true, 1, 5));
        vm.startPrank(adminOf(1));
        house.confirm(clearing, 1, 0);
        vm.chainId(block.chainid + 1);
        bytes32 none = house.clearingIdOf(1, 2, PERIOD, 1);
        vm.expectRevert(abi.encodeWithSelector(IClearingHouse.ClearingHouseRoundOpen.selector, none));
        house.open(1, 2, PERIOD, deadlines());
        house.open(1, 2, PERIOD + 1, deadlines());
        vm.stopPrank();
    }

    // --- shortcuts ---------------------------------------------------------------------------------

    function assertStatus(bytes32 source, uint32 part, IClearingHouse.PartStatus status) private view {
        assertEq(uint256(house.getPart(source, part).status), uint256(status), "status");
    }

    function _opening(uint256 amount) private view returns (IClearingHouse.AmountOpening memory) {
        return IClearingHouse.AmountOpening("EUR", amount, address(telling), address(payee), SALT);
    }

    /// @dev 2 owes 1 two parts of 100 in the token that tells.
    function _owedInTellingToken() private returns (bytes32 clearing) {
        clearing = agreeing(1, 2);
        for (uint32 part = 1; part <= 2; ++part) {
            IClearingHouse.NetAmount memory net = netAmount(clearing, part, part == 2, 1, 0);
            net.amountCommitment = amountHash(clearing, part, _opening(100));
            agree(1, 2, net);
        }
    }

    function _payFirst(bytes32 clearing) private {
        payer.execute(address(house), abi.encodeCall(house.pay, (clearing, 1, _opening(100))));
    }

    /// @dev The call with each word's highest bit turned over fails; as it is it passes.
    function _mangle(bytes memory call) private {
        for (uint256 at = 4; at < call.length; at += 32) {
            call[at] ^= 0x80;
            (bool passed,) = address(house).call(call);
            assertTrue(!passed, "a word that nobody reads");
            call[at] ^= 0x80;
        }
        (bool done,) = address(house).call(call);
        assertTrue(done, "the call as it was signed");
    }
}
