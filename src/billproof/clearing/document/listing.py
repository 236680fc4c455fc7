"""Every difference of a clearing as a row of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from billproof.clearing.books.book import Book, Codes
from billproof.clearing.books.sides import turned
from billproof.clearing.clearing import Clearing
from billproof.clearing.kernel import Ints
from billproof.clearing.pairs.differences import Kind


def listing(clearing: Clearing, ours: int = 0) -> pa.Table:
    """Every difference as a row: kinds, the number of its cause (0: none), money, and both records.

    ``ours`` is which of the books is ours, 0 (the payee's) or 1. Columns of a record that there is not are
    null. Money, ours less theirs, and amounts are in billionths.
    """
    pairs, found = clearing.pairs, clearing.differences
    differing = np.flatnonzero(found.kinds)
    nothing_ours, nothing_theirs = (np.full(len(left), -1) for left in (pairs.ours_left, pairs.theirs_left))
    at = (
        np.concatenate([pairs.ours[differing], pairs.ours_left, nothing_theirs]),
        np.concatenate([pairs.theirs[differing], nothing_ours, pairs.theirs_left]),
    )
    money = np.concatenate(
        [
            found.money[differing],
            clearing.books[0].settled[pairs.ours_left],
            -clearing.books[1].settled[pairs.theirs_left],
        ]
    )
    bits = [1 << left.astype(np.uint16) for left in found.left]
    kinds = np.concatenate([found.kinds[differing], *bits])
    distinct, codes = np.unique(kinds, return_inverse=True)
    words = ["+".join(kind.word for kind in Kind if bit & (1 << kind)) for bit in distinct.tolist()]
    columns = {
        "kinds": pa.DictionaryArray.from_arrays(codes.astype(np.int32), words).cast(pa.string()),
        "cause": _numbers_of_causes(clearing, differing),
        "money": -money if ours else money,
    }
    mine, other = turned((0, 1), ours)
    for name, side in (("our", mine), ("their", other)):
        columns |= _columns(name, clearing.books[side], at[side], clearing.codes)
    return pa.table(columns)


def _numbers_of_causes(clearing: Clearing, differing: Ints) -> Ints:
    pairs, paying = clearing.pairs, clearing.differences.paying
    of_pairs = np.zeros(len(pairs.ours), np.int64)
    of_left = [np.zeros(len(book), np.int64) for book in clearing.books]
    for number, cause in enumerate(clearing.explained.causes, start=1):
        if cause.side is not None:
            of_left[cause.side][cause.rows] = number
        else:
            rows = cause.rows[(paying[cause.rows] == cause.kind) | (of_pairs[cause.rows] == 0)]
            of_pairs[rows] = number
    return np.concatenate([of_pairs[differing], of_left[0][pairs.ours_left], of_left[1][pairs.theirs_left]])


def _columns(side: str, book: Book, rows: Ints, codes: Codes) -> dict[str, pa.Array]:
    none = rows < 0
    at = np.where(none, 0, rows)
    found = {
        "batch": _texts(book.batch[at], codes.batches.texts, none),
        "number": _numbers(book.number[at], codes, none),
        "network": _texts(book.network[at], codes.networks.texts, none),
        "currency": _texts(book.currency[at], codes.currencies.texts, none),
    }
    for name in ("row", "service", "started_at", "usage", "billed_usage", "amount"):
        found[name] = pa.array(getattr(book, name)[at], mask=none)
    return {f"{side}_{name}": column for name, column in found.items()}


def _texts(codes: Any, texts: list[str], none: Any) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=none), pa.array(texts)).cast(pa.string())


def _numbers(numbers: Ints, codes: Codes, none: Any) -> pa.Array:
    distinct, at = np.unique(numbers, return_inverse=True)
    return _texts(at.astype(np.int32), [codes.number(number) for number in distinct.tolist()], none)
