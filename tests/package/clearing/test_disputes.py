"""Disputed records with both sides' proofs: what is written is what the clearing disputes, and it is true."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import Run, run
from disputed_books import ACCOUNTS, PERIOD, Partners, commit_table, make_partners

from billproof.bundle import documents as doc
from billproof.clearing.settlement.form import document
from billproof.clearing.settlement.reading import load_settlement
from billproof.ledger.client import LedgerClient
from billproof.ledger.embedded import EmbeddedChain
from billproof.ledger.states import BatchKey
from billproof.report import Verdict
from billproof.secret_store import SecretStore
from billproof.simulate.partners import partner_books
from billproof.store import StoredBatch
from billproof.trust import Pins
from billproof.verification import Verifier

__all__ = ["run"]

_FREE = {"time-zone", "number"}


@pytest.fixture(scope="module")
def partners(tmp_path_factory: pytest.TempPathFactory) -> Partners:
    return make_partners(tmp_path_factory.mktemp("partners"))


def write(run: Run, partners: Partners, *more: object, theirs: Path | None = None) -> Path:
    """Clears our store against their proof files, with proofs; the other outputs lie beside.

    What most tests ask for is written once, as ``kept``.
    """
    home, name = partners.home, "kept" if theirs is None else "other"
    file = home / f"{name}.jsonl"
    if theirs is None and file.exists():
        return file
    done = run(
        *("clear", partners.ours, theirs or partners.theirs, "--agreement", partners.agreement),
        *("--our-account", ACCOUNTS[0], "--proofs", file, "--secrets", home / "secrets"),
        *("--out", home / f"{name}.json", "--csv", home / f"{name}.csv", "--force", *more),
    )
    assert done.code == 1, done.err
    return file


def check(run: Run, partners: Partners, file: Path, *more: object) -> Any:
    return run(
        *("disputes", "check", file, "--rpc", partners.rpc, "--agreement", partners.agreement, "--json"),
        *more,
    )


def steps_of(told: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {step["name"]: (step["verdict"], step["message"]) for step in told["files"][0]["steps"]}


def test_what_the_clearing_disputes_is_written_with_proofs_and_valid(run: Run, partners: Partners) -> None:
    file = write(run, partners)
    settlement = partners.home / "settlement.json"
    settle = ("settle", partners.home / "kept.json", "--agreement", partners.agreement)
    assert run(*settle, "--due", "2099-12-31", "--out", settlement, "--force").code == 0
    done = check(run, partners, file, "--settlement", settlement)
    assert done.code == 0, done.out
    clear = json.loads((partners.home / "kept.json").read_text())
    assert done.json["files"][0]["disputes"] == clear["disputes"]
    assert {verdict for verdict, _ in steps_of(done.json).values()} == {"valid"}
    assert list(steps_of(done.json)) == [
        *("file", "inclusion", "judgement", "sums", "settlement", "anchoring"),
    ]
    words = run("disputes", "check", file, "--rpc", partners.rpc, "--agreement", partners.agreement).out
    assert words.startswith("✓ VALID")
    assert "Meridian (account skylark) and Skylark (account meridian), 2026-10" in words
    assert "their price" not in words  # both sides read it: operators are named


def test_lines_are_those_of_the_listing_and_records_those_of_the_bundles(
    run: Run, partners: Partners
) -> None:
    """By other means: the CSV of all differences, bundles' own lines, and amounts as fractions."""
    file = write(run, partners)
    header, *lines = [json.loads(line) for line in file.read_text().splitlines()]
    listed = Counter()
    for row in csv.DictReader((partners.home / "kept.csv").read_text().splitlines()):
        if Fraction(row["difference"]) and set(row["kinds"].split("+")) - _FREE:
            money = [row[name] for name in ("difference", "our_amount", "their_amount")]
            listed[row["kinds"], *(each and str(int(Fraction(each) * 10**9)) for each in money)] += 1
    written = Counter(
        (
            "+".join(line["kinds"]),
            line["money"],
            line.get("ours", {}).get("record", {}).get("amount", ""),
            line.get("theirs", {}).get("record", {}).get("amount", ""),
        )
        for line in lines
    )
    assert written == listed
    assert {kind for kinds, *_ in written for kind in kinds.split("+")} > {"unit", "currency", "missing"}
    bundles = [doc.parse((partners.theirs / f"region-{region}.json").read_bytes()) for region in range(3)]
    rates = {"EUR": Fraction(1), "GBP": Fraction("1.1834")}
    for line in lines:
        amounts = [0, 0]
        for at, side in enumerate(("ours", "theirs")):
            if side in line:
                statement = header[side]["statements"][line[side]["statement"]]
                exact = int(line[side]["record"]["amount"]) * rates[statement["currency"]]
                amounts[at] = floor(exact + Fraction(1, 2))
        both = min(amounts, key=abs) if amounts[0] * amounts[1] > 0 else 0
        claims = [int(line.get(name, "0")) for name in ("ourClaim", "theirClaim")]
        assert claims == [amount - both for amount in amounts]
        assert int(line["money"]) == amounts[0] - amounts[1]
        if "theirs" in line:
            statement = header["theirs"]["statements"][line["theirs"]["statement"]]
            bundle = bundles[int(statement["region"])]
            assert isinstance(bundle, doc.Bundle)
            record = bundle.records[int(line["theirs"]["record"]["index"])]
            told = {name: getattr(record, name) for name in line["theirs"]["record"]}
            assert told == line["theirs"]["record"]
            assert statement["entry"]["proof"] == bundle.entry.proof
            assert statement["recordsRoot"] == bundle.statement.recordsRoot


def test_the_published_schema_takes_each_line_and_no_other(run: Run, partners: Partners) -> None:
    lines = [json.loads(line) for line in write(run, partners).read_text().splitlines()]
    root = Path(__file__).resolve().parents[3]
    schema = json.loads((root / "docs/schemas/disputes.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    for line in (lines[0], *lines[1::50]):
        validator.validate(line)
        assert not validator.is_valid({**line, "extra": 1})
        assert not validator.is_valid({**line, next(iter(line)): None})


def test_a_store_of_theirs_gives_the_same_bytes_as_its_proof_files(run: Run, partners: Partners) -> None:
    from_files = write(run, partners).read_bytes()
    from_store = write(run, partners, "--their-account", ACCOUNTS[1], theirs=partners.their_store)
    assert from_store.read_bytes() == from_files
    assert not [path for path in partners.home.iterdir() if path.name.startswith((".", "tmp"))]


def test_a_store_needs_its_secrets(run: Run, partners: Partners) -> None:
    words = ("clear", partners.ours, partners.theirs, "--agreement", partners.agreement)
    more = ("--our-account", ACCOUNTS[0], "--proofs", partners.home / "without.jsonl")
    done = run(*words, *more)
    assert done.code == 2
    assert "--secrets" in done.err
    assert not (partners.home / "without.jsonl").exists()


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_any_clearing_is_judged_alike_again(run: Run, tmp_path: Path, seed: int) -> None:
    """What whole books found is true of the records alone; unanchored, it is not valid all the same."""
    unanchored = make_partners(tmp_path, 1500, seed, anchored=False)
    done = check(run, unanchored, write(run, unanchored))
    assert done.code == 3
    steps = steps_of(done.json)
    assert steps.pop("anchoring")[0] == "not anchored"
    assert {verdict for verdict, _ in steps.values()} == {"valid"}, steps


def test_without_the_agreement_nothing_is_judged(run: Run, partners: Partners) -> None:
    file = write(run, partners)
    done = run("disputes", "check", file, "--rpc", partners.rpc, "--json")
    assert done.code == 4
    assert steps_of(done.json)["judgement"][0] == "cannot check"
    other = partners.home / "other.toml"
    other.write_text(partners.agreement.read_text() + "\n")
    done = run("disputes", "check", file, "--rpc", partners.rpc, "--agreement", other, "--json")
    assert done.code == 1
    assert "agreement.hash" in steps_of(done.json)["judgement"][1]


def test_another_settlement_is_told(run: Run, partners: Partners) -> None:
    file = write(run, partners)
    settlement = partners.home / "other-settlement.json"
    words = ("settle", partners.home / "kept.json", "--agreement", partners.agreement)
    assert run(*words, "--due", "2099-12-31", "--out", settlement, "--force").code == 0
    found = load_settlement(settlement)
    first, *rest = found.disputes
    more = replace(first, number=99, words="of the other direction")
    changes: list[tuple[dict[str, Any], int, str]] = [
        ({"disputes": (replace(first, amount=first.amount + 1), *rest)}, 1, "disputes[0]"),
        ({"disputes": (replace(first, count=first.count + 1), *rest)}, 1, "disputes[0]"),
        ({"disputes": (replace(first, words="something else"), *rest)}, 1, "disputes[0]"),
        ({"disputes": tuple(rest)}, 1, "disputes[0]"),
        ({"batches": found.batches[1:]}, 1, "ours.statements[0]"),
        ({"batches": (replace(found.batches[0], root=bytes(32)), *found.batches[1:])}, 1, "another root"),
        ({"disputes": (*found.disputes, more)}, 4, ""),
    ]
    for change, code, message in changes:
        settlement.write_bytes(document(replace(found, **change)))
        done = check(run, partners, file, "--settlement", settlement)
        assert done.code == code, (change, done.out)
        if code == 1:
            verdict, told = steps_of(done.json)["settlement"]
            assert verdict == "invalid"
            assert message in told
        else:
            assert done.json["settlementDisputesMissing"] == 1


def test_a_settlement_of_both_directions_takes_the_files_of_both(run: Run, partners: Partners) -> None:
    home = partners.home
    files, clears = [], []
    for payer in ("theirs", "ours"):
        files.append(home / f"{payer}-pay.jsonl")
        clears.append(home / f"{payer}-pay.json")
        words = ("clear", partners.ours, partners.theirs, "--agreement", partners.agreement)
        more = ("--our-account", ACCOUNTS[0], "--payer", payer, "--secrets", home / "secrets")
        assert run(*words, *more, "--proofs", files[-1], "--out", clears[-1]).code == 1
    both = home / "both.json"
    words = ("settle", *clears, "--agreement", partners.agreement, "--due", "2099-12-31", "--out", both)
    assert run(*words).code == 0
    asked = ("disputes", "check", "--rpc", partners.rpc, "--agreement", partners.agreement)
    assert run(*asked, *files, "--settlement", both).code == 0
    one = run(*asked, files[1], "--settlement", both)
    assert one.code == 4
    assert "are in none of these files: give both directions'" in one.err


def test_a_book_without_proofs_is_told_and_not_proved(run: Run, partners: Partners, tmp_path: Path) -> None:
    books = tmp_path / "books"
    theirs = partner_books(900, 3).write(books)[1]
    file = write(run, partners, theirs=theirs)
    done = check(run, partners, file)
    assert done.code == 4
    steps = steps_of(done.json)
    assert steps.pop("proofs") == ("cannot check", "theirs: Skylark's records are told, not proved")
    assert {verdict for verdict, _ in steps.values()} == {"valid"}
    lines = file.read_text().splitlines()
    at = next(at for at, line in enumerate(lines) if at and {"ours", "theirs"} <= json.loads(line).keys())
    for field, value, named in (
        ("amount", "1000000000000", "money"),
        ("amount", str(1 << 63), "theirs.amount: is more than can be"),
        ("amount", str(1 << 62), "theirs.amount: is more than can be"),
        ("amount", str((1 << 62) - 1), "theirs.amount: is more than can be in EUR"),
        ("usage", "-1", "theirs.usage: is more than can be"),
        ("billedUsage", str(1 << 53), "theirs.billedUsage: is more than can be"),
        ("startedAt", "-9999999999999999999", "theirs.startedAt"),
        ("service", "256", "theirs.service"),
        ("currency", "XXX", "theirs.currency"),
        ("usage", "1", "kinds"),
    ):
        changed = json.loads(lines[at])
        changed["theirs"][field] = value
        written = json.dumps(changed, separators=(",", ":"), ensure_ascii=False)
        file.write_text("\n".join([*lines[:at], written, *lines[at + 1 :]]) + "\n")
        done = check(run, partners, file)
        assert done.code == 1, field
        assert steps_of(done.json)["judgement"][1].startswith(f"line {at + 1}, {named}"), field
    two = run(
        *(
            "clear",
            books / "ours",
            theirs,
            "--agreement",
            partners.agreement,
            "--as",
            1,
            "--month",
            "2026-10",
        ),
        *("--proofs", tmp_path / "none.jsonl"),
    )
    assert two.code == 2
    assert "neither book has inclusion proofs" in two.err
    assert not (tmp_path / "none.jsonl").exists()


def test_a_text_that_nobody_would_read_is_not_told(run: Run, partners: Partners, tmp_path: Path) -> None:
    books = tmp_path / "books"
    theirs = partner_books(900, 3).write(books)[1]
    for file in theirs.iterdir():
        table = pq.read_table(file)
        at = table.schema.get_field_index("rate")
        pq.write_table(table.set_column(at, "rate", pa.array(["x" * 2000] * table.num_rows)), file)
    done = run(
        *("clear", partners.ours, theirs, "--agreement", partners.agreement, "--our-account", ACCOUNTS[0]),
        *("--secrets", partners.home / "secrets", "--proofs", tmp_path / "long.jsonl"),
    )
    assert done.code == 2
    assert "rate: has a text of more than 1024 characters" in done.err
    assert list(tmp_path.iterdir()) == [books]


def test_a_repudiated_batch_and_what_replaces_it_are_one_cause(run: Run, tmp_path: Path) -> None:
    equal = make_partners(tmp_path, 300, 5, errors=())
    table = partner_books(300, 5, ()).tables[0][1]
    batch = replace(StoredBatch.open(equal.ours / f"{PERIOD}/1-1").id, sequence=2)
    commit_table(equal.home / "store", SecretStore(equal.home / "secrets", 1), batch, ACCOUNTS[0], table)
    words = ("clear", equal.ours, equal.theirs, "--agreement", equal.agreement, "--our-account", ACCOUNTS[0])
    told = run(*words, "--json").json
    (cause,) = told["causes"]
    assert (cause["kind"], cause["dimension"], cause["count"]) == ("duplicate", "batch", table.num_rows)
    assert told["findings"] == []


def _elsewhere(partners: Partners, home: Path) -> Partners:
    """The same partners on a copy of the chain, which may go its own way."""
    shutil.copytree(partners.home, home)
    chain = EmbeddedChain.open(home / "chain.jsonl", writable=True)
    clients = [LedgerClient(chain, client.deployment, client.signer) for client in partners.clients]
    return Partners(home, chain, (clients[0], clients[1]), home / "agreement.toml")


def test_a_repudiated_batch_is_told(run: Run, partners: Partners, tmp_path: Path) -> None:
    write(run, partners)
    there = _elsewhere(partners, tmp_path / "there")
    there.clients[1].repudiate(BatchKey(2, PERIOD, 1, 1))
    done = check(run, there, there.home / "kept.jsonl")
    assert done.code == 4
    verdict, message = steps_of(done.json)["anchoring"]
    assert verdict == "cannot check"
    assert message.startswith("theirs.statements[1]: operator 2, period 202610, batch 1-1: the operator has")
    assert check(run, partners, partners.home / "kept.jsonl").code == 0


def test_roots_that_the_chain_does_not_have_are_told(run: Run, partners: Partners, tmp_path: Path) -> None:
    """A statement of a batch that was never anchored, in the place of one that was."""
    write(run, partners)
    home = tmp_path / "there"
    shutil.copytree(partners.home, home, ignore=shutil.ignore_patterns("store", "secrets", "theirs"))
    there = Partners(home, partners.chain, partners.clients, home / "agreement.toml")
    there.theirs.mkdir()
    tables = partner_books(900, 3).tables
    for side, table in ((0, tables[0][0]), (1, tables[1][0])):
        vault = SecretStore(home / "secrets", side + 1)
        batch = replace(StoredBatch.open(partners.ours / f"{PERIOD}/0-1").id, operator_id=side + 1, region=0)
        commit_table(home / "store", vault, batch, ACCOUNTS[side], table)
    file = write(run, there, "--their-account", ACCOUNTS[1], theirs=there.their_store)
    done = check(run, there, file)
    assert done.code == 1
    verdict, message = steps_of(done.json)["anchoring"]
    assert verdict == "invalid"
    assert "does not lead to the root that was anchored" in message


@pytest.mark.parametrize("side", ["ours", "theirs"])
@pytest.mark.parametrize("how", ["local", "node"])
def test_receipts_are_answered_for_by_the_ledgers_own_code(
    run: Run, partners: Partners, tmp_path: Path, side: str, how: str
) -> None:
    file = write(run, partners)
    lines = file.read_text().splitlines()
    at = next(at for at, line in enumerate(lines, 1) if at > 1 and side in json.loads(line))
    record = json.loads(lines[at - 1])[side]["record"]
    pins = Pins(tmp_path / "trust.json")
    for operator, client in enumerate(partners.clients, 1):
        pins.add(client.deployment.chain_id, client.deployment.ledger, operator, "known")
    verifier = Verifier(pins, [partners.rpc], on_chain=how)
    for hidden in ((), ("--hide-number",)):
        receipt = tmp_path / f"receipt{len(hidden)}.json"
        words = ("disputes", "receipt", file, at, "--side", side, "--out", receipt)
        assert run(*words, *hidden).code == 0
        report = verifier.verify(receipt)
        assert report.verdict is Verdict.VALID, report.steps
        assert any("verifyRecord agrees" in step.message for step in report.steps)
        found = json.loads(receipt.read_text())["record"]
        assert found["amount"] == record["amount"]
        assert found.get("number") == (None if hidden else record["number"])
        assert run(*words, *hidden).code == 2  # it is there already


def test_receipts_that_cannot_be_cut_are_refused(run: Run, partners: Partners, tmp_path: Path) -> None:
    file = write(run, partners)
    lines = file.read_text().splitlines()
    single = next(at for at, line in enumerate(lines, 1) if at > 1 and "theirs" not in json.loads(line))
    out = tmp_path / "receipt.json"

    def cut(line: int, of: Path = file) -> Any:
        return run("disputes", "receipt", of, line, "--side", "theirs", "--out", out)

    assert "there is no record of theirs" in cut(single).err
    assert f"there is no line {len(lines) + 1}" in cut(len(lines) + 1).err
    changed = tmp_path / "changed.jsonl"
    changed.write_text(file.read_text().replace('"usage":"', '"usage":"1', 2))
    done = cut(2, changed)
    assert (done.code, "does not lead to theirs.statements" in done.err) == (1, True)
    assert not out.exists()


def test_of_books_that_agree_there_is_a_header_alone(run: Run, partners: Partners, tmp_path: Path) -> None:
    equal = make_partners(tmp_path, 60, 5, errors=())
    home = equal.home
    words = ("clear", equal.ours, equal.theirs, "--agreement", equal.agreement)
    more = ("--our-account", ACCOUNTS[0], "--proofs", home / "none.jsonl", "--secrets", home / "secrets")
    assert run(*words, *more).code == 0
    assert (home / "none.jsonl").read_text().count("\n") == 1
    assert check(run, equal, home / "none.jsonl").code == 0
