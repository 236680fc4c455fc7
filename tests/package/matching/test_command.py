"""``billproof match``: a bill, and all bills of a store, beside phone logs."""

import csv
import json
import sys
import threading
from html import escape
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from billproof.cli import cli
from billproof.matching import batch
from billproof.store import find_batches
from billproof.trust import Pins

ROOT = Path(__file__).resolve().parents[3]


def run(*arguments):
    return CliRunner().invoke(cli, [str(word) for word in arguments], standalone_mode=False)


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import matching

        home = tmp_path_factory.mktemp("month")
        matching.month(home, 40, 3, 0.05)
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    done = run(
        *("bundles", "--operator", 1, "--period", 202610, "--store", home / "store"),
        *("--secrets", home / "secrets", "--out", home / "bundles"),
    )
    assert done.exception is None
    return home


@pytest.fixture(scope="module")
def findings(month):
    """What ``--all`` says, by account."""
    out = month / "findings.csv"
    done = run(
        *("match", "--all", "--store", month / "store", "--operator", 1, "--period", 202610),
        *("--logs", month / "month/phones/operator-1", "--out", out, "--json"),
    )
    assert done.exception is None
    document = json.loads(done.stdout)
    with out.open(newline="") as source:
        rows = list(csv.DictReader(source))
    assert document["schema"] == "billproof/match-all/1"
    found = [row for row in rows if row["reason"] != "unknown"]
    assert document["findings"] == len(found) > 0
    assert document["questions"] == len(rows) - len(found)
    assert all(row["stake"] == "0" and not row["confidence"] for row in rows if row["reason"] == "unknown")
    assert done.return_value == 1
    return found


def of(month, account):
    return month / f"bundles/{account}.0-1.json", month / "month/phones/operator-1" / account


def test_a_bill_is_judged_as_in_the_whole_batch(month, findings):
    account = findings[0]["account"]
    wanted = [(row["index"], row["class"], row["stake"]) for row in findings if row["account"] == account]
    done = run("match", *of(month, account), "--json")
    document = json.loads(done.stdout)
    assert document["schema"] == "billproof/match/1"
    found = [line for line in document["lines"] if line["confidence"] is not None]
    assert [(str(line["index"]), line["class"], line["stake"]) for line in found] == wanted
    assert done.return_value == 1


def test_words_and_files(month, findings, tmp_path):
    account = findings[0]["account"]
    table = tmp_path / "lines.csv"
    done = run("match", *of(month, account), "--csv", table)
    assert "not agree with the phone" in done.stdout.split("\n")[0]
    assert "EUR at stake" in done.stdout
    assert "`billproof verify` checks it" in done.stderr
    with table.open(newline="") as source:
        rows = list(csv.DictReader(source))
    assert [row["line"] for row in rows] == [str(1 + at) for at in range(len(rows))]
    again = run("match", *of(month, account), "--csv", table)
    assert "is there already" in str(again.exception)


def test_questions_and_what_could_not_be_compared_are_told(month, findings, tmp_path):
    with (month / "findings.csv").open(newline="") as source:
        account, index = next(
            (row["account"], int(row["index"]))
            for row in csv.DictReader(source)
            if row["reason"] == "unknown"
        )
    table = tmp_path / "lines.csv"
    done = run("match", *of(month, account), "--csv", table)
    assert "only you can answer (" in done.stdout
    assert "Do you know this number?" in done.stdout
    assert "could not be compared with your phone, because" in done.stdout
    assert "phones do not log" in done.stdout
    with table.open(newline="") as source:
        says = [row["says"] for row in csv.DictReader(source)]
    assert says[index] == "question"
    assert {"", "not compared"} < set(says)
    asked = json.loads(run("match", *of(month, account), "--json").stdout)["summary"]
    assert asked["questions"] == says.count("question")
    assert asked["uncompared"] == says.count("not compared")


def test_nothing_to_dispute(month, findings):
    accused = {row["account"] for row in findings}
    folders = sorted((month / "month/phones/operator-1").iterdir())
    account = next(folder.name for folder in folders if folder.name not in accused)
    done = run("match", *of(month, account))
    assert done.return_value == 0
    assert done.stdout.startswith("✓")


def test_parquet(month, findings, tmp_path):
    out = tmp_path / "findings.parquet"
    done = run(
        *("match", "--all", "--store", month / "store", "--operator", 1, "--period", 202610),
        *("--logs", month / "month/phones/operator-1", "--out", out),
    )
    assert " a second." in done.stderr
    table = pq.read_table(out).to_pylist()
    assert [row["account"] for row in table if row["reason"] != "unknown"] == [
        row["account"] for row in findings
    ]


def test_all_refuses_a_folder_without_a_log_of_any_bill(month, findings, tmp_path):
    """The logs themselves, an empty folder, and logs that nobody can read: no word for the bills."""
    account, folders = findings[0]["account"], month / "month/phones/operator-1"
    (tmp_path / "empty").mkdir()
    (tmp_path / "torn" / account).mkdir(parents=True)
    (tmp_path / "torn" / account / "calls.xml").write_text("<calls")
    for logs, words in (
        (folders / account, f"expects LOGS/ACCOUNT/…, a folder an account, such as {account[:4]}"),
        (tmp_path / "empty", "found nothing"),
        (tmp_path / "torn", f"can be read: {account}/calls.xml"),
    ):
        out = tmp_path / "findings.csv"
        done = run(
            *("match", "--all", "--store", month / "store", "--operator", 1, "--period", 202610),
            *("--logs", logs, "--out", out),
        )
        assert words in str(done.exception)
        assert done.exception.exit_code == 2
        assert not list(tmp_path.glob("*findings*"))


@pytest.mark.parametrize("threads", [False, True])
def test_pieces_on_cores_give_what_one_gives(month, monkeypatch, threads):
    """In processes that are forked, and in such that start anew because this one has threads."""
    monkeypatch.setattr(batch, "_LINES", 200)
    monkeypatch.setattr(threading, "active_count", lambda: 1 + threads)
    given = find_batches(month / "store", 1, 202610), month / "month/phones/operator-1"
    alone, several = (list(batch.match_batches(*given, workers=workers)) for workers in (1, 2))
    assert len(alone) > 4
    assert [(table.to_pylist(), totals) for table, totals in several] == [
        (table.to_pylist(), totals) for table, totals in alone
    ]


BACKUP = "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<calls count='{}'>{}</calls>\n"


def backup(calls):
    """An Android backup of calls to these numbers at these seconds."""
    rows = [f"<call number='{to}' duration='60' date='{at}000' type='2' />" for to, at in calls]
    return BACKUP.format(len(rows), "".join(rows))


def test_the_log_of_another_phone_is_refused(month, findings, tmp_path):
    bundle, _ = of(month, findings[0]["account"])
    log = tmp_path / "calls.xml"
    days = range(1_790_812_800, 1_793_491_200, 86_400)
    log.write_text(backup((f"+49301234{at % 9973:05d}", at + 3_600 * 2) for at in days))
    made = tmp_path / "letter.txt"
    done = run("match", bundle, log, "--letter", made)
    assert "this phone log does not seem to belong to this bill" in str(done.exception)
    assert done.exception.exit_code == 2
    assert not made.exists()


def test_the_letter_is_to_the_operator_by_its_pinned_name(month, findings, tmp_path):
    bundle, log = of(month, findings[0]["account"])
    batch = json.loads(bundle.read_bytes())["batch"]
    trust = tmp_path / "trust.json"
    letters = []
    for number, name in ((int(batch["operatorId"]) + 1, "Skylark"), (int(batch["operatorId"]), "Meridian")):
        Pins.load(trust).add(int(batch["chainId"]), batch["ledger"], number, name)
        out, report = tmp_path / f"{name}.txt", tmp_path / f"{name}.html"
        done = run("match", bundle, log, "--trust", trust, "--letter", out, "--report", report)
        assert done.return_value == 1
        letters.append(out.read_text())
        assert escape(letters[-1]) in report.read_text()
    assert letters[0].startswith(f"To Operator {batch['operatorId']}")
    assert letters[1].startswith("To Meridian\n")
    trust.write_text("{}")
    done = run("match", bundle, log, "--trust", trust, "--letter", tmp_path / "none.txt")
    assert "not a trust file" in str(done.exception)


def test_an_empty_log_is_refused(month, findings, tmp_path):
    bundle, _ = of(month, findings[0]["account"])
    log = tmp_path / "calls.xml"
    log.write_text(BACKUP.format(0, ""))
    done = run("match", bundle, log)
    assert "the phone log has no entries" in str(done.exception)
    assert done.exception.exit_code == 2


def test_a_log_of_another_month_is_refused(month, findings, tmp_path):
    told = {
        row["account"] for row in findings if row["class"] == "duplicate"
    }  # by the bill itself, without logs
    bundle, _ = of(month, next(row["account"] for row in findings if row["account"] not in told))
    log = tmp_path / "calls.xml"
    log.write_text(backup([("+4930123456", 1_700_000_000), ("+4930123456", 1_700_090_000)]))
    done = run("match", bundle, log)
    assert "no line lies within what the phone log covers" in str(done.exception)
    assert done.exception.exit_code == 2


def test_a_mapping_says_how_a_log_is_read(month, findings, tmp_path):
    bundle, _ = of(month, findings[0]["account"])
    lines = [row for row in json.loads(bundle.read_bytes())["records"] if row["service"] == "1"]
    log, mapping = tmp_path / "calls.csv", tmp_path / "mapping.toml"
    rows = [f"{row['startedAt']};{row['number']};hin;{row['usage']}" for row in lines]
    log.write_text("\n".join(["Wann;Wer;Wohin;Lange", *rows]) + "\n")
    mapping.write_text(
        '[columns]\ntime = "Wann"\nnumber = "Wer"\ndirection = "Wohin"\nduration = "Lange"\n'
        '[time]\nformat = "epoch"\nzone = "utc"\n[duration]\nunit = "seconds"\n'
        '[direction]\nout = ["hin"]\n'
    )
    assert run("match", bundle, log).exception is not None
    done = run("match", bundle, log, "--mapping", mapping, "--json")
    assert done.exception is None
    assert json.loads(done.stdout)["logs"][0]["entries"] == len(lines) > 0
    assert json.loads(done.stdout)["summary"]["classes"]["matched"] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["match"], "give a bill"),
        (["match", "--all"], "--all also needs"),
        (["match", "x.json", "--all"], "no files"),
        (["match", "--all", "--mapping", "x.toml"], "for one bill"),
        (["match", "absent.json", "absent.xml"], "cannot read"),
    ],
)
def test_bad_input_is_named(arguments, words):
    assert words in str(run(*arguments).exception)


@pytest.mark.parametrize("content", [b"", b" \n"])
def test_an_empty_bill_is_said_to_be_empty(tmp_path, content):
    (tmp_path / "bill.pdf").write_bytes(content)
    (tmp_path / "calls.xml").write_text(BACKUP.format(0, ""))
    done = run("match", tmp_path / "bill.pdf", tmp_path / "calls.xml")
    assert "is empty" in str(done.exception)
    assert done.exception.exit_code == 2
