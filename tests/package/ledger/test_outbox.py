"""The outbox: killed anywhere, dropped, replaced, stuck, reorganised; never two anchors of one batch."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from dataclasses import replace

import pytest

from billproof.errors import InputError, LedgerError
from billproof.ledger import outbox, outbox_state
from billproof.ledger.client import BatchAnchor, LedgerClient
from billproof.ledger.lookup import batch_events, batch_state
from billproof.ledger.outbox import AnchorRequest, Patience, anchor, load_state
from billproof.ledger.rpc import connect
from billproof.ledger.states import BatchKey
from billproof.ledger.transactions import PendingError, broadcast, next_nonce, sign

ROOT, MANIFEST = b"\x11" * 32, b"\x22" * 32
QUICK = Patience(timeout=10, poll=0.02)


def request_for(number, folder, sequence=1, root=ROOT):
    return AnchorRequest(BatchKey(number, 202601, 1, sequence), root, MANIFEST, 0, folder / "anchor.json")


@pytest.fixture
def stages():
    class Stages(list):
        def __call__(self, progress):
            self.append(progress.stage)

    return Stages()


def anchors_of(chain, number):
    return [event.key.sequence for event in batch_events(chain.endpoint, chain.deployment, number)]


def test_anchors_in_order_and_again_is_no_harm(chain, tmp_path, stages):
    number = chain.operator()
    for n in (1, 2, 3):
        (tmp_path / str(n)).mkdir()
    requests = [request_for(number, tmp_path / str(n), n) for n in (1, 2, 3)]
    results = anchor(requests, chain.client(), patience=QUICK, progress=stages)
    assert stages[:4] == ["signing", "signed", "sent", "in-block"]
    assert stages.count("confirmed") == 3
    assert not any(result.already for result in results)
    assert all(result.anchored.gas_used > 50_000 for result in results)
    assert anchors_of(chain, number) == [1, 2, 3]
    tree = json.loads(requests[0].state_path.read_bytes())
    assert tree["status"] == "anchored"
    assert tree["anchored"]["transaction"] == results[0].anchored.transaction
    before = [request.state_path.read_bytes() for request in requests]
    again = anchor(requests, chain.client(), patience=QUICK)
    assert all(result.already for result in again)
    assert [result.anchored for result in again] == [result.anchored for result in results]
    assert [request.state_path.read_bytes() for request in requests] == before
    for request in requests:  # a lost file is rebuilt from the chain
        request.state_path.unlink()
    rebuilt = anchor(requests, chain.client(), patience=QUICK)
    assert [result.anchored for result in rebuilt] == [result.anchored for result in results]
    assert anchors_of(chain, number) == [1, 2, 3]


@pytest.fixture
def killed_at(monkeypatch, fork):
    """Anchors in a process of its own, which dies at a stage; how it ended."""

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    def half(path, content):
        path.with_name(".anchor.json.1.partial").write_bytes(content[:99])
        die()

    def run(stage, chain, spec, request, account):
        def work():
            if stage == "half-written":
                monkeypatch.setattr(outbox_state, "write_file", half)
            endpoint = connect(spec, writable=True)
            client = LedgerClient(endpoint, chain.deployment, chain.signer(account))
            anchor([request], client, patience=QUICK, progress=lambda p: p.stage == stage and die())

        return os.waitstatus_to_exitcode(os.waitpid(fork(work), 0)[1])

    return run


@pytest.mark.parametrize("stage", ["signing", "half-written", "signed", "sent", "in-block", "confirmed"])
def test_killed_at_every_point(anvil, tmp_path, killed_at, stage):
    account = 1
    number = anvil.operator(account)
    request = request_for(number, tmp_path)
    assert killed_at(stage, anvil, anvil.url, request, account) == -signal.SIGKILL
    signed = load_state(request, anvil.deployment)
    landed = stage in ("sent", "in-block", "confirmed")
    assert (signed is not None) == (stage not in ("signing", "half-written"))
    assert anchors_of(anvil, number) == [1] * landed
    nonce = next_nonce(anvil.endpoint, anvil.signer(account).address)
    (result,) = anchor([request], anvil.client(account), patience=QUICK)
    assert result.already == landed
    if signed is not None:
        assert result.anchored.transaction == signed.transactions[0].hash
    assert anchors_of(anvil, number) == [1]
    assert next_nonce(anvil.endpoint, anvil.signer(account).address) == nonce + (not landed)
    assert load_state(request, anvil.deployment).status == "anchored"


def test_killed_on_the_embedded_chain(embedded, tmp_path, killed_at):
    number = embedded.operator()
    request = request_for(number, tmp_path)
    spec = f"embedded:{embedded.endpoint._journal.path}"
    assert killed_at("sent", embedded, spec, request, 0) == -signal.SIGKILL
    (result,) = anchor([request], embedded.client(), patience=QUICK)
    assert result.already
    assert anchors_of(embedded, number) == [1]


def test_another_root_in_its_place(embedded, tmp_path):
    number = embedded.operator()
    embedded.client().anchor(number, BatchAnchor(202601, 1, 1, b"\x99" * 32, MANIFEST))
    with pytest.raises(LedgerError, match="another root is anchored") as caught:
        anchor([request_for(number, tmp_path)], embedded.client(), patience=QUICK)
    assert "next sequence" in caught.value.advice
    assert not (tmp_path / "anchor.json").exists()


def test_anchored_by_somebody_else(embedded, tmp_path):
    number = embedded.operator()
    found = embedded.client().anchor(number, BatchAnchor(202601, 1, 1, ROOT, MANIFEST))
    (result,) = anchor([request_for(number, tmp_path)], embedded.client(), patience=QUICK)
    assert result.already
    assert result.anchored.transaction == found.hash
    assert result.anchored.gas_used == found.gas_used


def test_the_contract_refuses(embedded, tmp_path):
    number = embedded.operator()
    with pytest.raises(LedgerError, match="comes too early"):
        anchor([request_for(number, tmp_path, sequence=5)], embedded.client(), patience=QUICK)
    with pytest.raises(LedgerError, match="may not anchor"):
        anchor([request_for(number, tmp_path)], embedded.client(5), patience=QUICK)
    assert not (tmp_path / "anchor.json").exists()


def test_state_of_another_build(embedded, tmp_path):
    number = embedded.operator()
    request = request_for(number, tmp_path)
    anchor([request], embedded.client(), patience=QUICK)
    for other in (
        replace(request, root=b"\x12" * 32),
        replace(request, key=replace(request.key, sequence=2)),
        replace(request, amends=1),
    ):
        with pytest.raises(InputError, match="was made for"):
            load_state(other, embedded.deployment)
    for content in (b"", b"{}", b"[" * 10**6, request.state_path.read_bytes()[:-9]):
        request.state_path.write_bytes(content)
        with pytest.raises(InputError, match="not an anchor file"):
            load_state(request, embedded.deployment)


def test_two_processes_on_one_batch(embedded, tmp_path):
    number = embedded.operator()
    request = request_for(number, tmp_path)
    with outbox._alone(tmp_path), pytest.raises(InputError, match="another process"):
        anchor([request], embedded.client(), patience=QUICK)


class Background:
    """Runs the outbox in a thread, over an endpoint of its own."""

    def __init__(self, chain, requests, patience, account=0):
        self.stages, self.results, self.error = [], [], None
        client = LedgerClient(connect(chain.url), chain.deployment, chain.signer(account))

        def work():
            try:
                self.results = anchor(
                    requests, client, patience=patience, progress=lambda p: self.stages.append(p.stage)
                )
            except Exception as error:  # noqa: BLE001  (raised again by finish)
                self.error = error

        self.thread = threading.Thread(target=work)
        self.thread.start()

    def until(self, stage, count=1):
        deadline = time.monotonic() + 10
        while self.stages.count(stage) < count:
            assert time.monotonic() < deadline, (self.stages, self.error)
            assert self.thread.is_alive() or self.stages.count(stage) >= count, (self.stages, self.error)
            time.sleep(0.01)

    def finish(self):
        self.thread.join(20)
        assert not self.thread.is_alive()
        if self.error:
            raise self.error
        return self.results


@pytest.fixture
def quiet(quiet_anvil):
    """Blocks only on command."""
    number = quiet_anvil.operator()
    quiet_anvil.endpoint.request("evm_setAutomine", [False])
    return quiet_anvil, number


def test_stuck_is_replaced_with_the_same_nonce(quiet, tmp_path):
    chain, number = quiet
    request = request_for(number, tmp_path)
    run = Background(chain, [request], Patience(timeout=15, poll=0.02, replace_after=0.3))
    run.until("replaced", 2)
    state = load_state(request, chain.deployment)
    assert len(state.transactions) >= 3
    assert len({signed.hash for signed in state.transactions}) == len(state.transactions)
    fees = [signed.fees.maximum for signed in state.transactions]
    assert fees == sorted(fees)
    assert fees[1] >= fees[0] * 11 // 10
    chain.mine()
    (result,) = run.finish()
    assert result.anchored.transaction in {s.hash for s in load_state(request, chain.deployment).transactions}
    chain.mine()
    assert anchors_of(chain, number) == [1]


def test_the_fee_has_a_limit(quiet, tmp_path):
    chain, number = quiet
    request = request_for(number, tmp_path)
    patience = Patience(timeout=1.5, poll=0.02, replace_after=0.2, highest_fee=1)
    with pytest.raises(PendingError, match="not anchored yet"):
        Background(chain, [request], patience).finish()
    assert len(load_state(request, chain.deployment).transactions) == 1
    chain.mine()
    (result,) = anchor([request], chain.client(), patience=QUICK)
    assert result.already


def test_dropped_is_sent_again(quiet, tmp_path):
    chain, number = quiet
    request = request_for(number, tmp_path)
    with pytest.raises(PendingError):
        Background(chain, [request], Patience(timeout=0.3, poll=0.02)).finish()
    signed = load_state(request, chain.deployment).transactions[0]
    assert chain.endpoint.request("anvil_dropTransaction", [signed.hash]) == signed.hash
    run = Background(chain, [request], QUICK)
    run.until("sent")
    chain.mine()
    (result,) = run.finish()
    assert result.anchored.transaction == signed.hash
    assert anchors_of(chain, number) == [1]


def test_nonce_used_by_another_transaction(quiet, tmp_path):
    chain, number = quiet
    request = request_for(number, tmp_path)
    run = Background(chain, [request], QUICK)
    run.until("sent")
    first = load_state(request, chain.deployment)
    chain.endpoint.request("anvil_dropTransaction", [first.transactions[0].hash])
    signer = chain.signer()
    other = sign(chain.endpoint, signer, signer.address, b"", nonce=first.nonce, gas=21_000)
    broadcast(chain.endpoint, other.raw)
    chain.mine()
    run.until("signed", 2)
    run.until("sent", 2)
    chain.mine()
    (result,) = run.finish()
    second = load_state(request, chain.deployment)
    assert second.nonce == first.nonce + 1
    assert result.anchored.transaction == second.transactions[0].hash
    assert anchors_of(chain, number) == [1]


def test_no_second_nonce_before_the_first_is_finally_gone(quiet, tmp_path):
    chain, number = quiet
    patient = replace(chain, deployment=replace(chain.deployment, confirmations=4))
    request = request_for(number, tmp_path)
    run = Background(patient, [request], Patience(timeout=20, poll=0.02, confirmations=0))
    run.until("sent")
    first = load_state(request, chain.deployment)
    chain.endpoint.request("anvil_dropTransaction", [first.transactions[0].hash])
    signer = chain.signer()
    other = sign(chain.endpoint, signer, signer.address, b"", nonce=first.nonce, gas=21_000)
    broadcast(chain.endpoint, other.raw)
    chain.mine(3)
    time.sleep(0.5)
    assert run.stages.count("signed") == 1
    chain.mine(3)
    run.until("sent", 2)
    chain.mine()
    run.finish()
    assert anchors_of(chain, number) == [1]


def test_a_reorganisation_takes_it_out(quiet, tmp_path):
    chain, number = quiet
    request = request_for(number, tmp_path)
    before = chain.endpoint.request("evm_snapshot", [])
    run = Background(chain, [request], Patience(timeout=20, poll=0.02, confirmations=2))
    run.until("sent")
    chain.mine()
    run.until("in-block")
    chain.endpoint.request("evm_revert", [before])
    run.until("sent", 2)
    chain.mine(3)
    (result,) = run.finish()
    assert "confirmed" in run.stages
    assert anchors_of(chain, number) == [1]
    state = load_state(request, chain.deployment)
    assert len(state.transactions) == 1
    assert state.anchored == result.anchored


def test_failed_in_its_block(quiet, tmp_path):
    """The right is taken away while the transaction waits: it says why, and the next run signs anew."""
    chain, number = quiet
    admin = chain.client(0)
    chain.endpoint.request("evm_setAutomine", [True])
    admin.grant(number, chain.signer(4).address)
    chain.endpoint.request("evm_setAutomine", [False])
    request = request_for(number, tmp_path)
    run = Background(chain, [request], QUICK, account=4)
    run.until("sent")
    revoke = admin.prepare("revokeAnchorer", [number, chain.signer(4).address])
    pending = load_state(request, chain.deployment).transactions[0]
    chain.endpoint.request("anvil_dropTransaction", [pending.hash])
    broadcast(chain.endpoint, revoke.raw)
    chain.mine()
    broadcast(chain.endpoint, pending.raw)
    chain.mine()
    with pytest.raises(LedgerError, match="may not anchor"):
        run.finish()
    chain.endpoint.request("evm_setAutomine", [True])
    admin.grant(number, chain.signer(4).address)
    (result,) = anchor([request], chain.client(4), patience=QUICK)
    assert not result.already
    assert anchors_of(chain, number) == [1]


def test_a_new_chain_behind_an_old_file(anvil, tmp_path):
    """The development chain was started afresh: what waits has a nonce far ahead."""
    number = anvil.operator(7)
    request = request_for(number, tmp_path)
    client = anvil.client(7)
    far = next_nonce(anvil.endpoint, client.signer.address) + 50
    signed = client.prepare(
        "anchor",
        (number, 202601, 1, 1, ROOT, MANIFEST, 0),
        nonce=far,
    )
    from billproof.ledger.outbox_state import AnchorState, save_state

    save_state(
        request, anvil.deployment, AnchorState("signed", client.signer.address, signed.nonce, (signed,))
    )
    with pytest.raises(LedgerError, match="dropped, or the chain is a new one"):
        anchor([request], client, patience=QUICK)


def test_a_node_that_fails_meanwhile(quiet, tmp_path, proxied):
    chain, number = quiet
    request = request_for(number, tmp_path)
    proxy = proxied(chain, "flaky")
    client = LedgerClient(proxy.endpoint, chain.deployment, chain.signer())
    seen = []

    def told(progress):
        seen.append(progress.stage)
        if progress.stage == "sent":
            failures = iter(range(6))

            def fail_some(asked, answer):
                if next(failures, None) is None:
                    return answer
                chain.mine()
                return ["garbage"]

            proxy.change = fail_some

    (result,) = anchor([request], client, patience=QUICK, progress=told)
    assert result.anchored.block_number > 0
    assert batch_state(chain.endpoint, chain.deployment, request.key).root == ROOT
