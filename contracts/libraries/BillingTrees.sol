// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IBillingLedger} from "../../interfaces/IBillingLedger.sol";

/// @title Shape rules of the two trees: how long proofs are, and what an entry's gap covers
/// @notice A tree of n leaves is an array of 2n-1 nodes, the root first; the children of node i are 2i+1 and
/// 2i+2, and leaf k is node 2n-2-k. There is no padding.
library BillingTrees {
    /// @notice No batch tree is deeper: 2^40 accounts are more than there are telephones.
    uint256 internal constant MAX_ENTRY_PROOF = 40;

    /// @notice The length of the proof of leaf `index` among `leaves`; needs `index < leaves`.
    function proofLength(uint32 leaves, uint32 index) internal pure returns (uint256) {
        // 2 * leaves is below 2^33 and 1 + index at most leaves: the difference is at least 1.
        unchecked {
            return Math.log2(2 * uint256(leaves) - 1 - index);
        }
    }

    /// @notice Whether OpenZeppelin's multiproof code can run these lengths through without reverting or
    /// reading a node that it has not yet computed.
    /// @dev It takes `leaves + proof == flags + 1` and uses one proof node for each flag that is false. With
    /// both given, the flags that are true number `leaves - 1`, so its queue of leaves and computed nodes
    /// never runs dry. `leaves` must not be zero.
    function isMultiproof(uint256 leaves, uint256 proof, bool[] calldata flags) internal pure returns (bool) {
        if (leaves + proof != flags.length + 1) return false;
        uint256 fromProof = 0;
        for (uint256 i = 0; i < flags.length; ++i) {
            if (!flags[i]) ++fromProof;
        }
        return fromProof == proof;
    }

    /// @notice Whether `key` lies strictly between an entry's account and the next one, going up the ring of
    /// accounts. The last entry's gap wraps; that of a ring of one is everything but its own account.
    function inGap(IBillingLedger.AccountEntry memory entry, bytes32 key) internal pure returns (bool) {
        if (key == entry.account) return false;
        if (entry.account < entry.nextAccount) return entry.account < key && key < entry.nextAccount;
        return key > entry.account || key < entry.nextAccount;
    }
}
