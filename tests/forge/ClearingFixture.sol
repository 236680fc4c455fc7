// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BillingLedger} from "../../contracts/BillingLedger.sol";
import {ClearingHouse} from "../../contracts/ClearingHouse.sol";
import {TrickToken} from "../../contracts/test/ClearingDoubles.sol";
import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {IClearingHouse} from "../../interfaces/IClearingHouse.sol";
import {Base} from "./Base.sol";

/// @dev A house beside a ledger with three operators, whose admins are keys that sign and anchor.
abstract contract ClearingFixture is Base {
    uint32 internal constant PERIOD = 202_510;
    uint256 internal constant NOW = 1_761_955_200; // 2025-11-01T00:00:00Z
    uint64 internal constant OPERATORS = 3;
    bytes32 internal constant DOCUMENT = keccak256("settlement.json");
    bytes32 internal constant SALT = keccak256("salt");
    bytes32 internal constant STATEMENTS = keccak256("statements");
    address internal constant PAYEE = address(0xFEE);

    string private constant KEY_TYPE = "BatchKey(uint64 operatorId,uint32 period,uint32 region,uint32 sequence)";
    bytes32 private constant REFERENCE_TYPEHASH = keccak256("BatchReference(uint32 region,uint32 sequence)");
    bytes32 private constant BOOK_TYPEHASH = keccak256(
        "Book(bytes32 clearing,uint64 operatorId,BatchReference[] batches,bytes32 statementsHash,bytes32 salt)BatchReference(uint32 region,uint32 sequence)"
    );
    bytes32 private constant AMOUNT_TYPEHASH = keccak256(
        "Amount(bytes32 source,uint32 part,bytes3 currency,uint256 amount,address token,address payee,bytes32 salt)"
    );

    BillingLedger internal ledger;
    ClearingHouse internal house;
    TrickToken internal token;

    function deployHouse() internal {
        vm.warp(NOW);
        ledger = new BillingLedger();
        house = new ClearingHouse(ledger);
        token = new TrickToken();
        token.approve(address(house), type(uint256).max);
        for (uint64 id = 1; id <= OPERATORS; ++id) {
            vm.startPrank(adminOf(id));
            ledger.registerOperator("Carrier", "", "");
            ledger.grantAnchorer(id, adminOf(id));
            ledger.anchor(id, PERIOD, 1, 1, keccak256(abi.encode(id)), 0, 0);
            vm.stopPrank();
        }
        vm.warp(NOW + 1);
    }

    function keyOf(uint64 id) internal pure returns (uint256) {
        return 0xC1EA0 + id;
    }

    function adminOf(uint64 id) internal pure returns (address) {
        return vm.addr(keyOf(id));
    }

    function deadlines() internal view returns (IClearingHouse.Deadlines memory) {
        uint64 now_ = uint64(block.timestamp);
        return IClearingHouse.Deadlines(now_ + 10 days, now_ + 20 days, now_ + 30 days, now_ + 40 days);
    }

    /// @dev The book of every operator here: its one batch.
    function book() internal pure returns (IClearingHouse.BatchReference[] memory batches) {
        batches = new IClearingHouse.BatchReference[](1);
        batches[0] = IClearingHouse.BatchReference(1, 1);
    }

    function bookHash(bytes32 clearing, uint64 id) internal pure returns (bytes32) {
        bytes32 list = keccak256(abi.encodePacked(keccak256(abi.encode(REFERENCE_TYPEHASH, uint256(1), uint256(1)))));
        return bookHashOf(clearing, id, list);
    }

    function bookHashOf(bytes32 clearing, uint64 id, bytes32 list) internal pure returns (bytes32) {
        return keccak256(abi.encode(BOOK_TYPEHASH, clearing, id, list, STATEMENTS, SALT));
    }

    function agreeing(uint64 a, uint64 b) internal returns (bytes32 clearing) {
        vm.prank(adminOf(a));
        clearing = house.open(a, b, PERIOD, deadlines());
        for (uint256 i = 0; i < 2; ++i) {
            uint64 id = i == 0 ? a : b;
            vm.prank(adminOf(id));
            house.commit(clearing, id, bookHash(clearing, id));
        }
        for (uint256 i = 0; i < 2; ++i) {
            uint64 id = i == 0 ? a : b;
            vm.prank(adminOf(id));
            house.reveal(clearing, id, book(), STATEMENTS, SALT);
        }
    }

    function opening(uint256 amount) internal view returns (IClearingHouse.AmountOpening memory) {
        return IClearingHouse.AmountOpening("EUR", amount, address(token), PAYEE, SALT);
    }

    function amountHash(bytes32 source, uint32 part, IClearingHouse.AmountOpening memory shown)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(AMOUNT_TYPEHASH, source, part, shown));
    }

    function netAmount(bytes32 clearing, uint32 part, bool last, uint64 creditor, uint256 amount)
        internal
        view
        returns (IClearingHouse.NetAmount memory)
    {
        return IClearingHouse.NetAmount(
            clearing,
            part,
            last,
            creditor,
            amountHash(clearing, part, opening(amount)),
            DOCUMENT,
            IBillingLedger.BatchKey(0, 0, 0, 0),
            type(uint256).max
        );
    }

    function netDigest(IClearingHouse.NetAmount memory net, uint64 a, uint64 b) internal view returns (bytes32) {
        bytes32 typeHash = keccak256(
            abi.encodePacked(
                "NetAmount(bytes32 clearing,uint32 part,bool last,uint64 creditor,bytes32 amountCommitment,bytes32 documentHash,",
                "BatchKey amendment,uint64 nonceA,uint64 nonceB,uint256 deadline)",
                KEY_TYPE
            )
        );
        bytes32 amendment = keccak256(abi.encode(keccak256(bytes(KEY_TYPE)), net.amendment));
        bytes memory head = abi.encode(typeHash, net.clearing, net.part, net.last, net.creditor, net.amountCommitment);
        bytes memory tail = abi.encode(net.documentHash, amendment, house.nonceOf(a), house.nonceOf(b), net.deadline);
        return digestOf(keccak256(bytes.concat(head, tail)));
    }

    function nettingDigest(IClearingHouse.Netting memory netting) internal view returns (bytes32) {
        bytes memory operators;
        bytes memory nonces;
        bytes memory replaced;
        bytes memory parts;
        for (uint256 i = 0; i < netting.operators.length; ++i) {
            operators = bytes.concat(operators, bytes32(uint256(netting.operators[i])));
            nonces = bytes.concat(nonces, bytes32(uint256(house.nonceOf(netting.operators[i]))));
        }
        bytes32 typeHash = keccak256("PartReference(bytes32 source,uint32 number)");
        for (uint256 i = 0; i < netting.replaced.length; ++i) {
            replaced = bytes.concat(replaced, keccak256(abi.encode(typeHash, netting.replaced[i])));
        }
        typeHash = keccak256("NetPart(uint64 creditor,uint64 debtor,bytes32 amountCommitment)");
        for (uint256 i = 0; i < netting.parts.length; ++i) {
            parts = bytes.concat(parts, keccak256(abi.encode(typeHash, netting.parts[i])));
        }
        typeHash = keccak256(
            "Netting(uint64[] operators,uint64[] nonces,PartReference[] replaced,NetPart[] parts,bytes32 documentHash,uint256 deadline)NetPart(uint64 creditor,uint64 debtor,bytes32 amountCommitment)PartReference(bytes32 source,uint32 number)"
        );
        bytes memory lists =
            abi.encode(typeHash, keccak256(operators), keccak256(nonces), keccak256(replaced), keccak256(parts));
        return digestOf(keccak256(bytes.concat(lists, abi.encode(netting.documentHash, netting.deadline))));
    }

    function digestOf(bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", house.domainSeparator(), structHash));
    }

    function signed(uint64 id, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf(id), digest);
        return abi.encodePacked(r, s, v);
    }

    function agree(uint64 a, uint64 b, IClearingHouse.NetAmount memory net) internal {
        bytes32 digest = netDigest(net, a, b);
        house.agree(net, signed(a, digest), signed(b, digest));
    }

    /// @dev The netting of two operators in which one part cancels.
    function cancelling(uint64 a, uint64 b, bytes32 source, uint32 part)
        internal
        pure
        returns (IClearingHouse.Netting memory netting)
    {
        netting.operators = new uint64[](2);
        (netting.operators[0], netting.operators[1]) = (a, b);
        netting.replaced = new IClearingHouse.PartReference[](1);
        netting.replaced[0] = IClearingHouse.PartReference(source, part);
        (netting.documentHash, netting.deadline) = (DOCUMENT, type(uint256).max);
    }

    function signedBy(IClearingHouse.Netting memory netting) internal view returns (bytes[] memory signatures) {
        bytes32 digest = nettingDigest(netting);
        signatures = new bytes[](netting.operators.length);
        for (uint256 i = 0; i < signatures.length; ++i) {
            signatures[i] = signed(netting.operators[i], digest);
        }
    }
}
