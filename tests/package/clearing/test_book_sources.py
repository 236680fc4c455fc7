"""Batches of several regions, months, currencies and clocks make one book, and stay apart in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plain_sums import agreed_pairs, book_totals, counts_by_kind

from billproof import billing_run
from billproof.billing_run import Input
from billproof.bundle import documents as doc
from billproof.bundle.cut import Cutter
from billproof.bundle.pdf import Look, print_all
from billproof.clearing.agreement.agreement import Agreement, load_agreement
from billproof.clearing.books.book import Codes, load_book
from billproof.clearing.clearing import clear
from billproof.errors import InputError
from billproof.records import Service
from billproof.secret_store import SecretStore
from billproof.simulate.partners import AGREEMENT
from billproof.store import StoredBatch

_MAPPING = """
[account]
column = "account"
[service]
value = "voice_originated"
[time]
column = "start"
zone = "{zone}"
[usage]
column = "seconds"
[number]
column = "number"
[amount]
column = "amount"
[currency]
value = "{currency}"
"""
_LEDGER = "0x" + "ab" * 20

# region, month, the region's clock, its currency; calls as its own exchange wrote them down, and in UTC
_REGIONS: list[tuple[int, int, str, str, list[tuple[str, str, str]]]] = [
    (
        0,
        202610,
        "Europe/London",  # summer time ends on the 25th: one hour off before, none after
        "GBP",
        [
            ("2026-10-05 12:00:00", "2026-10-05 11:00:00", "0.50"),
            ("2026-10-28 12:00:00", "2026-10-28 12:00:00", "0.333333333"),
        ],
    ),
    (1, 202610, "Australia/Sydney", "AUD", [("2026-10-20 00:15:00", "2026-10-19 13:15:00", "1.25")]),
    (2, 202610, "Asia/Kathmandu", "EUR", [("2026-10-31 23:59:59", "2026-10-31 18:14:59", "0.70")]),
    (0, 202611, "Europe/London", "GBP", [("2026-11-01 00:00:01", "2026-11-01 00:00:01", "0.50")]),
]
_RATES = {"EUR": Fraction(1), "GBP": Fraction("1.1834"), "AUD": Fraction("0.6017")}


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with CSV files of each region in its own time and currency, and a store of their batches."""
    home = tmp_path_factory.mktemp("regions")
    for region, period, zone, currency, calls in _REGIONS:
        mapping = home / f"{region}-{period}.toml"
        mapping.write_text(_MAPPING.format(zone=zone, currency=currency))
        file = home / f"{region}-{period}.csv"
        rows = [f"skylark,{start},60,+447700900123,{amount}\n" for start, _, amount in calls]
        rows.append(f"a subscriber,{calls[0][0]},60,+447700900123,99\n")
        file.write_text("account,start,seconds,number,amount\n" + "".join(rows))
        result = billing_run.batch(
            [Input("csv", [file], mapping)],
            operator=1,
            period=period,
            region=region,
            chain_id=31337,
            ledger=_LEDGER,
            store=home / "store",
            secrets=home / "secrets",
        )
        assert result.committed == len(rows)
    return home


@pytest.fixture(scope="module")
def rates() -> Agreement:
    return load_agreement(AGREEMENT.replace('GBP = "1.1834"', 'GBP = "1.1834"\nAUD = "0.6017"').encode())


def _expected() -> dict[str, list[tuple[int, int]]]:
    """Of each batch: UTC seconds and billionths of euros, worked out apart from the package."""
    found = {}
    for region, period, _, currency, calls in _REGIONS:
        found[f"{period}/{region}-1"] = [
            (
                int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()),
                (Fraction(amount) * _RATES[currency] * 10**9 + Fraction(1, 2)).__floor__(),
            )
            for _, utc, amount in calls
        ]
    return found


def _by_batch(book: Any, codes: Codes) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for batch, start, money in zip(book.batch, book.started_at, book.settled, strict=True):
        found.setdefault(codes.batches.texts[batch], []).append((int(start), int(money)))
    return found


def _proofs(home: Path, to: Path, account: str = "skylark", *, pdf: bool = False) -> Path:
    """A folder of that account's proof files of all regions, every other one an invoice where asked."""
    to.mkdir()
    for at, file in enumerate(sorted((home / "store").glob("**/batch.json"))):
        stored = StoredBatch.open(file.parent)
        content = Cutter(stored, SecretStore(home / "secrets", 1), [account]).bundle(account)
        name = f"{account}.{stored.id.period}.{stored.id.region}"
        if pdf and at % 2:
            for _, invoice, _ in print_all([(name, content)], Look(), None):
                (to / f"{name}.pdf").write_bytes(invoice)
        else:
            (to / f"{name}.json").write_bytes(content)
    return to


def test_a_store_of_regions_is_one_book_in_utc_and_one_currency(regions: Path, rates: Agreement) -> None:
    codes = Codes()
    book = load_book(regions / "store", rates, codes, account="skylark")
    assert _by_batch(book, codes) == _expected()
    assert {source.root for source in book.sources.values()} == {
        StoredBatch.open(file.parent).root for file in (regions / "store").glob("**/batch.json")
    }
    for code, source in book.sources.items():
        assert (source.operator, source.chain_id, source.ledger) == (1, 31337, _LEDGER)
        assert codes.batches.texts[code] == f"{source.period}/{source.region}-{source.sequence}"
        assert StoredBatch.open(source.path).id == source.id


def test_a_month_leaves_the_others_out(regions: Path, rates: Agreement) -> None:
    codes = Codes()
    book = load_book(regions / "store", rates, codes, account="skylark", period=202611)
    assert codes.batches.texts == ["0-1"]
    assert len(book) == 1
    with pytest.raises(InputError, match="Are there batches of 202612"):
        load_book(regions / "store", rates, Codes(), account="skylark", period=202612)


@pytest.mark.parametrize("pdf", [False, True])
def test_a_folder_of_proof_files_is_the_same_book(
    regions: Path, rates: Agreement, tmp_path: Path, pdf: bool
) -> None:
    codes = Codes()
    stored = load_book(regions / "store", rates, codes, account="skylark")
    proofs = load_book(_proofs(regions, tmp_path / "theirs", pdf=pdf), rates, codes)
    assert _by_batch(proofs, codes) == _expected()
    assert sorted(source.root for source in proofs.sources.values()) == sorted(
        source.root for source in stored.sources.values()
    )
    assert not set(stored.sources) & set(proofs.sources)
    found = clear(stored, proofs, rates, codes)
    assert agreed_pairs(found) == len(stored) == 5
    assert book_totals(found)[0] == book_totals(found)[1]


def test_a_folder_of_several_accounts_asks_for_one(regions: Path, rates: Agreement, tmp_path: Path) -> None:
    home = _proofs(regions, tmp_path / "theirs")
    for file in _proofs(regions, tmp_path / "more", "a subscriber").iterdir():
        file.rename(home / file.name)
    with pytest.raises(InputError, match="of the account 'skylark', another one here is of 'a subscriber'"):
        load_book(home, rates, Codes())
    assert len(load_book(home, rates, Codes(), account="skylark")) == 5
    codes = Codes()
    both = load_book(home, rates, codes, account=["skylark", "a subscriber"], period=202610)
    assert len(both) == 4 + 3
    assert len(set(both.batch.tolist())) == 6
    assert "1-1 of skylark" in codes.batches.texts
    stored = load_book(regions / "store", rates, Codes(), account=["skylark", "a subscriber"], period=202610)
    assert stored.settled.sum() == both.settled.sum()
    with pytest.raises(InputError, match="no records"):
        load_book(home, rates, Codes(), account="nobody")


def test_a_statement_is_in_a_book_once(
    regions: Path, rates: Agreement, tmp_path: Path, build: Callable
) -> None:
    home = _proofs(regions, tmp_path / "theirs")
    file = next(iter(home.iterdir()))
    (home / "again.json").write_bytes(file.read_bytes())
    with pytest.raises(InputError, match="the same statement as in"):
        load_book(home, rates, Codes())
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for at, amount in enumerate((1, 2)):
        built = build(tmp_path / str(at), [{"account": "skylark", "amount": amount}])
        (mixed / f"{at}.json").write_bytes(doc.encode(built.bundles()["skylark"]))
    with pytest.raises(InputError, match="another version of the statement as in"):
        load_book(mixed, rates, Codes())


@pytest.mark.parametrize(
    ("change", "refused"),
    [({"operator_id": 2}, "two operators, 1 and 2"), ({"ledger": "0x" + "cd" * 20}, "two ledgers")],
)
def test_batches_of_two_operators_or_ledgers_are_no_book(
    rates: Agreement, tmp_path: Path, build: Callable, change: dict[str, Any], refused: str
) -> None:
    home = tmp_path / "theirs"
    home.mkdir()
    first = build(tmp_path / "a", [{"account": "skylark"}])
    second = build(tmp_path / "b", [{"account": "skylark"}], replace(first.id, **change))
    for at, built in enumerate((first, second)):
        (home / f"{at}.json").write_bytes(doc.encode(built.bundles()["skylark"]))
    with pytest.raises(InputError, match=refused):
        load_book(home, rates, Codes())


def test_a_changed_line_and_a_broken_file_are_refused(
    regions: Path, rates: Agreement, tmp_path: Path
) -> None:
    home = _proofs(regions, tmp_path / "theirs")
    file = next(
        file for file in sorted(home.iterdir()) if ".0." in file.name or file.name.endswith(".0.json")
    )
    content = file.read_bytes()
    changed = content.replace(b'"usage": "60"', b'"usage": "61"', 1)
    assert changed != content
    file.write_bytes(changed)
    with pytest.raises(InputError, match=r"not what was committed: line 1: the line is not"):
        load_book(home, rates, Codes())
    file.write_bytes(content.replace(b'"usage": "60"', b'"usage": 60', 1))
    with pytest.raises(InputError, match=rf"{file.name}.*Expected `str`"):
        load_book(home, rates, Codes())
    (home / "book.parquet").write_bytes(b"")
    with pytest.raises(InputError, match="Parquet files and proof files in one folder"):
        load_book(home, rates, Codes())


def test_an_amendment_stands_beside_what_it_corrects_as_a_credit(
    rates: Agreement, tmp_path: Path, build: Callable
) -> None:
    """Its lines say by how much: nothing is counted twice, and a correction is no call."""
    charged = {"account": "skylark", "amount": 500, "number": "+447700900123"}
    first = build(tmp_path, [charged, {**charged, "started_at": 1_790_940_000}])
    corrected = bytes.fromhex(first.bundles()["skylark"].records[0].hash[2:])
    build(
        tmp_path,
        [{**charged, "amount": -200, "corrects": corrected}],
        replace(first.id, sequence=2),
        amends=1,
    )
    codes = Codes()
    book = load_book(tmp_path / "store", rates, codes, account="skylark")
    assert codes.batches.texts == ["0-1", "0-2"]
    assert int(book.settled.sum()) == 800
    assert book.service.tolist() == [1, 1, Service.CREDIT]
    plain = load_book(first.stored.path, rates, codes, account="skylark")
    found = clear(book, plain, rates, codes)
    assert agreed_pairs(found) == 2
    assert {kind: count for kind, count in counts_by_kind(found).items() if count} == {"missing": 1}
    assert agreed_pairs(clear(book, book, rates, codes)) == 3
    assert np.array_equal(book.row, [0, 1, 0])
