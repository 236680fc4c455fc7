"""Binding by domain, against a real web server and a real DNS server on loopback."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from billproof.errors import BillproofError
from billproof.identity import Sources, bind, identify, parse_txt, parse_well_known
from billproof.ledger.states import OddAnswerError, OperatorState
from billproof.ledger.web_fetch import FetchError, fetch_small
from billproof.trust import Pins

LEDGER = "0x" + "ab" * 20
TRIPLE = (31337, LEDGER, 7)
DOMAIN = "mobile.example.org"
NAMED = {"chainId": "31337", "ledger": LEDGER, "operatorId": "7"}
TXT = f"billproof=1; chain=31337; ledger={LEDGER}; operator=7"


def document(*operators: Any) -> bytes:
    return json.dumps({"schema": "billproof/domain-binding/1", "operators": list(operators)}).encode()


class Web:
    """Answers every GET with ``reply``: (status, headers, body), or a function of the path."""

    reply: Any = (404, {}, b"")

    def __init__(self) -> None:
        self.asked: list[str] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append(self.path)
                status, headers, body = web.reply(self.path) if callable(web.reply) else web.reply
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"


class Dns:
    """Answers every TXT question with ``texts``; None: no such name; silent: not at all."""

    def __init__(self) -> None:
        self.texts: list[str] | None = None
        self.silent = self.signed = False
        self.asked: list[str] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = self.socket.getsockname()

    def serve(self) -> None:
        while True:
            packet, peer = self.socket.recvfrom(4096)
            if packet == b"stop":
                return
            query = dns.message.from_wire(packet)
            name = query.question[0].name
            self.asked.append(name.to_text())
            if self.silent:
                continue
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.RA | (dns.flags.AD if self.signed else 0)
            if self.texts is None:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            elif self.texts:
                quoted = [
                    " ".join(json.dumps(t[i : i + 100]) for i in range(0, len(t), 100)) for t in self.texts
                ]
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *quoted))
            self.socket.sendto(answer.to_wire(), peer)


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


@pytest.fixture
def nameserver() -> Iterator[Dns]:
    server = Dns()
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield server
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closer:
        closer.sendto(b"stop", server.address)
    thread.join()
    server.socket.close()


@pytest.fixture
def sources(web: Web, nameserver: Dns) -> Sources:
    return Sources(base_url=web.url, nameserver=nameserver.address, timeout=1.0)


def state(domain: str = DOMAIN, name: str = "Example Mobile") -> OperatorState:
    return OperatorState(7, "0x" + "01" * 20, "0x" + "00" * 20, bytes(32), name, domain, "")


def test_bound_by_the_web(web, sources):
    web.reply = (200, {}, document({**NAMED, "operatorId": "6"}, NAMED))
    found = bind(state(), TRIPLE, sources)
    assert (found.status, found.name, found.domain, found.trusted) == (
        "bound",
        "Example Mobile",
        DOMAIN,
        True,
    )
    assert "https://mobile.example.org/.well-known/billproof.json" in found.how
    assert web.asked == ["/.well-known/billproof.json"]


def test_bound_by_dns(nameserver, sources):
    nameserver.texts = ["v=spf1 -all", TXT]
    found = bind(state(), TRIPLE, sources)
    assert found.status == "bound"
    assert "TXT _billproof.mobile.example.org" in found.how
    assert nameserver.asked == ["_billproof.mobile.example.org."]
    assert "DNSSEC" not in found.how
    nameserver.signed = True
    assert "DNSSEC" in bind(state(), TRIPLE, sources).how


@pytest.mark.parametrize(
    "other", [{**NAMED, "operatorId": "8"}, {**NAMED, "chainId": "1"}, {**NAMED, "ledger": "0x" + "cd" * 20}]
)
def test_contradicted(web, nameserver, sources, other):
    web.reply = (200, {}, document(other))
    found = bind(state(), TRIPLE, sources)
    assert found.status == "contradicted"
    assert not found.trusted
    assert "names other operators" in found.how
    web.reply = (404, {}, b"")
    nameserver.texts = [TXT.replace("operator=7", "operator=8")]
    assert bind(state(), TRIPLE, sources).status == "contradicted"
    web.reply = (200, {}, document())
    assert bind(state(), TRIPLE, sources).status == "contradicted"


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ((404, {}, b""), "HTTP status 404"),
        ((500, {}, document(NAMED)), "HTTP status 500"),
        ((200, {}, b"<html>"), "is not a billproof/domain-binding/1"),
        ((200, {}, b"[" * 60_000), "is not a billproof/domain-binding/1"),
        ((200, {}, document(NAMED).replace(b"/1", b"/2")), "is not a billproof/domain-binding/1"),
        ((200, {}, document({**NAMED, "more": "1"})), "without exactly"),
        ((200, {}, document({**NAMED, "chainId": 31337})), "malformed chainId"),
        ((200, {}, document({**NAMED, "chainId": "031337"})), "malformed chainId"),
        ((200, {}, document({**NAMED, "ledger": LEDGER.upper()})), "malformed ledger"),
        ((200, {}, document({**NAMED, "operatorId": "0"})), "malformed operatorId"),
        ((200, {}, document(*[NAMED] * 1001)), "larger than"),
        ((200, {}, document(NAMED) + b" " * 70_000), "larger than 65536 bytes"),
        ((302, {"Location": "https://other.example/x"}, b""), "redirects to another host"),
        ((302, {"Location": "//127.0.0.1:1/x"}, b""), "redirects to another host"),
        ((302, {"Location": "/.well-known/billproof.json"}, b""), "redirects without end"),
        ((302, {"Location": "http://["}, b""), "redirects to what is no address"),
        ((302, {"Location": "http://127.0.0.1:99999999/"}, b""), "redirects to what is no address"),
        ((302, {"Location": "http://127.0.0.1:abc/"}, b""), "redirects to what is no address"),
        ((302, {"Location": "host:abc/"}, b""), "redirects to another host"),
        ((302, {"Location": "/\xe9"}, b""), "redirects to what is no address"),
        ((404, {}, b" " * 70_000), "HTTP status 404"),
    ],
)
def test_unbound_by_unusable_files(web, sources, reply, why):
    web.reply = reply
    found = bind(state(), TRIPLE, sources)
    assert found.status == "unbound"
    assert why in found.how
    assert "no such record" in found.how
    assert "billproof trust add" in found.advice


def test_redirect_within_the_host(web, sources):
    web.reply = lambda path: (
        (200, {}, document(NAMED)) if path == "/b.json" else (301, {"Location": "/b.json"}, b"")
    )
    assert bind(state(), TRIPLE, sources).status == "bound"


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ([], "no such record"),
        (["v=spf1 -all"], "no billproof record"),
        ([TXT + " "], "malformed billproof record"),
        ([TXT.replace("; ", ";")], "malformed billproof record"),
        (["billproof=2; x"], "malformed billproof record"),
    ],
)
def test_unbound_by_unusable_records(nameserver, sources, texts, why):
    nameserver.texts = texts
    found = bind(state(), TRIPLE, sources)
    assert found.status == "unbound"
    assert why in found.how


def test_nobody_answers(web, nameserver):
    def late(path):
        time.sleep(0.6)
        return 200, {}, document(NAMED)

    web.reply = late
    nameserver.silent = True
    begin = time.monotonic()
    found = bind(state(), TRIPLE, Sources(web.url, nameserver.address, timeout=0.3))
    assert time.monotonic() - begin < 2
    assert found.status == "unbound"
    assert "no answer within 0.3 s" in found.how
    assert "no answer (" in found.how
    dead = Sources("http://127.0.0.1:9", nameserver.address, timeout=0.2)
    assert "cannot be reached" in bind(state(), TRIPLE, dead).how


@pytest.mark.parametrize(
    "domain",
    [
        "localhost",
        "127.0.0.1",
        "[::1]",
        "router.local",
        "carrier.example",
        "x.internal",
        "a.example.org:8080",
        "a.example.org/path",
        "user@a.example.org",
        "A.example.org",
        "a..example.org",
        "-a.example.org",
        "müller.example.org",
        "a.example.org\n",
        "x" * 300 + ".example.org",
    ],
)
def test_strange_domains_are_never_asked(web, nameserver, sources, domain):
    found = bind(state(domain), TRIPLE, sources)
    assert found.status == "unbound"
    assert "no public domain" in found.how
    assert web.asked == nameserver.asked == []


def test_no_domain(web, sources):
    found = bind(state(""), TRIPLE, sources)
    assert (found.status, found.how) == ("unbound", "the operator has named no domain")
    assert web.asked == []


def test_private_networks_are_refused(web):
    with pytest.raises(FetchError, match="private network"):
        fetch_small(web.url.replace("http", "https"), timeout=1, public_only=True)


def test_names_are_safe_to_print(web, sources):
    web.reply = (200, {}, document(NAMED))
    assert bind(state(name="Evil\x1b[2J\nname"), TRIPLE, sources).name == "Evil [2J name"


class Lookup:
    """Stands for a ``RootLookup``: what its endpoints agree on."""

    class deployment:
        chain_id, ledger, name = 31337, LEDGER, "a chain"

    def __init__(self, found: OperatorState) -> None:
        self.found = found

    def agreed(self, read: Any) -> OperatorState:
        return self.found


def test_pins_outrank_domains_and_need_no_network(tmp_path, web, nameserver, sources):
    pins = Pins.load(tmp_path / "trust.json")
    assert identify(Lookup(state()), 7, pins, sources=sources).status == "unbound"
    pins.add(*TRIPLE, "My carrier")
    web.asked.clear()
    nameserver.asked.clear()
    found = identify(Lookup(state()), 7, pins, sources=sources)
    assert (found.status, found.name, found.domain) == ("pinned", "My carrier", "")
    assert web.asked == nameserver.asked == []
    assert identify(Lookup(state()), 8, pins, sources=sources).status == "unbound"


def test_an_operator_cannot_disturb_its_pin(tmp_path):
    class Odd(Lookup):
        def agreed(self, read: Any) -> OperatorState:
            raise OddAnswerError("an impossible answer to getOperator")

    pins = Pins.load(tmp_path / "trust.json")
    with pytest.raises(OddAnswerError):
        identify(Odd(state()), 7, pins)
    pins.add(*TRIPLE, "My carrier")
    assert identify(Odd(state()), 7, pins).status == "pinned"


@pytest.mark.parametrize("content", ["", "nameserver nonsense\n"])
def test_no_nameserver(tmp_path, web, monkeypatch, content):
    (tmp_path / "resolv.conf").write_text(content)
    original = dns.resolver.Resolver.read_resolv_conf
    monkeypatch.setattr(
        dns.resolver.Resolver,
        "read_resolv_conf",
        lambda self, _: original(self, str(tmp_path / "resolv.conf")),
    )
    found = bind(state(), TRIPLE, Sources(base_url=web.url, timeout=0.5))
    assert found.status == "unbound"
    assert "TXT _billproof.mobile.example.org: no answer (" in found.how


def test_parsers():
    assert parse_well_known(document(NAMED)) == {TRIPLE}
    assert parse_txt([TXT, TXT, "other"]) == {TRIPLE}
    for content in (b"\xff", b"null", b"{}", document("x"), document(NAMED)[:-1]):
        with pytest.raises(BillproofError):
            parse_well_known(content)
