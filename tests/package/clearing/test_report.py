"""The report of a clearing: everything adds up, bars are as long as the money, and it is safe to open."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from clear_documents import CHARGES, KINDS, LEFT, Row, both, document, settlement, some_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from page_tree import text_of, tree_of
from report_reader import NANO, Report

from billproof.clearing.document.form import File
from billproof.clearing.report.figures import Currency, exact
from billproof.clearing.report.page import html_report
from billproof.clearing.settlement import form as settlement_form
from billproof.clearing.settlement.settlement import Charge, Year

HOSTILE = "</title></style><script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e&amp;"
FORMULA = "=HYPERLINK(1)"
ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "main", "header", "section", "h1", "h2", "h3", "h4"),
    *("p", "dl", "div", "dt", "dd", "ul", "li", "table", "caption", "thead", "tbody", "tfoot", "tr", "th"),
    *("td", "data", "small", "code", "details", "summary", "svg", "defs", "stop", "desc", "rect", "line"),
    *("text", "lineargradient"),
}


def test_documents_made_by_hand_are_documents() -> None:
    for one in both():
        msgspec.convert(one, File)


def test_months_without_volumes_are_named() -> None:
    found = settlement(both(), CHARGES)
    for missing in ((202609,), ()):
        page = html_report(both(), replace(found, year=Year((202608, 202610), missing)))
        assert ("take 2026-09 as months without traffic" in page) == bool(missing)


def test_it_needs_nothing_else_and_runs_nothing() -> None:
    page = html_report(both(), settlement(both(), CHARGES))
    tree = tree_of(page)
    assert {one.tag for one in tree.iter()} <= ELEMENTS
    style = tree.findtext("head/style") or ""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = (
        one.attrib["content"]
        for one in tree.iter("meta")
        if one.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.split("; ")[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]
    for one in tree.iter():
        assert not {name for name in one.attrib if name.startswith("on") or name in ("style", "href", "src")}
    assert set(re.findall(r"url\(([^)]*)\)", style)) == {"#hatch"}
    assert "@import" not in style
    assert tree.find(".//*[@id='hatch']") is not None


def test_charts_are_told_in_words_and_stand_beside_their_tables() -> None:
    report = Report(html_report(both(), settlement(both(), CHARGES)))
    ids = [one.attrib["id"] for one in report.tree.iter() if "id" in one.attrib]
    assert len(set(ids)) == len(ids)
    for one in report.tree.iter():
        for name in one.get("aria-labelledby", "").split():
            assert name in ids
    charts = [one for one in report.tree.iter("svg") if one.get("role") == "img"]
    assert len(charts) == 2 + 2 * 5
    for one in charts:
        assert [child.tag for child in one][:2] == ["title", "desc"]
        assert one.findtext("title")
        assert one.findtext("desc")
    for section in report.tree.iter("section"):
        assert section.find(".//table") is not None
    labels = [one.attrib["aria-label"] for one in report.tree.iter("div") if "aria-label" in one.attrib]
    assert len(set(labels)) == len(labels)
    levels = [int(one.tag[1]) for one in report.tree.iter() if re.fullmatch("h[1-6]", one.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_a_shortfall_is_no_discount_and_is_of_the_year() -> None:
    words = text_of(Report(html_report(both(), settlement(both(), CHARGES))).tree)
    assert "Discounts: mobile share of the month 1,000.00, less booked 1,300.00" in words
    short = "share of the month 500.00, less booked 200.00; short of the commitment, year to date: 300.00"
    assert f"Commitment: data, both ways {short}" in words


def test_the_headline_is_the_money() -> None:
    documents = both()
    agreed = settlement(documents, CHARGES)
    report = Report(html_report(documents, agreed))
    one, other = agreed.directions
    net = exact(agreed.net.amount, 2)
    assert text_of(report.tree.find(".//h1")) == f"Skylark pays Meridian {net} EUR"
    assert agreed.net.amount == pytest.approx(abs(one.total - other.total), abs=NANO // 200)
    facts = text_of(report.tree.find(".//header"))
    assert "30 November 2026" in facts
    assert "Open until 15 December 2026" in facts
    hashed = settlement_form.document_hash(settlement_form.document(agreed)).hex()
    assert hashed in text_of(report.tree)


def test_without_a_settlement_the_difference_is() -> None:
    one, other = both()
    difference = exact(round(abs(int(one["difference"])), -7), 2)
    assert text_of(Report(html_report([one])).tree.find(".//h1")) == f"{difference} EUR between the books"
    report = Report(html_report([one, other]))
    said = text_of(report.tree.find(".//h1"))
    assert re.fullmatch("[0-9.,]+ EUR of Meridian's traffic and [0-9.,]+ EUR of Skylark's .*books", said)
    assert "Due" not in text_of(report.tree.find(".//header"))
    rows = report.rows("Skylark owes Meridian for its traffic")
    assert [row[0] for row in rows] == [
        int(one["ours"]["total"]),
        int(one["theirs"]["total"]),
        sum(int(each["amount"]) for each in one["traffic"]),
    ]


def test_books_that_agree_say_so() -> None:
    rows = [Row("2026-10-01", "uk-mobile", "data", "", 5 * NANO, 5 * NANO)]
    report = Report(html_report([document(rows)]))
    assert text_of(report.tree.find(".//h1")) == "The books agree in their sums"
    words = text_of(report.tree)
    assert "Nothing is open." in words
    assert "Nothing differs." in words


def _check_sums(documents: list[dict[str, Any]], report: Report) -> None:
    for each in documents:
        names = {each[side]["operator"]: each[side]["name"] for side in ("ours", "theirs")}
        traffic = f"{names[each['payer']]}'s traffic"
        undisputed = sum(int(one["amount"]) for one in each["traffic"])
        total = [int(each[side]["total"]) for side in ("ours", "theirs")]
        for word in ("day", "route", "service"):
            rows, sums = report.money(f"By {word}, {traffic}, EUR")
            assert [sum(column) for column in zip(*rows, strict=True)] == sums
            assert sums == [*total, undisputed, int(each["difference"])]
        told = each["causes"] + each["findings"]
        if told or int(each["atStake"]["agreed"]):
            rows, sums = report.money(f"Money by cause, {traffic}")
            assert sums == [int(each["difference"])] == [sum(row[0] for row in rows)]
            assert {int(one["money"]) for one in told} <= {row[0] for row in rows}
    claims = [abs(int(one["amount"])) for each in documents for one in each["disputes"]]
    if claims:
        rows, sums = report.money("Open, by cause")
        assert sums == [sum(claims)] == [sum(row[0] for row in rows)]
        assert sorted(row[0] for row in rows) == sorted(claims)


def test_tables_add_up_to_what_the_documents_say() -> None:
    documents = both()
    agreed = settlement(documents, CHARGES)
    report = Report(html_report(documents, agreed))
    _check_sums(documents, report)
    for direction in agreed.directions:
        rows, sums = report.money(f"{direction.payer.name} owes {direction.payee.name}")
        assert sums == [direction.total] == [sum(row[0] for row in rows)]


_AMOUNT = st.integers(-(10**13), 10**15)
_ROW = st.builds(
    lambda day, route, service, kind, ours, theirs: Row(
        f"2026-{day}",
        route,
        service,
        kind,
        None if kind in LEFT and theirs % 2 else ours,
        None if kind in LEFT and not theirs % 2 else theirs,
    ),
    st.sampled_from(["09-30", "10-01", "10-02", "10-31"]),
    st.sampled_from(["uk", "fr", "elsewhere"]),
    st.sampled_from(["voice-originated", "data", "tax"]),
    st.sampled_from(["", *KINDS, *LEFT]),
    _AMOUNT,
    _AMOUNT,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_ROW, min_size=1, max_size=30))
def test_whatever_the_books_say_it_adds_up(rows: list[Row]) -> None:
    found = document(rows)
    _check_sums([found], Report(html_report([found])))


def test_causes_have_the_numbers_of_the_settlement() -> None:
    documents = both()
    agreed = settlement(documents)
    for known in (agreed, None):
        report = Report(html_report(documents, known))
        words: dict[str, str] = {}
        for name in ("Meridian", "Skylark"):
            for row in report.table(f"Money by cause, {name}'s traffic").findall("tbody/tr"):
                cells = row.findall("td")
                if cells and text_of(cells[0]):
                    assert text_of(cells[0]) not in words
                    words[text_of(cells[0])] = text_of(cells[1])
        claims = [list(row) for row in report.table("Open, by cause").findall("tbody/tr")]
        assert len(claims) == len(agreed.disputes)
        for number, said, *_ in claims:
            assert words[text_of(number).split()[0]].lower().startswith(text_of(said).lower())
        told = {int(text_of(number).split()[0]) for number, *_ in claims}
        assert told == {each.number for each in agreed.disputes}


def test_texts_from_elsewhere_stay_texts() -> None:
    def hostile(value: Any) -> Any:
        if isinstance(value, dict):
            keep = (
                "hash",
                "root",
                "kind",
                "settlement",
                "period",
                "day",
                "startedAt",
                "dimension",
                "service",
            )
            return {key: one if key in keep else hostile(one) for key, one in value.items()}
        if isinstance(value, list):
            return [hostile(one) for one in value]
        return value if not isinstance(value, str) or re.fullmatch("-?[0-9.]+", value) else value + HOSTILE

    documents = [hostile(one) for one in both()]
    page = html_report(documents, settlement(documents, CHARGES))
    tree = tree_of(page)
    assert {one.tag for one in tree.iter()} <= ELEMENTS
    assert "\u202e" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for one in tree.iter():
        assert not {name for name in one.attrib if name.startswith("on")}


@pytest.mark.parametrize("text", [FORMULA, "@SUM(A1)", "+1+cmd", "\tx"])
def test_no_cell_begins_as_a_formula(text: str) -> None:
    rows = [Row("2026-10-01", text, "data", "rate", 5 * NANO, 6 * NANO)] * 3
    found = document(rows, parties=((1, text), (2, "Skylark")))
    for one in found["causes"]:
        one["words"] = text
        for example in one["examples"]:
            for record in example.values():
                record |= {"number": text, "batch": text}
    tree = tree_of(html_report([found]))
    for cell in tree.iter():
        if cell.tag in ("td", "th", "text", "dt", "dd"):
            begin = "".join(cell.itertext())[:1]
            assert begin not in ("=", "@", "\t"), ET.tostring(cell)
            assert begin != "+" or re.fullmatch(r"[+][0-9]+", "".join(cell.itertext()))


def test_long_tails_are_cut_with_their_sum() -> None:
    routes = [f"route {at:05d} with a name of some length" for at in range(10_000)]
    rows = [
        Row(
            f"2026-10-{at % 31 + 1:02d}",
            route,
            "voice-originated",
            "rate" if at % 3 else "",
            (at + 1) * 10**7,
            (at + 1) * 10**7 + (at * 13 if at % 3 else 0),
        )
        for at, route in enumerate(routes)
    ]
    found = document(rows)
    page = html_report([found, document(some_rows(), payer=1)])
    assert len(page.encode()) < 1_000_000
    report = Report(page)
    _check_sums([found, document(some_rows(), payer=1)], report)
    *_, last = report.table("By route, Skylark's traffic, EUR").findall("tbody/tr")
    assert text_of(last).startswith("and 9,975 more routes")
    most = sorted((abs(row.money), row.route) for row in rows)[-12:]
    labels = [
        text.text for text in report.chart("The difference by route, Skylark's traffic, EUR").iter("text")
    ]
    assert [label for label in labels if label and label.startswith("route ")] == [
        route for _, route in reversed(most)
    ]
    assert "and 9,988 more routes" in labels


def test_many_days_causes_discounts_and_batches_are_cut_with_their_sum() -> None:
    rows = [
        Row(f"2026-{at // 28 + 1:02d}-{at % 28 + 1:02d}", "uk", "data", "rate", (at + 1) * NANO, 0)
        for at in range(100)
    ]
    found = document(rows)
    cause = found["causes"][0]
    found["causes"] = [
        {**cause, "number": at + 1, "money": str((at + 1) * NANO), "count": 1} for at in range(100)
    ]
    found["disputes"] = [
        {**found["disputes"][0], "number": at + 1, "amount": str((at + 1) * NANO), "count": 1}
        for at in range(100)
    ]
    found["ours"]["batches"] = [{**found["ours"]["batches"][0], "region": str(at)} for at in range(150)]
    charges = [Charge(2, f"model {at}", 0, 0, 0, 0, (at + 1) * NANO) for at in range(100)]
    agreed = settlement([found], charges)
    report = Report(html_report([found], agreed))
    for caption, word, shown, least, total in (
        ("By day, Skylark's traffic, EUR", "and 38 more days", 62, 39, 5050),
        ("Money by cause, Skylark's traffic", "And 60 more", 40, 61, 5050),
        ("Open, by cause", "and 60 more", 40, 61, 5050),
        ("Skylark owes Meridian", "and 60 more discounts", 40, -61, -5050),
    ):
        money, sums = report.money(caption)
        assert sums[-1] == total * NANO == sum(row[-1] for row in money)
        assert word in text_of(report.table(caption))
        cut = [row[-1] // NANO for row in money if row[-1]]
        assert len(cut) == shown + 1
        assert cut[-1] == sum(range(1, least)) if least > 0 else cut[-1] == -sum(range(1, -least))
    names = [text_of(row[0]) for row in report.table("By day, Skylark's traffic, EUR").findall("tbody/tr")]
    assert names[:-1] == sorted(names[:-1]), "days stay in their order"
    assert "and 51 more batches" in text_of(report.table("Books and batches"))


def test_a_tail_of_one_is_not_cut() -> None:
    routes = [f"route {at}" for at in range(26)]
    report = Report(html_report([document(some_rows(routes=routes))]))
    names = [text_of(row[0]) for row in report.table("By route, Skylark's traffic, EUR").findall("tbody/tr")]
    assert sorted(names) == sorted(routes)


@pytest.mark.parametrize(
    ("code", "decimals", "billionths", "shown"),
    [
        ("EUR", 2, 1_234_567_894_999_999, "1,234,567.89"),
        ("EUR", 2, -1_005_000_000, "−1.01"),
        ("EUR", 2, 0, "0.00"),
        ("EUR", 2, 4_999_999, "<0.01"),
        ("EUR", 2, -1, ">−0.01"),
        ("JPY", 0, 1_234_500_000_000, "1,235"),
        ("BHD", 3, 1_234_500_000, "1.235"),
    ],
)
def test_amounts_have_the_currencys_decimals(code: str, decimals: int, billionths: int, shown: str) -> None:
    assert Currency(code, decimals).text(billionths) == shown
    if code == "EUR":
        return
    found = document(some_rows())
    found["settlement"] = code
    tree = tree_of(html_report([found]))
    digits = {len(text_of(one).partition(".")[2]) for one in tree.iter("data")}
    assert digits == {decimals}


@given(st.integers(-(10**24), 10**24), st.integers(0, 9))
def test_rounding_is_half_up(billionths: int, decimals: int) -> None:
    shown = Currency("EUR", decimals).text(billionths)
    if shown[0] in "<>":
        assert 0 < abs(billionths) * 2 < 10 ** (9 - decimals)
        return
    value = Decimal(shown.replace(",", "").replace("−", "-"))
    assert shown.partition(".")[2] == ("" if not decimals else f"{abs(value) % 1:.{decimals}f}"[2:])
    assert abs(value * NANO - billionths) * 2 <= 10 ** (9 - decimals)


def test_the_same_documents_give_the_same_bytes() -> None:
    assert html_report(both(), settlement(both())) == html_report(both(), settlement(both()))


def test_documents_that_do_not_belong_together_are_refused() -> None:
    one, other = both()
    with pytest.raises(ValueError, match="each direction"):
        html_report([one, one])
    with pytest.raises(ValueError, match="each direction"):
        html_report([])
    for key, value in (
        ("settlement", "USD"),
        ("period", "202609"),
        ("agreement", {"name": "", "hash": "0x"}),
    ):
        with pytest.raises(ValueError, match="each direction"):
            html_report([one, {**other, key: value}])
    agreed = settlement([one, other])
    with pytest.raises(ValueError, match="not of these"):
        html_report([{**one, "period": "202609"}], agreed)
