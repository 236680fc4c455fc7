"""A clearing as JSON (``billproof/clear/1``), and every difference as a row of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from billproof.clearing import wording
from billproof.clearing.books import Book, Codes
from billproof.clearing.clearing import Clearing
from billproof.clearing.differences import Kind
from billproof.clearing.kernel import Ints

_EXAMPLES = 3


def document(clearing: Clearing) -> dict[str, Any]:
    """Totals, causes and findings, money first; money is in billionths, as text."""
    ours, theirs = clearing.totals
    pairs = clearing.pairs
    return {
        "agreement": {"name": clearing.agreement.name, "hash": "0x" + clearing.agreement.hash.hex()},
        "settlement": clearing.agreement.settlement,
        "ours": _side(clearing.books[0], ours, len(pairs.ours_left)),
        "theirs": _side(clearing.books[1], theirs, len(pairs.theirs_left)),
        "difference": str(ours - theirs),
        "pairs": len(pairs.ours),
        "agreed": clearing.agreed,
        "atStake": {kind: str(money) for kind, money in clearing.at_stake.items()},
        "counts": clearing.counts,
        "causes": [_cause(clearing, at) for at in range(len(clearing.explained.causes))],
        "findings": findings(clearing),
    }


def findings(clearing: Clearing) -> list[dict[str, Any]]:
    """What no cause explains, by kind, money first."""
    found: list[dict[str, Any]] = []
    paying = clearing.differences.paying
    for (kind, side), rows in clearing.explained.findings.items():
        if side is None:
            money = np.where(paying[rows] == kind, clearing.differences.money[rows], 0)
        else:
            money = clearing.books[side].settled[rows] * (1 if side == 0 else -1)
        order = np.argsort(-np.abs(money), kind="stable")[:_EXAMPLES]
        found.append(
            {
                "kind": kind.word,
                "side": _SIDES[side],
                "words": wording.FINDINGS[kind, side],
                "count": len(rows),
                "money": int(money.sum()),
                "examples": [_example(clearing, side, int(row)) for row in rows[order]],
            }
        )
    found.sort(key=lambda one: (-abs(one["money"]), -one["count"]))
    return [{**one, "money": str(one["money"])} for one in found]


_SIDES = {None: "both", 0: "ours", 1: "theirs"}


def _side(book: Book, total: int, left: int) -> dict[str, Any]:
    return {"book": book.name, "records": len(book), "total": str(total), "unpaired": left}


def _cause(clearing: Clearing, at: int) -> dict[str, Any]:
    cause = clearing.explained.causes[at]
    dimension, value = wording.place(clearing, cause)
    return {
        "number": at + 1,
        "kind": cause.kind.word,
        "words": wording.sentence(clearing, cause),
        "side": _SIDES[cause.side],
        "services": wording.services(cause),
        "dimension": dimension,
        "value": value,
        "what": cause.what,
        "count": cause.count,
        "money": str(cause.money),
        "examples": [_example(clearing, cause.side, row) for row in cause.examples],
    }


def _example(clearing: Clearing, side: int | None, row: int) -> dict[str, Any]:
    if side is not None:
        return {_SIDES[side]: _record(clearing.books[side], row, clearing.codes)}
    pairs = clearing.pairs
    return {
        "ours": _record(clearing.books[0], int(pairs.ours[row]), clearing.codes),
        "theirs": _record(clearing.books[1], int(pairs.theirs[row]), clearing.codes),
    }


def _record(book: Book, row: int, codes: Codes) -> dict[str, Any]:
    return {
        "batch": codes.batches.texts[book.batch[row]],
        "row": int(book.row[row]),
        "service": int(book.service[row]),
        "startedAt": int(book.started_at[row]),
        "number": codes.number(int(book.number[row])),
        "usage": int(book.usage[row]),
        "billedUsage": int(book.billed_usage[row]),
        "amount": str(book.amount[row]),
        "currency": codes.currencies.texts[book.currency[row]],
    }


def listing(clearing: Clearing) -> pa.Table:
    """Every difference as a row: kinds, the number of its cause (0: none), money, and both records.

    Columns of a record that there is not are null. Money and amounts are in billionths.
    """
    pairs, found = clearing.pairs, clearing.differences
    differing = np.flatnonzero(found.kinds)
    nothing_ours, nothing_theirs = (np.full(len(left), -1) for left in (pairs.ours_left, pairs.theirs_left))
    ours = np.concatenate([pairs.ours[differing], pairs.ours_left, nothing_theirs])
    theirs = np.concatenate([pairs.theirs[differing], nothing_ours, pairs.theirs_left])
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
    names = ["+".join(kind.word for kind in Kind if bit & (1 << kind)) for bit in distinct.tolist()]
    columns = {
        "kinds": pa.DictionaryArray.from_arrays(codes.astype(np.int32), names).cast(pa.string()),
        "cause": _numbers_of_causes(clearing, differing),
        "money": money,
        **_columns("our", clearing.books[0], ours, clearing.codes),
        **_columns("their", clearing.books[1], theirs, clearing.codes),
    }
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
