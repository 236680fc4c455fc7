"""An operator's billing run: CDR files → records → statements → a stored batch, ready to anchor."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from billproof.batch_id import BatchId, check_period
from billproof.batch_writer import BatchWriter
from billproof.commit import RootedStatements, commit_statements
from billproof.engine import Engine, Figures, LocalEngine, Parts
from billproof.errors import DifferenceError, InputError
from billproof.files import replacing, write_file
from billproof.intake_run import Input, Intake, Progress
from billproof.numbering import numbered, refuse_other_batch, refuse_repeated_sources
from billproof.records import NANO
from billproof.recovery import recover
from billproof.rerating import DifferenceFile, Pricing, Rerated, Rerating, judge, rerating_of
from billproof.secret_store import SecretStore
from billproof.store import BALANCES, StoredBatch, find_batches
from billproof.tariff.balances import write_balances

#: Name of the file of lines that are not what the tariffs say.
DIFFERING = "differences.csv"

__all__ = ["BatchResult", "Control", "Input", "Progress", "batch"]


@dataclass(frozen=True)
class Control:
    """The billing system's own figures, that the batch must meet: lines committed, totals by currency."""

    count: int | None = None
    totals: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class BatchResult:
    """What a run did. ``stored`` is None after a dry run. rows = committed + rejected + other_periods.

    ``ambiguous`` are records with a local time that happened twice, taken as the mapping says.
    ``raising`` are records of a batch that is no amendment which name a record and raise what it cost.
    """

    id: BatchId
    rows: int
    committed: int
    rejected: int
    other_periods: int
    accounts: int
    totals: dict[str, int]
    ambiguous: int
    repeated: int
    raising: int
    without_holder: int
    reasons: dict[str, int]
    root: bytes | None
    stored: StoredBatch | None
    rerated: Rerated | None = None


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
    pricing: Pricing | None = None,
    holders: Mapping[str, bytes] | None = None,
    control: Control | None = None,
    rejects_copy: Path | None = None,
    dry_run: bool = False,
    force: bool = False,
    engine: Engine | None = None,
    progress: Progress = lambda step, done: None,
) -> BatchResult:
    """Batches CDR files of one operator and period into ``store``; needs no network.

    An account's records from all ``inputs`` make one statement.

    ``sequence`` defaults to the next one in the store; with ``force`` the last batch of the region is
    replaced if it was made from a file of the same name and is not anchored. ``holders`` maps account
    numbers to 20-byte addresses. ``rejects_copy`` gets the rejected rows whatever becomes of the batch.
    ``pricing`` names the accounts' tariffs; every line is priced again before it is committed.
    ``engine`` works on the rows, by default this machine; the root is the same with any.
    Raises :class:`InputError` for unusable files, :class:`DifferenceError` when ``control`` is not met, or
    lines are not what the tariffs say.
    """
    check_period(period)
    pricing = pricing or Pricing()
    engine = engine or LocalEngine()
    _protect(rejects_copy, "--rejects", inputs, force)
    _protect(pricing.copy, "--differences", inputs, force)
    _protect(pricing.balances_out, "--balances-out", inputs, force, pricing)
    rerating = rerating_of(pricing, engine, period, amending=amends > 0)
    if secrets.resolve().is_relative_to(store.resolve()):
        raise InputError(
            "the secrets lie inside the store", file=secrets, advice="Keep them apart: the store is copied."
        )
    batch_id = BatchId(chain_id, ledger.lower(), operator, period, region, 0)
    if not dry_run:
        with suppress(OSError):  # where it cannot be cleared, it cannot be written either
            recover(store / str(operator) / str(period))
    existing = find_batches(store, operator, period)
    batch_id = numbered(batch_id, existing, sequence, force)
    others = [other for other in existing if other.id != batch_id]
    if amends and not 0 < amends < batch_id.sequence:
        raise InputError(
            f"batch {region}-{batch_id.sequence} cannot amend batch {region}-{amends}",
            field="--amends",
            advice="Name an earlier sequence of the same region.",
        )
    control = control or Control()
    vault = SecretStore(secrets, operator)
    vault.require_seeds()
    with ExitStack() as stack:
        writer = None if dry_run else stack.enter_context(BatchWriter(store, batch_id, replace=force))
        home = writer.home if writer else Path(stack.enter_context(TemporaryDirectory(prefix="billproof-")))
        intake = stack.enter_context(Intake(home / "rejects.csv"))
        reading = engine.read(inputs, period, intake, home, progress)
        parts = stack.enter_context(reading)
        refuse_repeated_sources(intake, others)
        if sequence is None:
            refuse_other_batch(intake, [other for other in existing if other.id == batch_id])
        counted = rerated = None
        if (
            writer is None or rejects_copy or control != Control() or amends or rerating
        ) or intake.committed == 0:
            # Before there are secrets: what is refused here leaves none behind.
            details = stack.enter_context(DifferenceFile(home / DIFFERING))
            counted, rerated = _count(intake, parts, rerating, details, progress, amending=amends > 0)
            result = _result(batch_id, intake, counted, amends)
            if rejects_copy is not None:
                with replacing(rejects_copy, mode=0o600) as copy:
                    shutil.copyfile(intake.rejects, copy)
            _meet(control, result)
            _require_records(result)
            if rerated is not None:
                judge(rerated, pricing, details.path, _refused(writer) if writer else None)
        if writer is None:
            _carry_on(rerating, pricing)
            return replace(result, rerated=rerated)
        if rerating is not None:
            _keep_balances(rerating, writer.home)
        statements, hashed = _hash(intake, parts, writer, vault, counted, progress)
        result = _result(batch_id, intake, hashed, amends)
        if holders:
            vault.enrol(pa.array(list(holders), pa.string()), holders)
        enrolment = vault.enrol(statements.accounts)
        tariffs = pricing.tariffs.of(statements.accounts)
        commitment = commit_statements(statements, batch_id, enrolment, tariffs)
        stored = writer.finish(
            commitment,
            _intake_document(intake, result),
            amends=amends,
            tariffs=pricing.tariffs.files_of(tariffs),
            about=pricing.document(rerated),
        )
        _refused(writer).unlink(missing_ok=True)
        _carry_on(rerating, pricing)
    without_holder = int((~enrolment.holders.any(axis=1)).sum())
    return replace(
        result, root=commitment.root, stored=stored, without_holder=without_holder, rerated=rerated
    )


def _count(
    intake: Intake,
    parts: Parts,
    rerating: Rerating | None,
    details: DifferenceFile,
    progress: Progress,
    *,
    amending: bool,
) -> tuple[Figures, Rerated | None]:
    """Counts all parts and prices them again; rejects what has no place in a statement."""
    figures, rerated = Figures(), Rerated() if rerating else None
    for part in parts.counted(amending=amending, rerating=rerating):
        intake.reject(part.strays)
        figures += part.figures
        if rerated is not None and part.rerated is not None:
            rerated += part.rerated[0]
            details.add(part.rerated[1])
            progress("price again", figures.committed)
    intake.complete(parts.texts)
    details.close()
    return figures, rerated


def _refused(writer: BatchWriter) -> Path:
    """Where the differing lines of a refused batch stand: beside its place."""
    return writer.final.with_name(f"{writer.final.name}.{DIFFERING}")


def _keep_balances(rerating: Rerating, home: Path) -> None:
    """What the batch's accounts carried over stays with it: an audit prices its lines with that."""
    used = rerating.carrying.used
    if used.num_rows:
        write_file(home / BALANCES, write_balances([used]))


def _carry_on(rerating: Rerating | None, pricing: Pricing) -> None:
    """Writes what accounts carry into the next cycle, where that was asked for."""
    if rerating is not None and pricing.balances_out is not None:
        write_file(pricing.balances_out, rerating.carrying.next_file, mode=0o600)


def _hash(
    intake: Intake,
    parts: Parts,
    writer: BatchWriter,
    vault: SecretStore,
    counted: Figures | None,
    progress: Progress,
) -> tuple[RootedStatements, Figures]:
    """Hashes and writes all parts; counts them and rejects strays unless that is done."""
    figures, rooted = Figures(), []
    progress("commit", 0)
    for part in parts.hashed(writer, vault):
        if counted is None:
            intake.reject(part.strays)
        figures += part.figures
        if part.rooted is not None:
            rooted.append(part.rooted)
        progress("commit", figures.committed)
    intake.complete(parts.texts)
    return RootedStatements.joined(rooted), figures


def _protect(
    written: Path | None, option: str, inputs: Sequence[Input], force: bool, pricing: Pricing | None = None
) -> None:
    """What a run writes never takes the place of an input, nor of another file without ``force``."""
    if written is None:
        return
    read = [path for one in inputs for path in (*one.files, *([one.mapping] if one.mapping else []))]
    if pricing and pricing.balances and pricing.balances.source:
        read.append(pricing.balances.source)
    if written.resolve() in {path.resolve() for path in read}:
        raise InputError("is an input of this run", file=written, field=option)
    if written.exists() and not force:
        raise InputError(
            "is there already, perhaps of a run that was refused",
            file=written,
            advice=f"Remove it, or name another file with {option}. --force overwrites it, and also replaces"
            " the last batch if that was made from these files and is not anchored.",
        )


def _result(batch_id: BatchId, intake: Intake, figures: Figures, amends: int) -> BatchResult:
    counted = (intake.committed, intake.rows - intake.rejected - intake.other_periods)
    if counted != (figures.committed, figures.committed):
        raise DifferenceError(
            f"rows were lost: {counted} of {figures.committed} records", advice="Report it."
        )
    return BatchResult(
        id=batch_id,
        rows=intake.rows,
        committed=figures.committed,
        rejected=intake.rejected,
        other_periods=intake.other_periods,
        accounts=figures.accounts,
        totals=dict(sorted(figures.totals.items())),
        ambiguous=intake.ambiguous,
        repeated=figures.repeated,
        raising=0 if amends else figures.raising,
        without_holder=0,
        reasons=intake.reasons,
        root=None,
        stored=None,
    )


def _require_records(result: BatchResult) -> None:
    if result.committed == 0:
        raise InputError(
            f"no record to commit in {result.rows} rows: {result.rejected} rejected, {result.other_periods}"
            f" of other periods{_common(result.reasons)}",
            advice="Check --format, --mapping and --period.",
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


def _intake_document(intake: Intake, result: BatchResult) -> dict[str, Any]:
    return {
        "schema": "billproof/intake/1",
        "rows": result.rows,
        "committed": result.committed,
        "rejected": result.rejected,
        "otherPeriods": result.other_periods,
        "ambiguousTimes": result.ambiguous,
        "repeated": result.repeated,
        "reasons": result.reasons,
        "sources": intake.sources,
    }
