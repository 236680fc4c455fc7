"""What was open is settled once: parts add up, continue one another, and say what they must."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billproof.clearing.agreement.agreement import load_agreement
from billproof.clearing.settlement.comparing import differences
from billproof.clearing.settlement.form import VOLUMES, document, document_hash, json_schema
from billproof.clearing.settlement.pdf import paper
from billproof.clearing.settlement.reading import SettlementError, load_settlement
from billproof.clearing.settlement.resolving import (
    Choice,
    choice_of,
    named,
    own_part,
    require_continues,
    resolve,
)
from billproof.clearing.settlement.settlement import (
    Amount,
    BatchReference,
    Dispute,
    Resolved,
    Settlement,
    settle,
)
from billproof.clearing.settlement.tables import VOLUMES_WORDS, Money, facts, sheets
from billproof.clearing.settlement.xlsx import workbook
from billproof.errors import DifferenceError, InputError
from billproof.records import NANO, Service

AGREEMENT = load_agreement(b"""
schema = "billproof/agreement/1"
name = "Meridian and Skylark"
valid = { from = "2026-01-01", until = "2027-01-01" }
settlement = "EUR"
parties = [
  { operator = 1, name = "Meridian", currency = "EUR" },
  { operator = 2, name = "Skylark", currency = "GBP" },
]
exchange = { GBP = "1.1834" }
""")
_OPEN = "2026-08-01"
_DAYS = ("2026-06-01", "2026-07-01")


def _first(*disputes: Dispute) -> Settlement:
    """The undisputed part of March: the second operator pays 100, the first 40."""
    return settle(
        AGREEMENT,
        202603,
        "2026-04-10",
        "2026-05-10",
        amounts=[
            Amount(2, Service.DATA, 40, 9_000_000, 100 * NANO),
            Amount(1, Service.VOICE_ORIGINATED, 500, 90_000, 40 * NANO),
        ],
        disputes=disputes,
        batches=[BatchReference(operator, 202603, 1, 1, bytes([operator]) * 32) for operator in (1, 2)],
        ledger=(1, "0x" + "ab" * 20),
    )


@pytest.fixture(scope="module")
def first() -> Settlement:
    return _first(
        Dispute(1, "rate", "Skylark's price is dearer", 1, 2, 30, 7_004_000_000, _OPEN),
        Dispute(1, "rate", "Skylark's price is dearer", 1, 2, 4, -2 * NANO, _OPEN),
        Dispute(1, "rate", "Skylark's price is dearer", 2, 2, 3, NANO, _OPEN),
        Dispute(2, "missing", "records that are missing", 2, 1, 9, 5 * NANO, _OPEN),
        Dispute(4, "duration", "records that differ in usage", 1, 2, 8, 3 * NANO, _OPEN),
        Dispute(5, "unit", "counted in another unit", 2, 1, 1, NANO, _OPEN),
    )


@pytest.fixture(scope="module")
def first_hash(first: Settlement) -> bytes:
    return document_hash(document(first))


_CHOICES = (
    ("1:1:debt=5.004", "accepted"),
    ("1:1:credit", "accepted"),
    ("2", "accepted"),
    ("4", "rejected"),
    ("5", "withdrawn"),
)


@pytest.fixture(scope="module")
def part(first: Settlement, first_hash: bytes) -> Settlement:
    """The second pays 5.004 − 2, the first 5: one claim of one stays open."""
    return resolve(first, first_hash, [choice_of(*each) for each in _CHOICES], *_DAYS)


def test_what_was_accepted_is_netted_and_rounded_once(part: Settlement) -> None:
    one, other = part.directions
    assert (one.claims, one.total) == (5 * NANO, 5 * NANO)
    assert (other.claims, other.total) == (3_004_000_000, 3_004_000_000)
    # 5 − 3.004 is 1.996: 2.00.
    assert (part.net.payer.operator, part.net.amount) == (1, 2 * NANO)
    assert [named(each) for each in part.disputes] == ["1:2:debt"]
    assert [each.accepted for each in part.resolved] == [5_004_000_000, 5 * NANO, -2 * NANO, 0, 0]


def test_part_is_a_document_that_is_read_back(first: Settlement, first_hash: bytes, part: Settlement) -> None:
    content = document(part)
    assert load_settlement(content) == part
    tree = json.loads(content)
    assert (tree["kind"], tree["volumes"]) == ("disputed", VOLUMES)
    assert tree["continues"] == "0x" + first_hash.hex()
    assert (tree["amounts"], tree["charges"]) == ([], [])
    jsonschema.validate(tree, json_schema())
    require_continues(part, first, first_hash)
    again = own_part(part, first, first_hash, [choice_of(*each) for each in _CHOICES[::-1]])
    assert document(again) == content
    assert differences(part, again) == []


def test_part_three_continues_part_two(first: Settlement, first_hash: bytes, part: Settlement) -> None:
    its_hash = document_hash(document(part))
    third = resolve(part, its_hash, [choice_of("1", "accepted")], *_DAYS)
    require_continues(third, part, its_hash)
    assert third.disputes == ()
    assert (third.net.payer.operator, third.net.amount) == (2, NANO)
    with pytest.raises(DifferenceError, match="continues the document"):
        require_continues(third, first, first_hash)
    with pytest.raises(DifferenceError, match="continues none"):
        require_continues(first, first, first_hash)


def test_people_read_what_was_resolved(part: Settlement) -> None:
    sheet = next(each for each in sheets(part) if each.title == "Resolved")
    assert [row[:3] for row in sheet.rows] == [
        (Money(5_004_000_000), Money(7_004_000_000), "accepted"),
        (Money(5 * NANO), Money(5 * NANO), "accepted"),
        (Money(2 * NANO), Money(2 * NANO), "accepted"),
        (Money(0), Money(3 * NANO), "rejected"),
        (Money(0), Money(NANO), "withdrawn"),
    ]
    told = dict(facts(part))
    assert [name for name in told if " pays of accepted claims" in name] == [
        f"{each.payer.name} pays of accepted claims" for each in part.directions
    ]
    titles = [each.title for each in sheets(part)]
    assert titles.index("Resolved") == 0  # what is paid for comes first
    assert told["Continues the document"] == "0x" + (part.continues or b"").hex()
    assert VOLUMES_WORDS in told.values()
    assert workbook(part, bytes(32)) == workbook(load_settlement(document(part)), bytes(32))
    assert paper(part, bytes(32)).startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ((), "no claim is named"),
        ((("1", "accepted"),), "1 may be 3 claims"),
        ((("1:1", "rejected"),), "1:1 may be 2 claims"),
        ((("3", "accepted"),), "no claim is open that is 3"),
        ((("2:1", "accepted"),), "no claim is open that is 2:1"),
        ((("2:credit", "rejected"),), "no claim is open that is 2:credit"),
        ((("2=5.000000001", "accepted"),), "5.00 EUR are claimed"),
        ((("2=0", "accepted"),), "not 0.00"),
        ((("2", "accepted"), ("2:2:debt", "rejected")), "is named twice"),
    ],
)
def test_choices_that_are_none(
    said: tuple[tuple[str, str], ...], message: str, first: Settlement, first_hash: bytes
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        resolve(first, first_hash, [choice_of(*each) for each in said], *_DAYS)
    assert caught.value.advice


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("", "accepted"),
        ("x", "accepted"),
        ("1:x", "accepted"),
        ("1=-2", "accepted"),
        ("1=0.0000000001", "accepted"),
        ("1=1,5", "accepted"),
        ("1=1", "rejected"),
        ("1=1", "withdrawn"),
        ("-1", "rejected"),
    ],
)
def test_what_names_no_claim(text: str, outcome: str) -> None:
    with pytest.raises(InputError, match="names no claim"):
        choice_of(text, outcome)


def test_days_follow_on_each_other(first: Settlement, first_hash: bytes) -> None:
    some = [choice_of("2", "accepted")]
    for issued, due, deadline, field in (
        ("2026-04-09", "2026-07-01", None, "--issued"),
        ("2026-06-01", "2026-05-31", None, "--due"),
        ("2026-08-02", "2026-09-01", None, "--deadline"),
        ("2026-06-01", "2026-07-01", "2026-05-31", "--deadline"),
    ):
        with pytest.raises(InputError) as caught:
            resolve(first, first_hash, some, issued, due, deadline)
        assert caught.value.field == field
    later = resolve(first, first_hash, some, "2026-08-02", "2026-09-01", "2026-12-01")
    assert {each.deadline for each in later.disputes} == {"2026-12-01"}
    require_continues(later, first, first_hash)


# Whatever is changed.


def _leaves(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(tree, dict | list):
        for key, inner in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from _leaves(inner, (*path, key))
    else:
        yield path


_OTHER = {"rejected": "withdrawn", "withdrawn": "rejected", "accepted": "rejected", "disputed": "undisputed"}
_OTHER |= {"half-up": "down", "EUR": "USD", "GBP": "USD", "rate": "unit", "missing": "unit"}
_OTHER |= {"duration": "unit", "unit": "rate"}


def _changed(value: Any) -> Any:
    if isinstance(value, int):
        return value + 1
    if value in _OTHER:
        return _OTHER[value]
    if value[-1:].isdigit() or value.startswith("0x"):
        return value[:-1] + ("2" if value[-1] == "1" else "1")
    return value + "x"


def test_each_field_changed_once_is_found(first: Settlement, first_hash: bytes, part: Settlement) -> None:
    tree = json.loads(document(part))
    own = resolve(first, first_hash, [choice_of(*each) for each in _CHOICES], *_DAYS)
    chosen = set()
    for path in _leaves(tree):
        changed = copy.deepcopy(tree)
        inner = changed
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = _changed(inner[path[-1]])
        assert changed != tree
        try:
            found = load_settlement(json.dumps(changed).encode())
            require_continues(found, first, first_hash)
        except (SettlementError, DifferenceError):
            continue
        chosen.add(path[-1])
        assert found != own
        if path[-1] not in ("issued", "due"):
            assert differences(found, own)
    # What the two choose between themselves: the days, and whether a claim was rejected or withdrawn.
    assert chosen == {"issued", "due", "deadline", "outcome"}


@pytest.mark.parametrize("key", ["continues", "resolved", "volumes"])
def test_a_part_needs_what_makes_it_one(key: str, part: Settlement) -> None:
    tree = json.loads(document(part))
    del tree[key]
    with pytest.raises(SettlementError):
        load_settlement(json.dumps(tree).encode())


def test_a_claim_is_not_lost_new_or_doubled(first: Settlement, first_hash: bytes, part: Settlement) -> None:
    lost = dataclasses.replace(part, disputes=())
    with pytest.raises(DifferenceError, match="neither resolved nor left"):
        require_continues(load_settlement(document(lost)), first, first_hash)
    new = dataclasses.replace(part.disputes[0], number=9)
    with pytest.raises(DifferenceError, match="9:2:debt was not open"):
        require_continues(dataclasses.replace(part, disputes=(*part.disputes, new)), first, first_hash)
    invented = Resolved(new, "accepted", new.amount)
    with pytest.raises(DifferenceError, match="9:2:debt was not open as it is resolved"):
        require_continues(dataclasses.replace(part, resolved=(*part.resolved, invented)), first, first_hash)
    for disputes, resolved in (
        ((*part.disputes, part.resolved[0].claim), part.resolved),
        (part.disputes, (*part.resolved, part.resolved[0])),
    ):
        doubled = dataclasses.replace(part, disputes=disputes, resolved=resolved)
        with pytest.raises(SettlementError, match="is there twice"):
            load_settlement(document(doubled))


@pytest.mark.parametrize(
    ("accepted", "outcome", "message"),
    [
        (7_004_000_001, "accepted", "is more than what was claimed"),
        (-1, "accepted", "is more than what was claimed"),
        (0, "accepted", "is not what was accepted"),
        (1, "rejected", "is not what was accepted"),
        (1, "withdrawn", "is not what was accepted"),
    ],
)
def test_accepted_is_within_what_was_claimed(
    accepted: int, outcome: str, message: str, part: Settlement
) -> None:
    spoilt = Resolved(part.resolved[0].claim, outcome, accepted)
    with pytest.raises(SettlementError, match=message):
        load_settlement(document(dataclasses.replace(part, resolved=(spoilt, *part.resolved[1:]))))


def test_one_number_is_of_one_traffic(first: Settlement) -> None:
    one, *rest = first.disputes
    other = dataclasses.replace(one, claimant=2, payer=1)
    kept = [each for each in rest if (each.number, each.claimant) != (1, 2)]
    with pytest.raises(SettlementError, match="number 1 is of other traffic"):
        load_settlement(document(dataclasses.replace(first, disputes=(one, other, *kept))))


# Whatever is claimed, and in however many parts it is resolved.

_CLAIM = st.tuples(st.sampled_from([1, 2]), st.booleans(), st.integers(1, 10**13), st.sampled_from([1, 2]))


@settings(max_examples=60, deadline=None)
@given(
    claims=st.lists(_CLAIM, min_size=1, max_size=8),
    outcomes=st.lists(
        st.tuples(st.sampled_from(["accepted", "rejected", "withdrawn", "open"]), st.fractions(0, 1)),
        min_size=8,
        max_size=8,
    ),
    parts=st.lists(st.integers(0, 2), min_size=8, max_size=8),
)
def test_parts_add_up_to_what_is_undisputed_and_accepted(
    claims: list[tuple[int, bool, int, int]], outcomes: list[tuple[str, Fraction]], parts: list[int]
) -> None:
    disputes = [
        Dispute(number, "unit", "words", claimant, payer, 1, -amount if credit else amount, _OPEN)
        for number, (claimant, credit, amount, payer) in enumerate(claims, 1)
    ]
    first = _first(*disputes)
    paid = dict.fromkeys((1, 2), 0)
    expected = {1: 40 * NANO, 2: 100 * NANO}
    left = set(range(1, len(claims) + 1))
    latest, latest_hash = first, document_hash(document(first))
    made = [first]
    for at in range(3):
        choices = []
        for number, (claimant, credit, amount, payer) in enumerate(claims, 1):
            outcome, share = outcomes[number - 1]
            if outcome == "open" or parts[number - 1] != at:
                continue
            accepted = max(int(share * amount), 1) if outcome == "accepted" else 0
            choices.append(Choice(outcome, number, claimant, credit, accepted or None))
            expected[payer] += -accepted if credit else accepted
            left.remove(number)
        if not choices:
            continue
        found = load_settlement(document(resolve(latest, latest_hash, choices, *_DAYS)))
        require_continues(found, latest, latest_hash)
        made.append(found)
        latest, latest_hash = found, document_hash(document(found))
    for each in made:
        for direction in each.directions:
            paid[direction.payer.operator] += direction.total
    assert paid == expected
    assert {each.number for each in latest.disputes} == left
    nets = sum(each.net.amount * (1 if each.net.payer.operator == 1 else -1) for each in made)
    assert abs(Fraction(nets - expected[1] + expected[2])) <= len(made) * NANO // 200
