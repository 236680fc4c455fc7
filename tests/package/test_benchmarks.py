"""What the benchmarks compare with gives the same answers; nothing here is timed."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from billproof import grouping
from billproof.billing_run import Input, batch
from billproof.commitment import tree
from billproof.intake import scanner
from billproof.simulate import simulate

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
NAMES: dict[str, Any] = {"period": 202610, "operator": 1, "chain_id": 31337, "ledger": "0x" + "ab" * 20}


def loaded(name: str) -> ModuleType:
    """A script of the benchmarks, under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"billproof_{name}_benchmark", BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def naive() -> ModuleType:
    return loaded("naive")


def test_the_rating_benchmark_s_raters_agree(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    """It refuses to report where they do not; its figures make a table, and older figures have none."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "argv", ["rating.py", "600", "--rounds", "2"])
    monkeypatch.delitem(sys.modules, "naive", raising=False)
    loaded("rating").main()
    figures = json.loads(capsys.readouterr().out)
    tables = loaded("tables")
    assert tables.rating({}) is tables.rating({"rating": None}) is None
    table = tables.rating({"rating": figures})
    assert table.title == "Rating 600 records"
    assert [row[0] for row in table.rows] == [
        "rates, bands and zones",
        "the same with tiers and allowances",
    ]


def test_the_clearing_benchmark_finds_all_pairs_and_the_naive_matcher_some(
    capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setattr(sys, "argv", ["clearing.py", "3000", "--naive"])
    loaded("clearing").main()
    figures = json.loads(capsys.readouterr().out)
    (ours,), (naive,) = figures["billproof"], figures["naive"]
    assert ours["right"] > 99.5
    assert 40 < naive["right"] < 60, "calls of shifted clocks, and data in other units, are not found"
    tables = loaded("tables")
    assert tables.clearing({}) is None
    assert [row[0] for row in tables.clearing({"clearing": figures}).rows] == ["Billproof", "naive matcher"]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_naive_program_gives_our_root(naive: ModuleType, tmp_path: Path, seed: int) -> None:
    month = {"operators": 1, "subscribers": 25, "period": 202610, "formats": ["csv"]}
    simulate(tmp_path / "month", **month, seed=seed, rejects=14, other_periods=9)
    files = sorted((tmp_path / "month/cdr/operator-1").glob("*.csv"))
    secrets = tmp_path / "secrets"
    inputs = [Input("csv", files, files[0].with_name("csv.toml"))]
    ours = batch(inputs, **NAMES, store=tmp_path / "store", secrets=secrets)
    assert (ours.rejected, ours.other_periods) == (14, 9)
    assert ours.accounts == 25
    theirs = naive.batch(files, naive.Secrets.read(secrets, 1, 202610), tmp_path / "naive", **NAMES)
    assert theirs == ours.root


def test_one_account_of_very_many_records_has_the_naive_root(
    naive: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One tree deeper than what the kernel takes as small, in a file that compiled loops take apart."""
    monkeypatch.setattr(grouping, "PART_BYTES", 1 << 20)
    monkeypatch.setattr(scanner, "LARGE", 1)
    month = {"operators": 1, "subscribers": 1, "period": 202610, "formats": ["csv"]}
    simulate(tmp_path / "month", **month, seed=1)
    mapping = tmp_path / "month/cdr/operator-1/csv.toml"
    file = tmp_path / "one.csv"
    lines = ["account,kind,start,usage,billed,other_party,network,amount,currency,rate"]
    for at in range(70_000):
        place = at * 7919 % 70_000  # in no order of time
        start = f"2026-10-{place % 24 + 1:02}T{place // 24 % 24:02}:{place // 576 % 60:02}:00+01:00"
        lines.append(
            f"M1,MOC,{start},{at % 3600},60,+35320910{at % 997:04},999-10,0.12,EUR,minute/on-net/peak"
        )
    file.write_text("\n".join(lines) + "\n", encoding="ascii")
    secrets = tmp_path / "secrets"
    ours = batch([Input("csv", [file], mapping)], **NAMES, store=tmp_path / "store", secrets=secrets)
    assert (ours.committed, ours.accounts) == (70_000, 1)
    theirs = naive.batch([file], naive.Secrets.read(secrets, 1, 202610), tmp_path / "naive", **NAMES)
    assert theirs == ours.root


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 50])
def test_the_naive_tree_is_our_tree(naive: ModuleType, count: int) -> None:
    leaves = np.random.default_rng(count).integers(0, 256, (count, 32), np.uint8)
    nodes = naive.build_tree([bytes(leaf) for leaf in leaves])
    ours = tree.build_tree(leaves)
    assert b"".join(nodes) == ours.tobytes()
    assert [naive.prove(nodes, at) for at in range(count)] == [tree.proof_of(ours, at) for at in range(count)]
