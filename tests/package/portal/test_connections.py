"""Connections that send nothing, too little or read nothing: others are answered all the same."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
import uvicorn
from portals import World, served

from billproof.portal import connections, server

STARTS = (b"", b"G", b"GET / HTTP/1.1\r\nHost: portal\r\nX-Slow: ", b"POST /rpc HTTP/1.1\r\n")


@contextlib.contextmanager
def opened(port: int, count: int, starts: tuple[bytes, ...] = STARTS) -> Iterator[list[socket.socket]]:
    """Connections that begin like this and then say no more."""
    with contextlib.ExitStack() as stack:
        sockets = []
        for at in range(count):
            sockets.append(stack.enter_context(socket.create_connection(("127.0.0.1", port), 5)))
            sockets[-1].sendall(starts[at % len(starts)])
        yield sockets


def port_of(url: str) -> int:
    found = re.search(r":(\d+)", url.removeprefix("http:"))
    assert found
    return int(found[1])


def ended(connection: socket.socket, seconds: float) -> bool:
    """Whether the other side closes the connection in time."""
    connection.settimeout(seconds)
    try:
        while connection.recv(1 << 16):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


def test_three_hundred_idle_connections_keep_nobody_out(world: World) -> None:
    with served(world.home, world.rpc) as portal, opened(port_of(portal.url), 300):
        began = time.monotonic()
        codes = [httpx.get(f"{portal.url}/healthz", timeout=5).status_code for _ in range(5)]
        assert codes == [200] * 5
        assert time.monotonic() - began < 5


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """Serves an answer of so many bytes in this process, with short limits; returns the port."""
    with contextlib.ExitStack() as stack:

        def serve(size: int, **limits: float) -> int:
            for name, value in {"HEAD_SECONDS": 0.5, "_LOOK": 0.05, **limits}.items():
                monkeypatch.setattr(connections, name, value)

            async def app(scope, receive, send):  # type: ignore[no-untyped-def]
                if scope["type"] == "http":
                    await send({"type": "http.response.start", "status": 200, "headers": []})
                    await send({"type": "http.response.body", "body": bytes(size)})

            listener = stack.enter_context(server.listen("127.0.0.1", 0))
            config = server.configured(app)
            config.lifespan = "off"
            running = uvicorn.Server(config)
            thread = threading.Thread(target=running.run, args=([listener],))
            thread.start()
            stack.callback(thread.join, 20)
            stack.callback(setattr, running, "should_exit", True)
            return int(listener.getsockname()[1])

        yield serve


@pytest.mark.parametrize("start", [*STARTS, b"GET / HTTP/1.1\r\nHost: portal\r\n\r\n"])
def test_who_does_not_ask_in_time_is_cut_off(patient: Callable[..., int], start: bytes) -> None:
    with opened(patient(1), 1, (start,)) as (connection,):
        assert ended(connection, 5)


def test_dripping_bytes_gains_no_time(patient: Callable[..., int]) -> None:
    with opened(patient(1), 1, (b"GET / HTTP/1.1\r\nHost: portal\r\nX-Slow: ",)) as (connection,):
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - began < 10:
                connection.sendall(b"x")
                time.sleep(0.05)
        assert time.monotonic() - began < 5


def test_a_body_that_nobody_asked_for_gains_no_time(patient: Callable[..., int]) -> None:
    head = b"GET / HTTP/1.1\r\nHost: portal\r\nContent-Length: 1000000\r\n\r\n"
    with opened(patient(1), 1, (head,)) as (connection,):
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - began < 10:
                connection.sendall(b"x")
                time.sleep(0.05)
        assert time.monotonic() - began < 5


def test_an_answer_that_nobody_reads_is_given_up(patient: Callable[..., int]) -> None:
    port = patient(64 << 20, READ_SECONDS=0.2, READ_BYTES=1 << 30)
    with opened(port, 1, (b"GET / HTTP/1.1\r\nHost: portal\r\n\r\n",)) as (connection,):
        time.sleep(2)
        connection.settimeout(5)
        received = 0
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(1 << 20):
                received += len(piece)
        assert received < 64 << 20


def test_an_answer_that_is_read_slowly_arrives(patient: Callable[..., int]) -> None:
    port = patient(16 << 20)
    with opened(port, 1, (b"GET / HTTP/1.1\r\nHost: portal\r\nConnection: close\r\n\r\n",)) as (connection,):
        received = 0
        while piece := connection.recv(1 << 18):
            received += len(piece)
            time.sleep(0.02)
        assert received > 16 << 20


def test_the_longest_idle_makes_room(patient: Callable[..., int]) -> None:
    with opened(patient(1, MOST_IDLE=3, HEAD_SECONDS=60.0), 5, (b"",)) as sockets:
        assert [ended(each, 0.5) for each in sockets] == [True, True, False, False, False]


def test_requests_follow_each_other_on_one_connection(patient: Callable[..., int]) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{patient(1, HEAD_SECONDS=0.6)}") as client:
        for _ in range(6):
            assert client.get("/").status_code == 200
            time.sleep(0.2)
