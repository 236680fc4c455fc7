"""A bill laid beside a phone's log and its tariff at once."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from commands import Run, run

from billproof.account_tariffs import AccountTariffs
from billproof.billing_run import Input, batch
from billproof.bundle import cut
from billproof.bundle import documents as doc
from billproof.matching.prices import price_findings
from billproof.matching.result import MatchedLine
from billproof.rerating import Pricing
from billproof.secret_store import SecretStore
from billproof.tariff.result import Difference

__all__ = ["run"]

STAKES = Path(__file__).parents[2] / "vectors/price-stakes.json"
PLAN = """
schema = "billproof/tariff/1"
name = "Plan"
version = "1"
currency = "EUR"
valid = { from = "2026-10-01" }
rounding = { mode = "half-up", decimals = 4, at = "call" }
[[rates]]
name = "calls"
services = ["voice-originated"]
price = "0.60"
unit = "60 s"
increment = "1 s"
[[discounts]]
name = "loyalty"
percent = "10"
of = ["voice-originated"]
times = "once"
"""
MAPPING = """
[account]
column = "account"
[service]
value = "voice_originated"
[time]
column = "start"
zone = "Europe/Dublin"
[usage]
column = "seconds"
[number]
column = "number"
[amount]
column = "amount"
[currency]
value = "EUR"
"""
CALLS = [
    ("2026-10-02T10:00:00+01:00", 60, "+353209100001", "0.60"),
    ("2026-10-05T11:00:00+01:00", 60, "+353209100002", "0.75"),
    ("2026-10-05T11:00:00+01:00", 60, "+353209100002", "0.75"),
    ("2026-10-09T12:00:00+01:00", 10, "+353209100003", "0.10"),
    ("2026-10-20T12:00:00+01:00", 30, "+353209100001", "0.40"),
]


@pytest.fixture
def plan() -> str:
    return PLAN


@pytest.fixture
def calls() -> list[tuple[str, int, str, str]]:
    return CALLS


@pytest.fixture
def home(tmp_path: Path, plan: str, calls: list[tuple[str, int, str, str]]) -> Path:
    """A bill of these calls, the tariff that it names, and a log that has each of them once."""
    (tmp_path / "plan.toml").write_text(plan)
    (tmp_path / "map.toml").write_text(MAPPING)
    rows = "".join(f"A1,{start},{seconds},{number},{amount}\n" for start, seconds, number, amount in calls)
    (tmp_path / "cdr.csv").write_text(f"account,start,seconds,number,amount\n{rows}")
    stored = batch(
        [Input("csv", [tmp_path / "cdr.csv"], tmp_path / "map.toml")],
        operator=1,
        period=202610,
        chain_id=31337,
        ledger="0x" + "5a" * 20,
        store=tmp_path / "store",
        secrets=tmp_path / "secrets",
        pricing=Pricing(AccountTariffs.one(tmp_path / "plan.toml"), mode="report"),
    ).stored
    assert stored is not None
    ((_, bundle),) = cut.bundles(stored, SecretStore(tmp_path / "secrets", 1))
    (tmp_path / "bill.json").write_bytes(doc.encode(bundle))
    entries = "".join(
        f'<call number="{number}" duration="{seconds}" type="2"'
        f' date="{int(datetime.fromisoformat(start).timestamp()) * 1000}" />'
        for start, seconds, number, _ in dict.fromkeys(calls)
    )
    (tmp_path / "calls.xml").write_text(f"<?xml version='1.0' encoding='UTF-8'?><calls>{entries}</calls>")
    return tmp_path


@pytest.fixture
def match(run: Run, home: Path) -> Callable[..., object]:
    return lambda *words: run("match", home / "bill.json", home / "calls.xml", "--region", "IE", *words)


def test_price_findings_stand_beside_the_phones(match: Callable[..., object], home: Path) -> None:
    result = match("--tariff", home / "plan.toml", "--json")
    assert result.code == 1
    found = {each["index"]: each for each in result.json["prices"]}
    assert {index: (each["stake"], each["due"]) for index, each in found.items()} == {
        1: ("150000000", "600000000"),
        2: ("0", "600000000"),  # in dispute already, as a second time
        4: ("100000000", "300000000"),
        None: ("260000000", "-260000000"),
    }
    assert found[None]["cause"] == "missing"
    assert {each["class"] for each in found.values()} == {"price"}
    assert result.json["summary"]["overcharged"] == "510000000"
    assert result.json["summary"]["findings"] == 1


def test_without_a_tariff_nothing_is_said_of_prices(match: Callable[..., object]) -> None:
    result = match("--json")
    assert "prices" not in result.json
    assert "prices" not in result.json["summary"]


def test_without_a_tariff_it_is_said_that_the_bill_names_one_and_how_to_get_its_file(
    match: Callable[..., object], home: Path
) -> None:
    named = json.loads((home / "bill.json").read_text())["statement"]["tariff"]
    said = match().err
    assert "No price was checked." in said
    assert f"PORTAL/tariffs/{named}" in said
    (home / "tariffs").mkdir()
    (home / "tariffs" / f"{named}.toml").write_text((home / "plan.toml").read_text())
    assert f"--tariff {home / 'tariffs' / named}.toml" in match().err
    assert "No price was checked" not in match("--tariff", home / "plan.toml").err


@pytest.mark.parametrize("changed", ["amount", "total"])
def test_a_bill_that_contradicts_itself_is_refused(
    match: Callable[..., object], home: Path, changed: str
) -> None:
    bill = json.loads((home / "bill.json").read_text())
    bill["records"][0]["amount" if changed == "amount" else "usage"] = "700000000"
    (home / "bill.json").write_text(json.dumps(bill))
    done = match("--letter", home / "letter.txt")
    assert done.code == 2
    assert "the bill contradicts itself: line: line 1: the line is not what was committed" in done.err
    assert ("(and 2 more)" if changed == "amount" else "(and 1 more)") in done.err
    assert not (home / "letter.txt").exists()


@pytest.mark.parametrize("calls", [[CALLS[0], *CALLS[3:]]])
@pytest.mark.parametrize(("entries", "said"), [
    (3, "✓ Nothing to dispute: the phone confirms 3 of 3 lines\n"),
    (2, "✓ Nothing to dispute: the phone confirms 2 of 3 lines; 0.40 EUR not compared\n"),
    (1, "? Nothing to dispute, but the phone confirms 1 of 3 lines; 0.50 EUR not compared\n"),
])  # fmt: skip
def test_few_lines_that_are_confirmed_are_no_good_news(
    match: Callable[..., object], home: Path, entries: int, said: str
) -> None:
    log = home / "calls.xml"
    logged = re.findall("<call [^>]*>", log.read_text())[:entries]
    log.write_text(f"<?xml version='1.0' encoding='UTF-8'?><calls>{''.join(logged)}</calls>")
    result = match()
    assert result.code == 0
    assert result.out.startswith(said)
    assert match("--json").json["summary"]["mostConfirmed"] == (entries > 1)


def test_report_letter_sheet_and_words(match: Callable[..., object], home: Path) -> None:
    files = {name: home / name for name in ("out.csv", "out.html", "out.txt")}
    result = match(
        *("--tariff", home / "plan.toml", "--csv", files["out.csv"]),
        *("--report", files["out.html"], "--letter", files["out.txt"]),
    )
    first, second = result.out.splitlines()[:2]
    assert first == "✗ 4 lines to dispute, 1.26 EUR at stake"
    assert second == "✗ 4 lines charged above the tariff, 0.66 EUR in all"
    assert "a line that is missing, loyalty: 0.26 EUR too much" in result.out
    assert "in dispute already" in result.out
    page, text = files["out.html"].read_text(), files["out.txt"].read_text()
    assert "4 lines to dispute, 1.26 EUR at stake" in page
    disputed = page[page.index('<table id="findings">') : page.index("</table>")]
    assert disputed.count("<tr data-kind=") == 4
    stakes = re.findall(r'data-name="Disputed" class="n">([0-9.]+) EUR', disputed)
    assert stakes == ["0.75", "0.26", "0.15", "0.10"]
    assert "charged above the tariff (3)" in page
    assert "a line that is missing, loyalty" in disputed
    assert "What is charged above the tariff is exact" in page
    assert "What is at stake is an estimate" not in page
    assert "<dt>Confirmed by the phone</dt><dd>2</dd>" in page, "not what costs too much"
    assert "I dispute the following 4, 1.26 EUR in all" in " ".join(text.split())
    assert "Charged above the tariff: 3 lines, 0.51 EUR" in text
    assert "disputed: 0.15 EUR; charged 0.75 EUR, the contract says 0.60 EUR" in text
    rows = list(csv.DictReader(files["out.csv"].read_text().splitlines()))
    assert [row["overcharged"] for row in rows] == ["", "0.15", "0.00", "", "0.10", "0.26"]
    assert rows[-1]["says"] == "missing"


@pytest.mark.parametrize("plan", [PLAN[: PLAN.index("[[discounts]]")].replace("2026-10-01", "2026-10-10")])
def test_words_of_lines_that_the_tariff_says_nothing_of(match: Callable[..., object], home: Path) -> None:
    result = match("--tariff", home / "plan.toml")
    assert result.out.startswith(
        "✗ 2 lines to dispute, 0.85 EUR at stake\n✗ 1 line charged above the tariff, 0.10"
    )
    assert "the tariff says nothing of 4 lines outside validity: 2.20 EUR charged" in result.out


@pytest.mark.parametrize("plan", [PLAN[: PLAN.index("[[discounts]]")].replace("2026-10-01", "2026-11-01")])
def test_words_of_a_tariff_that_prices_nothing(match: Callable[..., object], home: Path) -> None:
    result = match("--tariff", home / "plan.toml")
    assert result.out.startswith(
        "? No line is charged above the tariff\n  the tariff says nothing of 5 lines"
    )


def test_all_takes_no_tariff(run: Run, home: Path) -> None:
    words = ("--store", home / "store", "--operator", "1", "--period", "202610")
    result = run(
        "match", "--all", *words, "--logs", home, "--out", home / "x.csv", "--tariff", home / "plan.toml"
    )
    assert result.code == 2
    assert "billproof check STORE" in result.err


@pytest.mark.parametrize(
    "calls",
    [[*CALLS[:1], ("2026-10-05T11:00:00+01:00", 60, "+353209100002", "1.20"), *CALLS[3:]]],
)
@pytest.mark.parametrize("plan", [PLAN[: PLAN.index("[[discounts]]")]])
def test_a_line_that_the_phone_disputes_for_little_and_the_tariff_for_much(
    match: Callable[..., object], home: Path
) -> None:
    log = home / "calls.xml"
    log.write_text(log.read_text().replace('2" duration="60"', '2" duration="50"'))
    files = {name: home / name for name in ("out.csv", "out.html", "out.txt")}
    words = ("--csv", files["out.csv"], "--report", files["out.html"], "--letter", files["out.txt"])
    result = match("--tariff", home / "plan.toml", *words)
    assert result.code == 1
    # The phone: 50 of 60 seconds of 1.20. The tariff: 0.60. Another line is dear by 0.10.
    assert result.out.splitlines()[:2] == [
        "✗ 2 lines to dispute, 0.70 EUR at stake",
        "✗ 2 lines charged above the tariff, 0.70 EUR in all",
    ]
    assert "0.20 EUR of it in dispute already" in result.out
    page, text = files["out.html"].read_text(), " ".join(files["out.txt"].read_text().split())
    assert "<h1>2 lines to dispute, 0.70 EUR at stake</h1>" in page
    disputed = page[page.index('<table id="findings">') : page.index("</table>")]
    assert re.findall(r'data-name="Disputed" class="n">([0-9.]+) EUR', disputed) == ["0.60", "0.10"]
    assert disputed.count("longer than the call") == 1
    assert disputed.count("charged above the tariff") == 2
    assert "charged above the tariff (1)" in page, "the other line counts where the phone has it"
    assert "I dispute the following 2, 0.70 EUR in all" in text
    assert "Longer than the call: 1 line, 0.20 EUR" in text
    assert "Charged above the tariff: 2 lines, 0.50 EUR" in text
    assert "disputed: 0.40 EUR, besides the 0.20 EUR because of the phone; charged 1.20 EUR" in text
    rows = list(csv.DictReader(files["out.csv"].read_text().splitlines()))
    assert [(row["stake"], row["overcharged"]) for row in rows][1] == ("0.20", "0.40")


@pytest.mark.parametrize(
    "case", json.loads(STAKES.read_text()), ids=lambda case: case["name"] if isinstance(case, dict) else ""
)
def test_a_line_is_claimed_for_the_greater_of_what_phone_and_tariff_dispute(case: dict[str, str]) -> None:
    charged, due = int(case["charged"]), int(case["due"])
    stake = int(case["phone"] or 0)
    phone = [MatchedLine(0, "longer", "talked", None, None, None, None, stake, 90, charged)]
    differences = [Difference(0, 0, "price", charged, due, 0, 0, "w")]
    found = price_findings(differences, phone if case["phone"] else [])
    assert [str(each.stake) for each in found] == ([case["stake"]] if case["stake"] else [])


def test_what_is_charged_too_little_is_no_finding() -> None:
    line = MatchedLine(0, "longer", "talked", None, None, None, None, 5, 90, 100)
    differences = [
        Difference(0, 0, "price", 10, 4, 0, 0, "w"),
        Difference(0, 1, "price", 4, 10, 0, 0, "w"),
        Difference(0, 2, "billed-usage", 4, 4, 1, 2, "w"),
        Difference(0, 3, "price", 10, 4, 0, 0, "w"),
    ]
    assert [(each.index, each.stake) for each in price_findings(differences, [line])] == [(0, 1), (3, 6)]
