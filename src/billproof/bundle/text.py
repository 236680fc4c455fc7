"""Documents in columns: the text of many at once, byte for byte as :func:`documents.encode` writes each.

A template is a document of one kind in which every field names a column; it comes from the format's own
types and encoder, so that there is no second place that knows how a file looks. Filling it joins its pieces
with the columns' texts, row by row, in compiled code.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from billproof.bundle import documents as doc
from billproof.commitment.keccak import ByteRows

_TEXT = pa.large_string()
_NAMES: dict[type[msgspec.Struct], str] = {kind: name for name, kind in doc.KINDS.items()}
_HOLE = re.compile(r'"\[(\w+)\]"|<(\w+)>')
_ESCAPED = np.isin(np.arange(256), [*range(32), *b'"\\'])
_HEX = np.array([int.from_bytes(b"%02x" % byte, "little") for byte in range(256)], "<u2")


@dataclass(frozen=True)
class Template:
    """Text with holes: ``pieces`` are in turn literal text and the name of a column, text first and last."""

    pieces: tuple[str, ...]

    @classmethod
    def of(cls, kind: type[msgspec.Struct], *, depth: int = 0, without: Collection[str] = ()) -> Template:
        """The template of a kind of document, or of an object ``depth`` levels inside one.

        Its columns have the names of the fields; those in ``without`` are left out. A list's column holds the
        whole list, brackets included.
        """
        text = doc.encode(_holes(kind, without)).decode().rstrip("\n")
        return cls._split(text, depth)

    @classmethod
    def one_line(cls, kind: type[msgspec.Struct]) -> Template:
        """The same on one line, as :func:`msgspec.json.encode` writes it."""
        return cls._split(msgspec.json.encode(_holes(kind, ())).decode(), 0)

    @classmethod
    def _split(cls, text: str, depth: int) -> Template:
        pieces = [piece for piece in _HOLE.split(text.replace("\n", "\n" + depth * " ")) if piece is not None]
        return cls(tuple(pieces))

    def cut(self, column: str) -> tuple[Template, Template]:
        """What stands before a column, and what follows it."""
        at = self.pieces.index(column, 1)
        return Template(self.pieces[:at]), Template(self.pieces[at + 1 :])

    def around(self, before: str, after: str) -> Template:
        """The template with more text in front and behind."""
        first, *rest = (before + self.pieces[0], *self.pieces[1:])
        return Template((first, *rest[:-1], rest[-1] + after))

    def fill(self, columns: Mapping[str, pa.Array | str]) -> pa.LargeStringArray:
        """n texts from columns of n texts each; a single text stands for n equal ones."""
        joined: list[Any] = [self.pieces[0]]
        for name, literal in zip(self.pieces[1::2], self.pieces[2::2], strict=True):
            column = columns[name]
            if isinstance(column, str):
                joined[-1] += column + literal
            else:
                joined += [column, literal]
        parts = [pa.scalar(part, _TEXT) if isinstance(part, str) else part for part in joined]
        return pc.binary_join_element_wise(*parts, pa.scalar("", _TEXT))


def _holes(kind: type[msgspec.Struct], without: Collection[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in msgspec.inspect.type_info(kind).fields:  # type: ignore[attr-defined]
        if field.name == "schema":
            found["schema"] = _NAMES[kind]
        elif isinstance(field.type, msgspec.inspect.StructType):
            found[field.name] = _holes(field.type.cls, without)
        elif isinstance(field.type, msgspec.inspect.ListType):
            found[field.name] = f"[{field.name}]"
        elif field.name not in without:
            found[field.name] = f"<{field.name}>"
    return found


def integers(values: NDArray[np.integer]) -> pa.Array:
    """Integers in canonical decimal: (n,) → n texts."""
    return pa.array(values).cast(_TEXT)


def hexes(rows: ByteRows) -> pa.Array:
    """Byte strings as lower-case hex with 0x: (n, width) → n texts."""
    count, width = rows.shape
    digits = np.empty((count, 1 + width), "<u2")
    digits[:, 0] = int.from_bytes(b"0x", "little")
    digits[:, 1:] = _HEX[rows]
    ends = np.arange(count + 1) * (2 + 2 * width)
    return pa.LargeStringArray.from_buffers(count, pa.py_buffer(ends), pa.py_buffer(digits))


def texts(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Any text as it stands between the quotes of JSON: n texts → n texts."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    plain = column.cast(_TEXT)
    data, ends = values(plain)
    if not _ESCAPED[np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]].any():
        return plain
    return pa.array([msgspec.json.encode(text)[1:-1].decode() for text in plain.to_pylist()], _TEXT)


def lists(items: pa.Array, offsets: NDArray[np.int64], *, depth: int) -> pa.Array:
    """Lists of texts as fields of an object ``depth`` levels inside a document: p items, (n + 1,) → n texts.

    List i is ``items[offsets[i] : offsets[i + 1]]``; the items are written between quotes as they are.
    """
    outer = "\n" + " " * (depth + 1)
    items_of = pa.LargeListArray.from_arrays(pa.array(offsets), items)
    joined = pc.binary_join(items_of, pa.scalar(f'",{outer} "', _TEXT))
    found = Template((f'[{outer} "', "items", f'"{outer}]')).fill({"items": joined})
    empty = pa.array(offsets[1:] == offsets[:-1])
    return pc.if_else(empty, pa.scalar("[]", _TEXT), found) if pc.any(empty).as_py() else found


def one_line_lists(items: pa.Array, offsets: NDArray[np.int64]) -> pa.Array:
    """The same lists on one line each."""
    items_of = pa.LargeListArray.from_arrays(pa.array(offsets), items)
    joined = pc.binary_join(items_of, pa.scalar('","', _TEXT))
    found = Template(('["', "items", '"]')).fill({"items": joined})
    return pc.if_else(pa.array(offsets[1:] == offsets[:-1]), pa.scalar("[]", _TEXT), found)


def values(column: pa.LargeStringArray) -> tuple[memoryview, NDArray[np.int64]]:
    """The bytes of n texts laid end to end, and where each begins and the last one ends: (n + 1,)."""
    _, offsets, data = column.buffers()
    ends = np.zeros(1, np.int64)
    if len(column):
        ends = np.frombuffer(offsets, np.int64, len(column) + 1, 8 * column.offset)
    return memoryview(data or b""), ends
