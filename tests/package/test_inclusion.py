"""From fields to the root: the whole way and back, problems named by line, and what is cut."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billproof.batch_id import BatchId
from billproof.bundle import cut
from billproof.bundle import documents as doc
from billproof.bundle.names import file_name
from billproof.commit import commit
from billproof.commitment import structs, tree
from billproof.errors import InputError
from billproof.inclusion import (
    amendment_problems,
    hash_lines,
    include_bundle,
    include_receipt,
    line_of_problem,
    raising_lines,
)

UINT63 = st.integers(0, (1 << 63) - 1)
TEXT = st.text(max_size=12)
RECORD = st.fixed_dictionaries(
    {
        "service": st.integers(0, 255),
        "started_at": UINT63,
        "utc_offset": st.integers(-(1 << 15), (1 << 15) - 1),
        "usage": UINT63,
        "billed_usage": UINT63,
        "number": TEXT,
        "network": st.from_regex(r"([0-9]{3}-[0-9]{2,3})?", fullmatch=True),
        "amount": st.integers(-(1 << 57), 1 << 57),
        "rate": TEXT,
        "corrects": st.binary(min_size=32, max_size=32),
    }
)


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def hexed(data: Any) -> str:
    return "0x" + bytes(data).hex()


def reread(document: Any) -> Any:
    return doc.parse(doc.encode(document))


@pytest.fixture(scope="module")
def built(build: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    rows = [{"account": str(1000 + at % 5), "amount": at - 3, "number": f"+49{at}"} for at in range(33)]
    return build(tmp_path_factory.mktemp("batch"), rows)


@pytest.fixture(scope="module")
def bundle(built: Any) -> doc.Bundle:
    return built.bundles()["1001"]  # 7 records


# --- the whole way ----------------------------------------------------------------------------------


def check_whole_way(built: Any, rows: list[dict[str, Any]]) -> None:
    assert built.stored.root == built.commitment.root
    bundles = built.bundles()
    assert sorted(bundles) == sorted({row["account"] for row in rows})
    for account, bundle in bundles.items():
        inclusion = include_bundle(bundle)
        assert inclusion.problems == []
        assert (inclusion.root, inclusion.batch) == (built.stored.root, built.id)
        own = sorted((row for row in rows if row["account"] == account), key=lambda row: row["started_at"])
        assert [record.number for record in bundle.records] == [row["number"] for row in own]
        assert [int(record.amount) for record in bundle.records] == [row["amount"] for row in own]
        for index in {0, len(own) // 2, len(own) - 1}:
            for show in (True, False):
                receipt = reread(cut.receipt(bundle, index, show_number=show))
                found = include_receipt(receipt)
                assert (found.problems, found.root) == ([], built.stored.root)
                assert len(receipt.recordProof) == tree.proof_length(len(own), index)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "ü", "Z 1", "0049"]), RECORD), min_size=1, max_size=30))
def test_any_batch_goes_all_the_way_and_back(
    build: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory, pairs: list[Any]
) -> None:
    rows = [{"account": account, **record} for account, record in pairs]
    check_whole_way(build(tmp_path_factory.mktemp("any"), rows), rows)


@pytest.mark.parametrize(
    "accounts",
    [
        ["only"],
        ["only"] * 100,
        [str(at) for at in range(70)],
        ["a"] * 64 + ["b"],
        [str(at % 7) for at in range(300)],
    ],
    ids=["one record", "one account", "one record each", "one large and one small", "many"],
)
def test_shapes(accounts: list[str], build: Callable[..., Any], tmp_path: Path) -> None:
    rows = [
        {"account": account, "started_at": 10_000 - at // 3, "number": f"+{at}", "amount": at}
        for at, account in enumerate(accounts)
    ]
    check_whole_way(build(tmp_path, rows), rows)


def test_same_records_and_secrets_give_the_same_root(build: Callable[..., Any], tmp_path: Path) -> None:
    rows = [{"account": str(at % 4), "number": f"+{at}"} for at in range(20)]
    once = build(tmp_path, rows)
    again = build(tmp_path, rows, replace=True)
    assert once.stored.root == again.stored.root
    for name in ("manifest.json", "manifest.bin", "tree.bin", "SHA256SUMS"):
        assert (once.stored.path / name).read_bytes() == (again.stored.path / name).read_bytes()
    elsewhere = build(tmp_path / "other secrets", rows)
    assert elsewhere.stored.root != once.stored.root


def test_another_sequence_changes_keys_and_statements_but_no_record(
    build: Callable[..., Any], tmp_path: Path, batch_id: BatchId
) -> None:
    first = build(tmp_path, [{"account": str(at % 4)} for at in range(20)])
    keys = first.vault.opening_keys(batch_id, first.statements.accounts)
    second_id = dataclasses.replace(batch_id, sequence=2)
    enrolment = first.vault.enrolled(first.statements.accounts)
    second = commit(first.statements, second_id, enrolment, keys, bytes(32))
    before, after = (
        {row["account"]: row for row in table.to_pylist()}
        for table in (first.commitment.entries, second.entries)
    )
    for account, row in before.items():
        assert row["records_root"] == after[account]["records_root"]
        assert row["account_key"] != after[account]["account_key"]
        assert row["statement"] != after[account]["statement"]
    assert first.commitment.root != second.root


# --- what is wrong is named -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("service", "2"),
        ("startedAt", "1"),
        ("utcOffset", "-60"),
        ("usage", "126"),
        ("billedUsage", "0"),
        ("number", "+49"),
        ("salt", "0x" + "11" * 32),
        ("network", "310-410"),
        ("amount", "-9"),
        ("rate", "free"),
        ("corrects", "0x" + "11" * 32),
        ("hash", "0x" + "11" * 32),
    ],
)
@pytest.mark.parametrize("line", [0, 3, 6])
def test_a_changed_line_is_named(field: str, value: str, line: int, bundle: doc.Bundle) -> None:
    records = list(bundle.records)
    records[line] = msgspec.structs.replace(records[line], **{field: value})
    inclusion = include_bundle(msgspec.structs.replace(bundle, records=records))
    assert ("line", line) in {(problem.check, problem.line) for problem in inclusion.problems}
    assert {problem.line for problem in inclusion.problems} <= {line, None}
    expected = (
        {"line"}
        | ({"lines root"} if field != "hash" else set())
        | ({"total"} if field == "amount" else set())
    )
    assert {problem.check for problem in inclusion.problems} == expected


def test_swapped_lines_are_both_named(bundle: doc.Bundle) -> None:
    records = list(bundle.records)
    records[1], records[2] = records[2], records[1]
    problems = include_bundle(msgspec.structs.replace(bundle, records=records)).problems
    assert {problem.line for problem in problems if problem.check == "line order"} == {1, 2}


@pytest.mark.parametrize(
    ("taken", "line", "message"),
    [
        ({2}, 1, "a line is missing after this one"),
        ({2, 3}, 1, "2 lines are missing after this one"),
        ({0}, None, "the first line is missing"),
        ({0, 1}, None, "the first 2 lines are missing"),
    ],
)
def test_lines_taken_out_are_told_once_where_they_are_missing(
    bundle: doc.Bundle, taken: set[int], line: int | None, message: str
) -> None:
    records = [record for at, record in enumerate(bundle.records) if at not in taken]
    cut = msgspec.structs.replace(bundle, records=records)
    problems = include_bundle(cut).problems
    orders = [(problem.line, problem.message) for problem in problems if problem.check == "line order"]
    assert orders == [(line, message)]
    assert problems[0].check == "line order"
    assert {problem.check for problem in problems} >= {"line count", "lines root"}
    if line is not None:
        assert line_of_problem(cut, line).index == str(line)


def test_a_line_changed_behind_a_gap_is_called_by_its_own_number(bundle: doc.Bundle) -> None:
    records = [*bundle.records[:2], *bundle.records[3:]]
    records[-1] = msgspec.structs.replace(records[-1], rate="another")
    cut = msgspec.structs.replace(bundle, records=records)
    changed = next(problem for problem in include_bundle(cut).problems if problem.check == "line")
    assert changed.line == len(bundle.records) - 1
    assert line_of_problem(cut, changed.line) == records[-1]


def test_a_self_consistent_forgery_leads_to_another_root(bundle: doc.Bundle, built: Any) -> None:
    """A forger recomputes everything she can: line hash, records root, total, count."""
    records = list(bundle.records)
    forged = msgspec.structs.replace(records[0], amount="0")
    forged = msgspec.structs.replace(forged, hash=hexed(hash_lines([forged]).hashes[0]))
    records[0] = forged
    root = tree.build_tree(hash_lines(records).hashes)[0]
    total = str(sum(int(record.amount) for record in records))
    statement = msgspec.structs.replace(bundle.statement, recordsRoot=hexed(root), total=total)
    inclusion = include_bundle(msgspec.structs.replace(bundle, records=records, statement=statement))
    assert inclusion.problems == []
    assert inclusion.root != built.stored.root


def test_amendments_only_lower_and_only_correct(bundle: doc.Bundle) -> None:
    problems = amendment_problems(bundle)
    assert [problem.line for problem in problems if problem.line is not None] == list(range(7))
    assert problems[-1].message.endswith("its total is positive")
    records = [
        msgspec.structs.replace(record, corrects="0x" + "11" * 32, amount="-1") for record in bundle.records
    ]
    statement = msgspec.structs.replace(bundle.statement, total="-7")
    assert amendment_problems(msgspec.structs.replace(bundle, records=records, statement=statement)) == []
    receipt = cut.receipt(bundle, 4, show_number=False)
    assert [problem.line for problem in amendment_problems(receipt)] == [4]


def test_lines_that_raise_what_they_correct_are_found(bundle: doc.Bundle) -> None:
    assert raising_lines(bundle) == []
    changed = {2: ("0x" + "11" * 32, "1"), 3: ("0x" + "11" * 32, "-1"), 4: ("0x" + "11" * 32, "0")}
    records = [
        msgspec.structs.replace(
            record, **dict(zip(("corrects", "amount"), changed.get(at, (record.corrects, "5")), strict=True))
        )
        for at, record in enumerate(bundle.records)
    ]
    changed_bundle = msgspec.structs.replace(bundle, records=records)
    assert raising_lines(changed_bundle) == [2]
    receipt = cut.receipt(bundle, 2, show_number=False)
    assert raising_lines(receipt) == []
    record = msgspec.structs.replace(receipt.record, corrects="0x" + "11" * 32, amount="7")
    assert raising_lines(msgspec.structs.replace(receipt, record=record)) == [2]


# --- cutting ----------------------------------------------------------------------------------------


def test_a_receipt_of_no_record_is_refused(bundle: doc.Bundle) -> None:
    for index in (-1, 7):
        with pytest.raises(InputError, match="there is no record"):
            cut.receipt(bundle, index, show_number=True)


def test_file_names_are_safe_and_different() -> None:
    accounts = [
        ".",
        "..",
        "...",
        ".a",
        "a",
        "a.",
        "../x",
        "a/b",
        "a%2Fb",
        "ä",
        "a b",
        "-",
        "~",
        "x" * 256,
        "x" * 255,
    ]
    accounts += ["☎" * 200, "☎" * 201, "\0", "CON:", "a\nb"]
    names = [file_name(account) for account in accounts]
    assert len({name.casefold() for name in names}) == len(accounts)
    for name in names:
        assert 0 < len(name) <= 200
        assert name[0] != "."
        assert not set(name) & set("/\\\0:\n ")
    assert file_name("+49.151-2_3@X") == "+49.151-2_3@X"


def test_unknown_accounts_are_named(built: Any) -> None:
    with pytest.raises(InputError, match="no statement of account 4711"):
        list(cut.bundles(built.stored, built.vault, ["1001", "4711"]))
    assert [account for account, _ in cut.bundles(built.stored, built.vault, ["1003", "1001"])] == [
        "1003",
        "1001",
    ]


def test_totals_are_hidden_behind_a_hash_that_the_bundle_opens(bundle: doc.Bundle) -> None:
    receipt = cut.receipt(bundle, 0, show_number=False)
    opening = {"total": int(bundle.statement.total), "salt": raw(bundle.statement.totalSalt)}
    assert receipt.statement.totals == hexed(structs.hash_one(structs.TOTALS, opening))
