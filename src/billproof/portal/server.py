"""Running the portal: one process, no access log (paths hold tokens), an orderly stop."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from billproof.errors import InputError
from billproof.portal.app import create_app
from billproof.portal.connections import MOST_IDLE, Connection
from billproof.portal.settings import Settings

_STOP_SECONDS = 10

#: Requests that are answered at the same time; one more is told to come back.
_MOST_AT_ONCE = 200


def run(settings: Settings, host: str, port: int, proxy: str | None, say: Callable[[str], None]) -> None:
    """Serves until SIGTERM or Ctrl-C; ``say`` is told the address. Port 0 takes a free one."""
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, _stopped)  # uvicorn raises it again when it has stopped
    with listen(host, port) as listener:
        bound = listener.getsockname()
        say(f"http://[{bound[0]}]:{bound[1]}/" if ":" in bound[0] else f"http://{bound[0]}:{bound[1]}/")
        uvicorn.Server(configured(create_app(settings), proxy)).run([listener])


def configured(app: ASGIApp, proxy: str | None = None) -> uvicorn.Config:
    """How uvicorn serves the portal."""
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=proxy is not None,
        forwarded_allow_ips=proxy,
        limit_concurrency=_MOST_AT_ONCE + MOST_IDLE,  # it counts connections, idle ones too
        timeout_keep_alive=5,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; :class:`InputError` when the address cannot be used."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise InputError(
            f"cannot listen on {host}:{port}: {error.strerror or error}", advice="Choose another --port."
        ) from error


def _stopped(*_: object) -> None:
    raise SystemExit(0)
