"""``billproof demo --serve``: the demo's month in the portal, until somebody stops it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from billproof.ledger.rpc import connect
from billproof.portal.links import Links
from billproof.portal.server import run as run_server
from billproof.portal.settings import Settings
from billproof.store import find_batches

if TYPE_CHECKING:
    from billproof.demo.phone import Compared
    from billproof.demo.run import Demo

_OPERATORS = (1, 2)


def serve(demo: Demo, compared: Compared, host: str, port: int) -> None:
    """Serves the month of both operators and says what to look at."""
    url = f"http://{host}:{port}"
    settings = Settings(
        store=demo.store,
        secrets=demo.secrets,
        endpoint=connect(demo.rpc),
        deployment=demo.deployment,
        operators=_OPERATORS,
        invoices=True,
        url=f"{url}/",
        names={operator: demo.pinned(operator) for operator in _OPERATORS},
    )
    link = f"{url}/invoices/{_token(demo, compared)}"
    run_server(settings, host, port, None, lambda _: _show(demo, compared, url, link))


def _token(demo: Demo, compared: Compared) -> str:
    stored = find_batches(demo.store, compared.operator, demo.period)[0]
    return Links(demo.secrets).make(stored.id, [compared.account], days=1)[0][1]


def _show(demo: Demo, compared: Compared, url: str, link: str) -> None:
    console: Console = demo.stage.console
    lines = [
        ("The verifier page", f"{url}/"),
        ("One subscriber's invoice", link),
        ("the same as a bundle", f"{link}?form=json"),
        *(("the phone's log" if at == 0 else "and", str(log)) for at, log in enumerate(compared.logs)),
        ("the tariff that it names", str(compared.tariff)),
        ("What the ledger has", f"{url}/ledger"),
        ("A node to name on the page", f"{url}/rpc"),
        (
            "An operator to pin there",
            f"chain {demo.deployment.chain_id}, ledger {demo.deployment.ledger},"
            f" operator {compared.operator}",
        ),
    ]
    console.print("[bold]The portal is running[/bold] (Ctrl-C stops it)", highlight=False)
    for name, value in lines:
        console.print(f"  {name:<28}{escape(value)}", highlight=False, soft_wrap=True)
