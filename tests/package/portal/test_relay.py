"""The relay: reads of the ledger and nothing else, bounded in every way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from portals import PERIOD, Client, CountingEndpoint, World

from billproof.ledger.abi import GET_BATCH, OPERATOR_COUNT, TARIFF_OF, call_data
from billproof.ledger.artifact import book_address
from billproof.ledger.rpc import HttpEndpoint

OTHER = "0x" + "12" * 20


def ask(client: Client, method: Any, params: Any = (), **more: Any) -> Any:
    call = {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params), **more}
    return client.post("/rpc", json=call).json()


@pytest.fixture
def counted(world: World) -> tuple[Client, CountingEndpoint]:
    node = CountingEndpoint(world.settings.endpoint)
    return world.client(endpoint=node), node


def test_what_a_verifier_asks_is_answered(client: Client, world: World) -> None:
    ledger = world.settings.deployment.ledger
    data = call_data(GET_BATCH, 1, PERIOD, 0, 1)
    assert ask(client, "eth_chainId")["result"] == hex(world.settings.deployment.chain_id)
    assert (
        world.batch.root.hex() in ask(client, "eth_call", [{"to": ledger, "data": data}, "latest"])["result"]
    )
    assert ask(client, "eth_getBlockByNumber", ["latest", False])["result"]["number"]
    assert len(ask(client, "eth_getCode", [ledger, "latest"])["result"]) > 1000
    assert ask(client, "eth_getStorageAt", [ledger, "0x0", "latest"])["result"].startswith("0x")


def test_the_tariff_book_beside_the_ledger_is_read_too(client: Client, world: World) -> None:
    """No book is deployed here: the node's empty answer is what a verifier takes for none."""
    book = book_address(world.settings.deployment.ledger)
    data = call_data(TARIFF_OF, 1, 1)
    assert ask(client, "eth_call", [{"to": book, "data": data}, "latest"])["result"] == "0x"
    assert ask(client, "eth_call", [{"to": OTHER, "data": data}, "latest"])["error"]["code"] == -32602


def test_numbers_that_no_answer_can_repeat_are_dropped(client: Client) -> None:
    content = b'{"jsonrpc": "2.0", "id": "\\ud800", "method": "eth_chainId", "params": []}'
    answer = client.post("/rpc", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["id"]) == (200, None)


def test_no_address_of_the_request_is_sent_back(client: Client) -> None:
    assert client.get("/ledger/").status_code == 404


def test_every_answer_says_whose_word_it_is(client: Client) -> None:
    answers = [
        client.post("/rpc", json={"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}),
        client.post("/rpc", content=b"nonsense", headers={"Content-Type": "application/json"}),
        client.post("/rpc", content=b"{}"),
    ]
    assert all(answer.headers["X-Billproof-Relay"] == "operator" for answer in answers)
    assert all(answer.headers["Cache-Control"] == "no-store" for answer in answers)


@pytest.mark.parametrize(
    "method",
    [
        *(
            "eth_sendRawTransaction",
            "eth_sendTransaction",
            "eth_accounts",
            "eth_sign",
            "personal_unlockAccount",
        ),
        *("eth_getLogs", "eth_getBalance", "eth_estimateGas", "eth_subscribe", "eth_newFilter", "eth_mining"),
        *(
            "debug_traceCall",
            "admin_peers",
            "evm_mine",
            "anvil_setCode",
            "txpool_content",
            "_eth_call",
            "request",
        ),
        *("ETH_CHAINID", "eth_chainId ", "eth_chainId\n", "", "__class__"),
    ],
)
def test_other_methods_never_reach_the_node(counted: tuple[Client, CountingEndpoint], method: str) -> None:
    client, node = counted
    assert ask(client, method, ["0x00"])["error"]["code"] == -32601
    assert node.asked == []


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_call", [{"to": OTHER, "data": "0x"}, "latest"]),
        ("eth_call", [{"data": "0x6001"}, "latest"]),
        ("eth_call", [{"to": None, "data": "0x6001"}, "latest"]),
        ("eth_call", [{"to": "LEDGER", "data": "0x", "from": OTHER}, "latest"]),
        ("eth_call", [{"to": "LEDGER", "data": "0x", "gas": "0xffffffff"}, "latest"]),
        ("eth_call", [{"to": "LEDGER", "data": "0x", "input": "0x01"}, "latest"]),
        ("eth_call", [{"to": "LEDGER", "data": "0x0"}, "latest"]),
        ("eth_call", [{"to": "LEDGER", "data": ["0x"]}, "latest"]),
        ("eth_call", [{"to": "LEDGER", "data": "0x"}, "latest", {"LEDGER": {"code": "0x00"}}]),
        ("eth_call", [{"to": "LEDGER", "data": "0x"}, {"blockHash": "0x" + "00" * 32}]),
        ("eth_call", [{"to": "LEDGER", "data": "0x"}, "pending"]),
        ("eth_call", [{"to": "LEDGER", "data": "0x"}, "0x" + "f" * 60]),
        ("eth_call", []),
        ("eth_call", "LEDGER"),
        ("eth_getCode", [OTHER, "latest"]),
        ("eth_getStorageAt", [OTHER, "0x0", "latest"]),
        ("eth_getStorageAt", ["LEDGER", "0x", "latest"]),
        ("eth_getProof", [OTHER, [], "latest"]),
        ("eth_getProof", ["LEDGER", ["0x0"] * 17, "latest"]),
        ("eth_getBlockByNumber", ["latest", True]),
        ("eth_getBlockByNumber", [1, False]),
        ("eth_chainId", ["x"]),
        ("eth_chainId", {"a": 1}),
    ],
)
def test_other_contracts_and_parameters_never_reach_the_node(
    counted: tuple[Client, CountingEndpoint], world: World, method: str, params: Any
) -> None:
    client, node = counted
    text = repr(params).replace("LEDGER", world.settings.deployment.ledger)
    call = {"jsonrpc": "2.0", "id": 7, "method": method, "params": eval(text)}  # noqa: S307 - our own list
    assert client.post("/rpc", json=call).json()["error"]["code"] == -32602
    assert node.asked == []


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"nonsense", 400),
        (b"[]", 400),
        (b"[" * 5000, 400),
        (b"\xff\xfe", 400),
        (b"[" + b"1," * 20 + b"1]", 400),
        (b'"' + b"a" * 70_000 + b'"', 413),
    ],
)
def test_what_is_no_request_is_refused(client: Client, content: bytes, status: int) -> None:
    answer = client.post("/rpc", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status


def test_a_body_without_its_length_is_bounded(client: Client) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"a" * 10_000

    answer = client.post("/rpc", content=chunks(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_a_form_of_another_site_cannot_ask(client: Client) -> None:
    text = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert client.post("/rpc", content=text, headers={"Content-Type": kind}).status_code == 415


def test_a_page_from_elsewhere_may_ask_and_learns_whose_word_it_is(client: Client) -> None:
    asked = {"Origin": "null", "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "content-type"
    before = client._ask("OPTIONS", "/rpc", headers=asked)
    assert before.status_code == 204
    assert before.headers["Access-Control-Allow-Origin"] == "*"
    assert before.headers["Access-Control-Allow-Methods"] == "POST"
    assert before.headers["Access-Control-Allow-Headers"] == "Content-Type"
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
    for answer in (client.post("/rpc", json=call), client.post("/rpc", content=b"{}")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Expose-Headers"] == "X-Billproof-Relay"
        assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in client.get("/healthz").headers


def test_a_batch_is_answered_in_order(client: Client) -> None:
    calls = [{"jsonrpc": "2.0", "id": n, "method": "eth_chainId", "params": []} for n in range(3)]
    calls[1]["method"] = "eth_sendRawTransaction"
    answers = client.post("/rpc", json=calls).json()
    assert [answer["id"] for answer in answers] == [0, 1, 2]
    assert ["error" in answer for answer in answers] == [False, True, False]


def test_a_flood_is_turned_away_and_told_when_to_come_back(world: World) -> None:
    node = CountingEndpoint(world.settings.endpoint)
    client = world.client(endpoint=node, limits=replace(world.settings.limits, rate=0.01, burst=5))
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    codes = [client.post("/rpc", json=call).status_code for _ in range(20)]
    assert codes == [200] * 5 + [429] * 15
    answer = client.post("/rpc", json=[call, call])
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert len(node.asked) == 5


def test_an_error_of_the_node_is_passed_on_without_the_nodes_address(world: World) -> None:
    ledger = world.settings.deployment.ledger
    client = world.client()
    reverted = ask(client, "eth_call", [{"to": ledger, "data": "0xdeadbeef"}, "latest"])
    assert reverted["error"]["message"] == "execution reverted"
    dead = world.client(endpoint=HttpEndpoint("http://user:secret@127.0.0.1:9/key"))
    answer = ask(dead, "eth_call", [{"to": ledger, "data": OPERATOR_COUNT}, "latest"])
    assert answer["error"]["message"] == "the operator's node does not answer"
    assert "127.0.0.1" not in str(answer)
    assert "secret" not in str(answer)
