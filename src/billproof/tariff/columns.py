"""The columns that rating reads, from records of any origin: a store's, intake's, or a proof file's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billproof.bundle import documents as doc
from billproof.errors import InputError
from billproof.records import SCHEMA

_CORRECTS = 32

#: What rating needs of :data:`billproof.records.SCHEMA`; checking needs ``CHECKED`` too.
RATED = ("service", "started_at", "utc_offset", "usage", "number", "network", "corrects")
CHECKED = (*RATED, "billed_usage", "amount", "rate")


@dataclass(frozen=True)
class Columns:
    """Records of statements that begin at ``first``: numbers in numpy, texts as arrow arrays in one piece."""

    service: NDArray[np.uint8]
    started_at: NDArray[np.int64]
    utc_offset: NDArray[np.int16]
    usage: NDArray[np.int64]
    number: pa.Array
    network: pa.Array
    corrects: NDArray[np.bool_]
    first: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.service)

    @property
    def count(self) -> NDArray[np.int64]:
        """How many records each statement has: (m,)."""
        return np.diff(np.append(self.first, len(self)))

    @property
    def statement(self) -> NDArray[np.int64]:
        """Each record's statement: (n,)."""
        return np.repeat(np.arange(len(self.first)), self.count)


def columns_of(records: pa.Table, first: NDArray[np.int64] | None) -> Columns:
    """The columns of a table; without ``first``, all is one statement."""
    if first is None:
        first = np.zeros(min(records.num_rows, 1), np.int64)
    return Columns(
        service=numbers(records, "service", np.uint8),
        started_at=numbers(records, "started_at", np.int64),
        utc_offset=numbers(records, "utc_offset", np.int16),
        usage=numbers(records, "usage", np.int64),
        number=_plain(texts(records, "number")),
        network=texts(records, "network"),
        corrects=_corrects(records),
        first=first,
    )


def numbers(records: pa.Table, name: str, dtype: type[np.generic]) -> Any:
    """A column of numbers."""
    return records[name].to_numpy().astype(dtype, copy=False)


def texts(records: pa.Table, name: str) -> pa.Array:
    """A column of texts, as codes or as they are."""
    column = records[name]
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.unify_dictionaries().combine_chunks() if column.num_chunks else pa.array([], pa.string())


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _corrects(records: pa.Table) -> NDArray[np.bool_]:
    """Which records correct another: whose ``corrects`` is not all zeros."""
    found = np.zeros(records.num_rows, bool)
    at = 0
    for chunk in records["corrects"].chunks:
        part = _plain(chunk)
        rows = np.frombuffer(part.buffers()[1], np.uint64, 4 * len(part), _CORRECTS * part.offset).reshape(
            -1, 4
        )
        if rows.any():
            found[at : at + len(part)] = rows.any(axis=1)
        at += len(part)
    return found


def table_of(bundle: doc.Bundle) -> pa.Table:
    """The records of a proof file as columns, in order of index.

    Raises :class:`InputError` where a number of it is beyond what a record's field holds.
    """
    records = bundle.records
    integers = {
        "service": ("service", pa.uint8()),
        "started_at": ("startedAt", pa.int64()),
        "utc_offset": ("utcOffset", pa.int16()),
        "usage": ("usage", pa.int64()),
        "billed_usage": ("billedUsage", pa.int64()),
        "amount": ("amount", pa.int64()),
    }
    arrays = {
        name: _integers([getattr(record, key) for record in records], key, kind)
        for name, (key, kind) in integers.items()
    }
    for name in ("number", "network", "rate"):
        arrays[name] = pa.array([getattr(record, name) for record in records], pa.string())
    arrays["corrects"] = pa.array(
        [bytes.fromhex(record.corrects[2:]) for record in records], pa.binary(_CORRECTS)
    )
    return pa.table({name: arrays[name] for name in SCHEMA.names if name in arrays})


def _integers(texts: Sequence[str], key: str, kind: pa.DataType) -> pa.Array:
    """Their values; :class:`InputError` for the first that is beyond the type."""
    try:
        return pa.array(map(int, texts), kind)
    except (pa.ArrowInvalid, OverflowError):
        edge = 1 << kind.bit_width - (not str(kind).startswith("u"))
        least = 0 if str(kind).startswith("u") else -edge
        line = next(at for at, text in enumerate(texts) if not least <= int(text) < edge)
        raise InputError(
            f"{texts[line]} of line {line + 1} is more than can be",
            field=key,
            advice="Check the file's origin.",
        ) from None
