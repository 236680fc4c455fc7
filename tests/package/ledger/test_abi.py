"""The constants of the hand-made encoding against the shipped ABI."""

from __future__ import annotations

import pytest

from billproof.errors import CannotCheckError, InputError
from billproof.ledger import abi
from billproof.ledger.artifact import CLEARING_HOUSE, LEDGER, TARIFF_BOOK, keccak, load_artifact
from billproof.ledger.calls import Reason, decode_reason, decode_result, encode_call
from billproof.ledger.reverts import _BOOK_SAYINGS, _HOUSE_SAYINGS, _SAYINGS, decode, in_words, revert_data
from billproof.ledger.rpc import RpcError
from billproof.ledger.states import BatchKey


def signature(entry):
    def kind(parameter):
        if parameter["type"].startswith("tuple"):
            inner = ",".join(kind(part) for part in parameter["components"])
            return f"({inner}){parameter['type'][5:]}"
        return parameter["type"]

    return f"{entry['name']}({','.join(kind(p) for p in entry['inputs'])})"


@pytest.mark.parametrize(
    ("constant", "name"),
    [
        (abi.GET_BATCH, "getBatch"),
        (abi.GET_PERIOD, "getPeriod"),
        (abi.GET_OPERATOR, "getOperator"),
        (abi.OPERATOR_COUNT, "operatorCount"),
        (abi.IS_ANCHORER, "isAnchorer"),
        (abi.BATCH_ANCHORED, "BatchAnchored"),
        (abi.TARIFF_OF, "tariffOf"),
        (abi.TARIFF_COUNT, "tariffCount"),
        (abi.TARIFF_AT, "tariffAt"),
    ],
)
def test_selectors(constant, name):
    both = [*load_artifact().abi, *load_artifact(TARIFF_BOOK).abi]
    entry = next(e for e in both if e.get("name") == name)
    digest = keccak(signature(entry).encode())
    assert constant == "0x" + (digest if entry["type"] == "event" else digest[:4]).hex()


@pytest.mark.parametrize(
    ("contract", "sayings"),
    [(LEDGER, _SAYINGS), (TARIFF_BOOK, _BOOK_SAYINGS), (CLEARING_HOUSE, _HOUSE_SAYINGS)],
)
def test_every_error_has_words_and_none_is_invented(contract, sayings):
    own = {
        entry["name"].removeprefix(contract)
        for entry in load_artifact(contract).abi
        if entry["type"] == "error" and entry["name"].startswith(contract)
    }
    assert own == set(sayings)


def test_same_encoding_as_the_codec():
    key = BatchKey(7, 202601, 3, 2)
    assert abi.call_data(abi.GET_BATCH, 7, 202601, 3, 2) == "0x" + encode_call("getBatch", [key]).hex()
    by_name = {"operatorId": 7, "period": 202601, "region": 3, "sequence": 2}
    assert encode_call("getBatch", [by_name]) == encode_call("getBatch", [key])


@pytest.mark.parametrize(
    "arguments", [[], [{"operatorId": 1}], [BatchKey(-1, 1, 1, 1)], [BatchKey(1, 2**40, 1, 1)], [None]]
)
def test_values_that_do_not_fit(arguments):
    with pytest.raises(InputError):
        encode_call("getBatch", arguments)


@pytest.mark.parametrize("place", range(4))
def test_calls_with_numbers_beyond_the_ledgers(place):
    numbers = [1, 202601, 0, 1]
    numbers[place] = 99999999999999999999999
    with pytest.raises(InputError, match="there is no"):
        abi.call_data(abi.GET_BATCH, *numbers)
    numbers[place] = -1
    with pytest.raises(InputError):
        abi.call_data(abi.GET_BATCH, *numbers)


@pytest.mark.parametrize("answer", [None, 7, "", "0x1", "0x" + "zz" * 32, "0x" + "00" * 31, "0x" + "00" * 64])
def test_words_refuse(answer):
    with pytest.raises(abi.OddEncoding):
        abi.words(answer, 1)


def test_small_decoders():
    heap = abi.words("0x" + f"{2:064x}" + b"hi".ljust(32, b"\0").hex())
    assert abi.text(heap, 0) == "hi"
    for offset in (1, 64, 2**200):
        with pytest.raises(abi.OddEncoding):
            abi.text(heap, offset)
    with pytest.raises(abi.OddEncoding):
        abi.text([33, 0], 0)
    long = [4097, *[int.from_bytes(b"a" * 32, "big")] * 129]
    assert abi.text(long, 0) == "a" * 4096
    assert abi.text(long, 0, limit=5) == "a" * 5
    assert abi.moment(abi.END_OF_TIME - 1) == abi.END_OF_TIME - 1
    with pytest.raises(abi.OddEncoding):
        abi.moment(abi.END_OF_TIME)
    with pytest.raises(abi.OddEncoding):
        abi.flag(2)
    with pytest.raises(abi.OddEncoding):
        abi.uint(2**64, 64)


def test_reasons():
    assert decode_reason("verifyRecord", "0x" + f"{6:064x}") is Reason.ROOT_MISMATCH
    assert all(reason.words for reason in Reason)
    for odd in (2**70, "0x", "0x" + f"{99:064x}", "0x12", "zz", None):
        with pytest.raises(CannotCheckError):
            decode_reason("verifyRecord", odd)
    with pytest.raises(CannotCheckError):
        decode_result("getBatch", "0x")


def test_reverts_in_words():
    taken = keccak(b"BillingLedgerSequenceTaken(uint64,uint32,uint32,uint32)")[:4]
    data = taken + b"".join(n.to_bytes(32, "big") for n in (4, 202601, 1, 9))
    error = in_words(data)
    assert "batch 9 of operator 4, period 202601, region 1 is anchored already" in str(error)
    assert error.name == "BillingLedgerSequenceTaken"
    assert error.arguments == (4, 202601, 1, 9)
    assert decode(taken) == ("BillingLedgerSequenceTaken", ("?",) * 4)
    text = f"{32:064x}{4:064x}" + (b"\xff\x1b[2J".ljust(32, b"\0")).hex()
    assert decode(keccak(b"Error(string)")[:4] + bytes.fromhex(text)) == ("Error", ("?",))
    assert "without saying why" in str(in_words(b""))
    assert "0x12345678" in str(in_words(bytes.fromhex("12345678")))


@pytest.mark.parametrize(
    "data",
    [
        "0x1234",
        "Reverted 0x1234",
        {"result": "0x1234"},
        {"data": {"data": "0x1234"}},
        {"0xh": {"result": "0x1234"}},
    ],
)
def test_where_nodes_put_revert_data(data):
    assert revert_data(RpcError("n", "eth_call", 3, "execution reverted", data)) == b"\x12\x34"


def test_no_revert():
    assert revert_data(RpcError("n", "eth_call", 3, "execution reverted")) == b""
    assert revert_data(RpcError("n", "eth_call", -32000, "header not found")) is None
    assert revert_data(RpcError("n", "eth_call", -32000, "x", "no hex")) is None
