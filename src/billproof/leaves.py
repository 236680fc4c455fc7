"""Records and statements → leaves of the two trees. The operator's batch and the verifier share it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from billproof.commitment.keccak import ByteRows
from billproof.commitment.structs import CALL_RECORD, PEER, hash_struct, hash_texts
from billproof.records import NETWORK_BYTES


def hash_peers(numbers: pa.Array, salts: ByteRows) -> ByteRows:
    """``hashStruct(Peer)`` of each counterparty: n numbers, (n, 32) salts → (n, 32)."""
    return hash_struct(PEER, number=text_hashes(numbers), salt=salts)


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
        network=padded_rows(records["network"], NETWORK_BYTES),
        amount=numbers("amount"),
        rate=text_hashes(records["rate"]),
        corrects=byte_rows(records["corrects"], 32),
    )


def padded_rows(texts: pa.Array | pa.ChunkedArray, width: int) -> ByteRows:
    """Short ASCII texts, padded right with zeros: n texts → (n, width). A longer one raises ValueError."""
    distinct, codes = _distinct(texts)
    if any(len(value) > width for value in distinct):
        raise ValueError(f"a text is longer than {width} bytes")
    rows: ByteRows = np.asarray(distinct, dtype=f"S{width}").view(np.uint8).reshape(-1, width)[codes]
    return rows


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
    distinct, codes = _distinct(texts)
    hashes: ByteRows = hash_texts(distinct)[codes]
    return hashes


def _distinct(texts: pa.Array | pa.ChunkedArray) -> tuple[list[str], NDArray[np.int32]]:
    """The distinct texts, and which of them each of the n texts is: (n,)."""
    array = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    encoded = pc.dictionary_encode(array)
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
