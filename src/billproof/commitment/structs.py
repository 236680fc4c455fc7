"""EIP-712 struct hashes over columns.

Each of the protocol's nine structs is declared once, field by field; its type string and type hash
follow from that. :func:`hash_struct` hashes n structs given as columns, which broadcast like numpy's:
a column of one value stands for n equal ones. Source: EIP-712, "Definition of hashStruct".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from billproof.commitment.keccak import ByteRows, keccak, keccak_each, keccak_rows, rows_of

#: What a column may be: integers as an array or, beyond 64 bits, as Python integers; byte strings as
#: (n, width) rows; text as strings or as (n, 32) hashes; a nested struct as its (n, 32) hashes.
Column = NDArray[np.integer] | ByteRows | Sequence[int] | Sequence[str] | Sequence[bytes]

WORD = 32


@dataclass(frozen=True)
class Struct:
    """An EIP-712 struct type. ``fields`` pairs a Solidity type (or a struct's name) with a field name."""

    name: str
    fields: tuple[tuple[str, str], ...]
    nested: tuple[Struct, ...] = ()
    type_string: str = field(init=False)
    type_hash: bytes = field(init=False)

    def __post_init__(self) -> None:
        inner = sorted(self.nested, key=lambda struct: struct.name)
        text = self._own_type() + "".join(struct._own_type() for struct in inner)
        object.__setattr__(self, "type_string", text)
        object.__setattr__(self, "type_hash", keccak(text.encode()))

    def _own_type(self) -> str:
        return f"{self.name}({','.join(f'{kind} {name}' for kind, name in self.fields)})"


def _fields(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (part.split() for part in text.split(","))
    return tuple((kind, name) for kind, name in pairs)


BATCH_ID = Struct(
    "BatchId",
    _fields(
        "uint256 chainId,address ledger,uint64 operatorId,uint32 period,uint32 region,uint32 sequence",
    ),
)
PEER = Struct("Peer", _fields("string number,bytes32 salt"))
CALL_RECORD = Struct(
    "CallRecord",
    _fields(
        "uint32 index,uint8 service,uint64 startedAt,int16 utcOffset,uint64 usage,uint64 billedUsage,"
        "bytes32 peer,bytes8 network,int128 amount,bytes32 rate,bytes32 corrects"
    ),
)
TOTALS = Struct("Totals", _fields("int128 total,bytes32 salt"))
STATEMENT = Struct(
    "Statement",
    _fields(
        "bytes32 batchId,bytes32 account,bytes32 recordsRoot,uint32 recordCount,bytes3 currency,"
        "bytes32 tariff,Totals totals"
    ),
    (TOTALS,),
)
ACCOUNT_ENTRY = Struct("AccountEntry", _fields("bytes32 account,bytes32 nextAccount,bytes32 statement"))
ACCOUNT_KEY = Struct("AccountKey", _fields("bytes32 subject,address holder"))
SUBJECT = Struct("Subject", _fields("string accountId,bytes32 keySecret"))
KEY_SECRET = Struct("KeySecret", _fields("bytes32 accountSeed,bytes32 batchId"))

ALL = (BATCH_ID, PEER, CALL_RECORD, TOTALS, STATEMENT, ACCOUNT_ENTRY, ACCOUNT_KEY, SUBJECT, KEY_SECRET)


def hash_struct(struct: Struct, **columns: Column) -> ByteRows:
    """``hashStruct`` of n structs: one column per field, under the field's name → (n, 32).

    Raises ``TypeError`` for missing or unknown fields and ``ValueError`` for a value outside its type.
    """
    names = [name for _, name in struct.fields]
    if set(columns) != set(names):
        raise TypeError(f"{struct.name} has the fields {names}, not {sorted(columns)}")
    words = [_words(kind, columns[name], f"{struct.name}.{name}") for kind, name in struct.fields]
    counts = {len(word) for word in words} - {1}
    if len(counts) > 1:
        raise ValueError(f"{struct.name} takes columns of one length, not of {sorted(counts)}")
    count = counts.pop() if counts else 1
    preimages = np.empty((count, WORD * (len(words) + 1)), np.uint8)
    preimages[:, :WORD] = np.frombuffer(struct.type_hash, np.uint8)
    for at, word in enumerate(words, start=1):
        preimages[:, WORD * at : WORD * (at + 1)] = word
    return keccak_rows(preimages)


def hash_one(struct: Struct, values: Mapping[str, int | bytes | str]) -> bytes:
    """``hashStruct`` of one struct from plain Python values."""
    return hash_struct(struct, **{name: [value] for name, value in values.items()}).tobytes()  # type: ignore[arg-type]


def hash_texts(texts: Sequence[str]) -> ByteRows:
    """Keccak-256 of the UTF-8 bytes of each text: n texts → (n, 32)."""
    return keccak_each(text.encode() for text in texts)


def _words(kind: str, column: Column, name: str) -> ByteRows:
    """One field's values as EIP-712 words: (n, 32)."""
    if kind == "string":
        # EIP-712 encodes text as its hash, so text hashed elsewhere (once per distinct value) may come so.
        return column if isinstance(column, np.ndarray) else hash_texts(column)  # type: ignore[arg-type, return-value]
    if kind.startswith(("uint", "int")):
        return _integer_words(kind, column, name)
    width = 20 if kind == "address" else int(kind.removeprefix("bytes")) if kind.startswith("bytes") else 32
    rows = column if isinstance(column, np.ndarray) else _joined(column, width, name)  # type: ignore[arg-type]
    if rows.ndim != 2 or rows.shape[1] != width:
        raise ValueError(f"{name} takes rows of {width} bytes, not shape {rows.shape}")
    if width == WORD:
        return rows.astype(np.uint8, copy=False)
    words = np.zeros((len(rows), WORD), np.uint8)
    if kind == "address":
        words[:, WORD - width :] = rows
    else:
        words[:, :width] = rows
    return words


def _joined(values: Sequence[bytes], width: int, name: str) -> ByteRows:
    if any(len(value) != width for value in values):
        raise ValueError(f"{name} takes values of {width} bytes")
    return rows_of(b"".join(values), width)


def _integer_words(kind: str, column: Column, name: str) -> ByteRows:
    signed = kind.startswith("int")
    bits = int(kind.removeprefix("u").removeprefix("int"))
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if not isinstance(column, np.ndarray):
        if any(not low <= value <= high for value in column):  # type: ignore[operator]
            raise ValueError(f"{name} does not fit {kind}")
        words256 = ((value % (1 << 256)).to_bytes(WORD) for value in column)  # type: ignore[union-attr]
        return rows_of(b"".join(words256), WORD)
    if len(column) and not low <= int(column.min()) <= int(column.max()) <= high:
        raise ValueError(f"{name} does not fit {kind}")
    words = np.zeros((len(column), WORD), np.uint8)
    if signed:
        words[column < 0, : WORD - 8] = 0xFF
        tail = column.astype(">i8")
    else:
        tail = column.astype(">u8")
    words[:, WORD - 8 :] = tail.view(np.uint8).reshape(-1, 8)
    return words
