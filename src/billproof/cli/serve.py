"""``billproof serve`` and ``billproof serve links``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from billproof.cli import options
from billproof.cli.output import emit, say
from billproof.errors import InputError

_store = click.option("--store", type=options.FOLDER, help="The directory of batches.")
_secrets = click.option("--secrets", "secrets_root", type=options.FOLDER, help="The directory of secrets.")
_url = click.option(
    "--url", default="", metavar="https://…", help="The portal's public address, for links and invoices."
)


@click.group(
    invoke_without_command=True, short_help="Serve the verifier page, public data and invoices by link."
)
@_store
@_secrets
@options.rpc_option
@options.deployment_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--operator",
    "operators",
    type=click.IntRange(1),
    multiple=True,
    help="Speak for it. [default: all in store]",
)
@click.option(
    "--invoices", is_flag=True, help="Hand out invoices by link (`billproof serve links` makes them)."
)
@click.option("--page", type=options.FILE, help="Serve this verifier page instead of the package's own.")
@click.option("--locale", default="en", show_default=True, help="How invoices are printed.")
@options.trust_option
@click.option(
    "--proxy", metavar="ADDRESS", help="Take a client's address from this reverse proxy's X-Forwarded-For."
)
@click.option(
    "--rate", type=click.FloatRange(0.1), default=10.0, show_default=True, help="Calls a second, a client."
)
@click.option(
    "--burst", type=click.IntRange(1), default=120, show_default=True, help="Calls at once, a client."
)
@_url
@click.pass_context
def serve(context: click.Context, /, **chosen: Any) -> None:
    """Serve the verifier page, a read-only relay to the node, public data, and (--invoices) invoices by link.

    Invoices are headed by the operator's name as it is pinned (`billproof trust`), else by its number. Put it
    behind a web server that speaks TLS: docs/portal.md. It stops at SIGTERM when requests under way
    are answered.
    """
    if context.invoked_subcommand is None:
        _serve(**chosen)


@serve.command()
@options.operator_option
@options.period_option
@options.store_option
@options.secrets_option
@click.option(
    "--account", "accounts", multiple=True, help="An account's number. [default: all of the period]"
)
@click.option(
    "--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="How long links work."
)
@click.option("--revoke", is_flag=True, help="Make earlier links of these invoices useless, and make none.")
@_url
@options.json_option
def links(
    operator_id: int,
    period: int,
    store: Path,
    secrets_root: Path,
    accounts: tuple[str, ...],
    days: int,
    revoke: bool,
    url: str,
    as_json: bool,
) -> None:
    """Make a link to each invoice of a period and print them: account, tab, link.

    Links are kept as hashes: print them once, and give each to its subscriber alone.
    """
    from billproof.portal.links import Links
    from billproof.store import find_batches

    kept = Links(secrets_root)
    if revoke:
        count = kept.revoke(
            lambda link: (
                (link.operator, link.period) != (operator_id, period)
                or bool(accounts and link.account not in accounts)
            )
        )
        if as_json:
            emit("invoice-links", {"revoked": count})
        else:
            say(f"{count} links open nothing any more.")
        return
    made = []
    for stored in find_batches(store, operator_id, period):
        there = stored.entries["account"].to_pylist()
        wanted = [account for account in there if not accounts or account in accounts]
        made += kept.make(stored.id, wanted, days)
    missing = sorted(set(accounts) - {account for account, _ in made})
    if missing or not made:
        what = f"account {missing[0]} has" if missing else f"operator {operator_id} has"
        raise InputError(f"{what} no bill in {period}", file=store)
    rows = [(account, f"{url.rstrip('/')}/invoices/{token}") for account, token in made]
    if as_json:
        emit("invoice-links", {"links": [{"account": account, "link": link} for account, link in rows]})
    else:
        for account, link in rows:
            click.echo(f"{account}\t{link}")


def _serve(
    store: Path | None,
    secrets_root: Path | None,
    rpc: str | None,
    deployment: Path | None,
    host: str,
    port: int,
    operators: tuple[int, ...],
    invoices: bool,
    page: Path | None,
    locale: str,
    trust: Path | None,
    proxy: str | None,
    rate: float,
    burst: int,
    url: str,
) -> None:
    from billproof.cli import choices
    from billproof.ledger import deployments
    from billproof.ledger.reads import chain_id
    from billproof.portal.server import run
    from billproof.portal.settings import Limits, Settings
    from billproof.trust import Pins

    if store is None or secrets_root is None:
        raise InputError("what to serve?", advice="Give --store and --secrets.")
    for folder in (store, secrets_root):
        if not folder.is_dir():
            raise InputError("no such directory", file=folder, advice="`billproof batch` makes it.")
    endpoint = choices.node(rpc)
    chosen = deployments.load(deployment or chain_id(endpoint))
    settings = Settings(
        store=store,
        secrets=secrets_root,
        endpoint=endpoint,
        deployment=chosen,
        operators=operators,
        invoices=invoices,
        page=page,
        url=url,
        locale=locale,
        names=Pins.load(trust).names(chosen.chain_id, chosen.ledger),
        limits=Limits(rate=rate, burst=burst),
    )
    run(settings, host, port, proxy, say)
