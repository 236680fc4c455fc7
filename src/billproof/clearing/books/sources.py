"""Where a book's records come from: batches in a store, proof files, Parquet; each piece says which.

``docs/clearing.md``, section 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from billproof.batch_id import BatchId
from billproof.bundle.documents import Bundle, SchemaError
from billproof.bundle.reading import open_document
from billproof.clearing.kernel import Ints
from billproof.errors import InputError
from billproof.inclusion import include_bundle
from billproof.printable import printable
from billproof.store import StoredBatch

#: What a record of a book has. ``corrects`` may be left out of Parquet.
COLUMNS = (
    "service",
    "started_at",
    "usage",
    "billed_usage",
    "number",
    "network",
    "amount",
    "currency",
    "rate",
)
_CORRECTS = "corrects"
_PROOF_FILES = (".json", ".pdf")
_FEW = 4  # accounts that a message names
_NAME_IT = "Name the partner's with --our-account or --their-account; once for each where it has several."
_ROWS = 1 << 19  # read at a time
_ONLY_ONE = "Leave one of them out."


@dataclass(frozen=True)
class BatchSource:
    """An account's statement in a batch that can be proved: where it stands, and where its file is.

    ``path`` is the batch's directory in a store, or the proof file. ``first`` is the place of the
    statement's first record among the rows that the book names: they are places in the batch's records.
    """

    operator: int
    period: int  # YYYYMM
    region: int
    sequence: int
    root: bytes
    chain_id: int
    ledger: str
    account: str
    path: Path
    first: int = 0

    @property
    def place(self) -> tuple[int, int, int, str]:
        """Its place among the statements of a book, in whatever files these are."""
        return self.period, self.region, self.sequence, self.account

    @property
    def id(self) -> BatchId:
        """What the batch is called on the ledger."""
        return BatchId(self.chain_id, self.ledger, self.operator, self.period, self.region, self.sequence)


@dataclass(frozen=True)
class Piece:
    """Records that were read at a time, and the place of each in its batch or file: (n,)."""

    origin: BatchSource | str  # the name of a file that is not anchored
    rows: Ints
    table: pa.Table


@dataclass
class Seen:
    """The statements of a book so far, to refuse what does not belong together."""

    path: Path
    named: bool  # whether accounts were
    found: dict[tuple[BatchId, str], BatchSource] = field(default_factory=dict)

    def add(self, source: BatchSource) -> None:
        for other in list(self.found.values())[:1]:
            if other.operator != source.operator:
                raise InputError(
                    f"batches of two operators, {other.operator} and {source.operator}",
                    file=self.path,
                    advice="A book is one operator's: give the folder of one.",
                )
            if (other.chain_id, other.ledger) != (source.chain_id, source.ledger):
                raise InputError(
                    f"batches of two ledgers, {other.ledger} on chain {other.chain_id} and {source.ledger}"
                    f" on chain {source.chain_id}",
                    file=self.path,
                    advice=_ONLY_ONE,
                )
            if not self.named and other.account != source.account:
                names = (printable(repr(name)) for name in (source.account, other.account))
                raise InputError(
                    "of the account {}, another one here is of {}".format(*names),
                    file=source.path,
                    advice=_NAME_IT,
                )
        same = self.found.setdefault((source.id, source.account), source)
        if same is not source:
            what = "the same statement" if same.root == source.root else "another version of the statement"
            raise InputError(f"{what} as in {same.path}: {source.id}", file=source.path, advice=_ONLY_ONE)


def pieces_of(path: Path, accounts: Sequence[str], period: int | None) -> Iterator[Piece]:
    """The records of a store, a batch, a proof file, a Parquet file, or a folder of such files.

    Without ``accounts`` there is one; ``period`` leaves out batches of other months.
    """
    seen = Seen(path, named=bool(accounts))
    for file in files_of(path):
        yield from pieces_in(file, accounts, period, seen)


def files_of(path: Path) -> list[Path]:
    """The files that make a book: of a batch its ``batch.json``."""
    return _folder(path) if path.is_dir() else [path]


def is_parquet(file: Path) -> bool:
    """Whether it is a file of records that is not anchored."""
    return file.suffix.lower() == ".parquet"


def pieces_in(
    file: Path, accounts: Sequence[str], period: int | None, seen: Seen, groups: range | None = None
) -> Iterator[Piece]:
    """The records in one of the files of a book; ``groups`` are some row groups of Parquet."""
    if file.name == "batch.json":
        yield from _stored(StoredBatch.open(file.parent), accounts, period, seen)
    elif is_parquet(file):
        yield from _parquet(file, accounts, groups)
    else:
        yield from _proof_file(file, accounts, period, seen)


def _folder(path: Path) -> list[Path]:
    """The files of a folder that make a book: batches wherever they are, else Parquet, else proof files."""
    if (path / "batch.json").exists():
        return [path / "batch.json"]
    batches = [file for file in sorted(path.glob("**/batch.json")) if file.parent.name[0] != "."]
    if batches:
        return batches
    parquet = sorted(path.glob("*.parquet"))
    proofs = [file for file in sorted(path.iterdir()) if file.suffix.lower() in _PROOF_FILES]
    if parquet and proofs:
        raise InputError(
            f"Parquet files and proof files in one folder: {parquet[0].name}, {proofs[0].name}",
            file=path,
            advice="Give one kind.",
        )
    if not parquet and not proofs:
        raise InputError("neither batches nor Parquet files nor proof files here", file=path)
    return parquet or proofs


def _stored(stored: StoredBatch, accounts: Sequence[str], period: int | None, seen: Seen) -> Iterator[Piece]:
    if period is not None and stored.id.period != period:
        return
    entries, batch = stored.entries, stored.id
    if accounts:
        rows = np.flatnonzero(pc.is_in(entries["account"], pa.array(accounts, pa.string())).to_numpy())
    elif entries.num_rows > 1:
        few = entries["account"].to_pylist() if entries.num_rows <= _FEW else []
        names = ": " + ", ".join(printable(repr(name)) for name in few) if few else ""
        raise InputError(
            f"holds {entries.num_rows:,} accounts{names}",
            file=stored.path,
            advice=_NAME_IT,
        )
    else:
        rows = np.arange(entries.num_rows)
    columns = [*COLUMNS, _CORRECTS]
    for at in rows.tolist():
        first, count = entries["first"][at].as_py(), entries["count"][at].as_py()
        source = _source(batch, stored.root, entries["account"][at].as_py(), stored.path, first)
        seen.add(source)
        for begin in range(first, first + count, _ROWS):
            end = min(begin + _ROWS, first + count)
            yield Piece(source, np.arange(begin, end), stored.records_of(begin, end - begin, columns))


def _proof_file(path: Path, accounts: Sequence[str], period: int | None, seen: Seen) -> Iterator[Piece]:
    from billproof.tariff.columns import table_of

    try:
        bundle = open_document(path).document
        if not isinstance(bundle, Bundle):
            raise InputError("a receipt is one record, not a book", file=path, advice="Give the bundle.")
        inclusion = include_bundle(bundle)
    except SchemaError as error:
        raise InputError(error.message, file=path, advice="Ask for the file again.") from error
    if inclusion.problems:
        problem = inclusion.problems[0]
        where = "" if problem.line is None else f"line {problem.line + 1}: "
        raise InputError(
            f"not what was committed: {where}{problem.message}",
            file=path,
            advice="`billproof verify` says more. Ask for the file again.",
        )
    batch, account = inclusion.batch, bundle.account.accountId
    if period is not None and batch.period != period:
        return
    if accounts and account not in accounts:
        return
    source = _source(batch, inclusion.root, account, path, 0)
    seen.add(source)
    table = table_of(bundle)
    currency = pa.array([bundle.statement.currency]).dictionary_encode()
    repeated = pa.DictionaryArray.from_arrays(np.zeros(table.num_rows, np.int32), currency.dictionary)
    yield Piece(source, np.arange(table.num_rows), table.append_column("currency", repeated))


def _source(batch: BatchId, root: bytes, account: str, path: Path, first: int) -> BatchSource:
    return BatchSource(
        operator=batch.operator_id,
        period=batch.period,
        region=batch.region,
        sequence=batch.sequence,
        root=root,
        chain_id=batch.chain_id,
        ledger=batch.ledger,
        account=account,
        path=path,
        first=first,
    )


def _parquet(path: Path, accounts: Sequence[str], groups: range | None) -> Iterator[Piece]:
    try:
        schema = pq.read_schema(path)
        names = schema.names
        if twice := [name for name in COLUMNS if names.count(name) > 1]:
            raise InputError(f"has the column {twice[0]!r} twice", file=path, advice=_ONLY_ONE)
        coded = [name for name in ("network", "currency", "rate") if name in names]
        coded = [name for name in coded if not pa.types.is_nested(schema.field(name).type)]
        file = pq.ParquetFile(path, memory_map=True, read_dictionary=coded)
        wanted = [name for name in (*COLUMNS, _CORRECTS, "account") if name in names]
        groups = range(file.num_row_groups) if groups is None else groups
        row = sum(file.metadata.row_group(group).num_rows for group in range(groups.start))
        for batch in file.iter_batches(_ROWS, row_groups=list(groups), columns=wanted):
            table, rows = pa.Table.from_batches([batch]), np.arange(row, row + batch.num_rows)
            if "account" in names:
                if accounts:
                    wished = pa.array(accounts, pa.string())
                    of = pc.is_in(table["account"].cast(pa.string()), wished).to_numpy()
                    table, rows = table.filter(pa.array(of)), rows[of]
                table = table.drop_columns(["account"])
            yield Piece(path.stem, rows, table)
            row += batch.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"cannot be read as Parquet: {error}", file=path) from error
