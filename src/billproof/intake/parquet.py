"""Reads Apache Parquet files into text columns, so that the mapping is the same as for any other format.

What a column becomes is written in docs/formats.md. Only the columns that the mapping names are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from billproof.errors import InputError
from billproof.intake.rows import BadRow, Bools, Ints, Rows, bools
from billproof.intake.source import BLOCK, Digest, unreadable

_MAGIC = b"PAR1"

#: Rows read at a time: like 8 MiB of text.
_BATCH = 1 << 16


class ParquetReader:
    """One pass over a file, or some of its row groups. ``needed``: the columns that the mapping names."""

    def __init__(
        self,
        path: Path,
        needed: frozenset[str],
        *,
        strip: bool = False,
        digest: Digest | None = None,
        groups: Sequence[int] | None = None,
    ) -> None:
        self._path = path
        self._needed = sorted(needed)
        self._strip = strip
        self._digest = digest
        self._groups = groups

    def __iter__(self) -> Iterator[Rows]:
        """The rows, ``line`` being their number from 1. Raises :class:`InputError` for what is no Parquet
        file, lacks a column, or has one that is no text, number, date or time.
        """
        with unreadable(self._path), self._path.open("rb") as stream:
            self._tell(stream)
            with self._damaged():
                file = pq.ParquetFile(stream)
                self._check(file.schema_arrow)
            groups = range(file.num_row_groups) if self._groups is None else self._groups
            with self._damaged():
                line = 1 + sum(file.metadata.row_group(at).num_rows for at in range(next(iter(groups), 0)))
                batches = file.iter_batches(_BATCH, row_groups=list(groups), columns=self._needed)
            while True:
                with self._damaged():
                    batch = next(batches, None)
                    if batch is None:
                        return
                    rows = self._rows(batch, line)
                yield rows
                line += batch.num_rows

    def _tell(self, stream: Any) -> None:
        """Checks the file's first bytes; tells the digest all of them."""
        magic = stream.read(len(_MAGIC))
        if magic != _MAGIC:
            raise InputError(
                "is not a Parquet file" if magic else "is empty",
                file=self._path,
                advice="fetch it again, or name its format with --format or --input",
            )
        if self._digest is not None:
            stream.seek(0)
            while piece := stream.read(BLOCK):
                self._digest.update(piece)
        stream.seek(0)

    @contextmanager
    def _damaged(self) -> Iterator[None]:
        """Says what pyarrow says of a file that it cannot read."""
        try:
            yield
        except (pa.ArrowException, OSError, ValueError) as error:
            said = str(error).partition("\n")[0]
            raise InputError(
                f"is damaged, or uses what is not supported: {said}",
                file=self._path,
                advice="write it again, or fetch it again",
            ) from error

    def _check(self, schema: pa.Schema) -> None:
        """Every needed column is there, once, and has a type that has a text."""
        for name in self._needed:
            found = schema.get_all_field_indices(name)
            if len(found) != 1:
                listed = ", ".join(schema.names)[:1000]
                shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in listed)
                what = "is named twice in" if found else "is not in"
                raise InputError(
                    f"the mapping uses the column {name!r}, which {what} the file ({shown})",
                    file=self._path,
                    field=name,
                    advice="correct the column name in the mapping",
                )
            kind = schema.field(found[0]).type
            if not _has_text(kind):
                raise InputError(
                    f"the column is of type {kind}, which has no text of its own",
                    file=self._path,
                    field=name,
                    advice="write it as text, a number, a decimal, a date or a timestamp",
                )

    def _rows(self, batch: pa.RecordBatch, line: int) -> Rows:
        columns: dict[str, pa.StringArray] = {}
        wrong = np.zeros(batch.num_rows, np.bool_)
        for name in self._needed:
            texts = _texts(batch.column(name))
            if (broken := _not_text(texts)) is not None:
                wrong |= broken
                texts = pc.if_else(pa.array(broken), "", texts)
            columns[name] = pc.utf8_trim(texts, characters=" \t") if self._strip else texts
        lines = np.arange(line, line + batch.num_rows, dtype=np.int64)
        if not wrong.any():
            return Rows(lines, columns.__getitem__, partial(_raw, columns))
        reason = "is not valid text: Parquet holds UTF-8"
        raw = _raw(columns, np.flatnonzero(wrong))
        bad = [BadRow(at, "row", reason, text) for at, text in zip(lines[wrong].tolist(), raw, strict=True)]
        good = pa.array(~wrong)
        kept = {name: texts.filter(good) for name, texts in columns.items()}
        return Rows(lines[~wrong], kept.__getitem__, partial(_raw, kept), bad)


def _raw(columns: dict[str, pa.StringArray], rows: Ints) -> list[str]:
    """The rows' texts, as JSON."""
    chosen = [columns[name].take(pa.array(rows)).to_pylist() for name in columns]
    return [
        json.dumps(dict(zip(columns, texts, strict=True)), ensure_ascii=False)
        for texts in zip(*chosen, strict=True)
    ]


def _has_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _has_text(kind.value_type)
    return any(
        fits(kind)
        for fits in (
            *(pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null),
            *(pa.types.is_integer, pa.types.is_decimal, pa.types.is_float32, pa.types.is_float64),
            *(pa.types.is_boolean, pa.types.is_date, pa.types.is_time, pa.types.is_timestamp),
        )
    )


def _texts(column: pa.Array) -> pa.StringArray:
    """The column as text; what is not there is empty."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary).take(column.indices).fill_null("")
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        column = column.cast(pa.timestamp(kind.unit, "UTC"))
    texts = column.cast(pa.string()) if not pa.types.is_string(kind) else column
    if pa.types.is_decimal(kind):
        texts = _plain(texts)
    return texts.fill_null("")


def _plain(texts: pa.StringArray) -> pa.StringArray:
    """Decimals without exponents, as Arrow writes small ones."""
    short = bools(pc.match_substring(texts, "E"))
    if not short.any():
        return texts
    from decimal import Decimal

    written = [format(Decimal(text), "f") for text in texts.filter(pa.array(short)).to_pylist()]
    return pc.replace_with_mask(texts, pa.array(short), pa.array(written, pa.string()))


def _not_text(texts: pa.StringArray) -> Bools | None:
    """Which values are not UTF-8, as Parquet files may hold without pyarrow's saying so."""
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        pass
    else:
        return None
    return np.array([_is_broken(value.as_buffer()) for value in texts], np.bool_)


def _is_broken(value: Any) -> bool:
    try:
        value.to_pybytes().decode()
    except UnicodeDecodeError:
        return True
    return False
