"""``billproof batch`` and ``billproof formats``."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from billproof.cli import options
from billproof.cli.output import emit, facts, progress, say, table
from billproof.errors import InputError
from billproof.records import money

#: Formats whose files do not consist of lines.
_NO_LINES = ("ipdr-xml", "parquet")


@click.command(short_help="Commit CDR files to a batch, offline.")
@click.argument("files", nargs=-1, required=True)
@click.option("--format", "format_name", required=True, help="A format of `billproof formats`.")
@click.option("--mapping", type=options.FILE, help="A mapping file (TOML), see docs/formats.md.")
@click.option(
    "--input",
    "inputs",
    nargs=3,
    multiple=True,
    metavar="FORMAT MAPPING FILE",
    help="A file of another format for the same batch; MAPPING is - for none. May be repeated.",
)
@options.operator_option
@options.period_option
@click.option("--region", type=click.IntRange(0, (1 << 32) - 1), default=0, show_default=True)
@click.option("--sequence", type=click.IntRange(1), help="[default: the next one in the store]")
@click.option("--amends", type=click.IntRange(1), help="The sequence of the batch that this one amends.")
@options.store_option
@options.secrets_option
@click.option("--enrolment", type=options.FILE, help="CSV of account,holder: the subscribers' own addresses.")
@click.option("--tariff", type=options.FILE, help="The tariff file of all accounts, or of those left over.")
@click.option(
    "--tariffs", type=options.FILE, help="CSV of account,tariff: each account's tariff file, by its path."
)
@click.option(
    "--tariff-differences",
    "tariff_mode",
    type=click.Choice(["refuse", "report", "unchecked"]),
    default="refuse",
    show_default=True,
    help="What to do when lines are not what the tariffs say; unchecked: compare nothing.",
)
@click.option(
    "--differences", type=options.FILE, help="Also write differing lines there, even if the batch is refused."
)
@click.option(
    "--balances", type=options.FILE, help="What accounts carried over: CSV account,allowance,left,age."
)
@click.option("--balances-out", type=options.FILE, help="Where to write what they carry into the next cycle.")
@click.option("--chain-id", type=click.IntRange(1), help="The chain to build for. [default: that of --rpc]")
@options.deployment_option
@options.rpc_option
@click.option("--expect-count", type=int, help="Control total: records to commit. A difference refuses.")
@click.option("--expect-total", multiple=True, metavar="CUR=AMOUNT", help="Control total, once a currency.")
@click.option(
    "--rejects", type=options.FILE, help="Also write the rejected rows there, even if the batch is refused."
)
@click.option("--dry-run", is_flag=True, help="Read and check everything, write nothing.")
@options.engine_option
@options.spark_option
@click.option("--scratch", help="Path or URI for Spark's scratch files. [default: in the store]")
@options.force_option
@options.json_option
def batch(files: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Commit CDR FILES to a batch, offline.

    Every record goes into a Merkle tree; the batch in the store holds all that is needed to anchor it and
    to hand out proofs. Rows that cannot be used go to rejects.csv, each with file, line, field and reason.
    The same files and secrets give the same root. Records of one account from several files, also of
    several formats (--input), make one statement. For --engine spark, FILES may be URIs and directories.

    With tariffs (docs/tariff.md), every line is priced again before it is committed; lines that differ refuse
    the batch, and stand in a file beside its place. Tariffs whose allowances roll over need --balances, the
    file that --balances-out wrote the month before.
    """
    from billproof import billing_run
    from billproof.cli.choices import chosen_deployment

    deployment = chosen_deployment(given["rpc"], given["deployment"], given["chain_id"])
    inputs = [_input(*words) for words in _named(files, given)]
    with progress(as_json) as update:
        result = billing_run.batch(
            inputs,
            operator=given["operator_id"],
            period=given["period"],
            region=given["region"],
            sequence=given["sequence"],
            amends=given["amends"] or 0,
            chain_id=deployment.chain_id,
            ledger=deployment.ledger,
            store=given["store"],
            secrets=given["secrets_root"],
            pricing=_pricing(given),
            holders=_holders(given["enrolment"]) if given["enrolment"] else None,
            control=billing_run.Control(given["expect_count"], options.totals_of(given["expect_total"])),
            rejects_copy=given["rejects"],
            dry_run=given["dry_run"],
            force=given["force"],
            engine=_engine(given["engine"], given["settings"], given["scratch"]),
            progress=update,
        )
    backup = None if given["dry_run"] else renew_backup(given["secrets_root"])
    if as_json:
        emit("batch-result", _document(result, backup, given["tariff_mode"]))
        return
    _print(result)
    for path in _without_last_end(inputs):
        say(f"{path}: its last line has no line end. If the file was cut off, its last record is wrong.")
    if not given["dry_run"] and backup is None:
        say("No backup of the secrets was made: name a password file in BILLPROOF_PASSWORD_FILE to get one.")


@click.command(short_help="List the CDR formats that `batch` reads.")
@options.json_option
def formats(as_json: bool) -> None:
    """List the CDR formats that `batch` reads."""
    from billproof.intake import FORMATS

    rows = [[name, found.description] for name, found in FORMATS.items()]
    if as_json:
        emit("formats", {"formats": [{"name": name, "description": words} for name, words in rows]})
    else:
        table(["format", "what it is"], rows)


def _named(files: tuple[str, ...], given: dict[str, Any]) -> Iterator[tuple[str, Path | None, str]]:
    """Format, mapping and name of every file."""
    for file in files:
        yield given["format_name"], given["mapping"], file
    for form, mapping, file in given["inputs"]:
        yield form, None if mapping == "-" else Path(mapping), file


def _input(form: str, mapping: Path | None, file: str) -> Any:
    from billproof.billing_run import Input

    return Input(form, [], mapping, [file]) if "://" in file else Input(form, [Path(file)], mapping)


def _pricing(given: dict[str, Any]) -> Any:
    from billproof.account_tariffs import AccountTariffs
    from billproof.rerating import Pricing
    from billproof.tariff.balances import Balances

    one, listed = given["tariff"], given["tariffs"]
    tariffs = (
        AccountTariffs.read(listed, one) if listed else AccountTariffs.one(one) if one else AccountTariffs()
    )
    if not tariffs.files and (given["differences"] or given["tariff_mode"] != "refuse"):
        field = "--differences" if given["differences"] else "--tariff-differences"
        raise InputError("there is no tariff to compare with", field=field, advice="Name it with --tariff.")
    balances = Balances.read(given["balances"]) if given["balances"] else None
    return Pricing(tariffs, given["tariff_mode"], given["differences"], balances, given["balances_out"])


def _without_last_end(inputs: list[Any]) -> Iterator[Path]:
    """Files of lines whose last one has no end, as when a transfer broke off."""
    for path in (path for one in inputs if one.format not in _NO_LINES for path in one.files):
        with path.open("rb") as stream:
            begin = stream.read(2)
            stream.seek(-1, os.SEEK_END)
            if begin != b"\x1f\x8b" and stream.read(1) not in b"\r\n":
                yield path


def _engine(name: str, settings: tuple[str, ...], scratch: str | None) -> Any:
    if options.spark_is_named(name, settings, scratch):
        from billproof.spark.engine import SparkEngine

        return SparkEngine(options.spark_settings(settings), scratch)
    return None


def _print(result: Any) -> None:
    place = result.stored.path if result.stored else "nowhere (dry run)"
    rows = [
        ("rows read", f"{result.rows:,}"),
        ("committed", f"{result.committed:,} records of {result.accounts:,} accounts"),
        ("rejected", f"{result.rejected:,}"),
        ("of other periods", f"{result.other_periods:,}"),
        *((f"total {currency}", money(total)) for currency, total in result.totals.items()),
        ("written to", place),
    ]
    if result.root:
        rows.append(("root", "0x" + result.root.hex()))
    if result.rerated:
        rows.insert(-2 if result.root else -1, ("by the tariffs", _priced(result.rerated)))
    facts(f"{result.id}", rows)
    for reason, count in list(result.reasons.items())[:5]:
        say(f"rejected {count:,}× {reason}")
    if len(result.reasons) > 5:
        say(f"… and {len(result.reasons) - 5} more reasons: see rejects.csv in the batch, or --rejects.")
    if result.other_periods > result.committed:
        share = f"{result.other_periods:,} of {result.rows:,} rows"
        say(f"Look again: {share} are of other periods. Is --period right?")
    if 10 * result.rejected > result.rows:
        say(f"Look again: {result.rejected:,} of {result.rows:,} rows were rejected.")
    if result.ambiguous:
        say(
            f"{result.ambiguous:,} records have a local time that happened twice, as clocks went back: taken"
            " as `ambiguous` in the mapping's [time] says, by default as the first."
        )
    if result.repeated:
        say(
            f"{result.repeated:,} records repeat another one (same account, service, time, number and usage)."
        )
    if result.raising:
        say(
            f"Look again: {result.raising:,} records raise a bill as corrections of other records. Verifiers"
            " point them out: leave `corrects` empty in what is charged."
        )
    if result.rerated and result.rerated.differing:
        place = f": see {result.stored.path / 'differences.csv'}" if result.stored else ""
        say(f"Not what the tariffs say: {result.rerated.words}{place}.")
    if result.stored and result.without_holder:
        say(f"{result.without_holder:,} accounts have no holder address: they cannot open disputes on-chain.")


def _priced(found: Any) -> str:
    """How many lines are what the tariffs say, and how many are not, or cannot be compared."""
    counts = [f"{count:,} {status.words}" for status, count in sorted(found.lines.items()) if count]
    return ", ".join([*counts, *([f"{found.missing:,} missing"] if found.missing else [])])


def _document(result: Any, backup: Path | None, mode: str) -> dict[str, Any]:
    return {
        "batch": result.id.fields,
        "path": str(result.stored.path) if result.stored else None,
        "root": "0x" + result.root.hex() if result.root else None,
        "rows": result.rows,
        "committed": result.committed,
        "rejected": result.rejected,
        "otherPeriods": result.other_periods,
        "accounts": result.accounts,
        "totals": {currency: str(total) for currency, total in result.totals.items()},
        "ambiguousTimes": result.ambiguous,
        "repeated": result.repeated,
        "raising": result.raising,
        "withoutHolder": result.without_holder,
        "reasons": result.reasons,
        "backup": str(backup) if backup else None,
        **({"tariffCheck": result.rerated.document(mode)} if result.rerated else {}),
    }


def renew_backup(secrets_root: Path) -> Path | None:
    """Renews the encrypted backup beside the secrets, when there is a password for it."""
    from billproof.secret_store import backup

    key = options.password(required=False)
    if key is None:
        return None
    secrets_root = secrets_root if secrets_root.name else secrets_root.resolve()
    target = secrets_root.with_name(secrets_root.name + ".backup")
    backup(secrets_root, target, key)
    return target


def _holders(path: Path) -> dict[str, bytes]:
    """Account number → address, from the rows of an enrolment file that name one."""
    holders: dict[str, bytes] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            if not {"account", "holder"} <= set(rows.fieldnames or []):
                raise InputError("no header account,holder", file=path, line=1)
            for row in rows:
                address = (row["holder"] or "").strip().lower()
                if not address:
                    continue
                if len(address) != 42 or address[:2] != "0x" or set(address[2:]) - set("0123456789abcdef"):
                    raise InputError("not an address", file=path, line=rows.line_num, field="holder")
                holders[row["account"]] = bytes.fromhex(address[2:])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read: {error}", file=path) from error
    return holders
