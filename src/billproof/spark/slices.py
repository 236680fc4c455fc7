"""What a task of the first stage reads: a whole file, some of its lines, or some of its row groups.

A file of delimited text is cut at line ends near round positions. A line end within quotes is no end of a
row, and no look at the place alone can tell: the task that reads up to a cut finds out, and then its slice
is read again together with the next one (:func:`joined`).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from billproof.intake import CdrMapping, Format
from billproof.intake.delimited import Layout
from billproof.intake.splitting import cut
from billproof.spark.files import File

#: What a reader is given for the first bytes of a file where no header was cut off: an empty line.
NO_HEAD = b"\n"

_LOOK = 1 << 16
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Slice:
    """A part of a file. ``whole``, or from ``start`` to ``stop``: row groups, or bytes near which it is cut.

    ``head`` stands before the bytes of every slice but the first: the lines up to the header.
    """

    file: File
    form: Format
    mapping: CdrMapping
    whole: bool = True
    start: int = 0
    stop: int = 0
    head: bytes = b""
    last: bool = True


@dataclass(frozen=True)
class DigestOf:
    """A file whose SHA-256 is wanted: that of one whose slices several tasks read."""

    file: File


def slices_of(file: File, form: Format, mapping: CdrMapping, size: int, target: int) -> list[Slice]:
    """Slices of about ``target`` bytes that cover the file of ``size`` bytes, in order."""
    whole = Slice(file, form, mapping)
    if size <= target or form.reader == "xml":
        return [whole]
    cuts = list(_groups(file, size, target)) if form.reader == "parquet" else [*range(0, size, target), size]
    head = b""
    if form.reader == "delimited":
        with file.open() as stream:
            found = head_of(stream.read(_LOOK), mapping.layout)
        if found is None:
            return [whole]
        head = found
    if len(cuts) < 3:
        return [whole]
    part, end = replace(whole, whole=False), cuts[-1]
    return [
        replace(part, start=start, stop=stop, head=head if start else b"", last=stop == end)
        for start, stop in pairwise(cuts)
    ]


def joined(first: Slice, second: Slice) -> Slice:
    """Two neighbours as one."""
    return replace(first, stop=second.stop, last=second.last)


def row_start(file: File, position: int, size: int) -> int:
    """Where the first line begins at or after ``position``; the file's end where none does."""
    if position <= 0 or position >= size:
        return min(max(position, 0), size)
    with file.open() as stream:
        stream.seek(position - 1)
        at = position - 1
        while piece := stream.read(_LOOK):
            end = piece.find(b"\n")
            if end >= 0:
                return int(at + end + 1)
            at += len(piece)
    return size


def head_of(text: bytes, layout: Layout) -> bytes | None:
    """The lines up to the header, from a file's first bytes; None where the file cannot be cut.

    That is gzip, a code page of several bytes a character, and a header that is not one plain line. The
    header is what the reader takes for it: the first line with more than one field, or with text in it.
    """
    encoding = layout.encoding
    if text.startswith(_GZIP) or not (encoding == "utf-8" or _is_single_byte(encoding)):
        return None
    position = 0
    if encoding == "utf-8" and text.startswith(codecs.BOM_UTF8):
        position = len(codecs.BOM_UTF8)
    for _ in range(layout.skip_lines):
        position = text.find(b"\n", position) + 1
        if not position:
            return None
    while not layout.columns:
        end = text.find(b"\n", position) + 1
        if not end:
            return None
        line = cut(np.frombuffer(text[position:end], np.uint8), layout.dialect, final=True)
        if line.fault or len(line.spoilt):
            return None
        position = end
        if len(line.spans) > 1 or line.spans[0, 0] < line.spans[0, 1]:  # as DelimitedReader passes over rows
            break
    return text[:position] or NO_HEAD


def _is_single_byte(encoding: str) -> bool:
    return len(bytes(range(256)).decode(encoding, "replace")) == 256


def _groups(file: File, size: int, target: int) -> Iterator[int]:
    """Row groups at which a Parquet file is cut: the first of every slice, and their number."""
    try:
        with file.open() as stream:
            metadata = pq.ParquetFile(stream).metadata
    except (pa.ArrowException, OSError, ValueError):
        return  # whoever reads the file says what is wrong with it
    per_slice = max(1, round(metadata.num_row_groups * target / size))
    yield from range(0, metadata.num_row_groups, per_slice)
    yield metadata.num_row_groups


def runs(slices: Sequence[Slice], open_ends: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Runs (start, stop) of slices that make one together: all but the last of each have an open end."""
    start = 0
    for at, is_open in enumerate(open_ends):
        if not is_open or at + 1 == len(slices):
            yield start, at + 1
            start = at + 1
