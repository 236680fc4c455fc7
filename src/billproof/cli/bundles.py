"""``billproof bundles`` and ``billproof receipt``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from billproof.cli import options
from billproof.cli.output import emit, progress, say
from billproof.errors import InputError


@click.command(short_help="Write one proof file per account.")
@options.operator_option
@options.period_option
@options.store_option
@options.secrets_option
@click.option("--region", type=int, help="Only this region's batches. [default: all]")
@click.option("--account", "accounts", multiple=True, help="Only this account; may be repeated.")
@click.option("--out", type=options.FOLDER, required=True, help="Where to write the files.")
@click.option("--account-keys", type=options.FOLDER, help="Also write every account's key file there, once.")
@options.force_option
@options.json_option
def bundles(as_json: bool, **given: Any) -> None:
    """Write one self-contained proof file per account, for each batch of a period.

    Account key files hold the account's seed: hand each over once, at enrolment, over a channel of its own;
    files that are there already are kept.
    """
    from billproof.bundle import cut
    from billproof.secret_store import SecretStore
    from billproof.store import find_batches

    stored = [
        batch
        for batch in find_batches(given["store"], given["operator_id"], given["period"])
        if given["region"] in (None, batch.id.region)
    ]
    if not stored:
        raise InputError(
            "no batch of this period", file=given["store"], advice="Build one with `billproof batch`."
        )
    vault = SecretStore(given["secrets_root"], given["operator_id"])
    out: Path = given["out"]
    if given["account_keys"] and given["account_keys"].resolve() == out.resolve():
        raise InputError(
            "account keys and bundles in one directory", file=out, advice="Keys are secret: keep them apart."
        )
    wanted = set(given["accounts"])
    held = (
        {account for batch in stored for account in batch.entries["account"].to_pylist()} if wanted else set()
    )
    if wanted - held:
        raise InputError(f"no statement of account {sorted(wanted - held)[0]}", file=given["store"])
    unanchored = [str(batch.id) for batch in stored if not batch.anchor_path.exists()]
    if unanchored:
        say(f"Not anchored yet, so these bundles will not verify: {'; '.join(unanchored)}")
    written = keys = 0
    with progress(as_json) as update:
        for batch in stored:
            batch.check_sums()
            there = set(batch.entries["account"].to_pylist())
            names = sorted(wanted & there) if wanted else None
            if names == []:
                continue
            for _ in cut.write_documents(
                _placed(out, batch, cut.bundles(batch, vault, names), given["force"])
            ):
                written += 1
                update("bundles", written)
            if given["account_keys"]:
                new_keys = (
                    (path, key_file)
                    for account, key_file in cut.account_keys(batch, vault)
                    if not wanted or account in wanted
                    if not (path := given["account_keys"] / f"{cut.file_name(account)}.key.json").exists()
                )
                for _ in cut.write_documents(new_keys):
                    keys += 1
                    update("account keys", keys)
    if as_json:
        emit("bundles", {"out": str(out), "bundles": written, "accountKeys": keys, "batches": len(stored)})
    else:
        say(f"{written:,} bundles of {len(stored)} batches in {out}, {keys:,} new account keys.")


def _placed(out: Path, batch: Any, cut_bundles: Any, force: bool) -> Iterator[tuple[Path, Any]]:
    """Each bundle with the path of its file, which must be free."""
    from billproof.bundle.cut import file_name

    for account, bundle in cut_bundles:
        path = out / f"{file_name(account)}.{batch.id.region}-{batch.id.sequence}.json"
        if path.exists() and not force:
            raise InputError("is there already", file=path, advice="Use --force to overwrite.")
        yield path, bundle


@click.command(short_help="Cut one line out of a bundle, to show to somebody else.")
@click.argument("bundle", type=options.FILE)
@click.option("--record", type=int, required=True, help="The line's index, from 0.")
@click.option("--hide-number", is_flag=True, help="Leave out the number called.")
@click.option("--out", type=options.FILE, required=True, help="The receipt to write.")
@options.force_option
@options.json_option
def receipt(bundle: Path, record: int, hide_number: bool, out: Path, force: bool, as_json: bool) -> None:
    """Cut one line out of BUNDLE: a receipt that proves this line and shows nothing else."""
    from billproof.bundle import cut
    from billproof.bundle import documents as doc
    from billproof.inclusion import include_bundle
    from billproof.verification import read_document

    if out.exists() and not force:
        raise InputError("is there already", file=out, advice="Use --force to overwrite.")
    document = read_document(bundle)
    if not isinstance(document, doc.Bundle):
        raise InputError("is a receipt already", file=bundle)
    problems = include_bundle(document).problems
    if problems:
        raise doc.SchemaError(
            f"{bundle}: {problems[0].message}", advice="`billproof verify` says more; no receipt was cut."
        )
    cut.write_document(out, cut.receipt(document, record, show_number=not hide_number))
    if as_json:
        emit("receipt-written", {"out": str(out), "record": record, "numberShown": not hide_number})
    else:
        say(f"Line {record} is in {out}{', without its number' if hide_number else ''}.")
