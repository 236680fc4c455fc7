"""What the two records of a pair share, as one number: service and number, or service and network."""

from __future__ import annotations

import numpy as np

from billproof.clearing.books.book import NO_USAGE, Book
from billproof.clearing.kernel import Ints

#: Bits of the key of a record without a number, above its network: of steps of usage, and what tells it;
#: texts that are no number have another one.
STEP, STEPS, BARE, TEXT = 20, 1 << 35, 56, 57


def keys_of(book: Book) -> Ints:
    """Records without a number have their network in the key's place; no number is as small: (n,)."""
    found = book.key
    bare = (book.number == 0) & (book.service < NO_USAGE)
    found[bare] += book.network[bare].astype(np.int64) % (1 << STEP) | (1 << BARE)
    return found
