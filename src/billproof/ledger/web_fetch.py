"""Fetches a small public file by HTTPS: no redirect to another host, no private address, a size limit."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import IO, Any

MAX_SIZE = 64 * 1024
MAX_REDIRECTS = 3


class FetchError(Exception):
    """Nothing usable came; the text says why, for a sentence that begins with the address."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        return None


def fetch_small(url: str, *, timeout: float, public_only: bool, max_size: int = MAX_SIZE) -> bytes:
    """The body of a GET.

    Args:
        url: https; http only if not ``public_only`` (a test on loopback).
        timeout: seconds, redirects included.
        public_only: refuse hosts with an address that is not of the public internet, since strangers name
            the host. (A host that answers differently a moment later still needs its certificate.)
        max_size: bytes.

    Raises:
        FetchError: anything else than a 200 with a small body.
    """
    deadline = time.monotonic() + timeout
    host = urllib.parse.urlsplit(url).hostname
    handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
    if not public_only:
        handlers.append(urllib.request.ProxyHandler({}))
    opener = urllib.request.build_opener(*handlers)
    try:
        if public_only and not urllib.request.getproxies().get("https"):
            _require_public(host or "")
        for _ in range(MAX_REDIRECTS + 1):
            request = urllib.request.Request(url, headers={"User-Agent": "billproof"})  # noqa: S310
            try:
                with opener.open(request, timeout=max(0.01, deadline - time.monotonic())) as response:
                    return _read(response, deadline, max_size)
            except urllib.error.HTTPError as error:
                with error:
                    if error.code not in (301, 302, 303, 307, 308):
                        raise FetchError(f"HTTP status {error.code}") from None
                    url = _follow(url, error.headers.get("Location", ""))
    except TimeoutError:
        raise FetchError(f"no answer within {timeout:g} s") from None
    except urllib.error.URLError as error:
        late = isinstance(error.reason, TimeoutError)
        why = f"no answer within {timeout:g} s" if late else f"cannot be reached ({_kind(error.reason)})"
        raise FetchError(why) from None
    except (OSError, http.client.HTTPException) as error:
        raise FetchError(f"cannot be reached ({_kind(error)})") from None
    raise FetchError("redirects without end")


def _read(response: Any, deadline: float, max_size: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := response.read1(16384):
        size += len(chunk)
        if size > max_size:
            raise FetchError(f"is larger than {max_size} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError
        chunks.append(chunk)
    return b"".join(chunks)


def _follow(url: str, location: str) -> str:
    target = urllib.parse.urljoin(url, location)
    old, new = urllib.parse.urlsplit(url), urllib.parse.urlsplit(target)
    if (new.scheme, new.hostname, new.port) != (old.scheme, old.hostname, old.port):
        raise FetchError("redirects to another host")
    return target


def _require_public(host: str) -> None:
    for entry in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM):
        if not ipaddress.ip_address(entry[4][0]).is_global:
            raise FetchError("leads to a private network")


def _kind(reason: object) -> str:
    return type(reason).__name__ if isinstance(reason, BaseException) else str(reason)[:80]
