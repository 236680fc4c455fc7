"""The attacks of the protocol's table that need no chain: each ends in a problem or in another root."""

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
from billproof.commitment import salts
from billproof.commitment.keccak import rows_of
from billproof.inclusion import include_bundle, include_receipt

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def reread(document: Any) -> Any:
    return doc.parse(doc.encode(document))


@pytest.fixture(scope="module")
def built(build: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    rows = [{"account": str(1000 + at % 5), "amount": at - 3, "number": f"+49{at}"} for at in range(33)]
    return build(tmp_path_factory.mktemp("batch"), rows)


@pytest.fixture(scope="module")
def bundle(built: Any) -> doc.Bundle:
    return built.bundles()["1001"]  # 7 records


def test_an_inner_node_does_not_pass_for_a_line(bundle: doc.Bundle, built: Any) -> None:
    """The proof of a leaf's parent is one shorter: its length tells, and no fields hash to the parent."""
    receipt = cut.receipt(bundle, 2, show_number=False)
    shorter = msgspec.structs.replace(receipt, recordProof=receipt.recordProof[1:])
    inclusion = include_receipt(shorter)
    assert [problem.check for problem in inclusion.problems] == ["proof length"]
    assert inclusion.root != built.stored.root
    longer = msgspec.structs.replace(receipt, recordProof=["0x" + "00" * 32, *receipt.recordProof])
    assert [problem.check for problem in include_receipt(longer).problems] == ["proof length"]


def test_a_leaf_of_another_type_does_not_pass_for_an_entry(bundle: doc.Bundle, built: Any) -> None:
    """With the record's proof before the entry's, a line's hash leads towards the root; its type stops it."""
    statement = bundle.statement
    for disguised in (statement.recordsRoot, bundle.records[0].hash, statement.account):
        changed = msgspec.structs.replace(
            bundle, entry=msgspec.structs.replace(bundle.entry, nextAccount=disguised)
        )
        assert include_bundle(changed).root != built.stored.root
    lines = cut.receipt(bundle, 0, show_number=False).recordProof
    entry = msgspec.structs.replace(bundle.entry, proof=[*lines, *bundle.entry.proof])
    assert include_bundle(msgspec.structs.replace(bundle, entry=entry)).root != built.stored.root


def test_a_repeated_last_line_is_found(bundle: doc.Bundle, built: Any) -> None:
    last = bundle.records[-1]
    for index in (last.index, str(int(last.index) + 1)):
        again = msgspec.structs.replace(last, index=index)
        statement = msgspec.structs.replace(
            bundle.statement,
            recordCount=str(len(bundle.records) + 1),
            total=str(int(bundle.statement.total) + int(last.amount)),
        )
        forged = msgspec.structs.replace(bundle, records=[*bundle.records, again], statement=statement)
        inclusion = include_bundle(forged)
        assert {"line order", "line"} & {problem.check for problem in inclusion.problems}
        assert inclusion.root != built.stored.root


def test_no_other_size_or_index_proves_a_line(bundle: doc.Bundle, built: Any) -> None:
    receipt = cut.receipt(bundle, 2, show_number=True)
    for count in range(20):
        for index in range(20):
            if (count, index) == (7, 2):
                continue
            changed = msgspec.structs.replace(
                receipt,
                statement=msgspec.structs.replace(receipt.statement, recordCount=str(count)),
                record=msgspec.structs.replace(receipt.record, index=str(index)),
            )
            inclusion = include_receipt(changed)
            assert inclusion.root != built.stored.root
            if index >= count:
                assert "line count" in {problem.check for problem in inclusion.problems}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chainId", "1"),
        ("ledger", "0x" + "5b" * 20),
        ("operatorId", "2"),
        ("period", "202611"),
        ("region", "1"),
        ("sequence", "2"),
    ],
)
def test_replay_in_another_batch_gives_another_root(
    field: str, value: str, bundle: doc.Bundle, built: Any
) -> None:
    receipt = cut.receipt(bundle, 0, show_number=True)
    for document, include in ((bundle, include_bundle), (receipt, include_receipt)):
        moved = msgspec.structs.replace(
            document, batch=msgspec.structs.replace(bundle.batch, **{field: value})
        )
        inclusion = include(moved)  # type: ignore[operator]
        assert inclusion.root != built.stored.root
        assert inclusion.batch != built.id


def test_an_account_key_opens_in_its_own_batch_only(
    build: Callable[..., Any], tmp_path: Path, batch_id: BatchId
) -> None:
    rows = [{"account": "1001"}]
    first = build(tmp_path, rows)
    second = build(tmp_path, rows, dataclasses.replace(batch_id, period=202611))
    one, two = first.bundles()["1001"], second.bundles()["1001"]
    assert one.statement.account != two.statement.account
    mixed = msgspec.structs.replace(two, account=one.account)
    assert [problem.check for problem in include_bundle(mixed).problems] == ["account key"]
    moved = msgspec.structs.replace(one, batch=two.batch)
    assert include_bundle(moved).root not in (first.stored.root, second.stored.root)


def test_a_receipt_without_its_number_holds_nothing_that_gives_it_away(
    bundle: doc.Bundle, built: Any
) -> None:
    """Numbers are few: who knew the salt could try them all. It is not shown, nor derivable from what is."""
    for index, record in enumerate(bundle.records):
        receipt = cut.receipt(bundle, index, show_number=False)
        content = doc.encode(receipt)
        opening_key = built.vault.opening_keys(built.id, built.statements.accounts)[1]
        hidden = {raw(record.salt), opening_key.tobytes(), raw(bundle.statement.totalSalt)}
        hidden.add(raw(bundle.account.keySecret))
        assert not any(value.hex().encode() in content for value in hidden)
        assert b"1001" not in content
        shown = [raw(value) for value in _hashes(msgspec.to_builtins(receipt))]
        words = [at.to_bytes(32) for at in range(8)] + shown
        for key in shown:
            for label in (salts.PEER_SALT, salts.TOTALS_SALT, salts.OPENING_KEY):
                derived = salts.prf(rows_of(key, 32), label, rows_of(b"".join(words), 32))
                assert not hidden & {row.tobytes() for row in derived}


def test_one_shown_number_does_not_open_the_other_lines(bundle: doc.Bundle) -> None:
    shown = raw(bundle.records[0].salt)
    others = {raw(record.salt) for record in bundle.records[1:]}
    assert len(others | {shown}) == len(bundle.records)
    words = rows_of(b"".join(at.to_bytes(32) for at in range(8)), 32)
    derived = {row.tobytes() for row in salts.prf(rows_of(shown, 32), salts.PEER_SALT, words)}
    assert not derived & others


def _hashes(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        return [h for part in (value.values() if isinstance(value, dict) else value) for h in _hashes(part)]
    return [value] if isinstance(value, str) and value.startswith("0x") and len(value) == 66 else []


@settings(max_examples=60, deadline=None)
@given(st.lists(INT64, min_size=1, max_size=7), INT64)
def test_sums_do_not_wrap(bundle: doc.Bundle, amounts: list[int], said: int) -> None:
    """Extreme amounts add up exactly, so a total that is right only modulo 2^64 is told."""
    records = [
        msgspec.structs.replace(record, amount=str(amount))
        for record, amount in zip(bundle.records, amounts, strict=False)
    ]
    total = sum(amounts)
    wrapped = (total + (1 << 63)) % (1 << 64) - (1 << 63)
    for claim in {said, wrapped}:
        statement = msgspec.structs.replace(bundle.statement, total=str(claim))
        problems = include_bundle(
            msgspec.structs.replace(bundle, records=records, statement=statement)
        ).problems
        assert ("total" in {problem.check for problem in problems}) == (claim != total)


_TOO_LARGE = ["9223372036854775808", "9999999999999999999"]
_UNSIGNED = ["index", "service", "startedAt", "usage", "billedUsage"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((field, value) for field in [*_UNSIGNED, "utcOffset", "amount"] for value in _TOO_LARGE),
        *((field, "-9999999999999999999") for field in ("utcOffset", "amount")),
    ],
)
def test_integers_beyond_64_bits_break_the_schema(field: str, value: str, bundle: doc.Bundle) -> None:
    records = [msgspec.structs.replace(bundle.records[0], **{field: value}), *bundle.records[1:]]
    with pytest.raises(doc.SchemaError, match="does not fit"):
        include_bundle(reread(msgspec.structs.replace(bundle, records=records)))
    receipt = cut.receipt(bundle, 0, show_number=True)
    receipt = msgspec.structs.replace(
        receipt, record=msgspec.structs.replace(receipt.record, **{field: value})
    )
    with pytest.raises(doc.SchemaError, match="does not fit"):
        include_receipt(reread(receipt))


@pytest.mark.parametrize("value", [*_TOO_LARGE, "-9223372036854775809"])
def test_totals_beyond_64_bits_break_the_schema(value: str, bundle: doc.Bundle) -> None:
    statement = msgspec.structs.replace(bundle.statement, total=value)
    with pytest.raises(doc.SchemaError, match="does not fit"):
        include_bundle(reread(msgspec.structs.replace(bundle, statement=statement)))


@pytest.mark.parametrize(
    ("field", "value"),
    [("index", str(1 << 32)), ("service", "256"), ("utcOffset", "32768"), ("utcOffset", "-32769")],
)
def test_integers_beyond_their_type_break_the_schema(field: str, value: str, bundle: doc.Bundle) -> None:
    receipt = cut.receipt(bundle, 0, show_number=False)
    receipt = msgspec.structs.replace(
        receipt, record=msgspec.structs.replace(receipt.record, **{field: value})
    )
    with pytest.raises(doc.SchemaError, match="does not fit"):
        include_receipt(receipt)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chainId", str(1 << 256)),
        ("operatorId", "9" * 20),
        ("region", str(1 << 32)),
        ("sequence", str(1 << 32)),
    ],
)
def test_a_batch_that_does_not_fit_its_type_breaks_the_schema(
    field: str, value: str, bundle: doc.Bundle
) -> None:
    moved = msgspec.structs.replace(bundle, batch=msgspec.structs.replace(bundle.batch, **{field: value}))
    with pytest.raises(doc.SchemaError):
        include_bundle(reread(moved))
