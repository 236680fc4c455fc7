"""Bundles and receipts cut in bulk: byte for byte what the encoder writes of the same fields, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billproof import commit
from billproof.batch_id import BatchId
from billproof.bundle import cut, text
from billproof.bundle import documents as doc
from billproof.bundle.names import file_name
from billproof.commitment import salts, tree
from billproof.commitment.keccak import keccak, rows_of
from billproof.errors import InputError
from billproof.inclusion import include_bundle, include_receipt
from billproof.leaves import hash_peers, hash_records

NASTY = [
    'quoted "',
    "back\\slash",
    "\t\n\r\b\f\x00\x1f\x7f",
    "Grüße ☎ \U0001f4de \u2028",
    "<salt>",
    '"[proof]"',
]
ROWS: list[dict[str, Any]] = [
    {"account": account, "started_at": 1_790_933_700 + at, "rate": rate, "number": number, "amount": amount}
    for account, lines in (("b", 7), ("a/ä", 1), ("c", 2), ("d", 33), ("e", 1))
    for at, (rate, number, amount) in enumerate(
        (NASTY[at % 6], NASTY[-at % 5], (-1) ** at * 10**at % (1 << 40)) for at in range(lines)
    )
]
LIMITS = {
    "amount": -(1 << 60),
    "usage": (1 << 63) - 1,
    "utc_offset": -720,
    "service": 255,
    "corrects": b"\x07" * 32,
}


@pytest.fixture(scope="module")
def built(build: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    holders = {"c": bytes(range(20))}
    return build(tmp_path_factory.mktemp("cut"), [*ROWS, {"account": "f", **LIMITS}], holders=holders)


@pytest.fixture(params=[1, 8, 1 << 15])
def pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many lines are worked on at a time."""
    monkeypatch.setattr(cut, "_LINES", request.param)
    monkeypatch.setattr(cut, "_RECEIPTS", request.param)


def one_by_one(built: Any) -> Iterator[tuple[str, doc.Bundle]]:
    """Every account's bundle, field by field, with nothing of the code that writes them in columns."""
    stored, vault = built.stored, built.vault
    entries = stored.entries.to_pylist()
    for row, entry in enumerate(entries):
        account = pa.array([entry["account"]])
        seeds = vault.enrolled(account).seeds
        opening_key = vault.opening_keys(stored.id, account)
        records = stored.records_of(entry["first"], entry["count"])
        index = np.arange(len(records))
        record_salts = salts.prf(opening_key, salts.PEER_SALT, salts.index_words(index))
        hashes = hash_records(records, index, hash_peers(records["number"], record_salts))
        yield (
            entry["account"],
            doc.Bundle(
                schema=doc.BUNDLE,
                batch=doc.BatchFields(**stored.id.fields),
                account=doc.AccountOpening(
                    accountId=entry["account"],
                    keySecret=hexed(commit.key_secrets(stored.id, seeds)[0]),
                    holder=hexed(entry["holder"]),
                ),
                statement=doc.StatementFields(
                    account=hexed(entry["account_key"]),
                    recordsRoot=hexed(entry["records_root"]),
                    recordCount=str(entry["count"]),
                    currency=entry["currency"],
                    tariff=hexed(stored.tariffs.hashes[0]),
                    total=str(entry["total"]),
                    totalSalt=hexed(commit.totals_salts(opening_key)[0]),
                ),
                records=[
                    doc.Record(
                        index=str(at),
                        service=str(line["service"]),
                        startedAt=str(line["started_at"]),
                        utcOffset=str(line["utc_offset"]),
                        usage=str(line["usage"]),
                        billedUsage=str(line["billed_usage"]),
                        number=line["number"],
                        salt=hexed(record_salts[at]),
                        network=line["network"],
                        amount=str(line["amount"]),
                        rate=line["rate"],
                        corrects=hexed(line["corrects"]),
                        hash=hexed(hashes[at]),
                    )
                    for at, line in enumerate(records.to_pylist())
                ],
                entry=doc.Entry(
                    nextAccount=hexed(entries[(row + 1) % len(entries)]["account_key"]),
                    proof=[hexed(node) for node in tree.proof_of(stored.nodes, row)],
                ),
            ),
        )


def hexed(value: Any) -> str:
    return "0x" + bytes(value).hex()


@pytest.mark.usefixtures("pieces")
def test_bundles_are_what_the_encoder_writes(built: Any) -> None:
    expected = {account: doc.encode(bundle) for account, bundle in one_by_one(built)}
    cutter = cut.Cutter(built.stored, built.vault)
    assert dict(cutter.bundles()) == expected
    assert {account: cutter.bundle(account) for account in expected} == expected
    for content in expected.values():
        found = include_bundle(doc.parse(content))  # type: ignore[arg-type]
        assert (found.root, found.problems) == (built.stored.root, [])


@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize("show", [True, False])
def test_receipts_are_what_a_bundle_gives(built: Any, show: bool) -> None:
    expected = {
        (account, index): doc.encode(cut.receipt(bundle, index, show_number=show))
        for account, bundle in one_by_one(built)
        for index in range(len(bundle.records))
    }
    found = list(cut.Cutter(built.stored, built.vault).receipts(show_number=show))
    assert {(account, index): content for account, index, content in found} == expected
    assert len(found) == len(expected)
    for _, _, content in found:
        included = include_receipt(doc.parse(content))  # type: ignore[arg-type]
        assert (included.root, included.problems) == (built.stored.root, [])


def test_a_batch_of_one_line_has_empty_proofs(
    build: Callable[..., Any], batch_id: BatchId, tmp_path: Path
) -> None:
    alone = build(tmp_path, [{}], batch_id)
    expected = {account: doc.encode(bundle) for account, bundle in one_by_one(alone)}
    cutter = cut.Cutter(alone.stored, alone.vault)
    assert dict(cutter.bundles()) == expected
    [(_, bundle)] = one_by_one(alone)
    [(_, _, receipt)] = cutter.receipts(show_number=True)
    assert receipt == doc.encode(cut.receipt(bundle, 0, show_number=True))
    assert b'"recordProof": []' in receipt


@pytest.mark.usefixtures("pieces")
def test_accounts_come_as_asked_for_and_erased_ones_not_at_all(
    build: Callable[..., Any], tmp_path: Path
) -> None:
    built = build(tmp_path, ROWS)
    built.vault.keep_opening_keys(built.id, built.statements.accounts)
    expected = dict(cut.Cutter(built.stored, built.vault).bundles())
    asked = ["d", "a/ä", "e"]
    assert list(cut.Cutter(built.stored, built.vault, asked).bundles()) == [(a, expected[a]) for a in asked]
    assert list(cut.Cutter(built.stored, built.vault, []).bundles()) == []
    built.vault.erase_opening_keys(built.id, ["b", "d"])
    left = cut.Cutter(built.stored, built.vault)
    assert dict(left.bundles()) == {a: expected[a] for a in ("a/ä", "c", "e")}
    for account in ("d", "nobody"):
        with pytest.raises(InputError, match=f"no statement of account {account}"):
            left.bundle(account)
    with pytest.raises(InputError, match="erased"):
        cut.Cutter(built.stored, built.vault, ["d"])
    with pytest.raises(InputError, match="no statement of account nobody"):
        cut.Cutter(built.stored, built.vault, ["c", "nobody"])
    built.vault.erase_opening_keys(built.id, ["a/ä", "c", "e"])
    assert list(cut.Cutter(built.stored, built.vault).receipts(show_number=True)) == []


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=6) | st.sampled_from(NASTY), max_size=8), st.data())
def test_text_and_lists_are_escaped_as_the_encoder_does(values: list[str], data: st.DataObject) -> None:
    expected = [msgspec.json.encode(value).decode()[1:-1] for value in values]
    assert text.texts(pa.array(values, pa.string())).to_pylist() == expected
    assert (
        text.texts(pa.chunked_array([pa.array(values, pa.string())]).dictionary_encode()).to_pylist()
        == expected
    )
    cuts = data.draw(st.lists(st.integers(0, len(values)), max_size=4).map(sorted))
    bounds = np.array([0, *cuts, len(values)])
    found = text.lists(text.texts(pa.array(values, pa.string())), bounds, depth=0).to_pylist()
    for at, (start, stop) in enumerate(pairwise(bounds)):
        whole = msgspec.json.format(msgspec.json.encode({"x": values[start:stop]}), indent=1).decode()
        assert whole == f'{{\n "x": {found[at]}\n}}'


@given(
    st.lists(st.binary(min_size=5, max_size=5), max_size=9), st.lists(st.integers(-(1 << 63), (1 << 63) - 1))
)
def test_bytes_and_integers_as_the_protocol_writes_them(rows: list[bytes], numbers: list[int]) -> None:
    assert text.hexes(rows_of(b"".join(rows), 5)).to_pylist() == ["0x" + row.hex() for row in rows]
    assert text.integers(np.array(numbers, np.int64)).to_pylist() == [str(number) for number in numbers]


def test_names_of_files_differ_for_each_account() -> None:
    accounts = ["a", "a/", "a%2F", ".", "..", "ä", "x" * 200, "x" * 201]
    accounts += ["A", "abc", "ABC", "Abc", "aBC", "Ä", "a%2f", "X" * 200, "/", "%2F", "%2f"]
    assert len({file_name(account).casefold() for account in accounts}) == len(accounts)
    assert file_name("x" * 200).endswith("~" + keccak(b"x" * 200).hex())
    assert file_name("abc") == "abc~" + keccak(b"abc").hex()[:16]
    for account in ("M0000001", "+353-20_9@X.1"):
        assert file_name(account) == account


def test_a_bundle_that_no_verifier_reads_is_refused(built: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cutter = cut.Cutter(built.stored, built.vault)
    size = len(cutter.bundle("d"))
    assert size > 33 * cut._LINE_BYTES
    for limit, refused in ((size, False), (size - 1, True), (33 * cut._LINE_BYTES - 1, True)):
        monkeypatch.setattr(doc, "MAX_BYTES", limit)
        if not refused:
            assert len(cutter.bundle("d")) == size
            continue
        for call in (lambda: cutter.bundle("d"), lambda: list(cutter.bundles())):
            with pytest.raises(InputError, match="the bundle of account d is larger than") as caught:
                call()
            assert "--region" in caught.value.advice
    assert len(list(cutter.receipts(show_number=True))) == built.stored.entries["count"].to_numpy().sum()
