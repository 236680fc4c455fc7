"""``billproof status``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from billproof.cli import options
from billproof.cli.output import emit, say, table


@click.command(short_help="Show what of a period is batched, anchored and sealed.")
@click.argument("period", metavar="YYYYMM", callback=options.period_of)
@options.operator_option
@options.store_option
@options.rpc_option
@options.deployment_option
@options.json_option
def status(
    period: int, operator_id: int, store: Path, rpc: str | None, deployment: Path | None, as_json: bool
) -> int:
    """Show what of the period YYYYMM is batched, anchored, final and sealed.

    Exit code 1 when store and chain differ, or the chain has a batch that the store has not.
    """
    from billproof.anchoring import period_status
    from billproof.cli import choices

    client = choices.client(rpc, deployment)
    found = period_status(store, client.endpoint, client.deployment, operator_id, period)
    if not found.batches and not as_json:
        say(f"No batch of operator {operator_id} in {period}, neither in {store} nor on the chain.")
    findings = any(batch.words in ("differs", "missing here") for batch in found.batches)
    if as_json:
        emit(
            "status",
            {
                "operatorId": operator_id,
                "period": period,
                "sealedAt": found.period.sealed_at or None,
                "batchesOnChain": found.period.batches,
                "batches": [_document(batch) for batch in found.batches],
            },
        )
        return int(findings)
    rows = [
        [
            f"{batch.key.region}-{batch.key.sequence}",
            batch.words,
            f"{int(batch.stored.summary['records']):,}" if batch.stored else "",
            batch.chain.block_number if batch.chain else "",
            batch.confirmations if batch.chain else "",
            f"{batch.anchored.gas_used:,}" if batch.anchored and batch.anchored.gas_used else "",
        ]
        for batch in found.batches
    ]
    table(["batch", "is", "records", "block", "confirmations", "gas"], rows)
    if found.period.sealed_at:
        when = datetime.fromtimestamp(found.period.sealed_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        count = found.period.sealed_batches
        say(f"Sealed on {when} with {count} batch{'es' * (count != 1)}.")
    else:
        say("Not sealed.")
    return int(findings)


def _document(batch: Any) -> dict[str, Any]:
    return {
        "region": batch.key.region,
        "sequence": batch.key.sequence,
        "is": batch.words,
        "records": int(batch.stored.summary["records"]) if batch.stored else None,
        "root": "0x" + (batch.chain.root if batch.chain else batch.stored.root).hex(),
        "block": batch.chain.block_number if batch.chain else None,
        "confirmations": batch.confirmations if batch.chain else None,
        "gas": batch.anchored.gas_used if batch.anchored else None,
        "repudiated": batch.chain.repudiated if batch.chain else False,
    }
