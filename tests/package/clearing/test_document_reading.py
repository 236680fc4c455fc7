"""Whatever is changed in a clear document, reading it says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from billproof.clearing.agreement.agreement import load_agreement
from billproof.clearing.books.book import Codes, load_book
from billproof.clearing.books.sides import sides_of
from billproof.clearing.books.sources import BatchSource
from billproof.clearing.clearing import clear
from billproof.clearing.document.document import document
from billproof.clearing.document.form import json_schema, tree_of
from billproof.clearing.document.reading import ClearError, load_clear
from billproof.simulate.partners import AGREEMENT

#: What nothing else in the document tells: names of things outside, and what is said of single records.
_FREE = {
    ("agreement", "name"),
    ("agreement", "hash"),
    ("settlement",),
    ("book",),
    ("batches", "root"),
    ("batches", "region"),
    ("batches", "sequence"),
    ("causes", "services"),
    ("causes", "dimension"),
    ("causes", "value"),
}
_INSIDE = {"examples", "what"}


def _record(number: str, second: int, usage: int, amount: int, service: int = 1) -> dict[str, Any]:
    return {
        "service": service, "started_at": 1_790_812_800 + second, "usage": usage, "billed_usage": usage,
        "number": number, "network": "", "amount": amount * 10**6, "currency": "EUR", "rate": "",
    }  # fmt: skip


def _books() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Two days and routes: one dear on their side, and a few single differences."""
    calls = [(f"+336399800{at:02}", 3_000 * at, 60 + 7 * at, 40 * at + 40) for at in range(30)]  # to France
    ours = [_record(number, second, usage, amount) for number, second, usage, amount in calls]
    theirs = [_record(number, second, usage, amount * 5 // 4) for number, second, usage, amount in calls]
    both = [_record(f"+4477009001{at:02}", 4_000 * at, 40 + at, 5 + at) for at in range(30)]
    ours += [*both, _record("+447700900201", 9_000, 71, 40), _record("+447700900301", 5_000, 50, 30)]
    theirs += [*both, _record("+447700900201", 9_001, 99, 47), _record("+447700900302", 5_001, 50, 30)]
    ours += [_record("+447700900401", 7_000, 33, 21), _record("", 0, 1, 90, service=32)]
    theirs += [_record("", 0, 1, 90, service=32), both[3], _record("+447700900501", 8_000, 44, 17)]
    return ours, theirs


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A document with batches, a cause, findings and disputes."""
    home = tmp_path_factory.mktemp("books")
    agreement, codes = load_agreement(AGREEMENT.encode()), Codes()
    books = []
    for operator, rows in enumerate(_books(), 1):
        path = home / f"{operator}.parquet"
        pq.write_table(pa.Table.from_pylist(rows), path)
        sources = {
            at: BatchSource(operator, 202610, at, 0, bytes(32), 1, "0x" + "ab" * 20, "partner", Path("store"))
            for at in (1, 2)
        }
        books.append(replace(load_book(path, agreement, codes), sources=sources))
    found = clear(books[0], books[1], agreement, codes)
    return tree_of(document(found, sides_of((books[0], books[1]), agreement)))


def _read(tree: Any) -> None:
    load_clear(json.dumps(tree, indent=1).encode(), name="clear.json")


def _leaves(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values, the first two entries of each list."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(tree, list):
        for at, value in enumerate(tree[:2]):
            yield from _leaves(value, (*path, at))
    else:
        yield path


def _at(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def _changed(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The tree with another value at ``path``; what is beside it is shared."""
    if not path:
        return value
    inner = _changed(tree[path[0]] if path[1:] else None, path[1:], value)
    if isinstance(tree, list):
        return [*tree[: path[0]], inner, *tree[path[0] + 1 :]]
    return {**tree, path[0]: inner}


def _refused(tree: Any, path: tuple[Any, ...], what: Any) -> None:
    try:
        _read(tree)
    except ClearError:
        return
    pytest.fail(f"{path} may be {what!r:.200}")


def _other(value: Any) -> Any:
    """Another value of the same type and shape."""
    if isinstance(value, int | float):
        return value + 1
    if value.lstrip("-").isdecimal():
        return str(int(value) + 1)
    if value.startswith("0x"):
        return value[:-1] + ("0" if value[-1] != "0" else "1")
    swaps = {
        "ours": "theirs", "theirs": "ours", "both": "ours", "rate": "duration", "missing": "rate",
        "voice-originated": "data", "data": "mms", "EUR": "GBP", "GBP": "EUR",
    }  # fmt: skip
    return swaps.get(value, value + "x")


def _free(path: tuple[Any, ...]) -> bool:
    keys = tuple(key for key in path if isinstance(key, str))
    return bool(_INSIDE & set(keys)) or any(keys[-len(free) :] == free for free in _FREE)


def test_every_single_change_is_refused(tree: dict[str, Any]) -> None:
    _read(tree)
    paths = list(_leaves(tree))
    assert len({tuple(key for key in path if isinstance(key, str)) for path in paths}) > 100
    for path in paths:
        value = _at(tree, path)
        if not _free(path) and not (path[-1] == "words" and path[0] == "causes"):
            _refused(_changed(tree, path, _other(value)), path, _other(value))
        for wrong in (None, [], True, 1.5):
            if "what" not in path or wrong is None or wrong is True:
                _refused(_changed(tree, path, wrong), path, wrong)


def test_the_published_schema_says_the_same(tree: dict[str, Any]) -> None:
    schema = json.loads((Path(__file__).resolve().parents[3] / "docs/schemas/clear.json").read_text())
    assert schema == json_schema()
    jsonschema.validate(tree, schema)
    with pytest.raises(jsonschema.ValidationError, match="extra"):
        jsonschema.validate({**tree, "extra": 1}, schema)


def test_words_of_a_cause_are_those_of_its_dispute(tree: dict[str, Any]) -> None:
    number = tree["disputes"][0]["number"]
    assert number <= len(tree["causes"])
    with pytest.raises(ClearError, match="words"):
        _read(_changed(tree, ("causes", number - 1, "words"), "nothing at all"))


def test_no_key_may_be_left_out_or_added(tree: dict[str, Any]) -> None:
    objects = {path[:at] for path in _leaves(tree) for at in range(len(path)) if isinstance(path[at], str)}
    for path in objects:
        if "what" in path:
            continue
        _refused(_changed(tree, (*path, "extra"), "1"), path, "extra")
        entries = _at(tree, path)
        for key in entries:
            rest = {name: value for name, value in entries.items() if name != key}
            _refused(_changed(tree, path, rest), path, rest)


def test_no_entry_may_be_left_out_or_there_twice(tree: dict[str, Any]) -> None:
    lists = {path[:at] for path in _leaves(tree) for at in range(len(path)) if isinstance(path[at], int)}
    assert {("days",), ("disputes",), ("ours", "batches"), ("causes", 0, "examples")} <= lists
    for path in lists:
        if "what" in path or (path[-1] in ("services", "batches") and len(path) > 1):
            continue
        entries = _at(tree, path)
        for changed in (entries[1:], [*entries, entries[0]]):
            _refused(_changed(tree, path, changed), path, changed)
    batches = tree["ours"]["batches"]
    with pytest.raises(ClearError, match="there twice"):
        _read(_changed(tree, ("ours", "batches"), [*batches, batches[0]]))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("theirs", "operator"), 1, "operator: is ours too"),
        (("theirs", "name"), "Meridian", "name: is ours too"),
        (("payer",), 7, "neither operator"),
        (("ours", "batches"), [], "goes with batches"),
        (("ours", "batches", 0, "period"), "202609", "not the clearing's"),
        (("theirs", "ledger", "chainId"), "2", "another than ours"),
        (("days", 0, "day"), "2026-02-30", "there is no day"),
        (("agreed",), 7, "is 7, and the entries come to"),
        (("disputes", 0, "number"), 99, "no cause's and no finding's"),
        (("disputes", 0, "amount"), "0", "is nothing"),
        (("disputes", 0, "claimant"), 3, "neither operator"),
        (("disputes", 0, "count"), 1 << 40, "more than there are differences"),
    ],
)
def test_refusals_say_what_is_wrong(
    path: tuple[Any, ...], value: Any, message: str, tree: dict[str, Any]
) -> None:
    with pytest.raises(ClearError, match=message) as refused:
        _read(_changed(tree, path, value))
    assert "clear.json:" in str(refused.value)


def test_another_number_is_not_claimed_for(tree: dict[str, Any]) -> None:
    other = next(each for each in tree["findings"] if each["kind"] == "number")
    claim = {**tree["disputes"][0], **{key: other[key] for key in ("number", "kind", "words")}, "count": 1}
    with pytest.raises(ClearError, match="nothing is claimed for number"):
        _read({**tree, "disputes": [*tree["disputes"], claim]})


def test_only_who_has_a_record_without_a_pair_claims_it(tree: dict[str, Any]) -> None:
    at, one = next((at, each) for at, each in enumerate(tree["disputes"]) if each["kind"] == "missing")
    other = {
        **one,
        "claimant": 3 - one["claimant"],
        "amount": str(-int(one["amount"])),
    }  # the same difference
    with pytest.raises(ClearError, match="does not have these records"):
        _read(_changed(tree, ("disputes", at), other))


def test_money_may_not_move_from_what_is_open_to_what_is_undisputed(tree: dict[str, Any]) -> None:
    """Both sides' claims of a cause rise alike: its money is as it was, and neither book's total is."""
    at, one = next((at, each) for at, each in enumerate(tree["disputes"]) if each["kind"] == "rate")
    more = [
        {**one, "amount": str(int(one["amount"]) + 10**9)},
        {**one, "claimant": 3 - one["claimant"], "amount": str(10**9)},
    ]
    with pytest.raises(ClearError, match=r"ours\.total"):
        _read({**tree, "disputes": [*tree["disputes"][:at], *more, *tree["disputes"][at + 1 :]]})


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema": "billproof/settlement/1"}', b"\xff"])
def test_what_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(ClearError):
        load_clear(content)
