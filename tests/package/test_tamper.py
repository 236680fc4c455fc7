"""Every value of a bundle and of a receipt, changed once in many ways: never valid, never a crash.

The documents come from the vectors. What may happen: the file is refused, the recomputation finds a problem,
it leads to another root than the anchored one, or to another batch (only where the batch's name was changed).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from billproof.bundle import documents as doc
from billproof.errors import InputError
from billproof.inclusion import Inclusion, include_bundle, include_receipt

KINDS = ["bundle", "receipt, number hidden", "receipt, number shown"]
Path = tuple[str | int, ...]
_DIGITS = "0123456789abcdef"


@pytest.fixture(scope="module")
def batch(vectors: Callable[[str], Any]) -> Any:
    return vectors("batch")


@pytest.fixture(scope="module")
def documents(batch: Any) -> dict[str, Any]:
    receipts = {f"receipt, {name}": receipt for name, receipt in batch["receipts"].items()}
    return {"bundle": batch["bundles"]["1001"], **receipts}


def include(content: bytes) -> Inclusion:
    document = doc.parse(content)
    assert not isinstance(document, doc.AccountKeyFile)
    return include_bundle(document) if isinstance(document, doc.Bundle) else include_receipt(document)


def outcome(content: bytes, batch: Any, genuine: Inclusion) -> str:
    """What a verifier makes of a file: valid, or how it told. Any other exception fails the test."""
    try:
        inclusion = include(content)
    except doc.SchemaError:
        return "schema"
    except InputError:
        return "unusable"
    if inclusion.batch != genuine.batch:
        return "batch"
    if inclusion.problems:
        return "problem"
    return "valid" if "0x" + inclusion.root.hex() == batch["root"] else "root"


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place of a JSON document, containers before what they hold."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for step in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[step], (*path, step))


def at(document: Any, path: Path) -> Any:
    for step in path:
        document = document[step]
    return document


def mutations(value: Any) -> Iterator[Any]:
    """Other values for one value, whatever its kind."""
    yield from (None, True, False, 0, 1, -1, 1.5, "", [], {}, [value], {"value": value})
    if not isinstance(value, str):
        return
    yield from _texts(value)
    if value.startswith("0x"):
        yield from _hexes(value)
    elif value.removeprefix("-").isdigit():
        yield from _integers(value)


def _texts(value: str) -> Iterator[str]:
    for piece in (
        " ",
        "\0",
        "\n",
        "\u200b",
        "\u202e",
        "\u0301",
        "٣",
        "A",
        "z",
        "é",
        "☎",
        "\U0001f4de",
        "%",
        '"',
        "\\",
    ):
        yield value + piece
        yield piece + value
    yield from (value.upper(), value.lower(), value[1:], value[:-1], value * 2, "a" * 10_000)


def _hexes(value: str) -> Iterator[Any]:
    for position in (2, 3, len(value) // 2, len(value) - 1):
        for digit in _DIGITS[:: 5 if position > 2 else 1]:
            yield value[:position] + digit + value[position + 1 :]
    yield from ("0x", "0X" + value[2:], value[2:], "0x" + value[2:].upper(), value + "00", value[:-2])
    yield from ("0x" + "00" * (len(value) // 2 - 1), "0x" + "ff" * (len(value) // 2 - 1), "0x" + value[:1:-1])


def _integers(value: str) -> Iterator[Any]:
    number = int(value)
    extremes = (
        -(1 << 127),
        -(1 << 63),
        (1 << 16) - 1,
        1 << 32,
        (1 << 63) - 1,
        1 << 63,
        1 << 64,
        1 << 128,
        1 << 256,
    )
    for other in (
        number + 1,
        number - 1,
        -number,
        0,
        10 * number + 1,
        number // 2,
        number + (1 << 32),
        *extremes,
    ):
        yield str(other)
    yield from (
        "-0",
        "+" + value,
        "0" + value,
        " " + value,
        value + " ",
        value + ".0",
        value + "e0",
        hex(number),
    )
    yield from (
        number,
        float(number),
        value.replace("0", "０"),
        "NaN",
        "Infinity",
        "9" * 5_000,
        f"{number:_}0",
    )


def with_value(document: Any, path: Path, value: Any) -> Any:
    changed = copy.deepcopy(document)
    at(changed, path[:-1])[path[-1]] = value
    return changed


@pytest.mark.parametrize("kind", KINDS)
def test_the_genuine_documents_are_valid(kind: str, documents: Any, batch: Any) -> None:
    inclusion = include(json.dumps(documents[kind]).encode())
    assert inclusion.problems == []
    assert "0x" + inclusion.root.hex() == batch["root"]
    assert "0x" + inclusion.batch.hash.hex() == batch["batchId"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_changed_once(kind: str, documents: Any, batch: Any) -> None:
    original = documents[kind]
    genuine = include(json.dumps(original).encode())
    tried = 0
    for path in places(original):
        value = at(original, path)
        for other in mutations(value):
            if other == value and type(other) is type(value):
                continue
            content = json.dumps(with_value(original, path, other)).encode()
            found = outcome(content, batch, genuine)
            allowed = {"schema", "problem", "root"}
            allowed |= {"batch"} if path[0] == "batch" else set()
            allowed |= {"unusable"} if path == ("schema",) else set()
            assert found in allowed, (path, value, other)
            tried += 1
    assert tried > 1_000


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_left_out_repeated_renamed_or_joined_by_another(
    kind: str, documents: Any, batch: Any
) -> None:
    original = documents[kind]
    genuine = include(json.dumps(original).encode())
    for path in [(), *places(original)]:
        target = at(original, path)
        if not isinstance(target, dict):
            continue
        for key in target:
            expected = {"schema", "unusable"} if (path, key) == ((), "schema") else {"schema"}
            for change in (_left_out, _renamed, _joined):
                changed = copy.deepcopy(original)
                change(at(changed, path), key)
                assert outcome(json.dumps(changed).encode(), batch, genuine) in expected, (path, key)
            for first in (json.dumps(target[key]), '"1"'):
                content = _repeated(original, path, key, first)
                assert outcome(content, batch, genuine) in expected, (path, key)


def _left_out(target: dict[str, Any], key: str) -> None:
    # Of a shown number both parts could be left out, which makes it another receipt, not a false one.
    del target[key]


def _renamed(target: dict[str, Any], key: str) -> None:
    target[key.upper()] = target.pop(key)


def _joined(target: dict[str, Any], key: str) -> None:
    target[key + "2"] = target[key]


def _repeated(document: Any, path: Path, key: str, first: str) -> bytes:
    """The document with one key there twice, ``first`` before the genuine one."""
    mark = "@mark@"
    changed = copy.deepcopy(document)
    target = at(changed, path)
    items = {mark: 0, **target}
    target.clear()
    target.update(items)
    return json.dumps(changed).replace(f'"{mark}": 0', f'"{key}": {first}').encode()


@pytest.mark.parametrize("kind", KINDS)
def test_every_list_with_an_element_more_less_or_elsewhere(kind: str, documents: Any, batch: Any) -> None:
    original = documents[kind]
    genuine = include(json.dumps(original).encode())
    lists = [path for path in places(original) if isinstance(at(original, path), list)]
    assert lists
    for path in lists:
        elements = at(original, path)
        for changed in _rearranged(elements):
            if changed == elements:
                continue
            content = json.dumps(with_value(original, path, changed)).encode()
            assert outcome(content, batch, genuine) in {"schema", "problem", "root"}, (path, changed)


def _rearranged(elements: list[Any]) -> Iterator[list[Any]]:
    for i in range(len(elements)):
        yield elements[:i] + elements[i + 1 :]
        yield elements[: i + 1] + elements[i:]
        yield [*elements, elements[i]]
        for j in range(i):
            swapped = list(elements)
            swapped[i], swapped[j] = swapped[j], swapped[i]
            yield swapped
    yield [*elements, "0x" + "00" * 32]
    yield ["0x" + "00" * 32, *elements]
    yield elements * 20


def test_vectors_of_tampered_documents(documents: Any, batch: Any, vectors: Callable[[str], Any]) -> None:
    cases = vectors("tampered")["cases"]
    assert {case["of"] for case in cases} == set(KINDS)
    for case in cases:
        original = documents[case["of"]]
        genuine = include(json.dumps(original).encode())
        content = json.dumps(with_value(original, tuple(case["path"]), case["value"])).encode()
        assert outcome(content, batch, genuine) == case["outcome"], case
        if case["outcome"] == "problem":
            problems = include(content).problems
            assert any((found.check, found.line) == (case["check"], case["line"]) for found in problems), case


@pytest.mark.parametrize("kind", KINDS)
def test_cut_off_anywhere(kind: str, documents: Any, batch: Any) -> None:
    content = json.dumps(documents[kind]).encode()
    genuine = include(content)
    for length in range(0, len(content), 7):
        assert outcome(content[:length], batch, genuine) == "unusable", length


@pytest.mark.parametrize("kind", KINDS)
def test_any_byte_flipped(kind: str, documents: Any, batch: Any) -> None:
    content = json.dumps(documents[kind], ensure_ascii=False).encode()
    genuine = include(content)
    allowed = {"schema", "unusable", "problem", "root", "batch"}
    for position in range(0, len(content), 3):
        for bit in (0, 5, 7):
            flipped = bytearray(content)
            flipped[position] ^= 1 << bit
            found = outcome(bytes(flipped), batch, genuine)
            same = found == "valid" and json.loads(flipped) == documents[kind]
            assert found in allowed or same, (position, bit)
