"""The command line as its users meet it: exit codes, JSON on standard output, messages on standard error."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import Run

from billproof.cli import COMMANDS

HERE = ("--operator", 1, "--period", 202610, "--store", "store")


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
