"""Allowances that roll over, through two months of billing runs: bills, store, audit and checks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Result, Run, run

from billproof import audit, grouping
from billproof.audit import stored_batches
from billproof.errors import DifferenceError
from billproof.store import StoredBatch
from billproof.sums import write_sums

__all__ = ["run"]

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
value = "+353209100001"
[amount]
column = "amount"
[currency]
value = "EUR"
[rate]
value = "calls"
"""
PLAN = """
schema = "billproof/tariff/1"
name = "{name}"
version = "1"
currency = "EUR"
valid = {{ from = "2026-01-01" }}
[rounding]
mode = "half-up"
decimals = 9
at = "call"
[[rates]]
name = "calls"
services = ["voice-originated"]
price = "{price}"
unit = "1 s"
[[allowances]]
name = "{allowance}"
services = ["voice-originated"]
amount = "{amount} s"
rollover = {{ cycles = {cycles}, at-most = "{amount} s" }}
"""
HEADER = "account,start,seconds,amount\n"
OCTOBER = """\
A1,2026-10-05T12:00:00+01:00,40,0
A2,2026-10-05T12:00:00+01:00,30,0
A3,2026-10-05T12:00:00+01:00,90,0.30
A5,2026-10-05T12:00:00+01:00,10,0
"""
NOVEMBER = """\
A1,2026-11-05T12:00:00+00:00,85,0.05
A2,2026-11-05T12:00:00+00:00,120,0
A2,2026-11-06T12:00:00+00:00,60,0.20
"""
AFTER_OCTOBER = "account,allowance,left,age\nA1,minutes,20,1\nA2,talk,70,1\nA5,minutes,50,1\n"

Batch = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two tariffs with an allowance each, four accounts that have them, two months of calls."""
    flex = PLAN.format(name="Flex", price="0.01", allowance="minutes", amount=60, cycles=1)
    (tmp_path / "flex.toml").write_text(flex)
    long = PLAN.format(name="Long", price="0.02", allowance="talk", amount=100, cycles=2)
    (tmp_path / "long.toml").write_text(long)
    listed = "".join(f"A{k},{'long' if k == 2 else 'flex'}.toml\n" for k in (1, 2, 3, 5))
    (tmp_path / "accounts.csv").write_text("account,tariff\n" + listed)
    (tmp_path / "map.toml").write_text(MAPPING)
    (tmp_path / "10.csv").write_text(HEADER + OCTOBER)
    (tmp_path / "11.csv").write_text(HEADER + NOVEMBER)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def batch(home: Path, run: Run) -> Batch:
    """A month, batched with the accounts' tariffs unless told otherwise."""

    def call(month: int, *words: object, tariffs: bool = True) -> Result:
        return run(
            *("batch", f"{month}.csv", "--format", "csv", "--mapping", "map.toml", "--chain-id", 31337),
            *("--operator", 1, "--period", f"2026{month}", "--store", "store", "--secrets", "secrets"),
            *(("--tariffs", "accounts.csv") if tariffs else ()),
            *words,
        )

    return call


@pytest.fixture
def november(home: Path, batch: Batch) -> StoredBatch:
    """The second of two months, batched with what the first one left."""
    assert batch(10, "--balances-out", "next.csv").code == 0
    result = batch(11, "--balances", "next.csv", "--balances-out", "later.csv", "--json")
    assert result.code == 0, result.out
    assert result.json["tariffCheck"]["lines"] == {"right": 3}
    return StoredBatch.open(Path(result.json["path"]))


def audited(stored: StoredBatch) -> list[str]:
    told: list[str] = []
    audit.audit_batch(stored, None, told.append)
    return told


def test_two_months_in_a_row(home: Path, batch: Batch, november: StoredBatch) -> None:
    assert (home / "next.csv").read_text() == AFTER_OCTOBER
    # A1 and A2 have used everything; A5 has no call, and what it carried over may not be carried again.
    assert (home / "later.csv").read_text() == "account,allowance,left,age\nA5,minutes,60,1\n"
    shutil.rmtree(november.path)
    refused = batch(11)
    assert refused.code == 1
    assert "EUR 1.60 too little, on 3 lines" in refused.err
    assert not november.path.exists()


def test_months_in_parts_carry_the_same(home: Path, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "PART_BYTES", 40)
    assert batch(10, "--balances-out", "next.csv").code == 0
    assert (home / "next.csv").read_text() == AFTER_OCTOBER
    result = batch(11, "--balances", "next.csv", "--balances-out", "later.csv", "--json")
    assert result.json["tariffCheck"]["lines"] == {"right": 3}
    assert (home / "later.csv").read_text() == "account,allowance,left,age\nA5,minutes,60,1\n"


def test_the_store_keeps_what_its_accounts_carried_over(november: StoredBatch) -> None:
    kept = november.path / "balances.csv"
    assert kept.read_text() == "account,allowance,left,age\nA1,minutes,20,1\nA2,talk,70,1\n"
    assert "  balances.csv\n" in (november.path / "SHA256SUMS").read_text()
    assert not (november.path.parents[1] / "202610/0-1/balances.csv").exists()
    assert "every line priced again: 0 differ, as the batch says" in audited(november)
    kept.write_text(kept.read_text().replace("20", "30"))
    with pytest.raises(DifferenceError, match=r"balances\.csv: not what was written"):
        audited(november)
    write_sums(november.path)
    with pytest.raises(DifferenceError, match="its tariffCheck is not what its lines and tariffs give"):
        audited(november)


def test_checks_use_what_is_kept_or_given(home: Path, run: Run, november: StoredBatch) -> None:
    assert run("check", "store").code == 0
    assert run("check", november.path, "--balances", "next.csv").code == 0
    (home / "none.csv").write_text("account,allowance,left\n")
    assert run("check", november.path, "--balances", "none.csv").code == 1
    several = run("check", "store", "--balances", "next.csv")
    assert several.code == 2
    assert "are those of one cycle, here are several" in several.err
    assert run("bundles", "--store", "store", "--secrets", "secrets", "--operator", 1, "--period", 202611,
               "--out", "out").code == 0  # fmt: skip
    (bill,) = (home / "out").glob("A1*.json")
    assert run("check", bill, "--tariff", "flex.toml", "--balances", "next.csv").code == 0
    found = run("check", bill, "--tariff", "flex.toml", "--json")
    assert (found.code, found.json["tooLittle"]) == (1, {"EUR": "200000000"})


def test_a_dry_run_writes_them_too(home: Path, batch: Batch) -> None:
    assert batch(10, "--balances-out", "next.csv", "--dry-run").code == 0
    assert (home / "next.csv").read_text() == AFTER_OCTOBER
    assert not (home / "store").exists()


def test_accounts_without_a_tariff_have_no_next_month(home: Path, batch: Batch) -> None:
    (home / "next.csv").write_text(AFTER_OCTOBER + "A9,bygone,5,1\n")
    assert batch(11, "--balances", "next.csv", "--balances-out", "later.csv").code == 0
    assert (home / "later.csv").read_text() == "account,allowance,left,age\nA5,minutes,60,1\n"
    kept = next(stored_batches(home / "store")).balances_file
    assert kept is not None
    assert "A9" not in kept.read_text()


@pytest.mark.parametrize(
    ("rows", "words", "said"),
    [
        ("A1,talk,5,1\n", (), "next.csv:2:allowance: 'talk' is no allowance of Flex (1)"),
        ("A5,minutes,5,2\n", (), "next.csv:2:age: 'minutes' is carried over for 1 cycles, not 2"),
        ("", ("--tariff-differences", "unchecked"), "--balances: no line is compared with a tariff"),
        ("", ("--amends", "1", "--sequence", "2"), "--balances: an amendment is compared with nothing"),
        ("", ("--balances-out", "next.csv", "--force"), "is an input of this run"),
        ("", ("--balances-out", "map.toml", "--force"), "is an input of this run"),
        ("", ("--balances-out", "10.csv"), "is there already"),
    ],
)
def test_refuses(home: Path, batch: Batch, rows: str, words: tuple[str, ...], said: str) -> None:
    (home / "next.csv").write_text("account,allowance,left,age\n" + rows)
    result = batch(11, "--balances", "next.csv", *words)
    assert result.code == 2
    assert said in result.err
    assert not list(home.rglob("*.secret"))
    assert (home / "next.csv").read_text() == "account,allowance,left,age\n" + rows


def test_refuses_without_tariffs(home: Path, batch: Batch) -> None:
    for words in (("--balances-out", "next.csv"), ("--balances-out", "next.csv", "--json")):
        result = batch(10, *words, tariffs=False)
        assert result.code == 2
    assert json.loads(result.out)["message"].startswith("--balances-out: no line is compared with a tariff")
