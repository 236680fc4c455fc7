"""The operator's billing run: what is committed, counted, refused and numbered."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billproof.billing_run import BatchResult, Control, Input, batch
from billproof.commitment.keccak import keccak
from billproof.errors import DifferenceError, InputError

LEDGER = "0x" + "ab" * 20
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
[number]
column = "number"
[amount]
column = "amount"
[currency]
column = "currency"
"""
HEADER = "account,kind,start,seconds,number,amount,currency\n"
GOOD = [
    "A2,call,2026-10-05T12:00:00+01:00,61,+353209100001,0.50,EUR",
    "A1,call,2026-10-02T09:00:00+01:00,5,+353209100002,0.10,EUR",
    "A1,fee,2026-10-01T00:00:00+01:00,0,,20.00,EUR",
]
OTHER_PERIOD = "A1,call,2026-11-02T09:00:00+00:00,5,+353209100002,0.10,EUR"
BAD_AMOUNT = "A1,call,2026-10-02T09:00:00+01:00,5,+353209100002,ten,EUR"
STRAY = "A1,call,2026-10-03T09:00:00+01:00,7,+353209100002,0.20,USD"


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Runs a batch of CSV rows, each call's rows in a file of its own."""
    (tmp_path / "map.toml").write_text(MAPPING)
    made = 0

    def run_rows(rows: list[str], **changes: Any) -> BatchResult:
        nonlocal made
        made += 1
        file = tmp_path / changes.pop("name", f"cdr-{made}.csv")
        file.write_text(HEADER + "".join(row + "\n" for row in rows))
        options: dict[str, Any] = {
            "operator": 1,
            "period": 202610,
            "chain_id": 31337,
            "ledger": LEDGER,
            "store": tmp_path / "store",
            "secrets": tmp_path / "secrets",
        }
        return batch([Input("csv", [file], tmp_path / "map.toml")], **{**options, **changes})

    return run_rows


def test_rows_are_committed_rejected_or_of_other_periods(run: Any) -> None:
    result = run([*GOOD, OTHER_PERIOD, BAD_AMOUNT, STRAY])
    assert (result.rows, result.committed, result.rejected, result.other_periods) == (6, 3, 2, 1)
    assert result.totals == {"EUR": 20_600_000_000}
    assert result.accounts == 2
    with (result.stored.path / "rejects.csv").open(newline="") as stream:
        rejects = list(csv.DictReader(stream))
    assert [(row["line"], row["field"]) for row in rejects] == [("6", "amount"), ("7", "currency")]
    assert rejects[1]["reason"] == "is not EUR, the currency of the account's statement"
    assert [row["raw"] for row in rejects] == [BAD_AMOUNT, STRAY]
    intake = json.loads((result.stored.path / "intake.json").read_text())
    assert intake["sources"][0] == {
        "file": "cdr-1.csv",
        "sha256": intake["sources"][0]["sha256"],
        "format": "csv",
        "mapping": "map.toml",
        "mappingSha256": intake["sources"][0]["mappingSha256"],
        "rows": 6,
        "committed": 3,
        "rejected": 2,
        "otherPeriods": 1,
    }


def test_strays_are_rejected_in_the_order_of_their_files_with_their_texts(run: Any, tmp_path: Path) -> None:
    """Later ones come first in the file, and a row takes two lines."""
    later = STRAY.replace("2026-10-03", "2026-10-09").replace("USD", '"USD"')
    broken = '"A1",call,2026-10-01T09:00:00+01:00,7,"+353\n209",0.20,"USD"'
    other = "A2,call,2026-10-03T09:00:00+01:00,7,,0.20,GBP"
    rows = [later, other, *GOOD[:1], BAD_AMOUNT, *GOOD, broken, STRAY]
    result = run(rows, dry_run=True, rejects_copy=(copy := tmp_path / "rejects.csv"))
    with copy.open(newline="") as stream:
        rejects = [(row["line"], row["field"], row["raw"]) for row in csv.DictReader(stream)]
    assert rejects == [
        ("5", "amount", BAD_AMOUNT),
        ("9", "number", broken),
        ("2", "currency", later),
        ("3", "currency", other),
        ("11", "currency", STRAY),
    ]
    assert result.rejected == len(rejects)


def test_a_file_that_changes_before_its_strays_are_read_again_is_refused(run: Any, tmp_path: Path) -> None:
    def change(step: str, done: int) -> None:
        if step == "commit" and done == 0:
            (tmp_path / "cdr.csv").write_text(HEADER + STRAY + "\n")

    with pytest.raises(InputError, match="was changed while it was read"):
        run([*GOOD, STRAY], name="cdr.csv", progress=change)
    assert not list((tmp_path / "store").glob("1/202610/0-1"))


TWICE = "A1,call,2026-10-25T01:30:00,5,+353209100002,0.10,EUR"


@pytest.mark.parametrize(("ambiguous", "counted"), [("first", 2), ("second", 2), ("reject", 0)])
def test_times_that_occur_twice_are_counted(run: Any, tmp_path: Path, ambiguous: str, counted: int) -> None:
    rows = [
        *GOOD,
        TWICE,
        TWICE.replace("01:30:00", "01:00:00"),
        TWICE.replace("01:30:00", "00:59:59"),
        TWICE.replace("01:30:00", "02:00:00"),
        TWICE.replace("01:30:00", "01:30:00+01:00"),
        TWICE.replace("0.10", "ten"),
        TWICE.replace("2026", "2025").replace("-25T", "-26T"),
    ]
    (tmp_path / "map.toml").write_text(MAPPING.replace("[usage]", f'ambiguous = "{ambiguous}"\n[usage]'))
    result = run(rows)
    assert result.ambiguous == counted
    assert json.loads((result.stored.path / "intake.json").read_text())["ambiguousTimes"] == counted
    reason = "time: happened twice in Europe/Dublin: clocks went back over it"
    assert result.reasons.get(reason, 0) == (4 if ambiguous == "reject" else 0)


def test_an_end_that_occurs_twice_is_counted_too(run: Any, tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(
        MAPPING.replace(
            'column = "seconds"', 'cases = [{ when = { kind = "fee" }, value = "0" }, { end = "number" }]'
        )
    )
    call = "A1,call,2026-10-25T00:50:00,,{},0.10,EUR".format
    rows = [
        call("2026-10-25T01:10:00"),
        call("2026-10-25T00:55:00"),
        "A1,fee,2026-10-01T00:00:00,,2026-10-25T01:10:00,1,EUR",
    ]
    assert run(rows).ambiguous == 1


def test_times_that_never_occur_are_rejected(run: Any) -> None:
    row = "A1,call,2026-03-29T{},5,+353209100002,0.10,EUR".format
    result = run([row("01:30:00"), row("02:00:00")], period=202603)
    assert result.reasons == {"time: never happened in Europe/Dublin: clocks went forward over it": 1}
    assert (result.committed, result.ambiguous) == (1, 0)


def test_statements_are_in_order_of_time(run: Any) -> None:
    stored = run(GOOD).stored
    records = stored.records
    assert records["account"].to_pylist() == ["A1", "A1", "A2"]
    assert records["started_at"].to_pylist() == sorted(records["started_at"].to_pylist())
    assert records["amount"].to_pylist() == [20_000_000_000, 100_000_000, 500_000_000]


def test_the_same_files_and_secrets_give_the_same_root(run: Any, tmp_path: Path) -> None:
    first = run(GOOD)
    again = run(GOOD, store=tmp_path / "elsewhere")
    fresh = run(GOOD, store=tmp_path / "third", secrets=tmp_path / "other-secrets")
    assert first.root == again.root
    assert first.root != fresh.root


def test_the_manifest_hash_is_that_of_the_file(run: Any) -> None:
    stored = run(GOOD).stored
    assert stored.manifest_hash == keccak((stored.path / "manifest.json").read_bytes())
    listed = (stored.path / "manifest.bin").read_bytes()
    manifest = json.loads((stored.path / "manifest.json").read_text())
    assert manifest["list"]["keccak256"] == "0x" + keccak(listed).hex()
    assert len(listed) == 64 * int(manifest["statements"])


@pytest.mark.parametrize(
    ("control", "words"),
    [
        (Control(count=4), "control count is 4"),
        (Control(totals={"EUR": Decimal("20.61")}), "control total is 20.61"),
        (Control(totals={"USD": Decimal("1")}), "add up to 0 USD"),
    ],
)
def test_control_totals_that_are_not_met_refuse(
    run: Any, tmp_path: Path, control: Control, words: str
) -> None:
    with pytest.raises(DifferenceError, match=words):
        run(GOOD, control=control)
    assert not (tmp_path / "store").exists()
    assert not (tmp_path / "secrets").exists()


def test_control_totals_that_are_met(run: Any) -> None:
    assert run(GOOD, control=Control(3, {"EUR": Decimal("20.6")})).committed == 3


def test_a_dry_run_writes_nothing(run: Any, tmp_path: Path) -> None:
    result = run(GOOD, dry_run=True)
    assert result.committed == 3
    assert result.root is None
    assert not (tmp_path / "store").exists()
    assert not (tmp_path / "secrets").exists()


def test_rejects_are_kept_even_when_there_is_no_batch(run: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no record to commit"):
        run([BAD_AMOUNT], rejects_copy=tmp_path / "rejects.csv")
    assert BAD_AMOUNT in (tmp_path / "rejects.csv").read_text().replace('""', '"')


def test_sequences_follow_the_store(run: Any) -> None:
    assert run(GOOD).id.sequence == 1
    assert run(GOOD[:1]).id.sequence == 2
    assert run(GOOD[:2], region=7).id.sequence == 1


def test_the_same_file_is_not_billed_twice(run: Any) -> None:
    run(GOOD)
    with pytest.raises(InputError, match="are in the batch at"):
        run(GOOD)


def test_force_replaces_the_last_batch_unless_it_is_anchored(run: Any) -> None:
    first = run(GOOD)
    with pytest.raises(InputError, match=r"would replace the batch made from cdr-1\.csv"):
        run(GOOD[:2], force=True)
    replaced = run(GOOD[:2], force=True, sequence=1)
    assert replaced.id.sequence == 1
    assert replaced.root != first.root
    (replaced.stored.path / "anchor.json").write_text("{}")
    assert run(GOOD[:1], force=True).id.sequence == 2
    with pytest.raises(InputError, match="is anchored"):
        run(GOOD, force=True, sequence=1)


def test_amendments_lower_bills_and_name_what_they_correct(run: Any, tmp_path: Path) -> None:
    run(GOOD)
    mapping = tmp_path / "map.toml"
    mapping.write_text(MAPPING + '[corrects]\ncolumn = "number"\n')
    corrected = "0x" + "11" * 32
    row = f"A1,call,2026-10-02T09:00:00+01:00,5,{corrected},-0.10,EUR"
    for wrong in (row.replace(corrected, ""), row.replace("-0.10", "0.10")):
        with pytest.raises(InputError, match="amendment"):
            run([wrong], amends=1)
    for sequence in (2, 99):
        with pytest.raises(InputError, match="cannot amend"):
            run([row], amends=sequence)
    assert run([row], amends=1).stored.amends == 1


def test_corrections_that_raise_a_bill_are_counted(run: Any, tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(MAPPING + '[corrects]\ncolumn = "number"\n')
    corrected = "0x" + "11" * 32
    rows = [
        f"A{account},call,2026-10-02T09:00:00+01:00,5,{corrects},{amount},EUR"
        for account, corrects, amount in (
            *((1, corrected, "0.10"), (1, corrected, "-0.10"), (1, corrected, "0"), (1, "", "0.10")),
            *((2, corrected, "2.00"), (2, corrected, "-1.00")),
        )
    ]
    assert run(rows, dry_run=True).raising == 2
    assert run(rows).raising == 2
    assert run(rows[1:2] + rows[-2:-1] + ["A2" + rows[1][2:]] * 20, amends=1).raising == 0


def test_sequences_leave_no_gap(run: Any) -> None:
    with pytest.raises(InputError, match="takes no gaps"):
        run(GOOD, sequence=2)


@pytest.mark.parametrize(
    "wrong",
    [{"operator": 0}, {"operator": 1 << 63}, {"region": 1 << 32}, {"chain_id": 0}, {"chain_id": 1 << 256}],
)
def test_numbers_outside_their_types(run: Any, tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(InputError):
        run(GOOD, **wrong)
    assert not (tmp_path / "secrets").exists()


def test_rejects_never_replace_an_input(run: Any, tmp_path: Path) -> None:
    run(GOOD, name="in.csv", dry_run=True)
    with pytest.raises(InputError, match="is an input"):
        run(GOOD, name="in.csv", rejects_copy=tmp_path / "in.csv", force=True)
    (tmp_path / "there.csv").write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        run(GOOD, rejects_copy=tmp_path / "there.csv")
    assert (tmp_path / "there.csv").read_text() == "mine"
    with pytest.raises(InputError, match="no file"):
        run(GOOD, rejects_copy=Path("/dev/full"), force=True)


def test_a_batch_anchored_meanwhile_is_not_replaced(run: Any) -> None:
    stored = run(GOOD).stored

    def anchored_meanwhile(step: str, done: int) -> None:
        (stored.path / "anchor.json").write_text("{}")

    with pytest.raises(InputError, match="was anchored while this ran"):
        run(GOOD[:2], force=True, sequence=1, progress=anchored_meanwhile)
    assert (stored.path / "anchor.json").exists()


def test_an_existing_batch_is_not_overwritten_without_force(run: Any) -> None:
    run(GOOD)
    with pytest.raises(InputError, match="there is a batch already"):
        run(GOOD[:2], sequence=1)


def test_secrets_stay_out_of_the_store(run: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="inside the store"):
        run(GOOD, secrets=tmp_path / "store" / "secrets")


def test_a_file_named_twice_is_refused(run: Any, tmp_path: Path) -> None:
    (tmp_path / "copy.csv").write_text(HEADER + GOOD[0] + "\n")
    run(GOOD[:1], name="copy.csv", dry_run=True)
    with pytest.raises(InputError, match="has the content of"):
        batch(
            [Input("csv", [tmp_path / "copy.csv"] * 2, tmp_path / "map.toml")],
            operator=1,
            period=202610,
            chain_id=31337,
            ledger=LEDGER,
            store=tmp_path / "store",
            secrets=tmp_path / "secrets",
        )


@pytest.mark.parametrize("period", [20261, 202613, 202600, 199912, 0, 2026100])
def test_periods_that_are_none(run: Any, period: int) -> None:
    with pytest.raises(InputError, match="not a billing period"):
        run(GOOD, period=period)


def test_holders_are_counted(run: Any) -> None:
    assert run(GOOD, holders={"A1": b"\x11" * 20}).without_holder == 1


def test_repeated_records_are_counted_not_dropped(run: Any) -> None:
    result = run([*GOOD, GOOD[0]])
    assert (result.committed, result.repeated) == (4, 1)
