"""Where a billing run works on its rows: an engine reads the inputs, then counts and hashes their parts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billproof.amendment import raising, require_amending
from billproof.batch_writer import BatchWriter
from billproof.commit import RootedStatements, root_statements
from billproof.grouping import Grouping, parts_for
from billproof.inorder import in_order
from billproof.intake import form_and_mapping, open_reader
from billproof.intake.again import texts_at
from billproof.intake_run import Input, Intake, Progress, unsteady
from billproof.secret_store import SecretStore
from billproof.statements import Statements, repeated, totals_by_currency

if TYPE_CHECKING:
    from billproof.rerating import Rerated, Rerating


@dataclass(frozen=True)
class Figures:
    """What is counted of statements: records, accounts, records that repeat another, records that raise what
    they correct, totals by currency."""

    committed: int = 0
    accounts: int = 0
    repeated: int = 0
    raising: int = 0
    totals: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, statements: Statements) -> Figures:
        sums = pa.table({"currency": statements.currencies, "total": statements.total})
        totals = totals_by_currency(sums, "total")
        return cls(
            statements.records.num_rows,
            len(statements),
            repeated(statements),
            raising(statements),
            totals,
        )

    def __add__(self, other: Figures) -> Figures:
        totals = Counter(self.totals)
        for currency, total in other.totals.items():
            totals[currency] += total
        return Figures(
            self.committed + other.committed,
            self.accounts + other.accounts,
            self.repeated + other.repeated,
            self.raising + other.raising,
            totals,
        )


@dataclass(frozen=True)
class Part:
    """What came of one part of the accounts.

    ``strays`` are records that no statement takes, since their currency is another; ``rooted`` is None
    where nothing was hashed, ``rerated`` where nothing was priced again.
    """

    figures: Figures
    strays: pa.Table
    rooted: RootedStatements | None = None
    rerated: tuple[Rerated, pa.Table] | None = None


class Parts(Protocol):
    """The records of a run, read and dealt into parts by account."""

    def counted(self, *, amending: bool, rerating: Rerating | None = None) -> Iterator[Part]:
        """Every part's figures. ``amending``: :class:`InputError` where an amendment would be refused.

        ``rerating`` prices the statements again, where the engine does that.
        """

    def hashed(self, writer: BatchWriter, vault: SecretStore) -> Iterator[Part]:
        """Every part, hashed; its records are the writer's by the time it comes."""

    def texts(self, source: Mapping[str, Any], lines: NDArray[np.int64]) -> Iterator[Mapping[int, str]]:
        """Rows of an input found again (``intake_run.Texts``). InputError where it is not what it was."""


class Engine(Protocol):
    """Does the work on rows."""

    @property
    def rerates(self) -> bool:
        """Whether it compares statements with their tariffs."""

    def read(
        self, inputs: Sequence[Input], period: int, intake: Intake, home: Path, progress: Progress
    ) -> AbstractContextManager[Parts]:
        """Reads all inputs: rejects and counts go to ``intake``, records to parts.

        ``home`` is the run's own directory; scratch files in it have names that begin with a dot.
        """


class LocalEngine:
    """All cores of this machine, in threads."""

    rerates = True

    @contextmanager
    def read(
        self, inputs: Sequence[Input], period: int, intake: Intake, home: Path, progress: Progress
    ) -> Iterator[Parts]:
        parts = parts_for([path for one in inputs for path in one.files])
        with Grouping(home / ".parts", parts) as grouping:
            intake.read(inputs, period, grouping, progress)
            yield LocalParts(grouping, inputs, period)


class LocalParts:
    """Parts in memory or in files of this machine."""

    def __init__(self, grouping: Grouping, inputs: Sequence[Input], period: int) -> None:
        self._grouping = grouping
        self._inputs = {path.name: (path, one) for one in inputs for path in one.files}
        self._period = period

    def counted(self, *, amending: bool, rerating: Rerating | None = None) -> Iterator[Part]:
        def work(part: int) -> tuple[Statements, Part]:
            statements, strays = self._grouping.arranged(part, last=False)
            rerated = rerating(statements) if rerating else None
            return statements, Part(Figures.of(statements), strays, rerated=rerated)

        for statements, part in in_order(partial(work, at) for at in range(self._grouping.parts)):
            yield part
            if amending:
                require_amending(statements)

    def hashed(self, writer: BatchWriter, vault: SecretStore) -> Iterator[Part]:
        def work(part: int) -> tuple[pa.Table, Part]:
            statements, strays = self._grouping.arranged(part, last=True)
            if len(statements) == 0:
                return statements.records, Part(Figures(), strays)
            # Seeds come before the batch secret: a secret without them would look like seeds that were lost.
            vault.enrol(statements.accounts[:1])
            keys = vault.opening_keys(writer.id, statements.accounts)
            return statements.records, Part(Figures.of(statements), strays, root_statements(statements, keys))

        for records, part in in_order(partial(work, at) for at in range(self._grouping.parts)):
            if part.rooted is not None:
                writer.add_records(records)
            yield part

    def texts(self, source: Mapping[str, Any], lines: NDArray[np.int64]) -> Iterator[Mapping[int, str]]:
        path, one = self._inputs[source["file"]]
        form, mapping = form_and_mapping(path, one.format, period=self._period, mapping=one.mapping)
        digest = hashlib.sha256()
        yield from texts_at(open_reader(path, form, mapping, digest), lines)
        if digest.hexdigest() != source["sha256"]:
            raise unsteady(path)
