"""Roots: who must agree, who may lie, and what each kind of wrong node is told apart by."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from billproof.errors import CannotCheckError, NotAnchoredError
from billproof.ledger import abi, lookup
from billproof.ledger.lookup import BatchKey, RootLookup, look_up_root
from billproof.ledger.rpc import EndpointError, RpcError

ROOT = b"\x11" * 32


@pytest.fixture(scope="module")
def key(anvil):
    return anvil.anchored(ROOT)


def is_call(request, selector):
    return request["method"] == "eth_call" and request["params"][0]["data"].startswith(selector)


def error(message, code=-32000):
    return lambda request, answer: {
        "jsonrpc": "2.0",
        "id": request["id"],
        "error": {"code": code, "message": message},
    }


def on(selector, change):
    """Applies ``change`` to the answers of one view, passes the rest on."""
    return lambda request, answer: change(request, answer) if is_call(request, selector) else answer


def lie(request, answer):
    return {**answer, "result": "0x" + "66" * 32 + answer["result"][66:]}


def test_own_choice(chain):
    key = chain.anchored(ROOT)
    answer = look_up_root([chain.endpoint], chain.deployment, key, own_choice=True)
    assert answer.root == ROOT
    assert answer.own_choice
    assert answer.answered_by == (chain.endpoint.name,)
    assert answer.state.block_number <= answer.block.number
    assert abs(answer.state.anchored_at - time.time()) < 600
    with pytest.raises(lookup.TooFewEndpointsError):
        look_up_root([chain.endpoint], chain.deployment, key, own_choice=False)
    with pytest.raises(NotAnchoredError, match="sequence 8"):
        look_up_root([chain.endpoint], chain.deployment, replace(key, sequence=8), own_choice=True)


def test_two_independent_endpoints(anvil, key, proxied):
    one, two = proxied(anvil, "one"), proxied(anvil, "two")
    answer = look_up_root([one.endpoint, two.endpoint], anvil.deployment, key, own_choice=False)
    assert answer.root == ROOT
    assert answer.answered_by == ("https://one.example", "https://two.example")
    assert answer.failed == ()
    with pytest.raises(NotAnchoredError):
        look_up_root(
            [one.endpoint, two.endpoint], anvil.deployment, replace(key, region=77), own_choice=False
        )


@pytest.mark.parametrize("same", ["host", "operated_by"])
def test_two_names_of_one_runner_are_one(anvil, key, proxied, same):
    one, two = proxied(anvil, "one"), proxied(anvil, "two")
    setattr(two.endpoint, same, getattr(one.endpoint, same))
    with pytest.raises(lookup.TooFewEndpointsError, match="run independently"):
        look_up_root([one.endpoint, two.endpoint], anvil.deployment, key, own_choice=False)


@pytest.mark.parametrize("own_choice", [True, False])
def test_a_lying_endpoint(anvil, key, proxied, own_choice):
    one, liar = proxied(anvil, "one"), proxied(anvil, "liar")
    liar.change = on(abi.GET_BATCH, lie)
    with pytest.raises(lookup.DisagreementError) as caught:
        look_up_root([one.endpoint, liar.endpoint], anvil.deployment, key, own_choice=own_choice)
    assert "one.example" in str(caught.value)
    assert "liar.example" in str(caught.value)


def test_an_endpoint_that_hides_the_batch(anvil, key, proxied):
    one, hider = proxied(anvil, "one"), proxied(anvil, "hider")
    hider.change = on(abi.GET_BATCH, lambda r, a: {**a, "result": "0x" + "00" * 192})
    with pytest.raises(lookup.DisagreementError, match="no batch"):
        look_up_root([one.endpoint, hider.endpoint], anvil.deployment, key, own_choice=False)


def test_endpoints_on_a_fork(anvil, key, proxied):
    one, fork = proxied(anvil, "one"), proxied(anvil, "fork")

    def other_hash(request, answer):
        if request["method"] == "eth_getBlockByNumber":
            return {**answer, "result": {**answer["result"], "hash": "0x" + "77" * 32}}
        return answer

    fork.change = other_hash
    with pytest.raises(lookup.DisagreementError, match="disagree about block"):
        look_up_root([one.endpoint, fork.endpoint], anvil.deployment, key, own_choice=False)


def test_one_of_three_fails(anvil, key, proxied):
    proxies = [proxied(anvil, name) for name in ("one", "two", "three")]
    proxies[1].change = error("internal error")
    answer = look_up_root([p.endpoint for p in proxies], anvil.deployment, key, own_choice=False)
    assert len(answer.answered_by) == 2
    assert "two.example" in answer.failed[0]
    assert "internal error" in answer.failed[0]


def test_all_but_one_fail(anvil, key, proxied):
    one, two = proxied(anvil, "one"), proxied(anvil, "two")
    two.change = on(abi.GET_BATCH, error("missing trie node 00aa"))
    with pytest.raises(lookup.TooFewEndpointsError, match=r"two\.example: .*lacks the state"):
        look_up_root([one.endpoint, two.endpoint], anvil.deployment, key, own_choice=False)
    with pytest.raises(lookup.TooFewEndpointsError, match="no endpoint is known"):
        look_up_root([], anvil.deployment, key, own_choice=False)


def result(value):
    return lambda request, answer: {**answer, "result": value}


def for_method(method, change):
    return lambda request, answer: change(request, answer) if request["method"] == method else answer


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (for_method("eth_chainId", result("0x1")), lookup.WrongChainError, "serves chain 1, not 31337"),
        (for_method("eth_getCode", result("0x")), lookup.NoLedgerError, "no contract at"),
        (for_method("eth_getCode", result("0x6001")), lookup.ForeignCodeError, "not the Billproof ledger"),
        (for_method("eth_getCode", result("0xzz")), lookup.OddAnswerError, "impossible answer"),
        (for_method("eth_getCode", result(None)), lookup.OddAnswerError, "impossible answer"),
        (for_method("eth_chainId", result("31337")), lookup.OddAnswerError, "impossible answer"),
        (for_method("eth_chainId", result(None)), lookup.OddAnswerError, "impossible answer"),
        (on(abi.GET_BATCH, error("missing trie node abc")), lookup.PrunedStateError, "lacks the state"),
        (
            on(abi.GET_BATCH, error("historical state unavailable")),
            lookup.PrunedStateError,
            "lacks the state",
        ),
        (on(abi.GET_BATCH, error("header not found")), lookup.PrunedStateError, "lacks the state"),
        (on(abi.GET_BATCH, error("out of gas")), RpcError, "out of gas"),
        (on(abi.GET_BATCH, result("0x")), lookup.OddAnswerError, "an empty answer"),
        (on(abi.GET_BATCH, result("0x" + "11" * 191)), lookup.OddAnswerError, "191 bytes"),
        (on(abi.GET_BATCH, result("0x" + "11" * 192)), lookup.OddAnswerError, "after the year 9999"),
        (
            on(abi.GET_BATCH, result("0x" + "00" * 32 + "00" * 31 + "07" + "00" * 128)),
            lookup.OddAnswerError,
            "root",
        ),
        (on(abi.GET_BATCH, result({"a": 1})), lookup.OddAnswerError, "no hexadecimal"),
        (for_method("eth_getBlockByNumber", result(None)), lookup.OddAnswerError, "no newest block"),
        (for_method("eth_getBlockByNumber", result("x")), lookup.OddAnswerError, "no block"),
        (for_method("eth_getBlockByNumber", result({"hash": "0x1"})), lookup.OddAnswerError, "no block"),
    ],
)
def test_wrong_nodes_are_told_apart(anvil, key, proxied, change, kind, words):
    proxy = proxied(anvil)
    proxy.change = change
    with pytest.raises(kind, match=words) as caught:
        look_up_root([proxy.endpoint], anvil.deployment, key, own_choice=True)
    assert type(caught.value) is kind
    assert caught.value.exit_code == 4
    assert caught.value.advice


def test_slow_and_dead(anvil, key, proxied):
    slow = proxied(anvil, timeout=0.2)

    def silent(request, answer):
        raise TimeoutError

    slow.change = silent
    with pytest.raises(EndpointError) as caught:
        look_up_root([slow.endpoint], anvil.deployment, key, own_choice=True)
    assert caught.value.cause == "timeout"


class TestFinality:
    """With the ``finalized`` tag, which anvil keeps some way behind."""

    @pytest.fixture
    def deployment(self, anvil):
        return replace(anvil.deployment, confirmations=None)

    def final(self, number):
        """A node whose finalized block has this number."""

        def change(request, answer):
            if request["method"] == "eth_getBlockByNumber" and request["params"][0] == "finalized":
                import urllib.request

                body = json.dumps({**request, "params": [hex(number), False]}).encode()
                asked = urllib.request.Request(  # noqa: S310
                    self.url, data=body, headers={"Content-Type": "application/json"}
                )
                with urllib.request.urlopen(asked) as response:  # noqa: S310
                    return json.loads(response.read())
            return answer

        return change

    def test_anchored_but_not_final(self, anvil, deployment, key, proxied):
        self.url = anvil.url
        block = lookup.batch_state(anvil.endpoint, anvil.deployment, key).block_number
        proxy = proxied(anvil)
        proxy.change = self.final(block - 1)
        with pytest.raises(lookup.NotFinalError, match="not final yet") as caught:
            look_up_root([proxy.endpoint], deployment, key, own_choice=True)
        assert caught.value.exit_code == 3
        proxy.change = self.final(block)
        assert look_up_root([proxy.endpoint], deployment, key, own_choice=True).block.number == block

    def test_one_is_behind(self, anvil, deployment, key, proxied):
        self.url = anvil.url
        block = lookup.batch_state(anvil.endpoint, anvil.deployment, key).block_number
        one, two = proxied(anvil, "one"), proxied(anvil, "two")
        one.change, two.change = self.final(block), self.final(block - 1)
        with pytest.raises(lookup.DisagreementError, match="end at block"):
            look_up_root([one.endpoint, two.endpoint], deployment, key, own_choice=False)
        one.change, two.change = self.final(block + 1), self.final(block)
        anvil.mine()
        answer = look_up_root([one.endpoint, two.endpoint], deployment, key, own_choice=False)
        assert answer.block.number == block

    def test_the_ledger_itself_is_not_final(self, anvil, deployment, key, proxied):
        self.url = anvil.url
        proxy = proxied(anvil)
        proxy.change = self.final(0)
        with pytest.raises(lookup.NotFinalError, match="ledger itself"):
            look_up_root([proxy.endpoint], deployment, key, own_choice=True)

    @pytest.mark.parametrize("change", [error("invalid block tag", -32602), result(None)])
    def test_unsupported(self, anvil, deployment, key, proxied, change):
        proxy = proxied(anvil)
        proxy.change = for_method("eth_getBlockByNumber", change)
        with pytest.raises(lookup.FinalityUnsupportedError, match="which block is final"):
            look_up_root([proxy.endpoint], deployment, key, own_choice=True)

    def test_confirmations(self, anvil, key):
        block = lookup.batch_state(anvil.endpoint, anvil.deployment, key).block_number
        newest = int(anvil.endpoint.request("eth_blockNumber", []), 16)
        deep = replace(anvil.deployment, confirmations=newest - block + 1)
        with pytest.raises(lookup.NotFinalError):
            look_up_root([anvil.endpoint], deep, key, own_choice=True)
        anvil.mine()
        assert look_up_root([anvil.endpoint], deep, key, own_choice=True).block.number == block

    def test_a_stale_public_node_shows_no_absence(self, anvil, key, proxied):
        public = replace(anvil.deployment, kind="testnet")
        proxy = proxied(anvil)
        proxy.change = for_method(
            "eth_getBlockByNumber", lambda r, a: {**a, "result": {**a["result"], "timestamp": "0x1000"}}
        )
        with pytest.raises(CannotCheckError, match="newest final block"):
            look_up_root([proxy.endpoint], public, replace(key, region=5), own_choice=True)


def test_asks_once_for_what_does_not_change(anvil, key, proxied):
    proxy = proxied(anvil)
    asked = []

    def note(request, answer):
        asked.append(request["method"])
        return answer

    proxy.change = note
    several = RootLookup([proxy.endpoint], anvil.deployment, own_choice=True)
    assert several.root(key).root == several.root(key).root == ROOT
    assert (
        asked.count("eth_chainId") == asked.count("eth_getCode") == asked.count("eth_getBlockByNumber") == 1
    )


def test_events_in_halves(anvil, proxied):
    key = anvil.anchored()
    proxy = proxied(anvil)

    def at_most_three_blocks(request, answer):
        if request["method"] == "eth_getLogs":
            query = request["params"][0]
            if int(query["toBlock"], 16) - int(query["fromBlock"], 16) > 2:
                return error("query exceeds max block range")(request, answer)
        return answer

    proxy.change = at_most_three_blocks
    events = lookup.batch_events(proxy.endpoint, anvil.deployment, key.operator_id)
    assert [event.key for event in events] == [key]
    for odd in (None, [7], [{"topics": []}], [{"topics": ["0x1"] * 4, "data": "0x", "blockNumber": "0x1"}]):
        proxy.change = for_method("eth_getLogs", result(odd))
        with pytest.raises(lookup.OddAnswerError):
            lookup.batch_events(proxy.endpoint, anvil.deployment, key.operator_id)


@pytest.mark.parametrize("cut", [0, 32, 64, 192, 223, 300])
def test_operators_by_a_garbling_node(anvil, proxied, cut):
    number = anvil.operator()
    proxy = proxied(anvil)
    proxy.change = on(abi.GET_OPERATOR, lambda r, a: {**a, "result": a["result"][: 2 + 2 * cut]})
    with pytest.raises(lookup.OddAnswerError):
        lookup.operator(proxy.endpoint, anvil.deployment, number)


def test_unregistered_operator_is_nobody(anvil):
    with pytest.raises(NotAnchoredError, match="no operator"):
        lookup.operator(anvil.endpoint, anvil.deployment, 10**9)
    assert str(BatchKey(1, 202601, 2, 3)) == "operator 1, period 202601, region 2, sequence 3"
