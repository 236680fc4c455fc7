// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev Trees and proofs in the array layout of docs/protocol.md: the root is node 0, the children of node i are
/// 2i + 1 and 2i + 2, leaf k of n is node 2n - 2 - k.
library Trees {
    function build(bytes32[] memory leaves) internal pure returns (bytes32[] memory tree) {
        uint256 size = 2 * leaves.length - 1;
        tree = new bytes32[](size);
        for (uint256 k = 0; k < leaves.length; ++k) {
            tree[size - 1 - k] = leaves[k];
        }
        for (uint256 i = leaves.length - 1; i > 0; --i) {
            tree[i - 1] = pair(tree[2 * i - 1], tree[2 * i]);
        }
    }

    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        return build(leaves)[0];
    }

    function proof(bytes32[] memory leaves, uint256 leaf) internal pure returns (bytes32[] memory path) {
        bytes32[] memory tree = build(leaves);
        bytes32[] memory longest = new bytes32[](64);
        uint256 length = 0;
        for (uint256 node = tree.length - 1 - leaf; node > 0; node = (node - 1) / 2) {
            longest[length++] = tree[node % 2 == 1 ? node + 1 : node - 1];
        }
        path = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            path[i] = longest[i];
        }
    }

    /// @dev Multiproof of the leaves that `chosen` marks, in the order in which OpenZeppelin's code consumes it:
    /// nodes from the highest number down, siblings from the proof unless they are computed themselves.
    function multiproof(bytes32[] memory leaves, bool[] memory chosen)
        internal
        pure
        returns (bytes32[] memory nodes, bool[] memory flags)
    {
        bytes32[] memory tree = build(leaves);
        bool[] memory known = new bool[](tree.length);
        for (uint256 k = 0; k < leaves.length; ++k) {
            known[tree.length - 1 - k] = chosen[k];
        }
        bytes32[] memory longNodes = new bytes32[](tree.length);
        bool[] memory longFlags = new bool[](tree.length);
        uint256 nodeCount = 0;
        uint256 flagCount = 0;
        for (uint256 right = tree.length - 1; right >= 2; right -= 2) {
            bool rightKnown = known[right];
            bool leftKnown = known[right - 1];
            if (!rightKnown && !leftKnown) continue;
            known[(right - 1) / 2] = true;
            longFlags[flagCount++] = rightKnown && leftKnown;
            if (!rightKnown) longNodes[nodeCount++] = tree[right];
            if (!leftKnown) longNodes[nodeCount++] = tree[right - 1];
        }
        nodes = new bytes32[](nodeCount);
        for (uint256 i = 0; i < nodeCount; ++i) {
            nodes[i] = longNodes[i];
        }
        flags = new bool[](flagCount);
        for (uint256 i = 0; i < flagCount; ++i) {
            flags[i] = longFlags[i];
        }
    }

    function pair(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }
}
