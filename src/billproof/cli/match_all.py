"""``billproof match --all``: the bills of a period beside a folder of phone logs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli.output import check_free, emit, progress, say, table
from billproof.errors import InputError
from billproof.printable import printable

if TYPE_CHECKING:
    from billproof.store import StoredBatch

_SHOWN = 30


def run(given: dict[str, Any], as_json: bool) -> int:
    """Exit code 1 with findings; an InputError where no bill has a log."""
    from billproof.batch_id import check_period
    from billproof.matching.batch import Totals, match_batches
    from billproof.matching.columns import check_region
    from billproof.store import find_batches

    wanted = {
        "store": "--store",
        "operator_id": "--operator",
        "period": "--period",
        "folder": "--logs",
        "out": "--out",
    }
    missing = [option for name, option in wanted.items() if given[name] is None]
    if missing:
        raise click.UsageError(f"--all also needs {', '.join(missing)}")
    if not given["period"].isdecimal():
        raise click.UsageError(f"{given['period']!r} is not YYYYMM")
    out: Path = given["out"]
    if out.suffix not in (".csv", ".parquet"):
        raise InputError("is neither .csv nor .parquet", file=out)
    check_region(given["region"])
    check_free([out], given["force"])
    batches = find_batches(given["store"], given["operator_id"], check_period(int(given["period"])))
    if not batches:
        raise InputError(
            "no batch of this period", file=given["store"], advice="Build one with `billproof batch`."
        )
    totals, start = Totals(), time.perf_counter()
    parts = match_batches(batches, given["folder"], region=given["region"])  # before the bar has a thread
    bills = sum(int(batch.summary["statements"]) for batch in batches)
    with progress(as_json) as update:
        told = _adding(parts, totals, lambda: update("bills", totals.bills, bills))
        _write_findings(out, _compared(told, totals, given["folder"], batches))
    _say_totals(totals, batches, out, time.perf_counter() - start, as_json)
    return 1 if totals.findings else 0


def _adding(parts: Iterator[tuple[Any, Any]], totals: Any, told: Callable[[], None]) -> Iterator[Any]:
    told()
    for found, part in parts:
        totals.add(part)
        told()
        yield found


def _compared(tables: Iterator[Any], totals: Any, folder: Path, batches: list[StoredBatch]) -> Iterator[Any]:
    """Raises InputError in the end where no bill had a log: nothing was compared, and none is "fine"."""
    from billproof.bundle.names import file_name

    yield from tables
    if totals.logs:
        return
    if totals.unreadable:
        more = f" (and {len(totals.unreadable) - 1:,} more)" if len(totals.unreadable) > 1 else ""
        raise InputError(
            f"no log of the {totals.bills:,} bills can be read: {printable(totals.unreadable[0], 300)}{more}",
            file=folder,
        )
    names = sorted(f"{path.name}/" if path.is_dir() else path.name for path in folder.iterdir())
    found = ", ".join(printable(name, 60) for name in names[:3]) or "nothing"
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    account = next((row for batch in batches for row in batch.entries["account"][:1].to_pylist()), None)
    such = f", such as {file_name(account)}/" if account else ""
    raise InputError(
        f"none of {totals.bills:,} bills has a log here: expects LOGS/ACCOUNT/…, a folder an account{such};"
        f" found {found}{more}",
        file=folder,
        advice="Give the folder that holds the accounts' folders.",
    )


def _write_findings(out: Path, tables: Iterator[Any]) -> None:
    """Writes findings as they come, beside their place, and puts them there when all are done."""
    import pyarrow.csv
    import pyarrow.parquet as pq

    from billproof.matching.batch import FINDINGS

    partial = out.with_name(f".{out.name}.partial")
    try:
        kind = pq.ParquetWriter if out.suffix == ".parquet" else pyarrow.csv.CSVWriter
        with kind(str(partial), FINDINGS) as writer:
            for found in tables:
                writer.write_table(found)
        partial.chmod(0o600)
        partial.replace(out)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", file=out) from error
    finally:
        partial.unlink(missing_ok=True)


def _texts(sums: Any) -> dict[str, str]:
    return {currency: str(total) for currency, total in sorted(sums.items())}


def _say_totals(totals: Any, batches: list[StoredBatch], out: Path, seconds: float, as_json: bool) -> None:
    from billproof.bundle.lines import amount

    if as_json:
        emit(
            "match-all",
            {
                "out": str(out),
                "batches": len(batches),
                "bills": totals.bills,
                "withoutLogs": totals.without_logs,
                "logs": totals.logs,
                "lines": totals.lines,
                "entries": totals.entries,
                "classes": dict(totals.classes),
                "findings": totals.findings,
                "billsWithFindings": totals.bills_with_findings,
                "stake": _texts(totals.stake),
                "questions": totals.questions,
                "billsWithQuestions": totals.bills_with_questions,
                "asked": _texts(totals.asked),
                "uncompared": totals.uncompared,
                "unchecked": _texts(totals.unchecked),
                "unreadable": totals.unreadable,
            },
        )
        return
    stake, asked, unchecked = (
        ", ".join(amount(sum_, currency) for currency, sum_ in sorted(sums.items())) or "nothing"
        for sums in (totals.stake, totals.asked, totals.unchecked)
    )
    click.echo(
        click.style(
            f"{totals.findings:,} findings in {totals.bills_with_findings:,} of"
            f" {totals.bills - totals.without_logs:,} bills with logs: "
            f"{stake} at stake, before tax",
            bold=True,
        )
    )
    click.echo(
        f"{totals.questions:,} questions in {totals.bills_with_questions:,} bills, which only subscribers can"
        f" answer: {asked}"
    )
    click.echo(f"{totals.uncompared:,} lines could not be compared with a phone: {unchecked}")
    table(["class", "lines"], [[name, f"{count:,}"] for name, count in totals.classes.most_common()])
    say(f"{totals.entries:,} entries of {totals.logs:,} logs; {totals.without_logs:,} bills have no log.")
    say(f"{totals.lines:,} lines in {seconds:.1f} s, {totals.lines / seconds:,.0f} a second.")
    for name in totals.unreadable[:_SHOWN]:
        say(f"Not read: {name}")
    say(f"Written: {out}")
