"""What a batch's proof files are filled from: lines in columns, and what stands around them."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billproof.bundle import documents as doc
from billproof.bundle.text import hexes, integers, texts
from billproof.commitment.keccak import ByteRows
from billproof.leaves import byte_rows


class Frame(msgspec.Struct, frozen=True):
    """A bundle without its lines."""

    batch: doc.BatchFields
    account: doc.AccountOpening
    statement: doc.StatementFields
    entry: doc.Entry


@dataclass(frozen=True)
class Lines:
    """The lines of some statements, hashed: n lines of k statements."""

    at: NDArray[np.int64]  # (k,) which of the statements opened
    count: NDArray[np.int64]  # (k,) how many lines each has
    records: pa.Table  # n rows
    index: NDArray[np.int64]  # (n,) place in the statement
    salts: ByteRows  # (n, 32)
    peers: ByteRows  # (n, 32)
    hashes: ByteRows  # (n, 32)

    def columns(self, rows: slice) -> dict[str, pa.Array]:
        """What a bundle's lines and a receipt's record have in common, as text by field."""
        records = self.records.slice(rows.start, rows.stop - rows.start)
        return line_columns(records, self.index[rows], self.salts[rows])


def line_columns(records: pa.Table, index: NDArray[np.int64], salts: ByteRows) -> dict[str, pa.Array]:
    """Lines as text by field: n rows of :data:`billproof.records.SCHEMA`, (n,), (n, 32) → n texts each."""
    return {
        "index": integers(index),
        "service": integers(records["service"].to_numpy()),
        "startedAt": integers(records["started_at"].to_numpy()),
        "utcOffset": integers(records["utc_offset"].to_numpy()),
        "usage": integers(records["usage"].to_numpy()),
        "billedUsage": integers(records["billed_usage"].to_numpy()),
        "number": texts(records["number"]),
        "salt": hexes(salts),
        "network": texts(records["network"]),
        "amount": integers(records["amount"].to_numpy()),
        "rate": texts(records["rate"]),
        "corrects": hexes(byte_rows(records["corrects"], 32)),
    }
