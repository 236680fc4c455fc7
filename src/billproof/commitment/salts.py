"""Keys and salts derived from secrets: PRF(key, label ‖ word) = keccak256(key ‖ label ‖ word).

Keccak is a sponge, so a secret prefix makes it a pseudorandom function (no length extension). Every
preimage is 96 bytes, so none can be an inner node of a tree.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from billproof.commitment.columns import WORD, Gathered, Messages, Piece, integer_words
from billproof.commitment.keccak import ByteRows

OPENING_KEY = "billproof/opening-key"
PEER_SALT = "billproof/peer-salt"
TOTALS_SALT = "billproof/totals-salt"


def prf(keys: ByteRows | Gathered, label: str, words: ByteRows | Gathered | NDArray[np.integer]) -> ByteRows:
    """n pseudorandom values: keys (n or 1, 32), words (n or 1, 32) → (n, 32).

    Words that are integers may come as such, (n,): they stand for :func:`index_words` of them.
    """
    template = bytes(WORD) + label.encode("ascii").ljust(WORD, b"\0") + bytes(WORD)
    if len(template) != 3 * WORD:
        raise ValueError("a label is at most 32 bytes long")
    return Messages(template, [Piece(0, keys), Piece(2 * WORD, words)]).hashes()


def index_words(indexes: NDArray[np.int64]) -> ByteRows:
    """Indexes as big-endian words: (n,) → (n, 32)."""
    return integer_words(indexes)
