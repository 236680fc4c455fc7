"""Documents → settlement: money is in one place each, discounts are of the year, strangers are refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_sums import book_totals

from billproof.clearing.agreement.agreement import Agreement, load_agreement
from billproof.clearing.discounts.volumes import read_volumes, volumes_csv
from billproof.clearing.discounts.year import Volume, evaluate
from billproof.clearing.document.form import BatchForm, File, LedgerForm, TrafficForm
from billproof.clearing.pairs.differences import FREE
from billproof.clearing.settlement.filling import (
    amounts_of,
    charges_of,
    disputes_of,
    settle_documents,
    traffic_words,
    volumes_of,
    worded,
)
from billproof.clearing.settlement.form import document
from billproof.clearing.settlement.reading import load_settlement
from billproof.clearing.settlement.settlement import Amount
from billproof.errors import InputError
from billproof.records import NANO, Service
from billproof.simulate.partners import SINGLE, SYSTEMATIC, partner_books

_DAYS = ("2026-11-10", "2026-12-10", "2026-12-01")  # issued, due, until when disputes stay open


@pytest.mark.parametrize("kinds", [(), SINGLE, (*SINGLE, *SYSTEMATIC)], ids=["honest", "single", "all"])
def test_every_amount_is_in_one_place(kinds: tuple[str, ...], cleared: Callable) -> None:
    found = cleared(partner_books(20_000, 5, kinds))
    clearing, file = found.clearing, found.told()
    one, other = (party.operator for party in clearing.agreement.parties)
    undisputed = sum(each.amount for each in amounts_of(file))
    disputes = disputes_of(file, "2026-05-01")
    claimed = {
        operator: sum(each.amount for each in disputes if each.claimant == operator)
        for operator in (one, other)
    }
    paying = clearing.differences.paying
    tolerated = clearing.differences.money[
        (paying < 0) | np.isin(paying, FREE)
    ]  # agreed, or another clock or number alone
    above = int(tolerated[tolerated > 0].sum()), int(-tolerated[tolerated < 0].sum())
    assert book_totals(clearing) == (
        undisputed + claimed[one] + above[0],
        undisputed + claimed[other] + above[1],
    )
    assert bool(disputes) == bool(kinds)
    assert len({(each.number, each.claimant) for each in disputes}) == len(disputes)
    assert np.abs(tolerated).max(initial=0) <= clearing.agreement.tolerance.amount or kinds


@pytest.fixture
def both(cleared: Callable, tmp_path: Path) -> tuple[File, File]:
    """A month's documents: of the second operator's traffic, and of the first's."""
    there, back = (
        cleared(partner_books(10_000, seed, (*SINGLE, *SYSTEMATIC)), tmp_path / str(seed)) for seed in (6, 7)
    )
    return there.told(payer=1), back.told(payer=0)


def test_settlement_of_both_directions_is_a_document(both: tuple[File, File], agreement: Agreement) -> None:
    found = settle_documents(both, agreement, *_DAYS)
    assert load_settlement(document(found)) == found
    assert document(settle_documents(both[::-1], agreement, *_DAYS)) == document(found)
    assert (found.period, found.issued, found.due) == (202610, *_DAYS[:2])
    for direction, file in zip(found.directions, both[::-1], strict=True):
        assert file.payer == direction.payer.operator
        assert direction.total == sum(int(each.amount) for each in file.traffic)
        of = [each.records for each in found.amounts if each.payer == file.payer]
        assert sum(of) == file.pairs
    amounts = [each.amount for each in found.disputes]
    assert amounts == sorted(amounts, reverse=True)
    assert found.disputed == sum(int(each.amount) for file in both for each in file.disputes)


def test_disputes_keep_numbers_and_words(both: tuple[File, File], agreement: Agreement) -> None:
    second, first = both  # the first operator's traffic comes first, whatever is given first
    found = settle_documents(both, agreement, *_DAYS)
    told = {}
    for after, file in ((0, first), (len(first.causes) + len(first.findings), second)):
        payer = agreement.party(file.payer).name
        for each in file.disputes:
            words = f"{each.words}, traffic of {payer}"
            told[after + each.number, each.claimant] = (each.kind, words, each.count, int(each.amount))
    assert told == {
        (each.number, each.claimant): (each.kind, each.words, each.count, each.amount)
        for each in found.disputes
    }
    alone = settle_documents([second], agreement, *_DAYS)
    assert [(each.number, each.words) for each in alone.disputes] == [
        (each.number, each.words) for each in second.disputes
    ]
    words = " ".join(each.words for each in found.disputes)
    assert "Skylark's" in words
    assert not re.search(r"\b(our|ours|we|their|theirs|they)\b", words)


def _source(file: File, **more: Any) -> File:
    """The document with a batch on each side."""
    given = {"chain_id": "1", "root": "0x" + "cd" * 32, **more}
    ledger = LedgerForm(given["chain_id"], "0x" + "ab" * 20)
    sides = {
        name: msgspec.structs.replace(
            getattr(file, name), batches=[BatchForm("202610", "1", "0", given["root"])], ledger=ledger
        )
        for name in ("ours", "theirs")
    }
    return msgspec.structs.replace(file, **sides)


def test_batches_of_both_documents_are_there_once(both: tuple[File, File], agreement: Agreement) -> None:
    found = settle_documents([_source(each) for each in both], agreement, *_DAYS)
    assert [(each.operator, each.region, each.root.hex()) for each in found.batches] == [
        (1, 1, "cd" * 32),
        (2, 1, "cd" * 32),
    ]
    assert (found.chain_id, found.ledger) == (1, "0x" + "ab" * 20)
    with pytest.raises(InputError, match="two roots of the batch 1-0 of operator 1"):
        settle_documents([_source(both[0]), _source(both[1], root="0x" + "ce" * 32)], agreement, *_DAYS)
    with pytest.raises(InputError, match="two ledgers"):
        settle_documents([_source(both[0]), _source(both[1], chain_id="2")], agreement, *_DAYS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda file: {"agreement": msgspec.structs.replace(file.agreement, hash="0x" + "00" * 32)},
            "version",
        ),
        (lambda file: {"period": None}, "does not say its month"),
        (lambda file: {"period": "202609"}, "202609 and 202610"),
        (lambda file: {"payer": 1}, "one direction"),
        (lambda file: {"settlement": "USD"}, "currency"),
        (lambda file: {"ours": msgspec.structs.replace(file.ours, operator=3)}, "operators"),
        (lambda file: {"theirs": msgspec.structs.replace(file.theirs, name="Skylarks")}, "operators"),
        (
            lambda file: {"traffic": [msgspec.structs.replace(file.traffic[0], route="mars")]},
            "no route 'mars'",
        ),
    ],
)
def test_documents_that_do_not_belong_together_are_refused(
    change: Callable[[File], dict[str, Any]], message: str, both: tuple[File, File], agreement: Agreement
) -> None:
    second, first = both
    changed = msgspec.structs.replace(second, **change(second))
    with pytest.raises(InputError, match=message):
        settle_documents([changed, first], agreement, *_DAYS)


def test_a_month_that_the_agreement_does_not_have_is_refused(
    both: tuple[File, File], agreement: Agreement
) -> None:
    other = [msgspec.structs.replace(file, period="202710") for file in both]
    with pytest.raises(InputError, match="2027-10 is no month of the agreement"):
        settle_documents(other, agreement, *_DAYS)


AGREEMENT = b"""
schema = "billproof/agreement/1"
name = "Two"
valid = { from = "2026-01-01", until = "2027-01-01" }
settlement = "EUR"
parties = [
  { operator = 1, name = "Meridian", currency = "EUR" },
  { operator = 2, name = "Skylark", currency = "EUR" },
]
routes = { uk = ["+44"], fr = ["+33"] }
[[models]]
name = "voice"
model = "tiers"
from = 1
services = ["voice-originated"]
routes = ["uk", "elsewhere"]
mode = "all"
tiers = [{ above = "0 min", price = "0.05" }, { above = "1000 min", price = "0.04" }]
[[models]]
name = "data"
model = "balanced"
services = ["data"]
unit = "1 GB"
balanced = "0.80"
unbalanced = "1.20"
"""


def _traffic(file: File, payer: int, *entries: tuple[str, str, int, int, int]) -> File:
    return msgspec.structs.replace(
        file,
        payer=payer,
        traffic=[
            TrafficForm(service, route, records, str(volume), str(amount))  # type: ignore[arg-type]
            for service, route, records, volume, amount in entries
        ],
    )


def test_discounts_are_beside_what_is_booked(both: tuple[File, File]) -> None:
    # Before: 900 min at 0.05 are 45. With 300 min more, 1,200 at 0.04 are 48: the month's share is 3.
    # Booked are 10 and 5 at 0.05; the 100 min to France are in no model.
    voice, fee = Service.VOICE_ORIGINATED, Service.RECURRING
    file = _traffic(
        both[0],
        1,
        ("voice-originated", "uk", 100, 12_000, 10 * NANO),
        ("voice-originated", "elsewhere", 50, 6_000, 5 * NANO),
        ("voice-originated", "fr", 50, 6_000, 7 * NANO),
        ("recurring", "elsewhere", 1, 0, 2 * NANO),
    )
    before = [Volume("2026-01", 1, voice, "uk", 900 * 60)]
    charges = charges_of([file], load_agreement(AGREEMENT), "2026-02", before)
    charge = next(each for each in charges if each.model == "voice")
    assert (charge.to_date, charge.share, charge.booked) == (48 * NANO, 3 * NANO, 15 * NANO)
    assert charge.adjustment == -12 * NANO
    assert amounts_of(file) == [Amount(1, voice, 200, 24_000, 22 * NANO), Amount(1, fee, 1, 0, 2 * NANO)]


def test_months_that_hand_on_their_volumes_come_to_the_year(both: tuple[File, File], tmp_path: Path) -> None:
    agreement = load_agreement(AGREEMENT)
    path = tmp_path / "volumes.csv"
    before: list[Volume] = []
    shares: dict[tuple[str, int], int] = {}
    nets = []
    for number, month in enumerate(("2026-01", "2026-02", "2026-03"), 1):
        files = [
            msgspec.structs.replace(
                _traffic(
                    each,
                    payer,
                    ("voice-originated", "uk", 10, 25_000 * number + payer, 20 * NANO),
                    ("voice-originated", "fr", 10, 1_000 * number, 3 * NANO),
                    ("data", "elsewhere", 5, 7_654_321_001 * number * payer, 9 * NANO),
                ),
                period=month.replace("-", ""),
                agreement=msgspec.structs.replace(each.agreement, hash="0x" + agreement.hash.hex()),
            )
            for payer, each in zip((2, 1), both, strict=True)
        ]
        found = settle_documents(files, agreement, *_DAYS, before=before)
        assert load_settlement(document(found)) == found
        for charge in found.charges:
            key = charge.model, charge.payer
            shares[key] = shares.get(key, 0) + charge.share
            assert charge.to_date == shares[key]
        nets.append(sum(each.adjustments for each in found.directions))
        path.write_bytes(volumes_csv([*before, *volumes_of(files, month)]))
        before = list(read_volumes(path, agreement))
    evaluation = evaluate(agreement, before)
    assert evaluation.months[-1] == "2026-03"
    assert shares == {
        (line.model.name, line.payer.operator): line.to_date for line in evaluation.of("2026-03")
    }
    assert len(shares) == 3
    assert sum(nets) == sum(shares.values()) - 3 * (20 + 9 + 9) * NANO
    assert {each.route for each in evaluation.uncovered} == {"fr", "uk"}  # the second operator's voice


_ANY_VOLUME = st.builds(
    Volume,
    st.sampled_from(["2026-01", "2026-02"]),
    st.sampled_from([1, 2]),
    st.sampled_from([Service.VOICE_ORIGINATED, Service.MESSAGE_SENT, Service.DATA]),
    st.sampled_from(["uk", "elsewhere"]),
    st.builds(Fraction, st.integers(0, 10**18), st.sampled_from([1, 2, 10**9])),
)


@given(volumes=st.lists(_ANY_VOLUME, max_size=8))
def test_volumes_are_written_exactly(volumes: list[Volume], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("volumes") / "volumes.csv"
    sums: dict[Any, Fraction] = {}
    for each in volumes:
        key = replace(each, volume=0)
        sums[key] = sums.get(key, Fraction(0)) + each.volume
    if any(volume >= 10**18 for volume in sums.values()):
        with pytest.raises(InputError, match="more than a file of volumes can say"):
            volumes_csv(volumes)
        return
    path.write_bytes(volumes_csv(volumes))
    read = list(read_volumes(path, load_agreement(AGREEMENT)))
    assert {replace(each, volume=0): each.volume for each in read} == {
        key: volume for key, volume in sums.items() if volume
    }
    assert len(read) == sum(volume != 0 for volume in sums.values())


def test_words_are_as_long_as_a_settlement_has_them() -> None:
    """Whose traffic it is stays, whatever comes before it."""
    ending = traffic_words("Skylark")
    assert worded("short", ending) == "short, traffic of Skylark"
    assert worded("ü" * 1000, ending) == "ü" * (1000 - len(ending)) + ending
