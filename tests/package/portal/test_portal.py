"""Pages, public data, headers, health, and the process that serves them."""

from __future__ import annotations

import hashlib
import re
import signal
import time
from dataclasses import replace

import httpx
import pytest
from portals import NAME, PERIOD, Client, World, served

from billproof.commitment.keccak import keccak
from billproof.identity import parse_well_known
from billproof.ledger.rpc import HttpEndpoint
from billproof.portal.limits import Buckets

PUBLIC = ("/api/v1/operators", "/api/v1/heads", "/api/v1/seals", "/api/v1/periods?operator=1")
PUBLIC += (f"/api/v1/batches?operator=1&period={PERIOD}", "/ledger", "/openapi.json", "/healthz", "/metrics")
PUBLIC += ("/.well-known/billproof.json", f"/api/v1/manifests/1/{PERIOD}/0/1/manifest.json")


def test_public_data_agree_with_the_store(client: Client, world: World) -> None:
    (operator,) = client.get("/api/v1/operators").json()
    assert (operator["operatorId"], operator["name"], operator["domain"]) == ("1", NAME, "meridian.example")
    (period,) = client.get("/api/v1/periods?operator=1").json()
    assert (period["period"], period["batches"], period["sealedBatches"]) == (str(PERIOD), 1, 1)
    (batch,) = client.get(f"/api/v1/batches?operator=1&period={PERIOD}").json()
    assert batch["root"] == "0x" + world.batch.root.hex()
    assert batch["records"] == "3"
    assert batch["block"] > 0
    assert client.get("/api/v1/seals").json() == [period]
    assert re.fullmatch("0x[0-9a-f]{64}", client.get("/api/v1/heads").json()[0]["head"])
    manifest = client.get(batch["manifest"])
    assert "0x" + keccak(manifest.content).hex() == batch["manifestHash"]
    listing = client.get(batch["manifest"].replace(".json", ".bin")).content
    assert manifest.json()["list"]["keccak256"] == "0x" + keccak(listing).hex()


@pytest.mark.parametrize("path", PUBLIC)
def test_nothing_public_is_personal(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    for personal in ("A-17", "B-18", "+35320", "353209100001", str(hashlib.sha256(b"A-17").hexdigest())):
        assert personal not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        *("/api/v1/periods?operator=2", "/api/v1/batches?operator=2&period=202610"),
        *("/api/v1/manifests/1/202610/0/1/batch.json", "/api/v1/manifests/1/202610/0/1/records.parquet"),
        *("/api/v1/manifests/1/202610/0/1/..%2fintake.json", "/api/v1/manifests/1/202610/0/1/../intake.json"),
        *(
            "/api/v1/manifests/..%2f..%2fsecrets/202610/0/1/manifest.json",
            "/api/v1/manifests/1/202610/0/9/manifest.json",
        ),
        *("/api/v1/manifests/2/202610/0/1/manifest.json", "/api/v1/manifests/1/-1/0/1/manifest.json"),
        *(
            "/store/1/202610/0-1/records.parquet",
            "/secrets/1/accounts.arrow",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/docs",
        ),
        *("//etc/passwd", "/..%5c..%5cetc%5cpasswd", "/verifier.html", "/.well-known/", "/api", "/redoc"),
    ],
)
def test_there_is_no_way_to_other_files(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 422)
    assert "detail" in answer.json()
    assert "/" not in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/", *PUBLIC, "/nowhere", "/invoices/x"])
def test_every_answer_has_the_headers(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy


def test_names_from_the_ledger_are_escaped(client: Client) -> None:
    page = client.get("/ledger").text
    assert "<script" not in page
    assert "Meridian &lt;script&gt;" in page
    assert "block" in page


def test_the_domain_names_its_operators(client: Client, world: World) -> None:
    deployment = world.settings.deployment
    content = client.get("/.well-known/billproof.json").content
    assert parse_well_known(content) == {(deployment.chain_id, deployment.ledger, 1)}
    chosen = world.client(operators=(5, 4)).get("/.well-known/billproof.json").json()
    assert [operator["operatorId"] for operator in chosen["operators"]] == ["4", "5"]


def test_health_tells_of_the_store_and_the_node(client: Client, world: World) -> None:
    assert client.get("/healthz").json() == {"store": "ok", "node": "ok"}
    dead = world.client(endpoint=HttpEndpoint("http://127.0.0.1:9"))
    assert dead.get("/healthz").status_code == 503
    assert dead.get("/healthz").json() == {"store": "ok", "node": "Endpoint"}
    gone = world.client(store=world.home / "gone")
    assert gone.get("/healthz").json()["store"] == "not there"
    assert dead.get("/api/v1/operators").status_code == 502
    assert "127.0.0.1" not in dead.get("/api/v1/operators").text


def test_many_readers_cost_the_node_one_question(world: World) -> None:
    from portals import CountingEndpoint

    node = CountingEndpoint(world.settings.endpoint)
    client = world.client(endpoint=node)
    for _ in range(10):
        assert client.get("/api/v1/operators").status_code == 200
    assert len(node.asked) == 1


def test_public_data_are_limited_too(world: World) -> None:
    client = world.client(limits=replace(world.settings.limits, rate=0.01, burst=3))
    assert [client.get("/api/v1/heads").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert client.get("/healthz").status_code == 200


def test_buckets_refill_and_stay_few() -> None:
    now = 0.0
    buckets = Buckets(2.0, 4, clock=lambda: now)
    assert [buckets.take("10.0.0.1") for _ in range(5)] == [0, 0, 0, 0, 0.5]
    now = 1.0
    assert buckets.take("10.0.0.1", 2) == 0
    assert buckets.take("10.0.0.1") > 0
    assert buckets.take("10.0.0.2") == 0
    assert buckets.take("2001:db8::1", 4) == 0
    assert buckets.take("2001:db8::2") > 0, "one subscriber has a whole /64"
    assert buckets.take("::ffff:10.0.0.2", 4) > 0
    for at in range(30_000):
        buckets.take(f"10.{at >> 16}.{at >> 8 & 255}.{at & 255}")
    assert len(buckets) <= 20_000


def test_a_real_server_answers_and_stops_in_order(world: World) -> None:
    with served(world.home, world.rpc) as portal:
        url, process = portal.url, portal.process
        started = httpx.get(f"{url}/healthz")
        assert started.json() == {"store": "ok", "node": "ok"}
        assert "server" not in started.headers
        call = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": ["0x00"]}
        assert httpx.post(f"{url}/rpc", json=call).json()["error"]["code"] == -32601
        raw = httpx.get(f"{url}/api/v1/manifests/1/202610/0/1/%2e%2e/%2e%2e/batch.json")
        assert raw.status_code == 404
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        process.wait(15)
        assert time.monotonic() - began < 10
        assert process.returncode == 0


def test_a_flood_at_a_real_server_leaves_it_alive(world: World) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    with (
        served(world.home, world.rpc, "--rate", "1", "--burst", "20") as portal,
        httpx.Client(base_url=portal.url) as client,
    ):
        codes = [client.post("/rpc", json=call).status_code for _ in range(60)]
        assert codes[:20] == [200] * 20
        assert codes.count(429) >= 35
        assert client.get("/healthz").status_code == 200


def test_a_strangers_word_for_its_address_does_not_count(world: World) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    with (
        served(world.home, world.rpc, "--rate", "0.1", "--burst", "5") as portal,
        httpx.Client(base_url=portal.url) as client,
    ):
        codes = [
            client.post("/rpc", json=call, headers={"X-Forwarded-For": f"10.0.0.{at}"}).status_code
            for at in range(10)
        ]
    assert codes == [200] * 5 + [429] * 5


def test_a_proxy_that_is_trusted_tells_clients_apart(world: World) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    options = ("--proxy", "127.0.0.1", "--rate", "0.1", "--burst", "1")
    with served(world.home, world.rpc, *options) as portal, httpx.Client(base_url=portal.url) as client:
        codes = [
            client.post("/rpc", json=call, headers={"X-Forwarded-For": f"10.0.0.{at}"}).status_code
            for at in (1, 2, 1)
        ]
    assert codes == [200, 200, 429]
