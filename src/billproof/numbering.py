"""Which batch of the store a billing run builds, and what it may neither repeat nor replace."""

from __future__ import annotations

import json
from typing import Any

from billproof.batch_id import BatchId
from billproof.errors import InputError
from billproof.intake_run import Intake
from billproof.store import StoredBatch


def numbered(batch: BatchId, existing: list[StoredBatch], sequence: int | None, force: bool) -> BatchId:
    """The batch id with its sequence: the one asked for, the last one to replace it, or the next."""
    in_region = {other.id.sequence: other for other in existing if other.id.region == batch.region}
    last = max(in_region, default=0)
    if sequence is None:
        sequence = last if force and last and not in_region[last].anchor_path.exists() else last + 1
    limits = {
        "operator": (batch.operator_id, 63),
        "region": (batch.region, 32),
        "sequence": (sequence, 32),
        "chain id": (batch.chain_id, 256),
    }
    for name, (value, bits) in limits.items():
        if not (0 if name == "region" else 1) <= value < 1 << bits:
            raise InputError(f"{value} is no {name}", field=name)
    if sequence > last + 1:
        raise InputError(
            f"the next sequence of region {batch.region} is {last + 1}: the ledger takes no gaps",
            field="sequence",
        )
    if sequence in in_region:
        there = in_region[sequence]
        if there.anchor_path.exists():
            raise InputError(
                "this batch is anchored, or being anchored", file=there.path, advice="Use the next sequence."
            )
        if not force:
            raise InputError("there is a batch already", file=there.path, advice="Use --force to replace it.")
    return BatchId(batch.chain_id, batch.ledger, batch.operator_id, batch.period, batch.region, sequence)


def refuse_repeated_sources(intake: Intake, others: list[StoredBatch]) -> None:
    """A file that another batch of the period holds already would be billed twice."""
    ours = {source["sha256"]: source["file"] for source in intake.sources if source["committed"]}
    for other in others:
        for source in _sources(other):
            if source["committed"] and source["sha256"] in ours:
                raise InputError(
                    f"its records are in the batch at {other.path} already",
                    file=ours[source["sha256"]],
                    advice="Leave the file out, or replace that batch with --sequence and --force.",
                )


def refuse_other_batch(intake: Intake, replaced: list[StoredBatch]) -> None:
    """Without a sequence, ``force`` replaces a batch of the same files only."""
    ours = {source["file"] for source in intake.sources}
    for batch in replaced:
        theirs = {source["file"] for source in _sources(batch)}
        if not ours & theirs:
            raise InputError(
                f"would replace the batch made from {', '.join(sorted(theirs))}",
                file=batch.path,
                advice=f"Name it with --sequence {batch.id.sequence} if you mean that, or leave out --force.",
            )


def _sources(batch: StoredBatch) -> list[dict[str, Any]]:
    """What a stored batch was made from."""
    file = batch.path / "intake.json"
    try:
        found: list[dict[str, Any]] = json.loads(file.read_bytes())["sources"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("cannot be read", file=file, advice="Restore the batch from a copy.") from error
    return found
