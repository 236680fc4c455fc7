"""A month between two partners: intake reads their files, and what is said of them is true of them."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pytest

from billproof.clearing.agreement.agreement import load_agreement
from billproof.cli import main
from billproof.errors import InputError
from billproof.intake import read
from billproof.records import SCHEMA
from billproof.simulate.partner_files import LABELS, PartnerFiles, write_partner_files
from billproof.simulate.partner_month import PARTNERS

PERIOD = 202610
RATES = {"EUR": Fraction(1), "GBP": Fraction("1.1834"), "USD": Fraction("0.9223"), "INR": Fraction("0.0104")}

#: SHA-256 over all files of ``month``: a change of the model changes it, an upgrade of numpy must not.
PINNED = "f5a445deff945cdd4dc60a2958d0a068d4237494b9bb32f20b1f3c6cade3824f"


@dataclass
class Row:
    """A record as a person with a spreadsheet would read it; ``settled`` in billionths of a euro."""

    payer: int
    start: datetime
    kind: str
    number: str
    network: str
    usage: int
    billed: int
    settled: int
    month: str


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> PartnerFiles:
    """A small month."""
    return write_partner_files(tmp_path_factory.mktemp("month"), records=2_500, period=PERIOD, seed=4)


def settled(amount: Fraction, currency: str) -> int:
    return int(amount * RATES[currency] * 10**9 + Fraction(1, 2))


def meridian(path: Path) -> Iterator[Row]:
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream):
            yield Row(
                1 if row["partner"] == "SKYLARK-OUT" else 2,
                datetime.fromisoformat(row["start"]),
                {"MOC": "call", "SMS-MO": "sms", "GPRS": "data"}[row["kind"]],
                row["called"], row["network"], int(row["usage"]), int(row["billed"]),
                settled(Fraction(row["amount"]), row["currency"]), row["month"],
            )  # fmt: skip


def skylark(path: Path) -> Iterator[Row]:
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream, delimiter=";"):
            start = datetime.strptime(
                f"{row['date']} {row['time']} {row['utc'].replace(':', '')}", "%d/%m/%Y %H:%M:%S %z"
            )
            amount = Fraction(row["minor_units"].replace(",", ".")) / 100
            yield Row(
                1 if row["way"] == "in" else 2, start, row["kind"], row["number"], row["plmn"],
                int(row["units"]), int(row["charged"]), settled(amount, row["currency"]), row["cycle"],
            )  # fmt: skip


def books(month: PartnerFiles, *, with_next: bool = False) -> tuple[list[Row], list[Row]]:
    """All rows of either operator, the clock of Skylark's second region set right."""
    found: tuple[list[Row], list[Row]] = ([], [])
    for partner, reader, rows in zip(PARTNERS, (meridian, skylark), found, strict=True):
        for region in partner.regions:
            for row in reader(month.file(partner, region)):
                if partner.operator == 2 and region.number == 2 and row.payer == 1:
                    row.start -= timedelta(hours=1)
                if with_next or row.month == str(PERIOD):
                    rows.append(row)
    return found


def paired(ours: list[Row], theirs: list[Row]) -> Iterator[tuple[Row, Row]]:
    """The same call in both books, with what both of them tell: each once."""
    waiting = defaultdict(list)
    for row in theirs:
        waiting[row.payer, row.kind, row.number, row.network].append(row)
    for row in ours:
        there = waiting[row.payer, row.kind, row.number, row.network]
        near = [other for other in there if abs(other.start - row.start) <= timedelta(seconds=5)]
        if near:
            there.remove(near[0])
            yield row, near[0]


def cents(euros: Fraction) -> Fraction:
    return Fraction(int(euros * 100 + Fraction(1, 2)), 100)


def test_the_net_amount_is_that_of_the_files(month: PartnerFiles) -> None:
    expected = json.loads(month.expected.read_text())
    pairs = list(paired(*books(month)))
    due = {1: Fraction(0), 2: Fraction(0)}
    for ours, theirs in pairs:
        due[ours.payer] += Fraction(min(ours.settled, theirs.settled), 10**9)
    lines = month.agreement.read_text()
    above = int(lines.split('{ above = "')[2].split(" min")[0])
    money = int(lines.split('money = "')[1].split('"')[0])
    calls = [pair for pair in pairs if pair[0].payer == 1 and pair[0].number.startswith("+447700900")]
    calls = [pair for pair in calls if pair[0].kind == "call"]
    minutes = Fraction(sum(min(a.billed, b.billed) for a, b in calls), 60)
    assert minutes > above, "the cheaper tier matters"
    booked = Fraction(sum(min(a.settled, b.settled) for a, b in calls), 10**9)
    due[1] += cents(above * Fraction("0.09") + (minutes - above) * Fraction("0.07")) - booked
    data = [pair for pair in pairs if pair[0].payer == 2 and pair[0].kind == "data"]
    sent = Fraction(sum(min(a.billed, b.billed) for a, b in data), 10**6) * Fraction("0.002")
    assert sent < Fraction(money, 12), "the commitment matters"
    due[2] += cents(Fraction(money, 12)) - Fraction(sum(min(a.settled, b.settled) for a, b in data), 10**9)
    net = cents(abs(due[1] - due[2]))
    payer = 1 if due[1] >= due[2] else 2
    assert expected["net"] == {"payer": payer, "payee": 3 - payer, "amount": str(int(net * 10**9))}


def test_sums_of_what_both_have_are_those_of_the_files(month: PartnerFiles) -> None:
    found: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for a, b in paired(*books(month)):
        sums = found[a.payer, a.kind]
        for at, value in enumerate((1, min(a.billed, b.billed), min(a.settled, b.settled))):
            sums[at] += value
    names = {"voice-originated": "call", "message-sent": "sms", "data": "data"}
    told: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for direction in json.loads(month.expected.read_text())["directions"]:
        for one in direction["undisputed"]:
            sums = told[direction["from"], names[one["service"]]]
            for at, key in enumerate(("records", "volume", "amount")):
                sums[at] += int(one[key])
    assert told == found


def test_labels_say_what_is_expected(month: PartnerFiles) -> None:
    with month.labels.open(newline="") as stream:
        labels = list(csv.DictReader(stream))
    assert {label["kind"] for label in labels} == {
        "time-zone", "rounding", "cycle-shift", "rate", "missing", "duplicate", "duration",
    }  # fmt: skip
    counts, money = Counter(), Counter()
    for label in labels:
        holder = None if label["holder"] == "both" else int(label["holder"])
        key = (int(label["from"]), label["kind"], label["dimension"], label["value"], holder)
        counts[key] += 1
        money[key] += int(Fraction(label["money"]) * 10**9)
    causes = findings = 0
    for direction in json.loads(month.expected.read_text())["directions"]:
        for cause in direction["causes"]:
            (key,) = (
                key for key in counts
                if key[:4] == (direction["from"], cause["kind"], cause["dimension"], cause["value"])
            )  # fmt: skip
            assert (counts[key], money[key]) == (cause["count"], int(cause["money"]))
            assert cause["count"] >= 20, "less would not be a cause"
            causes += 1
        for finding in direction["findings"]:
            key = (direction["from"], finding["kind"], "", "", finding["holder"])
            assert (counts[key], money[key]) == (finding["count"], int(finding["money"]))
            findings += 1
    assert causes == 6
    assert findings == len(counts) - 6


def test_the_difference_of_the_files_is_what_is_labelled_and_roundings(month: PartnerFiles) -> None:
    ours, theirs = books(month)
    with month.labels.open(newline="") as stream:
        labelled = sum(int(Fraction(label["money"]) * 10**9) for label in csv.DictReader(stream))
    difference = sum(row.settled for row in ours) - sum(row.settled for row in theirs)
    pairs = len(list(paired(ours, theirs)))
    assert abs(difference - labelled) < pairs * 60_000, "what is left is how amounts are rounded"
    assert difference != labelled


def test_intake_reads_every_row(month: PartnerFiles) -> None:
    every = books(month, with_next=True)
    for partner, rows in zip(PARTNERS, every, strict=True):
        committed = others = 0
        accounts: set[str] = set()
        for region in partner.regions:
            path = month.file(partner, region)
            chunks = list(read(path, "csv", period=PERIOD, mapping=month.mapping(partner)))
            table = pa.Table.from_batches([chunk.records for chunk in chunks], SCHEMA)
            assert not sum(chunk.rejects.num_rows for chunk in chunks)
            assert set(table["currency"].to_pylist()) == {region.currency}
            committed += table.num_rows
            others += sum(chunk.other_periods for chunk in chunks)
            accounts |= set(table["account"].to_pylist())
        assert committed + others == len(rows)
        assert others == sum(row.month != str(PERIOD) for row in rows)
        assert (others > 0) == (partner.name == "Skylark"), "it closed its month too early"
        assert len(accounts) == 2


def test_starts_come_back_from_local_times(month: PartnerFiles) -> None:
    for partner, reader in zip(PARTNERS, (meridian, skylark), strict=True):
        for region in partner.regions:
            path = month.file(partner, region)
            chunks = read(path, "csv", period=PERIOD, mapping=month.mapping(partner))
            starts = [at for chunk in chunks for at in chunk.records["started_at"].to_pylist()]
            rows = [row for row in reader(path) if row.month == str(PERIOD)]
            assert starts == [int(row.start.timestamp()) for row in rows]


def digest(root: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        total.update(f"{path.relative_to(root).as_posix()}\n".encode() + path.read_bytes())
    return total.hexdigest()


def test_the_same_arguments_give_the_same_bytes(month: PartnerFiles, tmp_path: Path) -> None:
    write_partner_files(tmp_path / "again", records=2_500, period=PERIOD, seed=4)
    assert digest(month.out) == digest(tmp_path / "again") == PINNED
    write_partner_files(tmp_path / "other", records=2_500, period=PERIOD, seed=5)
    assert digest(tmp_path / "other") != PINNED


@pytest.mark.parametrize("period", [202602, 202603, 202612])
def test_any_month_will_do(period: int, tmp_path: Path) -> None:
    files = write_partner_files(tmp_path, records=2_000, period=period, seed=1)
    assert load_agreement(files.agreement).name
    (out, back) = json.loads(files.expected.read_text())["directions"]
    assert len(out["causes"]) == len(back["causes"]) == 3
    assert all(cause["count"] >= 20 for one in (out, back) for cause in one["causes"])


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / LABELS).write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        write_partner_files(tmp_path, records=2_000, period=PERIOD, seed=1)
    assert [path.name for path in tmp_path.iterdir()] == [LABELS]
    write_partner_files(tmp_path, records=2_000, period=PERIOD, seed=1, overwrite=True)
    assert (tmp_path / LABELS).read_text() != "mine"


@pytest.mark.parametrize("records", [0, 1_999, 200_001])
def test_too_few_or_too_many_records_are_refused(records: int, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{records:,} records"):
        write_partner_files(tmp_path, records=records, period=PERIOD, seed=1)
    assert not list(tmp_path.iterdir())


def command(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    with pytest.raises(SystemExit) as ended:
        main(["simulate", *words])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_the_command_writes_the_same(month: PartnerFiles, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    words = ["partners", str(out), "--period", str(PERIOD), "--records", "2500", "--seed", "4"]
    code, told, _ = command(*words, "--json", capsys=capsys)
    assert code == 0
    assert digest(out) == PINNED
    found = json.loads(told)
    assert found["schema"] == "billproof/partners/1"
    assert found["records"] == month.records
    for operator in found["operators"]:
        assert (out / operator["mapping"]).exists()
        assert all((out / region["file"]).exists() for region in operator["regions"])
    code, _, problem = command(*words, capsys=capsys)
    assert code == 2
    assert "--force" in problem
    code, table, notes = command(*words, "--force", capsys=capsys)
    assert code == 0
    assert "America/New_York" in table
    assert "SKYLARK-OUT at Meridian and MERIDIAN-IN at Skylark" in notes


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["partners"], "Missing argument 'OUT'"),
        (["partners", "x", "--period", "202610", "--records", "1999"], "1999 is not in the range"),
        (["partners", "x", "--period", "202613"], "202613"),
        (["--out", "x"], "Missing option '--period'"),
    ],
)
def test_what_the_command_cannot_do_is_said(
    words: list[str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, said = command(*words, capsys=capsys)
    assert code == 2
    assert problem in said
    assert not list(tmp_path.iterdir())


def test_help_tells_of_both(capsys) -> None:
    assert "billproof simulate partners OUT" in command("--help", capsys=capsys)[1]
    assert "Usage: billproof simulate partners" in command("partners", "--help", capsys=capsys)[1]
