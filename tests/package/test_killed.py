"""A billing run that is stopped: killed at any moment, out of space, its input changed under it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from billproof import batch_writer, grouping
from billproof.billing_run import Input, batch
from billproof.errors import InputError
from billproof.recovery import lock_path, recover
from billproof.store import StoredBatch, find_batches
from billproof.sums import check_sums

MAPPING = """
[account]
column = "account"
[service]
value = "voice_originated"
[time]
column = "start"
[usage]
column = "seconds"
[amount]
column = "amount"
[currency]
value = "EUR"
"""
#: Runs batches in forked children and kills each after its share of what a whole run takes.
KILLER = """
import os, random, signal, sys, time
from pathlib import Path
from billproof import billing_run, grouping
import billproof.commitment.tree

home, kills, replace = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "replace"
grouping.PART_BYTES = 5000

def run():
    billing_run.batch([billing_run.Input("csv", sorted(home.glob("*.csv")), home / "map.toml")],
        operator=1, period=202610, chain_id=1, ledger="0x" + "ab" * 20, sequence=1, force=replace,
        store=home / "store", secrets=home / "secrets")

def child():
    pid = os.fork()
    if pid == 0:
        try:
            run()
        except BaseException as error:
            print(error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return pid

final = home / "store/1/202610/0-1"
start = time.perf_counter()
assert os.waitpid(child(), 0)[1] == 0
whole = time.perf_counter() - start
draw, killed = random.Random(7), 0
while killed < kills:
    if not replace and final.exists():
        final.rename(home / f"done-{killed}")
    pid = child()
    time.sleep(draw.uniform(0, 1.05) * whole)
    os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    assert status in (0, 9), status
    killed += 1
    print("whole" if final.exists() else "absent", flush=True)
    if final.exists():
        from billproof.sums import check_sums
        check_sums(final)
    left = [path.name for kind in ("partial", "old") for path in final.parent.glob(f".*.{kind}")]
    assert len(left) <= 2, left
"""


def names(home: Path) -> list[str]:
    """What is in a directory, but for the lock of those who write to it."""
    return sorted(path.name for path in home.iterdir() if path.name != ".lock")


@pytest.fixture
def month(tmp_path: Path) -> Path:
    """A directory with two files of 1,500 rows, one row in ten unusable."""
    (tmp_path / "map.toml").write_text(MAPPING)
    for name in ("a", "b"):
        rows = [
            f"{name if at % 3 else 'x'}{at % 211},2026-10-{1 + at % 28:02}T10:00:00Z,{at},"
            f"{'?' if at % 10 == 0 else at}.5"
            for at in range(1500)
        ]
        (tmp_path / f"{name}.csv").write_text("account,start,seconds,amount\n" + "\n".join(rows) + "\n")
    return tmp_path


@pytest.fixture
def run(month: Path) -> Callable[..., Any]:
    def run_month(**changes: Any) -> Any:
        options: dict[str, Any] = {
            "operator": 1,
            "period": 202610,
            "chain_id": 1,
            "ledger": "0x" + "ab" * 20,
            "store": month / "store",
            "secrets": month / "secrets",
        }
        files = sorted(month.glob("*.csv"))
        return batch([Input("csv", files, month / "map.toml")], **{**options, **changes})

    return run_month


@pytest.mark.parametrize("mode", ["new", "replace"])
def test_killed_at_any_moment_the_store_is_absent_or_whole(
    mode: str, month: Path, run: Callable[..., Any]
) -> None:
    command = [sys.executable, "-c", KILLER, str(month), "25", mode]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    states = done.stdout.split()
    assert len(states) == 25
    assert "absent" in states or mode == "replace"
    result = run(force=True, sequence=1)
    assert names(month / "store/1/202610") == ["0-1"]
    check_sums(result.stored.path)
    assert (result.rows, result.committed, result.rejected) == (3000, 2700, 300)
    others = {StoredBatch.open(path).root for path in month.glob("done-*")}
    assert others <= {result.root}, "same files and secrets, same root"


def test_parts_change_neither_root_nor_counts(
    month: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = run()
    monkeypatch.setattr(grouping, "PART_BYTES", 3000)
    in_parts = run(store=month / "other")
    counted = run(store=month / "third", rejects_copy=month / "rejects.csv")
    assert at_once.root == in_parts.root == counted.root
    for one in (in_parts, counted):
        assert (one.rows, one.committed, one.reasons) == (at_once.rows, at_once.committed, at_once.reasons)
        assert (one.stored.path / "rejects.csv").read_bytes() == (
            at_once.stored.path / "rejects.csv"
        ).read_bytes()
        assert one.stored.records.num_rows == one.committed
        entries = one.stored.entries
        for row in (0, len(entries) // 2, len(entries) - 1):
            first, count = entries["first"][row].as_py(), entries["count"][row].as_py()
            own = one.stored.records_of(first, count)
            assert own.equals(one.stored.records.slice(first, count))
            assert own["account"].unique().to_pylist() == [entries["account"][row].as_py()]
    assert (month / "rejects.csv").read_bytes() == (at_once.stored.path / "rejects.csv").read_bytes()


@pytest.mark.parametrize("change", ["append", "truncate", "replace"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    change: str, month: Path, run: Callable[..., Any]
) -> None:
    file = month / "b.csv"

    def spoil(step: str, done: int) -> None:
        if step == "read" and done > 1500:
            if change == "append":
                with file.open("a") as stream:
                    stream.write("late\n")
            elif change == "truncate":
                os.truncate(file, 100)
            else:
                (month / "new").write_bytes(file.read_bytes())
                (month / "new").rename(file)

    with pytest.raises(InputError, match=r"b\.csv: was changed while it was read"):
        run(progress=spoil)
    assert not (month / "store").exists()


def test_the_digest_is_that_of_the_file(month: Path, run: Callable[..., Any]) -> None:
    import gzip
    import hashlib

    (month / "c.csv").write_bytes(gzip.compress((month / "a.csv").read_bytes()[:-1]))
    sources = json.loads((run().stored.path / "intake.json").read_bytes())["sources"]
    for source in sources:
        assert source["sha256"] == hashlib.sha256((month / source["file"]).read_bytes()).hexdigest()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = (
        sys.platform == "linux"
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)],
            capture_output=True,
            check=False,
        ).returncode
    )
    if not mounted:
        pytest.skip("only root may mount a small file system")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.parametrize("free_kb", [0, 40, 100, 200])
@pytest.mark.parametrize("part_bytes", [3000, 1 << 30])
def test_a_full_disk_is_said_and_leaves_nothing(
    free_kb: int,
    part_bytes: int,
    small_disk: Path,
    run: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grouping, "PART_BYTES", part_bytes)
    (small_disk / "ballast").write_bytes(bytes((512 - free_kb) << 10))
    with pytest.raises(InputError, match="cannot write the batch: No space left"):
        run(store=small_disk / "store")
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]
    (small_disk / "ballast").unlink()
    monkeypatch.setattr(grouping, "PART_BYTES", 1 << 30)
    check_sums(run(store=small_disk / "store").stored.path)


def test_a_read_only_place_is_said(small_disk: Path, month: Path, run: Callable[..., Any]) -> None:
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(remount, check=True)
    with pytest.raises(InputError, match="cannot write the batch: Read-only file system"):
        run(store=small_disk / "store")
    assert not (month / "secrets").exists()


def test_secrets_that_cannot_be_written_are_named(
    small_disk: Path, run: Callable[..., Any], month: Path
) -> None:
    secrets = small_disk / "secrets"
    secrets.mkdir()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(InputError, match="cannot use the secrets: Read-only file system") as raised:
        run(secrets=secrets)
    assert raised.value.file is not None
    assert Path(raised.value.file).is_relative_to(secrets)
    assert "ls -ld" in raised.value.advice
    assert not (month / "store").exists()


def test_a_directory_in_use_is_left_alone(month: Path, run: Callable[..., Any]) -> None:
    run()
    home = month / "store/1/202610"
    (home / ".0-2.999.partial").mkdir()
    handle = lock_path(home / ".0-2.999.partial")
    (home / ".0-2.999.old").mkdir()
    try:
        recover(home)
        assert names(home) == [".0-2.999.old", ".0-2.999.partial", "0-1"]
    finally:
        os.close(handle)
    recover(home)
    assert names(home) == ["0-1", "0-2"], "what it replaced is back"


def test_a_run_writes_to_the_store_only(month: Path, run: Callable[..., Any]) -> None:
    """Scratch files lie on the store's disk, where there is room, and none outlives the run."""
    run()
    assert names(month / "store/1/202610/0-1") == [
        *("SHA256SUMS", "batch.json", "entries.arrow", "intake.json", "manifest.bin", "manifest.json"),
        *("records.parquet", "rejects.csv", "tree.bin"),
    ]
    assert find_batches(month / "store", 1, 202610)[0].records.num_rows == 2700
    assert batch_writer.ROW_GROUP == 1 << 12
