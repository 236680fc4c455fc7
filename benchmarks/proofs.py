"""Times what is cut from a store: proofs, receipts, one bundle, every bundle of a batch; and a verification.

    python benchmarks/proofs.py --records 1000000            # simulates and batches them first
    python benchmarks/proofs.py --files DIR                  # takes DIR/cdr/operator-1, as simulated before

Prints one line of JSON. Exports and the verification are whole processes, start included; the other figures
are of calls in one process. The verification asks anvil from node_modules, where it is there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import batching
import numpy as np

from billproof.bundle.cut import Cutter
from billproof.commitment import tree
from billproof.commitment.keccak import ByteRows, keccak_rows
from billproof.files import write_archive
from billproof.secret_store import SecretStore
from billproof.store import find_batches

ACCOUNTS = 300_000
RECEIPTS = 100_000
LONG_BILL = 1_000
ANVIL = Path(__file__).parents[1] / "node_modules/.bin/anvil"
ANCHORER = "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc"  # development account 2


def main() -> None:
    """Parses the arguments, makes a batch, and prints every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000, help="records to simulate")
    parser.add_argument("--files", type=Path, help="a directory that `billproof simulate` wrote")
    parser.add_argument("--work", type=Path, help="where store and exports go, for the time of the run")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.work) as name:
        home = Path(name)
        month = given.files or batching.simulate(home, given.records)
        make_batch(home, month, "--chain-id", "31337")
        figures = {**proofs(), **calls(home), **exports(home)}
        if ANVIL.exists():
            figures["verify seconds, process"] = verification(home)
        print(json.dumps({name: float(f"{value:.4g}") for name, value in figures.items()}))


def proofs() -> dict[str, float]:
    """Proofs a second, cut in bulk: of one batch tree in a mapped file, and of many records trees."""
    leaves = keccak_rows(np.arange(ACCOUNTS).view(np.uint8).reshape(-1, 8))
    with tempfile.NamedTemporaryFile() as file:
        tree.build_tree(leaves).tofile(file.name)
        nodes: ByteRows = np.memmap(file.name, np.uint8, mode="r").reshape(-1, 32)
        order = np.random.default_rng(1).permutation(ACCOUNTS)
        one = best(lambda: tree.proofs(nodes, order))
    counts = np.random.default_rng(2).integers(1, 80, ACCOUNTS // 40)
    counts[-1] += ACCOUNTS - counts.sum() if counts.sum() < ACCOUNTS else 0
    leaves = leaves[: counts.sum()]
    nodes, starts = tree.build_forest(leaves, counts)
    lines = np.arange(len(leaves)) - np.repeat(np.cumsum(counts) - counts, counts)
    many = {"starts": np.repeat(starts, counts), "counts": np.repeat(counts, counts)}
    forest = best(lambda: tree.proofs(nodes, lines, **many))
    return {"batch proofs/s": ACCOUNTS / one, "records proofs/s": len(leaves) / forest}


def calls(home: Path) -> dict[str, float]:
    """What library calls take on an opened store."""
    [stored] = find_batches(home / "store", 1, batching.BATCH["period"])
    start = time.perf_counter()
    cutter = Cutter(stored, SecretStore(home / "secrets", 1))
    opened = time.perf_counter() - start
    taken = []
    for account in random.Random(1).choices(cutter.accounts.to_pylist(), k=300):  # noqa: S311 - a sample
        start = time.perf_counter()
        cutter.bundle(account)
        taken.append(time.perf_counter() - start)
    start = time.perf_counter()
    made = sum(1 for _ in islice(cutter.receipts(show_number=True), RECEIPTS))
    receipts_taken = time.perf_counter() - start
    start = time.perf_counter()
    receipts = cutter.receipts(show_number=True)
    files = ((f"{account}.{line}.json", content) for account, line, content in islice(receipts, RECEIPTS))
    written = sum(1 for _ in write_archive(home / "receipts.zip", files))
    return {
        "open store seconds": opened,
        "ms per bundle, median": 1e3 * statistics.median(taken),
        "ms per bundle, 90th percentile": 1e3 * statistics.quantiles(taken, n=10)[-1],
        "receipts/s as JSON": made / receipts_taken,
        "receipts/s, archive": written / (time.perf_counter() - start),
    }


def exports(home: Path) -> dict[str, float]:
    """Seconds to export every bundle of the batch, and CPU seconds of it."""
    figures: dict[str, float] = {}
    for form, option in (("archive", "--archive"), ("files", "--out")):
        before = os.times()
        start = time.perf_counter()
        export(home, option, str(home / form))
        figures[f"export seconds, {form}"] = time.perf_counter() - start
        after = os.times()
        figures[f"export CPU seconds, {form}"] = sum(after[2:4]) - sum(before[2:4])
    figures["archive MB"] = (home / "archive").stat().st_size / 1e6
    return figures


def verification(home: Path) -> float:
    """Seconds of `billproof verify` of a bundle of at least a thousand lines, the best of five."""
    for name in ("month", "store", "secrets"):
        shutil.rmtree(home / name, ignore_errors=True)
    with anvil() as url:
        operator = (
            "--operator",
            "1",
            "--period",
            str(batching.BATCH["period"]),
            "--store",
            str(home / "store"),
        )
        os.environ |= {"BILLPROOF_RPC": url, "BILLPROOF_TRUST": str(home / "trust.json")}
        billproof("deploy", "--dev-account", "0")
        billproof("operator", "register", "--name", "Meridian", "--dev-account", "1")
        billproof("operator", "grant", "1", ANCHORER, "--dev-account", "1")
        billproof("trust", "add", "--name", "Meridian", "--chain-id", "31337", "--operator", "1")
        month = ("--subscribers", "20", "--records", str(LONG_BILL), "--period", operator[3])
        billproof("simulate", *month, "--out", str(home / "month"))
        make_batch(home, home / "month")
        billproof("anchor", *operator, "--secrets", str(home / "secrets"), "--dev-account", "2")
        export(home, "--out", str(home / "long"))
        lines = {path.read_bytes().count(b'"index"'): path for path in (home / "long").iterdir()}
        bill = lines[min(count for count in lines if count >= LONG_BILL)]
        return best(lambda: billproof("verify", str(bill)))


def make_batch(home: Path, month: Path, *more: str) -> None:
    """Batches the files of operator 1 into ``home/store``."""
    files = sorted((month / "cdr/operator-1").glob("*.csv"))
    mapping = ("--format", "csv", "--mapping", str(files[0].with_name("csv.toml")))
    billproof("batch", *places(home), *mapping, *more, *map(str, files))


def export(home: Path, *where: str) -> None:
    """Writes all bundles of the batch."""
    billproof("bundles", *places(home), *where)


def places(home: Path) -> list[str]:
    """The options that name the period and its store."""
    named = {
        "operator": 1,
        "period": batching.BATCH["period"],
        "store": home / "store",
        "secrets": home / "secrets",
    }
    return [word for name, value in named.items() for word in (f"--{name}", str(value))]


def billproof(*words: str) -> None:
    """Runs one of our commands; what it prints is shown when it fails."""
    done = subprocess.run([sys.executable, "-m", "billproof", *words], capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"billproof {words[0]}: {done.stderr.decode()}")


@contextmanager
def anvil(port: int = 18_545) -> Iterator[str]:
    """A development chain for as long as it is needed."""
    chain = subprocess.Popen([ANVIL, "--port", str(port), "--silent"])
    try:
        time.sleep(2)
        yield f"http://127.0.0.1:{port}"
    finally:
        chain.terminate()
        chain.wait()


def best(work: Callable[[], Any], times: int = 5) -> float:
    """Seconds of the fastest of some runs."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


if __name__ == "__main__":
    main()
