// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BillingLedger} from "../../contracts/BillingLedger.sol";
import {TariffBook} from "../../contracts/TariffBook.sol";
import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {ITariffBook} from "../../interfaces/ITariffBook.sol";
import {LedgerTest} from "./LedgerFixture.sol";
import {Wallet} from "./Signatures.t.sol";

/// @dev Who may publish and withdraw what, and what is kept of it.
contract TariffBookTest is LedgerTest {
    bytes32 private constant TARIFF = keccak256("tariff");
    TariffBook private book;

    function setUp() public override {
        super.setUp();
        book = new TariffBook(ledger);
    }

    function testFuzz_KeepsExactlyWhatWasPublished(bytes32 tariff, uint64 from, uint64 until, uint32 wait) public {
        vm.assume(tariff != 0 && (until == 0 || until > from));
        vm.warp(NOW + wait);
        _publish(ANCHORER, tariff, from, until);
        _assertTariff(tariff, ITariffBook.Tariff(uint64(NOW + wait), from, until, 0));
    }

    function testFuzz_ValidityMustNotEndBeforeItBegins(uint64 from, uint64 until) public {
        vm.assume(until != 0 && until <= from);
        vm.prank(ANCHORER);
        vm.expectRevert(abi.encodeWithSelector(ITariffBook.TariffBookEmptyValidity.selector, from, until));
        book.publish(OPERATOR, TARIFF, from, until);
    }

    /// @dev The edges, which a fuzzer seldom meets: no second, one second.
    function test_TheShortestValidity() public {
        vm.prank(ANCHORER);
        vm.expectRevert(abi.encodeWithSelector(ITariffBook.TariffBookEmptyValidity.selector, 7, 7));
        book.publish(OPERATOR, TARIFF, 7, 7);
        _publish(ANCHORER, TARIFF, 7, 8);
    }

    function testFuzz_OnlyAnchorersAndTheAdminPublish(address sender) public {
        vm.assume(sender != ADMIN && sender != ANCHORER);
        vm.prank(sender);
        vm.expectRevert(abi.encodeWithSelector(ITariffBook.TariffBookNotPublisher.selector, OPERATOR, sender));
        book.publish(OPERATOR, TARIFF, 1, 0);
    }

    function testFuzz_OnlyTheAdminWithdraws(address sender) public {
        vm.assume(sender != ADMIN);
        _publish(ANCHORER, TARIFF, 1, 0);
        vm.prank(sender);
        vm.expectRevert(abi.encodeWithSelector(ITariffBook.TariffBookNotAdmin.selector, OPERATOR, sender));
        book.withdraw(OPERATOR, TARIFF, uint64(NOW));
    }

    function testFuzz_WithdrawalReachesNotBack(uint64 from) public {
        _publish(ADMIN, TARIFF, 1, 2);
        vm.prank(ADMIN);
        if (from < NOW) {
            vm.expectRevert(abi.encodeWithSelector(ITariffBook.TariffBookWithdrawalInThePast.selector, from));
        }
        book.withdraw(OPERATOR, TARIFF, from);
        _assertTariff(TARIFF, ITariffBook.Tariff(uint64(NOW), 1, 2, from < NOW ? 0 : from));
    }

    function testFuzz_UnknownOperators(uint64 operatorId) public {
        vm.assume(operatorId != OPERATOR);
        bytes memory unknown = abi.encodeWithSelector(IBillingLedger.BillingLedgerUnknownOperator.selector, operatorId);
        vm.startPrank(ADMIN);
        vm.expectRevert(unknown);
        book.publish(operatorId, TARIFF, 1, 0);
        vm.expectRevert(unknown);
        book.withdraw(operatorId, TARIFF, uint64(NOW));
        vm.stopPrank();
    }

    function test_OnceForEachOperatorAndHash() public {
        _publish(ANCHORER, TARIFF, 1, 0);
        bytes memory again = abi.encodeWithSelector(ITariffBook.TariffBookAlreadyPublished.selector, OPERATOR, TARIFF);
        vm.prank(ADMIN);
        vm.expectRevert(again);
        book.publish(OPERATOR, TARIFF, 5, 0);
        vm.prank(ADMIN);
        book.withdraw(OPERATOR, TARIFF, uint64(NOW));
        vm.warp(NOW + 1 days);
        vm.prank(ADMIN);
        vm.expectRevert(again);
        book.publish(OPERATOR, TARIFF, 1, 0);
        _assertTariff(TARIFF, ITariffBook.Tariff(uint64(NOW), 1, 0, uint64(NOW)));
    }

    /// @dev Another's hash under one's own operator, before or after: the other's version is untouched.
    function test_OperatorsAreApart() public {
        address rival = address(0xBEEF);
        vm.startPrank(rival);
        uint64 mine = ledger.registerOperator("Mallory", "", "");
        book.publish(mine, TARIFF, 7, 9);
        vm.stopPrank();
        assertEq(book.tariffOf(OPERATOR, TARIFF).publishedAt, 0, "not published by the operator");
        assertEq(book.tariffCount(OPERATOR), 0, "count");
        _publish(ANCHORER, TARIFF, 1, 0);
        vm.prank(rival);
        book.withdraw(mine, TARIFF, uint64(NOW));
        _assertTariff(TARIFF, ITariffBook.Tariff(uint64(NOW), 1, 0, 0));
    }

    function test_ZeroHash() public {
        vm.prank(ANCHORER);
        vm.expectRevert(ITariffBook.TariffBookZeroHash.selector);
        book.publish(OPERATOR, 0, 1, 0);
    }

    function test_WithdrawnOnceAndOnlyWhatIsThere() public {
        vm.startPrank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(ITariffBook.TariffBookNotPublished.selector, OPERATOR, TARIFF));
        book.withdraw(OPERATOR, TARIFF, uint64(NOW));
        book.publish(OPERATOR, TARIFF, 1, 0);
        book.withdraw(OPERATOR, TARIFF, uint64(NOW + 9));
        vm.expectRevert(
            abi.encodeWithSelector(ITariffBook.TariffBookAlreadyWithdrawn.selector, OPERATOR, TARIFF, NOW + 9)
        );
        book.withdraw(OPERATOR, TARIFF, uint64(NOW + 8));
        vm.stopPrank();
    }

    /// @dev The ledger is asked each time: rights end there with the next call.
    function test_RightsAreTheLedgersOfTheMoment() public {
        address successor = address(0x5);
        vm.startPrank(ADMIN);
        ledger.revokeAnchorer(OPERATOR, ANCHORER);
        ledger.transferAdmin(OPERATOR, successor);
        vm.stopPrank();
        vm.prank(ANCHORER);
        vm.expectRevert(abi.encodeWithSelector(ITariffBook.TariffBookNotPublisher.selector, OPERATOR, ANCHORER));
        book.publish(OPERATOR, TARIFF, 1, 0);
        vm.prank(successor);
        vm.expectRevert(abi.encodeWithSelector(ITariffBook.TariffBookNotPublisher.selector, OPERATOR, successor));
        book.publish(OPERATOR, TARIFF, 1, 0);
        vm.prank(successor);
        ledger.acceptAdmin(OPERATOR);
        _publish(successor, TARIFF, 1, 0);
        vm.prank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(ITariffBook.TariffBookNotAdmin.selector, OPERATOR, ADMIN));
        book.withdraw(OPERATOR, TARIFF, uint64(NOW));
    }

    /// @dev Another ledger's operator 1 has no rights in this book, nor this one's in a book of the other.
    function test_BooksListenToTheirLedgerAlone() public {
        address rival = address(0xBEEF);
        vm.startPrank(rival);
        BillingLedger other = new BillingLedger();
        other.registerOperator("Carrier", "carrier.example", "");
        vm.expectRevert(abi.encodeWithSelector(ITariffBook.TariffBookNotPublisher.selector, OPERATOR, rival));
        book.publish(OPERATOR, TARIFF, 1, 0);
        new TariffBook(other).publish(OPERATOR, TARIFF, 1, 0);
        vm.stopPrank();
        assertEq(book.tariffCount(OPERATOR), 0, "count");
        assertEq(uint160(book.ledger()), uint160(address(ledger)), "ledger");
    }

    /// @dev A book may be there before its ledger: it takes nothing until then.
    function test_BookWithoutALedger() public {
        TariffBook early = new TariffBook(IBillingLedger(address(0x1ed6e5)));
        vm.prank(ADMIN);
        vm.expectRevert();
        early.publish(OPERATOR, TARIFF, 1, 0);
    }

    function testFuzz_ListsInOrder(uint8 count) public {
        uint256 versions = uint256(count) % 9;
        for (uint256 i = 0; i < versions; ++i) {
            _publish(ANCHORER, keccak256(abi.encode(i)), uint64(i), 0);
        }
        assertEq(book.tariffCount(OPERATOR), versions, "count");
        for (uint256 i = 0; i < versions; ++i) {
            (bytes32 hash, ITariffBook.Tariff memory tariff) = book.tariffAt(OPERATOR, i);
            assertEq(hash, keccak256(abi.encode(i)), "hash");
            assertEq(tariff.validFrom, i, "tariff");
        }
        vm.expectRevert(abi.encodeWithSelector(ITariffBook.TariffBookNoSuchIndex.selector, OPERATOR, versions));
        book.tariffAt(OPERATOR, versions);
    }

    /// @dev A version is one slot, its four times side by side.
    function testFuzz_OneSlotAVersion(uint64 from, uint64 until) public {
        vm.assume(until > from);
        _publish(ADMIN, TARIFF, from, until);
        vm.prank(ADMIN);
        book.withdraw(OPERATOR, TARIFF, uint64(NOW + 5));
        // EIP712 keeps two slots for names that are too long for an immutable.
        bytes32 slot = keccak256(abi.encode(TARIFF, keccak256(abi.encode(OPERATOR, uint256(2)))));
        uint256 packed = NOW | uint256(from) << 64 | uint256(until) << 128 | (NOW + 5) << 192;
        assertEq(uint256(vm.load(address(book), slot)), packed, "slot");
    }

    function _publish(address sender, bytes32 tariff, uint64 from, uint64 until) private {
        vm.prank(sender);
        book.publish(OPERATOR, tariff, from, until);
    }

    function _assertTariff(bytes32 hash, ITariffBook.Tariff memory expected) private view {
        assertEq(keccak256(abi.encode(book.tariffOf(OPERATOR, hash))), keccak256(abi.encode(expected)), "stored tariff");
    }
}

contract TariffSignaturesTest is LedgerTest {
    bytes32 private constant PUBLISH_TYPE = keccak256(
        "Publish(uint64 operatorId,bytes32 tariffHash,uint64 validFrom,uint64 validUntil,address publisher,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant TARIFF = keccak256("tariff");
    uint256 private constant KEY = 0xB111;
    TariffBook private book;
    address private signer;

    function setUp() public override {
        super.setUp();
        book = new TariffBook(ledger);
        signer = vm.addr(KEY);
        vm.prank(ADMIN);
        ledger.grantAnchorer(OPERATOR, signer);
    }

    function test_AnyoneRelaysItAndNobodyTwice() public {
        bytes memory signature = _sign(KEY, _digest(signer, NOW));
        book.publishBySig(OPERATOR, TARIFF, 3, 4, signer, NOW, signature);
        assertEq(book.tariffOf(OPERATOR, TARIFF).validUntil, 4, "valid until");
        vm.expectRevert(abi.encodeWithSelector(ITariffBook.TariffBookAlreadyPublished.selector, OPERATOR, TARIFF));
        book.publishBySig(OPERATOR, TARIFF, 3, 4, signer, NOW, signature);
    }

    function test_EverySignedFieldCounts() public {
        bytes memory signature = _sign(KEY, _digest(signer, NOW));
        bytes memory foreign = _sign(KEY + 1, _digest(signer, NOW));
        for (uint256 field = 0; field < 5; ++field) {
            vm.expectRevert(_invalid(signer));
            book.publishBySig(
                OPERATOR,
                field == 0 ? keccak256("another") : TARIFF,
                field == 1 ? 2 : 3,
                field == 2 ? 0 : 4,
                signer,
                field == 3 ? NOW + 1 : NOW,
                field == 4 ? foreign : signature
            );
        }
        vm.expectRevert(_invalid(ANCHORER));
        book.publishBySig(OPERATOR, TARIFF, 3, 4, ANCHORER, NOW, signature);
    }

    function test_DeadlinePasses() public {
        bytes memory signature = _sign(KEY, _digest(signer, NOW));
        vm.warp(NOW + 1);
        vm.expectRevert(abi.encodeWithSelector(ITariffBook.TariffBookSignatureExpired.selector, NOW));
        book.publishBySig(OPERATOR, TARIFF, 3, 4, signer, NOW, signature);
    }

    /// @dev Revoked on the ledger: void here, even after the key is granted again.
    function test_RevocationVoidsTheSignature() public {
        bytes memory signature = _sign(KEY, _digest(signer, NOW));
        vm.prank(ADMIN);
        ledger.revokeAnchorer(OPERATOR, signer);
        vm.expectRevert(_invalid(signer));
        book.publishBySig(OPERATOR, TARIFF, 3, 4, signer, NOW, signature);
        bytes memory fresh = _sign(KEY, _digest(signer, NOW));
        vm.expectRevert(abi.encodeWithSelector(ITariffBook.TariffBookNotPublisher.selector, OPERATOR, signer));
        book.publishBySig(OPERATOR, TARIFF, 3, 4, signer, NOW, fresh);
        vm.prank(ADMIN);
        ledger.grantAnchorer(OPERATOR, signer);
        vm.expectRevert(_invalid(signer));
        book.publishBySig(OPERATOR, TARIFF, 3, 4, signer, NOW, signature);
        book.publishBySig(OPERATOR, TARIFF, 3, 4, signer, NOW, fresh);
    }

    /// @dev Two tariffs signed for one nonce are both good, in either order.
    function test_SignaturesDoNotQueue() public {
        bytes memory first = _sign(KEY, _digest(signer, NOW));
        bytes memory second = _sign(KEY, _digestOf(book, OPERATOR, keccak256("second"), signer, NOW));
        book.publishBySig(OPERATOR, keccak256("second"), 3, 4, signer, NOW, second);
        book.publishBySig(OPERATOR, TARIFF, 3, 4, signer, NOW, first);
        assertEq(book.tariffCount(OPERATOR), 2, "count");
    }

    function test_StrangersCannotVoidASignature() public {
        bytes memory signature = _sign(KEY, _digest(signer, NOW));
        uint64 mine = ledger.registerOperator("Mallory", "", "");
        ledger.grantAnchorer(mine, signer);
        ledger.revokeAnchorer(mine, signer);
        book.publishBySig(OPERATOR, TARIFF, 3, 4, signer, NOW, signature);
    }

    function test_SignatureForAnotherOperatorBookOrChain() public {
        bytes memory signature = _sign(KEY, _digest(signer, NOW));
        uint64 mine = ledger.registerOperator("Second", "", "");
        ledger.grantAnchorer(mine, signer);
        vm.expectRevert(_invalid(signer));
        book.publishBySig(mine, TARIFF, 3, 4, signer, NOW, signature);
        TariffBook second = new TariffBook(ledger);
        vm.expectRevert(_invalid(signer));
        second.publishBySig(OPERATOR, TARIFF, 3, 4, signer, NOW, signature);
        vm.chainId(block.chainid + 1);
        vm.expectRevert(_invalid(signer));
        book.publishBySig(OPERATOR, TARIFF, 3, 4, signer, NOW, signature);
    }

    function test_ContractWalletsSignByEip1271() public {
        address wallet = address(new Wallet(signer));
        vm.prank(ADMIN);
        ledger.grantAnchorer(OPERATOR, wallet);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(0xBAD, _digest(wallet, NOW));
        vm.expectRevert(_invalid(wallet));
        book.publishBySig(OPERATOR, TARIFF, 3, 4, wallet, NOW, abi.encode(r, s, v));
        (v, r, s) = vm.sign(KEY, _digest(wallet, NOW));
        book.publishBySig(OPERATOR, TARIFF, 3, 4, wallet, NOW, abi.encode(r, s, v));
        assertEq(book.tariffOf(OPERATOR, TARIFF).publishedAt, NOW, "published");
    }

    function test_AdminsSignToo() public {
        uint64 mine = ledger.registerOperator("Second", "", "");
        ledger.transferAdmin(mine, signer);
        vm.prank(signer);
        ledger.acceptAdmin(mine);
        bytes memory signature = _sign(KEY, _digestOf(book, mine, TARIFF, signer, NOW));
        book.publishBySig(mine, TARIFF, 3, 4, signer, NOW, signature);
        assertEq(book.tariffCount(mine), 1, "count");
    }

    function _digest(address publisher, uint256 deadline) private view returns (bytes32) {
        return _digestOf(book, OPERATOR, TARIFF, publisher, deadline);
    }

    function _digestOf(TariffBook of_, uint64 operatorId, bytes32 tariff, address publisher, uint256 deadline)
        private
        view
        returns (bytes32)
    {
        uint256 nonce = ledger.nonceOf(operatorId, publisher);
        bytes32 structHash =
            keccak256(abi.encode(PUBLISH_TYPE, operatorId, tariff, uint64(3), uint64(4), publisher, nonce, deadline));
        return keccak256(abi.encodePacked(hex"1901", of_.domainSeparator(), structHash));
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _invalid(address publisher) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ITariffBook.TariffBookInvalidSignature.selector, publisher);
    }
}
