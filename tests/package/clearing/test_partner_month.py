"""A month between two operators, from the CDR files of both: what is labelled is found, to the last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from billproof.clearing.agreement.agreement import load_agreement
from billproof.clearing.books.book import Codes, load_book
from billproof.clearing.books.sides import sides_of
from billproof.clearing.clearing import clear
from billproof.clearing.document.document import document
from billproof.clearing.document.form import tree_of
from billproof.simulate.partner_files import PartnerFiles, account_of, write_partner_files
from billproof.simulate.partner_month import MERIDIAN, PARTNERS, SKYLARK, Partner
from tests.support.partner_stores import store_of


def cleared(files: PartnerFiles, stores: tuple[Path, Path], payer: Partner) -> dict[str, Any]:
    """One direction, as Meridian clears it."""
    agreement, codes = load_agreement(files.agreement), Codes()
    books = tuple(
        load_book(store, agreement, codes, account=[account_of(partner, payer)])
        for store, partner in zip(stores, PARTNERS, strict=True)
    )
    ours, theirs = books
    sides = sides_of((ours, theirs), agreement, payer=PARTNERS.index(payer))
    return tree_of(document(clear(*sides.turned((ours, theirs)), agreement, codes), sides))


@pytest.mark.parametrize(
    ("period", "records", "seed"), [(202610, 5_000, 1), (202602, 2_000, 2), (202603, 3_000, 3)]
)
def test_what_is_labelled_is_found(period: int, records: int, seed: int, tmp_path: Path) -> None:
    files = write_partner_files(tmp_path / "files", records=records, period=period, seed=seed)
    stores = store_of(files, MERIDIAN, tmp_path), store_of(files, SKYLARK, tmp_path)
    expected = json.loads(files.expected.read_text())
    for payer, wanted in zip(PARTNERS, expected["directions"], strict=True):
        found = cleared(files, stores, payer)
        assert found["payer"] == wanted["from"]
        keys = ("kind", "dimension", "value", "count", "money")
        assert by_key(found["causes"], keys) == by_key(wanted["causes"], keys)
        holders = {"ours": 1, "theirs": 2, "both": None}
        singles = [{**one, "holder": holders[one["side"]]} for one in found["findings"]]
        keys = ("kind", "holder", "count", "money")
        assert by_key(singles, keys) == by_key(wanted["findings"], keys)
        keys = ("service", "route", "records", "volume", "amount")
        assert by_key(found["traffic"], keys) == by_key(wanted["undisputed"], keys)


def by_key(entries: list[dict[str, Any]], keys: tuple[str, ...]) -> list[list[str]]:
    """What is compared of some entries, in any order."""
    return sorted([str(entry[key]) for key in keys] for entry in entries)
