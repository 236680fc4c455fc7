"""What is settled adds up; JSON, workbook and paper say the same; what strangers write stays text."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Callable
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billproof.clearing.agreement.agreement import load_agreement
from billproof.clearing.books.book import NO_USAGE
from billproof.clearing.discounts.year import Volume, evaluate
from billproof.clearing.settlement.form import document, document_hash, json_schema
from billproof.clearing.settlement.pdf import paper
from billproof.clearing.settlement.reading import SettlementError, load_settlement
from billproof.clearing.settlement.settlement import (
    Amount,
    BatchReference,
    Charge,
    Dispute,
    Settlement,
    Year,
    settle,
)
from billproof.clearing.settlement.tables import facts, rate_words
from billproof.clearing.settlement.xlsx import workbook
from billproof.records import NANO, Service

AGREEMENT = b"""
schema = "billproof/agreement/1"
name = "Meridian and Skylark"
valid = { from = "2026-01-01", until = "2027-01-01" }
settlement = "EUR"
parties = [
  { operator = 2, name = "Skylark", currency = "GBP" },
  { operator = 1, name = "Meridian", currency = "EUR" },
]
exchange = { GBP = "1.1834" }
[[models]]
name = "voice"
model = "tiers"
from = 1
services = ["voice-originated"]
mode = "incremental"
tiers = [{ above = "0 min", price = "0.05" }, { above = "1000 min", price = "0.04" }]
"""


@pytest.fixture(scope="module")
def settlement() -> Settlement:
    """Meridian: 1,500 min booked at 0.05 are 75; the model makes 70 of them. Skylark: 12.345 of data."""
    agreement = load_agreement(AGREEMENT)
    traffic = Volume("2026-03", 1, Service.VOICE_ORIGINATED, "elsewhere", 1500 * 60)
    (line,) = evaluate(agreement, [traffic]).of("2026-03")
    return settle(
        agreement,
        202603,
        "2026-04-10",
        "2026-05-10",
        amounts=[
            Amount(2, Service.DATA, 40, 9_000_000, 12_345_000_000),
            Amount(1, Service.VOICE_ORIGINATED, 500, 90_000, 75 * NANO),
        ],
        charges=[Charge.of(line, booked=75 * NANO)],
        disputes=[
            Dispute(
                2, "duration", "Skylark counts 2 s more on every call", 2, 1, 300, 1_500_000_000, "2026-05-01"
            ),
            Dispute(1, "unit", '=HYPERLINK("http://x.example")', 1, 2, 20, 4 * NANO, "2026-05-01"),
        ],
        batches=[
            BatchReference(2, 202603, 1, 0, bytes([2]) * 32),
            BatchReference(1, 202603, 7, 1, bytes([1]) * 32),
        ],
        ledger=(1, "0x" + "ab" * 20),
        year=Year((202601, 202603), (202602,)),
    )


def test_adds_up(settlement: Settlement) -> None:
    one, other = settlement.directions
    assert (one.payer.name, one.records, one.adjustments, one.total) == (
        "Meridian",
        75 * NANO,
        -5 * NANO,
        70 * NANO,
    )
    assert (other.payer.name, other.total) == ("Skylark", 12_345_000_000)
    # 70 − 12.345 = 57.655, half up: 57.66.
    assert (settlement.net.payer.name, settlement.net.payee.name) == ("Meridian", "Skylark")
    assert settlement.net.amount == 57_660_000_000
    assert settlement.disputed == 5_500_000_000


def test_the_other_way_round_and_nothing(settlement: Settlement) -> None:
    back = dataclasses.replace(settlement, amounts=settlement.amounts[1:], charges=(), year=None)
    assert (back.net.payer.name, back.net.amount) == ("Skylark", 12_350_000_000)
    nothing = dataclasses.replace(settlement, amounts=(), charges=(), year=None)
    assert (nothing.net.payer.operator, nothing.net.amount) == (1, 0)
    assert facts(nothing)[0][0] == "Nothing is to be paid"


def test_months_of_the_year_are_among_the_facts(settlement: Settlement) -> None:
    told = dict(facts(settlement))
    assert told["Year to date, months"] == "2026-01, 2026-03"
    assert told["Taken as without traffic"] == "2026-02"
    whole = dict(facts(dataclasses.replace(settlement, year=Year((202603,), ()))))
    assert "Taken as without traffic" not in whole


def test_everything_is_money_first(settlement: Settlement) -> None:
    assert [each.amount for each in settlement.amounts] == [75 * NANO, 12_345_000_000]
    assert [each.number for each in settlement.disputes] == [1, 2]
    assert [each.operator for each in settlement.batches] == [1, 2]


def test_document_begins_with_the_money_and_is_read_back(settlement: Settlement) -> None:
    content = document(settlement)
    tree = json.loads(content)
    assert list(tree)[:2] == ["schema", "net"]
    assert tree["net"] == {"payer": 1, "payee": 2, "amount": "57660000000"}
    assert tree["exchange"] == {"EUR": "1", "GBP": "5917/5000"}
    assert tree["charges"][0]["adjustment"] == "-5000000000"
    assert tree["ledger"] == {"chainId": "1", "address": "0x" + "ab" * 20}
    assert load_settlement(content) == settlement
    assert document(load_settlement(content)) == content
    assert len(document_hash(content)) == 32


def test_document_fits_its_published_schema(settlement: Settlement) -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    tree = json.loads(document(settlement))
    jsonschema.validate(tree, schema)
    for broken in ({"period": "2026-03"}, {"net": {"payer": 1}}, {"surplus": 1}, {"round": 0}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**tree, **broken}, schema)


#: What is written instead of what → key, and what the message says.
TAMPERED = {
    "net": ('"amount": "57660000000"', '"amount": "57650000000"', "net", "does not add up"),
    "net turned round": (
        '"payer": 1,\n    "payee": 2',
        '"payer": 2,\n    "payee": 1',
        "net",
        "does not add up",
    ),
    "amount": ('"amount": "75000000000"', '"amount": "74000000000"', "net", "does not add up"),
    "direction": ('"total": "70000000000"', '"total": "71000000000"', "directions[1]", "does not add up"),
    "adjustment": (
        '"adjustment": "-5000000000"',
        '"adjustment": "-4000000000"',
        "charges[1]",
        "does not add up",
    ),
    "fraction of a billionth": ('"75000000000"', '"75000000000.5"', "directions[1].records", "will not do"),
    "number for text": ('"amount": "57660000000"', '"amount": 57660000000', "net.amount", "must be text"),
    "stranger": ('"claimant": 2', '"claimant": 3', "disputes[2].claimant", "is no party"),
    "service": ('"service": "data"', '"service": "date"', "amounts[2].service", "'date' is unknown"),
    "cause twice": (
        '"number": 2',
        '"number": 1,\n      "kind": "unit",\n      "words": "-",\n      "claimant": 1,\n      "payer": 2,\n'
        '      "count": 1,\n      "amount": "0",\n'
        '      "deadline": "2026-05-01"\n    },\n    {\n      "number": 2',
        "disputes[2]",
        "is there twice",
    ),
    "no day": ('"due": "2026-05-10"', '"due": "2026-02-30"', "due", "there is no day"),
    "parties turned round": (
        '"operator": 1,\n      "name": "Meridian"',
        '"operator": 3,\n      "name": "Meridian"',
        "parties[2].operator",
        "is not above the first",
    ),
    "rate not in lowest terms": ('"5917/5000"', '"11834/10000"', "exchange.GBP", "not in lowest terms"),
    "rate over 0": ('"5917/5000"', '"5917/0"', "exchange.GBP", "will not do"),
    "root": ('"0x0101', '"0x01', "batches[1].root", "will not do"),
    "month twice": ('"missing": [\n      "202602"', '"missing": [\n      "202601"', "year", "each once"),
    "month left out": (
        '"missing": [\n      "202602"\n    ]',
        '"missing": []',
        "year",
        "is not of the months up to",
    ),
    "month after": ('"202601",\n      "202603"', '"202601",\n      "202604"', "year", "up to 202603"),
    "months out of order": (
        '"202601",\n      "202603"',
        '"202603",\n      "202601"',
        "year.covered",
        "is not in order",
    ),
    "another traffic's payer": (
        '"payer": 1,\n      "count"',
        '"payer": 3,\n      "count"',
        "disputes[2].payer",
        "no party",
    ),
    "continues": (
        '"kind": "undisputed"',
        '"kind": "undisputed", "continues": "0x' + "ab" * 32 + '"',
        "continues",
        "continues should not be there",
    ),
    "volumes": (
        '"kind": "undisputed"',
        '"kind": "undisputed", "volumes": "accepted claims add none to the year to date"',
        "volumes",
        "volumes should not be there",
    ),
    "kind": ('"kind": "undisputed"', '"kind": "disputed"', "", "continues is missing"),
    "unknown key": ('"kind": "undisputed"', '"kind": "undisputed", "vat": "0"', "vat", "is not a key"),
    "key missing": ('  "currency": "EUR",\n  "kind"', '  "kind"', "", "currency is missing"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_refuses_what_was_changed(settlement: Settlement, case: str) -> None:
    what, instead, key, message = TAMPERED[case]
    text = document(settlement).decode()
    assert what in text
    with pytest.raises(SettlementError) as caught:
        load_settlement(text.replace(what, instead, 1).encode(), name="settlement.json")
    error = caught.value
    assert message in error.message
    assert (error.file, error.field or "") == ("settlement.json", key)
    assert error.line
    assert error.advice


# The workbook.

_XML = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def cells_of(content: bytes) -> dict[str, dict[str, Any]]:
    """Sheet → cell → text or number; fails for a formula."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        strings = [
            "".join(part.text or "" for part in item.iter(f"{_XML}t"))
            for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))  # noqa: S314
        ]
        names = [
            str(sheet.get("name"))
            for sheet in ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{_XML}sheet")  # noqa: S314
        ]
        found: dict[str, dict[str, Any]] = {}
        for number, name in enumerate(names, 1):
            tree = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))  # noqa: S314
            assert not list(tree.iter(f"{_XML}f")), "a formula"
            assert not list(tree.iter(f"{_XML}hyperlink")), "a link"
            found[name] = {}
            for cell in tree.iter(f"{_XML}c"):
                value = cell.findtext(f"{_XML}v") or ""
                found[name][str(cell.get("r"))] = (
                    strings[int(value)] if cell.get("t") == "s" else float(value)
                )
    return found


def test_workbook_says_the_same(settlement: Settlement) -> None:
    content = document(settlement)
    cells = cells_of(workbook(settlement, document_hash(content)))
    assert list(cells) == ["Settlement", "Agreed traffic", "Discount models", "Disputed", "Batches"]
    assert cells["Settlement"]["A1"] == "Meridian pays Skylark"
    assert cells["Settlement"]["B1"] == 57.66
    assert "0x" + document_hash(content).hex() in cells["Settlement"].values()
    assert [cells["Agreed traffic"][f"{column}2"] for column in "ABCDEF"] == [
        75.0,
        "Meridian",
        "voice-originated",
        500.0,
        90_000.0,
        "seconds",
    ]
    assert [cells["Discount models"][f"{column}2"] for column in "ABCDEFGH"] == [
        -5.0,
        "Meridian",
        "voice",
        70.0,
        75.0,
        70.0,
        0.0,
        0.0,
    ]
    assert cells["Disputed"]["A4"] == 5.5
    assert cells["Batches"]["E2"] == "0x" + "01" * 32


def test_rates_are_told_as_they_are_quoted() -> None:
    quoted = {"5917/5000": "1.1834", "5000/5421": "1/1.0842", "3/7": "3/7", "1/1000000": "0.000001"}
    assert {rate: rate_words(Fraction(rate)) for rate in quoted} == quoted
    assert rate_words(Fraction(110)) == "110"


def test_workbook_is_printed_on_pages_as_wide_as_its_sheets(settlement: Settlement) -> None:
    with zipfile.ZipFile(io.BytesIO(workbook(settlement, bytes(32)))) as book:
        for number in range(1, 6):
            page = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))  # noqa: S314
            setup = next(page.iter(f"{_XML}pageSetup"))
            assert (setup.get("orientation"), setup.get("paperSize")) == ("landscape", "9")
            assert setup.get("fitToHeight") == "0"
            assert next(page.iter(f"{_XML}pageSetUpPr")).get("fitToPage") == "1"


def test_workbook_has_no_formula_whatever_the_other_side_writes(settlement: Settlement) -> None:
    hostile = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        " =1",
        "=cmd|' /C calc'!A0",
        "＝1",
        "http://x.example",
        "{=1}",
    ]
    disputes = tuple(
        Dispute(number, "unit", words, 1, 2, 1, 1, "2026-05-01") for number, words in enumerate(hostile, 1)
    )
    named = dataclasses.replace(settlement.parties[0], name="=2+5")
    spoilt = dataclasses.replace(settlement, disputes=disputes, parties=(named, settlement.parties[1]))
    content = workbook(spoilt, bytes(32))
    words = [cells_of(content)["Disputed"][f"G{row}"] for row in range(2, 2 + len(hostile))]
    assert [text.strip() for text in words] == [text.strip() for text in hostile]
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        styles = ElementTree.fromstring(book.read("xl/styles.xml"))  # noqa: S314
        page = ElementTree.fromstring(book.read("xl/worksheets/sheet4.xml"))  # noqa: S314
    formats = next(styles.iter(f"{_XML}cellXfs"))
    quoted = {str(place) for place, each in enumerate(formats) if each.get("quotePrefix") == "1"}
    style = {str(cell.get("r")): cell.get("s") for cell in page.iter(f"{_XML}c")}
    assert all(style[f"G{row}"] in quoted for row in range(2, 10))
    assert style["G10"] not in quoted


def test_workbook_says_large_amounts_exactly(settlement: Settlement) -> None:
    large = Amount(1, Service.DATA, 1, 1, 123_456_789_012_345_678_901)
    cells = cells_of(workbook(dataclasses.replace(settlement, amounts=(large,)), bytes(32)))
    assert cells["Agreed traffic"]["A2"] == "123456789012.345678901"


def test_a_credit_makes_no_less_of_what_is_open(settlement: Settlement) -> None:
    debt = Dispute(1, "rate", "dearer", 1, 2, 2, 7 * NANO, "2026-05-01")
    credit = dataclasses.replace(debt, count=3, amount=-5 * NANO)
    open_ = dataclasses.replace(settlement, disputes=(debt, credit))
    assert open_.disputed == 12 * NANO
    content = document(open_)
    assert load_settlement(content) == open_
    assert load_settlement(content).disputes[1].amount == -5 * NANO
    cells = cells_of(workbook(open_, bytes(32)))["Disputed"]
    assert [cells[f"C{row}"] for row in (2, 3)] == ["debt", "credit"]
    assert [float(cells[f"A{row}"]) for row in (2, 3, 4)] == [7, 5, 12]
    twice = dataclasses.replace(settlement, disputes=(debt, credit, credit))
    with pytest.raises(SettlementError, match="there twice"):
        load_settlement(document(twice))


# The pages.


def test_no_heading_stands_alone_at_the_foot_of_a_page(settlement: Settlement) -> None:
    """However many rows stand above it, every heading (in 10 points) has some of its table on its page."""
    for rows in range(20, 60):
        amounts = tuple(Amount(1, Service.DATA, 1, 1, number) for number in range(1, rows))
        made = paper(dataclasses.replace(settlement, amounts=amounts), bytes(32))
        with pikepdf.open(io.BytesIO(made)) as pdf:
            for page in pdf.pages:
                drawn = pikepdf.parse_content_stream(page)
                sizes = [float(each.operands[1]) for each in drawn if str(each.operator) == "Tf"]
                assert 10 not in sizes[-4:]


def test_paper_has_as_many_pages_as_it_needs(settlement: Settlement) -> None:
    short = dataclasses.replace(settlement, batches=())
    with pikepdf.open(io.BytesIO(paper(short, bytes(32)))) as pdf:
        assert len(pdf.pages) == 1
    words = "<b>not bold</b> & \x1b[31m " + "x" * 900 + " <para>"
    disputes = tuple(Dispute(number, "unit", words, 1, 2, 1, 1, "2026-05-01") for number in range(60))
    with pikepdf.open(
        io.BytesIO(paper(dataclasses.replace(settlement, disputes=disputes), bytes(32)))
    ) as pdf:
        assert len(pdf.pages) > 5


@pytest.mark.parametrize("make", [workbook, paper])
def test_the_same_settlement_gives_the_same_bytes(
    settlement: Settlement, make: Callable[[Settlement, bytes], bytes]
) -> None:
    again = load_settlement(document(settlement))
    assert make(settlement, bytes(32)) == make(again, bytes(32))
    assert make(settlement, bytes(32)) != make(dataclasses.replace(settlement, round=2), bytes(32))


# What holds for any numbers.

MONEY = st.integers(-(10**15), 10**15)
PAYER = st.sampled_from([1, 2])


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(PAYER, st.sampled_from(list(Service)), MONEY), unique_by=lambda each: each[:2], max_size=12
    ),
    st.lists(st.tuples(PAYER, MONEY, MONEY), max_size=4),
    st.sampled_from(["up", "down", "half-up", "half-even"]),
    st.integers(0, 9),
)
def test_documents_come_back_as_they_were(
    amounts: list[tuple[int, Service, int]], charges: list[tuple[int, int, int]], mode: str, decimals: int
) -> None:
    agreement = load_agreement(AGREEMENT + f'[rounding]\nmode = "{mode}"\ndecimals = {decimals}\n'.encode())
    drawn = settle(
        agreement,
        202603,
        "2026-04-10",
        "2026-05-10",
        amounts=[
            Amount(payer, service, 1, int(service < NO_USAGE), amount) for payer, service, amount in amounts
        ],
        charges=[
            Charge(payer, f"model {number}", abs(share), share, 0, 0, booked)
            for number, (payer, share, booked) in enumerate(charges)
        ],
        year=Year((202603,), (202601, 202602)) if charges else None,
    )
    assert load_settlement(document(drawn)) == drawn
    left = sum(each.total * sign for each, sign in zip(drawn.directions, (1, -1), strict=True))
    net = drawn.net.amount * (1 if drawn.net.payer.operator == 1 else -1)
    assert abs(Fraction(net - left)) < 10 ** (9 - decimals)
    assert drawn.net.amount % 10 ** (9 - decimals) == 0
