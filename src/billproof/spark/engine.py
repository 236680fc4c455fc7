"""The engine: what the driver does between the stages, by references and counts alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billproof.batch_writer import BatchWriter
from billproof.commit import RootedStatements
from billproof.engine import Part, Parts
from billproof.errors import BillproofError
from billproof.intake import CdrMapping, Format, form_and_mapping
from billproof.intake_run import Input, Intake, Progress, unsteady
from billproof.leaves import byte_rows
from billproof.secret_store import BatchSecret, SecretStore
from billproof.spark.cluster import Cluster, cluster
from billproof.spark.files import File
from billproof.spark.pieces import Piece, read_batches
from billproof.spark.slices import DigestOf, Slice, joined, runs, slices_of
from billproof.spark.tasks import ROOTED, Looking, Made, Making, Read, Reading, write_list
from billproof.statements import STRAYS

#: Bytes of text, or of the like, to a slice and to a part: a task takes some 1.5 GB of memory for either.
SLICE_BYTES = PART_BYTES = 128 << 20

#: How many times text is larger than gzip and Parquet files of it, for the estimate.
_SHRUNK = 12

_LOOKERS = 16


@dataclass(frozen=True)
class _Source:
    """An input file on its way: what is known of it beforehand, and its slices."""

    file: File
    form: Format
    mapping: CdrMapping
    description: Mapping[str, str]
    state: tuple[int, int]
    slices: Sequence[Slice]


@dataclass(frozen=True)
class SparkEngine:
    """A Spark cluster. ``settings`` are Spark's own.

    ``scratch``, a path or URI that all its machines reach, takes scratch files; without it they lie in the
    store, which does where the cluster is this machine, or all machines mount the store at the same place.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    scratch: str | None = None
    slice_bytes: int = SLICE_BYTES
    part_bytes: int = PART_BYTES
    rerates: ClassVar[bool] = False

    @contextmanager
    def read(
        self, inputs: Sequence[Input], period: int, intake: Intake, home: Path, progress: Progress
    ) -> Iterator[Parts]:
        """See :class:`billproof.engine.Engine`."""
        sources = list(self._sources(inputs, period))
        place = File.named(self.scratch or home) / f".spark-{os.urandom(8).hex()}"
        # The directory goes last: until Spark stops, a task that nobody waits for may still write to it.
        with place.as_directory(), cluster(self.settings) as spark:
            size = sum(_text_bytes(source) for source in sources)
            reading = Reading(place, period, max(1, -(-size // self.part_bytes)))
            found = _read(spark, reading, sources)
            pieces: list[Piece] = []
            account, places = None, {}
            for source, (digest, slices, reads) in zip(sources, found, strict=True):
                own, starts, rows = _take(source, digest, reads, intake)
                pieces += own
                account = account or next((read.account for read in rows if read.account), None)
                known = (read.lines for read in rows)
                places[source.file.name] = source, list(zip(slices, starts, known, strict=True))
                progress("read", intake.rows)
            intake.require_sources()
            listed = write_list(place / "pieces.json", pieces)
            yield SparkParts(spark, Making(place, listed, reading.parts, False, None), account, places)

    def _sources(self, inputs: Sequence[Input], period: int) -> Iterator[_Source]:
        """The input files, their slices and states, found by many looks at a time."""
        mappings: dict[tuple[str, Path | None], tuple[Format, CdrMapping, dict[str, str]]] = {}
        files = []
        for one in inputs:
            for file in map(File.named, [*map(str, one.files), *one.uris]):
                key = one.format, one.mapping
                if key not in mappings:
                    path = cast(Path, file)
                    form, mapping = form_and_mapping(path, one.format, period=period, mapping=one.mapping)
                    mappings[key] = form, mapping, one.description
                files += [(inside, *mappings[key]) for inside in file.listed()]
        with ThreadPoolExecutor(_LOOKERS) as pool:
            yield from pool.map(lambda found: self._source(*found), files)

    def _source(self, file: File, form: Format, mapping: CdrMapping, description: dict[str, str]) -> _Source:
        state = file.state
        slices = slices_of(file, form, mapping, state[0], self.slice_bytes)
        return _Source(file, form, mapping, description, state, slices)


#: An input file, and its slices as they were read: what line numbers of each lack, and its line ends.
_Placed: TypeAlias = tuple[_Source, Sequence[tuple[Slice, int, int]]]


def _text_bytes(source: _Source) -> int:
    shrunk = source.form.reader == "parquet" or source.file.name.endswith(".gz")
    return source.state[0] * (_SHRUNK if shrunk else 1)


def _read(
    spark: Cluster, reading: Reading, sources: Sequence[_Source]
) -> list[tuple[Read | BillproofError, list[Slice], list[Read | BillproofError]]]:
    """Every file's digest, slices and what came of each. Slices that ended within a row are read again."""
    digests = [DigestOf(source.file) for source in sources if len(source.slices) > 1]
    slices = [list(source.slices) for source in sources]
    flat = [piece for own in slices for piece in own]
    work: list[Slice | DigestOf] = [*digests, *flat]
    results = spark.run(reading, work)
    known = iter(results[: len(digests)])
    rest = iter(results[len(digests) :])
    reads = [[next(rest) for _ in own] for own in slices]
    while True:
        again: list[tuple[int, int]] = []
        for at, (own, found) in enumerate(zip(slices, reads, strict=True)):
            ends = [isinstance(read, Read) and read.within_row for read in found]
            slices[at], reads[at] = [], []
            for start, stop in runs(own, ends):
                if stop - start > 1:
                    again.append((at, len(slices[at])))
                one = own[start]
                for other in own[start + 1 : stop]:
                    one = joined(one, other)
                slices[at].append(one)
                reads[at].append(found[start])
        if not again:
            break
        work = [slices[at][place] for at, place in again]
        for (at, place), read in zip(again, spark.run(reading, work), strict=True):
            reads[at][place] = read
    return [
        (next(known) if len(source.slices) > 1 else found[0], own, found)
        for source, own, found in zip(sources, slices, reads, strict=True)
    ]


def _take(
    source: _Source, digest: Read | BillproofError, reads: Sequence[Read | BillproofError], intake: Intake
) -> tuple[list[Piece], list[int], list[Read]]:
    """Counts a file and takes its rejects, with the checks that the local engine makes, in its order.

    Its pieces, what the line numbers of each slice lack, and what came of each.
    """
    path = cast(Path, source.file)
    for found in (digest, *reads):
        if isinstance(found, BillproofError):
            raise found
    known = [read for read in reads if isinstance(read, Read)]
    sha256 = digest.digest if isinstance(digest, Read) else ""
    intake.begin(path, lambda: sha256)
    pieces, starts, line, head = [], [], 0, 0
    for read in known:
        starts.append(line - head)
        intake.ambiguous += read.ambiguous
        if read.rejects is not None:
            for batch in read_batches(read.rejects):
                lines = pa.array(batch.column("line").to_numpy() + starts[-1])
                intake.add_rejects(batch.set_column(1, batch.schema.field(1), lines))
        pieces += [replace(piece, first_line=starts[-1]) for piece in read.pieces]
        line += read.lines
        head = next((one.head.count(b"\n") for one in source.slices[1:]), 0)
    about = {
        "format": source.form.name,
        **source.description,
        "rows": sum(read.rows for read in known),
        "committed": sum(read.committed for read in known),
        "rejected": sum(read.rejected for read in known),
        "otherPeriods": sum(read.other_periods for read in known),
    }
    intake.end(path, sha256, source.file.state != source.state, about)
    return pieces, starts, known


class SparkParts:
    """Parts in the scratch files of a cluster."""

    def __init__(
        self, spark: Cluster, making: Making, account: str | None, places: Mapping[str, _Placed]
    ) -> None:
        self._spark = spark
        self._making = making
        self._account = account
        self._places = places

    def counted(self, *, amending: bool, rerating: object = None) -> Iterator[Part]:
        """See :class:`billproof.engine.Parts`; statements are not compared with tariffs."""
        for made in self._made(replace(self._making, amending=amending)):
            yield Part(made.figures, _strays(made))

    def hashed(self, writer: BatchWriter, vault: SecretStore) -> Iterator[Part]:
        """See :class:`billproof.engine.Parts`."""
        # Seeds come before the batch secret: a secret without them would look like seeds that were lost.
        vault.enrol(pa.array([self._account], pa.string()))
        secret = vault.batch_secret(writer.id)
        for made in self._made(replace(self._making, secret=secret)):
            if made.records is not None:
                for batch in read_batches(made.records):
                    writer.add_records(pa.Table.from_batches([batch]))
            yield Part(made.figures, _strays(made), _rooted(made, secret))

    def texts(self, source: Mapping[str, Any], lines: NDArray[np.int64]) -> Iterator[Mapping[int, str]]:
        """See :class:`billproof.engine.Parts`; only slices that hold such rows are read."""
        file, slices = self._places[source["file"]]
        items, starts = [], []
        for some, start, size in slices:
            own = lines - start
            if size:  # of bytes: a row that begins in them does so on one of their lines, behind the head
                head = some.head.count(b"\n")
                own = own[(own > head) & (own <= head + size + 1)]
            if len(own):
                items.append((some, own))
                starts.append(start)
        for start, found in zip(starts, self._spark.run(Looking(self._making.scratch), items), strict=True):
            if isinstance(found, BillproofError):
                raise found
            for batch in read_batches(found):
                at = (batch.column("line").to_numpy() + start).tolist()
                yield dict(zip(at, batch.column("text").to_pylist(), strict=True))
        if file.file.state != file.state:
            raise unsteady(cast(Path, file.file))

    def _made(self, making: Making) -> Iterator[Made]:
        for made in self._spark.run(making, range(making.parts)):
            if isinstance(made, BillproofError):
                raise made
            yield made


def _strays(made: Made) -> pa.Table:
    return _table(made.strays, STRAYS)


def _rooted(made: Made, secret: BatchSecret) -> RootedStatements | None:
    """The part's hashed statements. Opening keys are made again, since they lie in no scratch file."""
    if made.rooted is None:
        return None
    table = _table(made.rooted, ROOTED).combine_chunks()
    accounts, currencies = (table[name].combine_chunks() for name in ("account", "currency"))
    first, count, total = (cast(Any, table[name].to_numpy()) for name in ("first", "count", "total"))
    roots = np.array(byte_rows(table["root"], 32))
    return RootedStatements(accounts, currencies, first, count, total, roots, secret.opening_keys(accounts))


def _table(file: File | None, schema: pa.Schema) -> pa.Table:
    if file is None:
        return schema.empty_table()
    batches = list(read_batches(file))
    return pa.Table.from_batches(batches, batches[0].schema)
