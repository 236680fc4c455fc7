"""The embedded chain: replay, tampering, crashes, two processes, time, and the shapes of its answers."""

from __future__ import annotations

import json
import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from billproof.errors import InputError
from billproof.ledger.artifact import load_artifact
from billproof.ledger.devaccounts import DEVELOPMENT_ADDRESSES, EMBEDDED_CHAIN_ID
from billproof.ledger.embedded import EmbeddedChain
from billproof.ledger.rpc import EndpointError, RpcError, connect
from billproof.ledger.signers import development_signer
from billproof.ledger.transactions import Fees, broadcast, receipt, sign

TARGET = "0x" + "ab" * 20
FEES = Fees(4 * 10**9, 10**9)


@pytest.fixture(scope="module")
def signer():
    return development_signer(0, EMBEDDED_CHAIN_ID)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "chain.jsonl"


def send(chain, signer, count=1, **options):
    hashes = []
    for _ in range(count):
        signed = sign(chain, signer, TARGET, b"", value=1, fees=FEES, gas=21_000, **options)
        broadcast(chain, signed.raw)
        hashes.append(signed.hash)
    return hashes


@pytest.fixture
def written(path, signer):
    """A chain of three transfers, closed."""
    with EmbeddedChain.open(path, writable=True) as chain:
        send(chain, signer, 3)
        return chain.request("eth_getBlockByNumber", ["latest", True])


def test_outlives_its_process(path, written):
    before = path.read_bytes()
    with EmbeddedChain.open(path) as chain:
        assert chain.request("eth_getBlockByNumber", ["latest", True]) == written
        assert chain.request("eth_blockNumber", []) == "0x3"
        assert chain.request("eth_getBalance", [TARGET, "0x2"]) == "0x2"
        assert chain.request("eth_getTransactionCount", [DEVELOPMENT_ADDRESSES[0], "latest"]) == "0x3"
        found = receipt(chain, written["transactions"][0]["hash"])
        assert found is not None
        assert (found.gas_used, found.success, found.block_number) == (21_000, True, 3)
    assert path.read_bytes() == before


def change(number, name, value):
    def apply(lines):
        entry = json.loads(lines[number - 1])
        entry[name] = value(entry[name])
        lines[number - 1] = json.dumps(entry).encode()

    return apply


ODD_TIMES = (
    *(-1, 253_402_300_800, 2**300),
    *(float("nan"), float("inf"), 1.5, True, "5", None, [], {}),
)


def digit(text):
    return text[:-1] + ("0" if text[-1] != "0" else "1")


@pytest.mark.parametrize(
    ("tamper", "line", "field"),
    [
        (change(1, "time", lambda n: n - 1), 1, "hash"),
        (change(1, "chainId", lambda n: "1"), 1, "chainId"),
        (change(1, "schema", lambda n: "x"), 1, None),
        (change(1, "accounts", lambda a: {**a, TARGET: "1"}), 1, "hash"),
        (change(3, "time", lambda n: n + 1), 3, "hash"),
        (change(3, "time", lambda n: 5), 3, "transactions"),
        (change(3, "hash", digit), 3, "hash"),
        (change(3, "stateRoot", digit), 3, "stateRoot"),
        (change(3, "transactions", lambda raws: [digit(raws[0])]), 3, None),
        (change(3, "transactions", lambda raws: []), 3, "stateRoot"),
        (change(3, "transactions", lambda raws: raws * 2), 3, "transactions"),
        (change(3, "block", lambda n: n + 1), 3, "block"),
        *((change(1, "time", lambda n, odd=odd: odd), 1, None) for odd in ODD_TIMES),
        *((change(3, "time", lambda n, odd=odd: odd), 3, None) for odd in ODD_TIMES),
        *(
            (change(1, "accounts", lambda a, odd=odd: {**a, odd: "1"}), 1, "accounts")
            for odd in ("0x", "0x00", "", TARGET + "00", TARGET.upper())
        ),
        *(
            (change(1, "accounts", lambda a, odd=odd: {**a, TARGET: odd}), 1, None)
            for odd in ("-1", str(2**256), "1.5", "", 1, None, "9" * 5000)
        ),
        (change(1, "accounts", lambda a: []), 1, None),
        (change(3, "transactions", lambda raws: "0x"), 3, "transactions"),
        (change(3, "transactions", lambda raws: [7]), 3, None),
        (change(3, "transactions", lambda raws: ["0x"]), 3, "transactions"),
        (change(3, "block", lambda n: True), 3, None),
        (lambda lines: lines.pop(2), 3, "block"),
        (lambda lines: lines.insert(2, lines[2]), 4, "block"),
        (lambda lines: lines.__setitem__(2, b"not json"), 3, None),
        (lambda lines: lines.__setitem__(2, b"[" * 200_000), 3, None),
        (lambda lines: lines.__setitem__(2, b"{}"), 3, None),
        (lambda lines: lines.__setitem__(0, b"{}"), 1, None),
    ],
)
def test_tampering_is_found_and_named(path, written, tamper, line, field):
    lines = path.read_bytes().splitlines()
    tamper(lines)
    path.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(InputError) as caught:
        EmbeddedChain.open(path)
    assert caught.value.line == line
    assert field is None or caught.value.field == field
    assert str(path) in str(caught.value)


def test_torn_last_line(path, written, signer, caplog):
    whole = path.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    path.write_bytes(whole[:-40])
    with EmbeddedChain.open(path) as chain:  # a reader passes it over and changes nothing
        assert chain.request("eth_blockNumber", []) == "0x2"
    assert path.read_bytes() == whole[:-40]
    with caplog.at_level(logging.WARNING), EmbeddedChain.open(path, writable=True) as chain:
        assert f"cut {len(last) - 40} bytes" in caplog.text
        assert path.read_bytes() == whole[: -len(last)]
        send(chain, signer)
        assert chain.request("eth_blockNumber", []) == "0x3"
    with EmbeddedChain.open(path) as chain:
        assert chain.request("eth_blockNumber", []) == "0x3"


def test_reading_needs_a_chain(path):
    with pytest.raises(InputError, match="no embedded chain"):
        connect(f"embedded:{path}")
    assert not path.exists()
    path.touch()
    with pytest.raises(InputError, match="empty"):
        connect(f"embedded:{path}")


def test_only_a_file_can_be_a_chain(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe", "a\0b", ""):
        with pytest.raises(InputError):
            connect(f"embedded:{place}")
    with pytest.raises(InputError) as caught:
        connect(f"embedded:{tmp_path}/\x1b[2J")
    assert "\x1b" not in str(caught.value)


def test_a_chain_ends_with_the_calendar(path, signer):
    for time_ in (-1, 253_402_300_800):
        with pytest.raises(InputError, match="time"):
            EmbeddedChain.open(path, writable=True, start_time=time_)
    with EmbeddedChain.open(path, writable=True, start_time=253_402_300_799) as chain:
        with pytest.raises(RpcError, match="time"):
            send(chain, signer)
        assert chain.request("eth_blockNumber", []) == "0x0"
    EmbeddedChain.open(path).close()


def test_reading_never_writes(path, written, signer):
    path.chmod(0o444)
    with EmbeddedChain.open(path) as chain, pytest.raises(EndpointError, match="reading only"):
        send(chain, signer)


def test_readers_follow_and_writers_take_turns(path, signer):
    other_signer = development_signer(1, EMBEDDED_CHAIN_ID)
    with (
        EmbeddedChain.open(path, writable=True) as one,
        EmbeddedChain.open(path, writable=True) as two,
        EmbeddedChain.open(path) as reader,
    ):
        for _ in range(3):
            send(one, signer)
            send(two, other_signer)
        tips = [c.request("eth_getBlockByNumber", ["latest", False])["hash"] for c in (one, two, reader)]
        assert len(set(tips)) == 1
        assert reader.request("eth_blockNumber", []) == "0x6"
        path.write_bytes(b"")
        with pytest.raises(InputError, match="cut or replaced"):
            reader.request("eth_blockNumber", [])


def test_two_processes_at_once(path, fork):
    with EmbeddedChain.open(path, writable=True):
        pass

    def work(account):
        with EmbeddedChain.open(path, writable=True) as chain:
            send(chain, development_signer(account, EMBEDDED_CHAIN_ID), 15)

    running = [fork(partial(work, account)) for account in (0, 1)]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in running] == [0, 0]
    with EmbeddedChain.open(path) as chain:
        assert chain.request("eth_blockNumber", []) == hex(30)


def test_threads_take_turns(path, signer):
    with EmbeddedChain.open(path, writable=True) as chain:
        accounts = [development_signer(n, EMBEDDED_CHAIN_ID) for n in range(4)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda account: send(chain, account, 3), accounts))
        assert chain.request("eth_blockNumber", []) == hex(12)


def test_full_disk(path, signer, monkeypatch):
    with EmbeddedChain.open(path, writable=True) as chain:
        send(chain, signer)

        def full(*_):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", full)
            with pytest.raises(InputError, match="No space"):
                send(chain, signer)
        assert chain.request("eth_blockNumber", []) == "0x1"
        send(chain, signer)
        assert chain.request("eth_blockNumber", []) == "0x2"


def test_time(path, signer):
    with EmbeddedChain.open(path, writable=True, start_time=1_767_225_600) as chain:
        chain.set_time(1_767_225_700)
        send(chain, signer, 2)
        times = [chain.request("eth_getBlockByNumber", [hex(n), False])["timestamp"] for n in range(3)]
        assert [int(t, 16) for t in times] == [1_767_225_600, 1_767_225_700, 1_767_225_701]
        chain.set_time(None)
        send(chain, signer)
        newest = chain.request("eth_getBlockByNumber", ["latest", False])
        assert abs(int(newest["timestamp"], 16) - time.time()) < 5


def test_refusals(path, signer):
    with EmbeddedChain.open(path, writable=True) as chain:
        first = sign(chain, signer, TARGET, b"", fees=FEES, gas=21_000)
        broadcast(chain, first.raw)
        broadcast(chain, first.raw)  # again is no error
        assert chain.request("eth_blockNumber", []) == "0x1"
        for nonce, words in ((0, "nonce too low"), (9, "nonce too high")):
            other = sign(chain, signer, TARGET, b"", value=9, nonce=nonce, fees=FEES, gas=21_000)
            with pytest.raises(RpcError, match=words):
                chain.request("eth_sendRawTransaction", ["0x" + other.raw.hex()])
        foreign = signer.sign_transaction(
            {
                "chainId": 31337,
                "nonce": 1,
                "gas": 21000,
                "gasPrice": 10**10,
                "to": None,
                "value": 0,
                "data": "0x",
            }
        )
        poor = sign(chain, signer, TARGET, b"", value=10**30, fees=FEES, gas=21_000)
        for raw in (foreign, poor.raw, b"\x02\x01", b""):
            with pytest.raises(RpcError):
                chain.request("eth_sendRawTransaction", ["0x" + raw.hex()])
        assert chain.request("eth_blockNumber", []) == "0x1"
        for method in ("eth_nonsense", "debug_x", "error", "catch_up", "eth_getBalance"):
            with pytest.raises(RpcError):
                chain.request(method, [])
        assert chain.request("eth_getBlockByNumber", ["0x99", False]) is None
        assert chain.request("eth_getTransactionReceipt", ["0x" + "00" * 32]) is None
        with pytest.raises(RpcError, match="no block"):
            chain.request("eth_getBalance", [TARGET, "0x99"])


def test_journal_knows_its_chain_id(path, written):
    genesis = json.loads(path.read_bytes().splitlines()[0])
    assert genesis["chainId"] == str(EMBEDDED_CHAIN_ID)
    assert int.from_bytes(b"billpr", "big") == EMBEDDED_CHAIN_ID


def test_fast_enough(path, signer):
    chain = EmbeddedChain.open(path, writable=True)
    raws = [sign(chain, signer, TARGET, b"", nonce=n, value=1, fees=FEES, gas=21_000).raw for n in range(30)]
    begin = time.process_time()  # of this process alone: others may be busy
    for raw in raws:
        broadcast(chain, raw)
    sent = time.process_time()
    chain.close()
    EmbeddedChain.open(path).close()
    replayed = time.process_time() - sent
    assert sent - begin < 1.5  # some 40 a second on a small machine
    assert replayed < 1.5


def test_ledger_deploys_and_estimates_hold(embedded):
    code = embedded.endpoint.request("eth_getCode", [embedded.deployment.ledger, "latest"])
    assert load_artifact().is_code_of(bytes.fromhex(code[2:]))
    found = embedded.client().register_operator("a" * 300, "b.example", "")[1]
    assert found.success
