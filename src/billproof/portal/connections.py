"""Connections that cost the portal little: those that ask nothing, or do not read their answer, are ended.

uvicorn has no limit of time for a request's head and counts a silent connection like one at work, but it
lets its protocol class be replaced, so these limits are laid around that. Servers that have them of their
own (granian, hypercorn) bring worker processes or protocols that the portal has no use for.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

#: Seconds in which the head of a request has to be there, from connecting or from the answer before.
HEAD_SECONDS = 10.0

#: Connections without a request, at most: for one more, the one that has waited longest is closed.
MOST_IDLE = 200

#: An answer may lie unread for so long, and then be read no slower than this many bytes a second.
READ_SECONDS, READ_BYTES = 20.0, 1024

#: How often, in seconds, a connection is looked at.
_LOOK = 1.0


class Connection(H11Protocol):
    """uvicorn's HTTP/1.1 connection with limits of patience."""

    _since = 0.0
    _read_by: float | None = None
    _next_look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = self.loop.time()
        self._next_look = self.loop.call_later(_LOOK, self._look)
        idle = [each for each in self.connections if isinstance(each, Connection) and each.idle]
        if len(idle) > MOST_IDLE:
            min(idle, key=lambda each: each._since).transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._next_look is not None:
            self._next_look.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._since = self.loop.time()
        super().on_response_complete()

    def resume_writing(self) -> None:
        self._read_by = None  # the answer gets on: what is left of it has time of its own
        super().resume_writing()

    @property
    def idle(self) -> bool:
        """Whether it waits for a request, with nothing left to send."""
        asked: Any = self.cycle  # None before the first request
        answered = asked is None or asked.response_complete
        return answered and not self.transport.is_closing() and not self.transport.get_write_buffer_size()

    def _look(self) -> None:
        now, unread = self.loop.time(), self.transport.get_write_buffer_size()
        self._next_look = self.loop.call_later(_LOOK, self._look)
        if unread:
            self._since = now
            if self._read_by is None:
                self._read_by = now + READ_SECONDS + unread / READ_BYTES
            elif now > self._read_by:
                self.transport.abort()
            return
        self._read_by = None
        if self.idle and now - self._since > HEAD_SECONDS:
            self.transport.close()
