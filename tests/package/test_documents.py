"""Files from anywhere: what is refused, how, and that the published schemas say the same."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from billproof.bundle import documents as doc
from billproof.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bundle(vectors: Callable[[str], Any]) -> Any:
    return vectors("batch")["bundles"]["1001"]


@pytest.fixture(scope="module")
def genuine(vectors: Callable[[str], Any]) -> list[Any]:
    batch = vectors("batch")
    key_file = {
        "schema": doc.ACCOUNT_KEY,
        "chainId": "1",
        "ledger": "0x" + "11" * 20,
        "operatorId": "1",
        "accountId": "Kundin Ü 1",
        "accountSeed": "0x" + "22" * 32,
        "holder": "0x" + "00" * 20,
    }
    return [*batch["bundles"].values(), *batch["receipts"].values(), key_file]


def test_reading_what_was_written_gives_the_same(genuine: list[Any]) -> None:
    for document in genuine:
        parsed = doc.parse(json.dumps(document).encode())
        assert parsed == doc.parse(doc.encode(parsed))
        assert json.loads(doc.encode(parsed)) == document


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"billproof/bundle/1"',
        b"{}",
        b'{"schema": 1}',
        b'{"schema": null}',
        b'{"schema": "other/bundle/1"}',
        b'{"schema": "billproof/bundle/2"}',
        b'{"schema": "billproof/"}',
        b"%PDF-1.7",
        b"\x1f\x8b\x08\x00",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b'{"schema": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"schema": "billproof/bundle/1", "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"schema": "billproof/bundle/1"} x',
        b'{"schema": "billproof/bundle/1", "batch": ' + b"9" * 10_000 + b"}",
    ],
    ids=lambda content: repr(content[:24]),
)
def test_what_is_none_of_ours_is_unusable(content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        doc.parse(content, "some.json")
    assert not isinstance(caught.value, doc.SchemaError)
    assert "some.json" in str(caught.value)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":[', b'{"[": "\\"]", "a":'], ids=repr)
def test_nesting_is_refused_whatever_the_recursion_limit(opening: bytes) -> None:
    """Ethereum libraries raise the limit to 100,000 levels; the C stack ends before."""
    content = b'{"schema": "billproof/bundle/1", "a": ' + opening * 200_000
    script = "import sys; sys.setrecursionlimit(10**6); from billproof.bundle import documents as doc; "
    script += "from billproof.errors import InputError\n"
    script += "try: doc.parse(sys.stdin.buffer.read())\n"
    script += "except InputError as error: print(error.message)"
    done = subprocess.run([sys.executable, "-c", script], input=content, capture_output=True, check=False)
    assert (done.returncode, done.stdout.decode().strip()) == (0, "nested too deeply"), done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "123456789012345678901234567890",
        '"\\ud800"',
        '"\\udc00\\ud800"',
        "[[[[[[[[[[]]]]]]]]]]",
        "null",
        '"\\u0000"',
    ],
)
@pytest.mark.parametrize("key", ["schema2", "records", "rate", "chainId"])
def test_hostile_values_are_refused_wherever_they_stand(key: str, text: str, bundle: Any) -> None:
    mark = "@mark@"
    changed = json.loads(json.dumps(bundle))
    target = changed["records"][0] if key == "rate" else changed["batch"] if key == "chainId" else changed
    target[key] = mark
    content = json.dumps(changed).replace(f'"{mark}"', text).encode()
    if (key, text) == ("rate", '"\\u0000"'):
        doc.parse(content)  # a text like any other; the hash tells
        return
    with pytest.raises(doc.SchemaError):
        doc.parse(content)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le"])
def test_only_plain_utf_8_is_read(encoding: str, bundle: Any) -> None:
    with pytest.raises(InputError, match=r"not JSON|byte order mark"):
        doc.parse(json.dumps(bundle).encode(encoding))


def test_utf_8_that_spells_a_surrogate_is_refused(bundle: Any) -> None:
    content = json.dumps(bundle).replace("Example 10", "@").encode().replace(b"@", b"\xed\xa0\x80")
    with pytest.raises(InputError, match="not JSON"):
        doc.parse(content)


def test_larger_files_are_refused_unread(bundle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    content = json.dumps(bundle).encode()
    monkeypatch.setattr(doc, "MAX_BYTES", len(content))
    doc.parse(content)
    with pytest.raises(InputError, match="larger than"):
        doc.parse(content + b" ")
    with pytest.raises(InputError, match="larger than"):
        doc.parse(b"[" * (len(content) + 1))


def test_many_repeated_keys_take_no_longer_than_reading() -> None:
    keys = ", ".join(f'"k{at}": 1' for at in range(100_000))
    started = time.monotonic()
    with pytest.raises(doc.SchemaError, match="k99999"):
        doc.parse(f'{{"schema": "billproof/bundle/1", {keys}, "k99999": 2}}'.encode())
    assert time.monotonic() - started < 5


def test_errors_name_the_place(bundle: Any) -> None:
    changed = json.loads(json.dumps(bundle))
    changed["records"][1]["amount"] = "1.5"
    with pytest.raises(doc.SchemaError, match=r"records\[1\]\.amount"):
        doc.parse(json.dumps(changed).encode())


def test_published_schemas_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "tools/write_schemas.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def validators() -> dict[str, Any]:
    found = {}
    for name in doc.KINDS:
        kind = name.split("/")[1]
        schema = json.loads((ROOT / f"docs/schemas/{kind}.json").read_bytes())
        jsonschema.Draft202012Validator.check_schema(schema)
        found[name] = jsonschema.Draft202012Validator(schema)
    return found


def test_published_schemas_take_what_we_write(genuine: list[Any], validators: dict[str, Any]) -> None:
    for document in genuine:
        validators[document["schema"]].validate(document)


def test_published_schemas_refuse_what_the_reader_refuses(
    validators: dict[str, Any], genuine: list[Any]
) -> None:
    """Value by value: both take it or both refuse it, except what JSON Schema cannot say."""
    others: list[Any] = [
        None,
        1,
        "",
        "0",
        "-1",
        "01",
        "+1",
        "x",
        "0x",
        "0x" + "AB" * 32,
        [],
        {},
        "9" * 19,
        "a" * 1_000,
    ]
    for document in genuine[2:]:  # the bundle with one record, both receipts, the key file
        validator = validators[document["schema"]]
        for path in _leaves(document):
            for other in others:
                changed = json.loads(json.dumps(document))
                target = changed
                for step in path[:-1]:
                    target = target[step]
                target[path[-1]] = other
                assert validator.is_valid(changed) == _readable(changed), (path, other)


def _readable(document: Any) -> bool:
    try:
        doc.parse(json.dumps(document).encode())
    except (InputError, doc.SchemaError):
        return False
    return True


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        steps = value if isinstance(value, dict) else range(len(value))
        return [leaf for step in steps for leaf in _leaves(value[step], (*path, step))]
    return [path]
