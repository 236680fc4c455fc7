"""What a part knows, written between two steps: all of it comes back, and only what is new is written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from any_books import book_of

from billproof.clearing.agreement.agreement import load_agreement
from billproof.clearing.books.book import Codes
from billproof.clearing.pairs.pairing import First
from billproof.clearing.pairs.parts import Part, Taken, changed
from billproof.clearing.pairs.passes import Pairs
from billproof.simulate.partners import AGREEMENT
from billproof.spark.files import File
from billproof.spark.state import Store, Texts

ROW = {
    "service": 1,
    "started_at": 1_790_812_800,
    "usage": 60,
    "billed_usage": 60,
    "number": "+4477xxx",
    "network": "999-71",
    "amount": 10**9,
    "currency": "EUR",
    "rate": "",
}


@pytest.fixture
def part(tmp_path: Path) -> Part:
    agreement, codes = load_agreement(AGREEMENT.encode()), Codes()
    books = [
        book_of([ROW, {**ROW, "usage": usage}], tmp_path, f"{usage}", agreement, codes) for usage in (61, 99)
    ]
    made = Part((books[0], books[1]), numbers=codes.numbers)
    First((), agreement.tolerance)(made)
    return made


def test_everything_comes_back(part: Part, tmp_path: Path) -> None:
    none = np.zeros(0, np.int64)
    part.pairs = Pairs(np.array([0]), np.array([1]), none, none, (none, none))
    part.taken = (Taken(3, None, none), Taken(7, 1, np.array([5])))
    place = File.named(tmp_path)
    found = Store(place).load(Store(place).save(part, "one"))
    for side in (0, 1):
        for name in ("service", "usage", "number", "network", "row"):
            ours, theirs = getattr(found.books[side], name), getattr(part.books[side], name)
            assert (ours.dtype, ours.tolist()) == (theirs.dtype, theirs.tolist())
    assert found.paired.theirs.tolist() == [1]
    assert found.pairing.columns[0].tolist() == part.pairing.columns[0].tolist()
    assert [(one.kind, one.side, one.rows.tolist()) for one in found.taken] == [(3, None, []), (7, 1, [5])]
    assert dict(found.numbers) == dict(part.numbers)
    assert (found.voters, found.found, found.neighbours) == (None, None, ((), ()))


def test_only_what_is_new_is_written(part: Part, tmp_path: Path) -> None:
    place = File.named(tmp_path)
    Store(place).save(part, "one")
    store = Store(place)
    found = store.load("one")
    assert store.save(found, "two") == "one"
    assert not (tmp_path / "two").exists()
    found.pairing = changed(found.pairing, copies=(np.array([4, 4]), found.pairing.copies[1]))
    assert store.save(found, "three") == "three"
    assert (tmp_path / "three").stat().st_size < (tmp_path / "one").stat().st_size
    again = Store(place).load("three")
    assert again.pairing.copies[0].tolist() == [4, 4]
    assert again.pairing.partner[0].tolist() == part.pairing.partner[0].tolist()


def test_what_was_read_cannot_be_changed_by_accident(part: Part, tmp_path: Path) -> None:
    store = Store(File.named(tmp_path))
    found = store.load(store.save(part, "one"))
    with pytest.raises(ValueError, match="read-only"):
        found.books[0].usage[0] = 1
    with pytest.raises(AttributeError):
        found.books[0].colour  # noqa: B018 - it is asked for, and not there


def test_a_file_names_no_classes_of_others(tmp_path: Path) -> None:
    content = json.dumps({"is": "Popen", "of": {}}).encode()
    (tmp_path / "odd").write_bytes(content + len(content).to_bytes(8, "little"))
    with pytest.raises(KeyError, match="Popen"):
        Store(File.named(tmp_path)).load("odd")


def test_texts_by_number() -> None:
    texts = {9: "+44xxx", 3: "ü\0", 5: ""}
    found = Texts.of(texts)
    assert dict(found) == texts
    assert 4 not in found
    assert 99 not in found
    assert not Texts.of({})
