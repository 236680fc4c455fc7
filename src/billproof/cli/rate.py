"""``billproof rate``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli import options
from billproof.cli.output import emit, facts, progress, say
from billproof.errors import InputError

if TYPE_CHECKING:
    from billproof.pricing import Priced
    from billproof.tariff import Tariff


@click.command(short_help="Price usage from files by a tariff.")
@click.argument("files", nargs=-1, required=True, type=options.FILE)
@click.option("--tariff", "tariff_file", type=options.FILE, required=True, help="The tariff's file.")
@click.option("--format", "form", required=True, help="A format of `billproof formats`.")
@click.option("--mapping", type=options.FILE, help="A mapping file (TOML), see docs/formats.md.")
@options.period_option
@click.option("--out", type=options.FILE, required=True, help="The priced records, as .csv or .parquet.")
@click.option(
    "--balances", type=options.FILE, help="What accounts carried over: CSV account,allowance,left,age."
)
@click.option("--balances-out", type=options.FILE, help="Where to write what they carry into the next cycle.")
@click.option("--rejects", type=options.FILE, help="Where to write rows that could not be used.")
@options.force_option
@options.json_option
def rate(
    files: tuple[Path, ...], form: str, mapping: Path | None, period: int, as_json: bool, **given: Any
) -> None:
    """Price the usage in FILES by a tariff (docs/tariff.md).

    Files are read as `billproof batch` reads them; what they say of usage's amount, currency and billed usage
    is not used, and lines that are no usage stay as they are. All records of an account make one statement:
    its allowances and tiers are those of one cycle.
    """
    from billproof.files import write_file
    from billproof.pricing import Priced, price, read_usage
    from billproof.tariff import load_tariff
    from billproof.tariff.balances import Balances, write_balances

    out: Path = given["out"]
    if out.suffix not in (".csv", ".parquet"):
        raise InputError("is neither .csv nor .parquet", file=out)
    for path in (out, given["balances_out"], given["rejects"]):
        if path is not None and path.exists() and not given["force"]:
            raise InputError("is there already", file=path, advice="Use --force to overwrite.")
    tariff = load_tariff(given["tariff_file"])
    carried = Balances.read(given["balances"]) if given["balances"] else Balances()
    result = Priced()
    with progress(as_json) as update:
        statements = read_usage(
            files, form, period=period, mapping=mapping, currency=tariff.currency, result=result
        )
        total, done = statements.records.num_rows, 0

        def counted(tables: Iterable[Any]) -> Iterable[Any]:
            nonlocal done
            for table in tables:
                yield table
                done += table.num_rows
                update("records", done, total)

        _write(out, counted(price(statements, tariff, carried, result)))
    if given["balances_out"]:
        write_file(given["balances_out"], write_balances(result.balances), mode=0o600)
    if given["rejects"]:
        _write_rejects(given["rejects"], result)
    _report(result, tariff, out, as_json)


def _write(out: Path, tables: Iterable[Any]) -> None:
    import pyarrow.csv
    import pyarrow.parquet as pq

    from billproof.files import replacing
    from billproof.pricing import PRICED, with_text_amounts

    with replacing(out, mode=0o600) as partial:
        if out.suffix == ".parquet":
            with pq.ParquetWriter(str(partial), PRICED) as writer:
                for table in tables:
                    writer.write_table(table)
            return
        schema = with_text_amounts(PRICED.empty_table()).schema
        with pyarrow.csv.CSVWriter(str(partial), schema) as writer:
            for table in tables:
                writer.write_table(with_text_amounts(table))


def _write_rejects(path: Path, result: Priced) -> None:
    import pyarrow as pa
    import pyarrow.csv

    from billproof.files import write_file

    sink = pa.BufferOutputStream()
    table = result.rejects_table()
    at = table.schema.get_field_index("source")
    pyarrow.csv.write_csv(table.set_column(at, "source", table["source"].cast(pa.string())), sink)
    write_file(path, sink.getvalue().to_pybytes(), mode=0o600)


def _report(result: Priced, tariff: Tariff, out: Path, as_json: bool) -> None:
    from billproof.records import money

    if as_json:
        emit(
            "rate",
            {
                "out": str(out),
                "tariff": "0x" + tariff.hash.hex(),
                "rows": result.rows,
                "records": result.records,
                "accounts": result.accounts,
                "rejected": result.rejected,
                "otherPeriods": result.other_periods,
                "otherCurrency": result.other_currency,
                "total": str(result.total),
                "currency": tariff.currency,
                "statuses": dict(result.statuses),
            },
        )
        return
    facts(
        f"{money(result.total)} {tariff.currency} for {result.records:,} records",
        [
            ("tariff", tariff.words),
            ("rows read", f"{result.rows:,}"),
            ("accounts", f"{result.accounts:,}"),
            ("rejected", f"{result.rejected:,}"),
            ("of other periods", f"{result.other_periods:,}"),
            ("other lines in another currency", f"{result.other_currency:,}"),
            *((words, f"{count:,}") for words, count in sorted(result.statuses.items())),
        ],
    )
    say(f"Written: {out}")
