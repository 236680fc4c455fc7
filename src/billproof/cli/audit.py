"""``billproof audit``."""

from __future__ import annotations

from pathlib import Path

import click

from billproof.cli import options
from billproof.cli.output import emit, say
from billproof.errors import DifferenceError, InputError


@click.command(short_help="Derive batches again and compare them with the chain.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--secrets",
    "secrets_root",
    type=options.FOLDER,
    help="Also open every commitment: the operator's own audit.",
)
@options.rpc_option
@options.deployment_option
@click.option(
    "--ring-fault", type=options.FILE, help="Where to write the proof of a faulty ring of accounts."
)
@options.force_option
@options.json_option
def audit(
    path: Path,
    secrets_root: Path | None,
    rpc: str | None,
    deployment: Path | None,
    ring_fault: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Derive batches again and compare them with the chain.

    PATH is a store, a batch in it, or a public manifest.json with its manifest.bin beside it (or their
    directory), which is all that anybody else needs. The first difference ends the audit with exit code 1.
    """
    from billproof import audit as auditor
    from billproof.cli import choices
    from billproof.files import json_bytes, write_file
    from billproof.ledger import deployments
    from billproof.ledger.reads import chain_id

    checks: list[str] = []

    def told(check: str) -> None:
        checks.append(check)
        if not as_json:
            say(f"✓ {check}")

    def note_fault(manifest: auditor.Manifest) -> None:
        fault = auditor.find_ring_fault(manifest)
        if fault is not None and ring_fault is not None:
            if ring_fault.exists() and not force:
                raise InputError("is there already", file=ring_fault, advice="Use --force to overwrite.")
            write_file(ring_fault, json_bytes(fault.document()))

    public = auditor.public_manifest(path)
    stored = [] if public else list(auditor.stored_batches(path))
    manifests = []
    if public:
        manifest = auditor.Manifest.read(public)
        try:
            auditor.audit_manifest(manifest)
        except DifferenceError:
            note_fault(manifest)
            raise
        told(f"{len(manifest.keys):,} account entries give the root")
        manifests.append(manifest)
    for batch in stored:
        if not as_json:
            say(f"{batch.id}:")
        manifests.append(auditor.audit_batch(batch, secrets_root, told))
    auditor.audit_period(manifests)
    told("no statement stands in two batches")
    if rpc is not None:
        endpoint = choices.node(rpc)
        chosen = deployments.load(deployment or chain_id(endpoint))
        auditor.audit_chain(manifests, stored, endpoint, chosen, told)
    elif not as_json:
        say("Not compared with the chain: give --rpc.")
    if as_json:
        emit("audit", {"batches": len(manifests), "checks": checks, "chain": rpc is not None})
