"""Keys and salts derived from secrets: PRF(key, label ‖ word) = keccak256(key ‖ label ‖ word).

Keccak is a sponge, so a secret prefix makes it a pseudorandom function (no length extension). Every
preimage is 96 bytes, so none can be an inner node of a tree.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from billproof.commitment.keccak import ByteRows, keccak_rows

OPENING_KEY = "billproof/opening-key"
PEER_SALT = "billproof/peer-salt"
TOTALS_SALT = "billproof/totals-salt"


def prf(keys: ByteRows, label: str, words: ByteRows) -> ByteRows:
    """n pseudorandom values: keys (n or 1, 32), words (n or 1, 32) → (n, 32)."""
    preimages = np.zeros((max(len(keys), len(words)), 96), np.uint8)
    preimages[:, :32] = keys
    preimages[:, 32 : 32 + len(label)] = np.frombuffer(label.encode("ascii"), np.uint8)
    preimages[:, 64:] = words
    return keccak_rows(preimages)


def index_words(indexes: NDArray[np.int64]) -> ByteRows:
    """Indexes as big-endian words: (n,) → (n, 32)."""
    words = np.zeros((len(indexes), 32), np.uint8)
    words[:, 24:] = indexes.astype(">u8").view(np.uint8).reshape(-1, 8)
    return words
