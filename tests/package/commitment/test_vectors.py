"""The committed vectors are what the package makes; other people's code rebuilds the example batch."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_utils import keccak

from billproof.commitment import salts, structs
from billproof.records import Service

ROOT = Path(__file__).resolve().parents[3]
Oracle = Callable[[str, Any], Any]
SERVICE_WORDS = {
    Service.VOICE_ORIGINATED: "voice originated",
    Service.VOICE_TERMINATED: "voice terminated",
    Service.VOICE_FORWARDED: "voice forwarded",
    Service.MESSAGE_SENT: "message sent",
    Service.MESSAGE_RECEIVED: "message received",
    Service.DATA: "data",
    Service.MMS: "MMS",
    Service.CONTENT: "content",
    Service.RECURRING: "recurring",
    Service.ONE_OFF: "one-off",
    Service.DISCOUNT: "discount",
    Service.TAX: "tax",
    Service.CREDIT: "credit",
    Service.ROUNDING: "rounding",
}


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


def prf(key: bytes, label: str, word: bytes) -> bytes:
    return keccak(key + label.encode().ljust(32, b"\0") + word)


def test_committed_vectors_and_worked_example_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "tools/make_vectors.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_account_keys_by_viem(vectors: Callable[[str], Any], oracle: Oracle) -> None:
    cases = vectors("account-keys")["cases"]
    questions, expected = [], []
    for case in cases:
        questions += [
            {"type": "BatchId", "message": case["batch"]},
            {
                "type": "KeySecret",
                "message": {"accountSeed": case["accountSeed"], "batchId": case["batchId"]},
            },
            {"type": "Subject", "message": {"accountId": case["accountId"], "keySecret": case["keySecret"]}},
            {"type": "AccountKey", "message": {"subject": case["subject"], "holder": case["holder"]}},
        ]
        expected += [case["batchId"], case["keySecret"], case["subject"], case["account"]]
    assert oracle("viem", questions) == expected
    assert len({case["account"] for case in cases}) == len(cases), "keys of two batches must not be linkable"


@pytest.fixture(scope="module")
def batch(vectors: Callable[[str], Any]) -> Any:
    return vectors("batch")


def test_every_salt_of_the_example_follows_from_its_batch_secret(batch: Any) -> None:
    secret = raw(batch["secrets"]["batchSecret"])
    for account, bundle in batch["bundles"].items():
        opening_key = prf(secret, "billproof/opening-key", keccak(account.encode()))
        assert bundle["statement"]["totalSalt"] == hexed(prf(opening_key, "billproof/totals-salt", bytes(32)))
        for at, record in enumerate(bundle["records"]):
            assert record["salt"] == hexed(prf(opening_key, "billproof/peer-salt", at.to_bytes(32)))


def test_the_example_batch_by_viem_and_openzeppelin(batch: Any, oracle: Oracle) -> None:
    """From the bundles' fields to the root: viem hashes structs, OpenZeppelin's library builds trees."""

    def hashes(*questions: tuple[str, list[Any]]) -> list[list[str]]:
        """Hashes of several lists of structs, by one process."""
        found = iter(oracle("viem", [{"type": kind, "message": m} for kind, ms in questions for m in ms]))
        return [[next(found) for _ in messages] for _, messages in questions]

    bundles = list(batch["bundles"].values())
    records = [record for bundle in bundles for record in bundle["records"]]
    seeds = [batch["secrets"]["accountSeeds"][bundle["account"]["accountId"]] for bundle in bundles]
    key_secrets = [{"accountSeed": seed, "batchId": batch["batchId"]} for seed in seeds]
    openings = [bundle["account"] for bundle in bundles]
    [batch_id], opened, subjects, peers = hashes(
        ("BatchId", [batch["batch"]]), ("KeySecret", key_secrets), ("Subject", openings), ("Peer", records)
    )
    assert batch_id == batch["batchId"]
    assert opened == [opening["keySecret"] for opening in openings]

    account_keys = [{"subject": s, "holder": o["holder"]} for s, o in zip(subjects, openings, strict=True)]
    lines = [
        {
            **record,
            "peer": peer,
            "network": hexed(record["network"].encode().ljust(8, b"\0")),
            "rate": hexed(keccak(record["rate"].encode())),
        }
        for record, peer in zip(records, peers, strict=True)
    ]
    keys, leaves = hashes(("AccountKey", account_keys), ("CallRecord", lines))
    assert keys == [bundle["statement"]["account"] for bundle in bundles]
    assert leaves == [record["hash"] for record in records]

    for bundle in bundles:
        total = sum(int(record["amount"]) for record in bundle["records"])
        assert bundle["statement"]["total"] == str(total)
    messages = [
        {
            **statement,
            "batchId": batch["batchId"],
            "currency": hexed(statement["currency"].encode()),
            "totals": {"total": statement["total"], "salt": statement["totalSalt"]},
        }
        for statement in (bundle["statement"] for bundle in bundles)
    ]
    statements = dict(zip(keys, *hashes(("Statement", messages)), strict=True))

    ring = sorted(keys)
    following = dict(zip(ring, [*ring[1:], ring[0]], strict=True))
    entries = [{"account": key, "nextAccount": following[key], "statement": statements[key]} for key in ring]
    [leaves] = hashes(("AccountEntry", entries))
    trees = [{"leaves": [record["hash"] for record in bundle["records"]], "proofs": []} for bundle in bundles]
    trees.append({"leaves": leaves, "proofs": list(range(len(ring)))})
    *answers, top = oracle("openzeppelin", trees)
    assert [answer["root"] for answer in answers] == [
        bundle["statement"]["recordsRoot"] for bundle in bundles
    ]
    assert top["root"] == batch["root"]
    expected = {
        key: {"nextAccount": following[key], "proof": top["proofs"][at]} for at, key in enumerate(ring)
    }
    assert {bundle["statement"]["account"]: bundle["entry"] for bundle in bundles} == expected

    listing = b"".join(raw(key) + raw(statements[key]) for key in ring)
    assert batch["manifestList"] == hexed(listing)
    assert hexed(keccak(listing)) in batch["manifest"]
    assert batch["manifestHash"] == hexed(keccak(batch["manifest"].encode()))


def test_the_head_link_by_abi_encoding(batch: Any) -> None:
    from eth_abi import encode
    from eth_account.messages import encode_typed_data

    domain = {
        "name": "Billproof",
        "version": "1",
        "chainId": 31337,
        "verifyingContract": batch["batch"]["ledger"],
    }
    signable = encode_typed_data(domain, {"Empty": []}, {})
    assert hexed(signable.header) == batch["head"]["domainSeparator"]
    before = keccak(encode(["bytes32", "uint64"], [signable.header, int(batch["batch"]["operatorId"])]))
    assert hexed(before) == batch["head"]["before"]
    link = [before, raw(batch["batchId"]), raw(batch["root"]), raw(batch["manifestHash"]), 0]
    after = keccak(encode(["bytes32", "bytes32", "bytes32", "bytes32", "uint32"], link))
    assert hexed(after) == batch["head"]["after"]


def test_every_test_that_the_specification_names_exists() -> None:
    text = (ROOT / "docs/protocol.md").read_text()
    named = re.findall(r"`([\w/.]+)::(\w+)`", text)
    assert len(named) > 30
    for file, name in named:
        assert re.search(rf"\b(def|function) {name}\b", (ROOT / "tests" / file).read_text()), (file, name)


def test_the_specification_states_the_types_labels_and_example() -> None:
    """What is written by hand in it, next to the generated parts."""
    text = (ROOT / "docs/protocol.md").read_text()
    for struct in structs.ALL:
        assert f"    {struct.type_string}\n" in text
    for label in (salts.OPENING_KEY, salts.PEER_SALT, salts.TOTALS_SALT):
        assert f'"{label}"' in text
    for service in Service:
        assert re.search(rf"\b{service.value} {SERVICE_WORDS[service]}", text), service
