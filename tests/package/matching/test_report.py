"""The report, the letter and the rows of a match: complete, self-contained, and safe to open."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from bills import START, bundle, log, record

from billproof.errors import InputError
from billproof.handset.entries import ENTRY_SCHEMA, PhoneLog
from billproof.matching import verdicts
from billproof.matching.report import csv_rows, html_report, letter, words

HOSTILE = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e&amp;"

#: Class, reason, stake, confidence, talked, and whether there is an entry.
FATES = [
    ("matched", "paired", 0, None, 64, True),
    ("longer", "talked", 200_000_000, 95, 61, True),
    ("longer", "unanswered", 300_000_000, 75, 0, True),
    ("hung", "paired", 4_000_000_000, 95, 120, True),
    ("duplicate", "same", 500_000_000, 99, None, False),
    ("invoice-only", "absent", 700_000_000, 90, None, False),
    ("not-covered", "outside", 0, None, None, False),
    ("not-comparable", "service", 0, None, None, False),
]


def result(name: str = "calls.xml") -> dict[str, Any]:
    clock = {"known": True, "offset": 3600, "support": 4, "shifts": []}
    clock["shifts"] = [{"offset": -3600, "from": START, "to": START + 86_400, "support": 3}]
    coverage = {"call": [START, START + 3_000_000], "message": None, "mms": None}
    lines = []
    for index, (kind, reason, stake, confidence, talked, there) in enumerate(FATES):
        place = {"log": 0, "entry": index} if there else {"log": None, "entry": None}
        line = {"index": index, "class": kind, "reason": reason, **place, "joins": None, "talked": talked}
        lines.append({**line, "stake": str(stake), "confidence": confidence})
    billed = [{"class": "billed", "reason": "", "line": index} for index in range(4)]
    return {
        "schema": "billproof/match/1",
        "period": 202610,
        "currency": "EUR",
        "region": "IE",
        "cycle": [1790812800, 1793491200],
        "logs": [
            {"name": name, "format": "csv", "entries": 5, "bias": 0, "clock": clock, "coverage": coverage}
        ],
        "lines": lines,
        "entries": [[*billed, {"class": "missing", "reason": "", "line": None}]],
        "summary": {"classes": {}, "findings": 5, "stake": "5700000000"},
    }


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_verdict_and_the_money_come_first() -> None:
    page = html_report(result(), bundle(), [log()])
    words = Page(page.partition("<body>")[2]).words
    assert words.strip().split("\n")[1] == "5 lines to dispute, 5.70 EUR at stake"
    assert words.index("at stake") < words.index("Both lists") < words.index("All lines")


def test_every_finding_is_listed_and_all_lines_are_folded() -> None:
    page = html_report(result(), bundle(), [log()])
    findings, _, rest = page.partition('id="h-logs"')
    assert findings.count("<tr data-kind") == 5
    assert rest.count("<tr data-kind") == len(FATES)
    assert "<summary>Show all 8 lines</summary>" in rest
    assert "<details open" not in page


def test_notes_tell_of_the_clock_and_of_what_is_covered() -> None:
    page = html_report(result(), bundle())
    assert "its clock is 1 h ahead of the bill" in page
    assert "another time zone" in page
    assert "has no messages" in page


@pytest.mark.parametrize("clock", ["local", "utc"])
def test_the_picture_shows_both_lists(clock: str) -> None:
    page = html_report(result(), bundle(), [log(clock=clock)])
    drawn = page.partition('class="timeline"')[2].partition("</svg>")[0]
    assert drawn.count('class="finding"') >= 5
    assert drawn.count('class="phone"') == 4
    assert drawn.count('class="missing"') == 1


def test_an_entry_stands_below_its_line() -> None:
    """The clock's offset is taken away, whatever the log's clock."""
    for clock, ahead in (("local", 7200), ("utc", 3600)):
        moved = log(clock=clock)
        times = pa.array([START + ahead + 86_000 * at for at in range(5)], pa.int64())
        entries = moved.entries.set_column(4, ENTRY_SCHEMA.field("at"), times)
        page = html_report(result(), bundle(), [PhoneLog("a", "csv", moved.clock, 1, 1, None, entries)])
        rects = dict(re.findall(r'<rect class="(bill|phone)" x="([0-9.]+)"', page)[:2])
        assert rects["bill"] == rects["phone"]


def test_strangers_cannot_add_markup() -> None:
    hostile = bundle(number=HOSTILE, rate=HOSTILE)
    page = html_report(result(HOSTILE), hostile, [log(HOSTILE)])
    parsed = Page(page)
    assert [tag for tag, _ in parsed.tags].count("script") == 1
    assert not [tag for tag, _ in parsed.tags if tag in ("img", "iframe", "link", "base", "object", "a")]
    assert not [name for _, attributes in parsed.tags for name in attributes if name.startswith("on")]
    assert "\u202e" not in page


def test_nothing_is_fetched_and_only_the_own_script_may_run() -> None:
    page = html_report(result(), bundle(), [log()])
    for tag, attributes in Page(page).tags:
        assert not {"src", "href", "action", "style"} & attributes.keys(), tag
    for kind in ("script", "style"):
        text = page.partition(f"<{kind}>")[2].partition(f"</{kind}>")[0]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in page
    assert "http://" not in page
    assert "https://" not in page


def test_the_letter_names_every_line_with_its_hash_and_amount() -> None:
    text = letter(result(), bundle(), operator="Meridian")
    assert text.startswith("To Meridian\n")
    assert "5.70 EUR in all" in text
    for index in range(1, 6):
        assert f"line {index + 1}: " in text
        assert f"0x{index:064x}" in text
    assert "disputed: 4.00 EUR; the phone counted 2:00 min, the bill 4 h" in text


def test_the_letter_has_the_dearest_first() -> None:
    text = letter(result(), bundle())
    heads = re.findall(r"^[A-Z][a-z' ]+: \d+ lines?, ([0-9.]+) EUR$", text, re.MULTILINE)
    assert heads == ["4.00", "0.70", "0.50", "0.50"]


def test_on_a_narrow_screen_each_cell_says_what_it_is() -> None:
    page = html_report(result(), bundle())
    assert page.count('<td data-name="Amount"') == page.count('<td data-name="Why"') == 5 + 8
    assert "content: attr(data-name)" in page


def test_without_findings_there_is_no_letter() -> None:
    calm = result()
    for line in calm["lines"]:
        line.update({"class": "matched", "reason": "paired", "stake": "0"})
    assert letter(calm, bundle()).startswith("There is nothing to complain about")
    page = html_report(calm, bundle())
    assert "<h1>Nothing to dispute: the phone confirms 8 of 8 lines</h1>" in page
    assert '<header class="good">' in page
    assert "No line differs" in page


def test_where_most_was_not_confirmed_nothing_to_dispute_is_no_good_news() -> None:
    calm = result()
    for at, line in enumerate(calm["lines"]):
        fate = ("matched", "paired") if at < 2 else ("not-covered", "outside")
        line.update({"class": fate[0], "reason": fate[1], "stake": "0"})
    page = html_report(calm, bundle())
    assert "<h1>Nothing to dispute, but the phone confirms 2 of 8 lines</h1>" in page
    assert '<header class="unsure">' in page
    assert "<dt>Could not be compared</dt>" in page
    assert "but the phone confirms 2 of 8 lines" in letter(calm, bundle())


def asked(*places: int) -> dict[str, Any]:
    """The result with these lines as questions."""
    found = result()
    for at in places:
        line = {
            "class": "invoice-only",
            "reason": "unknown",
            "stake": "0",
            "confidence": None,
            "talked": None,
        }
        found["lines"][at].update({**line, "entry": None, "log": None})
    return found


def test_questions_stand_after_the_findings_and_are_no_part_of_them() -> None:
    page = html_report(asked(0, 6), bundle(), [log()])
    words = Page(page.partition("<body>")[2]).words
    assert "<h1>5 lines to dispute, 5.70 EUR at stake</h1>" in page
    assert "1 question only you can answer (2 lines, 1.40 EUR)" in words
    assert words.count("Do you know this number? If you never called it, these lines are wrong.") == 1
    assert words.index("What may be disputed") < words.index("1 question only") < words.index("Both lists")
    assert page.count('data-amount="1400000000"') == 1
    drawn = page.partition('class="timeline"')[2].partition("</svg>")[0]
    assert drawn.count('class="question"') == 2
    text = letter(asked(0, 6), bundle())
    assert "line 1:" not in text
    assert "line 7:" not in text


def test_with_questions_alone_nothing_is_disputed_yet() -> None:
    calm = asked(1)
    for at, line in enumerate(calm["lines"]):
        if at != 1:
            line.update({"class": "matched", "reason": "paired", "stake": "0"})
    assert "<h1>Nothing to dispute so far: the phone confirms 7 of 8 lines</h1>" in html_report(
        calm, bundle()
    )
    assert "There is 1 question only you can answer (1 line, 0.70 EUR) first" in letter(calm, bundle())
    rows = [
        dict(zip(header, row, strict=True)) for header, *rest in [csv_rows(calm, bundle())] for row in rest
    ]
    assert [row["says"] for row in rows] == ["", "question", *[""] * 6]


def test_what_could_not_be_compared_is_summed_up_by_reason() -> None:
    found = result()
    words = Page(html_report(found, bundle()).partition("<body>")[2]).words
    assert "2 lines (1.40 EUR) could not be compared with your phone" in words
    assert "1 is a fee, data, tax or the like, which phones do not log (0.70 EUR)" in words
    assert "1 is from before your log begins or after it ends (0.70 EUR)" in words
    assert "give that file too" not in words
    texted = bundle()
    texted.records[6] = record(6, service="4")
    words = Page(html_report(found, texted).partition("<body>")[2]).words
    assert "1 is a message, and your log has none (0.70 EUR)" in words
    assert "The bill has 1 message, your log has calls only." in words


def test_where_nothing_could_be_compared_the_report_does_not_say_that_all_is_well() -> None:
    blind = result()
    for line in blind["lines"]:
        line.update({"class": "not-covered", "reason": "outside", "entry": None, "log": None, "stake": "0"})
    assert "<h1>Nothing could be compared</h1>" in html_report(blind, bundle())


def test_the_log_of_another_phone_accuses_nobody() -> None:
    strange = result()
    for line in strange["lines"][:7]:
        line.update({"class": "not-covered", "reason": "foreign", "entry": None, "log": None, "stake": "0"})
    page = html_report(strange, bundle())
    assert "<h1>This phone log does not seem to belong to this bill</h1>" in page
    assert "A letter" not in page
    assert "No line differs" not in page
    with pytest.raises(InputError, match="does not seem to belong to this bill"):
        letter(strange, bundle())


def test_stakes_are_said_to_be_before_tax_where_tax_is_charged() -> None:
    taxed = bundle()
    taxed.records[7] = record(7, service="35")
    page = html_report(result(), taxed)
    assert "<h1>5 lines to dispute, 5.70 EUR at stake, before tax</h1>" in page
    assert "<dt>At stake, before tax</dt>" in page
    assert "5.70 EUR in all, plus the tax charged on it." in " ".join(letter(result(), taxed).split())
    assert "tax" not in letter(result(), bundle())
    assert "before tax" not in html_report(result(), bundle())


def test_letters_and_rows_hold_no_control_characters() -> None:
    hostile = bundle(number="1\u202e\x1b[31m\r\n2", rate="\x07")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", letter(result(), hostile))
    assert not re.search(
        r"[\x00-\x1f\u202e]", "".join(cell for row in csv_rows(result(), hostile) for cell in row)
    )


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    _, *rows = csv_rows(result(), bundle(number=cell))
    assert all(not row[3].startswith(("=", "@", "+", "-", "\t")) for row in rows)


def test_rows_keep_numbers_and_amounts() -> None:
    header, *rows = csv_rows(result(), bundle())
    assert len(rows) == len(FATES)
    row = dict(zip(header, rows[3], strict=True))
    assert (row["line"], row["party"], row["stake"]) == ("4", "+353209100001", "4.00")
    assert (row["class"], row["reason"]) == ("hung", "paired")


@pytest.mark.parametrize("change", [{"period": 202609}, {"currency": "USD"}, {"lines": []}, {"schema": "x"}])
def test_a_result_of_another_bill_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        html_report({**result(), **change}, bundle())


def test_there_are_words_for_whatever_the_specification_names() -> None:
    text = (Path(__file__).parents[3] / "docs" / "matching.md").read_text()
    section = text.partition("## 9.")[2].partition("## 10.")[0]
    rows = [row.split("|")[1:3] for row in section.splitlines() if row.startswith("| `")]
    named = {
        (kind, reason)
        for kinds, reasons in rows
        for kind in re.findall("`([^`]+)`", kinds)
        for reason in re.findall("`([^`]+)`", reasons)
    }
    assert {kind for kind, _ in named} == set(words.CLASSES) == set(verdicts.CLASSES)
    assert {reason for _, reason in named} == set(verdicts.REASONS)
    assert [pair for pair in sorted(named) if not words.known(*pair)] == []


def test_extreme_values_are_drawn() -> None:
    top = str((1 << 63) - 1)
    page = html_report(result(), bundle(startedAt=top, usage=top), [log()])
    assert "s after 1970" in page
