"""The command line as its users meet it: exit codes, JSON on standard output, messages on standard error."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from billproof.cli import COMMANDS, main
from billproof.ledger.devaccounts import EMBEDDED_CHAIN_ID
from billproof.ledger.embedded import EmbeddedChain
from billproof.ledger.signers import development_signer
from billproof.ledger.transactions import broadcast, sign

ANCHORER = "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc"  # development account 2
CHAIN = "108204930134130"


@dataclass
class Result:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process."""

    def call(*words: object) -> Result:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        printed = capsys.readouterr()
        return Result(int(stop.value.code or 0), printed.out, printed.err)

    return call


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
    line = len(CSV.read_text().splitlines())
    assert f"csv-001.csv,{line},amount" in Path("store/1/202610/0-1/rejects.csv").read_text().replace('"', "")


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


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("verify", "absent.json"), 2),
        (("verify",), 2),
        (("verify", "--rpc", "ftp://x", "absent.json"), 2),
        (("verify", "--no-such-option", "x"), 2),
        (("no-such-command",), 2),
        (("batch", "--format", "nonsense", "x.csv"), 2),
        (("status", "2026-10", "--operator", "1", "--store", "s"), 2),
        (("anchor", *HERE), 2),
        (("anchor", *HERE, "--rpc", "embedded:absent.jsonl", "--dev-account", 0), 2),
        (("deploy", "--rpc", "http://127.0.0.1:9", "--dev-account", 0), 4),
        (("simulate", "--period", 202610, "--format", "nonsense", "--out", "x"), 2),
        (("trust", "list"), 0),
        (("formats", "--json"), 0),
    ],
)
def test_exit_codes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[object, ...], code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BILLPROOF_TRUST", str(tmp_path / "trust.json"))
    result = run(*words)
    assert result.code == code
    assert "Traceback" not in result.err
    assert not list(tmp_path.iterdir())


def test_verdicts_as_exit_codes(run: Run, world: Any) -> None:
    words = ("verify", "--rpc", world.rpc, "--trust", world.pins.path)
    bundle = world.write("good.json", world.bundle("A2"))
    tree = json.loads(bundle.read_bytes())
    tree["records"][0]["amount"] = "1"
    assert run(*words, bundle).code == 0
    assert run(*words, world.write("bad.json", json.dumps(tree).encode())).code == 1
    assert run(*words, world.write("other.json", b'{"a": 1}')).code == 2
    assert run(*words, world.write("early.json", world.bundle("A1", world.unanchored))).code == 3
    assert run("verify", "--rpc", "http://127.0.0.1:9", "--trust", world.pins.path, bundle).code == 4
    several = run(*words, bundle, world.home / "bad.json", world.home / "early.json")
    assert several.code == 1
    assert "1 valid, 1 invalid, 1 not anchored" in several.err


ESCAPES = "\x1b[2J\x1b[H\u2713 VALID\x9b1A\u202e\nerror: none"


def test_strangers_cannot_write_on_the_terminal(run: Run, world: Any) -> None:
    words = ("verify", "--rpc", world.rpc, "--trust", world.pins.path)
    tree = json.loads(world.write("good.json", world.bundle("A2")).read_bytes())
    keyed = world.write("keyed.json", json.dumps({**tree, ESCAPES: "1"}).encode())
    tree["records"][1]["rate"] = tree["records"][1]["number"] = ESCAPES
    lined = world.write("lined.json", json.dumps(tree).encode())
    named = world.home / ("x" + ESCAPES.replace("\n", ""))
    named.write_bytes(lined.read_bytes())
    for arguments in ((*words, keyed), (*words, lined), (*words, named), ("show", lined), ("show", named)):
        for form in ((), ("--json",)):
            result = run(*arguments, *form)
            for stream in (result.out, result.err):
                assert all(c.isprintable() or c == "\n" for c in stream)
                assert "\nerror: none" not in stream


def test_a_bill_is_shown_in_words(run: Run, world: Any) -> None:
    bundle = world.write("good.json", world.bundle("A2"))
    shown = run("show", "--json", bundle).json["lines"]
    assert shown[1]["line"] == 2
    assert (shown[1]["when"], shown[1]["number"]) == ("2026-10-03 10:02:00", "+353209100001")
    assert (shown[1]["used"], shown[1]["amount"]) == ("1:01 min", "0.50 EUR")
    assert "0.50 EUR" in run("show", bundle).out
    assert run("show", "--csv", bundle).out.splitlines()[2].startswith("2,2026-10-03 10:02:00,call to")


def test_options_that_are_wrong_do_not_blame_the_file(run: Run, world: Any) -> None:
    bundle = world.write("good.json", world.bundle("A2"))
    result = run("verify", "--rpc", "embedded:/nonexistent.jsonl", bundle)
    assert result.code == 2
    assert "UNUSABLE" not in result.out


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


def test_an_internal_error_is_70(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("billproof.trust.Pins.load", broken)
    result = run("trust", "list")
    assert result.code == 70
    assert "internal error" in result.err
    assert "Traceback" not in result.err


def test_integers_beyond_javascript_are_strings(run: Run, world: Any) -> None:
    words = ("verify", "--json", "--rpc", world.rpc, "--trust", world.pins.path)
    facts = run(*words, world.write("good.json", world.bundle("A2"))).json["files"][0]
    assert facts["statement"]["total"] == "20750000000"
    assert re.fullmatch("0x[0-9a-f]{64}", facts["root"])


def test_every_command_has_help(run: Run) -> None:
    for name in COMMANDS:
        shown = run(name, "--help")
        assert shown.code == 0
        assert shown.out.startswith("Usage: billproof")


def test_help_needs_no_heavy_imports() -> None:
    script = (
        "import sys; from billproof.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'pyarrow', 'web3', 'eth_account', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_verification_over_http_needs_no_web3() -> None:
    script = (
        "import sys; import billproof.verification, billproof.cli.verify\n"
        "print(sorted({'web3', 'eth_account', 'eth_tester', 'eth'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


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
