"""`billproof agreement settlement`: a document checked, and made into what people read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from commands import Run, run

from billproof.clearing.agreement.agreement import Party, Rounding
from billproof.clearing.settlement.form import document, document_hash
from billproof.clearing.settlement.settlement import Amount, Charge, Settlement, Year
from billproof.records import Service

__all__ = ["run"]

SETTLEMENT = Settlement(
    agreement="Two",
    agreement_hash=bytes(32),
    parties=(Party(1, "Meridian", "EUR"), Party(2, "Skylark", "EUR")),
    currency="EUR",
    exchange={},
    rounding=Rounding(),
    period=202603,
    issued="2026-04-10",
    due="2026-05-10",
    amounts=(Amount(1, Service.DATA, 1, 1, 12_345_000_000),),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settlement.json"
    path.write_bytes(document(SETTLEMENT))
    return path


def test_says_who_pays_and_what_is_signed(run: Run, file: Path) -> None:
    result = run("agreement", "settlement", file)
    assert result.code == 0
    assert result.out.startswith("✓ It adds up: Meridian pays Skylark 12.35 EUR")
    assert document_hash(file.read_bytes()).hex() in result.out
    told = run("agreement", "settlement", file, "--json").json
    assert told["net"] == {"from": 1, "to": 2, "amount": "12.35", "currency": "EUR"}
    assert told["hash"] == "0x" + document_hash(file.read_bytes()).hex()


def test_makes_workbook_and_pages_once(run: Run, file: Path, tmp_path: Path) -> None:
    xlsx, pdf = tmp_path / "s.xlsx", tmp_path / "s.pdf"
    words = ("agreement", "settlement", file, "--xlsx", xlsx, "--pdf", pdf)
    assert run(*words).code == 0
    before = xlsx.read_bytes(), pdf.read_bytes()
    assert (before[0][:4], before[1][:5]) == (b"PK\x03\x04", b"%PDF-")
    again = run(*words)
    assert again.code == 2
    assert "is there already" in again.err
    assert run(*words, "--force").code == 0
    assert (xlsx.read_bytes(), pdf.read_bytes()) == before


def test_refuses_what_does_not_add_up(run: Run, file: Path) -> None:
    file.write_bytes(document(SETTLEMENT).replace(b"12350000000", b"12340000000"))
    result = run("agreement", "settlement", file)
    assert result.code == 2
    assert f"{file}:3:net: does not add up" in result.err


def test_refuses_other_bytes_of_the_same_settlement(run: Run, file: Path) -> None:
    file.write_bytes(document(SETTLEMENT).replace(b"  ", b" "))
    result = run("agreement", "settlement", file)
    assert result.code == 2
    assert "is not written as settlements are" in result.err


def test_refuses_a_file_that_is_not_there(run: Run, tmp_path: Path) -> None:
    assert run("agreement", "settlement", tmp_path / "none.json").code == 2


def test_says_which_months_have_no_volumes(run: Run, tmp_path: Path) -> None:
    charge = Charge(1, "data", 5, 5, 0, 0, 5)
    file = tmp_path / "year.json"
    for missing, said in (((202602,), True), ((), False)):
        year = Year((202601, 202603) if missing else (202603,), missing)
        file.write_bytes(document(replace(SETTLEMENT, charges=(charge,), year=year)))
        result = run("agreement", "settlement", file)
        assert (result.code, "no volumes of  2026-02" in result.out) == (0, said), result.err
