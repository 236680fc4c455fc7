"""Trees against OpenZeppelin's merkle-tree, and their own rules."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billproof.commitment import tree
from billproof.commitment.keccak import keccak, rows_of

SIZES = [*range(1, 71), 1_000, 1_025, 100_000]


def leaves_of(count: int, seed: str = "") -> Any:
    return rows_of(b"".join(hashlib.sha256(f"{seed}{at}".encode()).digest() for at in range(count)), 32)


def hexed(nodes: Any) -> list[str]:
    return ["0x" + bytes(node).hex() for node in nodes]


def reference(leaves: list[bytes]) -> list[bytes]:
    """The array layout in as few words as it takes: the root first, children of i at 2i+1 and 2i+2."""
    nodes = [b""] * (len(leaves) - 1) + leaves[::-1]
    for at in reversed(range(len(leaves) - 1)):
        nodes[at] = keccak(b"".join(sorted(nodes[2 * at + 1 : 2 * at + 3])))
    return nodes


def test_same_roots_and_proofs_as_openzeppelin(oracle: Callable[[str, Any], Any]) -> None:
    questions = []
    for count in SIZES:
        chosen = range(count) if count <= 70 else sorted({0, 1, count // 3, count // 2, count - 2, count - 1})
        questions.append({"leaves": hexed(leaves_of(count)), "proofs": list(chosen)})
    answers = oracle("openzeppelin", questions)
    for count, question, answer in zip(SIZES, questions, answers, strict=True):
        leaves = leaves_of(count)
        nodes = tree.build_tree(leaves)
        assert nodes.shape == (2 * count - 1, 32)
        assert hexed(nodes[:1]) == [answer["root"]], count
        for index, proof in zip(question["proofs"], answer["proofs"], strict=True):
            assert hexed(tree.proof_of(nodes, index)) == proof, (count, index)
            assert tree.proof_length(count, index) == len(proof)
            assert tree.root_from_proof(bytes(leaves[index]), tree.proof_of(nodes, index)) == bytes(nodes[0])


def test_vectors_agree_with_us_and_with_openzeppelin(
    vectors: Callable[[str], Any], oracle: Callable[[str, Any], Any]
) -> None:
    document = vectors("trees")
    leaves = rows_of(b"".join(keccak(at.to_bytes(32)) for at in range(70)), 32)
    proofs = {(case["leaves"], case["leaf"]): case["proof"] for case in document["proofs"]}
    counts = range(1, 71)
    wanted = [[leaf for of, leaf in proofs if of == count] for count in counts]
    answers = oracle(
        "openzeppelin",
        [{"leaves": hexed(leaves[:n]), "proofs": asked} for n, asked in zip(counts, wanted, strict=True)],
    )
    assert document["roots"] == [answer["root"] for answer in answers]
    assert document["roots"] == [hexed(tree.build_tree(leaves[:count])[:1])[0] for count in counts]
    for count, asked, answer in zip(counts, wanted, answers, strict=True):
        assert [proofs[count, leaf] for leaf in asked] == answer["proofs"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_a_forest_is_its_single_trees(counts: list[int]) -> None:
    leaves = leaves_of(sum(counts), "forest")
    nodes, starts = tree.build_forest(leaves, np.array(counts))
    first = 0
    for count, start in zip(counts, starts.tolist(), strict=True):
        own = leaves[first : first + count]
        alone = nodes[start : start + 2 * count - 1]
        assert np.array_equal(alone, tree.build_tree(own))
        assert [bytes(node) for node in alone] == reference([bytes(leaf) for leaf in own])
        first += count
    assert len(nodes) == 2 * sum(counts) - len(counts)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=80), st.data())
def test_every_proof_leads_to_the_root_and_has_its_length(leaves: list[bytes], data: st.DataObject) -> None:
    nodes = tree.build_tree(rows_of(b"".join(leaves), 32))
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = tree.proof_of(nodes, index)
    assert len(proof) == tree.proof_length(len(leaves), index)
    assert tree.root_from_proof(leaves[index], proof) == bytes(nodes[0])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 70), min_size=1, max_size=8), st.data())
def test_proofs_in_bulk_are_the_single_ones(counts: list[int], data: st.DataObject) -> None:
    nodes, starts = tree.build_forest(leaves_of(sum(counts), "proofs"), np.array(counts))
    pairs = [(at, leaf) for at, count in enumerate(counts) for leaf in range(count)]
    asked = data.draw(st.lists(st.sampled_from(pairs), max_size=30))
    trees, leaves = (
        np.array([at for at, _ in asked], np.int64),
        np.array([leaf for _, leaf in asked], np.int64),
    )
    found, offsets = tree.proofs(nodes, leaves, starts=starts[trees], counts=np.array(counts)[trees])
    for at, (which, leaf) in enumerate(asked):
        whole = nodes[starts[which] : starts[which] + 2 * counts[which] - 1]
        single = tree.proof_of(whole, leaf)
        assert [bytes(node) for node in found[offsets[at] : offsets[at + 1]]] == single
        alone, ends = tree.proofs(whole, np.array([leaf]))
        assert ([bytes(node) for node in alone], ends.tolist()) == (single, [0, len(single)])
    assert len(found) == offsets[-1]
    firsts = np.cumsum(counts) - counts
    hashed = leaves_of(sum(counts), "proofs")[firsts[trees] + leaves]
    roots = tree.roots_from_proofs(hashed, found, offsets)
    assert np.array_equal(roots, nodes[starts[trees]])


@pytest.mark.parametrize(
    ("leaf", "start", "count"), [(-1, 0, 3), (3, 0, 3), (0, 0, 4), (0, 1, 3), (0, -1, 3)]
)
def test_no_proof_is_cut_outside_the_tree(leaf: int, start: int, count: int) -> None:
    nodes = tree.build_tree(leaves_of(3))
    with pytest.raises(ValueError, match="outside"):
        tree.proofs(nodes, np.array([leaf]), starts=np.array([start]), counts=np.array([count]))


@settings(max_examples=60, deadline=None)
@given(*[st.lists(st.sampled_from([0, 1, 127, 128, 255]), min_size=32, max_size=32)] * 2)
def test_pairs_are_sorted_as_bytes(left: list[int], right: list[int]) -> None:
    a, b = bytes(left), bytes(right)
    expected = keccak(min(a, b) + max(a, b))
    assert tree.hash_pair(a, b) == tree.hash_pair(b, a) == expected
    assert tree.hash_pairs(rows_of(a, 32), rows_of(b, 32)).tobytes() == expected


@pytest.mark.parametrize("counts", [[], [0], [2, 0], [-1, 3], [1], [3]])
def test_a_tree_has_leaves_and_all_leaves_have_a_tree(counts: list[int]) -> None:
    with pytest.raises(ValueError, match="leaf"):
        tree.build_forest(leaves_of(2), np.array(counts, np.int64))


@pytest.mark.parametrize(("count", "index"), [(0, 0), (1, 1), (3, -1), (3, 3)])
def test_an_index_outside_the_tree_has_no_proof_length(count: int, index: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        tree.proof_length(count, index)


@pytest.mark.parametrize("count", range(1, 40))
def test_a_repeated_last_leaf_gives_another_root(count: int) -> None:
    """CVE-2012-2459: trees that pad by repeating the last node do not tell n leaves from n + 1."""
    leaves = leaves_of(count)
    roots = {tree.build_tree(np.vstack([leaves, *[leaves[-1:]] * more]))[0].tobytes() for more in range(4)}
    assert len(roots) == 4


def test_another_size_means_other_proof_lengths_or_another_place() -> None:
    """A leaf keeps its proof in a tree of another size only where the length rule cannot tell; then the
    size, hashed in the statement, does."""
    for count in range(1, 33):
        nodes = tree.build_tree(leaves_of(count))
        for index in range(count):
            assert len(tree.proof_of(nodes, index)) == tree.proof_length(count, index)
            # An inner node in the place of the leaf makes the proof shorter than the rule allows.
            assert all(
                tree.proof_length(count, index) > shorter
                for shorter in range(len(tree.proof_of(nodes, index)))
            )


def test_absence_vectors(vectors: Callable[[str], Any]) -> None:
    for case in vectors("absences")["cases"]:
        key, account, following = (bytes.fromhex(case[name][2:]) for name in ("key", "account", "next"))
        assert tree.shows_absence(key, account, following) is case["absent"], case


@settings(max_examples=100, deadline=None)
@given(st.sets(st.integers(0, 60), min_size=1, max_size=20), st.integers(0, 60))
def test_exactly_one_entry_of_an_honest_ring_shows_an_absence_and_none_a_presence(
    members: set[int], asked: int
) -> None:
    accounts = rows_of(b"".join(at.to_bytes(32) for at in sorted(members)), 32)
    following = tree.next_of(accounts)
    key = asked.to_bytes(32)
    shown = [tree.shows_absence(key, bytes(a), bytes(n)) for a, n in zip(accounts, following, strict=True)]
    assert sum(shown) == (asked not in members)
