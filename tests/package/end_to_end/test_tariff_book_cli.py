"""`billproof tariff publish`, `withdraw` and `published`, on an embedded chain."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from billproof.cli import main
from billproof.commitment.keccak import keccak

ANCHORER = "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc"  # development account 2
TARIFF = """
schema = "billproof/tariff/1"
name = "Flex"
version = "{version}"
currency = "EUR"
valid = {{ from = "{first}"{until} }}
rounding = {{ mode = "half-up", decimals = 4, at = "call" }}
[[rates]]
name = "voice"
services = ["voice-originated"]
price = "0.10"
unit = "60 s"
"""


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands in a directory with a chain, where account 1 administers operator 1 and 2 anchors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BILLPROOF_RPC", "embedded:chain.jsonl")

    def call(*words: object) -> Result:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        printed = capsys.readouterr()
        return Result(int(stop.value.code or 0), printed.out, printed.err)

    assert call("deploy", "--dev-account", 0).code == 0
    assert call("operator", "register", "--name", "Meridian", "--dev-account", 1).code == 0
    assert call("operator", "grant", 1, ANCHORER, "--dev-account", 1).code == 0
    return call


def write(name: str, version: str = "1", first: str = "2090-01-01", until: str | None = "2091-01-01") -> Path:
    last = f', until = "{until}"' if until else ""
    file = Path(name)
    file.write_text(TARIFF.format(version=version, first=first, until=last))
    return file


def hash_of(file: Path) -> str:
    return "0x" + keccak(file.read_bytes()).hex()


@contextmanager
def book_on_chain() -> Iterator[tuple[Any, Any]]:
    """The chain's file and its tariff book, which an anchorer signs for."""
    from billproof.ledger import deployments
    from billproof.ledger.client import LedgerClient
    from billproof.ledger.embedded import EmbeddedChain
    from billproof.ledger.reads import chain_id
    from billproof.ledger.signers import development_signer
    from billproof.ledger.tariff_book import TariffBook

    with EmbeddedChain.open("chain.jsonl", writable=True) as chain:
        number = chain_id(chain)
        yield chain, TariffBook(LedgerClient(chain, deployments.load(number), development_signer(2, number)))


def test_deploy_puts_the_book_beside_the_ledger(run: Run) -> None:
    again = run("deploy", "--dev-account", 0, "--json").json
    assert again["already"]
    assert again["tariffBook"] == "0xbabb62cbcb025340502aaa04756d9ea1d1c72cb9"
    assert again["tariffBookGas"] == 0


def test_published_and_again_is_no_harm(run: Run) -> None:
    one, two = write("one.toml"), write("two.toml", version="2", until=None)
    signed = ("--operator", 1, "--dev-account", 2)
    assert run("tariff", "published", "--operator", 1, one).code == 3
    first = run("tariff", "publish", one, two, *signed, "--json")
    assert first.code == 0
    assert first.json["schema"] == "billproof/tariffs-published/1"
    assert [entry["already"] for entry in first.json["tariffs"]] == [False, False]
    assert all(entry["gas"] < 100_000 for entry in first.json["tariffs"])
    again = run("tariff", "publish", one, *signed)
    assert again.code == 0
    assert "is published already, valid from 2090-01-01 up to and including 2090-12-31" in again.err

    listed = run("tariff", "published", "--operator", 1, "--json").json["tariffs"]
    assert [entry["hash"] for entry in listed] == [hash_of(one), hash_of(two)]
    assert [entry["validUntil"] for entry in listed] == [3818448000, None]
    assert listed[0]["validFrom"] == 3786912000
    assert listed[0]["publishedAt"]
    assert run("tariff", "published", "--operator", 1, hash_of(two), one).code == 0
    shown = run("tariff", "published", "--operator", 1)
    assert "from 2090-01-01 on" in shown.out


def test_only_what_is_a_tariff_is_sent(run: Run) -> None:
    """All files are read before the first transaction."""
    good, bad = write("good.toml"), Path("bad.toml")
    bad.write_text("name = 1\n")
    assert run("tariff", "publish", good, bad, "--operator", 1, "--dev-account", 2).code == 2
    assert run("tariff", "published", "--operator", 1, good).code == 3
    nothing = run("tariff", "published", "--operator", 1)
    assert nothing.code == 0
    assert "has published no tariff" in nothing.err


def test_who_may(run: Run) -> None:
    file = write("flex.toml")
    stranger = run("tariff", "publish", file, "--operator", 1, "--dev-account", 3)
    assert stranger.code == 1
    assert "may not publish for operator 1" in stranger.err
    assert run("tariff", "publish", file, "--operator", 9, "--dev-account", 2).code == 1
    assert run("tariff", "publish", file, "--operator", 1, "--dev-account", 1).code == 0
    refused = run("tariff", "withdraw", file, "--operator", 1, "--dev-account", 2)
    assert refused.code == 1
    assert "is not the admin" in refused.err


def test_a_late_publication_is_said(run: Run) -> None:
    file = write("old.toml", first="2020-01-01")
    done = run("tariff", "publish", file, "--operator", 1, "--dev-account", 2)
    assert done.code == 0
    assert "Its first day had begun" in done.err


def test_withdrawal(run: Run) -> None:
    file = write("flex.toml")
    signed = ("--operator", 1, "--dev-account", 1)
    unpublished = run("tariff", "withdraw", file, *signed)
    assert unpublished.code == 1
    assert "never published" in unpublished.err
    run("tariff", "publish", file, *signed)
    for text, code in (("2020-01-01", 1), ("tomorrow", 2)):
        assert run("tariff", "withdraw", file, *signed, "--from", text).code == code
    done = run("tariff", "withdraw", hash_of(file), *signed, "--from", "2090-06-01T12:00:00Z", "--json")
    assert done.json["withdrawnFrom"] == 3800001600
    assert run("tariff", "withdraw", file, *signed).code == 1
    told = run("tariff", "publish", file, *signed)
    assert "withdrawn from 2090-06-01T12:00:00Z on" in told.err
    assert "2090-06-01T12:00:00Z" in run("tariff", "published", "--operator", 1).out


def test_withdrawal_from_soon(run: Run) -> None:
    file = write("flex.toml")
    signed = ("--operator", 1, "--dev-account", 1)
    run("tariff", "publish", file, *signed)
    assert run("tariff", "withdraw", file, *signed, "--json").code == 0


def test_a_file_published_for_other_days(run: Run) -> None:
    """An insider who was faster with other days is told, not overwritten."""
    file = write("flex.toml")
    with book_on_chain() as (_, book):
        book.publish(1, keccak(file.read_bytes()), 1)
    refused = run("tariff", "publish", file, "--operator", 1, "--dev-account", 1)
    assert refused.code == 1
    assert "published already, but valid from 1970-01-01 00:00:01 on" in refused.err


def test_what_names_no_tariff(run: Run) -> None:
    for name in ("missing.toml", "0x12", "0x" + "zz" * 32):
        shown = run("tariff", "published", "--operator", 1, name)
        assert shown.code == 2
        assert "0x and 64 hex digits" in shown.err


MAPPING = """
[account]
column = "account"
[service]
column = "service"
[service.values]
call = "voice_originated"
fee = "recurring"
[time]
column = "start"
zone = "UTC"
[usage]
column = "seconds"
[number]
column = "number"
[amount]
column = "amount"
[currency]
value = "EUR"
"""


def build(run: Run, period: int, rows: list[str], *tariffs: Path) -> None:
    """A batch of the accounts A, B …, each of which has one of the tariffs."""
    Path("map.toml").write_text(MAPPING)
    Path("cdr.csv").write_text("\n".join(["account,service,start,seconds,number,amount", *rows]) + "\n")
    named = [f"{account},{tariff}" for account, tariff in zip("ABCDEF", tariffs, strict=False)]
    Path("accounts.csv").write_text("\n".join(["account,tariff", *named]) + "\n")
    pricing = ("--tariffs", "accounts.csv", "--tariff-differences", "unchecked") if tariffs else ()
    of = ("--operator", 1, "--period", period, "--store", "store", "--secrets", "secrets")
    made = run("batch", "cdr.csv", "--format", "csv", "--mapping", "map.toml", *of, *pricing)
    assert made.code == 0, made.err


def in_february_2090() -> None:
    """Lets the chain's clock run on: no period is anchored before it has begun."""
    with book_on_chain() as (chain, book):
        chain.set_time(3_789_590_400)
        book.publish(1, keccak(b"whatever"), 1)


def call(account: str, start: str) -> str:
    return f"{account},call,{start},60,+447700900123,0.10"


@pytest.mark.parametrize("range_", [1, 1 << 18])
def test_anchor_warns_of_tariffs_that_are_not_published_in_time(
    run: Run, monkeypatch: pytest.MonkeyPatch, range_: int
) -> None:
    monkeypatch.setattr("billproof.anchoring_tariffs._RANGE", range_)
    good, unpublished = write("good.toml"), write("none.toml", "2")
    ended = write("ended.toml", "3", until="2090-01-10")
    signed = ("--operator", 1, "--dev-account", 2)
    assert run("tariff", "publish", good, ended, *signed).code == 0
    rows = [call(account, "2090-01-05T10:00:00Z") for account in "ABCD"] + [call("C", "2090-01-11T10:00:00Z")]
    build(run, 209001, rows, good, unpublished, ended, unpublished)
    here = ("anchor", "--operator", 1, "--period", 209001, "--store", "store", "--dev-account", 2)
    in_february_2090()
    done = run(*here)
    assert done.code == 0, done.err
    warnings = sorted(line for line in done.err.splitlines() if "Look again" in line)
    said = "Look again: batch 0-1: {} tariff {}: {}.".format
    assert warnings == sorted(
        [
            said("1 statement names the", hash_of(ended), "not valid for every line"),
            said("2 statements name the", hash_of(unpublished), "never published"),
        ]
    )
    before = done.err.index("Look again")
    assert before < done.err.index("0-1: "), "before anything is sent"
    again = run(*here, "--json")  # the chain has it: too late to warn
    assert (again.code, again.json["tariffWarnings"]) == (0, [])


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        ([call("A", "2020-05-05T10:00:00Z")], ["late"]),
        (["A,fee,2020-05-01T00:00:00Z,0,,5.00"], ["late"]),
        ([call("A", "2020-05-05T10:00:00Z"), call("A", "2020-05-01T10:00:00Z")], ["late", "outside"]),
    ],
)
def test_anchor_warns_of_tariffs_that_are_published_late(
    run: Run, rows: list[str], faults: list[str]
) -> None:
    late = write("late.toml", first="2020-01-01" if "outside" not in faults else "2020-05-02", until=None)
    assert run("tariff", "publish", late, "--operator", 1, "--dev-account", 2).code == 0
    build(run, 202005, rows, late)
    here = ("anchor", "--operator", 1, "--period", 202005, "--store", "store", "--dev-account", 2)
    done = run(*here, "--json")
    assert done.code == 0, done.err
    (warning,) = done.json["tariffWarnings"]
    assert (warning["tariff"], warning["statements"], warning["faults"]) == (hash_of(late), 1, faults)


@pytest.mark.parametrize("tariffs", [0, 1])
def test_anchor_warns_of_nothing_where_all_is_well(run: Run, tariffs: int) -> None:
    good = write("good.toml")
    assert run("tariff", "publish", good, "--operator", 1, "--dev-account", 2).code == 0
    build(run, 209001, [call("A", "2090-01-05T10:00:00Z")], *[good] * tariffs)
    in_february_2090()
    done = run(
        "anchor", "--operator", 1, "--period", 209001, "--store", "store", "--dev-account", 2, "--json"
    )
    assert (done.code, done.json["tariffWarnings"]) == (0, [])
