"""An operator's billing run: CDR files → records → statements → a stored batch, ready to anchor."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import write_csv

from billproof.batch_id import BatchId, check_period
from billproof.commit import commit
from billproof.commitment.keccak import keccak
from billproof.errors import DifferenceError, InputError
from billproof.files import replacing
from billproof.intake import REJECTS, read
from billproof.records import NANO, SCHEMA, ZERO32
from billproof.secret_store import SecretStore
from billproof.statements import Statements, group, totals_by_currency
from billproof.store import StoredBatch, find_batches, write_batch

#: Called with the name of a step and how many rows or files of it are done.
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Input:
    """CDR files of one format, with their mapping file where the format needs one."""

    format: str
    files: Sequence[Path]
    mapping: Path | None = None


@dataclass(frozen=True)
class Control:
    """The billing system's own figures, that the batch must meet: lines committed, totals by currency."""

    count: int | None = None
    totals: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class BatchResult:
    """What a run did. ``stored`` is None after a dry run. rows = committed + rejected + other_periods."""

    id: BatchId
    rows: int
    committed: int
    rejected: int
    other_periods: int
    accounts: int
    totals: dict[str, int]
    repeated: int
    without_holder: int
    reasons: dict[str, int]
    root: bytes | None
    stored: StoredBatch | None


@dataclass
class _Intake:
    """All files' records and rejects, and the counts of each file."""

    records: pa.Table
    rejects: pa.Table
    sources: list[dict[str, Any]]


def batch(
    inputs: Sequence[Input],
    *,
    operator: int,
    period: int,
    chain_id: int,
    ledger: str,
    store: Path,
    secrets: Path,
    region: int = 0,
    sequence: int | None = None,
    amends: int = 0,
    tariff: Path | None = None,
    holders: Mapping[str, bytes] | None = None,
    control: Control | None = None,
    rejects_copy: Path | None = None,
    dry_run: bool = False,
    force: bool = False,
    progress: Progress = lambda step, done: None,
) -> BatchResult:
    """Batches CDR files of one operator and period into ``store``; needs no network.

    An account's records from all ``inputs`` make one statement.

    ``sequence`` defaults to the next one in the store; with ``force`` the last batch of the region is
    replaced unless it is anchored. ``holders`` maps account numbers to 20-byte addresses. ``rejects_copy``
    gets the rejected rows whatever becomes of the batch. Raises :class:`InputError` for unusable files,
    :class:`DifferenceError` when ``control`` is not met.
    """
    check_period(period)
    if secrets.resolve().is_relative_to(store.resolve()):
        raise InputError(
            "the secrets lie inside the store", file=secrets, advice="Keep them apart: the store is copied."
        )
    batch_id = BatchId(chain_id, ledger.lower(), operator, period, region, 0)
    existing = find_batches(store, operator, period)
    batch_id = _number(batch_id, existing, sequence, force)
    intake = _read_all(inputs, period, progress)
    _refuse_repeated_sources(intake, [other for other in existing if other.id != batch_id])
    statements, strays = group(intake.records)
    intake.rejects = _with_strays(intake, strays)
    result = _summarise(batch_id, intake, statements)
    if rejects_copy is not None:
        with replacing(rejects_copy, mode=0o600) as partial:
            write_csv(intake.rejects, str(partial))
    _meet(control or Control(), result)
    if len(statements) == 0:
        raise InputError(
            f"no record to commit in {result.rows} rows: {result.rejected} rejected, {result.other_periods}"
            f" of other periods{_common(result.reasons)}",
            advice="Check --format, --mapping and --period.",
        )
    vault = SecretStore(secrets, operator)
    if dry_run:
        return result
    progress("commit", 0)
    if holders:
        vault.enrol(pa.array(list(holders), pa.string()), holders)
    enrolment = vault.enrol(statements.accounts)
    tariff_hash = keccak(tariff.read_bytes()) if tariff else ZERO32
    commitment = commit(
        statements, batch_id, enrolment, vault.opening_keys(batch_id, statements.accounts), tariff_hash
    )
    progress("commit", statements.records.num_rows)
    stored = write_batch(
        store,
        batch_id,
        commitment,
        statements.records,
        intake.rejects,
        _intake_document(intake, result),
        amends=amends,
        tariff=tariff_hash,
        replace=force,
    )
    return BatchResult(
        **{
            **vars(result),
            "root": commitment.root,
            "stored": stored,
            "without_holder": int((~enrolment.holders.any(axis=1)).sum()),
        }
    )


def _number(batch: BatchId, existing: list[StoredBatch], sequence: int | None, force: bool) -> BatchId:
    """The batch id with its sequence: the one asked for, the last one to replace it, or the next."""
    in_region = {other.id.sequence: other for other in existing if other.id.region == batch.region}
    last = max(in_region, default=0)
    if sequence is None:
        sequence = last if force and last and not in_region[last].anchor_path.exists() else last + 1
    if sequence < 1:
        raise InputError("sequences start at 1", field="sequence")
    if sequence in in_region:
        there = in_region[sequence]
        if there.anchor_path.exists():
            raise InputError(
                "this batch is anchored, or being anchored", file=there.path, advice="Use the next sequence."
            )
        if not force:
            raise InputError("there is a batch already", file=there.path, advice="Use --force to replace it.")
    return BatchId(batch.chain_id, batch.ledger, batch.operator_id, batch.period, batch.region, sequence)


def _read_all(inputs: Sequence[Input], period: int, progress: Progress) -> _Intake:
    records: list[pa.RecordBatch] = []
    rejects: list[pa.RecordBatch] = []
    sources: list[dict[str, Any]] = []
    done = 0
    for one in inputs:
        mapping = {"mapping": one.mapping.name, "mappingSha256": _digest(one.mapping)} if one.mapping else {}
        for path in one.files:
            digest = _digest(path)
            for source in sources:
                if digest == source["sha256"]:
                    raise InputError(
                        f"has the content of {source['file']}", file=path, advice="Name it once."
                    )
                if path.name == source["file"]:
                    raise InputError("another file has this name", file=path, advice="Rename one of them.")
            counts = Counter(rows=0, committed=0, rejected=0, otherPeriods=0)
            for chunk in read(path, one.format, period=period, mapping=one.mapping):
                records.append(chunk.records)
                rejects.append(chunk.rejects)
                counts.update(
                    rows=chunk.rows,
                    committed=chunk.records.num_rows,
                    rejected=chunk.rejects.num_rows,
                    otherPeriods=chunk.other_periods,
                )
                done += chunk.rows
                progress("read", done)
            sources.append({"file": path.name, "sha256": digest, "format": one.format, **mapping, **counts})
    if not sources:
        raise InputError("no files to batch", advice="Name at least one CDR file.")
    return _Intake(
        pa.Table.from_batches(records, SCHEMA).unify_dictionaries().combine_chunks(),
        pa.Table.from_batches(rejects, REJECTS),
        sources,
    )


def _refuse_repeated_sources(intake: _Intake, others: list[StoredBatch]) -> None:
    """A file that another batch of the period holds already would be billed twice."""
    ours = {source["sha256"]: source["file"] for source in intake.sources if source["committed"]}
    for other in others:
        for source in json.loads((other.path / "intake.json").read_bytes())["sources"]:
            if source["committed"] and source["sha256"] in ours:
                raise InputError(
                    f"its records are in the batch at {other.path} already",
                    file=ours[source["sha256"]],
                    advice="Leave the file out, or replace that batch with --sequence and --force.",
                )


def _with_strays(intake: _Intake, strays: pa.Table) -> pa.Table:
    """The rejects and, after them, the records whose currency is not their account's."""
    if strays.num_rows == 0:
        return intake.rejects
    names = Counter(strays["source"].combine_chunks().dictionary_decode().to_pylist())
    for source in intake.sources:
        moved = names.get(source["file"], 0)
        source["committed"] -= moved
        source["rejected"] += moved
    rows = {
        "source": pc.cast(strays["source"], pa.string()),
        "line": strays["line"],
        "field": pa.array(["currency"] * strays.num_rows),
        "reason": pa.array(["differs from the currency of the account's statement"] * strays.num_rows),
        "raw": pa.array([""] * strays.num_rows),
    }
    extra = pa.table(
        [pc.cast(rows[name], REJECTS.field(name).type) for name in REJECTS.names], schema=REJECTS
    )
    return pa.concat_tables([intake.rejects, extra])


def _summarise(batch_id: BatchId, intake: _Intake, statements: Statements) -> BatchResult:
    records = statements.records
    alike = ["account", "service", "started_at", "number", "usage"]
    usage = records.filter(pc.less(records["service"], 32))
    reasons = intake.rejects.group_by(["field", "reason"]).aggregate([([], "count_all")])
    counted = sorted(reasons.to_pylist(), key=lambda row: (-row["count_all"], row["field"], row["reason"]))
    return BatchResult(
        id=batch_id,
        rows=sum(source["rows"] for source in intake.sources),
        committed=records.num_rows,
        rejected=intake.rejects.num_rows,
        other_periods=sum(source["otherPeriods"] for source in intake.sources),
        accounts=len(statements),
        totals=totals_by_currency(records, "amount"),
        repeated=usage.num_rows - usage.group_by(alike).aggregate([]).num_rows,
        without_holder=0,
        reasons={f"{row['field']}: {row['reason']}": row["count_all"] for row in counted},
        root=None,
        stored=None,
    )


def _meet(control: Control, result: BatchResult) -> None:
    """Compares the batch with the billing system's control totals; a difference refuses the batch."""
    advice = f"The rejects tell what is missing{_common(result.reasons)}."
    if control.count is not None and control.count != result.committed:
        raise DifferenceError(
            f"{result.committed} records would be committed, the control count is {control.count}",
            advice=advice,
        )
    for currency, expected in control.totals.items():
        actual = Decimal(result.totals.get(currency, 0)) / NANO
        if actual != expected:
            raise DifferenceError(
                f"the records add up to {actual} {currency}, the control total is {expected}", advice=advice
            )


def _common(reasons: Mapping[str, int]) -> str:
    reason = next(iter(reasons), None)
    return "" if reason is None else f" (most often: {reason})"


def _intake_document(intake: _Intake, result: BatchResult) -> dict[str, Any]:
    return {
        "schema": "billproof/intake/1",
        "rows": result.rows,
        "committed": result.committed,
        "rejected": result.rejected,
        "otherPeriods": result.other_periods,
        "repeated": result.repeated,
        "reasons": result.reasons,
        "sources": intake.sources,
    }


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", file=path) from error
