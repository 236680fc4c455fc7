"""``billproof bundles``, ``billproof receipts`` and ``billproof receipt``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli import options
from billproof.cli.output import emit, progress, say
from billproof.errors import InputError

if TYPE_CHECKING:
    from billproof.bundle.cut import Cutter
    from billproof.bundle.documents import Receipt
    from billproof.secret_store import SecretStore
    from billproof.store import StoredBatch

_ARCHIVE = "Write one ZIP archive of all files instead."


def _export_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which batches of which operator, and where the files go."""
    for option in reversed(
        (
            options.operator_option,
            options.period_option,
            options.store_option,
            options.secrets_option,
            click.option("--region", type=int, help="Only this region's batches. [default: all]"),
            click.option("--out", type=options.FOLDER, help="The directory to write the files to."),
            click.option("--archive", type=options.FILE, help=_ARCHIVE),
            options.force_option,
            options.json_option,
        )
    ):
        command = option(command)
    return command


@click.command(short_help="Write one proof file per account.")
@click.option("--account", "accounts", multiple=True, help="Only this account; may be repeated.")
@click.option("--account-keys", type=options.FOLDER, help="Also write every account's key file there, once.")
@click.option("--pdf", is_flag=True, help="Write itemised invoices (PDF) that carry the proof files.")
@click.option(
    "--locale", default="en", show_default=True, help="Of an invoice's words, dates and money: de_DE."
)
@click.option("--operator-name", default="", help="The name at the head of an invoice. [default: as pinned]")
@click.option("--link", default="", metavar="URL", help="Put a QR code on invoices that opens this verifier.")
@click.option("--font", type=options.FILE, help="A .ttf for what is neither Latin, Greek nor Cyrillic.")
@_export_options
def bundles(as_json: bool, pdf: bool, **given: Any) -> None:
    """Write one self-contained proof file per account, for each batch of a period.

    With --pdf, each is attached to an invoice that people can read; `billproof verify` takes either. The
    tariff files that the statements refer to go beside them, once each, in the directory tariffs.

    Account key files hold the account's seed: hand each over once, at enrolment, over a channel of its own;
    files that are there already are kept.
    """
    from billproof.bundle import cut
    from billproof.bundle.names import file_name

    stored, vault = _batches(given)
    keys_home: Path | None = given["account_keys"]
    if keys_home and given["out"] and keys_home.resolve() == given["out"].resolve():
        raise InputError(
            "account keys and bundles in one directory",
            file=keys_home,
            advice="Keys are secret: keep them apart.",
        )
    tariffs: dict[str, Path] = {}
    files: Iterator[tuple[str, bytes]] = (
        (_file_name(account, cutter), content)
        for cutter in _with_tariffs(_cutters(stored, vault, given["accounts"]), tariffs)
        for account, content in cutter.bundles()
    )
    missing: set[str] = set()
    if pdf:
        files = _invoices(files, given, missing, stored[0])
    files = chain(files, _contents(tariffs))
    keys = 0
    with progress(as_json) as update:
        written = _write(files, given, "bundles", update) - len(tariffs)
        if keys_home:
            new_keys = (
                (path, key_file)
                for batch in stored
                for account, key_file in cut.account_keys(batch, vault)
                if not given["accounts"] or account in given["accounts"]
                if not (path := keys_home / f"{file_name(account)}.key.json").exists()
            )
            for _ in cut.write_documents(new_keys):
                keys += 1
                update("account keys", keys)
    out = given["archive"] or given["out"]
    if as_json:
        counts = {"bundles": written, "accountKeys": keys, "batches": len(stored), "tariffs": len(tariffs)}
        emit("bundles", {"out": str(out), **counts})
    else:
        what = "invoices" if pdf else "bundles"
        beside = f", {len(tariffs)} tariff files" if tariffs else ""
        say(f"{written:,} {what} of {len(stored)} batches in {out}{beside}, {keys:,} new account keys.")
    if missing:
        say(f"No font has {' '.join(sorted(missing)[:20])}: boxes are in their place. Give one with --font.")


@click.command(short_help="Write one receipt per line of chosen accounts.")
@click.option("--account", "accounts", multiple=True, required=True, help="An account; may be repeated.")
@click.option("--hide-number", is_flag=True, help="Leave out the numbers called.")
@_export_options
def receipts(as_json: bool, hide_number: bool, **given: Any) -> None:
    """Write one receipt per line of chosen accounts, for each batch of a period.

    Each proves its line and shows no other: what an auditor or an arbitrator needs of a statement in dispute.
    A single line of a bundle that you hold is cut by `billproof receipt`.
    """
    stored, vault = _batches(given)
    files = (
        (_file_name(account, cutter, line), content)
        for cutter in _cutters(stored, vault, given["accounts"])
        for account, line, content in cutter.receipts(show_number=not hide_number)
    )
    with progress(as_json) as update:
        written = _write(files, given, "receipts", update)
    out = given["archive"] or given["out"]
    if as_json:
        emit("receipts", {"out": str(out), "receipts": written, "numbersShown": not hide_number})
    else:
        say(f"{written:,} receipts in {out}{', without numbers' if hide_number else ''}.")


def _invoices(
    files: Iterable[tuple[str, bytes]], given: dict[str, Any], missing: set[str], batch: StoredBatch
) -> Iterator[tuple[str, bytes]]:
    """An invoice for each bundle; ``missing`` collects the characters that no font has."""
    from billproof.bundle.pdf import Look, print_all
    from billproof.trust import Pins

    pin = Pins.load().find(batch.id.chain_id, batch.id.ledger, batch.id.operator_id)
    name = given["operator_name"] or (pin.name if pin else "")
    look = Look(given["locale"], name, given["link"])
    for name, content, lacking in print_all(files, look, given["font"]):
        missing |= lacking
        yield f"{name.removesuffix('.json')}.pdf", content


def _batches(given: dict[str, Any]) -> tuple[list[StoredBatch], SecretStore]:
    """The batches asked for and their secrets, once it is clear where the files go."""
    from billproof.secret_store import SecretStore
    from billproof.store import find_batches

    archive: Path | None = given["archive"]
    if (archive is None) == (given["out"] is None):
        raise click.UsageError("give either --out DIRECTORY or --archive FILE")
    if archive and archive.exists() and not given["force"]:
        raise InputError("is there already", file=archive, advice="Use --force to overwrite.")
    stored = [
        batch
        for batch in find_batches(given["store"], given["operator_id"], given["period"])
        if given["region"] in (None, batch.id.region)
    ]
    if not stored:
        raise InputError(
            "no batch of this period", file=given["store"], advice="Build one with `billproof batch`."
        )
    wanted = set(given["accounts"])
    for batch in stored if wanted else ():
        wanted -= set(batch.entries["account"].to_pylist())
    if wanted:
        raise InputError(f"no statement of account {min(wanted)}", file=given["store"])
    unanchored = [str(batch.id) for batch in stored if not batch.anchor_path.exists()]
    if unanchored:
        say(f"Not anchored yet, so these files will not verify: {'; '.join(unanchored)}")
    return stored, SecretStore(given["secrets_root"], given["operator_id"])


def _cutters(stored: list[StoredBatch], vault: SecretStore, accounts: tuple[str, ...]) -> Iterator[Cutter]:
    """Each batch opened for the accounts asked for that have a statement in it, or for all."""
    from billproof.bundle.cut import Cutter
    from billproof.sums import check_sums

    for batch in stored:
        check_sums(batch.path)
        wanted = sorted(set(accounts) & set(batch.entries["account"].to_pylist())) if accounts else None
        if wanted != []:
            yield Cutter(batch, vault, wanted)


def _with_tariffs(cutters: Iterator[Cutter], tariffs: dict[str, Path]) -> Iterator[Cutter]:
    """The same; ``tariffs`` collects the files that their statements refer to, by where they go."""
    from billproof.store import TARIFFS

    for cutter in cutters:
        tariffs.update({f"{TARIFFS}/{file.name}": file for file in cutter.tariff_files})
        yield cutter


def _contents(files: dict[str, Path]) -> Iterator[tuple[str, bytes]]:
    """Files by where they go, as there are when the first is asked for."""
    for name, path in files.items():
        yield name, path.read_bytes()


def _file_name(account: str, cutter: Cutter, line: int | None = None) -> str:
    from billproof.bundle.names import file_name

    batch = cutter.stored.id
    place = "" if line is None else f".{line}"
    return f"{file_name(account)}.{batch.region}-{batch.sequence}{place}.json"


def _write(
    files: Iterable[tuple[str, bytes]], given: dict[str, Any], what: str, update: Callable[[str, int], None]
) -> int:
    """Writes files for their owner's eyes only, apart or as an archive; returns how many."""
    from billproof.files import write_archive, write_files

    count = 0
    done: Iterator[Any] = (
        write_archive(given["archive"], files, mode=0o600)
        if given["archive"]
        else write_files(_placed(given["out"], files, given["force"]), mode=0o600)
    )
    for count, _ in enumerate(done, start=1):
        update(what, count)
    return count


def _placed(out: Path, files: Iterable[tuple[str, bytes]], force: bool) -> Iterator[tuple[Path, bytes]]:
    """Each file with its path, which must be free; a tariff's own name says which content it has."""
    from billproof.store import TARIFFS

    for name, content in files:
        path = out / name
        if path.exists() and not force and not name.startswith(f"{TARIFFS}/"):
            raise InputError("is there already", file=path, advice="Use --force to overwrite.")
        yield path, content


@click.command(short_help="Cut one line out of a bundle, to show to somebody else.")
@click.argument("bundle", type=options.FILE)
@click.option("--record", type=int, required=True, help="The line's index, from 0.")
@click.option("--hide-number", is_flag=True, help="Leave out the number called.")
@click.option("--out", type=options.FILE, help="The receipt to write.")
@click.option("--qr", type=options.FILE, help="Also, or only, a QR code of the receipt: an .svg or .png.")
@click.option(
    "--link", metavar="URL", help="What the code says of a receipt that is too long for it: URL#r=…"
)
@options.force_option
@options.json_option
def receipt(
    bundle: Path,
    record: int,
    hide_number: bool,
    out: Path | None,
    qr: Path | None,
    link: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Cut one line out of BUNDLE: a receipt that proves this line and shows nothing else.

    Its QR code holds all of it. What a reader makes of the code, a text, is for `billproof verify`.
    """
    from billproof.bundle import cut
    from billproof.bundle import documents as doc
    from billproof.inclusion import include_bundle
    from billproof.verification import read_document

    if out is None and qr is None:
        raise click.UsageError("give --out FILE, --qr FILE, or both")
    for file in (out, qr):
        if file is not None and file.exists() and not force:
            raise InputError("is there already", file=file, advice="Use --force to overwrite.")
    document = read_document(bundle)
    if not isinstance(document, doc.Bundle):
        raise InputError("is a receipt already", file=bundle)
    problems = include_bundle(document).problems
    if problems:
        raise doc.SchemaError(
            f"{bundle}: {problems[0].message}", advice="`billproof verify` says more; no receipt was cut."
        )
    cut_out = cut.receipt(document, record, show_number=not hide_number)
    code = _write_code(cut_out, qr, link) if qr else ""
    if out:
        cut.write_document(out, cut_out)
    if as_json:
        facts = {"out": str(out) if out else "", "record": record, "numberShown": not hide_number}
        emit("receipt-written", {**facts, **({"qr": str(qr), "code": code} if qr else {})})
    else:
        places = " and ".join(str(file) for file in (out, qr) if file)
        hidden = ", without its number" if hide_number else ""
        say(f"Cut out: line {record + 1} (record {record}) is in {places}{hidden}.")


def _write_code(cut_out: Receipt, picture: Path, link: str | None) -> str:
    """Writes a picture of a receipt's code, or of a link that names the receipt; returns its text."""
    from billproof.bundle import documents as doc
    from billproof.bundle import qr, receiptcode
    from billproof.commitment.keccak import keccak
    from billproof.files import write_file

    try:
        code = receiptcode.encode(cut_out)
    except InputError:
        if not link:
            raise
        code = f"{link}#r={keccak(doc.encode(cut_out)).hex()}"
    write_file(picture, qr.picture(code, picture), mode=0o600)
    return code
