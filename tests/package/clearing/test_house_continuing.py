"""Later parts on the chain: what was open is settled once, and whoever signs compares it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from clearing_desk import Desk, desk, desk_template, fresh_desk
from commands import run

from billproof.clearing.settlement.form import document
from billproof.clearing.settlement.reading import load_document
from billproof.clearing.settlement.settlement import Dispute

__all__ = ["desk", "desk_template", "fresh_desk", "run"]

_CLAIMS = (
    Dispute(1, "missing", "records that are missing", 1, 2, 3, 5_000_000_000, "2099-01-01"),
    Dispute(2, "rate", "a dearer price", 2, 2, 3, 2_000_000_000, "2099-01-01"),
)


def _resolve(desk: Desk, settlement: Path, name: str, *words: object) -> Path:
    out = desk.folder(1) / name
    days = ("--issued", "2026-06-01", "--due", "2026-07-01")
    done = desk.run("resolve", settlement, *words, *days, "--out", out)
    assert done.code == 0, done.err
    return out


def _agree(desk: Desk, clearing: str, settlement: Path, *words: object) -> None:
    part = settlement.with_suffix(".part")
    last = [word for word in words if word == "--last"]
    desk.look("propose", clearing, settlement, "--part", part, *last)
    given = [word for word in words if word != "--last"]
    for operator in (1, 2):
        desk.call(operator, "sign", part, "--settlement", settlement, *given, admin=True)
    desk.call(1, "agree", part)


@pytest.fixture
def first(desk: Desk) -> tuple[str, Path]:
    """A clearing whose first part is agreed, and its settlement with two claims."""
    clearing, settlement = desk.agreeing(), desk.settlement(disputes=_CLAIMS)
    _agree(desk, clearing, settlement)
    return clearing, settlement


def test_three_parts_settle_everything(desk: Desk, first: tuple[str, Path]) -> None:
    clearing, settlement = first
    second = _resolve(desk, settlement, "part-2.json", "--accept", "1=4.50")
    _agree(desk, clearing, second, "--continues", settlement)
    third = _resolve(desk, second, "part-3.json", "--accept", "2")
    _agree(desk, clearing, third, "--continues", second, "--last")
    told = desk.status(clearing)
    assert (told["state"], len(told["parts"])) == ("Settling", 3)
    amounts = [json.loads(each.with_suffix(".part").read_bytes()) for each in (settlement, second, third)]
    owed = [int(each["amount"]["amount"]) for each in amounts]
    assert owed == [12_340_000_000, 4_500_000_000, 2_000_000_000]
    assert [each["creditor"] for each in amounts] == [1, 1, 1]


def test_whoever_signs_gives_what_is_continued(desk: Desk, first: tuple[str, Path]) -> None:
    clearing, settlement = first
    second = _resolve(desk, settlement, "part-2.json", "--accept", "1")
    part = desk.folder(1) / "second.part"
    desk.look("propose", clearing, second, "--part", part)
    sign = ("sign", part, "--settlement", second)
    refused = desk.call(2, *sign, admin=True, code=2)
    assert "the settlement continues the document 0x" in refused["message"]
    other = desk.settlement(disputes=_CLAIMS[:1], name="other.json")
    refused = desk.call(2, *sign, "--continues", other, admin=True, code=2)
    assert "the settlement continues" in refused["message"]
    cleared = ("--document", other, "--agreement", other)
    refused = desk.call(2, *sign, "--continues", settlement, *cleared, admin=True, code=2)
    assert "documents come to the undisputed part" in refused["message"]
    assert desk.call(2, *sign, "--continues", settlement, admin=True)["signed"] == [2]


def test_an_undisputed_part_continues_none(desk: Desk) -> None:
    clearing, settlement = desk.agreeing(), desk.settlement()
    part = desk.home / "part.json"
    desk.look("propose", clearing, settlement, "--part", part)
    refused = desk.call(
        1, "sign", part, "--settlement", settlement, "--continues", settlement, admin=True, code=2
    )
    assert "continues none" in refused["message"]


def test_what_no_part_has_is_not_continued(desk: Desk) -> None:
    clearing, settlement = desk.agreeing(), desk.settlement(disputes=_CLAIMS)
    second = _resolve(desk, settlement, "part-2.json", "--accept", "1")
    refused = desk.look("propose", clearing, second, "--part", desk.home / "part.json", code=1)
    assert "no part has the document 0x" in refused["message"]
    assert not (desk.home / "part.json").exists()


def test_claims_are_not_settled_twice(desk: Desk, first: tuple[str, Path]) -> None:
    """Two parts that continue one document: the second of them is refused, whichever claims it names."""
    clearing, settlement = first
    second = _resolve(desk, settlement, "part-2.json", "--accept", "1")
    again = _resolve(desk, settlement, "again.json", "--accept", "1=4")
    _agree(desk, clearing, second, "--continues", settlement)
    part = desk.home / "again.part"
    desk.look("propose", clearing, again, "--part", part)
    sign = ("sign", part, "--settlement", again, "--continues", settlement)
    unknown = desk.call(2, *sign, admin=True, code=2)
    assert "part 2 was agreed since" in unknown["message"]
    refused = desk.call(2, *sign, "--continues", second, admin=True, code=1)
    assert "part 2 continues the same document" in refused["message"]


@pytest.mark.parametrize("change", ["lost", "new", "other"])
def test_a_part_that_changes_what_was_open_is_not_signed(
    change: str, desk: Desk, first: tuple[str, Path]
) -> None:
    clearing, settlement = first
    found, _ = load_document(_resolve(desk, settlement, "part-2.json", "--accept", "1"))
    (left,) = found.disputes
    disputes = {
        "lost": (),
        "new": (left, replace(left, number=3)),
        "other": (replace(left, amount=left.amount - 1),),
    }[change]
    spoilt = desk.folder(1) / "spoilt.json"
    spoilt.write_bytes(document(replace(found, disputes=disputes)))
    part = desk.home / "spoilt.part"
    desk.look("propose", clearing, spoilt, "--part", part)
    sign = ("sign", part, "--settlement", spoilt, "--continues", settlement)
    assert "claim " in desk.call(2, *sign, admin=True, code=1)["message"]


def test_propose_says_what_the_last_part_leaves(desk: Desk, first: tuple[str, Path]) -> None:
    clearing, settlement = first
    second = _resolve(desk, settlement, "part-2.json", "--accept", "1")
    propose = ("house", "propose", clearing)
    told = desk.run(*propose, second, "--part", desk.home / "a.part", "--last")
    assert "Claims that stay open: 1; after" in told.err
    both = _resolve(desk, settlement, "both.json", "--accept", "1", "--withdraw", "2")
    told = desk.run(*propose, both, "--part", desk.home / "b.part")
    assert "Nothing stays open: with --last" in told.err
