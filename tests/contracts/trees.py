"""Merkle trees in the array layout: children of node i are 2i+1 and 2i+2, leaf k is node 2n-2-k."""

from eth_utils import keccak


def node(a, b):
    return keccak(min(a, b) + max(a, b))


def build(leaves):
    tree = [b""] * (len(leaves) - 1) + leaves[::-1]
    for i in reversed(range(len(leaves) - 1)):
        tree[i] = node(tree[2 * i + 1], tree[2 * i + 2])
    return tree


def root(leaves):
    return build(leaves)[0]


def proof(leaves, leaf):
    tree, at, path = build(leaves), 2 * len(leaves) - 2 - leaf, []
    while at:
        path.append(tree[at + 1 if at % 2 else at - 1])
        at = (at - 1) // 2
    return path


def multiproof(leaves, chosen):
    """Nodes and flags that prove the leaves numbered `chosen`."""
    tree = build(leaves)
    known = {2 * len(leaves) - 2 - leaf for leaf in chosen}
    nodes, flags = [], []
    for right in range(len(tree) - 1, 1, -2):
        left = right - 1
        pair = {left, right} & known
        if pair:
            known.add(left // 2)
            flags.append(len(pair) == 2)
            nodes += [tree[i] for i in (right, left) if i not in known]
    return nodes, flags
