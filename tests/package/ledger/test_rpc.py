"""Endpoints that misbehave in every way, and what may never show."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time

import pytest

from billproof.errors import InputError
from billproof.ledger.rpc import EndpointError, HttpEndpoint, RpcError, connect, printable
from billproof.ledger.web_fetch import FetchError, fetch_small


def ask(server_url, **options):
    return HttpEndpoint(server_url, **options).request("eth_chainId", [])


def ok(path, headers, body):
    return 200, {}, json.dumps({"jsonrpc": "2.0", "id": json.loads(body)["id"], "result": "0x1"}).encode()


def test_answers(serve):
    server = serve(ok)
    endpoint = connect(server.url)
    assert endpoint.request("eth_chainId", []) == "0x1"
    assert endpoint.request("eth_chainId", []) == "0x1"
    assert endpoint.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (200, b"<html>hello</html>", "not-json-rpc"),
        (200, b"", "not-json-rpc"),
        (200, b"[]", "not-json-rpc"),
        (200, b'{"jsonrpc":"2.0","id":1}', "not-json-rpc"),
        (200, b'{"jsonrpc":"2.0","id":99,"result":"0x1"}', "not-json-rpc"),
        (200, b"[" * 100_000, "not-json-rpc"),
        (200, b"\xff\xfe", "not-json-rpc"),
        (401, b"", "http"),
        (404, b"no", "http"),
        (429, b"slow down", "http"),
        (500, b"{}", "http"),
        (200, b"0" * 3000, "too-large"),
    ],
)
def test_unusable_answers(serve, status, body, cause):
    server = serve(lambda *_: (status, {}, body))
    limit = 2000 if cause == "too-large" else 10**6
    with pytest.raises(EndpointError) as caught:
        ask(server.url, max_response=limit)
    assert caught.value.cause == cause
    assert caught.value.advice
    assert caught.value.status == (status if cause == "http" else 0)


@pytest.mark.parametrize("status", [200, 400, 500])
def test_node_error(serve, status):
    def answer(path, headers, body):
        error = {"code": -32000, "message": "bad\x1b[31m thing", "data": "0x12"}
        return status, {}, json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}).encode()

    with pytest.raises(RpcError) as caught:
        ask(serve(answer).url)
    assert (caught.value.code, caught.value.data) == (-32000, "0x12")
    assert "\x1b" in caught.value.rpc_message
    assert "\x1b" not in str(caught.value)


def test_odd_error_objects(serve):
    server = serve(lambda *_: (200, {}, b'{"id":1,"error":{"code":"x"}}'))
    with pytest.raises(RpcError) as caught:
        ask(server.url)
    assert caught.value.code == 0
    server.answer = lambda *_: (200, {}, b'{"id":1,"error":"broken"}')
    with pytest.raises(EndpointError, match="JSON-RPC"):
        ask(server.url)


def test_dead():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(EndpointError) as caught:
        ask(f"http://127.0.0.1:{port}")
    assert caught.value.cause == "dead"


def test_slow(serve):
    def late(*_):
        time.sleep(0.5)
        return 200, {}, b"{}"

    with pytest.raises(EndpointError) as caught:
        ask(serve(late).url, timeout=0.1)
    assert caught.value.cause == "timeout"


def test_not_http():
    with socket.create_server(("127.0.0.1", 0)) as server:
        import threading

        def talk():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"SSH-2.0-thing\r\n")

        thread = threading.Thread(target=talk)
        thread.start()
        with pytest.raises(EndpointError) as caught:
            ask(f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert caught.value.cause == "dead"


def test_redirects(serve):
    target = serve(ok)
    other = serve(lambda *_: (307, {"Location": "http://other.example/"}, b""))
    with pytest.raises(EndpointError, match="another host") as caught:
        ask(other.url)
    assert caught.value.cause == "redirect"

    def to_itself(path, headers, body):
        return ok(path, headers, body) if path == "/rpc" else (308, {"Location": "/rpc"}, b"")

    same = serve(to_itself)
    assert ask(same.url) == "0x1"
    assert [command for command, *_ in same.asked] == ["POST", "POST"]
    target.answer = lambda *_: (302, {"Location": "/again"}, b"")
    with pytest.raises(EndpointError, match="without end"):
        ask(target.url)


def test_credentials_stay_hidden(serve):
    server = serve(lambda *_: (401, {}, b""))
    address = server.url.replace("http://", "http://anna:s%65cret@") + "/v3/APIKEY?token=TOKEN"
    endpoint = HttpEndpoint(address)
    with pytest.raises(EndpointError) as caught:
        endpoint.request("eth_chainId", [])
    shown = f"{caught.value} {caught.value.endpoint} {endpoint!r} {endpoint.name}"
    for secret in ("anna", "secret", "s%65cret", "APIKEY", "TOKEN"):
        assert secret not in shown
    _, path, headers = server.asked[0]
    assert path == "/v3/APIKEY?token=TOKEN"
    assert headers["Authorization"] == "Basic YW5uYTpzZWNyZXQ="


@pytest.mark.parametrize(
    "place",
    [
        "http://[",
        "//[",
        "http://127.0.0.1:99999999/",
        "http://127.0.0.1:abc/",
        "/\xe9",
        "/a b",
        "http://[/\x7f",
    ],
)
def test_redirects_to_no_address(serve, place):
    server = serve(lambda *_: (307, {"Location": place}, b""))
    with pytest.raises(EndpointError, match="no address") as caught:
        ask(server.url)
    assert caught.value.cause == "redirect"


HEADERS = b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 1000
BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


@pytest.mark.parametrize(("at_once", "drip"), [(b"", HEADERS), (BODY, b" " * 1000)], ids=["headers", "body"])
def test_dripping_servers(dripping, at_once, drip):
    begin = time.monotonic()
    with pytest.raises(EndpointError) as caught:
        ask(dripping(at_once, drip).url, timeout=0.4)
    assert caught.value.cause == "timeout"
    assert time.monotonic() - begin < 2
    begin = time.monotonic()
    with pytest.raises(FetchError, match=r"no answer within 0\.4 s"):
        fetch_small(dripping(at_once, drip).url, timeout=0.4, public_only=False)
    assert time.monotonic() - begin < 2


def test_a_late_connection_is_shut(dripping):
    server = dripping(b"", HEADERS)
    with pytest.raises(EndpointError):
        ask(server.url, timeout=0.3)
    assert server.hung_up.wait(2)


def test_a_resolver_that_hangs(monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(5) and [])
    begin = time.monotonic()
    with pytest.raises(EndpointError) as caught:
        ask("http://127.0.0.1:9", timeout=0.2)
    released.set()
    assert caught.value.cause == "timeout"
    assert time.monotonic() - begin < 2


@pytest.mark.parametrize(
    "spec",
    [
        "http://a..b",
        f"http://{'a' * 64}.example/",
        "http://127.0.0.1:1/é",
        "http://h/?é=1",
        "",
        "x",
        "ftp://u:secret@h/",
        "http://",
        "http://u:secret@h:99999999/",
        "http://h/\n",
        "http://a b/",
    ],
)
def test_unusable_addresses(spec):
    with pytest.raises(InputError) as caught:
        connect(spec)
    assert "secret" not in str(caught.value)


def test_ipv6_name():
    assert HttpEndpoint("http://[::1]:8545").name == "http://[::1]:8545"


def test_printable_is_short():
    assert printable("a\nb\u202e") == "a b "
    assert printable("x" * 400) == "x" * 300 + "…"


def test_checking_imports_nothing_heavy():
    code = (
        "import sys, billproof.ledger.lookup, billproof.ledger.deployments, billproof.identity;"
        "heavy = ('web3', 'eth_account', 'eth', 'eth_tester', 'eth_abi', 'dns');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
