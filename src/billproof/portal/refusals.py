"""What is not given: as JSON for programs, as a page in plain words for whoever reads it in a browser.

Neither ever says a path, a node's address or what was asked.
"""

from __future__ import annotations

import logging
import math

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from billproof.errors import BillproofError, NotAnchoredError
from billproof.portal import pages

_log = logging.getLogger("billproof.portal")

_BILL = (
    "This link opens no bill",
    "Links to bills end after some time, and the company that sent one can end it earlier. If you typed the"
    " link or copied it out of a message, part of it may be missing: it ends in 43 letters, digits, - or _.",
    "Your bill is not lost. Ask the company that sent it for a new link.",
)
_NOTHING = ("There is nothing here", "Check the address for typing mistakes.")
_BUSY = (
    "One moment, please",
    "More was asked from here than is answered at once. Load this page again in {wait}.",
)
_DOWN = ("Not available just now", "Your bill is not lost. Load this page again in a few minutes.")


class Limited(Exception):
    """A client asked for more than its share; ``wait`` is the seconds until there is some again."""

    def __init__(self, wait: float) -> None:
        super().__init__()
        self.wait = wait


def told_in_words(app: FastAPI) -> None:
    """Has the application say its errors in this way."""

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: Exception) -> Response:
        return _told(request, 404 if _of_invoices(request) else 422, "not understood")

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for no other
        return _told(request, error.status_code, error.detail, dict(error.headers or {}))

    @app.exception_handler(Limited)
    def limited(request: Request, error: Exception) -> Response:
        seconds = max(1, math.ceil(error.wait if isinstance(error, Limited) else 1.0))
        return _told(request, 429, "too many requests", {"Retry-After": str(seconds)})

    @app.exception_handler(BillproofError)
    def failed(request: Request, error: Exception) -> Response:
        if isinstance(error, NotAnchoredError):
            return _told(request, 404, "the ledger has no such operator or batch")
        route = getattr(request.scope.get("route"), "path", "other")
        _log.warning("%s: %s", route, type(error).__name__)
        return _told(request, 502, "the operator's node or store does not answer")

    @app.exception_handler(Exception)
    def broken(request: Request, error: Exception) -> Response:
        return _told(request, 500, "an internal error")


def _told(request: Request, status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    headers = {**(headers or {}), "Vary": "Accept"}
    if "text/html" not in request.headers.get("accept", "").lower():
        return JSONResponse({"detail": detail}, status, headers)
    page = pages.notice(*_words(request, status, headers.get("Retry-After", "")))
    headers |= {"Content-Security-Policy": page.policy, "X-Robots-Tag": "noindex, nofollow"}
    return HTMLResponse(page.html, status, headers)


def _words(request: Request, status: int, wait: str) -> tuple[str, ...]:
    if status == 429:
        return tuple(text.format(wait="a second" if wait == "1" else f"{wait} seconds") for text in _BUSY)
    if status >= 500:
        return _DOWN
    return _BILL if _of_invoices(request) else _NOTHING


def _of_invoices(request: Request) -> bool:
    return request.url.path.startswith("/invoice")
