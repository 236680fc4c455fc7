"""An operator's month on the command line: batching, anchoring, sealing, bundles, audits, rights and keys."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest
from commands import Run

from billproof.ledger.devaccounts import EMBEDDED_CHAIN_ID
from billproof.ledger.embedded import EmbeddedChain
from billproof.ledger.signers import development_signer
from billproof.ledger.transactions import broadcast, sign

ANCHORER = "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc"  # development account 2
CHAIN = "108204930134130"


@pytest.fixture
def month(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a simulated month, and a ledger with operator 1 on an embedded chain."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BILLPROOF_RPC", "embedded:chain.jsonl")
    monkeypatch.setenv("BILLPROOF_TRUST", str(tmp_path / "trust.json"))
    monkeypatch.delenv("BILLPROOF_PASSWORD_FILE", raising=False)
    words = ("--subscribers", 6, "--period", 202610, "--format", "csv,asterisk", "--out", "sim", "--json")
    assert run("simulate", *words).code == 0
    assert run("deploy", "--dev-account", 0).code == 0
    assert run("operator", "register", "--name", "Meridian", "--dev-account", 1).code == 0
    assert run("operator", "grant", 1, ANCHORER, "--dev-account", 1).code == 0
    return tmp_path


HERE = ("--operator", 1, "--period", 202610, "--store", "store")
CDR = Path("sim/cdr/operator-1")
INPUT = ("--input", "asterisk", CDR / "asterisk.toml", CDR / "asterisk-001.csv")
BATCH = ("batch", "--format", "csv", "--mapping", CDR / "csv.toml", *HERE, "--secrets", "secrets", *INPUT)
CSV = CDR / "csv-001.csv"


def test_the_whole_way(run: Run, month: Path) -> None:
    batched = run(*BATCH, "--json", CSV)
    assert batched.code == 0
    simulated = json.loads((month / "sim" / "simulation.json").read_text())
    assert batched.json["schema"] == "billproof/batch-result/1"
    assert batched.json["committed"] == simulated["records"]
    assert batched.json["rejected"] == batched.json["otherPeriods"] == 0

    status = run("status", 202610, "--operator", 1, "--store", "store", "--json")
    assert [entry["is"] for entry in status.json["batches"]] == ["batched"]
    anchored = run("anchor", *HERE, "--secrets", "secrets", "--dev-account", 2, "--json")
    assert anchored.json["batches"][0]["root"] == batched.json["root"]
    assert not list(Path("secrets").rglob("*.secret"))
    again = run("anchor", *HERE, "--secrets", "secrets", "--dev-account", 2, "--json")
    assert again.json["batches"][0]["already"]
    assert run("seal", *HERE, "--dev-account", 1).code == 0
    status = run("status", 202610, "--operator", 1, "--store", "store", "--json")
    assert [entry["is"] for entry in status.json["batches"]] == ["final"]
    assert status.json["sealedAt"]

    made = run(
        "bundles", *HERE, "--secrets", "secrets", "--out", "bundles", "--account-keys", "keys", "--json"
    )
    assert made.json["bundles"] == made.json["accountKeys"] == 6
    assert stat.S_IMODE(next(Path("bundles").iterdir()).stat().st_mode) == 0o600
    assert run("bundles", *HERE, "--secrets", "secrets", "--out", "bundles").code == 2

    bundle = sorted(Path("bundles").iterdir())[0]
    unknown = run("verify", bundle)
    assert unknown.code == 4
    assert "operator unverified" in unknown.out
    assert run("trust", "add", "--chain-id", CHAIN, "--operator", 1, "--name", "Meridian").code == 0
    assert [pin["name"] for pin in run("trust", "list", "--json").json["operators"]] == ["Meridian"]
    verified = run("verify", "--json", "bundles")
    assert verified.code == 0
    assert verified.json["schema"] == "billproof/verification/1"
    assert {file["verdict"] for file in verified.json["files"]} == {"valid"}

    cut = run("receipt", bundle, "--record", 1, "--hide-number", "--out", "receipt.json")
    assert cut.code == 0
    assert "line 2 (record 1) is in receipt.json, without its number" in cut.err
    assert "number" not in json.loads(Path("receipt.json").read_text())["record"]
    for how in ((), ("--on-chain",), ("--on-node",)):
        assert run("verify", *how, "receipt.json").code == 0
    assert run("receipt", bundle, "--record", 1, "--out", "receipt.json").code == 2
    assert run("receipt", bundle, "--record", 9999, "--out", "other.json").code == 2
    assert run("trust", "remove", "--chain-id", CHAIN, "--operator", 1).code == 0
    assert run("verify", "receipt.json").code == 4


def test_offline_batching_needs_no_node(run: Run, month: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BILLPROOF_RPC")
    assert run(*BATCH, CSV).code == 2
    assert run(*BATCH, "--chain-id", CHAIN, CSV).code == 0
    assert run(*BATCH, "--chain-id", 424242, "--region", 2, CSV).code == 4


def test_control_totals(run: Run, month: Path) -> None:
    simulated = json.loads(Path("sim/simulation.json").read_text())["operators"][0]
    count = simulated["formats"]["csv"]["records"]
    total = simulated["formats"]["csv"]["totals"]["EUR"]
    words = ("batch", "--format", "csv", "--mapping", CDR / "csv.toml", *HERE, "--secrets", "secrets", CSV)
    assert run(*words, "--expect-count", count + 1).code == 1
    wrong = run(*words, "--expect-total", "EUR=1.00", "--json")
    assert wrong.code == 1
    assert wrong.json["exitCode"] == 1
    assert run(*words, "--expect-total", "1.00").code == 2
    assert not Path("store").exists()
    assert run(*words, "--expect-count", count, "--expect-total", f"EUR={total}").code == 0


def test_a_file_that_was_cut_off_is_named(run: Run, month: Path) -> None:
    words = ("batch", "--format", "csv", "--mapping", CDR / "csv.toml", *HERE, "--secrets", "secrets")
    assert "no line end" not in run(*words, "--dry-run", CSV).err
    cut = month / "cut.csv"
    cut.write_bytes(Path(CSV).read_bytes()[:-1])
    assert "cut.csv: its last line has no line end" in run(*words, "--dry-run", cut).err


def test_the_backup_brings_secrets_back(run: Run, month: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    password = month / "password"
    password.write_text("correct horse\n")
    password.chmod(0o600)
    monkeypatch.setenv("BILLPROOF_PASSWORD_FILE", str(password))
    first = run(*BATCH, "--json", CSV).json
    assert first["backup"] == "secrets.backup"
    Path("secrets").rename("lost")
    assert run("secrets", "restore", "secrets.backup", "--secrets", "secrets").code == 0
    assert run(*BATCH, "--json", "--force", CSV).json["root"] == first["root"]
    assert run("secrets", "backup", "secrets.backup", "--secrets", "secrets").code == 2
    assert run("secrets", "backup", "secrets.backup", "--secrets", "secrets", "--force").code == 0
    password.chmod(0o644)
    assert run("secrets", "restore", "secrets.backup", "--secrets", "elsewhere").code == 2


def test_rejects_are_named_by_line(run: Run, month: Path) -> None:
    with CSV.open("a") as stream:
        stream.write("M0000001,FEE,2026-10-01T00:00:00+01:00,0,0,,,ten,EUR,fee\n")
    result = run(*BATCH, "--json", CSV)
    assert result.code == 0
    assert result.json["rejected"] == 1
    assert result.json["ambiguousTimes"] == 0
    line = len(CSV.read_text().splitlines())
    assert f"csv-001.csv,{line},amount" in Path("store/1/202610/0-1/rejects.csv").read_text().replace('"', "")


def test_times_that_occur_twice_are_told(run: Run, month: Path) -> None:
    with CSV.open("a") as stream:
        for _ in range(2):
            stream.write("M0000001,FEE,2026-10-25T01:30:00,0,0,,,1,EUR,fee\n")
    told = run(*BATCH, CSV)
    assert told.code == 0
    assert "2 records have a local time that happened twice" in " ".join((told.out + told.err).split())
    again = run(*BATCH, "--force", "--json", CSV)
    assert again.json["ambiguousTimes"] == 2


def test_differing_chains_are_findings(run: Run, month: Path) -> None:
    run(*BATCH, CSV)
    run("anchor", *HERE, "--dev-account", 2)
    Path("store/1/202610/0-1").rename(month / "gone")
    missing = run("status", 202610, "--operator", 1, "--store", "store", "--json")
    assert missing.code == 1
    assert missing.json["batches"][0]["is"] == "missing here"
    assert run("seal", *HERE, "--dev-account", 1).code == 1


def test_a_damaged_store_is_not_anchored(run: Run, month: Path) -> None:
    run(*BATCH, CSV)
    tree = Path("store/1/202610/0-1/tree.bin")
    tree.write_bytes(tree.read_bytes()[:-1] + b"\0")
    damaged = run("anchor", *HERE, "--dev-account", 2)
    assert damaged.code == 1
    assert "tree.bin" in damaged.err


def test_audits(run: Run, month: Path) -> None:
    run(*BATCH, CSV)
    early = run("audit", "store")
    assert early.code == 1
    assert "not anchored" in early.err
    run("anchor", *HERE, "--secrets", "secrets", "--dev-account", 2)
    whole = run("audit", "store", "--secrets", "secrets", "--json")
    assert whole.code == 0
    assert whole.json["chain"] is True
    manifest = Path("store/1/202610/0-1/manifest.json")
    assert run("audit", manifest).code == 0
    assert run("audit", "sim").code == 2
    public = Path("public")
    public.mkdir()
    for name in ("manifest.json", "manifest.bin"):
        shutil.copy(manifest.with_name(name), public / name)
    alone = run("audit", public, "--json")
    assert (alone.code, alone.json["batches"], alone.json["chain"]) == (0, 1, True)
    # A batch that has lost its batch.json is no public manifest: less would be checked than there is.
    shutil.copy(manifest.with_name("records.parquet"), public)
    assert run("audit", public).code == 2
    (public / "records.parquet").unlink()
    (public / "manifest.bin").write_bytes(b"\0" + manifest.with_name("manifest.bin").read_bytes()[1:])
    assert run("audit", public).code == 1
    (public / "manifest.bin").unlink()
    assert run("audit", public).code == 2
    content = manifest.read_bytes()
    manifest.write_bytes(content.replace(b'"records": "', b'"records": "1'))
    changed = run("audit", manifest)
    assert changed.code == 1
    assert "manifest.json" in changed.err


def test_sealing_before_anchoring_is_refused(run: Run, month: Path) -> None:
    run(*BATCH, CSV)
    assert run("seal", *HERE, "--dev-account", 1).code == 3


def test_the_contract_refuses_in_words(run: Run, month: Path) -> None:
    run(*BATCH, CSV)
    refused = run("anchor", *HERE, "--dev-account", 5)
    assert refused.code == 1
    assert "anchor" in refused.err
    assert "Traceback" not in refused.err


def test_rights_of_an_operator(run: Run, month: Path) -> None:
    admin, heir = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8", "0x90f79bf6eb2c4f870365e785982e1f101e93b906"
    assert run("operator", "show", 1, "--json").json["admin"] == admin
    assert run("operator", "transfer", 1, heir, "--dev-account", 1).code == 0
    assert run("operator", "show", 1, "--json").json["pendingAdmin"] == heir
    assert run("operator", "transfer", 1, "--accept", "--dev-account", 1).code == 1
    assert run("operator", "transfer", 1, "--accept", "--dev-account", 3).code == 0
    assert run("operator", "show", 1, "--json").json["admin"] == heir
    assert run("operator", "revoke", 1, ANCHORER, "--dev-account", 3, "--json").json["gas"] > 20_000
    assert run("operator", "transfer", 1, "--dev-account", 3).code == 2
    assert run("operator", "grant", 1, "0x12", "--dev-account", 3).code == 2
    assert run("operator", "show", 7).code == 3


def test_bundles_of_one_account_among_several_batches(run: Run, month: Path) -> None:
    run(*BATCH, CSV)
    other = Path("other.csv")
    other.write_text("\n".join(CSV.read_text().splitlines()[:2]) + "\n")
    words = ("batch", "--format", "csv", "--mapping", CDR / "csv.toml", *HERE, "--secrets", "secrets")
    assert run(*words, "--region", 2, other).code == 0
    made = ("bundles", *HERE, "--secrets", "secrets", "--json")
    assert run(*made, "--out", "one", "--account", "M0000003").json["bundles"] == 1
    assert run(*made, "--out", "two", "--account", "M0000001").json["bundles"] == 2
    assert run(*made, "--out", "none", "--account", "nobody").code == 2
    assert not Path("none").exists()
    assert run(*made, "--out", "same", "--account-keys", "same").code == 2


def test_a_keystore_signs(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BILLPROOF_RPC", "embedded:chain.jsonl")
    password = tmp_path / "password"
    password.write_text("secret\n")
    password.chmod(0o600)
    monkeypatch.setenv("BILLPROOF_PASSWORD_FILE", str(password))
    address = run("keystore", "create", "key.json", "--json").json["address"]
    assert run("keystore", "create", "key.json").code == 2
    poor = run("deploy", "--keystore", "key.json")
    assert poor.code == 1
    assert "cannot pay" in poor.err
    with EmbeddedChain.open("chain.jsonl", writable=True) as chain:
        payer = development_signer(0, EMBEDDED_CHAIN_ID)
        broadcast(chain, sign(chain, payer, address, b"", value=10**18).raw)
    assert run("deploy", "--keystore", "key.json").code == 0
    assert run("operator", "register", "--name", "Own Key", "--keystore", "key.json").code == 0
    assert run("operator", "show", 1, "--json").json["admin"] == address
    password.write_text("wrong\n")
    assert run("operator", "grant", 1, ANCHORER, "--keystore", "key.json").code == 2
