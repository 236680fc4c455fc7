"""Typed struct hashes against eth-account and viem, which share no code with ours."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from billproof.commitment import structs
from billproof.commitment.keccak import keccak

TYPES = json.loads((Path(__file__).resolve().parents[2] / "oracles/types.json").read_bytes())
BY_NAME = {struct.name: struct for struct in structs.ALL}


def eth_account_hash(kind: str, message: dict[str, Any]) -> bytes:
    """``hashStruct`` by eth-account, which gives it as the body of a signable message."""
    needed = [kind, *(field["type"] for field in TYPES[kind] if field["type"] in TYPES)]
    types = {"EIP712Domain": [{"name": "name", "type": "string"}], **{name: TYPES[name] for name in needed}}
    document = {"types": types, "primaryType": kind, "domain": {"name": "x"}, "message": message}
    return bytes(encode_typed_data(full_message=document).body)


def our_hash(kind: str, message: dict[str, Any]) -> bytes:
    nested = {name: our_hash("Totals", v) for name, v in message.items() if isinstance(v, dict)}
    return structs.hash_one(BY_NAME[kind], {**message, **nested})


def values_of(kind: str) -> st.SearchStrategy[Any]:
    if kind in TYPES:
        return messages(kind)
    if kind == "string":
        return st.text(max_size=60)
    if kind.startswith("uint"):
        return st.integers(0, (1 << int(kind[4:])) - 1)
    if kind.startswith("int"):
        bits = int(kind[3:])
        return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1)
    width = 20 if kind == "address" else int(kind[5:])
    return st.binary(min_size=width, max_size=width)


def messages(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({field["name"]: values_of(field["type"]) for field in TYPES[kind]})


@pytest.mark.parametrize("kind", TYPES)
def test_type_string_is_that_of_the_hand_written_types(kind: str) -> None:
    def own(name: str) -> str:
        return f"{name}({','.join(field['type'] + ' ' + field['name'] for field in TYPES[name])})"

    expected = own(kind) + (own("Totals") if kind == "Statement" else "")
    assert BY_NAME[kind].type_string == expected
    assert BY_NAME[kind].type_hash == keccak(expected.encode())


@pytest.mark.parametrize("kind", TYPES)
def test_random_structs_hash_as_eth_account_says(kind: str) -> None:
    @settings(max_examples=40, deadline=None)
    @given(messages(kind))
    def check(message: dict[str, Any]) -> None:
        assert our_hash(kind, message) == eth_account_hash(kind, message)

    check()


def plain(message: dict[str, Any]) -> dict[str, Any]:
    """The message as the vectors and viem take it."""

    def value(v: Any) -> Any:
        return plain(v) if isinstance(v, dict) else "0x" + v.hex() if isinstance(v, bytes) else str(v)

    return {name: value(v) for name, v in message.items()}


def from_plain(kind: str, message: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in TYPES[kind]:
        name, of, value = field["name"], field["type"], message[field["name"]]
        if of in TYPES:
            values[name] = from_plain(of, value)
        elif of == "string":
            values[name] = value
        else:
            values[name] = bytes.fromhex(value[2:]) if of[:5] in ("bytes", "addre") else int(value)
    return values


def random_message(kind: str, source: random.Random) -> dict[str, Any]:
    """Uniform over bits, unlike hypothesis: also far from every edge."""
    message: dict[str, Any] = {}
    for field in TYPES[kind]:
        of = field["type"]
        if of in TYPES:
            value: Any = random_message(of, source)
        elif of == "string":
            value = "".join(
                chr(source.choice((source.randrange(32, 127), source.randrange(0x4E00, 0x9FFF))))
                for _ in range(9)
            )
        elif of.startswith(("uint", "int")):
            bits = int(of.lstrip("uint"))
            value = source.getrandbits(bits) - (0 if of[0] == "u" else 1 << bits - 1)
        else:
            value = source.randbytes(20 if of == "address" else int(of[5:]))
        message[field["name"]] = value
    return message


def test_several_hundred_random_structs_hash_as_viem_says(oracle: Callable[[str, Any], Any]) -> None:
    source = random.Random()
    cases = [(kind, random_message(kind, source)) for kind in TYPES for _ in range(50)]
    hashes = oracle("viem", [{"type": kind, "message": plain(message)} for kind, message in cases])
    for (kind, message), expected in zip(cases, hashes, strict=True):
        assert "0x" + our_hash(kind, message).hex() == expected, (kind, message)


def test_vectors_agree_with_us_with_eth_account_and_with_viem(
    vectors: Callable[[str], Any], oracle: Callable[[str, Any], Any]
) -> None:
    document = vectors("structs")
    cases = document["cases"]
    assert {case["type"] for case in cases} == set(TYPES)
    assert [case["hash"] for case in cases] == oracle("viem", cases)
    for case in cases:
        message = from_plain(case["type"], case["message"])
        assert "0x" + our_hash(case["type"], message).hex() == case["hash"]
        assert "0x" + eth_account_hash(case["type"], message).hex() == case["hash"]
    for name, said in document["types"].items():
        assert said == {
            "typeString": BY_NAME[name].type_string,
            "typeHash": "0x" + BY_NAME[name].type_hash.hex(),
        }


@pytest.mark.parametrize("kind", TYPES)
def test_columns_hash_as_their_rows_do(kind: str) -> None:
    struct = BY_NAME[kind]

    @settings(max_examples=15, deadline=None)
    @given(st.lists(messages(kind), max_size=6))
    def check(rows: list[dict[str, Any]]) -> None:
        if kind == "Statement":
            rows = [{**row, "totals": our_hash("Totals", row["totals"])} for row in rows]
        columns = {field["name"]: [row[field["name"]] for row in rows] for field in TYPES[kind]}
        expected = b"".join(structs.hash_one(struct, row) for row in rows)
        assert structs.hash_struct(struct, **columns).tobytes() == expected
        assert (
            structs.hash_struct(struct, **{n: as_array(c) for n, c in columns.items()}).tobytes() == expected
        )

    check()


def as_array(column: list[Any]) -> Any:
    """The column as numpy takes it, where it can: 64-bit integers, rows of bytes."""
    if column and isinstance(column[0], bytes):
        return np.frombuffer(b"".join(column), np.uint8).reshape(len(column), -1)
    if column and isinstance(column[0], int):
        for dtype in (np.int64, np.uint64):
            if all(np.iinfo(dtype).min <= value <= np.iinfo(dtype).max for value in column):
                return np.array(column, dtype)
    return column


def test_a_column_of_one_value_stands_for_all() -> None:
    salt, numbers = bytes(range(32)), ["", "+1", "+2"]
    expected = b"".join(structs.hash_one(structs.PEER, {"number": n, "salt": salt}) for n in numbers)
    assert structs.hash_struct(structs.PEER, number=numbers, salt=[salt]).tobytes() == expected


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("BatchId", "chainId", 1 << 256),
        ("BatchId", "operatorId", 1 << 64),
        ("BatchId", "region", -1),
        ("BatchId", "ledger", bytes(32)),
        ("CallRecord", "service", 256),
        ("CallRecord", "utcOffset", 1 << 15),
        ("CallRecord", "utcOffset", -(1 << 15) - 1),
        ("CallRecord", "network", b"262-01"),
        ("Totals", "total", 1 << 127),
        ("Totals", "total", -(1 << 127) - 1),
        ("Totals", "salt", bytes(31)),
    ],
)
def test_values_outside_their_type_are_refused(kind: str, name: str, value: Any) -> None:
    message = {**random_message(kind, random.Random(1)), name: value}
    with pytest.raises(ValueError, match=name):
        structs.hash_one(BY_NAME[kind], message)
    with pytest.raises(ValueError, match=name):
        structs.hash_struct(BY_NAME[kind], **{n: as_array([v]) for n, v in message.items()})


def test_fields_must_be_all_there_and_columns_equally_long() -> None:
    with pytest.raises(TypeError):
        structs.hash_struct(structs.TOTALS, total=[1])
    with pytest.raises(TypeError):
        structs.hash_struct(structs.TOTALS, total=[1], salt=[bytes(32)], pepper=[1])
    for other in (0, 3):
        with pytest.raises(ValueError, match="one length"):
            structs.hash_struct(structs.TOTALS, total=[1, 2], salt=[bytes(32)] * other)


def test_no_preimage_passes_for_an_inner_node_or_for_another_type() -> None:
    lengths = {32 * (len(struct.fields) + 1) for struct in structs.ALL}
    assert 64 not in lengths
    assert len({struct.type_hash for struct in structs.ALL}) == len(structs.ALL) == 9
