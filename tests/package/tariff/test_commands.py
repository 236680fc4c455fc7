"""`tariff check`, `tariff explain`, `check` and `rate` on the command line."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from commands import Run, run

from billproof.account_tariffs import AccountTariffs
from billproof.billing_run import Input, batch
from billproof.bundle import cut
from billproof.bundle import documents as doc
from billproof.errors import DifferenceError
from billproof.rerating import Pricing
from billproof.secret_store import SecretStore
from billproof.sums import check_sums

__all__ = ["run"]

PLAN = """
schema = "billproof/tariff/1"
name = "Plan"
version = "1"
currency = "EUR"
valid = { from = "2026-10-01" }
rounding = { mode = "half-up", decimals = 4, at = "call" }
[destinations]
near = ["+44"]
[[rates]]
name = "near"
services = ["voice-originated"]
destinations = ["near"]
connection = "0.05"
price = "0.10"
unit = "60 s"
increment = "30 s"
[[rates]]
name = "rest"
services = ["voice-originated"]
price = "0.60"
unit = "60 s"
increment = "1 s"
[[allowances]]
name = "minute"
services = ["voice-originated"]
destinations = ["near"]
amount = "60 s"
rollover = { cycles = 1, at-most = "60 s" }
[[fees]]
name = "monthly"
amount = "5"
service = "recurring"
times = "once"
"""
MAPPING = """
[account]
column = "account"
[service]
column = "kind"
[service.values]
call = "voice_originated"
fee = "recurring"
[time]
column = "start"
zone = "Europe/Dublin"
[usage]
column = "seconds"
[billed_usage]
column = "billed"
[number]
column = "number"
[amount]
column = "amount"
[currency]
value = "EUR"
[rate]
column = "rate"
"""
ROWS = """\
account,kind,start,seconds,billed,number,amount,rate
A1,fee,2026-10-01T00:00:00+01:00,0,0,,5.00,monthly
A1,call,2026-10-02T10:00:00+01:00,40,60,+442079460001,0.00,near
A1,call,2026-10-03T10:00:00+01:00,85,90,+442079460001,0.25,near
A1,call,2026-10-04T10:00:00+01:00,10,10,+353209100001,0.10,rest
A2,fee,2026-10-01T00:00:00+01:00,0,0,,5.00,monthly
A2,call,2026-10-02T10:00:00+01:00,10,10,+353209100001,0.10,rest
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "map.toml").write_text(MAPPING)
    (tmp_path / "usage.csv").write_text(ROWS)
    return tmp_path


@pytest.fixture
def store(home: Path) -> Callable[..., Path]:
    """Batches the rows, and writes each account's proof file."""

    def make(rows: str = ROWS, tariff: str | None = "plan.toml") -> Path:
        (home / "cdr.csv").write_text(rows)
        pricing = Pricing(AccountTariffs.one(home / tariff), mode="report") if tariff else None
        stored = batch(
            [Input("csv", [home / "cdr.csv"], home / "map.toml")],
            operator=1,
            period=202610,
            chain_id=31337,
            ledger="0x" + "5a" * 20,
            store=home / "store",
            secrets=home / "secrets",
            pricing=pricing,
        ).stored
        assert stored is not None
        for account, bundle in cut.bundles(stored, SecretStore(home / "secrets", 1)):
            (home / f"{account}.json").write_bytes(doc.encode(bundle))
        return home / "store"

    return make


def test_tariff_check(run: Run, home: Path) -> None:
    result = run("tariff", "check", home / "plan.toml")
    assert result.code == 0
    assert "✓ Plan (1) can be used" in result.out
    found = run("tariff", "check", home / "plan.toml", "--json").json
    assert (found["rates"], found["prefixes"], found["allowances"]) == (2, 1, 1)
    assert found["withoutRate"]["voice-originated"] == ["elsewhere"]
    assert found["withoutRate"]["data"] == ["home", "elsewhere"]
    assert "voice-originated  elsewhere" in result.out
    (home / "bad.toml").write_text(PLAN.replace('"30 s"', '"30 B"'))
    result = run("tariff", "check", home / "bad.toml")
    assert result.code == 2
    assert "bad.toml:17:rates[1].increment" in result.err


def test_tariff_check_lists_services_without_a_rate_in_a_zone(run: Run, home: Path) -> None:
    zones = '[zones]\neurope = ["208"]\nafar = ["310"]\n'
    rates = "".join(
        f'[[rates]]\nname = "{name}"\nservices = ["{name}"]\nprice = "0.10"\nunit = "{unit}"\n{where}\n'
        for name, unit, where in (
            ("voice-originated", "60 s", 'zones = ["home", "europe"]'),
            ("data", "1 MB", 'zones = ["home", "europe", "afar", "elsewhere"]'),
            ("message-sent", "1 message", 'zones = ["elsewhere"]'),
        )
    )
    (home / "zones.toml").write_text(PLAN[: PLAN.index("[destinations]")] + zones + rates)
    result = run("tariff", "check", home / "zones.toml")
    assert result.code == 0
    said = dict(
        line.strip().split(None, 1)
        for line in result.out[result.out.index("Without a rate") :].splitlines()[1:]
    )
    assert said["voice-originated"] == "afar, elsewhere"
    assert said["message-sent"] == "home, europe, afar"
    assert "voice-terminated, voice-forwarded, message-received, mms, content" in result.out
    assert "data" not in said
    found = run("tariff", "check", home / "zones.toml", "--json").json["withoutRate"]
    assert found["message-sent"] == ["home", "europe", "afar"]
    assert found["mms"] == ["home", "europe", "afar", "elsewhere"]


@pytest.mark.parametrize("number", ["+447700900123", "00447700900123"])
def test_tariff_explain_takes_two_zeros_for_a_plus(run: Run, number: str) -> None:
    plan = Path(__file__).resolve().parents[2] / "vectors/rating/tariffs/two-zeros.toml"
    words = ("--service", "voice-originated", "--number", number, "--usage", 10, "--at", "2026-10-03T14:00")
    told = run("tariff", "explain", plan, *words).out
    assert f"{number}: britain, 0044 is the longest prefix" in told


def test_tariff_explain(run: Run, home: Path) -> None:
    whole = run("tariff", "explain", home / "plan.toml").out
    assert "0.05 EUR a connection, 0.10 EUR for 1 min by 30 s" in whole
    words = ["--service", "voice-originated", "--number", "+442079460001", "--usage", "85"]
    one = run("tariff", "explain", home / "plan.toml", *words, "--at", "2026-10-03T14:00")
    assert "85 s → 90 s" in one.out
    assert one.out.rstrip().endswith("charge      0.20 EUR")
    assert run("tariff", "explain", home / "plan.toml", *words[:4], "--usage", "2 min", "--json").json[
        "steps"
    ][-1] == {
        "name": "charge",
        "words": "0.25 EUR",
    }
    none = run("tariff", "explain", home / "plan.toml", *words, "--network", "310-410")
    assert "none: the tariff has no rate for it" in none.out
    early = run("tariff", "explain", home / "plan.toml", *words, "--at", "2026-09-30T23:59")
    assert "not valid on that day" in early.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--service", "voice"], "is no service with usage"),
        (["--service", "data", "--usage", "5 s"], "is no amount of bytes"),
        (["--service", "data", "--usage", "five"], "is no amount of bytes"),
        (["--service", "data", "--usage", "9" * 5000], "is no amount of bytes"),
        (["--service", "data", "--usage", "999999999999999999 GB"], "is no amount of bytes"),
        (["--service", "data", "--usage", "1_0 B"], "is no amount of bytes"),
        (["--service", "data", "--usage", "\u0663"], "is no amount of bytes"),
        (["--service", "data", "--at", "noon"], "is no time"),
        (["--service", "data", "--network", "home"], "is no network"),
        (["--usage", "5"], "also needs --service"),
    ],
)
def test_tariff_explain_refuses(run: Run, home: Path, words: list[str], message: str) -> None:
    result = run("tariff", "explain", home / "plan.toml", *words)
    assert result.code == 2
    assert message in result.err


def test_check_of_a_statement(run: Run, home: Path, store: Callable[..., Path]) -> None:
    store()
    right = run("check", home / "A2.json", "--tariff", home / "plan.toml")
    assert right.code == 0
    assert "every line that the tariff prices is charged as it says" in right.out
    wrong = run("check", home / "A1.json", "--tariff", home / "plan.toml", "--csv", home / "out.csv")
    assert wrong.code == 1
    assert wrong.out.startswith("✗ 1 line charged too much, 0.05 EUR in all")
    (row,) = csv.DictReader((home / "out.csv").read_text().splitlines())
    assert (row["account"], row["line"], row["charged"], row["due"], row["cause"]) == (
        *("A1", "3", "0.25", "0.20"),
        "connection",
    )
    assert run("check", home / "A1.json", "--tariff", home / "plan.toml", "--csv", home / "out.csv").code == 2
    found = run("check", home / "A1.json", "--tariff", home / "plan.toml", "--json")
    assert found.code == 1
    assert found.json["tooMuch"] == {"EUR": "50000000"}
    assert found.json["lines"]["right"] == 3
    assert [(each["index"], each["difference"]) for each in found.json["differences"]] == [("2", "50000000")]


def test_check_of_a_store_uses_the_tariffs_in_it(run: Run, home: Path, store: Callable[..., Path]) -> None:
    place = store()
    for words in ([], ["--tariff", home / "plan.toml"]):
        result = run("check", place, "--json", *words)
        assert result.code == 1
        assert (result.json["statements"], result.json["lines"]["right"]) == (2, 5)
    assert "A1, line 3" in run("check", place).out


def test_check_finds_the_tariff_beside_the_bill(run: Run, home: Path, store: Callable[..., Path]) -> None:
    (kept,) = store().glob("*/*/*/tariffs/*.toml")
    (home / "bills/tariffs").mkdir(parents=True)
    for account in ("A1", "A2"):
        (home / f"{account}.json").rename(home / f"bills/{account}.json")
    assert run("check", home / "bills/A2.json").code == 2
    beside = home / "bills/tariffs" / kept.name
    beside.write_bytes(kept.read_bytes())
    assert run("check", home / "bills/A2.json").code == 0
    both = run("check", home / "bills", "--json")
    assert both.code == 1
    assert (both.json["statements"], both.json["tooMuch"]) == (2, {"EUR": "50000000"})
    beside.write_text(PLAN.replace('"0.60"', '"0.90"'))
    forged = run("check", home / "bills/A2.json")
    assert forged.code == 2
    assert "not the tariff that its name says" in forged.err


def test_check_refuses_a_bill_that_contradicts_itself(
    run: Run, home: Path, store: Callable[..., Path]
) -> None:
    store()
    changed = (home / "A1.json").read_text().replace('"250000000"', '"200000000"')
    assert changed != (home / "A1.json").read_text()
    (home / "A1.json").write_text(changed)
    result = run("check", home / "A1.json", "--tariff", home / "plan.toml")
    assert result.code == 2
    assert "the bill contradicts itself" in result.err


def test_check_leaves_out_batches_that_name_no_tariff(
    run: Run, home: Path, store: Callable[..., Path]
) -> None:
    store(tariff=None)
    place = store(ROWS.replace("A1,", "B1,").replace("A2,", "B2,"))
    result = run("check", place, "--json")
    assert (result.code, result.json["statements"], result.json["leftOut"]) == (1, 2, 2)
    assert "Left out, since they name no tariff: 2 statements" in run("check", place).err
    assumed = run("check", place, "--json", "--tariff", home / "plan.toml")
    assert (assumed.json["statements"], assumed.json["leftOut"]) == (4, 0)


def test_check_tells_what_lines_charge_of_which_the_tariff_says_nothing(
    run: Run, home: Path, store: Callable[..., Path]
) -> None:
    hidden = "A2,fee,2026-10-09T00:00:00+01:00,0,0,,{},{}\n"
    store(ROWS + hidden.format("99.00", "m\u043enthly") + hidden.format("-1.00", "goodwill"))
    result = run("check", home / "A2.json", "--tariff", home / "plan.toml")
    assert result.code == 0
    assert result.out.startswith("? every line that the tariff prices is charged as it says")
    assert "not priced  2, 99.00 EUR charged, 1.00 EUR credited" in result.out
    assert "the tariff says nothing" in result.err
    assert run("check", home / "A2.json", "--tariff", home / "plan.toml", "--json").json["unpriced"] == {
        "outside validity": {"charged": {}, "credited": {}},
        "not priced": {"charged": {"EUR": "99000000000"}, "credited": {"EUR": "1000000000"}},
    }


def test_check_is_not_pleased_with_a_tariff_that_prices_nothing(
    run: Run, home: Path, store: Callable[..., Path]
) -> None:
    plan = PLAN[: PLAN.index("[[fees]]")].replace("2026-10-01", "2036-10-01")
    (home / "later.toml").write_text(plan)
    store(tariff="later.toml")
    result = run("check", home / "A2.json", "--tariff", home / "later.toml")
    assert result.code == 4
    assert result.out.startswith("? no line could be checked: the tariff prices none of them")
    assert "outside validity  1, 0.10 EUR charged" in result.out
    assert run("check", home / "A2.json", "--tariff", home / "later.toml", "--json").code == 4
    assert run("check", home / "store").code == 4


@pytest.mark.parametrize(
    ("key", "value"),
    [("service", "300"), ("utcOffset", "-40000"), ("amount", "9999999999999999999")],
)
def test_check_refuses_numbers_beyond_their_fields(
    run: Run, home: Path, store: Callable[..., Path], key: str, value: str
) -> None:
    store()
    bundle = json.loads((home / "A2.json").read_text())
    bundle["records"][1][key] = value
    (home / "A2.json").write_text(json.dumps(bundle))
    result = run("check", home / "A2.json", "--tariff", home / "plan.toml")
    assert result.code == 2
    assert f"{key}: {value} of line 2 is more than can be" in result.err


def test_check_of_a_store_takes_no_other_file_for_a_tariff_of_it(
    run: Run, home: Path, store: Callable[..., Path]
) -> None:
    place = store()
    (kept,) = place.glob("*/*/*/tariffs/*")
    kept.write_text(PLAN.replace('price = "0.10"', 'price = "0.12"'))
    result = run("check", place)
    assert result.code == 2
    assert "is not the tariff that its name says" in result.err
    assert run("check", place, "--tariff", home / "plan.toml").code == 1
    kept.unlink()
    os.mkfifo(kept)
    assert run("check", place).code == 2
    with pytest.raises(DifferenceError, match=r"tariffs/0x.*: is no file"):
        check_sums(kept.parents[1])


def test_check_takes_the_tariff_that_the_statement_names(
    run: Run, home: Path, store: Callable[..., Path]
) -> None:
    store()
    (home / "other.toml").write_text(PLAN.replace('"0.60"', '"0.90"'))
    other = run("check", home / "A2.json", "--tariff", home / "other.toml")
    assert other.code == 2
    assert "which is not among those given" in other.err
    both = run("check", home / "A2.json", "--tariff", home / "other.toml", "--tariff", home / "plan.toml")
    assert both.code == 0
    assert run("check", home / "A2.json").code == 2


def test_check_says_that_it_took_a_tariff_which_is_not_named(
    run: Run, home: Path, store: Callable[..., Path]
) -> None:
    place = store(tariff=None)
    result = run("check", home / "A2.json", "--tariff", home / "plan.toml")
    assert result.code == 0
    assert "names no tariff" in result.err
    (home / "other.toml").write_text(PLAN.replace('"0.60"', '"0.90"'))
    assert run("check", place, "--tariff", home / "other.toml", "--tariff", home / "plan.toml").code == 2
    assert run("check", place).code == 2


def test_check_refuses_another_currency(run: Run, home: Path, store: Callable[..., Path]) -> None:
    store(tariff=None)
    (home / "plan.toml").write_text(PLAN.replace('"EUR"', '"USD"'))
    result = run("check", home / "A2.json", "--tariff", home / "plan.toml")
    assert result.code == 2
    assert "is in EUR, the tariff Plan (1) is in USD" in result.err


def rate(run: Run, home: Path, *words: object) -> Any:
    return run(
        *("rate", home / "usage.csv", "--tariff", home / "plan.toml", "--format", "csv"),
        *("--mapping", home / "map.toml", "--period", "202610", *words),
    )


def test_rate_prices_usage_and_leaves_the_rest(run: Run, home: Path) -> None:
    result = rate(run, home, "--out", home / "priced.csv", "--balances-out", home / "next.csv")
    assert result.code == 0
    assert result.out.startswith("10.40 EUR for 6 records")
    rows = list(csv.DictReader((home / "priced.csv").read_text().splitlines()))
    assert [(row["amount"], row["billed_usage"], row["free_usage"], row["status"]) for row in rows] == [
        ("5.00", "0", "0", "not priced"),
        ("0.00", "60", "60", "priced"),
        ("0.20", "90", "0", "priced"),
        ("0.10", "10", "0", "priced"),
        ("5.00", "0", "0", "not priced"),
        ("0.10", "10", "0", "priced"),
    ]
    assert rows[1]["started_at"] == "2026-10-02T10:00:00+01:00"
    assert (home / "next.csv").read_text() == "account,allowance,left,age\nA2,minute,60,1\n"


def test_rate_with_balances_and_as_parquet(run: Run, home: Path) -> None:
    (home / "balances.csv").write_text("account,allowance,left\nA1,minute,45\nA9,minute,20\n")
    words = ("--out", home / "priced.parquet", "--balances", home / "balances.csv")
    result = rate(run, home, *words, "--balances-out", home / "next.csv", "--json")
    assert result.code == 0
    assert result.json["statuses"] == {"not priced": 2, "priced": 4}
    table = pq.read_table(home / "priced.parquet")
    assert table["free_usage"].to_pylist() == [0, 60, 45, 0, 0, 0]
    assert [str(amount) for amount in table["amount"].to_pylist()][1:3] == ["0E-9", "0.075000000"]
    assert (home / "next.csv").read_text() == ("account,allowance,left,age\nA2,minute,60,1\nA9,minute,60,1\n")
    assert rate(run, home, *words).code == 2
    assert rate(run, home, *words, "--force").code == 0
    assert rate(run, home, "--out", home / "priced.txt").code == 2


def test_what_rate_writes_is_what_check_finds_right(run: Run, home: Path, store: Callable[..., Path]) -> None:
    rate(run, home, "--out", home / "priced.csv")
    priced = list(csv.DictReader((home / "priced.csv").read_text().splitlines()))
    kinds = {"voice_originated": "call", "recurring": "fee"}
    rows = [ROWS.split("\n")[0]] + [
        ",".join(
            [
                *(
                    row["account"],
                    kinds[row["service"]],
                    row["started_at"],
                    row["usage"],
                    row["billed_usage"],
                ),
                *(row["number"], row["amount"], row["rate"]),
            ]
        )
        for row in priced
    ]
    assert run("check", store("\n".join(rows) + "\n")).code == 0


def test_published_schema_allows_the_plan() -> None:
    import tomllib

    import jsonschema

    schema = json.loads((Path(__file__).resolve().parents[3] / "docs/schemas/tariff.json").read_text())
    jsonschema.validate(tomllib.loads(PLAN), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(PLAN.replace('"0.10"', '"-0.10"')), schema)
