"""Files against the control totals of ``simulation.json``, by readers of their own."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

import pytest

from billproof.simulate import FORMATS, simulate

CLOSING = ["TAX", "ROUND"]


def test_control_totals_are_what_the_files_add_up_to(everything, document, read_rows):
    summary = document(everything)
    assert summary["schema"] == "billproof/simulation/1"
    total = 0
    for operator in summary["operators"]:
        for file in operator["files"]:
            rows = read_rows(everything.out / file["path"], file["format"])
            assert len(rows) == file["records"] == file["rows"]
            assert file["totals"] == {"EUR": f"{sum(row.amount for row in rows):.9f}"}
            total += len(rows)
        for name, figures in operator["formats"].items():
            files = [file for file in operator["files"] if file["format"] == name]
            assert figures["records"] == sum(file["records"] for file in files)
            assert Decimal(figures["totals"]["EUR"]) == sum(Decimal(file["totals"]["EUR"]) for file in files)
            rows = [row for file in files for row in read_rows(everything.out / file["path"], name)]
            assert figures["accounts"] == len({row.account for row in rows})
    assert total == summary["records"] == everything.records


def test_every_format_has_records_and_a_mapping(everything):
    for operator in everything.operators:
        for name in FORMATS:
            assert sum(file.records for file in operator.in_format(name)) > 100
            assert (everything.out / operator.in_format(name)[0].mapping).is_file()


def test_each_row_lies_in_the_period_by_the_local_clock(everything, read_rows):
    for operator in everything.operators:
        for file in operator.files:
            for row in read_rows(everything.out / file.path, file.format):
                assert (row.local.year, row.local.month) == (2026, 10)


def test_amounts_and_usage_are_of_the_right_sign(everything, read_rows):
    for operator in everything.operators:
        for file in operator.files:
            for row in read_rows(everything.out / file.path, file.format):
                traffic = row.kind not in ("FEE", "ONCE", "DISC", "TAX", "CRED", "ROUND")
                assert row.usage >= 1 if traffic else row.usage == 0
                assert row.billed >= row.usage
                if row.kind in ("DISC", "CRED"):
                    assert row.amount < 0
                elif row.kind == "ROUND":
                    assert abs(row.amount) <= Decimal("0.005")
                else:
                    assert row.amount >= 0


def test_tax_closes_each_account_to_the_billionth(everything, read_rows):
    """Over all files of an account: tax on the sum of the other lines, total in whole cents."""
    for operator in everything.operators:
        accounts = defaultdict(list)
        for file in operator.files:
            for row in read_rows(everything.out / file.path, file.format):
                accounts[row.account].append(row)
        assert len(accounts) == operator.accounts
        for rows in accounts.values():
            net = sum(row.amount for row in rows if row.kind not in CLOSING)
            tax = [row.amount for row in rows if row.kind == "TAX"]
            assert tax == [(net * 23 / 100).quantize(Decimal("1e-9"), ROUND_HALF_UP)]
            total = sum(row.amount for row in rows)
            assert total == total.quantize(Decimal("0.01"))


def test_tax_and_rounding_are_the_last_lines_of_each_account(rated, read_rows):
    rows = read_rows(rated.out / rated.operators[0].files[0].path, "csv")
    kinds = defaultdict(list)
    for row in rows:
        kinds[row.account].append((row.local, row.kind))
    for lines in kinds.values():
        assert [kind for _, kind in lines[-2:]] == CLOSING
        assert [at for at, _ in lines] == sorted(at for at, _ in lines)


def test_services_are_spread_without_overlap(everything, read_rows):
    """Voice of a subscriber stands in one switch; csv has what switches cannot carry."""
    for operator in everything.operators:
        homes = defaultdict(set)
        for file in operator.files:
            for row in read_rows(everything.out / file.path, file.format):
                if row.kind == "MOC" and row.raw.get("network", "").startswith("999-7"):
                    assert file.format == "csv"
                elif row.kind == "MOC":
                    homes[row.account].add(file.format)
        assert all(len(formats) == 1 for formats in homes.values())
        assert {"csv"} not in homes.values()


def test_asterisk_is_billed_by_the_second(everything, read_rows):
    for operator in everything.operators:
        (file,) = operator.in_format("asterisk")
        for row in read_rows(everything.out / file.path, "asterisk"):
            assert row.raw["3"].split("/")[0] in ("second", "flat", "starter", "connect")


def test_numbers_are_fictional(everything, read_rows):
    fictional = re.compile(
        r"|\+3532091\d{5}|\+447700900\d{3}|\+442079460\d{3}|\+3363998\d{4}|\+1\d{3}55501\d\d|\+6125550\d{4}"
        r"|171|1747|57\d{3}"
    )
    for operator in everything.operators:
        for file in operator.files:
            for row in read_rows(everything.out / file.path, file.format):
                assert fictional.fullmatch(row.number), row.number


def test_enrolment_lists_every_account_with_holders_of_three_kinds(rated):
    operator = rated.operators[0]
    with (rated.out / operator.enrolment).open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len({row["account"] for row in rows}) == operator.accounts
    holders = [row["holder"] for row in rows]
    given = [holder for holder in holders if holder]
    assert 0 < len(given) < len(holders)
    assert len(set(given)) == len(given)
    assert all(re.fullmatch("0x[0-9a-fA-F]{40}", holder) for holder in given)
    mixed = [holder for holder in given if holder != holder.lower()]
    assert 0 < len(mixed) < len(given)
    address = pytest.importorskip("eth_utils").to_checksum_address
    assert all(holder == address(holder) for holder in mixed)


def test_large_files_roll_over(tmp_path, monkeypatch, document, read_rows):
    monkeypatch.setattr("billproof.simulate.output.BYTES_PER_FILE", 20_000)
    monkeypatch.setattr("billproof.simulate.run.BLOCK_RECORDS", 500)
    simulation = simulate(
        tmp_path, operators=1, subscribers=60, period=202609, seed=1, formats=["csv", "ipdr-xml"]
    )
    for name in simulation.formats:
        files = simulation.operators[0].in_format(name)
        assert len(files) > 1
        for file in files:
            rows = read_rows(tmp_path / file.path, name)
            assert len(rows) == file.records
            assert sum(row.amount for row in rows) * 10**9 == file.amount
            if name == "ipdr-xml":
                assert f'<IPDRDoc.End count="{len(rows)}"' in (tmp_path / file.path).read_text()
