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

from billproof.commitment.columns import WORD, Gathered, Messages, Piece, TextColumn, big_integer_words
from billproof.commitment.keccak import ByteRows, keccak, keccak_each, require_rows, rows_of

#: What a column may be: integers as an array or, beyond 64 bits, as Python integers; byte strings as
#: (n, width) rows, or as numbers of rows; text as strings, as Arrow's bytes and offsets, or as (n, 32)
#: hashes; a nested struct as its (n, 32) hashes.
Column = (
    NDArray[np.integer] | ByteRows | Gathered | TextColumn | Sequence[int] | Sequence[str] | Sequence[bytes]
)


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

#: Bytes of an ``address``.
ADDRESS = 20

ALL = (BATCH_ID, PEER, CALL_RECORD, TOTALS, STATEMENT, ACCOUNT_ENTRY, ACCOUNT_KEY, SUBJECT, KEY_SECRET)


def hash_struct(struct: Struct, **columns: Column) -> ByteRows:
    """``hashStruct`` of n structs: one column per field, under the field's name → (n, 32).

    Raises ``TypeError`` for missing or unknown fields and ``ValueError`` for a value outside its type.
    """
    names = [name for _, name in struct.fields]
    if set(columns) != set(names):
        raise TypeError(f"{struct.name} has the fields {names}, not {sorted(columns)}")
    template = bytearray(WORD * (len(names) + 1))
    template[:WORD] = struct.type_hash
    pieces = []
    for at, (kind, name) in enumerate(struct.fields, start=1):
        column = _checked(kind, columns[name], f"{struct.name}.{name}")
        pieces.append(Piece(WORD * at + (WORD - ADDRESS if kind == "address" else 0), column))
    try:
        messages = Messages(bytes(template), pieces)
    except ValueError as error:
        raise ValueError(f"{struct.name}: {error}") from error
    return messages.hashes()


def hash_one(struct: Struct, values: Mapping[str, int | bytes | str]) -> bytes:
    """``hashStruct`` of one struct from plain Python values."""
    return hash_struct(struct, **{name: [value] for name, value in values.items()}).tobytes()  # type: ignore[arg-type]


def hash_texts(texts: Sequence[str] | TextColumn) -> ByteRows:
    """Keccak-256 of the UTF-8 bytes of each text: n texts → (n, 32)."""
    return texts.hashes() if isinstance(texts, TextColumn) else keccak_each(text.encode() for text in texts)


def _checked(kind: str, column: Column, name: str) -> NDArray[np.integer] | ByteRows | Gathered | TextColumn:
    """One field's column as its bytes lie in the message, values outside the type refused."""
    if kind.startswith(("uint", "int")):
        return _integers(kind, column, name)
    if kind == "string" and isinstance(column, TextColumn):
        return column
    if kind == "string" and not isinstance(column, np.ndarray | Gathered):
        # EIP-712 encodes text as its hash, so text hashed elsewhere (once per distinct value) may come so.
        return hash_texts(column)  # type: ignore[arg-type]
    width = ADDRESS if kind == "address" else int(kind[5:]) if kind.startswith("bytes") else WORD
    if isinstance(column, Gathered):
        require_rows(column.rows, name, width)
        return column
    rows = column if isinstance(column, np.ndarray) else _joined(column, width, name)  # type: ignore[arg-type]
    require_rows(rows, name, width)  # type: ignore[arg-type]
    return rows


def _joined(values: Sequence[bytes], width: int, name: str) -> ByteRows:
    if any(len(value) != width for value in values):
        raise ValueError(f"{name} takes values of {width} bytes")
    return rows_of(b"".join(values), width)


def _integers(kind: str, column: Column, name: str) -> NDArray[np.integer] | ByteRows:
    signed = kind.startswith("int")
    bits = int(kind.removeprefix("u").removeprefix("int"))
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if not isinstance(column, np.ndarray):
        if any(not low <= value <= high for value in column):  # type: ignore[operator, union-attr]
            raise ValueError(f"{name} does not fit {kind}")
        return big_integer_words(column)  # type: ignore[arg-type]
    if column.dtype.kind not in "iu" or column.ndim != 1:
        raise TypeError(f"{name} takes a column of integers, not {column.dtype} of shape {column.shape}")
    if len(column) and not low <= int(column.min()) <= int(column.max()) <= high:
        raise ValueError(f"{name} does not fit {kind}")
    return column
