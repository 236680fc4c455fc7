"""Fetches a small public file by HTTPS: no redirect to another host, no private address, a size limit."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import urllib.error
import urllib.parse
import urllib.request

from billproof.ledger.rpc import printable
from billproof.ledger.transport import REDIRECTS, Connections, TooLargeError, ask, redirected, within

MAX_SIZE = 64 * 1024
MAX_REDIRECTS = 3


class FetchError(Exception):
    """Nothing usable came; the text says why, for a sentence that begins with the address."""


def fetch_small(url: str, *, timeout: float, public_only: bool, max_size: int = MAX_SIZE) -> bytes:
    """The body of a GET.

    Args:
        url: https; http only if not ``public_only`` (a test on loopback).
        timeout: seconds, name resolution and redirects included.
        public_only: refuse hosts with an address that is not of the public internet, since strangers name
            the host. (A host that answers differently a moment later still needs its certificate.)
        max_size: bytes.

    Raises:
        FetchError: anything else than a 200 with a small body.
    """
    try:
        return within(timeout, lambda connections: _fetch(url, connections, public_only, max_size))
    except TimeoutError:
        raise FetchError(f"no answer within {timeout:g} s") from None
    except TooLargeError:
        raise FetchError(f"is larger than {max_size} bytes") from None
    except urllib.error.URLError as error:
        late = isinstance(error.reason, TimeoutError)
        why = f"no answer within {timeout:g} s" if late else f"cannot be reached ({_kind(error.reason)})"
        raise FetchError(why) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise FetchError(f"cannot be reached ({_kind(error)})") from None


def _fetch(url: str, connections: Connections, public_only: bool, max_size: int) -> bytes:
    if public_only and not urllib.request.getproxies().get("https"):
        _require_public(urllib.parse.urlsplit(url).hostname or "")
    for _ in range(MAX_REDIRECTS + 1):
        headers = {"User-Agent": "billproof"}
        answer = ask(url, connections, headers=headers, max_size=max_size, direct=not public_only)
        if answer.status == http.client.OK:
            return answer.body
        if answer.status not in REDIRECTS:
            raise FetchError(f"HTTP status {answer.status}")
        url = _follow(url, answer.location)
    raise FetchError("redirects without end")


def _follow(url: str, location: str) -> str:
    old, new = urllib.parse.urlsplit(url), redirected(url, location)
    if new is None:
        raise FetchError("redirects to what is no address")
    if (new.scheme, new.hostname, new.port) != (old.scheme, old.hostname, old.port):
        raise FetchError("redirects to another host")
    return new.geturl()


def _require_public(host: str) -> None:
    for entry in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM):
        if not ipaddress.ip_address(entry[4][0]).is_global:
            raise FetchError("leads to a private network")


def _kind(reason: object) -> str:
    return type(reason).__name__ if isinstance(reason, BaseException) else printable(str(reason), 80)
