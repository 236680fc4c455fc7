"""What a reader hands to the mapping: text columns with the line each row came from.

A reader knows a file's syntax and nothing of telecom. It yields :class:`Rows`: the rows that could be cut
into columns, and beside them the ones that could not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bools: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]
Octets: TypeAlias = npt.NDArray[np.uint8]
#: Start and end of fields in a block of text, (n, 2).
Spans: TypeAlias = npt.NDArray[np.int32]

#: The longest row that is read, in bytes; longer ones are rejected without being kept.
MAX_ROW = 1 << 20

#: How much of a long row is kept in its reject, in characters.
RAW_KEPT = 4096

#: What marks a reject's text that was cut off.
CUT = " … (cut off)"


@dataclass(frozen=True)
class BadRow:
    """A row that could not be cut into columns; ``line`` counts from 1."""

    line: int
    field: str
    reason: str
    raw: str


@dataclass(frozen=True)
class Coded:
    """Texts many of which are equal: text i is ``distinct[codes[i]]``. What is said of a text is said once
    of each distinct one; the same text may stand there twice.
    """

    distinct: pa.StringArray
    codes: npt.NDArray[np.int32]

    @classmethod
    def of(cls, texts: pa.StringArray) -> Coded:
        """The texts, coded."""
        coded = texts.dictionary_encode()
        return cls(coded.dictionary, coded.indices.to_numpy())

    @classmethod
    def constant(cls, text: str, size: int) -> Coded:
        """``size`` times the same text."""
        return cls(pa.array([text], pa.string()), np.zeros(size, np.int32))

    def __len__(self) -> int:
        return len(self.codes)

    def texts(self) -> pa.StringArray:
        """One text per row."""
        return self.distinct.take(pa.array(self.codes))

    def each(self, marked: Bools) -> Bools:
        """The rows whose text is marked: one boolean per distinct text to one per row."""
        result: Bools = marked[self.codes] if marked.any() else np.zeros(len(self), np.bool_)
        return result

    def where(self, rows: Bools, other: Coded) -> Coded:
        """These texts in ``rows``, the other ones elsewhere."""
        if rows.all():
            return self
        distinct = pa.concat_arrays([other.distinct, self.distinct])
        return Coded(distinct, np.where(rows, self.codes + np.int32(len(other.distinct)), other.codes))

    def arrow(self) -> pa.DictionaryArray:
        """The column as Arrow has it, no text twice in its dictionary."""
        once = self.distinct.dictionary_encode()
        codes = self.codes
        if len(once.dictionary) < len(self.distinct):
            codes = once.indices.to_numpy()[codes]
        return pa.DictionaryArray.from_arrays(pa.array(codes), once.dictionary)


@dataclass(frozen=True)
class Rows:
    """Some rows of a file.

    ``lines``: int64, one per row, the line on which the row begins. ``column(name)``: a string array
    without nulls, one text per row. ``raw(rows)``: the source text of the rows with these indexes.
    ``coded(name)``: the column coded, where the reader has a faster way to it than :meth:`Coded.of`.
    """

    lines: Ints
    column: Callable[[str], pa.StringArray]
    raw: Callable[[Ints], list[str]]
    bad: list[BadRow] = field(default_factory=list)
    coded: Callable[[str], Coded] | None = None

    def __len__(self) -> int:
        return len(self.lines)


def kept(raw: str) -> str:
    """As much of a row's text as a reject keeps."""
    return raw if len(raw) <= RAW_KEPT else raw[:RAW_KEPT] + CUT


def octets(texts: pa.StringArray) -> tuple[Octets, Ints, Ints]:
    """The bytes behind a string array: ``(bytes, starts, lengths)``; text ``i`` is
    ``bytes[starts[i]:][:lengths[i]]``.

    ``bytes`` has at least one element, so that masked gathers never index into nothing.
    """
    _, offset_buffer, text_buffer = texts.buffers()
    size = len(texts)
    if size == 0 or text_buffer is None or text_buffer.size == 0:
        return np.zeros(1, np.uint8), np.zeros(size, np.int64), np.zeros(size, np.int64)
    offsets = np.frombuffer(offset_buffer, np.int32)[texts.offset : texts.offset + size + 1].astype(np.int64)
    return np.frombuffer(text_buffer, np.uint8), offsets[:-1], np.diff(offsets)


def repeat(text: str, size: int) -> pa.StringArray:
    """``size`` times the same text."""
    return pa.repeat(pa.scalar(text, pa.string()), size)


def bools(mask: Any) -> Bools:
    """An Arrow boolean array as numpy; null counts as false."""
    if mask.null_count:
        mask = mask.fill_null(False)
    result: Bools = mask.to_numpy(zero_copy_only=False)
    return result


def from_lists(
    lines: list[int], columns: Mapping[str, list[str]], raws: list[str], bad: list[BadRow]
) -> Rows:
    """Rows of a reader that works row by row."""
    size = len(lines)
    arrays = {name: pa.array(texts, pa.string()) for name, texts in columns.items()}

    def column(name: str) -> pa.StringArray:
        return arrays[name] if name in arrays else repeat("", size)

    def raw(rows: Ints) -> list[str]:
        return [raws[row] for row in rows.tolist()]

    return Rows(np.array(lines, np.int64), column, raw, bad)
