"""How often a client may ask: a token bucket for each address, bounded in number."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_MOST = 20_000


class Buckets:
    """Token buckets by client. A client is an IPv4 address or an IPv6 /64, which one subscriber owns."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._turn = threading.Lock()

    def take(self, address: str, tokens: int = 1) -> float:
        """Takes tokens; 0 when there were enough, else the seconds until there will be."""
        client, now = _client(address), self._clock()
        with self._turn:
            left, then = self._kept.pop(client, (float(self._burst), now))
            left = min(float(self._burst), left + (now - then) * self._rate)
            enough = left >= tokens
            self._kept[client] = (left - tokens if enough else left, now)
            if len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return 0.0 if enough else (min(tokens, self._burst) - left) / self._rate

    def __len__(self) -> int:
        return len(self._kept)


def _client(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "?"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)
