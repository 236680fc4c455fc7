"""``billproof anchor`` and ``billproof seal``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli import options
from billproof.cli.batch import renew_backup
from billproof.cli.output import emit, say

if TYPE_CHECKING:
    from billproof.anchoring_tariffs import TariffWarning


@click.command(short_help="Anchor a period's batches on the chain.")
@options.operator_option
@options.period_option
@options.store_option
@click.option(
    "--secrets",
    "secrets_root",
    type=options.FOLDER,
    help="Destroy batch secrets once their batch is anchored; opening keys are kept.",
)
@options.rpc_option
@options.deployment_option
@options.signer_options
@click.option("--confirmations", type=click.IntRange(0), help="Blocks to wait for. [default: by deployment]")
@click.option("--timeout", type=float, default=180, show_default=True, help="Seconds to wait for a batch.")
@options.json_option
def anchor(
    operator_id: int,
    period: int,
    store: Path,
    secrets_root: Path | None,
    confirmations: int | None,
    timeout: float,
    as_json: bool,
    **signing: Any,
) -> None:
    """Anchor a period's batches on the chain, and wait for confirmations.

    It may be interrupted at any point and run again: every signed transaction is written down before it is
    sent, and what the chain has already is recognised. It warns, before it sends, of tariffs that statements
    name and that are not published, or not in time (`billproof tariff publish`): verifiers say so of each.
    """
    from billproof.anchoring import anchor_period
    from billproof.cli import choices
    from billproof.ledger.outbox import Patience

    client = choices.signing_client(**signing)
    warned: list[TariffWarning] = []

    def warn(found: TariffWarning) -> None:
        warned.append(found)
        if not as_json:
            say(f"Look again: batch {found.batch.region}-{found.batch.sequence}: {found.words}.")

    results = anchor_period(
        store,
        client,
        operator_id,
        period,
        secrets=secrets_root,
        patience=Patience(timeout=timeout, confirmations=confirmations),
        progress=lambda step: None if as_json else say(f"{step.request.key}: {step.stage} {step.detail}"),
        warn=warn,
    )
    if secrets_root is not None:
        renew_backup(secrets_root)
    if as_json:
        warnings = [found.document() for found in warned]
        emit("anchored", {"batches": [_document(result) for result in results], "tariffWarnings": warnings})
    elif secrets_root is None:
        say("The batch secrets are kept: give --secrets to destroy them, opening keys stay.")


@click.command(short_help="Close a period: afterwards only amendments are anchored.")
@options.operator_option
@options.period_option
@options.store_option
@options.rpc_option
@options.deployment_option
@options.signer_options
@options.json_option
def seal(operator_id: int, period: int, store: Path, as_json: bool, **signing: Any) -> None:
    """Close a period: afterwards only amendments are anchored. The admin signs.

    Refused when store and chain differ: you would seal what you have not seen.
    """
    from billproof.anchoring import seal_period
    from billproof.cli import choices

    receipt = seal_period(store, choices.signing_client(**signing), operator_id, period)
    if as_json:
        emit("sealed", {"period": period, "transaction": receipt.hash, "gas": receipt.gas_used})
    else:
        say(f"Period {period} of operator {operator_id} is sealed ({receipt.gas_used:,} gas).")


def _document(result: Any) -> dict[str, Any]:
    key, anchored = result.request.key, result.anchored
    return {
        "region": key.region,
        "sequence": key.sequence,
        "root": "0x" + result.request.root.hex(),
        "already": result.already,
        "transaction": anchored.transaction,
        "block": anchored.block_number,
        "gas": anchored.gas_used,
    }
