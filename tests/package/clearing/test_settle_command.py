"""``billproof settle``: from books to what both sides sign, and to the next month."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from billproof import billing_run
from billproof.billing_run import Input
from billproof.clearing.agreement.agreement import load_agreement
from billproof.clearing.discounts.volumes import read_volumes, volumes_before
from billproof.clearing.settlement.reading import load_document
from billproof.cli.agreement import agreement as agreement_command
from billproof.cli.clear import clear
from billproof.cli.settle import settle
from billproof.errors import InputError
from billproof.simulate.partners import AGREEMENT, SINGLE, partner_books
from billproof.store import StoredBatch

_MODEL = """
[[models]]
name = "voice to France"
model = "tiers"
from = 2
services = ["voice-originated"]
routes = ["fr-mobile"]
mode = "all"
tiers = [{ above = "0 min", price = "0.12" }, { above = "500 min", price = "0.10" }]
"""


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents of both directions, and the agreement with a discount."""
    home = tmp_path_factory.mktemp("month")
    for name, seed, payer in (("there", 5, "theirs"), ("back", 6, "ours")):
        ours, theirs, agreement = partner_books(6_000, seed, (*SINGLE, "rate")).write(home / name)
        (home / "agreement.toml").write_text(agreement.read_text() + _MODEL)
        known = ["--agreement", str(home / "agreement.toml"), "--as", "1", "--month", "2026-10"]
        out = ["--payer", payer, "--out", str(home / f"{name}.json")]
        CliRunner().invoke(
            clear, [str(ours), str(theirs), *known, *out], standalone_mode=False, catch_exceptions=False
        )
    return home


def _settle(month: Path, *more: str, documents: tuple[str, ...] = ("there", "back")) -> Any:
    given = [str(month / f"{name}.json") for name in documents]
    known = ["--agreement", str(month / "agreement.toml"), "--due", "2026-12-31", "--issued", "2026-11-30"]
    known += [] if "--before" in more else ["--before", "none"]
    return CliRunner().invoke(settle, [*given, *known, *more], standalone_mode=False, catch_exceptions=False)


def test_money_comes_first_and_everything_is_written(month: Path, tmp_path: Path) -> None:
    names = ("settlement.json", "volumes.csv", "settlement.xlsx", "settlement.pdf", "report.html")
    options = ("--out", "--volumes", "--xlsx", "--pdf", "--report")
    given = [
        item for pair in zip(options, (str(tmp_path / name) for name in names), strict=True) for item in pair
    ]
    done = _settle(month, *given)
    found, signed = load_document(tmp_path / "settlement.json")
    assert (found.due, found.issued, found.period) == ("2026-12-31", "2026-11-30", 202610)
    first = done.output.splitlines()[0]
    assert first.startswith(f"{found.net.payer.name} pays {found.net.payee.name} ")
    assert first.endswith(" EUR for 2026-10, due 2026-12-31")
    assert "0x" + signed.hex() in done.output
    assert "voice to France" in done.output
    assert "Skylark's price is 1.25 times Meridian's" in done.output
    assert {each.deadline for each in found.disputes} == {"2026-12-31"}
    for name in names:
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert signed.hex() in (tmp_path / "report.html").read_text()
    with pytest.raises(InputError, match="there already"):
        _settle(month, *given)
    assert _settle(month, *given, "--force").exit_code == 0
    printed = _settle(month, "--json").stdout
    assert printed.encode() == (tmp_path / "settlement.json").read_bytes()


def test_a_year_to_date_goes_from_month_to_month(month: Path, tmp_path: Path) -> None:
    before, now = tmp_path / "before.csv", tmp_path / "now.csv"
    before.write_text("month,from,service,route,volume\n2026-01,2,voice-originated,fr-mobile,400.5 min\n")
    document = json.loads(_settle(month, "--before", str(before), "--volumes", str(now), "--json").stdout)
    known = [str(month / "agreement.toml"), "--volumes", str(now), "--json"]
    evaluated = CliRunner().invoke(agreement_command, ["evaluate", *known], catch_exceptions=False)
    line = json.loads(evaluated.stdout)["months"][-1]["models"][0]
    (charge,) = document["charges"]
    billionths = {key: round(float(line[key]) * 1e9) for key in ("toDate", "month")}
    assert (int(charge["toDate"]), int(charge["share"])) == (billionths["toDate"], billionths["month"])
    assert charge["share"] != charge["toDate"]
    months = {each.month for each in read_volumes(now, load_agreement(month / "agreement.toml"))}
    assert months == {"2026-01", "2026-10"}


def test_months_that_nothing_is_known_of_are_named(month: Path, tmp_path: Path) -> None:
    """Without their volumes a year to date is another one, and so is the net amount."""
    before = tmp_path / "before.csv"
    rows = [f"2026-{number:02},2,voice-originated,fr-mobile,1 min\n" for number in range(1, 10)]
    for missing in ((), (3,), (3, 8)):
        kept = [row for number, row in enumerate(rows, 1) if number not in missing]
        before.write_text("month,from,service,route,volume\n" + "".join(kept))
        said = _settle(month, "--before", str(before), "--json").stderr
        assert said.count("No volumes of ") == bool(missing)
        assert all(f"2026-{number:02}" in said for number in missing)
        year = json.loads(_settle(month, "--before", str(before), "--json").stdout)["year"]
        assert year.get("missing", []) == [f"2026{number:02}" for number in missing]
        assert sorted((*year["covered"], *year.get("missing", []))) == [
            f"2026{number:02}" for number in range(1, 11)
        ]
    named = ", ".join(f"2026-{number:02}" for number in range(1, 10))
    assert f"No volumes of {named}: " in _settle(month, "--json").stderr


def test_the_months_before_are_never_guessed(month: Path, tmp_path: Path) -> None:
    """With discounts, whoever settles or checks says what came before; the first month has nothing before."""
    given = [str(month / "there.json"), "--agreement", str(month / "agreement.toml")]
    out = ["--out", str(tmp_path / "settlement.json"), "--due", "2026-12-31", "--issued", "2026-11-30"]
    check = ["--check", str(tmp_path / "settlement.json")]
    for more in (out, check):
        with pytest.raises(InputError, match="depends on the volumes of the year from 2026-01 on") as caught:
            CliRunner().invoke(settle, [*given, *more], standalone_mode=False, catch_exceptions=False)
        assert "--before none" in caught.value.advice
    assert not (tmp_path / "settlement.json").exists()
    _settle(month, *out, documents=("there",))
    before = tmp_path / "before.csv"
    before.write_text("month,from,service,route,volume\n2026-01,1,data,,1 B\n")
    for volumes, code in (("none", 0), (str(before), 1)):
        done = CliRunner().invoke(
            settle, [*given, *check, "--before", volumes, "--json"], standalone_mode=False
        )
        assert done.return_value == code
    (told,) = json.loads(done.stdout)["differences"]
    assert told["what"] == "months of the year to date"
    agreement = load_agreement(month / "agreement.toml")
    assert volumes_before(None, agreement, "2026-01") == []
    assert volumes_before(None, replace(agreement, models=()), "2026-10") == []


def test_volumes_that_are_not_before_are_refused(month: Path, tmp_path: Path) -> None:
    before = tmp_path / "before.csv"
    before.write_text("month,from,service,route,volume\n2026-10,1,data,,1 GB\n")
    with pytest.raises(InputError, match="2026-10, which is not before 2026-10"):
        _settle(month, "--before", str(before))


def test_one_direction_alone_can_be_settled(month: Path) -> None:
    document = json.loads(_settle(month, "--json", "--round", "2", documents=("there",)).stdout)
    assert (document["round"], document["net"]["payer"]) == (2, 2)
    assert {each["payer"] for each in document["amounts"]} == {2}


@pytest.mark.parametrize(
    ("more", "documents", "message"),
    [
        ((), ("there", "there"), "one direction"),
        (("--dispute-deadline", "2026-11-29"), ("there",), "is before 2026-11-30"),
        (("--issued", "2027-01-01"), ("there",), "is before 2027-01-01"),
    ],
)
def test_what_makes_no_settlement_is_refused(
    more: tuple[str, ...], documents: tuple[str, ...], message: str, month: Path
) -> None:
    with pytest.raises(InputError, match=message):
        _settle(month, *more, documents=documents)


def test_another_version_of_the_agreement_is_refused(month: Path, tmp_path: Path) -> None:
    other = tmp_path / "agreement.toml"
    other.write_text((month / "agreement.toml").read_text() + "# changed\n")
    with pytest.raises(InputError, match="another agreement or version") as refused:
        _settle(month, "--agreement", str(other))
    assert refused.value.file == str(other)


def test_a_document_that_was_changed_is_refused(month: Path, tmp_path: Path) -> None:
    document = json.loads((month / "there.json").read_text())
    document["traffic"][0]["amount"] = str(int(document["traffic"][0]["amount"]) + 1)
    (tmp_path / "there.json").write_text(json.dumps(document))
    (tmp_path / "agreement.toml").write_bytes((month / "agreement.toml").read_bytes())
    with pytest.raises(InputError, match="the entries come to"):
        _settle(tmp_path, documents=("there",))


_MAPPING = """
[account]
column = "account"
[service]
value = "voice_originated"
[time]
column = "start"
zone = "UTC"
[usage]
column = "seconds"
[number]
column = "number"
[amount]
column = "amount"
[currency]
value = "EUR"
"""


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stores of operators 1 and 2 with two months; in October one call is missing in theirs."""
    home = tmp_path_factory.mktemp("stores")
    (home / "mapping.toml").write_text(_MAPPING)
    (home / "agreement.toml").write_text(AGREEMENT + _MODEL)
    for operator, account in ((1, "skylark"), (2, "meridian")):
        for month, missing in (("2026-10", 2 if operator == 2 else None), ("2026-11", None)):
            rows = [
                f"{account},{month}-0{day} 12:00:00,90,+33639980{day:03},0.{day}\n"
                for day in range(1, 5)
                if day != missing
            ]
            file = home / f"{operator}-{month}.csv"
            file.write_text("account,start,seconds,number,amount\n" + "".join(rows))
            billing_run.batch(
                [Input("csv", [file], home / "mapping.toml")],
                operator=operator,
                period=int(month.replace("-", "")),
                region=operator,
                chain_id=31337,
                ledger="0x" + "ab" * 20,
                store=home / str(operator),
                secrets=home / f"secrets-{operator}",
            )
    return home


def _clear(home: Path, *more: str) -> Any:
    books = [str(home / "1"), str(home / "2"), "--agreement", str(home / "agreement.toml")]
    return CliRunner().invoke(clear, [*books, *more], standalone_mode=False, catch_exceptions=False)


def test_batches_go_from_stores_into_the_settlement(stores: Path, tmp_path: Path) -> None:
    out, signed = tmp_path / "clear.json", tmp_path / "settlement.json"
    assert _clear(stores, "--month", "2026-10", "--out", str(out)).return_value == 1
    given = ["--agreement", str(stores / "agreement.toml"), "--due", "2099-12-31", "--out", str(signed)]
    given += ["--before", "none"]
    CliRunner().invoke(settle, [str(out), *given], standalone_mode=False, catch_exceptions=False)
    found, _ = load_document(signed)
    assert [(each.operator, each.period, each.region, each.sequence) for each in found.batches] == [
        (1, 202610, 1, 1),
        (2, 202610, 2, 1),
    ]
    roots = [
        StoredBatch.open(stores / str(number) / str(number) / "202610" / f"{number}-1").root
        for number in (1, 2)
    ]
    assert [each.root for each in found.batches] == roots
    assert (found.chain_id, found.ledger, found.issued) == (31337, "0x" + "ab" * 20, date.today().isoformat())
    # Three calls of 90 s are 4.5 min at 0.12; the fourth is ours alone, at 0.20.
    assert (found.net.payer.operator, found.net.amount) == (2, 540_000_000)
    (claim,) = found.disputes
    assert (claim.claimant, claim.kind, claim.amount) == (1, "missing", 200_000_000)
    assert claim.words == "records that are missing in Skylark's book"


def test_a_store_of_several_months_needs_the_month(stores: Path) -> None:
    with pytest.raises(InputError, match="2026-10, 2026-11"):
        _clear(stores)
    with pytest.raises(InputError, match="our book is operator 1's"):
        _clear(stores, "--month", "2026-10", "--as", "2")
    assert _clear(stores, "--month", "2026-11", "--as", "1").return_value == 0


def test_days_are_days_and_documents_at_most_two(month: Path) -> None:
    with pytest.raises(click.BadParameter, match="is no day"):
        _settle(month, "--due", "2026-02-30")
    with pytest.raises(click.UsageError, match="two documents at most"):
        _settle(month, documents=("there", "back", "there"))
