"""``billproof operator`` and ``deploy``: changes, repudiation, hostile texts, addresses that hold keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chains import Chain

from billproof.cli import main
from billproof.ledger.deploy import deploy, may_be_noted
from billproof.ledger.devaccounts import EMBEDDED_CHAIN_ID
from billproof.ledger.reads import batch_state
from billproof.ledger.rpc import connect
from billproof.ledger.signers import development_signer

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process: exit code, standard output, standard error."""

    def call(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        printed = capsys.readouterr()
        return int(stop.value.code or 0), printed.out, printed.err

    return call


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Chain]:
    """An embedded chain of the test's own: every command replays it."""
    endpoint = connect(f"embedded:{tmp_path / 'chain.jsonl'}", writable=True)
    signer = development_signer(0, EMBEDDED_CHAIN_ID)
    yield Chain(endpoint, deploy(endpoint, signer).deployment)
    endpoint.close()


@pytest.fixture
def signing(own: Chain) -> tuple[object, ...]:
    return ("--rpc", f"embedded:{own.endpoint._journal.path}", "--dev-account", 0)


def shown(run: Run, number: int, signing: tuple[object, ...]) -> dict[str, Any]:
    return json.loads(run("operator", "show", number, *signing[:2], "--json")[1])


def test_update_keeps_what_is_not_given(run, own, signing):
    number, _ = own.client().register_operator("Old", "old.example", "https://old.example/" + "x" * 5000)
    code, out, err = run("operator", "update", number, "--domain", "new.example", *signing)
    assert code == 0
    assert "gas" in err
    assert json.loads(out)["operators"][0]["operatorId"] == str(number)
    client = own.client()
    assert client.view("getOperator", number)[3:] == (
        "Old",
        "new.example",
        "https://old.example/" + "x" * 5000,
    )
    assert (
        run("operator", "update", number, "--name", "New", "--metadata-uri", "", "--json", *signing)[0] == 0
    )
    found = shown(run, number, signing)
    assert (found["name"], found["domain"], found["metadataURI"]) == ("New", "new.example", "")
    assert run("operator", "update", number, *signing)[0] == 2
    assert run("operator", "update", number, "--name", "", *signing)[0] == 1
    assert run("operator", "update", number, "--name", "X", *signing[:3], 5)[0] == 1
    assert run("operator", "update", 10**6, "--name", "X", *signing)[0] == 3


def test_repudiate(run, own, signing):
    key = own.anchored()
    words = ("operator", "repudiate", key.operator_id, key.period, "--region", key.region)
    code, _, err = run(*words, "--sequence", 1, *signing)
    assert code == 2
    assert "--yes" in err
    assert not batch_state(own.endpoint, own.deployment, key).repudiated
    assert run(*words, "--sequence", 1, "--yes", *signing[:3], 5)[0] == 1
    assert run(*words, "--sequence", 2, "--yes", *signing)[0] == 1
    code, out, _ = run(*words, "--sequence", 1, "--yes", "--json", *signing)
    assert code == 0
    assert json.loads(out)["schema"] == "billproof/transaction/1"
    assert batch_state(own.endpoint, own.deployment, key).repudiated


@pytest.mark.parametrize(
    "words",
    [
        ("show", 99999999999999999999999),
        ("update", 2**64, "--name", "x"),
        ("repudiate", 2**64, 202601, "--region", 0, "--sequence", 1, "--yes"),
        ("repudiate", 1, 202601, "--region", 0, "--sequence", 99999999999, "--yes"),
        ("repudiate", 1, 202601, "--region", 2**32, "--sequence", 1, "--yes"),
        ("repudiate", 1, 202613, "--region", 0, "--sequence", 1, "--yes"),
    ],
)
def test_numbers_that_cannot_be(run, words):
    signer = () if words[0] == "show" else ("--dev-account", 0)
    options = ("--rpc", "http://127.0.0.1:9", *signer)
    code, out, err = run("operator", *words, *options)
    assert (code, out) == (2, "")
    assert "\x1b" not in err


def test_an_address_is_safe_to_print(run, signing):
    code, _, err = run("operator", "grant", 1, "0x\x1b", *signing)
    assert code == 2
    assert "\x1b" not in err


def test_show_is_safe_to_print(run, own, signing):
    evil = "\x1b[2J\x9b2J\u202e\nadmin  0x00"
    number, _ = own.client().register_operator("A" + evil, "b" + evil, "c" + evil)
    code, out, _ = run("operator", "show", number, *signing[:2])
    assert code == 0
    assert all(line.isprintable() for line in out.splitlines())
    assert len(out.splitlines()) == 7
    assert shown(run, number, signing)["name"] == "A" + evil


@pytest.mark.parametrize(
    ("url", "noted"),
    [
        ("http://127.0.0.1:8545", True),
        ("https://node.example/", True),
        ("https://node.example/?apikey=SECRET", False),
        ("https://node.example?apikey=SECRET", False),
        ("https://node.example/v3/SECRET", False),
        ("https://node.example/#SECRET", False),
        ("https://SECRET@node.example/", False),
        ("https://node.example/v3/[", False),
        ("http://[", False),
        ("ftp://node.example", False),
    ],
)
def test_addresses_that_may_hold_a_key(url, noted):
    assert may_be_noted(url) is noted


def test_a_key_never_reaches_the_deployment_file(run, anvil, tmp_path):
    file = tmp_path / "deployment.json"
    words = ("deploy", "--dev-account", 0, "--deployment", file, "--force", "--rpc")
    code, _, err = run(*words, anvil.url + "/?apikey=SECRET")
    assert code == 0
    assert "SECRET" not in file.read_text()
    assert "may hold a key" in err
    code, _, err = run(*words, anvil.url)
    assert code == 0
    assert "may hold a key" not in err
    assert Path(file).read_text().count(anvil.url) == 1
