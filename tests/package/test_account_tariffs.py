"""A tariff for each account: who has which, what is kept, and lines that are not as it says."""

from __future__ import annotations

import csv
import json
import os
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from billproof import audit, audit_prices
from billproof.account_tariffs import UNNAMED, AccountTariffs
from billproof.billing_run import BatchResult, Control, Input, batch
from billproof.bundle import cut
from billproof.cli import main
from billproof.commitment.keccak import keccak
from billproof.errors import DifferenceError, InputError
from billproof.files import json_bytes
from billproof.records import ZERO32
from billproof.rerating import Pricing, Rerated
from billproof.secret_store import SecretStore
from billproof.store import StoredBatch
from billproof.sums import check_sums, write_sums
from billproof.tariff.result import Status

MAPPING = """
[account]
column = "account"
[service]
column = "kind"
values = { call = "voice_originated", fee = "recurring" }
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
column = "currency"
[rate]
column = "rate"
"""
TARIFF = """
schema = "billproof/tariff/1"
name = "{name}"
version = "1"
currency = "EUR"
valid = {{ from = "2026-01-01" }}
home = ["999-10"]
[rounding]
mode = "half-up"
decimals = 9
at = "call"
[[rates]]
name = "calls"
services = ["voice-originated"]
price = "{price}"
unit = "1 s"
increment = "1 s"
"""
ROWS = [
    "A1,call,2026-10-05T12:00:00+01:00,60,+353209100001,0.60,EUR,calls",
    "A1,call,2026-10-06T12:00:00+01:00,10,+353209100001,0.10,EUR,calls",
    "A2,call,2026-10-05T12:00:00+01:00,60,+353209100001,1.20,EUR,calls",
    "A3,call,2026-10-07T12:00:00+01:00,30,+353209100001,0.30,EUR,calls",
]
DEAR = "A3,call,2026-10-08T12:00:00+01:00,30,+353209100001,0.35,EUR,calls"
CHEAP = "A2,call,2026-10-08T12:00:00+01:00,30,+353209100001,0.59,EUR,calls"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two tariffs, and a list of three accounts that have them."""
    (tmp_path / "plans").mkdir()
    for name, price in (("one", "0.01"), ("two", "0.02")):
        (tmp_path / "plans" / f"{name}.toml").write_text(TARIFF.format(name=name, price=price))
    (tmp_path / "map.toml").write_text(MAPPING)
    (tmp_path / "accounts.csv").write_text(
        "account,tariff\nA1,plans/one.toml\nA2,plans/two.toml\nA3,plans/one.toml\n"
    )
    return tmp_path


@pytest.fixture
def run(home: Path) -> Callable[..., BatchResult]:
    """A batch of rows, with the list's tariffs unless others are given."""

    def call(rows: list[str], **changes: Any) -> BatchResult:
        (home / "cdr.csv").write_text(
            "account,kind,start,seconds,number,amount,currency,rate\n" + "".join(f"{row}\n" for row in rows)
        )
        options: dict[str, Any] = {
            "operator": 1,
            "period": 202610,
            "chain_id": 31337,
            "ledger": "0x" + "ab" * 20,
            "store": home / "store",
            "secrets": home / "secrets",
            "pricing": Pricing(AccountTariffs.read(home / "accounts.csv")),
        }
        return batch([Input("csv", [home / "cdr.csv"], home / "map.toml")], **{**options, **changes})

    return call


def stored_of(result: BatchResult) -> StoredBatch:
    assert result.stored is not None
    return result.stored


def found(result: BatchResult) -> Rerated:
    assert result.rerated is not None
    return result.rerated


def bundles(home: Path, stored: StoredBatch) -> dict[str, Any]:
    vault = SecretStore(home / "secrets", 1)
    return {account: json.loads(content) for account, content in cut.Cutter(stored, vault).bundles()}


def hash_of(home: Path, name: str) -> str:
    return "0x" + keccak((home / "plans" / f"{name}.toml").read_bytes()).hex()


def test_every_statement_has_its_own_tariff(home: Path, run: Callable[..., BatchResult]) -> None:
    stored = stored_of(run(ROWS))
    tariffs = {account: bundle["statement"]["tariff"] for account, bundle in bundles(home, stored).items()}
    one, two = hash_of(home, "one"), hash_of(home, "two")
    assert tariffs == {"A1": one, "A2": two, "A3": one}
    assert sorted(path.name for path in (stored.path / "tariffs").iterdir()) == sorted(
        [f"{one}.toml", f"{two}.toml"]
    )
    assert (stored.path / "tariffs" / f"{two}.toml").read_bytes() == (home / "plans/two.toml").read_bytes()
    assert f"tariffs/{one}.toml" in (stored.path / "SHA256SUMS").read_text()
    told: list[str] = []
    audit.audit_batch(stored, home / "secrets", told.append)
    assert "3 statements refer to 2 tariffs" in told
    vault = SecretStore(home / "secrets", 1)
    assert [path.name for path in cut.Cutter(stored, vault, ["A2"]).tariff_files] == [f"{two}.toml"]


def test_a_list_with_one_tariff_gives_the_root_of_one_for_all(
    home: Path, run: Callable[..., BatchResult]
) -> None:
    (home / "accounts.csv").write_text("account,tariff\n" + "".join(f"A{k},plans/one.toml\n" for k in (1, 3)))
    rows = [row for row in ROWS if not row.startswith("A2")]
    first = run(rows)
    again = run(rows, pricing=Pricing(AccountTariffs.one(home / "plans/one.toml")), force=True, sequence=1)
    assert first.root == again.root
    assert run(rows, pricing=None, force=True, sequence=1).root != first.root


def test_a_tariff_for_the_rest(home: Path, run: Callable[..., BatchResult]) -> None:
    (home / "accounts.csv").write_text("account,tariff\nA2,plans/two.toml\n")
    with pytest.raises(InputError, match=r"names no tariff for 2 accounts: A1, A3"):
        run(ROWS)
    assert not list((home / "secrets").rglob("*.secret"))
    rest = AccountTariffs.read(home / "accounts.csv", home / "plans/one.toml")
    assert found(run(ROWS, pricing=Pricing(rest))).differing == 0
    listed = Pricing(AccountTariffs.read(home / "accounts.csv"), "unchecked")
    with pytest.raises(InputError, match="names no tariff for 2 accounts"):
        run(ROWS, pricing=listed, sequence=1, force=True)


def test_codes_of_accounts(home: Path) -> None:
    tariffs = AccountTariffs.read(home / "accounts.csv")
    assert len(tariffs.files) == 2
    assert tariffs.codes(pa.array(["A3", "B", "A2"])).tolist() == [0, UNNAMED, 1]
    assert tariffs.of(pa.array(["A2", "A2"])).hashes == (tariffs.files[1].hash,)
    assert AccountTariffs().of(pa.array(["A1"])).hashes == (ZERO32,)
    (home / "plans/same.toml").write_bytes((home / "plans/one.toml").read_bytes())
    (home / "accounts.csv").write_text("tariff,account\nplans/one.toml,A1\nplans/same.toml,A2\n")
    assert len(AccountTariffs.read(home / "accounts.csv").files) == 1


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("account,plan\nA1,x\n", "cannot read"),
        (
            "account,tariff\nA1,plans/one.toml\nA2,plans/none.toml\n",
            r":3:tariff: cannot read the tariff .*none",
        ),
        ("account,tariff\nA1,plans/one.toml\n,plans/one.toml\n", ":3:account: is empty"),
        ("account,tariff\nA1,plans/one.toml\nA2,\n", ":3:tariff: is empty"),
        (
            "account,tariff\nA1,plans/one.toml\nA1,plans/two.toml\n",
            ":3:account: account A1 stands here twice",
        ),
        ("account,tariff\nA1,plans\n", ":2:tariff: cannot read the tariff"),
        ("account,tariff\nA1,plans/o\0ne.toml\n", ":2:tariff: cannot read the tariff .*is no path"),
        ("account,tariff\nA1,/dev/zero\n", ":2:tariff: cannot read the tariff .*larger than 64 MiB"),
        ("account,tariff\nA1,pipe\n", ":2:tariff: cannot read the tariff .*is no file"),
    ],
)
def test_a_list_that_cannot_be_used(home: Path, text: str, match: str) -> None:
    (home / "accounts.csv").write_text(text)
    os.mkfifo(home / "pipe")
    with pytest.raises(InputError, match=match):
        AccountTariffs.read(home / "accounts.csv")


def test_lines_that_differ_refuse_the_batch(home: Path, run: Callable[..., BatchResult]) -> None:
    with pytest.raises(DifferenceError) as caught:
        run([*ROWS, DEAR, CHEAP])
    assert caught.value.message == (
        "not what the tariffs say: EUR 0.05 too much, EUR 0.01 too little, on 2 lines (2× price)"
    )
    assert not list((home / "secrets").rglob("*.secret"))
    place = home / "store/1/202610/0-1.differences.csv"
    assert str(place) in caught.value.advice
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    with place.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["account"], row["record"], row["difference"]) for row in rows] == [
        ("A2", "1", "-0.01"),
        ("A3", "1", "0.05"),
    ]
    assert (rows[1]["source"], rows[1]["line"], rows[1]["tariff"]) == ("cdr.csv", "6", "one (1)")
    assert not (home / "store/1/202610/0-1").exists()
    stored = stored_of(run(ROWS))
    assert not place.exists()
    assert not (stored.path / "differences.csv").exists()
    assert stored.summary["tariffCheck"]["lines"] == {"right": 4}


@pytest.mark.parametrize("days", ['from = "2026-11-01"', 'from = "2026-01-01", until = "2026-10-01"'])
def test_a_plan_of_another_time_is_refused(home: Path, run: Callable[..., BatchResult], days: str) -> None:
    """It would price no line, and so find none that is wrong."""
    path = home / "plans/two.toml"
    path.write_text(path.read_text().replace('from = "2026-01-01"', days))
    with pytest.raises(DifferenceError, match=r"two\.toml: two \(1\) is valid from .*: on no day of 202610"):
        run(ROWS)
    lists = AccountTariffs.read(home / "accounts.csv")
    assert found(run(ROWS, pricing=Pricing(lists, mode="report"))).lines[Status.OUTSIDE_VALIDITY] == 1


def test_a_plan_that_begins_or_ends_within_the_month_is_taken(
    home: Path, run: Callable[..., BatchResult]
) -> None:
    path = home / "plans/two.toml"
    path.write_text(
        path.read_text().replace('from = "2026-01-01"', 'from = "2026-10-01", until = "2026-10-06"')
    )
    assert found(run(ROWS)).lines == {Status.RIGHT: 4}


def test_lines_that_differ_are_let_pass_and_told_of(home: Path, run: Callable[..., BatchResult]) -> None:
    pricing = Pricing(AccountTariffs.read(home / "accounts.csv"), "report", home / "copy.csv")
    result = run([*ROWS, DEAR], pricing=pricing)
    stored = stored_of(result)
    assert stored.summary["tariffCheck"] == {
        "differences": "report",
        "lines": {"right": 4, "wrong": 1},
        "missing": 0,
        "causes": {"price": 1},
        "tooMuch": {"EUR": "50000000"},
        "tooLittle": {},
    }
    assert (stored.path / "differences.csv").read_bytes() == (home / "copy.csv").read_bytes()
    check_sums(stored.path)
    shutil.rmtree(stored.path / "tariffs")
    with pytest.raises(DifferenceError, match="tariffs/0x"):
        check_sums(stored.path)
    with pytest.raises(InputError, match="is there already") as again:
        run([*ROWS, DEAR], pricing=pricing, sequence=2)
    assert "Remove it, or name another file with --differences." in again.value.advice


def test_a_run_that_is_refused_says_what_to_do_with_its_file_before_the_next(
    home: Path, run: Callable[..., BatchResult]
) -> None:
    pricing = Pricing(AccountTariffs.read(home / "accounts.csv"), copy=home / "copy.csv")
    with pytest.raises(DifferenceError) as refused:
        run([*ROWS, DEAR], pricing=pricing)
    assert f"{home / 'copy.csv'} has every line. Before the next run remove it" in refused.value.advice
    with pytest.raises(InputError, match="perhaps of a run that was refused"):
        run(ROWS, pricing=pricing)
    (home / "copy.csv").unlink()
    stored_of(run(ROWS, pricing=pricing))
    assert not (home / "copy.csv").exists()


def test_the_audit_prices_every_line_again(
    home: Path, run: Callable[..., BatchResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    pricing = Pricing(AccountTariffs.read(home / "accounts.csv"), "report")
    stored = stored_of(run([*ROWS, DEAR, CHEAP], pricing=pricing))
    for size in (1, 3, 1000):
        monkeypatch.setattr(audit_prices, "_SLICE", size)
        told: list[str] = []
        audit.audit_batch(stored, None, told.append)
        assert "every line priced again: 2 differ, as the batch says" in told
    for change in ({"tooMuch": {"EUR": "40000000"}}, {"differences": "refuse"}):
        said = {**stored.summary["tariffCheck"], **change}
        (stored.path / "batch.json").write_bytes(json_bytes({**stored.summary, "tariffCheck": said}))
        write_sums(stored.path)
        with pytest.raises(DifferenceError, match="its tariffCheck is not what its lines and tariffs give"):
            audit.audit_batch(StoredBatch.open(stored.path), None, lambda words: None)
    said = {"differences": "unchecked"}
    (stored.path / "batch.json").write_bytes(json_bytes({**stored.summary, "tariffCheck": said}))
    write_sums(stored.path)
    told = []
    audit.audit_batch(StoredBatch.open(stored.path), None, told.append)
    assert told[-1] == "no line priced again: the batch does not say that it was compared with its tariffs"


def test_nothing_is_compared_when_told_so(home: Path, run: Callable[..., BatchResult]) -> None:
    (home / "plans/one.toml").write_text("Ten cents a minute, by word of mouth.")
    result = run([*ROWS, DEAR], pricing=Pricing(AccountTariffs.read(home / "accounts.csv"), "unchecked"))
    assert result.rerated is None
    assert stored_of(result).summary["tariffCheck"] == {"differences": "unchecked"}
    with pytest.raises(InputError, match=r"one\.toml"):
        run(ROWS, sequence=2)


def test_a_dry_run_compares_too(home: Path, run: Callable[..., BatchResult]) -> None:
    assert found(run(ROWS, dry_run=True)).differing == 0
    with pytest.raises(DifferenceError, match=r"EUR 0\.05 too much, on 1 line "):
        run([*ROWS, DEAR], dry_run=True)
    assert not (home / "store").exists()


def test_bills_in_another_currency(home: Path, run: Callable[..., BatchResult]) -> None:
    with pytest.raises(InputError, match=r"1 accounts are billed in another currency .*: A3"):
        run([row.replace("0.30,EUR", "0.30,GBP") for row in ROWS])


def test_an_amendment_is_compared_with_nothing(home: Path, run: Callable[..., BatchResult]) -> None:
    stored = stored_of(run(ROWS))
    record = bundles(home, stored)["A1"]["records"][0]["hash"]
    (home / "map.toml").write_text(MAPPING + '[corrects]\ncolumn = "number"\n')
    row = ROWS[0].replace("0.60", "-0.10").replace("+353209100001", record)
    again = stored_of(run([row], amends=1))
    assert again.summary["tariffCheck"] == {"differences": "unchecked"}
    assert bundles(home, again)["A1"]["statement"]["tariff"] == hash_of(home, "one")


def test_control_totals_still_hold(run: Callable[..., BatchResult]) -> None:
    assert found(run(ROWS, control=Control(4))).lines.total() == 4


def test_a_store_of_before_is_read_as_it_is(home: Path, run: Callable[..., BatchResult]) -> None:
    rows = [row for row in ROWS if not row.startswith("A2")]
    stored = stored_of(run(rows, pricing=Pricing(AccountTariffs.one(home / "plans/one.toml"))))
    summary = {**stored.summary, "schema": "billproof/batch/1", "tariff": stored.summary["tariffs"][0]}
    del summary["tariffs"], summary["tariffCheck"]
    entries = pa.table(stored.entries.drop_columns("tariff").to_pydict(), stored.entries.schema.remove(9))
    with pa.ipc.new_file(str(stored.path / "entries.arrow"), entries.schema) as writer:
        writer.write_table(entries)
    (stored.path / "batch.json").write_bytes(json_bytes(summary))
    shutil.rmtree(stored.path / "tariffs")
    write_sums(stored.path)
    before = StoredBatch.open(stored.path)
    told: list[str] = []
    audit.audit_batch(before, home / "secrets", told.append)
    assert "every record, statement and account key derived again from the secrets" in told
    assert {bundle["statement"]["tariff"] for bundle in bundles(home, before).values()} == {
        hash_of(home, "one")
    }
    assert cut.Cutter(before, SecretStore(home / "secrets", 1)).tariff_files == []


def test_the_audit_finds_a_statement_with_another_tariff(home: Path, run: Callable[..., BatchResult]) -> None:
    listed = Pricing(AccountTariffs.read(home / "accounts.csv"), "unchecked")
    stored = stored_of(run(ROWS, pricing=listed))
    entries = stored.entries
    for codes, error in (
        (1 - entries["tariff"].to_numpy(), "statement does not follow from records and secrets"),
        (np.full(3, 2, np.int32), "a statement has a tariff that is not listed"),
    ):
        changed = entries.set_column(9, entries.schema.field("tariff"), pa.array(codes, pa.int32()))
        path = stored.path / "entries.arrow"
        path.unlink()  # what is mapped stays
        with pa.ipc.new_file(str(path), changed.schema) as writer:
            writer.write_table(changed)
        write_sums(stored.path)
        with pytest.raises(DifferenceError, match=error):
            audit.audit_batch(StoredBatch.open(stored.path), home / "secrets", lambda words: None)


def test_the_audit_survives_entries_that_point_outside_their_file(run: Callable[..., BatchResult]) -> None:
    stored = stored_of(run(ROWS))
    path = stored.path / "entries.arrow"
    content = path.read_bytes()
    offsets = np.arange(0, 8, 2, dtype=np.int32).tobytes()  # of the accounts A1, A2, A3
    assert content.count(offsets) == 1
    for changed in (content.replace(offsets, offsets[:8] + b"\0\0\0\x40" + offsets[12:]), content[:-6]):
        path.unlink()  # what is mapped stays
        path.write_bytes(changed)
        write_sums(stored.path)
        with pytest.raises(DifferenceError, match=r"entries.arrow: is no table of entries"):
            audit.audit_batch(StoredBatch.open(stored.path), None, lambda words: None)


def test_the_audit_finds_another_tariff_file(home: Path, run: Callable[..., BatchResult]) -> None:
    stored = stored_of(run(ROWS))
    file = next((stored.path / "tariffs").iterdir())
    file.write_text(file.read_text().replace("0.0", "0.1"))
    write_sums(stored.path)
    with pytest.raises(DifferenceError, match="not the tariff that its name says"):
        audit.audit_batch(stored, None, lambda words: None)
    file.unlink()
    write_sums(stored.path)
    with pytest.raises(DifferenceError, match=r"the file of tariff 0x\w+ is missing"):
        audit.audit_batch(stored, None, lambda words: None)


def test_the_commands(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(*words: str) -> tuple[int, Any]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([*words, "--operator", "1", "--period", "202610", "--store", "store", "--json"])
        return int(stop.value.code or 0), json.loads(capsys.readouterr().out)

    monkeypatch.chdir(home)
    (home / "cdr.csv").write_text(
        "\n".join(["account,kind,start,seconds,number,amount,currency,rate", *ROWS, DEAR, ""])
    )
    build = ("batch", "cdr.csv", "--format", "csv", "--mapping", "map.toml", "--chain-id", "31337")
    listed = (*build, "--secrets", "secrets", "--tariffs", "accounts.csv")
    code, said = call(*listed)
    assert (code, said["message"][:26]) == (1, "not what the tariffs say: ")
    code, said = call(*listed, "--tariff-differences", "report")
    assert (code, said["tariffCheck"]["tooMuch"]) == (0, {"EUR": "50000000"})
    code, said = call(*build, "--secrets", "secrets", "--differences", "d.csv")
    assert (code, said["message"][:14]) == (2, "--differences:")
    names = sorted(f"{hash_of(home, name)}.toml" for name in ("one", "two"))
    code, said = call("bundles", "--secrets", "secrets", "--out", "out")
    assert (code, said["bundles"], said["tariffs"]) == (0, 3, 2)
    assert sorted(path.name for path in (home / "out/tariffs").iterdir()) == names
    assert call("bundles", "--secrets", "secrets", "--out", "out")[0] == 2
    assert call("bundles", "--secrets", "secrets", "--archive", "a.zip", "--account", "A2")[0] == 0
    with zipfile.ZipFile(home / "a.zip") as archive:
        assert archive.namelist() == ["A2.0-1.json", f"tariffs/{hash_of(home, 'two')}.toml"]
