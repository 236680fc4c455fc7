"""Call detail records in files, to record batches and rejects.

    for chunk in read(path, "asterisk", period=202611, mapping=Path("asterisk.toml")):
        chunk.records, chunk.rejects

Formats and mappings are described in docs/formats.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from billproof.errors import InputError
from billproof.intake.delimited import DelimitedReader
from billproof.intake.engine import REJECTS, Chunk, Engine
from billproof.intake.ipdrdoc import IpdrReader
from billproof.intake.keys import nearest
from billproof.intake.mapping import CdrMapping, load_mapping
from billproof.intake.parquet import ParquetReader
from billproof.intake.rows import Rows
from billproof.intake.source import Digest

__all__ = ["FORMATS", "REJECTS", "CdrMapping", "Chunk", "Format", "load_mapping", "read", "read_chunks"]


@dataclass(frozen=True)
class Format:
    """A kind of file. ``preset``: the mapping that ships with it, None where the user's own is required."""

    name: str
    description: str
    preset: str | None
    reader: Literal["delimited", "parquet", "xml"]


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        form.name: form
        for form in (
            Format("csv", "any delimited text; the mapping says what its columns mean", None, "delimited"),
            Format(
                "asterisk",
                "Asterisk Master.csv; times are UTC unless the mapping says otherwise",
                "asterisk",
                "delimited",
            ),
            Format(
                "freeswitch",
                "FreeSWITCH mod_cdr_csv, example template; times are UTC unless the mapping says otherwise",
                "freeswitch",
                "delimited",
            ),
            Format("parquet", "Apache Parquet; the mapping says what its columns mean", None, "parquet"),
            Format("ipdr-csv", "IPDR 3.x documents in CSV, VoIP columns", "ipdr-csv", "delimited"),
            Format("ipdr-xml", "IPDRDoc 3.x in XML, VoIP elements", "ipdr-xml", "xml"),
            Format(
                "itemised-bill",
                "one subscriber's itemised bill over several billing months",
                "itemised-bill",
                "delimited",
            ),
        )
    }
)


def read(path: Path, format: str, *, period: int, mapping: Path | None = None) -> Iterator[Chunk]:
    """Read a file of call detail records in chunks; memory does not grow with the file.

    ``period``: the billing period ``YYYYMM``; rows of others are only counted. ``mapping``: a TOML file,
    laid over the format's own mapping. ``source`` of records and rejects is the file's name without its
    directories.

    Raises :class:`InputError` for what makes the whole file unusable (unknown format, bad mapping,
    unreadable or empty file, missing columns, hostile or damaged XML), before the first chunk where it can.
    Bad rows are rejects.
    """
    return (chunk() for chunk in read_chunks(path, format, period=period, mapping=mapping))


def read_chunks(
    path: Path, format: str, *, period: int, mapping: Path | None = None, digest: Digest | None = None
) -> Iterator[Callable[[], Chunk]]:
    """:func:`read` in two steps: each chunk is cut out of the file in turn, and made when it is called.

    The calls may be made in any thread and order. ``digest`` is told the file's bytes as they are read.
    """
    form, loaded = form_and_mapping(path, format, period=period, mapping=mapping)
    return _chunks(open_reader(path, form, loaded, digest), Engine(loaded, path.name, period))


def form_and_mapping(
    path: Path, format: str, *, period: int, mapping: Path | None
) -> tuple[Format, CdrMapping]:
    """What :func:`read` needs beside the file, checked."""
    form = FORMATS.get(format)
    if form is None:
        raise InputError(
            f"{format!r} is not an input format", field="format", advice=nearest(format, tuple(FORMATS))
        )
    if not (197001 <= period <= 999912 and 1 <= period % 100 <= 12):
        raise InputError(
            f"{period} is not a billing period", field="period", advice="write YYYYMM, for example 202611"
        )
    if form.preset is None and mapping is None:
        raise InputError(
            f"the format {format!r} needs a mapping",
            file=path,
            field="mapping",
            advice="write one; see docs/formats.md",
        )
    return form, load_mapping(mapping, preset=form.preset)


def open_reader(path: Path, form: Format, mapping: CdrMapping, digest: Digest | None) -> Iterable[Rows]:
    """The rows of a whole file."""
    layout, needed = mapping.layout, mapping.columns
    if form.reader == "parquet":
        return ParquetReader(path, needed, strip=layout.dialect.strip, digest=digest)
    if form.reader == "xml":
        return IpdrReader(path, mapping.record, needed, strip=layout.dialect.strip, digest=digest)
    return DelimitedReader(path, layout, needed, unlike=mapping.moments, digest=digest)


def _chunks(reader: Iterable[Rows], engine: Engine) -> Iterator[Callable[[], Chunk]]:
    for rows in reader:
        yield partial(engine.chunk, rows)
