"""Merkle trees in the array layout of OpenZeppelin's merkle-tree library, leaves not sorted.

A tree of n leaves is an array of 2n-1 nodes: node 0 is the root, the children of node i are 2i+1 and
2i+2, leaf i is node 2n-2-i, and an inner node is Keccak-256 of its children in sorted order. Every level
is a contiguous slice, so trees are built level by level; a forest builds many at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from billproof.commitment.keccak import ByteRows, batch_kernel, keccak, require_rows, single_calls

#: Longest inclusion proof that the ledger accepts for an account entry.
MAX_ENTRY_PROOF = 40


def build_tree(leaves: ByteRows) -> ByteRows:
    """All nodes of the tree over ``leaves``: (n, 32) → (2n-1, 32), n ≥ 1."""
    nodes, _ = build_forest(leaves, np.array([len(leaves)]))
    return nodes


def build_forest(leaves: ByteRows, counts: NDArray[np.int64]) -> tuple[ByteRows, NDArray[np.int64]]:
    """The trees over consecutive runs of ``leaves``, ``counts[k]`` leaves to the k-th.

    Returns the nodes of all trees laid end to end, (2n-m, 32) for n leaves in m trees, and where each
    tree starts, (m,): its root is the node there. An empty tree has no root: ``ValueError``.
    """
    require_rows(leaves, "leaves", 32)
    if len(counts) == 0 or counts.min() < 1 or counts.sum() != len(leaves):
        raise ValueError("every tree takes at least one leaf, and all leaves belong to one")
    sizes = 2 * counts - 1
    starts = np.cumsum(sizes) - sizes
    nodes = np.empty((int(sizes.sum()), 32), np.uint8)
    kernel = batch_kernel(len(leaves) - len(counts))
    if kernel is None:
        _fill(nodes, leaves, counts, starts)
    else:
        kernel.hash_forest(leaves, nodes, starts, counts)
    return nodes, starts


def _fill(nodes: ByteRows, leaves: ByteRows, counts: NDArray[np.int64], starts: NDArray[np.int64]) -> None:
    """Writes the trees into ``nodes``, by the single-call library."""
    sizes = 2 * counts - 1
    tree_of_leaf = np.repeat(np.arange(len(counts)), counts)
    rank = np.arange(len(leaves)) - np.repeat(np.cumsum(counts) - counts, counts)
    nodes[starts[tree_of_leaf] + sizes[tree_of_leaf] - 1 - rank] = leaves
    for depth in reversed(range(int(counts.max() - 1).bit_length())):
        first = (1 << depth) - 1
        inner = np.clip(counts - 1 - first, 0, 1 << depth)  # inner nodes of each tree on this level
        trees = np.flatnonzero(inner)
        if not len(trees):
            continue
        width = inner[trees]
        rank = np.arange(width.sum()) - np.repeat(np.cumsum(width) - width, width)
        base = np.repeat(starts[trees], width)
        left = base + 2 * (first + rank) + 1
        nodes[base + first + rank] = _single_pairs(nodes[left], nodes[left + 1])


def hash_pairs(left: ByteRows, right: ByteRows) -> ByteRows:
    """Keccak-256 of each pair, the smaller first: two of (n, 32) → (n, 32)."""
    require_rows(left, "pairs", 32)
    require_rows(right, "pairs", 32)
    if len(left) != len(right):
        raise ValueError(f"pairs take columns of one length, not of {len(left)} and {len(right)}")
    kernel = batch_kernel(len(left))
    return _single_pairs(left, right) if kernel is None else kernel.hash_pairs(left, right)


def _single_pairs(left: ByteRows, right: ByteRows) -> ByteRows:
    a = np.ascontiguousarray(left).view(">u8")
    b = np.ascontiguousarray(right).view(">u8")
    differs = (a != b).argmax(axis=1)[:, None]
    swap = np.take_along_axis(a, differs, 1) > np.take_along_axis(b, differs, 1)
    pairs = np.empty((len(left), 64), np.uint8)
    pairs[:, :32] = np.where(swap, right, left)
    pairs[:, 32:] = np.where(swap, left, right)
    return single_calls(pairs)


def hash_pair(left: bytes, right: bytes) -> bytes:
    """Keccak-256 of two nodes, the smaller first."""
    return keccak(left + right if left < right else right + left)


def proof_of(nodes: ByteRows, leaf: int) -> list[bytes]:
    """The inclusion proof of leaf number ``leaf``, from the bottom; ``nodes`` is one whole tree."""
    node = len(nodes) - 1 - leaf
    siblings = []
    while node > 0:
        siblings.append(node + 1 if node % 2 else node - 1)
        node = (node - 1) // 2
    return [row.tobytes() for row in nodes[siblings]]


def proofs(
    nodes: ByteRows,
    leaves: NDArray[np.int64],
    *,
    starts: NDArray[np.int64] | None = None,
    counts: NDArray[np.int64] | None = None,
) -> tuple[ByteRows, NDArray[np.int64]]:
    """The inclusion proofs of many leaves, each as :func:`proof_of` gives it: m leaves → (p, 32), (m + 1,).

    Proof i is ``rows[offsets[i] : offsets[i + 1]]`` of the two arrays returned. ``nodes`` is one whole tree,
    or a forest, where leaf i is one of the tree that starts at node ``starts[i]``, of ``counts[i]`` leaves.
    The nodes may be mapped from a file; only those of the proofs are read. Raises ``ValueError`` where a leaf
    lies outside its tree.
    """
    require_rows(nodes, "nodes", 32)
    if counts is None:
        counts = np.full(len(leaves), (len(nodes) + 1) // 2)
    starts = np.zeros(len(leaves), np.int64) if starts is None else starts
    ends = starts + 2 * counts - 1
    if len(leaves) and (
        (leaves < 0).any() or (leaves >= counts).any() or starts.min() < 0 or ends.max() > len(nodes)
    ):
        raise ValueError("a leaf lies outside its tree")
    # Counted from 1, a node's ancestors are its number shifted right, and siblings differ in the last bit.
    place = 2 * counts - 1 - leaves
    lengths = np.frexp(place)[1].astype(np.int64) - 1
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    height = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    siblings = (np.repeat(place, lengths) >> height) ^ 1
    return np.asarray(nodes)[np.repeat(starts, lengths) + siblings - 1], offsets


def root_from_proof(leaf: bytes, proof: list[bytes]) -> bytes:
    """The root that ``proof`` leads to from ``leaf``."""
    node = leaf
    for sibling in proof:
        node = hash_pair(node, sibling)
    return node


def roots_from_proofs(leaves: ByteRows, proofs: ByteRows, offsets: NDArray[np.int64]) -> ByteRows:
    """The same of n leaves with proofs as :func:`proofs` gives them: (n, 32), (p, 32), (n + 1,) → (n, 32)."""
    nodes, lengths = leaves.copy(), np.diff(offsets)
    for height in range(int(lengths.max(initial=0))):
        rows = np.flatnonzero(lengths > height)
        nodes[rows] = hash_pairs(nodes[rows], proofs[offsets[rows] + height])
    return nodes


def proof_length(count: int, index: int) -> int:
    """Length of the proof of leaf ``index`` in a tree of ``count`` leaves: floor(log2(2n-1-index))."""
    if not 0 <= index < count:
        raise ValueError("the index lies outside the tree")
    return (2 * count - 1 - index).bit_length() - 1


def next_of(accounts: ByteRows) -> ByteRows:
    """Each account key's successor on the ring of strictly ascending keys: (n, 32) → (n, 32)."""
    return np.roll(accounts, -1, axis=0)


def shows_absence(key: bytes, account: bytes, next_account: bytes) -> bool:
    """Whether the entry (account, next_account) shows that ``key`` is on no entry of an honest ring."""
    if key == account:
        return False
    if account < next_account:
        return account < key < next_account
    return key > account or key < next_account
