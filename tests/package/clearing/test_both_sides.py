"""The same books cleared by either operator: one settlement, to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billproof.bundle import cut
from billproof.clearing.agreement.agreement import Agreement, load_agreement, month_of
from billproof.clearing.books.book import Codes, load_book
from billproof.clearing.books.sides import sides_of
from billproof.clearing.clearing import clear
from billproof.clearing.document.document import document
from billproof.clearing.document.form import File
from billproof.clearing.document.turned import turned
from billproof.clearing.settlement.filling import settle_documents
from billproof.clearing.settlement.form import document as settlement_bytes
from billproof.secret_store import SecretStore
from billproof.simulate.partner_files import account_of, write_partner_files
from billproof.simulate.partner_month import PARTNERS
from billproof.simulate.partners import SINGLE, SYSTEMATIC, partner_books
from billproof.store import StoredBatch
from tests.support.partner_stores import store_of

_DAYS = ("2026-11-10", "2026-12-10", "2026-12-01")


def _cleared(
    ours: Path, theirs: Path, agreement: Agreement, *, own: int, payer: int, period: int = 202610
) -> File:
    """What operator ``own`` finds, which ``ours`` is of, of the traffic that ``payer`` hands over."""
    codes, place = Codes(), PARTNERS[own - 1].operator == payer
    paying = next(each for each in PARTNERS if each.operator == payer)
    books = []
    for path, partner in ((ours, PARTNERS[own - 1]), (theirs, PARTNERS[2 - own])):
        account = None if any(path.glob("*.parquet")) else [account_of(partner, paying)]
        books.append(load_book(path, agreement, codes, account=account, period=period))
    both = books[0], books[1]
    sides = sides_of(both, agreement, operator=own, period=period, payer=0 if place else 1)
    return document(clear(*sides.turned(both), agreement, codes), sides)


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 99),
    kinds=st.lists(st.sampled_from([*SINGLE, *SYSTEMATIC]), unique=True),
    count=st.integers(500, 3000),
)
def test_either_operator_settles_the_same_to_the_byte(
    seed: int, kinds: list[str], count: int, agreement: Agreement, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("books")
    found: dict[int, list[File]] = {1: [], 2: []}
    for payer in (1, 2):
        one, other, _ = partner_books(count, seed + payer, tuple(kinds)).write(home / str(payer))
        found[1].append(_cleared(one, other, agreement, own=1, payer=payer))
        found[2].append(_cleared(other, one, agreement, own=2, payer=payer))
    for one_finds, other_finds in zip(*found.values(), strict=True):
        told = turned(other_finds)
        assert told == one_finds
        assert turned(told) == other_finds
    made = [settlement_bytes(settle_documents(files, agreement, *_DAYS)) for files in found.values()]
    assert made[0] == made[1]


def test_a_store_and_its_proof_files_are_the_same_book(tmp_path: Path) -> None:
    files = write_partner_files(tmp_path / "files", records=3_000, period=202610, seed=4)
    agreement = load_agreement(files.agreement).in_month(month_of(202610))
    stores = {partner.operator: store_of(files, partner, tmp_path) for partner in PARTNERS}
    received = {}
    for number, store in stores.items():
        vault = SecretStore(tmp_path / f"secrets-{number}", number)
        home = received[number] = tmp_path / f"of-{number}"
        batches = sorted(path.parent for path in store.glob("**/batch.json"))
        placed = (
            (home / f"{9 - at}-{account}.json", bundle)  # the other way round than batches are
            for at, batch in enumerate(batches)
            for account, bundle in cut.bundles(StoredBatch.open(batch), vault)
        )
        list(cut.write_documents(placed))
    made = []
    for own, other in ((1, 2), (2, 1)):
        found = [_cleared(stores[own], received[other], agreement, own=own, payer=payer) for payer in (1, 2)]
        assert all(each.causes and each.disputes for each in found)
        made.append(settlement_bytes(settle_documents(found, agreement, *_DAYS)))
    assert made[0] == made[1]
