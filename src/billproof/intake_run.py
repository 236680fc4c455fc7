"""All CDR files of a billing run, read once: records dealt to parts, rejects to a file, rows counted."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow.csv import CSVWriter

from billproof.errors import InputError
from billproof.grouping import Grouping
from billproof.inorder import in_order
from billproof.intake import REJECTS, Chunk, read_chunks

#: Called with the name of a step and how many rows or files of it are done.
Progress = Callable[[str, int], None]

#: Finds rows of a file again: what :attr:`Intake.sources` says of it and lines, ascending, to texts by line,
#: in the file's order and a few at a time.
Texts = Callable[[Mapping[str, Any], NDArray[np.int64]], Iterator[Mapping[int, str]]]


def _stray(currency: str) -> str:
    """Why a record is rejected whose account has a statement in this currency."""
    return f"is not {currency}, the currency of the account's statement"


@dataclass(frozen=True)
class Input:
    """CDR files of one format, with their mapping file where the format needs one.

    ``uris`` name further files, on other file systems, for an engine that reads those.
    """

    format: str
    files: Sequence[Path]
    mapping: Path | None = None
    uris: Sequence[str] = ()

    @property
    def description(self) -> dict[str, str]:
        """The mapping as ``intake.json`` has it."""
        if self.mapping is None:
            return {}
        return {"mapping": self.mapping.name, "mappingSha256": _digest(self.mapping)}


class Intake:
    """Reads the files; ``sources`` holds what ``intake.json`` says of each, ``reasons`` counts rejects,
    ``ambiguous`` records with a local time that happened twice.

    Rejects go to the file ``rejects`` as they come; behind them those of :meth:`reject`, by file and line.
    """

    def __init__(self, rejects: Path) -> None:
        self.rejects = rejects
        self.sources: list[dict[str, Any]] = []
        self.ambiguous = 0
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._strays: list[pa.Table] = []
        self._file = pa.OSFile(str(rejects), "wb")
        try:
            self._writer = CSVWriter(self._file, REJECTS)
        except BaseException:
            self._file.close()
            raise
        self._closed = False

    def __enter__(self) -> Intake:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except OSError:
            if kind is None:
                raise

    def close(self) -> None:
        """No more rejects come: the file is complete."""
        if not self._closed:
            self._closed = True
            try:
                self._writer.close()
            finally:
                self._file.close()

    @property
    def rows(self) -> int:
        return self._sum("rows")

    @property
    def committed(self) -> int:
        return self._sum("committed")

    @property
    def rejected(self) -> int:
        return self._sum("rejected")

    @property
    def other_periods(self) -> int:
        return self._sum("otherPeriods")

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows were rejected for what, the most frequent first."""
        counted = sorted(self._reasons.items(), key=lambda item: (-item[1], item[0]))
        return {f"{field}: {reason}": count for (field, reason), count in counted}

    def read(self, inputs: Sequence[Input], period: int, grouping: Grouping, progress: Progress) -> None:
        """Reads every file once, in order. Raises :class:`InputError` for an unusable or changing one."""
        done = 0
        for one in inputs:
            if one.uris:
                raise InputError(
                    "is on another file system",
                    file=one.uris[0],
                    advice="Copy it here, or use --engine spark.",
                )
            description = one.description
            for path in one.files:
                for rows in self._read_file(path, one, period, description, grouping):
                    done += rows
                    progress("read", done)
        self.require_sources()
        grouping.close()

    def require_sources(self) -> None:
        """Raises :class:`InputError` when no file was read."""
        if not self.sources:
            raise InputError("no files to batch", advice="Name at least one CDR file.")

    def begin(self, path: Path, digest: Callable[[], str]) -> None:
        """Raises :class:`InputError` for a file that has the name of one before; ``digest`` tells which."""
        if any(path.name == source["file"] for source in self.sources):
            self._refuse_content(digest(), path)
            raise InputError("another file has this name", file=path, advice="Rename one of them.")

    def add_rejects(self, rejects: pa.RecordBatch) -> None:
        """The next rejects of the files, in their order."""
        if rejects.num_rows:
            self._writer.write_batch(rejects)
            self._count_reasons(rejects)

    def end(self, path: Path, digest: str, changed: bool, about: dict[str, Any]) -> None:
        """Adds a file to the sources; InputError for one that changed meanwhile or was read before."""
        if changed:
            raise unsteady(path)
        self._refuse_content(digest, path)
        self.sources.append({"file": path.name, "sha256": digest, **about})

    def reject(self, strays: pa.Table) -> None:
        """Rejects records whose currency is not their statement's (``statements.STRAYS``)."""
        if strays.num_rows == 0:
            return
        for name, count in Counter(strays["source"].cast(pa.string()).to_pylist()).items():
            source = next(source for source in self.sources if source["file"] == name)
            source["committed"] -= count
            source["rejected"] += count
        for currency, count in Counter(strays["statement_currency"].cast(pa.string()).to_pylist()).items():
            self._reasons["currency", _stray(currency)] += count
        self._strays.append(strays.select(["source", "line", "statement_currency"]))

    def complete(self, texts: Texts) -> None:
        """No more rejects come: writes those of :meth:`reject`, whose files ``texts`` reads again."""
        strays, self._strays = self._strays, []
        if strays:
            table = pa.concat_tables(strays).unify_dictionaries().combine_chunks()
            places = {source["file"]: at for at, source in enumerate(self.sources)}
            names = table["source"].chunk(0)
            place = np.array([places.get(name, -1) for name in names.dictionary.to_pylist()])[names.indices]
            order = np.lexsort((table["line"].to_numpy(), place))
            table, place = table.take(pa.array(order)), place[order]
            for at in np.unique(place).tolist():
                start, stop = np.searchsorted(place, (at, at + 1)).tolist()
                self._write_strays(self.sources[at], table.slice(start, stop - start), texts)
        self.close()

    def _write_strays(self, source: Mapping[str, Any], strays: pa.Table, texts: Texts) -> None:
        lines, done = strays["line"].to_numpy(), 0
        for found in texts(source, lines):
            stop = int(np.searchsorted(lines, max(found), "right"))
            own, size = strays.slice(done, stop - done), stop - done
            reasons = [_stray(currency) for currency in own["statement_currency"].to_pylist()]
            columns = {
                "source": pa.repeat(source["file"], size).dictionary_encode(),
                "line": own["line"],
                "field": pa.repeat("currency", size),
                "reason": pa.array(reasons, pa.string()),
                "raw": pa.array([found.get(line) for line in own["line"].to_pylist()], pa.string()),
            }
            if columns["raw"].null_count:
                break
            self._writer.write_table(pa.table([columns[name] for name in REJECTS.names], schema=REJECTS))
            done = stop
        if done < len(lines):
            raise unsteady(source["file"])

    def _read_file(
        self, path: Path, one: Input, period: int, description: dict[str, str], grouping: Grouping
    ) -> Iterator[int]:
        """Reads a file; yields the rows of each chunk once they are dealt with."""
        self.begin(path, lambda: _digest(path))
        counts = {"rows": 0, "committed": 0, "rejected": 0, "otherPeriods": 0}
        digest, before = hashlib.sha256(), _state(path)
        chunks = read_chunks(path, one.format, period=period, mapping=one.mapping, digest=digest)
        for chunk, pieces in in_order(_dealt(make, grouping) for make in chunks):
            grouping.add(pieces)
            self.add_rejects(chunk.rejects)
            counts["rows"] += chunk.rows
            counts["committed"] += chunk.records.num_rows
            counts["rejected"] += chunk.rejects.num_rows
            counts["otherPeriods"] += chunk.other_periods
            self.ambiguous += chunk.ambiguous
            yield chunk.rows
        about = {"format": one.format, **description, **counts}
        self.end(path, digest.hexdigest(), _state(path) != before, about)

    def _refuse_content(self, digest: str, path: Path) -> None:
        for source in self.sources:
            if digest == source["sha256"]:
                raise InputError(f"has the content of {source['file']}", file=path, advice="Name it once.")

    def _count_reasons(self, rejects: pa.RecordBatch) -> None:
        counted = (
            pa.Table.from_batches([rejects]).group_by(["field", "reason"]).aggregate([([], "count_all")])
        )
        for row in counted.to_pylist():
            self._reasons[row["field"], row["reason"]] += row["count_all"]

    def _sum(self, name: str) -> int:
        return sum(source[name] for source in self.sources)


def unsteady(path: Path | str) -> InputError:
    """The refusal of a file that is not what it was a moment ago."""
    return InputError(
        "was changed while it was read", file=path, advice="Wait until it is complete, then run again."
    )


def _dealt(make: Callable[[], Chunk], grouping: Grouping) -> Callable[[], tuple[Chunk, list[pa.RecordBatch]]]:
    def work() -> tuple[Chunk, list[pa.RecordBatch]]:
        chunk = make()
        return chunk, grouping.split(chunk.records)

    return work


def _state(path: Path) -> tuple[int, ...]:
    """What changes when a file is written or replaced."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", file=path) from error
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", file=path) from error
