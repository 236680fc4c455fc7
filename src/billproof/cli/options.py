"""Options that several commands share, each declared once."""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from billproof.errors import InputError

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
force_option = click.option("--force", is_flag=True, help="Overwrite what is there.")
rpc_option = click.option(
    "--rpc",
    envvar="BILLPROOF_RPC",
    metavar="URL|embedded:FILE",
    help="The node to use, or the journal of an embedded chain. [env: BILLPROOF_RPC]",
)
deployment_option = click.option(
    "--deployment",
    type=FILE,
    help="A deployment file that you trust. [default: the shipped one of the chain]",
)
operator_option = click.option(
    "--operator", "operator_id", type=click.IntRange(1), required=True, help="The operator's number."
)
store_option = click.option("--store", type=FOLDER, required=True, help="The directory of batches.")
secrets_option = click.option(
    "--secrets",
    "secrets_root",
    type=FOLDER,
    required=True,
    help="The directory of secrets, outside the store.",
)
trust_option = click.option(
    "--trust",
    type=FILE,
    envvar="BILLPROOF_TRUST",
    help="The file of pinned operators. [env: BILLPROOF_TRUST]",
)

engine_option = click.option(
    "--engine",
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help="What works on the rows: this machine, or a Spark cluster (docs/scaling.md).",
)
spark_option = click.option(
    "--spark", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of Spark's."
)


def signer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--keystore`` and ``--dev-account``: who signs. Keys are never arguments."""
    command = click.option(
        "--dev-account",
        type=click.IntRange(0, 9),
        help="Sign with this account of the well-known test mnemonic; development chains only.",
    )(command)
    return click.option(
        "--keystore",
        type=FILE,
        help="The signer's keystore file (V3); its password is in the file named by BILLPROOF_PASSWORD_FILE.",
    )(command)


def period_of(context: click.Context, parameter: click.Parameter, value: Any) -> int:
    """Callback of period options and arguments: YYYYMM."""
    from billproof.batch_id import check_period

    if not str(value).isdecimal():
        raise click.BadParameter(f"{value!r} is not YYYYMM")
    return check_period(int(value))


period_option = click.option(
    "--period", required=True, metavar="YYYYMM", callback=period_of, help="The billing period."
)


def _period_of_month(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """Callback of ``--month``: YYYY-MM as YYYYMM."""
    from billproof.batch_id import check_period

    if value is None:
        return None
    year, dash, month = value.partition("-")
    if len(year) != 4 or not dash or len(month) != 2 or not (year + month).isdecimal():
        raise click.BadParameter(f"{value!r} is not YYYY-MM")
    return check_period(int(year + month))


def month_option(text: str) -> Decorator:
    """``--month YYYY-MM``, as YYYYMM; None where it is not given."""
    return click.option("--month", metavar="YYYY-MM", callback=_period_of_month, help=text)


def spark_is_named(engine: str, settings: tuple[str, ...], scratch: str | None) -> bool:
    """Whether ``--engine`` is spark; InputError where options of Spark's are given to the local one."""
    if engine == "local" and (settings or scratch):
        raise InputError("is for --engine spark", field="--spark" if settings else "--scratch")
    return engine == "spark"


def spark_settings(words: tuple[str, ...]) -> dict[str, str]:
    """``--spark`` values, each ``KEY=VALUE``."""
    pairs = [word.partition("=") for word in words]
    for key, mark, _ in pairs:
        if not key or not mark:
            raise InputError(f"{key!r} is no KEY=VALUE", field="--spark")
    return {key: value for key, _, value in pairs}


def totals_of(values: tuple[str, ...]) -> dict[str, Decimal]:
    """``--expect-total`` values, each ``CUR=AMOUNT``."""
    totals: dict[str, Decimal] = {}
    for value in values:
        currency, _, amount = value.partition("=")
        try:
            parsed = Decimal(amount)
        except InvalidOperation:
            parsed = Decimal("NaN")
        if len(currency) != 3 or not parsed.is_finite():
            raise InputError(
                f"{value!r} is not CUR=AMOUNT", field="--expect-total", advice="For example EUR=3395.28"
            )
        totals[currency] = parsed
    return totals


def password(required: bool = True) -> bytes | None:
    """The password from the file named by ``BILLPROOF_PASSWORD_FILE``; None when not set and not required."""
    from billproof.ledger.signers import read_password

    if not os.environ.get("BILLPROOF_PASSWORD_FILE") and not required:
        return None
    return read_password().encode()
