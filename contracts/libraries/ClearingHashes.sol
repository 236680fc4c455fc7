// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";
import {IClearingHouse} from "../../interfaces/IClearingHouse.sol";

/// @title Struct hashes of docs/clearing.md, section 8
/// @dev Every hash begins with the hash of its type, so that none of one type is one of another.
library ClearingHashes {
    bytes32 private constant CLEARING_TYPEHASH = keccak256(
        "Clearing(uint256 chainId,address house,uint64 operatorA,uint64 operatorB,uint32 period,uint32 round)"
    );
    bytes32 private constant REFERENCE_TYPEHASH = keccak256("BatchReference(uint32 region,uint32 sequence)");
    bytes32 private constant BOOK_TYPEHASH = keccak256(
        "Book(bytes32 clearing,uint64 operatorId,BatchReference[] batches,bytes32 statementsHash,bytes32 salt)BatchReference(uint32 region,uint32 sequence)"
    );
    bytes32 private constant AMOUNT_TYPEHASH = keccak256(
        "Amount(bytes32 source,uint32 part,bytes3 currency,uint256 amount,address token,address payee,bytes32 salt)"
    );
    bytes32 private constant BATCH_KEY_TYPEHASH =
        keccak256("BatchKey(uint64 operatorId,uint32 period,uint32 region,uint32 sequence)");
    bytes32 private constant NET_AMOUNT_TYPEHASH = keccak256(
        "NetAmount(bytes32 clearing,uint32 part,bool last,uint64 creditor,bytes32 amountCommitment,bytes32 documentHash,BatchKey amendment,uint64 nonceA,uint64 nonceB,uint256 deadline)BatchKey(uint64 operatorId,uint32 period,uint32 region,uint32 sequence)"
    );
    bytes32 private constant PART_REFERENCE_TYPEHASH = keccak256("PartReference(bytes32 source,uint32 number)");
    bytes32 private constant NET_PART_TYPEHASH =
        keccak256("NetPart(uint64 creditor,uint64 debtor,bytes32 amountCommitment)");
    bytes32 private constant NETTING_ID_TYPEHASH = keccak256(
        "NettingId(uint256 chainId,address house,PartReference[] replaced)PartReference(bytes32 source,uint32 number)"
    );
    bytes32 private constant NETTING_TYPEHASH = keccak256(
        "Netting(uint64[] operators,uint64[] nonces,PartReference[] replaced,NetPart[] parts,bytes32 documentHash,uint256 deadline)NetPart(uint64 creditor,uint64 debtor,bytes32 amountCommitment)PartReference(bytes32 source,uint32 number)"
    );

    function clearing(uint64 operatorA, uint64 operatorB, uint32 period, uint32 round) internal view returns (bytes32) {
        return
            keccak256(abi.encode(CLEARING_TYPEHASH, block.chainid, address(this), operatorA, operatorB, period, round));
    }

    function book(
        bytes32 clearing_,
        uint64 operatorId,
        IClearingHouse.BatchReference[] calldata batches,
        bytes32 statementsHash,
        bytes32 salt
    ) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](batches.length);
        for (uint256 i = 0; i < batches.length; ++i) {
            hashes[i] = keccak256(abi.encode(REFERENCE_TYPEHASH, batches[i].region, batches[i].sequence));
        }
        bytes32 list = keccak256(abi.encodePacked(hashes));
        return keccak256(abi.encode(BOOK_TYPEHASH, clearing_, operatorId, list, statementsHash, salt));
    }

    function amount(bytes32 source, uint32 part, IClearingHouse.AmountOpening calldata opening)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(AMOUNT_TYPEHASH, source, part, opening));
    }

    function netAmount(IClearingHouse.NetAmount calldata net, uint64 nonceA, uint64 nonceB)
        internal
        pure
        returns (bytes32)
    {
        IBillingLedger.BatchKey calldata amendment = net.amendment;
        return keccak256(
            abi.encode(
                NET_AMOUNT_TYPEHASH,
                net.clearing,
                net.part,
                net.last,
                net.creditor,
                net.amountCommitment,
                net.documentHash,
                keccak256(abi.encode(BATCH_KEY_TYPEHASH, amendment)),
                nonceA,
                nonceB,
                net.deadline
            )
        );
    }

    function nettingId(IClearingHouse.PartReference[] calldata replaced) internal view returns (bytes32) {
        return keccak256(abi.encode(NETTING_ID_TYPEHASH, block.chainid, address(this), _references(replaced)));
    }

    function netting(IClearingHouse.Netting calldata net, uint64[] memory nonces) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](net.parts.length);
        for (uint256 i = 0; i < net.parts.length; ++i) {
            hashes[i] = keccak256(abi.encode(NET_PART_TYPEHASH, net.parts[i]));
        }
        return keccak256(
            abi.encode(
                NETTING_TYPEHASH,
                keccak256(abi.encodePacked(net.operators)),
                keccak256(abi.encodePacked(nonces)),
                _references(net.replaced),
                keccak256(abi.encodePacked(hashes)),
                net.documentHash,
                net.deadline
            )
        );
    }

    function _references(IClearingHouse.PartReference[] calldata references) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](references.length);
        for (uint256 i = 0; i < references.length; ++i) {
            hashes[i] = keccak256(abi.encode(PART_REFERENCE_TYPEHASH, references[i]));
        }
        return keccak256(abi.encodePacked(hashes));
    }
}
