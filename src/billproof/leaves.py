"""Records and statements → leaves of the two trees. The operator's batch and the verifier share it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from billproof.commitment.columns import Gathered, TextColumn
from billproof.commitment.keccak import ByteRows
from billproof.commitment.structs import CALL_RECORD, PEER, hash_struct
from billproof.records import NETWORK_BYTES


def hash_peers(numbers: pa.Array, salts: ByteRows) -> ByteRows:
    """``hashStruct(Peer)`` of each counterparty: n numbers, (n, 32) salts → (n, 32)."""
    return hash_struct(PEER, number=text_source(numbers), salt=salts)


def hash_records(records: pa.Table, index: NDArray[np.int64], peers: ByteRows) -> ByteRows:
    """``hashStruct(CallRecord)`` of each record: n rows of ``records.SCHEMA`` → (n, 32).

    ``index`` is each record's place in its statement, ``peers`` its :func:`hash_peers`.
    """

    def numbers(name: str) -> NDArray[np.int64]:
        return records[name].to_numpy()  # type: ignore[no-any-return]

    return hash_struct(
        CALL_RECORD,
        index=index,
        service=numbers("service"),
        startedAt=numbers("started_at"),
        utcOffset=numbers("utc_offset"),
        usage=numbers("usage"),
        billedUsage=numbers("billed_usage"),
        peer=peers,
        network=_gathered_rows(records["network"], NETWORK_BYTES),
        amount=numbers("amount"),
        rate=_gathered_hashes(records["rate"]),
        corrects=byte_rows(records["corrects"], 32),
    )


def padded_rows(texts: pa.Array | pa.ChunkedArray, width: int) -> ByteRows:
    """Short ASCII texts, padded right with zeros: n texts → (n, width). A longer one raises ValueError."""
    return _gathered_rows(texts, width).written_out()


def byte_rows(column: pa.Array | pa.ChunkedArray, width: int) -> ByteRows:
    """A fixed-size binary column without nulls as a matrix: n values → (n, width)."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if len(array) == 0:
        return np.empty((0, width), np.uint8)
    # A buffer may be longer than its values: Arrow pads what it allocates.
    data = np.frombuffer(array.buffers()[1], np.uint8, width * len(array), width * array.offset)
    return data.reshape(-1, width)


def fixed_binary(rows: ByteRows) -> pa.Array:
    """The reverse of :func:`byte_rows`: (n, width) → n values of ``binary(width)``."""
    data = np.ascontiguousarray(rows)
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(data.shape[1]), len(data), [None, pa.py_buffer(data.tobytes())]
    )


def text_hashes(texts: pa.Array | pa.ChunkedArray) -> ByteRows:
    """Keccak-256 of each text, every distinct one hashed once: n texts → (n, 32)."""
    return _gathered_hashes(texts).written_out()


def text_source(texts: pa.Array | pa.ChunkedArray) -> Gathered | TextColumn:
    """Texts that mostly differ, as a column of a struct: hashed where they lie, coded ones once each."""
    return _gathered_hashes(texts) if pa.types.is_dictionary(texts.type) else text_column(texts)


def text_column(texts: pa.Array | pa.ChunkedArray) -> TextColumn:
    """Texts without nulls as the bytes and offsets that they have in memory already, nothing copied."""
    array = _in_one_piece(texts)
    if array.null_count:
        raise ValueError("a text is missing")
    large = pa.types.is_large_string(array.type)
    if not (large or pa.types.is_string(array.type)):
        raise TypeError(f"a column of texts is needed, not of {array.type}")
    _, offsets, values = array.buffers()
    if len(array) == 0:
        return TextColumn(np.empty(0, np.uint8), np.zeros(1, np.int32))
    kind: type[np.signedinteger[Any]] = np.int64 if large else np.int32
    starts = np.frombuffer(offsets, kind, len(array) + 1, np.dtype(kind).itemsize * array.offset)
    return TextColumn(np.frombuffer(values or b"", np.uint8), starts)


def _gathered_hashes(texts: pa.Array | pa.ChunkedArray) -> Gathered:
    """Keccak-256 of each text, every distinct one hashed once: n texts → n values of 32 bytes."""
    distinct, codes = _distinct(texts)
    return Gathered(text_column(distinct).hashes(), codes)


def _gathered_rows(texts: pa.Array | pa.ChunkedArray, width: int) -> Gathered:
    """Short ASCII texts, padded right with zeros: n texts → n values of ``width`` bytes."""
    distinct, codes = _distinct(texts)
    values = distinct.to_pylist()
    if any(len(value) > width for value in values):
        raise ValueError(f"a text is longer than {width} bytes")
    return Gathered(np.asarray(values, dtype=f"S{width}").view(np.uint8).reshape(-1, width), codes)


def _distinct(texts: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, NDArray[np.int32]]:
    """The distinct texts, and which of them each of the n texts is: (n,)."""
    encoded = pc.dictionary_encode(_in_one_piece(texts))
    if encoded.null_count:
        raise ValueError("a text is missing")
    return encoded.dictionary, encoded.indices.to_numpy()


def _in_one_piece(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    if not isinstance(texts, pa.ChunkedArray):
        return texts
    array = texts.combine_chunks()
    # More than 2 GiB of text do not fit one array of 32-bit offsets.
    return texts.cast(pa.large_string()).combine_chunks() if isinstance(array, pa.ChunkedArray) else array
