"""Verdicts against a real ledger: each way in which a file or a chain can be wrong is told apart."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from billproof.bundle import cut
from billproof.bundle import documents as doc
from billproof.commit import entry_hashes
from billproof.commitment import tree
from billproof.inclusion import hash_lines, include_bundle
from billproof.ledger import deployments
from billproof.ledger.client import BatchAnchor
from billproof.ledger.deployments import Deployment, KnownEndpoint
from billproof.ledger.states import BatchKey
from billproof.report import Report, Verdict, overall
from billproof.trust import Pins
from billproof.verification import Verifier, verify

DEAD = "http://127.0.0.1:1"


def check(world: Any, document: Any, **changes: Any) -> Report:
    """The verdict on a document, by default with the world's chain and pins."""
    options = {"rpc": [world.rpc], "pins": world.pins, **changes}
    return Verifier(**options).verify(world.write("case.json", document))


def edited(document: Any, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The document as JSON with one change made."""
    tree = json.loads(doc.encode(document))
    change(tree)
    return json.dumps(tree).encode()


def test_a_bundle_is_valid(world: Any) -> None:
    report = check(world, world.bundle("A2"))
    assert report.verdict is Verdict.VALID
    assert [step.name for step in report.steps] == ["file", "inclusion", "anchoring", "identity", "tariff"]
    assert report.facts["statement"] == {"records": 3, "total": "20750000000", "currency": "EUR"}


@pytest.mark.parametrize("show_number", [True, False])
def test_a_receipt_is_valid(world: Any, show_number: bool) -> None:
    receipt = cut.receipt(world.bundle("A2"), 1, show_number=show_number)
    assert (receipt.record.number is not None) == show_number
    assert check(world, receipt).verdict is Verdict.VALID


@pytest.mark.parametrize("where", ["local", "node"])
def test_the_ledgers_own_code_agrees(world: Any, where: str) -> None:
    bundle = world.bundle("A2")
    for document in (bundle, cut.receipt(bundle, 2, show_number=True)):
        report = check(world, document, on_chain=where)
        assert report.verdict is Verdict.VALID
        assert "ledger code" in [step.name for step in report.steps]


def test_the_changed_line_is_named(world: Any) -> None:
    def cheaper(tree: dict[str, Any]) -> None:
        tree["records"][1]["amount"] = "1"

    report = check(world, edited(world.bundle("A2"), cheaper))
    assert report.verdict is Verdict.INVALID
    problems = report.steps[-1].problems
    assert ("line", 1) in [(problem.check, problem.line) for problem in problems]


def test_a_changed_total_is_named(world: Any) -> None:
    def more(tree: dict[str, Any]) -> None:
        tree["statement"]["total"] = "99000000000"

    report = check(world, edited(world.bundle("A2"), more))
    assert report.verdict is Verdict.INVALID
    assert [problem.check for problem in report.steps[-1].problems] == ["total"]


def test_a_consistent_forgery_does_not_lead_to_the_root(world: Any) -> None:
    """All hashes recomputed by the forger: only the chain can tell."""
    bundle = world.bundle("A2")
    record = msgspec.structs.replace(bundle.records[1], amount="1")
    lines = hash_lines([bundle.records[0], record, bundle.records[2]])
    record = msgspec.structs.replace(record, hash="0x" + lines.hashes[1].tobytes().hex())
    records = [bundle.records[0], record, bundle.records[2]]
    total = sum(int(line.amount) for line in records)
    root = "0x" + tree.build_tree(lines.hashes)[0].tobytes().hex()
    statement = msgspec.structs.replace(bundle.statement, total=str(total), recordsRoot=root)
    report = check(world, msgspec.structs.replace(bundle, records=records, statement=statement))
    assert report.verdict is Verdict.INVALID
    assert "does not lead to the root" in report.steps[-1].message


@pytest.mark.parametrize("kind", ["bundle", "receipt"])
def test_another_period_is_not_anchored(world: Any, kind: str) -> None:
    def earlier(tree: dict[str, Any]) -> None:
        tree["batch"]["period"] = "202609"

    bundle = world.bundle("A2")
    document = bundle if kind == "bundle" else cut.receipt(bundle, 1, show_number=True)
    report = check(world, edited(document, earlier))
    assert report.verdict is Verdict.NOT_ANCHORED
    assert "202609" in report.steps[-1].message


def test_an_unanchored_batch(world: Any) -> None:
    report = check(world, world.bundle("A1", world.unanchored))
    assert report.verdict is Verdict.NOT_ANCHORED
    assert report.steps[-1].name == "anchoring"


def test_an_unknown_operator_cannot_be_checked(world: Any, tmp_path: Path) -> None:
    report = check(world, world.bundle("A2"), pins=Pins(tmp_path / "none.json"))
    assert report.verdict is Verdict.CANNOT_CHECK
    identity = next(step for step in report.steps if step.name == "identity")
    assert "operator unverified" in identity.message
    assert "billproof trust add" in identity.advice


def test_a_dead_endpoint_cannot_check(world: Any) -> None:
    deployment = deployments.load(world.client.deployment.chain_id)
    report = check(world, world.bundle("A2"), rpc=[DEAD])
    assert report.verdict is Verdict.CANNOT_CHECK
    assert report.steps[-1].name == "anchoring"
    assert deployment.kind == "embedded"


def test_a_dead_endpoint_does_not_hide_a_forgery(world: Any) -> None:
    def more(tree: dict[str, Any]) -> None:
        tree["statement"]["total"] = "1"

    assert check(world, edited(world.bundle("A2"), more), rpc=[DEAD]).verdict is Verdict.INVALID


def test_a_ledger_of_the_operators_own_is_not_accepted(world: Any) -> None:
    receipt = cut.receipt(world.bundle("A2"), 1, show_number=True)

    def elsewhere(tree: dict[str, Any]) -> None:
        tree["batch"]["ledger"] = "0x" + "11" * 20

    report = check(world, edited(receipt, elsewhere))
    assert report.verdict is Verdict.CANNOT_CHECK
    assert "names the ledger" in report.steps[-1].message


@pytest.mark.parametrize("chain", ["1", "31337"])
def test_another_chain_is_not_asked_here(world: Any, chain: str) -> None:
    receipt = cut.receipt(world.bundle("A2"), 1, show_number=True)

    def elsewhere(tree: dict[str, Any]) -> None:
        tree["batch"]["chainId"] = chain

    assert check(world, edited(receipt, elsewhere)).verdict is Verdict.CANNOT_CHECK


def test_test_networks_are_off_by_default(world: Any) -> None:
    file = world.home / "sepolia.json"
    ledger = world.client.deployment.ledger
    deployments.save(
        Deployment(11155111, "Sepolia", "testnet", ledger, None, None, (KnownEndpoint(DEAD, "nobody"),)), file
    )
    receipt = cut.receipt(world.bundle("A2"), 1, show_number=True)

    def elsewhere(tree: dict[str, Any]) -> None:
        tree["batch"]["chainId"] = "11155111"

    report = check(world, edited(receipt, elsewhere), deployment=file)
    assert report.verdict is Verdict.CANNOT_CHECK
    assert "test network" in report.steps[-1].message
    report = check(world, edited(receipt, elsewhere), deployment=file, testnets=True)
    assert "test network" not in report.steps[-1].message


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (b"", Verdict.UNUSABLE),
        (b"%PDF-1.7", Verdict.UNUSABLE),
        (b"{}", Verdict.UNUSABLE),
        (b'{"schema": "billproof/bundle/9"}', Verdict.UNUSABLE),
        (b'{"schema": "billproof/account-key/1"}', Verdict.INVALID),
        (b'{"schema": "billproof/bundle/1"}', Verdict.INVALID),
    ],
)
def test_what_is_no_bundle(world: Any, content: bytes, verdict: Verdict) -> None:
    assert check(world, content).verdict is verdict


def test_a_truncated_bundle_is_unusable(world: Any) -> None:
    content = doc.encode(world.bundle("A2"))
    assert check(world, content[: len(content) // 2]).verdict is Verdict.UNUSABLE


def test_an_account_key_file_is_not_verified(world: Any) -> None:
    from billproof.secret_store import SecretStore

    secrets = SecretStore(world.home / "secrets", 1)
    _, key_file = next(cut.account_keys(world.anchored, secrets))
    report = check(world, key_file)
    assert report.verdict is Verdict.UNUSABLE
    assert "account key" in report.steps[-1].message


def test_files_that_cannot_be_read(world: Any) -> None:
    verifier = Verifier(pins=world.pins, rpc=[world.rpc])
    assert verifier.verify(world.home / "absent.json").verdict is Verdict.UNUSABLE
    assert verifier.verify(world.home).verdict is Verdict.UNUSABLE


def test_a_line_billed_in_two_batches_is_noted(world: Any) -> None:
    again = world.batch([ROW_IN_BOTH], region=3)
    world.anchor(again)
    verifier = Verifier(pins=world.pins, rpc=[world.rpc])
    first = verifier.verify(world.write("first.json", world.bundle("A2")))
    second = verifier.verify(world.write("second.json", world.bundle("A2", again)))
    assert first.verdict is second.verdict is Verdict.VALID
    assert not first.notes
    assert "double charge" in second.notes[0]


ROW_IN_BOTH = (
    "A2,call,2026-10-03T10:02:00+01:00,61,+353209100001,0.50,national 0.25/min,"  # billed in region 0 as well
)


def test_amendments_only_lower_bills_and_name_what_they_correct(world: Any) -> None:
    bundle = world.bundle("A5")
    good = f"A5,credit,2026-10-20T10:00:00+01:00,0,,-0.25,credit,{bundle.records[1].hash}"
    raising = f"A5,fee,2026-10-20T10:00:00+01:00,0,,0.25,correction,{bundle.records[1].hash}"
    vague = "A5,credit,2026-10-20T10:00:00+01:00,0,,-0.25,credit,"
    verdicts = []
    for row in (good, raising, vague):
        with pytest.MonkeyPatch.context() as careless:  # an operator that does not check what it anchors
            careless.setattr("billproof.engine.require_amending", lambda statements: None)
            amendment = world.batch([row], amends=1)
        world.anchor(amendment)
        verdicts.append(check(world, world.bundle("A5", amendment)).verdict)
    assert verdicts == [Verdict.VALID, Verdict.INVALID, Verdict.INVALID]
    notes = check(world, world.bundle("A2")).notes
    assert sum("amends this one and was not checked" in note for note in notes) == 3


def test_lines_that_raise_a_bill_as_corrections_are_pointed_out(world: Any) -> None:
    corrected = world.bundle("A5").records[1].hash
    batch = world.batch(
        [
            f"A5,credit,2026-10-20T10:00:00+01:00,0,,-0.25,credit,{corrected}",
            f"A5,call,2026-10-21T10:00:00+01:00,60,+353209100001,9.00,national,{corrected}",
        ],
        region=6,
    )
    world.anchor(batch)
    report = check(world, world.bundle("A5", batch))
    assert report.verdict is Verdict.VALID
    assert [note for note in report.notes if note.startswith("line 2 raises the bill as a correction")]
    assert not [note for note in check(world, world.bundle("A4")).notes if "correction" in note]


def test_a_repudiated_batch_cannot_be_checked(world: Any) -> None:
    stolen = world.batch(ROWS_OF_A_THIEF, region=4)
    world.anchor(stolen)
    bundle = world.bundle("A1", stolen)
    assert check(world, bundle).verdict is Verdict.VALID
    world.client.repudiate(BatchKey(1, stolen.id.period, 4, 1))
    report = check(world, bundle)
    assert report.verdict is Verdict.CANNOT_CHECK
    assert "repudiated" in report.steps[-1].message


ROWS_OF_A_THIEF = ["A1,call,2026-10-08T10:00:00+01:00,3600,+353209100009,99.00,premium,"]


def two_statements_of_one_account(world: Any) -> tuple[list[doc.Bundle], dict[str, Any]]:
    """Two bundles of one account in one anchored batch with other lines each, and the proof of the fault."""
    batch_fields = msgspec.structs.replace(world.bundle("A2").batch, region="60", sequence="1")
    first = msgspec.structs.replace(world.bundle("A2"), batch=batch_fields)
    shorter = first.records[:1]
    root = "0x" + hash_lines(shorter).hashes[0].tobytes().hex()
    statement = msgspec.structs.replace(
        first.statement, recordCount="1", total=shorter[0].amount, recordsRoot=root
    )
    bundles = [first, msgspec.structs.replace(first, records=shorter, statement=statement)]
    found = [include_bundle(bundle) for bundle in bundles]
    keys = np.stack([np.frombuffer(one.account, np.uint8) for one in found])
    statements = np.stack([np.frombuffer(one.statement, np.uint8) for one in found])
    nodes = tree.build_tree(entry_hashes(keys, statements))
    account = "0x" + found[0].account.hex()
    bundles = [
        msgspec.structs.replace(
            bundle,
            entry=doc.Entry(nextAccount=account, proof=["0x" + n.hex() for n in tree.proof_of(nodes, at)]),
        )
        for at, bundle in enumerate(bundles)
    ]
    world.client.anchor(1, BatchAnchor(202610, 60, 1, nodes[0].tobytes(), b"\1" * 32))
    fault = {
        f"entry{name}": {
            "account": account,
            "nextAccount": account,
            "statement": "0x" + found[at].statement.hex(),
        }
        for at, name in enumerate("AB")
    }
    return bundles, fault | {f"proof{name}": bundles[at].entry.proof for at, name in enumerate("AB")}


def test_two_statements_of_one_account_condemn_each_other(world: Any) -> None:
    bundles, fault = two_statements_of_one_account(world)
    verifier = Verifier(pins=world.pins, rpc=[world.rpc])
    reports = [verifier.verify(world.write(f"twin-{at}.json", bundle)) for at, bundle in enumerate(bundles)]
    assert [report.verdict for report in reports] == [Verdict.INVALID, Verdict.INVALID]
    assert "twin-0.json" in reports[1].steps[-1].message
    assert check(world, bundles[0]).verdict is Verdict.VALID  # on its own nobody can tell, but for an audit
    world.client.prove_ring_fault(BatchKey(1, 202610, 60, 1), fault)
    report = check(world, bundles[0])
    assert report.verdict is Verdict.CANNOT_CHECK
    assert "flagged" in report.steps[-1].message


def test_the_same_file_twice_is_no_contradiction(world: Any) -> None:
    bundle = world.bundle("A2")
    verifier = Verifier(pins=world.pins, rpc=[world.rpc])
    for document in (bundle, bundle, cut.receipt(bundle, 0, show_number=False)):
        assert verifier.verify(world.write("again.json", document)).verdict is Verdict.VALID


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null"])
def test_devices_are_no_files(world: Any, path: str) -> None:
    assert Verifier(pins=world.pins, rpc=[world.rpc]).verify(Path(path)).verdict is Verdict.UNUSABLE


def test_a_pipe_is_not_waited_for(world: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    report = Verifier(pins=world.pins, rpc=[world.rpc]).verify(tmp_path / "pipe")
    assert report.verdict is Verdict.UNUSABLE


def test_the_public_function(world: Any) -> None:
    import billproof

    path = world.write("public.json", world.bundle("A2"))
    assert billproof.verify(path, rpc=world.rpc, trust=world.pins.path).verdict is Verdict.VALID
    assert billproof.verify is verify


def test_the_gravest_verdict_stands_for_several() -> None:
    reports = [Report("a"), Report("b")]
    reports[1].add("anchoring", Verdict.CANNOT_CHECK, "dead")
    assert overall(reports) is Verdict.CANNOT_CHECK
    reports[0].add("inclusion", Verdict.INVALID, "changed")
    assert overall(reports) is Verdict.INVALID
