"""What the other side settled beside one's own clearing: the same, or every change of it told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from billproof.clearing.agreement.agreement import Rounding, load_agreement
from billproof.clearing.document.reading import load_clear
from billproof.clearing.settlement.comparing import differences, own_settlement
from billproof.clearing.settlement.form import document, document_hash
from billproof.clearing.settlement.reading import load_document
from billproof.clearing.settlement.settlement import BatchReference, Settlement
from billproof.cli.clear import clear
from billproof.cli.settle import settle
from billproof.errors import InputError
from billproof.simulate.partners import SINGLE, partner_books

_MODELS = """
[[models]]
name = "voice to France"
model = "tiers"
from = 2
services = ["voice-originated"]
routes = ["fr-mobile"]
mode = "all"
tiers = [{ above = "0 min", price = "0.12" }, { above = "500 min", price = "0.10" }]

[[models]]
name = "data"
model = "flat"
from = 2
services = ["data"]
price = "0.003"

[[commitments]]
name = "France and data"
from = 2
models = ["voice to France", "data"]
money = "50000"
"""
_DAYS = ("--issued", "2026-11-30", "--due", "2026-12-31")


def _run(command: click.Command, *given: Any) -> Any:
    return CliRunner().invoke(command, list(map(str, given)), standalone_mode=False, catch_exceptions=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What both operators cleared, ``1-there.json`` to ``2-back.json``, and what the first settled."""
    home = tmp_path_factory.mktemp("check")
    for name, seed, payer in (("there", 5, "theirs"), ("back", 6, "ours")):
        one, other, agreement = partner_books(6_000, seed, (*SINGLE, "rate")).write(home / name)
        (home / "agreement.toml").write_text(agreement.read_text() + _MODELS)
        known = ("--agreement", home / "agreement.toml", "--month", "2026-10")
        _run(clear, one, other, *known, "--as", 1, "--payer", payer, "--out", home / f"1-{name}.json")
        payer = {"ours": "theirs", "theirs": "ours"}[payer]
        _run(clear, other, one, *known, "--as", 2, "--payer", payer, "--out", home / f"2-{name}.json")
    _run(settle, *_known(home, 1), *_DAYS, "--dispute-deadline", "2027-01-31", "--round", 3,
         "--out", home / "settlement.json")  # fmt: skip
    return home


def _known(home: Path, side: int, *names: str) -> list[Any]:
    documents = [home / f"{side}-{name}.json" for name in names or ("there", "back")]
    return [*documents, "--agreement", home / "agreement.toml", "--before", "none"]


@pytest.fixture(scope="module")
def own(home: Path) -> Settlement:
    """What the second operator's documents come to."""
    given, _ = load_document(home / "settlement.json")
    files = [load_clear(home / f"2-{name}.json") for name in ("there", "back")]
    return own_settlement(given, files, load_agreement(home / "agreement.toml"))


def test_what_either_has_made_is_the_same(home: Path, own: Settlement) -> None:
    content = (home / "settlement.json").read_bytes()
    assert document(own) == content
    done = _run(settle, *_known(home, 2), "--check", home / "settlement.json")
    assert done.return_value == 0
    assert done.stdout.startswith("✓ The settlement is what these documents come to, to the byte.")
    assert "0x" + document_hash(content).hex() in done.stdout
    told = json.loads(_run(settle, *_known(home, 2), "--check", home / "settlement.json", "--json").stdout)
    assert told["same"]
    assert told["differences"] == []


def _first(settlement: Settlement, table: str, **changes: Any) -> Settlement:
    """The settlement with changes of the first entry of a table."""
    first, *rest = getattr(settlement, table)
    return replace(settlement, **{table: (replace(first, **changes), *rest)})


def _moved(settlement: Settlement) -> Settlement:
    """A thousandth moved from one service to another of the same payer: the net amount stays."""
    amounts = list(settlement.amounts)
    one = 0
    other = next(at for at in range(1, len(amounts)) if amounts[at].payer == amounts[0].payer)
    for at, sign in ((one, -1), (other, 1)):
        amounts[at] = replace(amounts[at], amount=amounts[at].amount + sign * 10**9)
    return replace(settlement, amounts=tuple(amounts))


def _party(settlement: Settlement, **changes: Any) -> Settlement:
    one, other = settlement.parties
    return replace(settlement, parties=(replace(one, **changes), other))


CHANGES: dict[str, tuple[Callable[[Settlement], Settlement], str]] = {
    "net": (lambda s: _first(s, "amounts", amount=s.amounts[0].amount + 10**10), "net amount"),
    "moved": (_moved, "pays for"),
    "records": (lambda s: _first(s, "amounts", records=1), "pays for"),
    "volume": (lambda s: _first(s, "amounts", volume=s.amounts[0].volume + 1), "pays for"),
    "amount left out": (lambda s: replace(s, amounts=s.amounts[1:]), "pays for"),
    "to date": (lambda s: _first(s, "charges", to_date=s.charges[0].to_date + 1), "the year to date"),
    "share": (lambda s: _first(s, "charges", share=s.charges[0].share + 1), "the month's share"),
    "shortfall": (lambda s: _first(s, "charges", shortfall=s.charges[0].shortfall + 1), "shortfall"),
    "open": (lambda s: _first(s, "charges", open=s.charges[0].open + 1), "still open"),
    "booked": (lambda s: _first(s, "charges", booked=s.charges[0].booked + 1), "booked"),
    "over": (lambda s: _first(s, "charges", over=("other",)), "the models of the commitment"),
    "charge left out": (lambda s: replace(s, charges=()), "the month's share"),
    "exchange": (
        lambda s: replace(s, exchange={**s.exchange, "GBP": Fraction(9, 8)}),
        "exchange rate of GBP",
    ),
    "exchange left out": (
        lambda s: replace(s, exchange={k: v for k, v in s.exchange.items() if k != "GBP"}),
        "exchange rate of GBP",
    ),
    "disputes left out": (lambda s: replace(s, disputes=()), "'s claim"),
    "dispute left out": (lambda s: replace(s, disputes=s.disputes[1:]), "'s claim"),
    "dispute's amount": (lambda s: _first(s, "disputes", amount=s.disputes[0].amount + 1), "'s claim"),
    "dispute's count": (lambda s: _first(s, "disputes", count=1), "'s claim"),
    "dispute's kind": (lambda s: _first(s, "disputes", kind="duration"), "'s claim"),
    "dispute's number": (lambda s: _first(s, "disputes", number=77), "'s claim"),
    "dispute's words": (lambda s: _first(s, "disputes", words="all is well"), "'s claim"),
    "claimant": (lambda s: _first(s, "disputes", claimant=3 - s.disputes[0].claimant), "'s claim"),
    "credit": (lambda s: _first(s, "disputes", amount=-s.disputes[0].amount), "'s credit"),
    "kind": (lambda s: replace(s, kind="disputed"), "kind"),
    "month": (lambda s: replace(s, period=202611), "month"),
    "agreement": (lambda s: replace(s, agreement="another"), "agreement"),
    "its hash": (lambda s: replace(s, agreement_hash=bytes(32)), "agreement's hash"),
    "currency": (lambda s: replace(s, currency="USD"), "currency"),
    "rounding": (lambda s: replace(s, rounding=Rounding("down", 0)), "rounding"),
    "name": (lambda s: _party(s, name="A\u202e"), "operators"),
    "party's currency": (lambda s: _party(s, currency="USD"), "operators"),
    "ledger": (lambda s: replace(s, chain_id=1, ledger="0x" + "11" * 20), "ledger"),
    "batch": (
        lambda s: replace(s, batches=(BatchReference(1, 202610, 1, 1, bytes(32)),)),
        "batch 202610/1-1 of operator 1",
    ),
    "order": (lambda s: replace(s, amounts=s.amounts[::-1]), "order"),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
def test_every_change_is_told(own: Settlement, case: str) -> None:
    change, what = CHANGES[case]
    changed = change(own)
    assert differences(own, own) == []
    found = differences(changed, own)
    assert any(what in each.what for each in found)
    assert all(each.given != each.own and each.what.isprintable() for each in found)
    if changed.net.amount != own.net.amount:
        assert found[0].what == "net amount"


def test_another_root_is_told(own: Settlement) -> None:
    with_batches = replace(own, batches=(BatchReference(1, 202610, 1, 1, bytes(32)),))
    other = _first(with_batches, "batches", root=b"\x01" * 32)
    (found,) = differences(other, with_batches)
    assert (found.what, found.given, found.own) == (
        "batch 202610/1-1 of operator 1", "0x" + "01" * 32, "0x" + "00" * 32,
    )  # fmt: skip


@pytest.mark.parametrize("case", ["moved", "dispute left out", "exchange", "name"])
def test_a_settlement_that_was_changed_is_told(
    own: Settlement, case: str, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "settlement.json"
    file.write_bytes(document(CHANGES[case][0](own)))
    done = _run(settle, *_known(home, 2), "--check", file)
    assert done.return_value == 1
    assert "Do not sign it" in done.stderr
    told = json.loads(_run(settle, *_known(home, 2), "--check", file, "--json").stdout)
    assert not told["same"]
    assert any(CHANGES[case][1] in each["what"] for each in told["differences"])


def test_days_and_the_round_are_the_settlements(own: Settlement, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "settlement.json"
    disputes = tuple(replace(each, deadline="2027-02-28") for each in own.disputes)
    file.write_bytes(
        document(replace(own, round=9, issued="2026-11-01", due="2026-12-01", disputes=disputes))
    )
    done = _run(settle, *_known(home, 2), "--check", file)
    assert (done.return_value, "2026-12-01" in done.stdout) == (0, True)


def test_one_direction_is_not_both(home: Path) -> None:
    done = _run(settle, *_known(home, 2, "there"), "--check", home / "settlement.json", "--json")
    assert done.return_value == 1
    assert any(each["what"] == "net amount" for each in json.loads(done.stdout)["differences"])


def test_another_version_of_the_agreement_is_refused(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "agreement.toml"
    other.write_text((home / "agreement.toml").read_text() + "# changed\n")
    with pytest.raises(InputError, match="another agreement or version") as refused:
        _run(settle, *_known(home, 2), "--agreement", other, "--check", home / "settlement.json")
    assert refused.value.file == str(other)


@pytest.mark.parametrize(
    "more", [("--out", "x.json"), ("--due", "2026-12-31"), ("--round", "2"), ("--volumes", "v.csv")]
)
def test_checking_makes_nothing(home: Path, more: tuple[str, str]) -> None:
    with pytest.raises(click.UsageError, match=f"{more[0]} makes a settlement"):
        _run(settle, *_known(home, 2), "--check", home / "settlement.json", *more)


def test_the_due_day_has_to_be_given(home: Path) -> None:
    with pytest.raises(click.UsageError, match="--due is missing"):
        _run(settle, *_known(home, 2))
