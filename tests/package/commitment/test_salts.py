"""Keys and salts against the rule written out: keccak256(key ‖ label ‖ word), 32 bytes each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from billproof.commitment import salts, structs
from billproof.commitment.keccak import rows_of

LABELS = [salts.OPENING_KEY, salts.PEER_SALT, salts.TOTALS_SALT]


def test_vectors(vectors: Callable[[str], Any]) -> None:
    for case in vectors("derivations")["prf"]:
        key, word = bytes.fromhex(case["key"][2:]), bytes.fromhex(case["word"][2:])
        expected = keccak(key + case["label"].encode().ljust(32, b"\0") + word)
        assert case["value"] == "0x" + expected.hex()
        assert salts.prf(rows_of(key, 32), case["label"], rows_of(word, 32)).tobytes() == expected


@given(
    st.sampled_from(LABELS),
    st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=5),
    st.booleans(),
)
def test_one_key_or_one_word_stands_for_all(label: str, values: list[bytes], many_keys: bool) -> None:
    one, several = rows_of(bytes(range(32)), 32), rows_of(b"".join(values), 32)
    got = salts.prf(several, label, one) if many_keys else salts.prf(one, label, several)
    pairs = [(v, bytes(range(32))) if many_keys else (bytes(range(32)), v) for v in values]
    assert got.tobytes() == b"".join(keccak(k + label.encode().ljust(32, b"\0") + w) for k, w in pairs)


@given(st.lists(st.integers(0, (1 << 32) - 1), max_size=5))
def test_index_words_are_big_endian(indexes: list[int]) -> None:
    words = salts.index_words(np.array(indexes, np.int64))
    assert words.tobytes() == b"".join(at.to_bytes(32) for at in indexes)


def test_labels_are_distinct_and_fit_a_word() -> None:
    assert len(set(LABELS)) == 3
    assert all(label.isascii() and len(label) <= 32 for label in LABELS)


def test_prf_preimages_are_no_inner_nodes_and_no_known_type() -> None:
    """They are as long as some structs' preimages; only a secret equal to a type hash could be confused."""
    assert all(struct.type_hash[:9] != b"billproof" for struct in structs.ALL)
